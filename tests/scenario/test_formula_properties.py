"""Formulas against an independent scalar evaluator, and the parser against any text."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from detente.errors import Diagnostic, Place
from detente.scenario.formula.expression import NotFinite
from detente.scenario.formula.parse import parse
from detente.scenario.formula.types import CONDITION, NUMBER, PRIVATE_NUMBER, Scope, Slot, ValueType
from tests.effort import examples

LEVELS = ("none", "contact", "summit")
SCOPE = Scope(
    variables={"x": (), "y": (), "talks": LEVELS},
    actors={"US": ("trader", "hardliner")},
    parameters={"a": "", "b": "US"},
)
State = dict[str, float]

# All states of three variables and the true type, as one array for each name.
GRID = np.meshgrid([-1.0, 0.0, 0.5, 2.0], [0.0, 3.0], np.arange(3.0), [0.0, 1.0], indexing="ij")
COLUMNS = {
    name: values.ravel() for name, values in zip(("x", "y", "talks", "US"), GRID, strict=True)
}
COLUMNS["a"] = np.full_like(COLUMNS["x"], 0.25)
COLUMNS["b"] = np.where(COLUMNS["US"] == 0, 1.5, -2.0)
STATES: list[State] = [
    {name: float(values[k]) for name, values in COLUMNS.items()} for k in range(len(COLUMNS["x"]))
]


class FaultError(Exception):
    """What a formula must not do happens at this state."""


@dataclass(frozen=True)
class Sample:
    """A formula's text, and what it gives at a state, written independently of Detente."""

    text: str
    value: Callable[[State], float]


def finite(compute: Callable[[], float]) -> float:
    """What `compute` gives; complex, overflowing or undefined results are faults."""
    try:
        result = compute()
    except (ArithmeticError, ValueError):
        raise FaultError from None
    if isinstance(result, complex) or not math.isfinite(result):
        raise FaultError
    return result


LEAVES = st.sampled_from(
    [
        *(Sample(text, lambda _, text=text: float(text)) for text in ("0", "1", "2", "0.5", "1e3")),
        *(Sample(name, lambda s, name=name: s[name]) for name in ("x", "y", "a", "b")),
        Sample("rank(talks)", lambda s: s["talks"]),
    ]
)
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda p, q: p + q,
    "-": lambda p, q: p - q,
    "*": lambda p, q: p * q,
    "/": lambda p, q: p / q,
    "//": lambda p, q: p // q,
    "%": lambda p, q: p % q,
}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": lambda p, q: p == q,
    "!=": lambda p, q: p != q,
    "<": lambda p, q: p < q,
    "<=": lambda p, q: p <= q,
    ">": lambda p, q: p > q,
    ">=": lambda p, q: p >= q,
}


def binary(sign: str, p: Sample, q: Sample) -> Sample:
    operate = ARITHMETIC[sign]

    def value(s: State) -> float:
        left, right = p.value(s), q.value(s)
        return finite(lambda: operate(left, right))

    return Sample(f"({p.text} {sign} {q.text})", value)


def chain(p: Sample, first: str, q: Sample, second: str, r: Sample) -> Sample:
    def value(s: State) -> float:
        left, middle = p.value(s), q.value(s)
        return COMPARE[first](left, middle) and COMPARE[second](middle, r.value(s))

    return Sample(f"({p.text} {first} {q.text} {second} {r.text})", value)


def level(sign: str, name: str) -> Sample:
    k = float(LEVELS.index(name))
    return Sample(f"(talks {sign} {name})", lambda s: COMPARE[sign](s["talks"], k))


def function(name: str, arguments: list[Sample]) -> Sample:
    call: Callable[..., float] = {
        "min": min,
        "max": max,
        "clip": lambda x, low, high: min(max(x, low), high),
        "abs": abs,
        "floor": math.floor,
        "sqrt": math.sqrt,
    }[name]

    def value(s: State) -> float:
        values = [p.value(s) for p in arguments]
        return finite(lambda: float(call(*values)))

    return Sample(f"{name}({', '.join(p.text for p in arguments)})", value)


def choice(p: Sample, condition: Sample, q: Sample) -> Sample:
    return Sample(
        f"({p.text} if {condition.text} else {q.text})",
        lambda s: p.value(s) if condition.value(s) else q.value(s),
    )


