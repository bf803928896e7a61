"""How far a forecast moves as the precision of responses does.

Precision is seldom estimated, so that a forecast is worth as much as the range of precisions over
which it holds. The same game is solved at half and at twice its precision, that of all actors
together, on the coarser belief grid: this costs a fraction of the solve that it judges. The band
runs from the least to the most of the numbers on that one grid, moved by what the finer grid
changes at the file's own precision, so that it shows what precision does and not what grids do.
Where the scenario gives ranges of the precisions, their ends can be solved as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from detente.dtypes import Floats
from detente.errors import expect, refuse
from detente.game.arrays import CompiledGame
from detente.scenario.frozen import Frozen
from detente.simulation.columns import Columns
from detente.simulation.forecast import Forecast, marginal
from detente.simulation.forecast_tables import outcome_table, payoff_table
from detente.simulation.forward import forward
from detente.solver.aside import side_by_side
from detente.solver.certificate import CHECKED_OF_MANY
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, least_points
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve
from detente.solver.workers import open_workers

FACTORS = {"half": 0.5, "given": 1.0, "twice": 2.0}
"""Of the precision: what has not been estimated is not known better than that."""

SETTLED = 0.005
"""Half a point: a smaller difference between probabilities has no sign to speak of."""

ENDS = ("low", "high")
"""The ends of the ranges that the scenario gives."""


@dataclass(frozen=True, eq=False)
class PrecisionCase:
    """A forecast at other precisions.

    precision
        float64 [i].
    outcomes
        `happened` and `holds` by outcome and period, whatever the types are.
    points
        Belief points.
    """

    precision: Floats
    outcomes: Columns
    payoffs: Columns
    solved: bool
    points: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PrecisionBand:
    """A forecast over a range of precisions.

    outcomes
        `outcome, happened, low, high, holds, holds_low, holds_high`: the probability that it has
        held by the last period reported, and that it holds then, with the least and the most of
        each over half to twice the precision; with `range_low, range_high, holds_range_low,
        holds_range_high`, over the ends of the scenario's ranges as well, where these were solved.
    payoffs
        `actor, type, payoff, low, high`, and `range_low, range_high` in the same way.
    cases
        The forecasts, all on one grid: `half`, `given`, `twice` the precision; and `low`, `high`,
        the ends of the ranges, where they were solved.
    points
        Belief points of that grid.
    coarse
        Whether it is coarser than the forecast's own.
    """

    tables: Frozen[Columns]
    cases: Mapping[str, PrecisionCase]
    points: tuple[int, ...]
    coarse: bool

    @property
    def solved(self) -> bool:
        """Whether every solve ended as it should."""
        return all(case.solved for case in self.cases.values())

    @property
    def ranged(self) -> bool:
        """Whether the ends of the ranges were solved as well."""
        return ENDS[0] in self.cases


def precision_band(
    result: Forecast, options: SolveOptions = DEFAULT_OPTIONS, *, ranges: bool = False
) -> PrecisionBand | None:
    """The band of a forecast over other precisions; None where a precision is the limit.

    Parameters
    ----------
    result
        The forecast to be judged.
    options
        Threads, memory and progress; the belief points are those of its coarser solution, or the
        fewest that the game can have.
    ranges
        Whether to solve also at the ends of the precisions' ranges, where some of these lie beyond
        half to twice.
    """
    expect(result, Forecast, "precision_band")
    if result.types or result.given:
        message = "a forecast under conditions has no band: it is of all that may happen"
        refuse("result", "not-together", message, "leave out its `types` and `given`")
    solution = result.solution
    game = solution.game
    actors = game.scenario.actors.values()
    given = np.array([game.scenario.constant(actor.precision) for actor in actors])
    if np.isinf(given).any():
        return None
    precisions = {name: factor * given for name, factor in FACTORS.items()}
    if ranges:
        precisions |= _ends(game, given)
    points = _points(solution)
    options = replace(options, beliefs=points)
    cases: dict[str, PrecisionCase] = {}
    at_given = _at_given(result, points)
    if at_given is not None:
        cases["given"] = at_given
    asked = [name for name in precisions if name not in cases]
    tasks = [partial(_case, result, precisions[name]) for name in asked]
    needed = options.memory(game, coarse=False)
    cases |= zip(asked, side_by_side(tasks, options, needed), strict=True)
    cases = {name: cases[name] for name in precisions}
    used = next(iter(cases.values())).points
    tables = {"outcomes": _outcomes(result, cases), "payoffs": _payoffs(result, cases)}
    coarse = used != result.solution.grid.points
    return PrecisionBand(Frozen(tables), Frozen(cases), used, coarse)


def _case(result: Forecast, precision: Floats, options: SolveOptions) -> PrecisionCase:
    """What a forecast would be at other precisions: of its tables those that are kept."""
    game = replace(result.solution.game, precision=precision)
    solved = solve(
        game, options.step(0.0, 0.6), regret=False, coarse=False, checked=CHECKED_OF_MANY
    )
    periods = None if game.loop is None else result.periods
    with open_workers(options.threads) as workers:
        step = options.step(0.6, 1.0)
        run = forward(solved, workers, periods=periods, progress=step.progress)
    outcomes = marginal(game, outcome_table(game, run, None, {}))
    done = solved.status is Status.SOLVED
    return PrecisionCase(precision, outcomes, payoff_table(solved), done, solved.grid.points)


def _ends(game: CompiledGame, given: Floats) -> dict[str, Floats]:
    """All precisions at the low and at the high ends of their parameters' ranges.

    Nothing where no range is given, or where they lie within half to twice.
    """
    scenario = game.scenario
    ends = {}
    for side, name in enumerate(ENDS):
        values = scenario.scalars
        for key in {key for actor in game.actors for key in actor.precision.parameters}:
            limits = next(iter(scenario.parameters[key].ranges), None)
            values[key] = values[key] if limits is None else limits[side]
        ends[name] = np.array([float(actor.precision.evaluate(values)) for actor in game.actors])
    low, high = ends.values()
    within = np.all(low >= FACTORS["half"] * given) and np.all(high <= FACTORS["twice"] * given)
    usable = np.isfinite([low, high]).all() and low.min() >= 0
    return {} if within or not usable else ends


def _points(solution: Solution) -> int | None:
    """Belief points of the coarser grid, or the fewest that a solve can have; None where none are
    needed."""
    if not solution.game.informed:
        return None
    rough = solution if solution.coarse is None else solution.coarse
    return max(least_points(solution.game), *(points | 1 for points in rough.grid.points))


def _at_given(result: Forecast, points: int | None) -> PrecisionCase | None:
    """What the forecast itself has on the grid with so many points; None if nothing."""
    solution = result.solution
    for known, tables in ((solution, result.tables), (solution.coarse, result.coarse)):
        if known is None or tables is None:
            continue
        if points is None or set(known.grid.points) == {points}:
            outcomes = marginal(solution.game, tables["outcomes"])
            solved = known.status is Status.SOLVED
            payoffs = tables["payoffs"]
            return PrecisionCase(
                solution.game.precision, outcomes, payoffs, solved, known.grid.points
            )
    return None


def _outcomes(result: Forecast, cases: Mapping[str, PrecisionCase]) -> Columns:
    own = result.final
    last = {name: case.outcomes.where(t=result.periods) for name, case in cases.items()}
    columns: dict[str, object] = {"outcome": own["outcome"]}
    for name, prefix in (("happened", ""), ("holds", "holds_")):
        columns[name] = own[name]
        numbers = {key: table[name] for key, table in last.items()}
        for end, column in _band(own[name], numbers).items():
            columns[f"{prefix}{end}"] = np.clip(column, 0.0, 1.0)
    return Columns.of(tuple(columns), [columns])


def _payoffs(result: Forecast, cases: Mapping[str, PrecisionCase]) -> Columns:
    own = result.tables["payoffs"]
    columns: dict[str, object] = {name: own[name] for name in ("actor", "type", "payoff")}
    columns |= _band(own["payoff"], {name: case.payoffs["payoff"] for name, case in cases.items()})
    return Columns.of(tuple(columns), [columns])


def _band(own: Floats, numbers: Mapping[str, Floats]) -> dict[str, Floats]:
    """The least and the most over the precisions, moved by what the finer grid changes."""

    def ends(names: Iterable[str]) -> tuple[Floats, Floats]:
        moved = np.stack([numbers[name] for name in names]) + (own - numbers["given"])
        return moved.min(axis=0), moved.max(axis=0)

    band = dict(zip(("low", "high"), ends(FACTORS), strict=True))
    if len(numbers) > len(FACTORS):
        band |= dict(zip(("range_low", "range_high"), ends(numbers), strict=True))
    return band
