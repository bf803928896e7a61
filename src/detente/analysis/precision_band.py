"""How far a forecast moves as the precision of responses does, and what of a comparison survives.

Precision is seldom estimated, so that a forecast is worth as much as the range of precisions over
which it holds. The same game is solved at half and at twice its precision, that of all actors
together, on the coarser belief grid: this costs a fraction of the solve that it judges. The band
runs from the least to the most of the numbers on that one grid, moved by what the finer grid
changes at the file's own precision, so that it shows what precision does and not what grids do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from detente.dtypes import Floats
from detente.errors import expect
from detente.scenario.frozen import Frozen
from detente.simulation.forecast import Forecast, forecast
from detente.simulation.table import Table
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, least_points
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve

FACTORS = (0.5, 2.0)
"""Of the precision: what has not been estimated is not known better than that."""

SETTLED = 0.005
"""Half a point: a smaller difference between policies has no sign to speak of."""


@dataclass(frozen=True, eq=False)
class PrecisionBand:
    """A forecast over a range of precisions.

    outcomes
        `outcome, happened, low, high, holds, holds_low, holds_high`: the probability that it has
        held by the last period reported, and that it holds then, with the least and the most of
        each over the precisions.
    payoffs
        `actor, type, payoff, low, high`.
    at
        By the factor of the precision, 1 among them, the forecast's outcomes at the last period
        reported; all on one grid.
    points
        Belief points of that grid.
    solved
        Whether every solve ended as it should.
    """

    tables: Frozen[Table]
    at: Mapping[float, Table]
    points: tuple[int, ...]
    solved: bool


def precision_band(
    result: Forecast,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    factors: tuple[float, ...] = FACTORS,
) -> PrecisionBand | None:
    """The band of a forecast over other precisions; None where a precision is the limit.

    Parameters
    ----------
    result
        The forecast to be judged.
    options
        Threads, memory and progress; the belief points are those of its coarser solution, or the
        fewest that the game can have.
    factors
        By which the precisions of all actors are multiplied together.
    """
    expect(result, Forecast, "precision_band")
    solution = result.solution
    game = solution.game
    if any(np.isinf(game.scenario.constant(actor.precision)) for actor in game.actors):
        return None
    points = _points(solution)
    precisions = sorted({*factors, 1.0})
    outcomes, payoffs, solved, used = {}, {}, True, solution.grid.points
    for k, factor in enumerate(precisions):
        step = options.step(k / len(precisions), (k + 1) / len(precisions))
        own = next((s for s in (solution, solution.coarse) if s and _is_on(s, points)), None)
        if factor != 1.0 or own is None:
            changed = replace(game, precision=factor * game.precision)
            own = solve(changed, replace(step, beliefs=points), regret=False, coarse=False)
        periods = None if game.loop is None else result.periods
        other = forecast(own, periods=periods, threads=options.threads)
        # Their tables are all that is kept: strategies would fill the memory.
        outcomes[factor], payoffs[factor] = other.final, other.tables["payoffs"]
        solved, used = solved and own.status is Status.SOLVED, own.grid.points
    tables = {
        "outcomes": _outcomes(result.final, outcomes),
        "payoffs": _payoffs(result.tables["payoffs"], payoffs),
    }
    return PrecisionBand(Frozen(tables), outcomes, used, solved)


def sign_table(
    base: Forecast, other: Forecast, bands: tuple[PrecisionBand, PrecisionBand]
) -> Table:
    """What another policy changes, by outcome, and whether the sign of that holds.

    Parameters
    ----------
    base, other
        Forecasts of the two policies over the same periods, of which the coarser solutions are
        known.
    bands
        Those of the two forecasts, over the same precisions.

    Returns
    -------
    Table
        `outcome, difference, low, high, holds`: the difference of `happened` by the last period
        reported; its least and most over both grids and all precisions; whether all these
        differences have one sign and are larger than `SETTLED`.
    """
    before, after = bands
    pairs = [(base.final, other.final)]
    pairs += [(table, after.at[factor]) for factor, table in before.at.items()]
    differences = np.stack([b["happened"] - a["happened"] for a, b in pairs])
    low, high = differences.min(axis=0), differences.max(axis=0)
    columns = {
        "outcome": pairs[0][0]["outcome"],
        "difference": differences[0],
        "low": low,
        "high": high,
        "holds": (low > SETTLED) | (high < -SETTLED),
    }
    return Table.of(tuple(columns), [columns])


def _points(solution: Solution) -> int | None:
    """Belief points of the coarser grid, or the fewest there can be; None where none are needed."""
    if not solution.game.informed:
        return None
    rough = solution if solution.coarse is None else solution.coarse
    return max(least_points(solution.game), *rough.grid.points)


def _is_on(solution: Solution, points: int | None) -> bool:
    """Whether a solution is one on the grid with so many points."""
    return points is None or set(solution.grid.points) == {points}


def _outcomes(own: Table, at: Mapping[float, Table]) -> Table:
    columns: dict[str, object] = {"outcome": own["outcome"]}
    for name, low, high in (("happened", "low", "high"), ("holds", "holds_low", "holds_high")):
        columns[name] = own[name]
        band = _band(own[name], {factor: table[name] for factor, table in at.items()})
        columns[low], columns[high] = np.clip(band, 0.0, 1.0)
    return Table.of(tuple(columns), [columns])


def _payoffs(own: Table, at: Mapping[float, Table]) -> Table:
    columns: dict[str, object] = {name: own[name] for name in ("actor", "type", "payoff")}
    others = {factor: table["payoff"] for factor, table in at.items()}
    columns["low"], columns["high"] = _band(own["payoff"], others)
    return Table.of(tuple(columns), [columns])


def _band(own: Floats, others: Mapping[float, Floats]) -> tuple[Floats, Floats]:
    """The least and the most over the precisions, moved by what the finer grid changes."""
    numbers = np.stack(list(others.values())) + (own - others[1.0])
    return numbers.min(axis=0), numbers.max(axis=0)
