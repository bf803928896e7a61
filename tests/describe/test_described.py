"""What is described holds together: tables are as wide as their headers, data leave easily."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

import detente
from detente import SolveOptions
from detente.analysis.query import Query
from detente.describe.blocks import Block, Described, Details, Section, text
from detente.describe.charts import Pictures
from detente.describe.comparison import describe_comparison
from detente.describe.forecast import describe_forecast
from detente.describe.scenario import describe_scenario
from detente.describe.sensitivity import describe_sensitivity
from detente.describe.tables import Table
from detente.describe.terms import describe_announcement, describe_credibility
from detente.describe.threshold import describe_threshold
from detente.describe.track import describe_track
from detente.render.data import tables, to_csv, to_json
from tests.report.conftest import EVERYTHING, RECORD

QUICK = SolveOptions(beliefs=5, threads=1)


def described() -> Iterator[tuple[str, Described]]:
    """Each kind of result, of the scenario of everything."""
    scenario = detente.loads(EVERYTHING)
    yield "scenario", describe_scenario(scenario)
    solution = detente.solve(detente.compile_game(scenario), QUICK)
    yield "forecast", describe_forecast(detente.forecast(solution))
    credibility = detente.credibility(scenario, "trust", QUICK)
    yield "credibility", describe_credibility(credibility)
    comparison = detente.compare(scenario, None, QUICK)
    yield "comparison", describe_comparison(comparison, {"trust": credibility})
    ranking = detente.sensitivity(solution, Query(outcome="sunny"))
    yield "sensitivity", describe_sensitivity(ranking, 3)
    announcement = detente.announce(scenario, None, QUICK, who="A")
    yield "announcement", describe_announcement(announcement)
    record = detente.parse_record(RECORD, scenario)
    yield "track", describe_track(None, detente.track(solution, record))
    crossing = detente.threshold(scenario, "luck", Query(outcome="sunny"), QUICK, at=0.9, points=4)
    yield "threshold", describe_threshold(crossing)


ALL = dict(described())


def flat(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        yield from flat(block.blocks) if isinstance(block, Details) else ()


@pytest.mark.parametrize("name", ALL)
def test_tables_are_as_wide_as_their_headers(name: str) -> None:
    result = ALL[name]
    assert result.title
    assert result.unsolved == ()
    found = 0
    for section in result.sections:
        assert section.blocks, section.title
        for block in flat(section.blocks):
            within = block.tables if isinstance(block, Pictures) else (block,)
            for table in within:
                if isinstance(table, Table):
                    found += 1
                    assert table.rows, section.title
                    assert {len(row) for row in table.rows} == {len(table.header)}
                    assert set(table.numbers) <= set(range(len(table.header)))
    assert found


@pytest.mark.parametrize("name", ALL)
def test_charts_say_what_they_show(name: str) -> None:
    for pictures in ALL[name].pictures():
        for picture in pictures.items:
            assert picture.chart.title
            assert len(picture.chart.description) > 10
            assert "nan" not in picture.chart.description


@pytest.mark.parametrize("name", ALL)
def test_data_leave_easily(name: str) -> None:
    result = ALL[name]
    data = json.loads(to_json(result.data))
    assert set(data) == set(result.data)
    names = [key for key, _ in tables(result.data)]
    assert len(set(names)) == len(names) > 0
    for _, table in tables(result.data):
        assert "\n" in to_csv(table)


def test_sections_can_be_added() -> None:
    more = Section("noise", "What noise does", (text("Nothing."),))
    result = ALL["forecast"].plus(more, noise={"none": True})
    assert result.sections[-1] is more
    assert result.data["noise"] == {"none": True}
    assert "noise" not in ALL["forecast"].data
