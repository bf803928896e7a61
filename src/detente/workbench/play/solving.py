"""A room's game, solved in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from detente.game.arrays import CompiledGame
from detente.simulation.forecast import forecast
from detente.solver.beliefs import grid_size
from detente.solver.options import least_points
from detente.solver.solve import solve
from detente.solver.workers import Progress
from detente.workbench import answers
from detente.workbench.jobs import Event, Job, Means

LARGEST = 2**28
"""Bytes of strategies that a room keeps at hand: larger ones take fewer belief points."""


def perform(job: Job, means: Means, progress: Progress) -> Iterator[Event]:
    """The forecast, with its solution, as the last event but one."""
    yield answers.ENUMERATING
    game = answers.game_of(job)
    options = answers.options_of(job, means, progress)
    points = fitting(game, options.points(game))
    yield from answers.prepare(game, progress)
    yield {"kind": "step", "text": "Solving"}
    solution = solve(game, replace(options, beliefs=points), regret=False, coarse=False)
    result = forecast(solution, threads=options.threads)
    yield {"kind": "solved", "forecast": result}


def fitting(game: CompiledGame, points: int) -> int:
    """So many belief points that the strategies are not `LARGEST`; at least the fewest."""
    numbers = sum(game.plays)
    fewest = least_points(game)
    while points > fewest and 8 * numbers * grid_size(game, points) > LARGEST:
        points -= 2
    return max(points, fewest) if game.informed else points
