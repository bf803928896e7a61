"""Processes on other machines, by way of a Dask scheduler.

A task of Dask's is one of ours. Its worker hands it on to a process of its own, as this machine
would: so a draw that takes its process with it leaves the worker of Dask alone. Where that itself
is killed, the scheduler gives its tasks to others, up to its own limit of `allowed-failures`, after
which the task counts as one whose process died.

Tasks hold all they need: the manifest, packed, with the scenario's text in it. The scheduler keeps
nothing of a task that is done. When the scheduler is gone the run ends, with what was done kept.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
import uuid
import zlib
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Self

from distributed import Client, KilledWorker, get_worker

from detente.ensembles.manifest import Manifest, changed, versions
from detente.ensembles.pool import AHEAD, Pool
from detente.ensembles.process import Crew, ProcessDeathError
from detente.ensembles.rows import Row, Task
from detente.errors import Diagnostic, Place, ScenarioError, SolveError

LOOK = 2.0
"""Seconds after which the workers are counted anew."""

NOTICE = 10.0
"""Seconds without a worker after which a user reads that the run waits."""

CONNECT = "15s"
"""How long to wait for a scheduler to answer."""

_LOG = logging.getLogger(__name__)


class ClusterPool(Pool):
    """The workers of a scheduler.

    address
        Of the scheduler (`tcp://host:8786`), or the path of its scheduler file.
    """

    def __init__(self, manifest: Manifest, address: str) -> None:
        super().__init__(manifest)
        self._address = address
        self._packed = zlib.compress(manifest.to_json().encode())
        self._run = uuid.uuid4().hex
        self._looked = 0.0
        self._staffed = math.inf  # when workers were seen last; infinite once there is a notice

    def __enter__(self) -> Self:
        self._logger = logging.getLogger("distributed")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)  # what matters is in what is raised
        try:
            self._client = _connected(self._address)
            self._tasks = self._client.get_executor(pure=False, retries=0)
        except BaseException:
            self._logger.setLevel(self._level)
            raise
        try:
            self._check_versions()
        except BaseException:
            self.close()
            raise
        self._staffed = time.monotonic()
        return self

    def submit(self, task: Task) -> Future[list[Row]]:
        if self._client.status != "running":
            raise self._lost()
        future: Future[list[Row]] = self._tasks.submit(
            solve, self._run, self._packed, versions(), task
        )
        return future

    def rows(self, future: Future[list[Row]]) -> list[Row]:
        try:
            return future.result()
        except KilledWorker:
            raise ProcessDeathError("with its worker of the cluster") from None
        except CancelledError:
            raise self._lost() from None
        except (ProcessDeathError, SolveError):
            raise
        except Exception as error:
            raise SolveError(f"a worker of the cluster failed: {error}") from error

    def look(self) -> None:
        """Count the workers, and say where nobody is there to solve anything."""
        if self._client.status != "running":
            raise self._lost()  # its futures are lost, whether it comes back or not
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        with contextlib.suppress(OSError):
            threads = sum(self._client.nthreads().values())
            self.room = AHEAD * max(threads, 1)
            if threads:
                self._staffed = now
            elif now - self._staffed > NOTICE:
                _LOG.warning("The scheduler at %s has no workers: waiting for one.", self._address)
                self._staffed = math.inf

    def _check_versions(self) -> None:
        """Refuse workers that would find other numbers, or none."""
        found: Mapping[str, object] = self._client.run(versions, on_error="return")
        for worker, theirs in found.items():
            if not isinstance(theirs, dict):
                raise SolveError(
                    f"the worker {worker} has no Detente that it can use: {theirs}\n"
                    "hint: install the same version there as here"
                )
            if other := changed(theirs):
                raise SolveError(
                    f"the worker {worker} has other versions: {other}\n"
                    "hint: the same draw gives the same numbers only on the same versions"
                )

    def _lost(self) -> SolveError:
        return SolveError(f"the scheduler at {self._address} is gone")

    def close(self) -> None:
        try:
            if self._client.status == "running":
                with contextlib.suppress(OSError, TimeoutError):
                    self._tasks.shutdown(wait=False)
                    self._client.run(end, self._run, on_error="ignore")
            self._client.close(timeout=5)
        finally:
            self._logger.setLevel(self._level)


def _connected(address: str) -> Client:
    file = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        return Client(**file, timeout=CONNECT, set_as_default=False, name="detente")
    except (OSError, TimeoutError, ValueError) as error:
        message = f"there is no scheduler at {address}"
        hint = str(error).strip().partition("\n")[0]
        problem = Diagnostic(Place(argument="cluster"), "no-cluster", message, hint)
        raise ScenarioError([problem]) from error


# ---- what follows runs on the workers of the cluster

_CREWS: dict[str, Crew] = {}
_LOCK = threading.Lock()


def solve(run: str, packed: bytes, expected: Mapping[str, str], task: Task) -> list[Row]:
    """The rows of a draw, by a process of this worker."""
    with _LOCK:
        if run not in _CREWS:
            manifest = Manifest.from_json(zlib.decompress(packed).decode())
            _CREWS[run] = Crew(manifest, expected)
        crew = _CREWS[run]
    try:
        return crew.solve(task)
    except SolveError as error:
        raise SolveError(f"the worker {get_worker().address} failed: {error}") from None


def end(run: str) -> None:
    """End the processes of a run that is over."""
    with _LOCK:
        crew = _CREWS.pop(run, None)
    if crew is not None:
        crew.end()
