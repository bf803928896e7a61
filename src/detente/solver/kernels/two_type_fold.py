"""The principal branch of one node of a line (`two_type`) where it may turn.

Pseudo-arclength continuation in (ℓ, s), at precision s λ, with Newton's method across the tangent
(Allgower and Georg, Numerical Continuation Methods, 1990, chapters 3 and 6). As J = diag(d) + 1 vᵀ
a step takes a few operations an action. The branch goes to larger s where det J > 0 and to smaller
ones where det J < 0, so that folds are passed. Where a posterior crosses into another cell of the
belief grid the branch has a kink; where a step fails because of one, the next goes to just short of
it, and then the point is set just behind it. Forks are left to `homotopy`.
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.elementary import exp, log
from detente.solver.kernels.jit import device
from detente.solver.kernels.stage import FAILED, FOLDED, TRACED

MAX_STEPS, MAX_STOPS = 20_000, 20
START = 1e-8  # share of λ at which the branch begins
LONGEST = 1.0  # step, but on straight stretches
ASIDE = 0.05  # of a step: how far Newton's method may move its end
AWAY = 0.01  # how far from the branch it may begin
STRAIGHT = 0.99  # cosine of the angle between the tangents at the two ends of a step
NARROW = 1e-4  # distance to a kink that is gone over
BEHIND = 1e-9  # how far behind it the point is set
SMALLEST = 1e-6  # step
CLOSE = 1e-9  # residual on the way: what is left of it must not be seen in the smallest step
HERE, TARGET, TANGENT, TURNED, RESIDUAL, RATE, INVERSE, SLOPE, STEP, SHIFT = range(10)
BEGINNING, ON_THE_WAY, ENDING = range(3)


@device
def follow(node, work, count, point, share):
    """Follow the branch from ℓ = point[HERE], near it at precision `share` λ, to λ; from 0 if
    `share` is 0. Gives TRACED, FOLDED or FAILED; the solution is point[TARGET]."""
    here, target, tangent, turned = point[HERE], point[TARGET], point[TANGENT], point[TURNED]
    step, stops, method, turns = 0.1, 0, TRACED, True
    stage = BEGINNING if share > 0.0 else ON_THE_WAY
    set_out(count, point, share)
    for _ in range(MAX_STEPS):
        if turns:
            _, _, sign = respond(node, work, count, here, point)
            turn(count, point, sign, tangent)
            turns = False
        if stage != ENDING:
            for c in range(count + 1):
                target[c] = here[c] + (step * tangent[c] if stage == ON_THE_WAY else 0.0)
        most = AWAY if stage == BEGINNING else ASIDE * min(step, 1.0)
        moved, sign = correct(node, work, count, point, stage, most)
        if stage == BEGINNING:
            if moved >= 0.0 and sign > 0.0:
                for a in range(count):
                    here[a] = target[a]
            else:
                set_out(count, point, 0.0)
            stage, turns = ON_THE_WAY, True
            continue
        if stage == ENDING:
            if moved >= 0.0 and sign > 0.0:
                return method
            stage = ON_THE_WAY
            step *= 0.5
            if step < SMALLEST:
                return FAILED
            continue
        cosine = 0.0
        if moved >= 0.0:
            turn(count, point, sign, turned)
            for c in range(count + 1):
                cosine += tangent[c] * turned[c]
        if moved < 0.0 or not cosine > (STRAIGHT if step > 1e-5 else 0.0):
            kink = find_kink(node, count, point)
            if kink >= step and step > SMALLEST:
                step *= 0.5
            elif NARROW < kink < step:
                step = 0.999 * kink
            else:
                if kink < step:
                    step = max(0.5 * step, 1e-3)
                else:
                    # Neither does a smaller step help, nor is there a kink: is there one behind?
                    kink, step, stops = 0.0, 2.0 * SMALLEST, stops + 1
                    if stops > MAX_STOPS:
                        return FAILED
                turns = True
                for c in range(count + 1):
                    here[c] += (kink + BEHIND) * tangent[c]
            continue
        if target[count] >= 1.0:
            # Between the two points the branch crosses s = 1: solve there, near the chord.
            part = (1.0 - here[count]) / (target[count] - here[count])
            for a in range(count):
                target[a] = here[a] + part * (target[a] - here[a])
            target[count] = 1.0
            stage = ENDING
            continue
        far = 0.0
        for c in range(count + 1):
            here[c] = target[c]
            tangent[c] = turned[c]
            far = max(far, abs(here[c]))
        if tangent[count] < 0.0:
            method = FOLDED
        # Far out, on straight stretches, ℓ has a long way to go in proportion to λ.
        longest = LONGEST if moved > 1e-6 else max(25.0 * LONGEST, 0.1 * far)
        step = min(step * (2.0 if moved < 0.25 * ASIDE * step else 1.2), longest)
    return FAILED


@device
def set_out(count, point, share):
    """The point at precision `share` λ from which to follow the branch: at 0 it is known."""
    point[HERE, count] = max(share, START)
    if share == 0.0:
        for a in range(count):
            point[HERE, a] = 0.0


@device
def respond(node, work, count, at, point):
    """R, ∂R/∂s and J at (ℓ, s) = `at`; gives the largest |R|, the size of λ Q and the sign of
    det J."""
    lam, steps, jump, rho, origin = node
    share, reference = at[count], work.reference[0]
    high, low, rise_1, rise_0 = point[RESIDUAL], point[RATE], point[SLOPE], point[INVERSE]
    top_0, top_1, size = -math.inf, -math.inf, 1.0
    for a in range(count):
        post = 1.0 / (1.0 + rho * exp(-at[a]))
        t = post * steps
        k = min(np.int64(t), steps - 1)
        b = np.uint64(origin + k * jump)
        zero, one, hop = work.payoff[a, 0], work.payoff[a, 1], np.uint64(jump)
        rise_0[a], rise_1[a] = zero[b + hop] - zero[b], one[b + hop] - one[b]
        low[a] = lam * (zero[b] + (t - k) * rise_0[a])
        high[a] = lam * (one[b] + (t - k) * rise_1[a])
        bent = share * lam * steps * (post * (1.0 - post))
        rise_0[a] *= bent
        rise_1[a] *= bent
        top_0, top_1 = max(top_0, low[a]), max(top_1, high[a])
        size = max(size, max(abs(low[a]), abs(high[a])))
    total_0, total_1, mean_0, mean_1 = 0.0, 0.0, 0.0, 0.0
    for a in range(count):
        s_0 = reference[a] * exp(share * (low[a] - top_0))
        s_1 = reference[a] * exp(share * (high[a] - top_1))
        total_0 += s_0
        total_1 += s_1
        mean_0 += s_0 * low[a]
        mean_1 += s_1 * high[a]
        point[STEP, a], point[SHIFT, a] = s_0, s_1
    shift = log(total_1 / total_0) + share * (top_1 - top_0)
    mean, worst, total, sign = mean_1 / total_1 - mean_0 / total_0, 0.0, 1.0, 1.0
    for a in range(count):
        s_0, s_1, gain = point[STEP, a] / total_0, point[SHIFT, a] / total_1, high[a] - low[a]
        inverse = 1.0 / (1.0 - (rise_1[a] - rise_0[a]))
        slope = (s_1 * rise_1[a] - s_0 * rise_0[a]) * inverse
        point[RESIDUAL, a] = at[a] - share * gain + shift
        point[RATE, a] = mean - gain
        point[INVERSE, a] = inverse
        point[SLOPE, a] = slope
        off = abs(point[RESIDUAL, a])
        worst = worst if off <= worst else off
        total += slope
        sign = -sign if inverse < 0.0 else sign
    point[SLOPE, count] = total
    return worst, size, sign * total


@device
def solve(count, point, right, result):
    """J⁻¹ of a right-hand side."""
    inverse, slope, shift = point[INVERSE], point[SLOPE], 0.0
    for a in range(count):
        shift += slope[a] * right[a]
    shift /= slope[count]
    for a in range(count):
        result[a] = (right[a] - shift) * inverse[a]


@device
def turn(count, point, sign, tangent):
    """The unit tangent at the last evaluation, where det J has this sign."""
    solve(count, point, point[RATE], tangent)
    norm = 1.0
    for a in range(count):
        norm += tangent[a] ** 2
    norm = (1.0 if sign > 0.0 else -1.0) / math.sqrt(norm)
    for a in range(count):
        tangent[a] *= -norm
    tangent[count] = norm


@device
def correct(node, work, count, point, stage, most):
    """Newton's method from point[TARGET], across the tangent, at the beginning and the end at the
    same s; gives how far it moved it, -1 where that is more than `most` or it does not converge,
    and the sign of det J."""
    target, tangent, change, rate = point[TARGET], point[TANGENT], point[STEP], point[SHIFT]
    close, moved = 1e-12 if stage == ENDING else CLOSE, 0.0
    for _ in range(8):
        if not (target[count] > 0.0 and target[count] < 4.0):
            return -1.0, 0.0
        worst, size, sign = respond(node, work, count, target, point)
        if worst <= close + 1e-14 * size:
            return moved, sign
        solve(count, point, point[RESIDUAL], change)
        solve(count, point, point[RATE], rate)
        along, across = 0.0, tangent[count]
        for a in range(count):
            along += tangent[a] * change[a]
            across -= tangent[a] * rate[a]
        shift = along / across if stage == ON_THE_WAY else 0.0
        farthest = abs(shift)
        for a in range(count):
            move = change[a] + rate[a] * shift
            target[a] -= move
            farthest = max(farthest, abs(move))
        target[count] += shift
        moved += farthest
        if not moved <= most:
            return -1.0, 0.0
    return -1.0, 0.0


@device
def find_kink(node, count, point):
    """How far ahead along the tangent the next posterior reaches a node of the grid."""
    _, steps, _, rho, _ = node
    here, tangent, nearest = point[HERE], point[TANGENT], math.inf
    for a in range(count):
        k = np.int64(steps / (1.0 + rho * exp(-here[a])))
        for wall in range(max(k, 1), min(k + 2, steps)):
            ahead = (log(rho * wall / (steps - wall)) - here[a]) / tangent[a]
            if 0.0 < ahead < nearest:
                nearest = ahead
    return nearest
