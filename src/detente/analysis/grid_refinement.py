"""`forecast_within`: a forecast whose belief grid is as fine as the accuracy asked for needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from detente.arguments import finite
from detente.errors import expect, refuse
from detente.game.arrays import CompiledGame
from detente.game.periods import check_periods
from detente.simulation.forecast import Forecast, forecast, largest_difference
from detente.solver.memory import gibibytes
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, least_points
from detente.solver.solution import Status
from detente.solver.solve import solve

LARGEST = 4097
"""Points along an edge beyond which a grid is not refined: rounding is all that would be left."""


@dataclass(frozen=True, eq=False)
class Refined:
    """A forecast, and the largest change of a reported number against the grid before.

    `reached` says whether it is below the accuracy asked for; `note` says so in a sentence.
    """

    forecast: Forecast
    error: float
    reached: bool
    note: str


def forecast_within(
    game: CompiledGame,
    accuracy: float,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    periods: int | None = None,
) -> Refined:
    """Halve the belief grid's steps until outcome probabilities and payoffs change by less.

    Parameters
    ----------
    game
        As compiled.
    accuracy
        Largest change of an outcome's probability by the end of a period, or of a payoff (in the
        scenario's unit), between a grid and one half as fine. The error of the finer one is
        smaller: about a third of it, where payoffs are smooth in beliefs.
    options
        As in `solve`, without belief points. A grid that needs more memory is not tried.
    periods
        Periods that are reported of a game without end.

    Returns
    -------
    Refined
        The finest grid's forecast, with the grid before as its coarser one.
    """
    expect(game, CompiledGame, "forecast_within")
    finite("accuracy", accuracy, above=0.0)
    check_periods(game.scenario, periods)
    if options.beliefs is not None:
        hint = "leave one of them out"
        refuse("beliefs", "not-together", "the accuracy chooses the belief points itself", hint)
    points = least_points(game)
    quiet = replace(options, progress=None)
    solution = solve(game, replace(quiet, beliefs=points), coarse=False)
    result = forecast(solution, periods=periods, threads=options.threads)
    error = math.inf if game.informed else 0.0
    note = "" if game.informed else "Nothing is private: there is no belief grid to refine."
    while error > accuracy and solution.status is Status.SOLVED:
        finer = 2 * points - 1
        needed = replace(options, beliefs=finer).memory(game)
        if finer > LARGEST or needed > options.memory_limit:
            note = (
                f"Asked for {accuracy:g}, reached {error:.1g} with {points} belief points; "
                f"{finer} points would need {gibibytes(needed)} of memory, allowed are "
                f"{gibibytes(options.memory_limit)}."
            )
            break
        rough, before = solution, result
        solution = solve(game, replace(quiet, beliefs=finer), coarse=False)
        solution = replace(solution, coarse=rough)
        result = forecast(solution, periods=periods, threads=options.threads)
        points, error = finer, largest_difference(result, before)
        options.report(min(1.0, accuracy / error) if error else 1.0)
    if not note:
        note = f"Accuracy {accuracy:g} reached with {points} belief points: {error:.1g}."
    return Refined(result, error, error <= accuracy, note)
