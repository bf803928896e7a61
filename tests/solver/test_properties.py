"""Properties of solutions and forecasts on random scenarios."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import detente
from detente.scenario.model import Scenario
from detente.simulation.forecast import overall
from detente.solver import solve as solve_module
from tests.generate import Shape, scenarios

ordinary = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
few = settings(ordinary, max_examples=4)

SHAPES = st.sampled_from(
    [
        Shape(actors=1, informed=1, actions=3, levels=3, periods=3),
        Shape(actors=2, informed=1, actions=2, levels=3, periods=3, discount=True),
        Shape(actors=2, informed=2, actions=3, levels=3, periods=2, discount=True),
        Shape(actors=3, informed=2, actions=2, levels=4, periods=2),
        Shape(actors=3, informed=3, actions=2, levels=2, periods=1),
        Shape(actors=2, informed=0, actions=3, levels=4, periods=3, discount=True),
    ]
)


def draw(data: st.DataObject, precision: float | None = None) -> Scenario:
    return detente.loads(data.draw(scenarios(data.draw(SHAPES), precision)))


@ordinary
@given(data=st.data(), points=st.sampled_from([5, 9, 17]), lam=st.sampled_from([0.5, 2.0, 20.0]))
def test_forward_equals_backward(data: st.DataObject, points: int, lam: float) -> None:
    game = detente.compile_game(draw(data, lam))
    result = detente.forecast(detente.solve(game, beliefs=points))
    assert result.solution.status.name == "SOLVED"
    assert result.forward_error < 1e-10


@ordinary
@given(data=st.data())
def test_probabilities_add_up(data: st.DataObject) -> None:
    result = detente.forecast(detente.solve(detente.compile_game(draw(data)), beliefs=9))
    keys = [c for c in result.states if c not in ("level", "label", "probability", "period")]
    assert np.allclose(result.states.groupby(keys)["probability"].sum(), 1, atol=1e-12)
    keys = [c for c in result.actions if c not in ("action", "probability", "share", "period")]
    assert np.allclose(result.actions.groupby(keys)["share"].sum(), 1, atol=1e-12)
    outcomes = result.outcomes
    assert (outcomes["happened"] >= outcomes["holds"] - 1e-12).all()
    rising = outcomes.groupby([c for c in outcomes if c in ("A0", "A1", "A2", "outcome")])
    assert (rising["happened"].diff().fillna(0) >= -1e-12).all()


def martingale_error(scenario: Scenario, points: int) -> float:
    """How far the mean public belief strays from the prior."""
    solution = detente.solve(detente.compile_game(scenario), beliefs=points, coarse=False)
    means = overall(solution.game, detente.forecast(solution).beliefs)
    start = means[means["t"] == 0].set_index(["about", "type"])["mean"]
    now = means.set_index(["about", "type"])["mean"]
    return float((now - start.reindex(now.index)).abs().max())


@few
@given(data=st.data())
def test_beliefs_are_a_martingale_up_to_the_grid(data: st.DataObject) -> None:
    shape = Shape(actors=2, informed=1, actions=3, levels=3, periods=3)
    scenario = detente.loads(data.draw(scenarios(shape, 1.0)))
    coarse, fine = martingale_error(scenario, 17), martingale_error(scenario, 65)
    # A grid four times as fine: sixteen times closer where the error falls as h².
    assert fine <= coarse / 8 + 1e-12


@few
@given(data=st.data())
def test_payoffs_converge_as_h_squared(data: st.DataObject) -> None:
    shape = Shape(actors=2, informed=2, actions=2, levels=3, periods=2)
    game = detente.compile_game(detente.loads(data.draw(scenarios(shape, 1.0))))
    values = [
        np.array(list(detente.solve(game, beliefs=points, coarse=False).payoffs.values()))
        for points in (9, 33, 129)
    ]
    coarse, fine = np.abs(values[0] - values[2]).max(), np.abs(values[1] - values[2]).max()
    assert fine <= coarse / 8 + 1e-12


def strategies(scenario: Scenario) -> list[np.ndarray]:
    return list(detente.solve(detente.compile_game(scenario), beliefs=9, coarse=False).strategies)


@few
@given(data=st.data())
def test_a_constant_changes_no_strategy(data: st.DataObject) -> None:
    scenario = draw(data)
    # Every action of A0 costs 3 more, and it always has to take one of them.
    more = {name: v + 3 for name, v in values(scenario).items() if name.startswith("cost_0_")}
    before, after = strategies(scenario), strategies(scenario.with_values(more))
    for a, b in zip(before, after, strict=True):
        assert np.abs(a - b).max(initial=0) < 1e-10


def values(scenario: Scenario) -> dict[str, float]:
    parameters = scenario.parameters.values()
    return {n: v for p in parameters for n, v in zip(p.names(), p.values, strict=True)}


@few
@given(data=st.data())
def test_relabelling_changes_nothing(data: st.DataObject) -> None:
    shape = Shape(actors=2, informed=2, actions=3, levels=3, periods=2)
    text = data.draw(scenarios(shape))
    yaml = YAML()
    yaml.preserve_quotes = True
    tree = yaml.load(text)
    for section in ("actors", "payoffs", "parameters", "actions"):
        tree[section] = dict(reversed(list(tree[section].items())))
    for actor in tree["actions"]:
        tree["actions"][actor] = dict(reversed(list(tree["actions"][actor].items())))
    out = io.StringIO()
    yaml.dump(tree, out)
    results = [
        detente.forecast(detente.solve(detente.compile_game(detente.loads(t)), beliefs=9))
        for t in (text, out.getvalue())
    ]
    tables = [
        overall(r.solution.game, r.actions).set_index(["t", "turn", "actor", "action"]).sort_index()
        for r in results
    ]
    assert np.allclose(tables[0]["probability"], tables[1]["probability"], atol=1e-10)
    payoffs = [r.payoffs.set_index(["actor", "type"]).sort_index()["payoff"] for r in results]
    assert np.allclose(payoffs[0], payoffs[1], atol=1e-10)


@few
@given(data=st.data(), lam=st.sampled_from([0.0, 1e-9]))
def test_no_precision_is_uniform_play(data: st.DataObject, lam: float) -> None:
    solution = detente.solve(detente.compile_game(draw(data, lam)), beliefs=5)
    for n, layer in enumerate(solution.game.layers):
        for x in range(layer.states.size if layer.movers else 0):
            play = solution.strategy(n, x)
            assert np.allclose(play, 1 / play.shape[2], atol=1e-6)


def test_results_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve_module, "SMALL_WORK", 0)
    game = detente.compile_game(detente.load("bargaining-rounds").with_values({"rounds": 5}))
    runs = [detente.solve(game, beliefs=17, threads=n) for n in (1, 2, 5)]
    tables = [detente.forecast(run, threads=n) for run, n in zip(runs, (1, 2, 5), strict=True)]
    for run, table in zip(runs[1:], tables[1:], strict=True):
        for a, b in zip(runs[0].strategies, run.strategies, strict=True):
            assert np.array_equal(a, b)
        assert np.array_equal(runs[0].start_values, run.start_values)
        assert table.outcomes.equals(tables[0].outcomes)
        assert table.beliefs.equals(tables[0].beliefs)


@few
@given(data=st.data())
def test_regret_is_not_negative_and_falls_with_precision(data: st.DataObject) -> None:
    shape = Shape(actors=2, informed=0, actions=3, levels=3, periods=2)
    text = data.draw(scenarios(shape, 1.0))
    regrets = []
    for lam in (1, 1000):
        scenario = detente.loads(text.replace("precision: 1.0", f"precision: {lam}"))
        regret = detente.solve(detente.compile_game(scenario)).certificate.regret
        assert regret is not None
        assert min(regret.values()) >= -1e-12
        regrets.append(max(regret.values()))
    assert regrets[1] <= min(regrets[0], 0.01) + 1e-12
