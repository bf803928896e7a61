"""Stands in for what solves, in the processes of a worker."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from detente.errors import SolveError, refuse
from detente.solver.workers import Progress
from detente.workbench.jobs import Event, Job, Means


def act(job: Job, means: Means, progress: Progress) -> Iterator[Event]:
    """What the job's text says."""
    yield {"kind": "begun"}
    if job.text == "slow":
        for k in range(1000):
            time.sleep(0.01)
            progress(k / 1000)
    if job.text == "deaf":
        time.sleep(60)
    if job.text == "killed":
        os.kill(os.getpid(), 9)
    if job.text == "refused":
        refuse("values", "wrong", "this cannot be", "try another")
    if job.text == "unsolved":
        raise SolveError("no solution")
    if job.text == "broken":
        raise ZeroDivisionError("oh")
    yield {"kind": "said", "text": job.text, "process": os.getpid()}
