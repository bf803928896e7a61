"""The stage problem of one informed mover with two types, at many beliefs of a state at once.

The mover's belief u (of type 1, in the grid's coordinates) is one of the nodes g / n; the beliefs
about others make several lines o of such nodes. Unknown are the log-likelihood ratios
ℓ(a) = log σ(a|1) - log σ(a|0), which give the posteriors by u'(a) = 1 / (1 + ρ exp(-ℓ(a))) with
ρ = (1 - u) / u. With Q(a, θ) the continuation values at those posteriors and w reference behaviour,
which both types share, the equation is

    R(a) = ℓ(a) - λ [Q(a, 1) - Q(a, 0)] + log Σ w exp(λ Q(·, 1)) - log Σ w exp(λ Q(·, 0)) = 0.

Its Jacobian is diagonal plus rank one, J = diag(d) + 1 vᵀ, with D(a, θ) = ∂Q(a, θ) / ∂ℓ(a),
d(a) = 1 - λ [D(a, 1) - D(a, 0)] and v(a) = λ [σ(a|1) D(a, 1) - σ(a|0) D(a, 0)], so that a Newton
step costs no more than a plain one.

Where `two_type_unique` is certain that there is one solution Newton's method may start anywhere; on
other lines `two_type_branch` follows the principal branch.

Loops run over the nodes of a block, at one action, and become vector code. At the two ends of a
line nothing is to be learnt: there strategies are the logit at the node's own values.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.elementary import exp, log
from detente.solver.kernels.jit import device
from detente.solver.kernels.lottery import LEAST, BeliefLayout
from detente.solver.kernels.stage import CERTAIN, FOLDED, SOLVED, TRACED, UNCERTAIN, UNIQUE

BLOCK = 128  # nodes that are solved together: a line of the default grid, or eight of 17 nodes
PADDING = 8  # rows a power of 2 long would all stand at the same place of a processor's cache
VECTOR = 8  # of which so many are worked on at once
MAX_NEWTON = 12  # steps; beyond them a node is left to a method that takes its time
MAX_POLISH = 8  # the same where it begins next to the solution
TOLERANCE = 1e-12  # of the residual
NEAR = 5e-7  # a step after which it is below: at most three times the square is left


class Lines(NamedTuple):
    """Scratch: numbers of a block of nodes y.

    ratio, cell, share, bent
        float64 [a, y]: ℓ; where the posterior's cell begins, in b, and the share of the way through
        it; n λ u' (1 - u').
    q_0, q_1, d_0, d_1, s_0, s_1
        float64 [a, y], by type: λ Q, its derivative by ℓ, σ.
    residual, inverse, slope, last, tangent
        float64 [a, y]: R, 1 / d, v / d; ℓ one step before, and ∂ℓ/∂λ there.
    rho, origin, lost, reached, folded
        float64 [y]: ρ; b of the first node of the line; 1 where a node has been given up, and the
        share of λ up to which it was followed; 1 where its branch has turned back.
    top_0, top_1, total_0, total_1, shift, worst, size, sum, weighted, unsolved
        float64 [y]: sums and largest numbers over actions.
    spread
        float64 [b]: n times the largest u' (1 - u') in the step from a node to the next; 0 behind
        the last node of a line.
    least, low, high
        float64 [b]: bounds of `two_type_unique`.
    start
        float64 [b]: share of λ at which the line is certain to have one solution.
    nodes
        int64 [b]: the inner nodes of lines that are certain to have one solution, and from the end
        on those of all others.
    point
        float64 [10, a + 1]: scratch of `two_type_fold`.
    """

    ratio: np.ndarray
    cell: np.ndarray
    share: np.ndarray
    bent: np.ndarray
    q_0: np.ndarray
    q_1: np.ndarray
    d_0: np.ndarray
    d_1: np.ndarray
    s_0: np.ndarray
    s_1: np.ndarray
    residual: np.ndarray
    inverse: np.ndarray
    slope: np.ndarray
    last: np.ndarray
    tangent: np.ndarray
    rho: np.ndarray
    origin: np.ndarray
    lost: np.ndarray
    reached: np.ndarray
    folded: np.ndarray
    top_0: np.ndarray
    top_1: np.ndarray
    total_0: np.ndarray
    total_1: np.ndarray
    shift: np.ndarray
    worst: np.ndarray
    size: np.ndarray
    sum: np.ndarray
    weighted: np.ndarray
    unsolved: np.ndarray
    spread: np.ndarray
    least: np.ndarray
    low: np.ndarray
    high: np.ndarray
    start: np.ndarray
    nodes: np.ndarray
    point: np.ndarray


def make_lines(layout: BeliefLayout, most: int) -> Lines:
    """Scratch for up to `most` actions."""
    nodes, steps, place = layout.outside.shape[1], int(layout.steps[0]), layout.place[0]
    left, right = place / steps, (place + 1) / steps
    nearest = np.clip(0.5, left, right)
    spread = np.where(place < steps, nearest * (1.0 - nearest), 0.0)
    actions, sums = Lines._fields[:15], Lines._fields[15:30]
    rows = dict(zip(actions, np.zeros((len(actions), most, BLOCK + PADDING)), strict=True))
    rows |= dict(zip(sums, np.zeros((len(sums), BLOCK + PADDING)), strict=True))
    rows |= {name: np.zeros(nodes) for name in ("least", "low", "high", "start")}
    whole = {"nodes": np.zeros(nodes, np.int64), "point": np.zeros((10, most + 1))}
    return Lines(**rows, spread=steps * spread, **whole)


@device
def enter_block(layout, lines, count, first, last, play, warm):
    """What is known of nodes first … last - 1 of lines.nodes, and ℓ to begin with; gives how many
    they are, with copies of the last that fill up the vectors, and are not looked at."""
    node, nodes = layout.node[0], last - first
    size = (nodes + VECTOR - 1) // VECTOR * VECTOR
    for y in range(size):
        b = lines.nodes[min(first + y, last - 1)]
        lines.rho[y] = node[0, b] / node[1, b]
        lines.origin[y] = b - layout.place[0, b] * layout.jump[0]
        lines.lost[y] = 1.0 if y >= nodes else 0.0
        lines.reached[y] = 0.0
        lines.folded[y] = 0.0
    for a in range(count):
        ratio = lines.ratio[a]
        for y in range(size):
            ratio[y] = (
                log_odds(play, count, a, lines.nodes[min(first + y, last - 1)]) if warm else 0.0
            )
    return size


@device
def newton(shape, work, count, n, lines, most, close):
    """Newton's method at all nodes of a block, up to `most` steps.

    lines.unsolved is left as 0 where a node is solved, else 1; nodes that are lost are not waited
    for, and stay where they are.
    """
    lam, steps, jump = shape
    payoff, reference = work.payoff, work.reference[0]
    hop, cells, wide, scale = np.uint64(jump), steps - 1.0, np.float64(jump), lam * steps
    rho, origin, shift = lines.rho, lines.origin, lines.shift
    top_0, top_1, total_0, total_1 = lines.top_0, lines.top_1, lines.total_0, lines.total_1
    worst, size, weighted, total = lines.worst, lines.size, lines.weighted, lines.sum
    begun = 0
    for a in range(count):
        ratio = lines.ratio[a]
        for y in range(n):
            begun += ratio[y] != 0.0
    for trial in range(most + 1):
        for y in range(n):
            top_0[y] = -math.inf
            top_1[y] = -math.inf
            total_0[y] = 0.0
            total_1[y] = 0.0
            worst[y] = 0.0
            size[y] = 1.0
            total[y] = 1.0
            weighted[y] = 0.0
        for a in range(count):
            ratio, cell, share, bent = lines.ratio[a], lines.cell[a], lines.share[a], lines.bent[a]
            q_0, q_1, d_0, d_1 = lines.q_0[a], lines.q_1[a], lines.d_0[a], lines.d_1[a]
            for y in range(n):
                odds = rho[y] * exp(-ratio[y]) if begun > 0 else rho[y]
                post = 1.0 / (1.0 + odds)
                t = post * steps
                whole = np.floor(t)
                whole = whole if whole < cells else cells
                cell[y] = origin[y] + wide * whole
                share[y] = t - whole
                bent[y] = scale * (post * (1.0 - post))
            zero, one = payoff[a, 0], payoff[a, 1]
            for y in range(n):
                k = np.uint64(np.int64(cell[y]))
                rise_0, rise_1 = zero[k + hop] - zero[k], one[k + hop] - one[k]
                low = lam * (zero[k] + share[y] * rise_0)
                high = lam * (one[k] + share[y] * rise_1)
                d_0[y] = rise_0 * bent[y]
                d_1[y] = rise_1 * bent[y]
                q_0[y] = low
                q_1[y] = high
                top_0[y] = low if low > top_0[y] else top_0[y]
                top_1[y] = high if high > top_1[y] else top_1[y]
                low = abs(low) if abs(low) > abs(high) else abs(high)
                size[y] = low if low > size[y] else size[y]
        for a in range(count):
            q_0, q_1, s_0, s_1 = lines.q_0[a], lines.q_1[a], lines.s_0[a], lines.s_1[a]
            usual = reference[a]
            for y in range(n):
                s_0[y] = usual * exp(q_0[y] - top_0[y])
                total_0[y] += s_0[y]
            for y in range(n):
                s_1[y] = usual * exp(q_1[y] - top_1[y])
                total_1[y] += s_1[y]
        for y in range(n):
            shift[y] = log(total_1[y] / total_0[y]) + (top_1[y] - top_0[y])
            total_0[y] = 1.0 / total_0[y]
            total_1[y] = 1.0 / total_1[y]
        for a in range(count):
            q_0, q_1, d_0, d_1 = lines.q_0[a], lines.q_1[a], lines.d_0[a], lines.d_1[a]
            s_0, s_1, ratio, residual = (
                lines.s_0[a],
                lines.s_1[a],
                lines.ratio[a],
                lines.residual[a],
            )
            inverse, slope = lines.inverse[a], lines.slope[a]
            for y in range(n):
                s_0[y] *= total_0[y]
                s_1[y] *= total_1[y]
                off = ratio[y] - (q_1[y] - q_0[y]) + shift[y]
                residual[y] = off
                worst[y] = worst[y] if abs(off) < worst[y] else abs(off)
                inverse[y] = 1.0 / (1.0 - (d_1[y] - d_0[y]))
                slope[y] = (s_1[y] * d_1[y] - s_0[y] * d_0[y]) * inverse[y]
                total[y] += slope[y]
                weighted[y] += slope[y] * off
        if count_open(n, lines, close) == 0 or trial == most:
            return
        far = move(count, n, lines)
        if far == 0 and close == TOLERANCE and adjust(lam, count, n, lines) == 0:
            return
        begun = 1


@device
def move(count, n, lines):
    """A Newton step at all nodes: lines.residual comes off ℓ. Gives at how many it is not small."""
    lost, unsolved, weighted, size = lines.lost, lines.unsolved, lines.weighted, lines.size
    far = 0
    for y in range(n):
        size[y] = 0.0
    for a in range(count):
        ratio, residual, inverse = lines.ratio[a], lines.residual[a], lines.inverse[a]
        for y in range(n):
            # A solved node stays: another step would only move it by rounding.
            step = (residual[y] - weighted[y]) * inverse[y]
            step = step if step < 8.0 else 8.0
            step = step if step > -8.0 else -8.0
            step *= unsolved[y] * (1.0 - lost[y])
            ratio[y] -= step
            residual[y] = step
            size[y] = size[y] if abs(step) <= size[y] else abs(step)
    for y in range(n):
        far += not size[y] <= NEAR
    return far


@device
def adjust(lam, count, n, lines):
    """Responses after a step whose square is too small to be seen, so that nothing is left to do.
    Gives at how many nodes it was not: where λ Q changes more than ℓ, or a posterior may have gone
    to another cell."""
    mean_0, mean_1, size, far = lines.top_0, lines.top_1, lines.size, 0
    for y in range(n):
        mean_0[y] = 1.0
        mean_1[y] = 1.0
    for a in range(count):
        step, share, bent = lines.residual[a], lines.share[a], lines.bent[a]
        s_0, s_1, d_0, d_1 = lines.s_0[a], lines.s_1[a], lines.d_0[a], lines.d_1[a]
        for y in range(n):
            low, high = d_0[y] * step[y], d_1[y] * step[y]
            mean_0[y] += s_0[y] * low
            mean_1[y] += s_1[y] * high
            inside = abs(share[y] - bent[y] * step[y] / lam - 0.5) < 0.5 - 1e-9 or step[y] == 0.0
            low = abs(low) if abs(low) > abs(high) else abs(high)
            low = low if inside else 1.0
            size[y] = size[y] if low <= size[y] else low
    for y in range(n):
        far += not size[y] <= NEAR
    for a in range(count):
        step, s_0, s_1 = lines.residual[a], lines.s_0[a], lines.s_1[a]
        d_0, d_1 = lines.d_0[a], lines.d_1[a]
        for y in range(n):
            s_0[y] *= mean_0[y] - d_0[y] * step[y]
            s_1[y] *= mean_1[y] - d_1[y] * step[y]
    if far == 0:
        for y in range(n):
            lines.unsolved[y] = min(lines.unsolved[y], lines.lost[y])
            lines.worst[y] *= lines.lost[y]
    return far


@device
def count_open(n, lines, close):
    """How many nodes are not solved, of those that are not lost."""
    worst, size, weighted, total = lines.worst, lines.size, lines.weighted, lines.sum
    unsolved, lost, left = lines.unsolved, lines.lost, 0
    for y in range(n):
        # Against its rounding error; what is not a number is not solved.
        unsolved[y] = 0.0 if worst[y] <= close + 1e-14 * size[y] else 1.0
        weighted[y] /= total[y]
    for y in range(n):
        left += unsolved[y] > lost[y]
    return left


@device
def settle(layout, work, lines, count, first, last, play, certain, counts):
    """Strategies of a block from ℓ and the responses; gives how many nodes are left.

    The ratio of the two types' is exp(ℓ) to the last digit: where values are steep in the
    posterior, what is left of the residual would otherwise be magnified by it.
    """
    nodes, node = last - first, lines.nodes[first:last]
    for a in range(count):
        ratio, s_0, s_1 = lines.ratio[a], lines.s_0[a], lines.s_1[a]
        for y in range((nodes + VECTOR - 1) // VECTOR * VECTOR):
            larger = max(max(s_0[y], s_1[y]), LEAST)
            smaller = larger * exp(-abs(ratio[y]))
            s_0[y] = smaller if ratio[y] > 0.0 else larger
            s_1[y] = larger if ratio[y] > 0.0 else smaller
        zero, one = play[a], play[count + a]
        for y in range(nodes):
            zero[node[y]] = s_0[y]
            one[node[y]] = s_1[y]
    left, folded, hard = 0, 0, CERTAIN if certain else UNCERTAIN
    for y in range(nodes):
        open_ = lines.unsolved[y] + lines.lost[y] > 0.0
        work.left[node[y]] = hard if open_ else SOLVED
        left += open_
        folded += lines.folded[y] > 0.0 and not open_
    counts[UNIQUE if certain else TRACED] += nodes - left - folded
    counts[FOLDED] += folded
    return left


@device
def polish(layout, work, lines, count, play):
    """Newton's method once more in ℓ, at nodes that were solved in log odds.

    Where actions are hardly ever taken log odds are large and their rounding is seen in ℓ, which
    is all that posteriors depend on. A node that would move is left as it is.
    """
    nodes = 0
    for b in range(work.left.shape[0]):
        if work.left[b] != SOLVED:
            lines.nodes[nodes] = b
            nodes += 1
    most, shape = np.int64(MAX_POLISH), (layout.lam[0], layout.steps[0], layout.jump[0])
    for first in range(0, nodes, BLOCK):
        last = min(first + BLOCK, nodes)
        size = enter_block(layout, lines, count, first, last, play, True)
        newton(shape, work, count, size, lines, most, TOLERANCE)
        for y in range(last - first):
            b, moved = lines.nodes[first + y], 0.0
            for a in range(count):
                moved = max(moved, abs(lines.ratio[a, y] - log_odds(play, count, a, b)))
            if not (lines.worst[y] < 1e-10 and moved <= 1e-2):
                continue
            for a in range(count):
                ratio = lines.ratio[a, y]
                larger = max(lines.s_0[a, y], lines.s_1[a, y], LEAST)
                play[a, b] = larger * exp(min(-ratio, 0.0))
                play[count + a, b] = larger * exp(min(ratio, 0.0))


@device
def log_odds(play, count, a, b):
    """ℓ(a) of strategies [(θ, a), b]."""
    return log(max(play[count + a, b], 1e-307) / max(play[a, b], 1e-307))
