"""The headlines of the study of the default scenario, in the first 6 of its draws.

A sentence that holds in all draws of the study holds in these; one that holds in a share of them
is held to what 6 draws leave of it: each bound is one that a share as told would miss less than
once in a hundred times, if the draws were drawn independently.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import detente
from detente.ensembles.results import Ensemble

POLICIES = (
    "maximum pressure, open door",
    "talks only after calm",
    "freeze for freeze",
    "relief first",
)
PRESSURE, CALM, FREEZE, RELIEF = POLICIES

DRAWS = 6


@pytest.fixture(scope="module")
def found() -> Ensemble:
    scenario = detente.load("pyeongchang-2018").with_horizon(12)
    return detente.ensemble(
        scenario,
        POLICIES,
        detente.SolveOptions(beliefs=5),
        draws=detente.Draws(DRAWS, seed=2018, checked=0),
    )


def best(found: Ensemble, payoff: str) -> pd.Series:
    """How often each policy is the best."""
    return found.values(payoff).idxmax(axis=1).value_counts().reindex(POLICIES, fill_value=0)


def test_the_page_tells_this_run() -> None:
    page = Path(__file__).parents[2] / "docs" / "study-pyeongchang-2018.md"
    command = next(line for line in page.read_text("utf-8").splitlines() if "--seed 2018" in line)
    assert "pyeongchang-2018 --horizon 12" in command
    assert "--seed 2018 --beliefs 5" in command
    assert all(f'--policies "{policy}"' in command for policy in POLICIES)


@pytest.mark.slow
def test_every_world_is_solved(found: Ensemble) -> None:
    assert found.done == DRAWS
    assert found.failures.empty


@pytest.mark.slow
def test_freeze_for_freeze_lowers_war_and_tests_everywhere(found: Ensemble) -> None:
    for column in ("war@12", "tests_resumed@12", "missile@12"):
        number = found.values(column)
        assert (number[FREEZE] < number[PRESSURE]).all()


@pytest.mark.slow
def test_to_wait_for_calm_costs_talks_everywhere(found: Ensemble) -> None:
    talks = found.values("us_talks@12")
    assert (talks[CALM] < talks[PRESSURE]).all()


@pytest.mark.slow
def test_no_announcement_brings_a_deal(found: Ensemble) -> None:
    assert (found.values("deal@12").max(axis=1) < 0.05).all()


@pytest.mark.slow
def test_who_would_be_given_what(found: Ensemble) -> None:
    for kind in ("sincere", "stalling"):
        assert best(found, f"payoff:DPRK={kind}")[RELIEF] >= 3
    assert best(found, "payoff:ROK")[FREEZE] >= 2
    assert best(found, "payoff:US=pressure_only")[CALM] >= 5


@pytest.mark.slow
def test_either_washington_would_go_on_with_pressure(found: Ensemble) -> None:
    for kind in ("trader", "pressure_only"):
        assert best(found, f"payoff:US={kind}")[[PRESSURE, CALM]].sum() == DRAWS


@pytest.mark.slow
def test_levels_do_not_survive(found: Ensemble) -> None:
    """A twentieth is below 21 %, a twentieth above 84 %: 6 draws surely span 15 points."""
    tests = found.values("tests_resumed@12")[PRESSURE]
    assert tests.max() - tests.min() > 0.15
