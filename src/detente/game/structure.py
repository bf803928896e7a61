"""What stays the same when payoffs and probabilities change: states, actions, transitions.

`Structure` is the enumeration; it holds where each number of the compiled game has to be
evaluated, so that new parameter values are filled in without enumerating anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detente.errors import Diagnostic
from detente.scenario.model import Action, Term, Variable

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """A layer without its numbers. Action position `len(actions)` is 'nobody moves'.

    actions
        The mover's actions, or the one chance event.
    edge_state, edge_action
        int64 [e]: state row and action position of each joint action.
    trans_state, trans_action, trans_alternative
        int64 [k]: state row, action position and alternative of each transition.
    succ
        int32 [k].
    breaks
        For each action position, the soft terms that it may break, with where they are in
        force: bool [x].
    """

    period: int
    turn: int
    event: str
    mover: int
    actions: tuple[Action, ...]
    edge_state: Ints
    edge_action: Ints
    trans_state: Ints
    trans_action: Ints
    trans_alternative: Ints
    succ: NDArray[np.int32]
    breaks: Mapping[int, tuple[tuple[Term, Bools], ...]]


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
        The parameters that decided the enumeration.
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

    def levels(self, codes: Ints) -> dict[str, Ints]:
        """Level indexes of each variable, int64 [x], for state codes [x]."""
        return decode(self.variables, codes)

    def describe(self, code: int) -> str:
        """A state in words: `pressure 3, talks none`."""
        return describe(self.variables, code)


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
