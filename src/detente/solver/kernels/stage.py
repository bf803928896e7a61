"""The stage problem of one informed mover with two types, on a line of beliefs.

At belief b (the probability of type 1) type θ chooses action a with probability
σ(a|θ) = exp(λ Q(a, θ)) / Σ exp(λ Q(·, θ)), where Q(a, θ) is a continuation value at the posterior
b'(a) that the choice of a leads to. The values W(a, θ, ·) are piecewise linear on the nodes.

Unknown are the log-likelihood ratios ℓ(a) = log σ(a|1) - log σ(a|0), which give the posteriors by
b'(a) = 1 / (1 + ρ exp(-ℓ(a))) with ρ = (1 - b) / b. The equation is

    R(a) = ℓ(a) - λ [Q(a, 1) - Q(a, 0)] + log Σ exp(λ Q(·, 1)) - log Σ exp(λ Q(·, 0)) = 0.

Its Jacobian is diagonal plus rank one, J = diag(d) + 1 vᵀ, with D(a, θ) = ∂Q(a, θ) / ∂ℓ(a),
d(a) = 1 - λ [D(a, 1) - D(a, 0)] and v(a) = λ [σ(a|1) D(a, 1) - σ(a|0) D(a, 0)], so that a Newton
step costs no more than a plain one.

Uniqueness. Where d > 0 and 1 + Σ v/d > 0 at all posteriors, ℓ(a) is a decreasing function of the
difference of the two logarithms and that difference solves an equation with an increasing left
side: one solution, which is the principal branch, and Newton's method may start anywhere.
`is_unique` bounds both expressions over a line. Elsewhere `trace` follows the branch from λ = 0,
by pseudo-arclength with a Newton corrector (Allgower and Georg, Numerical Continuation Methods,
1990, chapters 3 and 6), oriented by the sign of the augmented determinant, so that it passes
folds and the kinks of the piecewise linear values.
"""

from __future__ import annotations

import math

from detente.solver.kernels.jit import kernel

# Rows of the scratch array `work`, float64 [ROWS, a + 1].
ELL, RES, Q0, Q1, D0, D1, S0, S1, OLD, TANGENT, STEP, ROWS = range(12)

MAX_NEWTON = 40
MAX_STEPS = 4000
START = 1e-9  # s at which a branch begins: at s = 0 it is known, ℓ = 0
MARGIN = 1e-3  # of the bounds in `is_unique`, against rounding

LEAST = 1e-200  # of the larger of an action's two probabilities: their ratio must not underflow

UNIQUE, TRACED, FOLDED, FAILED = range(4)  # how a node was solved; columns of `counts`


@kernel
def locate(belief, nodes, split):
    """Cell j and share f in it of a belief: nodes[j] + f (nodes[j + 1] - nodes[j])."""
    last = nodes.shape[0] - 1
    if last == 0:
        return 0, 0.0
    prior = nodes[split]
    if belief < prior:
        u = belief * (split / prior)
        j = min(int(u), split - 1)
        f = u - j
    elif split == last:
        j, f = last - 1, 1.0
    else:
        u = (belief - prior) * ((last - split) / (1.0 - prior))
        j = min(int(u), last - split - 1)
        f = u - j
        j += split
    return j, min(max(f, 0.0), 1.0)


@kernel
def posterior(belief, likelihood_0, likelihood_1):
    """Bayes' rule for two types; the belief itself where neither type takes the action."""
    joint = belief * likelihood_1
    total = joint + (1.0 - belief) * likelihood_0
    return joint / total if total > 0.0 else belief


