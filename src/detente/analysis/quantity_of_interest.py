"""A number of a scenario as its parameters change, and how well it is known.

The number is an outcome's probability, an actor's payoff, or how much more one policy gives an
actor than another. All of them are `QuantityOfInterest.evaluate` at other values of the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from detente.analysis.query import Query, target_for
from detente.dtypes import Floats
from detente.errors import Problems, ScenarioError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, with_values
from detente.game.gradient import parameter_gradient
from detente.game.periods import check_within
from detente.scenario.model import Scenario
from detente.scenario.policies import quoted
from detente.simulation.forward import forward
from detente.solver.discretisation import error_from
from detente.solver.gradient import game_gradient
from detente.solver.gradient_room import has_room
from detente.solver.options import SolveOptions, default_points
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve
from detente.solver.value_tape import Target
from detente.solver.workers import open_workers


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The number at some values of the parameters.

    error
        The belief grid's, by the differences of this number alone: where there are others near it
        their largest counts (`detente.solver.discretisation`). Nan where no coarser grid was asked
        for, 0 where nothing is private.
    slopes
        Derivatives by parameters' full names; None where they were not asked for.
    solved
        Whether the status of every solve is what it should be.
    """

    number: float
    error: float
    slopes: Mapping[str, float] | None
    solved: bool

    def less(self, other: Evaluation) -> Evaluation:
        """The difference from another number, without its error."""
        slopes = None
        if self.slopes is not None and other.slopes is not None:
            slopes = {name: slope - other.slopes[name] for name, slope in self.slopes.items()}
        solved = self.solved and other.solved
        return Evaluation(self.number - other.number, math.nan, slopes, solved)


@contextmanager
def naming(values: Mapping[str, float]) -> Iterator[None]:
    """Mistakes that the scenario has at other values of its parameters say at which."""
    try:
        yield
    except ScenarioError as error:
        where = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        raise ScenarioError(
            replace(
                met,
                message=f"with {where}: {met.message}",
                hint=met.hint or "choose `low=` and `high=` so that all values are possible",
            )
            for met in error.diagnostics
        ) from None


@dataclass(frozen=True, eq=False)
class QuantityOfInterest:
    """One number of a scenario, compiled: see `quantity_for`.

    games
        The games it is taken from, at the scenario's own values: one, or two to be compared.
    about
        The number in words: 'the probability that deal has come about by 2020-01'.
    short
        A word or two for the number, for headings and axes.
    """

    games: tuple[CompiledGame, ...]
    query: Query
    about: str
    short: str

    @property
    def scenario(self) -> Scenario:
        """The scenario at its own values."""
        return self.games[0].scenario

    def described(self, level: float) -> dict[str, Any]:
        """What a `LevelAnswer` says of it."""
        query = self.query
        return {
            "scenario": self.scenario,
            "about": self.about,
            "kind": query.kind,
            "short": self.short,
            "at": level,
            "prefer": query.prefer,
            "actor": query.actor,
        }

    def structural(self, parameters: tuple[str, ...]) -> bool:
        """Whether one of the parameters decides which states there are."""
        keys = {name.partition(".")[0] for name in parameters}
        return any(keys & game.structure.structural for game in self.games)

    def differentiable(self, options: SolveOptions) -> bool:
        """Whether derivatives are taken of it: not of an outcome that remembers, nor where there is
        no room for them."""
        if self.query.outcome and self.scenario.outcomes[self.query.outcome].remembers:
            return False
        targets = ((game, target_for(game, self.query)[0]) for game in self.games)
        return all(has_room(game, target, options) for game, target in targets)

    def default_points(self) -> int:
        """Belief points that a solve takes where none are asked for."""
        return max(default_points(game) for game in self.games)

    def evaluate(
        self,
        values: Mapping[str, float],
        options: SolveOptions,
        *,
        coarse: bool = True,
        slopes: bool = False,
    ) -> Evaluation:
        """The number at other values of the parameters; what does not change is enumerated once.

        Raises
        ------
        ScenarioError
            For values with which the scenario is not well formed.
        """
        with naming(values):
            games = [with_values(game, values) for game in self.games]
        solved = [self._of(game, options, coarse=coarse, slopes=slopes) for game in games]
        evaluation, judged = solved[0]
        for other, by in solved[1:]:
            evaluation, judged = evaluation.less(other), judged - by
        own, rough = judged
        size = 1.0 if self.query.outcome else np.abs(own)
        return replace(evaluation, error=float(error_from(own - rough, size).max()))

    def _of(
        self, game: CompiledGame, options: SolveOptions, *, coarse: bool, slopes: bool
    ) -> tuple[Evaluation, Floats]:
        """Of one game, without its error; and what that is judged by, float64 [2, n].

        On the grid and on the coarser one: the number first, then that by each earlier period.
        """
        target, _ = target_for(game, self.query)
        solution = solve(game, options, regret=False, coarse=coarse)
        own = numbers(solution, target, threads=options.threads)
        rough = np.full(own.shape, np.nan) if game.informed else own
        if solution.coarse is not None:
            rough = numbers(solution.coarse, target, threads=options.threads)
        derivatives = None
        if slopes and self.differentiable(options):
            limit = options.memory_limit
            _, gradient = game_gradient(
                solution, target, threads=options.threads, memory_limit=limit
            )
            derivatives = parameter_gradient(solution.game, gradient)
        done = solution.status is Status.SOLVED
        return Evaluation(float(own[0]), math.nan, derivatives, done), np.stack([own, rough])


def numbers(solution: Solution, target: Target, *, threads: int | None = None) -> Floats:
    """The number that a `Target` names, of a solution, float64 [n].

    Of an outcome it is that by the target's period, then those by each earlier one.
    """
    game = solution.game
    weights = target.weights(game)
    if target.actor is not None:
        values = solution.start_values[solution.grid.start].reshape(len(game.priors), -1)
        return np.array([values[target.actor] @ weights])
    periods = None if game.loop is None else max(target.period, 1)
    with open_workers(threads) as workers:
        run = forward(solution, workers, periods=periods)
    return np.asarray(run.happened[target.outcome][target.period :: -1] @ weights)


def quantity_for(
    scenario: Scenario,
    query: Query,
    options: SolveOptions,
    changing: Collection[str],
    problems: Problems,
) -> QuantityOfInterest:
    """Check a query, compile the games it takes, and say it in words.

    `changing` are the names of the parameters that will change; `problems` are what is wrong
    already. All that is wrong is reported together.
    """
    with problems.gather():
        query.check(scenario)
    problems.refuse()
    policies = [query.policy] if query.prefer is None else [*query.prefer]
    games = tuple(compile_game(scenario, policy=policy) for policy in policies)
    for game in games:
        with problems.gather():
            options.points(game)
    with problems.gather():
        check_within(games[0], query.within)
    problems.refuse()
    _, about = target_for(games[0], query)
    if (
        query.outcome
        and query.within is None
        and not scenario.forever
        and scenario.horizon.parameters & {name.partition(".")[0] for name in changing}
    ):
        about = about.replace(f"by {scenario.calendar.label(games[0].periods)}", "by the end", 1)
    short = f"P({query.outcome})" if query.outcome else f"payoff of {query.receiver}"
    if query.prefer is not None:
        first, second = map(quoted, query.prefer)
        about = f"what {first} gives more than {second} to {about.removeprefix('the payoff of ')}"
        short = f"{query.receiver}: {first} over {second}"
    return QuantityOfInterest(games, query, about, short)
