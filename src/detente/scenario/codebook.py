"""Codebooks: what each kind of event of a chronology means to a scenario, in a table to fill.

A row for each kind of event: how often and when it was met, actions whose words it shares, and,
for a person to fill, `actor` and `action`. A kind may have several rows, for several actors.
Rows nearer the top count first: where an actor does more in a period than it has turns, the
others are left to the reader.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.calendar import MONTHS
from detente.scenario.chronology import JOINT, Chronology, Event, likewise
from detente.scenario.csv_table import CsvLine, column_names, read_table, table_text
from detente.scenario.hints import alias, listing
from detente.scenario.model import Scenario
from detente.scenario.observations import (
    ALWAYS,
    CONTEXT,
    OPTIONAL,
    REQUIRED,
    STATE,
    UNIT,
    Record,
    RecordReader,
    record_of,
)
from detente.text import as_cell

SILENCE = "(silence)"
"""The kind of a period in which a chronology has nothing about an actor."""

COUNTED = ("events", "first", "last", "proposed")
FILLED = ("actor", "action", "note")
KIND = re.compile(r"event \((.*)\)")
"""How the first column is called: by the chronology's columns that tell the kind."""

MOST_PROPOSED = 2
SHORTEST = 4
"""Letters of a word that is looked for in what is said of actions."""

