"""What stays the same when payoffs and probabilities change: states, actions, transitions.

`Structure` is the enumeration; it holds where each number of the compiled game has to be
evaluated, so that new parameter values are filled in without enumerating anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Bools, Floats, Ints
from detente.errors import Diagnostic
from detente.scenario.entities import Variable
from detente.scenario.frozen import Frozen
from detente.scenario.rules import Event, Term


def _none() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What one mover of a layer, or chance, can do there by itself, without the numbers.

    mover
        The actor, or -1 for chance.
    actions
        The actor's actions, or the one chance event.
    state, action
        int64 [a]: state row and action position of each of its own actions, in this order;
        position -1 is 'nobody moves'.
    own, alternative
        int64 [l]: row a and alternative of each of its own transitions, in this order.
    breaks
        For each action position, the soft terms that it may break, with where they are in
        force: bool [x].
    moves, chosen
        Where this is what the moves of a turn do together, the movers' moves as variables, and
        int64 [a] what they are, as the code of these; its own actions are the joint ones.
    """

    mover: int
    actions: tuple[Event, ...]
    state: Ints
    action: Ints
    own: Ints = field(default_factory=_none)
    alternative: Ints = field(default_factory=_none)
    breaks: Mapping[int, tuple[tuple[Term, Bools], ...]] = field(default_factory=dict)
    moves: tuple[Variable, ...] = ()
    chosen: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """A layer without its numbers.

    sides
        One for each mover, and one for what they do `joint`ly where there is such a thing; or the
        one of chance: S of them.
    action_ptr, trans_ptr, succ
        As in the layer.
    edge_own
        int64 [e, S]: the own action, as a row a of each side, of each joint action.
    trans_own
        int64 [k, S]: the own transition, as a row l of each side, of each transition.
    """

    period: int
    turn: int
    event: str
    sides: tuple[Side, ...]
    action_ptr: Ints
    edge_own: Ints
    trans_ptr: Ints
    trans_own: Ints
    succ: NDArray[np.int32]

    @property
    def movers(self) -> tuple[int, ...]:
        """The actors who choose; () for chance."""
        return tuple(side.mover for side in self.sides if side.mover >= 0)


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The enumerated game.

    skeletons, skeleton_sets
        One skeleton for each actor's turn and each chance event, and the state codes before it,
        int64 [x]; one set more for the states after the last.
    kept
        The first skeleton of each layer of the compiled game, and their number: the events of one
        turn of chance make one layer.
    sets
        State codes before each layer and at the end: `skeleton_sets` at `kept`.
    period_sets
        Position in `sets` of the states in which period t ends, at t - 1.
    holds
        By outcome, bool [x] for each of `sets`.
    profiles
        int64 [p, i].
    structural
        The parameters and covariates that decided the enumeration.
    loop, start
        As in the compiled game.
    units
        Where this is many games beside one another (`detente.game.panel`): for each covariate the
        value in each of them, float64 [u].
    """

    variables: tuple[Variable, ...]
    profiles: Ints
    skeletons: tuple[Skeleton, ...]
    skeleton_sets: tuple[Ints, ...]
    kept: tuple[int, ...]
    sets: tuple[Ints, ...]
    period_sets: tuple[int, ...]
    holds: Mapping[str, tuple[Bools, ...]]
    structural: frozenset[str]
    warnings: tuple[Diagnostic, ...]
    loop: Ints | None
    start: int
    units: Mapping[str, Floats] = Frozen()

    def levels(self, codes: Ints) -> dict[str, Ints]:
        """Level indexes of each variable, int64 [x], for state codes [x]."""
        return decode(self.variables, codes)

    def describe(self, code: int) -> str:
        """A state in words: `pressure 3, talks none`."""
        return describe(self.variables, code)


def product(starts: Sequence[Ints], counts: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Row by row the product of spans of numbers, the last span varying fastest.

    Span s of row r holds starts[s][r] … starts[s][r] + counts[s][r] - 1. Returns where each row's
    products begin, int64 [r + 1], and the products, int64 [n, s].
    """
    row = np.arange(counts[0].size)
    chosen: list[Ints] = []
    for start, count in zip(starts, counts, strict=True):
        times = count[row]
        again = np.repeat(np.arange(row.size), times)
        number = np.arange(again.size) - (np.cumsum(times) - times)[again]
        row = row[again]
        chosen = [*(numbers[again] for numbers in chosen), start[row] + number]
    return pointers(np.bincount(row, minlength=counts[0].size)), np.stack(chosen, axis=1)


def pointers(counts: Ints) -> Ints:
    """Where runs of these lengths begin, and the end of the last: int64 [n + 1]."""
    return np.concatenate([[0], np.cumsum(counts)])


def decode(variables: tuple[Variable, ...], codes: Ints) -> dict[str, Ints]:
    """Level indexes by variable, int64 [x]; the first variable varies slowest."""
    levels: dict[str, Ints] = {}
    for v in reversed(variables):
        codes, levels[v.key] = np.divmod(codes, v.size)
    return {v.key: levels[v.key] for v in variables}


def describe(variables: tuple[Variable, ...], code: int) -> str:
    """A state in words; see `Structure.describe`."""
    levels = decode(variables, np.array([code]))
    words = [f"{v.key} {v.label(int(levels[v.key][0]))}" for v in variables]
    return ", ".join(words) or "the only state"


def encode(variables: tuple[Variable, ...], levels: Mapping[str, Ints]) -> Ints:
    """State codes, int64 [x]: the inverse of `decode`. Without variables there is one, 0."""
    codes = np.zeros(1, dtype=np.int64)
    for v in variables:
        codes = codes * v.size + levels[v.key]
    return codes


class Observations(NamedTuple):
    """What can be told apart of transitions: those of one state that lead to one are the same.

    number
        int64 [l]: to which of them each transition belongs.
    state, succ
        int64 [k]: state row and successor of each.
    """

    number: Ints
    state: Ints
    succ: Ints


def told_apart(state: Ints, succ: NDArray[Any]) -> Observations:
    """Transitions by state row and successor, each int [l]."""
    pairs, number = np.unique(state * (int(succ.max()) + 1) + succ, return_inverse=True)
    return Observations(number, *np.divmod(pairs, int(succ.max()) + 1))
