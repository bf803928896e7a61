"""Games whose sets of states grow from period to period, and are enumerated together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import detente
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame, Layer
from detente.scenario.model import Scenario

GROWS = """\
title: Grows
calendar: {period: round, horizon: 9}
actors:
  A: {precision: 2, types: {firm: 0.4, weak: 0.6}}
  B: {precision: 1}
state: {x: {levels: 0..6, start: 0}, y: {levels: 0..4, start: 0}, z: {levels: 0..2, start: 0}}
turns: [A, B, {chance: [slip, gust]}]
actions:
  A: {hold: {}, rise: {when: x < 6, set: {x: x + 1}, cost: 0.1 if A == firm else 0.3}}
  B: {hold: {}, climb: {when: y < 4, set: {y: y + 1}, cost: 0.2}}
chance:
  slip: {when: x > 0, effects: [{p: 0.1, set: {x: x - 1}}, {p: rest}]}
  gust: {effects: [{p: 0.2 * (z < 2), set: {z: "min(z + 1, 2)"}}, {p: rest}]}
payoffs: {A: {flow: 0.2 * x - 0.1 * y, terminal: x * z}, B: {flow: 0.2 * y - 0.1 * x}}
outcomes: {top: {when: x >= 3, about: it has been high}, ended: {when: y == 4, ends: true}}
"""


def grown_together(patch: pytest.MonkeyPatch, scenario: Scenario) -> CompiledGame:
    """A game of which all periods but the first share one enumeration."""
    with patch.context() as short:
        short.setattr("detente.game.enumerate._too_large", lambda now, before, periods: now > 0)
        return detente.compile_game(scenario)


@pytest.mark.parametrize("name", ["", "secret-programme"])
def test_periods_may_begin_with_states_that_come_later(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be reached yet changes no strategy and no value of what can, to the bit; sums
    over states are in another order."""
    scenario = detente.load(name) if name else detente.loads(GROWS)
    apart, together = detente.compile_game(scenario), grown_together(monkeypatch, scenario)
    each = len(together.layers) // together.periods
    for one, other in pairwise(together.layers[each::each]):
        assert one.succ is other.succ
        assert one.reward is other.reward
    solutions = [detente.solve(game) for game in (apart, together)]
    own, other = solutions
    assert own.payoffs == other.payoffs
    grew = False
    for n, (layer, wide) in enumerate(zip(apart.layers, together.layers, strict=True)):
        rows = np.searchsorted(wide.states, layer.states)
        assert np.array_equal(wide.states[rows], layer.states)
        grew = grew or wide.states.size > layer.states.size
        for x, row in enumerate(rows.tolist()):
            for m in range(len(layer.movers)):
                assert np.array_equal(own.strategy(n, x, m), other.strategy(n, row, m))
    assert grew or name  # whose second period meets all states already
    first, second = (detente.forecast(solution) for solution in solutions)
    for table in first.tables:
        pd.testing.assert_frame_equal(
            first.tables[table].frame(), second.tables[table].frame(), rtol=1e-11, atol=1e-13
        )
    query = detente.Query(payoff=scenario.actors[next(iter(scenario.actors))].key)
    slopes = [detente.sensitivity(solution, query).table for solution in solutions if name]
    if slopes:
        pd.testing.assert_frame_equal(*slopes, rtol=1e-9, atol=1e-12)


def test_mistakes_at_states_that_come_too_late_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are met where one looks for all states that may ever come, but not in the game."""
    text = GROWS.replace("horizon: 9", "horizon: 4").replace("when: x < 6, ", "")
    scenario = detente.loads(text)
    game = grown_together(monkeypatch, scenario)
    sizes = [states.size for states in game.structure.sets]
    assert sizes == [states.size for states in detente.compile_game(scenario).structure.sets]
    with pytest.raises(ScenarioError, match="leaves its levels"):
        detente.compile_game(scenario.with_horizon(9))


def test_a_game_that_grows_too_large_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = detente.loads(GROWS).with_horizon(60)
    monkeypatch.setattr("detente.game.turns.MAX_BYTES", 10**9)
    needed = sum(layer.reward.nbytes for layer in distinct(detente.compile_game(scenario)))
    monkeypatch.setattr("detente.game.turns.MAX_BYTES", 4 * needed)
    game = detente.compile_game(scenario)
    assert sum(layer.reward.nbytes for layer in distinct(game)) < needed
    with monkeypatch.context() as never:
        never.setattr("detente.game.enumerate._too_large", lambda now, before, periods: False)
        with pytest.raises(ScenarioError, match="of the 60 periods need"):
            detente.compile_game(scenario)


def distinct(game: CompiledGame) -> list[Layer]:
    """Layers that share no arrays."""
    return list({id(layer.reward): layer for layer in game.layers}.values())
