"""Policies side by side: what happens under each, what it is worth, who prefers which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from detente.analysis.compare import Comparison
from detente.analysis.comparison_audit import ComparisonAudit
from detente.analysis.credibility import Credibility
from detente.describe.blocks import Block, Described, Heading, Section, text
from detente.describe.charts import Compared, Picture, Pictures
from detente.describe.comparison_audit import DEPENDS, comparison_audit_data, which_hold
from detente.describe.tables import Cell, Row, Table, code
from detente.describe.terms import credibility_data
from detente.describe.words import attributes, clause, identity, letters, named, unsolved
from detente.numbers import MISSING, decimals, percent
from detente.scenario.policies import policy_name
from detente.simulation.conditions import ANY
from detente.text import capital

SAME = "≈"
"""Beside a number that cannot be told from the base's."""

Judged = Mapping[str, Credibility]
"""By policy, what holds its terms."""


def describe_comparison(
    comparison: Comparison, judged: Judged | None = None, audit: ComparisonAudit | None = None
) -> Described:
    """All of it.

    `judged` has what holds the terms of policies, `audit` which differences from the base hold over
    half to twice the precision, where that was asked for.
    """
    scenario, judged = comparison.scenario, judged or {}
    results = comparison.forecasts.items()
    statuses = {policy_name(policy): result.solution.status for policy, result in results}
    statuses |= {f"the terms of {policy}": one.status for policy, one in judged.items()}
    data = {
        "scenario": identity(scenario),
        "policies": {
            policy: {
                "status": result.solution.status.name,
                "message": result.solution.status.value,
                "beliefs": result.solution.grid.points,
            }
            for policy, result in results
        },
        **attributes(comparison, "base efficient outcomes payoffs first_moves preferences"),
    }
    if judged:
        data["credibility"] = {policy: credibility_data(one) for policy, one in judged.items()}
    if audit is not None:
        data["audit"] = comparison_audit_data(audit)
    sections = (policies(comparison, judged, audit),)
    return Described(scenario.title, (), sections, data, unsolved(statuses))


def policies(
    comparison: Comparison,
    judged: Judged | None = None,
    audit: ComparisonAudit | None = None,
    note: str = "",
) -> Section:
    """The policies and what they change; `note` stands among what is said of their quality."""
    short = letters(comparison.forecasts)
    rows: list[Row] = []
    for policy, letter in short.items():
        about = comparison.scenario.policies[policy].about if policy else ""
        rows.append((letter, named(policy, comparison.base), about))
    blocks: list[Block] = [
        Table(("", "policy", "meaning"), tuple(rows)),
        *_outcomes(comparison, short, audit),
        *_held(comparison, audit),
        *_payoffs(comparison, short, audit),
        *_first_moves(comparison, short),
        *_preferences(comparison, short, audit),
        *_credibility(judged or {}, short),
        Heading("How to read it, and how good it is"),
        text(*_quality(comparison, short), note),
    ]
    return Section("policies", "What policies change", tuple(blocks))


def _held(comparison: Comparison, audit: ComparisonAudit | None) -> tuple[Block, ...]:
    """Which differences hold; nothing where there are none, or that was not asked for."""
    if audit is None or len(comparison.forecasts) < 2:
        return ()
    return which_hold(comparison.scenario, audit, comparison.base)


