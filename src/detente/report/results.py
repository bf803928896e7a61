"""The sections that tell results: outcomes, policies, beliefs, what decides them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from detente.analysis.compare import Comparison
from detente.report.charts import Line, compared, over_time, ranked
from detente.report.data import ReportData, named
from detente.report.numbers import decimals, points_of, share, within
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
from detente.report.words import about_parameters, clause, sentence, who
from detente.simulation.first_moves import first_moves
from detente.simulation.forecast import ANY, overall
from detente.simulation.wording import mark_labels, marks, outcome_error, percent

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What policies are called in charts."""

RANKED = 12
"""Assumptions that are drawn; the table has all."""


def outcomes(data: ReportData) -> Section | None:
    """How likely each outcome is over time."""
    if not data.scenario.outcomes:
        return None
    table = overall(data.game, data.forecast.outcomes)
    labels = _labels(table)
    items = []
    for n, outcome in enumerate(data.scenario.outcomes):
        mine = table[table["outcome"] == outcome]
        value = mine["happened"].to_numpy()
        error = np.nan_to_num(mine["error"].to_numpy())
        low, high = np.clip(value - error, 0, 1), np.clip(value + error, 0, 1)
        line = Line("", tuple(value), tuple(low), tuple(high))
        heading = clause(data.scenario, outcome)
        drawn = over_time(f"o{n}", labels, [line], title=f"Probability that {heading}")
        items.append(Picture(sentence(heading).rstrip("."), drawn))
    times = marks(data.forecast)
    rows: list[tuple[str | Cell, ...]] = []
    for outcome in data.scenario.outcomes:
        mine = table[table["outcome"] == outcome].set_index("t")
        cells = [percent(mine["happened"][t], mine["error"][t]) for t in times]
        worst = mine["error"].max(skipna=False)
        rows.append(
            (Cell(outcome, code=True), clause(data.scenario, outcome), *cells, within(worst))
        )
    header = ("outcome", "what it says", *mark_labels(data.game, times), "error, points")
    numbers = frozenset(range(2, len(header)))
    numbers_table = Table("Probability that it has come about within", header, tuple(rows), numbers)
    error = outcome_error(data.forecast)
    band = (
        f"The band is the error of the computation ({within(error)} points at most), not doubt "
        "about the model."
    )
    if error < 5e-10:
        band = "Nothing is approximated in this game, so there is no band of error."
    caption = f"Probability that it has come about by the end of the period. {band}"
    return Section(
        "outcomes",
        "What happens",
        (
            Pictures(tuple(items), caption, numbers_table),
            *_moves(data),
        ),
    )


def policies(data: ReportData) -> Section | None:
    """The policies side by side."""
    comparison = data.comparison
    if comparison is None:
        return None
    names = list(comparison.forecasts)
    letters = {policy: LETTERS[k % 26] for k, policy in enumerate(names)}
    about = []
    for policy in names:
        text = data.scenario.policies[policy].about if policy else "nobody is bound"
        force = " (in force)" if policy == comparison.base else ""
        lead = f"{letters[policy]} · {named(policy)}{force}"
        about.append((lead, (sentence(text),) if text else ()))
    last = comparison.outcomes[comparison.outcomes["t"] == comparison.outcomes["t"].max()]
    items = []
    for n, outcome in enumerate(data.scenario.outcomes):
        mine = last[last["outcome"] == outcome].set_index("policy")
        present = [p for p in names if p in mine.index]
        drawn = compared(
            f"p{n}",
            [letters[p] for p in present],
            [float(mine["happened"][p]) for p in present],
            [float(np.nan_to_num(mine["error"][p])) for p in present],
            title=f"By policy, the probability that {clause(data.scenario, outcome)}",
        )
        items.append(Picture(sentence(clause(data.scenario, outcome)).rstrip("."), drawn))
    caption = (
        "Probability by the end: the dot and the dotted line are the policy in force, squares the "
        "others. Bars across them, where they can be seen, are the error."
    )
    grid = ""
    if data.points[0] != data.points[1]:
        grid = (
            f"Policies are compared on a belief grid of {data.points[1]} points instead of "
            f"{data.points[0]}, so that a number here may differ a little from the one above."
        )
    blocks: list[Block] = [
        Points(tuple(about)),
        Pictures(tuple(items), f"{caption} {grid}".strip(), _differences(comparison, last)),
        *_preferences(comparison),
    ]
    return Section("policies", "What policies change", tuple(blocks))


