"""Values from given strategies, and the adjoint of a layer: what a number gains by everything.

The adjoint runs forward in time. From the derivatives A of a number by a layer's values it makes
those by the next layer's values, by the layer's probabilities and rewards, by the movers'
precision and by the priors. What strategies do to the number goes through the stage problem
R(y, Q) = 0 by the implicit function theorem: with g its derivative by y, Jᵀ μ = g, and μ takes
the place of g for Q (Christianson 1994; Blondel et al. 2022). Values are those of payoffs,
c = (i, p), and after them those of what is only observed, P at a time.
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.stage import (
    combine,
    enter_node,
    enter_state,
    reach,
    see,
)
from detente.solver.kernels.stage_problem import differentiate, eliminate, respond
from detente.solver.kernels.turn import look_ahead

LEAST_LOG = -690.0  # of a probability that is 0: its log odds must be numbers


@kernel
def follow(first, last, part, turn, next_values, sigma, values, stage, continuation):
    """Values [x, b, c] of the states first … last - 1 when σ is played; scratch as in `adjoin`,
    but for `continuation`, float64 [e, b, c]."""
    beliefs = next_values.shape[1]
    # Unsigned positions: of a signed one Numba asks whether it counts from the end.
    width = np.uint64(next_values.shape[2])
    movers = turn.movers
    flat, target, chance = continuation.reshape(-1), values.reshape(-1), stage.chance
    for x in range(first, last):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        if count == 1:
            look_ahead(part, 0, begin, next_values, values[x])
            continue
        size = part.play_ptr[x + 1] - part.play_ptr[x]
        for e in range(count):
            look_ahead(part, 0, begin + e, next_values, continuation[e])
        enter_state(movers, stage, part.n_actions[x])
        for o in range(turn.base.shape[0]):
            for node in range(turn.local.shape[0]):
                b = turn.base[o] + turn.local[node]
                enter_node(movers, stage, node)
                see(movers, stage, sigma, beliefs * part.play_ptr[x] + b * size)
                row = np.uint64(x * beliefs + b) * width
                for c in range(width):
                    target[row + c] = 0.0
                for e in range(count):
                    joint_chance(turn, stage, e)
                    for _ in range(reach(movers, stage)):
                        at, weight = combine(stage, e)
                        to = turn.base[o] + turn.local[at]
                        came = np.uint64(e * beliefs + to) * width
                        for c in range(width):
                            target[row + c] += weight * chance[c] * flat[came + c]


@device
def joint_chance(turn, stage, e):
    """Probability of joint action e, for each component c its profile's, into stage.chance."""
    movers, profiles, chance = turn.movers, turn.profile.shape[0], stage.chance
    for p in range(profiles):
        total = 1.0
        for m in range(turn.actor.shape[0]):
            theta = movers.types[turn.profile[p], m]
            row = stage.first[m] + theta * stage.n_actions[m]
            total *= stage.play[row + stage.own[e, m]]
        for c in range(p, chance.shape[0], profiles):
            chance[c] = total


@kernel
def adjoin(
    first,
    last,
    part,
    turn,
    next_values,
    sigma,
    n_types,
    profiles,
    believed,
    gain,
    following_gain,
    prob_gain,
    reward_gain,
    precision_gain,
    ratio_gain,
    stage,
    continuation,
    back,
    payoff,
):
    """The adjoint of a layer for the beliefs o = first … last - 1 about those who do not move.

    next_values
        float64 [x', b, c]: the next layer's values.
    n_types, profiles, believed
        int64 [i], int64 [p, i], float64 [i, b, θ]: types of all actors, and beliefs about them.
    gain
        float64 [x, b, c]: derivatives by the layer's values.
    following_gain, prob_gain, reward_gain, precision_gain
        Added to, float64 [x', b, c], [k], [e, c], [m].
    ratio_gain
        Added to, float64 [i, θ]: derivatives by the logarithms of the priors, through what movers
        expect of others.
    stage, continuation, back, payoff
        Scratch: see `stage.Stage`, of width C; float64 [e, l, c], [e, l, c], [e, l, m, q].
    """
    beliefs, width = next_values.shape[1], next_values.shape[2]
    components = part.reward.shape[1]
    movers = turn.movers
    nodes = turn.local.shape[0]
    flat_back, source, target = (
        back.reshape(-1),
        next_values.reshape(-1),
        following_gain.reshape(-1),
    )
    wide = np.uint64(width)
    for x in range(gain.shape[0]):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        size = part.play_ptr[x + 1] - part.play_ptr[x]
        n_unknowns = np.int64(0)
        if count > 1:
            n_unknowns = enter_state(movers, stage, part.n_actions[x])
        for o in range(first, last):
            if not any_gain(turn, gain[x], o):
                continue
            back[:count] = 0.0
            if count > 1:
                for e in range(count):
                    look_from(part, turn, begin + e, o, next_values, continuation[e])
                weigh_all(turn, continuation, count, o, payoff)
            for node in range(nodes):
                b = turn.base[o] + turn.local[node]
                if count == 1:
                    for c in range(width):
                        back[0, node, c] = gain[x, b, c]
                    continue
                enter_node(movers, stage, node)
                remember(movers, stage, sigma, beliefs * part.play_ptr[x] + b * size)
                respond(movers, stage, payoff, 1.0)
                turn_back(turn, stage, continuation, count, gain[x, b], back)
                implicit(movers, stage, n_unknowns, precision_gain)
                pass_to_payoffs(
                    turn,
                    stage,
                    continuation,
                    count,
                    o,
                    n_types,
                    profiles,
                    believed[:, b],
                    back,
                    ratio_gain,
                )
            for e in range(begin, begin + count):
                for node in range(nodes):
                    for c in range(components):
                        reward_gain[e, c] += back[e - begin, node, c]
                for k in range(part.trans_ptr[e], part.trans_ptr[e + 1]):
                    chance, total = part.prob[k], 0.0
                    for node in range(nodes):
                        b = turn.base[o] + turn.local[node]
                        to = np.uint64(part.succ[k] * beliefs + b) * wide
                        came = np.uint64((e - begin) * nodes + node) * wide
                        for c in range(wide):
                            target[to + c] += chance * flat_back[came + c]
                        for c in range(wide):
                            total += flat_back[came + c] * source[to + c]
                    prob_gain[k] += total


