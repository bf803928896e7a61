"""The cells around a point of a simplex, on a regular grid with or without a node put in.

Kuhn's triangulation (see `detente.solver.beliefs`), and its stellar subdivision at one point more:
a cell that has all corners of the smallest face on which the point lies is divided into as many as
the face has corners, each of them replaced by the point in its turn. With w(s) a belief's weights
in the whole cell and p(s) the point's, the corner s to be replaced is that of the least ratio
w(s) / p(s), which is the point's weight; w(s) less that times p(s) are those of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from detente.dtypes import Floats, Ints


@dataclass(frozen=True, eq=False)
class Star:
    """A node put in.

    corner, weight
        int64 [s], float64 [s]: the corners of the smallest face on which it lies, in ascending
        order, and the weights that make it of them.
    node
        Its own position: the last one.
    """

    corner: Ints
    weight: Floats
    node: int


def kuhn_cells(rank: Ints, steps: int, u: Ints | Floats) -> tuple[Ints, Floats]:
    """The corners of the cells of u, float64 [h, θ] in proportion, and their weights, both [h, K];
    a corner that does not count has weight 0. See `Simplex` for `rank`.

    From the lower corner of the cumulative coordinates c(j) one goes up in one of them after the
    other, the one with the largest fractional part first.
    """
    u = u.T  # one coordinate after the other: reductions then go over few long rows
    kinds = len(u)
    tails = np.stack(list(accumulate(u[:0:-1]))[::-1])
    c = np.minimum(tails * (steps / u.sum(axis=0)), steps)
    lower = np.floor(c)
    part = c - lower
    fraction = np.concatenate([np.ones_like(u[:1]), np.sort(part, axis=0)[::-1]])
    weight = fraction - np.concatenate([fraction[1:], np.zeros_like(u[:1])])
    # Among equals the first coordinate goes up first.
    before = np.tri(kinds - 1, k=-1, dtype=bool)[:, :, None]
    place = np.where(before, part >= part[:, None], part > part[:, None]).sum(axis=1)
    up = place < np.arange(kinds)[:, None, None]
    up &= weight[:, None] > 0  # the others may lie outside the simplex
    corner = (lower + up).astype(np.int64)
    return rank[np.arange(kinds - 1)[:, None], corner].sum(axis=1).T, weight.T


def make_star(rank: Ints, steps: int, u: Ints | Floats, node: int) -> Star:
    """That of a point, float64 [θ] in proportion."""
    (corner,), (weight,) = kuhn_cells(rank, steps, u[None])
    known = np.flatnonzero(weight > 0)
    return Star(corner[known], weight[known], node)


def subdivided(star: Star, corner: Ints, weight: Floats) -> tuple[Ints, Floats]:
    """The same with the node put in, from what `kuhn_cells` gives."""
    match = (corner[:, :, None] == star.corner) & (weight > 0)[:, :, None]
    inside = match.any(axis=1).all(axis=1)
    rows, place = np.flatnonzero(inside), match[inside].argmax(axis=1)
    share = np.take_along_axis(weight[inside], place, axis=1) / star.weight
    least, own = share.argmin(axis=1), share.min(axis=1)
    corner, weight = corner.copy(), weight.copy()
    weight[rows[:, None], place] -= own[:, None] * star.weight
    replaced = place[np.arange(rows.size), least]
    corner[rows, replaced], weight[rows, replaced] = star.node, own
    return corner, np.maximum(weight, 0.0)
