"""The answer to one setting, in the order in which it is known.

1. On a coarse belief grid: how likely each outcome is in the end, and nothing else.
2. As `detente run` gives it, with its certificate: the numbers, then everything in words and
   charts.
3. The derivatives of each outcome's probability, that asked about first: from these the page has
   a linear answer to the next movement before anything is solved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import count

from detente.analysis.query import Query
from detente.analysis.sensitivity import Sensitivity, sensitivity
from detente.describe.forecast import describe_forecast
from detente.describe.words import clause, unsolved
from detente.errors import SolveError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, with_values
from detente.render.page import to_fragment
from detente.scenario.loader import loads
from detente.simulation.forecast import Forecast, forecast
from detente.simulation.forward import at_the_end, schedule
from detente.solver import ready
from detente.solver.beliefs import BeliefGrid, belief_grid, coarser, grid_size, lies_between
from detente.solver.options import MEMORY_LIMIT, SolveOptions, least_points
from detente.solver.solution import Solution
from detente.solver.solve import solve
from detente.solver.workers import Progress, open_workers
from detente.workbench.jobs import Event, Job, Means

SLIDERS = 3
"""Assumptions that the first screen shows: those whose ranges are worth most."""

COARSE_WORK = 10**6
"""Turn-state-belief points that are solved in about a quarter of a second."""

COMPILING = 600.0
"""Seconds that kernels may take to be compiled, on a slow machine that is busy."""

ENUMERATING: Event = {"kind": "step", "text": "Enumerating the states", "seconds": 60.0}

FRAGMENTS = count()


def options_of(job: Job, means: Means, progress: Progress | None) -> SolveOptions:
    """How the job's games are solved."""
    limit = MEMORY_LIMIT if means.memory_limit is None else means.memory_limit
    return SolveOptions(
        job.setting.beliefs or means.beliefs, means.threads, limit, progress, means.time_limit
    )


@lru_cache(maxsize=4)
def _compiled(
    text: str, file: str, options: tuple[tuple[str, str], ...], policy: str | None, n: int | None
) -> CompiledGame:
    """At the file's own values; what movements of a slider do not change is enumerated once."""
    scenario = loads(text, file=file).with_options(dict(options))
    return compile_game(scenario if n is None else scenario.with_horizon(n), policy=policy)


def game_of(job: Job) -> CompiledGame:
    """The compiled game of the setting, which was checked where it came in."""
    setting = job.setting
    options = tuple(setting.options.items())
    game = _compiled(job.text, job.file, options, setting.policy, setting.periods)
    return with_values(game, setting.values) if setting.values else game


def prepare(game: CompiledGame, progress: Progress) -> Iterator[Event]:
    """Have the kernels that a game needs, and say so where that takes its time."""
    if ready.missing(game):
        text = "Compiling the numerical kernels, once on this machine"
        yield {"kind": "step", "text": text, "seconds": COMPILING}
    ready.prepare(game, progress)


def answer(job: Job, means: Means, progress: Progress) -> Iterator[Event]:
    """All events of an answer; see the module's docstring."""
    yield ENUMERATING
    game = game_of(job)
    options = options_of(job, means, progress)
    points = options.points(game)
    yield from prepare(game, progress)
    rough: Solution | None = None
    if game.informed:
        yield {"kind": "step", "text": "Solving on a coarse grid"}
        grid = coarse_grid(game, points)
        least = SolveOptions(least_points(game), options.threads, options.memory_limit, progress)
        rough = solve(game, least, regret=False, coarse=False, checked=0, like=grid)
        yield _coarse(rough, options)
    yield {"kind": "step", "text": "Solving"}
    solution = solve(game, options)
    result = forecast(solution, threads=options.threads)
    final = {r["outcome"]: (float(r["happened"]), float(r["error"])) for r in result.final.rows()}
    yield _numbers(solution, "exact", final, result.periods)
    described = describe_forecast(result)
    yield {
        "kind": "sections",
        "lead": [line for line in described.lead if line],
        "unsolved": list(described.unsolved),
        "html": fragment(described.sections),
        "warnings": [warning.message for warning in game.scenario.warnings],
    }
    asked = job.setting.outcome or most_open(result)
    outcomes = sorted(game.scenario.outcomes, key=lambda key: key != asked)
    yield {"kind": "step", "text": "Differentiating"}
    for outcome in outcomes:
        try:
            slopes = sensitivity(
                rough or solution,
                Query(outcome=outcome),
                threads=options.threads,
                progress=progress,
                memory_limit=options.memory_limit,
            )
        except SolveError:  # for want of memory: the answer is told without slopes
            return
        yield _slopes(slopes, outcome)


def fragment(sections: object) -> str:
    """Sections as HTML whose drawings have names of their own on the page."""
    return to_fragment(sections, charts=f"w{next(FRAGMENTS)}-")  # type: ignore[arg-type]


def coarse_grid(game: CompiledGame, points: int) -> BeliefGrid:
    """The finest grid below `points` that is quick, and no finer than one of three points else; of
    five where types are many, as with fewer numbers mean little."""
    states = sum(layer.states.size for layer in game.layers)
    number = least_points(game)
    grid = belief_grid(game, number)
    if not any(map(lies_between, game.priors)):
        grid = coarser(game, grid)
    while number < points and states * grid_size(game, number) <= COARSE_WORK:
        grid, number = belief_grid(game, number), 2 * number - 1
    return grid


def most_open(result: Forecast) -> str:
    """The outcome whose probability by the end is nearest to one half; '' without outcomes."""
    final = result.final
    return _most_open(dict(zip(final["outcome"], final["happened"], strict=True)))


def _most_open(happened: Mapping[str, float]) -> str:
    return min(happened, key=lambda key: abs(happened[key] - 0.5), default="")


def _coarse(solution: Solution, options: SolveOptions) -> Event:
    """The numbers of a solution for which only how it ends is played forward."""
    with open_workers(options.threads) as workers:
        happened = at_the_end(solution, workers, options.progress)
    final = {key: (p, math.nan) for key, p in happened.items()}
    return _numbers(solution, "coarse", final, schedule(solution.game)[-1][0])


def _numbers(
    solution: Solution, stage: str, final: Mapping[str, tuple[float, float]], periods: int
) -> Event:
    """How likely each outcome is in the end, and the error of that."""
    scenario = solution.game.scenario
    outcomes = [
        {"key": key, "about": clause(scenario, key), "happened": p, "error": error}
        for key, (p, error) in final.items()
    ]
    return {
        "kind": "answer",
        "stage": stage,
        "outcomes": outcomes,
        "asked": _most_open({key: p for key, (p, _) in final.items()}),
        "by": scenario.calendar.label(periods),
        "unsolved": list(unsolved({"": solution.status})),
    }


def _slopes(result: Sensitivity, outcome: str) -> Event:
    """The derivatives of an outcome's probability by every parameter, and which decide it."""
    table = result.table
    names = [str(name) for name in table["parameter"]]
    ranked = table.dropna(subset="swing")["parameter"]
    return {
        "kind": "slopes",
        "outcome": outcome,
        "slopes": dict(zip(names, map(float, table["derivative"]), strict=True)),
        "decisive": [str(name) for name in ranked][:SLIDERS],
    }