def beliefs(data: ReportData) -> Section | None:
    """How beliefs about private types move, in truth of either type."""
    game = data.game
    if not game.informed:
        return None
    actors = list(data.scenario.actors.values())
    table = data.forecast.beliefs
    items = []
    rows = []
    times = marks(data.forecast)
    for i in game.informed:
        actor = actors[i]
        believed_types = actor.types[:1] if len(actor.types) == 2 else actor.types
        lines: dict[str, list[Line]] = {}
        labels: list[str] = []
        for believed, truth in product(believed_types, actor.types):
            given = table[(table["about"] == actor.key) & (table["type"] == believed)]
            for j in game.informed:
                given = given[given[actors[j].key] == (truth if j == i else ANY)]
            labels = _labels(given)
            line = Line(
                f"if {truth}", tuple(given["mean"]), tuple(given["low"]), tuple(given["high"])
            )
            lines.setdefault(believed, []).append(line)
            at = given.set_index("t")
            cells = [
                f"{at['mean'][t]:.0%} ({at['low'][t]:.0%} – {at['high'][t]:.0%})" for t in times
            ]
            start = percent(at["mean"][0])
            rows.append((f"{actor.name} is {believed}", f"it is {truth}", start, *cells))
        for k, (believed, both) in enumerate(lines.items()):
            heading = f"Belief that {actor.name} is {believed}"
            drawn = over_time(f"b{i}-{k}", labels, both, title=heading)
            items.append(Picture(heading, drawn))
    header = ("belief that", "when in truth", "start", *mark_labels(game, times))
    numbers = frozenset(range(2, len(header)))
    caption = (
        "What everybody believes after the moves seen so far. Lines: mean over histories if the "
        "truth is as named at the line's end; bands: one history in ten lies below, one above."
    )
    told = Table("Mean belief (one history in ten below – above)", header, tuple(rows), numbers)
    return Section(
        "beliefs", "What is learned from moves", (Pictures(tuple(items), caption, told),)
    )


def decides(data: ReportData) -> Section | None:
    """The assumptions in order of what their ranges are worth."""
    found = data.sensitivity
    if found is None:
        return None
    about = about_parameters(data.scenario)
    known = found.table.dropna(subset="swing")
    known = known[known["swing"].abs() >= 5e-4]
    drawn = known.head(RANKED)
    blocks: list[Block] = [
        Text(
            (
                f"Looked at: whether {clause(data.scenario, data.question)} "
                f"({share(found.value)}): the most open outcome, if no other was asked for. "
                "Each bar is the derivative times the width "
                "of the assumption's range: what the range is worth if the answer went on as it "
                "does at the present values. Everybody's play answers to the change.",
            )
        )
    ]
    if len(drawn):
        chart = ranked(
            "s0",
            list(drawn["parameter"]),
            [float(s) for s in drawn["swing"]],
            title=f"Assumptions by what their range is worth to {found.about}",
        )
        blocks.append(Pictures((Picture("Worth of the range, in percentage points", chart),)))
    rows = []
    for place, r in enumerate(found.table.itertuples(), start=1):
        ranged = not np.isnan(r.low)
        note = f" ({r.note})" if r.note else ""
        rows.append(
            (
                str(place),
                Cell(r.parameter, code=True),
                f"{about[r.parameter]}{note}",
                f"{r.value:g}",
                f"{r.low:g} to {r.high:g}" if ranged else "",
                f"{r.derivative:+.3g}",
                points_of(r.swing) if ranged else "",
            )
        )
    header = ("rank", "parameter", "what it says", "value", "range", "derivative", "worth")
    numbers = frozenset({0, 3, 4, 5, 6})
    first = Table("", header, tuple(rows[:RANKED]), numbers)
    blocks.append(first)
    if len(rows) > RANKED:
        rest = Table("", header, tuple(rows[RANKED:]), numbers)
        blocks.append(Details(f"The other {len(rows) - RANKED} assumptions", (rest,)))
    return Section("decides", "Which assumptions matter", tuple(blocks))


