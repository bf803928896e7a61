"""Sample histories: seeded, each by itself, and as often as the forecast says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import detente
from detente.errors import ScenarioError
from detente.simulation.forecast import marginal
from detente.simulation.histories import drawn, interpolated_strategy
from detente.solver.solution import Solution

TWO = """\
title: Two with secrets
calendar: {start: 2018-11, period: month, horizon: 3}
actors:
  US: {types: {trader: 0.35, hardliner: 0.65}, precision: 2}
  DPRK: {types: {sincere: 0.4, stalling: 0.6}, precision: 2}
state:
  steps: {levels: 0..2, start: 0, edge: cut}
  talks: {levels: [none, contact], start: none}
parameters:
  price: {value: {sincere: 0.3, stalling: 1.2}}
  hope: {value: {trader: 1, hardliner: 0.2}}
turns: [DPRK, {who: US, when: t >= 2}, chance]
actions:
  DPRK:
    step: {effects: [{p: 0.8, set: {steps: +1}}, {p: rest}], cost: price}
    wait: {}
  US: {meet: {set: {talks: contact}, cost: 1 - hope}, hold: {}, leave: {set: {talks: none}}}
chance:
  quarrel: {effects: [{p: 0.3, set: {talks: none}}, {p: rest}]}
payoffs:
  US: {flow: hope * steps, terminal: steps}
  DPRK: {flow: 0.8 * rank(talks), terminal: steps * (DPRK == sincere)}
outcomes:
  deal: {when: steps == 2, ends: true}
  contact: {when: talks == contact}
