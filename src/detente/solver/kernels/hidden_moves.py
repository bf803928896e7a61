"""What a mover does unseen: actions that look alike, and what they do to its type.

A single mover of type θ takes action a with probability σ(a|θ), and its type is φ from then on
with probability change[a, θ, φ]. The others see how a looks, as do all actions that are alike. So
there is one posterior for each look,

    b'(φ) ∝ Σ_θ b(θ) Σ_{a alike} σ(a|θ) change[a, θ, φ],

to which belongs one lottery over nodes (`lottery`), while what is worth how much goes by the action
that was taken:

    Q(a, θ) = reward(a, θ) + Σ_φ change[a, θ, φ] Σ_x' P(x'|a) V'[φ](x', b'(look of a)).

That is the stage problem of `general` with other next values (`look_past`) and other posteriors.
What those depend on is the strategies of all types in all actions that look alike:
∂ log share(φ) / ∂ log σ(a|θ) is the part of share(φ) that came from θ and a. Where every action has
a look of its own and changes nothing, this is the ordinary turn. On faces of the simplex what is
impossible leads where it leads in the limit from inside (see `private_chance`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import LEAST, locate
from detente.solver.kernels.private_chance import FAINT
from detente.solver.kernels.stage import play_at


class HiddenTurn(NamedTuple):
    """What such a layer is, besides its `LayerArrays`.

    alike, change
        int64 [e], float64 [e, θ, φ]: see `detente.game.arrays.HiddenMoves`.
    tells, keeps
        int64 [x]: 0 where the belief stays whatever is done; 1 where no action changes a type.
    ratio
        float64 [θ]: u(θ) ∝ ratio(θ) b(θ), see `detente.solver.beliefs`.
    apart
        Rows from a type profile to that with the mover's next type.
    """

    alike: np.ndarray
    change: np.ndarray
    tells: np.ndarray
    keeps: np.ndarray
    ratio: np.ndarray
    apart: int


class Unseen(NamedTuple):
    """The same of the state whose stage problem is solved; without types where all is seen.

    look, change
        int64 [a], float64 [a, θ, φ]: the first own action that looks the same.
    ratio, part
        float64 [θ], [θ, a]: `part` is scratch for σ, up to a factor.
    tells, keeps
        int64 [1].
    """

    look: np.ndarray
    change: np.ndarray
    ratio: np.ndarray
    part: np.ndarray
    tells: np.ndarray
    keeps: np.ndarray


def make_unseen(most: int, n_types: int) -> Unseen:
    """Room for up to `most` own actions; `n_types` is 0 where all is seen."""
    return Unseen(
        look=np.zeros(most, np.int64),
        change=np.zeros((most, n_types, n_types)),
        ratio=np.ones(n_types),
        part=np.zeros((n_types, most)),
        tells=np.zeros(1, np.int64),
        keeps=np.zeros(1, np.int64),
    )


@device
def enter_hidden(stage, turn, x, begin):
    """Set the stage for a state, whose joint actions begin at `begin`."""
    hidden, n_types = stage.hidden, turn.ratio.shape[0]
    hidden.tells[0] = turn.tells[x]
    hidden.keeps[0] = turn.keeps[x]
    for theta in range(n_types):
        hidden.ratio[theta] = turn.ratio[theta]
    for a in range(stage.n_actions[0]):
        hidden.look[a] = turn.alike[begin + a] - begin
        for theta in range(n_types):
            for phi in range(n_types):
                hidden.change[a, theta, phi] = turn.change[begin + a, theta, phi]


@device
def update_pooled(layout, stage):
    """The lotteries of all own actions at the stage's node, by Bayes' rule from log σ."""
    b, lottery, hidden = stage.node[0], stage.lottery, stage.hidden
    count, n_types = stage.n_actions[0], layout.n_types[0]
    moves = hidden.tells[0] == 1 and stage.pooled[0] == 0
    lottery.vertices[0] = n_types if moves else 1
    for a in range(count if moves else 0):
        take_parts(layout, stage, a)
        for phi in range(n_types):
            lottery.share[phi, 0] = pooled_share(layout, stage, a, phi) * hidden.ratio[phi]
        locate(layout, 0, a, b, 1, lottery)


@device
def take_parts(layout, stage, a):
    """σ of what looks like own action a into hidden.part [θ, a], as a share of the largest."""
    b, hidden, count, top = stage.node[0], stage.hidden, stage.n_actions[0], -math.inf
    for theta in range(layout.n_types[0]):
        for other in range(count if layout.node[0, theta, b] > 0.0 else 0):
            if hidden.look[other] == hidden.look[a]:
                top = max(top, stage.log[theta * count + other])
    for theta in range(layout.n_types[0]):
        for other in range(count):
            alike = hidden.look[other] == hidden.look[a]
            log = min(stage.log[theta * count + other] - top, 0.0)
            hidden.part[theta, other] = math.exp(log) if alike else 0.0


@device
def pooled_share(layout, stage, a, phi):
    """Σ_θ b(θ) Σ σ(a|θ) change[a, θ, φ] over what looks like a; `take_parts` comes before."""
    hidden, total = stage.hidden, FAINT
    for theta in range(layout.n_types[0]):
        believed = max(layout.believed[0, theta, stage.node[0]], LEAST)
        for other in range(stage.n_actions[0]):
            total += believed * hidden.part[theta, other] * hidden.change[other, theta, phi]
    return total


@device
def evaluate_pooled(layout, stage, payoff):
    """Q and its derivatives `cross` by log σ; `choose` and `update_pooled` come before."""
    b, lottery, hidden = stage.node[0], stage.lottery, stage.hidden
    count, n_types = stage.n_actions[0], layout.n_types[0]
    stage.value[:] = 0.0
    stage.cross[:] = 0.0
    for a in range(count):
        if lottery.vertices[0] == 1:
            for theta in range(n_types):
                stage.value[theta * count + a] = payoff[a, theta, b]
            continue
        for theta in range(n_types):
            for v in range(n_types):
                node = b + lottery.vertex[0, a, v, 0]
                mean = lottery.weight[0, a, v, 0] * payoff[a, theta, node]
                stage.value[theta * count + a] += mean
        take_parts(layout, stage, a)
        for phi in range(n_types):
            total = pooled_share(layout, stage, a, phi)
            for theta in range(n_types):
                rise = 0.0
                for v in range(n_types):
                    node = b + lottery.vertex[0, a, v, 0]
                    rise += lottery.slope[0, a, v, phi, 0] * payoff[a, theta, node]
                for before in range(n_types):
                    believed = max(layout.believed[0, before, b], LEAST)
                    for other in range(count):
                        came = hidden.part[before, other] * hidden.change[other, before, phi]
                        column = before * count + other
                        stage.cross[theta * count + a, column] += rise * believed * came / total


@device
def pool(layout, turn, x, begin, count, play, lottery):
    """The lotteries of all own actions of a state at all nodes, from play [(θ, a), b]."""
    nodes, n_types = play.shape[1], turn.ratio.shape[0]
    lottery.vertices[0] = n_types if turn.tells[x] == 1 else 1
    for a in range(count if turn.tells[x] == 1 else 0):
        for phi in range(n_types):
            share = lottery.share[phi]
            for b in range(nodes):
                share[b] = FAINT * turn.ratio[phi]
            for other in range(count):
                if turn.alike[begin + other] != turn.alike[begin + a]:
                    continue
                for theta in range(n_types):
                    chance = turn.change[begin + other, theta, phi] * turn.ratio[phi]
                    believed, taken = layout.believed[0, theta], play[theta * count + other]
                    if chance > 0.0:
                        for b in range(nodes):
                            share[b] += max(believed[b], LEAST) * taken[b] * chance
        locate(layout, 0, a, 0, nodes, lottery)


@device
def look_past(part, layout, turn, e, next_values, target):
    """Expected next values after joint action e, of the type that it leads to, plus its reward:
    `stage.look_ahead` for such a turn, [c, b]."""
    profiles = layout.profile.shape[0]
    for c in range(target.shape[0]):
        theta, row = layout.profile[c % profiles], target[c]
        for b in range(row.shape[0]):
            row[b] = 0.0
        for phi in range(turn.ratio.shape[0]):
            chance = turn.change[e, theta, phi]
            for k in range(part.trans_ptr[e], part.trans_ptr[e + 1] if chance > 0.0 else 0):
                source = next_values[part.succ[k], c + (phi - theta) * turn.apart]
                weight = chance * part.prob[k]
                for b in range(row.shape[0]):
                    row[b] += weight * source[b]
        # Best responses pay the same; what is observed on top of payoffs pays nothing.
        if c < part.reward.shape[1] or layout.best > 0:
            reward = part.reward[e, c % part.reward.shape[1]]
            for b in range(row.shape[0]):
                row[b] += reward


@kernel
def push_hidden(block, part, layout, turn, sigma, homes, mass, into):
    """Move mass to a block of profiles of following [x', h, k, b, w], and add to acted [e, p] of
    these profiles; see `forward.push`. `into` is these two, and the room for a lottery."""
    (following, acted, lottery), (before, after) = into, homes
    nodes, lanes, n_types = mass.shape[3], mass.shape[4], turn.ratio.shape[0]
    following[:, :, block] = 0.0
    for x in range(mass.shape[0]):
        begin = part.action_ptr[x]
        count, play = part.action_ptr[x + 1] - begin, play_at(part, sigma, nodes, x)
        pool(layout, turn, x, begin, count, play, lottery)
        for a in range(count):
            e = begin + a
            for p in range(block * lanes, min(block * lanes + lanes, layout.profile.shape[0])):
                w = p - block * lanes
                taken, source = play[layout.profile[p] * count + a], mass[x, 0, block, :, w]
                for b in range(nodes if before[x, 0] == 0 else 0):
                    acted[e, p] += taken[b] * source[b]
                for theta in range(n_types):
                    chance = turn.change[e, theta, layout.profile[p]]
                    came = p + (theta - layout.profile[p]) * turn.apart
                    taken = play[theta * count + a]
                    for k in range(part.trans_ptr[e], part.trans_ptr[e + 1]):
                        share, to = chance * part.prob[k], part.succ[k]
                        for h in range(mass.shape[1] if share > 0.0 else 0):
                            if before[x, h] >= 0 and after[to, h] == h:
                                source = mass[x, before[x, h], came // lanes, :, came % lanes]
                                target = following[to, h, block, :, w]
                                spread(share, taken, source, target, a, lottery)


@device
def spread(share, taken, source, target, a, lottery):
    """Add a share of the mass that takes own action a at the nodes to which this leads."""
    nodes = source.shape[0]
    if lottery.vertices[0] == 1:
        for b in range(nodes):
            target[b] += share * taken[b] * source[b]
        return
    for v in range(lottery.vertices[0]):
        vertex, weight = lottery.vertex[0, a, v], lottery.weight[0, a, v]
        for b in range(nodes):
            target[np.uint64(b + vertex[b])] += share * weight[b] * taken[b] * source[b]
