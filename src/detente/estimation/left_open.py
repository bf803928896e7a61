"""`left_open`: forecasts at draws from a posterior, which is what records leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from detente.dtypes import Floats
from detente.errors import ScenarioError, SolveError, refuse
from detente.game.arrays import CompiledGame
from detente.game.compile import with_values
from detente.game.periods import check_periods
from detente.notebook import InNotebook
from detente.simulation.forward import forward
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import Status
from detente.solver.solve import solve
from detente.solver.workers import open_workers

MOST_SOLVED = 200
"""Draws that are solved: the ends of 95 % are then five draws from the outermost."""

ENDS = (0.025, 0.975)
"""Quantiles between which 95 % of the draws lie."""


@dataclass(frozen=True, eq=False)
class LeftOpen(InNotebook):
    """Probabilities of outcomes over draws from a posterior.

    table
        `t, period, outcome, mean, low, high`: of the probability that the outcome has come about by
        the end of the period its mean over the draws, and the ends of the middle 95 %.
    solved, failed
        Draws that count, and those at which there was no solution.
    """

    table: pd.DataFrame
    solved: int
    failed: int

    def __repr__(self) -> str:
        last = self.table[self.table["t"] == self.table["t"].max()]
        rows = [f"{r.outcome} {r.low:.0%} to {r.high:.0%}" for r in last.itertuples()]
        return f"<LeftOpen by {self.solved} draws: {', '.join(rows)}>"

    def _main_table(self) -> pd.DataFrame:
        return self.table[self.table["t"] == self.table["t"].max()]


def left_open(
    game: CompiledGame,
    posterior: Mapping[str, Sequence[float]],
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    periods: int | None = None,
) -> LeftOpen:
    """Solve a game at draws from a posterior, and see how its outcomes spread.

    Parameters
    ----------
    game
        As compiled; what the posterior has no draws of stays as it is.
    posterior
        By full name of a parameter its value in each draw, as `read_draws` gives it; of more than
        200 draws the first ones count, which are a sample of all.
    options
        As in `solve`; draws are solved on one thread each.
    periods
        As that of `forecast`.

    Raises
    ------
    ScenarioError
        For unknown parameters; where there is no solution at any draw.
    """
    check_periods(game.scenario, periods)
    rows = list(zip(*posterior.values(), strict=True))[:MOST_SOLVED]
    alone = replace(options, threads=1, progress=None)
    tasks = [
        partial(_happened, game, dict(zip(posterior, row, strict=True)), alone, periods)
        for row in rows
    ]
    found: list[Floats] = []
    with open_workers(options.threads) as workers:
        for done, happened in enumerate(workers.as_done(tasks), 1):
            found += [] if happened is None else [happened]
            options.report(done / len(tasks))
    if not found:
        refuse("posterior", "not-solved", "there is no solution at any of its draws")
    values = np.stack(found)  # [draw, outcome, t]
    low, high = np.quantile(values, ENDS, axis=0)
    mean, count = values.mean(axis=0), values.shape[2]
    tables = [
        pd.DataFrame(
            {
                "t": np.arange(count),
                "period": [game.scenario.calendar.label(t) if t else "start" for t in range(count)],
                "outcome": key,
                "mean": mean[k],
                "low": low[k],
                "high": high[k],
            }
        )
        for k, key in enumerate(game.holds)
    ]
    return LeftOpen(pd.concat(tables, ignore_index=True), len(found), len(rows) - len(found))


def _happened(
    game: CompiledGame, values: Mapping[str, float], options: SolveOptions, periods: int | None
) -> Floats | None:
    """Of each outcome the probability by the end of each period, [outcome, t]; None where there is
    no solution."""
    try:
        own = with_values(game, values)
        solution = solve(own, options, regret=False, coarse=False)
    except (ScenarioError, SolveError):
        return None
    if solution.status is not Status.SOLVED:
        return None
    with open_workers(1) as workers:
        run = forward(solution, workers, periods=periods)
    prior = own.profile_prior()
    happened = np.array([run.happened[key] @ prior for key in own.holds])
    return np.asarray(np.clip(happened, 0.0, 1.0))
