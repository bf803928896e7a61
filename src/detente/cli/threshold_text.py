"""Thresholds for people, and the same for programs."""

from __future__ import annotations

import math
from typing import Any

from detente.analysis import threshold_wording as wording
from detente.analysis.threshold_result import Threshold, ThresholdMap
from detente.cli import console

MOST, LEAST = 62, 20
"""Columns for the terminal's curve and the two names left of it; and for the curve at least."""


def print_curve(found: Threshold) -> None:
    _print_question(found)
    if found.crossings:
        for one in found.crossings:
            sentence = wording.crossing(found, one)
            console.print_text(f"{sentence[0].upper()}{sentence[1:]}.", indent=2)
        rest = wording.rest(found)
    else:
        rest = found.verdict
    console.print_text(rest, indent=2)
    if not len(found.curve):
        return
    console.print_heading("The curve")
    _print_rows(found)
    about = {
        name: parameter.about
        for parameter in found.scenario.parameters.values()
        for name in parameter.names()
    }
    for k, one in enumerate(found.crossings):
        moves = found.moves[found.moves["crossing"] == k].head(5)
        if not len(moves):
            continue
        console.print_heading(f"What moves the crossing at {wording.known(one.value, one.error)}")
        rows = [
            [
                r.parameter,
                f"{r.value:g}",
                f"{r.derivative:+.3g}",
                "" if math.isnan(r.swing) else f"{r.swing:+.3g}",
                about[r.parameter],
            ]
            for r in moves.itertuples()
        ]
        console.print_table(["assumption", "value", "for each 1", "x range", ""], rows, numbers=1,
                            text=4)  # fmt: skip


def _print_question(found: Threshold | ThresholdMap) -> None:
    console.print_text(found.scenario.title)
    console.print_changed(found.scenario.changed)
    about = f"{found.about[0].upper()}{found.about[1:]}"
    console.print_heading(f"{about}: where is it {wording.crossed(found)}?")


def _print_rows(found: Threshold) -> None:
    """A row for each value: the number, and a dot on a scale with the level marked."""
    table, jumps = found.curve, {v for c in found.crossings if c.jump for v in (c.low, c.high)}
    if found.crossings:  # values on the way to a crossing would only crowd it
        table = table[table["error"].notna() | table["value"].isin(jumps)]
    low = min(float(table["number"].min()), found.at)
    high = max(float(table["number"].max()), found.at)
    crossed = {one.value for one in found.crossings}

    # As wide as the columns beside it leave, so that no line is folded.
    width = max(MOST - len(found.parameter) - len(wording.label(found)), LEAST)

    def place(number: float) -> int:
        return round((number - low) / ((high - low) or 1.0) * (width - 1))

    rows = []
    for r in table.itertuples():
        line = [" "] * width
        line[place(found.at)] = "|"
        line[place(r.number)] = "o"
        mark = "crossing" if r.value in crossed else "now" if r.value == found.present else ""
        known = not math.isnan(r.error)
        number = f"{100 * r.number:.2f} %" if found.kind == "probability" else f"{r.number:.4g}"
        error = f"{100 * r.error:.2g} %" if found.kind == "probability" else f"{r.error:.2g}"
        slope = "" if math.isnan(r.derivative) else f"{r.derivative:+.3g}"
        row = [f"{r.value:.5g}", number, error if known else "", slope, "".join(line), mark]
        rows.append(row if r.solved else [*row[:-1], "not solved"])
    ends = [f"{100 * n:.3g} %" if found.kind == "probability" else f"{n:.3g}" for n in (low, high)]
    scale = f"{ends[0]}{' ' * max(width - len(ends[0]) - len(ends[1]), 1)}{ends[1]}"
    header = [found.parameter, wording.label(found), "error", "slope", scale, ""]
    if not (table["derivative"].notna()).any():
        rows, header = [row[:3] + row[4:] for row in rows], header[:3] + header[4:]
    console.print_table(header, rows, numbers=0, text=len(header) - 2)


def print_map(found: ThresholdMap) -> None:
    _print_question(found)
    console.print_text(found.verdict, indent=2)
    if not len(found.map):
        return
    console.print_heading(
        f"The map: {found.parameters[0]} from left to right, {found.parameters[1]} upwards; "
        "[ ] at least the level, ~ cannot be told"
    )
    scale, digits = (100.0, 0) if found.kind == "probability" else (1.0, 2)
    x, y, numbers = found.grid()
    errors = found.map.pivot(index="second", columns="first", values="error").to_numpy()
    rows = []
    for b in range(len(y) - 1, -1, -1):
        row = [f"{y[b]:.4g}"]
        for number, error in zip(numbers[b], errors[b], strict=True):
            text = "" if math.isnan(number) else f"{scale * number:.{digits}f}"
            if text and abs(number - found.at) <= error:
                text = f"~{text}~"
            elif text and number >= found.at:
                text = f"[{text}]"
            row.append(text if text[-1:] in ("~", "]") else f"{text} ")
        rows.append(row)
    console.print_table(["", *(f"{value:.4g}" for value in x)], rows, numbers=0)


def threshold_data(found: Threshold | ThresholdMap) -> dict[str, Any]:
    """Everything, ready for JSON."""
    scenario = found.scenario
    common: dict[str, Any] = {
        "scenario": scenario.name,
        "sha256": scenario.sha256,
        "overrides": dict(scenario.overrides),
        "options": dict(scenario.options),
        "about": found.about,
        "kind": found.kind,
        "at": found.at,
        "verdict": found.verdict,
        "complete": found.complete,
    }
    if isinstance(found, ThresholdMap):
        return {
            **common,
            "parameters": list(found.parameters),
            "beliefs": found.beliefs,
            "contours": [line.tolist() for line in found.contours],
            "off": None if math.isnan(found.off) else found.off,
            "map": console.records(found.map),
        }
    crossings = [
        {name: _plain(getattr(one, name)) for name in one.__dataclass_fields__}
        for one in found.crossings
    ]
    return {
        **common,
        "parameter": found.parameter,
        "present": found.present,
        "from": found.low,
        "to": found.high,
        "spacing": found.spacing,
        "crossings": crossings,
        "curve": console.records(found.curve),
        "moves": console.records(found.moves),
    }


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
