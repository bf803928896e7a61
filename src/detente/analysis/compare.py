"""`compare`: what different announced policies bring about, and who prefers which.

Each policy makes a game of its own, and is solved by itself. A number is known only to its solve's
error, the difference from the coarser belief grid. Of a difference the errors of both are added:
|(p - q) - (p' - q')| ≤ |p - p'| + |q - q'|, whatever they have in common. As a rule they have much
in common, so that this is cautious: what is called distinguishable is, and a difference that is
smaller may still be real (a finer grid will show).

Payoffs are compared between policies for the same actor and type alone, never between actors: their
units need not be the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from detente.dtypes import Bools, Floats
from detente.errors import expect
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game
from detente.game.periods import check_periods
from detente.notebook import InNotebook
from detente.scenario.frozen import Frozen
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policies
from detente.simulation.first_moves import first_moves
from detente.simulation.forecast import Forecast, forecast, marginal
from detente.solver.aside import side_by_side
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import RESIDUAL_LIMIT, Status
from detente.solver.solve import solve

ROUNDING = 2 * RESIDUAL_LIMIT
"""By which the numbers of two solves may differ where both are right: what each is solved to."""


@dataclass(frozen=True, eq=False)
class Comparison(InNotebook):
    """Policies side by side, as tidy tables, one row for each number.

    In all tables `error` is that of the row's own number, as its forecast reports it (missing where
    that has no coarser grid), and `difference` is the number less that of the policy `base`. It is
    `distinguishable` where it is larger than the errors of both together; never where one of them
    is missing.

    scenario
        As compared.
    base
        The policy that all others are compared with.
    forecasts
        By policy, in the order asked for; '' is 'no terms'.
    outcomes
        `policy, t, period, outcome, happened, error, difference, distinguishable, holds,
        holds_error, holds_difference, holds_distinguishable`: that it has come about at some time
        by the end of the period, and that it holds then, whatever the types are.
    payoffs
        `policy, actor, type, payoff, error, difference, distinguishable`, expected at the start.
    first_moves
        `policy, t, period, turn, actor, type, action, share, difference`: at the first turn at
        which the actor moves; `type` is '' where nothing is private.
    preferences
        `actor, type, policy, payoff, rank, tied`, the best first. `tied`: not distinguishable from
        the best.
    efficient
        The policies that no other improves on (Pareto): another would have to give some actor's
        type more and none less, both beyond error.
    """

    scenario: Scenario
    base: str
    forecasts: Mapping[str, Forecast]
    outcomes: pd.DataFrame
    payoffs: pd.DataFrame
    first_moves: pd.DataFrame
    preferences: pd.DataFrame
    efficient: tuple[str, ...]

    @property
    def solved(self) -> bool:
        """Whether every policy was solved as it should be."""
        return all(f.solution.status is Status.SOLVED for f in self.forecasts.values())

    def __repr__(self) -> str:
        names = ", ".join(repr(policy) for policy in self.forecasts)
        best = ", ".join(repr(policy) for policy in self.efficient)
        lost = "" if self.solved else "; not all solved"
        return f"<Comparison of {self.scenario.name!r}: {names}; efficient: {best}{lost}>"

    def _main_table(self) -> pd.DataFrame:
        return self.outcomes[self.outcomes["t"] == self.outcomes["t"].max()]


def compare(
    scenario: Scenario,
    policies: Sequence[str] | None = None,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    against: str | None = None,
    periods: int | None = None,
) -> Comparison:
    """Solve a scenario under several policies and compare the forecasts.

    Parameters
    ----------
    scenario
        As loaded.
    policies
        Policies of the scenario, '' for no terms; by default all that it has.
    options
        As in `solve`. As many policies are solved at once as there are threads and memory for, and
        only the tables of a forecast are kept: its solution has let go of strategies.
    against
        The policy to compare with; by default the one that the scenario names. It is solved also
        where it is not among `policies`, and comes first then.
    periods
        As that of `forecast`, for play without end.

    Raises
    ------
    ScenarioError
        For unknown policies, all at once, and for mistakes that show under one of them.
    SolveError
        If a solve would need more memory than allowed.
    """
    expect(scenario, Scenario, "compare")
    check_periods(scenario, periods)
    wanted = find_policies(scenario, policies, against)
    base = scenario.policy if against is None else against
    games = {policy: compile_game(scenario, policy=policy) for policy in wanted}

    def forecast_of(game: CompiledGame, options: SolveOptions) -> Forecast:
        solution = solve(game, options.step(0.0, 0.6), regret=False)
        then = options.step(0.6, 1.0)
        return forecast(
            solution,
            periods=periods,
            beliefs=False,
            threads=options.threads,
            progress=then.progress,
        ).light()

    tasks = [partial(forecast_of, game) for game in games.values()]
    needed = max(options.memory(game) for game in games.values())
    results = side_by_side(tasks, options, needed)
    return compare_forecasts(dict(zip(games, results, strict=True)), against=base)


def compare_forecasts(forecasts: Mapping[str, Forecast], *, against: str) -> Comparison:
    """The comparison of forecasts that are at hand, by policy: of one scenario, over equal periods.

    Raises
    ------
    ValueError
        If `against` is not among them, or they cover different periods or actors.
    """
    if against not in forecasts:
        raise ValueError(f"there is no forecast of the policy {against!r} to compare with")
    if len({forecast.periods for forecast in forecasts.values()}) > 1:
        raise ValueError("the forecasts cover different numbers of periods")
    if len({tuple(forecast.solution.payoffs) for forecast in forecasts.values()}) > 1:
        raise ValueError("the forecasts are not of the same actors and types")
    outcomes = {
        policy: marginal(forecast.solution.game, forecast.outcomes)
        for policy, forecast in forecasts.items()
    }
    payoffs = {
        policy: forecast.payoffs.drop(columns="regret") for policy, forecast in forecasts.items()
    }
    moves = {policy: first_moves(forecast).frame() for policy, forecast in forecasts.items()}
    keys = ["actor", "type"]
    compared = _differences(payoffs, against, keys, "payoff")
    return Comparison(
        scenario=forecasts[against].solution.game.scenario,
        base=against,
        forecasts=Frozen(forecasts),
        outcomes=_outcomes(outcomes, against),
        payoffs=compared,
        first_moves=_differences(moves, against, [*keys, "action"], "share"),
        preferences=_preferences(compared),
        efficient=_efficient(compared),
    )


def _outcomes(tables: Mapping[str, pd.DataFrame], base: str) -> pd.DataFrame:
    """`Comparison.outcomes`: what comes about at some time, and what holds, by policy."""
    keys = ["t", "period", "outcome"]
    happened = {p: table[[*keys, "happened", "error"]] for p, table in tables.items()}
    holds = {
        p: table[[*keys, "holds"]].assign(error=table["holds_error"]) for p, table in tables.items()
    }
    left, right = (
        _differences(table, base, keys, value)
        for table, value in ((happened, "happened"), (holds, "holds"))
    )
    names = {name: f"holds_{name}" for name in ("error", "difference", "distinguishable")}
    return left.join(right[["holds", *names]].rename(columns=names))


def _differences(
    tables: Mapping[str, pd.DataFrame], base: str, keys: list[str], value: str
) -> pd.DataFrame:
    """The tables of all policies as one, with the difference from the base's by `keys`."""
    known = tables[base].set_index(keys)
    blocks = []
    for policy, table in tables.items():
        rows = table.set_index(keys)
        other = known.reindex(rows.index)
        rows["difference"] = rows[value] - other[value]
        if "error" in rows:
            limit = rows["error"] + other["error"] + ROUNDING
            rows["distinguishable"] = rows["difference"].abs() > limit
        rows = rows.reset_index()
        rows.insert(0, "policy", policy)
        added = [c for c in ("difference", "distinguishable") if c in rows]
        blocks.append(rows[["policy", *table.columns, *added]])
    return pd.concat(blocks, ignore_index=True)