def _labels(table: pd.DataFrame) -> list[str]:
    return list(table.drop_duplicates("t")["period"])


def _moves(data: ReportData) -> list[Block]:
    """What each actor and type does at its first move."""
    rows = []
    table = first_moves(data.forecast).frame()
    for (actor, kind), mine in table.groupby(["actor", "type"], sort=False):
        shares = mine[mine["share"] > 0].sort_values("share", ascending=False, kind="stable")
        moves = ", ".join(f"{r.action} {share(r.share)}" for r in shares.itertuples())
        name = data.scenario.actors[str(actor)].name
        rows.append((str(mine["period"].iloc[0]), name, str(kind), moves))
    header = ("when", "actor", "type", "actions, most likely first")
    return [Heading("Who does what first"), Table("", header, tuple(rows))] if rows else []


def _differences(comparison: Comparison, last: pd.DataFrame) -> Table:
    """The numbers by policy; the difference from the policy in force where it is beyond error."""
    names = list(comparison.forecasts)
    rows = []
    for outcome in dict.fromkeys(last["outcome"]):
        mine = last[last["outcome"] == outcome].set_index("policy")
        cells: list[str | Cell] = [Cell(str(outcome), code=True)]
        for policy in names:
            if policy not in mine.index:
                cells.append("")
                continue
            r = mine.loc[policy]
            sign = ""
            if policy != comparison.base and bool(r["distinguishable"]):
                sign = " ▲" if r["difference"] > 0 else " ▼"
            text = percent(float(r["happened"]), float(r["error"])) + sign
            cells.append(Cell(text, bar=float(r["happened"])))
        rows.append(tuple(cells))
    header = ("outcome", *(f"{LETTERS[k % 26]} · {named(p)}" for k, p in enumerate(names)))
    caption = "Probability by the end; ▲ and ▼: more and less than under A, beyond the error"
    return Table(caption, header, tuple(rows), frozenset(range(1, len(header))))


def _preferences(comparison: Comparison) -> list[Block]:
    """What each policy is worth to whom."""
    names = list(comparison.forecasts)
    table = comparison.payoffs
    ranks = comparison.preferences.set_index(["actor", "type", "policy"])
    rows = []
    for (actor, kind), mine in table.groupby(["actor", "type"], sort=False):
        at = mine.set_index("policy")
        digits = decimals(mine["error"])
        cells: list[str] = [who(comparison.scenario, str(actor), str(kind))]
        for policy in names:
            best = " ★" if bool(ranks.loc[(actor, kind, policy), "tied"]) else ""
            cells.append(f"{at['payoff'][policy]:.{digits}f}{best}")
        rows.append(tuple(cells))
    header = ("actor", *(f"{LETTERS[k % 26]} · {named(p)}" for k, p in enumerate(names)))
    caption = "Expected payoff; ★: the best for this actor, or not distinguishable from it"
    efficient = ", ".join(f"“{named(p)}”" for p in comparison.efficient)
    return [
        Heading("Who prefers what"),
        Table(caption, header, tuple(rows), frozenset(range(1, len(header)))),
        Text(
            (
                "Payoffs compare policies for one actor; between actors they have no common unit. "
                f"Policies that no other betters for one without harm to another: {efficient}.",
            )
        ),
    ]