@kernel
def respond(lam, rho, values, count, nodes, split, work):
    """Q, its derivative, the response and the residual at work[ELL]; gives max |R| and a bound
    of its rounding error. `values` is float64 [a, θ, g]."""
    top_0, top_1 = -math.inf, -math.inf
    for a in range(count):
        post = 1.0 / (1.0 + rho * math.exp(-work[ELL, a]))
        j, f = locate(post, nodes, split)
        scale = post * (1.0 - post) / (nodes[j + 1] - nodes[j])
        rise_0 = values[a, 0, j + 1] - values[a, 0, j]
        rise_1 = values[a, 1, j + 1] - values[a, 1, j]
        q_0 = lam * (values[a, 0, j] + f * rise_0)
        q_1 = lam * (values[a, 1, j] + f * rise_1)
        work[Q0, a] = q_0
        work[Q1, a] = q_1
        work[D0, a] = lam * rise_0 * scale
        work[D1, a] = lam * rise_1 * scale
        top_0 = max(top_0, q_0)
        top_1 = max(top_1, q_1)
    sum_0, sum_1 = 0.0, 0.0
    for a in range(count):
        work[S0, a] = math.exp(work[Q0, a] - top_0)
        work[S1, a] = math.exp(work[Q1, a] - top_1)
        sum_0 += work[S0, a]
        sum_1 += work[S1, a]
    shift = (top_1 + math.log(sum_1)) - (top_0 + math.log(sum_0))
    worst, size = 0.0, 1.0
    for a in range(count):
        work[S0, a] /= sum_0
        work[S1, a] /= sum_1
        residual = work[ELL, a] - (work[Q1, a] - work[Q0, a]) + shift
        work[RES, a] = residual
        worst = max(worst, abs(residual))
        size = max(size, abs(work[Q0, a]), abs(work[Q1, a]))
    return worst, 1e-14 * size


@kernel
def newton(lam, rho, values, count, nodes, split, work):
    """Newton's method with halved steps from work[ELL]; gives whether it converged."""
    residual, rounding = respond(lam, rho, values, count, nodes, split, work)
    for _ in range(MAX_NEWTON):
        if residual <= 1e-13 + rounding:
            return True
        total, weighted = 1.0, 0.0
        for a in range(count):
            d = 1.0 - (work[D1, a] - work[D0, a])
            if abs(d) < 1e-14:
                d = 1e-14
            v = work[S1, a] * work[D1, a] - work[S0, a] * work[D0, a]
            total += v / d
            weighted += v * work[RES, a] / d
            work[STEP, a] = d
        if total == 0.0:
            return False
        common = weighted / total
        for a in range(count):
            work[STEP, a] = (work[RES, a] - common) / work[STEP, a]
            work[OLD, a] = work[ELL, a]
        share = 1.0
        before = residual
        for _ in range(12):
            for a in range(count):
                work[ELL, a] = work[OLD, a] - share * work[STEP, a]
            residual, rounding = respond(lam, rho, values, count, nodes, split, work)
            if residual <= max(before * (1.0 - 0.1 * share), 1e-13 + rounding):
                break
            share *= 0.5
        if not residual < before:  # also where it is not a number
            return residual <= 1e-11 + 10.0 * rounding
    return residual <= 1e-11 + 10.0 * rounding


@kernel
def is_unique(lam, values, count, nodes):
    """Whether d > 0 and 1 + Σ v/d > 0 are certain at every posterior of the line."""
    low_1, high_0 = 0.0, 0.0
    for j in range(nodes.shape[0] - 1):
        left, right = nodes[j], nodes[j + 1]
        spread = 0.25
        if right < 0.5:
            spread = right * (1.0 - right)
        elif left > 0.5:
            spread = left * (1.0 - left)
        scale = lam * spread / (right - left)
        for a in range(count):
            rise_0 = scale * (values[a, 0, j + 1] - values[a, 0, j])
            rise_1 = scale * (values[a, 1, j + 1] - values[a, 1, j])
            d = 1.0 - (rise_1 - rise_0)
            if d < MARGIN:
                return False
            low_1 = min(low_1, rise_1 / d)
            high_0 = max(high_0, rise_0 / d)
    return 1.0 + low_1 - high_0 > MARGIN


@kernel
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


