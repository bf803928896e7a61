"""How free parameters are moved."""

from __future__ import annotations

import pytest

import detente
from detente.estimation.free import free_parameters

READ = """
title: a probability that only formulas read
calendar: {{period: round, horizon: 1}}
actors: {{A: {{precision: 1}}}}
state: {{x: {{levels: 0..1, start: 0}}}}
parameters:
  success: {{value: {value}, range: [0, 1], unit: {unit}, judgement: made up}}
turns: [A]
actions:
  A:
    go: {{effects: [{{p: success * (x == 0), set: {{x: 1}}}}, {{p: rest}}]}}
    stay: {{}}
payoffs: {{A: {{terminal: x}}}}
"""


@pytest.mark.parametrize(
    ("unit", "value", "kind"),
    [
        ("probability", 0.4, "share"),
        ("probability per month", 0.4, "share"),
        ("share", 0.4, "share"),
        ("shares of a firm", 0.4, "plain"),
        ("payoff", 0.4, "plain"),
        ("probability", 1, "plain"),  # at a bound log odds would not move
    ],
)
def test_the_unit_says_what_is_a_probability(unit: str, value: float, kind: str) -> None:
    """An interval of a probability that formulas read would else leave [0, 1]."""
    game = detente.compile_game(detente.loads(READ.format(unit=unit, value=value)))
    (free,) = free_parameters(game, ("success",))
    assert free.kind == kind
    assert free.value(free.coordinate(value)) == pytest.approx(value)
    if kind == "share":
        assert 0 < free.value(-40.0) < free.value(40.0) < 1
