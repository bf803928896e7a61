"""`Query`: which number of a scenario is asked about, as one value for every door that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from detente.arguments import MOST_PERIODS, whole
from detente.errors import Problems, refuse
from detente.game.arrays import CompiledGame
from detente.game.periods import check_within
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policy
from detente.simulation.forward import forever_periods
from detente.solver.value_tape import Target


@dataclass(frozen=True, slots=True)
class Query:
    """One number of a scenario: by an outcome, by an actor's payoff or by two policies.

    outcome, within
        The probability that the outcome has come about by the end of this period; by that of the
        last one by default, of a game without end of `forever_periods`.
    payoff
        The expected payoff of this actor.
    prefer, actor
        How much more the first of two policies ('' is no terms) gives this actor than the second.
    types
        True types on which to condition, by actor; the other actors' are weighted by the prior.
    policy
        As in `compile_game`; not with `prefer`.

    Raises
    ------
    ValueError, TypeError
        For a `within` that is no number of a period.
    """

    outcome: str | None = None
    payoff: str | None = None
    prefer: tuple[str, str] | None = None
    actor: str | None = None
    within: int | None = None
    types: Mapping[str, str] = field(default_factory=Frozen)
    policy: str | None = None

    def __post_init__(self) -> None:
        whole("within", self.within, 0, MOST_PERIODS)

    @property
    def kind(self) -> str:
        """'probability', 'payoff' or 'difference'."""
        if self.outcome is not None:
            return "probability"
        return "payoff" if self.prefer is None else "difference"

    @property
    def receiver(self) -> str | None:
        """The actor whose payoff, or preference, is asked about."""
        return self.actor if self.payoff is None else self.payoff

    def check(self, scenario: Scenario) -> None:
        """Raise `ScenarioError` with all that can be found wrong before a game is compiled."""
        problems = Problems()

        def known(argument: str, kind: str, name: str | None, names: Mapping[str, object]) -> None:
            if name is not None and name not in names:
                hint = did_you_mean(name, names)
                problems.add(argument, "unknown-name", f"there is no {kind} `{name}`", hint)

        if sum(asked is not None for asked in (self.outcome, self.payoff, self.prefer)) != 1:
            hint = (
                "give one of `outcome=NAME`, `payoff=ACTOR`, or `prefer=(POLICY, POLICY)` with "
                "`actor=ACTOR`"
            )
            problems.add("outcome", "missing", "it is not said which number is asked about", hint)
        known("outcome", "outcome", self.outcome, scenario.outcomes)
        known("payoff", "actor", self.payoff, scenario.actors)
        if self.prefer is not None:
            if self.actor is None:
                hint = f"name one of {', '.join(scenario.actors)}"
                problems.add("actor", "missing", "it is not said whose preference", hint)
            known("actor", "actor", self.actor, scenario.actors)
            for policy in self.prefer:
                with problems.gather():
                    find_policy(scenario, policy, "prefer")
            if self.policy is not None:
                message = "the policies are those of the preference"
                problems.add("policy", "not-together", message, "leave `policy=` out")
        elif self.actor is not None:
            hint = "for a payoff give `payoff=ACTOR`"
            problems.add("actor", "not-here", "it goes with a preference", hint)
        if self.within is not None and self.outcome is None:
            hint = "set the horizon to shorten play"
            problems.add("within", "not-here", "a payoff is that of all of play", hint)
        for key, kind in self.types.items():
            known("types", "actor", key, scenario.actors)
            if key in scenario.actors:
                known("types", f"type of {key}", kind, dict.fromkeys(scenario.actors[key].types))
        problems.refuse()


def target_for(game: CompiledGame, query: Query, happened: bool = True) -> tuple[Target, str]:
    """The number as a derivative is taken of it, and in words, of one game.

    Parameters
    ----------
    query
        Checked; of a preference the receiver's payoff.
    happened
        Whether the outcome has held by the end of the period, or holds then.

    Raises
    ------
    ScenarioError
        For a period that the game does not have.
    """
    actors = game.scenario.actors
    given = np.ones(len(game.profiles))
    by_prior = np.ones(len(actors), dtype=bool)
    for i, (key, actor) in enumerate(actors.items()):
        if key in query.types:
            by_prior[i] = False
            given *= game.profiles[:, i] == actor.types.index(query.types[key])
    condition = "".join(f", {key} being {kind}" for key, kind in query.types.items())
    if query.outcome is None:
        assert query.receiver is not None  # or `check` has refused
        target = Target(given, by_prior, actor=list(actors).index(query.receiver))
        return target, f"the payoff of {query.receiver}{condition}"
    check_within(game, query.within)
    last = game.periods if game.loop is None else forever_periods(game)
    period = last if query.within is None else query.within
    target = Target(given, by_prior, outcome=query.outcome, period=period, happened=happened)
    when = game.scenario.calendar.label(period) if period else "the start"
    verb = "has come about by" if happened else "holds in"
    return target, f"the probability that {query.outcome} {verb} {when}{condition}"


def check_query(game: CompiledGame, query: Query) -> None:
    """Refuse a query that a solution of this game cannot answer. Raises `ScenarioError`."""
    query.check(game.scenario)
    if query.outcome is not None and game.scenario.outcomes[query.outcome].remembers:
        message = f"`{query.outcome}` lasts or has an order, and derivatives of such are not taken"
        hint = "ask how it depends on one assumption at a time, as `threshold` does"
        refuse("outcome", "not-here", message, hint)
    if query.prefer is not None or query.policy is not None:
        argument = "policy" if query.prefer is None else "prefer"
        refuse(argument, "not-here", "the policy is that of the solution")
    check_within(game, query.within)
