"""The nodes of a layer that the certificate works out together.

Their movers may have unequally many actions. One that is not there stands for the last one that is,
wherever what actions lead to is asked for, and counts for nothing wherever they are added up.
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
class CheckedNodes:
    """Pairs (x, b) of a layer that are worked out together.

    x, b
        int64 [n].
    choices
        The most own actions of each mover at any of them.
    most
        The most transitions of an action at each of them, int64 [n]: they fall.
    """

    layer: Layer
    x: Ints
    b: Ints
    choices: tuple[int, ...]
    most: Ints

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
            row = np.arange(kind)[:, None, None] * count + self.own[m]
            play.append(sigma.take(at + nodes * row))
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

    def transitions(self, edge: Ints) -> Iterator[tuple[int, Ints, Bools]]:
        """The transitions of some joint actions, int64 [..., n], one of each after the other.

        Gives how many of the nodes may have one more, and for these [..., :n] its number and
        whether it is there.
        """
        first = self.layer.trans_ptr[edge]
        count = self.layer.trans_ptr[edge + 1] - first
        for k in range(int(self.most[0])):
            n = int(np.searchsorted(-self.most, -k))
            there = k < count[..., :n]
            yield n, first[..., :n] + k * there, there


def in_batches(layer: Layer, chosen: Ints, nodes: int, width: int) -> Iterator[CheckedNodes]:
    """Chosen pairs of a layer, numbered (x, b) with so many nodes b, and `width` components."""
    x, b = np.divmod(chosen, nodes)
    most = np.maximum.reduceat(np.diff(layer.trans_ptr), layer.action_ptr[:-1])[x]
    for choices, members in _alike(layer.choices[x], width):
        members = members[np.argsort(-most[members], kind="stable")]
        rows = max(1, BATCH // (prod(choices) * width))
        for begin in range(0, members.size, rows):
            some = members[begin : begin + rows]
            yield CheckedNodes(layer, x[some], b[some], choices, most[some])


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
