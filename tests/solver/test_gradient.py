"""Derivatives of outcome probabilities and payoffs by all parameters: against central differences,
which solve the game anew at every parameter, and against one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import detente
from detente.game.gradient import parameter_gradient
from detente.scenario.model import Scenario
from detente.simulation.forward import forward
from detente.solver.gradient import game_gradient
from detente.solver.solution import Solution
from detente.solver.value_tape import Target
from detente.solver.workers import Workers
from tests.effort import examples
from tests.generate import Shape, scenarios

few = settings(
    max_examples=examples(3),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = {
    "one informed": Shape(actors=2, informed=1, actions=3, periods=2),
    "two informed": Shape(actors=2, informed=2, periods=2, discount=True),
    "nobody informed": Shape(actors=3, informed=0, periods=2),
    "three types": Shape(actors=2, informed=1, types=3, periods=1),
    "five types": Shape(actors=2, informed=1, types=5, periods=1),
    "together": Shape(actors=2, informed=2, together=2, periods=1),
    "two of three together": Shape(actors=3, informed=1, together=2, periods=2),
    "forever": Shape(actors=2, informed=1, forever=True),
    "reference": Shape(actors=2, informed=1, actions=3, reference=True),
    "reference, three types": Shape(actors=1, informed=1, types=3, reference=True),
    "reference, together": Shape(actors=3, informed=1, together=2, periods=1, reference=True),
    "shocks": Shape(actors=2, informed=2, reference=True, shocks=True),
    "shocks, nobody informed": Shape(actors=2, informed=0, actions=3, shocks=True),
    "shocks, together": Shape(actors=2, informed=2, together=2, reference=True, shocks=True),
    "shocks, forever": Shape(actors=2, informed=1, reference=True, shocks=True, forever=True),
}


def number(solution: Solution, target: Target, periods: int | None) -> float:
    """The number that is differentiated, by the forward pass."""
    with ThreadPoolExecutor(1) as pool:
        run = forward(solution, Workers(pool, 1), periods=periods)
    weights = target.weights(solution.game)
    if target.actor is not None:
        return float(weights @ run.payoffs[target.actor])
    table = run.happened if target.happened else run.holding
    return float(weights @ table[target.outcome][target.period])


def everybody(scenario: Scenario, **rest: object) -> Target:
    """The target without conditions on types."""
    game = detente.compile_game(scenario)
    given, by_prior = np.ones(len(game.profiles)), np.ones(len(game.priors), dtype=bool)
    return Target(given, by_prior, **rest)  # type: ignore[arg-type]


def assert_differences_agree(
    scenario: Scenario, target: Target, points: int, names: list[str], *, step: float = 1e-5
) -> None:
    game = detente.compile_game(scenario)
    told = 4 if game.loop is not None else None

    def at(values: dict[str, float]) -> float:
        moved = detente.with_values(game, values)
        solution = detente.solve(
            moved, detente.SolveOptions(beliefs=points), coarse=False, regret=False
        )
        return number(solution, target, told)

    solution = detente.solve(game, detente.SolveOptions(beliefs=points), coarse=False, regret=False)
    value, numbers = game_gradient(solution, target)
    assert value == pytest.approx(number(solution, target, told), abs=1e-10)
    slopes = parameter_gradient(game, numbers)
    now = {n: v for p in scenario.parameters.values() for n, v in zip(p.names(), p.values)}  # noqa: B905
    for name in names:
        there = now[name]

        def slope(h: float, name: str = name, there: float = there) -> float:
            return (at({name: there + h}) - at({name: there - h})) / (2 * h)

        difference = slope(step)
        if game.loop is not None:  # whose values are known to 1e-11: a wide step, of fourth order
            difference = (4 * slope(20 * step) - slope(40 * step)) / 3
        assert slopes[name] == pytest.approx(difference, abs=2e-7, rel=1e-5), name


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@few
@given(data=st.data(), lam=st.sampled_from([0.5, 1.0, 4.0]))
def test_differences(shape: Shape, lam: float, data: st.DataObject) -> None:
    scenario = detente.loads(data.draw(scenarios(shape, lam)))
    targets = [
        everybody(scenario, outcome="top", period=2 if shape.forever else shape.periods),
        everybody(scenario, outcome="top", period=1, happened=False),
        everybody(scenario, actor=shape.actors - 1),
    ]
    target = data.draw(st.sampled_from(targets))
    names = [n for p in scenario.parameters.values() for n in p.names()]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=2, max_size=3, unique=True))
    assert_differences_agree(scenario, target, 9, chosen)


CONSTANTS = """
title: every constant is a parameter
calendar: {period: round, horizon: 3}
actors:
  A: {types: {soft: 1 - p, hard: p}, precision: sharp, discount: patience}
  B: {types: {x: q, y: r, z: 1 - q - r}, precision: 2, discount: 0.9}
