"""Dates in formulas: what they mean, where they may stand, and that deadlines stay."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from detente.errors import Diagnostic, Place, ScenarioError
from detente.game.compile import compile_game
from detente.scenario.calendar import Calendar, Unit
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.parse import parse
from detente.scenario.formula.types import CONDITION, PRIVATE_NUMBER, RESERVED, Scope, Slot
from detente.scenario.loader import load

PLACE = Place("formula", 1, 1)
HERE = Slot("this formula", CONDITION, state=True, types=True)


def read(
    text: str, unit: Unit = "month", start: str = "2025-01-01"
) -> tuple[Formula | None, list[Diagnostic]]:
    dated = unit != "round"
    scope = Scope(
        variables={"steps": ()},
        actors={},
        parameters={},
        dated=dated,
        calendar=Calendar(unit, dt.date.fromisoformat(start) if dated else None),
    )
    problems: list[Diagnostic] = []
    return parse(text, PLACE, scope, HERE, problems, offset=0), problems


def periods(text: str, unit: Unit = "month", start: str = "2025-01-01") -> list[int]:
    """The periods among the first twelve in which a condition holds."""
    formula, problems = read(text, unit, start)
    assert formula is not None, problems
    holds = formula.evaluate({"date": np.arange(1.0, 13), "steps": 0.0})
    return [int(t) for t in 1 + np.flatnonzero(np.broadcast_to(holds, 12))]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("date == 2025-06", [6]),
        ("date != 2025-06", [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]),
        ("date < 2025-03-15", [1, 2]),
        ("date <= 2025-03-15", [1, 2, 3]),
        ("date > 2025-10", [11, 12]),
        ("date >= 2025-10-31", [10, 11, 12]),
        ("2025-03<=date<2025-06", [3, 4, 5]),
        ("2025-11 <= date", [11, 12]),
        ("date in (2025-02, 2025-10)", [2, 10]),
        ("not date >= 2025-03 and steps == 0", [1, 2]),
        ("date >= 2020-01", list(range(1, 13))),
        ("date >= 2030-12", []),
    ],
)
def test_a_date_stands_for_the_period_in_which_it_lies(text: str, held: list[int]) -> None:
    assert periods(text) == held


def test_periods_of_other_lengths() -> None:
    assert periods("date >= 2025-06", "quarter")[0] == 2
    assert periods("date >= 2027", "year")[0] == 3
    assert periods("date < 2025-01-20", "week") == [1, 2]
    assert periods("date == 2025-01-04", "day") == [4]
    for start, first in (("2025-01-01", 6), ("2025-03-01", 4), ("2024-12-01", 7)):
        assert periods("date >= 2025-06", start=start)[0] == first


def test_without_date_a_difference_stays_one() -> None:
    formula, _ = read("steps > 2024-10")
    assert formula is not None
    assert formula.evaluate({"steps": np.array([2014.0, 2015.0])}).tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "unit", "column", "message", "hint"),
    [
        ("date >= 2025-13", "month", 9, "`2025-13` is not a date", "2018-02"),
        ("date >= 2025-02-30", "month", 9, "`2025-02-30` is not a date", "2018-02-15"),
        ("date >= 2025-6", "month", 9, "`2025-6` is not a date", "2018-02"),
        ("date >= 2025", "month", 9, "`2025` is not a date", "2018-02"),
        ("date >= 3", "year", 9, "`3` is not a date", "2018, 2018-02"),
        ("t >= 2025-06", "month", 1, "`t` is a number, not a date", "date >= 2018-02"),
        ("date + 1 > 2025-06", "month", 1, "`date` is a date, not a number", "`t` is a number"),
        ("date >= steps", "month", 9, "`steps` is a number, not a date", "date >= 2018-02"),
        ("date", "month", 1, "`date` is a date, not a condition", "date >= 2018-02"),
        ("date >= 2025-06", "round", 1, "`date` needs a dated calendar", "t >= 3"),
        ("2025-06 < 2025-07", "round", 1, "`2025-06` is a date; rounds have none", "t >= 3"),
    ],
)
def test_what_is_no_date_is_told(
    text: str, unit: Unit, column: int, message: str, hint: str
) -> None:
    formula, problems = read(text, unit)
    assert formula is None
    assert (problems[0].place.column, problems[0].message) == (column, message)
    assert hint in problems[0].hint


def test_date_is_a_word_of_the_language() -> None:
    assert "date" in RESERVED


MODEL = """\
title: A deadline
calendar: {{start: {start}, period: {unit}, horizon: {horizon}}}
actors: {{A: {{precision: 2}}}}
state: {{x: {{levels: 0..1, start: 0}}, storm: {{levels: 0..1, start: 0}}}}
turns: [A, chance]
actions:
  A:
    wait: {{}}
    go: {{when: {when}, set: {{x: 1}}, cost: "0.3 if {when} else 2"}}
chance:
  storm:
    when: {when}
    effects: [{{p: "0.5 if {when} else 0.1", set: {{storm: 1}}}}, {{p: rest}}]
payoffs: {{A: {{flow: x * ({when}) - storm, terminal: x * ({when})}}}}
terms: {{calm: {{binds: A, forbids: go, when: {when}, cost: 0.2}}}}
policies: {{calm: [calm]}}
policy: calm
outcomes: {{late: {{when: {when} and x == 1}}}}
"""


def compiled(path: Path, **given: str) -> list[np.ndarray]:
    path.write_text(MODEL.format(**given))
    game = compile_game(load(path))
    return [array for layer in game.layers for array in vars_of(layer)]


def vars_of(value: object) -> list[np.ndarray]:
    """All arrays of a frozen value, in order."""
    names = getattr(type(value), "__dataclass_fields__", {})
    return [a for name in names if isinstance(a := getattr(value, name), np.ndarray)]


@pytest.mark.parametrize(
    ("unit", "start", "horizon", "first"),
    [
        ("month", "2025-02", "8", 5),
        ("month", "2025-04", "6", 3),
        ("quarter", "2025-01", "4", 2),
        ("week", "2025-05-15", "6", 3),
        ("month", "2025-07", "2", 0),
    ],
)
def test_a_deadline_is_the_counter_written_by_hand(
    tmp_path: Path, unit: str, start: str, horizon: str, first: int
) -> None:
    given = {"unit": unit, "start": start, "horizon": horizon}
    dated = compiled(tmp_path / "dated.yaml", when="date >= 2025-06", **given)
    counted = compiled(tmp_path / "counted.yaml", when=f"t >= {first}", **given)
    assert len(dated) == len(counted) > 10
    for one, other in zip(dated, counted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_depends_on_dates_where_play_goes_on_forever(tmp_path: Path) -> None:
    path = tmp_path / "forever.yaml"
    path.write_text(
        MODEL.format(unit="month", start="2025-02", horizon="forever", when="date >= 2025-06")
    )
    with pytest.raises(ScenarioError, match="nothing may depend on `date`"):
        load(path)


def test_derivatives_pass_a_date() -> None:
    calendar = Calendar("month", dt.date(2025, 1, 1))
    scope = Scope({"x": ()}, {}, {"a": ""}, dated=True, calendar=calendar)
    formula = parse("a ** 2 * (date >= 2025-06)", PLACE, scope, PRIVATE_NUMBER, [])
    assert formula is not None
    slopes = formula.derivative({"a": 3.0, "date": np.array([5.0, 6.0])}, "a")
    assert slopes.tolist() == [0.0, 6.0]
