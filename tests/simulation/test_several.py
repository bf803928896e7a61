"""Forecasts and histories where several choose at once, with more types, and without end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import detente
from detente.describe.forecast import describe_forecast
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.render.data import to_json
from detente.render.terminal import print_described
from detente.simulation.conditions import ANY
from detente.simulation.forecast import Forecast, marginal
from detente.simulation.histories import interpolated_strategy
from detente.solver.solution import BranchCount, Solution
from tests.effort import examples
from tests.generate import Shape, scenarios
from tests.reference import hat
from tests.simulation.test_sample import close

TOGETHER = """\
title: Two at once
calendar: {start: 2018-11, period: month, horizon: 3}
actors:
  US: {types: {dove: 0.3, trader: 0.3, hawk: 0.4}, precision: 1.5, discount: 0.8}
  DPRK: {types: {sincere: 0.4, stalling: 0.6}, precision: 1.5, discount: 0.8}
  ROK: {precision: 1, discount: 0.5}
state:
  steps: {levels: 0..2, start: 0, edge: cut}
  talks: {levels: [none, contact], start: none}
parameters:
  price: {value: {sincere: 0.3, stalling: 1.2}}
  hope: {value: {dove: 1.5, trader: 0.8, hawk: 0.1}}
turns: [{who: [DPRK, US]}, {who: ROK, when: talks == contact}, chance]
actions:
  DPRK:
    step: {effects: [{p: 0.8, set: {steps: +1}}, {p: rest}], cost: price}
    wait: {}
  US: {meet: {set: {talks: contact}, cost: 1 - hope}, hold: {}, leave: {set: {talks: none}}}
  ROK: {help: {effects: [{p: 0.5, set: {steps: +1}}, {p: rest}], cost: 0.2}, watch: {}}
chance:
  quarrel: {effects: [{p: 0.3, set: {talks: none}}, {p: rest}]}
payoffs:
  US: {flow: hope * steps}
  DPRK: {flow: 0.8 * rank(talks) + steps * (DPRK == sincere)}
  ROK: {flow: rank(talks) + steps / 2}
outcomes:
  deal: {when: steps == 2, ends: true}
  contact: {when: talks == contact}
