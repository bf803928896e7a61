"""The threads among which work is shared out, and how progress is reported."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_EXCEPTION,
    CancelledError,
    Executor,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event, Lock
from typing import TypeVar

import numpy as np

from detente.solver import clock

Progress = Callable[[float], None]
"""Called with the share of the work that is done, from 0 to 1."""

T = TypeVar("T")


def side_by_side(progress: Progress | None, sizes: Sequence[float]) -> list[Progress]:
    """The progress of each of several tasks of these sizes that may go on at the same time."""
    shares, one_at_a_time = np.zeros(len(sizes)), Lock()

    def report(k: int, share: float) -> None:
        with one_at_a_time:
            shares[k] = share
            if progress is not None:
                progress(float(shares @ sizes) / sum(sizes))

    return [partial(report, k) for k in range(len(sizes))]


def between(progress: Progress | None, begin: float, end: float) -> Progress:
    """The progress of a step that takes the work from one share of the whole to another."""

    def report(share: float) -> None:
        if progress is not None:
            progress(begin + (end - begin) * share)

    return report


SMALL_WORK = 20_000
"""Nodes of a layer below which sharing out costs more than it saves."""


BRIEF = 0.01
"""Seconds that states worked on without a look at the clock should take."""


class TimeUpError(Exception):
    """The time that was given is over."""


_STOPPED: ContextVar[Event | None] = ContextVar("stopped", default=None)
"""Set when the task to which a thread belongs is to stop (see `Workers.together`)."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Threads that share out the states of a layer, until they are `stopped` or time is up.

    `deadline` is in seconds of `clock.now`.
    """

    pool: Executor
    threads: int
    stopped: Event = field(default_factory=Event)
    deadline: float = math.inf

    def within(self, seconds: float) -> Workers:
        """The same for so many seconds from now on; inf for as long as it takes."""
        clock.watch()
        return replace(self, deadline=clock.now() + seconds)

    def share(self, part: float) -> Workers:
        """The same for a share of the time that is left."""
        return self.within(part * (self.deadline - clock.now()))

    def run(self, task: Callable[[int, int], None], states: int, nodes: int) -> None:
        """Call task(first, last) over all states, in parallel where that pays."""
        self.check()
        if self.threads == 1 or nodes < SMALL_WORK or states == 1:
            self._in_turn(task, 0, states)
            return
        cuts = np.linspace(0, states, min(states, 8 * self.threads) + 1).astype(int)
        list(self.pool.map(partial(self._in_turn, task), cuts[:-1], cuts[1:]))

    def _in_turn(self, task: Callable[[int, int], None], first: int, last: int) -> None:
        """Call task(first, last), in parts that are as long as the clock may be out of sight."""
        if math.isinf(self.deadline):
            task(first, last)
            return
        size = 1
        while first < last:
            begin = clock.now()
            if begin > self.deadline:
                raise TimeUpError
            task(first, min(first + size, last))
            first += size
            size = 2 * size if clock.now() - begin < BRIEF else 1

    def together(self, tasks: Sequence[Callable[[], T]], most: int | None = None) -> list[T]:
        """The results of tasks, at the same time or in turn, `most` of them at once.

        If one fails, or the caller is interrupted, the others stop at their next step: also solves
        and forecasts that a task has begun by itself.
        """
        if self.threads == 1 or most == 1 or len(tasks) < 2:
            return [task() for task in tasks]
        with ThreadPoolExecutor(
            most or len(tasks), initializer=_STOPPED.set, initargs=(self.stopped,)
        ) as aside:
            results = [aside.submit(task) for task in tasks]
            try:
                wait(results, return_when=FIRST_EXCEPTION)
                failed = [result for result in results if result.done() and result.exception()]
                return [result.result() for result in failed or results]
            except BaseException:
                self.stopped.set()
                aside.shutdown(cancel_futures=True)
                raise

    def as_done(self, tasks: Sequence[Callable[[], T]]) -> Iterator[T]:
        """The results of tasks as they come, as many at once as there are threads.

        Whoever stops asking, or is interrupted, stops the tasks under way at their next step.
        """
        with ThreadPoolExecutor(
            self.threads, initializer=_STOPPED.set, initargs=(self.stopped,)
        ) as aside:
            try:
                for result in as_completed([aside.submit(task) for task in tasks]):
                    yield result.result()
            finally:
                self.stopped.set()
                aside.shutdown(cancel_futures=True)

    def check(self) -> None:
        """Raise if the work was stopped, or the time is over."""
        if self.stopped.is_set():
            raise CancelledError
        if clock.now() > self.deadline:
            raise TimeUpError


@contextmanager
def open_workers(threads: int | None) -> Iterator[Workers]:
    """So many threads while the block runs; as many as there are processors by default."""
    count = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        yield Workers(pool, count, _STOPPED.get() or Event())
