"""Records drawn, and what they were drawn with found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import detente
from detente.describe.recovery import describe_recovery
from detente.errors import ScenarioError
from detente.estimation.recovery import Recovery
from detente.estimation.simulate import Simulator
from detente.estimation.units import Panel, Unit, read_panel
from tests.estimation.conftest import ONE
from tests.estimation.test_fit import QUICK
from tests.simulation.test_track import GAME
from tests.solver.test_hidden_moves import scenario as hiding


def recovered(*free: str, repetitions: int, units: int, **options: object) -> Recovery:
    chosen = detente.FitOptions(free=free, solving=QUICK, **options)  # type: ignore[arg-type]
    return detente.recover(detente.loads(ONE), units, chosen, repetitions=repetitions)


@pytest.mark.slow
def test_one_truth_is_found_again() -> None:
    """Of a binary logit with n choices the standard error is known: 1 / sqrt(n p (1 - p))."""
    recovery = recovered("worth", repetitions=12, units=200)
    row = recovery.table.iloc[0]
    p = 1 / (1 + np.exp(-0.6))
    error = 1 / np.sqrt(200 * p * (1 - p))
    assert row["truth"] == 0.5
    assert row["se"] == pytest.approx(error, rel=0.05)
    assert row["spread"] == pytest.approx(error, rel=0.6)  # three of its standard errors
    assert abs(row["bias"]) < 3 * row["bias_error"]
    assert row["coverage_low"] < row["coverage"] <= 1
    assert np.isnan(row["uniform"])
    assert recovery.ended == {"CONVERGED": 12}
    again = recovered("worth", repetitions=2, units=200)
    assert again.repetitions.equals(recovery.repetitions.head(2))
    assert "12 of 12 fits came to a maximum." in describe_recovery(recovery).lead


def test_records_that_may_be_wrong_are_drawn_so() -> None:
    """Recorded is going with (1 - m) p + m (1 - p); allowing for it, the truth is found again."""
    scenario = detente.loads(ONE)
    blank = read_panel(
        scenario, [detente.parse_record("date,actor,move\n1,chooser,go\n", scenario)]
    )
    panel = Panel(blank.units * 2000, blank.files)
    drawn = Simulator(panel, None, QUICK, miscoded=0.2)(scenario, np.random.default_rng(4))
    went = np.mean([unit.record.entries[0].actions == ("go",) for unit in drawn.units])
    p = 1 / (1 + np.exp(-0.6))
    chance = 0.8 * p + 0.2 * (1 - p)
    assert went == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / 2000))
    recovery = recovered("worth", repetitions=20, units=200, miscoded=0.2)
    row = recovery.table.iloc[0]
    error = np.sqrt(chance * (1 - chance) / 200) / (0.6 * p * (1 - p))
    assert row["se"] == pytest.approx(error, rel=0.1)
    assert abs(row["bias"]) < 3 * row["bias_error"]


@pytest.mark.slow
def test_ranks_of_a_posterior_are_uniform() -> None:
    recovery = recovered("worth", repetitions=8, units=60, prior="ranges")
    row = recovery.table.iloc[0]
    assert recovery.repetitions["truth"].std() > 1
    assert row["uniform"] > 0.01
    assert recovery.repetitions["rank"].between(0, 1).all()
    assert (recovery.repetitions["effective"] > 100).all()
    described = describe_recovery(recovery)
    assert described.data["prior"] == "ranges"
    assert len(described.pictures()) == 1


def test_units_keep_their_covariates_and_are_observed_as_they_were(folder: Path) -> None:
    scenario = detente.load(folder / "one.yaml")
    panel = read_panel(scenario, [folder / "records.csv"], folder / "units.csv")
    some = Panel(panel.units[:3], panel.files)
    drawn = Simulator(some, None, QUICK)(scenario, np.random.default_rng(0))
    assert [unit.covariates for unit in drawn.units] == [unit.covariates for unit in some.units]
    assert [unit.record.last for unit in drawn.units] == [1, 1, 1]


def test_readings_and_silence_are_drawn_too() -> None:
    scenario = detente.loads(GAME)
    text = "date,actor,move\nalways,sender,hold\n2018-03,state,pressure >= 1\n"
    record = detente.parse_record(text, scenario)
    simulator = Simulator(Panel((Unit("a", record),), ("a",)), None, QUICK)
    drawn = simulator(scenario, np.random.default_rng(0)).units[0].record
    assert {entry.actor for entry in drawn.entries} == {"sender", ""}
    readings = [entry for entry in drawn.entries if entry.condition is not None]
    assert [entry.t for entry in readings] == [record.last]
    assert readings[0].condition is not None
    assert readings[0].condition.variables == {"pressure"}
    solution = detente.solve(detente.compile_game(scenario), QUICK)
    assert detente.track(solution, drawn).log_likelihood < 0


def test_what_was_drawn_in_secret_is_found_again() -> None:
    """Of a hidden programme the records have looks, and what inspections found, and no more."""
    scenario = hiding()
    text = "date,actor,move\n1,North,hold\n1,US,wait\n1,state,found == yes\n2,state,found == yes\n"
    record = detente.parse_record(text, scenario)
    panel = Panel(tuple(Unit(str(k), record) for k in range(100)), ("a",))
    drawn = Simulator(panel, None, QUICK)(scenario, np.random.default_rng(2))
    moves = {entry.actions for unit in drawn.units for entry in unit.record.entries}
    assert ("build", "hold") in moves
    assert not any(actions == ("build",) for actions in moves)
    free = {"in_secret": 0.6}
    fit = detente.fit(
        scenario.with_values(free),
        [replace(unit.record, file=unit.name) for unit in drawn.units],
        detente.FitOptions(free=tuple(free), solving=QUICK),
    )
    assert fit.status.name == "CONVERGED"
    for row in fit.table.itertuples():
        truth = scenario.parameters[row.parameter].values[0]
        assert abs(row.estimate - truth) < 3 * row.se < 1


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ScenarioError, match="`x` is not a parameter"):
        recovered("x", repetitions=2, units=3)
    with pytest.raises(ValueError, match="repetitions"):
        recovered("worth", repetitions=1, units=3)
