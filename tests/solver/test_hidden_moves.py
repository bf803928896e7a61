"""Moves that look alike, and what moves do to types unseen: exactly, and as others compute it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import detente
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame, HiddenMoves
from detente.game.compile import compile_game, with_values
from detente.game.gradient import parameter_gradient
from detente.simulation.histories import after_look
from detente.solver import backward
from detente.solver.beliefs import BeliefGrid, belief_grid
from detente.solver.gradient import game_gradient
from detente.solver.kernels.hidden_moves import push_hidden
from detente.solver.kernels.lottery import make_lottery
from detente.solver.layout import belief_layout, hidden_turn, part
from detente.solver.solution import Solution
from detente.solver.value_tape import Target
from tests.solver.test_gambit import differences
from tests.solver.test_private_chance import check_gradients

Floats = NDArray[np.float64]

TEXT = """\
title: A programme that goes on unseen, and an inspection that may find it
calendar: {{period: round, horizon: {horizon}}}
actors:
  US: {{precision: 2, judgement: a test{discount}}}
  North: {{types: {types}, precision: 1.5, judgement: a test{discount}}}
state:
  pressure: {{levels: 0..2, start: 1}}
  found: {{levels: [no, yes], start: no}}
parameters:
  in_secret: {{value: 0.4703, range: [0, 1], judgement: a test}}
  speed: {{value: 0.21, range: [0, 1], judgement: a test}}
  prior: {{value: 0.4, range: [0, 1], judgement: a test}}
turns: [North, {{chance: [inspection]}}, US]
actions:
  North:
    build: {{cost: "0.1 if North == open else -0.3"{build}}}
    hold: {{}}
    protest: {{set: {{pressure: 1}}, cost: 0.2}}
  US: {{press: {{when: pressure < 2, set: {{pressure: +1}}, cost: 0.1}}, wait: {{}}}}
chance:
  inspection:
    effects:
    - {{p: in_secret if North == secret else 0.1301, set: {{found: yes}}}}
    - {{p: rest, set: {{found: no}}}}
payoffs:
  US: {{flow: "-(found == yes) - (0.7 if North == secret else 0.2) * (2 - pressure)"}}
  North:
    flow: -pressure * (1 if North == open else 0.4) + 0.3 * (found == no) + (North == secret)
outcomes:
  found: {{when: found == yes}}
"""

SEEN = ", seen_as: hold"
BECOMES = ", becomes: {North: {open: {secret: speed * (1 + pressure)}, secret: {open: 0.07}}}"
TYPES = "{open: 0.3, secret: 0.5, shut: 0.2}"
THREE = ", becomes: {North: {open: {secret: speed, shut: 0.2}, secret: {shut: 0.3}}}"


def scenario(**said: object) -> detente.Scenario:
    """The scenario; what is `said` takes the place of what stands there."""
    given: dict[str, object] = {
        "horizon": 2,
        "types": "{open: prior, secret: 1 - prior}",
        "build": SEEN + BECOMES,
        "discount": "",
    }
    return detente.loads(TEXT.format(**given | said))


def solved(game: CompiledGame, beliefs: int = 17, like: BeliefGrid | None = None) -> Solution:
    options = detente.SolveOptions(beliefs=beliefs, threads=1)
    solution = detente.solve(game, options, like=like)
    assert solution.status.name == "SOLVED"
    return solution


@pytest.mark.gambit
@pytest.mark.parametrize(
    ("said", "points", "bound"),
    [
        ({}, (129, 513), 1e-7),
        ({"build": SEEN}, (129, 513), 1e-7),
        ({"build": BECOMES}, (129, 513), 1e-7),
        ({"types": TYPES, "build": SEEN + THREE}, (9, 33), 2e-5),
    ],
    ids=["both", "alike", "changing", "three-types"],
)
def test_same_as_gambit(said: dict[str, object], points: tuple[int, int], bound: float) -> None:
    rough, fine = differences(compile_game(scenario(**said)), *points, scale=True)
    assert fine < bound
    assert fine < rough / 8  # as the square of the step, which is a quarter: a sixteenth


TWO = {
    "US: {precision": "US: {types: {calm: 0.7, angry: 0.3}, precision",
    "wait: {}}": "wait: {}, arm: {seen_as: wait, cost: 0.05, becomes: {US: {calm: {angry: 0.4}}}}}",
    "{chance: [inspection]}, US]": "US, {chance: [inspection]}, North]",
    "- (0.7 if": "- 0.3 * (US == angry) - (0.7 if",
    "+ (North == secret)": "+ (North == secret) - 0.4 * (US == angry) * (found == yes)",
}
"""What makes the scenario one in which both hide something, and each has to do with the other's."""


