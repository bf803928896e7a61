"""The nodes around a belief, found apart from the solver's kernels: for the certificate.

Interpolation on Kuhn's triangulation is written as a mean over roundings: with cumulative
coordinates c, f(c) = ∫ f(floor(c + t)) dt over 0 ≤ t ≤ 1 (the Lovász extension on each cube). The
integrand changes only where t passes 1 - (c - floor(c)) of a coordinate, so that the vertices are
the roundings at these thresholds, and their weights the distances between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Floats, Ints
from detente.solver.beliefs import Simplex
from detente.solver.kuhn import Star

FEW_KEYS = 10**6
"""Keys of which a table is kept."""


@dataclass(frozen=True, slots=True)
class CellCorners:
    """Finds the nodes of a simplex around a point.

    radix
        int64 [j]: a node's key is Σ_j radix[j] c(j + 1), with c its cumulative coordinates.
    key, node
        int64 [k], int64 [k]: keys in ascending order, and which nodes they are of. Where there are
        few `node` has all keys, 0 where there is no node, and `key` is empty.
    star, tails
        The node put in, and the cumulative coordinates of its face's corners, int64 [j, s].
    """

    steps: int
    radix: Ints
    key: Ints
    node: Ints
    star: Star | None
    tails: Ints

    @classmethod
    def of(cls, simplex: Simplex) -> CellCorners:
        """That of a grid."""
        # A corner may have n + 1 as a coordinate, where its weight is 0.
        star, kinds, steps = simplex.star, simplex.node.shape[1], simplex.steps
        radix = (steps + 2) ** np.arange(kinds - 1)
        regular = simplex.node if star is None else simplex.node[:-1].astype(np.int64)
        tails = _tails(regular.T)
        key = np.asarray(radix @ tails)
        around = tails[:, [] if star is None else star.corner]
        if (steps + 2) ** (kinds - 1) > FEW_KEYS:
            order = np.argsort(key)
            return cls(steps, radix, key[order], order, star, around)
        node = np.zeros((steps + 2) ** (kinds - 1), dtype=np.int64)
        node[key] = np.arange(len(regular))
        return cls(steps, radix, np.zeros(0, dtype=np.int64), node, star, around)

    def _at(self, key: Ints) -> Ints:
        """The nodes with these keys; any where there is none."""
        if self.key.size:
            key = np.minimum(np.searchsorted(self.key, key), self.key.size - 1)
        return self.node[key]

    def around(self, u: Floats) -> tuple[Ints, Floats]:
        """Nodes and their weights, each of shape [v, ...], for u of shape [θ, ...]."""
        c = np.minimum(self.steps * _tails(u), self.steps)
        whole = np.floor(c)
        part = c - whole
        marks = part if len(part) == 1 else np.sort(part, axis=0)[::-1]
        lowest = self._key(whole.astype(np.int64))
        node = self._at(np.stack([lowest, *(lowest + self._key(part >= mark) for mark in marks)]))
        weight = np.concatenate([1.0 - marks[:1], marks])
        weight[1:-1] -= marks[1:]
        if self.star is None:
            return node, weight
        own = self._hat(c)
        put = [np.full(own.shape, at) for at in (self.star.node, *self.star.corner)]
        less = [-share * own for share in self.star.weight]
        return np.concatenate([node, np.stack(put)]), np.concatenate([weight, [own, *less]])

    def _key(self, c: NDArray[Any]) -> Ints:
        """The key of the node with these cumulative coordinates [j, ...]."""
        return np.asarray(sum(r * each for r, each in zip(self.radix, c, strict=True)))

    def _hat(self, c: Floats) -> Floats:
        """The weight of the node put in: the least of those of its face's corners v, which are
        1 + min(0, c - v) - max(0, c - v) where that is positive, over what it takes of them."""
        assert self.star is not None
        shares = []
        for v, weight in zip(self.tails.T, self.star.weight, strict=True):
            away = c - v.reshape(-1, *(1,) * (c.ndim - 1))
            hat = 1 + np.minimum(away.min(axis=0), 0) - np.maximum(away.max(axis=0), 0)
            shares.append(np.maximum(hat, 0) / weight)
        return np.asarray(np.min(shares, axis=0))


def _tails(u: NDArray[Any]) -> NDArray[Any]:
    """Σ_{θ > j} u(θ) for j = 0 … K - 2, of shape [j, ...] for u of shape [θ, ...]."""
    return u[1:] if len(u) == 2 else np.asarray(np.cumsum(u[:0:-1], axis=0)[::-1])
