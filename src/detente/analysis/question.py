"""What is asked of a game as its parameters change: one number, and how well it is known.

The number is an outcome's probability, an actor's payoff, or how much more one policy gives an
actor than another. All of them are `QuantityOfInterest.answer` at other values of the parameters.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from detente.analysis.sensitivity import target_for
from detente.errors import Diagnostic, Place, ScenarioError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, with_values
from detente.game.gradient import parameter_gradient
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.simulation.forward import forward
from detente.solver.backward import Workers
from detente.solver.beliefs import fewest_points
from detente.solver.gradient import Target, game_gradient
from detente.solver.solution import Solution, Status
from detente.solver.solve import MEMORY_LIMIT, default_points, solve


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """What a solve may use: belief points (the solver's choice by default), threads, memory."""

    beliefs: int | None = None
    threads: int | None = None
    memory_limit: int = MEMORY_LIMIT


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The number at some values of the parameters.

    error
        Difference from the coarser belief grid; nan where that was not asked for, 0 where
        nothing is private.
    slopes
        Derivatives by parameters' full names; None where they were not asked for.
    solved
        Whether the status of every solve is what it should be.
    """

    number: float
    error: float
    slopes: Mapping[str, float] | None
    solved: bool


@dataclass(frozen=True, eq=False)
class QuantityOfInterest:
    """One number of a scenario: see `ask`.

    games
        The games it is taken from, at the scenario's own values: one, or two to be compared.
    about
        The number in words: 'the probability that deal has come about by 2020-01'.
    kind
        'probability', 'payoff' or 'difference'.
    short
        A word or two for the number, for headings and axes.
    """

    games: tuple[CompiledGame, ...]
    outcome: str | None
    actor: str | None
    within: int | None
    types: Mapping[str, str]
    prefer: tuple[str, str] | None
    about: str
    kind: str
    short: str

    @property
    def scenario(self) -> Scenario:
        """The scenario at its own values."""
        return self.games[0].scenario

    def structural(self, parameters: tuple[str, ...]) -> bool:
        """Whether one of the parameters decides which states there are."""
        keys = {name.partition(".")[0] for name in parameters}
        return any(keys & game.structure.structural for game in self.games)

    def default_points(self) -> int:
        """Belief points that a solve takes where none are asked for."""
        return max(default_points(game) for game in self.games)

    def answer(
        self,
        values: Mapping[str, float],
        means: SolveOptions,
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
        parts = [
            self._one(with_values(game, values), means, coarse=coarse, slopes=slopes)
            for game in self.games
        ]
        if len(parts) == 1:
            return replace(parts[0], error=abs(parts[0].error))
        one, other = parts
        both = None
        if one.slopes is not None and other.slopes is not None:
            both = {name: slope - other.slopes[name] for name, slope in one.slopes.items()}
        return Evaluation(
            number=one.number - other.number,
            error=abs(one.error - other.error),
            slopes=both,
            solved=one.solved and other.solved,
        )

    def _one(
        self, game: CompiledGame, means: SolveOptions, *, coarse: bool, slopes: bool
    ) -> Evaluation:
        """Of one game; its error keeps the sign."""
        target, _ = target_for(game, self.outcome, self._payoff(), self.within, True, self.types)
        solution = solve(
            game,
            beliefs=means.beliefs,
            threads=means.threads,
            regret=False,
            coarse=coarse,
            memory_limit=means.memory_limit,
        )
        steep = None
        if slopes:
            number, gradient = game_gradient(solution, target, threads=means.threads)
            steep = parameter_gradient(solution.game, gradient)
        else:
            number = number_of(solution, target, threads=means.threads)
        error = np.nan
        if not game.informed:
            error = 0.0
        elif solution.coarse is not None:
            error = number - number_of(solution.coarse, target, threads=means.threads)
        return Evaluation(number, error, steep, solution.status is Status.SOLVED)

    def _payoff(self) -> str | None:
        return self.actor if self.outcome is None else None


def number_of(solution: Solution, target: Target, *, threads: int | None = None) -> float:
    """The number that a `Target` names, of a solution."""
    game = solution.game
    weights = target.weights(game)
    if target.actor is not None:
        values = solution.start_values[solution.grid.start].reshape(len(game.priors), -1)
        return float(values[target.actor] @ weights)
    count = threads or os.cpu_count() or 1
    periods = None if game.loop is None else max(target.period, 1)
    with ThreadPoolExecutor(count) as pool:
        run = forward(solution, Workers(pool, count), periods=periods)
    return float(run.happened[target.outcome][target.period] @ weights)


def ask(
    scenario: Scenario,
    *,
    outcome: str | None,
    payoff: str | None,
    prefer: tuple[str, str] | None,
    actor: str | None,
    within: int | None,
    types: Mapping[str, str],
    policy: str | None,
    beliefs: int | None,
    changing: Collection[str],
    problems: list[Diagnostic],
) -> QuantityOfInterest:
    """Check what is asked, compile what it takes, and say it in words.

    `changing` are the names of the parameters that will change; `problems` are what is wrong
    already. All that is wrong is told together.
    """
    found = [*problems, *_problems(scenario, outcome, payoff, prefer, actor, types, policy)]
    if found:
        raise ScenarioError(found)
    policies = [policy] if prefer is None else [*prefer]
    games = tuple(compile_game(scenario, policy=one) for one in policies)
    _check_numbers(games, outcome, within, beliefs)
    who = payoff or actor
    _, about = target_for(games[0], outcome, who if outcome is None else None, within, True, types)
    if (
        outcome
        and within is None
        and not games[0].scenario.forever
        and scenario.horizon.parameters & {name.partition(".")[0] for name in changing}
    ):
        about = about.replace(f"by {scenario.calendar.label(games[0].periods)}", "by the end", 1)
    short = f"P({outcome})" if outcome else f"payoff of {who}"
    if prefer is not None:
        first, second = (f"'{one}'" if one else "no terms" for one in prefer)
        about = f"what {first} gives more than {second} to {about.removeprefix('the payoff of ')}"
        short = f"{who}: {first} over {second}"
    kind = "probability" if outcome else "payoff" if prefer is None else "difference"
    return QuantityOfInterest(games, outcome, who, within, dict(types), prefer, about, kind, short)


def _problems(
    scenario: Scenario,
    outcome: str | None,
    payoff: str | None,
    prefer: tuple[str, str] | None,
    actor: str | None,
    types: Mapping[str, str],
    policy: str | None,
) -> list[Diagnostic]:
    """What can be told without compiling."""
    found = []

    def tell(place: str, code: str, message: str, hint: str = "") -> None:
        found.append(Diagnostic(Place(place), code, message, hint))

    def unknown(place: str, what: str, name: str, known: list[str]) -> None:
        hint = did_you_mean(name, known)
        tell(place, "unknown-name", f"there is no {what} `{name}`", hint)

    given = [one is not None for one in (outcome, payoff, prefer)]
    if sum(given) != 1:
        hint = "give one of --outcome NAME, --payoff ACTOR, or --prefer POLICY POLICY --for ACTOR"
        tell("--outcome", "missing", "it is not said which number is asked about", hint)
    if outcome is not None and outcome not in scenario.outcomes:
        unknown("--outcome", "outcome", outcome, list(scenario.outcomes))
    if payoff is not None and payoff not in scenario.actors:
        unknown("--payoff", "actor", payoff, list(scenario.actors))
    if prefer is not None:
        if actor is None:
            known = ", ".join(scenario.actors)
            tell("--for", "missing", "it is not said whose preference", f"name one of {known}")
        elif actor not in scenario.actors:
            unknown("--for", "actor", actor, list(scenario.actors))
        for one in prefer:
            if one and one not in scenario.policies:
                unknown("--prefer", "policy", one, list(scenario.policies))
        if policy is not None:
            message = "--prefer names the policies itself"
            tell("--policy", "not-together", message, "leave --policy out")
    elif actor is not None:
        tell("--for", "not-here", "it goes with --prefer", "for a payoff say --payoff ACTOR")
    for key, kind in types.items():
        if key not in scenario.actors:
            unknown("--given", "actor", key, list(scenario.actors))
        elif kind not in scenario.actors[key].types:
            unknown("--given", f"type of {key}", kind, list(scenario.actors[key].types))
    return found


def _check_numbers(
    games: tuple[CompiledGame, ...], outcome: str | None, within: int | None, beliefs: int | None
) -> None:
    """Refuse numbers that make no sense for the games."""
    found = []
    least = max((fewest_points(g.priors[i].size) for g in games for i in g.informed), default=5)
    if beliefs is not None and (beliefs < least or beliefs % 2 == 0):
        message = f"belief points are an odd number of at least {least}, not {beliefs}"
        place = Place("--beliefs")
        found.append(Diagnostic(place, "out-of-range", message, "17, 33 and 65 are usual"))
    game = games[0]
    if within is not None and outcome is None:
        message = "a payoff is that of all of play"
        hint = "give --horizon to shorten play"
        found.append(Diagnostic(Place("--within"), "not-here", message, hint))
    elif within is not None and (within < 1 or (game.loop is None and within > game.periods)):
        message = f"the scenario has {game.periods} periods, not {within}"
        found.append(Diagnostic(Place("--within"), "out-of-range", message))
    if found:
        raise ScenarioError(found)
