"""Each chart is drawn, the same each time, in the page's colours and in those of files."""

from __future__ import annotations

import math
import re
from typing import get_args

import pytest

from detente.describe import charts
from detente.describe.charts import Picture, Pictures
from detente.pictures.draw import DRAWN, to_file, to_svg

MANY = tuple(k / 11 for k in range(12))
CHARTS: list[charts.Chart] = [
    charts.OverTime("One line", ("start", "1"), (charts.Series("", (0.0, 0.3)),)),
    charts.OverTime(
        "Lines that end together",
        tuple(map(str, range(12))),
        tuple(charts.Series(f"line {k}", MANY, MANY, MANY) for k in range(6)),
        mark=4,
    ),
    charts.Steps("A belief", ("a", "b", "c", "d"), (0.5, 0.5, 0.9, 1.0), ("", "1", "2", "3")),
    charts.Curve(
        *("A curve", "cost (payoff)", MANY, MANY, (math.nan,) * 12, MANY, True, True, 0.5, 0.3),
        ((0.5, 0.6, "rising at 0.55"),),
    ),
    charts.Curve(
        "A jump", "n", (1.0, 2.0), (0.1, 0.9), (0.0, 0.0), (), False, False, 0.5, None, ()
    ),
    charts.Compared("Policies", ("A", "B"), (0.2, 0.4), (0.0, 0.1)),
    charts.Bars("Swings", ("a", "b" * 60), (0.2, -1.4), ("+20 points", "beyond")),
    charts.Bars("Shares", ("a", "b"), (0.2, 0.0), ("20 ± 5 %", "0 ± 3 %"), (0.05, 0.03), 0.1),
    charts.Bars("Bits", ("a",), (2.0,), ("2.0",), marks=(("x", (math.nan,)),), share=False),
    charts.Stacks("Who prefers", ("A", "B"), (charts.Stack("West", (0.5, 0.2), 0.3),)),
    charts.Strips("Draws", (charts.Strip("A", 0.1, 0.2, 0.3, 0.4, 0.5, math.nan, "30 %"),)),
    charts.Strips("Change", (charts.Strip("A", -0.1, 0, 0, 0, 0.1, 0, "more"),), changes=True),
    charts.Intervals(
        "How likely",
        (
            charts.Interval("It comes", 0.3, 0.2, 0.6, "30 %", 0.1),
            charts.Interval(
                "A name that is so long that it takes two lines above its row",
                0.5,
                math.nan,
                math.nan,
                "50 %",
            ),
        ),
        other="at the end",
        directed=True,
        level=0.4,
    ),
    charts.Ladder("Levels", ("high", "low"), (0.25, 0.75), 1),
    charts.Map(
        *("A map", ("x", "y"), (0.0, 1.0), (0.0, 1.0), ((0.1, 0.2), (math.nan, 0.4))),
        *((((0.0, 0.5), (1.0, 0.5)),), True, "30 %", (0.5, 0.5)),
    ),
]


def test_there_is_a_chart_of_each_kind() -> None:
    assert {type(chart) for chart in CHARTS} == set(DRAWN) == set(get_args(charts.Chart))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.title)
def test_a_chart_in_a_page(chart: charts.Chart) -> None:
    drawn = to_svg(chart, "k")
    assert drawn == to_svg(chart, "k")
    assert f">{chart.title}</title>" in drawn
    assert "nan" not in drawn
    assert "font-family" not in drawn
    assert set(re.findall(r' id="([^"]+)"', drawn)) >= {"k-t", "k-d"}
    if not isinstance(chart, charts.Map):  # whose colours are those of no theme
        assert not re.search(r"#[0-9a-fA-F]{6}\b", drawn)


@pytest.mark.parametrize(
    ("form", "begin"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_a_sheet_in_a_file(form: str, begin: bytes) -> None:
    groups = [Pictures(tuple(Picture(chart) for chart in CHARTS), "All of them")]
    sheet = to_file("Everything", groups, form)
    assert sheet.startswith(begin)
    assert sheet == to_file("Everything", groups, form)
    alone = to_file("One", [Pictures((Picture(CHARTS[0], "A heading"),))], form)
    assert len(alone) < len(sheet)
