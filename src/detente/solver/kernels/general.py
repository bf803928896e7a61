"""The stage problem of one turn at one state and belief: any movers at once, any types.

Type θ of mover m chooses own action a with probability σ(a|θ) ∝ w(a) exp(λ Q(a, θ)); Q is expected
over the other movers' choices, over the others' types under the belief, and evaluated at the
beliefs to which the joint action leads by Bayes' rule. Unknown are the log odds against reference
behaviour w, y(m, θ, a) = log σ(a|θ) / w(a) - log σ(0|θ) / w(0), a ≥ 1; the equation at precision
s λ is

    R = y - s λ [Q(a, θ) - Q(0, θ)] = 0.

Next values are linear in each cell of the belief grid, so that R is smooth but for kinks where a
posterior crosses from one cell to the next. Index letters as in `stage`, and D numbers
(m, θ, a ≥ 1); payoff is float64 [e, (m, q), b], what `stage.expect` makes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.elementary import eliminate
from detente.solver.kernels.hidden_moves import (
    Unseen,
    evaluate_pooled,
    make_unseen,
    update_pooled,
)
from detente.solver.kernels.jit import device
from detente.solver.kernels.lottery import (
    LOG_LEAST,
    BeliefLayout,
    Lottery,
    corner,
    corners,
    locate,
    make_lottery,
)

MAX_NEWTON = 40
FINE = 1e-10  # residual below which Newton's method rests where rounding may be larger still
LEAST_LOG = -690.0  # of a probability that is 0: its log odds must be numbers


class Stage(NamedTuple):
    """Scratch of one stage problem, and the answer at the node solved last.

    n_actions, first, unknown, pooled, own
        int64 [m], [m], [m], [m], [e, m]: own actions, where a mover's block begins in N and in D,
        1 where its types are known to act alike, and the own actions of each joint action.
    node
        int64 [1]: b.
    log_reference
        float64 [m, a]: log w, up to a constant.
    y, log, play, value
        float64 [D], [N], [N], [N]: unknowns, log σ, σ and Q.
    cross
        float64 [N, N]: ∂Q / ∂ log σ.
    residual, matrix, tangent, point
        float64 [D + 1], [D + 1, D + 3], [D + 1], [5, D + 1].
    mean, rise
        float64 [(m, q)], [j, φ, (m, q)]: scratch of `evaluate`.
    digit
        int64 [m]: the corner that is looked at.
    lottery
        At the one node.
    hidden
        What others do not see of the choice.
    """

    n_actions: np.ndarray
    first: np.ndarray
    unknown: np.ndarray
    pooled: np.ndarray
    own: np.ndarray
    node: np.ndarray
    log_reference: np.ndarray
    y: np.ndarray
    log: np.ndarray
    play: np.ndarray
    value: np.ndarray
    cross: np.ndarray
    residual: np.ndarray
    matrix: np.ndarray
    tangent: np.ndarray
    point: np.ndarray
    mean: np.ndarray
    rise: np.ndarray
    digit: np.ndarray
    lottery: Lottery
    hidden: Unseen


def make_stage(layout: BeliefLayout, most: int, joint: int, *, hidden: bool = False) -> Stage:
    """Scratch for up to `most` own actions of a mover and `joint` joint actions."""
    count, n_types = layout.actor.size, int(layout.n_types.max(initial=1))
    blocks, combined = int(layout.n_types.sum()) * most, count * len(layout.types)
    whole = np.int64
    return Stage(
        n_actions=np.ones(count, whole),
        first=np.zeros(count, whole),
        unknown=np.zeros(count, whole),
        pooled=np.zeros(count, whole),
        own=np.zeros((joint, count), whole),
        node=np.zeros(1, whole),
        log_reference=np.zeros((count, most)),
        y=np.zeros(blocks),
        log=np.zeros(blocks),
        play=np.zeros(blocks),
        value=np.zeros(blocks),
        cross=np.zeros((blocks, blocks)),
        residual=np.zeros(blocks + 1),
        matrix=np.zeros((blocks + 1, blocks + 3)),
        tangent=np.zeros(blocks + 1),
        point=np.zeros((5, blocks + 1)),
        mean=np.zeros(combined),
        rise=np.zeros((count, n_types, combined)),
        digit=np.zeros(count, whole),
        lottery=make_lottery(layout, most, 1, slopes=True),
        hidden=make_unseen(most, n_types if hidden else 0),
    )


@device
def enter_state(layout, stage, n_actions):
    """Set the stage for a state with so many own actions; gives D."""
    blocks, n_unknowns, joint = 0, 0, 1
    for m in range(n_actions.shape[0]):
        stage.n_actions[m] = n_actions[m]
        stage.first[m] = blocks
        stage.unknown[m] = n_unknowns
        blocks += layout.n_types[m] * n_actions[m]
        n_unknowns += layout.n_types[m] * (n_actions[m] - 1)
        joint *= n_actions[m]
    for e in range(joint):
        rest = e
        for m in range(n_actions.shape[0] - 1, -1, -1):
            stage.own[e, m] = rest % n_actions[m]
            rest //= n_actions[m]
    return n_unknowns


@device
def enter_reference(stage, reference):
    """Set the stage for reference behaviour w [m, a]."""
    for m in range(stage.n_actions.shape[0]):
        for a in range(stage.n_actions[m]):
            stage.log_reference[m, a] = math.log(reference[m, a])


@device
def restart(stage, n_unknowns, start):
    """The log odds from which Newton's method begins: `start`, or 0 where there is none."""
    for r in range(n_unknowns):
        stage.y[r] = start[r] if start.shape[0] > 0 else 0.0


