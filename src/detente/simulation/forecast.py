"""`forecast`: what a solution says will happen, as tidy tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from detente.arguments import MOST_THREADS, whole
from detente.dtypes import Floats
from detente.errors import expect
from detente.game.arrays import CompiledGame
from detente.game.periods import check_periods
from detente.notebook import InNotebook
from detente.scenario.frozen import Frozen
from detente.simulation.forward import Forward, forward
from detente.simulation.names import action_names
from detente.simulation.table import Table
from detente.solver.solution import Solution
from detente.solver.workers import Progress, open_workers

if TYPE_CHECKING:
    import pandas as pd

Block = dict[str, object]
Rows = TypeVar("Rows", Table, "pd.DataFrame")

ANY = "any"
"""In the columns of private types: whatever the type is, weighted by the prior."""


@dataclass(frozen=True, eq=False)
class Forecast(InNotebook):
    """A forecast as tidy tables, one row for each number.

    The tables stand in `tables` as columns of NumPy, by their names; as frames of pandas they are
    made when they are first asked for.

    Every table but `payoffs` has a column for each actor with private types: the true type that
    the row is conditional on, or 'any'. `t` counts periods from 1 (0: the start), `period` is
    its label. Probabilities are plain numbers, payoffs are in the scenario's unit. The tables cover
    `periods` periods: all of them, or the first ones of a game without end.

    outcomes
        `t, period, outcome, happened, holds, error`: the probability that the outcome has held by
        the end of the period, and that it holds then; `error` is the difference of `happened` from
        the coarser belief grid (missing where the solution has none).
    states
        `t, period, variable, level, label, probability` at the end of each period.
    actions
        `t, period, turn, actor, action, probability, share`: the probability that the action is
        taken at this turn, and given that the actor moves. `turn` counts from 1 within the period;
        actors who choose at the same time have the same turn, each with its own actions.
    payoffs
        `actor, type, payoff, regret, error`: expected at the start, what a best response would add,
        and the difference from the coarser grid. They are those of all of play, also of a game
        without end: discounted, and not only of the periods reported.
    beliefs
        `t, period, about, type, mean, low, high`: what the public believes of a type at the end of
        the period: mean, and the 10 % and 90 % quantiles over histories.
    forward_error
        Largest difference of payoffs counted forward from the values of the solution, in
        proportion to the value where that is above 1.
    """

    solution: Solution
    periods: int
    tables: Frozen[Table]
    forward_error: float

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        return self.tables["outcomes"].frame()

    @cached_property
    def states(self) -> pd.DataFrame:
        return self.tables["states"].frame()

    @cached_property
    def actions(self) -> pd.DataFrame:
        return self.tables["actions"].frame()

    @cached_property
    def payoffs(self) -> pd.DataFrame:
        return self.tables["payoffs"].frame()

    @cached_property
    def beliefs(self) -> pd.DataFrame:
        return self.tables["beliefs"].frame()

    def __repr__(self) -> str:
        game = self.solution.game
        rows = [f"{r['outcome']} {r['happened']:.0%}" for r in self.final.rows()]
        first = "" if game.loop is None else "the first "
        periods = f"{self.periods} period{'' if self.periods == 1 else 's'}"
        title = f"Forecast of {game.scenario.name!r} over {first}{periods}"
        return f"<{title}: {', '.join(rows) or 'no outcomes'}; {self.solution.status.value}>"

    def light(self) -> Forecast:
        """The same with a solution without strategies."""
        return replace(self, solution=self.solution.light())

    @property
    def final(self) -> Table:
        """The outcomes by the end, whatever the types are."""
        table: Table = marginal(self.solution.game, self.tables["outcomes"])
        return table.where(t=self.periods)

    def _main_table(self) -> pd.DataFrame:
        return self.final.frame()[["outcome", "happened", "error"]]


def forecast(
    solution: Solution,
    *,
    periods: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """The forecast from a solution, by an exact forward pass; errors from its coarser grid.

    Parameters
    ----------
    solution
        As solved; where it has a coarser solution, that is passed forward as well.
    periods
        How many periods of a game without end to report; by default what
        `detente.simulation.forward.FOREVER_PERIODS` has for its calendar.
    threads
        Threads to work with; all processors by default. Results do not depend on it.
    progress
        Called with the share of the pass through `solution` that is done, from 0 to 1.

    Raises
    ------
    ScenarioError
        If `periods` is given for a game that ends.
    """
    expect(solution, Solution, "forecast")
    game = solution.game
    check_periods(game.scenario, periods)
    whole("threads", threads, 1, MOST_THREADS)
    with open_workers(threads) as workers:
        pass_on = partial(forward, workers=workers, periods=periods)
        fine = partial(pass_on, solution, progress=progress)
        rough: Forward | None = None
        if solution.coarse is None:
            run = fine()
        else:
            rough, run = workers.both(partial(pass_on, solution.coarse), fine)
    values = solution.start_values[solution.grid.start].reshape(run.payoffs.shape)
    scale = np.maximum(1.0, np.abs(values))
    return Forecast(
        solution=solution,
        periods=len(run.states) - 1,
        tables=Frozen(
            {
                "outcomes": _outcomes(game, run, rough),
                "states": _states(game, run),
                "actions": _actions(game, run),
                "payoffs": _payoffs(solution),
                "beliefs": _beliefs(solution, run),
            }
        ),
        forward_error=float((np.abs(run.payoffs - values) / scale).max()),
    )


def marginal(game: CompiledGame, table: Rows) -> Rows:
    """The rows of a forecast's table that are conditional on nobody's type."""
    keep = np.ones(len(table), dtype=bool)
    for i in game.informed:
        keep &= np.asarray(table[game.actors[i].key] == ANY)
    return table[keep]


def largest_difference(first: Forecast, second: Forecast) -> float:
    """Of an outcome's probability by the end of any period, whatever the types, or of a payoff."""
    game = first.solution.game
    pairs = [
        [marginal(game, result.tables["outcomes"])["happened"] for result in (first, second)],
        [result.tables["payoffs"]["payoff"] for result in (first, second)],
    ]
    return max(float(np.abs(a - b).max(initial=0.0)) for a, b in pairs)