@device
def any_gain(turn, gain, o):
    """Whether any derivative of a line, of gain [b, c], is not 0."""
    for node in range(turn.local.shape[0]):
        b = turn.base[o] + turn.local[node]
        for c in range(gain.shape[1]):
            if gain[b, c] != 0.0:
                return True
    return False


@device
def look_from(part, turn, e, o, next_values, target):
    """`turn.look_ahead` on the movers' own grid at o: float64 [l, c]."""
    nodes, components = target.shape[0], np.uint64(part.reward.shape[1])
    wide, beliefs = np.uint64(target.shape[1]), next_values.shape[1]
    source, flat = next_values.reshape(-1), target.reshape(-1)
    for node in range(nodes):
        b = turn.base[o] + turn.local[node]
        to = np.uint64(node) * wide
        for c in range(wide):
            flat[to + c] = 0.0
        for c in range(components):
            flat[to + c] = part.reward[e, c]
        for k in range(part.trans_ptr[e], part.trans_ptr[e + 1]):
            chance, came = part.prob[k], np.uint64(part.succ[k] * beliefs + b) * wide
            for c in range(wide):
                flat[to + c] += chance * source[came + c]


@device
def weigh_all(turn, continuation, count, o, payoff):
    """What movers expect over the types of those who do not move: `stage_problem.evaluate`."""
    profiles = turn.profile.shape[0]
    for e in range(count):
        for node in range(turn.local.shape[0]):
            for m in range(turn.actor.shape[0]):
                for q in range(turn.members.shape[0]):
                    total = 0.0
                    for r in range(turn.members.shape[1]):
                        p = turn.members[q, r]
                        total += (
                            turn.outside[o, p] * continuation[e, node, turn.actor[m] * profiles + p]
                        )
                    payoff[e, node, m, q] = total


@device
def remember(movers, stage, sigma, offset):
    """The log odds y of strategies [(m, θ, a)] that stand at `offset`."""
    for m in range(movers.n_types.shape[0]):
        count = stage.n_actions[m]
        for theta in range(movers.n_types[m]):
            begin = offset + stage.first[m] + theta * count
            low = max(math.log(sigma[begin]), LEAST_LOG) if sigma[begin] > 0.0 else LEAST_LOG
            for a in range(1, count):
                play = sigma[begin + a]
                log = max(math.log(play), LEAST_LOG) if play > 0.0 else LEAST_LOG
                stage.y[stage.n_unknowns[m] + theta * (count - 1) + a - 1] = log - low


