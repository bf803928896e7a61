"""A process that solves draws: both ends of it.

It is a plain process (`detente.processes`) that reads and writes lines of JSON: it shares nothing,
and can itself be started by a process of a cluster. The first line that it reads is the manifest of
the run, answered by the versions of what decides the numbers; every other one is a task, answered
when it is begun, and by its rows. It ends when its input ends, in the middle of a draw too: then
whoever asked is gone.
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
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

from detente.errors import SolveError
from detente.processes import command, environment

if TYPE_CHECKING:
    from detente.ensembles.manifest import Manifest
    from detente.ensembles.rows import Row, Task

COMMAND = command("detente.ensembles.process")
"""What is started."""

NO_MEMORY = 3
"""Exit code of a process that ran out of memory: what it holds is not to be trusted."""

IDLE = 600.0
"""Seconds after which a process that is asked nothing ends: on a cluster its client may be gone."""

ONE_THREAD = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Draws are what is shared out among processors; within one there is one thread."""


class ProcessDeathError(Exception):
    """A process died, with how it did as its text."""


class Process:
    """A process that has been started; `ProcessDeathError` is raised where it dies.

    Raises
    ------
    SolveError
        If it cannot be started.
    """

    def __init__(self, manifest: Manifest) -> None:
        alone = dict.fromkeys(ONE_THREAD, "1")
        try:
            with contextlib.ExitStack() as stack:
                self._errors = stack.enter_context(tempfile.TemporaryFile())
                self._process = subprocess.Popen(
                    COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    env=environment(**alone),
                    start_new_session=True,  # Ctrl-C is for who started it
                )
                stack.pop_all()
        except OSError as error:
            raise SolveError(f"a worker could not be started: {error.strerror}") from error
        self._manifest = manifest

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def start(self) -> Mapping[str, str]:
        """Wait until it is ready: the versions of what it computes with."""
        versions: Mapping[str, str] = self._ask({"manifest": self._manifest.to_json()})
        return versions

    def begin(self, task: Task) -> None:
        """Have it begin with a draw."""
        self._ask(asdict(task))

    def rows(self) -> list[Row]:
        """The rows of the draw that it has begun with."""
        rows: list[Row] = self._answer()
        return rows

    def _ask(self, question: object) -> Any:
        assert self._process.stdin is not None
        # If it is gone there is no answer either.
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{json.dumps(question)}\n".encode())
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        try:
            return json.loads(self._process.stdout.readline())
        except (OSError, ValueError):  # it is gone, or what it said is not whole
            raise ProcessDeathError(self._how_it_died()) from None

    def _how_it_died(self) -> str:
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

    def close(self) -> None:
        """The same, and let go of what belonged to it: nobody asks it any more."""
        self.kill()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()


class Crew:
    """Processes that solve the draws of one run: one for each thread that asks for rows."""

    def __init__(self, manifest: Manifest, versions: Mapping[str, str]) -> None:
        """With the versions with which they have to compute."""
        self._manifest, self._versions = manifest, versions
        self._idle: list[Process] = []
        self._all: list[Process] = []
        self._ended = False
        self._lock = threading.Lock()

    @property
    def pids(self) -> list[int]:
        """The processes at work."""
        return [process.pid for process in self._all if process.alive]

    def start(self) -> None:
        """Start a process more, and wait until it is ready. Raises `SolveError`."""
        self._idle.append(self._started())

    def solve(self, task: Task) -> list[Row]:
        """The rows of a draw. Raises as a process does, or where none can be started."""
        process = self._begun(task)
        try:
            rows = process.rows()
        except ProcessDeathError:
            self._bury(process)
            raise
        self._idle.append(process)
        return rows

    def _begun(self, task: Task) -> Process:
        """A process that has begun with a draw: for one that dies before, the draw is not to
        blame."""
        while True:
            waiting = self._waiting()
            process = waiting or self._started()
            try:
                process.begin(task)
            except ProcessDeathError:
                self._bury(process)
                if not waiting:
                    raise
            else:
                return process

    def _waiting(self) -> Process | None:
        """A process that has nothing to do."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                self._bury(process)
        return None

    def _started(self) -> Process:
        with self._lock:
            if self._ended:
                raise SolveError("the run is over")
            process = Process(self._manifest)
            self._all.append(process)
        try:
            theirs = process.start()
        except ProcessDeathError as death:
            self._bury(process)
            raise SolveError(f"a worker could not be started: {death}") from None
        if theirs != self._versions:
            raise SolveError(f"a worker has other versions: {theirs}")
        return process

    def _bury(self, process: Process) -> None:
        process.close()
        self._all.remove(process)

    def end(self) -> None:
        """End them all; who waits for rows is told of a death."""
        with self._lock:
            self._ended = True
        for process in list(self._all):
            process.kill()
        while self._idle:
            self._bury(self._idle.pop())


# ---- the other end


def main() -> None:
    """Answer until there is nothing more to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it says when to stop
    questions, answers = _channels()
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # The input is watched from the first moment on, so that a process whose parent has been killed
    # never stays behind: the numerical libraries are loaded while it is.
    threading.Thread(target=_watch, args=(questions, asked), daemon=True).start()
    from detente.ensembles.design import Draw
    from detente.ensembles.manifest import Manifest, versions
    from detente.ensembles.rows import Task
    from detente.ensembles.worker import Worker

    def say(answer: object) -> None:
        answers.write(f"{json.dumps(answer)}\n".encode())
        answers.flush()

    worker = Worker(Manifest.from_json(json.loads(asked.get())["manifest"]))
    say(versions())
    while True:
        try:
            task = json.loads(asked.get(timeout=IDLE))
            say("begun")
            say(worker.solve(Task(Draw(**task["draw"]), task["beliefs"])))
        except queue.Empty:
            os._exit(0)
        except MemoryError:
            print("out of memory", file=sys.stderr, flush=True)
            os._exit(NO_MEMORY)


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Input and output for the protocol alone: what libraries print goes to stderr."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return questions, answers


def _watch(questions: BinaryIO, asked: queue.SimpleQueue[bytes]) -> None:
    for line in questions:
        asked.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
