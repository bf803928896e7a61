"""The backward sweep: strategies and values of a layer's states, from the next layer's values.

Every kind of turn has a kernel, which is compiled when such a turn is met first. All begin with
what follows each action and end with values (`stage`); between them stand the stage problems: the
logit where nothing is learnt, `two_type` and `simplex` for one informed mover, at all beliefs
together, and `general` with `homotopy` for any movers and for hidden moves, node by node. What
hardly any game needs is not compiled with what all need: `sweep_two_types` and `sweep_simplex` stop
at a state where nodes are left for `follow_lines`, `trace_lines` or `trace_nodes`, and are called
again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.contraction import is_contraction
from detente.solver.kernels.elementary import exp
from detente.solver.kernels.general import enter_reference, enter_state, keep_play, recall, restart
from detente.solver.kernels.hidden_moves import enter_hidden, look_past, pool
from detente.solver.kernels.homotopy import find
from detente.solver.kernels.jit import device, kernel
from detente.solver.kernels.lottery import bayes
from detente.solver.kernels.simplex import solve_simplex
from detente.solver.kernels.stage import (
    CERTAIN,
    SOLVED,
    UNCERTAIN,
    add_values,
    enter,
    expect,
    look_ahead,
    play_at,
)
from detente.solver.kernels.two_type import polish
from detente.solver.kernels.two_type_branch import follow_left, solve_lines


class Sweep(NamedTuple):
    """What a layer is solved from, and what for.

    next_values
        float64 [x', b, c] of the next layer, with c before b in memory: [x', c, b].
    starts
        float64 [x, D]: log odds, against reference behaviour, from which to look for any solution;
        [x, 0] for the principal branch.
    values, sigma, counts
        Out: float64 [x, c, b]; flat, that of x from B play_ptr[x] on, [(m, θ, a), b]; int64 [HOW],
        added to.
    warm
        Whether `sigma` has strategies to begin from, of the same turn with other next values.
    """

    next_values: np.ndarray
    starts: np.ndarray
    values: np.ndarray
    sigma: np.ndarray
    counts: np.ndarray
    warm: bool


@device
def begin_state(part, layout, sweep, work, x):
    """What follows each action of a state; gives their number, and 0 where there is no choice."""
    begin, nodes = part.action_ptr[x], sweep.values.shape[2]
    count = part.action_ptr[x + 1] - begin
    if count == 1:
        look_ahead(part, layout.best, begin, sweep.next_values, sweep.values[x])
        sweep.sigma[nodes * part.play_ptr[x] : nodes * part.play_ptr[x + 1]] = 1.0
        return 0
    for e in range(count):
        look_ahead(part, layout.best, begin + e, sweep.next_values, work.ahead[e])
    enter(part, x, work)
    expect(layout, work.ahead, count, work.payoff)
    return count


@device
def end_state(part, layout, sweep, work, x, count):
    """Values of a state from its strategies."""
    play, n_actions = play_at(part, sweep.sigma, sweep.values.shape[2], x), part.n_actions[x]
    bayes(layout, 0, play.shape[1], n_actions, play, work.lottery)
    add_values(layout, work, count, n_actions, play, sweep.values[x])


@kernel
def sweep_plain(first, last, part, layout, sweep, work):
    """The states first … last - 1 of a turn at which nothing is learnt: of chance, or of one mover
    with nothing private."""
    for x in range(first, last):
        count = begin_state(part, layout, sweep, work, x)
        if count > 0:
            logit(layout.lam[0], work, count, play_at(part, sweep.sigma, sweep.values.shape[2], x))
            end_state(part, layout, sweep, work, x, count)


@device
def logit(lam, work, count, play):
    """σ(a) ∝ w(a) exp(λ Q(a)) at all nodes, [a, b]."""
    top, total, nodes = work.top[0], work.worth, play.shape[1]
    total[:] = 0.0
    top[:] = -math.inf
    for a in range(count):
        value = work.payoff[a, 0]
        for b in range(nodes):
            top[b] = max(top[b], value[b])
    for a in range(count):
        value, chance, usual = work.payoff[a, 0], play[a], work.reference[0, a]
        for b in range(nodes):
            chance[b] = usual * exp(lam * (value[b] - top[b]))
            total[b] += chance[b]
    for a in range(count):
        chance = play[a]
        for b in range(nodes):
            chance[b] /= total[b]


@kernel
def sweep_two_types(x, last, traced, part, layout, sweep, work, lines):
    """The states x … last - 1 of a turn of one mover with two types.

    Gives `last`, or the state at which it stopped because of nodes that are left for `follow_lines`
    and `trace_lines`; then it is called again from there, with `traced`.
    """
    while x < last:
        count = part.action_ptr[x + 1] - part.action_ptr[x]
        play = play_at(part, sweep.sigma, sweep.values.shape[2], x)
        if not traced:
            if begin_state(part, layout, sweep, work, x) == 0:
                x += 1
                continue
            if solve_lines(layout, sweep, work, lines, count, play) > 0:
                return x
        end_state(part, layout, sweep, work, x, count)
        traced = False
        x += 1
    return x


@kernel
def sweep_simplex(x, last, traced, part, layout, sweep, work, simplex, stage):
    """The same for one mover with more than two types."""
    while x < last:
        count = part.action_ptr[x + 1] - part.action_ptr[x]
        play = play_at(part, sweep.sigma, sweep.values.shape[2], x)
        if not traced:
            if begin_state(part, layout, sweep, work, x) == 0:
                x += 1
                continue
            if solve_simplex(layout, sweep, work, simplex, stage, count, play) > 0:
                return x
        end_state(part, layout, sweep, work, x, count)
        traced = False
        x += 1
    return x


@kernel
def follow_lines(x, part, layout, sweep, work, lines):
    """The nodes of a state that `sweep_two_types` left, past folds; gives how many still are."""
    count = part.action_ptr[x + 1] - part.action_ptr[x]
    play = play_at(part, sweep.sigma, sweep.values.shape[2], x)
    return follow_left(layout, sweep, work, lines, count, play)


@kernel
def trace_lines(x, part, layout, sweep, work, lines, stage):
    """The nodes of a state that are left, one by one; `work` is as `sweep_two_types` left it."""
    trace_left(x, part, layout, sweep, work, stage)
    count = part.action_ptr[x + 1] - part.action_ptr[x]
    polish(layout, work, lines, count, play_at(part, sweep.sigma, sweep.values.shape[2], x))


@kernel
def trace_nodes(x, part, layout, sweep, work, simplex, stage):
    """The same for more than two types."""
    trace_left(x, part, layout, sweep, work, stage)


@kernel
def sweep_several(first, last, part, layout, sweep, work, stage):
    """The states first … last - 1 of a turn of several movers."""
    for x in range(first, last):
        count = begin_state(part, layout, sweep, work, x)
        if count == 0:
            continue
        enter_state(layout, stage, part.n_actions[x])
        leave_all(layout, work, stage)
        trace_left(x, part, layout, sweep, work, stage)
        end_state(part, layout, sweep, work, x, count)


@kernel
def sweep_hidden(first, last, part, layout, sweep, work, stage, turn):
    """The states first … last - 1 of a turn of one mover with hidden moves."""
    for x in range(first, last):
        begin = part.action_ptr[x]
        count, n_actions = part.action_ptr[x + 1] - begin, part.n_actions[x]
        play = play_at(part, sweep.sigma, sweep.values.shape[2], x)
        for a in range(count):
            look_past(part, layout, turn, begin + a, sweep.next_values, work.ahead[a])
        enter(part, x, work)
        if count > 1:
            expect(layout, work.ahead, count, work.payoff)
            enter_state(layout, stage, n_actions)
            enter_hidden(stage, turn, x, begin)
            leave_all(layout, work, stage)
            trace_left(x, part, layout, sweep, work, stage)
        else:
            play[:] = 1.0
        pool(layout, turn, x, begin, count, play, work.lottery)
        add_values(layout, work, count, n_actions, play, sweep.values[x])


@device
def leave_all(layout, work, stage):
    """Leave all nodes of a state for `trace_left`, certain to have one solution or not."""
    for o in range(layout.base.shape[0]):
        certain = is_contraction(layout, stage, work.payoff, o)
        for g in range(layout.local.shape[0]):
            b = layout.base[o] + layout.local[g]
            work.left[b] = CERTAIN if certain else UNCERTAIN


@device
def trace_left(x, part, layout, sweep, work, stage):
    """Solve what is left of a state; Newton's method goes on from node to node of a line."""
    play, start = play_at(part, sweep.sigma, sweep.values.shape[2], x), sweep.starts[x]
    n_unknowns = enter_state(layout, stage, part.n_actions[x])
    enter_reference(stage, work.reference)
    for o in range(layout.base.shape[0]):
        restart(stage, n_unknowns, start)
        for g in range(layout.local.shape[0]):
            b = layout.base[o] + layout.local[g]
            if work.left[b] == SOLVED:
                continue
            stage.node[0] = b
            anywhere = start.shape[0] > 0
            if sweep.warm:
                recall(layout, stage, play, b)
                anywhere = True
            problem = (layout, stage, work.payoff)
            certain = work.left[b] == CERTAIN
            how = find(problem, n_unknowns, certain, anywhere)
            sweep.counts[how] += 1
            keep_play(layout, stage, play, b)