def _outcomes(
    comparison: Comparison, short: dict[str, str], audit: ComparisonAudit | None
) -> Iterator[Block]:
    table, scenario, base = comparison.outcomes, comparison.scenario, comparison.base
    if table.empty:
        return
    calendar = scenario.calendar
    times = calendar.marks(comparison.forecasts[base].periods)
    tables = []
    for t, label in zip(times, calendar.mark_labels(times), strict=True):
        at = table[table["t"] == t].set_index(["outcome", "policy"])
        rows: list[Row] = []
        for key in scenario.outcomes:
            cells = [code(key)]
            for policy in short:
                r = at.loc[(key, policy)]
                worst = max(r["error"], at["error"][(key, base)])
                moved = "" if policy == base else change(r, 100, 1 if worst < 5e-4 else 0)
                if moved and r["distinguishable"] and audit and not audit.holds(policy, key, t):
                    moved = f"{moved}{DEPENDS}"
                cells.append(Cell(percent(r["happened"], r["error"]) + moved, bar=r["happened"]))
            rows.append(tuple(cells))
        caption = f"Probability that it comes about at some time within {label}"
        tables.append(Table(("outcome", *short.values()), tuple(rows), _after(1, short), caption))
    tables.append(_holding(comparison, at, short, audit))
    items = []
    for key in scenario.outcomes:
        last = at.loc[key].loc[list(short)]
        if not last["distinguishable"].any():
            continue
        about = clause(scenario, key)
        chart = Compared(
            f"By policy, the probability that {about}",
            tuple(short.values()),
            tuple(last["happened"]),
            tuple(np.nan_to_num(last["error"])),
        )
        items.append(Picture(chart, capital(about)))
    called = "; ".join(f"{letter}: {policy_name(policy)}" for policy, letter in short.items())
    caption = (
        f"Probability at some time by the end: the dot and the dotted line are {short[base]}, "
        "squares the others. Bars across them, where they can be seen, are the error of the "
        f"computation. {called}."
    )
    if len(items) < len(scenario.outcomes):
        caption += " What no policy changes by more than the error is in the numbers only."
    yield Heading("What happens under these assumptions")
    yield Pictures(tuple(items), caption, tuple(tables))


def _holding(
    comparison: Comparison, at: pd.DataFrame, short: dict[str, str], audit: ComparisonAudit | None
) -> Table:
    """Whether outcomes hold at the end, from the rows of the last period."""
    scenario, base = comparison.scenario, comparison.base
    last = comparison.forecasts[base].periods
    rows: list[Row] = []
    for key in scenario.outcomes:
        cells = [code(key)]
        for policy in short:
            r = at.loc[(key, policy)]
            worst = max(r["holds_error"], at["holds_error"][(key, base)])
            judged = {name: r[f"holds_{name}"] for name in ("difference", "distinguishable")}
            moved = "" if policy == base else change(judged, 100, 1 if worst < 5e-4 else 0)
            known = moved and judged["distinguishable"]
            if known and audit and not audit.holds(policy, key, last, then=True):
                moved += DEPENDS
            cells.append(Cell(percent(r["holds"], r["holds_error"]) + moved, bar=r["holds"]))
        rows.append(tuple(cells))
    caption = "Probability that it holds at the end"
    return Table(("outcome", *short.values()), tuple(rows), _after(1, short), caption)


def _payoffs(
    comparison: Comparison, short: dict[str, str], audit: ComparisonAudit | None
) -> Iterator[Block]:
    actors = comparison.scenario.actors
    rows: list[Row] = []
    for (actor, kind), mine in comparison.payoffs.groupby(["actor", "type"], sort=False):
        at = mine.set_index("policy").loc[list(short)]
        base = at["error"][comparison.base]
        cells = []
        for policy, r in at.iterrows():
            digits = decimals(max(r["error"], base))
            moved = "" if policy == comparison.base else change(r, 1, digits)
            if moved and r["distinguishable"] and audit:
                signs = audit.tables["payoffs"].where(policy=policy, actor=actor, type=kind)
                moved += "" if signs["holds"].all() else DEPENDS
            cells.append(f"{r['payoff']:.{decimals(r['error'])}f}{moved}")
        rows.append((actors[str(actor)].name, str(kind), *cells))
    yield Heading("What it is worth")
    header = ("actor", "type", *short.values())
    yield Table(header, tuple(rows), _after(2, short), "Expected payoff")


def change(row: Any, scale: float, digits: int) -> str:
    """The difference from the base in parentheses; that it cannot be told from it, by a sign."""
    if not row["distinguishable"]:
        return f" ({SAME})"
    difference, least = scale * row["difference"], 10.0**-digits
    if abs(difference) < 0.5 * least:  # it is distinguishable: no zero
        return f" ({'-' if difference < 0 else '+'}<{least:g})"
    return f" ({difference:+.{digits}f})"


