"""Processes that compute: the newest job first, and none for which nobody waits.

A job that is cancelled stops where it next reports its progress. One that does not within
`PATIENCE` seconds is ended with its process: the next job then has a new one, as it has where a
process was killed, for want of memory. What takes long and is of use to the next job as well is
waited for: a process that starts, and steps that say so by `seconds`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from detente.errors import Diagnostic, ScenarioError, SolveError
from detente.workbench.jobs import LAST, CancelledError, Event, Job, Means, Performer

PATIENCE = 3.0
"""Seconds within which a cancelled job should report progress and so see that it is cancelled."""

START = 120.0
"""Seconds that a process may take to start: it imports the numerical libraries."""

EVERY = 0.1
"""Seconds between two reports of progress."""

BEHIND = 10
"""How far a process gives way to others: a solve takes all cores, and the browser and the server,
which are to answer at once, want little of them."""

MOST_WAITING = 64
"""Jobs that wait for a process; the oldest give way."""

Deliver = Callable[[Job, Event], None]


def diagnostic_event(diagnostics: tuple[Diagnostic, ...]) -> Event:
    """Mistakes of the user, as the last event of a job."""
    told = [
        {
            "place": str(d.place) if d.place.file else d.place.argument,
            "severity": str(d.severity),
            "code": d.code,
            "message": d.message,
            "hint": d.hint,
        }
        for d in diagnostics
    ]
    return {"kind": "refused", "diagnostics": told}


# ---- in the process that computes


def serve_jobs(connection: Connection, perform: Performer, means: Means) -> None:
    """Do one job after the other until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server's own end ends this process
    with contextlib.suppress(AttributeError, OSError):  # there are systems without
        os.nice(BEHIND)
    inbox = _Inbox(connection)
    while True:
        job = inbox.next()
        for event in _events(job, perform, means, inbox):
            connection.send((job.number, event))


def _events(job: Job, perform: Performer, means: Means, inbox: _Inbox) -> Iterator[Event]:
    """All events of a job; the last one says how it ended."""
    reported = 0.0

    def check() -> None:
        if job.number in inbox.cancelled:
            raise CancelledError

    def progress(share: float) -> None:
        nonlocal reported
        check()
        now = time.monotonic()
        if now - reported > EVERY:
            reported = now
            inbox.connection.send((job.number, {"kind": "progress", "share": round(share, 3)}))

    yield {"kind": "taken"}
    try:
        for event in perform(job, means, progress):
            check()
            yield event
        yield {"kind": "end"}
    except CancelledError:
        yield {"kind": "cancelled"}
    except ScenarioError as error:
        yield diagnostic_event(error.diagnostics)
    except SolveError as error:
        yield {"kind": "failed", "message": str(error)}
    except MemoryError:
        yield {"kind": "failed", "message": "there is not enough memory for this"}
    except Exception as error:  # a fault of Detente itself: the page says so and goes on
        yield {"kind": "failed", "message": f"a fault of Detente: {type(error).__name__}: {error}"}


class _Inbox:
    """What the server sends: jobs to wait for, and numbers of jobs that are cancelled."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.cancelled: set[int] = set()
        self._jobs: list[Job] = []
        self._arrived = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> Job:
        with self._arrived:
            self._arrived.wait_for(lambda: self._jobs)
            return self._jobs.pop(0)

    def _read(self) -> None:
        while True:
            try:
                message = self.connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the server is gone: nobody waits for the solve
            with self._arrived:
                if isinstance(message, Job):
                    self._jobs.append(message)
                    self._arrived.notify()
                else:
                    self.cancelled.add(message)


# ---- in the server


@dataclass(slots=True)
class _Running:
    job: Job
    cancelled_at: float | None = None
    patience: float = START


@dataclass(eq=False)
class Worker:
    """One process and the jobs that wait for it. `deliver` is called from a thread of its own."""

    perform: Performer
    means: Means
    deliver: Deliver
    _waiting: list[Job] = field(default_factory=list)
    _running: _Running | None = None
    _process: BaseProcess | None = None
    _connection: Connection | None = None
    _closed: bool = False

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Do this job before all others that wait."""
        with self._changed:
            self._waiting.append(job)
            dropped = self._waiting[:-MOST_WAITING]
            del self._waiting[:-MOST_WAITING]
            self._changed.notify()
        for old in dropped:
            self.deliver(old, {"kind": "cancelled"})

    def cancel(self, wanted: Callable[[Job], bool]) -> None:
        """Cancel the jobs of which this is true."""
        with self._changed:
            gone = [job for job in self._waiting if wanted(job)]
            self._waiting = [job for job in self._waiting if not wanted(job)]
            running = self._running
            if running and running.cancelled_at is None and wanted(running.job):
                running.cancelled_at = time.monotonic()
                if self._connection is not None:
                    with contextlib.suppress(OSError):
                        self._connection.send(running.job.number)
        for job in gone:
            self.deliver(job, {"kind": "cancelled"})

    def close(self) -> None:
        """End the process, whatever it does."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
        self._end_process()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._waiting.pop()
                self._running = _Running(job)
            try:
                last = self._do(job)
            except (EOFError, OSError):  # its process has ended
                last = {
                    "kind": "failed",
                    "message": "the process that solved it was ended, perhaps for want of memory",
                }
                self._end_process()
            with self._changed:
                self._running = None
            if not self._closed:
                self.deliver(job, last)

    def _do(self, job: Job) -> Event:
        """Hand a job over and deliver what comes of it; gives its last event."""
        connection = self._ready()
        connection.send(job)
        with self._changed:
            assert self._running is not None
            if self._running.cancelled_at is not None:  # before the process could be told
                connection.send(job.number)
        while True:
            if connection.poll(0.25):
                number, event = connection.recv()
                if number != job.number:
                    continue  # of a job before
                if event["kind"] in LAST:
                    return dict(event)
                running = self._running
                assert running is not None
                running.patience = event.get("seconds", PATIENCE)
                if running.cancelled_at is None:
                    self.deliver(job, event)
                else:  # it is alive, and has so long from now on
                    running.cancelled_at = time.monotonic()
            elif self._overdue():
                self._end_process()
                return {"kind": "cancelled"}

    def _overdue(self) -> bool:
        """Whether the job was cancelled and its process has not noticed for too long."""
        running = self._running
        if running is None or running.cancelled_at is None:
            return False
        return time.monotonic() - running.cancelled_at > running.patience

    def _ready(self) -> Connection:
        """The connection to a process that is alive."""
        if self._process is None or not self._process.is_alive():
            self._end_process()
            context = get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(
                target=serve_jobs, args=(theirs, self.perform, self.means), daemon=True
            )
            process.start()
            theirs.close()
            with self._changed:
                self._process, self._connection = process, ours
        assert self._connection is not None
        return self._connection

    def _end_process(self) -> None:
        with self._changed:
            process, connection = self._process, self._connection
            self._process = self._connection = None
        if process is not None:
            process.kill()
            process.join(timeout=5)
        if connection is not None:
            connection.close()