@kernel
def augment(lam, share, count, work, matrix):
    """Rows of the augmented system: the Jacobian in (ℓ, s) at precision s λ, and work[TANGENT].

    `respond` has just been called with precision s λ > 0; the last column is left to the caller.
    """
    mean = 0.0
    for c in range(count):
        mean += work[S1, c] * work[Q1, c] - work[S0, c] * work[Q0, c]
    for a in range(count):
        for c in range(count):
            matrix[a, c] = work[S1, c] * work[D1, c] - work[S0, c] * work[D0, c]
        matrix[a, a] += 1.0 - (work[D1, a] - work[D0, a])
        # ∂R/∂s; Q in `work` is multiplied by the precision.
        matrix[a, count] = (mean - (work[Q1, a] - work[Q0, a])) / share
    for c in range(count + 1):
        matrix[count, c] = work[TANGENT, c]


@kernel
def turn_tangent(lam, share, count, work, matrix):
    """The oriented unit tangent of the branch at the point of the last `respond`, into
    work[TANGENT]; gives the cosine of its angle with the one before (2 where it fails)."""
    augment(lam, share, count, work, matrix)
    for a in range(count):
        matrix[a, count + 1] = 0.0
    matrix[count, count + 1] = 1.0
    sign = eliminate(matrix, count + 1)
    if sign == 0.0:
        return 2.0
    norm = 0.0
    for c in range(count + 1):
        norm += matrix[c, count + 1] ** 2
    norm = sign * math.sqrt(norm)
    cosine = 0.0
    for c in range(count + 1):
        new = matrix[c, count + 1] / norm
        cosine += new * work[TANGENT, c]
        work[TANGENT, c] = new
    return cosine


@kernel
def cross(lam, rho, values, count, nodes, split, work, matrix, point):
    """Carry the branch over the kink ahead of point[0] along work[TANGENT]; gives whether it went.

    Where a posterior passes a node of the grid the Jacobian jumps, and the branch may turn by
    more than a corrector can follow. The point is set just behind the kink, and the tangent is
    that of the cell it leads into, oriented as before.
    """
    ahead = math.inf
    first = -1
    for a in range(count):
        slope = work[TANGENT, a]
        if abs(slope) < 1e-12:
            continue
        post = 1.0 / (1.0 + rho * math.exp(-point[0, a]))
        j, _ = locate(post, nodes, split)
        edge = j + 1 if slope > 0.0 else j
        if nodes[edge] <= 0.0 or nodes[edge] >= 1.0:
            continue
        way = (logodds(nodes[edge], rho) - point[0, a]) / slope
        if way < ahead:
            ahead, first = way, a
    if first < 0 or ahead > 1e-6:
        return False
    direction = work[TANGENT, first]
    ahead += min(1e-9 / abs(direction), 1e-6)
    for c in range(count + 1):
        point[0, c] += ahead * work[TANGENT, c]
    for a in range(count):
        work[ELL, a] = point[0, a]
    respond(point[0, count] * lam, rho, values, count, nodes, split, work)
    if turn_tangent(lam, point[0, count], count, work, matrix) == 2.0:
        return False
    return work[TANGENT, first] * direction > 0.0


@kernel
def logodds(node, rho):
    """The log-likelihood ratio that leads to a posterior."""
    return math.log(node * rho / (1.0 - node))


