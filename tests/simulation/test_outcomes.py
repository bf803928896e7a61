"""Outcomes that last or have an order, against every history of small games, one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import detente
from detente.game.arrays import CompiledGame
from detente.scenario.rules import Outcome
from detente.simulation.forecast import Forecast, forecast, marginal
from detente.simulation.forward import schedule
from detente.solver.solution import Solution

WEATHER = """
title: weather and a gambler
calendar: {period: round, horizon: 4}
actors: {A: {precision: 1.2, judgement: by way of example}}
state:
  rain: {levels: 0..1, start: 0}
  coat: {levels: 0..1, start: 1}
turns: [A, chance]
actions:
  A:
    dress: {set: {coat: 1}, cost: 0.3}
    undress: {set: {coat: 0}}
chance:
  sky: {effects: [{p: 0.4, set: {rain: 1 - rain}}, {p: rest}]}
payoffs: {A: {flow: coat * rain - 0.2 * coat}}
outcomes:
  wet: {when: rain == 1}
  clad: {when: coat == 1}
  both: {when: coat == 1 and rain == 1}
  soaked: {when: rain == 1, lasting: 2}
  bare: {when: coat == 0, lasting: 1}
  wet_first: {when: rain == 1, before: bare}
  bare_first: {when: coat == 0, before: wet}
  soaked_first: {when: rain == 1, lasting: 2, before: bare}
  bare_before_soaked: {when: coat == 0, before: soaked}
"""


def solved(text: str) -> Solution:
    return detente.solve(detente.compile_game(detente.loads(text)))


def histories(
    solution: Solution, periods: int
) -> Iterator[tuple[float, list[tuple[int, int, bool]]]]:
    """Every history with its probability: its tests, as state, layer, and whether a period ends."""
    game = solution.game
    moves = schedule(game, None if game.loop is None else periods)

    def follow(k: int, x: int, chance: float, tests: list) -> Iterator:  # type: ignore[type-arg]
        if k == len(moves):
            yield chance, tests
            return
        t, n = moves[k]
        if n == 0 and t > 1 and game.loop is not None:
            x = int(game.loop[x])
        layer = game.layers[n]
        first, last = layer.action_ptr[x : x + 2]
        sigma = np.ones(1)
        if layer.movers and last - first > 1:
            begin = solution.pointers[n][x]
            sigma = solution.strategies[n][begin : begin + last - first]
        for share, e in zip(sigma, range(first, last), strict=True):
            for j in range(layer.trans_ptr[e], layer.trans_ptr[e + 1]):
                p = chance * float(share * layer.prob[j])
                if p > 0:
                    test = (int(layer.succ[j]), n + 1, game.ends_period[n])
                    yield from follow(k + 1, int(layer.succ[j]), p, [*tests, test])

    yield from follow(0, game.start, 1.0, [(game.start, 0, False)])


def reached(game: CompiledGame, outcome: Outcome, tests: list[tuple[int, int, bool]]) -> list[int]:
    """The tests at which an outcome holds, its order left aside: told from all of the history."""
    holds = [bool(game.holds[outcome.key][n][x]) for x, n, _ in tests]
    if not outcome.lasting:
        return [k for k, now in enumerate(holds) if now]
    ends = [k for k, (_, _, end) in enumerate(tests) if end]
    full = []
    for k in range(len(tests)):
        run = [e for e in ends if e <= k][-outcome.lasting :]
        if len(run) == outcome.lasting and all(holds[run[0] : k + 1]):
            full.append(k)
    return full


def told(
    game: CompiledGame, key: str, tests: list[tuple[int, int, bool]]
) -> tuple[list[bool], list[bool]]:
    """For the start and the end of each period, whether an outcome has been, and if it holds."""
    outcomes = game.scenario.outcomes
    at = reached(game, outcomes[key], tests)
    first = at[0] if at else len(tests)
    if outcomes[key].before:
        other = reached(game, outcomes[outcomes[key].before], tests)
        if other and other[0] <= first:
            at = []
    ends = [0, *(k for k, (_, _, end) in enumerate(tests) if end)]
    return [bool(at) and at[0] <= k for k in ends], [k in at for k in ends]


def counted(
    solution: Solution, periods: int, given: tuple[str, ...] = ()
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By outcome, both probabilities at each period, from all histories."""
    game = solution.game
    result = {key: np.zeros((2, periods + 1)) for key in game.holds}
    total = np.zeros(periods + 1)
    for chance, tests in histories(solution, periods):
        known = np.ones(periods + 1)
        for condition in given:
            known = known * np.array(told(game, condition, tests)[0])
        total += chance * known
        for key in game.holds:
            result[key] += chance * known * np.array(told(game, key, tests))
    with np.errstate(invalid="ignore"):
        return {key: tuple(numbers / total) for key, numbers in result.items()}


def assert_alike(result: Forecast, expected: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    table = marginal(result.solution.game, result.outcomes)
    for key, (been, now) in expected.items():
        mine = table[table["outcome"] == key]
        assert np.allclose(mine["happened"], been, atol=1e-12, equal_nan=True), key
        assert np.allclose(mine["holds"], now, atol=1e-12, equal_nan=True), key


@pytest.mark.parametrize("horizon", ["4", "forever"])
def test_forecasts_count_what_every_history_says(horizon: str) -> None:
    text = WEATHER.replace("horizon: 4", f"horizon: {horizon}")
    text = text.replace("precision: 1.2", "precision: 1.2, discount: 0.6")
    solution = solved(text)
    periods = None if horizon == "4" else 4
    result = forecast(solution, periods=periods)
    expected = counted(solution, 4)
    assert_alike(result, expected)
    assert 0.01 < expected["soaked"][0][-1] < 0.99
    assert 0.01 < expected["soaked_first"][0][-1] < expected["soaked"][0][-1]