state:
  k: {levels: 0..2, start: 0, edge: cut}
parameters:
  p: {value: 0.3, judgement: so}
  q: {value: 0.5, judgement: so}
  r: {value: 0.2, judgement: so}
  sharp: {value: 1.5, judgement: so}
  patience: {value: 0.8, judgement: so}
  luck: {value: 0.4, judgement: so}
  pain: {value: {soft: 0.5, hard: 0.1}, of: A, judgement: so}
  gain: {value: {x: 0.2, y: 0.7, z: -0.4}, of: B, judgement: so}
turns: [A, B, chance]
actions:
  A: {up: {set: {k: +1}, cost: pain}, stay: {}}
  B: {down: {set: {k: -1}}, push: {effects: [{p: luck, set: {k: +1}}, {p: rest}], cost: 0.1}}
chance:
  storm: {effects: [{p: luck / 2, set: {k: 2}}, {p: rest}]}
payoffs:
  A: {flow: 0.5 * k, terminal: k}
  B: {flow: gain * k}
outcomes:
  top: {when: k == 2}
"""


@pytest.mark.parametrize(
    "what", [{"outcome": "top", "period": 2}, {"actor": 0}, {"actor": 1}], ids=str
)
@pytest.mark.parametrize("responses", ["mistakes", "shocks"])
def test_priors_precision_and_discount(what: dict[str, object], responses: str) -> None:
    scenario = detente.loads(f"responses: {responses}\n{CONSTANTS}")
    names = [n for p in scenario.parameters.values() for n in p.names()]
    assert_differences_agree(scenario, everybody(scenario, **what), 7, names)


def test_given_types() -> None:
    scenario = detente.loads(CONSTANTS)
    game = detente.compile_game(scenario)
    given = (game.profiles[:, 0] == 1).astype(float)
    target = Target(given, np.array([False, True]), outcome="top", period=3)
    assert_differences_agree(scenario, target, 7, ["p", "q", "sharp", "pain.hard", "luck"])


def test_threads_change_nothing() -> None:
    scenario = detente.loads(CONSTANTS)
    solution = detente.solve(detente.compile_game(scenario), detente.SolveOptions(beliefs=9))
    target = everybody(scenario, outcome="top", period=3)
    runs = [game_gradient(solution, target, threads=n)[1] for n in (1, 2, 5)]
    for other in runs[1:]:
        for one, again in zip(runs[0].prob, other.prob, strict=True):
            assert np.array_equal(one, again)
        assert np.array_equal(runs[0].precision, other.precision)


def test_kernels_of_lines_and_of_nodes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    # The same sums in another order; one mover in each turn, with two types or one, or chance.
    text = "responses: shocks\n" + CONSTANTS
    text = text.replace("x: q, y: r, z: 1 - q - r", "x: q, y: 1 - q")
    text = text.replace("cost: pain}", "cost: pain, reference: 0.5 + luck}")
    text = text.replace(", z: -0.4}", "}").replace("state:", "  C: {precision: 3}\nstate:", 1)
    text = text.replace("[A, B, chance]", "[A, B, C, chance]")
    text = text.replace("chance:\n", "  C: {up: {set: {k: +1}, cost: 0.2}, stay: {}}\nchance:\n", 1)
    scenario = detente.loads(text)
    solution = detente.solve(detente.compile_game(scenario), detente.SolveOptions(beliefs=9))
    target = everybody(scenario, outcome="top", period=3)
    value, lined = game_gradient(solution, target)
    monkeypatch.setattr("detente.solver.gradient.is_lined", lambda _: False)
    again, general = game_gradient(solution, target)
    assert again == pytest.approx(value, abs=1e-14)
    for name in ("prob", "reward", "log_reference", "flow", "priors"):
        for one, other in zip(getattr(lined, name), getattr(general, name), strict=True):
            assert np.allclose(one, other, rtol=1e-10, atol=1e-13), name
    assert np.allclose(lined.precision, general.precision, rtol=1e-10, atol=1e-13)


def test_the_start_may_hold_already() -> None:
    scenario = detente.loads(CONSTANTS.replace("start: 0", "start: 2"))
    solution = detente.solve(detente.compile_game(scenario), detente.SolveOptions(beliefs=9))
    target = everybody(scenario, outcome="top", period=3)
    value, gradient = game_gradient(solution, target)
    assert value == pytest.approx(1.0)
    assert all(not table.any() for table in (*gradient.prob, *gradient.reward))
