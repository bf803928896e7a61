"""Values from given strategies, and the adjoint of a layer: what a number gains by everything.

The adjoint runs forward in time. From the derivatives A of a number by a layer's values it makes
those by the next layer's values, by the layer's probabilities and rewards, by the movers'
precision and by the priors. What strategies do to the number goes through the stage problem
R = 0 (`implicit`). Values are those of payoffs, c = (i, p), and after them those of what is only
observed, P at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.general import enter_reference, enter_state, recall, respond
from detente.solver.kernels.implicit import through_lines, through_shocks, through_stage
from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import BeliefLayout, bayes, corner, corners
from detente.solver.kernels.stage import (
    Work,
    add_values,
    enter,
    expect,
    joint_chance,
    look_ahead,
    play_at,
)


class Tape(NamedTuple):
    """What the adjoint of a layer is made from, and what it adds to.

    next_values, gain
        float64 [x', c, b], [x, c, b]: the next layer's values, and derivatives by the layer's.
    sigma
        Strategies, flat.
    n_types, profiles, believed
        int64 [i], int64 [p, i], float64 [i, θ, b]: types of all actors, and beliefs about them.
    prob, reward, reference, precision, ratio
        Added to, float64 [k], [e, c], [e, m], [m], [i, θ]: derivatives. Those by the logarithm of
        reference behaviour stand at the first of the joint actions that an own action is part of;
        the last are by the logarithms of the priors, through what movers expect of others.
    joint
        Added to in place of `ratio` where the prior is a joint one, float64 [p]: by the logarithm
        of its share for each profile. Empty where types are independent.
    """

    next_values: np.ndarray
    gain: np.ndarray
    sigma: np.ndarray
    n_types: np.ndarray
    profiles: np.ndarray
    believed: np.ndarray
    prob: np.ndarray
    reward: np.ndarray
    reference: np.ndarray
    precision: np.ndarray
    ratio: np.ndarray
    joint: np.ndarray


class Slopes(NamedTuple):
    """Scratch.

    by, rate, worth
        float64 [N, b], [N, b], [p, b]: derivatives by log σ and then by Q; λ ∂Q/∂ℓ; what
        derivatives by Q meet.
    total, over, below
        float64 [b].
    digit
        int64 [m]: the corner that is looked at.
    """

    by: np.ndarray
    rate: np.ndarray
    worth: np.ndarray
    total: np.ndarray
    over: np.ndarray
    below: np.ndarray
    digit: np.ndarray


def make_slopes(layout: BeliefLayout, work: Work) -> Slopes:
    """Scratch for the states that `work` is for."""
    nodes, most = layout.outside.shape[1], work.lottery.vertex.shape[1]
    rows = int(layout.n_types.sum()) * most
    return Slopes(
        by=np.zeros((rows, nodes)),
        rate=np.zeros((rows, nodes)),
        worth=np.zeros((layout.profile.size, nodes)),
        total=np.zeros(nodes),
        over=np.zeros(nodes),
        below=np.zeros(nodes),
        digit=np.zeros(layout.actor.size, np.int64),
    )


@kernel
def follow(first, last, part, layout, next_values, sigma, values, work):
    """Values [x, c, b] of the states first … last - 1 when σ is played."""
    nodes = next_values.shape[2]
    for x in range(first, last):
        begin = part.action_ptr[x]
        count, n_actions = part.action_ptr[x + 1] - begin, part.n_actions[x]
        if count == 1:
            look_ahead(part, 0, begin, next_values, values[x])
            continue
        for e in range(count):
            look_ahead(part, 0, begin + e, next_values, work.ahead[e])
        enter(part, x, work)
        play = play_at(part, sigma, nodes, x)
        bayes(layout, 0, nodes, n_actions, play, work.lottery)
        add_values(layout, work, count, n_actions, play, values[x])


@kernel
def adjoin_lines(first, last, part, layout, tape, work, slopes, back):
    """The adjoint of the states first … last - 1, of chance or of one mover with at most two types.

    back
        Out, float64 [e, c, b] from the first state's actions on: derivatives by what follows each.
    """
    for x in range(first, last):
        e = part.action_ptr[x] - part.action_ptr[first]
        count = begin_state(part, layout, tape, work, x, back[e:])
        play = play_at(part, tape.sigma, tape.gain.shape[2], x)
        if count > 1:
            bayes(layout, 0, play.shape[1], part.n_actions[x], play, work.lottery)
            turn_back(layout, work, tape.gain[x], count, part.n_actions[x], play, slopes, back[e:])
            reference = tape.reference[part.action_ptr[x] :]
            through_shocks(layout, tape, work, x, part.n_actions[x], play, slopes, reference)
            through_lines(layout, work, slopes, count, play, tape.precision, reference)
            pass_to_payoffs(layout, tape, work, count, part.n_actions[x], play, slopes, back[e:])
        end_state(part, tape, x, back[e:])


@kernel
def adjoin_any(first, last, part, layout, tape, work, slopes, back, stage):
    """The same for any movers."""
    for x in range(first, last):
        e = part.action_ptr[x] - part.action_ptr[first]
        count = begin_state(part, layout, tape, work, x, back[e:])
        play = play_at(part, tape.sigma, tape.gain.shape[2], x)
        if count > 1:
            bayes(layout, 0, play.shape[1], part.n_actions[x], play, work.lottery)
            turn_back(layout, work, tape.gain[x], count, part.n_actions[x], play, slopes, back[e:])
            reference = tape.reference[part.action_ptr[x] :]
            through_shocks(layout, tape, work, x, part.n_actions[x], play, slopes, reference)
            n_unknowns = enter_state(layout, stage, part.n_actions[x])
            enter_reference(stage, work.reference)
            for b in range(play.shape[1]):
                stage.node[0] = b
                recall(layout, stage, play, b)
                respond(layout, stage, work.payoff, 1.0)
                through_stage(layout, stage, n_unknowns, slopes.by, b, tape.precision, reference)
            pass_to_payoffs(layout, tape, work, count, part.n_actions[x], play, slopes, back[e:])
        end_state(part, tape, x, back[e:])


@device
def begin_state(part, layout, tape, work, x, back):
    """What follows each action of a state and where it leads; gives the number of actions."""
    begin, nodes = part.action_ptr[x], tape.gain.shape[2]
    count = part.action_ptr[x + 1] - begin
    if count == 1:
        for c in range(tape.gain.shape[1]):
            target, source = back[0, c], tape.gain[x, c]
            for b in range(nodes):
                target[b] = source[b]
        return count
    for e in range(count):
        look_ahead(part, 0, begin + e, tape.next_values, work.ahead[e])
        back[e, :, :] = 0.0
    enter(part, x, work)
    expect(layout, work.ahead, count, work.payoff)
    return count


@device
def turn_back(layout, work, gain, count, n_actions, play, slopes, back):
    """From gain [c, b] to back [e, c, b], what is gained at the given strategies, and to
    slopes.by, the derivatives by log σ."""
    profiles, nodes, lottery = layout.profile.shape[0], gain.shape[1], work.lottery
    total, worth = slopes.total, slopes.over
    slopes.by[:] = 0.0
    for e in range(count):
        own = work.own[e]
        joint_chance(layout, n_actions, own, play, -1, work.chance)
        for _ in range(corners(lottery)):
            for m in range(own.shape[0]):
                slopes.digit[m] = lottery.digit[m]
            corner(lottery, own, 0, nodes)
            at, mass = lottery.at, lottery.mass
            total[:] = 0.0
            for p in range(profiles):
                chance = work.chance[layout.profile[p]]
                worth[:] = 0.0
                for c in range(p, gain.shape[0], profiles):
                    here, source, target = gain[c], work.ahead[e, c], back[e, c]
                    for b in range(nodes):
                        k = np.uint64(at[b])
                        worth[b] += here[b] * source[k]
                        target[k] += mass[b] * chance[b] * here[b]
                row = 0
                for b in range(nodes):
                    worth[b] *= chance[b]
                    total[b] += worth[b]
                for m in range(own.shape[0]):
                    theta = layout.types[layout.profile[p], m]
                    by = slopes.by[row + theta * n_actions[m] + own[m]]
                    for b in range(nodes):
                        by[b] += mass[b] * worth[b]
                    row += layout.n_types[m] * n_actions[m]
            row = 0
            for j in range(own.shape[0]):
                if lottery.vertices[j] > 1:
                    others = slopes.below
                    for b in range(nodes):
                        others[b] = total[b]
                    for m in range(own.shape[0]):
                        if m != j and lottery.vertices[m] > 1:
                            weight = lottery.weight[m, own[m], slopes.digit[m]]
                            for b in range(nodes):
                                others[b] *= weight[b]
                    for phi in range(layout.n_types[j]):
                        by = slopes.by[row + phi * n_actions[j] + own[j]]
                        slope = lottery.slope[j, own[j], slopes.digit[j], phi]
                        for b in range(nodes):
                            by[b] += others[b] * slope[b]
                row += layout.n_types[j] * n_actions[j]


@device
def pass_to_payoffs(layout, tape, work, count, n_actions, play, slopes, back):
    """From derivatives by Q, slopes.by, to those by next values (`back`) and by the priors."""
    profiles, nodes, lottery = layout.profile.shape[0], play.shape[1], work.lottery
    weight, row = slopes.total, 0
    for m in range(layout.actor.shape[0]):
        slopes.worth[:] = 0.0
        block = layout.actor[m] * profiles
        for e in range(count):
            own = work.own[e]
            joint_chance(layout, n_actions, own, play, m, work.chance)
            for _ in range(corners(lottery)):
                corner(lottery, own, 0, nodes)
                at, mass = lottery.at, lottery.mass
                for p in range(profiles):
                    q = layout.profile[p]
                    by = slopes.by[row + layout.types[q, m] * n_actions[m] + own[m]]
                    chance, outside, worth = work.chance[q], layout.outside[p], slopes.worth[p]
                    for b in range(nodes):
                        weight[b] = mass[b] * by[b] * outside[b] * chance[b]
                    weigh_others(layout, m, q, weight)
                    source, target = work.ahead[e, block + p], back[e, block + p]
                    for b in range(nodes):
                        k = np.uint64(at[b])
                        target[k] += weight[b]
                        worth[b] += weight[b] * source[k]
        if tape.joint.shape[0] > 0:
            pass_to_joint(layout, tape, m, slopes)
        # b(θ) ∝ r(θ) at every node: ∂ log b(φ) / ∂ log r(θ) = [φ = θ] - b(θ).
        for i in range(tape.n_types.shape[0] if tape.joint.shape[0] == 0 else 0):
            if i == layout.actor[m] or tape.n_types[i] == 1:
                continue
            for p in range(profiles):
                for b in range(nodes):
                    worth_here = slopes.worth[p, b]
                    tape.ratio[i, tape.profiles[p, i]] += worth_here
                    for theta in range(tape.n_types[i]):
                        tape.ratio[i, theta] -= worth_here * tape.believed[i, theta, b]
        row += layout.n_types[m] * n_actions[m]


@device
def weigh_others(layout, m, q, weight):
    """Multiply weights [b] by how likely mover m of its type in q holds the other movers' types."""
    for j in range(layout.actor.shape[0]):
        if j != m:
            believed = layout.believed[j, layout.types[q, j]]
            for b in range(weight.shape[0]):
                weight[b] *= believed[b]
    if layout.lift.shape[0] > 0:
        lift = layout.lift[m, q]
        for b in range(weight.shape[0]):
            weight[b] *= lift[b]


@device
def pass_to_joint(layout, tape, m, slopes):
    """From what derivatives by Q meet at mover m, slopes.worth, to those by the joint prior π.

    Of type θ it weighs p by w(p) ∝ π(p): ∂ log w(p) / ∂ log π(r) = [p = r] - w(r),
    for p and r of θ.
    """
    weight, total, nodes = slopes.over, slopes.total, slopes.worth.shape[1]
    for theta in range(layout.n_types[m]):
        total[:] = 0.0
        for p in range(layout.profile.shape[0]):
            if layout.types[layout.profile[p], m] == theta:
                worth = slopes.worth[p]
                for b in range(nodes):
                    total[b] += worth[b]
                    tape.joint[p] += worth[b]
        for p in range(layout.profile.shape[0]):
            q = layout.profile[p]
            if layout.types[q, m] == theta:
                for b in range(nodes):
                    weight[b] = layout.outside[p, b]
                weigh_others(layout, m, q, weight)
                for b in range(nodes):
                    tape.joint[p] -= total[b] * weight[b]


@device
def end_state(part, tape, x, back):
    """What derivatives by the next values of a state's actions mean for rewards and probabilities;
    those for the next values themselves are added up by `scatter`."""
    begin, components = part.action_ptr[x], part.reward.shape[1]
    for e in range(part.action_ptr[x + 1] - begin):
        for c in range(components):
            row, total = back[e, c], 0.0
            for b in range(row.shape[0]):
                total += row[b]
            tape.reward[begin + e, c] += total
        for k in range(part.trans_ptr[begin + e], part.trans_ptr[begin + e + 1]):
            total = 0.0
            for c in range(back.shape[1]):
                row, source = back[e, c], tape.next_values[part.succ[k], c]
                for b in range(row.shape[0]):
                    total += row[b] * source[b]
            tape.prob[k] += total


@kernel
def scatter(low, high, first, last, part, back, next_gain):
    """Add components low … high - 1 of `back` of the states first … last - 1 to next_gain."""
    begin = part.action_ptr[first]
    for e in range(begin, part.action_ptr[last]):
        for k in range(part.trans_ptr[e], part.trans_ptr[e + 1]):
            chance = part.prob[k]
            for c in range(low, high):
                source, target = back[e - begin, c], next_gain[part.succ[k], c]
                for b in range(source.shape[0]):
                    target[b] += chance * source[b]
