"""Runs for tests: small ones, solved in this process where processes are not what is tested."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import detente
from detente.ensembles import store
from detente.ensembles.manifest import Manifest
from detente.ensembles.process import Task
from detente.ensembles.request import RunRequest, new_manifest
from detente.ensembles.results import Ensemble, open_ensemble
from detente.ensembles.run import run
from detente.ensembles.world import Row, Worker
from tests.ensembles.texts import SOUND


class Here:
    """Solves worlds in this process; those at hand are told of the last one first."""

    def __init__(self, manifest: Manifest, ahead: int = 3) -> None:
        self._worker = Worker(manifest)
        self._tasks: deque[Task] = deque()
        self._ahead = ahead

    def has_room(self) -> bool:
        return len(self._tasks) < self._ahead

    def submit(self, task: Task) -> None:
        self._tasks.append(task)

    def next(self) -> tuple[Task, list[Row]]:
        task = self._tasks.pop()
        return task, self._worker.solve(task.draw, task.beliefs)


def a_record(text: str = SOUND, **options: object) -> Manifest:
    asked = RunRequest(**{"draws": 8, "beliefs": 5, "checked": 2, **options})  # type: ignore[arg-type]
    return new_manifest(detente.loads(text, file="round.yaml"), asked)


def solved_here(
    folder: Path, manifest: Manifest, progress: Callable[[int, int, int], None] | None = None
) -> Ensemble:
    begin = store.resume if (folder / store.RECORD).exists() else None
    with begin(folder) if begin else store.create(folder, manifest) as kept:
        run(kept, Here(kept.manifest), progress or (lambda *_: None))
    return open_ensemble(folder)


def numbers(found: Ensemble) -> pd.DataFrame:
    """All rows in order, without the time that they took: what has to be equal bit for bit."""
    table = found.sql("SELECT * FROM worlds ORDER BY beliefs, draw, policy")
    return table.drop(columns="seconds")


def assert_same(one: Ensemble, other: Ensemble) -> None:
    pd.testing.assert_frame_equal(numbers(one), numbers(other), check_exact=True)
