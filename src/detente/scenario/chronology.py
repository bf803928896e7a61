"""Chronologies: anybody's dated events, one in a row, with whatever columns they have.

What an event means to a scenario, a codebook says (`detente.scenario.codebook`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detente.errors import Diagnostic, Place, Problems, ScenarioError
from detente.scenario.csv_table import CsvLine, column_names, read_table, table_text
from detente.scenario.dates import explain, one_reading
from detente.scenario.hints import alias, did_you_mean, listing

DATE, EVENT, UNIT, NOTE = ROLES = ("date", "event", "unit", "note")
"""What a column may be: several may be of the event, one of each of the others."""

DATED = ("date", "event date", "event_date", "day", "month", "start date", "start_date", "when")
"""Names of columns that have dates, the likeliest first."""

RECURRING = 0.5
"""What describes a kind of event recurs: a column with more different cells for a row is prose."""

MOST_LINES = 5
"""Lines that one message names."""

JOINT = " | "
"""Between the cells that say together what kind an event is of."""


@dataclass(frozen=True, slots=True)
class Event:
    """A row: when (`2018-02` or `2018-02-15`, or as it stands), of what kind, of which unit."""

    place: Place
    date: str
    kind: str
    unit: str
    note: str


@dataclass(frozen=True, slots=True)
class Chronology:
    """Events as they stand in a file; `columns` are those that say of what kind each is."""

    file: str
    columns: tuple[str, ...]
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        kinds = len({event.kind for event in self.events})
        return f"<Chronology {self.file!r}: {len(self.events)} events of {kinds} kinds>"


def read_chronology(
    source: str | Path, columns: Mapping[str, str | Sequence[str]] | None = None
) -> Chronology:
    """Read a chronology.

    Parameters
    ----------
    source : str or Path
        A CSV file whose first line names its columns.
    columns : mapping, optional
        The columns that have the `date`, say of what kind an `event` is (one or several), and have
        its `unit` and a `note`. Without it, the dates are in a column that is called so, and the
        kind is told by all columns whose cells recur.

    Raises
    ------
    ScenarioError
        With every kind of mistake, once, and the lines where it was met.
    """
    file = str(source)
    text = table_text(source)
    there = column_names(text)
    if not there:
        message = "the file has no line with the names of the columns"
        hint = "begin it with such a line, as in date,event"
        raise ScenarioError([Diagnostic(Place(file), "empty", message, hint)])
    found: list[Diagnostic] = []
    lines = read_table(text, file, (), [*there, ""], found)
    if not lines and not found:
        found.append(Diagnostic(Place(file), "empty", "the file has no events"))
    if found:
        raise ScenarioError(sorted(found, key=lambda problem: problem.place))
    role = _roles(columns or {}, there, lines, file)
    return Chronology(file, role[EVENT], tuple(_events(lines, role)))


def _roles(
    columns: Mapping[str, str | Sequence[str]], there: list[str], lines: list[CsvLine], file: str
) -> dict[str, tuple[str, ...]]:
    """By role, the columns that have it."""
    problems = Problems()
    role: dict[str, tuple[str, ...]] = {}
    for name, said in columns.items():
        named = tuple(alias(column) for column in ([said] if isinstance(said, str) else said))
        if name not in ROLES:
            hint = did_you_mean(name, ROLES)
            problems.add("columns", "unknown-name", f"`{name}` is not what a column can be", hint)
        elif name != EVENT and len(named) > 1:
            problems.add("columns", "too-many", f"one column has the {name}, not {listing(named)}")
        for column in named:
            if column not in there:
                message, hint = f"{file} has no column `{column}`", did_you_mean(column, there)
                problems.add("columns", "unknown-column", message, hint)
        role[name] = named
    problems.refuse()
    if DATE not in role:
        dated = [name for name in DATED if name in there]
        if not dated:
            message = f"no column of {listing(there)} is called a date"
            problems.add("columns", "missing", message, "name it, as in date=occurred")
            problems.refuse()
        role[DATE] = (dated[0],)
    role.setdefault(UNIT, (UNIT,) if UNIT in there else ())
    role.setdefault(NOTE, ())
    if EVENT not in role:
        taken = {column for some in role.values() for column in some} | {*DATED}
        left = [name for name in there if name not in taken]
        role[EVENT] = tuple(name for name in left if _recurs(lines, name)) or tuple(left)
    if not role[EVENT]:
        problems.add("columns", "missing", "no column says what happened", "name it: event=…")
        problems.refuse()
    return role


def _recurs(lines: list[CsvLine], column: str) -> bool:
    """Whether a column's cells are names of kinds, not prose and not numbers."""
    cells = [line[column] for line in lines]
    words = [cell for cell in cells if cell and not cell.replace(".", "").lstrip("-").isdigit()]
    return bool(words) and len(set(words)) <= max(RECURRING * len(cells), 1)


def _events(lines: list[CsvLine], role: dict[str, tuple[str, ...]]) -> Iterator[Event]:
    """The events of all rows; a mistake is reported once for its kind."""
    (date,) = role[DATE]
    wrong: dict[tuple[str, str], list[tuple[Place, str]]] = {}
    events = []
    for line in lines:
        text, kind = line[date], JOINT.join(line[column] for column in role[EVENT])
        if not kind.strip(JOINT):
            wrong.setdefault(("empty", ""), []).append((line.place, ""))
        written = text if text.isdecimal() and len(text) < 4 else one_reading(text)
        if not written:
            fault, _ = explain(text, monthly=True, otherwise="")
            wrong.setdefault(("date", fault.replace(f"`{text}`", "")), []).append(
                (line.place, text)
            )
        unit, note = (line[role[name][0]] if role[name] else "" for name in (UNIT, NOTE))
        events.append(Event(line.place, written, kind, unit, note))
    if wrong:
        raise ScenarioError(_faults(wrong))
    yield from events


def _faults(wrong: Mapping[tuple[str, str], list[tuple[Place, str]]]) -> Iterator[Diagnostic]:
    """A mistake for each kind of them."""
    for (code, fault), rows in wrong.items():
        place, text = rows[0]
        message, hint = "the row does not say what happened", "leave it out"
        if code == "date":
            message = f"`{text}`{fault}" if text else "the row has no date"
            _, hint = explain(text, monthly=True, otherwise="write it as 2018-02 or 2018-02-15")
        yield Diagnostic(place, code, message + likewise([row for row, _ in rows[1:]]), hint)


def likewise(others: Iterable[Place]) -> str:
    """That the same is wrong elsewhere, for the end of a message."""
    lines = [str(place.line) for place in others]
    if not lines:
        return ""
    if len(lines) == 1:
        return f"; likewise in line {lines[0]}"
    more = ", …" if len(lines) > MOST_LINES else ""
    return f"; likewise in {len(lines)} other lines ({', '.join(lines[:MOST_LINES])}{more})"
