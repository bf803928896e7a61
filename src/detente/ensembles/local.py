"""Worlds on this machine: processes of its own, one for each processor.

The first world is solved by one process alone, so that kernels that are not compiled yet are
compiled once; the others load their libraries meanwhile. When a process dies it is known on which
world. That world is tried once more, by a fresh process; the second time it becomes rows that say
how the process died.
"""

from __future__ import annotations

import os
import queue
from collections import deque
from types import TracebackType
from typing import Self

from detente.ensembles.manifest import Manifest
from detente.ensembles.process import TRIES, Process, Task, crashed, died
from detente.ensembles.world import Row
from detente.errors import SolveError

AHEAD = 2
"""Worlds that a process has at hand: the one it works on, and the next."""

PATIENCE = 1.0
"""Seconds after which a wait looks whether it has been interrupted."""


class Local:
    """Processes on this machine. Used in a `with` block, at the end of which none is left."""

    def __init__(self, manifest: Manifest, workers: int | None = None) -> None:
        self._record = manifest
        self._answers: queue.Queue[tuple[Process, bytes]] = queue.Queue()
        self._waiting: deque[Task] = deque()
        self._ready: deque[tuple[Task, list[Row]]] = deque()
        self._deaths: dict[tuple[int, int], int] = {}
        self._warm = False
        self._processes: list[Process] = []
        self._workers = workers or os.cpu_count() or 1

    def __enter__(self) -> Self:
        try:
            for _ in range(self._workers):
                self._start()
            self._take_one()  # so that nothing is begun where none can be started
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def pids(self) -> list[int]:
        """The processes at work."""
        return [process.pid for process in self._processes]

    def has_room(self) -> bool:
        """Whether a world more would be begun, or be the next of a process."""
        return not self._waiting and self._free() is not None

    def submit(self, task: Task) -> None:
        """Solve a world."""
        self._waiting.append(task)
        self._hand_out()

    def next(self) -> tuple[Task, list[Row]]:
        """Wait for a world that has been solved, or cannot be. Raises `SolveError`."""
        while not self._ready:
            self._take_one()
            self._hand_out()
        return self._ready.popleft()

    def _take_one(self) -> None:
        """Wait for something that a process says, and see to it."""
        while True:
            try:
                process, line = self._answers.get(timeout=PATIENCE)
                break
            except queue.Empty:
                continue
        if not line:
            self._replace(process)
        elif (found := process.take(line)) is not None:
            self._warm = True
            self._ready.append(found)

    def _start(self) -> None:
        self._processes.append(Process(self._record, self._answers))

    def _end(self) -> None:
        for process in self._processes:
            process.kill()
        self._processes.clear()

    def _free(self) -> Process | None:
        """The process with the least to do, if it can have more."""
        if not self._warm:
            idle = not any(process.tasks for process in self._processes)
            return self._processes[0] if idle else None
        process = min(self._processes, key=lambda process: len(process.tasks))
        return process if len(process.tasks) < AHEAD else None

    def _hand_out(self) -> None:
        while self._waiting and (process := self._free()) is not None:
            process.submit(self._waiting.popleft())

    def _replace(self, process: Process) -> None:
        """Start another process for one that died, and see to what it had at hand."""
        reason = process.how_it_died()
        if process.versions is None:
            raise SolveError(f"a worker could not be started: {reason}")
        self._processes.remove(process)
        process.kill()
        self._start()
        left = list(process.tasks)
        if left:
            culprit = left.pop(0)
            deaths = self._deaths[culprit.world] = self._deaths.get(culprit.world, 0) + 1
            if deaths < TRIES:
                # A fresh process, which has nothing else to do.
                self._processes[-1].submit(culprit)
            else:
                self._ready.append((culprit, crashed(self._record, culprit, died(deaths, reason))))
        self._waiting.extendleft(reversed(left))
