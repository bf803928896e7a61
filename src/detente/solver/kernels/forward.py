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
        `stage.Work`, and float64 [2, h, b] for mass on its way and where it arrives.
    """
    work, moved = scratch
    nodes, lottery = mass.shape[2], work.lottery
    channels = mass.shape[1] // layout.profile.shape[0]
    rows = range(first * channels, last * channels)
    following[:, first * channels : last * channels] = 0.0
    for x in range(mass.shape[0]):
        begin = part.action_ptr[x]
        count, n_actions = part.action_ptr[x + 1] - begin, part.n_actions[x]
        if not load(mass[x], rows, moved[0]):
            continue
        play = play_at(part, sigma, nodes, x)
        if count > 1:
            enter(part, x, work)
            bayes(layout, 0, nodes, n_actions, play, lottery)
        for e in range(count):
            several = 1
            if count > 1:
                joint_chance(layout, n_actions, work.own[e], play, -1, work.chance)
                several = corners(lottery)
            for p in range(first, last):
                chance, source = work.chance[layout.profile[p]], moved[0, p * channels]
                total = 0.0
                for b in range(nodes):
                    total += (chance[b] if count > 1 else 1.0) * source[b]
                acted[begin + e, p] += total
            moved[1, first * channels : last * channels] = 0.0
            for _ in range(several):
                if several > 1:
                    corner(lottery, work.own[e], 0, nodes)
                for h in rows:
                    if alive[x, h] == 0.0:
                        continue
                    chance, source = work.chance[layout.profile[h // channels]], moved[0, h]
                    target = moved[1, h]
                    if count == 1:
                        for b in range(nodes):
                            target[b] = source[b]
                    elif several == 1:
                        for b in range(nodes):
                            target[b] = chance[b] * source[b]
                    else:
                        at, weight = lottery.at, lottery.mass
                        for b in range(nodes):
                            target[np.uint64(at[b])] += weight[b] * chance[b] * source[b]
            for k in range(part.trans_ptr[begin + e], part.trans_ptr[begin + e + 1]):
                share = part.prob[k]
                if share > 0.0:
                    for h in rows:
                        source, target = moved[1, h], following[part.succ[k], h]
                        for b in range(nodes):
                            target[b] += share * source[b]


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
def load(mass, rows, moved):
    """The mass of a state but what is too faint; gives whether there is any."""
    largest = 0.0
    for h in rows:
        source, target = mass[h], moved[h]
        for b in range(source.shape[0]):
            here = source[b] if source[b] > FAINT else 0.0
            target[b] = here
            largest = max(largest, here)
    return largest > 0.0
