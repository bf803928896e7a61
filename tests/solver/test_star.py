"""Grids into which the prior is put in: their cells, and games with up to nine types."""

from __future__ import annotations

import numpy as np
import pytest

import detente
from detente.describe import forecast as describe
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.solver import beliefs
from detente.solver.beliefs import belief_grid, cells, coarser, grid_like, grid_size, refined
from detente.solver.cell_corners import CellCorners
from detente.solver.kernels.jit import kernel
from detente.solver.kernels.lottery import locate, make_lottery
from detente.solver.layout import belief_layout
from detente.solver.options import SolveOptions, default_points, least_points
from detente.solver.solution import Status
from tests.generate import Shape, random_scenario
from tests.reference import hat


@kernel
def locate_all(layout, nodes, lottery):  # type: ignore[no-untyped-def]
    """The lottery of the first mover's first action at all nodes."""
    locate(layout, 0, 0, 0, nodes, lottery)


def random(types: int, seed: int = 0, *, precision: float = 2.0, periods: int = 2) -> CompiledGame:
    """A game of which the first actor has so many types, all of them possible; no chance."""
    shape = Shape(types=types, actions=3, periods=periods, chance=False)
    rng = np.random.default_rng(seed)
    return detente.compile_game(detente.loads(random_scenario(rng, shape, precision)))


def some_beliefs(kinds: int, near: np.ndarray, seed: int = 0) -> np.ndarray:
    """Beliefs inside, at faces and near one of them, float64 [h, θ]."""
    rng = np.random.default_rng(seed)
    inside = rng.dirichlet(np.full(kinds, 0.7), size=300)
    face = np.where(rng.random(inside.shape) < 0.4, 0.0, inside) + 1e-300
    close = near + 0.1 * rng.random((300, 1)) * (inside - near)
    found = np.concatenate([inside, face / face.sum(axis=1, keepdims=True), close, near[None]])
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("types", "points"), [(5, 5), (5, 9), (6, 7), (9, 5)])
def test_cells(types: int, points: int) -> None:
    """Their weights are those of the hat functions, and make each belief of the nodes."""
    game = random(types)
    simplex = belief_grid(game, points).about[0]
    assert simplex.size == grid_size(game, points)
    assert simplex.star is not None
    np.testing.assert_allclose(simplex.belief[simplex.start], game.priors[0], atol=1e-15)
    u = some_beliefs(types, simplex.prior / simplex.steps)
    nodes, weights = cells(simplex, u)
    assert weights.min() >= 0.0
    assert (weights[nodes == simplex.start] > 0).any()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-14)
    made = np.einsum("hk,hkt->ht", weights, simplex.node[nodes] / simplex.steps)
    np.testing.assert_allclose(made, u, atol=1e-14)
    everywhere = hat(simplex.steps, simplex.node, u)
    found, again = np.zeros_like(everywhere), np.zeros_like(everywhere)
    np.add.at(found, (np.arange(len(u))[:, None], nodes), weights)
    for node, weight in zip(*CellCorners.of(simplex).around(u.T), strict=True):
        np.add.at(again, (np.arange(len(u)), node), weight)
    np.testing.assert_allclose(found, everywhere, atol=1e-13)
    np.testing.assert_allclose(again, everywhere, atol=1e-13)


