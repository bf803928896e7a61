"""What of a history counts for an outcome that lasts, or that comes before another: an automaton.

An outcome is tested at the start and after each turn. A plain one has come about once its condition
has held. One with `lasting` k has when the condition held at the ends of k periods in a row and at
all tests between; one with `before` when it comes about before the other has (not at the same
test). None of this is in the state of the game, nor need it be: nobody's play depends on it. So a
finite automaton reads the tests beside the game, and probability is counted by its states.

Its states are tuples: for each outcome it follows the number of periods in a row (up to k), whether
the outcome is open, has been or can no longer be, and the same for the other outcome of an order.
Those that can be reached are numbered in the order in which they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from detente.dtypes import Bools, Ints
from detente.scenario.rules import Outcome

OPEN, BEEN, LOST = range(3)


class Rule(NamedTuple):
    """What an automaton knows of an outcome: see `Outcome`."""

    lasting: int
    before: str


class Progress(NamedTuple):
    """How far an outcome is: periods in a row, what became of it, and of the one it precedes."""

    run: int = 0
    status: int = OPEN
    other: Progress | None = None


@dataclass(frozen=True, eq=False)
class Automaton:
    """The automaton of an outcome, along with those on whose having been is conditioned.

    reads
        The outcomes whose conditions it reads. A letter is a number: bit j says whether the
        condition of the j-th holds, the bit above these whether a period ends.
    step
        int64 [q, letter]: the state that follows.
    been, given
        bool [q]: whether the outcome has been, and whether all have that are conditioned on.
    ready
        The one state of `given` in which the outcome holds wherever its condition does; -1 where
        there is none.
    """

    reads: tuple[str, ...]
    step: Ints
    been: Bools
    given: Bools
    ready: int

    @cached_property
    def reached(self) -> Bools:
        """Whether some state leads to one when a letter is read, bool [letter, q]."""
        reached = np.zeros(self.step.T.shape, dtype=np.bool_)
        reached[np.arange(len(reached))[:, None], self.step.T] = True
        return reached

    @cached_property
    def kept(self) -> Ints:
        """The states whose mass is carried: all but one that is `ready` for good.

        What is there is what all others leave.
        """
        states = np.arange(len(self.step), dtype=np.int64)
        carried: Ints = states[(states != self.ready) | (self.step[self.ready] != self.ready).any()]
        return carried

    def letters(self, holds: Mapping[str, tuple[Bools, ...]], n: int, end: bool) -> Ints:
        """What is read before layer n, at the end of a period or not: int64 [x]."""
        letters: Ints = np.full(holds[self.reads[0]][n].shape, end << len(self.reads))
        for bit, key in enumerate(self.reads):
            letters += holds[key][n].astype(np.int64) << bit
        return letters


def automaton(outcomes: Mapping[str, Outcome], key: str, given: tuple[str, ...] = ()) -> Automaton:
    """The automaton of an outcome `key`, '' for none, and of those conditioned on."""
    rules = ((name, Rule(outcome.lasting, outcome.before)) for name, outcome in outcomes.items())
    return _automaton(tuple(rules), key, given)


@lru_cache(maxsize=128)  # for each solve and each pass they are asked for again
def _automaton(rules: tuple[tuple[str, Rule], ...], key: str, given: tuple[str, ...]) -> Automaton:
    outcomes = dict(rules)
    followed = (*((key,) if key else ()), *given)
    reads = tuple(dict.fromkeys(name for o in followed for name in (o, outcomes[o].before) if name))
    blank = tuple(_blank(outcomes, name) for name in followed)
    letters = list(product((False, True), repeat=len(reads) + 1))  # the first bit varies slowest

    def after(memory: tuple[Progress, ...], letter: tuple[bool, ...]) -> tuple[Progress, ...]:
        end, *bits = letter
        holds = dict(zip(reads, reversed(bits), strict=True))
        return tuple(
            _advance(outcomes, name, progress, holds, end, passing=name in given and name != key)
            for name, progress in zip(followed, memory, strict=True)
        )

    # State 0 is before the start, which is read like all other tests but ends no period.
    states = {blank: 0}
    rows: list[list[int]] = []
    for memory in (queue := [blank]):
        row = []
        for letter in letters:
            following = after(memory, letter)
            if following not in states:
                states[following] = len(states)
                queue.append(following)
            row.append(states[following])
        rows.append(row)
    been = np.array([not key or memory[0].status == BEEN for memory in states])
    ready = np.array([not key or memory[0].run == outcomes[key].lasting for memory in states])
    conditions = slice(1 if key else 0, None)
    met = np.array([all(one.status == BEEN for one in memory[conditions]) for memory in states])
    full = [*np.flatnonzero(been & ready & met), -1]
    return Automaton(reads, np.array(rows), been, met, int(full[0]))


def _blank(outcomes: Mapping[str, Rule], key: str) -> Progress:
    other = outcomes[key].before
    return Progress(other=_blank(outcomes, other) if other else None)


def _advance(
    outcomes: Mapping[str, Rule],
    key: str,
    progress: Progress,
    holds: Mapping[str, bool],
    end: bool,
    *,
    passing: bool,
) -> Progress:
    """How far it is after one more test; of one `passing` only whether it has been counts."""
    outcome = outcomes[key]
    run, status, other = progress
    run = min(run + end, outcome.lasting) if holds[key] else 0
    if status == OPEN:
        if other is not None:
            other = _advance(outcomes, outcome.before, other, holds, end, passing=True)
        if other is not None and other.status == BEEN:
            status = LOST
        elif holds[key] and run == outcome.lasting:
            status = BEEN
    if status == LOST or (status == BEEN and passing):
        run = 0
    return Progress(run, status, None if status != OPEN else other)
