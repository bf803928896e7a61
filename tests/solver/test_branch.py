"""The logit branch of games without end in which nothing is private, by Newton's method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import detente
from detente.game.arrays import CompiledGame
from detente.solver import branch, without_end
from detente.solver.best_play import best_worth
from detente.solver.branch import Point, follow_branch
from detente.solver.period import is_small, period_of
from detente.solver.period_play import Play
from detente.solver.solution import Status
from detente.solver.workers import TimeUpError
from tests.generate import Shape, random_scenario

Floats = NDArray[np.float64]

SHAPES = (
    Shape(actors=2, informed=0, actions=3, levels=4, forever=True, together=2),
    Shape(actors=3, informed=0, actions=2, levels=3, forever=True, together=2, shocks=True),
    Shape(actors=3, informed=0, actions=3, levels=5, forever=True, chance=True, reference=True),
    Shape(actors=2, informed=0, actions=2, levels=6, forever=True, shocks=True, reference=True),
)

FOLDS = Shape(actors=2, informed=0, forever=True, together=2, chance=False)

COORDINATION = """\
title: two who would rather do the same, and are paid for it again and again
calendar: {period: round, horizon: forever}
actors:
  first: {precision: 6, discount: 0.8}
  second: {precision: 6, discount: 0.8}
state:
  a: {levels: 0..2, start: 2}
  b: {levels: 0..2, start: 2}
turns: [{who: [second, first]}]
actions:
  first:
    left: {set: {a: 0}}
    right: {set: {a: 1}}
  second:
    left: {set: {b: 0}}
    right: {set: {b: 1}}
payoffs:
  first: {flow: a == b}
  second: {flow: a == b}
outcomes: {same: {when: a == b}}
"""


def nothing() -> None:
    """In place of a check."""


def game_of(shape: Shape, seed: int, precision: float) -> CompiledGame:
    text = random_scenario(np.random.default_rng(seed), shape, precision)
    return detente.compile_game(detente.loads(text))


def some_games(precision: float) -> Iterator[CompiledGame]:
    for k, shape in enumerate(SHAPES):
        yield game_of(shape, 10 + k, precision)


def apart(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max(initial=0.0))


def test_a_step_is_that_of_newtons_method_and_the_tangent_that_of_the_solution() -> None:
    """Against differences: Φ - v vanishes along the step to first order, and what solves v = Φ(v)
    at neighbouring shares of the precision lies along the tangent."""
    rng, far = np.random.default_rng(5), 1e-5
    for game in some_games(1.5):
        period = period_of(game)
        values = rng.normal(size=period.size)
        play = Play(period, values, 0.7)
        slopes = play.slopes()
        there, back = (
            Play(period, values + sign * far * slopes[:, 0], 0.7).gap for sign in (1, -1)
        )
        assert apart((there - back) / (2 * far), -play.gap) < 1e-7 * np.abs(slopes).max()
        points = list(follow_branch(period, nothing))
        for point in points:
            solved = Play(period, point.values, point.share)
            assert apart(solved.gap, np.zeros(period.size)) < 1e-3
        values, share = points[-1].values, 1.0
        tangent = Play(period, values, share).slopes()[:, 1]
        sides = []
        for sign in (1, -1):
            near = values + sign * far * tangent
            for _ in range(3):
                near = near + Play(period, near, share + sign * far).slopes()[:, 0]
            sides.append(near)
        assert apart((sides[0] - sides[1]) / (2 * far), tangent) < 1e-6 * np.abs(tangent).max()


@pytest.mark.parametrize("precision", [0.5, 4.0])
def test_newtons_method_leads_to_what_backward_induction_does(
    precision: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strategies, values and what best responses would add, where the way in precision is taken by
    periods of backward induction instead."""
    for game in some_games(precision):
        fast = detente.solve(game)
        with monkeypatch.context() as patch:
            patch.setattr(without_end, "is_small", lambda _: False)
            slow = detente.solve(game)
        assert fast.status is slow.status is Status.SOLVED
        assert "steps along the logit branch" in fast.notes[0]
        assert "logit branch" not in slow.notes[0]
        for here, there in zip(fast.strategies, slow.strategies, strict=True):
            assert apart(here, there) < 1e-8
        assert apart(fast.first_values, slow.first_values) < 1e-8
        assert fast.certificate.regret == pytest.approx(slow.certificate.regret, abs=1e-8)


