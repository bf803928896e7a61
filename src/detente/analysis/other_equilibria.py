"""`search`: other equilibria of the same game, and how far the forecast hangs on the selection."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from detente.arguments import MOST_STARTS, whole
from detente.errors import expect
from detente.notebook import InNotebook
from detente.simulation.forecast import Forecast, forecast, largest_difference
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import Status
from detente.solver.solve import solve

SAME = 1e-6
"""Difference of every outcome's probability and payoff below which equilibria count as one."""


@dataclass(frozen=True, eq=False)
class Search(InNotebook):
    """Equilibria found, in tidy tables; number 0 is the principal branch's.

    equilibria
        `equilibrium, found, regret`: how many starts led there, and the largest regret.
    outcomes
        `equilibrium, outcome, happened`: probability by the end of the last period reported.
    payoffs
        `equilibrium, actor, type, payoff`.
    spread
        `outcome, principal, low, high`: over all equilibria found.
    starts, failed
        How many starts were tried, and how many led to no equilibrium.
    """

    equilibria: pd.DataFrame
    outcomes: pd.DataFrame
    payoffs: pd.DataFrame
    spread: pd.DataFrame
    starts: int
    failed: int

    def __repr__(self) -> str:
        widest = (self.spread["high"] - self.spread["low"]).max() if len(self.spread) else 0.0
        return (
            f"<Search from {self.starts} starts: {len(self.equilibria)} equilibria; outcomes "
            f"differ by up to {widest:.2g}>"
        )

    def _main_table(self) -> pd.DataFrame:
        return self.spread


def search(
    result: Forecast,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    starts: int,
    rng: np.random.Generator,
) -> Search:
    """Look for further equilibria of a forecast's game.

    Each start draws log odds for every stage problem that is not certain to have one solution,
    and takes the solution that Newton's method finds from there (the principal branch's where it
    finds none); in a game without end the values it begins with are drawn as well. That there are
    no others is not shown.

    Parameters
    ----------
    result
        The forecast on the principal branch.
    options
        As in `solve`; belief points are those of the forecast.
    starts
        How many to try.
    rng
        Source of the starts; each has a stream of its own.

    Raises
    ------
    ValueError, TypeError
        If `starts` is no whole number from 1 to ten thousand.
    """
    expect(result, Forecast, "search")
    whole("starts", starts, 1, MOST_STARTS)
    game = result.solution.game
    points = max(result.solution.grid.points, default=None)
    quiet = replace(options, beliefs=points, progress=None)
    periods = None if game.loop is None else result.periods
    equilibria, times, failed = [result], [0], 0
    for k, stream in enumerate(rng.spawn(starts)):
        solution = solve(game, quiet, coarse=False, rng=stream)
        options.report((k + 1) / starts)
        if solution.status is not Status.SOLVED:
            failed += 1
            continue
        other = forecast(solution, periods=periods, beliefs=False, threads=options.threads)
        same = (n for n, one in enumerate(equilibria) if largest_difference(one, other) <= SAME)
        number = next(same, len(equilibria))
        if number == len(equilibria):
            equilibria.append(other)
            times.append(0)
        times[number] += 1
    numbered = list(enumerate(equilibria))
    regrets = [one.solution.certificate.regret or {} for one in equilibria]
    outcomes = pd.DataFrame(
        [(n, r["outcome"], r["happened"]) for n, one in numbered for r in one.final.rows()],
        columns=["equilibrium", "outcome", "happened"],
    )
    by_outcome = outcomes.groupby("outcome", sort=False)["happened"]
    spread = {"principal": by_outcome.first(), "low": by_outcome.min(), "high": by_outcome.max()}
    return Search(
        equilibria=pd.DataFrame(
            {
                "equilibrium": range(len(equilibria)),
                "found": times,
                "regret": [max(gains.values(), default=math.nan) for gains in regrets],
            }
        ),
        outcomes=outcomes,
        payoffs=pd.DataFrame(
            [(n, *who, v) for n, one in numbered for who, v in one.solution.payoffs.items()],
            columns=["equilibrium", "actor", "type", "payoff"],
        ),
        spread=pd.DataFrame(spread).reset_index(),
        starts=starts,
        failed=failed,
    )
