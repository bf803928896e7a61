"""Wishes: how they are read, what is refused, and in how many worlds they come true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.ensembles.explore.requirement import fulfilled, margins, parse_wish, wishes
from detente.ensembles.explore.source import numbers
from detente.errors import ScenarioError
from tests.ensembles.stand_in import make

DEAL = np.array([[0.2, 0.5], [0.3, 0.5], [0.4, np.nan], [0.5, 0.5]])
WAR = np.array([[0.0, 0.1], [0.0, 0.1], [0.1, 0.1], [0.01, 0.02]])
FOUND = make(
    {"deal@3": DEAL, "war@3": WAR, "payoff:sender": DEAL * 10, "payoff:target=sincere": WAR},
    {"x": range(4)},
    ("firm", "open"),
    known={"deal@3": [0.0, 0.0], "war@3": [0.005, 0.0]},
)
NUMBERS = numbers(FOUND)


def test_a_wish_is_read() -> None:
    wish = parse_wish("deal>=30% AND  payoff:target=sincere < -1.5e-1", NUMBERS)
    first, second = wish.clauses
    assert (first.number.name, first.sign, first.level) == ("deal", ">=", 0.3)
    assert (second.number.name, second.sign, second.level) == ("payoff:target=sincere", "<", -0.15)
    assert parse_wish(wish.text, NUMBERS) == wish


@given(
    st.sampled_from(["deal", "war"]),
    st.sampled_from([">", ">=", "<", "<="]),
    st.integers(0, 100),
)
def test_what_is_written_is_what_is_read(name: str, sign: str, level: int) -> None:
    wish = parse_wish(f"{name} {sign} {level} %", NUMBERS)
    assert wish.clauses[0].level == level / 100
    assert parse_wish(wish.text, NUMBERS) == wish


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("dael >= 30 %", "unknown-name", "did you mean `deal`"),
        ("payoff:target >= 1", "unknown-name", "`payoff:target=sincere`"),
        ("deal >= much", "wrong-type", "write it as"),
        ("deal >= 30", "out-of-range", "30 %?"),
        ("deal >= 130 %", "out-of-range", ""),
        ("deal >= 1e999", "out-of-range", ""),
        ("payoff:sender >= 3 %", "wrong-type", ""),
        ("deal = 30 %", "syntax", "write it as"),
        ("deal >= 30 % and", "wrong-type", "write it as"),
        ("", "syntax", "write it as"),
        ("__import__('os') > 1", "unknown-name", ""),
    ],
)
def test_mistakes_are_told(text: str, code: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_wish(text, NUMBERS)
    (told,) = caught.value.diagnostics
    assert (told.place.file, told.code) == ("--wish", code)
    assert hint in told.hint


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_wish("dael >= 1 % and war <= 7 and x", NUMBERS)
    assert len(caught.value.diagnostics) == 3


def test_worlds_are_counted() -> None:
    wish = parse_wish("deal >= 30 % and war <= 2 %", NUMBERS)
    met = fulfilled(FOUND, wish)
    assert met["firm"].tolist() == [0, 1, 0, 1]
    assert met["open"].isna().tolist() == [False, False, True, False]
    table = wishes(FOUND, wish).set_index(["clause", "policy"])
    assert table.loc[("", "firm"), ["worlds", "met", "share"]].tolist() == [4, 2, 0.5]
    assert table.loc[("", "open"), ["worlds", "met"]].tolist() == [3, 1]
    assert table.loc[("deal >= 30 %", "firm"), "met"] == 3
    # A deal of exactly 30 %, and under 'open' a war of 2 % where 0.5 points are not known.
    assert table.loc[("", "firm"), "close"] == 0.25
    assert table.loc[("", "open"), "close"] == pytest.approx(1 / 3)


def test_margins_are_zero_at_the_level() -> None:
    table = margins(FOUND, parse_wish("deal >= 30 %", NUMBERS))
    assert table.loc[2, "firm"] == 0
    assert table.loc[1, "firm"] < 0 < table.loc[4, "firm"]
    assert np.isnan(table.loc[3, "open"])
    both = margins(FOUND, parse_wish("deal >= 30 % and war <= 2 %", NUMBERS))
    assert (both["firm"] <= table["firm"]).all()
