"""The backward sweep: one layer's strategies and values from the next layer's values.

Values have components c = (i, p), what actor i gets when the true types are p; with regret, C
more: what i would get by its best response (Bellman 1957) while all others play σ.

One mover with nothing private has a closed form, one mover with two types a method of its own
(`line`), which is many times faster, and so has one mover with more types (`many`); all other
turns, and what those methods cannot be certain about, go through the general stage problem
(`stage`, `branch`).
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.branch import UNIQUE, find
from detente.solver.kernels.jit import inner, kernel
from detente.solver.kernels.many import make_many, solve_node
from detente.solver.kernels.response import is_contraction
from detente.solver.kernels.single import make_lines, solve_lines, update_lines
from detente.solver.kernels.stage import (
    combine,
    enter_node,
    enter_state,
    keep_play,
    make_stage,
    reach,
    restart,
)
from detente.solver.kernels.turn import look_ahead


@kernel
def sweep(first, last, part, following, turn, guess, starts, values, sigma, counts):
    """Solve the states first … last - 1 of a layer.

    following
        float64 [x', b, c]: values of the next layer (c over C, or twice as many).
    guess
        See `turn.Guess`.
    starts
        float64 [x, D]: log odds from which to look for a solution wherever it is not certain that
        there is only one; [0, 0] for the principal branch.
    values
        Out, float64 [x, b, c].
    sigma
        Out, float64, flat: that of x starts at B play_ptr[x], ordered [b, (m, θ, a)]; left alone
        for chance.
    counts
        Added to, int64 [HOW]: nodes at which an informed mover or several movers choose, by how
        they were solved.
    """
    beliefs, width = following.shape[1], following.shape[2]
    movers = turn.movers
    several = movers.kinds.shape[0]
    joint, most = np.int64(1), np.int64(1)
    for x in range(first, last):
        joint = max(joint, part.action_ptr[x + 1] - part.action_ptr[x])
        for m in range(several):
            most = max(most, part.choices[x, m])
    lined = several == 1 and movers.kinds[0] <= 2
    ahead = np.empty((joint if joint > 1 else 0, beliefs, width))
    stage = make_stage(movers, most, joint, turn.profile.shape[0])
    lines = make_lines(turn, joint, beliefs if lined else 0, width)
    mine = np.zeros((joint, turn.local.shape[0], several, movers.types.shape[0]))
    many = make_many(most, movers.types.shape[0] if several == 1 else 0)
    best = np.zeros((joint, turn.profile.shape[0]))
    share = np.ones(width)

    for x in range(first, last):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        size = part.play_ptr[x + 1] - part.play_ptr[x]
        play = sigma[beliefs * part.play_ptr[x] : beliefs * part.play_ptr[x + 1]]
        if count == 1:
            look_ahead(part, turn.best, begin, following, values[x])
            for r in range(play.shape[0]):
                play[r] = 1.0
            continue
        for e in range(count):
            look_ahead(part, turn.best, begin + e, following, ahead[e])
        start = starts[x] if starts.shape[0] > 0 else starts[:, 0]
        if lined:
            solve_lines(turn, stage, lines, ahead, count, guess, x, start, mine, counts)
            update_lines(turn, lines, ahead, count, best, values[x], play)
            continue
        free = enter_state(movers, stage, part.choices[x])
        for o in range(turn.base.shape[0]):
            expect(turn, ahead, count, o, mine)
            certain = is_contraction(movers, stage, mine, stage.tangent)
            restart(stage, free, start)
            many.z[:] = 0.0
            for node in range(turn.local.shape[0]):
                enter_node(movers, stage, node)
                b = turn.base[o] + turn.local[node]
                if several == 1 and certain and solve_node(movers, stage, many, mine):
                    counts[UNIQUE] += 1
                    for r in range(size):
                        play[b * size + r] = stage.play[r]
                else:
                    known = start
                    if guess.match.shape[0] > 0 and guess.match[x] >= 0:
                        at = guess.match[x] + b * free
                        known = guess.known[at : at + free]
                        restart(stage, free, known)
                    counts[find(movers, stage, mine, free, certain, known)] += 1
                    if guess.place.shape[0] > 0:
                        at = guess.place[x] + b * free
                        guess.found[at : at + free] = stage.y[:free]
                    keep_play(movers, stage, play[b * size : (b + 1) * size])
                update_node(turn, stage, ahead, count, o, share, best, b, values[x, b])


@inner
def expect(turn, ahead, count, o, mine):
    """Payoffs that movers expect over the types of those who do not move: `stage.evaluate`."""
    profiles = turn.profile.shape[0]
    for e in range(count):
        for node in range(turn.local.shape[0]):
            row = ahead[e, turn.base[o] + turn.local[node]]
            for m in range(turn.actor.shape[0]):
                for q in range(turn.members.shape[0]):
                    total = 0.0
                    for r in range(turn.members.shape[1]):
                        p = turn.members[q, r]
                        total += turn.outside[o, p] * row[turn.actor[m] * profiles + p]
                    mine[e, node, m, q] = total


@inner
def update_node(turn, stage, ahead, count, o, share, best, b, row):
    """Values row[c] at node b from the strategies and posteriors of the stage."""
    movers = turn.movers
    several, profiles = turn.actor.shape[0], turn.profile.shape[0]
    # Unsigned positions: of a signed one Numba asks whether it counts from the end.
    width, flat = np.uint64(row.shape[0]), ahead.reshape(-1)
    row[:] = 0.0
    for e in range(count):
        for p in range(profiles):
            chance = 1.0
            for m in range(several):
                theta = movers.types[turn.profile[p], m]
                chance *= stage.play[stage.first[m] + theta * stage.choices[m] + stage.own[e, m]]
            for c in range(np.uint64(p), width, np.uint64(profiles)):
                share[c] = chance
        for _ in range(reach(movers, stage)):
            node, weight = combine(stage, e)
            # `node` is in steps of the movers' own grid, from their first node.
            came = np.uint64(e * ahead.shape[1] + turn.base[o] + turn.local[node]) * width
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
                source = ahead[e, turn.base[o] + turn.local[node]]
                for p in range(profiles):
                    best[e, p] += weight * source[block + p]
        for theta in range(movers.kinds[m]):
            top, chosen = -math.inf, 0
            for a in range(stage.choices[m]):
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


@inner
def others_play(turn, stage, e, m, p):
    """Probability that the movers but m play their part of e when the types are p."""
    chance = 1.0
    for j in range(turn.actor.shape[0]):
        if j != m:
            theta = turn.movers.types[turn.profile[p], j]
            chance *= stage.play[stage.first[j] + theta * stage.choices[j] + stage.own[e, j]]
    return chance


@inner
def believed(turn, stage, m, p):
    """Probability of the types of the movers but m in p, at the present node."""
    chance = 1.0
    for j in range(turn.actor.shape[0]):
        if j != m:
            theta = turn.movers.types[turn.profile[p], j]
            chance *= turn.movers.belief[j, stage.at[j], theta]
    return chance
