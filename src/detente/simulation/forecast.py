"""`forecast`: what a solution says will happen, as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from detente.arguments import MOST_THREADS, whole
from detente.errors import expect, refuse
from detente.game.arrays import CompiledGame
from detente.game.periods import check_periods
from detente.notebook import InNotebook
from detente.scenario.frozen import Frozen
from detente.scenario.hints import listing
from detente.simulation.belief_table import (
    BELIEF_COLUMNS,
    Drawing,
    belief_blocks,
    known_beliefs,
)
from detente.simulation.channels import Channels
from detente.simulation.columns import Columns
from detente.simulation.conditions import ANY, check_conditions, conditions
from detente.simulation.forecast_tables import (
    action_table,
    by_condition,
    outcome_table,
    payoff_table,
    state_table,
)
from detente.simulation.forward import Forward, forward
from detente.simulation.node_beliefs import Pass
from detente.solver.replay import Replayed
from detente.solver.solution import Solution
from detente.solver.workers import Progress, open_workers, side_by_side

if TYPE_CHECKING:
    import pandas as pd

Rows = TypeVar("Rows", Columns, "pd.DataFrame")


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
        `t, period, outcome, happened, holds, error, holds_error`: the probability that the outcome
        has come about at some time by the end of the period, and that it holds then; `error` and
        `holds_error` are those of the belief grid, from the differences of the two from the coarser
        one (`detente.simulation.errors`; missing where the solution has none).
    states
        `t, period, variable, level, label, probability` at the end of each period.
    actions
        `t, period, turn, actor, action, probability, share`: the probability that the action is
        taken at this turn, and given that the actor moves. `turn` counts from 1 within the period;
        actors who choose at the same time have the same turn, each with its own actions.
    payoffs
        `actor, type, payoff, regret, error`: expected at the start, what a best response would add,
        and the error of the belief grid. They are those of all of play, also of a game
        without end: discounted, and not only of the periods reported.
    beliefs
        `t, period, about, type, mean, median, low, high, error, spread_error`: what the public
        believes of a type at the end of the period: mean, median, 10 % and 90 % quantiles over
        histories drawn; the errors of the mean and of the worst quantile, of any type
        (`detente.simulation.belief_table`). Empty where it was not asked for.
    types, given
        What the forecast is conditional on: true types by actor, and outcomes. A number of the end
        of period t is then given that these outcomes have come about by then, one of a turn given
        that they have before it, and missing where they cannot have. `payoffs` is empty: it has
        what is expected at the start.
    likelihood
        The probability of the outcomes by the end, given the types; 1 without any.
    coarse
        The tables `outcomes` and `payoffs` on the coarser grid, from which errors are; None without
        one.
    forward_error
        Largest difference of payoffs counted forward from the values of the solution, in
        proportion to the value where that is above 1.
    """

    solution: Solution
    periods: int
    tables: Frozen[Columns]
    forward_error: float
    types: Mapping[str, str] = field(default_factory=Frozen)
    given: tuple[str, ...] = ()
    likelihood: float = 1.0
    coarse: Mapping[str, Columns] | None = None

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
        conditions = [*(f"{key} = {kind}" for key, kind in self.types.items()), *self.given]
        title += f" given {', '.join(conditions)}" if conditions else ""
        return f"<{title}: {', '.join(rows) or 'no outcomes'}; {self.solution.status.value}>"

    def light(self) -> Forecast:
        """The same with a solution without strategies."""
        return replace(self, solution=self.solution.light())

    @property
    def final(self) -> Columns:
        """The outcomes by the end, whatever the types are."""
        table: Columns = marginal(self.solution.game, self.tables["outcomes"])
        return table.where(t=self.periods)

    def _main_table(self) -> pd.DataFrame:
        return self.final.frame()[["outcome", "happened", "holds", "error"]]


