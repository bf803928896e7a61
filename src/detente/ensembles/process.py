"""A process that solves worlds, as seen by whoever starts it.

It is a plain process that reads and writes lines (`detente.ensembles.worker`), not one of
`multiprocessing`: a notebook or a script without a guarded main module can start it, it shares
nothing, and it can itself be started by a process of a cluster.
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
from typing import IO

from detente.ensembles.batch import CRASHED
from detente.ensembles.draws import Draw
from detente.ensembles.manifest import Manifest
from detente.ensembles.world import Row, begin_row, failed
from detente.errors import SolveError

COMMAND = (sys.executable, "-P", "-m", "detente.ensembles.worker")
"""What is started. No module is taken from the folder that it happens to be in."""

TRIES = 2
"""How often a world may take its process with it."""

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


def crashed(manifest: Manifest, task: Task, reason: str) -> list[Row]:
    """The rows of a world that no process has survived."""
    lost = failed(CRASHED, reason)
    return [begin_row(task.draw, policy, task.beliefs) | lost for policy in manifest.policies]


def died(times: int, reason: str) -> str:
    """How often a world has taken its process with it, and how it went the last time."""
    return f"its process died {times} times, the last time {reason}"


class Process:
    """A process that solves worlds in the order in which they are given.

    tasks
        Those that it has not answered yet, the one that it works on first.
    versions
        What it computes with; None until it is ready.

    Raises `SolveError` if it cannot be started.
    """

    def __init__(self, manifest: Manifest, answers: queue.Queue[tuple[Process, bytes]]) -> None:
        self.tasks: deque[Task] = deque()
        self.versions: Mapping[str, str] | None = None
        self._answers = answers
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        alone = dict.fromkeys(ONE_THREAD, "1")
        self._errors = _temporary()
        try:
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **alone, "PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,  # Ctrl-C is for who started it
            )
        except OSError as error:
            self._errors.close()
            raise _not_started(error) from error
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._write({"manifest": manifest.to_json()})

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

    def line(self) -> bytes:
        """Wait for its next answer; empty when it has died. For one whose queue is its own."""
        _, line = self._answers.get()
        return line

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

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                self._answers.put((self, line))
        self._answers.put((self, b""))


def _temporary() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise _not_started(error) from error


def _not_started(error: OSError) -> SolveError:
    return SolveError(f"a worker could not be started: {error.strerror}")
