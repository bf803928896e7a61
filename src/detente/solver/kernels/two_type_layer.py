"""Turns of one mover with two types: all beliefs of a state together.

Node y = o (n + 1) + g of the lines stands for b = base[o] + local[g].

What hardly any game needs is not compiled with what all need: `sweep_lines` stops at a state where
nodes are left for `trace_nodes`, and is called again.
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.homotopy import TRACED, UNIQUE, find
from detente.solver.kernels.jit import device, inline, kernel
from detente.solver.kernels.stage import enter_node, enter_state, keep_play, restart
from detente.solver.kernels.turn import LEAST, look_ahead
from detente.solver.kernels.two_type_newton import (
    LOST,
    MAX_NEWTON,
    OPEN,
    S0,
    S1,
    SHARE,
    WORST,
    climb_lines,
    is_unique,
    newton_lines,
    settle_lines,
)

POLISH = 8  # steps of `polish`: it begins next to the solution

# What is to be done about a node: nothing, or `find`, certain or not that there is one solution.
SOLVED, UNCERTAIN, CERTAIN = range(3)


@kernel
def sweep_lines(
    x,
    last,
    traced,
    part,
    turn,
    next_values,
    guess,
    anywhere,
    lines,
    continuation,
    best,
    values,
    sigma,
    counts,
):
    """The states x … last - 1 of a turn of one mover with two types.

    Gives `last`, or the state at which it stopped because of nodes that are left for
    `trace_nodes`; then it is called again from there, with `traced`.

    anywhere
        Whether any solution is wanted, and `trace_nodes` is to look for it wherever it is not
        certain that there is only one.
    lines, continuation, best
        Scratch: see `two_type_scratch.Lines`; float64 [a, b, c] and [a, p].
    next_values, guess, values, sigma, counts
        See `detente.solver.sweep.sweep`.
    """
    beliefs = next_values.shape[1]
    while x < last:
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        play = sigma[beliefs * part.play_ptr[x] : beliefs * part.play_ptr[x + 1]]
        if count == 1:
            look_ahead(part, turn.best, begin, next_values, values[x])
            play[:] = 1.0
            x += 1
            continue
        if traced:
            polish(turn.movers.lam[0], turn.movers.size[0] - 1, lines, count)
            traced = False
        else:
            for a in range(count):
                look_ahead(part, turn.best, begin + a, next_values, continuation[a])
            if solve_lines(turn, lines, continuation, count, guess, x, anywhere, counts) > 0:
                return x
        keep_guess(guess, x, count, lines)
        update_lines(turn, lines, continuation, count, best, values[x], play)
        x += 1
    return x


@inline
def solve_lines(turn, lines, continuation, count, guess, x, anywhere, counts):
    """Strategies and posteriors at all nodes of a state; gives how many are left.

    `continuation` is float64 [a, b, c]; the others as in `sweep_lines`.
    """
    movers = turn.movers
    per_line, nodes = turn.local.shape[0], lines.line.shape[0]
    weigh(turn, continuation, count, lines)
    begin_guess(guess, x, count, lines)
    first, left = np.int64(0), 0
    while first < nodes:
        # A run of lines that are certain to have one solution, or of lines that are not.
        certain = is_unique(movers.lam[0], lines.own, count, first, per_line - 1)
        last = first + per_line
        while last < nodes and certain == is_unique(
            movers.lam[0], lines.own, count, last, per_line - 1
        ):
            last += per_line
        left += solve_run(movers, lines, count, first, last, certain, anywhere, counts)
        first = last
    return left


@device
def solve_run(movers, lines, count, first, last, certain, anywhere, counts):
    """The same for nodes first … last - 1, which are whole lines."""
    lam, steps, nodes = movers.lam[0], movers.size[0] - 1, last - first
    payoff, log_ratio, scratch, cell = (lines.payoff, lines.log_ratio, lines.lines, lines.cell)
    rho, line, sums = lines.rho, lines.line, lines.sums
    for a in range(count):
        for theta in range(2):
            target, source = payoff[a, theta], lines.own[a, theta][first:]
            for y in range(nodes):
                target[y] = source[y]
        target, source = log_ratio[a], lines.ratio[a][first:]
        for y in range(nodes):
            target[y] = source[y]
    lost = sums[OPEN] if certain else sums[LOST]
    if certain:
        sums[LOST] = 0.0
        most = np.int64(MAX_NEWTON)  # not as a literal, for which all would be compiled anew
        newton_lines(
            lam, steps, payoff, count, nodes, rho, line, log_ratio, scratch, cell, sums, most
        )
    elif not anywhere:
        climb_lines(
            lam, steps, payoff, count, nodes, rho, line, log_ratio, scratch, cell, sums, lines.last
        )
    else:
        lost[:] = 1.0
    settle_lines(
        count, nodes, line, log_ratio, scratch, cell, first, lines.play, lines.inside, lines.share
    )
    for a in range(count):
        for y in range(nodes):
            lines.ratio[a, first + y] = log_ratio[a, y]
    left = 0
    for y in range(nodes):
        g = y - line[y]
        lines.left[first + y] = SOLVED
        if g == 0 or g == steps:
            settle_end(movers, lines, count, y, first + y, g)
        elif lost[y] == 0.0:
            counts[UNIQUE if certain else TRACED] += 1
        else:
            lines.left[first + y] = CERTAIN if certain else UNCERTAIN
            left += 1
    return left


@kernel
def trace_nodes(count, turn, start, stage, lines, payoff, counts):
    """The nodes of a state that `solve_lines` left, one by one.

    start
        float64 [D]: log odds from which to look for a solution; empty for the principal branch.
    stage, payoff
        Scratch: see `Stage`; float64 [a, g, 1, θ].
    """
    movers, steps = turn.movers, turn.movers.size[0] - 1
    stage.n_actions[0] = count
    n_unknowns = enter_state(movers, stage, stage.n_actions)
    at = np.int64(-1)  # the line whose payoffs the stage has
    for y in range(lines.line.shape[0]):
        if lines.left[y] == SOLVED:
            continue
        if at != lines.line[y]:
            at = lines.line[y]
            restart(stage, n_unknowns, start)
            for a in range(count):
                for g in range(steps + 1):
                    for theta in range(2):
                        payoff[a, g, 0, theta] = lines.own[a, theta, at + g]
        enter_node(movers, stage, y - at)
        counts[find(movers, stage, payoff, n_unknowns, lines.left[y] == CERTAIN, start)] += 1
        keep_play(movers, stage, lines.point)
        for a in range(count):
            lines.share[a, y] = stage.weight[0, a, 1]
            lines.inside[a, y] = stage.vertex[0, a, 0]
            lines.play[0, a, y] = lines.point[a]
            lines.play[1, a, y] = lines.point[count + a]
            lines.ratio[a, y] = stage.log[count + a] - stage.log[a]


@inline
def polish(lam, steps, lines, count):
    """Newton's method once more in ℓ, at nodes that were solved in log odds.

    Where actions are hardly ever taken log odds are large and their rounding is seen in ℓ, which
    is all that posteriors depend on. A node that would move is left as it is.
    """
    log_ratio, scratch, sums = lines.log_ratio, lines.lines, lines.sums
    nodes = lines.line.shape[0]
    for a in range(count):
        for y in range(nodes):
            log_ratio[a, y] = lines.ratio[a, y]
    sums[LOST] = 0.0
    newton_lines(
        lam,
        steps,
        lines.own,
        count,
        nodes,
        lines.rho,
        lines.line,
        log_ratio,
        scratch,
        lines.cell,
        sums,
        np.int64(POLISH),
    )
    for y in range(nodes):
        if lines.left[y] == SOLVED:
            continue
        moved = 0.0 if sums[WORST, y] < 1e-10 else 1.0
        for a in range(count):
            moved = max(moved, abs(log_ratio[a, y] - lines.ratio[a, y]))
        if moved > 1e-2:
            continue
        for a in range(count):
            ratio = log_ratio[a, y]
            larger = max(scratch[S0, a, y], scratch[S1, a, y], LEAST)
            lines.play[0, a, y] = larger * math.exp(min(-ratio, 0.0))
            lines.play[1, a, y] = larger * math.exp(min(ratio, 0.0))
            lines.ratio[a, y] = ratio
            lines.inside[a, y] = lines.cell[a, y] - lines.line[y]
            lines.share[a, y] = scratch[SHARE, a, y]


@inline
def settle_end(movers, lines, count, y, to, g):
    """The node at an end of a line, where nothing is to be learnt: the logit at its own values."""
    for theta in range(2):
        top, total = -math.inf, 0.0
        for a in range(count):
            top = max(top, lines.payoff[a, theta, y])
        for a in range(count):
            play = math.exp(movers.lam[0] * (lines.payoff[a, theta, y] - top))
            lines.play[theta, a, to] = play
            total += play
        for a in range(count):
            lines.play[theta, a, to] /= total
    for a in range(count):
        lines.inside[a, to] = min(g, movers.size[0] - 2)
        lines.share[a, to] = 1.0 if g > 0 else 0.0


@inline
def begin_guess(guess, x, count, lines):
    """ℓ from which Newton's method begins: that of the same state a period later, or 0."""
    at = guess.match[x]
    nodes = lines.line.shape[0]
    for a in range(count):
        for y in range(nodes):
            lines.ratio[a, y] = guess.known[at + a * nodes + y] if at >= 0 else 0.0


