"""The answer at the top of a report's page, in short sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from detente.analysis.compare import Comparison
from detente.analysis.comparison_audit import ComparisonAudit
from detente.describe import forecast, survival
from detente.describe.sensitivity import PROBABILITY, ends_of
from detente.describe.threshold import short_answer
from detente.describe.track import believed
from detente.describe.words import (
    Point,
    Sentences,
    clause,
    meanings,
    spoken,
    together,
)
from detente.numbers import EXACT, count, interval, more_likely, percent, within
from detente.report.data import ReportData
from detente.scenario.policies import quoted
from detente.simulation.forecast import marginal
from detente.text import sentence

LIKELY, UNLIKELY = 2 / 3, 1 / 3
"""Where an outcome begins to be called likely, and ceases to be called open."""

FEW = 3
"""Policies, assumptions and the like that the answer names; the sections have all of them."""

WIDE = 0.1
"""How far an outcome moves over the precisions to be counted as one that does."""


def question(data: ReportData) -> str:
    """What the page answers."""
    calendar = data.scenario.calendar
    periods = data.forecast.periods
    unit = f"{calendar.unit}{'' if periods == 1 else 's'}"
    since = f" from {calendar.label(1)}" if calendar.start else ""
    time = "" if data.game.loop is None else "first "
    line = f"Under these assumptions, what would happen in the {time}{periods} {unit}{since}"
    if data.game.policy:
        line += f" under the policy {quoted(data.game.policy)}"
    if data.track is not None and data.track.last:
        line += f", given the moves to the end of {calendar.label(data.track.last)}"
    if data.comparison is None:
        return f"{line}?"
    others = len(data.comparison.forecasts) - 1
    many = f"{others} other policies" if others > 1 else "another policy"
    return f"{line}, and what would {many} change?"


def answer(data: ReportData) -> Iterator[Point]:
    """What leads each statement in, and its sentences."""
    status = data.forecast.solution.status
    if status.name != "SOLVED":
        yield "Caution", (sentence(f"{status.value}. Do not rely on what follows"),)
    yield from _outcomes(data)
    if data.track is None:  # or the first moves have been made
        yield from _first(data)
    if data.comparison is not None:
        yield from _changes(data.comparison, data.comparison_audit, from_start(data))
    yield from _decisive(data)
    if data.thresholds:
        which = "this" if len(data.thresholds) == 1 else "one of these"
        lead = f"even odds that {asked(data)} at some time would take {which}, all else unchanged"
        lead = sentence(f"{from_start(data)}{lead}").rstrip(".") + ":"
        about = meanings(data.scenario)
        takes = (
            sentence(f"{spoken(about[t.parameter], t.parameter)}: {short_answer(t)}")
            for t in data.thresholds
        )
        yield "What it would take", (lead, *takes)
    if data.left_open is not None and data.question:
        last = data.left_open.table.set_index("outcome").loc[data.question].iloc[-1]
        ends = f"{interval(last['low'], last['high'])} % over draws from the posterior"
        yield "What the record leaves open", (sentence(f"{from_start(data)}{asked(data)}: {ends}"),)
    if data.track is not None:
        yield "What moves have told", believed(data.track)
    if data.exploration is not None:
        yield "What survives", survival.brief(data.exploration)
    yield "How sure", _sure(data)


def from_start(data: ReportData) -> str:
    """What leads in what is not given the record, where there is one."""
    return "as seen at the start, before any move: " if data.track is not None else ""


def asked(data: ReportData) -> str:
    return clause(data.scenario, data.question)


def _outcomes(data: ReportData) -> Iterator[Point]:
    """What has come about, and how likely all else is, from the last date of a record on."""
    track = data.track
    if track is None:
        table = marginal(data.game, data.forecast.outcomes)
        last, been = table[table["t"] == data.forecast.periods], frozenset[str]()
    else:
        table = track.outcomes
        now = table[(table["t"] == track.last) & (table["happened"] > 1 - EXACT)]
        last, been = table[table["t"] == track.end], frozenset(now["outcome"])
    last = last.sort_values("happened", ascending=False, kind="stable")
    words: dict[str, list[str]] = {"Has been": [], "Likely": [], "Open": [], "Unlikely": []}
    bands = _bands(data)
    for r in last.itertuples():
        what, ends = clause(data.scenario, r.outcome), percent(r.holds)
        if r.outcome in been:
            words["Has been"].append(f"{what} (at the end {ends})")
            continue
        word = "Likely" if r.happened >= LIKELY else "Open" if r.happened > UNLIKELY else "Unlikely"
        band = f", from {bands[r.outcome]};" if r.outcome in bands else ","
        words[word].append(f"{what} (at some time {percent(r.happened)}{band} at the end {ends})")
    for word, clauses in words.items():
        if clauses:
            yield word, (sentence("; ".join(clauses)),)


def _brackets(data: ReportData) -> str:
    """What leads in how far an answer moves over the precisions."""
    if data.track is not None:
        lead = "at the start, before any move, and over half to twice the precision of play, "
        return f"All of this is under the assumptions of the scenario: {lead}"
    return (
        "All of this is under the assumptions of the scenario. Beside the probabilities at some "
        "time stand the least and the most at half, at once and at twice its precision of play: "
    )


def _bands(data: ReportData) -> dict[str, str]:
    """By outcome, its band over half to twice the precision; none for what follows a record."""
    if data.audit.band is None or data.track is not None:
        return {}
    rows = data.audit.band.tables["outcomes"].rows()
    return {r["outcome"]: f"{percent(r['low'])} to {percent(r['high'])}" for r in rows}


def _first(data: ReportData) -> Iterator[Point]:
    """What each actor does at its first move, whatever its type."""
    actions = marginal(data.game, data.forecast.actions).dropna(subset="share")
    parts: list[tuple[int, int, str]] = []
    for actor, mine in actions.groupby("actor", sort=False):
        t, turn = mine[["t", "turn"]].iloc[0]
        shares = mine[(mine["t"] == t) & (mine["turn"] == turn) & (mine["share"] >= 0.1)]
        top = shares.sort_values("share", ascending=False, kind="stable").head(2)
        moves = " or ".join(f"{r.action} ({percent(r.share)})" for r in top.itertuples())
        parts.append((int(t), int(turn), f"{data.scenario.actors[str(actor)].name}: {moves}"))
    if parts:
        parts.sort(key=lambda part: part[:2])
        yield "First moves", (sentence("; ".join(part for *_, part in parts)),)


def _changes(
    comparison: Comparison, audited: ComparisonAudit | None, lead: str = ""
) -> Iterator[Point]:
    """What each other policy changes most, beyond error, and what of it depends on the precision;
    and who likes which best."""
    table = comparison.outcomes
    last = table[(table["t"] == table["t"].max()) & (table["policy"] != comparison.base)]
    known = last[last["distinguishable"].astype(bool)]
    known = known.assign(size=known["difference"].abs())
    known = known.sort_values("size", ascending=False, kind="stable")
    holds = [audited is None or audited.holds(r.policy, r.outcome, r.t) for r in known.itertuples()]
    held, loose = known[holds], known[[not h for h in holds]]
    sentences = []
    for policy in list(dict.fromkeys(held["policy"]))[:FEW]:
        changes = "; ".join(
            f"{clause(comparison.scenario, r.outcome)}: at some time {more_likely(r.difference)}"
            for r in held[held["policy"] == policy].head(2).itertuples()
        )
        sentences.append(sentence(f"{lead}under {quoted(str(policy))}: {changes}"))
        lead = ""
    if not len(known):
        yield "What policies change", ("No outcome by more than the error of computing it.",)
        return
    if len(loose):
        some = "; ".join(
            f"whether {clause(comparison.scenario, r.outcome)} changes under {quoted(r.policy)}"
            for r in loose.head(2).itertuples()
        )
        more = f" and {count(len(loose) - 2, 'other change')}" if len(loose) > 2 else ""
        sentences.append(
            sentence(f"Depends on the precision of play, and is no result: {some}{more}")
        )
    yield "What policies change", tuple(sentences)
    yield "Who prefers what", (_preferred(comparison, audited),)


def _preferred(comparison: Comparison, audited: ComparisonAudit | None) -> str:
    """Under which policy each actor does best; types that agree are named together."""
    best: dict[str, dict[str, list[str]]] = {}
    for (actor, kind), mine in comparison.preferences.groupby(["actor", "type"], sort=False):
        tied = [quoted(policy) for policy in mine["policy"][mine["tied"].astype(bool)]]
        names = " or ".join(tied)
        if len(tied) == len(mine):
            names = "all of them alike (the differences are within the error)"
        others = audited.contenders(str(actor), str(kind)) if audited else ()
        if others:
            names = f"{' or '.join(map(quoted, others))}, depending on the precision"
        best.setdefault(names, {}).setdefault(str(actor), []).append(str(kind))
    parts = []
    for names, kinds in best.items():
        actors = []
        for key, mine in kinds.items():
            actor = comparison.scenario.actors[key]
            every = len(mine) == max(1, len(actor.types))
            actors.append(actor.name if every else f"{actor.name} ({' or '.join(mine)})")
        verb = "does" if len(actors) == 1 else "do"
        parts.append(f"{together(actors)} {verb} best under {names}")
    return sentence("; ".join(parts))


def _decisive(data: ReportData) -> Iterator[Point]:
    if data.sensitivity is None:
        return
    about = meanings(data.scenario)
    table: pd.DataFrame = data.sensitivity.table
    # Where a number turns, both ends may be alike: it is named for what it does on the way.
    counts = (table["worth"].abs() >= 0.005) | (table["shape"] == "turns")
    parts = []
    for r in table[counts].head(FEW).itertuples():
        shape = {"bends": ", bending", "turns": ", turning on the way"}.get(r.shape, "")
        ends = f"{ends_of(r, PROBABILITY)}{shape}"
        parts.append(f"{spoken(about[r.parameter], r.parameter)} ({ends})")
    if parts:
        line = f"{from_start(data)}whether {asked(data)} at some time depends most on "
        line += "; ".join(parts)
        how = "In brackets: how likely it is at the low and at the high end of its range, alone."
        yield "What decides it", (sentence(line), how)


def _sure(data: ReportData) -> Sentences:
    """What the answer rests on, the widest doubt first and the error of computing it last."""
    error = forecast.outcome_error(data.forecast)
    computed = f"The computation adds an error of {within(error)} percentage points at most"
    if math.isnan(error):
        computed = "The computation's own error is not known"
    elif error < EXACT:
        computed = "The computation adds no error, to rounding"
    right = (
        "Whether the model is right is for its author to argue: each number it rests on is in the "
        "ledger, with a range and with evidence or a judgement."
    )
    return (*_over_precision(data), right, f"{computed}.")


def _over_precision(data: ReportData) -> Iterator[str]:
    """How far the answer moves over half to twice the precision."""
    if data.audit.band is None:
        return
    rows = list(data.audit.band.tables["outcomes"].rows())
    mine = next((r for r in rows if r["outcome"] == data.question), None)
    if mine is None:
        return
    wide = sum(r["high"] - r["low"] >= WIDE for r in rows)
    yield (
        f"{_brackets(data)}the probability that {asked(data)} at some time runs from "
        f"{percent(mine['low'])} to {percent(mine['high'])}; {wide} of "
        f"{count(len(rows), 'outcome')} {'moves' if wide == 1 else 'move'} by "
        f"{100 * WIDE:.0f} points or more."
    )
