"""The tables of a forecast: columns, sums, what stands under each true type."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import detente
from detente.describe.forecast import describe_forecast
from detente.render.data import to_json
from detente.simulation.conditions import ANY, conditions
from detente.simulation.forecast import Forecast, marginal
from detente.simulation.forward import Forward, forward
from detente.solver.workers import Workers
from tests.effort import examples
from tests.generate import Shape, scenarios
from tests.simulation.test_sample import TWO

TABLES = {
    "outcomes": ["outcome", "happened", "holds", "error", "holds_error"],
    "states": ["variable", "level", "label", "probability"],
    "actions": ["turn", "actor", "action", "probability", "share"],
    "beliefs": ["about", "type", "mean", "median", "low", "high", "error", "spread_error"],
}
TYPES = {"US": {"trader": 0.35, "hardliner": 0.65}, "DPRK": {"sincere": 0.4, "stalling": 0.6}}


def forecast_of(text: str, *, beliefs: int = 9, coarse: bool = True) -> Forecast:
    game = detente.compile_game(detente.loads(text))
    return detente.forecast(
        detente.solve(game, detente.SolveOptions(beliefs=beliefs), coarse=coarse)
    )


@pytest.fixture(scope="module")
def result() -> Forecast:
    return forecast_of(TWO, beliefs=17)


def under(table: pd.DataFrame, us: str, dprk: str) -> pd.DataFrame:
    return table[(table["US"] == us) & (table["DPRK"] == dprk)]


@pytest.mark.parametrize("name", TABLES)
def test_columns_and_kinds(result: Forecast, name: str) -> None:
    table = getattr(result, name)
    assert list(table) == ["t", "period", "US", "DPRK", *TABLES[name]]
    for column in table:
        if column in ("t", "turn", "level"):
            assert table[column].dtype == np.int64
        elif column in (
            "happened",
            "holds",
            "error",
            "holds_error",
            "probability",
            "share",
            "mean",
            "median",
            "low",
            "high",
            "spread_error",
        ):
            assert table[column].dtype == np.float64
        else:
            assert all(isinstance(value, str) for value in table[column])
    assert not table.isna().any().any() or name == "actions"
    keys = [c for c in table if table[c].dtype != np.float64]
    assert not table.duplicated(keys).any()
    first = 1 if name == "actions" else 0
    assert table["t"].unique().tolist() == list(range(first, 4))
    periods = ["start", "2018-11", "2018-12", "2019-01"]
    assert [periods[t] for t in table["t"]] == table["period"].tolist()
    pairs = set(product((*TYPES["US"], ANY), (*TYPES["DPRK"], ANY)))
    assert set(table[["US", "DPRK"]].itertuples(index=False, name=None)) == pairs


def test_payoffs(result: Forecast) -> None:
    table = result.payoffs
    assert list(table) == ["actor", "type", "payoff", "regret", "error"]
    pairs = [(actor, kind) for actor, kinds in TYPES.items() for kind in kinds]
    assert list(table[["actor", "type"]].itertuples(index=False, name=None)) == pairs
    assert (table.dtypes[["payoff", "regret", "error"]] == np.float64).all()
    assert not table.isna().any().any()
    assert (table["regret"] >= -1e-12).all()
    assert 0 <= table["error"].max() < 0.05
    assert result.forward_error < 1e-10


@pytest.mark.parametrize("name", TABLES)
def test_rows_under_the_types_weigh_up_to_the_whole(result: Forecast, name: str) -> None:
    table = getattr(result, name)
    additive = {
        "outcomes": ["happened", "holds"],
        "states": ["probability"],
        "actions": ["probability"],
        "beliefs": ["mean"],
    }[name]
    for actor, priors in TYPES.items():
        other = "DPRK" if actor == "US" else "US"
        for fixed in (ANY, *TYPES[other]):
            rows = table[table[other] == fixed]
            parts = [
                prior * rows.loc[rows[actor] == kind, additive].to_numpy()
                for kind, prior in priors.items()
            ]
            whole = rows.loc[rows[actor] == ANY, additive].to_numpy()
            assert np.allclose(sum(parts), whole, atol=1e-12)


def test_payoffs_weigh_up_as_well(result: Forecast) -> None:
    solution = result.solution
    values = solution.start_values[solution.grid.start].reshape(2, 2, 2)  # actor, US, DPRK
    us, dprk = (np.array(list(priors.values())) for priors in TYPES.values())
    payoffs = result.payoffs["payoff"].tolist()
    assert payoffs == pytest.approx([*(values[0] @ dprk), *(us @ values[1])], abs=1e-12)


def test_sums(result: Forecast) -> None:
    given_types = ["US", "DPRK", "t"]
    states = result.states.groupby([*given_types, "variable"])["probability"].sum()
    assert np.allclose(states, 1, atol=1e-12)
    actions = result.actions.groupby([*given_types, "turn", "actor"])
    shares = actions["share"].sum(min_count=1)
    assert np.allclose(shares.dropna(), 1, atol=1e-12)
    moving = actions["probability"].sum()
    assert (moving <= 1 + 1e-12).all()
    assert (shares.isna() == (moving == 0)).all()
    # The turn of the United States is played from the second month on.
    assert (moving.xs("US", level="actor").xs(1, level="t") == 0).all()
    beliefs = result.beliefs.groupby([*given_types, "about"])["mean"].sum()
    assert np.allclose(beliefs, 1, atol=1e-12)


def test_every_turn_lists_all_actions_of_its_actor(result: Forecast) -> None:
    actions = result.actions.groupby(["US", "DPRK", "t", "turn", "actor"])["action"].agg(list)
    for (_, _, t, turn, actor), names in actions.items():
        assert names == list(result.solution.game.scenario.actions[actor])
        assert turn == {"DPRK": 1, "US": 2}[actor]
        assert 1 <= t <= 3
    assert len(actions) == 9 * 3 * 2


def test_outcomes_and_states_tell_the_same(result: Forecast) -> None:
    keys = ["US", "DPRK", "t"]
    for outcome, variable, label in (("deal", "steps", "2"), ("contact", "talks", "contact")):
        one = result.outcomes[result.outcomes["outcome"] == outcome].set_index(keys)
        states = result.states
        there = states[(states["variable"] == variable) & (states["label"] == label)]
        both = one.join(there.set_index(keys)["probability"])
        assert np.allclose(both["holds"], both["probability"], atol=1e-12)
        assert (both["happened"] >= both["holds"] - 1e-12).all()
    deal = result.outcomes[result.outcomes["outcome"] == "deal"]
    assert np.allclose(deal["happened"], deal["holds"], atol=1e-12)  # it lasts
    contact = marginal(result.solution.game, result.outcomes).set_index(["outcome", "t"])
    assert contact.loc[("contact", 3), "happened"] > contact.loc[("contact", 3), "holds"] + 0.01


def test_the_start(result: Forecast) -> None:
    start = result.states[result.states["t"] == 0]
    assert set(start.loc[start["probability"] == 1, "label"]) == {"0", "none"}
    beliefs = result.beliefs[result.beliefs["t"] == 0]
    for row in beliefs.itertuples():
        assert row.mean == row.low == row.high == pytest.approx(TYPES[row.about][row.type])
    assert (result.outcomes.loc[result.outcomes["t"] == 0, "happened"] == 0).all()


def test_beliefs_move_towards_the_truth(result: Forecast) -> None:
    beliefs = result.beliefs[(result.beliefs["about"] == "DPRK") & (result.beliefs["t"] == 3)]
    sincere = beliefs[beliefs["type"] == "sincere"].set_index(["US", "DPRK"])["mean"]
    assert sincere[ANY, "stalling"] < 0.4 < sincere[ANY, "sincere"]
    assert sincere[ANY, ANY] == pytest.approx(0.4, abs=1e-2)
    assert (beliefs["low"] <= beliefs["high"]).all()


def test_a_solution_without_a_coarser_one_has_no_errors() -> None:
    result = forecast_of(TWO, beliefs=5, coarse=False)
    assert result.outcomes["error"].isna().all()
    assert result.payoffs["error"].isna().all()
    data = json.loads(to_json(describe_forecast(result).data))
    assert data["outcomes"][0]["error"] is None
    assert data["certificate"]["discretisation"] == {"payoffs": None, "outcomes": None}


def test_nothing_private_nothing_uncertain_about_the_grid() -> None:
    result = detente.forecast(detente.solve(detente.compile_game(detente.load("centipede"))))
    assert list(result.outcomes) == ["t", "period", *TABLES["outcomes"]]
    assert (result.outcomes["error"] == 0).all()
    assert (result.payoffs["error"] == 0).all()
    assert result.payoffs["type"].tolist() == ["", ""]
    assert result.beliefs.empty
    assert list(result.beliefs) == ["t", "period", *TABLES["beliefs"]]


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_goes_on_and_never_back(threads: int) -> None:
    """Passes and draws that go on side by side tell of one work, and of all of its parts."""
    game = detente.compile_game(detente.loads(TWO))
    solution = detente.solve(game, detente.SolveOptions(beliefs=9))
    told: list[float] = []
    detente.forecast(solution, threads=threads, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    for low, high in pairwise([0.0, 0.6, 0.9, 1.0]):  # the pass; what goes beside; the table
        assert any(low < share <= high + 1e-9 for share in told)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.7, 0.95])
def test_a_forecast_stops_where_its_progress_raises(threads: int, share: float) -> None:
    game = detente.compile_game(detente.loads(TWO))
    solution = detente.solve(game, detente.SolveOptions(beliefs=9))
    told: list[float] = []

    def stop(reached: float) -> None:
        told.append(reached)
        if reached >= share:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        detente.forecast(solution, threads=threads, progress=stop)
    if share == 0.7:  # a task beside may have gone a step on
        assert told[-1] <= 0.9 + 1e-9
    else:
        assert sum(reached >= share for reached in told) == 1


@pytest.mark.parametrize("sure", ["sincere", "stalling"])
def test_types_that_cannot_be_are_told_about_too(sure: str) -> None:
    priors = ", ".join(f"{kind}: {int(kind == sure)}" for kind in TYPES["DPRK"])
    result = forecast_of(TWO.replace("sincere: 0.4, stalling: 0.6", priors))
    assert set(result.outcomes["DPRK"]) == {"sincere", "stalling", ANY}
    numbers = ["happened", "holds"]
    whole, same = (under(result.outcomes, ANY, kind)[numbers] for kind in (ANY, sure))
    assert np.allclose(whole, same, atol=1e-12)
    assert not result.states["probability"].isna().any()
    sums = result.states.groupby(["US", "DPRK", "t", "variable"])["probability"].sum()
    assert np.allclose(sums, 1, atol=1e-12)


def test_conditions_are_weights_of_profiles(result: Forecast) -> None:
    found = {
        tuple(labels.values()): weights for labels, weights in conditions(result.solution.game)
    }
    assert found[ANY, ANY].tolist() == pytest.approx([0.14, 0.21, 0.26, 0.39])
    assert found["trader", ANY].tolist() == pytest.approx([0.4, 0.6, 0, 0])
    assert found[ANY, "stalling"].tolist() == pytest.approx([0, 0.35, 0, 0.65])
    assert found["hardliner", "sincere"].tolist() == [0, 0, 1, 0]


def test_only_chance_moves() -> None:
    text = """\
