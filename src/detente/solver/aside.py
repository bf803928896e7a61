"""Several solves at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from detente.solver.options import SolveOptions
from detente.solver.workers import open_workers

T = TypeVar("T")


def side_by_side(
    tasks: Sequence[Callable[[SolveOptions], T]], options: SolveOptions, needed: int
) -> list[T]:
    """The results of tasks that solve, as many at once as there are threads and memory for.

    One solve alone has parts that cannot be shared out. If a task fails, or the caller is
    interrupted, the others stop at their next step.

    Parameters
    ----------
    tasks
        Each is called with its own options: a share of the threads, and of the progress.
    options
        Of all of them together.
    needed
        Bytes that the largest of them takes.
    """
    if not tasks:
        return []
    with open_workers(options.threads) as workers:
        room = options.memory_limit // max(needed, 1)
        most = max(1, min(workers.threads, len(tasks), room))
        shares = [0.0] * len(tasks)

        def begin(k: int) -> T:
            def tell(share: float) -> None:
                shares[k] = share
                options.report(sum(shares) / len(shares))

            threads = max(1, workers.threads // most)
            return tasks[k](replace(options, threads=threads, progress=tell))

        return workers.together([partial(begin, k) for k in range(len(tasks))], most)
