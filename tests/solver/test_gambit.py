"""Agent logit quantal response of unrolled games: Gambit and Detente give the same strategies."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import detente
from detente.game.arrays import CompiledGame
from detente.game.export import InformationSet, count_nodes, unroll
from detente.simulation.sample import interpolated_strategy
from detente.solver.solution import Solution
from tests.generate import Shape, scenarios

gambit = pytest.importorskip("pygambit")

pytestmark = pytest.mark.gambit


def at_information_set(solution: Solution, where: InformationSet) -> np.ndarray:
    """Our strategy [a] at an information set, with beliefs from Bayes' rule along its history."""
    game = solution.game
    belief = [float(q[-1]) if q.size > 1 else 1.0 for q in game.priors]
    x = 0
    for n, e, k in where.history:
        layer = game.layers[n]
        first, last = layer.action_ptr[x], layer.action_ptr[x + 1]
        if layer.movers and last - first > 1 and layer.movers[0] in game.informed:
            m = layer.movers[0]
            play = interpolated_strategy(solution, n, x, belief)[:, e - first]
            belief[m] = belief[m] * play[1] / (belief[m] * play[1] + (1 - belief[m]) * play[0])
        x = int(layer.succ[k])
    assert x == where.state
    return interpolated_strategy(solution, where.layer, x, belief)[where.theta]


def difference(game: CompiledGame, points: int) -> float:
    """Largest difference between Gambit's strategies and ours, over all information sets."""
    tree = unroll(game)
    efg = gambit.read_efg(io.StringIO(tree.text))
    assert sum(1 for _ in efg.nodes) == count_nodes(game)
    profile = gambit.qre.logit_solve_lambda(efg, [float(game.precision[0])])[0]
    solution = detente.solve(game, beliefs=points, coarse=False)
    assert solution.status.name == "SOLVED"
    worst, k = 0.0, 0
    for where in sorted(tree.information_sets, key=lambda s: (s.player, s.number)):
        ours = at_information_set(solution, where)
        theirs = np.array([float(profile[k + a]) for a in range(ours.size)])
        worst = max(worst, float(np.abs(ours - theirs).max()))
        k += ours.size
    return worst


ONE = Shape(actors=2, informed=1, periods=1, levels=3)
ONE_LONG = Shape(actors=1, informed=1, periods=3, levels=2, chance=False)
TWO = Shape(actors=2, informed=2, periods=1, levels=2, chance=False)
TWO_CHANCE = Shape(actors=2, informed=2, periods=1, levels=3)
DISCOUNTED = Shape(actors=1, informed=1, periods=2, levels=2, discount=True)
PLAIN = Shape(actors=3, informed=0, periods=1, levels=3)

few = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("lam", [0.5, 1.0, 3.0, 10.0])
@pytest.mark.parametrize(
    ("shape", "points"),
    [(PLAIN, 5), (ONE, 2049), (ONE_LONG, 2049), (DISCOUNTED, 2049), (TWO, 257), (TWO_CHANCE, 257)],
    ids=["complete", "one", "one-long", "discounted", "two", "two-chance"],
)
@few
@given(data=st.data())
def test_same_as_gambit(shape: Shape, points: int, lam: float, data: st.DataObject) -> None:
    game = detente.compile_game(detente.loads(data.draw(scenarios(shape, lam))))
    assert difference(game, points) < 1e-6
