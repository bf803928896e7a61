"""The formula language: what formulas give, where they fail, and what they may use."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from detente.errors import Diagnostic, Place
from detente.scenario.formula.expression import Formula, NotFinite, number
from detente.scenario.formula.parse import parse
from detente.scenario.formula.types import (
    CONDITION,
    NUMBER,
    PRIVATE_NUMBER,
    Base,
    Scope,
    Slot,
    ValueType,
)

PLACE = Place("file.yaml", 7, 3)
SCOPE = Scope(
    variables={"steps": (), "talks": ("none", "contact", "summit"), "mood": ("bad", "good")},
    actors={"US": ("trader", "hardliner"), "ROK": (), "DPRK": ("sincere", "stalling")},
    parameters={"cost": "DPRK", "risk": ""},
    dated=True,
)
NAMES = {
    "steps": np.array([0, 1, 3]),
    "talks": np.array([0, 1, 2]),
    "mood": np.array([[0], [1]]),
    "cost": 1.5,
    "risk": 0.25,
    "DPRK": np.array([0, 1, 0]),
    "US": 1,
    "t": 2,
    "last": 24,
    "month": 3,
    "year": 2018,
}
TALKS = ValueType(Base.LEVEL, "talks")


def read(
    written: str | float, wanted: ValueType = NUMBER, *, state: bool = True, types: bool = True
) -> tuple[Formula | None, list[Diagnostic]]:
    problems: list[Diagnostic] = []
    slot = Slot("a test", wanted, state=state, types=types)
    return parse(written, PLACE, SCOPE, slot, problems, offset=0), problems


def formula(written: str | float, wanted: ValueType = NUMBER) -> Formula:
    found, problems = read(written, wanted)
    assert found is not None, problems
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("7 // 2 + -7 // 2 + 7 % 4 + -7 % 4", 3 - 4 + 3 + 1),
        ("10 - 4 - 3", 3),
        ("+steps", [0, 1, 3]),
        ("min(steps, 2, risk)", [0, 0.25, 0.25]),
        ("max(steps, 2)", [2, 2, 3]),
        ("abs(1 - steps)", [1, 0, 2]),
        ("clip(steps, 1, 2)", [1, 1, 2]),
        ("exp(0) + log(1) + sqrt(9) + floor(2.7)", 6),
        ("rank(talks) * 10", [0, 10, 20]),
        ("rank(talks + 1)", [1, 2, 3]),
        ("cost * (steps >= 1)", [0, 1.5, 1.5]),
        ("cost if DPRK == sincere else 0", [1.5, 0, 1.5]),
        ("2 if US in (trader, hardliner) else 3", 2),
        ("1 if talks in (contact, summit) and steps > 1 else 0", [0, 0, 1]),
        ("steps * (mood == good)", [[0, 0, 0], [0, 1, 3]]),
        ("t + last + month + year", 2 + 24 + 3 + 2018),
        ("true + true", 2),
        ("min(steps > 0, steps > 1) + 1", [1, 1, 2]),
        ("-(steps > 0)", [0, -1, -1]),
        (" 1\n + 1 ", 2),
        (3, 3),
        (True, 1),
    ],
)
def test_numbers(text: str, expected: object) -> None:
    values = formula(text).evaluate(NAMES)
    assert values.dtype == np.float64
    assert_array_equal(values, np.asarray(expected, float))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("talks >= contact", [False, True, True]),
        ("contact > talks", [True, False, False]),
        ("none < talks < summit", [False, True, False]),
        ("talks + 1 == summit", [False, True, False]),
        ("min(talks, contact) == contact", [False, True, True]),
        ("clip(talks, contact, contact) != contact", [False, False, False]),
        ("(contact if t > 1 else none) != talks", [True, False, True]),
        ("1 <= steps < 3", [False, True, False]),
        ("not steps > 0 or steps == 3", [True, False, True]),
        ("talks not in (none, summit)", [False, True, False]),
        ("(steps > 0) == (steps > 1)", [True, False, True]),
        ("DPRK == stalling", [False, True, False]),
        ("true", True),
        (False, False),
    ],
)
def test_conditions(text: str, expected: object) -> None:
    values = formula(text, CONDITION).evaluate(NAMES)
    assert values.dtype == np.bool_
    assert_array_equal(values, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("contact", 1),
        ("talks + 1", [1, 2, 3]),
        ("talks - steps", [0, 0, -1]),
        ("none if steps > 0 else contact", [1, 0, 0]),
        ("max(talks, contact)", [1, 1, 2]),
        ("contact + (steps > 2)", [1, 1, 2]),
    ],
)
def test_levels(text: str, expected: object) -> None:
    assert_array_equal(formula(text, TALKS).evaluate(NAMES), np.asarray(expected, float))


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("1 / steps", [True, False, False], "divides by zero"),
        ("1 // steps", [True, False, False], "divides by zero"),
        ("1 % steps", [True, False, False], "divides by zero"),
        ("steps ** -1", [True, False, False], "divides by zero"),
        ("log(steps)", [True, False, False], "is not finite"),
        ("sqrt(1 - steps)", [False, False, True], "is not finite"),
        ("(1 - steps) ** 0.5", [False, False, True], "is not finite"),
        ("exp(1000)", True, "is not finite"),
        ("1e300 * 1e300 * steps", True, "is not finite"),
        ("0 * (1 / steps)", [True, False, False], "divides by zero"),
        ("1 / steps if steps < 3 else 0", [True, False, False], "divides by zero"),
        ("0 if 1 / steps > 0 else 0", [True, False, False], "divides by zero"),
        ("1 / steps > 0 and steps > 0", [True, False, False], "divides by zero"),
        ("1 / steps + rank(mood)", [[True, False, False]] * 2, "divides by zero"),
        ("log(steps - 1) + 1 / (steps - 1)", [True, True, False], "is not finite"),
    ],
)
def test_not_finite(text: str, where: object, reason: str) -> None:
    with pytest.raises(NotFinite) as caught:
        formula(text).evaluate(NAMES)
    assert_array_equal(caught.value.mask, where)
    assert caught.value.mask.dtype == np.bool_
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / steps if steps > 0 else 7", [7, 1, 1 / 3]),
        ("(steps > 0 and 1 / steps > 0.5) * 1", [0, 1, 0]),
        ("(steps == 0 or 1 / steps > 0.5) * 1", [1, 1, 0]),
        ("(0 < steps < 6 / steps) * 1", [0, 1, 0]),
        ("(steps in (0, 1 / steps)) * 1", [1, 1, 0]),
        ("1 if true else 1 / 0", 1),
    ],
)
def test_faults_that_do_not_count(text: str, expected: object) -> None:
    assert_array_equal(formula(text).evaluate(NAMES), np.asarray(expected, float))


def test_values_from_outside_that_are_not_finite() -> None:
    with pytest.raises(NotFinite):
        formula("risk").evaluate({"risk": np.inf})


def test_what_a_formula_reads() -> None:
    found = formula("cost * steps + 0.5 * (US == trader) * month - risk")
    assert found.variables == {"steps"}
    assert found.parameters == {"cost", "risk"}
    assert found.actors == {"DPRK", "US"}
    assert found.calendar == {"month"}
    assert found.decimals
    assert found.place == PLACE
    assert not formula("2 * steps").decimals
    assert formula("1e3").decimals
    assert formula(" steps\n").text == "steps"


def test_a_number_as_a_formula() -> None:
    found = number(24, PLACE)
    assert found.text == "24"
    assert found.evaluate({}) == 24
    problems: list[Diagnostic] = []
    assert parse(1e-3, PLACE, SCOPE, PRIVATE_NUMBER, problems, text="1e-3") == formula("1e-3")


@pytest.mark.parametrize(
    ("text", "column", "code"),
    [
        ("steps + stepps", 8, "unknown-name"),
        ("  stepps", 2, "unknown-name"),
        ("talks + 1", 0, "wrong-type"),
        ("1 + (steps and 1)", 5, "wrong-type"),
        ("1 +* 2", 3, "formula"),
        ("steps @ 2", 6, "formula"),
        ("1 if talks == hihg else 0", 14, "level"),
        ("1 if US == sincere else 0", 11, "type"),
        ("((1)", 3, "formula"),
    ],
)
def test_column_and_code(text: str, column: int, code: str) -> None:
    found, problems = read(text)
    assert found is None
    assert problems[0].place == Place(PLACE.file, PLACE.line, PLACE.column + column)
    assert problems[0].code == code


def test_all_problems_of_a_formula() -> None:
    _, problems = read("foo + bar * talks + min(1)")
    assert [problem.code for problem in problems] == [
        *("unknown-name", "unknown-name", "wrong-type", "formula")
    ]


def test_without_an_offset_the_place_is_that_of_the_whole() -> None:
    problems: list[Diagnostic] = []
    parse("1 + foo", PLACE, SCOPE, PRIVATE_NUMBER, problems)
    assert problems[0].place == PLACE


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "steps.real",
        "[x for x in (1,)]",
        "(x for x in (1, 2))",
        "lambda: 1",
        "steps := 1",
        "f'{steps}'",
        "min(*steps)",
        "max(**steps)",
        "min(steps, key=abs)",
        "await steps",
        "None",
        "0x10",
        "1_000",
        "1j",
        "...",
        "1 is 1",
        "1 if 2",
        "1; 2",
        "1 # 2",
        "007",
        "ｔ",  # noqa: RUF001 (Python would read this as `t`)
        "\x00",
        "",
        "(" * 51 + "1" + ")" * 51,
        "-" * 51 + "1",
        "not " * 51 + "true",
        "1 if true else " * 51 + "1",
        "2 **" * 60 + "1",
        "min(1, " * 51 + "1" + ")" * 51,
        "1" * 999,
        "1+" * 500 + "1",
    ],
)
def test_not_part_of_the_language(text: str) -> None:
    found, problems = read(text)
    assert found is None
    assert problems


def test_long_sums_and_products_are_not_deep() -> None:
    assert formula("+".join(["1"] * 500)).evaluate({}) == 500
    assert formula("*".join(["1"] * 500)).evaluate({}) == 1
    assert formula(" and ".join(["true"] * 100), CONDITION).evaluate({})


def test_nested_chains_take_linear_time() -> None:
    text = "true"
    for _ in range(45):
        text = f"(0<{text}<2)"
    assert formula(text, CONDITION).evaluate({})


def test_types_and_state_where_they_are_not_allowed() -> None:
    for text in ("cost", "DPRK == sincere"):
        wanted = CONDITION if "==" in text else NUMBER
        assert read(text, wanted, types=False)[1][0].code == "type-dependence"
    for text in ("steps", "t", "month"):
        assert read(text, state=False)[1][0].code == "scope"


def test_unknown_names_pass_where_a_section_could_not_be_read() -> None:
    problems: list[Diagnostic] = []
    scope = Scope(variables={"talks": None}, actors={}, parameters={}, partial=True)
    assert parse("foo + (talks == summit)", PLACE, scope, PRIVATE_NUMBER, problems) is not None
    assert not problems