def test_the_branch_is_followed_back_and_forth_over_folds() -> None:
    """Where small steps lead, larger ones do; what is found is an equilibrium, for which no turn
    need be on its own principal branch."""
    game = game_of(FOLDS, 215, 12.0)
    period = period_of(game)
    points = list(follow_branch(period, nothing))
    shares = np.array([point.share for point in points])
    assert shares[-1] == 1.0
    assert np.diff(shares).min() < -0.001
    assert len({point.side for point in points}) == 1
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("AIM", 2e-4), ("FARTHEST", 5e-3), ("LONGEST", 1.5)):
            patch.setattr(branch, name, value)
        fine = list(follow_branch(period, nothing))
    assert len(fine) > 2 * len(points)
    assert apart(points[-1].values, fine[-1].values) < 1e-9
    solution = detente.solve(game)
    assert solution.status is Status.SOLVED
    assert solution.certificate.residual < 1e-9
    play = Play(period, points[-1].values, 1.0)
    for here, there in zip(solution.strategies, play.strategies(), strict=True):
        assert apart(here, there) < 1e-9


def test_where_branches_meet_the_symmetric_one_goes_straight_on() -> None:
    game = detente.compile_game(detente.loads(COORDINATION))
    points = list(follow_branch(period_of(game), nothing))
    assert points[-1].share == 1.0
    assert {point.side for point in points} == {1.0, -1.0}
    play = Play(period_of(game), points[-1].values, 1.0).strategies()[0]
    assert apart(play, np.full(play.shape, 0.5)) < 1e-9


def test_best_responses_are_those_of_value_iteration() -> None:
    for game in some_games(2.0):
        point = list(follow_branch(period_of(game), nothing))[-1]
        play = Play(period_of(game), point.values, 1.0)
        found = best_worth(play)
        assert (found >= play.worth - 1e-9).all()
        delta = game.discount
        for i in range(delta.size):
            value = np.zeros(found.shape[0])
            for _ in range(600):
                following = delta[i] * value
                for made in reversed(play.layers):
                    now = np.empty(sum(one.block.rows.size for one in made))
                    for one in made:
                        own = one.block.own[i]
                        worth = one.paid[:, own] + one.ahead[:, own] @ following
                        now[one.block.rows] = worth.max(axis=1)
                    following = now
                value = following
            assert apart(found[:, i], value) < 1e-9


def test_what_was_reached_when_the_time_is_over_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    game = game_of(SHAPES[0], 10, 4.0)

    def slow(*arguments: object) -> Iterator[Point]:
        for n, point in enumerate(follow_branch(*arguments)):  # type: ignore[arg-type]
            if n == 3:
                raise TimeUpError
            yield point

    monkeypatch.setattr(without_end, "follow_branch", slow)
    solution = detente.solve(game)
    assert solution.status is Status.NOT_STATIONARY
    assert "of the precision by 2 steps along the logit branch" in solution.notes[0]
    assert "then the time was over" in solution.notes[0]
    assert solution.certificate.residual < 1e-9
    assert 0 < solution.game.precision[0] < game.precision[0]


def test_time_is_looked_at_before_each_step_of_newtons_method() -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise TimeUpError

    with pytest.raises(TimeUpError):
        list(follow_branch(period_of(game_of(SHAPES[0], 10, 4.0)), check))


def test_large_games_and_private_types_are_left_to_backward_induction() -> None:
    game = game_of(SHAPES[0], 10, 1.0)
    assert is_small(game)
    layer = game.layers[0]
    large = replace(layer, states=np.arange(2000), choices=np.tile(layer.choices[:1], (2000, 1)))
    assert not is_small(replace(game, layers=(large,)))
    shape = replace(SHAPES[0], informed=1)
    solution = detente.solve(game_of(shape, 10, 1.0), detente.SolveOptions(beliefs=5))
    assert "logit branch" not in solution.notes[0]
