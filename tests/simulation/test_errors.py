"""What is said of the belief grid's error: numbers of a grid four times as fine lie within it."""

from __future__ import annotations

import numpy as np
import pytest

import detente
from detente.simulation.histories import interpolated_strategy
from detente.solver.discretisation import LEAST, grid_error
from detente.solver.solution import RESIDUAL_LIMIT, Status
from tests import effort
from tests.generate import Shape, random_scenario

FAMILY = {
    "short": (Shape(periods=4), 17),
    "wide": (Shape(periods=3, actions=3, levels=4), 17),
    "two informed": (Shape(periods=3, informed=2), 9),
    "three types": (Shape(periods=3, types=3), 13),
    "together": (Shape(periods=3, informed=2, together=2), 9),
    "long": (Shape(periods=8), 17),
}
"""Kinds of scenarios, and the belief points on which their error is judged."""

SEED = 19_981_998  # the factor of `detente.simulation.errors` was found on other seeds
NUMBERS = {
    "outcomes": (("happened", "error"), ("holds", "holds_error")),
    "payoffs": (("payoff", "error"),),
    "beliefs": (("mean", "error"),),
}


def solved(text: str, points: int, *, coarse: bool) -> detente.Forecast | None:
    game = detente.compile_game(detente.loads(text))
    options = detente.SolveOptions(points)
    solution = detente.solve(game, options, regret=False, coarse=coarse)
    return detente.forecast(solution) if solution.status is Status.SOLVED else None


def within(text: str, points: int) -> dict[str, np.ndarray] | None:
    """By table, of each number whether the finer one lies within its error."""
    result = solved(text, points, coarse=True)
    finer = solved(text, 4 * points - 3, coarse=False)
    if result is None or finer is None:
        return None
    lies = {}
    for table, columns in NUMBERS.items():
        fine, own = finer.tables[table], result.tables[table]
        # Both are solved to so much, whatever the grid.
        slack = RESIDUAL_LIMIT
        apart = [np.abs(own[name] - fine[name]) <= own[error] + slack for name, error in columns]
        lies[table] = np.concatenate(apart)
    return lies


@pytest.mark.slow
def test_finer_solutions_lie_within_the_error() -> None:
    judged = []
    for k, (shape, points) in enumerate(FAMILY.values()):
        for seed in range(effort.examples(15)):
            rng = np.random.default_rng([SEED, k, seed])
            precision = float(rng.choice([0.5, 1.0, 2.0, 4.0, 8.0]))
            judged.append(within(random_scenario(rng, shape, precision), points))
    known = [lies for lies in judged if lies is not None]
    assert len(known) >= 0.97 * len(judged)
    for table in NUMBERS:
        numbers = np.concatenate([lies[table] for lies in known])
        scenarios = np.array([lies[table].all() for lies in known])
        assert numbers.mean() >= 0.95, table
        assert scenarios.mean() >= 0.95, table


def test_an_error_is_that_of_what_came_before() -> None:
    change = np.array([0.0, 1e-9, 0.01, -0.03, 0.0])
    assert grid_error(change) == pytest.approx([0.0, LEAST, 0.03, 0.09, 0.09])


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_belief_is_the_probability_of_the_type(seed: int) -> None:
    """On the coarsest grid, on which nodes alone drift by many points of a hundred."""
    shape = Shape(types=3, actions=3, together=2, forever=True, chance=True)
    text = random_scenario(np.random.default_rng([SEED, seed]), shape, 1.0)
    game = detente.compile_game(detente.loads(text))
    solution = detente.solve(game, detente.SolveOptions(7), regret=False)
    beliefs = detente.forecast(solution).tables["beliefs"].where(A0="any")
    prior = np.tile(game.priors[0], len(beliefs) // 3)
    assert beliefs["mean"] == pytest.approx(prior, abs=1e-12)
    assert np.max(beliefs["error"]) < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_beliefs_drawn_are_those_of_all_histories(seed: int) -> None:
    """Means under each type, of all histories enumerated, lie within the stated error."""
    shape = Shape(periods=2, informed=2, types=2, chance=False)
    text = random_scenario(np.random.default_rng([SEED, 7, seed]), shape, 2.0)
    game = detente.compile_game(detente.loads(text))
    solution = detente.solve(game, detente.SolveOptions(9), regret=False)
    table = detente.forecast(solution).beliefs
    mean = enumerated(solution)
    for i, actor in enumerate(game.actors):
        for kind, expected in zip(actor.types, mean[i], strict=True):
            other = game.actors[1 - i].key
            rows = table[(table.t == 2) & (table.about == actor.key) & (table[actor.key] == kind)]
            rows = rows[rows[other] == "any"]
            off = np.abs(rows["mean"].to_numpy() - expected)
            assert (off <= rows["error"]).all(), (actor.key, kind)


def enumerated(solution: detente.Solution) -> list[np.ndarray]:
    """Mean beliefs about each actor at the end by its true type, float64 [θ, θ]: all histories."""
    game = solution.game
    total = [np.zeros((prior.size, prior.size)) for prior in game.priors]

    def go(n: int, x: int, beliefs: list[np.ndarray], chance: float) -> None:
        """`chance` is that of the history to the public, whose belief is what types have by it."""
        if n == len(game.layers):
            for sums, belief in zip(total, beliefs, strict=True):
                sums += chance * np.outer(belief, belief)
            return
        layer = game.layers[n]
        (i,) = layer.movers
        sigma = interpolated_strategy(solution, n, x, beliefs)
        for a, e in enumerate(range(layer.action_ptr[x], layer.action_ptr[x + 1])):
            joint = beliefs[i] * sigma[:, a]
            after = [joint / joint.sum() if j == i else b for j, b in enumerate(beliefs)]
            for k in range(layer.trans_ptr[e], layer.trans_ptr[e + 1]):
                go(n + 1, int(layer.succ[k]), after, chance * joint.sum() * float(layer.prob[k]))

    go(0, game.start, list(game.priors), 1.0)
    return [sums / prior[:, None] for sums, prior in zip(total, game.priors, strict=True)]
