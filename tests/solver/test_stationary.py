"""Games without end: fixed points that iteration does not reach."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import detente
from detente.errors import SolveError
from detente.solver import stationary, without_end
from detente.solver.beliefs import belief_grid, halved, refined
from detente.solver.solution import BranchCount, Status
from detente.solver.stationary import follow_stationary
from detente.solver.workers import TimeUpError

Floats = NDArray[np.float64]

CIRCLES = """\
title: waves in the belief
calendar: {period: round, horizon: forever}
actors:
  state: {types: {tough: 0.36, weak: 0.64}, precision: 2, discount: 0.95}
state:
  x: {levels: 0..1, start: 0, edge: cut}
parameters:
  down: {value: {tough: 1.15, weak: 1.48}, judgement: drawn}
  up: {value: {tough: -0.51, weak: -1.57}, judgement: drawn}
  worth: {value: {tough: -0.08, weak: -1.03}, judgement: drawn}
turns: [chance, state]
actions:
  state:
    stay: {effects: [{p: 0.35, set: {x: '+0'}}, {p: rest}], cost: down}
    press: {effects: [{p: 0.45, set: {x: '+1'}}, {p: rest}], cost: up}
chance:
  luck: {effects: [{p: 0.31, set: {x: '+1'}}, {p: rest}]}
payoffs:
  state: {flow: worth * (x == 1)}
"""


JUMPS = """\
title: two who move at once, of whom one is known to itself
calendar: {period: round, horizon: forever}
actors:
  first: {types: {calm: 0.738, keen: 0.262}, precision: 7.81, discount: 0.95}
  second: {precision: 7.81, discount: 0.5}
state:
  x: {levels: 0..2, start: 0, edge: cut}
parameters:
  cost_0: {value: {calm: 0.852, keen: -0.403}, judgement: drawn}
  cost_1: {value: {calm: -1.825, keen: -0.958}, judgement: drawn}
  cost_2: {value: {calm: -1.67, keen: -1.982}, judgement: drawn}
  at_1: {value: {calm: -0.705, keen: 1.975}, judgement: drawn}
  at_2: {value: {calm: 1.555, keen: 1.539}, judgement: drawn}
turns: [{who: [first, second]}]
actions:
  first:
    a0: {effects: [{p: 0.24, set: {x: '+1'}}, {p: rest}], cost: cost_0}
    a1: {effects: [{p: 0.68, set: {x: '+1'}}, {p: rest}], cost: cost_1}
    a2: {effects: [{p: 0.27, set: {x: '+1'}}, {p: rest}], cost: cost_2}
  second:
    b0: {cost: -1.436}
    b1: {effects: [{p: 0.89, set: {x: '-1'}}, {p: rest}], cost: -1.217}
payoffs:
  first: {flow: at_1 * (x == 1) + at_2 * (x == 2)}
  second: {flow: 1.614 * (x == 1) - 0.921 * (x == 2)}
