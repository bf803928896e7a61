"""From derivatives by strategies to those by what strategies answer to: part of the adjoint.

Strategies solve the stage problem R(y, λ Q + log w) = 0, and what they do to a number follows from
the implicit function theorem: with g its derivative by y, Jᵀ μ = g, and μ takes the place of g for
λ Q + log w (Christianson 1994; Blondel et al. 2022). For one mover with one type or two the
Jacobian is that of `two_type`, diagonal plus rank one: all beliefs are done together.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.elementary import eliminate, log
from detente.solver.kernels.general import differentiate
from detente.solver.kernels.jit import device
from detente.solver.kernels.stage import control_cost


@device
def through_shocks(layout, tape, work, x, n_actions, play, slopes, reference):
    """What control costs (`stage.control_cost`) add to slopes.by, to derivatives by the precision
    and by reference behaviour. Of those by log σ what is in proportion to σ has no effect."""
    profiles, nodes, cost, gain = layout.profile.shape[0], play.shape[1], slopes.over, slopes.below
    row, joint = 0, 1
    for m in range(layout.actor.shape[0]):
        joint *= n_actions[m]
    for m in range(layout.actor.shape[0]):
        count, shock, block = n_actions[m], layout.shock[m], layout.actor[m] * profiles
        joint //= count
        total = 0.0
        for a in range(count):
            total += work.reference[m, a]
        for theta in range(layout.n_types[m] if shock > 0.0 and count > 1 else 0):
            first = row + theta * count
            gain[:] = 0.0
            for p in range(profiles):
                if layout.types[layout.profile[p], m] == theta:
                    source = tape.gain[x, block + p]
                    for b in range(nodes):
                        gain[b] += source[b]
            control_cost(layout, work.reference[m], m, count, play, first, cost)
            for b in range(nodes):
                tape.precision[m] += shock * gain[b] * cost[b]
            for a in range(count):
                share, chance, by = (
                    work.reference[m, a] / total,
                    play[first + a],
                    slopes.by[first + a],
                )
                for b in range(nodes):
                    by[b] -= shock * gain[b] * chance[b] * log(max(chance[b] / share, 1e-307))
                    reference[a * joint, m] += shock * gain[b] * (chance[b] - share)
        row += layout.n_types[m] * count


@device
def through_lines(layout, work, slopes, count, play, precision, reference):
    """slopes.by from derivatives by log σ to those by Q, for one mover with at most two types.

    With h(a, θ) = g(a, θ) - σ(a|θ) Σ g(·, θ), what is gained by λ Q directly, and k(a) what ℓ gives
    through ∂Q/∂ℓ: (diag(d) + v 1ᵀ) m = k, and m is what Q gives through ℓ.
    """
    lam, n_types, nodes, lottery = layout.lam[0], layout.n_types[0], play.shape[1], work.lottery
    total, over, below, by, rate = slopes.total, slopes.over, slopes.below, slopes.by, slopes.rate
    for theta in range(n_types):
        total[:] = 0.0
        for r in range(theta * count, (theta + 1) * count):
            for b in range(nodes):
                total[b] += by[r, b]
        for r in range(theta * count, (theta + 1) * count):
            for b in range(nodes):
                by[r, b] -= play[r, b] * total[b]
    moves = lottery.vertices[0] == 2
    if moves:
        over[:] = 0.0
        below[:] = 1.0
        for a in range(count):
            up = count + a
            for b in range(nodes):
                k_0 = np.uint64(b + lottery.vertex[0, a, 0, b])
                k_1 = np.uint64(b + lottery.vertex[0, a, 1, b])
                slope = lam * lottery.slope[0, a, 1, 1, b]
                low = slope * (work.payoff[a, 0, k_1] - work.payoff[a, 0, k_0])
                high = slope * (work.payoff[a, 1, k_1] - work.payoff[a, 1, k_0])
                d = 1.0 / (1.0 - (high - low))
                over[b] += (by[a, b] * low + by[up, b] * high) * d
                below[b] += (play[up, b] * high - play[a, b] * low) * d
                rate[a, b] = low
                rate[up, b] = high
        for b in range(nodes):
            total[b] = over[b] / below[b]
        for a in range(count):
            up = count + a
            for b in range(nodes):
                low, high = rate[a, b], rate[up, b]
                gain = by[a, b] * low + by[up, b] * high
                slope = play[up, b] * high - play[a, b] * low
                more = (gain - slope * total[b]) / (1.0 - (high - low))
                by[a, b] += play[a, b] * total[b] - more
                by[up, b] += more - play[up, b] * total[b]
    for a in range(count):
        for theta in range(n_types):
            r = theta * count + a
            for b in range(nodes):
                value = work.payoff[a, theta, b]
                if moves:
                    k_0 = np.uint64(b + lottery.vertex[0, a, 0, b])
                    k_1 = np.uint64(b + lottery.vertex[0, a, 1, b])
                    value = lottery.weight[0, a, 0, b] * work.payoff[a, theta, k_0]
                    value += lottery.weight[0, a, 1, b] * work.payoff[a, theta, k_1]
                precision[0] += by[r, b] * value
                reference[a, 0] += by[r, b]
                by[r, b] *= lam


@device
def through_stage(layout, stage, n_unknowns, by, b, precision, reference):
    """The same for any movers, at a node: through the stage problem's own Jacobian."""
    matrix = stage.matrix
    differentiate(layout, stage, 1.0, n_unknowns, matrix)
    for r in range(n_unknowns):
        for c in range(r):
            matrix[r, c], matrix[c, r] = matrix[c, r], matrix[r, c]
    for m in range(stage.n_actions.shape[0]):
        count = stage.n_actions[m]
        for theta in range(layout.n_types[m]):
            begin = stage.first[m] + theta * count
            total = 0.0
            for a in range(count):
                total += by[begin + a, b]
            for a in range(1, count):
                row = stage.unknown[m] + theta * (count - 1) + a - 1
                matrix[row, n_unknowns] = by[begin + a, b] - stage.play[begin + a] * total
    eliminate(matrix, n_unknowns, n_unknowns + 1)
    step = 1
    for m in range(stage.n_actions.shape[0] - 1, -1, -1):
        count = stage.n_actions[m]
        for theta in range(layout.n_types[m]):
            begin = stage.first[m] + theta * count
            by[begin, b] = 0.0
            for a in range(1, count):
                row = stage.unknown[m] + theta * (count - 1) + a - 1
                slope = matrix[row, n_unknowns]
                by[begin + a, b] = layout.lam[m] * slope
                by[begin, b] -= layout.lam[m] * slope
                reference[a * step, m] += slope
                reference[0, m] -= slope
                precision[m] += slope * (stage.value[begin + a] - stage.value[begin])
        step *= count
