"""Worlds on other machines, by way of a Dask scheduler.

A task of Dask's is one world. Its worker hands it on to a process of its own
(`detente.ensembles.process`), as this machine would: so a world that takes its process with it is
tried once more there, and the worker of Dask stays. Where that itself is killed, the scheduler
gives its worlds to others, up to its own limit of `allowed-failures`; then the world is given to it
once more, with no other under way that could be to blame, and the second time becomes rows that say
what happened.

Tasks are few at a time, and hold all they need: the manifest, packed, with the scenario's text. The
scheduler keeps nothing of a world that has been told of. When the scheduler is gone the run
ends, with what was done kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import queue
import threading
import time
import uuid
import zlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from distributed import Client, Future, KilledWorker, get_worker

from detente.ensembles.manifest import Manifest, versions
from detente.ensembles.process import TRIES, Process, Task, crashed, died
from detente.ensembles.world import Row
from detente.errors import Diagnostic, Place, ScenarioError, SolveError

AHEAD = 2
"""Worlds that are given to the scheduler for each thread of its workers."""

LOOK = 2.0
"""Seconds after which the workers are counted anew."""

NOTICE = 10.0
"""Seconds without a worker after which it is told that the run waits."""

IDLE = 300.0
"""Seconds after which the processes of a run that asks nothing are ended."""

CONNECT = "15s"
"""How long to wait for a scheduler to answer."""

_LOG = logging.getLogger(__name__)


class Cluster:
    """The workers of a scheduler. Used in a `with` block.

    address
        Of the scheduler (`tcp://host:8786`), or the path of its scheduler file.
    """

    def __init__(self, manifest: Manifest, address: str) -> None:
        self._record = manifest
        self._address = address
        self._packed = zlib.compress(manifest.to_json().encode())
        self._run = uuid.uuid4().hex
        self._done: queue.Queue[str] = queue.Queue()
        self._given: dict[str, tuple[Future[Any], Task]] = {}
        self._suspects: deque[Task] = deque()
        self._alone = False
        self._ready: deque[tuple[Task, list[Row]]] = deque()
        self._room = 1  # the first world alone: it may have to compile the kernels
        self._looked = 0.0
        self._staffed = math.inf  # when workers were seen last; infinite once it is told of none

    def __enter__(self) -> Self:
        self._logger = logging.getLogger("distributed")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)  # what matters is told by what is raised
        try:
            self._client = _connected(self._address)
        except BaseException:
            self._logger.setLevel(self._level)
            raise
        try:
            self._check_versions()
        except BaseException:
            self._end()
            raise
        self._staffed = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def has_room(self) -> bool:
        """Whether the scheduler should be given another world."""
        judged = self._suspects or (self._alone and self._given)
        return not judged and len(self._given) < self._room

    def submit(self, task: Task) -> None:
        """Solve a world."""
        self._alone = False
        self._give(task)

    def next(self) -> tuple[Task, list[Row]]:
        """Wait for a world that has been solved, or cannot be. Raises `SolveError`."""
        while not self._ready:
            if self._suspects and not self._given:
                self._alone = True
                self._give(self._suspects.popleft(), again=True)
            try:
                keys = [self._done.get(timeout=1.0)]
            except queue.Empty:
                if self._client.status != "running":
                    # Its futures are lost, whether it comes back or not.
                    raise self._lost() from None
                self._count()
                continue
            with contextlib.suppress(queue.Empty):
                while True:
                    keys.append(self._done.get_nowait())
            self._take(keys)
            self._count()
        return self._ready.popleft()

    def _give(self, task: Task, again: bool = False) -> None:
        if self._client.status != "running":
            raise self._lost()
        draw, points = task.world
        key = f"detente-{self._run}-{draw}-{points}{'-again' if again else ''}"
        future = self._client.submit(
            solve, self._run, self._packed, task, key=key, pure=False, retries=0
        )
        self._wait_for(key, future, task)

    def _wait_for(self, key: str, future: Future[Any], task: Task) -> None:
        self._given[key] = future, task
        future.add_done_callback(lambda _: self._done.put(key))

    def _take(self, keys: list[str]) -> None:
        """Fetch what is finished, all at once; see to what is not."""
        given = {key: self._given.pop(key) for key in keys}
        fine = {key: future for key, (future, _) in given.items() if future.status == "finished"}
        try:
            answers = self._client.gather(fine, errors="skip")
        except OSError as error:
            raise self._lost() from error
        for key, (future, task) in given.items():
            if answers.get(key) is not None:
                self._ready.append((task, self._rows(task, answers[key])))
            elif future.status == "error":
                self._blame(task, future.exception())
            elif future.status == "cancelled":
                raise self._lost()
            else:  # its worker died with the answer: it is being solved again
                self._wait_for(key, future, task)

    def _rows(self, task: Task, answer: Mapping[str, Any]) -> list[Row]:
        """The rows in an answer. Raises `SolveError` where the worker is not to be used."""
        if answer["failed"]:
            raise SolveError(f"the worker {answer['worker']} failed: {answer['failed']}")
        if answer["versions"] != versions():
            raise SolveError(_other(answer["worker"], answer["versions"]))
        if answer["died"]:
            return crashed(self._record, task, answer["died"])
        rows: list[Row] = json.loads(answer["line"])["rows"]
        return rows

    def _blame(self, task: Task, error: BaseException | None) -> None:
        """See to a world whose workers have died, perhaps by another world's fault.

        It is given once more, and nothing beside it: if that ends as before, it is its own.
        """
        if not isinstance(error, KilledWorker):
            raise SolveError(f"a worker of the cluster failed: {error}") from error
        if self._alone:
            dead = died(TRIES, "with its worker of the cluster")
            self._ready.append((task, crashed(self._record, task, dead)))
        else:
            self._suspects.append(task)

    def _count(self) -> None:
        """Look how many worlds can be under way, and tell where nobody is there to solve them."""
        if time.monotonic() - self._looked < LOOK:
            return
        now = self._looked = time.monotonic()
        with contextlib.suppress(OSError):
            threads = sum(self._client.nthreads().values())
            self._room = AHEAD * max(threads, 1)
            if threads:
                self._staffed = now
            elif now - self._staffed > NOTICE:
                _LOG.warning("The scheduler at %s has no workers: waiting for one.", self._address)
                self._staffed = math.inf

    def _check_versions(self) -> None:
        """Refuse workers that would find other numbers, or none."""
        found: Mapping[str, Any] = self._client.run(versions, on_error="return")
        for worker, theirs in found.items():
            if isinstance(theirs, Exception):
                raise SolveError(
                    f"the worker {worker} has no Detente that it can use: {theirs}\n"
                    "hint: install the same version there as here"
                )
            if theirs != versions():
                raise SolveError(_other(worker, theirs))

    def _lost(self) -> SolveError:
        return SolveError(f"the scheduler at {self._address} is gone")

    def _end(self) -> None:
        try:
            if self._client.status == "running":
                with contextlib.suppress(OSError, TimeoutError):
                    self._client.cancel([future for future, _ in self._given.values()])
                    self._client.run(end, self._run, on_error="ignore")
            self._client.close(timeout=5)
        finally:
            self._given.clear()
            self._logger.setLevel(self._level)


def _connected(address: str) -> Client:
    file = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        return Client(**file, timeout=CONNECT, set_as_default=False, name="detente")
    except (OSError, TimeoutError, ValueError) as error:
        message = f"there is no scheduler at {address}"
        hint = str(error).strip().splitlines()[0] if str(error).strip() else ""
        problem = Diagnostic(Place("--cluster"), "no-cluster", message, hint)
        raise ScenarioError([problem]) from error


def _other(worker: str, theirs: Mapping[str, str]) -> str:
    other = [
        f"{name} {theirs.get(name)}, here {version}"
        for name, version in versions().items()
        if theirs.get(name) != version
    ]
    return (
        f"the worker {worker} has other versions: {'; '.join(other)}\n"
        "hint: the same world gives the same numbers only on the same versions"
    )


# What follows runs on the workers of the cluster.


class _Crew:
    """The processes that a worker of Dask's has for one run: one for each of its threads."""

    def __init__(self) -> None:
        self.idle: list[Process] = []
        self.all: list[Process] = []
        self.used = time.monotonic()
        self.ended = False


