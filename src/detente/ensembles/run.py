"""`ensemble`: solve a scenario anew in each of many worlds, and keep what was found.

Worlds are handed out one by one to whoever solves them (`Pool`: processes of this machine or of a
cluster) and written as they come, in whatever order. Nothing depends on the order: the numbers of a
world follow from the manifest and its draw alone. So an interrupted run loses the worlds that were
being solved, and goes on with the others.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from detente.arguments import MOST_DRAWS, MOST_PERIODS, MOST_THREADS, whole
from detente.ensembles import store
from detente.ensembles.local import Local
from detente.ensembles.manifest import Manifest
from detente.ensembles.process import Task
from detente.ensembles.request import RunRequest, new_manifest, resumed
from detente.ensembles.results import Ensemble
from detente.ensembles.store import Store
from detente.ensembles.world import Row
from detente.errors import Diagnostic, Place, ScenarioError, SolveError, expect
from detente.scenario.model import Scenario

if TYPE_CHECKING:
    from detente.ensembles.cluster import Cluster

Progress = Callable[[int, int, int], None]
"""Called with the worlds that are done, all there are, and how many of those done have failed."""


class Pool(Protocol):
    """Who solves worlds."""

    def has_room(self) -> bool:
        """Whether another world should be given now."""

    def submit(self, task: Task) -> None:
        """Solve a world."""

    def next(self) -> tuple[Task, list[Row]]:
        """Wait for one of those that were given."""


def ensemble(
    scenario: Scenario,
    *,
    draws: int | None = None,
    policies: Sequence[str] | None = None,
    against: str | None = None,
    sampling: str | None = None,
    seed: int | None = None,
    beliefs: int | None = None,
    checked: int | None = None,
    periods: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Ensemble:
    """Solve a scenario under several policies in each of many worlds that its ranges allow.

    Parameters
    ----------
    scenario
        As loaded, perhaps with values, options or a horizon of its own; what has been set is not
        drawn.
    draws
        Worlds to draw; 1,000 by default.
    policies, against
        As those of `compare`: by default all, compared with the one that the scenario names.
    sampling, seed
        `sobol` (the default) or `latin`, and the seed of the points (0).
    beliefs
        Belief points; by default half as many as a single solve takes.
    checked
        Worlds that are solved once more on a grid twice as fine; 16 by default.
    periods
        As that of `forecast`, for play without end.
    workers
        Processes on this machine; by default as many as it has processors.
    cluster
        The address of a Dask scheduler, whose workers are used instead.
    output
        The folder of results; by default a temporary one, which lasts as long as what is returned.
    resume
        Resume the run in that folder: solve what is missing, and try again what its process
        did not survive. What else is given must agree with it, but for more draws of a Sobol
        sequence.
    progress
        Called with the worlds done, all of them, and those failed.

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
    whole("draws", draws, 1, MOST_DRAWS)
    whole("seed", seed, 0)
    whole("beliefs", beliefs, 1)
    whole("checked", checked, 0, MOST_DRAWS)
    whole("periods", periods, 1, MOST_PERIODS)
    whole("workers", workers, 1, MOST_THREADS)
    request = RunRequest(
        draws=draws,
        policies=None if policies is None else tuple(policies),
        against=against,
        sampling=sampling,
        seed=seed,
        beliefs=beliefs,
        checked=checked,
        periods=periods,
    )
    if workers is not None and cluster is not None:
        message = "a cluster has its own workers"
        problem = Diagnostic(Place("--workers"), "not-together", message, "leave one of them out")
        raise ScenarioError([problem])
    if output is None:
        folder = Path(tempfile.mkdtemp(prefix="detente-"))
        try:
            _solve(folder, scenario, request, resume, (workers, cluster), progress)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Ensemble(folder, temporary=True)
    _solve(Path(output), scenario, request, resume, (workers, cluster), progress)
    return Ensemble(Path(output))


def _solve(
    folder: Path,
    scenario: Scenario,
    request: RunRequest,
    resume: bool,
    who: tuple[int | None, str | None],
    progress: Progress | None,
) -> None:
    """Make or resume the run in a folder; `who` has the workers and the cluster asked for."""
    if resume:
        manifest = resumed(store.read_manifest(folder, copy=True), scenario, request)
    else:
        store.check_empty(folder)
        manifest = new_manifest(scenario, request)
    # The workers first: if there are none, no folder is left behind.
    with _pool(manifest, *who) as pool, _opened(folder, manifest, resume) as kept:
        try:
            run(kept, pool, progress or (lambda *_: None))
        except (OSError, SolveError) as error:
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"the results cannot be written: {error.strerror}"
            worlds = f"{len(kept.done):,} of {manifest.worlds:,} worlds are kept in {folder}"
            raise SolveError(f"{reason}\n{worlds}\nhint: resume it with --resume") from error


def _pool(manifest: Manifest, workers: int | None, cluster: str | None) -> Local | Cluster:
    if cluster is None:
        return Local(manifest, workers)
    from detente.ensembles.cluster import Cluster  # needs an extra of its own

    return Cluster(manifest, cluster)


def _opened(folder: Path, manifest: Manifest, resume: bool) -> Store:
    if not resume:
        return store.create(folder, manifest)
    kept = store.resume(folder)
    if manifest != kept.manifest:
        kept.draw_on(manifest)
    return kept


def run(kept: Store, pool: Pool, progress: Progress) -> None:
    """Solve what is missing of a run. Raises `OSError` where it cannot be written."""
    total = kept.manifest.worlds

    def tell() -> None:
        progress(len(kept.done), total, kept.failed)

    def take() -> None:
        _, rows = pool.next()
        kept.append(rows)
        tell()

    tell()
    under_way = 0
    try:
        for task in missing(kept):
            while not pool.has_room():
                take()
                under_way -= 1
            pool.submit(task)
            under_way += 1
        for _ in range(under_way):
            take()
    except BaseException:
        tell()  # what is there is told as it is, whatever has come between
        raise
    kept.compact()


def missing(kept: Store) -> Iterator[Task]:
    """The worlds that are not there yet: the present values, then the draws in order, and among
    them those of the finer grid at even distances, so that the time left can be told."""
    manifest = kept.manifest
    plan = manifest.plan()
    checks = plan.between(1, manifest.checked + 1)
    given = 0
    for draw in plan.between(0, manifest.draws + 1):
        if (draw.number, manifest.beliefs) not in kept.done:
            yield Task(draw, manifest.beliefs)
        while given < math.floor(draw.number * manifest.checked / manifest.draws):
            again = next(checks)
            given += 1
            if (again.number, manifest.check_beliefs) not in kept.done:
                yield Task(again, manifest.check_beliefs)
