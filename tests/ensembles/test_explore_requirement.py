"""Requirements: how they are read, what is refused, and in how many draws they are met."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.ensembles.explore.metrics import metrics
from detente.ensembles.explore.requirement import margins, met, parse_requirement, satisficing
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
METRICS = metrics(FOUND)


def test_a_requirement_is_read() -> None:
    requirement = parse_requirement("deal>=30% AND  payoff:target=sincere < -1.5e-1", METRICS)
    first, second = requirement.clauses
    assert (first.metric.name, first.sign, first.level) == ("deal", ">=", 0.3)
    assert (second.metric.name, second.sign, second.level) == ("payoff:target=sincere", "<", -0.15)
    assert parse_requirement(requirement.text, METRICS) == requirement


@given(
    st.sampled_from(["deal", "war"]),
    st.sampled_from([">", ">=", "<", "<="]),
    st.integers(0, 100),
)
def test_what_is_written_is_what_is_read(name: str, sign: str, level: int) -> None:
    requirement = parse_requirement(f"{name} {sign} {level} %", METRICS)
    assert requirement.clauses[0].level == level / 100
    assert parse_requirement(requirement.text, METRICS) == requirement


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
        parse_requirement(text, METRICS)
    (told,) = caught.value.diagnostics
    assert (told.place.argument, told.code) == ("requirement", code)
    assert hint in told.hint


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_requirement("dael >= 1 % and war <= 7 and x", METRICS)
    assert len(caught.value.diagnostics) == 3


def test_draws_are_counted() -> None:
    requirement = parse_requirement("deal >= 30 % and war <= 2 %", METRICS)
    meets = met(FOUND, requirement)
    assert meets["firm"].tolist() == [0, 1, 0, 1]
    assert meets["open"].isna().tolist() == [False, False, True, False]
    table = satisficing(FOUND, requirement).set_index(["clause", "policy"])
    assert table.loc[("", "firm"), ["draws", "met", "share"]].tolist() == [4, 2, 0.5]
    assert table.loc[("", "open"), ["draws", "met"]].tolist() == [3, 1]
    assert table.loc[("deal >= 30 %", "firm"), "met"] == 3
    # A deal of exactly 30 %, and under 'open' a war of 2 % where 0.5 points are not known.
    assert table.loc[("", "firm"), "close"] == 0.25
    assert table.loc[("", "open"), "close"] == pytest.approx(1 / 3)


def test_margins_are_zero_at_the_level() -> None:
    table = margins(FOUND, parse_requirement("deal >= 30 %", METRICS))
    assert table.loc[2, "firm"] == 0
    assert table.loc[1, "firm"] < 0 < table.loc[4, "firm"]
    assert np.isnan(table.loc[3, "open"])
    both = margins(FOUND, parse_requirement("deal >= 30 % and war <= 2 %", METRICS))
    assert (both["firm"] <= table["firm"]).all()
