"""The section on what it would take: values of assumptions at which the answer turns."""

from __future__ import annotations

import numpy as np

from detente.analysis.threshold_result import Threshold
from detente.report.charts import curve
from detente.report.data import EVEN, ReportData
from detente.report.numbers import share, within
from detente.report.parts import Cell, Picture, Pictures, Section, Table, Text
from detente.report.words import about_parameters, clause, sentence


def turning(data: ReportData) -> Section | None:
    """Curves of the question's outcome over the assumptions that matter most."""
    if not data.thresholds:
        return None
    about = about_parameters(data.scenario)
    items = []
    rows: list[tuple[str | Cell, ...]] = []
    for n, found in enumerate(data.thresholds):
        meaning = about.get(found.parameter, "")
        at = [float(v) for v in found.curve["value"]]
        drawn = curve(
            f"k{n}",
            at,
            [float(p) for p in found.curve["number"]],
            now=found.present,
            crossings=[c.value for c in found.crossings],
            level=found.at,
            title=f"Probability that {clause(data.scenario, data.question)}, by {found.parameter}",
        )
        items.append(Picture(found.parameter, drawn, meaning))
        worst = float(np.max(np.nan_to_num(found.curve["error"].to_numpy())))
        rows += [
            (
                Cell(found.parameter, code=True),
                f"{r.value:.4g}",
                share(float(r.number)),
                within(worst),
            )
            for r in found.curve.itertuples()
        ]
    grid = ""
    if data.game.informed and data.turning_points != data.points[0]:
        grid = (
            f" It was looked for on a coarse grid of {data.turning_points} belief points and at "
            "few values; the command “detente threshold” does it with care."
        )
    header = ("parameter", "value", "probability", "error, points")
    asked = clause(data.scenario, data.question)
    return Section(
        "turning",
        "What it would take",
        (
            Text(
                (
                    f"Where the odds that {asked} become even ({share(EVEN)}), if one assumption "
                    f"alone moves through its range.{grid}",
                )
            ),
            Pictures(
                tuple(items),
                "Dashed: the value taken. Solid upright: where it turns.",
                Table("", header, tuple(rows), frozenset({1, 2, 3})),
            ),
            Text(tuple(sentence(found.verdict) for found in data.thresholds)),
        ),
    )


def takes(data: ReportData) -> tuple[str, ...]:
    """For the answer: where each of them turns, in short sentences."""
    about = about_parameters(data.scenario)
    return tuple(sentence(f"{about[t.parameter]}: {_short(t)}") for t in data.thresholds)


def _short(found: Threshold) -> str:
    present = "" if found.present is None else f" (now {found.present:.3g})"
    if not found.crossings:
        return f"no value from {found.low:.3g} to {found.high:.3g} is enough{present}"
    places = " or ".join(f"{c.value:.2g}" for c in found.crossings)
    return f"{places}{present}"
