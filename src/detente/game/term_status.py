"""Terms that begin or lapse at an event: what play has to remember of them.

An event counts from the first time that its condition has held, at the start or after a turn. So
each term with an event has a variable in the states of the compiled game beside those of the
scenario: where the term stands. It is public, as all of the state is; no formula reads it.

==========  ====================================================================
`waiting`   the event from which the term is in force has not come about
`standing`  the term is in force, as far as its dates, `when` and `unless` let it be
`lapsed`    the event until which it is in force has come about, for good
==========  ====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from detente.dtypes import Bools, Ints
from detente.game.evaluate import Evaluator
from detente.game.structure import decode
from detente.scenario.entities import Variable
from detente.scenario.formula.expression import Formula
from detente.scenario.model import Scenario
from detente.scenario.policies import terms_of
from detente.scenario.rules import Term
from detente.scenario.scalar_types import Levels

WAITING, STANDING, LAPSED = "waiting", "standing", "lapsed"


@dataclass(frozen=True, slots=True)
class Standing:
    """A term with an event, and the variable that says where it stands."""

    term: Term
    variable: Variable

    def advance(self, level: Ints, holds: Callable[[Formula], Bools]) -> Ints:
        """The variable's next level, int64 [x], where its `level` is and events hold: bool [x]."""
        names, term = self.variable.names, self.term
        if term.since and term.since.event:
            begins = holds(term.since.event) & (level == names.index(WAITING))
            level = np.where(begins, names.index(STANDING), level)
        if term.until and term.until.event:
            level = np.where(holds(term.until.event), names.index(LAPSED), level)
        return level

    def stands(self, levels: Mapping[str, Ints]) -> Bools:
        """Where the term stands, bool [x]."""
        return np.equal(levels[self.variable.key], self.variable.names.index(STANDING))


def standings(scenario: Scenario, policy: str) -> dict[str, Standing]:
    """The terms of a policy ('' for none) that begin or lapse at an event, by name."""
    terms = terms_of(scenario, policy)
    return {term.key: Standing(term, _variable(term)) for term in terms if term.events()}


def variables(scenario: Scenario, policy: str) -> tuple[Variable, ...]:
    """The variables of the state: the scenario's, and where terms stand that have events."""
    remembered = standings(scenario, policy).values()
    return (*scenario.variables.values(), *(standing.variable for standing in remembered))


def in_force(
    at: Evaluator, term: Term, remembered: Mapping[str, Standing], codes: Ints, t: int
) -> Bools:
    """Where a term binds in period t, bool [x]: by its dates, its events, `when` and `unless`.

    `remembered` has the policy's terms that begin or lapse at an event (`standings`).
    """
    begin, end = term.dates
    if (begin is not None and t < begin) or (end is not None and end <= t):
        return np.zeros(codes.size, dtype=bool)
    force = at.holds(term.when, codes, t)
    if term.unless is not None:
        force = force & ~at.holds(term.unless, codes, t)
    if term.key in remembered:
        force = force & remembered[term.key].stands(decode(at.variables, codes))
    return force


def _variable(term: Term) -> Variable:
    begins = term.since is not None and term.since.event is not None
    lapses = term.until is not None and term.until.event is not None
    names = (*((WAITING,) if begins else ()), STANDING, *((LAPSED,) if lapses else ()))
    # No variable of a file has a space in its name.
    levels, key = Levels(len(names), names=names), f"term {term.key}"
    return Variable(key=key, levels=levels, start=0, about=term.about, place=term.place)
