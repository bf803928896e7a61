"""What the numbers of a scenario say, in words; what is odd first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from detente.analysis import implications as implied
from detente.analysis.implications import Implications, Odds, Rate, Yardstick
from detente.analysis.oddities import by_type
from detente.describe.blocks import Block, Described, Points, Section, text
from detente.describe.tables import Row, Table, code
from detente.describe.words import Point, changed, identity, in_force, who
from detente.numbers import fine_percent
from detente.text import sentence

LEADS = {
    implied.LEVEL: "Each {unit} at",
    implied.END: "At the end",
    implied.MOVE: "Its moves cost at once",
    implied.TERM: "Breaking a term costs it",
    implied.BORNE: "Moves of others bring it at once",
    implied.TOGETHER: "Moves made at the same time bring it together, beside what each does",
    implied.LASTING: "All in all, if nothing happened after its move until the end",
}
"""How what is said of rates of a kind begins."""

KINDS = {
    "sign": "Sign",
    "alike": "Types alike",
    "indifferent": "Nothing at stake",
    "end": "The end",
    "noise": "Noise",
    "sharp": "Precision",
    "rate": "Scale",
    "two-ways": "Two ways",
    "odds": "Odds",
    "reference": "Reference",
}
"""What kinds of oddities are called."""

COSTS = (implied.MOVE, implied.TERM)


def describe_implications(result: Implications) -> Described:
    """What is odd; then, actor by actor, exchange rates; then odds of moves at named states."""
    scenario = result.scenario
    unit = scenario.calendar.unit
    lead = (in_force(result.policy), changed(scenario), "Nothing was solved: what others would "
            "answer is in none of these numbers.")  # fmt: skip
    sections = (
        Section("odd", "Odd", (_odd(result),)),
        Section("rates", f"What is worth how much, in {unit}s of a yardstick", _rates(result)),
        Section("odds", "How often moves are made, by what counts", tuple(_odds(result))),
    )
    return Described(scenario.title, lead, sections, implications_data(result))


def implications_data(result: Implications) -> dict[str, Any]:
    """Everything for programs."""
    yardsticks = [
        {"actor": actor, "type": kind, **y._asdict(), "flow": flow}
        for actor, y in result.yardsticks.items()
        for kind, flow in zip(result.scenario.actors[actor].types or ("",), y.flow, strict=True)
    ]
    tables = {name: getattr(result, name) for name in ("odd", "rates", "odds", "swings")}
    return {
        "scenario": identity(result.scenario, policy=result.policy),
        "yardsticks": yardsticks,
        **{name: [row._asdict() for row in rows] for name, rows in tables.items()},
    }


def _odd(result: Implications) -> Block:
    if not result.odd:
        return text("Nothing, by the thresholds in the documentation.")
    return Points(
        tuple((KINDS[o.code], (sentence(f"{o.message}: {o.reason}"),)) for o in result.odd)
    )


def _rates(result: Implications) -> tuple[Block, ...]:
    items: list[Point] = []
    for key, actor in result.scenario.actors.items():
        mine = [rate for rate in result.rates if rate.actor == key]
        lines = [_counted_in(result, key)]
        for kind, words in LEADS.items():
            parts = list(_parts([rate for rate in mine if rate.kind == kind], kind))
            if parts:
                begin = words.format(unit=result.scenario.calendar.unit)
                lines.append(sentence(f"{begin}: {'; '.join(parts)}"))
        lines += _seldom([row for row in result.odds if row.actor == key], result)
        items.append((actor.name, tuple(lines)))
    return text(_how(result)), Points(tuple(items))


def _how(result: Implications) -> str:
    """How rates are read, with one of them in full."""
    start = ", ".join(f"{v.key} {v.label(v.start)}" for v in result.scenario.variables.values())
    how = (
        f"A + is a gain, a - a loss. Levels are compared with those of the start ({start}), moves "
        "are as they first can be made, with the span over all of play in brackets."
    )
    for rate in result.rates:
        if rate.kind == implied.MOVE and rate.actor in result.yardsticks and rate.periods < 0:
            unit, yardstick = result.scenario.calendar.unit, result.yardsticks[rate.actor]
            name = who(result.scenario, rate.actor, rate.type)
            return (
                f"{how} So to {name} the cost of `{rate.what}` is worth {-rate.periods:.3g} "
                f"{unit}s of {_yardstick(yardstick)}."
            )
    return how


def _counted_in(result: Implications, key: str) -> str:
    """What the rates of an actor are counted in."""
    unit, yardstick = result.scenario.calendar.unit, result.yardsticks.get(key)
    if yardstick is None:
        return f"no variable next to the start moves its {unit}: payoffs stand as they are."
    types = result.scenario.actors[key].types or ("",)
    worth = by_type(zip(types, (f"{flow:+.3g}" for flow in yardstick.flow), strict=True))
    return f"counted in {unit}s of {_yardstick(yardstick)}, each of which is {worth}."


def _yardstick(of: Yardstick) -> str:
    return f"{of.variable} at {of.level} rather than {of.rather}"


def _parts(rates: list[Rate], kind: str) -> Iterator[str]:
    """What each thing is worth, types that agree together."""
    groups: dict[tuple[str, str, str], list[Rate]] = {}
    for rate in rates:
        groups.setdefault((rate.what, rate.level, rate.rather), []).append(rate)
    for (what, level, _), mine in groups.items():
        between = {implied.BORNE: " of ", implied.TOGETHER: " beside "}.get(kind, " ")
        name = between.join(part for part in (what, level) if part)
        yield f"{name} {by_type((r.type, _size(r, kind)) for r in mine)}"


def _size(rate: Rate, kind: str) -> str:
    """A rate in periods, or a payoff where there is no yardstick; with its span over states."""
    sign = -1.0 if kind in COSTS else 1.0
    per = rate.payoff / rate.periods if rate.periods and math.isfinite(rate.periods) else 1.0
    form = ".3g" if kind in COSTS else "+.3g"
    number = f"{sign * rate.payoff / per:{form}}"
    ends = sorted(sign * end / per for end in (rate.least, rate.most))
    if ends[1] - ends[0] > 1e-9 * max(map(abs, ends)):
        number += f" ({ends[0]:.3g} to {ends[1]:.3g})"
    return number


def _seldom(rows: list[Odds], result: Implications) -> Iterator[str]:
    """How much worse a move may be at the start and still be made one time in ten."""
    rows = [row for row in rows if row.at == implied.START]
    slacks = sorted({round(row.slack, 9) for row in rows})
    if not slacks:
        return
    periods = sorted({round(r.slack_periods, 9) for r in rows if not math.isnan(r.slack_periods)})
    few = len({row.action for row in rows})
    less = " to ".join(f"{slack:.2g}" for slack in (slacks[0], slacks[-1])[: len(slacks)])
    line = f"Among its {few} moves at the start one is still made one time in ten if it is worse "
    line += f"than all others, themselves alike, by {less}"
    if periods:
        ends = " to ".join(f"{p:.2g}" for p in (periods[0], periods[-1])[: len(periods)])
        line += f": {ends} {result.scenario.calendar.unit}s of that"
    yield f"{line}."


def _odds(result: Implications) -> Iterator[Block]:
    unit = result.scenario.calendar.unit
    yield text(
        "How often each move is made where one thing counts and nothing else: nothing at all (its "
        f"reference); what it costs at once; that and the flow of a {unit} that ends after it; all "
        "that follows if nothing else happened until the end. At its worst: in the state with the "
        "lowest flow of those in which it has a choice."
    )
    groups: dict[tuple[str, str], list[Odds]] = {}
    for row in result.odds:
        groups.setdefault((row.actor, row.at), []).append(row)
    for (key, at), mine in groups.items():
        actor = result.scenario.actors[key]
        which = ", at its worst" if at == implied.WORST else ""
        known: dict[tuple[tuple[str, ...], ...], list[str]] = {}
        for kind in actor.types or ("",):
            known.setdefault(tuple(_shares(row) for row in mine if row.type == kind), []).append(
                kind
            )
        rows: list[Row] = [
            (" or ".join(kinds) if len(known) > 1 else "", code(action), *shares)
            for table, kinds in known.items()
            for action, *shares in table
        ]
        header = ("type", "action", "nothing", "its cost", f"this {unit}", "to the end")
        yield Table(header, tuple(rows), range(2, 6), f"{actor.name}{which}: {mine[0].state}")


def _shares(row: Odds) -> tuple[str, ...]:
    shares = (row.reference, row.by_cost, row.this_period, row.lasting)
    return row.action, *map(fine_percent, shares)
