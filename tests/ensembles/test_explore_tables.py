"""Distributions, differences, preferences and regret, on numbers whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.ensembles.explore.metrics import metrics, pair_limits
from detente.ensembles.explore.tables import (
    differences,
    distributions,
    preferences,
    regrets,
)
from detente.errors import ScenarioError
from detente.estimation.statistics import wilson
from tests.effort import examples
from tests.ensembles.stand_in import StandIn, make

POLICIES = ("firm", "open", "")


def payoffs(values: list[list[float]], errors: tuple[float, ...] = (0, 0, 0)) -> StandIn:
    return make(
        {"payoff:sender": np.array(values, dtype=float)},
        {"x": range(len(values))},
        POLICIES,
        known={"payoff:sender": errors},
    )


def test_wilson_is_that_of_the_literature() -> None:
    # Brown, Cai and DasGupta (2001), and any table: 15 of 50 at 95 %.
    assert wilson(15, 50) == pytest.approx((0.1910, 0.4375), abs=5e-5)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert np.isnan(wilson(0, 0)).all()


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(counted: tuple[int, int]) -> None:
    low, high = wilson(*counted)
    assert 0 <= low <= counted[0] / counted[1] <= high <= 1


def test_distributions_leave_out_what_was_not_solved() -> None:
    values = np.column_stack([np.arange(101) / 100, np.full(101, 0.5), np.full(101, np.nan)])
    values[0, 1] = np.nan
    found = make({"deal@3": values}, {"x": range(101)}, POLICIES, now={"deal@3": [0.3, 0.4, 0.5]})
    table = distributions(found, metrics(found)).set_index("policy")
    firm = table.loc["firm", ["draws", "mean", "p05", "p25", "p50", "p75", "p95", "present"]]
    assert list(firm) == pytest.approx([101, 0.5, 0.05, 0.25, 0.5, 0.75, 0.95, 0.3])
    assert table.loc["open", "draws"] == 100
    assert table.loc["", "draws"] == 0
    assert np.isnan(table.loc["", "p50"])


def test_a_difference_counts_beyond_the_error_only() -> None:
    found = payoffs([[1, 1.5, 1], [1, 1.05, 1], [1, 0.5, 1], [1, np.nan, 1]], (9, 0.1, 0))
    table = differences(found, metrics(found), "firm").set_index("policy")
    # The first error, 9, is that of the base's own number and bears on no difference.
    told = table.loc["open", ["draws", "above", "below", "close"]]
    assert list(told) == pytest.approx([3, 1 / 3, 1 / 3, 1 / 3])
    assert table.loc["open", ["lowest", "highest"]].tolist() == [3, 1]
    assert table.loc["", "close"] == 1.0


def test_errors_of_two_policies_are_added() -> None:
    limits = pair_limits(payoffs([[0, 0, 0]], (5, 0.2, 0.3)), "payoff:sender")
    assert limits == pytest.approx(
        np.array([[0, 0.2, 0.3], [0.2, 0.4, 0.5], [0.3, 0.5, 0.6]]), abs=1e-8
    )


def test_who_is_best_and_in_how_many_draws() -> None:
    found = payoffs(
        [[3, 1, 2], [3, 1, 2], [1, 3, 2], [2, 2.01, 0], [np.nan, 5, 0], [0, 5, np.nan]],
        (0, 0.05, 0.05),
    )
    table = preferences(found, metrics(found)).set_index("policy")
    assert table["best"].to_dict() == {"firm": 2, "open": 1, "": 0}
    assert set(table["draws"]) == {4}
    assert set(table["left_out"]) == {2}
    assert set(table["close"]) == {0.25}
    assert table["among"].to_dict() == {"firm": 0.75, "open": 0.5, "": 0.0}
    assert (table.loc["firm", "low"], table.loc["firm", "high"]) == wilson(2, 4)


def test_regret_is_that_of_the_best_policy_of_the_same_draw() -> None:
    found = payoffs([[4, 1, 3], [0, 5, 3], [2, 2, 2], [np.nan, 9, 9]])
    table = regrets(found, metrics(found)).set_index("policy")
    assert table["largest"].to_dict() == {"firm": 5, "open": 3, "": 2}
    assert table["draw"].to_dict() == {"firm": 2, "open": 1, "": 2}
    assert table["mean"].to_dict() == pytest.approx({"firm": 5 / 3, "open": 1, "": 1})
    assert table["minimax"].to_dict() == {"firm": False, "open": False, "": True}
    assert table["least_mean"].to_dict() == {"firm": False, "open": True, "": True}
    assert set(table["draws"]) == {3}


@settings(max_examples=examples(50))
@given(
    st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=12),
    st.floats(-100, 100),
)
def test_a_constant_changes_no_preference_and_no_regret(
    values: list[list[float]], constant: float
) -> None:
    rounded = np.round(values, 3)
    here, there = payoffs(rounded.tolist()), payoffs((rounded + constant).tolist())
    first, second = (preferences(one, metrics(one)) for one in (here, there))
    pd.testing.assert_frame_equal(first, second)
    lost = [regrets(one, metrics(one))[["mean", "p95", "largest"]] for one in (here, there)]
    assert (lost[0] >= 0).all(axis=None)
    np.testing.assert_allclose(*lost, atol=1e-9)  # a hundred and five have 13 digits left
    assert first["share"].sum() + first["close"].iloc[0] == pytest.approx(1.0)


def test_one_policy_has_nothing_to_prefer() -> None:
    found = make({"payoff:sender": np.ones((5, 1))}, {"x": range(5)}, ("",))
    assert preferences(found, metrics(found)).empty
    assert regrets(found, metrics(found)).empty
    assert differences(found, metrics(found), "").empty


def test_metrics_are_found_by_period_and_type() -> None:
    ones = np.ones((3, 1))
    columns = ("deal@1", "deal@3", "deal@3|target=sincere", "payoff:sender")
    kinds = ("payoff:target=sincere", "payoff:target=stalling")
    found = make(dict.fromkeys((*columns, *kinds), ones), {"x": range(3)}, ("",))
    assert [n.column for n in metrics(found)] == ["deal@3", "payoff:sender", *kinds]
    assert metrics(found, within=1)[0].column == "deal@1"
    told = metrics(found, given={"target": "sincere"})[0]
    assert told.column == "deal@3|target=sincere"
    assert "sincere" in told.about
    assert metrics(found)[2].who == "Target (sincere)"


@pytest.mark.parametrize(
    ("asked", "argument", "hint"),
    [
        ({"within": 2}, "within", "it has those of 1, 3"),
        ({"given": {"target": "sincer"}}, "given", "did you mean `target=sincere`"),
        ({"given": {"target": "sincere", "sender": "x"}}, "given", "give one"),
    ],
)
def test_what_the_ensemble_has_not_is_refused(
    asked: dict[str, object], argument: str, hint: str
) -> None:
    kinds = ("payoff:target=sincere", "payoff:target=stalling")
    found = make(dict.fromkeys(("deal@3", *kinds), np.ones((3, 1))), {"x": range(3)}, ("",))
    with pytest.raises(ScenarioError) as caught:
        metrics(found, **asked)  # type: ignore[arg-type]
    (told,) = caught.value.diagnostics
    assert told.place.argument == argument
    assert hint in told.hint
