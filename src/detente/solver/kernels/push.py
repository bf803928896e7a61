"""The forward pass: probability mass of one true type profile through one layer.

The adjoint of `sweep`: the same strategies, posteriors and interpolation weights, so that what
it accumulates equals the values of the backward sweep to rounding error, on any grid.
"""

from __future__ import annotations

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
    profile,
    profiles,
    mass,
    following,
    acted,
    paid,
):
    """Move mass [x, b, h] to following [x', b, h] (added to) when the true types are `profile`.

    h
        Channels: all histories, then those in which some outcome has not yet been.
    action
        int64 [e]: the mover's own action; the last entry of `acted` counts 'nobody moves' (-1).
    acted
        Added to, float64 [own action + 1]: probability of each action.
    paid
        Added to, float64 [i]: expected reward of each actor.
    """
    beliefs, channels = mass.shape[1], mass.shape[2]
    grid = nodes.shape[0]
    types = 2 if grid > 1 else 1
    for x in range(mass.shape[0]):
        begin = action_ptr[x]
        count = action_ptr[x + 1] - begin
        for node in range(beliefs):
            here = mass[x, node]
            if here[0] == 0.0:
                continue
            g = (node // stride) % grid
            base = node - g * stride
            row = beliefs * types * begin + node * types * count
            for a in range(count):
                share = 1.0 if count == 1 else sigma[row + own_type * count + a]
                if share == 0.0:
                    continue
                e = begin + a
                acted[action[e]] += here[0] * share
                for i in range(paid.shape[0]):
                    paid[i] += here[0] * share * reward[e, i * profiles + profile]
                if count == 1:
                    j, f = g, 0.0
                else:
                    last = sigma[row + (types - 1) * count + a]
                    j, f = locate(posterior(nodes[g], sigma[row + a], last), nodes, split)
                for k in range(trans_ptr[e], trans_ptr[e + 1]):
                    weight = share * prob[k]
                    low = following[succ[k], base + j * stride]
                    for h in range(channels):
                        low[h] += weight * (1.0 - f) * here[h]
                    if f > 0.0:
                        high = following[succ[k], base + (j + 1) * stride]
                        for h in range(channels):
                            high[h] += weight * f * here[h]