MOST_KINDS = 3
"""Kinds of event that one message names."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A row of a codebook: a kind of event, and what `actor` did by it."""

    place: Place
    kind: str
    actor: str = ""
    action: str = ""
    events: int = 0
    first: str = ""
    last: str = ""
    proposed: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Codebook:
    """The kinds of event, the first to count first, and the columns that tell them."""

    file: str
    columns: tuple[str, ...]
    codings: tuple[Coding, ...]

    def __repr__(self) -> str:
        filled = sum(bool(row.action) for row in self.codings)
        return f"<Codebook {self.file!r}: {len(self.codings)} rows, {filled} of them filled>"

    def to_csv(self) -> str:
        """The table, to be filled; `(silence)` is what a period without an event means."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([f"event ({JOINT.join(self.columns)})", *COUNTED, *FILLED])
        for row in self.codings:
            counted = (row.events or "", row.first, row.last, row.proposed)
            cells = (row.kind, *counted, row.actor, row.action, row.note)
            writer.writerow([as_cell(cell) for cell in cells])
        return out.getvalue()


def draft_codebook(chronology: Chronology, scenario: Scenario) -> Codebook:
    """The codebook of a chronology for a scenario, still to be filled.

    The rarest kinds stand first, for what is rare mostly says more; a person may order them anew.
    Actions are proposed by the words that a kind shares with them. A proposal counts for nothing
    until it is written into `actor` and `action`, except where a kind is called as an action is.
    """
    by_kind: dict[str, list[Event]] = {}
    for event in chronology.events:
        by_kind.setdefault(event.kind, []).append(event)
    words = _words_of_actions(scenario)
    rows = []
    for kind, events in sorted(by_kind.items(), key=lambda pair: (len(pair[1]), pair[0])):
        dates = sorted(event.date for event in events)
        same = _called_so(kind, scenario)
        actor, action = same if same else ("", "")
        proposed = "" if same else "; ".join(_proposed(kind, words))
        place = events[0].place
        rows.append(Coding(place, kind, actor, action, len(events), dates[0], dates[-1], proposed))
    silent = [Coding(Place(chronology.file), SILENCE, actor) for actor in scenario.actions]
    return Codebook(chronology.file, chronology.columns, (*rows, *silent))


def _called_so(kind: str, scenario: Scenario) -> tuple[str, str] | None:
    """The one action whose name or alias a kind of event is."""
    named = {alias(word) for word in (kind, *kind.split(JOINT))}
    matches = {
        (actor, key)
        for actor, own in scenario.actions.items()
        for key, action in own.items()
        if named & {alias(name) for name in (key, *action.names)}
    }
    return matches.pop() if len(matches) == 1 else None


def _words(text: str) -> set[str]:
    """What is looked at of a text: its longer words, without the ending of a plural."""
    found = re.findall(r"\w+", text.casefold().replace("_", " "))
    return {word.removesuffix("s") for word in found if len(word) >= SHORTEST}


def _words_of_actions(scenario: Scenario) -> dict[str, set[str]]:
    """By `ACTOR: action`, the words that are said of it."""
    return {
        f"{actor}: {key}": _words(" ".join((key, *action.names, action.about)))
        for actor, own in scenario.actions.items()
        for key, action in own.items()
    }


def _proposed(kind: str, words: Mapping[str, set[str]]) -> list[str]:
    """Actions that share words with a kind of event; a word counts the more, the rarer it is."""
    often = Counter(word for said in words.values() for word in said)
    score = {
        action: sum(1 / often[word] for word in said & _words(kind))
        for action, said in words.items()
    }
    likely = sorted((action for action in score if score[action]), key=lambda a: -score[a])
    return likely[:MOST_PROPOSED]


def read_codebook(source: str | Path) -> Codebook:
    """Read a codebook that was drafted and filled. Raises `ScenarioError`."""
    file = str(source)
    text = table_text(source)
    there = column_names(text)
    kinds = [match for name in there if (match := KIND.fullmatch(name))]
    if not kinds:
        message = "no column is called `event (…)`, by the columns that tell kinds of event"
        hint = "draft a codebook of the chronology, and fill that"
        raise ScenarioError([Diagnostic(Place(file, 1), "missing", message, hint)])
    first = kinds[0].group()
    problems: list[Diagnostic] = []
    others = [name for name in there if name not in (first, *FILLED[:2])]
    lines = read_table(text, file, (first, *FILLED[:2]), others, problems)
    if problems:
        raise ScenarioError(problems)
    rows = [
        Coding(line.place, line[first], line["actor"], line["action"], note=line["note"])
        for line in lines
    ]
    return Codebook(file, tuple(kinds[0][1].split(JOINT)), tuple(rows))


# ---- from events to moves


def code_chronology(
    chronology: Chronology, codebook: Codebook, scenario: Scenario
) -> dict[str, Record]:
    """The records that a chronology makes by a codebook, by unit ('' where it has none).

    An action that an actor is coded to take twice in a period counts once. Where it takes more
    actions than it has turns, those count whose kinds stand nearer the top of the codebook.

    Raises
    ------
    ScenarioError
        With every mistake, once for each row of the codebook and for each kind of row of the
        chronology: kinds without a row or without an action, actions that there are not, events
        that are dated by month where periods are shorter.
    """
    problems: list[Diagnostic] = []
    by_kind = _checked(codebook, scenario, problems)
    problems += _not_coded(chronology, by_kind, codebook.file)
    problems += _wrongly_dated(chronology, scenario)
    if problems:
        raise ScenarioError(sorted(problems, key=lambda problem: problem.place))
    lines = _lines(chronology, by_kind, scenario)
    records = {
        unit: record_of(of_unit, chronology.file, scenario, problems)
        for unit, of_unit in lines.items()
    }
    if problems:
        raise ScenarioError(sorted(problems, key=lambda problem: problem.place))
    return records


def _checked(
    codebook: Codebook, scenario: Scenario, problems: list[Diagnostic]
) -> dict[str, list[tuple[int, Coding]]]:
    """By kind as it is compared, its filled rows with their rank, by keys of actors and actions."""
    reader = RecordReader(scenario, problems)
    by_kind: dict[str, list[tuple[int, Coding]]] = {}
    empty = []
    for rank, row in enumerate(codebook.codings):
        kind = by_kind.setdefault(_compared(row.kind), [])
        if not row.action:
            if row.kind != SILENCE:
                empty.append(row)
            continue
        actor = STATE
        if row.action != CONTEXT:
            line = CsvLine(row.place, {"actor": row.actor, "action": row.action})
            actor = reader.actor(line)
            meaning = reader.meaning(line, actor)
            if meaning is None:
                continue
            actions, condition = meaning
            row = replace(row, action=condition.text if condition else " or ".join(actions))
        kind.append((rank, replace(row, actor=actor)))
    if empty:
        count = "1 kind" if len(empty) == 1 else f"{len(empty)} kinds"
        message = f"{count} of event without an action: {_some([row.kind for row in empty])}"
        hint = f"say what was done, or {CONTEXT} for what is for the reader alone"
        problems.append(Diagnostic(empty[0].place, "empty", message, hint))
    return by_kind


def _compared(kind: str) -> str:
    """A kind as it is looked up: spreadsheets put an apostrophe before some texts."""
    return alias(kind.removeprefix("'"))


def _not_coded(
    chronology: Chronology, by_kind: Mapping[str, object], file: str
) -> Iterator[Diagnostic]:
    """Kinds of event that are not in the codebook."""
    strange = [event for event in chronology.events if _compared(event.kind) not in by_kind]
    kinds = list(dict.fromkeys(event.kind for event in strange))
    if kinds:
        count = "1 kind" if len(kinds) == 1 else f"{len(kinds)} kinds"
        message = f"{count} of event that {file} does not know: {_some(kinds)}"
        message += likewise([event.place for event in strange[1:]])
        yield Diagnostic(strange[0].place, "unknown-name", message, "add a row for each to it")


def _some(kinds: list[str]) -> str:
    """A few kinds of event in a message."""
    if len(kinds) <= MOST_KINDS:
        return listing(kinds)
    named = ", ".join(f"`{kind}`" for kind in kinds[:MOST_KINDS])
    return f"{named} and {len(kinds) - MOST_KINDS} more"


def _wrongly_dated(chronology: Chronology, scenario: Scenario) -> Iterator[Diagnostic]:
    """Events of which the scenario's calendar cannot say in which period they fall."""
    calendar = scenario.calendar
    dated = calendar.start is not None
    daily = dated and calendar.unit not in MONTHS
    rounds = [event for event in chronology.events if event.date.isdecimal() == dated]
    months = [event for event in chronology.events if daily and len(event.date) == len("2018-02")]
    for events, message, hint in (
        (
            rounds,
            f"`{{}}` is no {'date' if dated else f'number of a {calendar.unit}'}",
            "write it as 2018-02-15"
            if dated
            else f"play is not dated: number the {calendar.unit}s",
        ),
        (
            months,
            f"`{{}}` is a month, and a period of the scenario is a {calendar.unit}",
            "write the day too",
        ),
    ):
        if events:
            told = message.format(events[0].date) + likewise([e.place for e in events[1:]])
            yield Diagnostic(events[0].place, "date", told, hint)


