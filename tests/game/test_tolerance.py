"""Probabilities add up to 1 but for rounding: 1e-9, wherever they stand."""

from __future__ import annotations

import pytest

import detente
from detente.errors import ScenarioError

TEXT = """\
title: A toss
calendar: {period: round, horizon: 2}
actors: {A: {precision: 1, types: {soft: 0.5, hard: PRIOR}}}
state: {x: {levels: 0..1, start: 0}}
turns: [A]
actions:
  A:
    toss:
      effects:
        - {p: 0.5, set: {x: 1}}
        - {p: CONSTANT}
    wait:
      effects:
        - {p: 0.25 + x / 4, set: {x: 1}}
        - {p: VARYING}
payoffs: {A: {flow: x}}
"""


def compiled(name: str, missing: float) -> None:
    parts = {"PRIOR": "0.5", "CONSTANT": "0.5", "VARYING": "0.75 - x / 4"}
    parts[name] = f"{parts[name]} - {missing!r}" if name == "VARYING" else repr(0.5 - missing)
    text = TEXT
    for key, value in parts.items():
        text = text.replace(key, value)
    detente.compile_game(detente.loads(text))


@pytest.mark.parametrize("name", ["PRIOR", "CONSTANT", "VARYING"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_rounding_is_allowed_and_no_more(name: str, sign: int) -> None:
    compiled(name, sign * 1e-10)
    with pytest.raises(ScenarioError, match="add up to"):
        compiled(name, sign * 1e-8)
