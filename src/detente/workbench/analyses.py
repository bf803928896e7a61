"""The commands that a page calls: each result as it is described everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from detente import library
from detente.analysis.compare import compare
from detente.analysis.query import Query
from detente.analysis.sensitivity import sensitivity
from detente.analysis.threshold import threshold
from detente.describe.blocks import Described
from detente.describe.comparison import describe_comparison
from detente.describe.report import describe_report
from detente.describe.sensitivity import describe_sensitivity
from detente.describe.threshold import describe_threshold
from detente.describe.track import describe_track
from detente.errors import refuse
from detente.game.arrays import CompiledGame
from detente.render.page import to_html
from detente.report.data import build
from detente.scenario.model import Scenario
from detente.scenario.observations import parse_record
from detente.simulation.forecast import forecast
from detente.simulation.track import track
from detente.solver.options import SolveOptions
from detente.solver.solve import solve
from detente.solver.workers import Progress
from detente.workbench import answers
from detente.workbench.jobs import Event, Job, Means, Performer

RANKED = 15
"""Assumptions in a ranking, as many as the command prints."""


def recorded(scenario: Scenario) -> bool:
    """Whether the library has a record of moves for a scenario."""
    return scenario.name in library.record_names()


def perform(job: Job, means: Means, progress: Progress) -> Iterator[Event]:
    """All events of a job but the last."""
    return (answers.answer if job.what == "answer" else _analysis)(job, means, progress)


def _analysis(job: Job, means: Means, progress: Progress) -> Iterator[Event]:
    yield answers.ENUMERATING
    game = answers.game_of(job)
    options = answers.options_of(job, means, progress)
    options.points(game)
    yield from answers.prepare(game, progress)
    if job.what == "report":
        yield _report(job, game, options)
        return
    described = ANALYSES[job.what](job, game, options)
    yield {
        "kind": "result",
        "what": job.what,
        "lead": [line for line in described.lead if line],
        "unsolved": list(described.unsolved),
        "html": answers.fragment(described.sections),
    }


def _compare(job: Job, game: CompiledGame, options: SolveOptions) -> Described:
    if len(game.scenario.policies) < 2:
        refuse("policies", "missing", "there are fewer than two policies to compare")
    return describe_comparison(compare(game.scenario, None, options, against=game.policy or None))


def _sensitivity(job: Job, game: CompiledGame, options: SolveOptions) -> Described:
    first = solve(game, options.step(0, 0.4), regret=False, coarse=False)
    query = Query(outcome=_outcome(job, first, game))
    then = options.step(0.4, 1)
    ranking = sensitivity(
        first,
        query,
        threads=options.threads,
        progress=then.report,
        memory_limit=options.memory_limit,
    )
    return describe_sensitivity(ranking, RANKED)


def _threshold(job: Job, game: CompiledGame, options: SolveOptions) -> Described:
    outcome = job.setting.outcome
    if not outcome:
        rough = solve(game, options.step(0, 0.1), regret=False, coarse=False)
        outcome = _outcome(job, rough, game)
    query = Query(outcome=outcome, policy=game.policy)
    parameter, level = job.more["parameter"], job.more.get("at")
    rest = options.step(0.1, 1)
    return describe_threshold(threshold(game.scenario, parameter, query, rest, at=level))


def _track(job: Job, game: CompiledGame, options: SolveOptions) -> Described:
    text = job.more.get("moves") or ""
    if not text:
        if not recorded(game.scenario):
            refuse("moves", "missing", "there is no record of moves", "choose a file, moves.csv")
        text = library.record_text(game.scenario.name)
    record = parse_record(text, game.scenario)
    solution = solve(game, options.step(0, 0.6), regret=False)
    then = options.step(0.6, 1)
    followed = track(solution, record, threads=options.threads, progress=then.report)
    return describe_track(None, followed)


def _report(job: Job, game: CompiledGame, options: SolveOptions) -> Event:
    outcome = job.setting.outcome or None
    data = build(game.scenario, options, policy=game.policy, outcome=outcome)
    command = job.setting.command(game.scenario.name, "report")
    page = to_html(describe_report(replace(data, command=command)))
    return {"kind": "page", "what": "report", "page": page, "name": f"{game.scenario.name}.html"}


def _outcome(job: Job, solution: object, game: CompiledGame) -> str:
    """The outcome asked about, or the most open one."""
    if not game.scenario.outcomes:
        refuse("outcome", "missing", "the scenario has no outcomes to ask about")
    return job.setting.outcome or answers.most_open(forecast(solution))  # type: ignore[arg-type]


ANALYSES: Mapping[str, Callable[[Job, CompiledGame, SolveOptions], Described]] = {
    "compare": _compare,
    "sensitivity": _sensitivity,
    "threshold": _threshold,
    "track": _track,
}
"""By the command's name; `report` is one more."""

NAMES = ("answer", *ANALYSES, "report")

PERFORM: Performer = perform