def _lines(
    chronology: Chronology,
    by_kind: Mapping[str, list[tuple[int, Coding]]],
    scenario: Scenario,
) -> dict[str, list[CsvLine]]:
    """By unit, the lines of its record in the order of time."""
    silence = [
        _line(row.place, ALWAYS, SILENCE, row) for _, row in by_kind.get(_compared(SILENCE), ())
    ]
    dated: dict[str, list[tuple[int, Event, Coding]]] = {}
    for event in sorted(chronology.events, key=_when):
        rows = dated.setdefault(event.unit, [])
        rows += [(rank, event, row) for rank, row in by_kind[_compared(event.kind)]]
    lines = {}
    for unit, rows in dated.items():
        counted = _counted(rows, scenario)
        lines[unit] = silence + [
            _line(event.place, event.date, event.kind, row, counts=k in counted)
            for k, (_, event, row) in enumerate(rows)
        ]
    return lines


def _when(event: Event) -> tuple[int, str]:
    """For sorting: rounds by number, dates by day."""
    return (int(event.date), "") if event.date.isdecimal() else (0, event.date)


def _counted(rows: list[tuple[int, Event, Coding]], scenario: Scenario) -> set[int]:
    """Positions of the rows that count: the first of each action, as many as there are turns."""
    met: dict[tuple[str, int | None], dict[str, tuple[int, int]]] = {}
    for k, (rank, event, row) in enumerate(rows):
        if row.action != CONTEXT:
            actions = met.setdefault((row.actor, scenario.calendar.number(event.date)), {})
            best, first = actions.get(row.action, (rank, k))
            actions[row.action] = (min(best, rank), first)
    turns = Counter(who for turn in scenario.turns for who in turn.who)
    counted = set()
    for (actor, _), actions in met.items():
        most = turns[actor] if actor in scenario.actors else len(actions)
        counted |= {k for _, k in sorted(actions.values())[:most]}
    return counted


def _line(place: Place, date: str, kind: str, row: Coding, *, counts: bool = True) -> CsvLine:
    """A line of a record; what does not count is for the reader."""
    action = row.action if counts else CONTEXT
    cells = {"date": date, "actor": row.actor, "move": kind, "action": action}
    return CsvLine(place, {**cells, "note": row.note})


def record_csv(records: Mapping[str, Record]) -> str:
    """Records as a file that can be read again, with the lines of the chronology as sources."""
    by_unit = [UNIT] * (len(records) > 1 or "" not in records)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*by_unit, *REQUIRED, *OPTIONAL])
    for unit, record in records.items():
        for entry in (*record.silence.values(), *record.standing, *record.dated):
            action = entry.label if entry.used else CONTEXT
            cells = (
                entry.date,
                entry.actor or entry.event or STATE,
                entry.move,
                action,
                entry.note,
            )
            row = (*cells, str(entry.place))
            writer.writerow([as_cell(cell) for cell in ([unit] * len(by_unit) + list(row))])
    return out.getvalue()
