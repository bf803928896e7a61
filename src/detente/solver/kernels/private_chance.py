"""Chance that has to do with a private type: a signal of it, a change of it that nobody sees.

Transition k happens, and the type is φ from then on, with probability change[k, θ, φ] where it is
θ. All see k. As after an action, the belief moves by Bayes' rule, b'(φ) ∝ Σ_θ b(θ) change[k, θ, φ],
to a lottery over nodes (`lottery`), which is used as there:

- applied, V[θ](b) = Σ_k Σ_φ change[k, θ, φ] V'[φ](b'_k) (`sweep_private`);
- transposed, it moves mass with its type (`push_private`);
- differentiated by what the posterior is in proportion to, in `adjoin_private`.

There is nothing to solve: chance is an actor whose strategy is known. What is impossible at a
belief on the face of the simplex leads where it leads in the limit from inside; from a face that
lacks several types, from where they are equally likely.

The layout is that of the turn of a single mover, whose type it is: component c = (i, p) has the
type `layout.profile[p]`, and p + (φ - θ) apart the type φ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import LEAST, locate

FAINT = 1e-250  # share of a type that cannot be, so that what more of it would do has a slope


class PrivateTurn(NamedTuple):
    """What such a layer is, besides its `LayerArrays`.

    change
        float64 [k, θ, φ].
    ratio
        float64 [θ]: u(θ) ∝ ratio(θ) b(θ), see `detente.solver.beliefs`.
    apart
        Rows from a type profile to that with the actor's next type.
    """

    change: np.ndarray
    ratio: np.ndarray
    apart: int


@device
def reveal(layout, turn, k, nodes, lottery):
    """The lottery that transition k leads to; gives the number of its vertices, 1 where the belief
    stays."""
    change, n_types, tells = turn.change[k], turn.ratio.shape[0], lottery.slope.shape[2] > 0
    for theta in range(n_types):
        for phi in range(n_types):
            other = change[0, 0] if phi == theta else 0.0
            tells = tells or change[theta, phi] != other
    if not tells:
        return 1
    for phi in range(n_types):
        share = lottery.share[phi]
        for b in range(nodes):
            share[b] = FAINT * turn.ratio[phi]
        for theta in range(n_types):
            believed, chance = layout.believed[0, theta], change[theta, phi] * turn.ratio[phi]
            if chance > 0.0:
                for b in range(nodes):
                    share[b] += max(believed[b], LEAST) * chance
    locate(layout, 0, 0, 0, nodes, lottery)
    return n_types


@device
def interpolate(count, source, lottery, target):
    """Values [b] at the posteriors, from those at nodes."""
    nodes = target.shape[0]
    if count == 1:
        for b in range(nodes):
            target[b] = source[b]
        return
    for b in range(nodes):
        target[b] = 0.0
    for v in range(count):
        vertex, weight = lottery.vertex[0, 0, v], lottery.weight[0, 0, v]
        for b in range(nodes):
            target[b] += weight[b] * source[np.uint64(b + vertex[b])]


@kernel
def sweep_private(first, last, part, layout, turn, next_values, values, lottery):
    """Values [x, c, b] of the states first … last - 1, from those of the next layer."""
    nodes, profiles, n_types = values.shape[2], layout.profile.shape[0], turn.ratio.shape[0]
    ahead = lottery.mass
    for x in range(first, last):
        values[x, :, :] = 0.0
        begin = part.action_ptr[x]
        for k in range(part.trans_ptr[begin], part.trans_ptr[begin + 1]):
            count = reveal(layout, turn, k, nodes, lottery)
            for c in range(values.shape[1]):
                theta, target = layout.profile[c % profiles], values[x, c]
                for phi in range(n_types):
                    chance = turn.change[k, theta, phi]
                    if chance > 0.0:
                        source = next_values[part.succ[k], c + (phi - theta) * turn.apart]
                        interpolate(count, source, lottery, ahead)
                        for b in range(nodes):
                            target[b] += chance * ahead[b]


@kernel
def push_private(block, part, layout, turn, homes, mass, following, lottery):
    """Move mass to a block of profiles of following [x', h, k, b, w]; see `forward.push`."""
    (nodes, lanes), n_types, (before, after) = mass.shape[3:], turn.ratio.shape[0], homes
    following[:, :, block] = 0.0
    for x in range(mass.shape[0]):
        begin = part.action_ptr[x]
        for k in range(part.trans_ptr[begin], part.trans_ptr[begin + 1]):
            count, to = reveal(layout, turn, k, nodes, lottery), part.succ[k]
            for h in range(mass.shape[1]):
                if before[x, h] < 0 or after[to, h] != h:
                    continue
                for p in range(block * lanes, min(block * lanes + lanes, layout.profile.shape[0])):
                    target = following[to, h, block, :, p - block * lanes]
                    for theta in range(n_types):
                        chance = turn.change[k, theta, layout.profile[p]]
                        came = p + (theta - layout.profile[p]) * turn.apart
                        source = mass[x, before[x, h], came // lanes, :, came % lanes]
                        for v in range(count if chance > 0.0 else 0):
                            vertex, weight = lottery.vertex[0, 0, v], lottery.weight[0, 0, v]
                            for b in range(nodes):
                                if count == 1:
                                    target[b] += chance * source[b]
                                else:
                                    at = np.uint64(b + vertex[b])
                                    target[at] += chance * weight[b] * source[b]


@kernel
def adjoin_private(part, layout, turn, gain, next_values, next_gain, by_change, by_ratio, lottery):
    """The adjoint of a layer: what a number gains by everything.

    Parameters
    ----------
    gain
        float64 [x, c, b]: derivatives by the layer's values.
    next_gain, by_change, by_ratio
        Added to, float64 [x', c, b], [k, θ, φ], [θ]: derivatives by the next values, by `change`,
        and by the logarithm of `ratio` while the nodes stay in the grid's coordinates.
    lottery
        With slopes.
    """
    nodes, profiles, n_types = gain.shape[2], layout.profile.shape[0], turn.ratio.shape[0]
    by_share, ahead = lottery.share, lottery.mass
    for x in range(gain.shape[0]):
        begin = part.action_ptr[x]
        for k in range(part.trans_ptr[begin], part.trans_ptr[begin + 1]):
            count = reveal(layout, turn, k, nodes, lottery)
            by_share[:] = 0.0
            for c in range(gain.shape[1]):
                theta, here = layout.profile[c % profiles], gain[x, c]
                for phi in range(n_types):
                    chance, other = turn.change[k, theta, phi], c + (phi - theta) * turn.apart
                    source = next_values[part.succ[k], other]
                    target = next_gain[part.succ[k], other]
                    interpolate(count, source, lottery, ahead)
                    for b in range(nodes):
                        by_change[k, theta, phi] += here[b] * ahead[b]
                    if chance == 0.0:
                        continue
                    for v in range(count):
                        vertex, weight = lottery.vertex[0, 0, v], lottery.weight[0, 0, v]
                        for b in range(nodes):
                            to = np.uint64(b + vertex[b])
                            target[to] += chance * weight[b] * here[b]
                            worth = chance * here[b] * source[to]
                            for psi in range(n_types):
                                by_share[psi, b] += worth * lottery.slope[0, 0, v, psi, b]
            # What it is in proportion to is ratio(φ) Σ_θ b(θ) change(θ, φ), b(θ) ∝ u(θ) / ratio(θ).
            for phi in range(n_types):
                for b in range(nodes):
                    total, by = FAINT, by_share[phi, b]
                    for theta in range(n_types):
                        believed = max(layout.believed[0, theta, b], LEAST)
                        total += believed * turn.change[k, theta, phi]
                    by_ratio[phi] += by
                    for theta in range(n_types):
                        by_chance = by * max(layout.believed[0, theta, b], LEAST) / total
                        by_change[k, theta, phi] += by_chance
                        by_ratio[theta] -= by_chance * turn.change[k, theta, phi]
