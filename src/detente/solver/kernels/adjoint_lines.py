"""`adjoint` for turns of one mover with one type or two, and for chance: many beliefs together.

The Jacobian of the stage problem is that of `two_type_newton`, diagonal plus rank one, so that the
implicit function theorem costs no more than the values do. Letters as in `adjoint` and
`two_type_layer`, and rows r: nodes b in their order, so that what comes from a next state, or goes
there, is whole runs of numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.belief_block import BeliefBlock, give, look_from, take
from detente.solver.kernels.jit import device, kernel, reassoc
from detente.solver.kernels.turn import BeliefLayout, look_ahead
from detente.solver.kernels.two_type_layer import update_lines


class Slopes(NamedTuple):
    """Scratch of a piece.

    continuation, back, gain
        float64 [a, r, c], [a, r, c], [r, c]: next values, and derivatives by them and by values.
    by
        float64 [a, θ, y]: derivatives by log σ, then by λ Q, then by Q.
    rate
        float64 [a, θ, y]: λ ∂Q/∂ℓ.
    weight, total, over, below
        float64 [c], [y], [y], [y].
    worth
        float64 [o, p]: what derivatives by Q meet there.
    """

    continuation: np.ndarray
    back: np.ndarray
    gain: np.ndarray
    by: np.ndarray
    rate: np.ndarray
    weight: np.ndarray
    total: np.ndarray
    over: np.ndarray
    below: np.ndarray
    worth: np.ndarray


def make_slopes(turn: BeliefLayout, piece: BeliefBlock, count: int, width: int) -> Slopes:
    """Scratch for up to `count` actions."""
    rows, n_types = piece.node.shape[0], turn.members.shape[0]
    return Slopes(
        np.zeros((count, rows, width)),
        np.zeros((count, rows, width)),
        np.zeros((rows, width)),
        np.zeros((count, n_types, rows)),
        np.zeros((count, n_types, rows)),
        np.zeros(width),
        np.zeros(rows),
        np.zeros(rows),
        np.zeros(rows),
        np.zeros((piece.last - piece.first, turn.profile.shape[0])),
    )


@kernel
def follow_lines(first, last, part, turn, next_values, sigma, values, lines, continuation, play):
    """`adjoint.follow` for these turns.

    Scratch as `two_type_scratch.Lines`, float64 [a, b, c], [b, θ, a].
    """
    beliefs = next_values.shape[1]
    best = np.empty((1, 1))
    for x in range(first, last):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        if count == 1:
            look_ahead(part, 0, begin, next_values, values[x])
            continue
        for a in range(count):
            look_ahead(part, 0, begin + a, next_values, continuation[a])
        see_lines(turn, 0, turn.base.shape[0], count, sigma[beliefs * part.play_ptr[x] :], lines)
        update_lines(turn, lines, continuation, count, best, values[x], play)


@device
def see_lines(turn, first, last, count, sigma, lines):
    """Strategies [b, θ, a] into lines.play, and the cells that they lead to."""
    per_line, n_types = turn.local.shape[0], turn.members.shape[0]
    for o in range(first, last):
        for g in range(per_line):
            y = (o - first) * per_line + g
            at = (turn.base[o] + turn.local[g]) * n_types * count
            for a in range(count):
                play_0 = sigma[at + a]
                lines.play[0, a, y] = play_0
                if n_types == 1:
                    continue
                play_1 = sigma[at + count + a]
                lines.play[1, a, y] = play_1
                steps = per_line - 1
                # The belief stays where none of the types that it holds possible does this.
                zero, one = (steps - g) * play_0, g * play_1
                total = zero + one
                c = steps * (one / total) if total > 0.0 else np.float64(g)
                cell = min(np.int64(c), steps - 1)
                lines.inside[a, y] = cell
                lines.share[a, y] = min(c - cell, 1.0)


@kernel
def adjoin_lines(
    piece,
    part,
    turn,
    next_values,
    sigma,
    n_types,
    profiles,
    believed,
    gain,
    following_gain,
    prob_gain,
    reward_gain,
    precision_gain,
    ratio_gain,
    lines,
    slopes,
):
    """`adjoint.adjoin` for these turns, at a block of the beliefs.

    Scratch: see `two_type_scratch.Lines`, for the nodes of the block, and `Slopes`.
    """
    beliefs, most = next_values.shape[1], lines.own.shape[0]
    for x in range(gain.shape[0]):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        if take(piece, gain[x], slopes.gain) == 0.0:
            continue
        if count == 1:
            give(
                part, piece, begin, slopes.gain, next_values, following_gain, prob_gain, reward_gain
            )
            continue
        for a in range(count):
            look_from(part, piece, begin + a, next_values, slopes.continuation[a])
        see_lines(turn, piece.first, piece.last, count, sigma[beliefs * part.play_ptr[x] :], lines)
        weigh_rows(turn, piece, slopes, count, lines)
        slopes.back[:count] = 0.0
        turn_back(turn, piece, lines, slopes, count)
        precision_gain[0] += through_stage(turn, lines, slopes, count)
        pass_to_payoffs(turn, piece, lines, slopes, count)
        for a in range(count):
            give(
                part,
                piece,
                begin + a,
                slopes.back[a],
                next_values,
                following_gain,
                prob_gain,
                reward_gain,
            )
    # b(θ) ∝ r(θ) at every node: ∂ log b(φ) / ∂ log r(θ) = [φ = θ] - b(θ).
    for i in range(n_types.shape[0] if most > 1 else 0):
        if i == turn.actor[0] or n_types[i] == 1:
            continue
        for o in range(piece.first, piece.last):
            for p in range(profiles.shape[0]):
                worth = slopes.worth[o - piece.first, p]
                ratio_gain[i, profiles[p, i]] += worth
                for theta in range(n_types[i]):
                    ratio_gain[i, theta] -= worth * believed[i, turn.base[o], theta]


@device
def weigh_rows(turn, piece, slopes, count, lines):
    """What the mover expects over the others' types, into lines.own [a, θ, y]."""
    per_line, width = turn.local.shape[0], np.uint64(slopes.continuation.shape[2])
    rows, block = piece.node.shape[0], turn.actor[0] * turn.profile.shape[0]
    flat = slopes.continuation.reshape(-1)
    for a in range(count):
        for y in range(rows):
            o = piece.first + y // per_line
            row = np.uint64(a * rows + piece.place[y]) * width + np.uint64(block)
            for q in range(turn.members.shape[0]):
                total = 0.0
                for s in range(turn.members.shape[1]):
                    p = turn.members[q, s]
                    total += turn.outside[o, p] * flat[row + np.uint64(p)]
                lines.own[a, q, y] = total