@pytest.mark.gambit
def test_two_who_hide_something_as_in_gambit() -> None:
    text = scenario(horizon=1).text
    for old, new in TWO.items():
        assert old in text
        text = text.replace(old, new)
    rough, fine = differences(compile_game(detente.loads(text)), 17, 65, scale=True)
    assert fine < 1e-6
    assert fine < rough / 8


@pytest.mark.gambit
@pytest.mark.parametrize("seed", range(3))
def test_other_numbers_as_in_gambit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ranges = {"speed": (0.0, 0.4), "in_secret": (0.0, 1.0), "prior": (0.1, 0.9)}
    values = {name: float(rng.uniform(*ends)) for name, ends in ranges.items()}
    rough, fine = differences(compile_game(scenario().with_values(values)), 513, 2049, scale=True)
    assert fine < 1e-6
    assert fine < rough / 8


def test_what_hides_nothing_is_a_plain_turn() -> None:
    plain = compile_game(scenario(build=""))
    assert not any(layer.hidden for layer in plain.layers)
    none = ", becomes: {North: {open: {secret: 0 * speed}}}"
    assert not any(layer.hidden for layer in compile_game(scenario(build=none)).layers)
    layers = [
        replace(layer, hidden=unhiding(layer.action.size, 2) if layer.movers == (1,) else None)
        for layer in plain.layers
    ]
    first, second = solved(plain), solved(replace(plain, layers=tuple(layers)))
    assert list(first.payoffs.values()) == pytest.approx(list(second.payoffs.values()), abs=1e-12)
    for ours, theirs in zip(first.strategies, second.strategies, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
    tables = [detente.forecast(solution, threads=1) for solution in (first, second)]
    for name in ("outcomes", "actions"):
        numbers = [getattr(table, name).select_dtypes("number").to_numpy() for table in tables]
        np.testing.assert_allclose(*numbers, rtol=0, atol=1e-11)


def unhiding(edges: int, types: int) -> HiddenMoves:
    """What is seen of moves that hide nothing."""
    return HiddenMoves(np.arange(edges), np.tile(np.eye(types), (edges, 1, 1)))


@pytest.mark.parametrize("discount", ["", ", discount: 0.4"])
def test_forward_equals_backward(discount: str) -> None:
    horizon = "forever" if discount else "3"
    asked = scenario(types=TYPES, build=SEEN + THREE, discount=discount, horizon=horizon)
    forecast = detente.forecast(solved(compile_game(asked), 9), threads=1)
    assert forecast.forward_error < 1e-12


def test_mean_belief_is_what_types_are() -> None:
    """E[b' | b] = b K at every node, where u is b; K has the moves' own part. Of exact posteriors
    as well."""
    game = compile_game(scenario().with_values({"prior": 0.5}))
    solution = solved(game)
    grid = solution.grid
    belief, layer = grid.about[1].belief, game.layers[0]
    turn, layout = hidden_turn(game, grid, layer), belief_layout(game, grid, (1,))
    assert turn is not None
    assert layer.hidden is not None
    arrays, sigma = part(game, layer), solution.strategies[0]
    states = 1, game.structure.sets[1].size
    homes = tuple(np.zeros((count, 1), np.int64) for count in states)
    lottery, after = make_lottery(layout, 3, grid.size), np.zeros((states[1], 1, 1, grid.size, 2))
    acted, play = np.zeros((3, 2)), sigma.reshape(2, 3, grid.size)
    for b, here in enumerate(belief):
        mass = np.zeros((1, 1, 1, grid.size, 2))
        mass[0, 0, 0, b] = here
        push_hidden(0, arrays, layout, turn, sigma, homes, mass, (after, acted, lottery))
        types = np.einsum("t,ta,atf->f", here, play[:, :, b], layer.hidden.change)
        np.testing.assert_allclose(after.sum(axis=(0, 1, 2, 3)), types, atol=1e-14)
        np.testing.assert_allclose(belief.T @ after.sum(axis=(0, 1, 2, 4)), types, atol=1e-14)
        posteriors = after_look(
            np.tile(here, (3, 1)), layer.hidden, layer, np.zeros(3, np.int64), np.arange(3),
            np.tile(play[:, :, b], (3, 1, 1)),
        )  # fmt: skip
        np.testing.assert_allclose(here @ play[:, :, b] @ posteriors, types, atol=1e-14)


@pytest.mark.parametrize("three", [False, True])
def test_gradient_is_that_of_differences(three: bool) -> None:
    types = "{open: 0.8 * prior, secret: 1 - prior, shut: 0.2 * prior}"
    asked = scenario(types=types, build=SEEN + THREE) if three else scenario()
    check_gradients(asked, solved(compile_game(asked), 9))


@pytest.mark.parametrize("profile", [0, 1])
def test_derivatives_where_a_look_tells_nothing_yet(profile: int) -> None:
    """All moves look alike and change nothing; that one may change a type would tell something."""
    text = scenario(build=SEEN + ", becomes: {North: {open: {secret: speed}}}").text
    text = text.replace("    protest: {set: {pressure: 1}, cost: 0.2}\n", "")
    game = compile_game(detente.loads(text).with_values({"speed": 0.0}))
    solution = solved(game, 9)
    target = Target(np.eye(2)[profile], np.array([True, False]), actor=1)
    here, gradient = game_gradient(solution, target, threads=1)
    moved = solved(with_values(game, {"speed": 1e-6}), 9, like=solution.grid)
    there, _ = game_gradient(moved, target, threads=1)
    slope = parameter_gradient(game, gradient)["speed"]
    assert slope == pytest.approx((there - here) / 1e-6, abs=1e-5)


def test_the_certificate_knows_other_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(*told: object) -> object:
        turn = hidden_turn(*told)  # type: ignore[arg-type]
        if turn is not None:
            turn = turn._replace(change=turn.change[..., ::-1] * 0.001 + turn.change * 0.999)
        return turn

    monkeypatch.setattr(backward, "hidden_turn", other)
    solution = detente.solve(compile_game(scenario()), detente.SolveOptions(beliefs=9, threads=1))
    assert solution.status.name == "INACCURATE"
    assert min(solution.certificate.value_error, solution.certificate.residual) > 1e-5


def test_a_record_has_what_all_saw() -> None:
    """Where everybody plays at random a look tells nothing, and types are a hidden chain."""
    asked = detente.loads(re.sub(r"precision: [\d.]+", "precision: 0", scenario().text))
    solution = solved(compile_game(asked), 33)
    lines = "date,actor,move\n1,North,hold\n1,state,found == yes\n1,US,wait\n2,North,hold\n"
    track = detente.track(solution, detente.parse_record(lines, asked), threads=1)
    assert track.moves["action"].tolist()[0] == "hold"
    assert track.moves["probability"].iloc[0] == pytest.approx(2 / 3, abs=1e-12)
    belief = np.array([0.4, 0.6])
    for pressure, alarm in ((1, np.array([0.1301, 0.4703])), (1, np.ones(2))):
        to_secret = 0.21 * (1 + pressure) / 2  # in half of what is seen as `hold` it is built
        belief = belief @ np.array([[1 - to_secret, to_secret], [0.035, 0.965]]) * alarm
        belief /= belief.sum()
    assert track.beliefs["probability"].to_numpy()[-2:] == pytest.approx(belief, abs=1e-4)
    with pytest.raises(ScenarioError, match=r"write `hold`, as it is seen"):
        detente.parse_record("date,actor,move\n1,North,build\n", asked)
    ever = detente.forecast(solution, threads=1).beliefs.query("North == 'any' and t == 2")
    sampled = detente.sample(solution, draws=2000, rng=np.random.default_rng(3))
    last = sampled.groupby("draw").last()
    assert (last["North"] == "secret").mean() == pytest.approx(ever["mean"].iloc[1], abs=0.035)


def test_a_grid_for_the_chain() -> None:
    """Nothing is lost of a type that all beliefs hold impossible at first."""
    asked = scenario(types="{open: 1, secret: 0}").with_values({"speed": 0.3})
    game = compile_game(asked)
    forecast = detente.forecast(solved(game, 33), threads=1)
    assert forecast.forward_error < 1e-12
    last = forecast.beliefs.query("North == 'open' and t == 2 and type == 'secret'")
    assert 0.01 < float(last["mean"].iloc[0]) < 0.9
    assert belief_grid(game, 33).about[1].start == 0
