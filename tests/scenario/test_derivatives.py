"""Derivatives of formulas against differences, and by hand where pieces meet."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from detente.errors import Diagnostic, Place
from detente.scenario.formula.expression import Formula, NotFinite
from detente.scenario.formula.parse import parse
from detente.scenario.formula.types import PRIVATE_NUMBER
from tests.effort import examples
from tests.scenario.test_formula_properties import COLUMNS, LEAVES, SCOPE, Sample, grown

# Parameters at odd values, so that no two pieces of a formula meet by accident.
ODD = {**COLUMNS, "a": COLUMNS["a"] + 0.0314159, "b": COLUMNS["b"] + 0.0271828}
SIZE = COLUMNS["x"].size
STEP = 1e-5


def read(text: str) -> Formula | None:
    problems: list[Diagnostic] = []
    return parse(text, Place("f"), SCOPE, PRIVATE_NUMBER, problems)


def unused(_: dict[str, float]) -> float:
    raise AssertionError("only the text of this sample is used")


def larger(numbers: st.SearchStrategy[Sample]) -> st.SearchStrategy[Sample]:
    """As in the tests of evaluation, with the functions that they leave out."""
    return st.one_of(
        grown(numbers),
        st.builds(
            lambda name, p: Sample(f"{name}({p.text})", unused),
            st.sampled_from(["exp", "log"]),
            numbers,
        ),
        st.builds(lambda p, q: Sample(f"({p.text} ** {q.text})", unused), numbers, numbers),
    )


PARAMETERS = st.sampled_from([Sample("a", unused), Sample("b", unused)])
SMALL = LEAVES.filter(lambda leaf: leaf.text != "1e3")
NUMBERS = st.recursive(st.one_of(PARAMETERS, SMALL), larger, max_leaves=10)


def differences(formula: Formula, by: str) -> tuple[np.ndarray, np.ndarray]:
    """Central differences at `ODD` values, and where they can be relied on: smooth and not huge."""
    shifts = STEP * np.array([-2, -1, 0, 1, 2])
    names = [{**ODD, by: ODD[by] + shift} for shift in shifts]
    values = [np.broadcast_to(formula.evaluate(moved), SIZE) for moved in names]
    far, near = (values[4] - values[0]) / (4 * STEP), (values[3] - values[1]) / (2 * STEP)
    ahead, behind = (values[3] - values[2]) / STEP, (values[2] - values[1]) / STEP
    size = 1 + np.abs(near)
    smooth = (np.abs(far - near) < 1e-5 * size) & (np.abs(ahead - behind) < 1e-2 * size)
    return near, smooth & (np.abs(values[2]) < 1e4)


@settings(max_examples=examples(500), deadline=None, derandomize=True)
@given(NUMBERS)
def test_derivatives_are_limits_of_differences(sample: Sample) -> None:
    formula = read(sample.text)
    if formula is None:
        return
    for by in ("a", "b"):
        try:
            expected, known = differences(formula, by)
        except NotFinite:
            return
        derivative = np.broadcast_to(formula.derivative(ODD, by), SIZE)
        assert_allclose(derivative[known], expected[known], rtol=1e-4, atol=1e-4)
        if by not in formula.parameters:
            assert not derivative.any()


HAND = [
    ("a + 3 * a - x * a", lambda a: 4 - 2),
    ("a * a * a / 2", lambda a: 1.5 * a**2),
    ("x / a", lambda a: -2 / a**2),
    ("a / (1 + a)", lambda a: 1 / (1 + a) ** 2),
    ("a ** 3 - a ** -1", lambda a: 3 * a**2 + a**-2),
    ("x ** a", lambda a: 2**a * math.log(2)),
    ("a ** a", lambda a: a**a * (math.log(a) + 1)),
    ("7 % a", lambda a: -(7 // a)),
    ("(3 * a) % 1 + (3 * a) // 1 + floor(a)", lambda a: 3),
    ("exp(-a * a)", lambda a: -2 * a * math.exp(-(a**2))),
    ("log(1 + exp(a))", lambda a: 1 / (1 + math.exp(-a))),
    ("sqrt(a + x)", lambda a: 0.5 / math.sqrt(a + 2)),
    ("abs(-a) + abs(a)", lambda a: 2),
    ("clip(a, 0, 1) + 2 * clip(a, 1, 2) + 4 * clip(1, a, 2) + 8 * clip(3, 2, a)", lambda a: 1 + 8),
    ("min(a, x, 1) + 2 * max(a, x)", lambda a: 1),
    ("a * (a < 1) + (a < 1) + (a in (1, 0.25)) + (not a > 1)", lambda a: 1),
    ("2 * a if a < 1 and x > 0 else a", lambda a: 2),
    ("-(a if talks == none else x * a)", lambda a: -2),
]


@pytest.mark.parametrize(("text", "slope"), HAND)
def test_worked_out_by_hand(text: str, slope: Callable[[float], float]) -> None:
    names = {"a": 0.3, "x": 2.0, "talks": 1.0}
    formula = read(text)
    assert formula is not None
    assert formula.derivative(names, "a") == pytest.approx(slope(0.3), rel=1e-13)


# Where pieces meet, the first operand counts; `a` is 1 and `x` is 0 here.
MEET = [
    ("min(a, 1)", 1),
    ("min(1, a)", 0),
    ("max(a, 1, 2 * a - 1)", 1),
    ("max(1, a)", 0),
    ("clip(a, 1, 2)", 1),
    ("clip(a, 0, 1)", 1),
    ("clip(1, a, 2)", 0),
    ("abs(a - 1)", 1),
    ("abs(1 - a)", -1),
    ("a if a >= 1 else 0", 1),
    ("floor(a) + a // 1", 0),
    ("a % 1", 1),
    # What is not taken leaves no trace, and what does not move has slope 0.
    ("a if x == 0 else a / x", 1),
    ("log(x * a) if x > 0 else 2 * a", 2),
    ("x * a ** 0.5 + (a - 1) ** 2", 0),
    ("sqrt(x) + x ** a + (x * a) ** 0.5", 0),
    ("x * sqrt(a - 1)", 0),
    ("sqrt(a - 1)", math.inf),
]


@pytest.mark.parametrize(("text", "slope"), MEET)
def test_where_pieces_meet(text: str, slope: float) -> None:
    formula = read(text)
    assert formula is not None
    names = {"a": 1.0, "x": 0.0}
    formula.evaluate(names)
    assert formula.derivative(names, "a") == slope


def test_parts_that_are_not_taken_leave_no_trace() -> None:
    x = np.array([-1.0, 0.0, 4.0])
    formula = read("sqrt(x * a) / x if x > 0 else -a")
    assert formula is not None
    assert formula.derivative({"a": 1.0, "x": x}, "a").tolist() == [-1, -1, 0.25]


def test_each_value_by_the_entry_that_it_is_made_from() -> None:
    formula = read("b * b * x")
    assert formula is not None
    slopes = formula.derivative({"b": np.array([[1.0, 3.0]]), "x": np.array([[1.0], [2.0]])}, "b")
    assert slopes.tolist() == [[2, 6], [4, 12]]
    assert formula.derivative({"b": 1.0, "x": 1.0}, "a") == 0
