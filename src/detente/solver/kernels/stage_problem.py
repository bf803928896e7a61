"""The stage problem of one turn at one state and belief: any movers at once, any types.

Type θ of mover m chooses own action a with probability σ(a|θ) ∝ exp(λ Q(a, θ)); Q is expected
over the other movers' choices, over the others' types under the belief, and evaluated at the
beliefs to which the joint action leads by Bayes' rule. Unknown are the log odds
y(m, θ, a) = log σ(a|θ) - log σ(0|θ), a ≥ 1, and the equation at precision s λ is

    R = y - s λ [Q(a, θ) - Q(0, θ)] = 0.

Next values are linear in each cell of the belief grid, so that R is smooth but for kinks where a
posterior crosses from one cell to the next. Index letters as in `stage`.
"""

from __future__ import annotations

import math

from detente.solver.kernels.jit import device, inline
from detente.solver.kernels.stage import advance, choose, update_beliefs

MAX_NEWTON = 40
FINE = 1e-10  # residual below which Newton's method rests where rounding may be larger still


@inline
def evaluate(movers, stage, payoff):
    """Q and its derivatives `cross` by log σ; `choose` and `update_beliefs` come before.

    payoff
        float64 [e, l, m, q]: mover m's expected payoff after joint action e at posterior l, given
        the movers' types q, over all other actors' types.
    """
    count, profiles = movers.n_types.shape[0], movers.types.shape[0]
    size = 0
    joint = 1
    for m in range(count):
        size += movers.n_types[m] * stage.n_actions[m]
        joint *= stage.n_actions[m]
    for r in range(size):
        stage.value[r] = 0.0
        for c in range(size):
            stage.cross[r, c] = 0.0
    digit = stage.digit
    for e in range(joint):
        own = stage.own[e]
        combinations = 1
        for m in range(count):
            combinations *= stage.vertices[m]
            digit[m] = 0
        stage.mean[:] = 0.0
        stage.rise[:] = 0.0
        for _ in range(combinations):
            weight, node = 1.0, 0
            for m in range(count):
                weight *= stage.weight[m, own[m], digit[m]]
                node += stage.vertex[m, own[m], digit[m]]
            for m in range(count):
                for q in range(profiles):
                    stage.mean[m, q] += weight * payoff[e, node, m, q]
            for j in range(count):
                if stage.vertices[j] == 1:
                    continue
                others = 1.0
                for m in range(count):
                    if m != j:
                        others *= stage.weight[m, own[m], digit[m]]
                for phi in range(movers.n_types[j]):
                    slope = others * stage.slope[j, own[j], digit[j], phi]
                    for m in range(count):
                        for q in range(profiles):
                            stage.rise[j, phi, m, q] += slope * payoff[e, node, m, q]
            advance(stage)
        for m in range(count):
            for q in range(profiles):
                chance = 1.0
                for j in range(count):
                    if j != m:
                        theta = movers.types[q, j]
                        chance *= movers.belief[j, stage.at[j], theta]
                        chance *= stage.play[stage.first[j] + theta * stage.n_actions[j] + own[j]]
                if chance == 0.0:
                    continue
                row = stage.first[m] + movers.types[q, m] * stage.n_actions[m] + own[m]
                mean = chance * stage.mean[m, q]
                stage.value[row] += mean
                for j in range(count):
                    begin = stage.first[j] + own[j]
                    if j != m:
                        stage.cross[row, begin + movers.types[q, j] * stage.n_actions[j]] += mean
                    if stage.vertices[j] > 1:
                        for phi in range(movers.n_types[j]):
                            column = begin + phi * stage.n_actions[j]
                            stage.cross[row, column] += chance * stage.rise[j, phi, m, q]


@device
def respond(movers, stage, payoff, share):
    """Everything at the log odds y, and the residual at precision `share` λ.

    Gives the largest |R| and a bound of its rounding error: that of λ Q itself, and that of log σ,
    which steep values magnify.
    """
    choose(movers, stage)
    update_beliefs(movers, stage)
    evaluate(movers, stage, payoff)
    worst, size, steepest, longest = 0.0, 1.0, 0.0, 0.0
    blocks = 0
    for m in range(movers.n_types.shape[0]):
        blocks += movers.n_types[m] * stage.n_actions[m]
    for m in range(movers.n_types.shape[0]):
        count, lam = stage.n_actions[m], share * movers.lam[m]
        for r in range(stage.first[m], stage.first[m] + movers.n_types[m] * count):
            steep = 0.0
            for c in range(blocks):
                steep += abs(stage.cross[r, c])
            steepest = max(steepest, lam * steep)
            longest = max(longest, -stage.log[r])
        for theta in range(movers.n_types[m]):
            begin = stage.first[m] + theta * count
            odds = stage.n_unknowns[m] + theta * (count - 1)
            size = max(size, abs(lam * stage.value[begin]))
            for a in range(1, count):
                gain = lam * (stage.value[begin + a] - stage.value[begin])
                residual = stage.y[odds + a - 1] - gain
                stage.residual[odds + a - 1] = residual
                worst = max(worst, abs(residual))
                if not abs(residual) < math.inf:
                    worst = math.inf
                size = max(size, abs(lam * stage.value[begin + a]))
    return worst, 1e-14 * size + 4e-15 * longest * steepest


