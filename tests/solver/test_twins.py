"""Actions that differ by a cost alone: posteriors after them reach a kink together, maybe a fork.

Where the derivative of one such action's equation changes its sign at the kink, so does the
determinant that orients the branch: on other branches, which meet there, the posteriors part. The
principal branch goes straight on, with equal posteriors.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from detente.solver.kernels.homotopy import FAILED, FOLDED, FORKED, TRACED
from tests import effort
from tests.solver.test_stage import Problem, follow, random_problem, solve, solve_line

Floats = NDArray[np.float64]


def twins(seed: int, actions: int, alike: tuple[int, ...], *, cost: float = 0.3) -> Problem:
    """One mover with two types on a rough grid; the actions `alike` lead to the same."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, (2,), (actions,), 4, rng.uniform(2.0, 6.0), rough=True)
    mine = problem.mine.copy()
    for a in alike[1:]:
        mine[a] = mine[alike[0]] - rng.uniform(0.0, cost)
    return replace(problem, mine=mine)


class Merged(Problem):
    """Actions 0 and 1 of one mover as one: they are exactly alike, and equally likely."""

    @property
    def free(self) -> int:
        return 2 * (self.choices[0] - 2)

    def gain(self, at: int, y: Floats) -> tuple[Floats, list[Floats], list[Floats]]:
        odds = y.reshape(len(y), 2, -1)
        whole = np.concatenate([0 * odds[:, :, :1], odds], axis=2).reshape(len(y), -1)
        gains, plays, worth = super().gain(at, whole)
        return gains.reshape(len(y), 2, -1)[:, :, 1:].reshape(len(y), -1), plays, worth


@pytest.mark.parametrize("alike", effort.cases([(0, 1), (1, 2), (0, 1, 2)], slow=[(0, 1), (1, 2)]))
def test_branches_on_which_actions_are_alike_are_not_lost(alike: tuple[int, ...]) -> None:
    forks = 0
    for seed in range(300):
        problem = twins(seed, 3 + seed % 3, alike)
        how, sigma = solve(problem)
        assert not np.any(how == FAILED), seed
        forks += np.count_nonzero(how == FORKED)
        for node in (1, 2, 3):
            ratio = np.log(sigma[node].reshape(2, -1))
            ratio = (ratio[1] - ratio[0])[list(alike)]
            assert np.ptp(ratio) < 1e-10, seed
            assert problem.error(node, sigma[node]) < 1e-9, seed
    # An odd number of signs has to change for an orientation to change.
    assert forks > 100 or len(alike) == 3


def test_lines_do_not_lose_them_either() -> None:
    for seed in range(100):
        problem = twins(seed, 4, (0, 1))
        problem = replace(problem, ratio=np.ones((1, 2)))
        counts, sigma = solve_line(problem)
        assert counts[FAILED] == 0, seed
        assert all(problem.error(node, sigma[node]) < 1e-9 for node in range(5)), seed


@pytest.mark.slow
def test_the_branch_is_that_of_the_game_with_the_two_as_one() -> None:
    """An independent tracer, which cannot leave for the other branches as there are none."""
    compared = {TRACED: 0, FOLDED: 0, FORKED: 0}
    for seed in range(12):
        problem = twins(seed, 3 + seed % 2, (0, 1), cost=0.0)
        merged = Merged(*(getattr(problem, name) for name in problem.__dataclass_fields__))
        how, sigma = solve(problem)
        for node in (1, 2, 3):
            if how[node] == TRACED and compared[TRACED] > 3:
                continue
            expected = follow(merged, node)
            if expected is not None:
                assert np.abs(expected - sigma[node]).max() < 1e-7, (seed, node)
                compared[int(how[node])] += 1
    assert min(compared.values()) > 2
