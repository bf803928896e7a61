"""The forward pass: probability mass of some true type profiles through one layer.

The adjoint of `sweep`: the same strategies, posteriors and interpolation weights, so that what
it accumulates equals the values of the backward sweep to rounding error, on any grid. Profiles
are moved together because their posteriors are the same; each is computed by itself.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.jit import kernel
from detente.solver.kernels.stage import locate, posterior


@kernel
def push(
    action_ptr,
    action,
    trans_ptr,
    succ,
    prob,
    reward,
    sigma,
    nodes,
    split,
    stride,
    own_type,
    chosen,
    profiles,
    alive,
    mass,
    following,
    acted,
    paid,
):
    """Move mass [x, b, h] to following [x', b, h] (added to) for the profiles `chosen`.

    h
        Channels, the same number for each of the chosen profiles in turn: all histories first,
        then those in which some outcome has not yet been.
    action
        int64 [e]: the mover's own action; the last row of `acted` counts 'nobody moves' (-1).
    own_type, chosen
        int64 [q]: the mover's type and the position p of each chosen profile.
    alive
        float64 [x, h]: 1, or 0 where mass leaves a channel at a state.
    acted
        Added to, float64 [own action + 1, q]: probability of each action.
    paid
        Added to, float64 [i, q]: expected reward of each actor.
    """
    beliefs, width = mass.shape[1], mass.shape[2]
    grid = nodes.shape[0]
    types = 2 if grid > 1 else 1
    count_q = chosen.shape[0]
    channels = width // count_q
    most = 1
    for x in range(mass.shape[0]):
        most = max(most, action_ptr[x + 1] - action_ptr[x])
    taken = np.zeros((most, count_q))
    moved = np.zeros(width)
    flat = following.reshape(-1)
    for x in range(mass.shape[0]):
        begin = action_ptr[x]
        count = action_ptr[x + 1] - begin
        taken[:count] = 0.0
        for node in range(beliefs):
            here = mass[x, node]
            total = 0.0
            for q in range(count_q):
                total += here[q * channels]
            if total == 0.0:
                continue
            g = (node // stride) % grid
            base = node - g * stride
            row = beliefs * types * begin + node * types * count
            for a in range(count):
                j, f = g, 0.0
                if count == 1:
                    for h in range(width):
                        moved[h] = here[h] * alive[x, h]
                else:
                    for q in range(count_q):
                        share = sigma[row + own_type[q] * count + a]
                        for h in range(q * channels, (q + 1) * channels):
                            moved[h] = share * here[h] * alive[x, h]
                    last = sigma[row + (types - 1) * count + a]
                    j, f = locate(posterior(nodes[g], sigma[row + a], last), nodes, split)
                for q in range(count_q):
                    taken[a, q] += moved[q * channels]
                for k in range(trans_ptr[begin + a], trans_ptr[begin + a + 1]):
                    low = (succ[k] * beliefs + base + j * stride) * width
                    weight_low, weight_high = prob[k] * (1.0 - f), prob[k] * f
                    for h in range(width):
                        flat[low + h] += weight_low * moved[h]
                    if weight_high > 0.0:
                        high = low + stride * width
                        for h in range(width):
                            flat[high + h] += weight_high * moved[h]
        for a in range(count):
            for q in range(count_q):
                acted[action[begin + a], q] += taken[a, q]
                for i in range(paid.shape[0]):
                    paid[i, q] += taken[a, q] * reward[begin + a, i * profiles + chosen[q]]


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
