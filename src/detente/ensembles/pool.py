"""Who solves draws: processes of this machine or of a cluster, as seen by a run.

Tasks are given out a few at a time and come back in whatever order. The first one is solved alone,
so that kernels that are not compiled yet are compiled once; on this machine the other processes
load their libraries meanwhile. A task whose process died is given out once more, with nothing else
under way: if it was for want of memory there is more of it now, and if that ends as before nobody
else is to blame. Then it becomes rows that say how the process died.
"""

from __future__ import annotations

import os
import queue
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Self

from detente.ensembles.manifest import Manifest, versions
from detente.ensembles.process import Crew, ProcessDeathError
from detente.ensembles.rows import CRASHED, Row, Task

AHEAD = 2
"""Tasks under way for each thread that solves them: the one that it works on, and the next."""

PATIENCE = 1.0
"""Seconds after which a wait looks whether it has been interrupted."""


class Pool(ABC):
    """Who solves tasks. Used in a `with` block, at the end of which nothing of it is left."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.room = 1
        """How many tasks may be under way, once the first one is done."""

    @abstractmethod
    def submit(self, task: Task) -> Future[list[Row]]:
        """Begin to solve a task."""

    def rows(self, future: Future[list[Row]]) -> list[Row]:
        """The rows of a task that is done. Raises `ProcessDeathError` where its process died."""
        return future.result()

    @abstractmethod
    def look(self) -> None:
        """See to it that there is somebody to solve tasks. Raises `SolveError`."""

    @abstractmethod
    def close(self) -> None:
        """End all that has been started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def solve(self, tasks: Iterator[Task]) -> Iterator[list[Row]]:
        """The rows of each task, as they come; none at all where none has come for a second.

        Raises
        ------
        SolveError
            If there is nobody left who could solve them.
        """
        done: queue.SimpleQueue[Future[list[Row]]] = queue.SimpleQueue()
        under_way: dict[Future[list[Row]], Task] = {}
        suspects: deque[Task] = deque()
        room = 1
        while True:
            if not suspects:
                given = list(islice(tasks, max(room - len(under_way), 0)))
            else:
                given = [] if under_way else [suspects[0]]
            for task in given:
                future = self.submit(task)
                under_way[future] = task
                future.add_done_callback(done.put)
            if not under_way:
                return
            try:
                future = done.get(timeout=PATIENCE)
            except queue.Empty:
                self.look()
                yield []
                continue
            task = under_way.pop(future)
            self.look()
            room = self.room
            again = bool(suspects) and suspects[0] is task
            if again:
                suspects.popleft()
            try:
                rows = self.rows(future)
            except ProcessDeathError as death:
                if again:
                    yield crashed(self.manifest, task, str(death))
                else:
                    suspects.append(task)
            else:
                yield rows


def crashed(manifest: Manifest, task: Task, how: str) -> list[Row]:
    """The rows of a task that no process has survived."""
    reason = f"its process died 2 times, the last time {how}"
    return [task.row(policy, CRASHED, reason) for policy in manifest.policies]


class LocalPool(Pool):
    """Processes on this machine; by default as many as it has processors."""

    def __init__(self, manifest: Manifest, workers: int | None = None) -> None:
        super().__init__(manifest)
        self._workers = workers or os.cpu_count() or 1
        self.room = AHEAD * self._workers
        self._crew = Crew(manifest, versions())
        self._threads = ThreadPoolExecutor(self._workers)

    def __enter__(self) -> Self:
        starts = [self._threads.submit(self._crew.start) for _ in range(self._workers)]
        try:
            ready: set[Future[None]] = set()
            while not ready:  # so that nothing is begun where none can be started
                ready, _ = wait(starts, PATIENCE, FIRST_COMPLETED)
            for future in ready:
                future.result()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def pids(self) -> list[int]:
        """The processes at work."""
        return self._crew.pids

    def submit(self, task: Task) -> Future[list[Row]]:
        return self._threads.submit(self._crew.solve, task)

    def look(self) -> None:
        """They are there: who has died is replaced by the thread that asks for rows."""

    def close(self) -> None:
        self._crew.end()
        self._threads.shutdown(cancel_futures=True)
