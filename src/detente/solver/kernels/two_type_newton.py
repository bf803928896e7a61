"""The stage problem of one informed mover with two types, at all beliefs of a state at once.

The mover's belief u (of type 1, in the grid's coordinates) is one of the nodes g / n; the beliefs
about others make several lines o of such nodes. Unknown are the log-likelihood ratios
ℓ(a) = log σ(a|1) - log σ(a|0), which give the posteriors by u'(a) = 1 / (1 + ρ exp(-ℓ(a))) with
ρ = (1 - u) / u. With Q(a, θ) the continuation values at those posteriors, the equation is

    R(a) = ℓ(a) - λ [Q(a, 1) - Q(a, 0)] + log Σ exp(λ Q(·, 1)) - log Σ exp(λ Q(·, 0)) = 0.

Its Jacobian is diagonal plus rank one, J = diag(d) + 1 vᵀ, with D(a, θ) = ∂Q(a, θ) / ∂ℓ(a),
d(a) = 1 - λ [D(a, 1) - D(a, 0)] and v(a) = λ [σ(a|1) D(a, 1) - σ(a|0) D(a, 0)], so that a Newton
step costs no more than a plain one.

Uniqueness. Where d > 0 and 1 + Σ v/d > 0 at all posteriors, ℓ(a) is a decreasing function of the
difference of the two logarithms and that difference solves an equation with an increasing left
side: one solution, which is the principal branch, and Newton's method may start anywhere.
`is_unique` bounds both expressions over a line.

Loops run over all nodes y of a state, and over few arrays each: so the compiler makes vector code
of them (it gives up where it would have to compare many arrays for overlap).
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.elementary import exp, log
from detente.solver.kernels.jit import device, inline
from detente.solver.kernels.turn import LEAST

MAX_NEWTON = 12  # steps; beyond them a node is left to a method that takes its time
CORRECTIONS = 5  # the same on the way from λ = 0
RUNGS = 3.0  # steps on the way from λ = 0, for each unit of λ times the range of payoffs
BEND = 0.25  # of the branch in ℓ, from one step to the next
TOLERANCE = 1e-11  # of the residual: the last step has squared a smaller error than this
MARGIN = 1e-3  # of the bounds in `is_unique`, against rounding

# Rows of the scratch arrays: `lines`, float64 [LINES, a, y], and `sums`, float64 [SUMS, y].
POST, SHARE, Q0, Q1, D0, D1, S0, S1, RES, AIM, LINES = range(11)
TOP_0, TOP_1, TOTAL_0, TOTAL_1, SHIFT, WORST, SIZE, OPEN, LOST, SUMS = range(10)


@device
def is_unique(lam, payoff, count, first, steps):
    """Whether d > 0 and 1 + Σ v/d > 0 are certain on the line of nodes first … first + n."""
    low_1, high_0 = 0.0, 0.0
    for a in range(count):
        for j in range(steps):
            left, right = j / steps, (j + 1) / steps
            spread = 0.25
            if right < 0.5:
                spread = right * (1.0 - right)
            elif left > 0.5:
                spread = left * (1.0 - left)
            scale = lam * spread * steps
            y = first + j
            rise_0 = scale * (payoff[a, 0, y + 1] - payoff[a, 0, y])
            rise_1 = scale * (payoff[a, 1, y + 1] - payoff[a, 1, y])
            d = 1.0 - (rise_1 - rise_0)
            if d < MARGIN:
                return False
            low_1 = min(low_1, rise_1 / d)
            high_0 = max(high_0, rise_0 / d)
    return 1.0 + low_1 - high_0 > MARGIN


@device
def respond(lam, steps, payoff, count, nodes, rho, line, log_ratio, lines, cell, sums):
    """Everything at the posteriors of `log_ratio` [a, y].

    nodes
        How many; the arrays may be longer.
    rho, line
        float64 [y], int64 [y]: ρ of each node, and the first node of its line.
    lines, cell, sums
        Out, float64 [LINES, a, y], int64 [a, y], float64 [SUMS, y].
    """
    top_0, top_1 = sums[TOP_0], sums[TOP_1]
    total_0, total_1, shift = sums[TOTAL_0], sums[TOTAL_1], sums[SHIFT]
    for a in range(count):
        post, share, where, ratio = (
            lines[POST, a],
            lines[SHARE, a],
            cell[a],
            log_ratio[a],
        )
        for y in range(nodes):
            post[y] = 1.0 / (1.0 + rho[y] * exp(-ratio[y]))
        for y in range(nodes):
            t = post[y] * steps
            j = min(np.int64(t), steps - 1)
            where[y] = line[y] + j
            share[y] = t - j
        for theta in range(2):
            value, q, d = payoff[a, theta], lines[Q0 + theta, a], lines[D0 + theta, a]
            for y in range(nodes):
                k = np.uint64(where[y])  # of a signed one Numba asks whether it is negative
                q[y] = value[k]
                d[y] = value[k + np.uint64(1)] - value[k]
            for y in range(nodes):
                q[y] = lam * (q[y] + share[y] * d[y])
                d[y] *= lam * steps * post[y] * (1.0 - post[y])
    for y in range(nodes):
        top_0[y] = lines[Q0, 0, y]
        total_0[y] = 0.0
    for y in range(nodes):
        top_1[y] = lines[Q1, 0, y]
        total_1[y] = 0.0
    for a in range(1, count):
        q_0, q_1 = lines[Q0, a], lines[Q1, a]
        for y in range(nodes):
            top_0[y] = max(top_0[y], q_0[y])
        for y in range(nodes):
            top_1[y] = max(top_1[y], q_1[y])
    for a in range(count):
        q_0, q_1, s_0, s_1 = lines[Q0, a], lines[Q1, a], lines[S0, a], lines[S1, a]
        for y in range(nodes):
            s_0[y] = exp(q_0[y] - top_0[y])
            total_0[y] += s_0[y]
        for y in range(nodes):
            s_1[y] = exp(q_1[y] - top_1[y])
            total_1[y] += s_1[y]
    for y in range(nodes):
        shift[y] = log(total_1[y] / total_0[y]) + (top_1[y] - top_0[y])
    for y in range(nodes):
        total_0[y] = 1.0 / total_0[y]
        total_1[y] = 1.0 / total_1[y]
    for a in range(count):
        q_0, q_1, s_0, s_1 = lines[Q0, a], lines[Q1, a], lines[S0, a], lines[S1, a]
        residual, ratio = lines[RES, a], log_ratio[a]
        for y in range(nodes):
            s_0[y] *= total_0[y]
            s_1[y] *= total_1[y]
        for y in range(nodes):
            residual[y] = ratio[y] - (q_1[y] - q_0[y]) + shift[y]


@device
def newton_lines(lam, steps, payoff, count, nodes, rho, line, log_ratio, lines, cell, sums, most):
    """Newton's method at all nodes from `log_ratio`, up to `most` steps.

    sums[OPEN] is left as 0 where a node is solved, else 1; nodes with sums[LOST] = 1 are not
    waited for.
    """
    worst, size, unsolved, lost = sums[WORST], sums[SIZE], sums[OPEN], sums[LOST]
    total, weighted = sums[TOTAL_0], sums[TOTAL_1]
    for trial in range(most + 1):
        respond(lam, steps, payoff, count, nodes, rho, line, log_ratio, lines, cell, sums)
        for y in range(nodes):
            worst[y] = 0.0
            size[y] = 1.0
        for a in range(count):
            residual, q_0, q_1 = lines[RES, a], lines[Q0, a], lines[Q1, a]
            for y in range(nodes):
                worst[y] = max(worst[y], abs(residual[y]))
            for y in range(nodes):
                size[y] = max(size[y], max(abs(q_0[y]), abs(q_1[y])))
        left = 0.0
        for y in range(nodes):
            # Against its rounding error; what is not a number is not solved.
            unsolved[y] = 0.0 if worst[y] <= TOLERANCE + 1e-14 * size[y] else 1.0
            left += unsolved[y] * (1.0 - lost[y])
        if left == 0.0 or trial == most:
            return
        for y in range(nodes):
            total[y] = 1.0
            weighted[y] = 0.0
        for a in range(count):
            d_0, d_1, s_0, s_1 = lines[D0, a], lines[D1, a], lines[S0, a], lines[S1, a]
            residual, inverse, part = lines[RES, a], lines[POST, a], lines[SHARE, a]
            for y in range(nodes):
                inverse[y] = 1.0 / (1.0 - (d_1[y] - d_0[y]))
            for y in range(nodes):
                part[y] = (s_1[y] * d_1[y] - s_0[y] * d_0[y]) * inverse[y]
            for y in range(nodes):
                total[y] += part[y]
                weighted[y] += part[y] * residual[y]
        for y in range(nodes):
            weighted[y] /= total[y]
        for a in range(count):
            residual, inverse, ratio = lines[RES, a], lines[POST, a], log_ratio[a]
            for y in range(nodes):
                # A solved node stays: another step would only move it by rounding.
                step = (residual[y] - weighted[y]) * inverse[y] * unsolved[y]
                ratio[y] -= min(max(step, -8.0), 8.0)


@inline
def climb_lines(lam, steps, payoff, count, nodes, rho, line, log_ratio, lines, cell, sums, last):
    """Follow the principal branch from λ = 0 in equal steps of the precision, at all nodes.

    A node is lost (sums[LOST] = 1), and left to `homotopy.trace`, where the branch may turn or bend
    too fast: where d or 1 + Σ v/d is not positive, where Newton's method does not converge, or
    where it moves ℓ by more than BEND from where the last two steps point to. `last` is scratch
    [a, y].
    """
    lost, total = sums[LOST], sums[TOTAL_0]
    low, high = math.inf, -math.inf
    for a in range(count):
        for theta in range(2):
            for y in range(nodes):
                low = min(low, payoff[a, theta, y])
                high = max(high, payoff[a, theta, y])
    rungs = int(min(max(RUNGS * lam * (high - low), 6.0), 60.0))
    for y in range(nodes):
        lost[y] = 0.0
        for a in range(count):
            log_ratio[a, y] = 0.0
            last[a, y] = 0.0
    corrections = np.int64(CORRECTIONS)  # not as a literal: see `two_type_layer.solve_run`
    for rung in range(1, rungs + 1):
        for a in range(count):
            ratio, before = log_ratio[a], last[a]
            for y in range(nodes):
                now = ratio[y]
                # From the first rung on there is a direction to go on in.
                ratio[y] = now + (now - before[y] if rung > 1 else 0.0)
                before[y] = now
        share = lam * rung / rungs
        for a in range(count):
            aim, ratio = lines[AIM, a], log_ratio[a]
            for y in range(nodes):
                aim[y] = ratio[y]
        newton_lines(
            share,
            steps,
            payoff,
            count,
            nodes,
            rho,
            line,
            log_ratio,
            lines,
            cell,
            sums,
            corrections,
        )
        unsolved = sums[OPEN]
        for y in range(nodes):
            lost[y] = max(lost[y], unsolved[y])
            total[y] = 1.0
        for a in range(count):
            d_0, d_1, s_0, s_1 = lines[D0, a], lines[D1, a], lines[S0, a], lines[S1, a]
            ratio, aim = log_ratio[a], lines[AIM, a]
            for y in range(nodes):
                d = 1.0 - (d_1[y] - d_0[y])
                total[y] += (s_1[y] * d_1[y] - s_0[y] * d_0[y]) / d
                bad = not d > MARGIN or (rung > 1 and not abs(ratio[y] - aim[y]) <= BEND)
                lost[y] = 1.0 if bad else lost[y]
        for y in range(nodes):
            lost[y] = 1.0 if not total[y] > MARGIN else lost[y]


@inline
def settle_lines(count, nodes, line, log_ratio, lines, cell, first, play, inside, share):
    """Keep what was found at nodes first … of a state: strategies [θ, a, y] from ℓ and the
    responses, and where the posteriors lie: cell g and share [a, y]."""
    for a in range(count):
        s_0, s_1, ratio, larger = lines[S0, a], lines[S1, a], log_ratio[a], lines[RES, a]
        play_0, play_1 = play[0, a][first:], play[1, a][first:]
        where, g, part, f = cell[a], inside[a][first:], lines[SHARE, a], share[a][first:]
        for y in range(nodes):
            g[y] = where[y] - line[y]
            f[y] = part[y]
        for y in range(nodes):
            larger[y] = max(max(s_0[y], s_1[y]), LEAST)
        # The ratio of the two is exp(ℓ) to the last digit: where values are steep in the
        # posterior, what is left of the residual would otherwise be magnified by it.
        for y in range(nodes):
            play_0[y] = larger[y] * exp(min(-ratio[y], 0.0))
        for y in range(nodes):
            play_1[y] = larger[y] * exp(min(ratio[y], 0.0))
