"""Signals of private types and types that change: what is exact, and what others compute."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

import detente
from detente.game.compile import compile_game, with_values
from detente.game.gradient import parameter_gradient
from detente.scenario.model import Scenario
from detente.simulation.histories import after_chance
from detente.solver import backward
from detente.solver.beliefs import BeliefGrid, belief_grid
from detente.solver.gradient import game_gradient
from detente.solver.kernels.lottery import make_lottery
from detente.solver.kernels.private_chance import PrivateTurn, push_private
from detente.solver.layout import belief_layout, part, private_turn, seats
from detente.solver.solution import Solution
from detente.solver.value_tape import Target
from tests.solver.test_gambit import differences

Floats = NDArray[np.float64]

TEXT = """\
title: A programme that may be found, and a government that may change
calendar: {{period: round, horizon: {horizon}}}
actors:
  US: {{precision: 2, judgement: a test{discount}}}
  North: {{types: {types}, precision: 1.5, judgement: a test{discount}}}
state:
  pressure: {{levels: 0..2, start: 1}}
  found: {{levels: [no, yes], start: no}}
parameters:
  in_open: {{value: {in_open}, range: [0, 1], judgement: a test}}
  in_secret: {{value: {in_secret}, range: [0, 1], judgement: a test}}
  turnover: {{value: {turnover}, range: [0, 1], judgement: a test}}
  prior: {{value: 0.4, range: [0, 1], judgement: a test}}
turns: [North, {{chance: [inspection]}}, US, {{chance: [succession]}}]
actions:
  North:
    build: {{cost: "0.5 if North == open else -0.3", set: {{pressure: 1}}}}
    refrain: {{}}
  US: {{press: {{when: pressure < 2, set: {{pressure: +1}}, cost: 0.1}}, wait: {{}}}}
chance:
  inspection:
    effects: [{{p: {alarm}, set: {{found: yes}}}}, {{p: rest, set: {{found: no}}}}]
  succession:
    when: pressure > 0
    effects:
    - {{p: 0.4{becomes}}}
    - {{p: rest, set: {{pressure: 0}}}}
payoffs:
  US: {{flow: "-(found == yes) - (0.7 if North == secret else 0.2) * (2 - pressure)"}}
  North: {{flow: "-pressure * (1 if North == open else 0.4) + 0.3 * (found == no)"}}
outcomes:
  found: {{when: found == yes}}
