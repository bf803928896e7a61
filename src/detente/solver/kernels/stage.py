"""A state's turn at all beliefs together: what follows each action, and what it is worth.

The letters of `detente.game.arrays`, and: N numbers (m, θ, a), q the profiles of the movers' types,
l the nodes of the product of the movers' grids. The belief b is the last axis of every array, so
that inner loops run over neighbours in memory.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.elementary import log
from detente.solver.kernels.jit import device, inline
from detente.solver.kernels.lottery import BeliefLayout, Lottery, corner, corners, make_lottery


class LayerArrays(NamedTuple):
    """A layer's arrays; see `detente.game.arrays.Layer`. play_ptr is int64 [x + 1]: the strategies
    of x have play_ptr[x + 1] - play_ptr[x] numbers at each node."""

    action_ptr: np.ndarray
    n_actions: np.ndarray
    trans_ptr: np.ndarray
    succ: np.ndarray
    prob: np.ndarray
    reward: np.ndarray
    reference: np.ndarray
    play_ptr: np.ndarray


class Work(NamedTuple):
    """Scratch for a state.

    own
        int64 [e, m]: the own actions of each joint action.
    reference
        float64 [m, a]: reference behaviour, as shares of the most usual action's.
    ahead, payoff
        float64 [e, c, b], float64 [e, (m, q), b]: next values, and what movers expect of them over
        the types of those who do not move.
    chance, best, top, worth
        float64 [q, b], [p, b], [θ, b], [b]: probability of a joint action; values of a best
        response, what is expected of the best action so far and of another.
    left
        int64 [b]: SOLVED, or how a node is left for `general`.
    """

    own: np.ndarray
    reference: np.ndarray
    ahead: np.ndarray
    payoff: np.ndarray
    chance: np.ndarray
    best: np.ndarray
    top: np.ndarray
    worth: np.ndarray
    left: np.ndarray
    lottery: Lottery


# How a node was solved; columns of `counts`.
UNIQUE, TRACED, FOLDED, FORKED, FAILED, HOW = range(6)

# What is to be done about a node: nothing, or to find its solution, certain or not that there is
# one only.
SOLVED, UNCERTAIN, CERTAIN = range(3)


def make_work(
    layout: BeliefLayout, most: int, joint: int, width: int, *, slopes: bool = False
) -> Work:
    """Scratch for up to `most` own and `joint` joint actions, and `width` components."""
    nodes, profiles = layout.outside.shape[1], layout.profile.size
    count, n_types = layout.actor.size, int(layout.n_types.max(initial=1))
    beliefs = nodes if joint > 1 else 0
    return Work(
        own=np.zeros((joint, count), np.int64),
        reference=np.ones((count, most)),
        ahead=np.zeros((joint, width, beliefs)),
        payoff=np.zeros((joint, count * len(layout.types), beliefs)),
        chance=np.ones((len(layout.types), nodes)),
        best=np.zeros((profiles, beliefs)),
        top=np.zeros((n_types, beliefs)),
        worth=np.zeros(nodes),
        left=np.zeros(nodes, np.int64),
        lottery=make_lottery(layout, most, nodes, slopes=slopes),
    )


@device
def look_ahead(part, best, e, next_values, target):
    """Expected next values after joint action e at every posterior, plus its reward: [c, b]."""
    begin, end = part.trans_ptr[e], part.trans_ptr[e + 1]
    chance, flat = part.prob[begin], target.reshape(-1)
    first = next_values[part.succ[begin]].reshape(-1)
    for r in range(flat.shape[0]):
        flat[r] = chance * first[r]
    for k in range(begin + 1, end):
        chance, more = part.prob[k], next_values[part.succ[k]].reshape(-1)
        for r in range(flat.shape[0]):
            flat[r] += chance * more[r]
    # Best responses pay the same; what is observed on top of payoffs pays nothing.
    for c in range(part.reward.shape[1]):
        reward = part.reward[e, c]
        if reward != 0.0:
            row = target[c]
            for b in range(row.shape[0]):
                row[b] += reward
            if best > 0:
                row = target[best + c]
                for b in range(row.shape[0]):
                    row[b] += reward


@device
def enter(part, x, work):
    """The own actions of each joint action at a state, and reference behaviour."""
    n_actions, begin = part.n_actions[x], part.action_ptr[x]
    for e in range(part.action_ptr[x + 1] - begin):
        rest = e
        for m in range(n_actions.shape[0] - 1, -1, -1):
            own = rest % n_actions[m]
            rest //= n_actions[m]
            work.own[e, m] = own
            work.reference[m, own] = part.reference[begin + e, m]


@inline
def play_at(part, sigma, nodes, x):
    """Strategies [(m, θ, a), b] of a state."""
    flat = sigma[nodes * part.play_ptr[x] : nodes * part.play_ptr[x + 1]]
    return flat.reshape((part.play_ptr[x + 1] - part.play_ptr[x], nodes))


@device
def expect(layout, ahead, count, payoff):
    """What movers expect over the types of those who do not move: float64 [e, (m, q), b]."""
    profiles, combined, nodes = layout.profile.shape[0], layout.types.shape[0], payoff.shape[2]
    for e in range(count):
        for m in range(layout.actor.shape[0]):
            for q in range(combined):
                target = payoff[e, m * combined + q]
                for b in range(nodes):
                    target[b] = 0.0
            for p in range(profiles):
                target = payoff[e, m * combined + layout.profile[p]]
                source, outside = ahead[e, layout.actor[m] * profiles + p], layout.outside[p]
                for b in range(nodes):
                    target[b] += outside[b] * source[b]


@device
def joint_chance(layout, n_actions, own, play, but, chance):
    """Probability [q, b] that the movers but `but` (-1: all) play their part of a joint action."""
    for q in range(layout.types.shape[0]):
        target, row = chance[q], 0
        for b in range(target.shape[0]):
            target[b] = 1.0
        for m in range(own.shape[0]):
            if m != but:
                taken = play[row + layout.types[q, m] * n_actions[m] + own[m]]
                for b in range(target.shape[0]):
                    target[b] *= taken[b]
            row += layout.n_types[m] * n_actions[m]


@device
def add_values(layout, work, count, n_actions, play, values):
    """Values [c, b] of a state, from strategies and their lotteries."""
    profiles, nodes, lottery = layout.profile.shape[0], values.shape[1], work.lottery
    on_line = layout.actor.shape[0] == 1 and lottery.vertices[0] == 2
    for e in range(count):
        if on_line:
            add_on_line(layout, work, count, e, play, values)
            continue
        if e == 0:
            values[:] = 0.0
        joint_chance(layout, n_actions, work.own[e], play, -1, work.chance)
        several = corners(lottery)
        for _ in range(several):
            corner(lottery, work.own[e], 0, nodes)
            at, mass = lottery.at, lottery.mass
            for c in range(values.shape[0]):
                source, target = work.ahead[e, c], values[c]
                chance = work.chance[layout.profile[c % profiles]]
                if is_own(layout, c):
                    continue
                if several == 1:
                    for b in range(nodes):
                        target[b] += chance[b] * source[b]
                else:
                    for b in range(nodes):
                        target[b] += mass[b] * chance[b] * source[np.uint64(at[b])]
    row = 0
    for m in range(layout.actor.shape[0]):
        if layout.shock[m] > 0.0 and n_actions[m] > 1:
            for theta in range(layout.n_types[m]):
                first = row + theta * n_actions[m]
                control_cost(layout, work.reference[m], m, n_actions[m], play, first, work.worth)
                for p in range(profiles):
                    if layout.types[layout.profile[p], m] == theta:
                        target = values[layout.actor[m] * profiles + p]
                        for b in range(nodes):
                            target[b] -= work.worth[b]
        row += layout.n_types[m] * n_actions[m]
    if layout.best > 0:
        for m in range(layout.actor.shape[0]):
            respond_best(layout, work, count, n_actions, play, values, m)


@device
def add_on_line(layout, work, count, a, play, values):
    """What action a of the one mover with two types adds, at both ends of a step together; two
    components at a time, as they are read at the same places."""
    low, hop = work.lottery.vertex[0, a, 0], np.uint64(layout.jump[0])
    rest, share = work.lottery.weight[0, a, 0], work.lottery.weight[0, a, 1]
    profiles = layout.profile.shape[0]
    for c in range(0, values.shape[0], 2):
        if is_own(layout, c):
            continue
        d = c + 1
        chance = play[layout.types[layout.profile[c % profiles], 0] * count + a]
        other = play[layout.types[layout.profile[d % profiles], 0] * count + a]
        source, following, target, next_ = work.ahead[a, c], work.ahead[a, d], values[c], values[d]
        for b in range(values.shape[1]):
            at = np.uint64(b + low[b])
            one = chance[b] * (rest[b] * source[at] + share[b] * source[at + hop])
            two = other[b] * (rest[b] * following[at] + share[b] * following[at + hop])
            target[b] = one + (target[b] if a > 0 else 0.0)
            next_[b] = two + (next_[b] if a > 0 else 0.0)


@device
def is_own(layout, c):
    """Whether a component has a mover's best response, which is left to `respond_best`."""
    if 0 < layout.best <= c:
        for m in range(layout.actor.shape[0]):
            if (c - layout.best) // layout.profile.shape[0] == layout.actor[m]:
                return True
    return False


