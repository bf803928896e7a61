"""The adjoint of turns with hidden moves (`hidden_moves`): what a number gains by everything.

Strategies do what they do through the stage problem's own Jacobian, as at other turns
(`adjoint`, `implicit`). What is besides is that what an action does to types is a number to be
differentiated by, and that the posteriors of a look depend on all actions that have it.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.adjoint import pass_to_payoffs
from detente.solver.kernels.general import enter_reference, enter_state, recall, respond
from detente.solver.kernels.hidden_moves import enter_hidden, look_past, pool
from detente.solver.kernels.implicit import through_shocks, through_stage
from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import LEAST, corner, corners
from detente.solver.kernels.private_chance import FAINT
from detente.solver.kernels.stage import add_values, enter, expect, play_at


@kernel
def follow_hidden(first, last, part, layout, turn, next_values, sigma, values, work):
    """Values [x, c, b] of the states first … last - 1 when σ is played."""
    for x in range(first, last):
        begin = part.action_ptr[x]
        count, play = part.action_ptr[x + 1] - begin, play_at(part, sigma, values.shape[2], x)
        for a in range(count):
            look_past(part, layout, turn, begin + a, next_values, work.ahead[a])
        enter(part, x, work)
        pool(layout, turn, x, begin, count, play, work.lottery)
        add_values(layout, work, count, part.n_actions[x], play, values[x])


@kernel
def adjoin_hidden(part, layout, turn, tape, work, slopes, stage, gains, back):
    """The adjoint of a layer.

    Parameters
    ----------
    tape
        What is gained by the layer's values, and what is added to: see `adjoint.Tape`.
    gains
        next_gain, by_change, by_ratio, added to, float64 [x', c, b], [e, θ, φ], [θ]: derivatives by
        the next values, by `change`, and by the logarithm of `ratio` while the nodes stay in the
        grid's coordinates.
    back
        Scratch, float64 [a, c, b]: derivatives by what follows each own action.
    """
    next_gain, by_change, by_ratio = gains
    for x in range(tape.gain.shape[0]):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        play = play_at(part, tape.sigma, tape.gain.shape[2], x)
        for a in range(count):
            look_past(part, layout, turn, begin + a, tape.next_values, work.ahead[a])
            back[a, :, :] = 0.0
        enter(part, x, work)
        pool(layout, turn, x, begin, count, play, work.lottery)
        turn_back(layout, work, tape.gain[x], count, play, slopes, back)
        if work.lottery.vertices[0] > 1:
            through_shares(layout, turn, begin, count, play, slopes, by_change, by_ratio)
            through_looks(layout, turn, begin, count, play, slopes)
        if count > 1:
            expect(layout, work.ahead, count, work.payoff)
            reference = tape.reference[begin:]
            through_shocks(layout, tape, work, x, part.n_actions[x], play, slopes, reference)
            n_unknowns = enter_state(layout, stage, part.n_actions[x])
            enter_hidden(stage, turn, x, begin)
            enter_reference(stage, work.reference)
            for b in range(play.shape[1]):
                stage.node[0] = b
                recall(layout, stage, play, b)
                respond(layout, stage, work.payoff, 1.0)
                through_stage(layout, stage, n_unknowns, slopes.by, b, tape.precision, reference)
            if work.lottery.vertices[0] > 1:
                by_responses(work, count, slopes)
                through_shares(layout, turn, begin, count, play, slopes, by_change, by_ratio)
            pass_to_payoffs(layout, tape, work, count, part.n_actions[x], play, slopes, back)
        end_state(part, layout, turn, tape, x, back, next_gain, by_change)


@device
def turn_back(layout, work, gain, count, play, slopes, back):
    """From gain [c, b] to back [a, c, b], what is gained at the given strategies; to slopes.by, the
    derivatives by log σ; and to slopes.rate [(φ, a), b], those by the logarithms of shares."""
    profiles, nodes, lottery = layout.profile.shape[0], gain.shape[1], work.lottery
    total, worth = slopes.total, slopes.over
    slopes.by[:] = 0.0
    slopes.rate[:] = 0.0
    for a in range(count):
        for v in range(corners(lottery)):
            corner(lottery, work.own[a], 0, nodes)
            at, mass = lottery.at, lottery.mass
            total[:] = 0.0
            for p in range(profiles):
                theta = layout.profile[p]
                chance, by = play[theta * count + a], slopes.by[theta * count + a]
                worth[:] = 0.0
                for c in range(p, gain.shape[0], profiles):
                    here, source, target = gain[c], work.ahead[a, c], back[a, c]
                    for b in range(nodes):
                        k = np.uint64(at[b])
                        worth[b] += here[b] * source[k]
                        target[k] += mass[b] * chance[b] * here[b]
                for b in range(nodes):
                    total[b] += chance[b] * worth[b]
                    by[b] += mass[b] * chance[b] * worth[b]
            for phi in range(layout.n_types[0] if lottery.vertices[0] > 1 else 0):
                by, slope = slopes.rate[phi * count + a], lottery.slope[0, a, v, phi]
                for b in range(nodes):
                    by[b] += total[b] * slope[b]


@device
def by_responses(work, count, slopes):
    """Derivatives by the logarithms of shares, slopes.rate, from those by Q, slopes.by."""
    lottery = work.lottery
    n_types, nodes = lottery.vertices[0], slopes.by.shape[1]
    slopes.rate[:] = 0.0
    for a in range(count):
        for theta in range(n_types):
            by, payoff = slopes.by[theta * count + a], work.payoff[a, theta]
            for v in range(n_types):
                vertex = lottery.vertex[0, a, v]
                for phi in range(n_types):
                    rate, slope = slopes.rate[phi * count + a], lottery.slope[0, a, v, phi]
                    for b in range(nodes):
                        rate[b] += by[b] * slope[b] * payoff[np.uint64(b + vertex[b])]


@device
def share_total(layout, turn, begin, count, play, a, phi, total):
    """Σ_θ b(θ) Σ σ(a|θ) change[a, θ, φ] over what looks like a, into total [b]."""
    nodes = play.shape[1]
    for b in range(nodes):
        total[b] = FAINT
    for other in range(count):
        if turn.alike[begin + other] == turn.alike[begin + a]:
            for theta in range(turn.ratio.shape[0]):
                chance = turn.change[begin + other, theta, phi]
                believed, taken = layout.believed[0, theta], play[theta * count + other]
                for b in range(nodes):
                    total[b] += max(believed[b], LEAST) * taken[b] * chance


@device
def through_shares(layout, turn, begin, count, play, slopes, by_change, by_ratio):
    """Add what derivatives by the logarithms of shares, slopes.rate, mean for what actions do to
    types and for the ratio: a share is ratio(φ) Σ b(θ) σ(a|θ) change[a, θ, φ], b(θ) ∝ u / ratio."""
    n_types, total = turn.ratio.shape[0], slopes.below
    for a in range(count):
        for phi in range(n_types):
            share_total(layout, turn, begin, count, play, a, phi, total)
            rate = slopes.rate[phi * count + a]
            for b in range(play.shape[1]):
                by_ratio[phi] += rate[b]
            for other in range(count):
                if turn.alike[begin + other] != turn.alike[begin + a]:
                    continue
                for theta in range(n_types):
                    believed, taken = layout.believed[0, theta], play[theta * count + other]
                    gained = 0.0
                    for b in range(play.shape[1]):
                        gained += rate[b] * max(believed[b], LEAST) * taken[b] / total[b]
                    by_change[begin + other, theta, phi] += gained
                    by_ratio[theta] -= gained * turn.change[begin + other, theta, phi]


@device
def through_looks(layout, turn, begin, count, play, slopes):
    """Add what those derivatives mean for log σ: slopes.by."""
    n_types, total = turn.ratio.shape[0], slopes.below
    for a in range(count):
        for phi in range(n_types):
            share_total(layout, turn, begin, count, play, a, phi, total)
            rate = slopes.rate[phi * count + a]
            for other in range(count):
                if turn.alike[begin + other] != turn.alike[begin + a]:
                    continue
                for theta in range(n_types):
                    chance = turn.change[begin + other, theta, phi]
                    row = theta * count + other
                    believed, taken, by = layout.believed[0, theta], play[row], slopes.by[row]
                    for b in range(play.shape[1]):
                        came = max(believed[b], LEAST) * taken[b] * chance
                        by[b] += rate[b] * came / total[b]


@device
def end_state(part, layout, turn, tape, x, back, next_gain, by_change):
    """What derivatives by what follows a state's actions mean for rewards and probabilities, for
    what they do to types, and for the next values."""
    begin, profiles = part.action_ptr[x], layout.profile.shape[0]
    for a in range(part.action_ptr[x + 1] - begin):
        e = begin + a
        for c in range(back.shape[1]):
            row, theta, total = back[a, c], layout.profile[c % profiles], 0.0
            if c < part.reward.shape[1]:
                for b in range(row.shape[0]):
                    total += row[b]
                tape.reward[e, c] += total
            for phi in range(turn.ratio.shape[0]):
                chance, other = turn.change[e, theta, phi], c + (phi - theta) * turn.apart
                for k in range(part.trans_ptr[e], part.trans_ptr[e + 1]):
                    source, target = (
                        tape.next_values[part.succ[k], other],
                        next_gain[part.succ[k], other],
                    )
                    worth, weight = 0.0, chance * part.prob[k]
                    for b in range(row.shape[0]):
                        worth += row[b] * source[b]
                        target[b] += weight * row[b]
                    tape.prob[k] += chance * worth
                    by_change[e, theta, phi] += part.prob[k] * worth
