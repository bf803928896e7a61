"""What decides an answer over all ranges at once: the second section of an ensemble of worlds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from detente.ensembles.explore.wording import count, percent
from detente.report.data import ReportData
from detente.report.numbers import share
from detente.report.parts import (
    Block,
    Cell,
    Details,
    Heading,
    Picture,
    Pictures,
    Points,
    Section,
    Table,
    Text,
)
from detente.report.words import Point, sentence
from detente.report.world_charts import explained
from detente.report.world_words import abouts, asked, explains, interval, quoted
from detente.report.worlds import Worlds

if TYPE_CHECKING:
    from detente.ensembles.explore.influence import Influence

DRAWN = 8
"""Assumptions of which bars are drawn."""

TOLD = 16
"""Assumptions that stand in the table."""


def decided(data: ReportData, told: Worlds) -> Section | None:
    """The assumptions that decide, the corners in which it fails, the worlds where it turns."""
    blocks = [*_influences(data, told), *_discoveries(data, told), *_tipping(told)]
    if not blocks:
        return None
    return Section("world-decides", "What decides it, over all ranges", tuple(blocks))


def _influences(data: ReportData, told: Worlds) -> list[Block]:
    about = abouts(data.scenario)
    blocks: list[Block] = []
    for n, one in enumerate(told.exploration.influences):
        what = asked(data.scenario, one.question)
        blocks.append(Heading(sentence(what).rstrip(".")))
        kept = one.table[one.table["counts"]] if not one.note else one.table
        if one.note or kept.empty:
            note = one.note or "no assumption stands out from the noise"
            blocks.append(Text((sentence(note),)))
            continue
        top = kept.head(DRAWN)
        drawn = explained(
            f"decide{n}",
            list(top["quantity"]),
            [float(v) for v in top["s1"]],
            [float(v) for v in top["s1_conf"]],
            [explains(r.s1, r.s1_conf) for r in top.itertuples()],
            one.s1_floor,
            title=f"What decides {what}",
        )
        rows: list[tuple[str | Cell, ...]] = [
            (
                Cell(r.quantity, code=True),
                about.get(r.quantity, ""),
                explains(r.s1, r.s1_conf),
                f"{r.pawn:.2f}",
                "" if math.isnan(r.direction) else f"{r.direction:+.2f}",
                ", ".join(r.shares_with),
            )
            for r in kept.head(TOLD).itertuples()
        ]
        header = (
            "assumption",
            "what it says",
            "explains",
            "PAWN",
            "rank",
            "shares its effect with",
        )
        blocks += [
            Pictures(
                (Picture("Share of the variance explained by itself", drawn),), _noise(one, kept)
            ),
            Table("", header, tuple(rows), frozenset({2, 3, 4})),
        ]
    if any(not one.note for one in told.exploration.influences):
        blocks.append(
            Text(
                (
                    "PAWN: how far the whole distribution moves with the assumption, from 0 to 1. "
                    "Rank: the rank correlation, above zero where more of it makes the answer "
                    "higher. Unlike the derivatives of the page, these cover whole ranges, with "
                    "all assumptions moving at once.",
                )
            )
        )
    return blocks


def _noise(one: Influence, kept: pd.DataFrame) -> str:
    table, floor = one.table, one.s1_floor
    aside = f" ({one.left_out:,} left out)" if one.left_out else ""
    return (
        f"From {count(one.draws, 'world')}{aside}. "
        "Black: where the share lies with 95 %. "
        f"Dotted: what an assumption without meaning hardly exceeds ({share(max(floor, 0.0))}); "
        f"{len(kept)} of {len(table)} are beyond it, or beyond that of PAWN."
    )


def _discoveries(data: ReportData, told: Worlds) -> list[Block]:
    """Where it fails: corners of the ranges, in words."""
    about = abouts(data.scenario)
    points: list[Point] = []
    for one in told.exploration.discoveries:
        lead = sentence(quoted(one.about, told.record.policies)).rstrip(".")
        aside = f" ({one.left_out:,} not solved)" if one.left_out else ""
        lines = [f"So it is in {percent(one.base)} of {count(one.draws, 'world')}{aside}."]
        if one.note:
            lines.append(sentence(one.note))
        which = "in which it is so" if one.rarer == "fail" else "in which it is not so"
        for k, box in enumerate(one.boxes):
            lines.append(
                f"{'Also where' if k else 'Where'} {box}: {percent(box.coverage)} "
                f"({interval(*box.coverage_interval)}) of the worlds {which} are there; "
                f"{percent(box.density)} ({interval(*box.density_interval)}) of the worlds there "
                "are such."
            )
        said = {c.quantity: about.get(c.quantity, "") for box in one.boxes for c in box.conditions}
        meant = [f"{name}: {text}" for name, text in said.items() if text and text != name]
        if meant:
            lines.append(f"What these are: {'; '.join(meant)}.")
        points.append((lead, tuple(lines)))
    if not points:
        return []
    how = (
        "Conditions were looked for in half of the worlds and counted in the other half; in "
        "parentheses, where the shares lie with 95 %.",
    )
    tells = any(one.boxes for one in told.exploration.discoveries)
    return [Heading("Where"), Points(tuple(points)), *([Text(how)] if tells else [])]


def _tipping(told: Worlds) -> list[Block]:
    one = told.exploration.decision_boundary
    if one is None or one.table.empty:
        return []
    rows: list[tuple[str | Cell, ...]] = []
    for draw, mine in one.table.groupby("draw", sort=False):
        far = [
            f"{r.quantity} {r.value:.3g} ({percent(r.percentile)})"
            for r in mine.itertuples()
            if r.quantity
        ]
        rows.append((str(draw), f"{mine['distance'].iloc[0]:+.2g}", ", ".join(far)))
    header = ("world", "distance", "assumptions furthest from their middle")
    about = quoted(one.about, told.record.policies)
    text = (
        f"Distance in {one.unit}; {percent(one.turned)} of the worlds are on its lower side. In "
        "parentheses: the share of worlds with a smaller value.",
    )
    table = Table("", header, tuple(rows), frozenset({0, 1}))
    return [Details(f"The worlds nearest to where {about}", (table, Text(text)))]
