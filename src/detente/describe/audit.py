"""What of a forecast can be defended: noise, the range of precisions, what beliefs are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from detente.analysis.audit import Audit
from detente.analysis.noise import NoiseAudit
from detente.analysis.precision_band import SETTLED, PrecisionBand
from detente.analysis.reputation import HIGH, LOW, Reputation
from detente.describe.blocks import Block, Described, Heading, Section, text
from detente.describe.charts import Picture, Pictures, Stack, Stacks
from detente.describe.tables import Cell, Row, Table, code
from detente.describe.words import (
    changed,
    identity,
    in_force,
    named,
    span,
    together,
    unsolved,
    who,
)
from detente.numbers import count, interval, payoff, percent, points, signed, within
from detente.scenario.model import Scenario
from detente.simulation.table import Table as Data

MOVED = 0.02
"""A share of a first move that beliefs change by less is not listed."""


def describe_audit(result: Audit) -> Described:
    """All of it."""
    solution = result.forecast.solution
    scenario, game = solution.game.scenario, solution.game
    length = span(scenario, result.forecast.periods, forever=game.loop is not None)
    return Described(
        scenario.title,
        (f"{length}; {in_force(game.policy)}", changed(scenario)),
        sections(result),
        {"scenario": identity(scenario, policy=game.policy), **audit_data(result)},
        unsolved({"": solution.status}),
    )


def audit_data(result: Audit) -> dict[str, Any]:
    """What was found, for programs."""
    band, worth = result.band, result.reputation
    precision = None
    if band is not None:
        grid = {"factors": list(band.at), "beliefs": list(band.points), "solved": band.solved}
        precision = {**grid, **band.tables}
    return {
        "noise": {"draws": result.noise.draws, **result.noise.tables},
        "precision": precision,
        "reputation": None if worth is None else dict(worth.tables),
    }


def sections(result: Audit) -> tuple[Section, ...]:
    """One for each question."""
    scenario = result.forecast.solution.game.scenario
    asked = [noise(scenario, result.noise), precision(scenario, result.band)]
    if result.reputation is not None:
        asked.append(beliefs(scenario, result.reputation))
    return tuple(asked)


def summary(result: Audit) -> Section:
    """For each outcome, in one line, how far it can be defended."""
    rows: list[Row] = []
    rests = {r["outcome"]: r for r in result.noise.tables["outcomes"].rows()}
    bands = {}
    if result.band is not None:
        bands = {r["outcome"]: r for r in result.band.tables["outcomes"].rows()}
    for key, r in rests.items():
        other = percent(r["by_other"] / r["happened"]) if r["happened"] else ""
        cells: list[str | Cell] = [code(key), other, percent(r["best_play"])]
        if key in bands:
            band = bands[key]
            cells[1:1] = [interval(band["low"], band["high"])]
        rows.append(tuple(cells))
    header = ["outcome", "by moves that were not best", "best moves alone"]
    said = []
    if bands:
        header[1:1] = ["over half to twice the precision"]
        said.append(
            "Per cent; the band is what the forecast does not exclude as long as the precision of "
            "responses is not estimated."
        )
    said.append(
        "A move is best if its mover expects nothing better. `detente audit` has the whole account."
    )
    table = Table(tuple(header), tuple(rows), range(1, len(header)))
    return Section("audit", "How far it can be defended", (table, text(*said)))


def noise(scenario: Scenario, audit: NoiseAudit) -> Section:
    """What rests on moves that were not their mover's best."""
    rows: list[Row] = []
    stacks = []
    for r in audit.tables["outcomes"].rows():
        parts = (r["by_best"], r["by_other"], r["by_chance"] + r["at_start"])
        happened = r["happened"]
        share = percent(r["by_other"] / happened) if happened else ""
        gap = "" if math.isnan(r["given_up"]) else f"{r['given_up']:.2g}"
        cells = (*(percent(p) for p in (happened, *parts)), share, gap, percent(r["best_play"]))
        rows.append((code(r["outcome"]), *cells))
        stacks.append(Stack(r["outcome"], parts, max(1.0 - happened, 0.0)))
    header = (
        "outcome",
        "in all",
        "by a best move",
        "by another move",
        "by chance",
        "share of others",
        "given up",
        "best moves alone",
    )
    caption = "Probability that it comes about, by the move that brings it about"
    table = Table(header, tuple(rows), range(1, len(header)), caption)
    note = (
        "A best move is one than which its mover expects nothing better at what everybody believes "
        "then; any other is made because responses are not perfectly precise. 'Given up': what the "
        "other moves cost their movers on average, in payoff. 'Best moves alone': the probability "
        "if nobody ever made another move. 'By chance' has what held at the start, too; a chance "
        "event may still have been made likely by moves that were not best."
    )
    error = max((r["error"] for r in audit.tables["outcomes"].rows()), default=0.0)
    drawn = (
        f"From {audit.draws:,} histories drawn with a fixed seed: good to {within(2 * error)} "
        "points or so."
    )
    movers: list[Row] = []
    for r in audit.tables["moves"].rows():
        if r["moves"]:
            gap = "" if math.isnan(r["given_up"]) else f"{r['given_up']:.2g}"
            often = f"{r['moves']:.1f}", percent(r["other"] / r["moves"]), gap
            movers.append((scenario.actors[r["actor"]].name, *often))
    blocks: list[Block] = []
    if rows:
        names = ("by a best move", "by another move", "by chance")
        chart = Stacks("How each outcome comes about", names, tuple(stacks))
        blocks.append(Pictures((Picture(chart),), f"{note} {drawn}", (table,)))
    columns = ("actor", "choices a history", "not its best", "given up by each")
    blocks += [Heading("Whose moves are not best"), Table(columns, tuple(movers), range(1, 4))]
    return Section("noise", "What rests on moves that were not best", tuple(blocks))


