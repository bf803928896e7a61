"""Properties of solutions and forecasts on random scenarios."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import detente
from detente.game.arrays import CompiledGame
from detente.scenario.model import Scenario
from detente.simulation.forecast import marginal
from detente.simulation.forward import forward
from detente.solver import workers
from detente.solver.options import least_points
from detente.solver.solution import Solution
from tests import effort
from tests.effort import examples
from tests.generate import Shape, scenarios
from tests.solver.test_gambit import Signals

ordinary = settings(
    max_examples=examples(12),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
few = settings(ordinary, max_examples=examples(4))

SHAPES = st.sampled_from(
    [
        Shape(actors=1, informed=1, actions=3, levels=3, periods=3),
        Shape(actors=2, informed=1, actions=2, levels=3, periods=3, discount=True),
        Shape(actors=2, informed=2, actions=3, levels=3, periods=2, discount=True),
        Shape(actors=3, informed=2, actions=2, levels=4, periods=2),
        Shape(actors=3, informed=3, actions=2, levels=2, periods=1),
        Shape(actors=2, informed=0, actions=3, levels=4, periods=3, discount=True),
        Shape(actors=2, informed=1, types=3, actions=3, levels=3, periods=2),
        Shape(actors=1, informed=1, types=4, actions=2, levels=2, periods=2),
        Shape(actors=2, informed=2, together=2, levels=3, periods=2, discount=True),
        Shape(actors=3, informed=1, together=2, actions=3, levels=3, periods=2),
        Shape(actors=3, informed=1, together=3, levels=2, periods=2),
        Shape(actors=2, informed=1, types=3, together=2, levels=2, periods=2),
    ]
)


def draw(data: st.DataObject, precision: float | None = None) -> Scenario:
    return detente.loads(data.draw(scenarios(data.draw(SHAPES), precision)))


def solve(scenario: Scenario, points: int = 9, *, coarse: bool = False) -> Solution:
    """Solved on a grid of so many points, or of the fewest that its types need."""
    game = detente.compile_game(scenario)
    least = least_points(game)
    return detente.solve(game, detente.SolveOptions(beliefs=max(points, least)), coarse=coarse)


@settings(ordinary, max_examples=examples(30))
@given(data=st.data(), points=st.sampled_from([5, 9, 17]), lam=st.sampled_from([0.5, 2.0, 20.0]))
def test_forward_equals_backward(data: st.DataObject, points: int, lam: float) -> None:
    result = detente.forecast(solve(draw(data, lam), points, coarse=True))
    assert result.solution.status.name == "SOLVED"
    assert result.forward_error < 1e-10


@ordinary
@given(data=st.data())
def test_probabilities_add_up(data: st.DataObject) -> None:
    result = detente.forecast(solve(draw(data), coarse=True))
    keys = [c for c in result.states if c not in ("level", "label", "probability", "period")]
    assert np.allclose(result.states.groupby(keys)["probability"].sum(), 1, atol=1e-12)
    keys = [c for c in result.actions if c not in ("action", "probability", "share", "period")]
    assert np.allclose(result.actions.groupby(keys)["share"].sum(), 1, atol=1e-12)
    outcomes = result.outcomes
    assert (outcomes["happened"] >= outcomes["holds"] - 1e-12).all()
    rising = outcomes.groupby([c for c in outcomes if c in ("A0", "A1", "A2", "outcome")])
    assert (rising["happened"].diff().fillna(0) >= -1e-12).all()


def martingale_errors(game: CompiledGame, points: int) -> tuple[float, float]:
    """How far the mean public belief strays from the prior: at the nodes, and as reported."""
    solution = detente.solve(game, detente.SolveOptions(beliefs=points), coarse=False)
    with workers.open_workers(1) as alone:
        run = forward(solution, alone)
    at_nodes = [
        run.beliefs[i] @ game.profile_prior() @ solution.grid.about[i].belief for i in game.informed
    ]
    means = marginal(game, detente.forecast(solution).beliefs)
    start = means[means["t"] == 0].set_index(["about", "type"])["mean"]
    now = means.set_index(["about", "type"])["mean"]
    return (
        max(float(np.abs(mean - mean[0]).max()) for mean in at_nodes),
        float((now - start.reindex(now.index)).abs().max()),
    )


SEEN = {
    "in turn": Signals(((0,), (1,)), (2, 2), periods=2),
    "three types": Signals(((0,), (1,)), (3, 1), periods=2),
    "at once": Signals(((0, 1),), (2, 1), periods=3),
}


@pytest.mark.parametrize("name", effort.cases(SEEN, slow=("in turn", "three types")))
def test_beliefs_are_a_martingale_up_to_the_grid(name: str) -> None:
    games = [SEEN[name].game(1.0, seed) for seed in range(4)]
    errors = np.array([[martingale_errors(g, n) for n in (9, 33)] for g in games])
    coarse, fine = errors[:, :, 0].sum(axis=0)
    # A grid four times as fine: sixteen times closer on the average where the error falls as h².
    assert 0 < fine <= coarse / 8
    # What is reported has no such drift.
    assert errors[:, :, 1].max() < 1e-12


SIGNALS = {
    "two types, answered": (Signals(((0,), (1,)), (2, 1), choices=3), 257),
    "two informed in turn": (Signals(((0,), (1,)), (2, 2)), 129),
    "three types, answered": (Signals(((0,), (1,)), (3, 1)), 129),
    "two at once, answered": (Signals(((0, 1), (2,)), (2, 1, 1)), 257),
    "two informed at once, answered": (Signals(((0, 1), (2,)), (2, 2, 1)), 65),
    "three types at once, answered": (Signals(((0, 1), (2,)), (3, 1, 1)), 97),
}
"""With the number of points that stands for the truth."""
FINE = (
    "three types, answered",
    "two informed at once, answered",
    "three types at once, answered",
)


@pytest.mark.parametrize(
    "name",
    effort.cases(SIGNALS, slow=FINE),
)
def test_payoffs_converge_as_h_squared(name: str) -> None:
    signals, most = SIGNALS[name]
    errors = []
    for seed in range(4):
        game = signals.game(1.0, seed)
        values = [
            np.array(
                list(
                    detente.solve(
                        game, detente.SolveOptions(beliefs=points), coarse=False
                    ).payoffs.values()
                )
            )
            for points in (9, 17, 33, most)
        ]
        errors.append([np.abs(v - values[-1]).max() for v in values[:-1]])
    # Twice as fine, four times closer: on the average of games, whose nodes lie differently.
    first, second, third = np.mean(errors, axis=0)
    assert third < 1e-3
    assert first / second > 2
    assert first / third > 8


def strategies(scenario: Scenario) -> list[np.ndarray]:
    return list(solve(scenario).strategies)


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


RELABELLED = [
    Shape(actors=2, informed=2, actions=3, levels=3, periods=2),
    Shape(actors=2, informed=1, types=3, actions=3, levels=3, periods=2),
    Shape(actors=2, informed=2, together=2, levels=3, periods=2),
    Shape(actors=3, informed=1, together=3, actions=2, levels=3, periods=1),
    Shape(actors=2, informed=1, types=3, together=2, levels=2, periods=2),
]


@pytest.mark.parametrize("shape", RELABELLED, ids=range(len(RELABELLED)))
@few
@given(data=st.data(), lam=st.sampled_from([0.5, 2.0]))
def test_relabelling_changes_nothing(shape: Shape, data: st.DataObject, lam: float) -> None:
    """Actors, types, actions and those who move at once in the other order."""
    text = data.draw(scenarios(shape, lam))
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    tree = yaml.load(text)
    for section in ("actors", "payoffs", "parameters", "actions"):
        tree[section] = dict(reversed(list(tree[section].items())))
    for actor in tree["actions"]:
        tree["actions"][actor] = dict(reversed(list(tree["actions"][actor].items())))
    for actor in tree["actors"].values():
        if "types" in actor:
            actor["types"] = dict(reversed(list(actor["types"].items())))
    for turn in tree["turns"]:
        if isinstance(turn, dict):
            turn["who"] = list(reversed(turn["who"]))
    out = io.StringIO()
    yaml.dump(tree, out)
    results = [detente.forecast(solve(detente.loads(t))) for t in (text, out.getvalue())]
    tables = [
        marginal(r.solution.game, r.actions)
        .set_index(["t", "turn", "actor", "action"])
        .sort_index()
        for r in results
    ]
    assert tables[0].index.equals(tables[1].index)
    assert np.allclose(tables[0]["probability"], tables[1]["probability"], atol=1e-10)
    payoffs = [r.payoffs.set_index(["actor", "type"]).sort_index()["payoff"] for r in results]
    assert payoffs[0].index.equals(payoffs[1].index)
    assert np.allclose(payoffs[0], payoffs[1], atol=1e-10)


@few
@given(data=st.data(), lam=st.sampled_from([0.0, 1e-9]))
def test_no_precision_is_uniform_play(data: st.DataObject, lam: float) -> None:
    solution = solve(draw(data, lam), 5, coarse=True)
    for n, layer in enumerate(solution.game.layers):
        for m in range(len(layer.movers)):
            for x in range(layer.states.size):
                play = solution.strategy(n, x, m)
                assert np.allclose(play, 1 / play.shape[2], atol=1e-6)


THREADED = {
    "two types": lambda: detente.compile_game(
        detente.load("bargaining-rounds").with_values({"rounds": 5})
    ),
    "three types, and two at once": lambda: Signals(((0,), (1, 2)), (3, 2, 1)).game(3.0, 0),
    "two informed at once, twice": lambda: Signals(((0, 1),), (2, 2), periods=2).game(3.0, 0),
    "nine profiles": lambda: Signals(((0,), (1,)), (3, 3)).game(3.0, 0),
    "hidden moves": lambda: detente.compile_game(detente.load("secret-programme")),
    "private chance": lambda: detente.compile_game(
        detente.load("pyeongchang-2018").with_horizon(2)
    ),
}


@pytest.mark.parametrize("name", THREADED)
def test_results_do_not_depend_on_threads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SMALL_WORK", 0)
    monkeypatch.setattr("detente.simulation.forward.PART", 0)
    game = THREADED[name]()
    points = {"two types": 17, "private chance": 5}.get(name, 9)
    runs = [detente.solve(game, detente.SolveOptions(beliefs=points, threads=n)) for n in (1, 2, 5)]
    tables = [detente.forecast(run, threads=n) for run, n in zip(runs, (1, 2, 5), strict=True)]
    for run, table in zip(runs[1:], tables[1:], strict=True):
        for a, b in zip(runs[0].strategies, run.strategies, strict=True):
            assert np.array_equal(a, b)
        assert np.array_equal(runs[0].start_values, run.start_values)
        assert table.outcomes.equals(tables[0].outcomes)
        assert table.beliefs.equals(tables[0].beliefs)


PRECISE = [
    Shape(actors=2, informed=0, actions=3, levels=3, periods=2),
    Shape(actors=2, informed=0, together=2, actions=3, levels=3, periods=2),
    Shape(actors=3, informed=0, together=3, actions=2, levels=3, periods=2),
    Shape(actors=2, informed=1, actions=2, levels=3, periods=2),
    Shape(actors=2, informed=1, types=3, actions=2, levels=3, periods=2),
    Shape(actors=2, informed=1, together=2, actions=2, levels=3, periods=2),
]


@pytest.mark.parametrize("shape", PRECISE, ids=range(len(PRECISE)))
@few
@given(data=st.data())
def test_regret_is_not_negative_and_falls_with_precision(shape: Shape, data: st.DataObject) -> None:
    text = data.draw(scenarios(shape, 1.0))
    regrets = []
    for lam in (1, 300):
        solution = solve(detente.loads(text.replace("precision: 1.0", f"precision: {lam}")))
        assert solution.status.name == "SOLVED"
        regret = solution.certificate.regret
        assert regret is not None
        assert min(regret.values()) >= -1e-12
        regrets.append(max(regret.values()))
    assert regrets[1] <= min(regrets[0], 0.02) + 1e-12


FOREVER = [
    Shape(actors=1, informed=1, levels=2, forever=True),
    Shape(actors=2, informed=1, levels=3, forever=True),
    Shape(actors=2, informed=0, together=2, actions=3, levels=3, forever=True),
    Shape(actors=2, informed=1, together=2, levels=2, forever=True),
    Shape(actors=2, informed=2, together=2, levels=2, forever=True),
    Shape(actors=2, informed=1, types=3, levels=2, forever=True),
]


@pytest.mark.slow
@pytest.mark.parametrize("shape", FOREVER, ids=range(len(FOREVER)))
@settings(few, max_examples=examples(3))
@given(data=st.data(), lam=st.sampled_from([0.5, 2.0]))
def test_play_without_end_is_the_limit_of_long_play(
    shape: Shape, data: st.DataObject, lam: float
) -> None:
    """At discount 0.8: at 0.95 and λ = 2 the first turns of long play may go round in circles."""
    text = data.draw(scenarios(shape, lam)).replace("discount: 0.95", "discount: 0.8")
    scenario = detente.loads(text)
    forever, long = solve(scenario), solve(scenario.with_horizon(130))
    assert forever.status.name == long.status.name == "SOLVED"
    assert forever.certificate.residual <= 1e-9
    assert forever.certificate.value_error <= 1e-9
    assert np.abs(forever.start_values - long.start_values).max() < 1e-8
    start = forever.game.start
    for n, layer in enumerate(forever.game.layers[:1]):  # later layers have other states
        for m in range(len(layer.movers)):
            play = forever.strategy(n, start, m) - long.strategy(n, 0, m)
            assert np.abs(play).max() < 1e-8
