"""Policies side by side: differences, what can be told apart, preferences, efficiency."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import detente
from detente.analysis.compare import Comparison, compare, compare_forecasts
from detente.errors import ScenarioError
from detente.scenario.frozen import Frozen
from detente.simulation.columns import Columns
from detente.simulation.first_moves import first_moves
from detente.simulation.forecast import Forecast, marginal

POLICIES = ("maximum pressure, open door", "freeze for freeze", "relief first")


@pytest.fixture(scope="module")
def found() -> Comparison:
    scenario = detente.load("pyeongchang-2018").with_horizon(2)
    return compare(scenario, POLICIES, detente.SolveOptions(beliefs=5))


def alone(policy: str) -> Forecast:
    scenario = detente.load("pyeongchang-2018").with_horizon(2)
    return detente.forecast(
        detente.solve(
            detente.compile_game(scenario, policy=policy), detente.SolveOptions(beliefs=5)
        )
    )


def test_each_policy_has_the_forecast_that_it_has_alone(found: Comparison) -> None:
    assert found.base == POLICIES[0]  # the scenario's own
    assert tuple(found.forecasts) == POLICIES
    assert found.solved
    for policy in POLICIES[:2]:
        told = alone(policy)
        mine = found.outcomes[found.outcomes["policy"] == policy]
        expected = marginal(told.solution.game, told.outcomes)
        np.testing.assert_array_equal(mine["happened"], expected["happened"])
        np.testing.assert_array_equal(mine["error"], expected["error"])
        mine = found.payoffs[found.payoffs["policy"] == policy]
        np.testing.assert_array_equal(mine["payoff"], told.payoffs["payoff"])


def test_differences_are_from_the_base_row_by_row(found: Comparison) -> None:
    keys = {"outcomes": ["t", "outcome"], "payoffs": ["actor", "type"]}
    for name, value in (("outcomes", "happened"), ("payoffs", "payoff")):
        table = getattr(found, name)
        base = table[table["policy"] == found.base].set_index(keys[name])
        assert not base["distinguishable"].any()
        for policy in POLICIES:
            mine = table[table["policy"] == policy].set_index(keys[name])
            expected = mine[value] - base[value]
            np.testing.assert_array_equal(mine["difference"], expected)
            beyond = expected.abs() > mine["error"] + base["error"] + 2e-9
            np.testing.assert_array_equal(mine["distinguishable"], beyond)
    assert found.outcomes["distinguishable"].any()


def test_tables_have_the_columns_that_are_told(found: Comparison) -> None:
    for name in ("outcomes", "payoffs", "first_moves", "preferences"):
        columns = ", ".join(getattr(found, name).columns)
        assert f"`{columns}`" in " ".join((Comparison.__doc__ or "").split()), name


def test_first_moves_are_those_of_the_first_turn_of_each_actor(found: Comparison) -> None:
    told = found.forecasts["relief first"]
    table = first_moves(told).frame()
    assert list(dict.fromkeys(table["actor"])) == ["DPRK", "ROK", "US"]  # in the order of play
    shares = table.groupby(["actor", "type"])["share"].sum()
    np.testing.assert_allclose(shares, 1.0, atol=1e-12)
    solution = detente.solve(
        detente.compile_game(found.scenario, policy="relief first"), detente.SolveOptions(beliefs=5)
    )
    layer = solution.game.layers[0]  # North Korea moves first, at one state
    play = solution.strategy(0, 0)[solution.grid.start]
    names = list(found.scenario.actions["DPRK"])
    stalling = table[(table["actor"] == "DPRK") & (table["type"] == "stalling")]
    for own, share in zip(layer.action[:, 0], play[1], strict=True):
        at = stalling[stalling["action"] == names[own]]
        assert at["share"].item() == pytest.approx(share, abs=1e-12)
    moved = found.first_moves.set_index(["policy", "actor", "type", "action"])
    freeze = moved.loc[("freeze for freeze", "US", "trader", "suspend")]
    held = moved.loc[(found.base, "US", "trader", "suspend")]
    assert freeze["difference"] == pytest.approx(freeze["share"] - held["share"])


def invented(told: Forecast, error: float, payoffs: list[float] | None = None) -> Forecast:
    """A forecast with another error of its payoffs, and with other payoffs."""
    old = told.tables["payoffs"]
    columns = {
        **old.columns,
        "payoff": old["payoff"] if payoffs is None else np.array(payoffs),
        "error": np.full(len(old), error),
    }
    tables = Frozen({**told.tables, "payoffs": Columns(Frozen(columns))})
    return dataclasses.replace(told, tables=tables)


def test_who_prefers_what_and_what_is_efficient() -> None:
    told = detente.forecast(detente.solve(detente.compile_game(detente.load("bargaining-rounds"))))
    forecasts = {
        "a": invented(told, 0.05, [1.0, 2.0, 3.0]),
        "better for all": invented(told, 0.05, [1.5, 2.5, 3.5]),
        "the same but for error": invented(told, 0.05, [1.45, 2.55, 3.45]),
        "best for one": invented(told, 0.05, [9.0, 0.0, 0.0]),
    }
    found = compare_forecasts(forecasts, against="a")
    assert found.efficient == ("better for all", "the same but for error", "best for one")
    first = found.preferences[found.preferences["actor"] == "sender"]
    assert first["policy"].tolist() == [
        "best for one",
        "better for all",
        "the same but for error",
        "a",
    ]
    assert first["rank"].tolist() == [1, 2, 3, 4]
    assert first["tied"].tolist() == [True, False, False, False]
    second = found.preferences[found.preferences["type"] == "sincere"]
    assert second["tied"].tolist() == [True, True, False, False]
    same = found.payoffs[found.payoffs["policy"] == "better for all"]
    assert same["distinguishable"].all()
    # An error that is larger than all differences leaves nothing to tell apart.
    vague = {key: invented(f, 9.0) for key, f in forecasts.items()}
    found = compare_forecasts(vague, against="a")
    assert found.efficient == tuple(forecasts)
    assert found.preferences["tied"].all()
    assert not found.payoffs["distinguishable"].any()
    # An error that is not known tells nothing apart either.
    unknown = {key: invented(f, np.nan) for key, f in forecasts.items()}
    assert not compare_forecasts(unknown, against="a").payoffs["distinguishable"].any()


def test_the_same_policy_twice_is_not_distinguishable() -> None:
    told = alone(POLICIES[0])
    found = compare_forecasts({"one": told, "other": told}, against="one")
    assert (found.outcomes["difference"] == 0).all()
    assert not found.outcomes["distinguishable"].any()
    assert found.efficient == ("one", "other")
    assert found.preferences["tied"].all()


def test_the_base_is_solved_also_where_it_is_not_asked_for() -> None:
    scenario = detente.load("pyeongchang-2018").with_horizon(1)
    found = compare(scenario, ["freeze for freeze"], detente.SolveOptions(beliefs=5), against="")
    assert tuple(found.forecasts) == ("", "freeze for freeze")
    assert found.base == ""
    # Without policies there are no terms, and nothing to compare with but that.
    found = compare(detente.load("bargaining-rounds"), options=detente.SolveOptions(beliefs=5))
    assert tuple(found.forecasts) == ("",)
    assert found.efficient == ("",)


def test_unknown_policies_are_told_all_at_once() -> None:
    scenario = detente.load("pyeongchang-2018")
    with pytest.raises(ScenarioError) as raised:
        compare(scenario, ["relief frist", "freeze for freeze"], against="maximum presure")
    told = raised.value.diagnostics
    assert [d.place.argument for d in told] == ["policies", "against"]
    assert "`relief first`" in told[0].hint


def test_what_cannot_be_compared_is_refused() -> None:
    scenario = detente.load("bargaining-rounds")
    one = detente.forecast(
        detente.solve(detente.compile_game(scenario), detente.SolveOptions(beliefs=5))
    )
    short = detente.compile_game(scenario.with_horizon(1))
    other = detente.forecast(detente.solve(short, detente.SolveOptions(beliefs=5)))
    with pytest.raises(ValueError, match="no forecast of the policy"):
        compare_forecasts({"one": one}, against="other")
    with pytest.raises(ValueError, match="different numbers of periods"):
        compare_forecasts({"one": one, "other": other}, against="one")
    chicken = detente.forecast(detente.solve(detente.compile_game(detente.load("beer-quiche"))))
    chicken = dataclasses.replace(chicken, periods=one.periods)
    with pytest.raises(ValueError, match="actors and types"):
        compare_forecasts({"one": one, "other": chicken}, against="one")


def test_tables_do_not_depend_on_the_order_of_policies(found: Comparison) -> None:
    again = compare(
        found.scenario, POLICIES[::-1], detente.SolveOptions(beliefs=5), against=found.base
    )
    keys = ["policy", "actor", "type"]
    tables = [f.payoffs.sort_values(keys, ignore_index=True) for f in (found, again)]
    pd.testing.assert_frame_equal(*tables)
    assert set(again.efficient) == set(found.efficient)