def _preferences(payoffs: pd.DataFrame) -> pd.DataFrame:
    """The policies in the order in which each actor and type prefers them."""
    blocks = []
    for _, mine in payoffs.groupby(["actor", "type"], sort=False):
        ranked = mine.sort_values("payoff", ascending=False, kind="stable", ignore_index=True)
        best = ranked.iloc[0]
        behind = best["payoff"] - ranked["payoff"]
        beyond = behind > ranked["error"] + best["error"] + ROUNDING
        blocks.append(ranked.assign(rank=np.arange(1, len(ranked) + 1), tied=~beyond))
    table = pd.concat(blocks, ignore_index=True)
    return table[["actor", "type", "policy", "payoff", "rank", "tied"]]


def _efficient(payoffs: pd.DataFrame) -> tuple[str, ...]:
    """The policies that no other improves on; all of them, where error leaves none."""
    policies = list(dict.fromkeys(payoffs["policy"]))
    shape = len(policies), -1
    value = payoffs["payoff"].to_numpy().reshape(shape)
    kept = efficient_rows(value, payoffs["error"].to_numpy().reshape(shape))
    return tuple(policies[p] for p in np.flatnonzero(kept)) or tuple(policies)


def efficient_rows(value: Floats, error: Floats) -> Bools:
    """For payoffs [policy, actor's type] and their errors, which policies no other improves on."""
    # gain[q, p]: what policy q gives each actor and type more than policy p.
    gain = value[:, None] - value[None, :]
    limit = error[:, None] + error[None, :] + ROUNDING
    improves = (gain > limit).any(axis=2) & ~(gain < -limit).any(axis=2)
    return np.asarray(~improves.any(axis=0))
