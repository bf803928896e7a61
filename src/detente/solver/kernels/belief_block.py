"""A block of the beliefs of a layer, gathered into rows and given back: all as runs of numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device, reassoc


class BeliefBlock(NamedTuple):
    """The beliefs o = first … last - 1 about those who do not move, with all about the mover.

    first, last
        Of o.
    node
        int64 [r]: b of each row, increasing.
    place
        int64 [y]: the row of (o, g), y = (o - first) (n + 1) + g.
    run
        int64 [runs + 1]: rows at which b jumps, and their number.
    """

    first: int
    last: int
    node: np.ndarray
    place: np.ndarray
    run: np.ndarray


@reassoc
def take(piece, source, target):
    """The rows [r, c] of a piece, from [b, c]; gives the sum of their sizes."""
    total, width = 0.0, target.shape[1]
    flat, rows = source.reshape(-1), target.reshape(-1)
    for n in range(piece.run.shape[0] - 1):
        to = piece.run[n] * width
        size = piece.run[n + 1] * width - to
        came, went = flat[piece.node[piece.run[n]] * width :], rows[to:]
        for r in range(size):
            went[r] = came[r]
            total += abs(came[r])
    return total


@device
def look_from(part, piece, e, next_values, target):
    """`turn.look_ahead` at the rows of a piece: float64 [r, c]."""
    width, beliefs, components = target.shape[1], next_values.shape[1], part.reward.shape[1]
    source, flat = next_values.reshape(-1), target.reshape(-1)
    target[:] = 0.0
    for r in range(target.shape[0]):
        for c in range(components):
            target[r, c] = part.reward[e, c]
    for k in range(part.trans_ptr[e], part.trans_ptr[e + 1]):
        chance, at = part.prob[k], part.succ[k] * beliefs
        for n in range(piece.run.shape[0] - 1):
            to = piece.run[n] * width
            size = piece.run[n + 1] * width - to
            came, went = source[(at + piece.node[piece.run[n]]) * width :], flat[to:]
            for r in range(size):
                went[r] += chance * came[r]


@device
def give(part, piece, e, back, next_values, following_gain, prob_gain, reward_gain):
    """What derivatives by the next values of e, [r, c], mean for all that these are made of."""
    width, beliefs, components = back.shape[1], next_values.shape[1], part.reward.shape[1]
    source, target, flat = next_values.reshape(-1), following_gain.reshape(-1), back.reshape(-1)
    for r in range(back.shape[0]):
        for c in range(components):
            reward_gain[e, c] += back[r, c]
    for k in range(part.trans_ptr[e], part.trans_ptr[e + 1]):
        chance, at, total = part.prob[k], part.succ[k] * beliefs, 0.0
        for n in range(piece.run.shape[0] - 1):
            came = piece.run[n] * width
            size = piece.run[n + 1] * width - came
            to = (at + piece.node[piece.run[n]]) * width
            total += add_scaled(chance, flat[came:], size, target[to:], source[to:])
        prob_gain[k] += total


@reassoc
def add_scaled(factor, back, size, target, source):
    """Add `factor` times `back` to `target`; gives the product of `back` and `source`."""
    total = 0.0
    for r in range(size):
        target[r] += factor * back[r]
        total += back[r] * source[r]
    return total
