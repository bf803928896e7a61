"""What is read of the state right after an event of chance, in records of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import detente
from detente.errors import ScenarioError
from detente.estimation.simulate import Simulator
from detente.estimation.units import read_panel
from detente.game.compile import compile_game
from detente.scenario.model import Scenario
from detente.simulation.track import Track
from tests.estimation.test_likelihood import check_gradient, likelihood

TEXT = """\
title: A report that is cleared away before the period ends
calendar: {period: round, horizon: 2}
actors:
  West: {precision: 2}
  North: {types: {idle: 0.6, covert: 0.4}, precision: 2}
state:
  pressure: {levels: 0..2, start: 1, edge: cut}
  report: {levels: [nothing, clean, find], start: nothing}
parameters:
  finds: {value: 0.6, range: [0.1, 0.9], judgement: a test}
turns: [North, {chance: [inspection]}, West, {chance: [upheaval]}CLEARED]
actions:
  North:
    hold: {}
    build: {seen_as: hold, cost: 0.1, becomes: {North: {idle: {covert: 0.5}}}}
  West:
    press: {set: {pressure: +1}, cost: "0.1 if report == find else 0.3"}
    ease: {set: {pressure: -1}}
chance:
  inspection:
    effects:
      - {p: "finds if North == covert else 0.1", set: {report: find}}
      - {p: 0.2, set: {report: clean}}
      - {p: rest, set: {report: nothing}}
  upheaval: {becomes: {North: {covert: {idle: 0.1}}}}
  clearing: {set: {report: nothing}}
payoffs:
  West: {flow: -2 * (North == covert) - 0.2 * pressure}
  North: {flow: 1.2 * (North == covert) - 0.5 * pressure}
outcomes:
  pressed: {when: pressure == 2}
"""
HEAD = "date,actor,move\n"
LINES = "1,North,hold\n1,{0},report == {1}\n1,West,press\n2,{0},report == {2}\n2,West,ease\n"
OPTIONS = detente.SolveOptions(beliefs=17, threads=1)


def scenario(*, cleared: bool) -> Scenario:
    """With the report cleared away at the end of each period, or standing until the next one."""
    text = TEXT.replace("CLEARED", ", {chance: [clearing]}" if cleared else "")
    return detente.loads(
        text if cleared else text.replace("  clearing: {set: {report: nothing}}\n", "")
    )


def tracked(stand_off: Scenario, text: str) -> Track:
    solution = detente.solve(compile_game(stand_off), OPTIONS)
    return detente.track(solution, detente.parse_record(HEAD + text, stand_off))


@pytest.mark.parametrize("reports", [("find", "clean"), ("nothing", "find")])
def test_what_is_cleared_away_tells_as_much(reports: tuple[str, str]) -> None:
    """As a report that stands to the end of the period, and is read there."""
    cleared = tracked(scenario(cleared=True), LINES.format("inspection", *reports))
    standing = tracked(scenario(cleared=False), LINES.format("state", *reports))
    assert set(cleared.moves["kind"]) == {"move", "reading"}
    assert cleared.log_likelihood == pytest.approx(standing.log_likelihood, abs=1e-12)
    late = [each.periods.set_index(["t", "about", "type"]) for each in (cleared, standing)]
    for column in late[0].select_dtypes("number").columns:  # by the ends of periods
        np.testing.assert_allclose(late[0][column], late[1][column], atol=1e-12)
    reading = cleared.moves[cleared.moves["kind"] == "reading"].iloc[0]
    assert (reading["actor"], reading["t"]) == ("inspection", 1)
    if reports[0] == "find":
        # Expected at the start as well as the standing one, and lost by the end of the period.
        rows = (each.moves[each.moves["kind"] == "reading"] for each in (cleared, standing))
        expected = [table["prior_only"].iloc[0] for table in rows]
        assert expected[0] == pytest.approx(expected[1], abs=1e-12)
        with pytest.raises(ScenarioError, match="the model holds"):
            tracked(scenario(cleared=True), LINES.format("state", *reports))


def test_always() -> None:
    dated = "1,inspection,report != find\n2,inspection,report != find\n2,West,ease\n"
    always = "always,inspection,report != find\n2,West,ease\n"
    each = [tracked(scenario(cleared=True), text).log_likelihood for text in (dated, always)]
    assert each[0] == pytest.approx(each[1], abs=1e-13)
    assert each[0] < tracked(scenario(cleared=True), "2,West,ease\n").log_likelihood


def test_a_fit_reads_what_a_track_does() -> None:
    stand_off = scenario(cleared=True)
    record = detente.parse_record(HEAD + LINES.format("inspection", "find", "clean"), stand_off)
    solution, exact = likelihood(stand_off, [record])
    track = detente.track(solution, record)
    assert exact.logs[0, 0] == pytest.approx(track.log_likelihood, abs=1e-12)
    check_gradient(stand_off, [record])


def test_records_that_are_drawn_have_it(tmp_path: Path) -> None:
    """In about as many as the forecast has it: 400 draws, three standard errors."""
    stand_off = scenario(cleared=True)
    rows = "".join(
        f"{k},{line}\n"
        for k in range(400)
        for line in LINES.format("inspection", "find", "clean").split("\n")[:-1]
    )
    file = tmp_path / "drawn.csv"
    file.write_text("unit,date,actor,move\n" + rows)
    panel = read_panel(stand_off, [file])
    drawn = Simulator(panel, None, OPTIONS)(stand_off, np.random.default_rng(4))
    told = [
        entry.condition.text
        for unit in drawn.units
        for entry in unit.record.entries
        if entry.event == "inspection" and entry.t == 1 and entry.condition is not None
    ]
    assert len(told) == 400
    found = np.mean(["find" in text for text in told])
    solution = detente.solve(compile_game(scenario(cleared=False)), OPTIONS)
    states = detente.forecast(solution).states
    there = states[(states["t"] == 1) & (states["variable"] == "report")]
    chance = float(
        there[(there["label"] == "find") & (there["North"] == "any")]["probability"].iloc[0]
    )
    assert found == pytest.approx(chance, abs=3 * np.sqrt(chance * (1 - chance) / 400))


def test_an_event_that_does_not_happen_is_told() -> None:
    stand_off = scenario(cleared=False)
    text = TEXT.replace("CLEARED", "").replace("upheaval]}", "upheaval], when: t == 1}")
    text = text.replace("  clearing: {set: {report: nothing}}\n", "")
    rare = detente.loads(text)
    with pytest.raises(ScenarioError, match=r"after upheaval in round 2: .*does not happen"):
        tracked(rare, "2,upheaval,pressure >= 1\n2,West,ease\n")
    with pytest.raises(ScenarioError, match="did you mean `inspection`"):
        detente.parse_record(f"{HEAD}1,inspecton,report == find\n", stand_off)
    with pytest.raises(ScenarioError, match="`find` alone is no number"):
        detente.parse_record(f"{HEAD}1,inspection,pressure == find\n", stand_off)
