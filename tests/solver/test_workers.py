"""Work side by side: results in order, and an end to all of it when one part ends."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from functools import partial
from threading import Event

import numba.core.event as events
import pytest

from detente.solver import clock
from detente.solver.workers import TimeUpError, open_workers


@pytest.mark.parametrize("most", [None, 1, 2])
@pytest.mark.parametrize("threads", [1, 3])
def test_results_are_in_order(threads: int, most: int | None) -> None:
    with open_workers(threads) as workers:
        tasks = [partial(pow, k, 2) for k in range(5)]
        assert workers.together(tasks, most) == [0, 1, 4, 9, 16]


def test_what_a_task_has_begun_stops_with_the_others() -> None:
    """As when a solve that stands beside another fails or is interrupted."""
    begun, stopped = Event(), Event()

    def endless() -> None:
        with open_workers(2) as own:
            begun.set()
            try:
                while True:
                    own.run(lambda first, last: None, 4, 4)
            except CancelledError:
                stopped.set()
                raise

    def failing() -> None:
        begun.wait(60)
        raise ValueError("this one fails")

    with open_workers(2) as workers, pytest.raises(ValueError, match="this one"):
        workers.together([failing, endless])
    assert stopped.is_set()
    with open_workers(1) as workers:
        workers.check()  # what comes later is not stopped


def test_what_is_compiled_does_not_count_against_the_time() -> None:
    """Otherwise a solve would give another answer on a machine that has no kernels yet."""
    with open_workers(1) as workers:
        limited = workers.within(0.2)
        with events.trigger_event("numba:compile"), events.trigger_event("numba:compile"):
            time.sleep(0.3)
        assert limited.deadline - clock.now() > 0.1
        limited.run(lambda first, last: None, 4, 4)
        time.sleep(0.3)
        with pytest.raises(TimeUpError):
            limited.run(lambda first, last: None, 4, 4)
