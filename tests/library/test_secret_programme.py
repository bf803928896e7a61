"""The freeze that can be cheated on: Gambit's equilibria, and what the page says of it."""

from __future__ import annotations

import pytest

import detente
from tests.solver.test_gambit import differences

OPTIONS = detente.SolveOptions(beliefs=17, threads=1)


@pytest.mark.gambit
@pytest.mark.parametrize("horizon", [1, 2])
def test_secret_programme_against_gambit(horizon: int) -> None:
    scenario = detente.load("secret-programme").with_horizon(horizon)
    game = detente.compile_game(scenario.with_values({"precision": 2}))
    rough, fine = differences(game, 129, 1025)
    assert fine < 1e-6
    assert fine < max(rough / 16, 1e-9)  # as the square of the step, an eighth: a sixty-fourth


def worth(policy: str, **values: float) -> float:
    scenario = detente.load("secret-programme").with_values(values)
    game = detente.compile_game(scenario, policy=policy)
    solution = detente.solve(game, OPTIONS, coarse=False, regret=False)
    assert solution.status.name == "SOLVED"
    return float(solution.payoffs["West", ""])


def test_a_deal_beats_none_where_it_is_inspected_and_alarms_are_true() -> None:
    none = worth("no deal")
    assert worth("a freeze") > none + 1.5
    assert worth("a freeze", inspections=0.0) < none
    assert worth("a freeze", false_alarm=0.2) < none


def test_without_a_deal_inspections_change_nothing() -> None:
    assert worth("no deal", inspections=1.0) == pytest.approx(worth("no deal"), abs=1e-12)
