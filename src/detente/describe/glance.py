"""The pictures beside a report's answer: how likely, under which policy, what decides, beliefs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from detente.describe import forecast, track
from detente.describe.charts import Interval, Intervals, Picture, Pictures
from detente.describe.comparison import change
from detente.describe.comparison_audit import DEPENDS
from detente.describe.sensitivity import PROBABILITY, ends_of
from detente.describe.words import clause, meanings, named, spoken
from detente.numbers import percent
from detente.report.data import ReportData
from detente.simulation.forecast import marginal
from detente.text import capital

OUTCOMES, DECISIVE = 12, 6
"""Outcomes and assumptions that are drawn; the sections have all of them."""

POLICIES = 2
"""Outcomes drawn by policy: the question, and the one that policies change most for sure."""

BELIEFS = 2
"""Beliefs that are drawn."""


def glance(data: ReportData) -> Pictures:
    """The pictures beside the answer, and what is to be known to read them."""
    items = (*_outcomes(data), *_by_policy(data), *_decisive(data), *_beliefs(data))
    return Pictures(items)


def _outcomes(data: ReportData) -> Iterator[Picture]:
    """Every outcome at some time and at the end, over the precisions; or given the record."""
    if data.track is None:
        table = marginal(data.game, data.forecast.outcomes)
        last = table[table["t"] == data.forecast.periods]
    else:
        last = data.track.outcomes[data.track.outcomes["t"] == data.track.end]
    bands = {}
    if data.track is None and data.audit.band is not None:
        rows = data.audit.band.tables["outcomes"].rows()
        bands = {r["outcome"]: (r["low"], r["high"]) for r in rows}
    last = last.sort_values("happened", ascending=False, kind="stable").head(OUTCOMES)
    intervals = tuple(
        Interval(
            capital(clause(data.scenario, r.outcome)),
            r.happened,
            *bands.get(r.outcome, (math.nan, math.nan)),
            f"{percent(r.happened)} · {percent(r.holds)}",
            r.holds,
        )
        for r in last.itertuples()
    )
    if intervals:
        note = "Dot: at some time. Ring: at the end."
        if bands:
            note += " Line: at some time, over half to twice the precision of play."
        chart = Intervals("How likely each outcome is", intervals, other="at the end")
        heading = "How likely it is" if data.track is None else "How likely it is, given the record"
        yield Picture(chart, heading, note)


def _by_policy(data: ReportData) -> Iterator[Picture]:
    """The question under each policy, and what policies change most that holds."""
    comparison, audited = data.comparison, data.comparison_audit
    if comparison is None:
        return
    table = comparison.outcomes
    table = table[table["t"] == table["t"].max()]
    table = table.assign(
        holds=[
            r.policy == comparison.base
            or audited is None
            or audited.holds(r.policy, r.outcome, r.t)
            for r in table.itertuples()
        ]
    )
    sure = table[table["holds"] & table["distinguishable"].astype(bool)]
    ranked = sure["difference"].abs().sort_values(ascending=False, kind="stable").index
    keys = dict.fromkeys([data.question, *sure["outcome"].loc[ranked]])
    for key in list(keys)[:POLICIES]:
        mine = table[table["outcome"] == key].set_index("policy").loc[list(comparison.forecasts)]
        base = float(mine["happened"].iloc[0])
        intervals = tuple(
            Interval(
                named(str(r.Index), comparison.base),
                r.happened,
                base,
                r.happened,
                _beside(r, comparison.base),
            )
            for r in mine.itertuples()
        )
        about = clause(data.scenario, key)
        chart = Intervals(f"By policy, the probability that {about}", intervals, level=base)
        note = "At some time, and the difference in points from the policy in force."
        if any(row.text.endswith(DEPENDS) for row in intervals):
            note += f" {DEPENDS}: whether there is such a change depends on the precision of play."
        yield Picture(chart, f"By policy: {about}", note)


def _beside(row: Any, base: str) -> str:
    """What stands beside the dot of a policy."""
    text = percent(row.happened)
    if row.Index == base:
        return text
    text += change(row._asdict(), 100, 0)
    return text if row.holds or not row.distinguishable else f"{text}{DEPENDS}"


def _decisive(data: ReportData) -> Iterator[Picture]:
    """The question at both ends of the ranges that matter most."""
    if data.sensitivity is None or data.sensitivity.kind != PROBABILITY:
        return
    about, table = meanings(data.scenario), data.sensitivity.table
    intervals = tuple(
        Interval(
            capital(spoken(about[r.parameter], r.parameter)),
            data.sensitivity.value,
            r.at_low,
            r.at_high,
            ends_of(r, PROBABILITY),
        )
        for r in table[table["worth"].notna()].head(DECISIVE).itertuples()
    )
    if intervals:
        note = (
            "At some time: the dot as things are assumed; the line from the low end of one range, "
            "alone, to its high end (arrow)."
        )
        title = f"What decides whether {clause(data.scenario, data.question)}"
        chart = Intervals(title, intervals, directed=True, level=data.sensitivity.value)
        yield Picture(chart, title, note)


def _beliefs(data: ReportData) -> Iterator[Picture]:
    """How beliefs move: as forecast, or with the record."""
    if data.track is not None:
        yield from track.belief_steps(data.track)
        return
    section = forecast.beliefs(data.forecast)
    for block in section.blocks if section is not None else ():
        if isinstance(block, Pictures):
            note = "Median over histories; in the band eight of ten."
            yield from (picture._replace(note=note) for picture in block.items[:BELIEFS])
