"""The forward pass: probability mass of all true type profiles through one layer.

The adjoint of `sweep`: the same strategies, posteriors and interpolation weights, so that what
it accumulates equals the values of the backward sweep to rounding error, on any grid. Profiles
are moved together because their posteriors are the same; each is computed by itself.

Mass is float64 [x, b, h]. Its channels h are the same number for each profile p in turn: all
histories first, then those in which some outcome has not yet been.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.stage import (
    combine,
    enter_node,
    enter_state,
    reach,
    see,
)

FAINT = 1e-250  # mass that is left out: numbers near 1e-308 take a processor ten times as long


@kernel
def push(first, last, part, turn, sigma, alive, mass, next_values, acted, dense, stage):
    """Move mass to following [x', b, h], for the beliefs o = first … last - 1.

    These are the beliefs about those who do not move, which stay as they are: what different o do
    never meets.

    alive
        float64 [x, h]: 1, or 0 where mass leaves a channel at a state.
    next_values
        Out, at the nodes of these o.
    acted
        Added to, float64 [e, p]: probability of each joint action, at its state.
    dense
        Scratch, float64, flat: what took each joint action, by the node that it leads to [e, l, h].
    stage
        Scratch, see `stage.Stage`; None for turns of chance and of one mover with one type or two
        (`layout.is_lined`), for which the general way is then not compiled.
    """
    beliefs, profiles = mass.shape[1], turn.profile.shape[0]
    # Unsigned positions: of a signed one Numba asks whether it counts from the end.
    width, channels = np.uint64(mass.shape[2]), np.uint64(mass.shape[2] // profiles)
    movers = turn.movers
    several = movers.n_types.shape[0]
    base, local = turn.base[first:last], turn.local
    if several == 0 or (several == 1 and movers.n_types[0] == 1):
        # No belief moves: the nodes of all these o are taken together, as they stand in memory.
        base, local = turn.local, turn.base[first:last]
    nodes = local.shape[0]
    moved, chance = np.zeros(mass.shape[2]), np.zeros(mass.shape[2])
    second = np.zeros(mass.shape[2])
    for h in range(width):
        second[h] = turn.profile[h // channels]
    source, target = mass.reshape(-1), next_values.reshape(-1)
    for o in range(base.shape[0]):
        for x in range(next_values.shape[0]):
            for node in range(nodes):
                to = np.uint64(x * beliefs + base[o] + local[node]) * width
                for h in range(width):
                    target[to + h] = 0.0
        for x in range(mass.shape[0]):
            begin = part.action_ptr[x]
            count = part.action_ptr[x + 1] - begin
            size = part.play_ptr[x + 1] - part.play_ptr[x]
            # Where nothing is learnt each node leads to itself.
            plain = count == 1 or (several == 1 and movers.n_types[0] == 1)
            if not plain:
                dense[: count * nodes * mass.shape[2]] = 0.0
                if stage is not None:
                    enter_state(movers, stage, part.n_actions[x])
            for node in range(nodes):
                b = base[o] + local[node]
                here = np.uint64(x * beliefs + b) * width
                total = 0.0
                for p in range(np.uint64(profiles)):
                    total += source[here + p * channels]
                if total < FAINT:
                    continue
                for h in range(width):
                    moved[h] = source[here + h] * alive[x, h]
                play = beliefs * part.play_ptr[x] + b * size
                if plain:
                    for e in range(count):
                        taken = sigma[play + e] if count > 1 else 1.0
                        for p in range(np.uint64(profiles)):
                            acted[begin + e, p] += taken * source[here + p * channels]
                        for k in range(part.trans_ptr[begin + e], part.trans_ptr[begin + e + 1]):
                            share = taken * part.prob[k]
                            to = np.uint64(part.succ[k] * beliefs + b) * width
                            for h in range(width):
                                target[to + h] += share * moved[h]
                    continue
                if stage is None:
                    steps = movers.steps[0]
                    for a in range(count):
                        play_0, play_1 = sigma[play + a], sigma[play + count + a]
                        low, high = (steps - node) * play_0, node * play_1
                        t = node * 1.0 if low + high == 0.0 else steps * (high / (low + high))
                        cell = min(np.int64(t), steps - 1)
                        weight = t - cell
                        rest, change = 1.0 - weight, play_1 - play_0
                        for p in range(np.uint64(profiles)):
                            taken = play_0 + second[p * channels] * change
                            acted[begin + a, p] += taken * source[here + p * channels]
                        to = np.uint64(a * nodes + cell) * width
                        for h in range(width):
                            goes = (play_0 + second[h] * change) * moved[h]
                            dense[to + h] += rest * goes
                            dense[to + width + h] += weight * goes
                else:
                    enter_node(movers, stage, node)
                    see(movers, stage, sigma, play)
                    for e in range(count):
                        taken_by(turn, stage, e, channels, chance)
                        for p in range(np.uint64(profiles)):
                            gone = chance[p * channels] * source[here + p * channels]
                            acted[begin + e, p] += gone
                        for h in range(width):
                            chance[h] *= moved[h]
                        for _ in range(reach(movers, stage)):
                            at, weight = combine(stage, e)
                            to = np.uint64(e * nodes + at) * width
                            for h in range(width):
                                dense[to + h] += weight * chance[h]
            for e in range(0 if plain else count):
                for k in range(part.trans_ptr[begin + e], part.trans_ptr[begin + e + 1]):
                    share = part.prob[k]
                    for node in range(nodes):
                        b = base[o] + local[node]
                        to = np.uint64(part.succ[k] * beliefs + b) * width
                        came = np.uint64(e * nodes + node) * width
                        for h in range(width):
                            target[to + h] += share * dense[came + h]


@device
def taken_by(turn, stage, e, channels, chance):
    """Probability of joint action e for each channel [h]: its profile's."""
    movers = turn.movers
    for p in range(turn.profile.shape[0]):
        total = 1.0
        for m in range(movers.n_types.shape[0]):
            row = stage.first[m] + movers.types[turn.profile[p], m] * stage.n_actions[m]
            total *= stage.play[row + stage.own[e, m]]
        first = np.uint64(p) * channels
        for h in range(first, first + channels):
            chance[h] = total


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
