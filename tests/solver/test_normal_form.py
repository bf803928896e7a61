"""One turn of several actors at once is a normal form: quantal responses as Gambit finds them, and
Nash equilibria as Nashpy finds them where the precision is high."""

from __future__ import annotations

import importlib
import math
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

import detente
from detente.solver.solution import Solution, Status
from tests.oracles import logit_of_arrays

Floats = NDArray[np.float64]


def scenario(payoffs: tuple[Floats, ...], precision: str) -> str:
    """The game as a scenario of one turn; payoffs [a, b, …] of each player."""
    shape = payoffs[0].shape
    players = range(len(shape))
    lines = ["title: normal form", "calendar: {period: round, horizon: 1}", "actors:"]
    lines += [f"  P{m}: {{precision: {precision}}}" for m in players]
    lines += ["state:", *(f"  x{m}: {{levels: 0..{shape[m] - 1}, start: 0}}" for m in players)]
    lines += [f"turns: [{{who: [{', '.join(f'P{m}' for m in players)}]}}]", "actions:"]
    for m in players:
        moves = ", ".join(f"a{a}: {{set: {{x{m}: {a}}}}}" for a in range(shape[m]))
        lines.append(f"  P{m}: {{{moves}}}")
    lines.append("payoffs:")
    for m in players:
        lines += [f"  P{m}:", "    terminal:"]
        for cell in product(*map(range, shape)):
            where = " and ".join(f"x{j} == {a}" for j, a in enumerate(cell))
            name = "c" + "".join(map(str, cell))
            lines.append(f"      {name}: ({float(payoffs[m][cell])!r}) * ({where})")
    return "\n".join([*lines, ""])


def solve(payoffs: tuple[Floats, ...], lam: float | str) -> tuple[Solution, list[Floats]]:
    """The solution, and each player's probabilities."""
    solution = detente.solve(detente.compile_game(detente.loads(scenario(payoffs, str(lam)))))
    assert solution.status is Status.SOLVED
    return solution, [solution.strategy(0, 0, m)[0, 0] for m in range(len(payoffs))]


def zero_sum(payoff: object) -> tuple[Floats, Floats]:
    return np.array(payoff, float), -np.array(payoff, float)


def symmetric(payoff: object) -> tuple[Floats, Floats]:
    return np.array(payoff, float), np.array(payoff, float).T


CLASSIC: dict[str, tuple[Floats, ...]] = {
    "matching pennies": zero_sum([[1, -1], [-1, 1]]),
    # Goeree, Holt and Palfrey, Games and Economic Behavior 45 (2003), after Ochs, ibid. 10 (1995).
    "pennies, 9 to 1": (np.array([[9.0, 0], [0, 1]]), np.array([[0.0, 1], [1, 0]])),
    "pennies, 4 to 1": (np.array([[4.0, 0], [0, 1]]), np.array([[0.0, 1], [1, 0]])),
    "prisoners' dilemma": symmetric([[3, 0], [5, 1]]),
    "chicken": symmetric([[0, 7], [2, 6]]),
    "battle of the sexes": (np.diag([3.0, 2.0]), np.diag([2.0, 3.0])),
    "stag hunt": symmetric([[4, 0], [3, 3]]),
    "coordination with a better end": (np.diag([2.0, 1.0]), np.diag([2.0, 1.0])),
    "rock, paper, scissors": zero_sum([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]),
    "a skewed rock, paper, scissors": zero_sum([[0, -2, 1], [1, 0, -1], [-1, 3, 0]]),
}

FORKS = {"battle of the sexes": 0.9, "chicken": 1.5}
"""Precisions beyond which other branches have begun."""

RANDOM = {
    "2 x 2": (2, 2),
    "2 x 3": (2, 3),
    "3 x 3": (3, 3),
    "4 x 3": (4, 3),
    "2 x 2 x 2": (2, 2, 2),
    "3 x 2 x 2": (3, 2, 2),
}


def drawn(shape: tuple[int, ...], seed: int) -> tuple[Floats, ...]:
    rng = np.random.default_rng(seed)
    return tuple(np.round(rng.uniform(-3, 3, size=shape), 2) for _ in shape)


def gambits(payoffs: tuple[Floats, ...], lam: float) -> Floats:
    """Gambit's quantal response equilibrium on the principal branch, one player after the other."""
    return np.array(logit_of_arrays(payoffs, lam))