@kernel
def trace(lam, rho, values, count, nodes, split, work, matrix, point):
    """Follow the principal branch from λ = 0; gives TRACED, FOLDED or FAILED.

    The solution is left in `work`. Scratch: `matrix` float64 [a + 1, a + 2], `point`
    float64 [3, a + 1]: the accepted point (ℓ, s), the corrected one, and the tangent kept.
    """
    folded = False
    for a in range(count):
        work[ELL, a] = 0.0
        work[TANGENT, a] = 0.0
        point[0, a] = 0.0
    work[TANGENT, count] = 1.0
    point[0, count] = START
    respond(START * lam, rho, values, count, nodes, split, work)
    turn_tangent(lam, START, count, work, matrix)
    step = 0.1
    for _ in range(MAX_STEPS):
        if step < 1e-7:
            # Steps shrink like this before a kink only.
            if not cross(lam, rho, values, count, nodes, split, work, matrix, point):
                return FAILED
            folded = folded or work[TANGENT, count] < 0.0
            step = 1e-6
        for c in range(count + 1):
            point[1, c] = point[0, c] + step * work[TANGENT, c]
            point[2, c] = work[TANGENT, c]
        converged = False
        moved = 0.0
        for _ in range(8):
            share = point[1, count]
            if share < START or share > 4.0:
                break
            for a in range(count):
                work[ELL, a] = point[1, a]
            residual, rounding = respond(share * lam, rho, values, count, nodes, split, work)
            if residual <= 1e-10 + rounding:
                converged = True
                break
            augment(lam, share, count, work, matrix)
            for a in range(count):
                matrix[a, count + 1] = work[RES, a]
            matrix[count, count + 1] = 0.0
            if eliminate(matrix, count + 1) == 0.0:
                break
            for c in range(count + 1):
                point[1, c] -= matrix[c, count + 1]
                moved = max(moved, abs(matrix[c, count + 1]))
        if not converged or moved > 0.2 * min(step, 0.5):
            step *= 0.5
            continue
        if point[1, count] >= 1.0:
            # Between the two points the branch crosses s = 1: solve there, near the chord.
            part = (1.0 - point[0, count]) / (point[1, count] - point[0, count])
            for a in range(count):
                work[ELL, a] = point[0, a] + part * (point[1, a] - point[0, a])
                point[1, a] = work[ELL, a]
            if newton(lam, rho, values, count, nodes, split, work):
                away = 0.0
                for a in range(count):
                    away = max(away, abs(work[ELL, a] - point[1, a]))
                if away <= step:
                    return FOLDED if folded else TRACED
            for c in range(count + 1):
                work[TANGENT, c] = point[2, c]
            step *= 0.5
            continue
        cosine = turn_tangent(lam, point[1, count], count, work, matrix)
        if cosine > 1.5 or (cosine < 0.9 and step > 1e-5):
            for c in range(count + 1):
                work[TANGENT, c] = point[2, c]
            step *= 0.5
            continue
        folded = folded or work[TANGENT, count] < 0.0
        for c in range(count + 1):
            point[0, c] = point[1, c]
        # Far out on a straight stretch, where posteriors have all but reached 0 or 1, larger steps
        # are as safe as small ones: what the corrector moves is bounded all the same.
        step = min(step * (2.0 if moved < 0.05 * step else 1.2), 0.5 if moved > 1e-6 else 50.0)
    return FAILED


@kernel
def solve_line(lam, values, count, nodes, split, sigma, work, matrix, point, counts):
    """Solve the stage at every node of a line.

    values
        float64 [a, θ, g]: the mover's expected payoff of action a at posterior nodes[g].
    sigma
        Out, float64 [g, θ, a].
    counts
        Added to, int64 [4]: nodes by UNIQUE, TRACED, FOLDED, FAILED.
    """
    unique = is_unique(lam, values, count, nodes)
    for a in range(count):
        work[ELL, a] = 0.0
    for g in range(nodes.shape[0]):
        belief = nodes[g]
        if belief <= 0.0 or belief >= 1.0:
            # Nothing is to be learnt: the logit at the node's own values.
            for theta in range(2):
                logit(lam, values[:, theta, g], count, sigma[g, theta])
            continue
        rho = (1.0 - belief) / belief
        how = UNIQUE
        if not (unique and newton(lam, rho, values, count, nodes, split, work)):
            how = trace(lam, rho, values, count, nodes, split, work, matrix, point)
        counts[how] += 1
        for a in range(count):
            # The ratio of the two is exp(ell) to the last digit: where values are steep in the
            # posterior, what is left of the residual would otherwise be magnified by it.
            ell = work[ELL, a]
            larger = max(work[S0, a], work[S1, a], LEAST)
            sigma[g, 0, a] = larger * math.exp(min(-ell, 0.0))
            sigma[g, 1, a] = larger * math.exp(min(ell, 0.0))


@kernel
def logit(lam, values, count, response):
    """exp(λ values) / Σ exp(λ values), float64 [a]."""
    top, total = -math.inf, 0.0
    for a in range(count):
        top = max(top, values[a])
    for a in range(count):
        response[a] = math.exp(lam * (values[a] - top))
        total += response[a]
    for a in range(count):
        response[a] /= total