@device
def recall(layout, stage, play, b):
    """The log odds y of strategies [(m, θ, a), b] at a node."""
    for m in range(stage.n_actions.shape[0]):
        count, usual = stage.n_actions[m], stage.log_reference[m]
        for theta in range(layout.n_types[m]):
            begin = stage.first[m] + theta * count
            low = max(math.log(max(play[begin, b], 1e-307)), LEAST_LOG) - usual[0]
            for a in range(1, count):
                log = max(math.log(max(play[begin + a, b], 1e-307)), LEAST_LOG) - usual[a]
                stage.y[stage.unknown[m] + theta * (count - 1) + a - 1] = log - low


@device
def choose(layout, stage):
    """log σ and σ of all types from the log odds y."""
    for m in range(stage.n_actions.shape[0]):
        count = stage.n_actions[m]
        for theta in range(layout.n_types[m]):
            begin = stage.first[m] + theta * count
            odds = stage.unknown[m] + theta * (count - 1)
            top, total = -math.inf, 0.0
            for a in range(count):
                value = stage.y[odds + a - 1] if a > 0 else 0.0
                stage.log[begin + a] = value + stage.log_reference[m, a]
                top = max(top, stage.log[begin + a])
            for a in range(count):
                stage.log[begin + a] -= top
                total += math.exp(stage.log[begin + a])
            total = math.log(total)
            for a in range(count):
                stage.log[begin + a] -= total
                stage.play[begin + a] = math.exp(stage.log[begin + a])


@device
def update_beliefs(layout, stage):
    """The lotteries of all own actions, by Bayes' rule from log σ, and their derivatives."""
    if stage.hidden.ratio.shape[0] > 0:
        update_pooled(layout, stage)
        return
    b, lottery = stage.node[0], stage.lottery
    for m in range(stage.n_actions.shape[0]):
        count, n_types = stage.n_actions[m], layout.n_types[m]
        moves = layout.steps[m] > 0 and count > 1 and stage.pooled[m] == 0
        lottery.vertices[m] = n_types if moves else 1
        for a in range(count if moves else 0):
            top = -math.inf
            for theta in range(n_types):
                if layout.node[m, theta, b] > 0.0:
                    top = max(top, stage.log[stage.first[m] + theta * count + a])
            for theta in range(n_types):
                log = min(stage.log[stage.first[m] + theta * count + a] - top, 0.0)
                lottery.share[theta, 0] = layout.node[m, theta, b] * math.exp(log)
            locate(layout, m, a, b, 1, lottery)


