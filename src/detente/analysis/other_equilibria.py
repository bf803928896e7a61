"""`search`: other equilibria of the same game, and how far the forecast hangs on the selection."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from detente.arguments import MOST_STARTS, whole
from detente.errors import expect
from detente.scenario.notebook import InNotebook
from detente.simulation.forecast import Forecast, forecast, overall
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve

SAME = 1e-6
"""Difference of every outcome's probability and payoff below which equilibria count as one."""


@dataclass(frozen=True, eq=False)
class Search(InNotebook):
    """Equilibria found, in tidy tables; number 0 is the principal branch's.

    equilibria
        `equilibrium, found, regret`: how many starts led there, and the largest regret.
    outcomes
        `equilibrium, outcome, happened`: probability by the end of the last period told.
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
    told = None if game.loop is None else int(result.outcomes["t"].max())
    found, times, failed = [result], [0], 0
    for k, stream in enumerate(rng.spawn(starts)):
        solution = solve(game, quiet, coarse=False, rng=stream)
        options.report((k + 1) / starts)
        if solution.status is not Status.SOLVED:
            failed += 1
            continue
        other = forecast(solution, periods=told, threads=options.threads)
        same = (n for n, known in enumerate(found) if _difference(known, other) <= SAME)
        number = next(same, len(found))
        if number == len(found):
            found.append(other)
            times.append(0)
        times[number] += 1
    outcomes = pd.concat([_outcomes(n, one) for n, one in enumerate(found)], ignore_index=True)
    payoffs = [
        one.payoffs[["actor", "type", "payoff"]].assign(equilibrium=n)
        for n, one in enumerate(found)
    ]
    by_outcome = outcomes.groupby("outcome", sort=False)["happened"]
    spread = pd.DataFrame(
        {"principal": by_outcome.first(), "low": by_outcome.min(), "high": by_outcome.max()}
    ).reset_index()
    return Search(
        equilibria=pd.DataFrame(
            {
                "equilibrium": range(len(found)),
                "found": times,
                "regret": [_regret(one.solution) for one in found],
            }
        ),
        outcomes=outcomes,
        payoffs=pd.concat(payoffs, ignore_index=True)[["equilibrium", "actor", "type", "payoff"]],
        spread=spread,
        starts=starts,
        failed=failed,
    )


def _outcomes(number: int, told: Forecast) -> pd.DataFrame:
    """The outcomes by the last period told."""
    table = overall(told.solution.game, told.outcomes)
    last = table[table["t"] == table["t"].max()]
    return last[["outcome", "happened"]].assign(equilibrium=number)[
        ["equilibrium", "outcome", "happened"]
    ]


def _difference(one: Forecast, other: Forecast) -> float:
    """Largest difference of an outcome's probability in any period, or of a payoff."""
    game = one.solution.game
    tables = [overall(game, told.outcomes)["happened"].to_numpy() for told in (one, other)]
    payoffs = [told.payoffs["payoff"].to_numpy() for told in (one, other)]
    return max(float(np.abs(a - b).max(initial=0.0)) for a, b in (tables, payoffs))


def _regret(solution: Solution) -> float:
    """The largest regret of an actor's type; nan where it is not known."""
    regret = solution.certificate.regret
    return max(regret.values()) if regret else float("nan")
