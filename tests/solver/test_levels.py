"""A private state of many levels: its grid, and what is certified where it has fewer steps."""

from __future__ import annotations

from itertools import pairwise

import pytest

import detente
from detente.game.arrays import CompiledGame
from detente.solver.beliefs import belief_grid, grid_size
from detente.solver.options import SolveOptions, default_points, least_points
from detente.solver.solution import Status


def programme(levels: int, *, known: bool = True, periods: int = 2) -> CompiledGame:
    """A hidden programme that climbs from the first level, or from any of them, to a bomb."""
    names = [f"l{n}" for n in range(levels)]
    prior = [1.0, *(levels - 1) * [0.0]] if known else levels * [1 / levels]
    types = ", ".join(f"{name}: {p}" for name, p in zip(names, prior, strict=True))
    up = ", ".join(f"{a}: {{{b}: 0.6}}" for a, b in pairwise(names))
    level = " + ".join(f"{n} * (North == {name})" for n, name in enumerate(names) if n)
    return detente.compile_game(
        detente.loads(f"""
title: A programme of many levels
calendar: {{period: round, horizon: {periods}}}
actors:
  West: {{precision: 4}}
  North: {{types: {{{types}}}, precision: 4}}
state:
  deal: {{levels: ['off', 'on'], start: 'on'}}
  report: {{levels: [nothing, alarm], start: nothing}}
turns: [North, {{chance: [inspection]}}, {{who: West, when: deal == on}}]
actions:
  North: {{hold: {{}}, build: {{seen_as: hold, cost: 0.1, becomes: {{North: {{{up}}}}}}}}}
  West: {{keep: {{}}, end: {{set: {{deal: 'off'}}, cost: 0.3}}}}
chance:
  inspection:
    effects:
      - {{p: "0.03 + 0.07 * ({level})", set: {{report: alarm}}}}
      - {{p: rest, set: {{report: nothing}}}}
payoffs:
  West: {{flow: "-0.1 * (deal == on) - 0.5 * (North == {names[-1]})"}}
  North: {{flow: "(deal == on) + 0.4 * ({level})"}}
outcomes:
  ended: {{when: deal == off}}
""")
    )


@pytest.mark.parametrize("levels", [5, 9])
def test_more_levels_than_steps(levels: int) -> None:
    """No node of the grid then holds all levels possible."""
    game = programme(levels)
    solution = detente.solve(game, SolveOptions(5), regret=False)
    assert belief_grid(game, 5).about[1].steps == 4 < levels
    assert solution.status is Status.SOLVED
    assert solution.certificate.residual < 1e-10
    assert solution.certificate.value_error < 1e-12


def test_a_finer_grid_is_within_the_stated_error() -> None:
    game = programme(5)
    rough, fine = (detente.forecast(detente.solve(game, SolveOptions(n))) for n in (9, 13))
    rows = [each.outcomes for each in (rough, fine)]
    apart = abs(rows[0]["happened"] - rows[1]["happened"])
    assert (apart <= rows[0]["error"] + 1e-12).all()


@pytest.mark.parametrize(("levels", "points"), [(3, 17), (4, 13), (5, 11), (6, 7), (9, 5)])
def test_the_default_grid_has_about_a_thousand_nodes(levels: int, points: int) -> None:
    game = programme(levels)
    assert least_points(game) == 5
    assert default_points(game) == points
    assert grid_size(game, points) <= 1001


def test_a_prior_inside_takes_two_points_for_each_level() -> None:
    game = programme(4, known=False)
    assert least_points(game) == 9
    with pytest.raises(detente.errors.ScenarioError, match="at least 9, not 5"):
        SolveOptions(5).points(game)


@pytest.mark.parametrize("points", [None, 7])
def test_nine_levels_that_are_all_possible(points: int | None) -> None:
    """Hidden moves and signals, with the prior put in between the nodes."""
    game = programme(9, known=False)
    solution = detente.solve(game, SolveOptions(points), regret=False)
    assert solution.grid.about[1].star is not None
    assert solution.status is Status.SOLVED
    assert solution.certificate.residual < 1e-10
    assert solution.certificate.value_error < 1e-12
    assert detente.forecast(solution).forward_error < 1e-12
