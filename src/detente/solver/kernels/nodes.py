"""Turns of several movers at once, or of one with more than two types: node by node.

The general stage problem (`stage_problem`, `homotopy`), and for one mover the method of
`multi_type_newton`, many times faster where it is certain that there is one solution.
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.homotopy import UNIQUE, find
from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.multi_type_newton import solve_node
from detente.solver.kernels.stage import (
    combine,
    enter_node,
    enter_state,
    keep_play,
    reach,
    restart,
)
from detente.solver.kernels.stage_problem import is_contraction
from detente.solver.kernels.turn import look_ahead


@kernel
def sweep_nodes(
    first,
    last,
    part,
    turn,
    next_values,
    guess,
    starts,
    stage,
    many,
    continuation,
    payoff,
    best,
    share,
    values,
    sigma,
    counts,
):
    """The states first … last - 1 of a turn.

    many
        See `multi_type_newton.Many`; None for several movers, for whom the method is then not
        compiled.
    stage, continuation, payoff, best, share
        Scratch: see `stage.Stage`; float64 [e, b, c], [e, l, m, q], [e, p], [c].
    next_values, guess, starts, values, sigma, counts
        See `detente.solver.sweep.sweep`.
    """
    beliefs, movers = next_values.shape[1], turn.movers
    for x in range(first, last):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        size = part.play_ptr[x + 1] - part.play_ptr[x]
        play = sigma[beliefs * part.play_ptr[x] : beliefs * part.play_ptr[x + 1]]
        if count == 1:
            look_ahead(part, turn.best, begin, next_values, values[x])
            play[:] = 1.0
            continue
        for e in range(count):
            look_ahead(part, turn.best, begin + e, next_values, continuation[e])
        start = starts[x]
        n_unknowns = enter_state(movers, stage, part.n_actions[x])
        for o in range(turn.base.shape[0]):
            expect(turn, continuation, count, o, payoff)
            certain = is_contraction(movers, stage, payoff, stage.tangent)
            restart(stage, n_unknowns, start)
            if many is not None:
                many.z[:] = 0.0
            for node in range(turn.local.shape[0]):
                enter_node(movers, stage, node)
                b = turn.base[o] + turn.local[node]
                solved = False
                if many is not None:
                    solved = certain and solve_node(movers, stage, many, payoff)
                if solved:
                    counts[UNIQUE] += 1
                    for r in range(size):
                        play[b * size + r] = stage.play[r]
                else:
                    known = start
                    if guess.match.shape[0] > 0 and guess.match[x] >= 0:
                        at = guess.match[x] + b * n_unknowns
                        known = guess.known[at : at + n_unknowns]
                        restart(stage, n_unknowns, known)
                    counts[find(movers, stage, payoff, n_unknowns, certain, known)] += 1
                    if guess.place.shape[0] > 0:
                        at = guess.place[x] + b * n_unknowns
                        guess.found[at : at + n_unknowns] = stage.y[:n_unknowns]
                    keep_play(movers, stage, play[b * size : (b + 1) * size])
                update_node(turn, stage, continuation, count, o, share, best, b, values[x, b])


@device
def expect(turn, continuation, count, o, payoff):
    """Payoffs that movers expect over the types of all others: `stage_problem.evaluate`."""
    profiles = turn.profile.shape[0]
    for e in range(count):
        for node in range(turn.local.shape[0]):
            row = continuation[e, turn.base[o] + turn.local[node]]
            for m in range(turn.actor.shape[0]):
                for q in range(turn.members.shape[0]):
                    total = 0.0
                    for r in range(turn.members.shape[1]):
                        p = turn.members[q, r]
                        total += turn.outside[o, p] * row[turn.actor[m] * profiles + p]
                    payoff[e, node, m, q] = total


@device
def update_node(turn, stage, continuation, count, o, share, best, b, row):
    """Values row[c] at node b from the strategies and posteriors of the stage."""
    movers = turn.movers
    several, profiles = turn.actor.shape[0], turn.profile.shape[0]
    # Unsigned positions: of a signed one Numba asks whether it counts from the end.
    width, flat = np.uint64(row.shape[0]), continuation.reshape(-1)
    row[:] = 0.0
    for e in range(count):
        for p in range(profiles):
            chance = 1.0
            for m in range(several):
                theta = movers.types[turn.profile[p], m]
                chance *= stage.play[stage.first[m] + theta * stage.n_actions[m] + stage.own[e, m]]
            for c in range(np.uint64(p), width, np.uint64(profiles)):
                share[c] = chance
        for _ in range(reach(movers, stage)):
            node, weight = combine(stage, e)
            # `node` is in steps of the movers' own grid, from their first node.
            came = np.uint64(e * continuation.shape[1] + turn.base[o] + turn.local[node]) * width
            for c in range(width):
                row[c] += weight * share[c] * flat[came + c]
    if turn.best == 0:
        return
    for m in range(several):
        block = turn.best + turn.actor[m] * profiles
        for e in range(count):
            combinations = reach(movers, stage)
            for p in range(profiles):
                best[e, p] = 0.0
            for _ in range(combinations):
                node, weight = combine(stage, e)
                source = continuation[e, turn.base[o] + turn.local[node]]
                for p in range(profiles):
                    best[e, p] += weight * source[block + p]
        for theta in range(movers.n_types[m]):
            top, chosen = -math.inf, 0
            for a in range(stage.n_actions[m]):
                gain = 0.0
                for e in range(count):
                    if stage.own[e, m] != a:
                        continue
                    for p in range(profiles):
                        if movers.types[turn.profile[p], m] == theta:
                            chance = others_play(turn, stage, e, m, p)
                            gain += (
                                turn.outside[o, p]
                                * believed(turn, stage, m, p)
                                * (chance * best[e, p])
                            )
                if gain > top:
                    top, chosen = gain, a
            for p in range(profiles):
                if movers.types[turn.profile[p], m] == theta:
                    row[block + p] = 0.0
                    for e in range(count):
                        if stage.own[e, m] == chosen:
                            row[block + p] += others_play(turn, stage, e, m, p) * best[e, p]


@device
def others_play(turn, stage, e, m, p):
    """Probability that the movers but m play their part of e when the types are p."""
    chance = 1.0
    for j in range(turn.actor.shape[0]):
        if j != m:
            theta = turn.movers.types[turn.profile[p], j]
            chance *= stage.play[stage.first[j] + theta * stage.n_actions[j] + stage.own[e, j]]
    return chance


@device
def believed(turn, stage, m, p):
    """Probability of the types of the movers but m in p, at the present node."""
    chance = 1.0
    for j in range(turn.actor.shape[0]):
        if j != m:
            theta = turn.movers.types[turn.profile[p], j]
            chance *= turn.movers.belief[j, stage.at[j], theta]
    return chance
