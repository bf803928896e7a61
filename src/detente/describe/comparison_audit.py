"""Which differences between policies hold over half to twice the precision, in words and tables."""

from __future__ import annotations

from typing import Any

from detente.analysis.comparison_audit import ComparisonAudit
from detente.describe.blocks import Block, Details, Heading, text
from detente.describe.tables import Row, Table, code
from detente.describe.words import named, who
from detente.numbers import count, points, signed
from detente.scenario.model import Scenario

DEPENDS = "‡"
"""After a difference whose sign depends on the precision or the belief grid."""

HOW = (
    f"{DEPENDS}: on a belief grid half as fine, at half, at once or at twice the precision of "
    "everybody's play, the change has the other sign or is next to nothing."
)


def comparison_audit_data(audit: ComparisonAudit) -> dict[str, Any]:
    """What was found, for programs."""
    return {
        "beliefs": list(audit.points),
        "solved": audit.solved,
        "efficient": audit.efficient,
        **audit.tables,
    }


def which_hold(scenario: Scenario, audit: ComparisonAudit, base: str) -> tuple[Block, ...]:
    """Which differences from the base keep their sign, and what does not follow."""
    outcomes = audit.tables["outcomes"]
    last = list(outcomes.where(t=outcomes["t"].max()).rows()) if len(outcomes) else []
    rows: list[Row] = [
        (named(r["policy"]), code(r["outcome"]), points(r["difference"]), *_verdict(r, 100, 0))
        for r in last
    ]
    payoffs: list[Row] = [
        (
            named(r["policy"]),
            who(scenario, r["actor"], r["type"]),
            signed(r["difference"], 2),
            *_verdict(r, 1, 2),
        )
        for r in audit.tables["payoffs"].rows()
    ]
    said = ""
    if last:
        held, then = (sum(r[name] for r in last) for name in ("holds", "then_holds"))
        said = (
            f"Of {count(len(last), 'change')} by the end, {held} in what comes about at some time "
            f"and {then} in what holds then keep their sign over half to twice the precision."
        )
        if min(held, then) < len(last):
            said += f" The others depend on it ({DEPENDS}) or are too small to tell: no results."
    lost = "" if audit.solved else "Not every one of these games was solved as it should be."
    ends = ("difference", "least and most", "its sign")
    caption = f"Change from {named(base)} in percentage points, by the end"
    tables = (
        Table(("policy", "outcome", *ends), tuple(rows), range(2, 4), caption),
        Table(("policy", "actor (type)", *ends), tuple(payoffs), range(2, 4), "Change of payoffs"),
    )
    return (
        Heading("Which changes hold"),
        text(said, HOW, lost),
        Details("Each difference", tables),
    )


def _verdict(r: dict[str, Any], scale: float, digits: int) -> tuple[str, str]:
    """The band of a difference, and whether its sign holds."""
    low, high = (f"{scale * r[end]:+.{digits}f}" for end in ("low", "high"))
    return f"{low} to {high}", "holds" if r["holds"] else "depends"
