"""Types that change: profiles that share a pass are told apart as if each had one of its own."""

from __future__ import annotations

import numpy as np
import pytest

import detente
from detente.game.arrays import CompiledGame
from detente.simulation import forward as forward_module
from detente.simulation.forward import at_the_end, forward
from detente.simulation.starts import Starts
from detente.solver.workers import open_workers


class Alone(Starts):
    """A pass for each profile."""

    def __init__(self, game: CompiledGame) -> None:
        count = len(game.profiles)
        self.family, self.number = np.ones((count, count), dtype=bool), np.arange(count)


def test_a_shared_pass_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = detente.load("pyeongchang-2018").with_horizon(3)
    game = detente.compile_game(scenario)
    solution = detente.solve(game, detente.SolveOptions(5), coarse=False, regret=False)
    with open_workers(1) as workers:
        shared = forward(solution, workers)
        ended = at_the_end(solution, workers)
        monkeypatch.setattr(forward_module, "Starts", Alone)
        apart = forward(solution, workers)
    starts = Starts(game)
    assert len(game.profiles) == 4
    assert starts.passes == 2  # one government changes, the other side's types stay
    assert starts.number.tolist() == [0, 1, 0, 1]
    for name in ("happened", "holding"):
        for key, table in getattr(apart, name).items():
            assert getattr(shared, name)[key] == pytest.approx(table, abs=1e-13)
    for name in ("states", "beliefs", "acted", "with_types"):
        for one, other in zip(getattr(shared, name), getattr(apart, name), strict=True):
            assert one == pytest.approx(other, abs=1e-13), name
    assert shared.payoffs == pytest.approx(apart.payoffs, abs=1e-12)
    prior = game.profile_prior()
    for key, p in ended.items():
        assert p == pytest.approx(shared.happened[key][-1] @ prior, abs=1e-13)


def test_types_that_become_each_other_are_one_family() -> None:
    game = detente.compile_game(detente.load("secret-programme").with_horizon(2))
    starts = Starts(game)
    assert starts.passes == starts.family.sum(axis=1).max()
    weights = [starts.weights(game.profile_prior(), n) for n in range(starts.passes)]
    assert sum(w[starts.number == n].sum() for n, w in enumerate(weights)) == pytest.approx(1.0)
