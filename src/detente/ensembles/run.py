"""`ensemble`: solve a scenario anew in each of many draws, and keep what comes out.

Tasks are handed out a few at a time to whoever solves them (`Pool`: processes of this machine or of
a cluster) and written as they come, in whatever order. Nothing depends on the order: the numbers of
a draw follow from the manifest and the draw alone. So an interrupted run loses the draws that were
being solved, and is resumed with the others.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from detente.ensembles import store
from detente.ensembles.manifest import Manifest
from detente.ensembles.pool import LocalPool
from detente.ensembles.request import Draws, RunRequest, new_manifest, resumed
from detente.ensembles.results import Ensemble
from detente.ensembles.rows import Row, Task
from detente.ensembles.store import Store
from detente.errors import SolveError, expect, refuse
from detente.scenario.model import Scenario
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions

if TYPE_CHECKING:
    from detente.ensembles.cluster import ClusterPool

Progress = Callable[[int, int, int], None]
"""Called with the draws that are done, all there are, and how many of those done have failed."""


class Solver(Protocol):
    """Who solves tasks; see `Pool.solve`."""

    def solve(self, tasks: Iterator[Task]) -> Iterator[list[Row]]: ...


def ensemble(
    scenario: Scenario,
    policies: Sequence[str] | None = None,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    draws: int | Draws | None = None,
    against: str | None = None,
    periods: int | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Ensemble:
    """Solve a scenario under several policies in each of many draws from its ranges.

    Parameters
    ----------
    scenario
        As loaded, perhaps with values, options or a horizon of its own; what has been set is not
        drawn.
    policies, against
        As those of `compare`: by default all, compared with the one that the scenario names.
    options
        As in `solve`. Belief points are by default half as many as a single solve takes; each draw
        is solved on one thread, in as many processes as there are `threads`.
    draws
        How many, or `Draws`: how they are drawn, and how many are checked on a finer grid.
    periods
        As that of `forecast`, for play without end.
    output
        The folder of results; by default a temporary one, which lasts as long as what is returned.
    resume
        Resume the run in that folder: solve what is missing, and try again what its process
        did not survive. What else is given must agree with it, but for more draws of a Sobol
        sequence. Its memory limit stays.
    cluster
        The address of a Dask scheduler, whose workers are used instead of this machine's threads.
    progress
        Called with the draws done, all of them, and those failed.

    Raises
    ------
    ScenarioError
        For what is wrong with the scenario at its present values, with the options or the folder.
    ValueError, TypeError
        For numbers that make no sense.
    SolveError
        If workers cannot be started, or results not be written; what is done is kept.
    """
    expect(scenario, Scenario, "ensemble")
    drawn = draws if isinstance(draws, Draws) else Draws(draws)
    asked = RunRequest(policies, options, drawn, against, periods)
    if options.threads is not None and cluster is not None:
        message = "a cluster has its own workers"
        refuse("threads", "not-together", message, "leave one of them out: `threads=`, `cluster=`")
    run = _Run(scenario, asked, resume, cluster, progress or (lambda *_: None))
    if output is not None:
        run.solve(Path(output))
        return Ensemble(Path(output))
    folder = Path(tempfile.mkdtemp(prefix="detente-"))
    try:
        run.solve(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Ensemble(folder, temporary=True)


@dataclass(frozen=True)
class _Run:
    """A run to be made or resumed."""

    scenario: Scenario
    request: RunRequest
    resume: bool
    cluster: str | None
    progress: Progress

    def solve(self, folder: Path) -> None:
        """Solve what is missing in a folder."""
        if self.resume:
            manifest = resumed(store.read_manifest(folder, copy=True), self.scenario, self.request)
        else:
            store.check_empty(folder)
            manifest = new_manifest(self.scenario, self.request)
        # The workers first: if there are none, no folder is left behind.
        with self._pool(manifest) as pool, self._store(folder, manifest) as kept:
            try:
                run(kept, pool, self._tell)
            except (OSError, SolveError) as error:
                reason = str(error)
                if isinstance(error, OSError):
                    reason = f"the results cannot be written: {error.strerror}"
                number = manifest.n_draws(kept.kept)
                draws = f"{number:,} of {manifest.draws:,} draws are kept in {folder}"
                hint = "hint: resume the run with `resume=True`"
                raise SolveError(f"{reason}\n{draws}\n{hint}") from error

    def _tell(self, done: int, total: int, failed: int) -> None:
        self.request.options.report(done / total)
        self.progress(done, total, failed)

    def _pool(self, manifest: Manifest) -> LocalPool | ClusterPool:
        if self.cluster is None:
            return LocalPool(manifest, self.request.options.threads)
        from detente.ensembles.cluster import ClusterPool  # needs an extra of its own

        return ClusterPool(manifest, self.cluster)

    def _store(self, folder: Path, manifest: Manifest) -> Store:
        if not self.resume:
            return store.create(folder, manifest)
        kept = store.resume(folder)
        if manifest != kept.manifest:
            kept.extend(manifest)
        return kept


def run(kept: Store, solver: Solver, progress: Progress) -> None:
    """Solve what is missing of a run. Raises `OSError` where it cannot be written."""

    def tell() -> None:
        manifest = kept.manifest
        progress(manifest.n_draws(kept.done), manifest.draws, manifest.n_draws(kept.failed))

    tell()
    try:
        for rows in solver.solve(missing(kept)):
            if rows:
                kept.append(rows)
                tell()
            else:
                kept.tick()
    except BaseException:
        kept.flush()
        tell()  # what is there is told as it is, whatever has come between
        raise
    kept.flush()


def missing(kept: Store) -> Iterator[Task]:
    """The tasks that are not done yet: the present values, then the draws in order, and among
    them those of the finer grid at even distances, so that the time left can be told."""
    manifest = kept.manifest
    design = manifest.design()
    checks = design.between(1, manifest.checked + 1)
    given = 0
    for draw in design.between(0, manifest.draws + 1):
        tasks = [Task(draw, manifest.beliefs)]
        due = math.floor(draw.number * manifest.checked / manifest.draws)
        tasks += [Task(next(checks), manifest.check_beliefs) for _ in range(due - given)]
        given = due
        yield from (task for task in tasks if task.key not in kept.done)
