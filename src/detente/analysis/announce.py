"""`announce`: the announcement of a policy as a move, and what it says about the announcer.

Before the first period an actor chooses which of several policies to announce, knowing its type;
then the game under that policy is played, with its terms in force. The announcement is seen by
all, so that beliefs about the announcer move by Bayes' rule, and play begins from the posterior.

With V_k[(i, p)](b) the value of the game under policy k at its start, at belief b, type θ of the
announcer i announces k with probability σ(k | θ) ∝ exp(λ_i Q(k, θ)), where Q(k, θ) is the
expectation of V_k[(i, p)](b_k) over the others' types and b_k(θ) ∝ b(θ) σ(k | θ). This is a turn
like any other, of one state whose actions are the policies: it is solved by the solver's own kernel
on the whole belief grid, on the principal branch, and recomputed by the auditor. There is no
discounting between the announcement and the first period, and announcing costs nothing. What keeps
types apart is what the terms make of play: policies that make no difference to it are announced
with equal probability by all types on this branch, and say nothing.

How much it says is the mutual information of type and announcement, Σ_θ b(θ) Σ_k σ(k | θ)
log2(σ(k | θ) / Σ_θ' b(θ') σ(k | θ')) (Shannon 1948), of which the entropy of the prior is the most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from detente.analysis.announcement_stage import AnnouncementStage, entropy, solve_stage
from detente.dtypes import Floats
from detente.errors import Problems, expect
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game
from detente.game.periods import check_periods
from detente.notebook import InNotebook
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policy
from detente.simulation.conditions import ANY
from detente.simulation.forward import forward
from detente.solver.discretisation import error_from, grid_error
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import Solution, Status, by_type
from detente.solver.solve import solve
from detente.solver.workers import open_workers

SOLVING = 0.7
"""Share of the work that is solving, for the progress display."""

OUTCOMES = ["policy", "type", "t", "period", "outcome", "announced", "imposed", "error"]
"""Columns of the table of outcomes, also of an empty one."""


@dataclass(frozen=True, eq=False)
class Announcement(InNotebook):
    """An announcement as a move, in tidy tables, one row for each number.

    In all tables `policy` is the one announced ('' is 'no terms') and `error` that of the belief
    grid, of any type (missing without a coarser one). `announced` is a number given that the policy
    was announced, `imposed` the same where the policy is in force without anybody's choice, so that
    beliefs are the priors: their difference is what the announcement says.

    scenario, who, policies
        As asked for; `who` is the key of the announcer.
    choices
        `policy, type, probability, error`: of announcing it, by the announcer's type and for
        'any', weighted by the prior.
    beliefs
        `policy, type, prior, posterior, error`: about the announcer.
    worth
        `policy, actor, type, announced, imposed`: expected payoffs; `type` is the actor's own.
    payoffs
        `actor, type, payoff`: before the announcement.
    outcomes
        `policy, type, t, period, outcome, announced, imposed, error`: probability that the outcome
        has come about by the end of period t, for the announcer's types and 'any', weighted by what
        is believed then. Empty where the scenario has no outcomes.
    bits, most_bits
        How much the announcement says about the type, and the most that it could.
    status
        Of the announcement and all the games that may follow it: the first that is not solved.
    residual, value_error
        Of the announcement's turn, recomputed at all beliefs: see `Certificate`.
    forward_error
        Largest difference of payoffs counted forward from those announced and imposed, in
        proportion to the value where that is above 1; 0 where nothing was counted.
    solutions
        By policy, without their strategies.
    """

    scenario: Scenario
    who: str
    policies: tuple[str, ...]
    choices: pd.DataFrame
    beliefs: pd.DataFrame
    worth: pd.DataFrame
    payoffs: pd.DataFrame
    outcomes: pd.DataFrame
    bits: float
    most_bits: float
    status: Status
    residual: float
    value_error: float
    forward_error: float
    solutions: Mapping[str, Solution]

    def __repr__(self) -> str:
        rows = self.choices[self.choices["type"] == ANY].itertuples()
        shares = ", ".join(f"{r.policy or 'no terms'} {r.probability:.0%}" for r in rows)
        said = f"{self.bits:.2g} of {self.most_bits:.2g} bits"
        return f"<Announcement by {self.who}: {shares}; {said}; {self.status.value}>"

    def _main_table(self) -> pd.DataFrame:
        return self.choices


def announce(
    scenario: Scenario,
    policies: Sequence[str] | None = None,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    who: str | None = None,
    periods: int | None = None,
) -> Announcement:
    """Solve the choice of a policy to announce, and the games that follow it.

    Parameters
    ----------
    scenario
        As loaded.
    policies
        To choose from, '' for no terms; by default those of the scenario's `announcement`, or all.
    options
        As in `solve`. Solutions are kept between the choice and what follows it as long as
        they fit into the memory allowed, and made again otherwise.
    who
        The announcer; by default that of the scenario's `announcement`. One with nothing private
        announces by quantal response to payoffs, and says nothing.
    periods
        As that of `forecast`, for play without end.

    Raises
    ------
    ScenarioError
        Where nobody announces, for unknown actors and policies, fewer than two policies, and
        mistakes that show under one of them.
    SolveError
        If a solve would need more memory than allowed.
    """
    expect(scenario, Scenario, "announce")
    check_periods(scenario, periods)
    who, names = _asked(scenario, policies, who)
    games = {name: compile_game(scenario, policy=name) for name in names}
    keep = sum(options.memory(game) for game in games.values()) <= options.memory_limit

    def solved(policy: str, begin: float, share: float) -> Solution:
        return solve(games[policy], options.step(begin, begin + share), regret=False)

    each = SOLVING / len(names)
    solutions: dict[str, Solution] = {}
    for k, name in enumerate(names):
        solution = solved(name, k * each, each)
        solutions[name] = solution if keep else solution.light()
    stage = solve_stage(tuple(solutions.values()), list(scenario.actors).index(who))
    blocks = [pd.DataFrame(columns=OUTCOMES)]
    error, rest = 0.0, (1 - SOLVING) / len(names)
    for k, name in enumerate(names if scenario.outcomes else ()):
        begin = SOLVING + k * rest
        full = solutions[name] if keep else solved(name, begin, rest / 2)
        block, missed = _follow(full, stage, k, options.threads, periods)
        blocks.append(block.assign(policy=name)[OUTCOMES])
        error = max(error, missed)
        solutions[name] = solutions[name].light()
        options.report(begin + rest)
    options.report(1.0)
    statuses = [stage.status, *(solution.status for solution in solutions.values())]
    payoffs = [(*who, payoff) for who, payoff in by_type(stage.game, stage.before).items()]
    return Announcement(
        scenario=scenario,
        who=who,
        policies=names,
        choices=_choices(stage, names),
        beliefs=_beliefs(stage, names),
        worth=_worth(stage, solutions),
        payoffs=pd.DataFrame(payoffs, columns=["actor", "type", "payoff"]),
        outcomes=pd.concat(blocks[1:] or blocks, ignore_index=True),
        bits=stage.bits,
        most_bits=entropy(stage.prior),
        status=next((status for status in statuses if status is not Status.SOLVED), Status.SOLVED),
        residual=stage.residual,
        value_error=stage.value_error,
        forward_error=error,
        solutions=Frozen({name: solution.light() for name, solution in solutions.items()}),
    )


def _asked(
    scenario: Scenario, policies: Sequence[str] | None, who: str | None
) -> tuple[str, tuple[str, ...]]:
    """Who announces which policies. Raises `ScenarioError` with all that is wrong."""
    given, problems = scenario.announcement, Problems()
    names = tuple(policies if policies is not None else given.among if given else scenario.policies)
    who = who or (given.who if given else None)
    if who is None:
        hint = "say so here, or in the file: `announcement: {who: ...}`"
        problems.add("who", "missing", "it is not said who announces a policy", hint)
    elif who not in scenario.actors:
        hint = did_you_mean(who, scenario.actors)
        problems.add("who", "unknown-name", f"`{who}` is not an actor", hint)
    for name in names:
        with problems.gather():
            find_policy(scenario, name, "policies")
    if len(set(names)) < max(2, len(names)):
        message = "an announcement is a choice between two different policies or more"
        hint = did_you_mean("", scenario.policies)
        problems.add("policies", "out-of-range", message, hint)
    problems.refuse()
    assert who is not None
    return who, names


def _follow(
    solution: Solution, stage: AnnouncementStage, k: int, threads: int | None, periods: int | None
) -> tuple[pd.DataFrame, float]:
    """What happens under a policy, announced and imposed, and the error of payoffs so counted."""
    game, grid = solution.game, solution.grid
    with open_workers(threads) as workers:
        play_on = partial(forward, workers=workers, periods=periods)
        announced, imposed = play_on(solution, begin=stage.weights[k]), play_on(solution)
        rough = None
        if solution.coarse is not None and stage.rough is not None:
            rough = play_on(solution.coarse, begin=stage.rough.weights[k])
    values = solution.start_values[grid.start].reshape(stage.before.shape)
    error = max(
        float((np.abs(run.payoffs - value) / np.maximum(1.0, np.abs(value))).max())
        for run, value in ((announced, stage.after[k]), (imposed, values))
    )
    times = range(len(announced.states))
    blocks = []
    kinds, own = zip(*_conditions(stage), strict=True)

    def seen(belief: Floats) -> Floats:
        """Weights of type profiles by the announcer's, believed where it is any, float64 [p, c]."""
        about = (belief if one is None else one for one in own)
        return np.stack([_believing(game, stage.who, b).profile_prior() for b in about], axis=1)

    columns = {}
    for key in game.holds:
        happened = announced.happened[key] @ seen(stage.posterior[k])
        otherwise = imposed.happened[key] @ seen(stage.prior)
        missed = np.full(len(times), np.nan if game.informed else 0.0)
        if rough is not None and stage.rough is not None:
            change = happened - rough.happened[key] @ seen(stage.rough.posterior[k])
            missed = grid_error(np.abs(change).max(axis=1))
        columns[key] = happened, otherwise, missed
    for (c, kind), (key, (happened, otherwise, missed)) in product(
        enumerate(kinds), columns.items()
    ):
        block = {
            "type": kind,
            "t": times,
            "period": [game.label(t) for t in times],
            "outcome": key,
            "announced": happened[:, c],
            "imposed": otherwise[:, c],
            "error": missed,
        }
        blocks.append(pd.DataFrame(block))
    return pd.concat(blocks, ignore_index=True), error