def grown(numbers: st.SearchStrategy[Sample]) -> st.SearchStrategy[Sample]:
    """Larger numbers out of smaller ones, with conditions between them."""
    comparisons = st.one_of(
        st.builds(chain, numbers, st.sampled_from(sorted(COMPARE)), numbers, st.just("<"), numbers),
        st.builds(level, st.sampled_from(sorted(COMPARE)), st.sampled_from(LEVELS)),
        st.just(Sample("(US == hardliner)", lambda s: s["US"] == 1.0)),
        st.builds(
            lambda p, q: Sample(
                f"({p.text} in (1, {q.text}))",
                lambda s: (item := p.value(s)) == 1.0 or item == q.value(s),
            ),
            numbers,
            numbers,
        ),
    )
    conditions = st.one_of(
        comparisons,
        st.builds(
            lambda p, q: Sample(
                f"({p.text} and {q.text})", lambda s: bool(p.value(s) and q.value(s))
            ),
            comparisons,
            comparisons,
        ),
        st.builds(
            lambda p, q: Sample(
                f"({p.text} or {q.text})", lambda s: bool(p.value(s) or q.value(s))
            ),
            comparisons,
            comparisons,
        ),
        st.builds(lambda p: Sample(f"(not {p.text})", lambda s: not p.value(s)), comparisons),
    )
    return st.one_of(
        st.builds(binary, st.sampled_from(sorted(ARITHMETIC)), numbers, numbers),
        st.builds(lambda p: Sample(f"(-{p.text})", lambda s: -p.value(s)), numbers),
        st.builds(choice, numbers, conditions, numbers),
        st.builds(
            function, st.sampled_from(["min", "max"]), st.lists(numbers, min_size=2, max_size=3)
        ),
        st.builds(function, st.just("clip"), st.lists(numbers, min_size=3, max_size=3)),
        st.builds(
            function,
            st.sampled_from(["abs", "floor", "sqrt"]),
            st.lists(numbers, min_size=1, max_size=1),
        ),
        st.builds(lambda p, q: binary("*", p, q), numbers, conditions),
    )


NUMBERS = st.recursive(LEAVES, grown, max_leaves=12)


@settings(max_examples=examples(300))
@given(NUMBERS)
def test_agrees_with_a_scalar_evaluator(sample: Sample) -> None:
    problems: list[Diagnostic] = []
    formula = parse(sample.text, Place("f"), SCOPE, PRIVATE_NUMBER, problems)
    if len(sample.text) > 1000:
        assert problems
        return
    assert formula is not None, problems
    expected = []
    for state in STATES:
        try:
            expected.append(float(sample.value(state)))
        except FaultError:
            expected.append(math.nan)
    faults = np.isnan(expected)
    if not faults.any():
        values = np.broadcast_to(formula.evaluate(COLUMNS), faults.shape)
        assert_allclose(values, expected, rtol=1e-12, atol=0)
        return
    with pytest.raises(NotFinite) as caught:
        formula.evaluate(COLUMNS)
    assert_array_equal(np.broadcast_to(caught.value.mask, faults.shape), faults)


@settings(max_examples=examples(100))
@given(NUMBERS)
def test_one_state_at_a_time_gives_the_same(sample: Sample) -> None:
    problems: list[Diagnostic] = []
    formula = parse(sample.text, Place("f"), SCOPE, PRIVATE_NUMBER, problems)
    if formula is None:
        return
    try:
        values = np.broadcast_to(formula.evaluate(COLUMNS), COLUMNS["x"].shape)
    except NotFinite:
        return
    assert_array_equal(values, [formula.evaluate(state) for state in STATES])


VOCABULARY = """
x y talks none summit US trader a b t foo and or not if else in min clip rank true ( ) , + - * / //
% ** == != < <= > >= 0 1 2.5 1e3 . .. = ! [ ] { } : ' " lambda is for None #
"""
WORDS = st.sampled_from(VOCABULARY.split())
SORTS = st.sampled_from([NUMBER, CONDITION, ValueType(SCOPE.level("talks").base, "talks")])


@settings(max_examples=examples(500))
@given(st.one_of(st.lists(WORDS, max_size=25).map(" ".join), st.text(max_size=40)), SORTS)
def test_any_text_gives_a_formula_or_problems(text: str, wanted: ValueType) -> None:
    problems: list[Diagnostic] = []
    slot = Slot("a test", wanted, state=True, types=True)
    formula = parse(text, Place("f", 1, 1), SCOPE, slot, problems, offset=0)
    assert (formula is None) == bool(problems)
    if formula is not None:
        with contextlib.suppress(NotFinite):
            formula.evaluate({**COLUMNS, "t": 1, "last": 2})
