"""The forward pass: probability mass of some true type profiles through one layer.

The adjoint of `sweep`: the same strategies, posteriors and interpolation weights, so that what
it accumulates equals the values of the backward sweep to rounding error, on any grid. Profiles
are moved together because their posteriors are the same; each is computed by itself.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.jit import kernel
from detente.solver.kernels.stage import (
    combine,
    enter_node,
    enter_state,
    make_stage,
    reach,
    see,
)


@kernel
def push(first, last, part, turn, sigma, chosen, alive, mass, following, acted):
    """Move mass [x, b, h] to following [x', b, h] (added to) for the profiles `chosen`.

    first, last
        Of the beliefs o about those who do not move, which stay as they are: what different o
        do never meets.
    h
        Channels, the same number for each of the chosen profiles in turn: all histories first,
        then those in which some outcome has not yet been.
    chosen
        int64 [q]: the positions p of the profiles.
    alive
        float64 [x, h]: 1, or 0 where mass leaves a channel at a state.
    acted
        Added to, float64 [e, q]: probability of each joint action, at its state.
    """
    beliefs = mass.shape[1]
    count_q = chosen.shape[0]
    channels = np.uint64(mass.shape[2] // count_q)
    # Unsigned positions: of a signed one Numba asks whether it counts from the end.
    width = np.uint64(mass.shape[2])
    movers = turn.movers
    several, nodes = movers.kinds.shape[0], turn.local.shape[0]
    joint, most = np.int64(1), np.int64(1)
    for x in range(mass.shape[0]):
        joint = max(joint, part.action_ptr[x + 1] - part.action_ptr[x])
        for m in range(several):
            most = max(most, part.choices[x, m])
    stage = make_stage(movers, most, joint, turn.profile.shape[0])
    # What took each joint action, by the node that it leads to: [e, l, h], flat.
    dense = np.zeros(joint * nodes * mass.shape[2])
    moved = np.zeros(mass.shape[2])
    source, target = mass.reshape(-1), following.reshape(-1)
    for x in range(mass.shape[0]):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        size = part.play_ptr[x + 1] - part.play_ptr[x]
        offset = beliefs * part.play_ptr[x]
        if count > 1:
            enter_state(movers, stage, part.choices[x])
        for o in range(first, last):
            dense[: count * nodes * mass.shape[2]] = 0.0
            some = False
            for node in range(nodes):
                b = turn.base[o] + turn.local[node]
                here = np.uint64(x * beliefs + b) * width
                total = 0.0
                for q in range(np.uint64(count_q)):
                    total += source[here + q * channels]
                if total == 0.0:
                    continue
                some = True
                if count == 1:
                    for q in range(np.uint64(count_q)):
                        acted[begin, q] += source[here + q * channels]
                    to = np.uint64(node) * width
                    for h in range(width):
                        dense[to + h] = source[here + h] * alive[x, h]
                    continue
                enter_node(movers, stage, node)
                see(movers, stage, sigma, offset + b * size)
                for e in range(count):
                    for q in range(np.uint64(count_q)):
                        chance = 1.0
                        for m in range(several):
                            theta = movers.types[turn.profile[chosen[q]], m]
                            row = stage.first[m] + theta * stage.choices[m]
                            chance *= stage.play[row + stage.own[e, m]]
                        acted[begin + e, q] += chance * source[here + q * channels]
                        for h in range(q * channels, q * channels + channels):
                            moved[h] = chance * source[here + h] * alive[x, h]
                    for _ in range(reach(movers, stage)):
                        at, weight = combine(stage, e)
                        to = np.uint64(e * nodes + at) * width
                        for h in range(width):
                            dense[to + h] += weight * moved[h]
            if not some:
                continue
            for e in range(count):
                for k in range(part.trans_ptr[begin + e], part.trans_ptr[begin + e + 1]):
                    chance = part.prob[k]
                    for node in range(nodes):
                        b = turn.base[o] + turn.local[node]
                        to = np.uint64(part.succ[k] * beliefs + b) * width
                        came = np.uint64(e * nodes + node) * width
                        for h in range(width):
                            target[to + h] += chance * dense[came + h]


@kernel
def marginals(mass, alive, by_state, by_belief):
    """Sums of mass [x, b, h] over beliefs (times `alive` [x, h]) and, of all of it, over states.

    by_state, by_belief
        Added to, float64 [x, h] and [b, h]. Summed in the order of x and b, whatever the other
        sizes are, so that results do not depend on how profiles are grouped.
    """
    for x in range(mass.shape[0]):
        for b in range(mass.shape[1]):
            for h in range(mass.shape[2]):
                by_state[x, h] += mass[x, b, h]
                by_belief[b, h] += mass[x, b, h]
        for h in range(mass.shape[2]):
            by_state[x, h] *= alive[x, h]