title: Weather
calendar: {period: round, horizon: 2}
actors: {A: {types: {a: 0.5, b: 0.5}, precision: 1}}
state: {x: {levels: 0..3, start: 0, edge: cut}}
turns: [chance]
actions: {A: {}}
chance: {rain: {effects: [{p: 0.5, set: {x: +1}}, {p: rest}]}}
payoffs: {A: {flow: x}}
"""
    result = forecast_of(text, beliefs=5)
    assert result.actions.empty
    assert list(result.actions) == ["t", "period", "A", *TABLES["actions"]]
    assert result.outcomes.empty
    assert list(result.outcomes) == ["t", "period", "A", *TABLES["outcomes"]]
    final = marginal(result.solution.game, result.states)
    assert final.loc[final["t"] == 2, "probability"].tolist() == [0.25, 0.5, 0.25, 0]
    assert to_json(describe_forecast(result).data)


@settings(
    max_examples=examples(6),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_data_for_json_has_no_nan(data: st.DataObject) -> None:
    shape = Shape(actors=2, informed=data.draw(st.integers(0, 2)), levels=3, periods=2)
    result = forecast_of(data.draw(scenarios(shape)), beliefs=5)
    text = to_json(describe_forecast(result).data)
    read = json.loads(text)
    for name in ("outcomes", "states", "actions", "payoffs", "beliefs"):
        table = getattr(result, name)
        assert len(read[name]) == len(table)
        for row, told in zip(table.to_dict(orient="records"), read[name], strict=True):
            for key, value in row.items():
                missing = isinstance(value, float) and math.isnan(value)
                assert told[key] == (None if missing else value)


def test_parts_of_the_forward_pass_change_nothing(
    result: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole or in parts the same to rounding; in the same parts the same bits on any threads."""

    def passed(threads: int) -> Forward:
        with ThreadPoolExecutor(threads) as pool:
            return forward(result.solution, Workers(pool, threads))

    whole = passed(1)
    monkeypatch.setattr("detente.simulation.forward.PART", 1)
    parts, shared = passed(1), passed(3)
    for name in ("acted", "beliefs", "states"):
        for one, two, three in zip(
            getattr(whole, name), getattr(parts, name), getattr(shared, name), strict=True
        ):
            np.testing.assert_allclose(two, one, rtol=0, atol=1e-14)
            np.testing.assert_array_equal(two, three)
    np.testing.assert_allclose(parts.payoffs, whole.payoffs, rtol=1e-13)
    np.testing.assert_array_equal(parts.payoffs, shared.payoffs)


def test_repr_says_what_happens(result: Forecast) -> None:
    assert repr(result).startswith("<Forecast of '<text>' over 3 periods: deal ")
    assert "; solved: " in repr(result)