@device
def differentiate(movers, stage, share, n_unknowns, matrix):
    """∂R/∂y at precision `share` λ into matrix[:D, :D], and ∂R/∂s into column D."""
    for r in range(n_unknowns):
        for c in range(n_unknowns):
            matrix[r, c] = 0.0
        matrix[r, r] = 1.0
    for m in range(movers.n_types.shape[0]):
        count = stage.n_actions[m]
        lam = share * movers.lam[m]
        for theta in range(movers.n_types[m]):
            begin = stage.first[m] + theta * count
            for a in range(1, count):
                row = stage.n_unknowns[m] + theta * (count - 1) + a - 1
                gain = stage.value[begin + a] - stage.value[begin]
                matrix[row, n_unknowns] = -movers.lam[m] * gain
                for j in range(movers.n_types.shape[0]):
                    options = stage.n_actions[j]
                    for phi in range(movers.n_types[j]):
                        block = stage.first[j] + phi * options
                        total = 0.0
                        for c in range(options):
                            total += (
                                stage.cross[begin + a, block + c] - stage.cross[begin, block + c]
                            )
                        odds = stage.n_unknowns[j] + phi * (options - 1)
                        for c in range(1, options):
                            change = (
                                stage.cross[begin + a, block + c] - stage.cross[begin, block + c]
                            )
                            change -= stage.play[block + c] * total
                            matrix[row, odds + c - 1] -= lam * change


@device
def eliminate(matrix, size):
    """Solve the augmented system matrix[:size, :size + 1] in place, by Gaussian elimination with
    row exchanges; the solution is left in the last column. Gives the sign of the determinant."""
    sign = 1.0
    for c in range(size):
        best = c
        for r in range(c + 1, size):
            if abs(matrix[r, c]) > abs(matrix[best, c]):
                best = r
        if not abs(matrix[best, c]) > 1e-300:
            return 0.0
        if best != c:
            sign = -sign
            for k in range(size + 1):
                matrix[c, k], matrix[best, k] = matrix[best, k], matrix[c, k]
        if matrix[c, c] < 0.0:
            sign = -sign
        for r in range(c + 1, size):
            factor = matrix[r, c] / matrix[c, c]
            if factor != 0.0:
                for k in range(c, size + 1):
                    matrix[r, k] -= factor * matrix[c, k]
    for c in range(size - 1, -1, -1):
        total = matrix[c, size]
        for k in range(c + 1, size):
            total -= matrix[c, k] * matrix[k, size]
        matrix[c, size] = total / matrix[c, c]
    return sign


@device
def newton(movers, stage, payoff, n_unknowns):
    """Newton's method with halved steps from stage.y at the full precision; whether it converged.

    At the end the stage holds everything at the solution.
    """
    old, step = stage.point[3], stage.point[4]
    residual, rounding = respond(movers, stage, payoff, 1.0)
    for _ in range(MAX_NEWTON):
        if residual <= 1e-12 + min(rounding, FINE):
            return True
        differentiate(movers, stage, 1.0, n_unknowns, stage.matrix)
        for r in range(n_unknowns):
            stage.matrix[r, n_unknowns] = stage.residual[r]
            old[r] = stage.y[r]
        if eliminate(stage.matrix, n_unknowns) == 0.0:
            return False
        for r in range(n_unknowns):
            step[r] = stage.matrix[r, n_unknowns]
        share = 1.0
        before = residual
        for _ in range(12):
            for r in range(n_unknowns):
                stage.y[r] = old[r] - share * step[r]
            residual, rounding = respond(movers, stage, payoff, 1.0)
            if residual <= max(before * (1.0 - 0.1 * share), 1e-12 + min(rounding, FINE)):
                break
            share *= 0.5
        if not residual < before:  # also where it is not a number
            for r in range(n_unknowns):
                stage.y[r] = old[r]
            residual, rounding = respond(movers, stage, payoff, 1.0)
            return residual <= 1e-10 + 10.0 * rounding
    return residual <= 1e-10 + 10.0 * rounding


@device
def is_contraction(movers, stage, payoff, spread):
    """Whether y ↦ s λ [Q(a) - Q(0)] is certain to be a contraction for all s ≤ 1.

    Then it has one fixed point, at every precision, and the principal branch leads there. With
    |dy| ≤ 1: Σ|dσ| ≤ 1, and by the covariance bound |Σ_θ g(θ) du(θ)| ≤ ¼ · range(g) · 4.
    `spread` is scratch, float64 [m].
    """
    count, profiles = movers.n_types.shape[0], movers.types.shape[0]
    joint = 1
    nodes = 1
    for m in range(count):
        joint *= stage.n_actions[m]
        nodes *= movers.size[m]
    for m in range(count):
        low, high = math.inf, -math.inf
        for e in range(joint):
            for node in range(nodes):
                for q in range(profiles):
                    low = min(low, payoff[e, node, m, q])
                    high = max(high, payoff[e, node, m, q])
        spread[m] = (high - low) * (count - 1)
        for j in range(count):
            if movers.steps[j] == 0 or stage.n_actions[j] == 1:
                continue
            steepest = 0.0
            for node in range(nodes):
                here = node // movers.stride[j] % movers.size[j]
                for one in range(movers.n_types[j] - 1):
                    # A neighbour: one unit moved from type `one` to the next.
                    if movers.node[j, here, one] == 0:
                        continue
                    at = movers.rank[j, one]
                    tail = 0
                    for theta in range(one + 1, movers.n_types[j]):
                        tail += movers.node[j, here, theta]
                    away = (at[tail + 1] - at[tail]) * movers.stride[j]
                    for e in range(joint):
                        for q in range(profiles):
                            change = payoff[e, node + away, m, q] - payoff[e, node, m, q]
                            steepest = max(steepest, abs(change))
            spread[m] += 2.0 * movers.steps[j] * (movers.n_types[j] - 1) * steepest
        if not movers.lam[m] * spread[m] < 0.99:
            return False
    return True
