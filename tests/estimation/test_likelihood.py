"""The likelihood against `track`, its gradient by differences, panels against their units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detente
from detente.estimation.evidence import evidence
from detente.estimation.likelihood import Likelihood, log_likelihood
from detente.estimation.model import Model
from detente.estimation.units import Panel, Unit
from detente.game.compile import compile_game
from detente.game.gradient import parameter_gradient
from detente.game.panel import compile_panel
from detente.scenario.model import Scenario
from detente.scenario.observations import Record
from detente.solver.beliefs import BeliefGrid
from detente.solver.options import SolveOptions
from detente.solver.solution import Solution
from detente.solver.workers import open_workers
from tests import effort
from tests.estimation.conftest import ONE
from tests.generate import Shape, scenarios
from tests.simulation.test_track import GAME
from tests.solver import test_hidden_moves, test_private_chance

QUICK = SolveOptions(beliefs=9, threads=1)
STEP = 1e-5

RECORD = """\
date,actor,move
always,sender,hold
2018-02,target,step or wait
2018-03,sender,tighten
2018-03,state,pressure >= 1
2018-04,target,(unknown)
"""
OTHER = "date,actor,move\n2018-02,target,wait\n2018-04,state,mood == calm\n"


def likelihood(
    scenario: Scenario,
    records: list[Record],
    like: BeliefGrid | None = None,
    miscoded: float = 0.0,
) -> tuple[Solution, Likelihood]:
    game = compile_game(scenario)
    solution = detente.solve(game, QUICK, coarse=False, regret=False, like=like)
    with open_workers(1) as workers:
        weights = np.arange(1.0, 1.0 + len(records))[None, :]
        seen = evidence(game, [records], miscoded)
        return solution, log_likelihood(solution, seen, weights, workers)


def check_gradient(
    scenario: Scenario, records: list[Record], every: int = 1, miscoded: float = 0.0
) -> None:
    """By central differences, whose error is 1e-7 where third derivatives are 1e3 at most.

    Of all numbers one in `every` is looked at.
    """
    solution, exact = likelihood(scenario, records, miscoded=miscoded)
    assert exact.gradient is not None
    slopes = parameter_gradient(solution.game, exact.gradient)
    weights = np.arange(1.0, 1.0 + len(records))
    numbers = [
        (name, value)
        for parameter in scenario.parameters.values()
        if parameter.key not in solution.game.structure.structural
        for name, value in zip(parameter.names(), parameter.values, strict=True)
    ]
    for name, value in numbers[::every]:
        ends = [
            likelihood(scenario.with_values({name: value + h}), records, solution.grid, miscoded)
            for h in (STEP, -STEP)
        ]
        measured = float(((ends[0][1].logs - ends[1][1].logs) @ weights)[0]) / (2 * STEP)
        assert slopes[name] == pytest.approx(measured, rel=1e-5, abs=1e-6), name


def test_likelihood_is_that_of_track() -> None:
    scenario = detente.loads(GAME)
    records = [detente.parse_record(text, scenario) for text in (RECORD, OTHER)]
    solution, exact = likelihood(scenario, records)
    for record, value in zip(records, exact.logs[0], strict=True):
        track = detente.track(solution, record)
        assert value == pytest.approx(track.log_likelihood, abs=1e-12)


def test_gradient_with_silence_readings_and_chance() -> None:
    scenario = detente.loads(GAME)
    check_gradient(scenario, [detente.parse_record(t, scenario) for t in (RECORD, OTHER)])


MISTAKEN = (
    "date,actor,move\n2018-02,target,step\n2018-03,state,pressure >= 1\n2018-04,sender,hold\n"
)


@pytest.mark.parametrize("miscoded", [0.05, 0.4])
def test_moves_that_may_be_others_are_as_track_has_them(miscoded: float) -> None:
    """Silence is never mistaken, and a move that is one of several by less."""
    scenario = detente.loads(GAME)
    records = [detente.parse_record(text, scenario) for text in (RECORD, OTHER, MISTAKEN)]
    solution, exact = likelihood(scenario, records, miscoded=miscoded)
    for record, value in zip(records, exact.logs[0], strict=True):
        track = detente.track(solution, record, miscoded=miscoded)
        assert value == pytest.approx(track.log_likelihood, abs=1e-12)
    check_gradient(scenario, records, miscoded=miscoded)


def test_a_single_choice_that_may_be_another() -> None:
    """In closed form: log((1 - m) σ(go) + m σ(stay)), and its slope by the worth of going."""
    scenario = detente.loads(ONE)
    record = detente.parse_record("date,actor,move\n1,chooser,go\n", scenario)
    solution, exact = likelihood(scenario, [record], miscoded=0.1)
    assert exact.gradient is not None
    go = 1 / (1 + np.exp(-0.6))
    chance = 0.9 * go + 0.1 * (1 - go)
    assert exact.logs[0, 0] == pytest.approx(np.log(chance), abs=1e-12)
    slopes = parameter_gradient(solution.game, exact.gradient)
    assert slopes["worth"] == pytest.approx(0.8 * go * (1 - go) / chance, abs=1e-12)


def test_gradient_by_priors_precision_and_payoffs() -> None:
    scenario = detente.load("bargaining-rounds")
    text = "date,actor,move\n1,sender,ease\n1,target,step\n3,sender,tighten or hold\n"
    check_gradient(scenario, [detente.parse_record(text, scenario)])


@settings(max_examples=effort.examples(10))
@given(st.data())
def test_gradient_on_random_scenarios(data: st.DataObject) -> None:
    shape = Shape(
        actors=data.draw(st.integers(2, 3)),
        informed=data.draw(st.integers(0, 2)),
        together=data.draw(st.sampled_from([0, 2])),
        discount=True,
    )
    scenario = detente.loads(data.draw(scenarios(shape)))
    solution = detente.solve(compile_game(scenario), QUICK, coarse=False, regret=False)
    history = detente.sample(solution, draws=1, rng=np.random.default_rng(1))
    moves = history[(history["t"] > 0) & (history["actor"] != "")]
    lines = [f"{m.t},{m.actor},{m.action}" for m in moves.itertuples()][1:]
    record = detente.parse_record("\n".join(["date,actor,move", *lines]), scenario)
    track = detente.track(solution, record)
    _, exact = likelihood(scenario, [record])
    assert exact.logs[0, 0] == pytest.approx(track.log_likelihood, abs=1e-11)
    check_gradient(scenario, [record], every=5)


IN_SECRET = "date,actor,move\n1,North,hold\n1,state,found == yes\n2,North,protest\n2,US,press\n"
IN_THE_OPEN = "date,actor,move\n1,North,build\n1,US,wait\n2,North,refrain\n2,state,found == no\n"
GAP = "date,actor,move\n1,US,wait\n2,state,found == yes\n"


@pytest.mark.parametrize("miscoded", [0.0, 0.1])
@pytest.mark.parametrize("three", [False, True])
@pytest.mark.parametrize("hidden", [False, True])
def test_chance_that_knows_types_and_what_is_hidden(
    hidden: bool, three: bool, miscoded: float
) -> None:
    """Types that change, signals of them, and moves that look alike."""
    types = {"types": "{open: 0.8 * prior, secret: 1 - prior, shut: 0.2 * prior}"} if three else {}
    if hidden:
        moves = test_hidden_moves.SEEN + test_hidden_moves.THREE
        scenario = test_hidden_moves.scenario(**types, **({"build": moves} if three else {}))
    else:
        becomes = {"becomes": test_private_chance.THREE} if three else {}
        scenario = test_private_chance.scenario(**types, **becomes)
    text = IN_SECRET if hidden else IN_THE_OPEN
    records = [detente.parse_record(each, scenario) for each in (text, GAP)]
    solution, exact = likelihood(scenario, records, miscoded=miscoded)
    for record, value in zip(records, exact.logs[0], strict=True):
        track = detente.track(solution, record, threads=1, miscoded=miscoded)
        assert value == pytest.approx(track.log_likelihood, abs=1e-12)
    check_gradient(scenario, records, miscoded=miscoded)


def test_units_with_secrets_are_as_each_alone() -> None:
    """Their derivatives as well, by constants too, where they are asked for by unit."""
    text = test_hidden_moves.scenario(build=test_hidden_moves.SEEN + test_hidden_moves.BECOMES).text
    text = text.replace("state:\n", "covariates: {near: {value: 1}}\nstate:\n", 1)
    text = text.replace("speed * (1 +", "speed * near * (1 +").replace("cost: 0.2", "cost: near")
    scenario = detente.loads(text.replace("p: in_secret if", "p: in_secret * near if"))
    free = ("in_secret", "speed", "prior")
    records = [detente.parse_record(each, scenario) for each in (IN_SECRET, GAP, IN_SECRET)]
    units = [
        Unit(f"u{k}", record, {"near": near})
        for k, (record, near) in enumerate(zip(records, (0.5, 1.0, 0.8), strict=True))
    ]
    values = {name: scenario.parameters[name].values[0] for name in free}
    with open_workers(1) as workers:
        together = Model(scenario, Panel(tuple(units), ("a",)), free, QUICK)
        assert [len(batch.names) for batch in together.batches] == [3]
        found = together.at(values, workers, scores=True)
        assert found.scores is not None
        assert found.scores.sum(axis=0) == pytest.approx(found.gradient, abs=1e-10)
        for unit, scores in zip(units, found.scores, strict=True):
            alone = Model(scenario, Panel((unit,), ("a",)), free, QUICK).at(values, workers)
            assert scores == pytest.approx(alone.gradient, abs=1e-10)


def test_what_is_impossible_has_no_likelihood() -> None:
    scenario = detente.loads(GAME)
    text = "date,actor,move\n2018-02,state,pressure == 2 and steps == 1\n2018-02,sender,hold\n"
    _, exact = likelihood(scenario, [detente.parse_record(text, scenario)])
    assert exact.gradient is None
    assert exact.logs[0, 0] == -np.inf


PANEL = """\
title: Two who may yield
calendar: {period: round, horizon: 2}
actors:
  one: {precision: 1}
  other: {precision: 2, types: {soft: prior, hard: 1 - prior}}
