"""Stationary equilibria of games without end.

The values V with which a period begins solve V = Φ(V): one period of backward induction, each turn
on its principal branch given what follows, from values δ V plus flows at its end. V is followed
from precision 0, where play is uniform, to the game's own precision, in steps that are halved
where the iteration does not converge or moves too far; at each step V = Φ(V) is solved by
Anderson acceleration (Anderson 1965; Walker and Ni 2011). Regret is iterated along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame

Floats = NDArray[np.float64]
Map = Callable[[Floats, float], Floats]

MEMORY = 8
"""Iterates that Anderson acceleration looks back upon."""

MOST = 1000
"""Iterations at one precision; backward induction alone takes log(1e-12) / log(δ)."""

CLOSE, EXACT = 1e-6, 1e-12
"""Changes of V, relative to its size, at which steps on the way and the last have converged."""

GOOD = 1e-10
"""Change at which the last step counts as converged where rounding lets it go no further."""

PATIENCE = 40
"""Iterations without progress after which there will be none."""

SMALLEST = 1 / 512
"""Step in precision, as a share of the game's own, below which the branch is given up."""

FARTHEST = 0.2
"""Change of V from what the last steps point to, relative to its range, that a step may make."""


@dataclass(frozen=True, slots=True)
class Stationary:
    """The values [x, b, c] at the last precision reached, and how.

    share
        That precision, as a share of the game's own: 1 if all went well.
    change
        Largest |V - Φ(V)|, relative to the larger of 1 and |V|.
    iterations, steps
        How many there were.
    """

    values: Floats
    share: float
    change: float
    iterations: int
    steps: int


def at_share(game: CompiledGame, share: float) -> CompiledGame:
    """The game at a share of its precision."""
    return replace(game, precision=game.precision * share)


def follow_stationary(
    iterate: Map, start: Floats, *, continued: bool, progress: Callable[[float], None]
) -> Stationary:
    """Follow V = Φ(V) in precision.

    Parameters
    ----------
    iterate
        Φ(V, share) for float64 [x, b, c].
    start
        V to begin with.
    continued
        From precision 0 on; otherwise at the game's own precision at once.
    progress
        Called with the share reached.
    """
    values, iterations, steps = start, 0, 0
    if not continued:
        values, change, iterations = _accelerate(iterate, start, 1.0, EXACT)
        return Stationary(values, 1.0, change, iterations, 1)
    share, before = 0.0, (0.0, start)
    values, change, iterations = _accelerate(iterate, start, 0.0, CLOSE)
    step = 0.125
    while share < 1.0:
        to = min(share + step, 1.0)
        ahead = values
        if share > 0.0:
            ahead = values + (values - before[1]) * ((to - share) / (share - before[0]))
        tolerance = EXACT if to == 1.0 else CLOSE
        found, left, more = _accelerate(iterate, ahead, to, tolerance)
        iterations, steps = iterations + more, steps + 1
        reach = max(float(np.ptp(values)), 1e-9)
        strayed = float(np.abs(found - ahead).max()) > FARTHEST * reach and share > 0.0
        if left > max(tolerance, GOOD) or (strayed and step > SMALLEST):
            step /= 2
            if step < SMALLEST:
                return Stationary(values, share, left, iterations, steps)
            continue
        before, values, share, change = (share, values), found, to, left
        step = min(2 * step, 0.25) if more < 30 else step
        progress(share)
    return Stationary(values, share, change, iterations, steps)


def _accelerate(
    iterate: Map, start: Floats, share: float, tolerance: float
) -> tuple[Floats, float, int]:
    """V = Φ(V) from `start`: the last V, its relative change, and the iterations it took."""
    values = start.copy()
    steps: list[Floats] = []
    changes: list[Floats] = []
    last: tuple[Floats, Floats] | None = None
    best, at = np.inf, 0
    for n in range(1, MOST + 1):
        found = iterate(values, share)
        change = found - values
        size = max(1.0, float(np.abs(found).max()))
        left = float(np.abs(change).max()) / size
        if left <= tolerance or not np.isfinite(left):
            return found, left, n
        if left > 100 * best:  # too bold: begin again from plain iteration
            steps, changes, last = [], [], None
        if left < best:
            best, at = left, n
        elif n - at > (10 if best <= GOOD else PATIENCE):
            return found, left, n
        if last is not None:
            steps, changes = steps[1 - MEMORY :], changes[1 - MEMORY :]
            steps.append((values - last[0]).ravel())
            changes.append((change - last[1]).ravel())
        last = (values, change)
        values = found
        if steps:
            across = np.stack(changes, axis=1)
            weights, *_ = np.linalg.lstsq(across, change.ravel(), rcond=1e-12)
            move = (np.stack(steps, axis=1) + across) @ weights
            values = found - move.reshape(found.shape)
    return values, left, MOST
