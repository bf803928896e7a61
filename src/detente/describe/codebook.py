"""A codebook to be filled, and what a filled one makes of a chronology."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

from detente.describe.blocks import Described, Section, text
from detente.describe.tables import Table
from detente.numbers import count
from detente.scenario.chronology import Chronology
from detente.scenario.codebook import SILENCE, Codebook
from detente.scenario.hints import listing
from detente.scenario.model import Scenario
from detente.scenario.observations import Record


def describe_codebook(chronology: Chronology, codebook: Codebook) -> Described:
    """The kinds of event with their counts and dates, and the actions that are proposed."""
    rows = [row for row in codebook.codings if row.kind != SILENCE]
    cells = tuple(
        (row.kind, f"{row.events:,}", row.first, row.last, row.action or row.proposed)
        for row in rows
    )
    dates = sorted(event.date for event in chronology.events)
    lead = (
        f"{count(len(chronology.events), 'event')}, {dates[0]} to {dates[-1]}, of "
        f"{count(len(rows), 'kind')} by {listing(codebook.columns)}",
    )
    advice = (
        "Fill actor and action of each row, or (context) for what is for the reader alone; a kind "
        "may have a row for each of several actors. Rows nearer the top count first where an actor "
        "does more in a period than it has turns. Proposals go by words, and none is taken unless "
        "it is written there."
    )
    table = Table(("kind of event", "events", "first", "last", "proposed"), cells)
    data = {
        "file": chronology.file,
        "columns": list(codebook.columns),
        "kinds": [
            {key: value for key, value in asdict(row).items() if key != "place"}
            for row in codebook.codings
        ],
    }
    section = Section("kinds", "Kinds of event, the rarest first", (table, text(advice)))
    return Described(chronology.file, lead, (section,), data)


def describe_coded(
    chronology: Chronology, records: Mapping[str, Record], scenario: Scenario
) -> Described:
    """How many moves the events make, of which kind, and what became of the others."""
    entries = [entry for record in records.values() for entry in record.entries]
    moves = Counter(
        (entry.actor or entry.event or "state", entry.label) for entry in entries if entry.used
    )
    unused = sum(len(record.unused) for record in records.values())
    covers = f"{scenario.calendar.label(1)} and after"
    if scenario.periods is not None:
        covers = f"{scenario.calendar.label(1)} to {scenario.calendar.label(scenario.periods)}"
    lead = (
        f"{count(len(chronology.events), 'event')}; {scenario.title}, {covers}",
        f"{count(sum(moves.values()), 'move')}; {len(entries) - sum(moves.values())} for the "
        f"reader alone; {unused} outside of these periods",
    )
    rows = tuple((actor, move, f"{often:,}") for (actor, move), often in moves.most_common())
    section = Section("moves", "Moves", (Table(("actor", "move", "events"), rows),))
    data = {
        "moves": [
            {"actor": actor, "move": move, "events": often}
            for (actor, move), often in moves.items()
        ],
        "context": len(entries) - sum(moves.values()),
        "outside": unused,
    }
    return Described(chronology.file, lead, (section,) * bool(rows), data)