covariates: {size: {value: 1}, near: {value: 0}}
state: {held: {levels: 0..3, start: 1, edge: cut}}
parameters:
  prior: {value: 0.4}
  gain: {value: 0.7}
  cost: {value: {soft: 0.2, hard: 1}}
turns: [one, other, chance]
actions:
  one: {rest: {}, push: {set: {held: +1}, cost: 0.3 * near}}
  other: {rest: {}, pull: {set: {held: -1}, cost: cost * size}}
chance:
  luck: {effects: [{p: 0.1 + 0.05 * near, set: {held: +1}}, {p: rest}]}
payoffs: {one: {terminal: gain * held * size}, other: {flow: -0.3 * held}}
outcomes: {lost: {when: held == 0}}
"""


def test_a_panel_is_its_units() -> None:
    scenario = detente.loads(PANEL)
    covariates = {"size": np.array([0.5, 1.0, 2.5]), "near": np.array([0.0, 1.0, 0.3])}
    panel = compile_panel(compile_game(scenario), ["a", "b", "c"], covariates)
    assert panel is not None
    solution = detente.solve(panel, QUICK, coarse=False, regret=False)
    for u in range(3):
        own = scenario.with_values({key: column[u] for key, column in covariates.items()})
        single = detente.solve(compile_game(own), QUICK, coarse=False, regret=False)
        states = single.first_values.shape[0]
        rows = solution.first_values[u * states : (u + 1) * states]
        assert np.array_equal(rows, single.first_values)


def test_a_unit_in_which_something_is_wrong_is_named() -> None:
    scenario = detente.loads(
        PANEL.replace("0.3 * near", "1 / near").replace("near: {value: 0}", "near: {value: 1}")
    )
    game = compile_game(scenario)
    with pytest.raises(detente.errors.ScenarioError, match="unit of the panel b"):
        compile_panel(game, ["a", "b"], {"near": np.array([1.0, 0.0])})
