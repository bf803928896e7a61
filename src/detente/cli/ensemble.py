"""`detente ensemble`: a scenario solved anew in many worlds that its ranges allow."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from detente.arguments import MOST_DRAWS, MOST_THREADS
from detente.cli import complete, console
from detente.cli.inputs import (
    Beliefs,
    Horizon,
    Json,
    Periods,
    Set,
    Source,
    check_packages,
    load_scenario,
    prepare_kernels,
)

if TYPE_CHECKING:
    from detente.ensembles.results import Ensemble

NEEDED = {"scipy": "SciPy", "duckdb": "duckdb", "filelock": "filelock"}
"""Packages that only this needs: of the extra `ensemble` of the project."""

EVERY = 60.0
"""Seconds after which progress is told where it cannot be shown, if not by a tenth of the whole."""

Progress = Callable[[int, int, int], None]


def ensemble(
    source: Source,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="RESULTS", help="The folder of results.")
    ],
    draws: Annotated[
        int | None, typer.Option(min=1, max=MOST_DRAWS, help="Worlds to draw; 1,000 by default.")
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policies",
            metavar="POLICY",
            help="A policy to solve (may be repeated); all else.",
            autocompletion=complete.policy,
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY",
            help="The policy to compare with; the scenario's own else.",
            autocompletion=complete.policy,
        ),
    ] = None,
    sampling: Annotated[
        str | None, typer.Option(metavar="sobol|latin", help="How worlds are drawn; sobol else.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the draws; 0 else.")] = None,
    values: Set = None,
    horizon: Horizon = None,
    beliefs: Beliefs = None,
    checked: Annotated[
        int | None,
        typer.Option(
            min=0, max=MOST_DRAWS, help="Worlds solved once more on a finer belief grid; 16 else."
        ),
    ] = None,
    periods: Periods = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_THREADS, help="Processes; one for each processor by default."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler instead."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the run that is in the folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Solve a scenario anew in many worlds that its ranges allow; keep all in a folder."""
    needed, extra = NEEDED, "ensemble"
    if cluster is not None:
        needed, extra = NEEDED | {"distributed": "distributed"}, "cluster"
    check_packages("detente ensemble", "ensembles need", needed, extra)
    scenario = load_scenario(source, values, horizon)
    prepare_kernels(scenario)
    from detente.ensembles.request import other_versions
    from detente.ensembles.run import ensemble as solve_worlds
    from detente.ensembles.store import damage, read_record

    if resume:
        console.print_diagnostics(damage(output))
        console.print_diagnostics(other_versions(read_record(output, copy=True)))
    again = shlex.join(["detente", "ensemble", source, "--resume", "-o", str(output)])
    begin = time.monotonic()
    with _progress() as tally:
        try:
            found = solve_worlds(
                scenario,
                draws=draws,
                policies=policies,
                against=against,
                sampling=sampling,
                seed=seed,
                beliefs=beliefs,
                checked=checked,
                periods=periods,
                workers=workers,
                cluster=cluster,
                output=output,
                resume=resume,
                progress=tally.tell,
            )
        except KeyboardInterrupt:
            tally.stop()
            kept = f"{tally.done:,} of {tally.total:,} worlds are kept" if tally.total else ""
            said = f"Interrupted. {kept} in {output}." if kept else "Interrupted."
            console.say(said, error=True)
            if kept:
                console.say(f"To resume: {again}", error=True)
            raise typer.Exit(130) from None
    data = _summary(found, tally.done - tally.before, time.monotonic() - begin)
    if as_json:
        console.print_json(data)
    else:
        _print_summary(found, data)
    if data["worlds"]["failed"] and data["worlds"]["failed"] == data["worlds"]["done"]:
        raise typer.Exit(1)


class _Tally:
    """What has been done, and how it is told."""

    def __init__(self, show: Callable[[_Tally], None], stop: Callable[[], None]) -> None:
        self.before = self.done = self.total = self.failed = 0
        self.begin = time.monotonic()
        self._show = show
        self.stop = stop

    def tell(self, done: int, total: int, failed: int) -> None:
        if not self.total:
            self.before = done
        if done <= self.before + 1:  # from the first world on: workers have to start
            self.begin = time.monotonic()
        self.done, self.total, self.failed = done, total, failed
        self._show(self)

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.done:,} of {self.total:,} worlds{failed}"

    def left(self) -> float | None:
        """Seconds left at the speed so far."""
        new = self.done - self.before - 1
        if new < 1:
            return None
        return (self.total - self.done) * (time.monotonic() - self.begin) / new


