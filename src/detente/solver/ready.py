"""Kernels made ready before a solve: those that a game needs and that this machine lacks.

To compile them takes longer than most solves do, once on each machine. A solve by itself compiles
what it meets; whoever wants to say what is going on calls `prepare` first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from detente.game.arrays import CompiledGame
from detente.solver import tracer
from detente.solver.beliefs import belief_grid, fewest_points
from detente.solver.kernels.backward import (
    Sweep,
    sweep_plain,
    sweep_several,
    sweep_simplex,
    sweep_two_types,
)
from detente.solver.kernels.forward import push
from detente.solver.kernels.jit import is_kept
from detente.solver.kernels.lottery import BeliefLayout
from detente.solver.kernels.stage import HOW
from detente.solver.layout import belief_layout, make_scratch, part
from detente.solver.sweep import sweep, swept_by

Kernel = Callable[..., Any]

SHARES = {
    sweep_plain: 3.0,
    sweep_two_types: 8.0,
    sweep_simplex: 9.0,
    sweep_several: 30.0,
    push: 2.0,
}
"""How long each kernel takes to compile, in proportion to the others."""


LONG = 5_000
"""States of all turns from which on a solve takes its time, and the tracer is worth a process."""


def missing(game: CompiledGame) -> list[Kernel]:
    """The kernels that a solve and a forecast surely need, and that are yet to be compiled."""
    needed = [push, *(swept_by(seen) for seen in _layouts(game).values())]
    return [kernel for kernel in SHARES if kernel in needed and not is_kept(kernel)]


def prepare(game: CompiledGame, progress: Callable[[float], None]) -> None:
    """Compile what is `missing`, by calls that have nothing to do.

    Where the tracer may be needed it is begun in a process of its own (see `tracer`), which nobody
    waits for unless a node is to be traced, and which ends with this process at the latest.

    Parameters
    ----------
    game
        Of which everything but the numbers of its states counts.
    progress
        Called with the share that is done, from 0 to 1.
    """
    lacking = missing(game)
    layouts = _layouts(game)
    long = sum(layer.states.size for layer in game.layers) > LONG
    if (lacking or long) and any(swept_by(seen) is sweep_two_types for seen in layouts.values()):
        tracer.begin()
    whole, done = sum(SHARES[kernel] for kernel in lacking), 0.0
    for kernel in lacking:
        for n, layout in layouts.items():
            if kernel is swept_by(layout):
                _sweep_nothing(game, n, layout)
            elif kernel is push:
                _push_nothing(game, n, layout)
        done += SHARES[kernel]
        progress(done / whole)


def _layouts(game: CompiledGame) -> dict[int, BeliefLayout]:
    """A layer of each set of movers, with the smallest belief grid as it looks to them."""
    grid = belief_grid(game, max(fewest_points(prior.size) for prior in game.priors))
    layers = reversed(list(enumerate(game.layers)))
    first = {layer.movers: n for n, layer in layers if layer.private is None}
    return {n: belief_layout(game, grid, movers) for movers, n in first.items()}


def _sweep_nothing(game: CompiledGame, n: int, layout: BeliefLayout) -> None:
    values = np.empty((0, game.profiles.size, layout.outside.shape[1]))
    starts, counts = np.empty((game.layers[n].states.size, 0)), np.zeros(HOW, np.int64)
    task = Sweep(values, starts, values, np.empty(0), counts, False)
    sweep(0, 0, part(game, game.layers[n]), layout, task)


def _push_nothing(game: CompiledGame, n: int, layout: BeliefLayout) -> None:
    profiles = len(game.profiles)
    mass = np.empty((0, profiles, layout.outside.shape[1]))
    alive, acted, sigma = np.empty((0, profiles)), np.empty((0, profiles)), np.empty(0)
    arrays = part(game, game.layers[n])
    rows = np.empty((4, profiles), dtype=np.uint64)
    scratch = make_scratch(layout, arrays, 0), np.empty((2, *mass.shape[1:])), rows
    push(0, 0, arrays, layout, sigma, alive, mass, mass, acted, scratch)
