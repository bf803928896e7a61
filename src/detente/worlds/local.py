"""Worlds on this machine: processes of its own, one for each processor.

They are plain processes that read and write lines (`detente.worlds.worker`), not those of
`multiprocessing`: a notebook or a script without a guarded main module can start them, they share
nothing, and when one dies it is known on which world. That world is tried once more, by a fresh
process; the second time it becomes rows that say how the process died.

The first world is solved by one process alone, so that kernels that are not compiled yet are
compiled once; the others load their libraries meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from detente.errors import SolveError
from detente.worlds.draws import Draw
from detente.worlds.record import RunRecord
from detente.worlds.world import Row, begin_row, failed

COMMAND = (sys.executable, "-P", "-m", "detente.worlds.worker")
"""What is started. No module is taken from the folder that it happens to be in."""

AHEAD = 2
"""Worlds that a process has at hand: the one it works on, and the next."""

TRIES = 2
"""How often a world may take its process with it."""

PATIENCE = 1.0
"""Seconds after which a wait looks whether it has been interrupted."""

ONE_THREAD = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Worlds are what is shared out among processors; within one there is one thread."""

ROOT = Path(__file__).resolve().parents[2]
"""Where this package is found, also if only this process has been told so."""


@dataclass(frozen=True, slots=True)
class Task:
    """A world to be solved: a draw, and the belief points on which it is."""

    draw: Draw
    beliefs: int

    @property
    def world(self) -> tuple[int, int]:
        return self.draw.number, self.beliefs


def crashed(record: RunRecord, task: Task, reason: str) -> list[Row]:
    """The rows of a world that no process has survived."""
    lost = failed("CRASHED", reason)
    return [begin_row(task.draw, policy, task.beliefs) | lost for policy in record.policies]


class Process:
    """A process that solves worlds in the order in which they are given.

    tasks
        Those that it has not answered yet, the one that it works on first.
    versions
        What it computes with; None until it is ready.
    """

    def __init__(self, record: RunRecord, answers: queue.Queue[tuple[Process, bytes]]) -> None:
        self.tasks: deque[Task] = deque()
        self.versions: Mapping[str, str] | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={
                **os.environ,
                **dict.fromkeys(ONE_THREAD, "1"),
                "PYTHONPATH": os.pathsep.join(paths),
            },
            start_new_session=True,  # Ctrl-C is for who started it
        )
        self._reader = threading.Thread(target=self._read, args=(answers,), daemon=True)
        self._reader.start()
        self._write({"record": record.to_json()})

    @property
    def pid(self) -> int:
        return self._process.pid

    def submit(self, task: Task) -> None:
        """Give it a world more."""
        self.tasks.append(task)
        draw = task.draw
        self._write(
            {
                "draw": draw.number,
                "values": draw.values,
                "options": draw.options,
                "beliefs": task.beliefs,
            }
        )

    def take(self, line: bytes) -> tuple[Task, list[Row]] | None:
        """What an answer says: a world and its rows, or only that the process is ready."""
        data = json.loads(line)
        if "versions" in data:
            self.versions = data["versions"]
            return None
        return self.tasks.popleft(), data["rows"]

    def how_it_died(self) -> str:
        """How it ended, in words."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = f": {lines[-1].strip()}" if lines else ""
        if code >= 0:
            return f"it ended with exit code {code}{last}"
        if -code == signal.SIGKILL:  # it had no time to say why
            return "it was killed by SIGKILL"
        with contextlib.suppress(ValueError):
            return f"it was killed by {signal.Signals(-code).name}{last}"
        return f"it was killed by signal {-code}{last}"

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()

    def _write(self, data: object) -> None:
        assert self._process.stdin is not None
        line = f"{json.dumps(data, ensure_ascii=False)}\n".encode()
        # A process that is dead is told of by the end of its answers.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _read(self, answers: queue.Queue[tuple[Process, bytes]]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                answers.put((self, line))
        answers.put((self, b""))


class Local:
    """Processes on this machine. Used in a `with` block, at the end of which none is left."""

    def __init__(self, record: RunRecord, workers: int | None = None) -> None:
        self._record = record
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
            try:
                process, line = self._answers.get(timeout=PATIENCE)
            except queue.Empty:
                continue
            if not line:
                self._replace(process)
            elif (found := process.take(line)) is not None:
                self._warm = True
                self._ready.append(found)
            self._hand_out()
        return self._ready.popleft()

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
                words = f"its process died {deaths} times, the last time {reason}"
                self._ready.append((culprit, crashed(self._record, culprit, words)))
        self._waiting.extendleft(reversed(left))
