"""Numbers are written with the digits that are known, and nearly nothing is not nothing."""

from __future__ import annotations

import math

import pytest

from detente import numbers


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.0, 1.0, "0 %"),
        (0.004, 1.0, "<1 %"),
        (0.006, 1.0, "1 %"),
        (0.5, 1.0, "50 %"),
        (0.9951, 1.0, ">99 %"),
        (1.0, 1.0, "100 %"),
        (0.5, 0.0, "50.0 %"),
        (0.0004, 0.0, "<0.1 %"),
        (0.9996, 0.0, ">99.9 %"),
        (1.0, 0.0, "100.0 %"),
        (0.5, 0.001, "50 %"),
        (0.5, math.nan, "50 %"),
        (math.nan, 0.0, "–"),
    ],
)
def test_probabilities(value: float, error: float, text: str) -> None:
    assert numbers.percent(value, error) == text


def test_small_probabilities_and_intervals() -> None:
    assert [numbers.fine_percent(p) for p in (0.0004, 0.014, 0.34)] == ["<0.1 %", "1.4 %", "34 %"]
    assert numbers.with_interval(0.2, 0.08, 0.4) == "20 % (8 – 40)"
    assert numbers.interval(math.nan, math.nan) == "–"
    ends = (0.0, 0.3), (0.004, 0.3), (0.6, 0.998), (0.001, 0.004), (0.201, 0.202), (0.0, 0.0)
    written = ["0 – 30", "<1 – 30", "60 – >99", "<1", "20 – 20", "0 – 0"]
    assert [numbers.interval(low, high) for low, high in ends] == written


def test_changes() -> None:
    assert numbers.points(-0.126) == "-13 points"
    assert numbers.points(0.011) == "+1 point"
    assert numbers.points(0.001) == "less than 1 point"
    assert numbers.points(-2.1) == "beyond -100 points"
    assert numbers.size(-0.126) == "13 points"
    assert numbers.more_likely(-0.03) == "3 points less likely"
    assert numbers.signed(-0.0001, 2) == "0.00"
    assert numbers.signed(0.126, 2) == "+0.13"
    assert numbers.slope(math.nan) == ""


def test_errors_decide_on_digits() -> None:
    assert numbers.within(0.00546) == "±0.6"
    assert numbers.within(0.0) == "none"
    assert numbers.within(math.nan) == "not known"
    assert [numbers.payoff(1.23456, e) for e in (1e-4, 1e-3, 0.1)] == ["1.235", "1.23", "1.2"]
    assert numbers.payoff(1.23456, math.nan) == "1.23"
    assert numbers.payoff(math.nan) == "–"
    assert numbers.known(0.4213, 0.0123) == "0.42 ± 0.02"
    assert numbers.known(0.1234567, 0.0) == "0.123457"
    assert numbers.explains(0.342, 0.0411) == "34 ± 5 %"


def test_counts() -> None:
    assert numbers.count(1, "draw") == "1 draw"
    assert numbers.count(2000, "draw") == "2,000 draws"
    assert numbers.count(2, "policy", "policies") == "2 policies"
