"""`build`: everything that a page tells, computed once, as one frozen value.

What is solved, in this order, each solve used for all that needs it:

1. the policy in force, on the grid asked for and on one half as fine, and its forecast;
2. the policies compared. In a small game they are solved like the first. In a large one all of
   them, the first included, are compared on the grid half as fine (which the first solve has
   already), each with an error from a grid half as fine again;
3. the derivatives of the question's outcome, on the same grid as the comparison, and the outcome at
   both ends of the ranges that seem to matter most;
4. where the odds of that outcome become even, by one of the assumptions that matter most for it at
   a time: in a large game on the coarsest grid that is of use, and at few values;
5. what a record of moves tells, where there is one: by the first solve;
6. draws from a posterior, where there are any: in a large game on the coarsest grid;
7. the forecast and the comparison at half and at twice the precision, on grids half as fine as
   theirs.

An ensemble of draws, where there is one, has been solved already; it is explored first, so that
a mistake in what is asked of it is told before anything is solved.

Nothing here depends on the time of day, on how long it took, or on the number of threads.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from detente.analysis.audit import Audit, audit
from detente.analysis.compare import Comparison, compare, compare_forecasts
from detente.analysis.comparison_audit import ComparisonAudit, audit_comparison
from detente.analysis.query import Query
from detente.analysis.range_ends import solve_ends
from detente.analysis.sensitivity import Sensitivity, sensitivity
from detente.analysis.threshold import threshold
from detente.analysis.threshold_result import Threshold
from detente.errors import Problems, SolveError, refuse
from detente.estimation.left_open import LeftOpen, left_open
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game
from detente.game.periods import check_periods
from detente.report.ensemble import check_ensemble
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.scenario.observations import Record
from detente.scenario.policies import find_policy
from detente.simulation.forecast import Forecast, forecast
from detente.simulation.track import Track, track
from detente.solver.beliefs import grid_size, lies_between
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, least_points
from detente.solver.solve import solve
from detente.solver.workers import Progress

if TYPE_CHECKING:
    from detente.ensembles.explore.explore import Exploration
    from detente.ensembles.results import Ensemble

LARGE = 2_000_000
"""Turn-state-belief points from which on policies are compared on a grid half as fine."""

EVEN = 0.5
"""The level at which an answer is held to turn."""

TURNING, TURNING_LARGE = 3, 1
"""Assumptions for which a turning point is looked for; in a large game, where each takes as much
work as the comparison of three policies."""

ENDS = 6
"""Assumptions solved at both ends of their range: twice as many as are named, since a slope may
promise too much."""

VALUES, VALUES_LARGE = 7, 4
"""Values of each of them at which the game is solved at least."""

PACKAGES = ("detente", "numpy", "numba", "pandas", "matplotlib", "jinja2")
"""Whose versions the record tells."""


@dataclass(frozen=True, eq=False)
class ReportData:
    """What a page is made of.

    forecast
        Under the policy in force, on the finest grid.
    audit
        How far the forecast can be defended.
    comparison
        Of the policies, the one in force first; None where there are none to compare.
    comparison_audit
        Which of its differences hold; None where there are none, or a precision is the limit.
    question
        The outcome that is looked at more closely; '' in a scenario without outcomes.
    sensitivity, too_large
        Of the question; None without one, and where memory was short, and what was said of that.
    thresholds
        Of the question, by the assumptions that matter most; none where there is no question.
    track
        What a record of moves tells; None without one.
    exploration
        What an ensemble says; None without one.
    left_open
        What draws from a posterior leave open; None without any (see `with_posterior`).
    points, turning_points
        Belief points of the first solve, and of comparison and derivatives; and of thresholds and
        of draws from a posterior.
    versions
        By package, and of Python.
    command
        What to type for the same page, word by word; none where it was asked for in Python.
    """

    scenario: Scenario
    forecast: Forecast
    audit: Audit
    comparison: Comparison | None
    comparison_audit: ComparisonAudit | None
    question: str
    sensitivity: Sensitivity | None
    thresholds: tuple[Threshold, ...]
    track: Track | None
    exploration: Exploration | None
    points: tuple[int, int]
    turning_points: int
    versions: Mapping[str, str]
    command: tuple[str, ...] = ()
    left_open: LeftOpen | None = None
    too_large: str = ""

    @property
    def game(self) -> CompiledGame:
        return self.forecast.solution.game

    @property
    def policy(self) -> str:
        """The policy in force, in words."""
        return named(self.game.policy)

    def __repr__(self) -> str:
        return f"<ReportData of {self.scenario.name!r}: {self.policy}>"


def named(policy: str) -> str:
    """What to call a policy."""
    return policy or "no terms"


def build(
    scenario: Scenario,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    policy: str | None = None,
    policies: Sequence[str] | None = None,
    outcome: str | None = None,
    moves: Record | None = None,
    skip_impossible: bool = False,
    ensemble: Ensemble | None = None,
    requirement: str | None = None,
    periods: int | None = None,
) -> ReportData:
    """Compute what a page tells.

    Parameters
    ----------
    scenario
        As loaded.
    options
        As in `solve`.
    policy
        The policy in force; by default the scenario's.
    policies
        Those to compare it with; by default all of the scenario, or those of the ensemble.
    outcome
        The one to look at more closely: by default the most open one, nearest to even odds.
    moves, skip_impossible
        A record of moves, and as that of `track`.
    ensemble, requirement
        Draws of the same scenario under the same policies, as `detente.ensemble` or
        `detente.open_ensemble` gave them, and what is required of them, as that of `explore`.
    periods
        As that of `forecast`, for play without end.

    Raises
    ------
    ScenarioError
        For names that the scenario does not have, all at once; for moves that the model holds
        impossible; for draws of another scenario or other policies, and for mistakes in the
        requirement.
    SolveError
        If a solve would need more memory than allowed.
    """
    base = scenario.policy if policy is None else policy
    _check_names(scenario, policy, policies, outcome)
    check_periods(scenario, periods)
    if requirement is not None and ensemble is None:
        message = "a requirement is one of draws, and there are none"
        hint = "give the results of an ensemble: `ensemble=RESULTS`"
        refuse("requirement", "missing", message, hint)
    every = tuple(scenario.policies) if ensemble is None else ensemble.manifest.policies
    wanted = list(dict.fromkeys([base, *(every if policies is None else policies)]))
    exploration = None
    if ensemble is not None:
        check_ensemble(ensemble.manifest, scenario, wanted)
        # What explores needs packages that a page without an ensemble does not.
        from detente.ensembles.explore.explore import explore

        exploration = explore(ensemble, against=base, requirement=requirement)
    games = {name: compile_game(scenario, policy=name) for name in wanted}
    game = games[base]
    points, threads = options.points(game), options.threads
    fewer = _points_to_compare(game, points)
    steps = _plan(game, points, fewer, len(wanted), moves is not None)
    work = _Work(options.progress, steps)
    tell = partial(forecast, periods=periods, threads=threads)

    solution = solve(game, replace(options, progress=work.next()))
    told = tell(solution, progress=work.next())
    audited = audit(told, replace(options, progress=work.next()), brief=True)
    seen = None
    if moves is not None:
        seen = track(
            solution,
            moves,
            skip_impossible=skip_impossible,
            periods=None if periods is None else max(periods, moves.last),
            threads=threads,
            progress=work.next(),
        )
        seen = replace(seen, solution=seen.solution.light())
    shared = solution
    forecasts = {base: told}
    if fewer != points and solution.coarse is not None:
        # The grid half as fine is solved already; its own error needs one half as fine again.
        coarsest = replace(options, beliefs=_half(fewer), progress=None)
        again = solve(game, coarsest, regret=False, coarse=False)
        shared = replace(solution.coarse, coarse=again)
    if len(wanted) > 1 and shared is not solution:
        forecasts[base] = tell(shared)
    if len(wanted) > 1:
        step = replace(options, beliefs=fewer, progress=work.next())
        others = compare(scenario, wanted[1:], step, against=wanted[1], periods=periods)
        forecasts |= others.forecasts
    comparison, compared = None, None
    if len(wanted) > 1:
        comparison = compare_forecasts(forecasts, against=base)
        compared = audit_comparison(comparison, replace(options, progress=work.next()))
    asked = outcome or _most_open(told)
    found, too_large = None, ""
    if asked and not scenario.outcomes[asked].remembers:
        query, limit = Query(outcome=asked, within=periods), options.memory_limit
        report = work.next()
        try:
            found = sensitivity(shared, query, threads=threads, progress=report, memory_limit=limit)
            found = replace(found, solution=found.solution.light())
        except SolveError as error:  # all else is told
            too_large = str(error)
    fewest = points if fewer == points else least_points(game)
    turning = replace(options, beliefs=fewest if game.informed else None)
    if found is not None:
        ends = replace(turning, progress=work.next())
        found = solve_ends(found, query, ends, most=ENDS)
    turns = tuple(
        threshold(
            scenario,
            name,
            Query(outcome=asked, within=periods, policy=base),
            replace(turning, progress=work.next()),
            at=EVEN,
            points=VALUES if fewer == points else VALUES_LARGE,
        )
        for name in _decisive(found, TURNING if fewer == points else TURNING_LARGE)
    )
    work.done()
    return ReportData(
        scenario=scenario,
        forecast=told.light(),
        audit=replace(audited, forecast=told.light()),
        comparison=comparison,
        comparison_audit=compared,
        question=asked,
        sensitivity=found,
        too_large=too_large,
        thresholds=turns,
        track=seen,
        exploration=exploration,
        points=(points, fewer) if game.informed else (0, 0),
        turning_points=fewest,
        versions=Frozen(
            {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
        ),
    )


def with_posterior(
    data: ReportData,
    posterior: Mapping[str, Sequence[float]],
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    periods: int | None = None,
) -> ReportData:
    """The same page with what draws from a posterior leave open; arguments as of `left_open`."""
    game = data.game
    options = replace(options, beliefs=data.turning_points if game.informed else None)
    return replace(data, left_open=left_open(game, posterior, options, periods=periods))


def _check_names(
    scenario: Scenario, policy: str | None, policies: Sequence[str] | None, outcome: str | None
) -> None:
    """Refuse names that the scenario does not have."""
    problems = Problems()
    for argument, name in [("policy", policy), *(("policies", p) for p in policies or ())]:
        with problems.gather():
            find_policy(scenario, name, argument)
    if outcome is not None and outcome not in scenario.outcomes:
        hint = did_you_mean(outcome, scenario.outcomes)
        problems.add("outcome", "unknown-name", f"there is no outcome {outcome!r}", hint)
    problems.refuse()


def _most_open(forecast: Forecast) -> str:
    """The outcome whose probability by the end is nearest to one half; '' without outcomes.

    Of those of which derivatives are taken.
    """
    final, outcomes = forecast.final, forecast.solution.game.scenario.outcomes
    final = final[np.array([not outcomes[key].remembers for key in final["outcome"]], dtype=bool)]
    return str(final["outcome"][np.abs(final["happened"] - 0.5).argmin()]) if len(final) else ""


def _decisive(found: Sensitivity | None, most: int) -> list[str]:
    """The assumptions with the largest worth of their range, those with none left out."""
    if found is None:
        return []
    table = found.table
    ranked = table[table["worth"].fillna(table["swing"]).abs() >= 0.005]
    return [str(name) for name in ranked["parameter"].head(most)]


def _points_to_compare(game: CompiledGame, points: int) -> int:
    """Belief points for what is solved many times."""
    states = sum(layer.states.size for layer in game.layers)
    if not game.informed or states * grid_size(game, points) < LARGE:
        return points
    # Half of it has to be a grid as well, and the coarser one.
    if any(map(lies_between, game.priors)):
        return points
    fewer = _half(points)
    return fewer if fewer % 2 and _half(fewer) >= least_points(game) else points


def _half(points: int) -> int:
    return (points + 1) // 2


def _plan(game: CompiledGame, points: int, fewer: int, policies: int, tracked: bool) -> list[float]:
    """About how long each step takes, in any unit: of a large game, where it matters."""
    fine, rough = (float(grid_size(game, p)) for p in (points, fewer))
    turning = [2.5 * rough] * (TURNING if fewer == points else TURNING_LARGE)
    seen = [1.5 * fine] * tracked
    ends = 0.3 * ENDS * rough
    audits = [0.7 * rough * policies]
    compared = [rough * (policies - 1), *audits] if policies > 1 else []
    return [0.6 * fine, 0.4 * fine, 0.5 * fine, *seen, *compared, 1.6 * rough, ends, *turning]


class _Work:
    """The share of all work that is done, from the shares of its steps."""

    def __init__(self, progress: Progress | None, steps: Sequence[float]) -> None:
        self._report = progress or (lambda _: None)
        self._ends = [0.0, *np.cumsum(steps) / np.sum(steps)]
        self._step = -1
        self._told = 0.0

    def next(self) -> Progress:
        """To be called with the share of the next step."""
        self._step = min(self._step + 1, len(self._ends) - 2)
        low, high = self._ends[self._step : self._step + 2]
        return lambda share: self._tell(low + share * (high - low))

    def _tell(self, share: float) -> None:
        self._told = max(self._told, float(share))
        self._report(self._told)

    def done(self) -> None:
        self._report(1.0)
