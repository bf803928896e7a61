"""The clock by which a solve's time is limited: it stands still while kernels are compiled.

How long that takes depends on the machine and is paid once; results are not to depend on it.
"""

from __future__ import annotations

import time
from functools import cache

_STILL = [0.0]
"""Seconds so far in which it has stood still."""


def now() -> float:
    """Seconds, from some moment on."""
    return time.monotonic() - _STILL[0]


def leave_out(seconds: float) -> None:
    """Do not count so many seconds that have just passed."""
    _STILL[0] += seconds


@cache
def watch() -> None:
    """Leave out, from now on, what Numba compiles. Not before a solve, which needs Numba anyway."""
    from numba.core import event

    class Compiling(event.Listener):
        """Of kernels that others call the time is part of theirs; one thread compiles at a time."""

        depth, begin = 0, 0.0

        def on_start(self, event: object) -> None:
            del event
            if self.depth == 0:
                self.begin = time.monotonic()
            self.depth += 1

        def on_end(self, event: object) -> None:
            del event
            self.depth -= 1
            if self.depth == 0:
                leave_out(time.monotonic() - self.begin)

    event.register("numba:compile", Compiling())  # type: ignore[no-untyped-call]
