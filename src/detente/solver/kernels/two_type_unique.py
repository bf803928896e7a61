"""Lines of beliefs at which the stage problem of one mover with two types has one solution.

Where d > 0 and 1 + Σ v/d > 0 at all posteriors (`two_type`), ℓ(a) is a decreasing function of the
difference of the two logarithms and that difference solves an equation with an increasing left
side: one solution, which is on the principal branch. Both are bounded over a line: at its λ, and
where that does not do at smaller ones, at which the branch is then known.
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.elementary import exp
from detente.solver.kernels.jit import device
from detente.solver.kernels.stage import SOLVED
from detente.solver.kernels.two_type import BLOCK

HALVINGS = 5  # of λ, to find a smaller one at which a line is certain to have one solution
MARGIN = 1e-3  # of the bounds that have to be above 0, against rounding


@device
def find_unique(layout, work, lines, count):
    """Sort the inner nodes into lines.nodes: first those of lines on which d > 0 and
    1 + Σ v/d > 0 are certain; gives how many they are, and how many all others."""
    lam, payoff, jump = layout.lam[0], work.payoff, layout.jump[0]
    least, low, high, spread = lines.least, lines.low, lines.high, lines.spread
    nodes = spread.shape[0]
    least[:] = 1.0
    low[:] = 0.0
    high[:] = 0.0
    for a in range(count):
        zero, one, next_0, next_1 = (
            payoff[a, 0],
            payoff[a, 1],
            payoff[a, 0][jump:],
            payoff[a, 1][jump:],
        )
        for b in range(nodes - jump):
            scale = lam * spread[b]
            rise_0 = scale * (next_0[b] - zero[b])
            rise_1 = scale * (next_1[b] - one[b])
            d = 1.0 - (rise_1 - rise_0)
            inverse = 1.0 / d
            least[b] = d if d < least[b] else least[b]
            rise_1 *= inverse
            rise_0 *= inverse
            low[b] = rise_1 if rise_1 < low[b] else low[b]
            high[b] = rise_0 if rise_0 > high[b] else high[b]
    certain, uncertain, inner = 0, 0, layout.local.shape[0] - 1
    for o in range(layout.base.shape[0]):
        worst, down, up = 1.0, 0.0, 0.0
        for g in range(inner):
            b = layout.base[o] + layout.local[g]
            worst = min(worst, least[b])
            down = min(down, low[b])
            up = max(up, high[b])
        if worst > MARGIN and 1.0 + down - up > MARGIN:
            for g in range(1, inner):
                lines.nodes[certain] = layout.base[o] + layout.local[g]
                certain += 1
        else:
            share = certain_share(layout, work, lines, count, o)
            for g in range(1, inner):
                uncertain += 1
                b = layout.base[o] + layout.local[g]
                lines.nodes[nodes - uncertain] = b
                lines.start[b] = share
    return certain, uncertain


@device
def certain_share(layout, work, lines, count, o):
    """A share of λ at which line o is certain to have one solution."""
    lam, jump, low, high = layout.lam[0], layout.jump[0], 0.0, 1.0
    for _ in range(HALVINGS):
        share = 0.5 * (low + high)
        worst, down, up = 1.0, 0.0, 0.0
        for a in range(count):
            zero, one = work.payoff[a, 0], work.payoff[a, 1]
            for g in range(layout.local.shape[0] - 1):
                b = np.uint64(layout.base[o] + layout.local[g])
                after = b + np.uint64(jump)
                scale = share * lam * lines.spread[b]
                rise_0 = scale * (zero[after] - zero[b])
                rise_1 = scale * (one[after] - one[b])
                d = 1.0 - (rise_1 - rise_0)
                worst = min(worst, d)
                down = min(down, rise_1 / d)
                up = max(up, rise_0 / d)
        if worst > MARGIN and 1.0 + down - up > MARGIN:
            low = share
        else:
            high = share
    return low


@device
def settle_ends(layout, work, lines, count, play):
    """The logit at the ends of all lines, by a node's own values; a block of nodes at a time."""
    lam, ends, span = layout.lam[0], 2 * layout.base.shape[0], layout.local[layout.steps[0]]
    top, total, place = lines.top_0, lines.total_0, lines.origin
    for first in range(0, ends, BLOCK):
        n = min(BLOCK, ends - first)
        for y in range(n):
            b = layout.base[(first + y) // 2] + (first + y) % 2 * span
            work.left[b] = SOLVED
            place[y] = b
        for theta in range(2):
            for y in range(n):
                top[y] = -math.inf
                total[y] = 0.0
            for a in range(count):
                value, payoff = lines.q_0[a], work.payoff[a, theta]
                for y in range(n):
                    value[y] = lam * payoff[np.uint64(np.int64(place[y]))]
                    top[y] = max(top[y], value[y])
            for a in range(count):
                value, usual = lines.q_0[a], work.reference[0, a]
                for y in range(n):
                    value[y] = usual * exp(value[y] - top[y])
                    total[y] += value[y]
            for a in range(count):
                value, chance = lines.q_0[a], play[theta * count + a]
                for y in range(n):
                    chance[np.uint64(np.int64(place[y]))] = value[y] / total[y]
