"""Kernels made ready before a solve: those that a game needs and that this machine lacks.

To compile them takes longer than most solves do, once on each machine. A solve by itself compiles
what it meets; whoever wants to say what is going on calls `prepare` first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from detente.game.arrays import CompiledGame, Layer
from detente.solver.beliefs import BeliefGrid, belief_grid, fewest_points
from detente.solver.kernels.backward import (
    Sweep,
    sweep_hidden,
    sweep_plain,
    sweep_several,
    sweep_simplex,
    sweep_two_types,
)
from detente.solver.kernels.forward import AT_ONCE, push, reached
from detente.solver.kernels.hidden_moves import push_hidden
from detente.solver.kernels.jit import is_kept
from detente.solver.kernels.lottery import BeliefLayout, make_lottery
from detente.solver.kernels.private_chance import push_private, sweep_private
from detente.solver.kernels.stage import HOW
from detente.solver.layout import (
    belief_layout,
    hidden_turn,
    make_push_work,
    part,
    private_turn,
    seats,
)
from detente.solver.sweep import sweep, swept_by

Kernel = Callable[..., Any]

SHARES = {
    sweep_plain: 3.0,
    sweep_two_types: 8.0,
    sweep_simplex: 9.0,
    sweep_several: 30.0,
    sweep_hidden: 30.0,
    sweep_private: 2.0,
    push: 4.0,
    push_hidden: 2.0,
    push_private: 2.0,
    reached: 0.3,
}
"""How long each kernel takes to compile, in proportion to the others."""


def missing(game: CompiledGame) -> list[Kernel]:
    """The kernels that a solve and a forecast surely need, and that are yet to be compiled."""
    needed = _calls(game)
    return [
        kernel
        for kernel in SHARES
        if not all(is_kept(kernel, kind) for kind in needed.get(kernel, ()))
    ]


def prepare(game: CompiledGame, progress: Callable[[float], None]) -> None:
    """Compile what is `missing`, by calls that have nothing to do.

    Parameters
    ----------
    game
        Of which everything but the numbers of its states counts.
    progress
        Called with the share that is done, from 0 to 1.
    """
    lacking, calls = missing(game), _calls(game)
    whole, done = sum(SHARES[kernel] for kernel in lacking), 0.0
    for kernel in lacking:
        for call in calls[kernel].values():
            call()
        done += SHARES[kernel]
        progress(done / whole)


def _calls(game: CompiledGame) -> dict[Kernel, dict[str, Callable[[], None]]]:
    """The kernels that a game needs, with calls that have nothing to do, on the smallest grid; by
    the kind of arguments for which they are compiled once more than for others."""
    grid = belief_grid(game, max(fewest_points(prior) for prior in game.priors))
    looks = {(seats(each), each.private is None, each.hidden is None): each for each in game.layers}
    calls: dict[Kernel, dict[str, Callable[[], None]]] = {}
    for layer in looks.values():
        layout = belief_layout(game, grid, seats(layer))
        swept, pushed = swept_by(layout), push
        if layer.private is not None:
            swept, pushed = sweep_private, push_private
        elif layer.hidden is not None:
            swept, pushed = sweep_hidden, push_hidden
        kind = "" if layout.star is None else type(layout.star).__name__
        given = game, grid, layer, layout
        calls.setdefault(swept, {})[kind] = partial(_sweep_nothing, *given)
        calls.setdefault(pushed, {})[kind] = partial(_push_nothing, *given)
    calls[reached] = {"": _reach_nothing}
    return calls


def _sweep_nothing(
    game: CompiledGame, grid: BeliefGrid, layer: Layer, layout: BeliefLayout
) -> None:
    values, arrays = np.empty((0, game.profiles.size, grid.size)), part(game, layer)
    if layer.private is not None:
        turn = private_turn(game, grid, layer.private)
        room = make_lottery(layout, 1, grid.size)
        sweep_private(0, 0, arrays, layout, turn, values, values, room)
        return
    starts, counts = np.empty((layer.states.size, 0)), np.zeros(HOW, np.int64)
    task = Sweep(values, starts, values, np.empty(0), counts, False)
    sweep(0, 0, arrays, layout, task, None, hidden_turn(game, grid, layer))


def _push_nothing(game: CompiledGame, grid: BeliefGrid, layer: Layer, layout: BeliefLayout) -> None:
    profiles, arrays = len(game.profiles), part(game, layer)
    mass = np.empty((0, 1, 1, grid.size, profiles))
    homes, acted = (np.empty((0, 1), np.int64),) * 2, np.empty((0, profiles))
    room, hidden = make_lottery(layout, 1, grid.size), hidden_turn(game, grid, layer)
    sigma = np.empty(0)
    if layer.private is not None:
        turn = private_turn(game, grid, layer.private)
        push_private(0, arrays, layout, turn, homes, mass, mass, room)
    elif hidden is not None:
        push_hidden(0, arrays, layout, hidden, sigma, homes, mass, (mass, acted, room))
    else:
        scratch = make_push_work(layout, arrays, (1, grid.size, profiles), 0)
        push(0, arrays, layout, sigma, homes, mass, mass, acted, scratch)


def _reach_nothing() -> None:
    nothing = np.empty((0, 1, 1, 1))
    reached(np.empty((0, 1), np.int64), nothing, nothing, np.empty(AT_ONCE))
