"""Whether there is room for derivatives, and where the values are put aside that they are from."""

from __future__ import annotations

import os
from collections.abc import Callable

from detente.errors import SolveError
from detente.game.arrays import CompiledGame
from detente.solver.beliefs import grid_size
from detente.solver.keep import Keep
from detente.solver.memory import gradient_needed, refuse_beyond
from detente.solver.options import SolveOptions
from detente.solver.replay import way_kept
from detente.solver.shelf import FileShelf, Shelf
from detente.solver.solution import Solution
from detente.solver.value_tape import Target, moves_of


def shelf_for(
    solution: Solution, target: Target, threads: int | None, limit: int
) -> Callable[[], Shelf]:
    """What makes a shelf for values: in memory where strategies are there, too, and there is room.

    Raises
    ------
    SolveError
        If derivatives would take more than so many bytes even with values in a file.
    """
    grids = [solution.grid.size]
    if solution.coarse is not None:
        grids.append(solution.coarse.grid.size)
    return _shelf(solution.game, target, grids, way_kept(solution.strategies), threads, limit)


def check_room(game: CompiledGame, target: Target, options: SolveOptions) -> None:
    """Refuse derivatives for which there will be no room, before the game is solved on one grid.

    Raises
    ------
    SolveError
        If there is none, or if the solve itself would need more memory than allowed.
    """
    ways = tuple(Keep) if game.loop is None else (Keep.MEMORY,)
    keep = options.way_to_keep(game, ways, regret=False, coarse=False)
    grids = [grid_size(game, options.points(game))]
    _shelf(game, target, grids, keep, options.threads, options.memory_limit)


def has_room(game: CompiledGame, target: Target, options: SolveOptions) -> bool:
    """Whether there will be room for derivatives."""
    try:
        check_room(game, target, options)
    except SolveError:
        return False
    return True


def _shelf(
    game: CompiledGame,
    target: Target,
    grids: list[int],
    keep: Keep,
    threads: int | None,
    limit: int,
) -> Callable[[], Shelf]:
    nodes, *others = grids
    for in_file in (keep.in_file, True):
        needed = gradient_needed(
            game,
            nodes,
            keep,
            outcome=target.actor is None,
            moves=len(moves_of(game, target)),
            in_file=in_file,
            threads=threads or os.cpu_count() or 1,
            kept=sum(others),
        )
        if needed <= limit:
            return FileShelf if in_file else dict
    what = f"differentiating {game.sizes}, on {nodes:,} nodes of the belief grid,"
    way_out = "use fewer belief points or periods, a smaller state space, or allow more memory"
    refuse_beyond(limit, needed, what, way_out)
    raise AssertionError
