"""Hints at slips: what they say to write is read as a number, a date or a name."""

from __future__ import annotations

import re

import pytest

from detente.errors import ScenarioError
from detente.scenario.build.names import legal
from detente.scenario.dates import HOW, date_hint
from detente.scenario.formula.types import RESERVED
from detente.scenario.loader import loads
from detente.scenario.slips import comma_within, number_hint, slip_within

TEXT = """\
title: a test
calendar: {start: 2018-02, period: month, horizon: HORIZON}
actors: {A: {types: {a: p, b: 1 - p}, precision: 2}, B: {precision: 2}}
state: {x: {levels: [off, on], start: off}, y: {levels: [yes, no], start: yes}}
parameters:
  p: {value: VALUE, range: RANGE, judgement: a test}
turns: TURNS
actions:
  A: {go: {when: WHEN, set: {x: on}, cost: COST}, wait: {}}
  B: {see: EFFECT, wait: {}}
payoffs: {A: {flow: x == on}, B: {flow: FLOW}}
outcomes: {on: {when: x == on}}
"""
RIGHT = {
    "HORIZON": "12",
    "VALUE": "0.5",
    "RANGE": "[0, 1]",
    "TURNS": "[A, B]",
    "WHEN": "x == off",
    "COST": "0.5",
    "EFFECT": "{}",
    "FLOW": "1",
}


def written(**parts: str) -> str:
    text = TEXT
    for key, value in {**RIGHT, **parts}.items():
        text = text.replace(key, value)
    return text


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("HORIZON", "12 months"),
        ("VALUE", "50%"),
        ("VALUE", '"50 %"'),
        ("VALUE", "0,45"),
        ("VALUE", '"0,45"'),
        ("VALUE", '"0.5"'),
        ("VALUE", '"p: 0.5"'),
        ("VALUE", "1/2"),
        ("VALUE", "+0.5"),
        ("VALUE", "½"),
        ("VALUE", "[0.5]"),
        ("RANGE", "[0,1, 0,9]"),
        ("RANGE", "10-90%"),
        ("RANGE", "[10%, 90%]"),
        ("COST", "50%"),
        ("COST", "0,45"),
        ("FLOW", "12 months"),
    ],
)
def test_what_the_hint_says_is_read(key: str, wrong: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(written(**{key: wrong}))
    (told,) = caught.value.diagnostics
    assert told.place.line > 0
    said = re.match(r"write `([^`]+)`", told.hint)
    assert said is not None, told
    loads(written(**{key: said[1]}))


@pytest.mark.parametrize(
    ("key", "wrong", "hint", "right"),
    [
        ("WHEN", "x == off AND t < 3", "`and` is written small", "x == off and t < 3"),
        ("WHEN", "NOT x == off", "`not` is written small", "not x == off"),
        ("WHEN", "x <> on", "`!=`", "x != on"),
        ("WHEN", "A == a", "cost: 1 if A == a else 0", "x == off"),
        ("COST", "p * 50%", "`0.5`", "p * 0.5"),
        ("COST", '"p + 0,5"', "`0.5`", "p + 0.5"),
        ("COST", "A", "A == a", "A == a"),
        ("TURNS", "[[A, B]]", "`{who: [A, B]}`", "[{who: [A, B]}]"),
        ("FLOW", "y", "`(y == yes)`", "(y == yes)"),
        ("FLOW", "y", "`rank(y)`, which is 0 for yes, 1 for no", "rank(y)"),
        (
            "EFFECT",
            "{effects: [{p: 0.5, set: {x: on}}, {p: 0.4}]}",
            "`p: rest`",
            "{effects: [{p: 0.5, set: {x: on}}, {p: rest}]}",
        ),
        (
            "EFFECT",
            "{effects: [{p: 0.5, set: {x: on}}, {p: 0.4, set: {x: off}}]}",
            "add `{p: rest}`",
            "{effects: [{p: 0.5, set: {x: on}}, {p: 0.4, set: {x: off}}, {p: rest}]}",
        ),
    ],
)
def test_a_way_out_works(key: str, wrong: str, hint: str, right: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(written(**{key: wrong}))
    (told,) = caught.value.diagnostics
    assert hint in told.hint
    loads(written(**{key: right}))


def test_the_cost_that_the_hint_at_a_type_names_works() -> None:
    loads(written(COST="1 if A == a else 0"))


@pytest.mark.parametrize("text", ["two", "5 million", "2 * x", "", "1.234,5", "x = 3", "12.5.2018"])
def test_what_is_no_number_has_no_hint(text: str) -> None:
    assert number_hint(text) == ""


@pytest.mark.parametrize("text", ["5 % 2", "t % 2", "50 % - t", "2 * t % 3 == 1", "a50 % 2"])
def test_remainders_are_no_percentages(text: str) -> None:
    assert slip_within(text) is None


def test_a_comma_with_two_readings_has_two() -> None:
    assert number_hint("1,500") == "write `1500` or `1.500`"
    assert number_hint("0,500") == "write `0.500`"
    assert comma_within("t in (3, 8)") == ""


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2025", "2025-01"),
        ("2025-2", "2025-02"),
        ("2025/02/5", "2025-02-05"),
        ("02/2025", "2025-02"),
        ("1.6.2025", "2025-06-01"),
    ],
)
def test_dates(text: str, right: str) -> None:
    assert date_hint(text).startswith(f"write `{right}`")
    start = TEXT.replace("2018-02", f'"{text}"')
    with pytest.raises(ScenarioError) as caught:
        loads(start.replace("HORIZON", "12"))
    assert any(one.hint == date_hint(text) for one in caught.value.diagnostics)


@pytest.mark.parametrize(
    "name", ["Türkei", "härm", "lambda", "None", "t", "rank", "p-hi", "p hi", "2nd", "turn", "łódź"]
)
def test_names_that_are_offered_are_legal(name: str) -> None:
    offered = legal(name, {"p_hi"})
    assert offered not in {"", name, "p_hi"} | RESERVED
    text = (
        written()
        .replace(" p:", f" {offered}:")
        .replace("a: p, b: 1 - p", f"a: {offered}, b: 1 - {offered}")
    )
    loads(text)


def test_names_in_other_scripts_have_no_suggestion() -> None:
    assert legal("Россия", set()) == ""


def test_no_year_has_thirteen_months() -> None:
    assert date_hint("2025-13") == "months go from 2025-01 to 2025-12"


@pytest.mark.parametrize("text", ["2018-02-30", "2018-2-30", "31/4/2018"])
def test_a_day_that_the_month_has_not_is_not_proposed(text: str) -> None:
    month = "2018-04" if "4" in text else "2018-02"
    assert date_hint(text) in (f"write `{month}`", HOW)
