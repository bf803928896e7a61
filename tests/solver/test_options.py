"""How games are solved, as one value: belief points, memory, and steps of a longer work."""

from __future__ import annotations

import pytest

import detente
from detente.errors import ScenarioError, SolveError
from detente.game.arrays import CompiledGame
from detente.solver.memory import memory_needed
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, default_points, least_points


@pytest.fixture(scope="module")
def game() -> CompiledGame:
    return detente.compile_game(detente.load("bargaining-rounds"))


def test_belief_points_are_those_given_or_the_default(game: CompiledGame) -> None:
    assert DEFAULT_OPTIONS.points(game) == default_points(game) == 65
    assert SolveOptions(beliefs=9).points(game) == 9


@pytest.mark.parametrize(("horizon", "points"), [(2, 17), (24, 13)])
def test_two_informed_actors_have_fewer_points_in_a_large_game(horizon: int, points: int) -> None:
    scenario = detente.load("pyeongchang-2018").with_horizon(horizon)
    assert default_points(detente.compile_game(scenario)) == points


@pytest.mark.parametrize("beliefs", [3, 8])
def test_belief_points_without_a_grid_are_a_mistake_in_the_argument(
    game: CompiledGame, beliefs: int
) -> None:
    with pytest.raises(ScenarioError) as refused:
        SolveOptions(beliefs=beliefs).points(game)
    (problem,) = refused.value.diagnostics
    assert (problem.place.argument, problem.code) == ("beliefs", "out-of-range")
    assert f"at least {least_points(game)}, not {beliefs}" in problem.message


def test_the_memory_of_options_is_that_of_their_grid(game: CompiledGame) -> None:
    options = SolveOptions(beliefs=9, threads=3)
    expected = memory_needed(game, 9, regret=False, coarse=True, threads=3)
    assert options.memory(game) == expected
    with pytest.raises(SolveError, match="needs about"):
        detente.solve(game, SolveOptions(memory_limit=expected // 2))


def test_steps_report_their_part_of_the_whole() -> None:
    shares: list[float] = []
    options = SolveOptions(beliefs=9, progress=shares.append)
    step = options.step(0.5, 0.7)
    assert (step.beliefs, step.threads) == (9, None)
    for share in (0.0, 0.5, 1.0):
        step.report(share)
    step.step(0.0, 0.5).report(1.0)
    assert shares == pytest.approx([0.5, 0.6, 0.7, 0.6])
    SolveOptions().step(0.0, 1.0).report(1.0)  # to nobody
