"""The certificate finds what is wrong with a solve, and shares nothing with the kernels."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pytest

import detente
from detente.errors import SolveError
from detente.game.arrays import CompiledGame
from detente.solver import certificate
from detente.solver import solve as solve_module
from detente.solver.certificate import Auditor
from detente.solver.solution import Status


def test_shares_no_code_with_the_kernels() -> None:
    tree = ast.parse(inspect.getsource(certificate))
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if name and "kernels" in name]


@pytest.fixture
def game() -> CompiledGame:
    return detente.compile_game(detente.load("bargaining-rounds"))


@pytest.mark.parametrize("what", ["sigma", "values", "following"])
def test_a_wrong_number_is_found(
    game: CompiledGame, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """One number of one layer is changed between the kernel and the auditor."""
    visit = Auditor.visit
    seen = []

    def spoiled(self, layer, following, values, sigma):  # type: ignore[no-untyped-def]
        if layer.movers and layer.period == 2 and not seen:
            arrays = {"following": following, "values": values, "sigma": sigma}
            arrays[what] = arrays[what].copy()
            flat = arrays[what].reshape(-1)
            flat[flat.size // 3] += 1e-4
            seen.append(what)
            return visit(self, layer, arrays["following"], arrays["values"], arrays["sigma"])
        return visit(self, layer, following, values, sigma)

    monkeypatch.setattr(Auditor, "visit", spoiled)
    solution = detente.solve(game, beliefs=9, coarse=False)
    assert seen
    assert solution.status is Status.INACCURATE
    checked = solution.certificate
    assert max(checked.residual, checked.value_error) > 1e-6


def test_a_failed_stage_is_told(game: CompiledGame, monkeypatch: pytest.MonkeyPatch) -> None:
    real = solve_module.sweep

    def failing(*arguments):  # type: ignore[no-untyped-def]
        real(*arguments)
        arguments[-1][3] += 1

    monkeypatch.setattr(solve_module, "sweep", failing)
    assert detente.solve(game, beliefs=9).status is Status.STAGE_FAILED


def test_large_games_are_checked_by_a_sample(
    game: CompiledGame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "CHECKED_NODES", 60)
    solution = detente.solve(game, beliefs=17)
    assert solution.certificate.checked < solution.certificate.nodes
    assert solution.status is Status.SOLVED


def test_regret_is_what_a_best_response_gains() -> None:
    """One mover, one choice: the regret is the best payoff less the mean one."""
    text = """
title: one choice
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}}
state: {x: {levels: 0..1, start: 0}}
turns: [A]
actions: {A: {good: {cost: -1}, bad: {cost: 0}}}
payoffs: {A: {}}
"""
    solution = detente.solve(detente.compile_game(detente.loads(text)))
    share = 1 / (1 + np.exp(-1))
    assert solution.payoffs["A", ""] == pytest.approx(share, abs=1e-12)
    assert solution.certificate.regret is not None
    assert solution.certificate.regret["A", ""] == pytest.approx(1 - share, abs=1e-12)


def test_too_much_memory_is_refused_before_it_is_taken() -> None:
    game = detente.compile_game(detente.load("crisis-signalling"))
    with pytest.raises(SolveError, match=r"GiB of memory; allowed are"):
        detente.solve(game, beliefs=2001, memory_limit=2**24)


@pytest.mark.parametrize("points", [0, 3, 8, -5])
def test_belief_points_are_odd_and_at_least_five(game: CompiledGame, points: int) -> None:
    with pytest.raises(ValueError, match="odd number of at least 5"):
        detente.solve(game, beliefs=points)
