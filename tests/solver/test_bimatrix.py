"""Games written as payoff tables, against their logit equilibria found otherwise."""

from __future__ import annotations

import numpy as np
import pytest

import detente

GAME = """\
title: A game of two
calendar: {{period: round, horizon: 1}}
actors: {{R: {{precision: {precision}}}, C: {{precision: {precision}}}}}
state: {{mine: {{levels: [a, b], start: a}}, theirs: {{levels: [a, b], start: a}}}}
turns: [{{who: [R, C]}}]
actions:
  R: {{a: {{set: {{mine: a}}}}, b: {{set: {{mine: b}}}}}}
  C: {{a: {{set: {{theirs: a}}}}, b: {{set: {{theirs: b}}}}}}
payoffs:
  R:
    terminal:
      by: [mine, theirs]
      values: {{a: {{a: {r[0][0]}, b: {r[0][1]}}}, b: {{a: {r[1][0]}, b: {r[1][1]}}}}}
  C:
    terminal:
      by: [mine, theirs]
      values: {{a: {{a: {c[0][0]}, b: {c[0][1]}}}, b: {{a: {c[1][0]}, b: {c[1][1]}}}}}
outcomes: {{up: {{when: mine == a}}, left: {{when: theirs == a}}}}
"""


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ([[3, 0], [5, 1]], [[3, 5], [0, 1]]),  # the prisoner's dilemma
        ([[4, -1], [-1, 1]], [[-1, 1], [1, -1]]),  # matching pennies, one of them worth more
    ],
)
def test_a_bimatrix_is_solved_as_its_logit_equilibrium(
    row: list[list[float]], column: list[list[float]]
) -> None:
    """p(a) = 1 / (1 + exp(λ (u(b) - u(a)))) for both, by damped iteration of this map."""
    precision, r, c = 0.7, np.array(row), np.array(column)
    up = left = 0.5
    for _ in range(2000):
        gain_up = (r[1] - r[0]) @ [left, 1 - left]
        gain_left = (c[:, 1] - c[:, 0]) @ [up, 1 - up]
        up = 0.5 * up + 0.5 / (1 + np.exp(precision * gain_up))
        left = 0.5 * left + 0.5 / (1 + np.exp(precision * gain_left))
    text = GAME.format(precision=precision, r=row, c=column)
    result = detente.forecast(detente.solve(detente.compile_game(detente.loads(text))))
    # Both begin at `a`, so that it has happened: what counts is what holds at the end.
    found = result.outcomes.query("t == 1").set_index("outcome")["holds"]
    assert found["up"] == pytest.approx(up, abs=1e-9)
    assert found["left"] == pytest.approx(left, abs=1e-9)
