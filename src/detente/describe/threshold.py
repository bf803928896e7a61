"""What it would take: where a number crosses a level along a parameter, or over two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from detente.analysis import threshold_wording as wording
from detente.analysis.threshold_result import Threshold, ThresholdMap
from detente.describe.blocks import Block, Described, Section, text
from detente.describe.charts import Curve, Map, Picture, Pictures
from detente.describe.tables import Cell, Row, Table, code
from detente.describe.words import attributes, changed, meanings
from detente.numbers import known, slope
from detente.text import capital, sentence

LISTED = 5
"""Assumptions that move a crossing the most."""


def describe_threshold(result: Threshold | ThresholdMap) -> Described:
    """The answer, the curve or the map that it is read from, and what moves the crossings."""
    scenario = result.scenario
    table = result.map if isinstance(result, ThresholdMap) else result.curve
    failed = int((~table["solved"].astype(bool)).sum())
    question = f"{capital(result.about)}: where is it {wording.crossed(result)}?"
    answer: tuple[str, ...] = (result.verdict,)
    if isinstance(result, Threshold) and result.crossings:
        answer = (
            *(sentence(wording.crossing(result, one)) for one in result.crossings),
            wording.rest(result),
        )
    sections = [Section("threshold", question, (text(*answer),))]
    if len(table) and isinstance(result, Threshold):
        sections += [Section("curve", "The curve", (curves((result,)),)), *_movers(result)]
    elif len(table) and isinstance(result, ThresholdMap):
        sections.append(_map(result))
    return Described(
        title=scenario.title,
        lead=(changed(scenario),),
        sections=tuple(sections),
        data=_data(result),
        unsolved=(f"at {failed} of {len(table)} values",) if failed else (),
    )


def curves(results: Sequence[Threshold]) -> Block:
    """The numbers along the parameters, drawn and as tables."""
    caption = "Dashed: the level. Upright: where it is crossed. Ring: the value taken at present."
    return Pictures(tuple(map(_curve, results)), caption, tuple(map(_rows, results)))


def _curve(result: Threshold) -> Picture:
    table = result.curve
    slopes = tuple(table["derivative"])
    jumps = any(one.jump for one in result.crossings)
    places = []
    for one in result.crossings:
        place = f"at {known(one.value, one.error)}"
        if result.whole:
            place = f"between {one.low:g} and {one.high:g}"
        elif wording.is_wide(result, one):
            place = f"between {one.low:.2g} and {one.high:.2g}"
        kind = "jumps" if one.jump and not result.whole else one.direction
        places.append((one.low, one.high, f"{kind} {place}"))
    chart = Curve(
        title=f"{capital(result.about)}, by {result.parameter}",
        parameter=_axis(result.parameter, result.unit),
        at=tuple(table["value"]),
        values=tuple(table["number"]),
        errors=tuple(table["error"]),
        slopes=() if np.isnan(slopes).any() else slopes,
        smooth=not (result.structural or result.whole or jumps),
        probability=result.kind == "probability",
        level=result.at,
        now=result.present,
        crossings=tuple(places),
    )
    about = meanings(result.scenario)[result.parameter]
    return Picture(chart, f"{wording.label(result)} by {result.parameter}", about)


def _rows(result: Threshold) -> Table:
    """A row for each value: the number, and a dot on a scale with the level marked."""
    table, jumps = result.curve, {v for c in result.crossings if c.jump for v in (c.low, c.high)}
    if result.crossings:  # values on the way to a crossing would only crowd it
        table = table[table["error"].notna() | table["value"].isin(jumps)]
    low = min(float(table["number"].min()), result.at)
    high = max(float(table["number"].max()), result.at)
    width = (high - low) or 1.0
    chance = result.kind == "probability"
    crossed = {one.value for one in result.crossings}
    sloped = bool(table["derivative"].notna().any())
    rows: list[Row] = []
    for r in table.itertuples():
        number, error = (
            (f"{100 * r.number:.2f} %", f"{100 * r.error:.2g} %")
            if chance
            else (f"{r.number:.4g}", f"{r.error:.2g}")
        )
        note = "crossing" if r.value in crossed else "now" if r.value == result.present else ""
        rows.append(
            (
                *(f"{r.value:.5g}", number, "" if math.isnan(r.error) else error),
                *((slope(r.derivative),) if sloped else ()),
                Cell(mark=(r.number - low) / width, level=(result.at - low) / width),
                note if r.solved else "not solved",
            )
        )
    ends = (f"{100 * n:.3g} %" if chance else f"{n:.3g}" for n in (low, high))
    names = (result.parameter, wording.label(result), "error", *(("slope",) if sloped else ()))
    return Table((*names, " to ".join(ends), ""), tuple(rows), range(len(names)))


def _movers(result: Threshold) -> Iterator[Section]:
    """The assumptions that move each crossing the most."""
    about = meanings(result.scenario)
    for k, crossing in enumerate(result.crossings):
        rows = tuple(
            (
                code(r.parameter),
                *(f"{r.value:g}", slope(r.derivative), slope(r.swing)),
                about[r.parameter],
            )
            for r in result.moves[result.moves["crossing"] == k].head(LISTED).itertuples()
        )
        if rows:
            header = ("assumption", "value", "for each 1", "x range", "meaning")
            title = f"What moves the crossing at {known(crossing.value, crossing.error)}"
            yield Section(f"moves-{k}", title, (Table(header, rows, range(1, 4)),))


def short_answer(result: Threshold) -> str:
    """Where it crosses, in a few words."""
    present = "" if result.present is None else f" (now {result.present:.3g})"
    if not result.crossings:
        return f"no value from {result.low:.3g} to {result.high:.3g} is enough{present}"
    return f"{' or '.join(f'{c.value:.2g}' for c in result.crossings)}{present}"


def _map(result: ThresholdMap) -> Section:
    chance = result.kind == "probability"
    scale, digits = (100.0, 0) if chance else (1.0, 2)
    x, y, numbers = result.grid()
    errors = result.map.pivot(index="second", columns="first", values="error").to_numpy()
    rows = []
    for b in range(len(y) - 1, -1, -1):
        row = [f"{y[b]:.4g}"]
        for number, error in zip(numbers[b], errors[b], strict=True):
            cell = "" if math.isnan(number) else f"{scale * number:.{digits}f}"
            if cell and abs(number - result.at) <= error:
                cell = f"~{cell}~"
            elif cell and number >= result.at:
                cell = f"[{cell}]"
            row.append(cell if cell[-1:] in ("~", "]") else f"{cell} ")
        rows.append(tuple(row))
    header = ("", *(f"{value:.4g}" for value in x))
    caption = (
        f"{result.parameters[0]} from left to right, {result.parameters[1]} upwards; "
        "[ ] at least the level, ~ cannot be told"
    )
    chart = Map(
        title=capital(result.about),
        parameters=(
            _axis(result.parameters[0], result.units[0]),
            _axis(result.parameters[1], result.units[1]),
        ),
        first=tuple(x),
        second=tuple(y),
        numbers=tuple(tuple(row) for row in numbers),
        contours=tuple(tuple((float(a), float(b)) for a, b in line) for line in result.contours),
        probability=chance,
        level=wording.crossed(result),
        now=result.present,
    )
    table = Table(header, tuple(rows), range(len(header)), caption)
    lines = f"Lines: where it is {wording.crossed(result)}."
    return Section("map", "The map", (Pictures((Picture(chart),), lines, (table,)),))


def _axis(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _data(result: Threshold | ThresholdMap) -> dict[str, Any]:
    """Everything for programs."""
    scenario = result.scenario
    common: dict[str, Any] = {
        "scenario": scenario.name,
        **attributes(scenario, "sha256 overrides options"),
        **attributes(result, "about kind at verdict complete"),
    }
    if isinstance(result, ThresholdMap):
        contours = [line.tolist() for line in result.contours]
        return {**common, "contours": contours, **attributes(result, "parameters beliefs off map")}
    return {
        **common,
        "from": result.low,
        "to": result.high,
        "crossings": [asdict(crossing) for crossing in result.crossings],
        **attributes(result, "parameter present spacing curve moves"),
    }
