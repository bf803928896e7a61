"""Turns of one mover with two types: Newton's method where there is one solution, else the branch.

On lines that are not certain to have one solution (`two_type`) the principal branch is followed
from λ = 0 at all nodes of a block together, by Newton's method in steps along the tangent, which is
∂ℓ/∂λ = -J⁻¹ ∂R/∂λ. Steps become shorter where the branch bends. Nodes at which it may turn are
left to `homotopy`, one by one.
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.jit import device
from detente.solver.kernels.stage import UNCERTAIN
from detente.solver.kernels.two_type import (
    BLOCK,
    MARGIN,
    MAX_NEWTON,
    TOLERANCE,
    enter_block,
    find_unique,
    newton,
    settle,
)

CORRECTIONS = 3  # Newton steps on the way
ROUGH = 1e-3  # residual on the way
BEND = (
    0.1  # of the branch in ℓ, from where its tangent points to: wider steps pass over narrow folds
)
FEWEST, SHORTEST = 6.0, 1.0 / 256.0  # steps on the way, and the length of the smallest
START = 1e-6  # share of λ at which the branch begins


@device
def solve_lines(layout, sweep, work, lines, count, play):
    """Strategies at all nodes of a state; gives how many are left.

    play
        float64 [(θ, a), b]: out; if sweep.warm also where Newton's method begins.
    """
    certain, uncertain = find_unique(layout, work, lines, count, play)
    left, nodes = 0, lines.nodes.shape[0]
    for part in range(2):
        begin, end = (0, certain) if part == 0 else (nodes - uncertain, nodes)
        if part == 1 and sweep.starts.shape[1] > 0:  # any solution is wanted, found one by one
            for r in range(begin, end):
                work.left[lines.nodes[r]] = UNCERTAIN
            return left + end - begin
        blocks = (end - begin + BLOCK - 1) // BLOCK
        for k in range(blocks):
            first = begin + k * (end - begin) // blocks
            last = begin + (k + 1) * (end - begin) // blocks
            size = enter_block(layout, lines, count, first, last, play, sweep.warm and part == 0)
            shape = layout.lam[0], layout.steps[0], layout.jump[0]
            if part == 0:
                most = np.int64(MAX_NEWTON)  # as a literal all would be compiled anew
                newton(shape, work, count, size, lines, most, TOLERANCE)
            else:
                climb(shape, work, count, size, lines)
            left += settle(layout, work, lines, count, first, last, play, part == 0, sweep.counts)
    return left


@device
def find_tangent(lam, count, n, lines):
    """∂ℓ/∂λ at the last evaluation, of precision `lam`."""
    mean, weighted, total = lines.shift, lines.weighted, lines.sum
    for y in range(n):
        mean[y] = 0.0
        weighted[y] = 0.0
    for a in range(count):
        q_0, q_1, s_0, s_1 = lines.q_0[a], lines.q_1[a], lines.s_0[a], lines.s_1[a]
        slope = lines.slope[a]
        for y in range(n):
            mean[y] += s_1[y] * q_1[y] - s_0[y] * q_0[y]
            weighted[y] += slope[y] * (q_1[y] - q_0[y])
    for y in range(n):
        weighted[y] = mean[y] + (weighted[y] - (total[y] - 1.0) * mean[y]) / total[y]
    for a in range(count):
        q_0, q_1, inverse, tangent = lines.q_0[a], lines.q_1[a], lines.inverse[a], lines.tangent[a]
        for y in range(n):
            tangent[y] = (q_1[y] - q_0[y] - weighted[y]) * inverse[y] / lam


@device
def climb(shape, work, count, n, lines):
    """Follow the principal branch from λ = 0 at all nodes of a block, in steps along its tangent.

    A node is lost, and left to `homotopy`, where the branch may turn or bend too fast for the
    smallest steps: where d or 1 + Σ v/d is not positive, where Newton's method does not converge,
    or where it moves ℓ by more than BEND from where the tangent points to.
    """
    lam, steps, jump = shape
    most, start = np.int64(CORRECTIONS), START * lam
    newton((start, steps, jump), work, count, n, lines, most, TOLERANCE)
    low, high = math.inf, -math.inf
    for a in range(count):
        for y in range(n):
            low = min(low, min(lines.q_0[a, y], lines.q_1[a, y]))
            high = max(high, max(lines.q_0[a, y], lines.q_1[a, y]))
    step = min(1.0 / FEWEST, START / max(high - low, 1e-300))
    find_tangent(start, count, n, lines)
    share, lost = START, lines.lost
    while share < 1.0:
        to = min(share + step, 1.0)
        for a in range(count):
            ratio, last, tangent = lines.ratio[a], lines.last[a], lines.tangent[a]
            change = lam * (to - share)
            for y in range(n):
                last[y] = ratio[y]
                ratio[y] += tangent[y] * (change if lost[y] == 0.0 else 0.0)
        close = ROUGH if to < 1.0 else TOLERANCE
        most = np.int64(CORRECTIONS if to < 1.0 else MAX_NEWTON)
        newton((to * lam, steps, jump), work, count, n, lines, most, close)
        farthest = judge(lam * (to - share), count, n, lines, step <= SHORTEST)
        if farthest > BEND and step > SHORTEST:
            for a in range(count):
                ratio, last = lines.ratio[a], lines.last[a]
                for y in range(n):
                    ratio[y] = last[y]
            step = max(0.5 * step, SHORTEST)
            continue
        find_tangent(to * lam, count, n, lines)
        share = to
        step *= 2.0 if farthest < 0.1 * BEND else 1.3 if farthest < 0.5 * BEND else 1.0


@device
def judge(change, count, n, lines, final):
    """How far the nodes that are not lost were moved from where their tangents point to after a
    `change` of λ; inf where the branch may turn. Such nodes are lost if the try is `final`."""
    moved, lost = lines.size, lines.lost
    for y in range(n):
        moved[y] = math.inf if lines.unsolved[y] > 0.0 or not lines.sum[y] > MARGIN else 0.0
    for a in range(count):
        ratio, last, tangent, inverse = (
            lines.ratio[a],
            lines.last[a],
            lines.tangent[a],
            lines.inverse[a],
        )
        for y in range(n):
            away = abs(ratio[y] - last[y] - change * tangent[y])
            away = away if 0.0 < inverse[y] < 1.0 / MARGIN else math.inf
            moved[y] = moved[y] if away < moved[y] else away
    farthest = 0.0
    for y in range(n):
        if lost[y] == 0.0:
            if final and not moved[y] <= BEND:
                lost[y] = 1.0
            else:
                farthest = max(farthest, moved[y])
    return farthest