"""


@pytest.fixture(scope="module")
def solution() -> Solution:
    game = detente.compile_game(detente.loads(TWO))
    return detente.solve(game, detente.SolveOptions(beliefs=33), coarse=False)


@pytest.fixture(scope="module")
def table(solution: Solution) -> pd.DataFrame:
    return draw(solution, 2000)


def draw(solution: Solution, draws: int, seed: int = 5) -> pd.DataFrame:
    return detente.sample(solution, draws=draws, rng=np.random.default_rng(seed))


def test_columns(table: pd.DataFrame) -> None:
    assert list(table) == [
        *("draw", "t", "period", "turn", "actor", "action", "steps", "talks", "US", "DPRK"),
        *("belief US trader", "belief US hardliner"),
        *("belief DPRK sincere", "belief DPRK stalling"),
        *("happened deal", "happened contact"),
    ]
    assert table["draw"].unique().tolist() == list(range(2000))
    assert not table.isna().any().any()
    assert set(table["period"]) == {"start", "2018-11", "2018-12", "2019-01"}
    assert set(table["steps"]) == {"0", "1", "2"}
    assert set(table["talks"]) == {"none", "contact"}
    moves = table[["turn", "actor", "action"]].drop_duplicates()
    assert set(moves.itertuples(index=False, name=None)) == {
        (0, "", ""),
        (1, "DPRK", "step"),
        (1, "DPRK", "wait"),
        (2, "US", "meet"),
        (2, "US", "hold"),
        (2, "US", "leave"),
        (3, "", "quarrel"),
    }


def test_rows_of_a_history(table: pd.DataFrame) -> None:
    first = table.groupby("draw").first()
    assert (first["t"] == 0).all()
    assert (first[["steps", "talks"]] == ["0", "none"]).all().all()
    assert np.allclose(first["belief US hardliner"], 0.65)
    assert np.allclose(first["belief DPRK stalling"], 0.6)
    assert (table.groupby("draw")[["US", "DPRK"]].nunique() == 1).all().all()
    order = table["draw"] * 1000 + table["t"] * 10 + table["turn"]
    assert order.is_monotonic_increasing
    assert order.is_unique  # one turn of chance is one row, and only where it changes something
    for actor, kinds in (("US", ("trader", "hardliner")), ("DPRK", ("sincere", "stalling"))):
        beliefs = table[[f"belief {actor} {kind}" for kind in kinds]]
        assert np.allclose(beliefs.sum(axis=1), 1)
        assert ((beliefs >= 0) & (beliefs <= 1)).all().all()
    # Where play has ended nobody moves any more.
    ended = table["steps"].eq("2").groupby(table["draw"]).cumsum()
    assert ended.max() == 1
    # The turn of the United States is not played in the first month.
    assert table.loc[table["actor"] == "US", "t"].min() == 2


def test_a_draw_is_the_same_whatever_the_number_of_draws(
    solution: Solution, table: pd.DataFrame
) -> None:
    few = draw(solution, 7)
    pd.testing.assert_frame_equal(few, table[table["draw"] < 7].reset_index(drop=True))
    assert not draw(solution, 7, seed=6).equals(few)


def test_threads_do_not_matter(solution: Solution, table: pd.DataFrame) -> None:
    other = detente.solve(solution.game, detente.SolveOptions(beliefs=33, threads=1), coarse=False)
    pd.testing.assert_frame_equal(draw(other, 7), table[table["draw"] < 7].reset_index(drop=True))


def test_every_draw_has_a_stream_of_its_own(solution: Solution) -> None:
    rng = np.random.default_rng(5)
    first = detente.sample(solution, draws=7, rng=rng)
    second = detente.sample(solution, draws=7, rng=rng)
    assert not first.equals(second)
    assert rng.random() == np.random.default_rng(5).random()  # which takes nothing from `rng`


def test_beliefs_follow_from_the_moves_by_bayes_rule(
    solution: Solution, table: pd.DataFrame
) -> None:
    play = solution.strategy(0, 0)[solution.grid.start]  # of the first mover, by type and action
    first = table[(table["t"] == 1) & (table["actor"] == "DPRK")]
    for a, action in enumerate(("step", "wait")):
        moved = first.loc[first["action"] == action]
        joint = np.array([0.4, 0.6]) * play[:, a]
        assert np.allclose(moved["belief DPRK sincere"], joint[0] / joint.sum(), atol=1e-12)
        assert np.allclose(moved["belief US trader"], 0.35)
    assert abs(play[0, 0] - play[1, 0]) > 0.1
    # Chance tells nothing about anybody.
    for column in ("belief DPRK sincere", "belief US trader"):
        before = table.groupby("draw")[column].shift()
        assert (table[column] == before)[table["action"] == "quarrel"].all()


def close(count: float, draws: int, probability: float) -> bool:
    """Within four standard errors; one more draw for probabilities near 0 and 1."""
    error = np.sqrt(max(probability * (1 - probability), 1 / draws) / draws)
    return abs(count / draws - probability) <= 4 * error


def test_types_are_as_frequent_as_their_priors(table: pd.DataFrame) -> None:
    pairs = table.groupby("draw")[["US", "DPRK"]].first().value_counts()
    for (us, dprk), count in pairs.items():
        prior = {"trader": 0.35, "hardliner": 0.65}[us] * {"sincere": 0.4, "stalling": 0.6}[dprk]
        assert close(count, 2000, prior)


def test_outcomes_are_as_frequent_as_forecast(solution: Solution, table: pd.DataFrame) -> None:
    forecast = detente.forecast(solution).outcomes
    where = {"deal": table["steps"] == "2", "contact": table["talks"] == "contact"}
    for truth in ("any", "sincere", "stalling"):
        chosen = table if truth == "any" else table[table["DPRK"] == truth]
        draws = chosen["draw"].nunique()
        expected = forecast[(forecast["DPRK"] == truth) & (forecast["US"] == "any")]
        for key, holds in where.items():
            for t in (1, 2, 3):
                past = chosen[holds.loc[chosen.index] & (chosen["t"] <= t)]
                row = expected[(expected["outcome"] == key) & (expected["t"] == t)]
                assert close(past["draw"].nunique(), draws, float(row["happened"].iloc[0]))


def test_actions_are_as_frequent_as_forecast(solution: Solution, table: pd.DataFrame) -> None:
    forecast = marginal(solution.game, detente.forecast(solution).actions)
    counts = table.groupby(["t", "turn", "actor", "action"])["draw"].nunique()
    for row in forecast.itertuples():
        count = counts.get((row.t, row.turn, row.actor, row.action), 0)
        assert close(count, 2000, row.probability)


def test_beliefs_are_true_on_average(table: pd.DataFrame) -> None:
    # Among histories that end at a belief, the type is as frequent as the belief says.
    last = table.groupby("draw").last()
    for actor, kind in (("DPRK", "stalling"), ("US", "hardliner")):
        belief = last[f"belief {actor} {kind}"]
        truth = last[actor] == kind
        for low, high in ((0, 0.5), (0.5, 0.65), (0.65, 1)):
            some = (belief >= low) & (belief < high)
            if some.sum() > 50:
                assert close(truth[some].sum(), int(some.sum()), float(belief[some].mean()))


def test_no_secrets_no_beliefs() -> None:
    game = detente.compile_game(detente.load("centipede"))
    table = draw(detente.solve(game), 3)
    told = [f"happened {key}" for key in game.scenario.outcomes]
    moves = ["draw", "t", "period", "turn", "actor", "action", "passes", "taken"]
    assert list(table) == [*moves, *told]


def test_strategies_are_interpolated_between_nodes(solution: Solution) -> None:
    us, dprk = solution.grid.about
    table = solution.strategy(0, 0).reshape(*solution.grid.shape, 2, 2)
    for g in (0, 3, dprk.start, dprk.size - 1):
        at_node = interpolated_strategy(solution, 0, 0, [us.belief[us.start], dprk.belief[g]])
        assert np.allclose(at_node, table[us.start, g], atol=1e-12)
    # Linear in u, and u(θ) is in proportion to b(θ) m(θ) / prior(θ), m being the prior's node.
    weight = dprk.node[3:5].mean(axis=0) * np.array([0.4, 0.6]) / dprk.prior
    between = [us.belief[us.start], weight / weight.sum()]
    mean = table[us.start, 3:5].mean(axis=0)
    assert np.allclose(interpolated_strategy(solution, 0, 0, between), mean, atol=1e-12)


def test_batches_are_the_rows_of_the_table(
    solution: Solution, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detente.simulation.sample.BATCH", 3)
    rng = np.random.default_rng(5)
    batches = list(detente.sample_batches(solution, draws=7, rng=rng))
    assert [batch["draw"].unique().tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    rows = pd.concat(batches, ignore_index=True)
    pd.testing.assert_frame_equal(rows, table[table["draw"] < 7].reset_index(drop=True))


def test_batches_are_drawn_when_they_are_asked_for(solution: Solution) -> None:
    batches = detente.sample_batches(solution, draws=10**7, rng=np.random.default_rng(5))
    assert next(batches)["draw"].max() < 10_000


def test_what_cannot_be_drawn_is_refused_at_once(solution: Solution) -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(ValueError, match="`draws` is a whole number from 1 to"):
        detente.sample_batches(solution, draws=0, rng=rng)
    with pytest.raises(ScenarioError, match="the scenario ends by itself"):
        detente.sample_batches(solution, draws=1, periods=2, rng=rng)


def test_what_has_no_weight_is_never_drawn() -> None:
    weights = np.array([[0, 0.1, 0, 0.2, 0], [0, 0, 3, 0, 0], [1, 0, 0, 0, 0]])
    below = np.nextafter(1, 0)
    for random, expected in ((0.0, [1, 2, 0]), (0.5, [3, 2, 0]), (below, [3, 2, 0])):
        assert drawn(weights, np.full(3, random)).tolist() == expected


@pytest.mark.slow
def test_many_histories_are_as_frequent_as_forecast() -> None:
    """100,000 of them, against exact probabilities: five standard errors, hence 1e-6 a number.

    The prior and the beliefs after the first move are on no node; the grid is as fine as not to
    matter beside a standard error of 0.0016.
    """
    solution = detente.solve(
        detente.compile_game(detente.loads(TWO)), detente.SolveOptions(beliefs=65), coarse=False
    )
    draws = 100_000
    forecast = marginal(solution.game, detente.forecast(solution).actions)
    expected = forecast.set_index(["t", "turn", "actor", "action"])["probability"]
    counts = pd.Series(0, index=expected.index)
    rng = np.random.default_rng(11)
    for batch in detente.sample_batches(solution, draws=draws, rng=rng):
        met = batch.groupby(["t", "turn", "actor", "action"])["draw"].nunique()
        counts = counts.add(met, fill_value=0)[expected.index]
    error = np.sqrt(np.maximum(expected * (1 - expected), 1 / draws) / draws)
    assert (counts / draws - expected).abs().div(error).max() <= 5
