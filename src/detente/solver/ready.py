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
from detente.solver.backward import NOTHING
from detente.solver.beliefs import belief_grid, fewest_points
from detente.solver.kernels.homotopy import HOW
from detente.solver.kernels.jit import is_kept
from detente.solver.kernels.nodes import sweep_nodes
from detente.solver.kernels.plain import sweep_plain
from detente.solver.kernels.push import marginals, push
from detente.solver.kernels.stage import make_stage
from detente.solver.kernels.two_type_layer import sweep_lines
from detente.solver.layout import is_lined, part, turn
from detente.solver.sweep import sweep, swept_by

Kernel = Callable[..., Any]

SHARES = {sweep_plain: 3.0, sweep_lines: 11.0, sweep_nodes: 40.0, push: 2.0, marginals: 0.5}
"""How long each kernel takes to compile, in proportion to the others."""


LONG = 5_000
"""States of all turns from which on a solve takes its time, and the tracer is worth a process."""


def missing(game: CompiledGame) -> list[Kernel]:
    """The kernels that a solve and a forecast surely need, and that are yet to be compiled."""
    needed = [push, marginals, *(swept_by(seen) for seen in _turns(game).values())]
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
    turns = _turns(game)
    long = sum(layer.states.size for layer in game.layers) > LONG
    if (lacking or long) and any(swept_by(seen) is sweep_lines for seen in turns.values()):
        tracer.begin()
    whole, done = sum(SHARES[kernel] for kernel in lacking), 0.0
    for kernel in lacking:
        for n, seen in turns.items():
            if kernel is swept_by(seen):
                _sweep_nothing(game, n, seen)
            elif kernel is push:
                _push_nothing(game, n, seen)
        done += SHARES[kernel]
        progress(done / whole)


def _turns(game: CompiledGame) -> dict[int, Any]:
    """A layer of each set of movers, with the smallest belief grid as it looks to them."""
    grid = belief_grid(game, max(fewest_points(prior.size) for prior in game.priors))
    first = {layer.movers: n for n, layer in reversed(list(enumerate(game.layers)))}
    return {n: turn(game, grid, movers) for movers, n in first.items()}


def _sweep_nothing(game: CompiledGame, n: int, seen: Any) -> None:
    layer = game.layers[n]
    values = np.empty((0, seen.base.size * seen.local.size, game.profiles.size))
    starts, counts = np.empty((layer.states.size, 0)), np.zeros(HOW, np.int64)
    arrays = part(game, layer)
    sweep(0, 0, arrays, values, seen, NOTHING, starts, values, np.empty(0), counts)


def _push_nothing(game: CompiledGame, n: int, seen: Any) -> None:
    profiles = len(game.profiles)
    mass = np.empty((0, seen.base.size * seen.local.size, profiles))
    alive, acted, sigma = np.empty((0, profiles)), np.empty((0, profiles)), np.empty(0)
    stage = None if is_lined(seen) else make_stage(seen.movers, 1, 1, profiles)
    arrays = part(game, game.layers[n])
    push(0, 0, arrays, seen, sigma, alive, mass, mass, acted, np.empty(0), stage)
    marginals(mass, alive, np.empty((0, profiles)), np.empty((mass.shape[1], profiles)))
