"""The backward sweep: one layer's strategies and values from the next layer's values.

Values have components c = (i, p), what actor i gets when the true types are p; with regret, C
more: what i would get by its best response (Bellman 1957) while all others play σ.

Each kind of turn has kernels of its own, which are compiled when such a turn is met first: where
nothing is learnt there is a closed form (`kernels.plain`), one mover with two types has a
method of its own (`kernels.two_type_layer`), which is many times faster than the general stage
problem (`kernels.nodes`), and all that it cannot be certain about is followed node by node
(`trace_nodes`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.solver import tracer
from detente.solver.kernels.multi_type_newton import make_many
from detente.solver.kernels.nodes import sweep_nodes
from detente.solver.kernels.plain import sweep_plain
from detente.solver.kernels.stage import make_stage
from detente.solver.kernels.turn import BeliefLayout, LayerArrays, WarmStart
from detente.solver.kernels.two_type_layer import sweep_lines, trace_nodes
from detente.solver.kernels.two_type_scratch import make_lines
from detente.solver.layout import is_lined, most_actions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def swept_by(turn: BeliefLayout) -> Callable[..., Any]:
    """The kernel for a turn."""
    if not is_lined(turn):
        return sweep_nodes
    kernel: Callable[..., Any] = sweep_plain if len(turn.members) == 1 else sweep_lines
    return kernel


def sweep(
    first: int,
    last: int,
    part: LayerArrays,
    following: Floats,
    turn: BeliefLayout,
    guess: WarmStart,
    starts: Floats,
    values: Floats,
    sigma: Floats,
    counts: Ints,
) -> None:
    """Solve the states first … last - 1 of a layer.

    Parameters
    ----------
    following
        float64 [x', b, c]: values of the next layer (c over C, or twice as many).
    guess
        See `kernels.turn.WarmStart`.
    starts
        float64 [x, D]: log odds from which to look for a solution wherever it is not certain that
        there is only one; [x, 0] for the principal branch.
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
    movers, types = turn.movers, turn.movers.types.shape[0]
    joint, most = most_actions(part, first, last)
    ahead = np.empty((joint if joint > 1 else 0, beliefs, width))
    best = np.zeros((joint, turn.profile.shape[0]))
    out = (values, sigma, counts)
    kernel = swept_by(turn)
    if kernel is sweep_nodes:
        stage = make_stage(movers, most, joint, turn.profile.shape[0])
        many = make_many(most, types) if turn.actor.size == 1 else None
        mine = np.zeros((joint, turn.local.shape[0], turn.actor.size, types))
        scratch = (stage, many, ahead, mine, best, np.ones(width))
        sweep_nodes(first, last, part, turn, following, guess, starts, *scratch, *out)
        return
    lines = make_lines(turn, joint, beliefs if joint > 1 else 0, width)
    if kernel is sweep_plain:
        sweep_plain(first, last, part, turn, following, lines, ahead, best, values, sigma)
        return
    seen = (part, turn, following, guess, starts.shape[1] > 0, lines, ahead, best)
    x = sweep_lines(first, last, False, *seen, *out)
    if x == last:
        return
    tracer.wait()
    stage = make_stage(movers, most, joint, turn.profile.shape[0])
    mine = np.zeros((joint, turn.local.shape[0], 1, types))
    while x < last:
        count = int(part.action_ptr[x + 1] - part.action_ptr[x])
        trace_nodes(count, turn, starts[x], stage, lines, mine, counts)
        x = sweep_lines(x, last, True, *seen, *out)