@device
def evaluate(layout, stage, payoff):
    """Q and its derivatives `cross` by log σ; `choose` and `update_beliefs` come before."""
    if stage.hidden.ratio.shape[0] > 0:
        evaluate_pooled(layout, stage, payoff)
        return
    count, combined = stage.n_actions.shape[0], layout.types.shape[0]
    lottery, b, joint = stage.lottery, stage.node[0], 1
    for m in range(count):
        joint *= stage.n_actions[m]
    stage.value[:] = 0.0
    stage.cross[:] = 0.0
    for e in range(joint):
        own = stage.own[e]
        stage.mean[:] = 0.0
        stage.rise[:] = 0.0
        for _ in range(corners(lottery)):
            for m in range(count):
                stage.digit[m] = lottery.digit[m]
            corner(lottery, own, b, 1)
            node, weight = lottery.at[0], lottery.mass[0]
            for r in range(count * combined):
                stage.mean[r] += weight * payoff[e, r, node]
            for j in range(count):
                if lottery.vertices[j] == 1:
                    continue
                others = 1.0
                for m in range(count):
                    if m != j and lottery.vertices[m] > 1:
                        others *= lottery.weight[m, own[m], stage.digit[m], 0]
                for phi in range(layout.n_types[j]):
                    slope = others * lottery.slope[j, own[j], stage.digit[j], phi, 0]
                    for r in range(count * combined):
                        stage.rise[j, phi, r] += slope * payoff[e, r, node]
        for m in range(count):
            for q in range(combined):
                chance = layout.lift[m, q, b] if layout.lift.shape[0] > 0 else 1.0
                for j in range(count):
                    if j != m:
                        theta = layout.types[q, j]
                        chance *= layout.believed[j, theta, b]
                        chance *= stage.play[stage.first[j] + theta * stage.n_actions[j] + own[j]]
                if chance == 0.0:
                    continue
                row = stage.first[m] + layout.types[q, m] * stage.n_actions[m] + own[m]
                mean = chance * stage.mean[m * combined + q]
                stage.value[row] += mean
                for j in range(count):
                    begin = stage.first[j] + own[j]
                    if j != m:
                        stage.cross[row, begin + layout.types[q, j] * stage.n_actions[j]] += mean
                    if lottery.vertices[j] > 1:
                        for phi in range(layout.n_types[j]):
                            column = begin + phi * stage.n_actions[j]
                            rise = stage.rise[j, phi, m * combined + q]
                            stage.cross[row, column] += chance * rise


@device
def respond(layout, stage, payoff, share):
    """Everything at the log odds y, and the residual at precision `share` λ.

    Gives the largest |R| and a bound of its rounding error: that of λ Q itself, and that of log σ,
    which steep values magnify.
    """
    choose(layout, stage)
    update_beliefs(layout, stage)
    evaluate(layout, stage, payoff)
    worst, size, steepest, longest = 0.0, 1.0, 0.0, 0.0
    blocks = 0
    for m in range(stage.n_actions.shape[0]):
        blocks += layout.n_types[m] * stage.n_actions[m]
    for m in range(stage.n_actions.shape[0]):
        count, lam = stage.n_actions[m], share * layout.lam[m]
        for r in range(stage.first[m], stage.first[m] + layout.n_types[m] * count):
            steep = 0.0
            for c in range(blocks):
                steep += abs(stage.cross[r, c])
            steepest = max(steepest, lam * steep)
            longest = max(longest, -stage.log[r])
        for theta in range(layout.n_types[m]):
            begin = stage.first[m] + theta * count
            odds = stage.unknown[m] + theta * (count - 1)
            size = max(size, abs(lam * stage.value[begin]))
            for a in range(1, count):
                gain = lam * (stage.value[begin + a] - stage.value[begin])
                residual = stage.y[odds + a - 1] - gain
                stage.residual[odds + a - 1] = residual
                worst = max(worst, abs(residual)) if abs(residual) < math.inf else math.inf
                size = max(size, abs(lam * stage.value[begin + a]))
    return worst, 1e-14 * size + 4e-15 * longest * steepest


