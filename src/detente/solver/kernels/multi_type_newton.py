"""The stage problem of one mover with more than two types, where it has one solution.

Unknown are z(a, θ) = λ Q(a, θ), with L(θ) = log Σ exp z(·, θ) and log σ = z - L. An action's Q
depends on how likely each type takes this action, and on no other's: with M(a) = 1 - λ ∂Q(a) /
∂ log σ(a|·), [θ, φ], and r = λ Q - z, a Newton step is

    Σ_a diag σ(a|·) M(a)⁻¹ (δL - r(a)) = 0,    δz(a) = δL + M(a)⁻¹ (r(a) - δL),

systems as large as there are types instead of one for all actions. Where the stage problem is a
contraction (`stage_problem.is_contraction`) the M(a) are diagonally dominant. What does not
converge within a few steps, or is too unlikely for plain numbers, is left to
`stage_problem.newton`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.elementary import exp
from detente.solver.kernels.jit import device
from detente.solver.kernels.stage import locate
from detente.solver.kernels.stage_problem import eliminate
from detente.solver.kernels.turn import LEAST

MAX_NEWTON = 10
TOLERANCE = 4e-13  # of z: log odds have twice this residual


class Many(NamedTuple):
    """Scratch.

    z, gap, share
        float64 [a, θ]: unknowns, which the next node begins from; r; posteriors.
    rise
        float64 [a, θ, φ]: what the posterior's weight on φ, taken from type 0, does to Q(a, θ).
    inverse
        float64 [a, θ, φ]: M(a)⁻¹.
    """

    z: np.ndarray
    gap: np.ndarray
    share: np.ndarray
    rise: np.ndarray
    inverse: np.ndarray


def make_many(count: int, n_types: int) -> Many:
    """Scratch for up to `count` actions."""
    return Many(
        np.zeros((count, n_types)),
        np.zeros((count, n_types)),
        np.zeros((count, n_types)),
        np.zeros((count, n_types, n_types)),
        np.zeros((count, n_types, n_types)),
    )


@device
def solve_node(movers, stage, many, payoff):
    """Whether the stage problem at the present node is solved; then strategies and the cells that
    they lead to are in the stage. `payoff` as in `stage_problem.evaluate`."""
    count = stage.n_actions[0]
    n_types = movers.n_types[0]
    stage.vertices[0] = n_types
    for _ in range(MAX_NEWTON):
        worst = respond(movers, stage, many, payoff, count, n_types)
        if worst <= 1.0:
            return True
        if not worst < np.inf:
            break
        invert(movers, many, count, n_types)
        step(stage, many, count, n_types)
    many.z[:] = 0.0
    return False


@device
def respond(movers, stage, many, payoff, count, n_types):
    """Strategies, posteriors and r; gives the largest |r| in units of what is tolerated."""
    z, gap, rise, play = many.z, many.gap, many.rise, stage.play
    lam, here, worst = movers.lam[0], stage.at[0], 0.0
    values, wide = payoff.reshape(-1), np.uint64(payoff.shape[3])
    for theta in range(n_types):
        top, total = z[0, theta], 0.0
        for a in range(1, count):
            top = max(top, z[a, theta])
        for a in range(count):
            play[theta * count + a] = exp(z[a, theta] - top)
            total += play[theta * count + a]
        for a in range(count):
            play[theta * count + a] /= total
    for a in range(count):
        total, likely = 0.0, 0.0
        for theta in range(n_types):
            stage.share[theta] = movers.node[0, here, theta] * play[theta * count + a]
            total += stage.share[theta]
            likely = max(likely, play[theta * count + a])
        if not total > LEAST or not likely > LEAST:
            return np.inf
        for theta in range(n_types):
            stage.share[theta] /= total
            many.share[a, theta] = stage.share[theta]
        locate(movers, stage, 0, a)
        for theta in range(n_types):
            at = np.uint64(a * payoff.shape[1] + stage.vertex[0, a, 0]) * wide + np.uint64(theta)
            before = values[at]
            value = before
            rise[a, theta, 0] = 0.0
            for v in range(n_types - 1):
                j = stage.order[v]
                to = np.uint64(a * payoff.shape[1] + stage.vertex[0, a, v + 1]) * wide
                after = values[to + np.uint64(theta)]
                rise[a, theta, j + 1] = after - before
                value += stage.part[j] * (after - before)
                before = after
            for phi in range(1, n_types):
                rise[a, theta, phi] += rise[a, theta, phi - 1]
            gap[a, theta] = lam * value - z[a, theta]
            size = TOLERANCE + 1e-14 * abs(z[a, theta])
            off = abs(gap[a, theta]) / size
            worst = max(worst, off) if off < np.inf else np.inf
    return worst


@device
def invert(movers, many, count, n_types):
    """M(a)⁻¹ of all actions, by Gauss and Jordan's elimination in place."""
    scale = movers.lam[0] * movers.steps[0]
    for a in range(count):
        matrix, rise, share = many.inverse[a], many.rise[a], many.share[a]
        for theta in range(n_types):
            mean = 0.0
            for phi in range(n_types):
                mean += share[phi] * rise[theta, phi]
            for phi in range(n_types):
                matrix[theta, phi] = scale * share[phi] * (mean - rise[theta, phi])
            matrix[theta, theta] += 1.0
        for k in range(n_types):
            pivot = 1.0 / matrix[k, k]
            matrix[k, k] = 1.0
            for c in range(n_types):
                matrix[k, c] *= pivot
            for r in range(n_types):
                if r != k:
                    factor = matrix[r, k]
                    matrix[r, k] = 0.0
                    for c in range(n_types):
                        matrix[r, c] -= factor * matrix[k, c]


@device
def step(stage, many, count, n_types):
    """A Newton step in z."""
    matrix, play = stage.matrix, stage.play
    z, gap, inverse = many.z, many.gap, many.inverse
    for theta in range(n_types):
        for phi in range(n_types + 1):
            matrix[theta, phi] = 0.0
        for a in range(count):
            chance = play[theta * count + a]
            for phi in range(n_types):
                part = chance * inverse[a, theta, phi]
                matrix[theta, phi] += part
                matrix[theta, n_types] += part * gap[a, phi]
    eliminate(matrix, n_types)
    for a in range(count):
        for theta in range(n_types):
            move = matrix[theta, n_types]
            for phi in range(n_types):
                move += inverse[a, theta, phi] * (gap[a, phi] - matrix[phi, n_types])
            z[a, theta] += move