@contextmanager
def _progress() -> Iterator[_Tally]:
    """A bar on stderr if that is a terminal, else a line from time to time."""
    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield _Tally(_Lines().show, lambda: None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    bar = Bar(*columns, TimeRemainingColumn(), console=terminal, transient=True)

    def show(tally: _Tally) -> None:
        if not bar.tasks:
            bar.add_task("", total=tally.total, completed=tally.done)
        bar.update(bar.tasks[0].id, completed=tally.done, description=f"Solving: {tally}")

    with bar:
        yield _Tally(show, bar.stop)


class _Lines:
    """Progress in lines: for each tenth of the whole, or each minute."""

    def __init__(self) -> None:
        self._tenth = -1
        self._last = time.monotonic()

    def show(self, tally: _Tally) -> None:
        tenth = 10 * tally.done // tally.total
        now = time.monotonic()
        if tenth == self._tenth and now - self._last < EVERY:
            return
        self._tenth, self._last = tenth, now
        left = tally.left()
        end = f"; about {duration(left)} left" if left else ""
        console.say(f"Solved {tally}{end}", error=True)


def duration(seconds: float) -> str:
    """A time in words: `48 s`, `12 min`, `3 h 20 min`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _summary(found: Ensemble, new: int, seconds: float) -> dict[str, Any]:
    """What a run has come to, for programs."""
    failures = found.failures
    counted = failures.groupby(["status", "reason"]).size().sort_values(ascending=False)
    return {
        "results": str(found.folder),
        "scenario": found.record.name,
        "policies": list(found.record.policies),
        "worlds": {
            "asked": found.record.draws,
            "done": found.done,
            "failed": int(failures["draw"].nunique()),
        },
        "failures": [
            {"status": status, "reason": reason, "rows": int(count)}
            for (status, reason), count in counted.items()
        ],
        "complete": found.complete,
        "seconds": round(seconds, 3),
        "solved_now": new,
        "grid": _grid(found),
    }


def _grid(found: Ensemble) -> dict[str, Any] | None:
    """The largest change of an outcome's probability on the finer grid, and where it was seen."""
    from detente.ensembles.columns import outcome_column

    record = found.record
    if found.checks.empty:
        return None
    worst, where = 0.0, ("", "")
    for name in (outcome_column(o, t) for o in record.outcomes for t in record.times):
        error = found.errors(name).dropna()
        if not error.empty and error.max() > worst:
            worst, where = float(error.max()), (name, str(error.idxmax()))
    points = {"points": record.beliefs, "finer": record.check_beliefs, "worlds": record.checked}
    return {**points, "change": worst, "outcome": where[0], "policy": where[1]}


def _print_summary(found: Ensemble, data: dict[str, Any]) -> None:
    from detente.ensembles.batch import CRASHED
    from detente.numbers import count
    from detente.render.terminal import print_heading, print_text

    record, worlds = found.record, data["worlds"]
    policies = len(record.policies)
    under = f"under {policies} policies" if policies > 1 else f"under {record.policies[0]!r}"
    if record.policies == ("",):
        under = "with no terms"
    print_heading(found.record.scenario().title)
    console.say(f"{worlds['done']:,} worlds {under}, {len(record.quantities)} quantities drawn")
    for failure in data["failures"]:
        console.say(f"  {failure['status']}: {failure['rows']:,} rows: {failure['reason']}")
    if any(failure["status"] == CRASHED for failure in data["failures"]):
        console.say("  With --resume those that crashed are tried again.")
    failed = f"{worlds['failed']:,} worlds failed" if worlds["failed"] else "none failed"
    speed = data["solved_now"] / max(data["seconds"], 1e-9)
    new = count(data["solved_now"], "world")
    solved = f"{new} in {duration(data['seconds'])}, {speed:.1f} per second"
    console.say(f"  {failed}; solved {solved}")
    grid = data["grid"]
    if grid is not None:
        print_text(
            f"Belief grid of {grid['points']} points: on {grid['finer']} points outcome "
            f"probabilities, or their differences between policies, change by up to "
            f"{grid['change']:.2g} ({grid['worlds']} worlds looked at)",
            indent=2,
        )
    console.say(f"Next: {shlex.join(['detente', 'explore', str(found.folder)])}")