"""
FOREVER = (  # without the North's types, to be quick
    TOGETHER.replace("horizon: 3", "horizon: forever")
    .replace(", ends: true", "")
    .replace("types: {sincere: 0.4, stalling: 0.6}, ", "")
    .replace("{sincere: 0.3, stalling: 1.2}", "0.6")
    .replace("(DPRK == sincere)", "0.4")
    .replace("precision: 1.5", "precision: 1")
)
PRIORS = {
    "US": {"dove": 0.3, "trader": 0.3, "hawk": 0.4},
    "DPRK": {"sincere": 0.4, "stalling": 0.6},
}
DRAWS = 2000


def compiled(text: str) -> CompiledGame:
    return detente.compile_game(detente.loads(text))


def draw(solution: Solution, draws: int, periods: int | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return detente.sample(solution, draws=draws, rng=rng, periods=periods)


@pytest.fixture(scope="module")
def together() -> Forecast:
    return detente.forecast(detente.solve(compiled(TOGETHER), detente.SolveOptions(beliefs=17)))


@pytest.fixture(scope="module")
def forever() -> Forecast:
    return detente.forecast(
        detente.solve(compiled(FOREVER), detente.SolveOptions(beliefs=9)), periods=4
    )


# ---- the forecast


def test_actions_of_a_turn_at_which_two_choose(together: Forecast) -> None:
    solution = together.solution
    first = together.actions.query("t == 1 and turn == 1")
    assert set(first["actor"]) == {"DPRK", "US"}
    for m, (actor, other) in enumerate((("DPRK", "US"), ("US", "DPRK"))):
        play = solution.strategy(0, 0, m)[solution.grid.start]  # [θ, a]
        names = list(solution.game.scenario.actions[actor])
        for theta, kind in enumerate(PRIORS[actor]):
            for fixed in (ANY, *PRIORS[other]):
                rows = first[
                    (first["actor"] == actor) & (first[actor] == kind) & (first[other] == fixed)
                ]
                assert rows["action"].tolist() == names
                assert rows["probability"].to_numpy() == pytest.approx(play[theta], abs=1e-12)
                assert rows["share"].to_numpy() == pytest.approx(play[theta], abs=1e-12)
    shares = together.actions.groupby(["US", "DPRK", "t", "turn", "actor"])["share"]
    assert np.allclose(shares.sum(min_count=1).dropna(), 1, atol=1e-12)


def test_beliefs_about_three_types(together: Forecast) -> None:
    beliefs = together.beliefs
    assert set(beliefs.loc[beliefs["about"] == "US", "type"]) == set(PRIORS["US"])
    start = beliefs[beliefs["t"] == 0]
    for row in start.itertuples():
        assert row.mean == row.low == row.high
        assert row.mean == pytest.approx(PRIORS[row.about][row.type], abs=1e-12)
    sums = beliefs.groupby(["US", "DPRK", "t", "about"])["mean"].sum()
    assert np.allclose(sums, 1, atol=1e-12)
    last = beliefs[(beliefs["t"] == 3) & (beliefs["DPRK"] == ANY) & (beliefs["about"] == "US")]
    mean = last.set_index(["US", "type"])["mean"]
    for kind, prior in PRIORS["US"].items():
        assert mean[kind, kind] > prior + 0.01
        assert mean[ANY, kind] == pytest.approx(prior, abs=5e-3)
    assert (beliefs["low"] <= beliefs["high"]).all()


@pytest.mark.parametrize("name", ["together", "forever"])
def test_forward_equals_backward(name: str, request: pytest.FixtureRequest) -> None:
    result: Forecast = request.getfixturevalue(name)
    assert result.solution.status.name == "SOLVED"
    assert result.forward_error < 1e-10
    to_json(describe_forecast(result).data)


SHAPES = st.sampled_from(
    [
        Shape(actors=2, informed=1, together=2, types=3, levels=3, periods=2),
        Shape(actors=3, informed=2, together=2, types=3, levels=3, periods=2, discount=True),
        Shape(actors=3, informed=1, together=3, types=4, levels=2, periods=2),
        Shape(actors=2, informed=2, together=2, levels=3, forever=True),
        Shape(actors=2, informed=1, types=3, levels=3, forever=True),
    ]
)


@settings(
    max_examples=examples(10),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_random_games(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    points = 2 * shape.types + 1 if shape.types > 2 else 5
    game = compiled(data.draw(scenarios(shape, 1.0)))
    solution = detente.solve(game, detente.SolveOptions(beliefs=points), coarse=False)
    assert solution.status.name == "SOLVED"
    result = detente.forecast(solution)
    assert result.forward_error < 1e-10
    keys = [list(game.scenario.actors)[i] for i in game.informed]
    states = result.states.groupby([*keys, "t"])["probability"].sum()
    assert np.allclose(states, 1, atol=1e-12)
    shares = result.actions.groupby([*keys, "t", "turn", "actor"])["share"].sum(min_count=1)
    assert np.allclose(shares.dropna(), 1, atol=1e-12)
    beliefs = result.beliefs.groupby([*keys, "t", "about"])["mean"].sum()
    assert np.allclose(beliefs, 1, atol=1e-12)
    # Rows under the types of one actor weigh up to the whole.
    key, i = keys[0], game.informed[0]
    for table, columns in ((result.outcomes, ["happened", "holds"]), (result.beliefs, ["mean"])):
        whole = table.loc[table[key] == ANY, columns].to_numpy()
        kinds = game.scenario.actors[key].types
        parts = [table.loc[table[key] == kind, columns].to_numpy() for kind in kinds]
        assert np.allclose(np.tensordot(game.priors[i], np.array(parts), 1), whole, atol=1e-12)


# ---- without end


def test_a_forecast_of_a_game_without_end(forever: Forecast) -> None:
    assert forever.periods == 4
    periods = ["start", "2018-11", "2018-12", "2019-01", "2019-02"]
    for table in (forever.outcomes, forever.states, forever.beliefs):
        assert table["t"].unique().tolist() == list(range(5))
        assert [periods[t] for t in table["t"]] == table["period"].tolist()
    assert forever.actions["t"].unique().tolist() == [1, 2, 3, 4]
    assert repr(forever).startswith("<Forecast of '<text>' over the first 4 periods: ")
    assert "without end, 3 turns a period" in repr(forever.solution.game)


def test_periods_told_do_not_matter(forever: Forecast) -> None:
    usual = detente.forecast(forever.solution)
    assert usual.periods == 24
    pd.testing.assert_frame_equal(usual.payoffs, forever.payoffs)
    for name in ("outcomes", "states", "actions", "beliefs"):
        longer = getattr(usual, name)
        first = longer[longer["t"] <= 4].reset_index(drop=True)
        keys = [c for c in first if first[c].dtype != np.float64]
        both = first.merge(getattr(forever, name), on=keys)
        assert len(both) == len(first) == len(getattr(forever, name))
        for column in first.columns.difference(keys):
            assert np.allclose(both[f"{column}_x"], both[f"{column}_y"], atol=1e-12, equal_nan=True)
    one = detente.forecast(forever.solution, periods=1)
    assert one.forward_error < 1e-10
    assert repr(one).startswith("<Forecast of '<text>' over the first 1 period: ")


@pytest.mark.slow
def test_a_long_horizon_approaches_no_end(forever: Forecast) -> None:
    payoffs, happened = forever.payoffs["payoff"], forever.outcomes["happened"]
    apart = []
    for horizon in (5, 20, 80):
        game = detente.compile_game(forever.solution.game.scenario.with_horizon(horizon))
        result = detente.forecast(
            detente.solve(game, detente.SolveOptions(beliefs=9), coarse=False, regret=False)
        )
        first = result.outcomes[result.outcomes["t"] <= 4]
        apart.append(
            [
                np.abs(result.payoffs["payoff"] - payoffs).max(),
                np.abs(first["happened"].to_numpy() - happened.to_numpy()).max(),
            ]
        )
    # What lies behind the horizon counts for 0.8 ** horizon times payoffs of a few units.
    for (before, *_), (after, *_) in pairwise(apart):
        assert after < before / 10
    assert np.max(apart[-1]) < 1e-6


@pytest.mark.parametrize(
    ("name", "periods", "message"),
    [
        ("together", 3, "ends by itself"),
        ("together", 5, "ends by itself"),
        ("forever", 0, "a whole number from 1 to"),
    ],
)
def test_periods_that_cannot_be_told(
    name: str, periods: int, message: str, request: pytest.FixtureRequest
) -> None:
    solution = request.getfixturevalue(name).solution
    with pytest.raises((ValueError, ScenarioError), match=message):
        detente.forecast(solution, periods=periods)
    with pytest.raises((ValueError, ScenarioError), match=message):
        draw(solution, 1, periods)


def test_what_is_printed(
    together: Forecast, forever: Forecast, capsys: pytest.CaptureFixture[str]
) -> None:
    print_described(describe_forecast(together))
    told = capsys.readouterr().out
    assert "3 months from 2018-11; no terms announced" in told
    assert "Belief grid with 17 x 17 points along the edges (153 x 17 nodes)" in told
    assert "Turns of informed actors or of several at once: " in told
    # Of two types the belief about one is told, of three about each.
    rows = told.partition("How beliefs move")[2].partition("Where things stand")[0]
    assert [rows.count(f" is {kind}") for kind in PRIORS["US"]] == [3 + 3] * 3
    assert rows.count("DPRK is sincere") == 2
    assert "DPRK is stalling" not in rows
    moves = told.partition("Who does what first")[2].partition("How beliefs")[0]
    assert moves.count("2018-11") == 3 + 2 + 1  # the types of both, and Seoul
    print_described(describe_forecast(forever))
    told = capsys.readouterr().out
    assert "without end from 2018-11; the first 4 months are reported; no terms announced" in told
    assert "Belief grid with 9 points along each edge (45 nodes)" in told
    assert "3 turns a period" in told
    data = describe_forecast(forever).data
    assert data["scenario"]["periods"] == "forever"
    assert data["run"]["periods"] == 4
    assert data["run"]["beliefs"] == [9, 1, 1]
    assert data["run"]["nodes"] == [45, 1, 1]


def test_how_turns_were_solved(together: Forecast, capsys: pytest.CaptureFixture[str]) -> None:
    solution = together.solution
    counts = BranchCount(unique=5, traced=20, folded=3, forked=1, failed=0)
    certificate = replace(solution.certificate, regret_points=(9, 9))
    changed = replace(solution, branches=counts, certificate=certificate, notes=("A note.",))
    print_described(describe_forecast(replace(together, solution=changed)))
    told = " ".join(capsys.readouterr().out.split())
    assert "24 followed along the principal branch (3 of them around folds, 1 straight" in told
    assert "What a best response would add was computed on a grid of 9 x 9." in told
    assert "A note." in told
    print_described(describe_forecast(together))
    told = " ".join(capsys.readouterr().out.split())
    assert "forks" not in told
    assert "What a best response would add was computed" not in told


# ---- histories


@pytest.fixture(scope="module")
def histories(together: Forecast) -> pd.DataFrame:
    return draw(together.solution, DRAWS)


def test_rows_of_a_turn_at_which_two_choose(histories: pd.DataFrame) -> None:
    moves = histories[histories["turn"] == 1]
    pairs = moves.groupby(["draw", "t"])
    assert (pairs["actor"].agg(list).map(lambda actors: actors == ["DPRK", "US"])).all()
    after = [c for c in histories if c not in ("actor", "action")]
    assert (pairs[after].nunique() == 1).all().all()
    alone = histories[histories["turn"] == 2]
    assert set(alone["actor"]) == {"ROK"}
    assert not alone.duplicated(["draw", "t"]).any()


def test_beliefs_about_both_follow_by_bayes_rule(
    together: Forecast, histories: pd.DataFrame
) -> None:
    solution = together.solution
    first = histories[(histories["t"] == 1) & (histories["turn"] == 1)]
    for m, actor in enumerate(("DPRK", "US")):
        play = solution.strategy(0, 0, m)[solution.grid.start]
        priors = np.array(list(PRIORS[actor].values()))
        mine = first[first["actor"] == actor]
        for a, action in enumerate(solution.game.scenario.actions[actor]):
            joint = priors * play[:, a]
            for theta, kind in enumerate(PRIORS[actor]):
                told = mine.loc[mine["action"] == action, f"belief {actor} {kind}"]
                assert np.allclose(told, joint[theta] / joint.sum(), atol=1e-12)
    beliefs = histories[[f"belief US {kind}" for kind in PRIORS["US"]]]
    assert np.allclose(beliefs.sum(axis=1), 1)


def test_histories_are_as_frequent_as_forecast(together: Forecast, histories: pd.DataFrame) -> None:
    frequent(together, histories)


def frequent(told: Forecast, histories: pd.DataFrame) -> None:
    """Actions overall, and outcomes under each type, occur as often as they should."""
    actions = marginal(told.solution.game, told.actions)
    counts = histories.groupby(["t", "turn", "actor", "action"])["draw"].nunique()
    for row in actions.itertuples():
        count = counts.get((row.t, row.turn, row.actor, row.action), 0)
        assert close(count, DRAWS, row.probability)
    where = {"deal": histories["steps"] == "2", "contact": histories["talks"] == "contact"}
    for truth in (ANY, *PRIORS["US"]):
        chosen = histories if truth == ANY else histories[histories["US"] == truth]
        draws = chosen["draw"].nunique()
        table = told.outcomes
        expected = table[(table["US"] == truth) & (table["t"] > 0)]
        if "DPRK" in table:
            expected = expected[expected["DPRK"] == ANY]
        for row in expected.itertuples():
            past = chosen[where[row.outcome].loc[chosen.index] & (chosen["t"] <= row.t)]
            assert close(past["draw"].nunique(), draws, row.happened)


def test_histories_without_end(forever: Forecast) -> None:
    solution = forever.solution
    table = draw(solution, DRAWS, 4)
    assert table.groupby("draw")["t"].max().eq(4).all()
    assert set(table["period"]) == {"start", "2018-11", "2018-12", "2019-01", "2019-02"}
    frequent(forever, table)
    more = draw(solution, 3)
    assert more["t"].max() == 24
    first = more[more["t"] <= 4].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, table[table["draw"] < 3].reset_index(drop=True))


def test_strategies_between_nodes_of_a_simplex(together: Forecast) -> None:
    solution = together.solution
    us, dprk, rok = solution.grid.about
    rng = np.random.default_rng(8)
    draws = rng.dirichlet(np.ones(3), 20)
    corners = [*np.eye(3), [0.5, 0.5, 0], [0, 0.25, 0.75], us.belief[us.start], us.belief[7]]
    for belief in map(np.array, [*draws, *corners]):
        other = rng.dirichlet(np.ones(2))
        weights = []
        for simplex, b, prior in (
            (us, belief, [0.3, 0.3, 0.4]),
            (dprk, other, [0.4, 0.6]),
        ):
            u = b * simplex.prior / np.array(prior)
            weights.append(hat(simplex.steps, simplex.node, u / u.sum()))
        for m in (0, 1):
            table = solution.strategy(0, 0, m)
            table = table.reshape(us.size, dprk.size, *table.shape[1:])
            expected = np.einsum("g,h,ghta->ta", *weights, table)
            found = interpolated_strategy(solution, 0, 0, [belief, other, np.ones(rok.size)], m)
            assert np.allclose(found, expected, atol=1e-12)


ONCE = """\
title: Never back to the first level
calendar: {period: round, horizon: forever}
actors: {A: {discount: 0.9, precision: 1}}
state: {phase: {levels: [first, low, high], start: first}}
turns: [{who: A}]
actions: {A: {down: {set: {phase: low}}, up: {set: {phase: high}}}}
payoffs: {A: {flow: "0"}}
outcomes: {high: {when: phase == high}}
"""


def test_later_periods_begin_where_earlier_ones_end() -> None:
    """The first state is left for ever, so that states stand elsewhere when play begins again."""
    result = detente.forecast(detente.solve(compiled(ONCE)), periods=3)
    table = result.states.pivot(index="t", columns="label", values="probability")
    assert table["first"].tolist() == [1, 0, 0, 0]
    for level in ("low", "high"):
        assert table[level].tolist() == pytest.approx([0, 0.5, 0.5, 0.5], abs=1e-14)
    assert result.outcomes["happened"].tolist() == pytest.approx([0, 0.5, 0.75, 0.875], abs=1e-14)