def _first_moves(comparison: Comparison, short: dict[str, str]) -> Iterator[Block]:
    actors, table = comparison.scenario.actors, comparison.first_moves
    rows: list[Row] = []
    for (actor, kind, action), mine in table.groupby(["actor", "type", "action"], sort=False):
        shares = mine.set_index("policy")["share"].reindex(list(short))
        if (shares > 0).any():
            cells = (percent(share) if share > 0 else MISSING for share in shares)
            rows.append((actors[str(actor)].name, str(kind), str(action), *cells))
    if rows:
        header = ("actor", "type", "action", *short.values())
        yield Heading("Who does what first")
        yield Table(header, tuple(rows), _after(3, short))


def _preferences(
    comparison: Comparison, short: dict[str, str], audit: ComparisonAudit | None
) -> Iterator[Block]:
    if len(short) < 2:
        return
    actors = comparison.scenario.actors
    rows: list[Row] = []
    for (actor, kind), mine in comparison.preferences.groupby(["actor", "type"], sort=False):
        best, rest = (
            [short[policy] for policy in mine["policy"][mine["tied"].astype(bool) == tied]]
            for tied in (True, False)
        )
        first = f" {SAME} ".join(best)
        others = audit.contenders(str(actor), str(kind)) if audit else ()
        if others:
            first = f"depends: {' or '.join(short[policy] for policy in others)}"
            rest = [short[policy] for policy in mine["policy"]]
        rows.append((actors[str(actor)].name, str(kind), first, ", ".join(rest)))
    yield Heading("Who prefers which policy")
    yield Table(("actor", "type", "best", "then, in this order"), tuple(rows))
    kept = [p for p in comparison.efficient if audit is None or p in audit.efficient]
    lost = ", ".join(short[p] for p in comparison.efficient if p not in kept)
    efficient = ", ".join(short[p] for p in kept)
    also = f"Efficient or not, depending on the precision: {lost}." if lost else ""
    depends = any(row[2].startswith("depends") for row in rows if isinstance(row[2], str))
    yield text(
        f"Efficient: {efficient}. No other policy gives some actor's type more than these do and "
        "none less."
        if kept
        else "",
        also,
        "Where it depends on the precision which policy is best, the last column has all of them."
        if depends
        else "",
        "The order in the last column is that at the precision given." if audit else "",
    )


def _credibility(judged: Judged, short: dict[str, str]) -> Iterator[Block]:
    rows: list[Row] = []
    for policy, one in judged.items():
        rows += [(short[policy], code(term), v.value) for term, v in one.verdicts.items()]
        last = one.soft[(one.soft["actor"] == ANY) & (one.soft["t"] == one.periods)]
        for r in last.itertuples():
            broken = percent(r.broken, r.error)
            rows.append(
                (short[policy], code(r.term), f"soft: broken with a probability of {broken}")
            )
    if rows:
        yield Heading("Which terms would be kept")
        yield Table(("", "term", "verdict"), tuple(rows))


def _quality(comparison: Comparison, short: dict[str, str]) -> Iterator[str]:
    statuses = {p: result.solution.status for p, result in comparison.forecasts.items()}
    if comparison.solved:
        yield f"All {next(iter(statuses.values())).value}."
    else:
        bad = {p: status for p, status in statuses.items() if status.name != "SOLVED"}
        yield from (f"{short[p]} is {status.value}." for p, status in bad.items())
    yield (
        f"In parentheses: the difference from {short[comparison.base]}, of probabilities in points "
        f"of 100; {SAME} where it is not distinguishable, being smaller than the errors of both "
        "solves together."
    )
    outcome, payoff = (
        float(table["error"].max(skipna=False)) if len(table) else 0.0
        for table in (comparison.outcomes, comparison.payoffs)
    )
    yield (
        f"On this belief grid outcome probabilities are known to {outcome:.1g}, payoffs to "
        f"{payoff:.1g}."
    )
    yield (
        "Payoffs compare policies for one actor's type, never actors with each other. Terms "
        "without a cost are kept by assumption: `detente credibility` tells which would be kept "
        "without it."
    )


def _after(names: int, short: dict[str, str]) -> range:
    """The columns of policies, which come after those of names."""
    return range(names, names + len(short))
