"""What decides an answer over all ranges at once: assumptions, corners, draws where it turns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from detente.describe.blocks import Block, Heading, Points, Section, text
from detente.describe.charts import Bars, Picture, Pictures
from detente.describe.tables import Row, Table, code
from detente.describe.words import Point, attributes, clause, meanings
from detente.ensembles.explore.decision_boundary import DecisionBoundary
from detente.ensembles.explore.discovery import Discovery
from detente.ensembles.explore.explore import Exploration
from detente.ensembles.explore.influence import Influence
from detente.ensembles.explore.metrics import PROBABILITY
from detente.ensembles.explore.question import Question
from detente.numbers import count, explains, percent, signed, with_interval
from detente.scenario.model import Scenario
from detente.scenario.policies import quoted
from detente.text import sentence

DRAWN = 8
"""Assumptions of which bars are drawn."""

TURNING, LEAST = 2.0, 0.05
"""Share of the variance, in squares of the rank correlation and in all, from which on an effect is
said to turn or bend: one that goes straight explains about the square."""

PAWN = (
    "PAWN: how far the whole distribution moves with the assumption, from 0 to 1. Rank: the rank "
    "correlation, above zero where more of it makes the answer higher. Unlike derivatives, these "
    "cover whole ranges, with all assumptions moving at once."
)


def decisive(result: Exploration, top: int) -> tuple[Section, ...]:
    """The assumptions that decide, the corners in which it fails, the draws where it turns."""
    scenario = result.manifest.scenario()
    blocks: list[Block] = []
    for influence in result.influences:
        blocks += _influence(influence, scenario, top)
    if any(not influence.note for influence in result.influences):
        blocks.append(text(PAWN))
    blocks += _discoveries(result.discoveries, scenario)
    blocks += _boundary(result.decision_boundary)
    title = "What decides it, over all ranges"
    return (Section("decides", title, tuple(blocks)),) if blocks else ()


def subject(scenario: Scenario, question: Question) -> str:
    """What is explained."""
    number, under = question.metric, quoted(question.policy)
    other = None if question.against is None else quoted(question.against)
    if number.kind == PROBABILITY:
        what = f"how likely it is that {clause(scenario, number.name)}"
        return (
            f"{what}, under {under}"
            if other is None
            else (f"by how much {under} changes {what}, against {other}")
        )
    if other is None:
        return f"what {number.who} expects under {under}"
    return f"whether {number.who} prefers {under} to {other}, and by how much"


def _influence(influence: Influence, scenario: Scenario, top: int) -> Iterator[Block]:
    what = subject(scenario, influence.question)
    yield Heading(sentence(f"what decides {what}").rstrip("."))
    kept = influence.table if influence.note else influence.table[influence.table["counts"]]
    if influence.note or kept.empty:
        yield text(sentence(influence.note or "no assumption stands out from the noise"))
        return
    about = meanings(scenario)
    rows: list[Row] = []
    for r in kept.head(top).itertuples():
        shared = f"shares its effect with {', '.join(r.shares_with)}" if r.shares_with else ""
        turns = "it does not move the answer one way throughout" if _turns(r) else ""
        meaning = "; ".join(filter(None, (about.get(r.quantity, ""), shared, turns)))
        rank = "" if math.isnan(r.direction) else signed(r.direction, 2)
        cells = (explains(r.s1, r.s1_conf), f"{r.pawn:.2f}", rank)
        rows.append((code(r.quantity), *cells, meaning))
    drawn = kept.head(DRAWN)
    chart = Bars(
        f"What decides {what}",
        tuple(drawn["quantity"]),
        tuple(drawn["s1"].clip(lower=0)),
        tuple(explains(r.s1, r.s1_conf) for r in drawn.itertuples()),
        tuple(drawn["s1_conf"]),
        max(influence.s1_floor, 0.0),
    )
    header = ("assumption", "explains", "PAWN", "rank", "meaning")
    picture = Picture(chart, "Share of the variance that it explains by itself")
    caption = "Black: where the share lies with 95 %. Dotted: what noise hardly exceeds."
    yield Pictures((picture,), caption, (Table(header, tuple(rows), range(1, 4)),))
    yield text(" ".join(_noise(influence, len(rows))))


def _turns(row: Any) -> bool:
    """Whether an effect explains far more than one that goes one way would, with that rank."""
    return bool(row.s1 - row.s1_conf > max(TURNING * row.direction**2, LEAST))


def _noise(influence: Influence, listed: int) -> Iterator[str]:
    """From what it was computed, and what is noise."""
    table = influence.table
    kept = table[table["counts"]]
    yield f"From {count(influence.draws, 'draw')}{_aside(influence.left_out)}."
    if kept["shares_with"].map(len).any():
        yield "Where effects are shared, the shares of variance overlap."
    else:
        total = min(float(kept["s1"].clip(lower=0).sum()), 1.0)
        yield f"One by one, these explain {percent(total)} of the variance."
    if len(kept) > listed:
        yield f"{len(kept) - listed} more count."
    if noise := len(table) - len(kept):
        them = f"{noise} of {len(table)} quantities are" if noise > 1 else "One quantity is"
        yield (
            f"{them} within the noise: one without any meaning may explain up to "
            f"{100 * max(influence.s1_floor, 0):.1f} % and have a PAWN of up to "
            f"{influence.pawn_floor:.2f}."
        )


def _discoveries(discoveries: tuple[Discovery, ...], scenario: Scenario) -> Iterator[Block]:
    """Where it fails: corners of the ranges, in words."""
    about = meanings(scenario)
    points: list[Point] = []
    for one in discoveries:
        draws = f"{count(one.draws, 'draw')}{_aside(one.left_out)}"
        lines = [f"So it is in {percent(one.base)} of {draws}."]
        if one.note:
            lines.append(sentence(one.note))
        which = "in which it is so" if one.rarer == "fail" else "in which it is not so"
        for k, box in enumerate(one.boxes):
            coverage = with_interval(box.coverage, *box.coverage_interval)
            density = with_interval(box.density, *box.density_interval)
            lines.append(
                f"{'Also where' if k else 'Where'} {box}: {coverage} of the draws {which} are "
                f"there; {density} of the draws there are such."
            )
        named = {c.quantity: about.get(c.quantity, "") for box in one.boxes for c in box.conditions}
        meant = [f"{name}: {words}" for name, words in named.items() if words and words != name]
        if meant:
            lines.append(f"What these are: {'; '.join(meant)}.")
        points.append((f"Where {one.about}", tuple(lines)))
    if points:
        yield Heading("Where it fails")
        yield Points(tuple(points))
    if counted := max((one.counted for one in discoveries if one.boxes), default=0):
        yield text(
            "Conditions were looked for in half of the draws and counted in the other "
            f"{counted:,}; in parentheses, where the shares lie with 95 %."
        )


def _boundary(boundary: DecisionBoundary | None) -> Iterator[Block]:
    if boundary is None or boundary.table.empty:
        return
    rows: list[Row] = []
    for draw, mine in boundary.table.groupby("draw", sort=False):
        far = (
            f"{r.quantity} {r.value:.3g} ({percent(r.percentile)})"
            for r in mine.itertuples()
            if r.quantity
        )
        rows.append((str(draw), f"{mine['distance'].iloc[0]:+.2g}", ", ".join(far)))
    turned = f"{percent(boundary.turned)} of the draws are on its lower side."
    if boundary.turned in (0, 1):
        turned = "in no draw does it turn, these come nearest."
    yield Heading(f"The draws nearest to where {boundary.about}")
    yield Table(("draw", "distance", "furthest from the middle"), tuple(rows), range(2))
    yield text(
        f"Distance in {boundary.unit}; {turned} In parentheses: the share of draws with a smaller "
        "value."
    )


def _aside(left_out: int) -> str:
    return f" ({left_out:,} left out)" if left_out else ""


def decisive_data(result: Exploration) -> dict[str, Any]:
    """The same for programs."""
    boundary = result.decision_boundary
    return {
        "influences": [
            {
                **attributes(one.question, "about policy against"),
                "metric": one.question.metric.name,
                **attributes(one, "draws left_out s1_floor pawn_floor note"),
                "quantities": one.table,
            }
            for one in result.influences
        ],
        "discoveries": [
            {
                **attributes(one, "about policy draws left_out counted note"),
                "fail": one.base,
                "boxes_of": one.rarer,
                "boxes": one.table,
            }
            for one in result.discoveries
        ],
        "decision_boundary": boundary
        and {
            **attributes(boundary, "about unit"),
            "lower_side": boundary.turned,
            "draws": boundary.table,
        },
    }
