"""Roots of functions that are known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from detente.analysis.crossings import EXTRA, Root, SampledFunction, find_roots


def roots(
    function: Callable[[float], float],
    values: list[float],
    *,
    slope: Callable[[float], float] | None = None,
    level: float = 0.0,
    whole: bool = False,
    smooth: bool = True,
) -> tuple[list[Root], SampledFunction]:
    curve = SampledFunction(function, None if slope is None else lambda x: (function(x), slope(x)))
    for value in values:
        curve.visit(value)
    found = find_roots(curve, level, close=1e-12, narrow=1e-9, smooth=smooth, whole=whole)
    return found, curve


def line(low: float, high: float, points: int) -> list[float]:
    return [float(v) for v in np.linspace(low, high, points)]


def test_all_crossings_of_a_sine() -> None:
    found, _ = roots(math.sin, line(0.5, 12.0, 9))
    assert [one.value for one in found] == pytest.approx([math.pi, 2 * math.pi, 3 * math.pi])
    assert [one.rising for one in found] == [False, True, False]
    assert not any(one.jump for one in found)


def test_a_pair_within_one_interval_shows_in_the_bend() -> None:
    # All five values are positive; the two crossings are at 1 ± 0.1.
    function = lambda x: (x - 1.0) ** 2 - 0.01  # noqa: E731
    values = [0.0, 0.5, 0.85, 1.15, 2.0]
    assert all(function(v) > 0 for v in values)
    found, _ = roots(function, values)
    assert [one.value for one in found] == pytest.approx([0.9, 1.1])
    # Without interpolation they are missed: this is what it is for.
    assert roots(function, values, smooth=False)[0] == []


def test_slopes_show_what_values_hide() -> None:
    # At its values the curve is constant, so that no spline bends; its slopes tell.
    function = lambda x: 1.0 + 2.0 * math.sin(2.0 * math.pi * x)  # noqa: E731
    slope = lambda x: 4.0 * math.pi * math.cos(2.0 * math.pi * x)  # noqa: E731
    values = line(0.0, 3.0, 4)
    assert roots(function, values)[0] == []
    found, _ = roots(function, values, slope=slope)
    expected = [k + part for k in range(3) for part in (7 / 12, 11 / 12)]
    assert [one.value for one in found] == pytest.approx(expected)


def test_a_jump_is_told_as_one() -> None:
    found, _ = roots(lambda x: 0.2 if x < 0.3337 else 0.9, line(0, 1, 5), level=0.5)
    (one,) = found
    assert one.jump
    assert one.rising
    assert one.high - one.low <= 1e-8
    assert one.low < 0.3337 <= one.high
    assert (one.below, one.above) == (0.2, 0.9)


def test_a_flat_function_costs_nothing_more() -> None:
    found, curve = roots(lambda x: 1.0 + 1e-3 * x, line(0, 1, 9))
    assert found == []
    assert len(curve.values) == 9


def test_the_search_between_values_ends() -> None:
    # The bend always promises more than there is.
    rng = np.random.default_rng(5)
    found, curve = roots(lambda _: float(rng.uniform(0.01, 1.0)), line(0, 1, 9))
    assert found == []
    assert len(curve.values) <= 9 + EXTRA


def test_whole_numbers_are_bisected() -> None:
    found, curve = roots(lambda n: n - 7.5, [1.0, 30.0], whole=True)
    (one,) = found
    assert (one.low, one.high, one.jump) == (7.0, 8.0, True)
    assert all(v.is_integer() for v in curve.values)
    assert len(curve.values) <= 2 + 6


def test_nothing_is_computed_twice() -> None:
    calls: list[float] = []

    def function(x: float) -> float:
        calls.append(x)
        return math.cos(x)

    roots(function, line(0, 3, 5))
    assert len(calls) == len(set(calls))
