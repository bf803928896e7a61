"""The forward pass: probability mass of all true type profiles through one layer.

The transpose of `backward`: the same strategies and the same lotteries, so that what it
accumulates equals the values of the backward sweep to rounding error, on any grid. Each type
profile is moved by itself, so that work may be shared out by profiles.

Mass is float64 [x, h, b]. Its channels h are the same number for each profile p in turn: all
histories first, then those in which some outcome has not yet been.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import bayes, corner, corners
from detente.solver.kernels.stage import control_cost, enter, joint_chance, play_at

FAINT = 1e-250  # mass that is left out: numbers near 1e-308 take a processor ten times as long


@kernel
def push(first, last, part, layout, sigma, alive, mass, following, acted, scratch):
    """Move the mass of profiles first … last - 1 to following [x', h, b].

    alive
        float64 [x, h]: 1, or 0 where mass leaves a channel at a state.
    acted
        Added to, float64 [e, p]: probability of each joint action, at its state.
    scratch
        `stage.Work`, float64 [2, h, b] for mass on its way and where it arrives, and uint64 [4, h]
        for the rows (h, b) of a state that have mass: where they begin, and q; and where runs of
        them that stand side by side begin and end.
    """
    work, moved, rows = scratch
    lottery, chance = work.lottery, work.chance
    here, there = moved[0].reshape(-1), moved[1].reshape(-1)
    source, target = mass.reshape(-1), following.reshape(-1)
    # Positions are unsigned: of a signed one Numba asks whether it counts from the end.
    nodes, size = np.uint64(mass.shape[2]), np.uint64(mass.shape[1] * mass.shape[2])
    channels = mass.shape[1] // layout.profile.shape[0]
    span = np.uint64(first * channels) * nodes, np.uint64(last * channels) * nodes
    for x in range(np.uint64(following.shape[0])):
        for r in range(x * size + span[0], x * size + span[1]):
            target[r] = 0.0
    for x in range(np.uint64(mass.shape[0])):
        n_rows, n_runs = 0, 0
        for h in range(first * channels, last * channels):
            to = np.uint64(h) * nodes
            if alive[x, h] > 0.0 and load(source, x * size + to, here, to, nodes):
                rows[0, n_rows], rows[1, n_rows] = to, layout.profile[h // channels]
                if n_runs > 0 and rows[3, n_runs - 1] == to:
                    n_runs -= 1
                else:
                    rows[2, n_runs] = to
                rows[3, n_runs] = to + nodes
                n_rows, n_runs = n_rows + 1, n_runs + 1
        if n_rows == 0:
            continue
        begin = part.action_ptr[x]
        count, n_actions = part.action_ptr[x + np.uint64(1)] - begin, part.n_actions[x]
        play, several = play_at(part, sigma, mass.shape[2], x), 1
        if count > 1:
            enter(part, x, work)
            bayes(layout, 0, mass.shape[2], n_actions, play, lottery)
            several = corners(lottery)
        else:
            chance[:] = 1.0
        for e in range(count):
            if count > 1:
                joint_chance(layout, n_actions, work.own[e], play, -1, chance)
            for i in range(n_rows):
                h = np.int64(rows[0, i] // nodes)
                if h % channels == 0:
                    taken = chance[rows[1, i]]
                    acted[begin + e, h // channels] += expected(taken, here, rows[0, i], nodes)
            if several == 1:
                for i in range(n_rows):
                    stay(chance[rows[1, i]], here, there, rows[0, i], nodes)
            else:
                for i in range(n_runs):
                    for r in range(rows[2, i], rows[3, i]):
                        there[r] = 0.0
                for _ in range(corners(lottery)):
                    corner(lottery, work.own[e], 0, mass.shape[2])
                    scatter(lottery, chance, rows, n_rows, here, there, nodes)
            for k in range(part.trans_ptr[begin + e], part.trans_ptr[begin + e + 1]):
                if part.prob[k] > 0.0:
                    to = np.uint64(part.succ[k]) * size
                    for i in range(n_runs):
                        add(part.prob[k], there, target, to, rows[2, i], rows[3, i])


@kernel
def pay_shocks(part, layout, sigma, mass, cost, work):
    """Add up what control costs the movers (`stage.control_cost`): cost [m, p]."""
    nodes, profiles = mass.shape[2], layout.profile.shape[0]
    channels = mass.shape[1] // profiles
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
                        source = mass[x, p * channels]
                        for b in range(nodes):
                            cost[m, p] += work.worth[b] * source[b]
            row += layout.n_types[m] * count


@device
def load(source, begin, here, to, nodes):
    """The mass of a row but what is too faint; gives whether there is any."""
    some = 0
    for b in range(nodes):
        mass = source[begin + b]
        some += mass > FAINT
        here[to + b] = mass if mass > FAINT else 0.0
    return some > 0


@device
def expected(chance, here, row, nodes):
    """How much of a row takes an action that has this chance at each node."""
    total = 0.0
    for b in range(nodes):
        total += chance[b] * here[row + b]
    return total


@device
def stay(chance, here, there, row, nodes):
    """That much of a row, with no belief moved."""
    for b in range(nodes):
        there[row + b] = chance[b] * here[row + b]


@device
def scatter(lottery, chance, rows, n_rows, here, there, nodes):
    """Add that much of all rows where the lottery's corner is. From node to node, with the rows
    within: sums of one row would wait for each other, since neighbours lead to the same node."""
    for b in range(nodes):
        to, weight = np.uint64(lottery.at[b]), lottery.mass[b]
        if weight > 0.0:
            for i in range(np.uint64(n_rows)):
                row = rows[0, i]
                there[row + to] += weight * chance[rows[1, i], b] * here[row + b]


@device
def add(share, there, target, to, begin, end):
    """A share of what arrives, at a state that follows."""
    for r in range(begin, end):
        target[to + r] += share * there[r]
