"""Where a function of one number crosses a level: brackets, roots, jumps.

The function is dear (a game is solved for each value), so every value is kept and used again.

1. Between neighbouring values on the same side of the level a cubic interpolant (Hermite where
   slopes are known, else a spline through all values) tells whether the curve bends towards the
   level far enough to cross it twice. There the function is computed, and the search begins again.
2. A change of side is a bracket. Brent's method (Brent 1973, chapter 4; `scipy.optimize.brentq`)
   narrows it until the function is as close to the level as asked for, or the bracket as narrow.
3. A bracket that is that narrow, and still has a good part of the change, holds a jump.

What no interpolant shows is not found: two crossings between neighbours, of a curve that bends
more sharply between them than its values elsewhere let expect.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from scipy.optimize import brentq

SAMPLES = 33
"""Places between two neighbours at which the interpolant is looked at."""

BULGE = 1.5
"""By how much more than the interpolant the curve is allowed to bend away from the chord."""

EXTRA = 8
"""Values computed at most because an interpolant bends towards the level."""


SUDDEN = 0.05
"""Share of a bracket's change that is left when it is narrowed to almost nothing: a jump has it."""

POLISH = 1e-4
"""By how much more a crossing that is no jump may be narrowed until it is as close as asked for."""

STEEP = 6.0
"""The same where it is not that narrow: by how much it changes faster than the whole bracket."""


@dataclass(frozen=True, slots=True)
class Root:
    """A change of side: at `value` the function is at the level, or it jumps over it in between.

    low, high
        Neighbouring values of the bracket: below and above `value`.
    below, above
        The function there.
    """

    value: float
    jump: bool
    rising: bool
    low: float
    high: float
    below: float
    above: float


@dataclass(slots=True)
class SampledFunction:
    """A costly function with its values so far, in order. `slopes` has those that are known.

    `with_slope` gives the function and its slope at once, where slopes are wanted. This is scratch
    of one search; results are made from it and do not hold it.
    """

    function: Callable[[float], float]
    with_slope: Callable[[float], tuple[float, float]] | None = None
    values: list[float] = field(default_factory=list)
    numbers: dict[float, float] = field(default_factory=dict)
    slopes: dict[float, float] = field(default_factory=dict)

    def add(self, value: float, number: float) -> None:
        """A value that is known from elsewhere."""
        if value not in self.numbers:
            self.values.insert(bisect_left(self.values, value), value)
        self.numbers[value] = number

    def __call__(self, value: float) -> float:
        """The function, computed once for each value."""
        if value not in self.numbers:
            self.add(value, self.function(value))
        return self.numbers[value]

    def visit(self, value: float) -> None:
        """The function, and its slope where slopes are wanted."""
        if self.with_slope is None:
            self(value)
        else:
            number, self.slopes[value] = self.with_slope(value)
            self.add(value, number)

    def interpolant(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]] | None:
        """A cubic through all values; None with fewer than four."""
        x = self.values
        y = [self.numbers[v] for v in x]
        if len(x) >= 2 and all(v in self.slopes for v in x):
            hermite = CubicHermiteSpline(x, y, [self.slopes[v] for v in x])
            return lambda at: np.asarray(hermite(at))
        if len(x) < 4:
            return None
        spline = CubicSpline(x, y)
        return lambda at: np.asarray(spline(at))


def find_roots(
    curve: SampledFunction, level: float, *, close: float, narrow: float, smooth: bool, whole: bool
) -> list[Root]:
    """All changes of side that the curve's values and their interpolant show, in order.

    Parameters
    ----------
    curve
        With values from end to end; more are computed and kept in it.
    level
        What is crossed.
    close
        How close to the level the function has to be at a root.
    narrow
        Width of a bracket below which it is not narrowed any further.
    smooth
        Whether to look for pairs of crossings between neighbours by interpolation.
    whole
        Whether only whole numbers make sense: each change of side is a jump between two of them.
    """
    if smooth and not whole:
        _look_between(curve, level)
    known = list(curve.values)
    sides = [curve.numbers[v] >= level for v in known]
    roots = []
    for k, (a, b) in enumerate(pairwise(known)):
        if sides[k] != sides[k + 1]:
            low, high = (
                _bisected(curve, level, a, b)
                if whole
                else _bracket(curve, level, a, b, close, narrow)
            )
            roots.append(_root(curve, low, high, rising=sides[k + 1]))
    return roots


def _look_between(curve: SampledFunction, level: float) -> None:
    """Compute the function where the interpolant crosses the level more often than its values."""
    seen: set[tuple[float, float]] = set()
    for _ in range(EXTRA):
        cubic = curve.interpolant()
        if cubic is None:
            return
        for a, b in pairwise(curve.values):
            ends = np.array([curve.numbers[a], curve.numbers[b]]) - level
            at = np.linspace(a, b, SAMPLES)
            chord = np.linspace(ends[0], ends[1], SAMPLES)
            bent = chord + BULGE * (cubic(at) - level - chord)
            above = bent[1:-1] >= 0
            sides = np.concatenate([[ends[0] >= 0], above, [ends[1] >= 0]])
            turns = np.flatnonzero(np.diff(sides))
            if turns.size > 1 and (a, b) not in seen:
                seen.add((a, b))
                gone = slice(turns[0] + 1, turns[1] + 1)  # the first excursion over the level
                curve.visit(float(at[gone][np.argmax(np.abs(bent[gone]))]))
                break
        else:
            return


def _bracket(
    curve: SampledFunction, level: float, a: float, b: float, close: float, narrow: float
) -> tuple[float, float]:
    """The bracket narrowed by Brent's method; one end is the root where there is one."""

    def off(value: float) -> float:
        number = curve(value)
        # Close enough counts as a root, and ends the search.
        return 0.0 if abs(number - level) <= close else number - level

    root = float(brentq(off, a, b, xtol=narrow, rtol=4 * np.finfo(float).eps))
    if off(root) == 0.0:
        return root, root
    low, high = _around(curve, level, a, b)
    whole = abs(curve.numbers[b] - curve.numbers[a])
    left = abs(curve.numbers[high] - curve.numbers[low])
    if left > max(SUDDEN * whole, STEEP * whole * (high - low) / (b - a)):
        return low, high
    root = float(brentq(off, low, high, xtol=narrow * POLISH, rtol=4 * np.finfo(float).eps))
    return root, root


def _around(curve: SampledFunction, level: float, a: float, b: float) -> tuple[float, float]:
    """The neighbouring values between a and b with the change of side."""
    side = curve.numbers[a] >= level
    inside = [v for v in curve.values if a <= v <= b]
    last = a
    for v in inside:
        if (curve.numbers[v] >= level) != side:
            return last, v
        last = v
    return a, b


def _bisected(curve: SampledFunction, level: float, a: float, b: float) -> tuple[float, float]:
    """The neighbouring whole numbers with the change of side, by bisection."""
    side = curve.numbers[a] >= level
    while b - a > 1:
        middle = float((a + b) // 2)
        if (curve(middle) >= level) == side:
            a = middle
        else:
            b = middle
    return a, b


def _root(curve: SampledFunction, low: float, high: float, *, rising: bool) -> Root:
    """What was found, with the nearest other values on both sides of it."""
    below, above = curve.numbers[low], curve.numbers[high]
    if low < high:
        return Root((low + high) / 2, True, rising, low, high, below, above)
    known = curve.values
    at = known.index(low)
    left, right = known[max(at - 1, 0)], known[min(at + 1, len(known) - 1)]
    return Root(low, False, rising, left, right, curve.numbers[left], curve.numbers[right])
