"""A test whether a stage problem is certain to have one solution at all precisions up to λ."""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.jit import device
from detente.solver.kernels.star import bend, is_put_in


@device
def is_contraction(layout, stage, payoff, o):
    """Whether y ↦ s λ [Q(a) - Q(0)] is certain to be a contraction for all s ≤ 1, at o.

    Then it has one fixed point, at every precision, and the principal branch leads there. With
    |dy| ≤ 1: Σ|dσ| ≤ 1, and by the covariance bound |Σ_θ g(θ) du(θ)| ≤ ¼ · range(g) · 4.
    """
    count, combined = stage.n_actions.shape[0], layout.types.shape[0]
    joint, base = 1, layout.base[o]
    for m in range(count):
        joint *= stage.n_actions[m]
    for m in range(count):
        low, high = math.inf, -math.inf
        for e in range(joint):
            for r in range(m * combined, (m + 1) * combined):
                row = payoff[e, r]
                for node in range(layout.local.shape[0]):
                    value = row[base + layout.local[node]]
                    low = min(low, value)
                    high = max(high, value)
        spread = (high - low) * (count - 1)
        for j in range(count):
            if layout.steps[j] == 0 or stage.n_actions[j] == 1:
                continue
            first, last = m * combined, (m + 1) * combined
            spread += 2.0 * bend(layout.star, layout, j, base, payoff[:joint], first, last)
            steepest = 0.0
            for theta in range(layout.n_types[j] - 1):
                for node in range(layout.local.shape[0]):
                    b = base + layout.local[node]
                    # A neighbour: one unit moved from a type to the next.
                    if layout.node[j, theta, b] == 0.0 or is_put_in(layout.star, layout, j, b):
                        continue
                    tail = 0.0
                    for phi in range(theta + 1, layout.n_types[j]):
                        tail += layout.node[j, phi, b]
                    rank, c = layout.rank[j, theta], np.int64(tail)
                    away = (rank[c + 1] - rank[c]) * layout.jump[j]
                    for e in range(joint):
                        for r in range(m * combined, (m + 1) * combined):
                            change = payoff[e, r, b + away] - payoff[e, r, b]
                            steepest = max(steepest, abs(change))
            spread += 2.0 * layout.steps[j] * (layout.n_types[j] - 1) * steepest
        if not layout.lam[m] * spread < 0.99:
            return False
    return True