@device
def control_cost(layout, reference, m, count, play, first, cost):
    """λ⁻¹ Σ σ log(σ / w) of mover m, from its type's strategy, rows first … of play, into cost [b].

    It is minus the mean of the shocks that come with what the type chooses. As σ and w both add up
    to 1 it is a sum of w (r log r - (r - 1)) with r = σ / w: none of these is below 0, and their
    rounding goes to 0 with λ, as they do: to λ / 2 times the variance of Q under w.
    """
    total = 0.0
    for a in range(count):
        total += reference[a]
    for b in range(cost.shape[0]):
        cost[b] = 0.0
    for a in range(count):
        share, chance = reference[a] / total, play[first + a]
        scale = layout.shock[m] * share
        for b in range(cost.shape[0]):
            ratio = chance[b] / share
            cost[b] += scale * (ratio * log(max(ratio, 1e-307)) - (ratio - 1.0))


@device
def respond_best(layout, work, count, n_actions, play, values, m):
    """Values of mover m's best response: it looks for its best action at the same posteriors."""
    profiles, nodes, lottery = layout.profile.shape[0], values.shape[1], work.lottery
    block, worth = layout.best + layout.actor[m] * profiles, work.worth
    work.top[:] = -math.inf
    for a in range(n_actions[m]):
        work.best[:] = 0.0
        for e in range(count):
            if work.own[e, m] != a:
                continue
            joint_chance(layout, n_actions, work.own[e], play, m, work.chance)
            for _ in range(corners(lottery)):
                corner(lottery, work.own[e], 0, nodes)
                at, mass = lottery.at, lottery.mass
                for p in range(profiles):
                    source, target = work.ahead[e, block + p], work.best[p]
                    chance = work.chance[layout.profile[p]]
                    for b in range(nodes):
                        target[b] += mass[b] * chance[b] * source[np.uint64(at[b])]
        for theta in range(layout.n_types[m]):
            for b in range(nodes):
                worth[b] = 0.0
            for p in range(profiles):
                if layout.types[layout.profile[p], m] == theta:
                    q, lifted = layout.profile[p], layout.lift.shape[0] > 0
                    for b in range(nodes):
                        believed = layout.outside[p, b]
                        if lifted:
                            believed *= layout.lift[m, q, b]
                        for j in range(layout.actor.shape[0]):
                            if j != m:
                                believed *= layout.believed[j, layout.types[q, j], b]
                        worth[b] += believed * work.best[p, b]
            top = work.top[theta]
            for p in range(profiles):
                if layout.types[layout.profile[p], m] == theta:
                    source, target = work.best[p], values[block + p]
                    for b in range(nodes):
                        if worth[b] > top[b]:
                            target[b] = source[b]
            for b in range(nodes):
                top[b] = max(top[b], worth[b])
