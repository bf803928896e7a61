"""When terms begin and lapse, and conditions in parts, as they are read."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from detente.scenario.calendar import Calendar, Unit
from detente.scenario.loader import loads
from detente.scenario.rules import Moment, Term
from tests.scenario.texts import PLAIN

PATIENCE = "patience: {binds: US, forbids: meet, unless: steps >= 1}"


def term(more: str, text: str = PLAIN) -> Term:
    """The term `patience` with other words about when it is in force."""
    assert PATIENCE in text
    other = f"patience: {{binds: US, forbids: meet, {more}}}"
    return loads(text.replace(PATIENCE, other)).terms["patience"]


def event(moment: Moment | None) -> str:
    assert moment is not None
    assert moment.event is not None
    assert moment.period is None
    return moment.event.text


def period(moment: Moment | None) -> int | None:
    assert moment is not None
    assert moment.event is None
    return moment.period


def test_dates_are_the_periods_in_which_they_lie() -> None:
    found = term("from: 2018-04, until: 2018-06-15")
    assert (period(found.since), period(found.until)) == (3, 5)
    assert found.since is not None
    assert found.since.text == "2018-04"
    assert found.events() == ()


def test_rounds_have_numbers() -> None:
    text = PLAIN.replace("start: 2018-02, period: month", "period: round")
    text = text.replace('when: "month in (3, 8)", ', "")
    found = term("from: 2, until: 4", text)
    assert (period(found.since), period(found.until)) == (2, 4)


def test_a_year_is_the_period_of_that_name() -> None:
    text = PLAIN.replace("period: month", "period: year")
    found = term("from: 2019, until: 2020-02", text)
    assert (period(found.since), period(found.until)) == (2, 3)


def test_events_are_conditions_on_the_state() -> None:
    found = term("from: talks >= contact, until: steps >= 2")
    assert (event(found.since), event(found.until)) == ("talks >= contact", "steps >= 2")
    assert [one.text for one in found.events()] == ["talks >= contact", "steps >= 2"]


def test_nothing_said_is_nothing() -> None:
    found = term("unless: steps >= 1")
    assert found.since is found.until is found.when is None


def test_parts_of_a_condition_all_hold() -> None:
    found = term('unless: [steps >= 1 or steps == 0, "talks == summit"], when: [steps < 3]')
    assert found.unless is not None
    assert found.when is not None
    assert found.unless.text == "(steps >= 1 or steps == 0) and talks == summit"
    assert found.when.text == "steps < 3"
    assert found.unless.variables == {"steps", "talks"}
    values = found.unless.evaluate({"steps": np.array([0, 1, 1]), "talks": np.array([2, 1, 2])})
    assert values.tolist() == [True, False, True]


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
def test_the_period_of_a_date_is_the_inverse_of_its_date(unit: Unit) -> None:
    calendar = Calendar(unit, dt.date(2018, 11, 1))
    for t in range(-3, 30):
        first, following = calendar.date(t), calendar.date(t + 1)
        assert first is not None
        assert following is not None
        assert calendar.period(first) == t
        assert calendar.period(following - dt.timedelta(days=1)) == t


def test_rounds_have_no_dates() -> None:
    with pytest.raises(ValueError, match="not dated"):
        Calendar("round", None).period(dt.date(2018, 11, 1))