def _conditions(stage: AnnouncementStage) -> list[tuple[str, Floats | None]]:
    """'any', and each type of the announcer with its probabilities, of which one is 1."""
    types = zip(stage.kinds, np.eye(len(stage.prior)), strict=True)
    return [(ANY, None), *(types if len(stage.prior) > 1 else ())]


def _believing(game: CompiledGame, who: int, belief: Floats) -> CompiledGame:
    """The game with this belief about one actor as the prior."""
    priors = [belief if i == who else prior for i, prior in enumerate(game.priors)]
    return replace(game, priors=tuple(priors))  # what goes with what stays (`CompiledGame.lift`)


def _error(stage: AnnouncementStage, number: Callable[[AnnouncementStage], Floats]) -> Floats:
    """Of numbers [k, n], by policy, float64 [k]: 0 where nothing is private, nan where unknown."""
    if stage.rough is not None:
        change = np.abs(number(stage) - number(stage.rough))
        return error_from(change.max(axis=1))
    return np.full(len(stage.share), np.nan if stage.game.informed else 0.0)


def _choices(stage: AnnouncementStage, names: Sequence[str]) -> pd.DataFrame:
    kinds, own = zip(*_conditions(stage), strict=True)
    weights = np.stack([stage.prior if one is None else one for one in own])

    def share(stage: AnnouncementStage) -> Floats:
        return np.asarray((weights @ stage.play).T)

    error = _error(stage, share)
    blocks = [
        pd.DataFrame({"policy": names, "type": kind, "probability": column, "error": error})
        for kind, column in zip(kinds, share(stage).T, strict=True)
    ]
    return pd.concat(blocks, ignore_index=True)


def _beliefs(stage: AnnouncementStage, names: Sequence[str]) -> pd.DataFrame:
    errors = _error(stage, lambda stage: stage.posterior)
    rows = [
        (name, kind, prior, posterior, error)
        for name, posteriors, error in zip(names, stage.posterior, errors, strict=True)
        for kind, prior, posterior in zip(stage.kinds, stage.prior, posteriors, strict=True)
    ]
    return pd.DataFrame(rows, columns=["policy", "type", "prior", "posterior", "error"])


def _worth(stage: AnnouncementStage, solutions: Mapping[str, Solution]) -> pd.DataFrame:
    rows = []
    for name, belief, value in zip(solutions, stage.posterior, stage.after, strict=True):
        imposed = solutions[name].payoffs
        announced = by_type(_believing(stage.game, stage.who, belief), value)
        rows += [(name, *key, payoff, imposed[key]) for key, payoff in announced.items()]
    return pd.DataFrame(rows, columns=["policy", "actor", "type", "announced", "imposed"])