"""


def test_play_of_all_turns_is_followed_where_the_branch_of_one_jumps() -> None:
    """No values are stationary with each turn on its own principal branch; these are, and nobody's
    choices are other than they should be."""
    game = detente.compile_game(detente.loads(JUMPS))
    solution = detente.solve(game, detente.SolveOptions(beliefs=5), coarse=False)
    assert solution.status is Status.SOLVED
    assert "play of all turns together" in solution.notes[0]
    assert solution.certificate.residual < 1e-9
    assert solution.certificate.change is not None
    assert solution.certificate.change <= 1e-10
    less = detente.loads(JUMPS.replace("7.81", "1"))
    plain = detente.solve(detente.compile_game(less), detente.SolveOptions(beliefs=5))
    assert "together" not in plain.notes[0]


def in_turn_with_three_types(precision: float) -> str:
    """The same game with a third type, played in turn."""
    text = JUMPS.replace("turns: [{who: [first, second]}]", "turns: [first, second]")
    text = text.replace("calm: 0.738", "calm: 0.438, odd: 0.3").replace("7.81", str(precision))
    return re.sub(r"\{value: \{calm: ([-.0-9]+)", r"{value: {calm: \1, odd: 0.5", text)


@pytest.mark.parametrize(
    ("text", "beliefs"),
    [
        (CIRCLES, 17),
        (JUMPS.replace("7.81", "1"), 17),
        (in_turn_with_three_types(2.0), 9),
    ],
)
def test_a_coarse_grid_leads_to_the_same_as_the_whole_way_on_a_fine_one(
    text: str, beliefs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = detente.compile_game(detente.loads(text))
    options = detente.SolveOptions(beliefs=beliefs)
    short = detente.solve(game, options, coarse=False)
    monkeypatch.setattr(without_end, "halved", lambda *_: None)
    long = detente.solve(game, options, coarse=False)
    for here, there in zip(short.strategies, long.strategies, strict=True):
        assert np.abs(here - there).max(initial=0.0) < 1e-8
    assert short.notes != long.notes


@pytest.mark.parametrize("prior", [(0.3, 0.7), (0.2, 0.3, 0.5)])
def test_what_is_linear_in_the_belief_is_refined_exactly(prior: tuple[float, ...]) -> None:
    kinds = ", ".join(f"k{k}: {p}" for k, p in enumerate(prior))
    text = re.sub("types: {.*?}", f"types: {{{kinds}}}", CIRCLES)
    for name in ("down", "up", "worth"):
        value = ", ".join(f"k{k}: 1" for k in range(len(prior)))
        text = re.sub(f"{name}: {{value: {{.*?}}", f"{name}: {{value: {{{value}}}", text)
    game = detente.compile_game(detente.loads(text))
    fine = belief_grid(game, 17)
    rough = halved(game, fine)
    assert rough is not None
    assert rough.points == (9,)
    values = [grid.about[0].node @ np.arange(1.0, 4.0)[: len(prior)] for grid in (rough, fine)]
    found = refined(np.tile(2 * values[0], (2, 3, 1)), rough, fine)
    assert np.abs(found - values[1]).max() < 1e-12
    least = halved(game, rough)
    assert least is not None
    assert least.points == (5,)
    assert halved(game, least) is None


@pytest.mark.parametrize("beliefs", [257, pytest.param(513, marks=pytest.mark.slow)])
def test_values_that_backward_induction_pushes_away_from(beliefs: int) -> None:
    """On grids this fine acceleration by itself stalls at changes of about 1e-6."""
    game = detente.compile_game(detente.loads(CIRCLES))
    solution = detente.solve(game, detente.SolveOptions(beliefs=beliefs), coarse=False)
    assert solution.status is Status.SOLVED
    assert solution.branches == BranchCount(solution.branches.unique, 0, 0, 0, 0)
    change = solution.certificate.change
    assert change is not None
    assert change <= 1e-10


def around(values: Floats, share: float, quick: bool = False) -> Floats:
    """A map that turns each of many planes by an angle of its own and stretches it, with kinks."""
    flat = values.ravel()
    first, second = flat[::2], flat[1::2]
    angle = np.linspace(0.4, 5.9, first.size)
    stretch = 1.3 * share
    bent = np.abs(first - 0.3) + 0.1 * second
    result = np.empty(flat.shape)
    result[::2] = 1.0 + stretch * (np.cos(angle) * first - np.sin(angle) * second)
    result[1::2] = stretch * (np.sin(angle) * first + np.cos(angle) * second) - 0.1 * share * bent
    return result.reshape(values.shape)


def test_a_map_that_goes_round_in_circles() -> None:
    found = follow_stationary(around, np.zeros((5, 20, 4)), continued=True, progress=lambda _: None)
    assert found.share == 1.0
    assert found.change <= 1e-10
    assert np.abs(around(found.values, 1.0) - found.values).max() <= 1e-9


def test_a_map_without_fixed_points_is_told() -> None:
    """(V - 1)² = 0.5 - s has solutions up to s = 0.5: so far V is followed."""

    def lost(values: Floats, share: float, quick: bool) -> Floats:
        return values + 0.5 * ((values - 1.0) ** 2 + share - 0.5)

    found = follow_stationary(lost, np.zeros((1, 1, 1)), continued=True, progress=lambda _: None)
    assert 0.4 < found.share <= 0.5
    assert found.change > 1e-10


def test_what_is_found_quickly_is_not_trusted() -> None:
    """Quick periods lead to 2, those along the principal branch to 1: that is the answer."""
    seen = {True: 0, False: 0}

    def period(values: Floats, share: float, quick: bool) -> Floats:
        seen[quick] += 1
        return 0.5 * values + (1.0 if quick else 0.5)

    found = follow_stationary(period, np.zeros((1, 1, 1)), continued=True, progress=lambda _: None)
    assert found.share == 1.0
    assert found.values == pytest.approx(1.0, abs=1e-10)
    assert seen[False] > found.steps


def test_where_the_branch_of_a_turn_jumps_that_of_the_game_is_followed_from_where_it_was() -> None:
    """From half the precision on, periods along the principal branch have no fixed point."""
    kept, restored = 0, 0

    def keep() -> Callable[[], None]:
        nonlocal kept
        kept += 1

        def restore() -> None:
            nonlocal restored
            restored += 1

        return restore

    def period(values: Floats, share: float, quick: bool) -> Floats:
        jump = share > 0.5 and not quick
        return 0.5 * values + share - np.sign(values - 1.0) * jump

    start = np.zeros((1, 1, 1))
    found = follow_stationary(period, start, continued=True, keep=keep, progress=lambda _: None)
    assert found.share == 1.0
    assert found.whole
    assert found.values == pytest.approx(2.0, abs=1e-10)
    assert kept > restored > 0


def test_one_period_a_step_follows_the_branch_where_quick_ones_stay_on_it() -> None:
    seen = {True: 0, False: 0}

    def period(values: Floats, share: float, quick: bool) -> Floats:
        seen[quick] += 1
        return np.cos(values + share)

    found = follow_stationary(period, np.zeros((1, 1, 1)), continued=True, progress=lambda _: None)
    assert found.change <= 1e-10
    assert seen[False] == found.steps + 1  # and one at precision 0
    assert seen[True] > 2 * seen[False]


def test_what_was_reached_when_the_time_is_over_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a game without end, the last point of the way to which values were found."""
    game = detente.compile_game(detente.loads(CIRCLES))
    follow = stationary._followed

    def slow(*arguments: Any) -> Iterator[stationary.Stationary]:
        for n, reached in enumerate(follow(*arguments)):
            if n == 3:
                raise TimeUpError
            yield reached

    monkeypatch.setattr(stationary, "_followed", slow)
    solution = detente.solve(game, detente.SolveOptions(beliefs=9), coarse=False)
    assert solution.status is Status.NOT_STATIONARY
    assert "then the time was over" in solution.notes[0]
    assert solution.certificate.residual < 1e-9  # the play of a smaller precision
    assert 0 < solution.game.precision[0] < game.precision[0]