@device
def turn_back(turn, stage, continuation, count, gain, back):
    """From gain [c] at a node to `back` [e, l, c], and to stage.gain, the derivatives by log σ."""
    movers, profiles = turn.movers, turn.profile.shape[0]
    several, width = turn.actor.shape[0], np.uint64(gain.shape[0])
    flat, flat_back, chance = continuation.reshape(-1), back.reshape(-1), stage.chance
    stage.gain[:] = 0.0
    for e in range(count):
        joint_chance(turn, stage, e)
        for _ in range(reach(movers, stage)):
            for m in range(several):
                stage.kept[m] = stage.digit[m]
            at, weight = combine(stage, e)
            to = np.uint64(e * continuation.shape[1] + at) * width
            for c in range(width):
                flat_back[to + c] += weight * chance[c] * gain[c]
            slope = 0.0
            for p in range(profiles):
                worth = 0.0
                for c in range(np.uint64(p), width, np.uint64(profiles)):
                    worth += gain[c] * flat[to + c]
                worth *= chance[p]
                slope += worth
                for m in range(several):
                    row = stage.first[m] + stage.own[e, m]
                    row += movers.types[turn.profile[p], m] * stage.n_actions[m]
                    stage.gain[row] += weight * worth
            for j in range(several):
                if stage.vertices[j] == 1:
                    continue
                others = slope
                for m in range(several):
                    if m != j:
                        others *= stage.weight[m, stage.own[e, m], stage.kept[m]]
                for phi in range(movers.n_types[j]):
                    row = stage.first[j] + phi * stage.n_actions[j] + stage.own[e, j]
                    change = stage.slope[j, stage.own[e, j], stage.kept[j], phi]
                    stage.gain[row] += others * change


@device
def implicit(movers, stage, n_unknowns, precision_gain):
    """stage.gain from derivatives by log σ to derivatives by Q, through the stage problem."""
    matrix = stage.matrix
    differentiate(movers, stage, 1.0, n_unknowns, matrix)
    for r in range(n_unknowns):
        for c in range(r):
            matrix[r, c], matrix[c, r] = matrix[c, r], matrix[r, c]
    for m in range(movers.n_types.shape[0]):
        count = stage.n_actions[m]
        for theta in range(movers.n_types[m]):
            begin = stage.first[m] + theta * count
            total = 0.0
            for a in range(count):
                total += stage.gain[begin + a]
            for a in range(1, count):
                row = stage.n_unknowns[m] + theta * (count - 1) + a - 1
                matrix[row, n_unknowns] = stage.gain[begin + a] - stage.play[begin + a] * total
    eliminate(matrix, n_unknowns)
    for m in range(movers.n_types.shape[0]):
        count = stage.n_actions[m]
        for theta in range(movers.n_types[m]):
            begin = stage.first[m] + theta * count
            stage.gain[begin] = 0.0
            for a in range(1, count):
                row = stage.n_unknowns[m] + theta * (count - 1) + a - 1
                stage.gain[begin + a] = movers.lam[m] * matrix[row, n_unknowns]
                stage.gain[begin] -= movers.lam[m] * matrix[row, n_unknowns]
                worth = stage.value[begin + a] - stage.value[begin]
                precision_gain[m] += matrix[row, n_unknowns] * worth


@device
def pass_to_payoffs(
    turn, stage, continuation, count, o, n_types, profiles, believed, back, ratio_gain
):
    """From derivatives by Q, stage.gain, to those by next values (`back`) and by the priors."""
    movers, several, types = turn.movers, turn.actor.shape[0], np.uint64(profiles.shape[0])
    chance, worth = stage.chance, stage.worth
    flat, flat_back, width = (
        continuation.reshape(-1),
        back.reshape(-1),
        np.uint64(continuation.shape[2]),
    )
    for e in range(count):
        for m in range(several):
            block = np.uint64(turn.actor[m]) * types
            for p in range(types):
                q = turn.profile[p]
                row = stage.first[m] + movers.types[q, m] * stage.n_actions[m] + stage.own[e, m]
                total = stage.gain[row] * turn.outside[o, p]
                for j in range(several):
                    if j != m:
                        theta = movers.types[q, j]
                        total *= movers.belief[j, stage.at[j], theta]
                        other = stage.first[j] + theta * stage.n_actions[j] + stage.own[e, j]
                        total *= stage.play[other]
                chance[p] = total
                worth[p] = 0.0
            for _ in range(reach(movers, stage)):
                at, weight = combine(stage, e)
                to = np.uint64(e * continuation.shape[1] + at) * width + block
                for p in range(types):
                    flat_back[to + p] += weight * chance[p]
                    worth[p] += weight * chance[p] * flat[to + p]
            # b(θ) ∝ r(θ) at every node: ∂ log b(φ) / ∂ log r(θ) = [φ = θ] - b(θ).
            for i in range(n_types.shape[0]):
                if i == turn.actor[m] or n_types[i] == 1:
                    continue
                total = 0.0
                for p in range(types):
                    total += worth[p]
                    ratio_gain[i, profiles[p, i]] += worth[p]
                for theta in range(n_types[i]):
                    ratio_gain[i, theta] -= total * believed[i, theta]