def test_slopes_of_the_weights() -> None:
    """Of the kernels' lotteries, by log σ: against differences, node by node."""
    game = random(5)
    grid = belief_grid(game, 5)
    layout = belief_layout(game, grid, (0,))
    rng = np.random.default_rng(3)
    chance = rng.uniform(0.2, 1.0, 5)

    def weights(chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights of all nodes [b, g], and their slopes [φ, b, g]."""
        lottery = make_lottery(layout, 1, grid.size, slopes=True)
        lottery.share[:] = layout.node[0] * chance[:, None]
        locate_all(layout, grid.size, lottery)
        found, slopes = np.zeros((grid.size, grid.size)), np.zeros((5, grid.size, grid.size))
        rows = np.arange(grid.size)
        for v in range(5):
            at = rows + lottery.vertex[0, 0, v]
            np.add.at(found, (rows, at), lottery.weight[0, 0, v])
            for phi in range(5):
                np.add.at(slopes[phi], (rows, at), lottery.slope[0, 0, v, phi])
        return found, slopes

    here, slopes = weights(chance)
    joint = grid.about[0].node * chance
    u = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(here, hat(grid.about[0].steps, grid.about[0].node, u), atol=1e-13)
    for phi in range(5):
        step = np.where(np.arange(5) == phi, 1e-6, 0.0)
        above, below = (weights(chance * np.exp(sign * step))[0] for sign in (1, -1))
        np.testing.assert_allclose(slopes[phi], (above - below) / 2e-6, atol=1e-8)


@pytest.mark.parametrize(("types", "points"), [(5, 11), (6, 7), (7, 7), (8, 5), (9, 5)])
def test_all_types_possible_at_the_start(types: int, points: int) -> None:
    game = random(types)
    assert least_points(game) == 5
    assert default_points(game) == points
    assert grid_size(game, points) <= 1002
    with pytest.raises(ScenarioError, match=f"hint: without it there are {points}$"):
        detente.SolveOptions(beliefs=6).points(game)


def test_nine_types() -> None:
    """By default: solved, certified, forecast, tracked."""
    game = random(9, periods=3)
    solution = detente.solve(game)
    assert solution.status is Status.SOLVED
    assert solution.grid.shape == (496, 1)
    assert solution.certificate.residual < 1e-10
    assert solution.certificate.value_error < 1e-12
    forecast = detente.forecast(solution)
    assert forecast.forward_error < 1e-12
    assert solution.coarse is not None
    assert solution.coarse.grid.shape == (10, 1)
    assert solution.quick is solution
    assert 0 < forecast.outcomes["error"].max() < 0.05
    sigma = solution.strategy(_first(game), 0)[solution.grid.start]
    whole = game.priors[0] @ sigma
    record = detente.parse_record("date,actor,move\n1,A0,a1\n", game.scenario)
    tracked = detente.track(solution, record)
    assert tracked.moves["probability"].item() == pytest.approx(whole[1] / whole.sum(), abs=1e-12)
    believed = tracked.beliefs.query("step == 1")["probability"].to_numpy()
    np.testing.assert_allclose(believed, game.priors[0] * sigma[:, 1] / whole[1], atol=1e-12)
    told = describe.beliefs(forecast)
    assert told is not None
    assert str(told).count("when in truth") == 1
    assert str(told).count("'it is ") == 9  # of so many types not each in truth of each


def _first(game: CompiledGame) -> int:
    """The layer at which the informed actor first moves; it is the first move of all."""
    return next(n for n, layer in enumerate(game.layers) if 0 in layer.movers)


@pytest.mark.parametrize("seed", range(4))
def test_the_stated_error_covers_a_finer_grid(seed: int) -> None:
    game = random(6, seed, precision=4.0)
    rough, fine = (
        detente.forecast(detente.solve(game, SolveOptions(n), coarse=n == 5, checked=0))
        for n in (5, 9)
    )
    apart = abs(rough.outcomes["happened"] - fine.outcomes["happened"])
    assert (apart <= rough.outcomes["error"] + 1e-12).all()


def test_values_of_a_coarser_grid_on_a_finer_one() -> None:
    """What is linear in beliefs is refined exactly, also where the prior is put into both."""
    game = random(6)
    fine, rough = belief_grid(game, 9), belief_grid(game, 5)
    slope = np.arange(1.0, 7.0)
    linear = [grid.about[0].node @ slope / grid.about[0].steps for grid in (rough, fine)]
    found = refined(np.tile(linear[0], (2, 3, 1)), rough, fine)
    np.testing.assert_allclose(found, np.tile(linear[1], (2, 3, 1)), atol=1e-13)


def test_grids_of_one_kind() -> None:
    """The coarser one has a third of the steps, and one at other priors the same compositions."""
    game = random(6)
    grid = belief_grid(game, 9)
    few = coarser(game, grid).about[0]
    assert few.steps == 2
    np.testing.assert_allclose(few.belief[few.start], game.priors[0], atol=1e-15)
    np.testing.assert_array_equal(grid_like(game, grid).about[0].belief, grid.about[0].belief)


def test_errors_where_a_regular_grid_and_this_are_both_possible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four types: with the prior put in, 13 points are as good as where it is one of them."""
    game = random(4, 3, precision=4.0)
    fine = detente.forecast(detente.solve(game, SolveOptions(33), coarse=False, checked=0))
    regular = detente.forecast(detente.solve(game, SolveOptions(13), coarse=False, checked=0))
    monkeypatch.setattr(beliefs, "FEW_NODES", 100)
    put_in = detente.forecast(detente.solve(game, SolveOptions(13), coarse=False, checked=0))
    assert put_in.solution.grid.about[0].star is not None
    for found in (regular, put_in):
        assert abs(found.outcomes["happened"] - fine.outcomes["happened"]).max() < 2e-4
