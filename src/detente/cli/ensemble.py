"""`detente ensemble`: a scenario solved anew in many draws that its ranges allow."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from detente.arguments import MOST_DRAWS, MOST_THREADS
from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import (
    Against,
    Beliefs,
    Periods,
    Policies,
    Posterior,
    Source,
    check_packages,
    prepare_kernels,
)
from detente.cli.options import ScenarioOptions
from detente.cli.results import TableOptions
from detente.numbers import duration

NEEDED = {"scipy": "SciPy", "duckdb": "duckdb", "filelock": "filelock"}
"""Packages that only this needs: of the extra `ensemble` of the project."""

EVERY = 60.0
"""Seconds after which there is a line where no bar can be, if not after a tenth of the whole."""


@dataclass(frozen=True)
class DrawOptions:
    """How many draws, and how they are drawn."""

    draws: Annotated[
        int | None, typer.Option(min=1, max=MOST_DRAWS, help="How many draws; 1,000 by default.")
    ] = None
    sampling: Annotated[
        str | None,
        typer.Option(metavar="sobol|latin", help="How they are spread; sobol by default."),
    ] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the draws; 0 else.")] = None
    checked: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MOST_DRAWS,
            help="How many are solved again on a finer grid; 16 by default.",
        ),
    ] = None
    posterior: Posterior = None


@dataclass(frozen=True)
class WorkerOptions:
    """Who solves them."""

    threads: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=MOST_THREADS,
            help="Processes; one for each processor by default.",
        ),
    ] = None
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler instead."),
    ] = None
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the run that is in the folder.")
    ] = False


@with_groups
def ensemble(
    source: Source,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="RESULTS", help="The folder of results.")
    ],
    policies: Policies = None,
    against: Against = None,
    drawing: DrawOptions,
    changes: ScenarioOptions,
    beliefs: Beliefs = None,
    periods: Periods = None,
    working: WorkerOptions,
    tables: TableOptions,
) -> None:
    """Solve a scenario anew in many draws that its ranges allow; keep all in a folder."""
    needed, extra = NEEDED, "ensemble"
    if working.cluster is not None:
        needed, extra = NEEDED | {"distributed": "distributed"}, "cluster"
    check_packages("detente ensemble", "ensembles need", needed, extra)
    scenario = changes.load(source)
    tables.check()
    prepare_kernels(scenario)
    from detente.describe.ensemble import describe_ensemble, lost
    from detente.ensembles.request import Draws, other_versions
    from detente.ensembles.run import ensemble as solve_all
    from detente.ensembles.store import damage, read_manifest
    from detente.estimation.draws import read_draws
    from detente.solver.options import SolveOptions

    if working.resume:
        console.print_diagnostics(damage(output))
        console.print_diagnostics(other_versions(read_manifest(output, copy=True)))
    draws = Draws(
        drawing.draws,
        drawing.sampling,
        drawing.seed,
        drawing.checked,
        read_draws(drawing.posterior, scenario) if drawing.posterior else None,
    )
    again = shlex.join(["detente", "ensemble", source, "--resume", "-o", str(output)])
    begin = time.monotonic()
    with _progress() as tally:
        try:
            run = solve_all(
                scenario,
                policies,
                SolveOptions(beliefs=beliefs, threads=working.threads),
                draws=draws,
                against=against,
                periods=periods,
                output=output,
                resume=working.resume,
                cluster=working.cluster,
                progress=tally.count,
            )
        except KeyboardInterrupt:
            tally.stop()
            kept = f"{tally.done:,} of {tally.total:,} draws are kept" if tally.total else ""
            said = f"Interrupted. {kept} in {output}." if kept else "Interrupted."
            console.say(said, error=True)
            if kept:
                console.say(f"To resume: {again}", error=True)
            raise typer.Exit(130) from None
    new, seconds = tally.done - tally.before, time.monotonic() - begin
    result = describe_ensemble(run, new, seconds)
    tables.show(result)
    if not tables.as_json:
        console.say(f"Next: {shlex.join(['detente', 'explore', str(output)])}")
    if console.say_unsolved(lost(run)):
        raise typer.Exit(1)


class _Tally:
    """What has been done, and how it is shown."""

    def __init__(self, show: Callable[[_Tally], None], stop: Callable[[], None]) -> None:
        self.before = self.done = self.total = self.failed = 0
        self.begin = time.monotonic()
        self._show = show
        self.stop = stop

    def count(self, done: int, total: int, failed: int) -> None:
        if not self.total:
            self.before = done
        if done <= self.before + 1:  # from the first draw on: workers have to start
            self.begin = time.monotonic()
        self.done, self.total, self.failed = done, total, failed
        self._show(self)

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.done:,} of {self.total:,} draws{failed}"

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
