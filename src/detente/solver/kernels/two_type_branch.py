"""Turns of one mover with two types: Newton's method where there is one solution, else the branch.

On lines that are not certain to have one solution (`two_type_unique`) the principal branch is
followed at all nodes of a block together, from the largest λ up to which they are certain to have
one, by Newton's method in steps along the tangent, which is ∂ℓ/∂λ = -J⁻¹ ∂R/∂λ. Steps become
shorter where the branch bends. Nodes at which it may turn are lost on the way, and followed further
one by one (`two_type_fold`).
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.elementary import exp
from detente.solver.kernels.jit import device
from detente.solver.kernels.stage import FAILED, FOLDED, SOLVED, UNCERTAIN
from detente.solver.kernels.two_type import (
    BLOCK,
    MAX_NEWTON,
    TOLERANCE,
    enter_block,
    log_odds,
    newton,
    settle,
)
from detente.solver.kernels.two_type_fold import HERE, TARGET, follow
from detente.solver.kernels.two_type_unique import find_unique, settle_ends

CORRECTIONS = 3  # Newton steps on the way
ROUGH = 1e-3  # residual on the way
BEND = (
    0.05  # of the branch in ℓ, from where its tangent points to: wider steps pass over narrow folds
)
UPRIGHT = 0.1  # of 1 + Σ v/d where det J > 0: nearer to 0 a branch is about to turn
FEWEST, SHORTEST = 6.0, 1.0 / 64.0  # steps on the way, and the length of the smallest
START = 1e-6  # share of λ at which the branch begins


@device
def solve_lines(layout, sweep, work, lines, count, play):
    """Strategies at all nodes of a state; gives how many are left.

    play
        float64 [(θ, a), b]: out; if sweep.warm also where Newton's method begins.
    """
    settle_ends(layout, work, lines, count, play)
    certain, uncertain = find_unique(layout, work, lines, count)
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
                share = 1.0
                for r in range(first, last):
                    share = min(share, lines.start[lines.nodes[r]])
                climb(shape, work, count, size, lines, share)
                for y in range(last - first):
                    lines.start[lines.nodes[first + y]] = lines.reached[y]
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
def climb(shape, work, count, n, lines, share):
    """Follow the principal branch at all nodes of a block, in steps along its tangent, from a
    `share` of λ at which there is one solution.

    A node is lost where the branch may turn or bends too fast for the smallest steps: where det J
    is not well above 0, where Newton's method does not converge, or where it moves ℓ by more than
    BEND from where the tangent points to.
    """
    lam, steps, jump = shape
    share, lost = max(share, START), lines.lost
    most = np.int64(MAX_NEWTON)
    newton((share * lam, steps, jump), work, count, n, lines, most, ROUGH * share)
    low, high = math.inf, -math.inf
    for y in range(n):
        lost[y] = max(lost[y], lines.unsolved[y])
    for a in range(count):
        for y in range(n):
            low = min(low, min(lines.q_0[a, y], lines.q_1[a, y]))
            high = max(high, max(lines.q_0[a, y], lines.q_1[a, y]))
    step = min(1.0 / FEWEST, share / max(high - low, 1e-300))
    find_tangent(share * lam, count, n, lines)
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
        farthest = judge(lam * (to - share), share, count, n, lines, step <= SHORTEST)
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
def judge(change, share, count, n, lines, final):
    """How far the nodes that are not lost were moved from where their tangents point to after a
    `change` of λ; inf where the branch may turn. If the try is `final` such nodes are lost, and
    taken back to where they were, at a `share` of λ."""
    moved, lost, falling = lines.size, lines.lost, lines.top_0
    for y in range(n):
        moved[y] = 0.0
        falling[y] = 0.0
    for a in range(count):
        ratio, last, tangent, inverse = (
            lines.ratio[a],
            lines.last[a],
            lines.tangent[a],
            lines.inverse[a],
        )
        for y in range(n):
            away = abs(ratio[y] - last[y] - change * tangent[y])
            moved[y] = moved[y] if away < moved[y] else away
            falling[y] += 1.0 if inverse[y] < 0.0 else 0.0
    farthest = 0.0
    for y in range(n):
        # The sign of det J. Where two of d are negative there may have been a fork.
        up = (1.0 - 2.0 * falling[y]) * lines.sum[y] > UPRIGHT and falling[y] < 2.0
        far = moved[y] if up and lines.unsolved[y] == 0.0 else math.inf
        if lost[y] == 0.0:
            if final and not far <= BEND:
                lost[y] = 1.0
                lines.reached[y] = share
                for a in range(count):
                    lines.ratio[a, y] = lines.last[a, y]
            else:
                farthest = max(farthest, far)
    return farthest


@device
def follow_left(layout, sweep, work, lines, count, play):
    """Follow the branch further, one by one, at nodes that `solve_lines` has left; gives how many
    still are."""
    lam, steps, jump, point, nodes = layout.lam[0], layout.steps[0], layout.jump[0], lines.point, 0
    left = 0
    for b in range(work.left.shape[0]):
        if work.left[b] != UNCERTAIN:
            left += work.left[b] != SOLVED
            continue
        rho, origin = layout.node[0, 0, b] / layout.node[0, 1, b], b - layout.place[0, b] * jump
        for a in range(count):
            point[HERE, a] = log_odds(play, count, a, b)
        method = follow((lam, steps, jump, rho, origin), work, count, point, lines.start[b])
        if method == FAILED:
            left += 1
            continue
        for a in range(count):
            play[a, b] = exp(min(-point[TARGET, a], 0.0))
            play[count + a, b] = exp(min(point[TARGET, a], 0.0))
        lines.nodes[nodes] = b
        lines.start[b] = 1.0 if method == FOLDED else 0.0
        nodes += 1
    most, how = np.int64(MAX_NEWTON), sweep.counts
    for first in range(0, nodes, BLOCK):
        last = min(first + BLOCK, nodes)
        size = enter_block(layout, lines, count, first, last, play, True)
        for y in range(last - first):
            lines.folded[y] = lines.start[lines.nodes[first + y]]
        newton((lam, steps, jump), work, count, size, lines, most, TOLERANCE)
        left += settle(layout, work, lines, count, first, last, play, False, how)
    return left
