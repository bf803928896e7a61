"""What is computed for a page, as one process hands it to another: jobs in, events out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from detente.scenario.frozen import Frozen
from detente.solver.workers import Progress
from detente.workbench.setting import Setting

Event = dict[str, Any]
"""Plain values with their `kind`; the last one of a job is one of `LAST`."""

LAST = frozenset({"end", "refused", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Job:
    """Something to compute.

    number, client
        Its own number, and the page that waits for it.
    what
        'answer', or one of `detente.workbench.analyses.ANALYSES`.
    text, file
        The scenario's file as it stood, and what messages call it.
    setting
        The changes to it.
    more
        What an analysis needs besides.
    """

    number: int
    client: str
    what: str
    text: str
    file: str
    setting: Setting = field(default_factory=Setting)
    more: Mapping[str, Any] = field(default_factory=Frozen)


@dataclass(frozen=True, slots=True)
class Means:
    """What the work may use: as in `SolveOptions`."""

    beliefs: int | None = None
    threads: int | None = None
    memory_limit: int | None = None
    time_limit: float | None = None


class CancelledError(Exception):
    """Nobody waits for the job any more."""


Performer = Callable[[Job, Means, Progress], Iterator[Event]]
