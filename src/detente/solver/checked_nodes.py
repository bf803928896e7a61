"""The nodes of a layer that the certificate works out together.

Their movers may have unequally many actions. One that is not there stands for the last one that is
where numbers are looked up, and counts for nothing where they are added up; what would follow it is
not worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from detente.dtypes import Bools, Floats, Ints
from detente.game.arrays import Layer

BATCH = 2**19
"""Numbers in the largest temporary array: 4 MiB stay in a processor's cache."""

FEW = BATCH // 4
"""Numbers up to which to work with actions that are not there takes less time than one more
batch."""


@dataclass(frozen=True, eq=False)
class Ways:
    """The transitions of some joint actions: the first one of each, then the second of each that
    has one, and so on. The joint actions are in such an order that those with more come first.

    action
        int64 [q]: which joint actions, of those that were given.
    counts
        How many have a first transition, a second one, and so on.
    of, trans
        int64 [w]: of which joint action q a transition is, and its number in the layer.
    """

    action: Ints
    counts: list[int]
    of: Ints
    trans: Ints

    @classmethod
    def after(cls, layer: Layer, edge: Ints, some: Ints) -> Ways:
        """Those of `some` of the joint actions `edge`."""
        first = layer.trans_ptr[edge[some]]
        count = layer.trans_ptr[edge[some] + 1] - first
        order = np.argsort(-count, kind="stable")
        counts = np.searchsorted(-count[order], -np.arange(count.max()))
        before = np.repeat(np.arange(counts.size), counts)
        of = np.arange(before.size) - (np.cumsum(counts) - counts)[before]
        return cls(some[order], counts.tolist(), of, first[order][of] + before)

    def add(self, begin: int, numbers: Floats, total: Floats) -> None:
        """Add numbers [w, c] of transitions from `begin` on to those of their actions, [q, c]."""
        end = len(numbers)
        for count in self.counts:  # of which joint actions are 0 … count - 1
            first, last = max(0, begin), min(count, begin + end)
            if first < last:
                total[first:last] += numbers[first - begin : last - begin]
            begin -= count


@dataclass(frozen=True, eq=False)
class CheckedNodes:
    """Pairs (x, b) of a layer that are worked out together.

    x, b
        int64 [n].
    choices
        The most own actions of each mover at any of them.
    """

    layer: Layer
    x: Ints
    b: Ints
    choices: tuple[int, ...]

    @cached_property
    def own(self) -> tuple[Ints, ...]:
        """Of each mover's own actions those that are there, or stand for them: int64 [a, n]."""
        counts = self.layer.choices[self.x].T
        each = zip(self.choices, counts, strict=True)
        return tuple(np.minimum(np.arange(most)[:, None], count - 1) for most, count in each)

    @cached_property
    def there(self) -> tuple[Bools | None, ...]:
        """Where each mover's own actions are, bool [a, n]; None where they are everywhere."""
        counts = self.layer.choices[self.x].T
        return tuple(
            None if (count == most).all() else np.arange(most)[:, None] < count
            for most, count in zip(self.choices, counts, strict=True)
        )

    @cached_property
    def edge(self) -> Ints:
        """The joint actions of each node, int64 [a of each mover, n]."""
        edge, apart = self.layer.action_ptr[self.x], 1
        for m in reversed(range(len(self.choices))):
            shape = (-1, *(1,) * (len(self.choices) - 1 - m), self.x.size)
            edge = edge + apart * self.own[m].reshape(shape)
            apart = apart * self.layer.choices[self.x, m]
        return edge

    def play(self, sigma: Floats, kinds: Sequence[int], nodes: int) -> list[Floats]:
        """Each mover's strategy, float64 [θ, a, n], from flat ones at so many `nodes`."""
        layer, play = self.layer, []
        sizes = layer.choices @ np.array(kinds, dtype=np.int64)
        at = nodes * (np.cumsum(sizes) - sizes)[self.x] + self.b
        for m, kind in enumerate(kinds):
            count = layer.choices[self.x, m]
            first = at + nodes * self.own[m]
            play.append(sigma.take(first + np.arange(kind)[:, None, None] * (nodes * count)))
            at = at + nodes * kind * count
        return play

    def counted(self, m: int, numbers: Floats) -> Floats:
        """Those [..., a, n] of a mover's own actions, with 0 for one that is not there."""
        there = self.there[m]
        return numbers if there is None else numbers * there

    def reference(self, m: int) -> Floats:
        """Reference behaviour of a mover, adding up to 1: float64 [a, n]."""
        alone = tuple(slice(None) if j == m else 0 for j in range(len(self.choices)))
        weight = self.counted(m, self.layer.reference[self.edge[alone], m])
        return np.asarray(weight / weight.sum(axis=0))

    @cached_property
    def ways(self) -> Ways:
        """All ways that play can go from there."""
        there = np.ones(self.edge.shape, dtype=np.bool_)
        for m, own in enumerate(self.there):
            if own is not None:
                there &= own.reshape(self.shape(m))
        return Ways.after(self.layer, self.edge.reshape(-1), np.flatnonzero(there))

    def shape(self, m: int) -> tuple[int, ...]:
        """That of [a of each mover, n] in which numbers [a, n] of one mover's actions stand."""
        return *(c if j == m else 1 for j, c in enumerate(self.choices)), self.x.size


def in_batches(layer: Layer, chosen: Ints, nodes: int, width: int) -> Iterator[CheckedNodes]:
    """Chosen pairs of a layer, numbered (x, b) with so many nodes b, and `width` components."""
    x, b = np.divmod(chosen, nodes)
    for choices, members in _alike(layer.choices[x], width):
        rows = max(1, BATCH // (prod(choices) * width))
        for begin in range(0, members.size, rows):
            some = members[begin : begin + rows]
            yield CheckedNodes(layer, x[some], b[some], choices)


def _alike(counts: Ints, width: int) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """Which nodes are worked out with the same number of actions of each mover, from how many of
    them there are, int64 [n, m]: all, where they are few, or those that have equally many."""
    most = counts.max(axis=0)
    if prod(most.tolist()) * width * len(counts) <= FEW or (counts == most).all():
        yield tuple(most.tolist()), np.arange(len(counts))
        return
    code = counts @ np.cumprod(np.append(1, most + 1))[:-1]
    for first in np.unique(code, return_index=True)[1]:
        yield tuple(counts[first].tolist()), np.flatnonzero(code == code[first])