def conditions(game: CompiledGame) -> Iterator[tuple[dict[str, str], Floats]]:
    """Each condition on true types ('any' or one type for each informed actor), with its weights.

    The weights, float64 [p], give the expectation over profiles under the condition; a type is a
    condition also where its prior is 0.
    """
    for chosen in product(*((None, *range(game.priors[i].size)) for i in game.informed)):
        types = dict(zip(game.informed, chosen, strict=True))
        given = {i: theta for i, theta in types.items() if theta is not None}
        weights = game.profile_prior(but=given)
        for i, theta in given.items():
            weights *= game.profiles[:, i] == theta
        actors = {i: game.actors[i] for i in types}
        yield {a.key: a.types[given[i]] if i in given else ANY for i, a in actors.items()}, weights


def _by_condition(
    game: CompiledGame, blocks: Callable[[Floats], Iterator[Block]], *columns: str
) -> Table:
    """The blocks under each condition, as `t, period`, each informed actor's type and `columns`."""
    types = (game.actors[i].key for i in game.informed)
    rows = (block | labels for labels, weights in conditions(game) for block in blocks(weights))
    return Table.of(("t", "period", *types, *columns), rows)


def _outcomes(game: CompiledGame, run: Forward, rough: Forward | None) -> Table:
    times = range(len(run.states))

    def blocks(weights: Floats) -> Iterator[Block]:
        for key in game.holds:
            happened = run.happened[key] @ weights
            error = np.full(len(times), np.nan if game.informed else 0.0)
            if rough is not None:
                error = np.abs(happened - rough.happened[key] @ weights)
            yield {
                "t": times,
                "period": [game.label(t) for t in times],
                "outcome": key,
                "happened": happened,
                "holds": run.holding[key] @ weights,
                "error": error,
            }

    return _by_condition(game, blocks, "outcome", "happened", "holds", "error")


