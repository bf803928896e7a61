"""Records of play without end: their likelihood, its gradient, and what is fitted to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import detente
from detente.errors import ScenarioError
from detente.scenario.model import Scenario
from detente.scenario.observations import Record
from tests.estimation.test_likelihood import check_gradient, likelihood

TEXT = """\
title: Pressure that never ends, on somebody who may be stubborn
calendar: {period: round, horizon: forever}
actors:
  A: {precision: sharp, discount: 0.4}
  B: {precision: 2, discount: 0.3, types: {soft: 1 - doubt, stubborn: doubt}}
state:
  x: {levels: 0..2, start: 1, edge: cut}
  mood: {levels: [calm, tense], start: calm}
parameters:
  sharp: {value: 1.5, range: [0.2, 4]}
  doubt: {value: 0.4, range: [0.05, 0.95]}
  pain: {value: 0.6, range: [0, 2]}
  effort: {value: 0.3, range: [0, 2]}
turns: [A, B, chance]
actions:
  A: {wait: {}, push: {set: {x: +1}, cost: 0.2}}
  B: {hold: {}, yield: {set: {x: -1}, cost: "effort if B == soft else 3 * effort"}}
chance:
  alarm: {effects: [{p: 0.2, set: {mood: tense}}, {p: rest, set: {mood: calm}}]}
payoffs:
  A: {flow: 1 - x + 0.2 * (mood == tense)}
  B: {flow: -pain * x}
outcomes:
  top: {when: x == 2}
"""
OBSERVED = """\
date,actor,move
always,A,wait
1,A,push
1,B,hold or yield
2,B,yield
2,state,mood == tense
4,A,push
5,state,x >= 1
6,B,(unknown)
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return detente.loads(TEXT)


@pytest.fixture(scope="module")
def record(scenario: Scenario) -> Record:
    return detente.parse_record(OBSERVED, scenario)


def test_likelihood_is_that_of_track(scenario: Scenario, record: Record) -> None:
    solution, exact = likelihood(scenario, [record])
    track = detente.track(solution, record)
    assert exact.logs[0, 0] == pytest.approx(track.log_likelihood, abs=1e-11)


def test_gradient_is_that_of_differences(scenario: Scenario, record: Record) -> None:
    check_gradient(scenario, [record])


@pytest.mark.slow
def test_what_was_drawn_is_found_again_with_a_prior_and_a_profile(
    scenario: Scenario, tmp_path: Path
) -> None:
    game = detente.compile_game(scenario)
    solution = detente.solve(game, detente.SolveOptions(5), coarse=False, regret=False)
    table = detente.sample(solution, draws=10, rng=np.random.default_rng(3), periods=6)
    lines = ["unit,date,actor,move"]
    for unit, rows in table[(table["t"] > 0) & (table["actor"] != "")].groupby("draw"):
        lines += [f"u{unit},{m.t},{m.actor},{m.action}" for m in rows.itertuples()]
    file = tmp_path / "records.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    quick = detente.SolveOptions(5, threads=1)
    asked = detente.FitOptions(free=("effort",), solving=quick, checkpoint=tmp_path / "kept.json")
    found = detente.fit(scenario, file, asked)
    assert found.status.name == "CONVERGED"
    row = found.table.set_index("parameter").loc["effort"]
    assert abs(row["estimate"] - 0.3) < 3 * row["se"] < 0.5
    again = detente.fit(scenario, file, detente.FitOptions(("effort",), "ranges", solving=quick))
    # The prior is wide beside what the records say.
    assert again.values["effort"] == pytest.approx(found.values["effort"], abs=row["se"])


def test_counts_and_what_belongs_to_them_are_refused_beside_records(
    scenario: Scenario, record: Record
) -> None:
    with pytest.raises(ScenarioError, match="not fitted together"):
        detente.fit(scenario, record, counts="counts.csv")
    with pytest.raises(ScenarioError, match="looked for in counts"):
        detente.fit(scenario, record, detente.FitOptions(branch="near-data"))