@device
def differentiate(layout, stage, share, n_unknowns, matrix):
    """∂R/∂y at precision `share` λ into matrix[:D, :D], and ∂R/∂s into column D."""
    for r in range(n_unknowns):
        for c in range(n_unknowns):
            matrix[r, c] = 0.0
        matrix[r, r] = 1.0
    for m in range(stage.n_actions.shape[0]):
        count, lam = stage.n_actions[m], share * layout.lam[m]
        for theta in range(layout.n_types[m]):
            begin = stage.first[m] + theta * count
            for a in range(1, count):
                row = stage.unknown[m] + theta * (count - 1) + a - 1
                more, less = stage.cross[begin + a], stage.cross[begin]
                gain = stage.value[begin + a] - stage.value[begin]
                matrix[row, n_unknowns] = -layout.lam[m] * gain
                for j in range(stage.n_actions.shape[0]):
                    options = stage.n_actions[j]
                    for phi in range(layout.n_types[j]):
                        block = stage.first[j] + phi * options
                        total = 0.0
                        for c in range(options):
                            total += more[block + c] - less[block + c]
                        odds = stage.unknown[j] + phi * (options - 1)
                        for c in range(1, options):
                            change = more[block + c] - less[block + c]
                            change -= stage.play[block + c] * total
                            matrix[row, odds + c - 1] -= lam * change


@device
def newton(layout, stage, payoff, n_unknowns):
    """Newton's method with halved steps from stage.y at the full precision; whether it converged.

    At the end the stage holds everything at the solution.
    """
    old, step = stage.point[3], stage.point[4]
    residual, rounding = respond(layout, stage, payoff, 1.0)
    for _ in range(MAX_NEWTON):
        if residual <= 1e-12 + min(rounding, FINE):
            return True
        differentiate(layout, stage, 1.0, n_unknowns, stage.matrix)
        for r in range(n_unknowns):
            stage.matrix[r, n_unknowns] = stage.residual[r]
            old[r] = stage.y[r]
        if eliminate(stage.matrix, n_unknowns, n_unknowns + 1) == 0.0:
            return False
        for r in range(n_unknowns):
            step[r] = stage.matrix[r, n_unknowns]
        share = 1.0
        before = residual
        for _ in range(12):
            for r in range(n_unknowns):
                stage.y[r] = old[r] - share * step[r]
            residual, rounding = respond(layout, stage, payoff, 1.0)
            if residual <= max(before * (1.0 - 0.1 * share), 1e-12 + min(rounding, FINE)):
                break
            share *= 0.5
        if not residual < before:  # also where it is not a number
            for r in range(n_unknowns):
                stage.y[r] = old[r]
            residual, rounding = respond(layout, stage, payoff, 1.0)
            return residual <= 1e-10 + 10.0 * rounding
    return residual <= 1e-10 + 10.0 * rounding


@device
def keep_play(layout, stage, play, b):
    """Strategies at a node, [(m, θ, a), b], so that ratios between types survive underflow."""
    for m in range(stage.n_actions.shape[0]):
        count, first = stage.n_actions[m], stage.first[m]
        for a in range(count):
            top = -math.inf
            for theta in range(layout.n_types[m]):
                top = max(top, stage.log[first + theta * count + a])
            lift = max(top, LOG_LEAST) - top
            for theta in range(layout.n_types[m]):
                row = first + theta * count + a
                play[row, b] = math.exp(stage.log[row] + lift)