"""

ALARM = "in_secret if North == secret else in_open"
BECOMES = ", becomes: {North: {secret: {open: turnover * pressure}, open: {secret: 0.13}}}"
THREE = ", becomes: {North: {secret: {open: turnover * pressure, shut: 0.2}, shut: {open: 0.13}}}"


def scenario(**said: object) -> detente.Scenario:
    """The scenario; what is `said` takes the place of what stands there."""
    given: dict[str, object] = {
        "horizon": 2,
        "types": "{open: prior, secret: 1 - prior}",
        "in_open": 0.1301,
        "in_secret": 0.4703,
        "turnover": 0.21,
        "alarm": ALARM,
        "becomes": BECOMES,
        "discount": "",
    }
    return detente.loads(TEXT.format(**given | said))


def solved(asked: detente.Scenario, beliefs: int = 33, like: BeliefGrid | None = None) -> Solution:
    game = compile_game(asked)
    options = detente.SolveOptions(beliefs=beliefs, threads=1)
    solution = detente.solve(game, options, like=like)
    assert solution.status.name == "SOLVED"
    return solution


def test_what_says_nothing_and_changes_nothing_is_plain_chance() -> None:
    silent = scenario(in_open=0.3, in_secret=0.3, turnover=0, becomes=BECOMES.replace("0.13", "0"))
    plain = scenario(in_open=0.3, in_secret=0.3, turnover=0, becomes="", alarm="in_open")
    first, second = solved(silent), solved(plain)
    assert any(layer.private is not None for layer in first.game.layers)
    assert not any(layer.private is not None for layer in second.game.layers)
    assert list(first.payoffs.values()) == pytest.approx(list(second.payoffs.values()), abs=1e-12)
    tables = [detente.forecast(solution, threads=1) for solution in (first, second)]
    for name in ("outcomes", "beliefs", "actions"):
        numbers = [getattr(table, name).select_dtypes("number").to_numpy() for table in tables]
        np.testing.assert_allclose(*numbers, rtol=0, atol=1e-12)


@pytest.mark.gambit
@pytest.mark.parametrize(
    ("said", "points", "bound"),
    [
        ({}, (129, 513), 1e-7),
        ({"becomes": ""}, (129, 513), 1e-7),
        ({"types": "{open: 0.3, secret: 0.5, shut: 0.2}", "becomes": THREE}, (9, 33), 2e-5),
    ],
    ids=["both", "signal", "three-types"],
)
def test_same_as_gambit(said: dict[str, object], points: tuple[int, int], bound: float) -> None:
    rough, fine = differences(compile_game(scenario(**said)), *points, scale=True)
    assert fine < bound
    assert fine < rough / 8  # as the square of the step, which is a quarter: a sixteenth


@pytest.mark.parametrize(
    ("discount", "secret"), [("", 0.4703), ("", 1.0), (", discount: 0.4", 1.0)]
)
def test_forward_equals_backward(discount: str, secret: float) -> None:
    types = "{open: 0.3, secret: 0.5, shut: 0.2}"
    horizon = "forever" if discount else "3"
    asked = scenario(
        types=types, becomes=THREE, discount=discount, horizon=horizon, in_secret=secret, in_open=0
    )
    forecast = detente.forecast(solved(asked, 9), threads=1)
    assert forecast.forward_error < 1e-12


def test_mean_belief_is_what_types_are() -> None:
    """E[b' | b] = b K at every node, where u is b; and of exact posteriors."""
    game = compile_game(scenario().with_values({"prior": 0.5}))
    grid = belief_grid(game, 17)
    belief, lottery = grid.about[1].belief, make_lottery(belief_layout(game, grid, (1,)), 1, 17)
    chances = 0
    for n, layer in enumerate(game.layers):
        chance = layer.private
        if chance is None:
            continue
        chances += 1
        turn, layout = private_turn(game, grid, chance), belief_layout(game, grid, seats(layer))
        states = layer.states.size, game.structure.sets[n + 1].size
        homes = tuple(np.zeros((count, 1), np.int64) for count in states)
        after = np.zeros((states[1], 1, 1, grid.size, 2))
        for x, (begin, end) in enumerate(pairwise(layer.trans_ptr)):
            change = chance.change[begin:end]
            for b, here in enumerate(belief):
                mass = np.zeros((states[0], 1, 1, grid.size, 2))
                mass[x, 0, 0, b] = here
                push_private(0, part(game, layer), layout, turn, homes, mass, after, lottery)
                types = here @ change.sum(axis=0)
                np.testing.assert_allclose(after.sum(axis=(0, 1, 2, 3)), types, atol=1e-14)
                np.testing.assert_allclose(
                    belief.T @ after.sum(axis=(0, 1, 2, 4)), types, atol=1e-14
                )
                exact = after_chance(np.tile(here, (end - begin, 1)), change)
                probability = (here @ change).sum(axis=1)
                np.testing.assert_allclose(probability @ exact, types, atol=1e-14)
    assert chances == 4


def check_gradients(asked: Scenario, solution: Solution) -> None:
    """Derivatives of a payoff and of an outcome by all parameters are those of differences."""
    profiles = len(solution.game.profiles)
    targets = [
        Target(np.eye(profiles)[1], np.array([True, False]), actor=1),
        Target(np.ones(profiles), np.ones(2, bool), outcome="found", period=2),
    ]
    for target in targets:
        _, gradient = game_gradient(solution, target, threads=1)
        for name, slope in parameter_gradient(solution.game, gradient).items():
            ends = []
            for step in (1e-5, -1e-5):
                value = asked.parameters[name].values[0] + step
                moved = with_values(solution.game, {name: value})
                options = detente.SolveOptions(beliefs=9, threads=1)
                other = detente.solve(
                    moved, options, like=solution.grid, coarse=False, regret=False
                )
                ends.append(game_gradient(other, target, threads=1)[0])
            assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=2e-8)


@pytest.mark.parametrize("three", [False, True])
def test_gradient_is_that_of_differences(three: bool) -> None:
    types = "{open: 0.8 * prior, secret: 1 - prior, shut: 0.2 * prior}"
    asked = scenario(types=types, becomes=THREE) if three else scenario()
    check_gradients(asked, solved(asked, 9))


def test_the_certificate_knows_another_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(*told: object) -> PrivateTurn:
        turn = private_turn(*told)  # type: ignore[arg-type]
        return turn._replace(change=turn.change[..., ::-1] * 0.001 + turn.change * 0.999)

    monkeypatch.setattr(backward, "private_turn", other)
    solution = detente.solve(compile_game(scenario()), detente.SolveOptions(beliefs=9, threads=1))
    assert solution.status.name == "INACCURATE"
    assert solution.certificate.value_error > 1e-5


def test_what_is_known_of_types_is_the_filter_of_a_hidden_chain() -> None:
    """Where everybody plays at random, only inspections tell of types."""
    asked = scenario(horizon=3)
    asked = detente.loads(re.sub(r"precision: [\d.]+", "precision: 0", asked.text))
    solution = solved(asked)
    lines = ["1,North,build", "1,US,wait", "1,state,pressure == 1 and found == yes",
             "2,North,build", "2,US,wait", "2,state,pressure == 1 and found == no"]  # fmt: skip
    record = detente.parse_record("date,actor,move\n" + "\n".join(lines) + "\n", asked)
    table = detente.track(solution, record, threads=1).beliefs
    belief, alarm = np.array([0.4, 0.6]), np.array([0.1301, 0.4703])
    change = np.array([[0.87, 0.13], [0.21, 0.79]])
    for seen in (alarm, 1 - alarm):
        belief = belief * seen @ change
        belief /= belief.sum()
    assert table["probability"].to_numpy()[-2:] == pytest.approx(belief, abs=1e-12)
    ever = detente.forecast(solution, threads=1).beliefs.query("North == 'any' and t == 3")
    sampled = detente.sample(solution, draws=2000, rng=np.random.default_rng(3))
    last = sampled.groupby("draw").last()
    assert (last["North"] == "secret").mean() == pytest.approx(ever["mean"].iloc[1], abs=0.035)
