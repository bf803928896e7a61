"""Games at whose turns the types of a mover gain alike from every action: nothing is learnt."""

from __future__ import annotations

from pathlib import Path

import pytest

import detente
from detente.solver.solution import Status

STRIKE = """
title: A strike that either kind of owner can end at the same price
calendar: {period: month, horizon: 12, start: 2020-01}
actors:
  union: {precision: 8, types: {angry: 0.4, tired: 0.6}}
  owner: {precision: 8, types: {rich: 0.3, poor: 0.7}}
state:
  strike: {levels: [none, warned, on], start: none}
  pay: {levels: [refused, granted], start: refused}
parameters:
  toll: {value: {rich: 0.3, poor: 1.2}, judgement: what a month of strike costs the owner}
  hunger: {value: {angry: 0.05, tired: 0.3}, judgement: and the union}
turns: [union, owner]
actions:
  union:
    wait: {}
    warn: {when: strike == none and pay == refused, set: {strike: warned}}
    walk_out: {when: strike == warned and t >= 4, set: {strike: on}}
    give_in: {when: strike == warned, set: {strike: none}, cost: 0.8}
    return: {when: strike == on and pay == granted, set: {strike: none}}
  owner:
    refuse: {}
    grant: {when: pay == refused, set: {pay: granted}}
    take_back: {when: pay == granted, set: {pay: refused}}
payoffs:
  union: {flow: 0.3 * (pay == granted) - hunger * (strike == on)}
  owner: {flow: 0.25 * (pay == refused) - toll * (strike == on)}
outcomes:
  strike: {when: strike == on}
"""

TARIFF = Path(__file__).parents[3] / "shared" / "cases" / "tariff.yaml"


@pytest.mark.parametrize("beliefs", [5, 9, 17])
def test_ordinary_games_are_not_lost(beliefs: int) -> None:
    """What the owner gains by granting does not depend on its type at many of its turns."""
    game = detente.compile_game(detente.loads(STRIKE))
    solution = detente.solve(game, detente.SolveOptions(beliefs))
    assert solution.status is Status.SOLVED
    assert solution.branches.failed == 0
    assert solution.branches.forked > 0


@pytest.mark.slow
@pytest.mark.skipif(not TARIFF.exists(), reason="the case stands beside the project")
def test_no_draw_of_a_tariff_threat_is_lost(tmp_path: Path) -> None:
    scenario = detente.load(TARIFF)
    found = detente.ensemble(
        scenario, options=detente.SolveOptions(9), draws=6, output=tmp_path / "run"
    )
    assert found.failures.empty
    assert set(found.checks["status"]) == {"SOLVED"}