_CREWS: dict[str, _Crew] = {}
_LOCK = threading.Lock()


def solve(run: str, packed: bytes, task: Task) -> dict[str, Any]:
    """Solve a world by a process of this worker: its line, or how the process died at the end.

    What goes wrong is told as text: not every exception can be sent.
    """
    told: dict[str, Any] = {"worker": get_worker().address, "line": b"", "died": "", "failed": ""}
    deaths = 0
    try:
        while True:
            process = _process(run, packed)
            told["versions"] = dict(process.versions or {})
            process.submit(task)
            line = process.line()
            if line:
                _give_back(run, process)
                return {**told, "line": line}
            reason = _bury(run, process)
            deaths += 1
            if deaths == TRIES:
                return {**told, "died": died(deaths, reason)}
    except Exception as error:
        return {**told, "failed": f"{type(error).__name__}: {error}"}


def end(run: str) -> None:
    """End the processes of a run that is over."""
    with _LOCK:
        crew = _CREWS.get(run)
        if crew is None:
            return
        crew.ended = True
        processes = list(crew.all)
    for process in processes:
        process.kill()


def _process(run: str, packed: bytes) -> Process:
    """A process with nothing to do; a fresh one if there is none."""
    with _LOCK:
        if run not in _CREWS:
            _CREWS[run] = _Crew()
            threading.Thread(target=_watch, args=(run,), daemon=True).start()
        crew = _CREWS[run]
        if crew.ended:
            raise RuntimeError("the run is over")
        if crew.idle:
            return crew.idle.pop()
        manifest = Manifest.from_json(zlib.decompress(packed).decode())
        process = Process(manifest, queue.Queue())
        crew.all.append(process)
    first = process.line()
    if not first:
        raise RuntimeError(f"a process could not be started: {_bury(run, process)}")
    process.take(first)
    return process


def _give_back(run: str, process: Process) -> None:
    with _LOCK:
        _CREWS[run].idle.append(process)
        _CREWS[run].used = time.monotonic()


def _watch(run: str) -> None:
    """End processes that nobody asks any more: their client may have been killed."""
    while True:
        time.sleep(IDLE / 10)
        with _LOCK:
            crew = _CREWS[run]
            forgotten = time.monotonic() - crew.used > IDLE and len(crew.idle) == len(crew.all)
            if not crew.ended and not forgotten:
                continue
            processes = list(crew.idle)
            if forgotten:
                del _CREWS[run]
        for process in processes:
            process.kill()
        return


def _bury(run: str, process: Process) -> str:
    """How a process died."""
    reason = process.how_it_died()
    process.kill()
    with _LOCK:
        _CREWS[run].all.remove(process)
        if _CREWS[run].ended:
            raise RuntimeError("the run is over")
    return reason