@reassoc
def turn_back(turn, piece, lines, slopes, count):
    """From slopes.gain to slopes.back, what is gained at the given strategies, and to slopes.by,
    the derivatives by log σ."""
    per_line, informed = turn.local.shape[0], turn.members.shape[0] == 2
    rows, steps, lam = piece.node.shape[0], per_line - 1, turn.movers.lam[0]
    # Unsigned positions: of a signed one Numba asks whether it counts from the end.
    wide = np.uint64(slopes.continuation.shape[2])
    continuation, back, gain = (
        slopes.continuation.reshape(-1),
        slopes.back.reshape(-1),
        slopes.gain.reshape(-1),
    )
    place, inside, second, weight = piece.place, lines.inside, lines.second, slopes.weight
    shares, play, own, by, rates = lines.share, lines.play, lines.own, slopes.by, slopes.rate
    for a in range(count):
        for y in range(rows):
            here = np.uint64(place[y]) * wide
            at, share, play_0 = np.int64(y), 0.0, play[0, a, y]
            change = 0.0
            if informed:
                at = y - y % per_line + inside[a, y]
                share, change = shares[a, y], play[1, a, y] - play_0
            low = np.uint64(a * rows + place[at]) * wide
            high = np.uint64(a * rows + place[at + 1]) * wide if informed else low
            rest, by_0, by_1, between = 1.0 - share, 0.0, 0.0, 0.0
            for c in range(wide):
                weight[c] = (play_0 + second[c] * change) * gain[here + c]
            for c in range(wide):
                worth = weight[c] * (rest * continuation[low + c] + share * continuation[high + c])
                by_0 += (1.0 - second[c]) * worth
                by_1 += second[c] * worth
                between += weight[c] * (continuation[high + c] - continuation[low + c])
            for c in range(wide):
                back[low + c] += rest * weight[c]
            by[a, 0, y] = by_0
            if informed:
                for c in range(wide):
                    back[high + c] += share * weight[c]
                post = (inside[a, y] + share) / steps
                bend = steps * post * (1.0 - post)
                by[a, 0, y] = by_0 - bend * between
                by[a, 1, y] = by_1 + bend * between
                for theta in range(2):
                    rise = own[a, theta, at + 1] - own[a, theta, at]
                    rates[a, theta, y] = lam * bend * rise


