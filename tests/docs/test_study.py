"""The headlines of the study of the default scenario, in the first 12 of its 2,000 draws.

A sentence that holds in all draws of the study holds in these; one that holds in a share of them
is held to what 12 draws leave of it: each bound is one that a share as told would miss less than
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


@pytest.fixture(scope="module")
def found() -> Ensemble:
    scenario = detente.load("pyeongchang-2018").with_horizon(12)
    return detente.ensemble(
        scenario,
        POLICIES,
        detente.SolveOptions(beliefs=5),
        draws=detente.Draws(12, seed=2018, checked=0),
    )


def best(found: Ensemble, payoff: str) -> pd.Series:
    """How often each policy is the best."""
    return found.values(payoff).idxmax(axis=1).value_counts().reindex(POLICIES, fill_value=0)


def test_the_page_tells_this_run() -> None:
    page = Path(__file__).parents[2] / "docs" / "study-pyeongchang-2018.md"
    command = next(line for line in page.read_text("utf-8").splitlines() if "--seed 2018" in line)
    assert "--horizon 12 --draws 2000 --seed 2018 --beliefs 5" in command
    assert all(f'--policies "{policy}"' in command for policy in POLICIES)


@pytest.mark.slow
def test_every_world_is_solved(found: Ensemble) -> None:
    assert found.done == 12
    assert found.failures.empty


@pytest.mark.slow
def test_freeze_for_freeze_lowers_the_risk_of_war_everywhere(found: Ensemble) -> None:
    war = found.values("war@12")
    assert (war[FREEZE] < war[PRESSURE]).all()


@pytest.mark.slow
def test_to_wait_for_calm_costs_talks_everywhere(found: Ensemble) -> None:
    talks = found.values("us_talks@12")
    assert (talks[CALM] < talks[PRESSURE]).all()


@pytest.mark.slow
def test_no_announcement_makes_a_deal_likely(found: Ensemble) -> None:
    assert (found.values("deal@12").max(axis=1) < 0.5).all()


@pytest.mark.slow
def test_the_north_would_be_given_relief_first(found: Ensemble) -> None:
    assert best(found, "payoff:DPRK=sincere")[RELIEF] >= 11
    assert best(found, "payoff:DPRK=stalling")[RELIEF] >= 11


@pytest.mark.slow
def test_a_washington_that_only_presses_would_wait_for_calm(found: Ensemble) -> None:
    assert best(found, "payoff:US=pressure_only")[CALM] >= 10


@pytest.mark.slow
def test_seoul_would_freeze_in_most_draws(found: Ensemble) -> None:
    assert best(found, "payoff:ROK")[FREEZE] >= 5
    assert best(found, "payoff:ROK")[[PRESSURE, CALM]].sum() <= 1


@pytest.mark.slow
def test_relief_first_puts_the_first_step_off(found: Ensemble) -> None:
    step = found.values("first_step@12")
    assert (step[RELIEF] < step[PRESSURE]).sum() >= 11


@pytest.mark.slow
def test_levels_do_not_survive(found: Ensemble) -> None:
    """A twentieth is below 11 %, a twentieth above 88 %: 12 draws surely span 30 points."""
    tests = found.values("tests_resumed@12")[PRESSURE]
    assert tests.max() - tests.min() > 0.3


@pytest.mark.slow
def test_what_a_trading_washington_should_announce_does_not_survive(found: Ensemble) -> None:
    shares = best(found, "payoff:US=trader")
    assert (shares >= 1).sum() >= 3
    assert shares.max() <= 10
