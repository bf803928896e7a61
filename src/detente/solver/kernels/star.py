"""Lotteries on a regular grid with the prior put in as one node more: see `detente.solver.kuhn`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device


class StarLayout(NamedTuple):
    """The nodes put into the grids of the movers of a turn.

    corners, node
        int64 [m], int64 [m]: corners of the face on which it lies, 0 where a mover's grid has none;
        its position.
    corner, weight
        int64 [m, s], float64 [m, s]: see `detente.solver.kuhn.Star`.
    """

    corners: np.ndarray
    node: np.ndarray
    corner: np.ndarray
    weight: np.ndarray


@device
def subdivide(star, layout, m, a, first, nodes, lottery):
    """Put the node into the cells, where they are around it, of the lottery of own action a.

    Where no mover has one there is no `star`, and Numba leaves out what follows.
    """
    if star is None:
        return
    vertex, weight, order = lottery.vertex[m, a], lottery.weight[m, a], lottery.order
    jump, count, n_types = layout.jump[m], star.corners[m], layout.n_types[m]
    for y in range(nodes if count > 0 else 0):
        here, found, least, replaced = layout.place[m, first + y], 0, math.inf, 0
        for v in range(n_types):  # both are in ascending order
            if found < count and vertex[v, y] == (star.corner[m, found] - here) * jump:
                share = weight[v, y] / star.weight[m, found]
                if share < least:
                    least, replaced = share, found
                order[found, y] = v
                found += 1
        if found < count or least == math.inf:
            continue
        out, whole = order[replaced, y], star.weight[m, replaced]
        for s in range(count):
            if s != replaced:
                weight[order[s, y], y] -= least * star.weight[m, s]
        vertex[out, y], weight[out, y] = (star.node[m] - here) * jump, least
        if lottery.slope.shape[2] > 0:
            slope = lottery.slope[m, a]
            for phi in range(n_types):
                change = slope[out, phi, y] / whole
                slope[out, phi, y] = change
                for s in range(count):
                    if s != replaced:
                        slope[order[s, y], phi, y] -= change * star.weight[m, s]


@device
def bend(star, layout, j, base, payoff, first, last):
    """By how much more the slopes of rows first … last - 1 of payoff [e, r, b] may differ between
    types in the cells around mover j's node put in than in whole ones.

    What it adds to the values of a whole cell goes up to it from one of the cell's sides.
    """
    if star is None:
        return 0.0
    smallest, most = 1.0, 0.0
    for s in range(star.corners[j]):
        smallest = min(smallest, star.weight[j, s])
    for node in range(layout.local.shape[0] if star.corners[j] > 0 else 0):
        b = base + layout.local[node]
        if layout.place[j, b] == star.node[j]:
            for e in range(payoff.shape[0]):
                for r in range(first, last):
                    added = payoff[e, r, b]
                    for s in range(star.corners[j]):
                        away = (star.corner[j, s] - star.node[j]) * layout.jump[j]
                        added -= star.weight[j, s] * payoff[e, r, b + away]
                    most = max(most, abs(added))
    return layout.steps[j] * most / smallest


@device
def is_put_in(star, layout, j, b):
    """Whether the node of mover j's grid at b is the one put in."""
    if star is None:
        return False
    return star.corners[j] > 0 and layout.place[j, b] == star.node[j]
