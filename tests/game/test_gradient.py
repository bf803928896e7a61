"""Derivatives by parameters against differences of games filled in at other values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from detente import library
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame, GameGradient, Layer
from detente.game.compile import compile_game, with_values
from detente.game.gradient import parameter_gradient
from detente.scenario.loader import load, loads
from detente.scenario.model import Scenario
from tests import effort
from tests.effort import examples
from tests.generate import Shape, scenarios

STEP = 1e-5


def random_gradient(game: CompiledGame, seed: int = 0) -> GameGradient:
    """Normal numbers in the shapes of the game's arrays."""
    rng = np.random.default_rng(seed)

    def like(array: np.ndarray) -> np.ndarray:
        return rng.normal(size=array.shape)

    return GameGradient(
        prob=tuple(like(layer.prob) for layer in game.layers),
        reward=tuple(like(layer.reward) for layer in game.layers),
        log_reference=tuple(balanced(layer, like) for layer in game.layers),
        flow=tuple(like(flow) for flow in game.flow),
        terminal=like(game.terminal),
        priors=tuple(like(prior) for prior in game.priors),
        precision=like(game.precision),
        discount=like(game.discount),
    )


def balanced(layer: Layer, like: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Derivatives [e, m] that add up to 0 over the actions of a state, as those of shares do."""
    by = like(layer.reference)
    sizes = np.diff(layer.action_ptr)
    for m in range(by.shape[1]):
        mean = np.add.reduceat(by[:, m], layer.action_ptr[:-1]) / sizes
        by[:, m] -= np.repeat(mean, sizes)
    return by


def number(game: CompiledGame, gradient: GameGradient) -> float:
    """The number that has these derivatives: the sum of their products with the game's arrays."""
    pairs = [
        *zip([layer.prob for layer in game.layers], gradient.prob, strict=True),
        *zip([layer.reward for layer in game.layers], gradient.reward, strict=True),
        *(
            (np.log(layer.reference), by)
            for layer, by in zip(game.layers, gradient.log_reference, strict=True)
        ),
        *zip(game.flow, gradient.flow, strict=True),
        (game.terminal, gradient.terminal),
        *zip(game.priors, gradient.priors, strict=True),
        (game.precision, gradient.precision),
        (game.discount, gradient.discount),
    ]
    # A precision may be inf; nothing moves it.
    finite = [np.where(np.isfinite(values), values, 0) for values, _ in pairs]
    slopes = [by for _, by in pairs]
    return math.fsum(float(np.sum(a * b)) for a, b in zip(finite, slopes, strict=True))


def values_of(scenario: Scenario) -> dict[str, float]:
    parameters = scenario.parameters.values()
    return {n: v for p in parameters for n, v in zip(p.names(), p.values, strict=True)}


def compare(game: CompiledGame, seed: int = 0) -> set[str]:
    """Compare with central differences; returns the parameters that could not be compared.

    Those decide the enumeration, have only impossible values on one side, or stand where the
    number has a kink or a jump.
    """
    gradient = random_gradient(game, seed)
    found = parameter_gradient(game, gradient)
    values = values_of(game.scenario)
    assert list(found) == list(values)
    here, left = number(game, gradient), set()
    for name, value in values.items():
        step = STEP * max(1.0, abs(value))
        try:
            sides = [with_values(game, {name: value + sign * step}) for sign in (-1, 1)]
        except ScenarioError:
            left.add(name)
            continue
        if any(side.structure is not game.structure for side in sides):
            left.add(name)
            continue
        behind, ahead = (number(side, gradient) for side in sides)
        slope = (ahead - behind) / (2 * step)
        if abs(ahead - 2 * here + behind) > 1e-3 * step * (1 + abs(slope)):
            left.add(name)
            continue
        assert found[name] == pytest.approx(slope, rel=1e-6, abs=1e-6), name
    return left


ordinary = settings(
    max_examples=examples(10),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = st.sampled_from(
    [
        Shape(actors=1, informed=1, actions=3, levels=3, periods=3),
        Shape(actors=2, informed=1, actions=2, levels=5, periods=4, discount=True),
        Shape(actors=3, informed=2, types=3, actions=2, levels=3, periods=2),
        Shape(actors=3, informed=2, together=2, actions=3, levels=3, periods=2),
        Shape(actors=2, informed=2, together=2, levels=4, forever=True),
        Shape(actors=3, informed=1, together=2, actions=3, reference=True),
    ]
)


@ordinary
@given(data=st.data(), seed=st.integers(0, 1000))
def test_random_scenarios(data: st.DataObject, seed: int) -> None:
    game = compile_game(loads(data.draw(scenarios(data.draw(SHAPES)))))
    assert not compare(game, seed)


LEFT = {
    "bargaining-rounds": {"rounds"},
    "centipede": {"innings"},
    "chain-store": {"entrants"},
    # The logarithm of a small share is too curved for the differences taken here.
    "pyeongchang-2018": {"truce_months", "visit_from", "often_approach"},
}


SUPERSEDED = "pyeongchang-2018-first"


@pytest.mark.parametrize(
    "name",
    effort.cases([n for n in library.names() if n != SUPERSEDED], slow=("pyeongchang-2018",)),
)
def test_the_library(name: str) -> None:
    scenario = load(name)
    if name == "pyeongchang-2018":
        scenario = scenario.with_horizon(2)  # March has its chance that types change
    assert compare(compile_game(scenario)) == LEFT.get(name, set())


EVERYTHING = """\
title: Everything
calendar: {period: round, horizon: 3}
actors:
  A: {types: {a: prior, b: 1 - prior}, precision: lam, discount: patience}
  B:
    types: {c: prior * share, d: share - prior * share, e: 1 - share}
    precision: limit
    discount: patience ** 2
  C: {precision: 2 * lam}
state:
  x: {levels: 0..3, start: 1, edge: cut}
  mood: {levels: [bad, good], start: bad}
parameters:
  prior: {value: 0.3}
  share: {value: 0.6}
  lam: {value: 1.2}
  patience: {value: 0.9}
  skill: {value: 0.4}
  luck: {value: 0.2}
  storm: {value: 0.3}
  fade: {value: 0.1}
  price: {value: {a: 1, b: 2}}
  worth: {value: {c: 0.5, d: 1.5, e: -1}}
  fine: {value: 0.7}
  unused: {value: 5}
turns: [{who: [A, B]}, chance, C, {chance: [wind]}]
actions:
  A:
    push:
      effects:
        - {p: skill * x / 3, set: {x: +1}}
        - {p: "min(luck, 0.5)", set: {x: -1}}
        - {p: rest}
      reference: luck + 0.1 * x
      cost: price
      costs: {B: 0.1 * price * worth, C: fine}
    wait: {}
  B:
    pull: {effects: [{p: 1 - skill ** 2}, {p: rest, set: {x: -1, mood: good}}], cost: worth + price}
    sit: {cost: -luck}
  C:
    shout: {effects: [{p: exp(-lam)}, {p: 1 - exp(-lam), set: {x: +1}}], cost: fine}
    stay: {}
chance:
  rain:
    when: x < 3
    effects: [{p: storm, set: {x: +1}}, {p: luck * storm, set: {mood: good}}, {p: rest}]
  calm: {when: mood == good, effects: [{p: fade * x, set: {mood: bad}}, {p: rest}]}
  wind: {effects: [{p: 0.5 * fade, set: {x: 0}}, {p: rest}]}
payoffs:
  A:
    flow: {base: price * x, talk: "log(fine) if mood == good else fine * worth"}
    terminal: worth * price * x
  B: {flow: (worth if A == a else -worth) * abs(x - 2 * skill)}
  C: {flow: sqrt(x * fine * t), terminal: -fine * t * (mood == bad)}
terms:
  quiet: {forbids: {A: push, B: pull}, when: x >= 1, cost: fine * x}
  pride: {binds: A, forbids: push, unless: mood == good, cost: price ** 2}
policies: {quiet: [quiet, pride]}
policy: quiet
"""


@pytest.mark.parametrize("policy", ["quiet", ""])
def test_every_way_for_a_parameter_to_matter(policy: str) -> None:
    game = compile_game(loads(EVERYTHING), policy=policy)
    assert {len(layer.movers) for layer in game.layers} == {0, 1, 2}
    assert "rain, calm, wind" in {layer.event for layer in game.layers}
    assert math.inf in game.precision
    assert not compare(game)


def test_a_game_without_end() -> None:
    changes = {
        "horizon: 3": "horizon: forever",
        "C: {precision: 2 * lam}": "C: {precision: 2 * lam, discount: patience}",
        "    terminal: worth * price * x\n": "",
        "fine * t), terminal: -fine * t * (mood == bad)": "fine)",
    }
    text = EVERYTHING
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    game = compile_game(loads(text))
    assert game.loop is not None
    assert not compare(game)


def test_every_parameter_that_is_read_matters() -> None:
    game = compile_game(loads(EVERYTHING))
    found = parameter_gradient(game, random_gradient(game))
    assert [name for name, slope in found.items() if slope == 0] == ["unused"]
    assert list(found)[8:13] == ["price.a", "price.b", "worth.c", "worth.d", "worth.e"]


# --- by hand ---

SMALL = """\
title: Small
calendar: {period: round, horizon: 1}
actors: {A: {types: {s: 0.5, w: 0.5}, precision: 1}, B: {precision: 1}}
state: {x: {levels: 0..1, start: 0}, y: {levels: 0..1, start: 0}}
parameters:
  p: {value: 0.25}
  q: {value: 0.5}
  cost: {value: {s: 1, w: 2}}
  zero: {value: 0}
turns: [{who: [A, B]}, chance]
actions:
  A: {up: {effects: [{p: p, set: {x: 1}}, {p: rest}], cost: cost}, no: {}}
  B: {up: {effects: [{p: p * q, set: {y: 1}}, {p: rest}], costs: {A: 3 * cost}}, no: {}}
chance:
  first: {when: x == 0, effects: [{p: p, set: {x: 1}}, {p: rest}]}
  second: {when: x == 1, effects: [{p: q, set: {x: 0}}, {p: rest}]}
payoffs: {A: {flow: sqrt(zero) + sqrt(x + zero)}, B: {terminal: cost}}
"""


def zeros(game: CompiledGame) -> GameGradient:
    return GameGradient(
        prob=tuple(np.zeros_like(layer.prob) for layer in game.layers),
        reward=tuple(np.zeros_like(layer.reward) for layer in game.layers),
        log_reference=tuple(np.zeros_like(layer.reference) for layer in game.layers),
        flow=tuple(map(np.zeros_like, game.flow)),
        terminal=np.zeros_like(game.terminal),
        priors=tuple(map(np.zeros_like, game.priors)),
        precision=np.zeros_like(game.precision),
        discount=np.zeros_like(game.discount),
    )


def slopes(game: CompiledGame, gradient: GameGradient) -> list[float]:
    """By p, q, cost.s, cost.w and zero."""
    return list(parameter_gradient(game, gradient).values())


def test_a_product_of_movers() -> None:
    game = compile_game(loads(SMALL))
    gradient = zeros(game)
    both, *_ = gradient.prob
    # Both go up; x and y rise each or not: (1 - p)(1 - pq), (1 - p) pq, p (1 - pq), p · pq,
    # where alternatives come in the order of the file: first those that set.
    assert game.layers[0].prob[:4].tolist() == [0.03125, 0.21875, 0.09375, 0.65625]
    both[0] = 1  # p · pq
    assert slopes(game, gradient) == [2 * 0.25 * 0.5, 0.25**2, 0, 0, 0]
    both[:4] = [0, 0, 0, 1]  # (1 - p)(1 - pq)
    assert slopes(game, gradient) == [-(1 - 0.125) - 0.75 * 0.5, -0.75 * 0.25, 0, 0, 0]
    both[:4] = 1  # they add up to 1, whatever p and q are
    assert slopes(game, gradient) == [0, 0, 0, 0, 0]


def test_chance_events_that_were_fused() -> None:
    game = compile_game(loads(SMALL))
    gradient = zeros(game)
    layer, weights = game.layers[1], gradient.prob[1]
    assert layer.event == "first, second"
    # From (0, 0): by `first` to x = 1 with p, and back by `second` with q: two ways to stay.
    assert layer.prob[:2].tolist() == [0.75 + 0.125, 0.125]
    weights[0] = 1  # 1 - p + pq
    assert slopes(game, gradient) == [-0.5, 0.25, 0, 0, 0]


def test_costs_by_the_types_of_a_profile() -> None:
    game = compile_game(loads(SMALL))
    gradient = zeros(game)
    gradient.reward[0][0] = [1, 10, 100, 1000]  # A and B when A is s, then B; both go up
    assert slopes(game, gradient) == [0, 0, -4, -40, 0]
    gradient.terminal[0] = [1, 10, 100, 1000]
    assert slopes(game, gradient) == [0, 0, 96, 960, 0]


def test_an_infinite_slope_counts_where_the_number_depends_on_it() -> None:
    game = compile_game(loads(SMALL.replace("sqrt(zero) + ", "")))
    gradient = zeros(game)
    gradient.flow[0][2:] = 1  # at x = 1 the slope is 1 / 2
    assert slopes(game, gradient)[-1] == 4 * 0.5
    gradient.flow[0][0, 1] = -1
    assert slopes(game, gradient)[-1] == -math.inf