@inline
def keep_guess(guess, x, count, lines):
    """Keep ℓ for the same state a period earlier."""
    nodes = lines.line.shape[0]
    at = guess.place[x]
    for a in range(count):
        for y in range(nodes):
            guess.found[at + a * nodes + y] = lines.ratio[a, y]


@inline
def weigh(turn, continuation, count, lines):
    """What the mover expects of each action at each posterior, into lines.own."""
    per_line, profiles = turn.local.shape[0], turn.profile.shape[0]
    # Unsigned positions: of a signed one Numba asks whether it counts from the end.
    flat, width = continuation.reshape(-1), np.uint64(continuation.shape[2])
    for a in range(count):
        for o in range(turn.base.shape[0]):
            for g in range(per_line):
                b = a * continuation.shape[1] + turn.base[o] + turn.local[g]
                row = np.uint64(b) * width + np.uint64(turn.actor[0] * profiles)
                for q in range(turn.members.shape[0]):
                    total = 0.0
                    for r in range(turn.members.shape[1]):
                        p = turn.members[q, r]
                        total += turn.outside[o, p] * flat[row + np.uint64(p)]
                    lines.own[a, q, o * per_line + g] = total


@device
def update_lines(turn, lines, continuation, count, best, values, sigma):
    """Values [b, c] and strategies [b, θ, a] at all nodes of a state; `best` is scratch [a, p]."""
    per_line, profiles, n_types = turn.local.shape[0], turn.profile.shape[0], turn.members.shape[0]
    flat, width, target = (
        continuation.reshape(-1),
        np.uint64(continuation.shape[2]),
        values.reshape(-1),
    )
    block = np.uint64(turn.best + turn.actor[0] * profiles)
    second = lines.second
    target[:] = 0.0
    for y in range(lines.line.shape[0]):
        o = y // per_line
        b = turn.base[o] + turn.local[y % per_line]
        row = np.uint64(b) * width
        for a in range(count):
            cell = lines.inside[a, y] if n_types == 2 else 0
            to = a * continuation.shape[1] + turn.base[o] + turn.local[cell]
            low = np.uint64(to) * width
            play_0 = lines.play[0, a, y]
            sigma[b * n_types * count + a] = play_0
            if n_types == 1:
                for c in range(width):
                    target[row + c] += play_0 * flat[low + c]
                if turn.best > 0:
                    for p in range(np.uint64(profiles)):
                        best[a, p] = flat[low + block + p]
                continue
            play_1 = lines.play[1, a, y]
            sigma[b * n_types * count + count + a] = play_1
            change = play_1 - play_0
            weight = lines.share[a, y]
            rest = 1.0 - weight
            high = low + np.uint64(turn.local[1]) * width
            for c in range(width):
                between = rest * flat[low + c] + weight * flat[high + c]
                target[row + c] += (play_0 + second[c] * change) * between
            if turn.best > 0:
                for p in range(np.uint64(profiles)):
                    best[a, p] = rest * flat[low + block + p] + weight * flat[high + block + p]
        # The best responder looks for its best action at the same posteriors.
        for q in range(n_types if turn.best > 0 else 0):
            top, chosen = -math.inf, 0
            for a in range(count):
                gain = 0.0
                for r in range(turn.members.shape[1]):
                    p = turn.members[q, r]
                    gain += turn.outside[o, p] * best[a, p]
                if gain > top:
                    top, chosen = gain, a
            for r in range(turn.members.shape[1]):
                p = turn.members[q, r]
                target[row + block + np.uint64(p)] = best[chosen, p]