@reassoc
def through_stage(turn, lines, slopes, count):
    """slopes.by from derivatives by log σ to those by Q; gives that by the precision.

    With h(a, θ) = g(a, θ) - σ(a|θ) Σ g(·, θ), what is gained by λ Q directly, and k(a) what ℓ gives
    through ∂Q/∂ℓ: (diag(d) + v 1ᵀ) m = k, and m is what Q gives through ℓ.
    """
    lam, n_types, nodes = turn.movers.lam[0], turn.members.shape[0], slopes.total.shape[0]
    per_line = turn.local.shape[0]
    total, over, below = slopes.total, slopes.over, slopes.below
    for theta in range(n_types):
        total[:] = 0.0
        for a in range(count):
            by = slopes.by[a, theta]
            for y in range(nodes):
                total[y] += by[y]
        for a in range(count):
            by, play = slopes.by[a, theta], lines.play[theta, a]
            for y in range(nodes):
                by[y] -= play[y] * total[y]
    if n_types == 2:
        over[:] = 0.0
        below[:] = 1.0
        for a in range(count):
            by_0, by_1, play_0, play_1 = (
                slopes.by[a, 0],
                slopes.by[a, 1],
                lines.play[0, a],
                lines.play[1, a],
            )
            rate_0, rate_1 = slopes.rate[a, 0], slopes.rate[a, 1]
            for y in range(nodes):
                d = 1.0 / (1.0 - (rate_1[y] - rate_0[y]))
                over[y] += (by_0[y] * rate_0[y] + by_1[y] * rate_1[y]) * d
                below[y] += (play_1[y] * rate_1[y] - play_0[y] * rate_0[y]) * d
        for y in range(nodes):
            total[y] = over[y] / below[y]
        for a in range(count):
            by_0, by_1, play_0, play_1 = (
                slopes.by[a, 0],
                slopes.by[a, 1],
                lines.play[0, a],
                lines.play[1, a],
            )
            rate_0, rate_1 = slopes.rate[a, 0], slopes.rate[a, 1]
            for y in range(nodes):
                k = by_0[y] * rate_0[y] + by_1[y] * rate_1[y]
                v = play_1[y] * rate_1[y] - play_0[y] * rate_0[y]
                over[y] = (k - v * total[y]) / (1.0 - (rate_1[y] - rate_0[y]))
            for y in range(nodes):
                by_0[y] += play_0[y] * total[y] - over[y]
                by_1[y] += over[y] - play_1[y] * total[y]
    gain = 0.0
    for a in range(count):
        for theta in range(n_types):
            by, own = slopes.by[a, theta], lines.own[a, theta]
            for y in range(nodes):
                value = own[y]
                if n_types == 2:
                    at = y - y % per_line + lines.inside[a, y]
                    value = own[at] + lines.share[a, y] * (own[at + 1] - own[at])
                gain += by[y] * value
                by[y] *= lam
    return gain


@device
def pass_to_payoffs(turn, piece, lines, slopes, count):
    """From derivatives by Q to those by next values, and what these are multiplied with."""
    per_line, informed = turn.local.shape[0], turn.members.shape[0] == 2
    profiles, wide = turn.profile.shape[0], np.uint64(slopes.continuation.shape[2])
    rows, block = piece.node.shape[0], np.uint64(turn.actor[0] * profiles)
    continuation, back = slopes.continuation.reshape(-1), slopes.back.reshape(-1)
    place, inside, shares, by, worth = (
        piece.place,
        lines.inside,
        lines.share,
        slopes.by,
        slopes.worth,
    )
    outside, profile = turn.outside, turn.profile
    for a in range(count):
        for y in range(rows):
            at, share, o = np.int64(y), 0.0, y // per_line
            if informed:
                at, share = y - y % per_line + inside[a, y], shares[a, y]
            low = np.uint64(a * rows + place[at]) * wide + block
            high = np.uint64(a * rows + place[at + 1]) * wide + block if informed else low
            for p in range(np.uint64(profiles)):
                gain = by[a, profile[p], y] * outside[piece.first + o, p]
                one, other = (1.0 - share) * gain, share * gain
                back[low + p] += one
                back[high + p] += other
                worth[o, p] += one * continuation[low + p] + other * continuation[high + p]
