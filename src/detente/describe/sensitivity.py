"""Which assumptions an answer hangs on, and whether there are other equilibria."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from detente.analysis.other_equilibria import Search
from detente.analysis.sensitivity import Sensitivity
from detente.describe.blocks import Block, Described, Details, Section, text
from detente.describe.charts import Bars, Picture, Pictures
from detente.describe.tables import Row, Table, code
from detente.describe.words import attributes, changed, meanings, unsolved
from detente.numbers import percent, points, signed, slope
from detente.text import capital, sentence

PROBABILITY = "probability"

DRAWN = 12
"""Assumptions that are drawn at most."""

HOW = (
    "Derivatives are exact for the model as solved, at the present values of all assumptions: "
    "everybody's play answers to the change. Elasticity: per cent for one per cent of the "
    "parameter. x range: the derivative times the width of the range, what the assumption is "
    "worth if the answer went on as it does here; far from here it need not. Where it was solved "
    "at the ends of a range, a shape that bends has a worth that its slope does not promise, and "
    "one that turns has its highest or lowest between the ends."
)


def describe_sensitivity(result: Sensitivity, top: int) -> Described:
    """The assumptions in order of what their ranges are worth, the first `top` of them."""
    game = result.solution.game
    scenario, status = game.scenario, result.solution.status
    # It was solved on one grid: where beliefs are private its error is not known.
    exact = 1.0 if game.informed else 0.0
    value = percent(result.value, exact) if result.kind == PROBABILITY else f"{result.value:.4g}"
    reading = Section("reading", "How to read it", (text(HOW, sentence(status.value)),))
    return Described(
        scenario.title,
        (changed(scenario), f"{capital(result.about)}: {value}"),
        (assumptions(result, top), reading),
        {
            "scenario": scenario.name,
            **attributes(result, "about value"),
            "status": status.name,
            "parameters": result.table,
        },
        unsolved({"": status}),
    )


def assumptions(result: Sensitivity, top: int, *lead: str) -> Section:
    """The assumptions as a chart and as a table; those after the first `top` are folded away."""
    table = result.table
    table = table.assign(drawn=table["worth"].fillna(table["swing"]))
    worth = table[table["drawn"].abs() >= 5e-4].head(DRAWN)
    blocks: list[Block] = [text(*lead)] if lead else []
    if len(worth) and result.kind == PROBABILITY:
        chart = Bars(
            f"Assumptions by what their range is worth to {result.about}",
            tuple(worth["parameter"]),
            tuple(worth["drawn"]),
            tuple(points(value) for value in worth["drawn"]),
        )
        blocks.append(Pictures((Picture(chart, "Worth of the range, in percentage points"),)))
    blocks.append(_table(result, table.head(top)))
    left = len(table) - top
    if left > 0:
        blocks.append(
            text(f"{left} more are worth less or have no range; the data have all of them.")
        )
        rest = _table(result, table.iloc[top:])
        blocks.append(Details(f"The other {left} assumptions", (rest,)))
    return Section("assumptions", "Which assumptions matter", tuple(blocks))


def _table(result: Sensitivity, table: pd.DataFrame) -> Table:
    about = meanings(result.solution.game.scenario)
    solved = not result.table["worth"].isna().all()
    rows: list[Row] = []
    for r in table.itertuples():
        known = not math.isnan(r.low)
        ends = (ends_of(r, result.kind), r.shape) if solved else ()
        rows.append(
            (
                code(r.parameter),
                f"{r.value:g}",
                f"{r.low:g} to {r.high:g}" if known else "",
                slope(r.derivative),
                "" if math.isnan(r.elasticity) else signed(r.elasticity, 2),
                slope(r.swing) if known else "",
                *ends,
                about[r.parameter] + (f" ({r.note})" if r.note else ""),
            )
        )
    more = ("at its ends", "shape") if solved else ()
    header = (
        "parameter",
        "value",
        "range",
        "derivative",
        "elasticity",
        "x range",
        *more,
        "meaning",
    )
    return Table(header, tuple(rows), range(1, 6 + solved))


def ends_of(row: Any, kind: str) -> str:
    """The number at both ends of a range, where it was solved there: `41 % to 78 %`."""
    if math.isnan(row.worth):
        return ""
    write = percent if kind == PROBABILITY else "{:.4g}".format
    return f"{write(row.at_low)} to {write(row.at_high)}"


def other_equilibria(search: Search) -> Section:
    """How far outcomes differ between the equilibria that were found."""
    others = len(search.equilibria) - 1
    line = "None was found: every start led to the forecast above"
    if others:
        line = f"{others} found besides the one above (the principal branch)"
    lost = f"; {search.failed} starts led to none" if search.failed else ""
    blocks: list[Block] = [text(f"{line}{lost}. That there are no more is not shown.")]
    if others:
        rows: tuple[Row, ...] = tuple(
            (code(r.outcome), *(percent(p, 0.0) for p in (r.principal, r.low, r.high)))
            for r in search.spread.itertuples()
        )
        blocks.append(Table(("outcome", "above", "lowest", "highest"), rows, range(1, 4)))
    title = f"Other equilibria, looked for from {search.starts} starts"
    return Section("search", title, tuple(blocks))


def search_data(search: Search) -> dict[str, Any]:
    """The same for programs."""
    return attributes(search, "starts failed equilibria outcomes payoffs spread")
