"""The forward pass: probability mass of all true type profiles through one layer.

The transpose of `backward`: the same strategies and the same lotteries, so that what it
accumulates equals the values of the backward sweep to rounding error, on any grid. Each type
profile is moved by itself, so that work may be shared out by profiles.

Mass is float64 [x, h, p, b]. Its channels h are all histories first, then those in which some
outcome has not yet been. Where both have the same histories, mass is kept and moved once: `homes`,
int64 [x, h] before the layer and after it, has the channel that keeps it; -1 where there is none.
Of other rows nothing is read, and what they hold has no meaning.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import bayes, corner, corners
from detente.solver.kernels.stage import Work, control_cost, enter, joint_chance, play_at

FAINT = 1e-250  # mass that is left out: numbers near 1e-308 take a processor ten times as long


class PushWork(NamedTuple):
    """Scratch of `push`.

    work, here, there
        `stage.Work`; float64 [(s, p, b)]: a state's mass, and what of it takes an action, where
        that leads; in slots s one after the other, with room for one row more.
    slot, fresh
        int64 [h]: where the mass of a channel stands in them, or -1; bool [x', h]: where nothing
        has arrived yet.
    end, weight
        uint64 [2, b], float64 [2, q, b]: two corners of a lottery, and how much goes there.
    row, rows
        uint64 [q, r], int64 [q]: where the rows (s, p) begin whose movers have the types q, and how
        many there are.
    """

    work: Work
    here: np.ndarray
    there: np.ndarray
    slot: np.ndarray
    fresh: np.ndarray
    end: np.ndarray
    weight: np.ndarray
    row: np.ndarray
    rows: np.ndarray


@kernel
def push(first, last, part, layout, sigma, homes, mass, following, acted, scratch):
    """Move the mass of profiles first … last - 1 to following [x', h, p, b].

    acted
        Added to, float64 [e, p]: probability of each joint action, at its state.
    scratch
        `PushWork` for so many profiles.
    """
    work, here, there, slot = scratch.work, scratch.here, scratch.there, scratch.slot
    lottery, chance, fresh = work.lottery, work.chance, scratch.fresh
    before, after = homes
    source, target = mass.reshape(-1), following.reshape(-1)
    # Positions are unsigned: of a signed one Numba asks whether it counts from the end.
    channels, nodes = np.uint64(mass.shape[1]), np.uint64(mass.shape[3])
    whole, width = np.uint64(mass.shape[2]) * nodes, np.uint64(last - first) * nodes
    begin = np.uint64(first) * nodes
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
        play, several, moved = play_at(part, sigma, mass.shape[3], x), 1, here
        if count > 1:
            enter(part, x, work)
            bayes(layout, 0, mass.shape[3], n_actions, play, lottery)
            several, moved = corners(lottery), there
            line_up(layout, first, last, slots, width, nodes, scratch)
        else:
            chance[:] = 1.0
        for e in range(count):
            if count > 1:
                joint_chance(layout, n_actions, work.own[e], play, -1, chance)
            for p in range(first, last if slot[0] >= 0 else first):
                taken, row = chance[layout.profile[p]], np.uint64(p - first) * nodes
                acted[edge + e, p] += expected(taken, here, row, nodes)
            if several > 1:
                move(lottery, work.own[e], slots * width + nodes, scratch)
            elif count > 1:
                for q in range(chance.shape[0]):
                    for i in range(scratch.rows[q]):
                        stay(chance[q], here, there, scratch.row[q, i], nodes)
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
def pay_shocks(part, layout, sigma, mass, cost, work):
    """Add up what control costs the movers (`stage.control_cost`): cost [m, p]."""
    nodes, profiles = mass.shape[3], mass.shape[2]
    for x in range(mass.shape[0]):
        n_actions, row = part.n_actions[x], 0
        enter(part, x, work)
        play = play_at(part, sigma, nodes, x)
        for m in range(layout.actor.shape[0]):
            count = n_actions[m]
            for theta in range(layout.n_types[m] if count > 1 else 0):
                first = row + theta * count
                control_cost(layout, work.reference[m], m, count, play, first, work.worth)
                for p in range(profiles):
                    if layout.types[layout.profile[p], m] == theta:
                        source = mass[x, 0, p]
                        for b in range(nodes):
                            cost[m, p] += work.worth[b] * source[b]
            row += layout.n_types[m] * count


@device
def load(source, begin, here, to, count):
    """The mass of a channel but what is too faint; gives whether there is any."""
    some = 0
    for r in range(count):
        mass = source[begin + r]
        some += mass > FAINT
        here[to + r] = mass if mass > FAINT else 0.0
    return some > 0


@device
def line_up(layout, first, last, slots, width, nodes, scratch):
    """The rows of a state, for each profile of movers; and further on one that does not count."""
    for q in range(scratch.rows.shape[0]):
        count, row = 0, scratch.row[q]
        for p in range(first, last if slots > 0 else first):
            for s in range(slots if layout.profile[p] == q else np.uint64(0)):
                row[count] = s * width + np.uint64(p - first) * nodes
                count += 1
        scratch.rows[q] = count
        row[count] = slots * width


@device
def expected(chance, here, row, nodes):
    """How much of a row takes an action that has this chance at each node. In four sums: in one,
    each addition would wait for the last."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    rest = nodes % np.uint64(4)
    for b in range(rest):
        one += chance[b] * here[row + b]
    for b in range(rest, nodes, np.uint64(4)):
        c, d, e = b + np.uint64(1), b + np.uint64(2), b + np.uint64(3)
        one += chance[b] * here[row + b]
        two += chance[c] * here[row + c]
        three += chance[d] * here[row + d]
        four += chance[e] * here[row + e]
    return (one + two) + (three + four)


@device
def stay(chance, here, there, row, nodes):
    """That much of a row, with no belief moved."""
    for b in range(nodes):
        there[row + b] = chance[b] * here[row + b]


@device
def move(lottery, own, size, scratch):
    """That much of all rows where the lottery leads, two of its corners at a time."""
    end, weight, row = scratch.end, scratch.weight, scratch.row
    here, there = scratch.here, scratch.there
    there[:size] = 0.0
    left = corners(lottery)
    while left > 0:
        for v in range(2):
            if v < left:
                corner(lottery, own, 0, end.shape[1])
                aim(lottery, scratch.work.chance, end[v], weight[v])
            else:
                weight[v] = 0.0
        for q in range(scratch.rows.shape[0]):
            last = scratch.rows[q] // 4 * 4
            for i in range(0, last, 4):
                scatter(end, weight[0, q], weight[1, q], row[q, i:], here, there)
            for i in range(last, scratch.rows[q], 2):
                scatter_two(end, weight[0, q], weight[1, q], row[q, i:], here, there)
        left -= 2


@device
def aim(lottery, chance, end, weight):
    """Where a corner is, and how much of what is at each node goes there: weight [q, b]."""
    at, mass = lottery.at, lottery.mass
    for b in range(end.shape[0]):
        end[b] = np.uint64(at[b])
    for q in range(weight.shape[0]):
        taken, goes = chance[q], weight[q]
        for b in range(end.shape[0]):
            goes[b] = mass[b] * taken[b]


@device
def scatter(end, low, high, row, here, there):
    """Add two corners' share of four rows. Each waits for its own sums alone, since neighbours lead
    to the same node."""
    one, other = end[0], end[1]
    h, i, j, k = row[0], row[1], row[2], row[3]
    for b in range(np.uint64(low.shape[0])):
        to, weight = one[b], low[b]
        there[h + to] += weight * here[h + b]
        there[i + to] += weight * here[i + b]
        there[j + to] += weight * here[j + b]
        there[k + to] += weight * here[k + b]
        to, weight = other[b], high[b]
        there[h + to] += weight * here[h + b]
        there[i + to] += weight * here[i + b]
        there[j + to] += weight * here[j + b]
        there[k + to] += weight * here[k + b]


@device
def scatter_two(end, low, high, row, here, there):
    """The same for what is left of rows, two at a time."""
    one, other, h, i = end[0], end[1], row[0], row[1]
    for b in range(np.uint64(low.shape[0])):
        to, weight = one[b], low[b]
        there[h + to] += weight * here[h + b]
        there[i + to] += weight * here[i + b]
        to, weight = other[b], high[b]
        there[h + to] += weight * here[h + b]
        there[i + to] += weight * here[i + b]


@device
def arrive(share, there, begin, target, to, count, first):
    """A share of what a channel has there, at a state that follows; to what came there before."""
    if first:
        for r in range(count):
            target[to + r] = share * there[begin + r]
    else:
        for r in range(count):
            target[to + r] += share * there[begin + r]