@pytest.mark.gambit
@pytest.mark.parametrize("lam", [0.3, 1.0, 3.0, 12.0])
@pytest.mark.parametrize("name", CLASSIC)
def test_classic_games_as_gambit(name: str, lam: float) -> None:
    _, plays = solve(CLASSIC[name], lam)
    if lam >= FORKS.get(name, math.inf):
        # Gambit leaves a fork by one of the branches that begin there, we go straight on, where
        # both players do the same, or each the other's.
        there = plays[1][::-1] if name == "battle of the sexes" else plays[1]
        assert plays[0] == pytest.approx(there, abs=1e-10)
        return
    assert np.concatenate(plays) == pytest.approx(gambits(CLASSIC[name], lam), abs=1e-8)


@pytest.mark.gambit
@pytest.mark.parametrize("lam", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("name", RANDOM)
def test_random_games_as_gambit(name: str, lam: float) -> None:
    for seed in range(6):
        payoffs = drawn(RANDOM[name], seed)
        _, plays = solve(payoffs, lam)
        assert np.concatenate(plays) == pytest.approx(gambits(payoffs, lam), abs=1e-8)


def distance_to_nash(payoffs: tuple[Floats, ...], plays: list[Floats]) -> float:
    """From the nearest Nash equilibrium of two players."""
    found = importlib.import_module("nashpy").Game(*payoffs).vertex_enumeration()
    return min(float(np.abs(np.concatenate(s) - np.concatenate(plays)).max()) for s in found)


@pytest.mark.nashpy
@pytest.mark.parametrize("name", CLASSIC)
def test_classic_games_come_close_to_nash(name: str) -> None:
    for lam in (100, 10_000):
        solution, plays = solve(CLASSIC[name], lam)
        # Where two actions are both used, log odds of order 1 are bought by payoffs of order 1/λ.
        assert distance_to_nash(CLASSIC[name], plays) < 10 / lam
        regret = solution.certificate.regret
        assert regret is not None
        assert max(regret.values()) < 10 / lam


@pytest.mark.nashpy
@pytest.mark.parametrize("name", CLASSIC)
def test_the_limit_of_classic_games_is_nash(name: str) -> None:
    _, plays = solve(CLASSIC[name], "limit")
    assert distance_to_nash(CLASSIC[name], plays) < 0.005


@pytest.mark.nashpy
@pytest.mark.parametrize("name", [name for name in RANDOM if len(RANDOM[name]) == 2])
def test_random_games_come_close_to_nash(name: str) -> None:
    for seed in range(10):
        payoffs = drawn(RANDOM[name], seed)
        _, plays = solve(payoffs, 1_000)
        assert distance_to_nash(payoffs, plays) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", RANDOM)
def test_the_branch_is_followed_to_where_play_is_all_but_certain(name: str) -> None:
    """Log odds of a million, a tenth of the way at a time where they only grow: not to another
    equilibrium. Log odds are exact to about 1e-10 there, and what is bought by them to λ times
    that in mixed equilibria; those are told as inaccurate."""
    for seed in range(10):
        payoffs = drawn(RANDOM[name], seed)
        before = solve(payoffs, 1_000)[1]
        game = detente.compile_game(detente.loads(scenario(payoffs, "100000")))
        solution = detente.solve(game)
        assert solution.status in (Status.SOLVED, Status.INACCURATE)
        assert solution.certificate.residual < 1e-6
        for m, play in enumerate(before):
            assert np.abs(solution.strategy(0, 0, m)[0, 0] - play).max() < 0.02


@pytest.mark.nashpy
@pytest.mark.parametrize("name", [name for name in RANDOM if len(RANDOM[name]) == 3])
def test_three_players_come_to_have_nothing_to_regret(name: str) -> None:
    for seed in range(10):
        regret = solve(drawn(RANDOM[name], seed), 1_000)[0].certificate.regret
        assert regret is not None
        assert 0 <= max(regret.values()) < 0.005


def test_own_payoffs_move_own_play_in_asymmetric_pennies() -> None:
    """At the Nash equilibrium the row player mixes evenly whatever its own payoff X; quantal
    responses follow it (Goeree, Holt and Palfrey 2003, section 2), as Ochs' subjects did."""
    for name, size in (("pennies, 9 to 1", 9), ("pennies, 4 to 1", 4)):
        _, (row, column) = solve(CLASSIC[name], 2.0)
        assert row[0] > 0.5 + 0.02 * size / 4
        assert column[0] < 0.5
        # The two equations of the equilibrium, written out.
        up, left = row[0], column[0]
        assert math.log(up / (1 - up)) == pytest.approx(2 * (size * left - (1 - left)), abs=1e-9)
        assert math.log(left / (1 - left)) == pytest.approx(2 * (1 - 2 * up), abs=1e-9)