def _states(game: CompiledGame, run: Forward) -> Table:
    times = range(len(run.states))
    sets = (0, *game.structure.period_sets)
    # Each period of a game without end is like the first.
    codes = [game.structure.sets[sets[min(t, len(sets) - 1)]] for t in times]
    levels = [game.structure.levels(states) for states in codes]

    def blocks(weights: Floats) -> Iterator[Block]:
        for variable in game.structure.variables:
            size = variable.size
            share = [
                np.bincount(at[variable.key], mass @ weights, minlength=size)
                for at, mass in zip(levels, run.states, strict=True)
            ]
            yield {
                "t": np.repeat(times, size),
                "period": np.repeat([game.label(t) for t in times], size),
                "variable": variable.key,
                "level": np.tile(np.arange(size), len(times)),
                "label": np.tile([variable.label(k) for k in range(size)], len(times)),
                "probability": np.concatenate(share),
            }

    return _by_condition(game, blocks, "variable", "level", "label", "probability")


def _actions(game: CompiledGame, run: Forward) -> Table:
    def blocks(weights: Floats) -> Iterator[Block]:
        for (t, n), acted in zip(run.moves, run.acted, strict=True):
            layer = game.layers[n]
            taken = acted @ weights if layer.movers else np.empty(0)
            for m, mover in enumerate(layer.movers):
                actor = game.actors[mover].key
                names, kind, part = action_names(game, actor)
                own = layer.action[:, m]
                chosen = own >= 0
                size = len(game.scenario.actions[actor])
                by_kind = np.bincount(own[chosen], taken[chosen], minlength=size)
                moves, probability = by_kind.sum(), by_kind[kind] * part
                yield {
                    "t": t,
                    "period": game.label(t),
                    "turn": layer.turn + 1,
                    "actor": actor,
                    "action": names,
                    "probability": probability,
                    "share": probability / moves if moves > 0 else np.nan,
                }

    return _by_condition(game, blocks, "turn", "actor", "action", "probability", "share")


def _payoffs(solution: Solution) -> Table:
    regret = solution.certificate.regret or {}
    coarse = {} if solution.coarse is None else solution.coarse.payoffs
    exact = not solution.game.informed
    rows = [
        {
            "actor": actor,
            "type": kind,
            "payoff": value,
            "regret": regret.get((actor, kind), np.nan),
            "error": 0.0 if exact else abs(value - coarse.get((actor, kind), np.nan)),
        }
        for (actor, kind), value in solution.payoffs.items()
    ]
    return Table.of(("actor", "type", "payoff", "regret", "error"), rows)


def _beliefs(solution: Solution, run: Forward) -> Table:
    game = solution.game

    def blocks(weights: Floats) -> Iterator[Block]:
        for i in game.informed:
            believed = solution.grid.about[i].belief.T
            for t, mass in enumerate(run.beliefs[i] @ weights):
                spread = np.array([quantiles(value, mass, (0.1, 0.9)) for value in believed])
                yield {
                    "t": t,
                    "period": game.label(t),
                    "about": game.actors[i].key,
                    "type": game.actors[i].types,
                    "mean": [float(value @ mass) for value in believed],
                    "low": spread[:, 0],
                    "high": spread[:, 1],
                }

    return _by_condition(game, blocks, "about", "type", "mean", "low", "high")


def quantiles(value: Floats, mass: Floats, shares: tuple[float, ...]) -> list[float]:
    """The values below which these shares of the mass lie."""
    order = np.argsort(value, kind="stable")
    total = np.cumsum(mass[order])
    at = np.searchsorted(total, np.array(shares) * total[-1])
    return [float(value[order][min(int(k), value.size - 1)]) for k in at]
