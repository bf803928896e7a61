"""How much memory a solve will take, estimated before it starts."""

from __future__ import annotations

from itertools import pairwise
from math import isqrt, prod

from detente.errors import SolveError
from detente.game.arrays import CompiledGame
from detente.game.automaton import automaton
from detente.solver.beliefs import grid_size
from detente.solver.keep import Keep
from detente.solver.period import is_small, numbers
from detente.solver.room import in_blocks, most_of_two
from detente.solver.stationary import held

ROW = 150
"""Bytes for each row of the table of states while it is made: measured at up to 140."""

MORE = 1.09
"""What is not counted: the certificate's batches, lists, room that the system does not get back."""

MORE_OF_GRADIENT = 1.1
"""The same of derivatives, and their way to the parameters."""

HISTORIES = 4096
"""Histories that are drawn for what is believed, on each grid: as many as the audit's first columns
rest on, and fewer seconds than the forward pass of a large game takes."""

PIECE = 2**24
"""Numbers of derivatives that are made before they are added to those of the next layer."""

FOREVER = 24
"""Periods that are reported of a game without end, unless more are asked for."""


def memory_needed(
    game: CompiledGame,
    points: int,
    *,
    regret: bool = True,
    coarse: bool = True,
    threads: int = 1,
    keep: Keep = Keep.MEMORY,
) -> int:
    """Bytes that a solve with so many belief points and its forecast take at their height.

    What is kept of the strategies stays, and the values with which play begins; the coarser grid's
    too, which is there for the error. Beside them stand first what a solve works in, then what is
    played forward, and in the end what is drawn, while it is put in order and then the tables.
    """
    nodes, rough = _nodes(game, points, coarse)
    stored = 0 if keep.in_file else _stored(game, keep)
    first = game.layers[0].states.size
    kept = (nodes + rough) * (stored + first * game.profiles.size)
    solving = nodes * (
        _two_layers(game, regret) + _guesses(game) + threads * _scratch(game, regret)
    )
    beside = rough * _two_layers(game, regret=True)
    if game.loop is not None:
        searched = held(first * nodes * game.profiles.size * (2 if regret else 1))
        solving += max(searched, numbers(game) if nodes == 1 and is_small(game) else 0)
    channels = _channels(game)
    pushing = nodes * _most_of_two(game) * prod(in_blocks(len(game.profiles), threads)) * channels
    if keep.anew:
        pushing += nodes * _two_layers(game, regret=False)
    grids = 2 if coarse else 1
    pushed, (beliefs, order) = _pushed(game, grids, channels, keep), _drawn(game, grids)
    telling = beliefs + max(order, ROW * _rows(game) // 8)
    if keep.in_file:  # a layer's strategies are there at a time
        layer = max(game.plays)
        solving, beside = solving + nodes * layer, beside + rough * layer
        pushing += nodes * layer
        telling += (nodes + rough) * layer
    solving = solving + beside if threads > 1 else max(solving, beside)
    most = max(solving, pushed + pushing + beliefs, pushed + telling)
    return int(MORE * 8 * (kept + most))


def gradient_needed(
    game: CompiledGame,
    nodes: int,
    keep: Keep,
    *,
    outcome: bool,
    moves: int,
    in_file: bool,
    threads: int = 1,
    kept: int = 0,
) -> int:
    """Bytes that the derivatives of a payoff, or of an `outcome`, take at their height, on a grid
    of so many nodes, with what a solution keeps: on this grid and, at `kept` nodes, on others.

    Values after a move, and derivatives by values before it and after it, are there at a time;
    beside them, if they are not in a file, values at about 2 √`moves` other moves and derivatives
    by all numbers of the game.
    """
    columns = int(game.profiles.size) + (len(game.profiles) if outcome else 0)
    sets = [codes.size for codes in game.structure.sets]
    edges, joint = max(len(layer.action) for layer in game.layers), max(game.most_joint)
    working = nodes * columns * (_most_of_two(game) + max(sets))
    working += nodes * columns * min(edges, PIECE // (nodes * columns) + joint)
    working += threads * nodes * joint * (2 * columns + 24)
    if not in_file:
        step, along = max(isqrt(moves), 1), [*sets[:-1] * (moves // len(game.layers)), sets[-1]]
        stretch = max(sum(along[k : k + step]) for k in range(0, moves, step))
        working += nodes * columns * (sum(along[::step]) + stretch)
    if keep.in_file:
        working += nodes * max(game.plays)
    if keep.anew:
        working += nodes * _two_layers(game, regret=False)
    numbers = [each.prob.size + each.reward.size + each.reference.size for each in game.layers]
    working += max(numbers) if in_file and game.loop is None else sum(numbers)
    working += sum(flow.size for flow in game.flow)
    stored = 0 if keep.in_file else _stored(game, keep)
    return int(MORE_OF_GRADIENT * 8 * ((nodes + kept) * stored + working))


def file_needed(game: CompiledGame, points: int, *, coarse: bool = True, keep: Keep) -> int:
    """Bytes of the temporary file."""
    return 8 * sum(_nodes(game, points, coarse)) * _stored(game, keep) if keep.in_file else 0


def refuse_beyond(limit: int, needed: int, what: str, way_out: str) -> None:
    """Raise `SolveError` where so much memory is not allowed."""
    if needed > limit:
        raise SolveError(
            f"{what} needs about {gibibytes(needed)} of memory; allowed are {gibibytes(limit)}.\n"
            f"hint: {way_out}"
        )


def gibibytes(count: int) -> str:
    """Bytes in words."""
    size = count / 2**30
    return f"{size:.2f} GiB" if 0.01 <= size < 1.0 else f"{size:.1f} GiB"


def _nodes(game: CompiledGame, points: int, coarse: bool) -> tuple[int, int]:
    """Nodes of the belief grid and of the coarser one."""
    return grid_size(game, points), grid_size(game, (points + 1) // 2) if coarse else 0


def _two_layers(game: CompiledGame, regret: bool) -> int:
    """Values of two layers at a node, with those of best responses."""
    return _most_of_two(game) * int(game.profiles.size) * (2 if regret else 1)


def _most_of_two(game: CompiledGame) -> int:
    """The most states that a layer and the one after it have together."""
    return most_of_two([codes.size for codes in game.structure.sets])


def _scratch(game: CompiledGame, regret: bool) -> int:
    """What a thread works in at a node of one state: next values of all actions, and lines."""
    return max(game.most_joint) * (game.profiles.size * (2 if regret else 1) + 24)


def _guesses(game: CompiledGame) -> int:
    """Strategies that are kept at a node of each turn of a game without end, to begin from."""
    if game.loop is None:
        return 0
    return sum(game.plays)


def _stored(game: CompiledGame, keep: Keep) -> int:
    """Numbers that are kept at a node: all strategies, or values at some layers and the strategies
    between two of them."""
    ends, plays = keep.stretch_ends(len(game.layers)), game.plays
    stretch = max(sum(plays[a:b]) for a, b in pairwise(ends))
    if not keep.anew:
        return stretch
    sets = [codes.size for codes in game.structure.sets]
    return int(sum(sets[end] for end in ends[1:]) * game.profiles.size + stretch)


def _ends(game: CompiledGame) -> int:
    """Times that are reported: the start, and the ends of periods."""
    return 1 + (FOREVER if game.loop is not None else sum(game.ends_period))


def _channels(game: CompiledGame) -> int:
    """Channels of a forward pass, at most."""
    outcomes = game.scenario.outcomes
    return 1 + sum(automaton(outcomes, key).kept.size for key in outcomes)


def _pushed(game: CompiledGame, grids: int, channels: int, keep: Keep) -> int:
    """Numbers that forward passes find: what is done at each turn, and states as periods end."""
    done = sum(len(layer.action) for layer in game.layers) * (1 if game.loop is None else FOREVER)
    if keep.in_file:  # as strategies are
        done = max(len(layer.action) for layer in game.layers)
    ends = [game.structure.sets[k].size for k in game.structure.period_sets]
    states = sum(ends) * (1 if game.loop is None else FOREVER) * (1 + channels)
    return int(grids * len(game.profiles) * (done + states))


def _drawn(game: CompiledGame, grids: int) -> tuple[int, int]:
    """Numbers that are kept of drawn histories: beliefs; and those of one actor at a time while
    they are read: their order, the types in this order, how many of each are among the first (in
    half the room), and what is found on the way."""
    if not game.informed:
        return 0, 0
    private = [game.priors[i].size for i in game.informed]
    histories = _ends(game) * HISTORIES
    reading = 3.0 + len(game.profiles) / 2.0
    return histories * grids * sum(private), int(reading * histories * max(private))


def _rows(game: CompiledGame) -> int:
    """Rows of the forecast's table of states."""
    ends = _ends(game)
    levels = sum(variable.size for variable in game.structure.variables)
    conditions = prod(1 + game.priors[i].size for i in game.informed)
    return ends * levels * conditions