def forecast(
    solution: Solution,
    *,
    types: Mapping[str, str] | None = None,
    given: str | Sequence[str] = (),
    periods: int | None = None,
    beliefs: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """The forecast from a solution, by an exact forward pass; errors from its coarser grid.

    Parameters
    ----------
    solution
        As solved; where it has a coarser solution, that is passed forward as well.
    types
        Condition on true types, by actor.
    given
        Condition on these outcomes having come about: see `Forecast`.
    periods
        How many periods of a game without end to report; by default what
        `detente.simulation.forward.FOREVER_PERIODS` has for its calendar.
    beliefs
        Whether to draw histories for the table of beliefs.
    threads
        Threads to work with; all processors by default. Results do not depend on it.
    progress
        Called with the share of the pass through `solution` that is done, from 0 to 1.

    Raises
    ------
    ScenarioError
        If `periods` is given for a game that ends; for types and outcomes that are not there, and
        for those that have probability 0.
    """
    expect(solution, Solution, "forecast")
    game = solution.game
    given, types = (given,) if isinstance(given, str) else tuple(given), Frozen(types or {})
    check_conditions(game, types, given)
    check_periods(game.scenario, periods)
    whole("threads", threads, 1, MOST_THREADS)
    grids = [known for known in (solution, solution.coarse) if known is not None]
    wanted = grids if beliefs and game.informed else []
    sizes = [6.0, *(1.0 for _ in (*grids[1:], *wanted)), float(bool(wanted))]
    reports = iter(side_by_side(progress, sizes))
    channels = Channels(game, given)
    with open_workers(threads) as workers:
        draws = [Drawing(known, given, periods) for known in wanted]

        def pushed(k: int) -> Forward:
            apart = wanted and isinstance(grids[k].strategies, Replayed)
            return forward(
                grids[k],
                workers,
                periods=periods,
                channels=channels,
                progress=next(reports),
                visit=draws[k].step if apart else None,  # strategies are read once for both
            )

        # One after the other: two at a time would take more memory and no less time.
        run, *others = map(pushed, range(len(grids)))
        drawn = workers.together(
            [partial(draw.finish, workers.check, next(reports)) for draw in draws]
        )
        draws.clear()  # of the histories only what was believed is read
    rough = others[0] if others else None
    values = solution.start_values[solution.grid.start].reshape(run.payoffs.shape)
    scale = np.maximum(1.0, np.abs(values))
    left_out = bool(types or given)
    coarse = None
    if solution.coarse is not None and rough is not None:
        payoffs = payoff_table(solution.coarse, left_out=left_out)
        coarse = Frozen({"outcomes": outcome_table(game, rough, None, types), "payoffs": payoffs})
    passes = [Pass(run, solution.grid)]
    if solution.coarse is not None and rough is not None:
        passes.append(Pass(rough, solution.coarse.grid))
    read = known_beliefs(drawn, passes, types, next(reports))
    believed = partial(belief_blocks, game, read)
    return Forecast(
        solution=solution,
        periods=len(run.states) - 1,
        tables=Frozen(
            {
                "outcomes": outcome_table(game, run, rough, types),
                "states": state_table(game, run, types),
                "actions": action_table(game, run.moves, run.acted, types, given=bool(given)),
                "payoffs": payoff_table(solution, left_out=left_out),
                "beliefs": by_condition(game, believed, types, *BELIEF_COLUMNS),
            }
        ),
        forward_error=0.0 if given else float((np.abs(run.payoffs - values) / scale).max()),
        types=types,
        given=given,
        likelihood=_likelihood(game, run, types, given),
        coarse=coarse,
    )


def _likelihood(
    game: CompiledGame, run: Forward, types: Mapping[str, str], given: tuple[str, ...]
) -> float:
    """The probability of the outcomes by the end, given the types; refused where it is 0."""
    if run.given is None:
        return 1.0
    _, weights = next(conditions(game, types))
    likelihood = float(run.given[-1] @ weights)
    if not likelihood > 0:
        together = " (together)" if len(given) > 1 else ""
        by = game.label(len(run.given) - 1)
        message = f"the probability of {listing(given)}{together} is 0 by the end of {by}"
        if types:
            message += f" with {listing(f'{key}={kind}' for key, kind in types.items())}"
        refuse("given", "impossible", message, "nothing follows from what cannot be")
    return likelihood


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
