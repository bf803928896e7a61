"""`solve` against a second solver that shares no code with it."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import detente
from detente.game.arrays import CompiledGame
from detente.solver.solution import Status, by_type
from tests import effort
from tests.effort import examples
from tests.generate import Shape, scenarios
from tests.reference import FoldedError, reference
from tests.solver.test_certificate import random_game

few = settings(
    max_examples=examples(3),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = {
    "one mover": (Shape(actors=2, informed=1, periods=3, discount=True), 17),
    "one mover, three actions": (Shape(actors=2, informed=1, actions=3), 9),
    "two informed in turn": (Shape(actors=2, informed=2, discount=True), 5),
    "three types": (Shape(actors=2, informed=1, types=3, actions=3), 7),
    "five types": (Shape(actors=2, informed=1, types=5, periods=1), 5),
    "three types, alone": (Shape(actors=1, informed=1, types=3, periods=3, discount=True), 9),
    "two at once, none informed": (Shape(actors=2, informed=0, together=2, actions=3), 5),
    "two at once, one informed": (Shape(actors=2, informed=1, together=2, discount=True), 9),
    "two at once, both informed": (Shape(actors=2, informed=2, together=2), 5),
    "two at once, three types": (Shape(actors=2, informed=1, types=3, together=2), 7),
    "two at once, and a third": (Shape(actors=3, informed=1, together=2), 9),
    "three at once, none informed": (Shape(actors=3, informed=0, together=3), 5),
    "three at once, two informed": (
        Shape(actors=3, informed=2, together=3, levels=2, discount=True),
        5,
    ),
}

GAMES = {
    "one mover": ((2, 1), ((0,), (1,), (0,), (1,)), 9),
    "two informed in turn": ((2, 2), ((0,), (1,), (0,)), 5),
    "three types": ((3, 1), ((0,), (1,), (), (0,), (1,)), 7),
    "three types and two": ((3, 2), ((0,), (1,)), 7),
    "four types": ((4,), ((0,), (0,)), 9),
    "two at once, none informed": ((1, 1), ((0, 1), (1, 0), (1,)), 5),
    "two at once, one informed": ((1, 2), ((0, 1), (1, 0), (1,)), 9),
    "two at once, one with three": ((1, 3), ((0, 1), (1,), (1, 0)), 7),
    "two at once, both informed": ((2, 2), ((0, 1), (0,), (), (1, 0)), 5),
    "three at once, none informed": ((1, 1, 1), ((0, 1, 2), (2, 0), (1, 2, 0)), 5),
    "three at once, one informed": ((2, 1, 1), ((1, 0, 2), (2, 0)), 5),
    "three at once, two informed": ((2, 1, 2), ((0, 1, 2), (2, 0)), 5),
}


def compare(game: CompiledGame, points: int) -> None:
    """Strategies, values at the start, regret: or `FoldedError`."""
    solution = detente.solve(game, detente.SolveOptions(beliefs=points), coarse=False)
    layers = reference(game, solution.grid)
    assert solution.status is Status.SOLVED
    for n, layer in enumerate(layers):
        np.testing.assert_allclose(solution.strategies[n], layer.sigma, rtol=0, atol=1e-8)
        for x, movers in enumerate(layer.play):
            for m, sigma in enumerate(movers):
                np.testing.assert_allclose(solution.strategy(n, x, m), sigma, rtol=0, atol=1e-8)
    width = game.profiles.size
    start = layers[0].values[0].T
    np.testing.assert_allclose(solution.start_values, start[:, :width], rtol=0, atol=1e-9)
    if game.shocks:
        assert solution.certificate.regret is None
        return
    gain = (start[:, width:] - start[:, :width])[solution.grid.start]
    regret = by_type(game, gain.reshape(len(game.priors), -1))
    assert solution.certificate.regret == pytest.approx(regret, abs=1e-9)


@pytest.mark.parametrize("name", SHAPES)
@few
@given(data=st.data())
def test_scenarios(name: str, data: st.DataObject) -> None:
    shape, points = SHAPES[name]
    lam = data.draw(st.sampled_from([1.0, 5.0, 20.0]))
    game = detente.compile_game(detente.loads(data.draw(scenarios(shape, lam))))
    try:
        compare(game, points)
    except FoldedError:
        assume(False)


@pytest.mark.parametrize("precision", effort.cases((0.0, 1.0, 3.0), slow=(0.0, 3.0)))
@pytest.mark.parametrize("name", GAMES)
def test_games_in_which_types_matter_to_all(name: str, precision: float) -> None:
    """Payoffs depend on everybody's types, and the number of own actions on the state."""
    kinds, turns, points = GAMES[name]
    compared = 0
    for seed in range(4):
        game = random_game(
            kinds, turns, seed=seed, precision=precision, actions=2 if prod(kinds) > 3 else 3
        )
        try:
            compare(game, points)
        except FoldedError:
            continue
        compared += 1
        if compared == 2 or prod(kinds) > 3:
            break
    assert compared


def test_precisions_may_differ_between_actors() -> None:
    game = random_game((2, 2), ((0, 1), (1,), (0, 1)))
    game.precision[:] = [3, 0.5]
    compare(game, 5)
