"""What is described holds together: tables are as wide as their headers, data leave easily."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache

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


@cache
def solved() -> detente.Solution:
    """The scenario of everything, solved."""
    return detente.solve(detente.compile_game(detente.loads(EVERYTHING)), QUICK)


def scenario() -> detente.Scenario:
    return solved().game.scenario


@cache
def kept() -> detente.Credibility:
    return detente.credibility(scenario(), "trust", QUICK)


KINDS: dict[str, Callable[[], Described]] = {
    "scenario": lambda: describe_scenario(scenario()),
    "forecast": lambda: describe_forecast(detente.forecast(solved())),
    "no-beliefs": lambda: describe_forecast(detente.forecast(solved(), beliefs=False)),
    "credibility": lambda: describe_credibility(kept()),
    "comparison": lambda: describe_comparison(
        detente.compare(scenario(), None, QUICK), {"trust": kept()}
    ),
    "sensitivity": lambda: describe_sensitivity(
        detente.sensitivity(solved(), Query(outcome="sunny")), 3
    ),
    "announcement": lambda: describe_announcement(
        detente.announce(scenario(), None, QUICK, who="A")
    ),
    "track": lambda: describe_track(
        None, detente.track(solved(), detente.parse_record(RECORD, scenario()))
    ),
    "threshold": lambda: describe_threshold(
        detente.threshold(scenario(), "luck", Query(outcome="sunny"), QUICK, at=0.9, points=4)
    ),
}
"""Each kind of result, of the scenario of everything."""


@cache
def described(name: str) -> Described:
    """Made when a test first asks for it: whoever collects the tests waits for none of them."""
    return KINDS[name]()


def flat(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        yield from flat(block.blocks) if isinstance(block, Details) else ()


@pytest.mark.parametrize("name", KINDS)
def test_tables_are_as_wide_as_their_headers(name: str) -> None:
    result = described(name)
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


@pytest.mark.parametrize("name", KINDS)
def test_charts_say_what_they_show(name: str) -> None:
    for pictures in described(name).pictures():
        for picture in pictures.items:
            assert picture.chart.title
            assert len(picture.chart.description) > 10
            assert "nan" not in picture.chart.description


@pytest.mark.parametrize("name", KINDS)
def test_data_leave_easily(name: str) -> None:
    result = described(name)
    data = json.loads(to_json(result.data))
    assert set(data) == set(result.data)
    names = [key for key, _ in tables(result.data)]
    assert len(set(names)) == len(names) > 0
    for _, table in tables(result.data):
        assert "\n" in to_csv(table)


def test_sections_can_be_added() -> None:
    more = Section("noise", "What noise does", (text("Nothing."),))
    result = described("forecast").plus(more, noise={"none": True})
    assert result.sections[-1] is more
    assert result.data["noise"] == {"none": True}
    assert "noise" not in described("forecast").data