@pytest.mark.parametrize(("doublings", "reached"), [(2, False), (30, True)])
def test_a_limit_that_was_not_reached_in_time_is_not_called_solved(
    monkeypatch: pytest.MonkeyPatch, doublings: int, reached: bool
) -> None:
    text = CIRCLES.replace("horizon: forever", "horizon: 2")
    text = re.sub(r"precision: [0-9.]+", "precision: limit", text)
    game = detente.compile_game(detente.loads(text))
    solved = 0
    solver = importlib.import_module("detente.solver.solve")
    solve_on = solver._solve_on

    def slow(*arguments: Any) -> detente.Solution:
        nonlocal solved
        solved += 1
        if solved > doublings:
            raise TimeUpError
        return solve_on(*arguments)

    monkeypatch.setattr(solver, "_solve_on", slow)
    solution = detente.solve(game, detente.SolveOptions(beliefs=9), coarse=False)
    wanted = Status.SOLVED if reached else Status.LIMIT_NOT_REACHED
    assert solution.status is wanted
    assert ("time was over" in solution.notes[-1]) is not reached


def test_a_solve_stops_when_its_time_is_over() -> None:
    """At once: of a game without end something is given back, of another there is nothing yet."""
    options = detente.SolveOptions(beliefs=9, time_limit=1e-9)
    solution = detente.solve(detente.compile_game(detente.loads(CIRCLES)), options)
    assert solution.status is Status.NOT_STATIONARY
    ends = detente.loads(CIRCLES.replace("horizon: forever", "horizon: 2"))
    with pytest.raises(SolveError, match="given up after 1e-09 seconds"):
        detente.solve(detente.compile_game(ends), options)
    with pytest.raises(ValueError, match="`time_limit` is a finite number above 0"):
        detente.SolveOptions(time_limit=0)
