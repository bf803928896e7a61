"""Runs for tests: small ones, solved in this process where processes are not what is tested."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pandas as pd

import detente
from detente.ensembles import store
from detente.ensembles.manifest import Manifest
from detente.ensembles.request import Draws, RunRequest, new_manifest
from detente.ensembles.results import Ensemble, open_ensemble
from detente.ensembles.rows import Row, Task
from detente.ensembles.run import run
from detente.ensembles.worker import Worker
from tests.ensembles.texts import SOUND


class Here:
    """Solves draws in this process; of those at hand the last one first."""

    def __init__(self, manifest: Manifest, ahead: int = 3) -> None:
        self._worker = Worker(manifest)
        self._ahead = ahead

    def solve(self, tasks: Iterator[Task]) -> Iterator[list[Row]]:
        at_hand: deque[Task] = deque()
        while True:
            at_hand.extend(islice(tasks, self._ahead - len(at_hand)))
            if not at_hand:
                return
            yield self._worker.solve(at_hand.pop())


def a_request(**options: object) -> RunRequest:
    """Eight draws on five belief points, two of them checked, or as the options say."""
    asked = {"draws": 8, "beliefs": 5, "checked": 2, **options}
    drawn = {name: asked.pop(name, None) for name in ("sampling", "seed", "checked")}
    draws = Draws(asked.pop("draws"), **drawn)  # type: ignore[arg-type]
    solving = detente.SolveOptions(beliefs=asked.pop("beliefs"))  # type: ignore[arg-type]
    return RunRequest(options=solving, draws=draws, **asked)  # type: ignore[arg-type]


def a_manifest(text: str = SOUND, **options: object) -> Manifest:
    return new_manifest(detente.loads(text, file="round.yaml"), a_request(**options))


def solved_here(
    folder: Path, manifest: Manifest, progress: Callable[[int, int, int], None] | None = None
) -> Ensemble:
    begin = store.resume if (folder / store.MANIFEST).exists() else None
    with begin(folder) if begin else store.create(folder, manifest) as kept:
        run(kept, Here(kept.manifest), progress or (lambda *_: None))
    return open_ensemble(folder)


def numbers(found: Ensemble) -> pd.DataFrame:
    """All rows in order, without the time that they took: what has to be equal bit for bit."""
    table = found.sql("SELECT * FROM rows ORDER BY beliefs, draw, policy")
    return table.drop(columns="seconds")


def assert_same(one: Ensemble, other: Ensemble) -> None:
    pd.testing.assert_frame_equal(numbers(one), numbers(other), check_exact=True)
