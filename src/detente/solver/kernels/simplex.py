"""The stage problem of one informed mover with more than two types, at all beliefs together.

Unknown are ℓ(a, k) = log σ(a|k) - log σ(a|0), k = 1 … K - 1, which give the posteriors. As on a
line (`two_type`), with L(θ) = log Σ w exp(λ Q(·, θ)),

    R(a, k) = ℓ(a, k) - λ [Q(a, k) - Q(a, 0)] + L(k) - L(0) = 0.

An action's Q depends on how likely each type takes this action, and on no other's: the Jacobian has
a block D(a) = 1 - λ ∂[Q(a, k) - Q(a, 0)] / ∂ℓ(a, φ) for each action, and through L a part of rank
K - 1, with V(a) = λ [σ(a|k) ∂Q(a, k) - σ(a|0) ∂Q(a, 0)] / ∂ℓ(a, φ). So a Newton step solves

    (1 + Σ_a V(a) D(a)⁻¹) w = Σ_a V(a) D(a)⁻¹ R(a),    δℓ(a) = D(a)⁻¹ (R(a) - w),

systems of K - 1 numbers instead of one for all actions. It is taken where the stage problem is a
contraction (`contraction`), so that there is one solution, and everywhere where play that is near
one is known. What does not converge within a few steps, or is too unlikely for plain numbers, is
left to `general`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.contraction import is_contraction
from detente.solver.kernels.elementary import exp, log
from detente.solver.kernels.jit import device
from detente.solver.kernels.lottery import LEAST, BeliefLayout, Lottery, locate, make_lottery
from detente.solver.kernels.stage import CERTAIN, SOLVED, TRACED, UNCERTAIN, UNIQUE

MAX_NEWTON, MAX_WARM = 10, 6
TOLERANCE = 1e-12
FAINT = 1e-307  # of a probability: its logarithm must be a number
LONGEST = 600.0  # of ℓ: beyond it posteriors are not what plain numbers make of them


class Simplex(NamedTuple):
    """Scratch.

    ratio, q, sigma
        float64 [a, θ, b]: ℓ, λ Q, σ.
    rate, inverse, slope
        float64 [a, θ, φ, b], [a, k, φ, b], [a, k, φ, b]: λ ∂Q/∂ℓ; D(a)⁻¹; V(a) D(a)⁻¹.
    residual
        float64 [a, k, b].
    system, right
        float64 [k, φ, b], [k, b]: that of w.
    top, total
        float64 [θ, b]: of exp(λ Q).
    worst, value
        float64 [b].
    lottery
        With slopes.
    """

    ratio: np.ndarray
    q: np.ndarray
    sigma: np.ndarray
    rate: np.ndarray
    inverse: np.ndarray
    slope: np.ndarray
    residual: np.ndarray
    system: np.ndarray
    right: np.ndarray
    top: np.ndarray
    total: np.ndarray
    worst: np.ndarray
    value: np.ndarray
    lottery: Lottery


def make_simplex(layout: BeliefLayout, most: int) -> Simplex:
    """Scratch for up to `most` actions."""
    nodes, n_types = layout.outside.shape[1], int(layout.n_types[0])
    k = n_types - 1
    return Simplex(
        ratio=np.zeros((most, n_types, nodes)),
        q=np.zeros((most, n_types, nodes)),
        sigma=np.zeros((most, n_types, nodes)),
        rate=np.zeros((most, n_types, n_types, nodes)),
        inverse=np.zeros((most, k, k, nodes)),
        slope=np.zeros((most, k, k, nodes)),
        residual=np.zeros((most, k, nodes)),
        system=np.zeros((k, k, nodes)),
        right=np.zeros((k, nodes)),
        top=np.zeros((n_types, nodes)),
        total=np.zeros((n_types, nodes)),
        worst=np.zeros(nodes),
        value=np.zeros(nodes),
        lottery=make_lottery(layout, most, nodes, slopes=True),
    )


@device
def solve_simplex(layout, sweep, work, simplex, stage, count, play):
    """Strategies [(θ, a), b] at all nodes of a state; gives how many are left.

    If sweep.warm the method begins at `play` and is tried at all nodes; else at 0, where it leads
    to the only solution if it is certain that there is but one.
    """
    n_types, nodes, certain = layout.n_types[0], work.left.shape[0], 0
    stage.n_actions[0] = count
    for o in range(layout.base.shape[0]):
        is_certain = is_contraction(layout, stage, work.payoff, o)
        for g in range(layout.local.shape[0]):
            work.left[layout.base[o] + layout.local[g]] = CERTAIN if is_certain else UNCERTAIN
        certain += is_certain
    if certain == 0 and not sweep.warm:
        return nodes
    begin(simplex, count, play, sweep.warm)
    lam, most = layout.lam[0], MAX_WARM if sweep.warm else MAX_NEWTON
    for trial in range(most + 1):
        worst = respond(layout, work, simplex, lam, count, sweep.warm)
        if worst <= TOLERANCE or trial == most:
            break
        step(n_types - 1, simplex, count, nodes)
    left = 0
    for b in range(nodes):
        how = work.left[b]
        if not (simplex.worst[b] <= TOLERANCE and (sweep.warm or how == CERTAIN)):
            left += 1
            continue
        work.left[b] = SOLVED
        sweep.counts[UNIQUE if how == CERTAIN else TRACED] += 1
        for a in range(count):
            top, larger = 0.0, LEAST
            for theta in range(n_types):
                top = max(top, simplex.ratio[a, theta, b])
                larger = max(larger, simplex.sigma[a, theta, b])
            for theta in range(n_types):
                ratio = math.exp(simplex.ratio[a, theta, b] - top)
                play[theta * count + a, b] = larger * ratio
    return left


@device
def begin(simplex, count, play, warm):
    """ℓ to begin with: that of `play`, or 0."""
    simplex.ratio[:count] = 0.0
    for a in range(count if warm else 0):
        for theta in range(1, simplex.ratio.shape[1]):
            ratio, one, zero = simplex.ratio[a, theta], play[theta * count + a], play[a]
            for b in range(ratio.shape[0]):
                ratio[b] = log(max(one[b], FAINT)) - log(max(zero[b], FAINT))


@device
def respond(layout, work, simplex, lam, count, everywhere):
    """Everything at ℓ; gives the largest residual of nodes that are certain to have one solution,
    or of nodes everywhere, beyond its rounding error."""
    n_types, nodes, lottery = layout.n_types[0], work.left.shape[0], simplex.lottery
    value, worst = simplex.value, simplex.worst
    worst[:] = 0.0
    for a in range(count):
        for theta in range(n_types):
            share, node, ratio = (
                lottery.share[theta],
                layout.node[0, theta],
                simplex.ratio[a, theta],
            )
            for b in range(nodes):
                share[b] = node[b] * exp(ratio[b])
        locate(layout, 0, a, 0, nodes, lottery)
        for theta in range(n_types):
            q, source = simplex.q[a, theta], work.payoff[a, theta]
            simplex.q[a, theta, :] = 0.0
            simplex.rate[a, theta, :, :] = 0.0
            for v in range(n_types):
                vertex, weight = lottery.vertex[0, a, v], lottery.weight[0, a, v]
                for b in range(nodes):
                    value[b] = lam * source[np.uint64(b + vertex[b])]
                for b in range(nodes):
                    q[b] += weight[b] * value[b]
                for phi in range(1, n_types):
                    rate, slope = simplex.rate[a, theta, phi], lottery.slope[0, a, v, phi]
                    for b in range(nodes):
                        rate[b] += slope[b] * value[b]
    for theta in range(n_types):
        top, total = simplex.top[theta], simplex.total[theta]
        simplex.top[theta, :] = -math.inf
        simplex.total[theta, :] = 0.0
        for a in range(count):
            q = simplex.q[a, theta]
            for b in range(nodes):
                top[b] = max(top[b], q[b])
        for a in range(count):
            q, sigma, usual = simplex.q[a, theta], simplex.sigma[a, theta], work.reference[0, a]
            for b in range(nodes):
                sigma[b] = usual * exp(q[b] - top[b])
                total[b] += sigma[b]
        for a in range(count):
            sigma = simplex.sigma[a, theta]
            for b in range(nodes):
                sigma[b] /= total[b]
        for b in range(nodes):
            total[b] = log(total[b]) + top[b]
    for a in range(count):
        for k in range(1, n_types):
            ratio, q, zero = simplex.ratio[a, k], simplex.q[a, k], simplex.q[a, 0]
            residual = simplex.residual[a, k - 1]
            total, first = simplex.total[k], simplex.total[0]
            for b in range(nodes):
                residual[b] = ratio[b] - (q[b] - zero[b]) + (total[b] - first[b])
            for b in range(nodes):
                off = abs(residual[b]) - 1e-14 * max(abs(q[b]), abs(zero[b]))
                off = off if abs(ratio[b]) < LONGEST else math.inf
                worst[b] = max(worst[b], off if off < math.inf else math.inf)
    largest = 0.0
    for b in range(nodes):
        if (everywhere or work.left[b] == CERTAIN) and worst[b] < math.inf:
            largest = max(largest, worst[b])
    return largest


@device
def step(size, simplex, count, nodes):
    """A Newton step in ℓ, at all nodes."""
    system, right = simplex.system, simplex.right
    for k in range(size):
        system[k, :, :] = 0.0
        system[k, k, :] = 1.0
    right[:] = 0.0
    for a in range(count):
        inverse, slope, rate = simplex.inverse[a], simplex.slope[a], simplex.rate[a]
        for k in range(size):
            for phi in range(size):
                up, down, target = rate[k + 1, phi + 1], rate[0, phi + 1], inverse[k, phi]
                one = 1.0 if k == phi else 0.0
                for b in range(nodes):
                    target[b] = one - (up[b] - down[b])
        invert(inverse, size, nodes)
        for k in range(size):
            for phi in range(size):
                target, matrix = slope[k, phi], system[k, phi]
                slope[k, phi, :] = 0.0
                for psi in range(size):
                    up, down, other = rate[k + 1, psi + 1], rate[0, psi + 1], inverse[psi, phi]
                    more, less = simplex.sigma[a, k + 1], simplex.sigma[a, 0]
                    for b in range(nodes):
                        target[b] += (more[b] * up[b] - less[b] * down[b]) * other[b]
                residual, sum_ = simplex.residual[a, phi], right[k]
                for b in range(nodes):
                    matrix[b] += target[b]
                    sum_[b] += target[b] * residual[b]
    invert(system, size, nodes)
    for a in range(count):
        for phi in range(size):
            residual = simplex.residual[a, phi]
            for k in range(size):
                part, sum_ = system[phi, k], right[k]
                for b in range(nodes):
                    residual[b] -= part[b] * sum_[b]
        for k in range(size):
            ratio = simplex.ratio[a, k + 1]
            for phi in range(size):
                part, residual = simplex.inverse[a, k, phi], simplex.residual[a, phi]
                for b in range(nodes):
                    ratio[b] -= part[b] * residual[b]


@device
def invert(matrix, size, nodes):
    """Inverses of matrices [k, φ, b], by Gauss and Jordan's elimination in place."""
    for k in range(size):
        pivot = matrix[k, k]
        for b in range(nodes):
            pivot[b] = 1.0 / pivot[b]
        for c in range(size):
            if c != k:
                row = matrix[k, c]
                for b in range(nodes):
                    row[b] *= pivot[b]
        for r in range(size):
            if r != k:
                factor = matrix[r, k]
                for c in range(size):
                    if c != k:
                        target, row = matrix[r, c], matrix[k, c]
                        for b in range(nodes):
                            target[b] -= factor[b] * row[b]
                for b in range(nodes):
                    factor[b] *= -pivot[b]
