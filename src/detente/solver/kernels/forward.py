"""The forward pass: probability mass of all true type profiles through one layer.

The transpose of `backward`: the same strategies and the same lotteries, so that what it
accumulates equals the values of the backward sweep to rounding error, on any grid. Each type
profile is moved by itself, so that work may be shared out by profiles.

Mass is float64 [x, h, k, b, w]: profile p = k W + w is the w-th of W in a block k, and what the
last block has more than there are profiles is 0. Profiles of a block move from node to node side by
side, and each block by itself. The channels h are all histories first, then those in which some
outcome has not yet been. Where both have the same histories, mass is kept and moved once: `homes`,
int64 [x, h] before the layer and after it, has the channel that keeps it; -1 where there is none.
Of other rows nothing is read, and what they hold has no meaning.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import bayes, corner, corners
from detente.solver.kernels.side_by_side import picked, products
from detente.solver.kernels.stage import Work, control_cost, enter, joint_chance, play_at

AT_ONCE = 8  # sums over nodes that do not wait for each other

FAINT = 1e-250  # mass that is left out: numbers near 1e-308 take a processor ten times as long


class PushWork(NamedTuple):
    """Scratch of `push`.

    work, here, there
        `stage.Work`; float64 [(s, b, w)]: a state's mass, and what of it takes an action, where
        that leads; in slots s one after the other, with room for one more.
    slot, fresh
        int64 [h]: where the mass of a channel stands in them, or -1; bool [x', h]: where nothing
        has arrived yet.
    taken, end, weight
        float64 [(b, n)], uint64 [2, b], float64 [2, (b, n)]: how likely profiles n that stand side
        by side are to take an action; two corners of a lottery, and how much goes there.
    chance, row, total
        float64 [(q, b)]: `work.chance`; uint64 [w]: where the row of a profile's movers begins in
        it; float64 [4 n]: sums over nodes, in four parts.
    """

    work: Work
    here: np.ndarray
    there: np.ndarray
    slot: np.ndarray
    fresh: np.ndarray
    taken: np.ndarray
    end: np.ndarray
    weight: np.ndarray
    chance: np.ndarray
    row: np.ndarray
    total: np.ndarray


@kernel
def push(block, part, layout, sigma, homes, mass, following, acted, scratch):
    """Move the mass of a block k of profiles to following [x', h, k, b, w].

    acted
        Added to, float64 [e, p]: probability of each joint action, at its state.
    """
    work, here, there, slot = scratch.work, scratch.here, scratch.there, scratch.slot
    lottery, chance, fresh = work.lottery, work.chance, scratch.fresh
    before, after = homes
    source, target = mass.reshape(-1), following.reshape(-1)
    # Positions are unsigned: of a signed one Numba asks whether it counts from the end.
    channels, nodes, lanes = np.uint64(mass.shape[1]), mass.shape[3], np.uint64(mass.shape[4])
    width = np.uint64(nodes) * lanes
    whole, begin = np.uint64(mass.shape[2]) * width, np.uint64(block) * width
    profiles = layout.profile[np.uint64(block) * lanes :][:lanes]
    for w in range(np.uint64(profiles.shape[0])):
        scratch.row[w] = np.uint64(profiles[w] * nodes)
    for x in range(np.uint64(mass.shape[0])):
        slots = np.uint64(0)
        for h in range(channels):
            home, slot[h] = before[x, h], -1
            if home == np.int64(h):
                row = (x * channels + h) * whole + begin
                if load(source, row, here, slots * width, width):
                    slot[h], slots = slots, slots + np.uint64(1)
            elif home >= 0:
                slot[h] = slot[home]
        if slots == 0:
            continue
        edge = part.action_ptr[x]
        count, n_actions = part.action_ptr[x + np.uint64(1)] - edge, part.n_actions[x]
        play, several, moved = play_at(part, sigma, nodes, x), 0, here
        if count > 1:
            enter(part, x, work)
            bayes(layout, 0, nodes, n_actions, play, lottery)
            several, moved = corners(lottery), there
        else:
            chance[:] = 1.0
        for e in range(count):
            own, done = work.own[e], acted[edge + e][np.uint64(block) * lanes :]
            if count > 1:
                joint_chance(layout, n_actions, own, play, -1, chance)
            if several > 1:
                there[: (slots + np.uint64(1)) * width] = 0.0
            rest = lanes % np.uint64(4)
            for w in range(np.uint64(0), lanes - rest, np.uint64(4)):
                act_four(own, several, w, lanes, slots, done, scratch)
            for w in range(lanes - rest, lanes - rest % np.uint64(2), np.uint64(2)):
                act_two(own, several, w, lanes, slots, done, scratch)
            if rest % np.uint64(2) > 0:
                act_one(own, several, lanes - np.uint64(1), lanes, slots, done, scratch)
            for k in range(part.trans_ptr[edge + e], part.trans_ptr[edge + e + 1]):
                share, to = part.prob[k], part.succ[k]
                for h in range(channels):
                    if share > 0.0 and slot[h] >= 0 and after[to, h] == np.int64(h):
                        row = (np.uint64(to) * channels + h) * whole + begin
                        at = np.uint64(slot[h]) * width
                        arrive(share, moved, at, target, row, width, fresh[to, h])
                        fresh[to, h] = False
    for x in range(np.uint64(following.shape[0])):
        for h in range(channels):
            if fresh[x, h] and after[x, h] == np.int64(h):
                row = (x * channels + h) * whole + begin
                target[row : row + width] = 0.0


@kernel
def reached(home, mass, total, part):
    """The mass [x, h, k, (b, w)] of kept channels over all nodes, added to total [x, h, k, w] of
    the first channels; part [(AT_ONCE, w)] is scratch."""
    states, channels, blocks, lanes = total.shape
    width, step = np.uint64(mass.shape[3]), np.uint64(part.shape[0])
    for x in range(states):
        for h in range(channels):
            for k in range(blocks if home[x, h] == h else 0):
                row, sums = mass[x, h, k], total[x, h, k]
                part[:] = 0.0
                for r in range(width % step):
                    part[r] = row[r]
                for begin in range(width % step, width, step):
                    for r in range(step):
                        part[r] += row[begin + r]
                for w in range(lanes):
                    for n in range(AT_ONCE):
                        sums[w] += part[n * lanes + w]


@kernel
def pay_shocks(part, layout, sigma, mass, cost, work):
    """Add up what control costs the movers (`stage.control_cost`): cost [m, p]."""
    nodes, lanes = mass.shape[3], mass.shape[4]
    for x in range(mass.shape[0]):
        n_actions, row = part.n_actions[x], 0
        enter(part, x, work)
        play = play_at(part, sigma, nodes, x)
        for m in range(layout.actor.shape[0]):
            count = n_actions[m]
            for theta in range(layout.n_types[m] if count > 1 else 0):
                first = row + theta * count
                control_cost(layout, work.reference[m], m, count, play, first, work.worth)
                for p in range(cost.shape[1]):
                    if layout.types[layout.profile[p], m] == theta:
                        source = mass[x, 0, p // lanes, :, p % lanes]
                        for b in range(nodes):
                            cost[m, p] += work.worth[b] * source[b]
            row += layout.n_types[m] * count


@device
def load(source, begin, here, to, count):
    """The mass of a channel but what is too faint; gives whether there is any."""
    some = False
    for r in range(count):
        mass = source[begin + r]
        some |= mass > FAINT
        here[to + r] = mass if mass > FAINT else 0.0
    return some


def _acting(count):
    """What a joint action does to `count` profiles w … that stand side by side in each row."""
    size, pick, (set_product, add_product) = np.uint64(count), picked(count), products(count)

    @device
    def act(own, several, w, lanes, slots, acted, scratch):
        """Add up how much of them takes it, acted [w]; and move that to where it leads, which are
        so many corners: 0 where all do the only thing that they can."""
        taken, here, there, row = scratch.taken, scratch.here, scratch.there, scratch.row
        nodes = np.uint64(scratch.end.shape[1])
        for b in range(nodes):
            pick(taken, b * size, scratch.chance, row, w, b, 1.0)
        if scratch.slot[0] >= 0:
            count_up(w, lanes, nodes, acted, scratch)
        if several > 1:
            move(own, several, w, lanes, slots, scratch)
        elif several == 1:
            for s in range(slots):
                for b in range(nodes):
                    r = (s * nodes + b) * lanes + w
                    set_product(there, r, taken, b * size, here, r)

    @device
    def count_up(w, lanes, nodes, acted, scratch):
        """In four sums: in one, each addition would wait for the last."""
        total, taken, here, four = scratch.total, scratch.taken, scratch.here, np.uint64(4)
        total[: four * size] = 0.0
        for b in range(nodes):
            add_product(total, b % four * size, taken, b * size, here, b * lanes + w)
        for n in range(min(size, np.uint64(acted.shape[0]) - w)):
            one, two = total[n] + total[size + n], total[2 * size + n] + total[3 * size + n]
            acted[w + n] += one + two

    @device
    def move(own, several, w, lanes, slots, scratch):
        """Two corners of the lottery at a time, in two slots."""
        lottery, chance, row = scratch.work.lottery, scratch.chance, scratch.row
        end, weight, nodes = scratch.end, scratch.weight, np.uint64(scratch.end.shape[1])
        for left in range(several, 0, -2):
            for v in range(2):
                if v < left:
                    corner(lottery, own, 0, nodes)
                    for b in range(nodes):
                        end[v, b] = np.uint64(lottery.at[b]) * lanes + w
                        pick(weight[v], b * size, chance, row, w, b, lottery.mass[b])
                else:
                    weight[v] = 0.0
            for s in range(np.uint64(0), slots, np.uint64(2)):
                scatter(s * nodes * lanes, w, lanes, end, weight, scratch.here, scratch.there)

    @device
    def scatter(row, w, lanes, end, weight, here, there):
        """Each slot waits for its own sums alone, since neighbours lead to the same node."""
        near, far, low, high = end[0], end[1], weight[0], weight[1]
        other = row + np.uint64(near.shape[0]) * lanes
        for b in range(np.uint64(near.shape[0])):
            i, j, k, r = near[b], far[b], b * size, b * lanes + w
            add_product(there, row + i, low, k, here, row + r)
            add_product(there, other + i, low, k, here, other + r)
            add_product(there, row + j, high, k, here, row + r)
            add_product(there, other + j, high, k, here, other + r)

    return act


act_four, act_two, act_one = map(_acting, (4, 2, 1))


@device
def arrive(share, there, begin, target, to, count, first):
    """A share of what a channel has there, at a state that follows; to what came there before."""
    if first:
        for r in range(count):
            target[to + r] = share * there[begin + r]
    else:
        for r in range(count):
            target[to + r] += share * there[begin + r]
