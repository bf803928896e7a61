"""Kernels made ready before a solve: those that a game needs and that this machine lacks.

To compile them takes longer than most solves do, once on each machine. A solve by itself compiles
what it meets; whoever wants to say what is going on, or to have some of them compiled by a second
process, calls `prepare` first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from detente.game.arrays import CompiledGame, Layer
from detente.game.compile import compile_game
from detente.processes import command, environment
from detente.scenario.loader import loads
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

Call = Callable[[], None]

SHARES = {
    sweep_plain: 5.0,
    sweep_two_types: 11.0,
    sweep_simplex: 9.0,
    sweep_several: 30.0,
    sweep_hidden: 30.0,
    sweep_private: 2.0,
    push: 4.5,
    push_hidden: 1.5,
    push_private: 1.0,
    reached: 0.5,
}
"""How long each kernel takes to compile, in proportion to the others."""

PATIENCE = 120.0
"""Seconds to wait for another process when all else is compiled; then it is done here."""

ANYWHERE = """\
title: One move, and nothing private
calendar: {period: round, horizon: 1}
actors: {Anybody: {precision: 1, judgement: an example}}
state: {moved: {levels: [no, yes], start: no}}
turns: [Anybody]
actions: {Anybody: {stay: {}, move: {set: {moved: yes}}}}
payoffs: {Anybody: {terminal: {gain: moved == yes}}}
outcomes: {moved: {when: moved == yes}}
"""
"""A game that needs the kernels that every game needs."""


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
    calls, lacking = _calls(game), missing(game)
    whole, done = sum(SHARES[kernel] for kernel in lacking), 0.0
    with _compiled_apart(lacking) as others:
        # Those last, to be taken from where the other process has kept them; or compiled after all.
        for kernel in sorted(lacking, key=others.__contains__):
            if kernel in others:
                try:
                    others[kernel].wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    others[kernel].kill()  # the next one is not waited for again
            for call in calls[kernel].values():
                call()
            done += SHARES[kernel]
            progress(done / whole)


@contextmanager
def _compiled_apart(kernels: Sequence[Kernel]) -> Iterator[dict[Kernel, subprocess.Popen[bytes]]]:
    """Those of the kernels that another process compiles in the meantime, and this process: what
    every game needs, but for one if nothing else is left to do here. It ends with the block."""
    names = {kernel.__name__: kernel for kernel in (sweep_plain, push, reached)}
    apart = [name for name, kernel in names.items() if kernel in kernels]
    if len(apart) == len(kernels):
        del apart[:1]
    if not apart or (os.cpu_count() or 1) == 1:
        yield {}
        return
    try:
        other = subprocess.Popen(
            [*command("detente.solver.ready"), *apart],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
    except OSError:  # none can be started
        yield {}
        return
    try:
        yield {names[name]: other for name in apart}
    finally:
        other.kill()
        other.wait()


def _calls(game: CompiledGame) -> dict[Kernel, dict[str, Call]]:
    """The kernels that a game needs, with calls that have nothing to do, on the smallest grid; by
    the kind of arguments for which they are compiled once more than for others."""
    grid = belief_grid(game, max(fewest_points(prior) for prior in game.priors))
    looks = {(seats(each), each.private is None, each.hidden is None): each for each in game.layers}
    calls: dict[Kernel, dict[str, Call]] = {}
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


def main(names: Collection[str]) -> None:
    """Compile those of the kernels of `ANYWHERE` that have these names."""
    for kernel, calls in _calls(compile_game(loads(ANYWHERE))).items():
        if kernel.__name__ in names:
            for call in calls.values():
                call()


if __name__ == "__main__":
    main(sys.argv[1:])