def precision(scenario: Scenario, band: PrecisionBand | None) -> Section:
    """The forecast over half to twice the precision."""
    title = "What holds over half to twice the precision"
    if band is None:
        why = "A precision is the limit: there is no half of it, and no twice."
        return Section("precision", title, (text(why),))
    factors = sorted(band.at)
    rows: list[Row] = []
    for r in band.tables["outcomes"].rows():
        key = r["outcome"]
        by_factor = [float(band.at[f].where(outcome=key)["happened"][0]) for f in factors]
        rows.append(
            (
                code(key),
                percent(r["happened"]),
                interval(r["low"], r["high"]),
                percent(r["holds"]),
                interval(r["holds_low"], r["holds_high"]),
                _direction(by_factor),
            )
        )
    header = ("outcome", "comes about", "band", "holds at the end", "band", "with more precision")
    caption = "Probability in per cent, and its least and most over the precisions"
    table = Table(header, tuple(rows), range(1, 5), caption)
    payoffs: list[Row] = [
        (
            scenario.actors[r["actor"]].name,
            r["type"],
            payoff(r["payoff"], 1e-2),
            f"{r['low']:.1f} – {r['high']:.1f}",
        )
        for r in band.tables["payoffs"].rows()
    ]
    grid = " x ".join(map(str, band.points))
    how = f"The differences were computed on a grid of {grid} belief points." if grid else ""
    lost = "" if band.solved else "Not every precision was solved as it should be."
    note = (
        "Nobody's precision is known better than this unless it has been estimated: what the band "
        "does not exclude, the forecast does not exclude."
    )
    values = Table(("actor", "type", "payoff", "band"), tuple(payoffs), range(2, 4))
    return Section("precision", title, (table, values, text(note, how, lost)))


def beliefs(scenario: Scenario, result: Reputation) -> Section:
    """What being believed is worth."""
    rows: list[Row] = [
        (
            who(scenario, r["actor"], r["type"]),
            r["believed"],
            payoff(r["low"], 1e-3),
            payoff(r["high"], 1e-3),
            signed(r["worth"], 2),
        )
        for r in result.tables["payoffs"].rows()
    ]
    header = ("actor (in truth)", "believed to be", f"at {LOW:.0%}", f"at {HIGH:.0%}", "worth")
    caption = "Expected payoff as others believe it of a type with little and with much probability"
    moves: list[Row] = []
    for r in result.tables["moves"].rows():
        if abs(r["high"] - r["low"]) >= MOVED:
            belief = f"{scenario.actors[r['about']].name} is {r['believed']}"
            mover = who(scenario, r["actor"], r["type"])
            shares = percent(r["low"]), percent(r["high"])
            moves.append((belief, mover, r["action"], *shares))
    blocks: list[Block] = [Table(header, tuple(rows), range(2, 5), caption)]
    if moves:
        columns = ("if it is believed that", "first move of", "action", *header[2:4])
        blocks += [Heading("How first moves change"), Table(columns, tuple(moves), range(3, 5))]
    if not result.matters:
        blocks.append(
            text(
                "Nobody gains or loses by what others believe of it, beyond the error of the "
                "solution: in this scenario private types change who acts how, and nobody acts on "
                "a reputation."
            )
        )
    return Section("reputation", "What being believed is worth", tuple(blocks))


def which_hold(scenario: Scenario, tables: Mapping[str, Data], base: str) -> tuple[Block, ...]:
    """Which differences between policies keep their sign over precisions and grids."""
    rows: list[Row] = []
    loose: list[str] = []
    for policy, table in tables.items():
        for r in table.rows():
            if not r["holds"] and abs(r["difference"]) > SETTLED:
                loose.append(f"{r['outcome']} under {named(policy)}")
            rows.append(
                (
                    named(policy),
                    code(r["outcome"]),
                    points(r["difference"]),
                    f"{100 * r['low']:+.0f} to {100 * r['high']:+.0f}",
                    "holds" if r["holds"] else "depends on the precision",
                )
            )
    header = ("policy", "outcome", "difference", "band", "its sign")
    caption = f"Change from {named(base)} in percentage points, over half to twice the precision"
    said = "Every difference keeps its sign over half to twice the precision."
    if loose:
        said = (
            f"Of these comparisons {count(len(loose), 'does', 'do')} not hold over half to twice "
            f"the precision, and say nothing about the policies: {together(loose)}."
        )
    return (
        Heading("Which differences hold"),
        text(said),
        Table(header, tuple(rows), range(2, 4), caption),
    )


def _direction(numbers: list[float]) -> str:
    """Where a probability goes as precision grows."""
    steps = [b - a for a, b in pairwise(numbers)]
    if max(map(abs, steps), default=0.0) < SETTLED:
        return "stays"
    if all(step >= -SETTLED for step in steps):
        return "rises"
    return "falls" if all(step <= SETTLED for step in steps) else "bends"
