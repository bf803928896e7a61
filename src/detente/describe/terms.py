"""What holds the terms of a policy, at what cost they would hold, and what announcing them says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from detente.analysis.announce import Announcement
from detente.analysis.credibility import Credibility
from detente.analysis.deviation_gains import REACHED
from detente.analysis.enforcement_cost import Hold, HoldCost
from detente.describe.blocks import Block, Described, Heading, Section, text
from detente.describe.charts import OverTime, Picture, Pictures, Series, Stack, Stacks
from detente.describe.tables import Row, Table, code
from detente.describe.words import attributes, coded, identity, letters, spoken_of, unsolved
from detente.numbers import decimals, payoff, percent, signed
from detente.scenario.policies import policy_name
from detente.simulation.conditions import ANY
from detente.text import sentence


def describe_credibility(result: Credibility, held: HoldCost | None = None) -> Described:
    """What breaking hard terms would gain, how often soft ones are broken, how to read it.

    `held` has the cost at which one of them would hold, where that was asked for.
    """
    sections = [*_hard(result), *_soft(result)]
    title = "How to read it, and how good it is"
    sections.append(Section("reading", title, (text(*_reading(result)),)))
    data, statuses = credibility_data(result), {"": result.status}
    if held is not None:
        sections.append(_hold(held))
        data["hold"] = _hold_data(held)
        statuses[f"what would hold {held.term}"] = held.status
    lead = (f"policy: {result.policy}",)
    return Described(result.scenario.title, lead, tuple(sections), data, unsolved(statuses))


def credibility_data(result: Credibility) -> dict[str, Any]:
    """Everything for programs, the whole tables too."""
    return {
        "scenario": identity(result.scenario, policy=result.policy, periods=result.periods),
        "status": coded(result.status),
        "beliefs": result.solution.grid.points,
        "verdicts": {term: coded(verdict) for term, verdict in result.verdicts.items()},
        **attributes(result, "drift notes hard hard_over_time soft"),
    }


def _hard(result: Credibility) -> Iterator[Section]:
    actors, rows = result.scenario.actors, []
    for r in result.hard.itertuples():
        mean, most = (
            "" if math.isnan(gain) else signed(gain, decimals(error))
            for gain, error in ((r.gain, r.gain_error), (r.largest, r.largest_error))
        )
        tempted = percent(r.tempted) if mean else ""
        numbers = (f"{r.binds:.1f}", mean, most, r.worst, tempted)
        rows.append((code(r.term), actors[r.actor].name, r.type, *numbers))
    if not rows:
        return
    lines = []
    for term, verdict in result.verdicts.items():
        met = result.hard[(result.hard["term"] == term) & (result.hard["first"] != "")]
        since = "" if met.empty else f", for the first time in {met['first'].min()}"
        lines.append(f"{term}: {verdict.value}{since}.")
    header = ("term", "actor", "type", "turns", "mean", "most", "when", "tempted")
    table = Table(header, tuple(rows), range(3, 8), "What breaking them once would gain")
    yield Section("hard", "Hard terms", (table, text(*lines)))


def _soft(result: Credibility) -> Iterator[Section]:
    scenario = result.scenario
    actors, calendar = scenario.actors, scenario.calendar
    times = calendar.marks(result.periods)
    rows: list[Row] = []
    lines: dict[str, list[Series]] = {}
    for (term, actor, kind), mine in result.soft.groupby(["term", "actor", "type"], sort=False):
        bound = {who for who, _ in scenario.terms[term].forbids}
        if actor == ANY and len(bound) == 1 and not actors[next(iter(bound))].types:
            continue  # the row of the one who is bound says the same
        at = mine.set_index("t")
        cells = [percent(at.loc[t, "broken"], at.loc[t, "error"]) for t in times]
        name = "any" if actor == ANY else actors[actor].name
        head = (term, name, "" if kind == ANY else kind)
        rows.append((*head, *cells, f"{at.loc[result.periods, 'breaches']:.2f}"))
        line = Series(head[2] or name, (0.0, *at["broken"]))
        lines.setdefault(term, []).append(line)
    if rows:
        header = ("term", "actor", "type", *calendar.mark_labels(times), "breaches")
        caption = "Probability that they have been broken within"
        table = Table(header, tuple(rows), range(3, len(header)), caption)
        labels = ("start", *dict.fromkeys(result.soft["period"]))
        items = (
            Picture(
                OverTime(f"Probability that {term} has been broken", labels, tuple(series)), term
            )
            for term, series in lines.items()
        )
        yield Section("soft", "Soft terms", (Pictures(tuple(items), "", (table,)),))


def _reading(result: Credibility) -> Iterator[str]:
    if not result.hard.empty:
        yield (
            "Turns: at how many the term is expected to bind, in that something is forbidden by it "
            "alone. Mean, most: what the best breach would gain there against the best of what is "
            "allowed, in the actor's payoff from then on, with all terms in force again; most: "
            f"wherever play goes with a probability above {REACHED:g}, in the period named. "
            "Tempted: the share of these turns at which it would gain."
        )
        if result.solution.game.changing:
            yield "Types may change: meant is the type that the actor has at the turn."
        yield (
            "After a breach the public believes what a tremble makes it believe: that it was "
            "rather the type that would gain more by it."
        )
        yield (
            f"Payoffs differ by {result.drift:.1g} at most from those with terms that cannot be "
            "broken."
        )
    if not result.soft.empty:
        yield "Breaches: how many are expected over all of the periods reported."
    yield sentence(result.status.value)
    yield from result.notes


def _hold(held: HoldCost) -> Section:
    """The cost at which a term holds."""
    if held.found is Hold.FOUND:
        digits = decimals(held.error)
        line = (
            f"A cost of {held.cost:.{digits}f} ± {max(held.error, 10.0**-digits):.{digits}f}, "
            "instead of what stands in the file"
        )
    elif held.found is Hold.NOT_NEEDED:
        line = "No cost is needed"
    else:
        line = f"No cost suffices: at any, it is never broken with a probability of {held.kept:.2g}"
    line += f". Without any it is never broken with a probability of {held.kept_free:.2g}."
    title = f"What would hold {held.term} with a probability of {held.probability:g}"
    return Section("hold", title, (text(line),))


def _hold_data(held: HoldCost) -> dict[str, Any]:
    return {
        "found": coded(held.found),
        "status": held.status.name,
        **attributes(held, "term policy probability cost error kept kept_free solves"),
    }


def describe_announcement(result: Announcement) -> Described:
    """Who announces what, what it says, what it is worth, what follows, how good the answer is."""
    scenario = result.scenario
    name = scenario.actors[result.who].name
    short = letters(result.policies)
    rows: list[Row] = []
    for policy, letter in short.items():
        about = scenario.policies[policy].about if policy else ""
        rows.append((letter, policy_name(policy), about))
    since = scenario.calendar.label(1)
    intro = f"Before {since}, {name} announces one of {len(short)} policies"
    blocks: list[Block] = [
        Table(("", "policy", "meaning"), tuple(rows)),
        *_announced(result, short, name),
        *_said(result, short, name),
        *_worth(result, short),
        *_follows(result, short),
        Heading("How good the answer is"),
        text(*_quality(result)),
    ]
    return Described(
        title=scenario.title,
        lead=(),
        sections=(Section("announcement", intro, tuple(blocks)),),
        data={
            "scenario": scenario.name,
            **attributes(scenario, "sha256 overrides options"),
            **attributes(
                result, "who policies bits most_bits choices beliefs worth payoffs outcomes"
            ),
            "status": coded(result.status),
            "certificate": attributes(result, "residual value_error forward_error"),
        },
        unsolved=unsolved({"": result.status}),
    )


def _by_policy(table: pd.DataFrame, value: str, *keys: str) -> dict[tuple[str, ...], list[float]]:
    """The numbers of each row, by policy in their order."""
    rows: dict[tuple[str, ...], list[float]] = {}
    for row in table.to_dict(orient="records"):
        rows.setdefault(tuple(str(row[key]) for key in keys), []).append(float(row[value]))
    return rows


def _announced(result: Announcement, short: dict[str, str], name: str) -> Iterator[Block]:
    error = float(result.choices["error"].max(skipna=False))
    rows: list[Row] = []
    stacks = []
    # The table goes by type first; within a type by policy.
    for (kind,), shares in _by_policy(result.choices, "probability", "type").items():
        head = "whatever the type" if kind == ANY else f"it is {kind}"
        rows.append((head, *(percent(share, error) for share in shares)))
        stacks.append(Stack(head, tuple(shares), 0.0))
    table = Table(("", *short.values()), tuple(rows), range(1, 1 + len(short)))
    chart = Stacks(f"How likely {name} is to announce each", tuple(short.values()), tuple(stacks))
    yield Heading(f"What {name} announces")
    yield Pictures((Picture(chart),), "", (table,))


def _said(result: Announcement, short: dict[str, str], name: str) -> Iterator[Block]:
    actor = result.scenario.actors[result.who]
    if len(actor.types) < 2:
        return
    error = float(result.beliefs["error"].max(skipna=False))
    priors = _by_policy(result.beliefs, "prior", "type")
    after = _by_policy(result.beliefs, "posterior", "type")
    rows: list[Row] = [
        (f"{name} is {kind}", *(percent(p, error) for p in (priors[kind,][0], *after[kind,])))
        for kind in spoken_of(actor)
    ]
    header = ("belief that", "before", *short.values())
    yield Heading("What it says")
    yield Table(header, tuple(rows), range(1, len(header)), "Belief after the announcement")
    yield text(
        f"The announcement tells {result.bits:.2g} of the {result.most_bits:.2g} bits to be told."
    )


def _worth(result: Announcement, short: dict[str, str]) -> Iterator[Block]:
    announced = _by_policy(result.worth, "announced", "actor", "type")
    imposed = _by_policy(result.worth, "imposed", "actor", "type")
    rows: list[Row] = []
    for (actor, kind), values in announced.items():
        name = result.scenario.actors[actor].name
        rows.append((name, kind, "announced", *map(payoff, values)))
        rows.append(("", "", "imposed", *map(payoff, imposed[actor, kind])))
    header = ("actor", "type", "", *short.values())
    caption = "Announced, and if it were merely in force (imposed)"
    yield Heading("What it is worth")
    yield Table(header, tuple(rows), range(3, len(header)), caption)


def _follows(result: Announcement, short: dict[str, str]) -> Iterator[Block]:
    if result.outcomes.empty:
        return
    last = result.outcomes[result.outcomes["t"] == result.outcomes["t"].max()]
    last = last[last["type"] == ANY]
    error = float(last["error"].max(skipna=False))
    announced, imposed = (_by_policy(last, key, "outcome") for key in ("announced", "imposed"))
    rows: list[Row] = []
    for (key,), values in announced.items():
        rows.append((code(key), "announced", *(percent(value, error) for value in values)))
        rows.append(("", "imposed", *(percent(value, error) for value in imposed[key,])))
    header = ("outcome", "", *short.values())
    when = last["period"].iloc[0]
    caption = f"Probability that it has come about by the end of {when}"
    yield Heading("What follows")
    yield Table(header, tuple(rows), range(2, len(header)), caption)


def _quality(result: Announcement) -> Iterator[str]:
    yield sentence(result.status.value)
    yield (
        "The announcement's turn, recomputed by separate code at all beliefs: residual "
        f"{result.residual:.1e}, values to {result.value_error:.1e}."
    )
    if not result.outcomes.empty:
        yield f"Expected payoffs counted forward equal the values to {result.forward_error:.1e}."
    error = float(result.choices["error"].max(skipna=False))
    if error > 0:
        known = f"announcements are known to {error:.1g}"
        if not result.outcomes.empty:
            known += f", of outcomes to {result.outcomes['error'].max():.1g}"
        yield f"On this belief grid the probabilities of {known}."
