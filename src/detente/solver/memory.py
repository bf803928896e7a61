"""How much memory a solve will take, estimated before it starts."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np

from detente.errors import SolveError
from detente.game.arrays import CompiledGame
from detente.game.automaton import automaton
from detente.solver.beliefs import grid_size
from detente.solver.layout import kinds
from detente.solver.replay import stretch_ends
from detente.solver.stationary import held

ROW = 360
"""Bytes for each row of the table of states while it is made: measured at up to 330."""

MORE = 1.03
"""What is not counted: the certificate's batches, lists, room that the system does not get back."""

HISTORIES = 4096
"""Histories that are drawn for what is believed, on each grid: as many as the audit's first columns
rest on, and fewer seconds than the forward pass of a large game takes."""

FOREVER = 24
"""Periods that are reported of a game without end, unless more are asked for."""


def memory_needed(
    game: CompiledGame,
    points: int,
    *,
    regret: bool = True,
    coarse: bool = True,
    threads: int = 1,
    replayed: bool = False,
) -> int:
    """Bytes that a solve with so many belief points and its forecast take at their height.

    The strategies stay, and the values with which play begins; the coarser grid's too, which is
    there for the error. Beside them stand first what a solve works in, then what a forecast does.
    With `replayed`, values at some layers stay instead, and the strategies between two of them.
    """
    nodes = grid_size(game, points)
    all_nodes = nodes + (grid_size(game, (points + 1) // 2) if coarse else 0)
    plays = sum(_plays(game)) if not replayed else _replayed(game)
    first = game.layers[0].states.size
    kept = all_nodes * (plays + first * game.profiles.size)
    solving = nodes * (
        _two_layers(game, regret) + _guesses(game) + threads * _scratch(game, regret)
    )
    if game.loop is not None:
        solving += held(first * nodes * game.profiles.size * (2 if regret else 1))
    profiles = len(game.profiles)
    most = max(codes.size for codes in game.structure.sets)
    outcomes = game.scenario.outcomes
    channels = 1 + sum(automaton(outcomes, key).kept.size for key in outcomes)
    masses = nodes * 2 * most * profiles * channels
    drawn = _drawn(game, 2 if coarse else 1)
    return int(MORE * (8 * (kept + max(solving, masses) + drawn) + ROW * _rows(game)))


def refuse_beyond(limit: int, needed: int, what: str, way_out: str) -> None:
    """Raise `SolveError` where so much memory is not allowed."""
    if needed > limit:
        raise SolveError(
            f"{what} needs about {gibibytes(needed)} of memory; allowed are {gibibytes(limit)}.\n"
            f"hint: {way_out}"
        )


def gibibytes(count: int) -> str:
    """Bytes in words."""
    return f"{count / 2**30:.1f} GiB"


def _two_layers(game: CompiledGame, regret: bool) -> int:
    """Values of two layers at a node, with those of best responses."""
    width = game.profiles.size * (2 if regret else 1)
    return int(2 * max(codes.size for codes in game.structure.sets) * width)


def _scratch(game: CompiledGame, regret: bool) -> int:
    """What a thread works in at a node of one state: next values of all actions, and lines."""
    joint = max(int(np.diff(layer.action_ptr).max()) for layer in game.layers)
    return joint * (game.profiles.size * (2 if regret else 1) + 24)


def _guesses(game: CompiledGame) -> int:
    """Strategies that are kept at a node of each turn of a game without end, to begin from."""
    if game.loop is None:
        return 0
    return sum(_plays(game))


def _plays(game: CompiledGame) -> list[int]:
    """Numbers that strategies take at a node, layer by layer."""
    return [int(layer.choices.sum(axis=0) @ kinds(game, layer)) for layer in game.layers]


def _replayed(game: CompiledGame) -> int:
    """What stays at a node where strategies are solved anew, and what that takes at its height."""
    ends, plays = stretch_ends(len(game.layers)), _plays(game)
    sets = [*(layer.states.size for layer in game.layers), len(game.terminal)]
    stored = sum(sets[end] for end in ends[1:]) * game.profiles.size
    stretch = max(sum(plays[a:b]) for a, b in pairwise(ends))
    return stored + stretch + _two_layers(game, regret=False)


def _ends(game: CompiledGame) -> int:
    """Times that are reported: the start, and the ends of periods."""
    return 1 + (FOREVER if game.loop is not None else sum(game.ends_period))


def _drawn(game: CompiledGame, grids: int) -> int:
    """Numbers that are kept of drawn histories: beliefs, and twice their order."""
    if not game.informed:
        return 0
    private = [game.priors[i].size for i in game.informed]
    kept = grids * (sum(prior.size for prior in game.priors) + 2 * sum(private))
    return _ends(game) * HISTORIES * (kept + 2 * max(private))


def _rows(game: CompiledGame) -> int:
    """Rows of the forecast's table of states."""
    ends = _ends(game)
    levels = sum(variable.size for variable in game.structure.variables)
    conditions = prod(1 + game.priors[i].size for i in game.informed)
    return ends * levels * conditions
