"""Numbers at both ends of a range, against forecasts made there."""

from __future__ import annotations

import numpy as np
import pytest

import detente
from detente.analysis.range_ends import _shape

CURVED = """
title: one who would rather not
calendar: {period: round, horizon: 1}
actors: {A: {precision: 4, judgement: by way of example}}
state: {x: {levels: 0..1, start: 0}}
parameters:
  gain: {value: 1, range: [-2, 2], judgement: by way of example}
  other: {value: 0.1, range: [0, 0.2], judgement: by way of example}
turns: [A]
actions: {A: {act: {set: {x: 1}}, wait: {}}}
payoffs: {A: {flow: gain * x - other * x}}
outcomes: {acted: {when: x == 1}}
"""


def test_ends_are_forecasts_made_there() -> None:
    scenario = detente.loads(CURVED)
    query = detente.Query(outcome="acted")
    solution = detente.solve(detente.compile_game(scenario))
    ranking = detente.sensitivity(solution, query)
    assert ranking.table["worth"].isna().all()
    result = detente.solve_ends(ranking, query, most=1)
    first, second = result.table.iloc[0], result.table.iloc[1]
    for end, value in (("at_low", -2.0), ("at_high", 2.0)):
        game = detente.compile_game(scenario.with_values({"gain": value}))
        expected = detente.forecast(detente.solve(game)).final["happened"][0]
        assert first[end] == pytest.approx(expected, abs=1e-9)
    assert first["parameter"] == "gain"
    assert first["worth"] == pytest.approx(first["at_high"] - first["at_low"])
    # The logit saturates: near certainty the slope is far below what the range is worth.
    assert first["shape"] == "bends"
    assert np.isnan(second["worth"])


@pytest.mark.parametrize(
    ("numbers", "swing", "shape"),
    [
        ((0.2, 0.5, 0.8), 0.6, ""),
        ((0.2, 0.5, 0.8), 0.9, "bends"),
        ((0.4, 0.5, 0.41), 0.3, "turns"),
        ((0.6, 0.5, 0.61), -0.2, "turns"),
        ((0.50, 0.505, 0.51), 0.015, ""),
    ],
)
def test_shapes(numbers: tuple[float, float, float], swing: float, shape: str) -> None:
    assert _shape(*numbers, swing, 0.02) == shape
