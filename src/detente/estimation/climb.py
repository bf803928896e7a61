"""The climb to a maximum: a quasi-Newton method whose line search turns back at walls.

BFGS (Nocedal and Wright, Numerical Optimization, 2006, chapter 6) with the line search of Lewis and
Overton (2013), which brackets a step by bisection until it satisfies the weak Wolfe conditions. It
asks of a point where there is no likelihood no more than that: such a step is too long. (Optimisers
that want a number there are led astray by any.) The climb ends when the score is small in the
metric of the curvature, sqrt(gᵀ H⁻¹ g): the distance to the maximum in standard errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from detente.dtypes import Floats

CLOSE = 1e-6
"""Standard errors from the maximum within which a climb has arrived: far below any digit that is
printed, and above what rounding in a solve leaves of the score."""

NEAR = 1e-3
"""The same within which a climb that can go no further is as good as there."""

MOST_STEPS = 300
MOST_HALVINGS = 40

ARMIJO, WOLFE = 1e-4, 0.9
"""Of a step's promise what it must keep, and of its slope what may be left (Nocedal and Wright)."""

LONGEST = 5.0
"""Length of a first step, in coordinates."""

Function = Callable[[Floats], "tuple[float, Floats] | None"]
"""The number to be maximised and its gradient; None at a wall."""


class Status(Enum):
    """How a climb ended; the value is the sentence to print."""

    CONVERGED = "converged: the score is below a millionth of a standard error"
    NEARLY = "converged, to a thousandth of a standard error: rounding leaves no better step"
    BOUNDARY = "converged at a bound, where standard errors say nothing of the parameters at it"
    RUNS_AWAY = "not converged: a parameter runs away, and the likelihood with it rises no more"
    STOPPED = "not converged: no step in the steepest direction is better, up to a wall"
    STEPS = "not converged: the most steps were taken"
    INTERRUPTED = "not converged: interrupted; the best point so far is kept"
    IMPOSSIBLE = "no likelihood at the start"
    SEVERAL = "several optima: climbs have ended at different maxima, of which this is the highest"
    UNIDENTIFIED = "not identified: the data say nothing of some parameters, or not apart"


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """Where a climb ended: the point, its value and gradient, and the inverse curvature there."""

    x: Floats
    value: float
    gradient: Floats
    inverse: Floats
    steps: int
    status: Status

    @property
    def distance(self) -> float:
        """Of the maximum, in standard errors, as the curvature has it."""
        return float(np.sqrt(max(float(self.gradient @ self.inverse @ self.gradient), 0.0)))


def climb(
    function: Function,
    x: Floats,
    inverse: Floats,
    *,
    visit: Callable[[Climb], None],
    close: float = CLOSE,
) -> Climb:
    """Climb from x, where `inverse` is a guess of the inverse of minus the second derivatives.

    `visit` is called at each point that is reached.
    """
    first = function(x)
    if first is None:
        return Climb(x, -np.inf, np.zeros(x.size), inverse, 0, Status.IMPOSSIBLE)
    value, gradient = first
    here = Climb(x, value, gradient, inverse, 0, Status.STEPS)
    try:
        for step in range(1, MOST_STEPS + 1):
            visit(here)
            if here.distance < close:
                return _ended(here, Status.CONVERGED)
            direction = here.inverse @ here.gradient
            reached = _search(function, here, direction)
            if reached is None and not np.array_equal(here.inverse, inverse):
                steepest = inverse @ here.gradient
                reached = _search(function, here, steepest)
            if reached is None:
                near = here.distance < NEAR
                return _ended(here, Status.NEARLY if near else Status.STOPPED)
            new, value, gradient = reached
            updated = _updated(here.inverse, new - here.x, here.gradient - gradient)
            here = Climb(new, value, gradient, updated, step, Status.STEPS)
    except KeyboardInterrupt:
        return _ended(here, Status.INTERRUPTED)
    return here


def _ended(here: Climb, status: Status) -> Climb:
    return Climb(here.x, here.value, here.gradient, here.inverse, here.steps, status)


def _search(
    function: Function, here: Climb, direction: Floats
) -> tuple[Floats, float, Floats] | None:
    """A point in the direction that satisfies the weak Wolfe conditions, or the best that rose."""
    slope = float(here.gradient @ direction)
    if not slope > 0:
        return None
    low, high = 0.0, np.inf
    length = float(np.abs(direction).max())
    step = 1.0 if length <= LONGEST else LONGEST / length
    best: tuple[Floats, float, Floats] | None = None
    for _ in range(MOST_HALVINGS):
        x = here.x + step * direction
        point = function(x)
        if point is None or point[0] < here.value + ARMIJO * step * slope:
            high = step
        else:
            best = (x, *point)
            if float(point[1] @ direction) <= WOLFE * slope:
                return best
            low = step
        step = (low + high) / 2 if np.isfinite(high) else 2 * low
        if step * length < 1e-12:
            break
    return best


def _updated(inverse: Floats, step: Floats, change: Floats) -> Floats:
    """The BFGS update of an inverse curvature."""
    curvature = float(step @ change)
    if curvature <= 1e-14 * float(np.linalg.norm(step) * np.linalg.norm(change)):
        return inverse
    left = np.eye(step.size) - np.outer(step, change) / curvature
    return np.asarray(left @ inverse @ left.T + np.outer(step, step) / curvature)
