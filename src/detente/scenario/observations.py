"""Records of what was done: dated moves and readings of the state, from CSV to checked entries.

A record is read for a scenario: its actors, actions and aliases give the words of the record a
meaning. `docs/tracking.md` describes the file. Nothing is computed here.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detente import library
from detente.errors import Diagnostic, Place, ScenarioError, warning
from detente.scenario.calendar import MONTHS
from detente.scenario.csv_table import CsvLine, decode_table, read_table, resolve
from detente.scenario.dates import explain, parse_date
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.parse import parse
from detente.scenario.formula.types import CONDITION, Scope, Slot
from detente.scenario.hints import alias, did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.record_names import looks_of, unseen, with_example

REQUIRED = ("date", "actor", "move")
OPTIONAL = ("action", "note", "source")
UNIT = "unit"
ALWAYS = "always"
STATE = "state"
CONTEXT = "(context)"
UNKNOWN = "(unknown)"
READING = Slot("a reading of the state", CONDITION, state=True, types=False)


@dataclass(frozen=True, slots=True)
class Observation:
    """One line of a record.

    t
        The period that it belongs to, from 1; 0 where it holds for all of them (`always`).
    turn
        Position in `Scenario.turns` of the turn at which the move was made; -1 where it is none.
    actor, actions
        Who moved, and what it may have been: mostly one action, and all that look like it. No actor
        for a reading, no actions for that and for what is for the reader alone.
    condition
        What a reading says of the state at the end of the period, or right after an event.
    seen
        What the actions look like, each look once.
    silent
        Whether it is there as well where the actor cannot move: silence, and what is unknown.
    event
        The event of chance after which the state is read; '' at the end of the period.
    """

    place: Place
    date: str
    t: int
    turn: int
    actor: str
    move: str
    actions: tuple[str, ...]
    condition: Formula | None
    note: str
    source: str
    seen: tuple[str, ...] = ()
    silent: bool = False
    event: str = ""

    @property
    def used(self) -> bool:
        """Whether it says anything to the model."""
        return bool(self.actions) or self.condition is not None

    @property
    def label(self) -> str:
        """What it says to the model, in short."""
        return (
            " or ".join(self.seen or self.actions)
            if self.condition is None
            else self.condition.text
        )


@dataclass(frozen=True, slots=True)
class Record:
    """What was done, in the order of time, as far as a scenario can take it.

    entries
        Dated lines within the scenario's horizon.
    silence
        By actor: the actions that a turn without a dated move stands for. Those of other actors
        are summed over.
    standing
        Readings that hold at the end of each period that the record covers.
    last
        The last period that the record covers: that of its last line with a meaning, 0 for none.
    unused
        Dated lines before the start or after the horizon.
    warnings
        What is doubtful but not wrong.
    """

    file: str
    entries: tuple[Observation, ...]
    silence: Mapping[str, Observation]
    standing: tuple[Observation, ...]
    last: int
    unused: tuple[Observation, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def dated(self) -> list[Observation]:
        """All dated lines in the order of time, with those outside the horizon."""
        return sorted((*self.entries, *self.unused), key=lambda entry: entry.t)

    def __repr__(self) -> str:
        said = sum(entry.used for entry in self.entries)
        return f"<Record {self.file!r}: {len(self.entries)} lines, {said} of them observations>"


def read_record(source: str | Path, scenario: Scenario) -> Record:
    """Read a record for a scenario.

    Parameters
    ----------
    source : str or Path
        The path of a CSV file, or the name of a record of the library (`pyeongchang-2018`).
    scenario : Scenario
        Whose actors, actions, aliases and calendar give the lines their meaning.

    Raises
    ------
    ScenarioError
        With every mistake that was found, in the order of the file.
    """
    text, file = record_text(source)
    return parse_record(text, scenario, file=file)


def record_text(source: str | Path) -> tuple[str, str]:
    """The text of a record, and what messages call its file. Raises `ScenarioError`."""
    if isinstance(source, str) and source in library.record_names():
        return library.record_text(source), f"{source}.csv"
    try:
        data = Path(source).read_bytes()
    except (OSError, ValueError) as error:
        known = library.record_names()
        hint = did_you_mean(Path(source).stem, known)
        message = "there is no such file, and no record of that name in the library"
        code = "unknown-name"
        if not isinstance(error, FileNotFoundError | ValueError):
            code, message, hint = "cannot-read", f"cannot be read: {error.strerror}", ""
        raise ScenarioError([Diagnostic(Place(str(source)), code, message, hint)]) from error
    return decode_table(data, str(source)), str(source)


def parse_record(text: str, scenario: Scenario, *, file: str = "<text>") -> Record:
    """Read a record from the text of a file; `file` is what messages call it."""
    problems: list[Diagnostic] = []
    record = record_of(
        read_table(text, file, REQUIRED, OPTIONAL, problems), file, scenario, problems
    )
    if problems:
        raise ScenarioError(sorted(problems, key=lambda problem: problem.place))
    return record


def parse_records(text: str, scenario: Scenario, *, file: str = "<text>") -> dict[str, Record]:
    """Read the records of a panel: those of a file with a column `unit`, by unit.

    The lines of a unit stand in the order of time, those of different units in any order. Without
    the column, the file is the record of one unit, called ''.
    """
    problems: list[Diagnostic] = []
    by_unit: dict[str, list[CsvLine]] = {}
    for line in read_table(text, file, REQUIRED, (*OPTIONAL, UNIT), problems):
        by_unit.setdefault(line[UNIT], []).append(line)
    for line in by_unit[""] if len(by_unit) > 1 and "" in by_unit else ():
        problems.append(
            Diagnostic(line.place, "empty", "the line does not say of which unit it is")
        )
    records = {unit: record_of(lines, file, scenario, problems) for unit, lines in by_unit.items()}
    if problems:
        raise ScenarioError(sorted(problems, key=lambda problem: problem.place))
    return records


def record_of(
    lines: list[CsvLine], file: str, scenario: Scenario, problems: list[Diagnostic]
) -> Record:
    """The record that some lines make; mistakes are appended to `problems`."""
    reader = RecordReader(scenario, problems)
    for line in lines:
        reader.read(line)
    within = [entry for entry in reader.entries if 1 <= entry.t <= reader.horizon]
    return Record(
        file=file,
        entries=tuple(within),
        silence=reader.silence,
        standing=tuple(reader.standing),
        last=max((entry.t for entry in within if entry.used), default=0),
        unused=tuple(entry for entry in reader.entries if entry not in within),
        warnings=tuple(outside(reader.entries, scenario)),
    )


def scope_of(scenario: Scenario) -> Scope:
    """The names that formulas outside of a scenario's own file may use of it."""
    return Scope(
        variables={key: variable.names for key, variable in scenario.variables.items()},
        actors={key: actor.types for key, actor in scenario.actors.items()},
        parameters={key: parameter.of for key, parameter in scenario.parameters.items()},
        dated=scenario.calendar.start is not None,
        forever=scenario.forever,
        covariates=tuple(scenario.covariates),
    )


def outside(entries: Sequence[Observation], scenario: Scenario) -> Iterator[Diagnostic]:
    """A warning about the lines before the start, and one about those after the horizon."""
    calendar, horizon = scenario.calendar, scenario.periods or math.inf
    early = [entry for entry in entries if entry.t < 1]
    late = [entry for entry in entries if entry.t > horizon]
    covers = f"the scenario begins with {calendar.label(1)}"
    if late:
        covers += f" and ends with {calendar.label(int(horizon))}"
    for lines, when in ((early, "before the scenario begins"), (late, "after it ends")):
        if not lines:
            continue
        message = f"{lines[0].date} is {when}, so that the line is not used"
        if len(lines) > 1:
            span = f"{lines[0].date} to {lines[-1].date}"
            message = f"{len(lines)} lines, {span}, are {when} and not used"
        yield warning(lines[0].place, "out-of-range", message, covers)


class RecordReader:
    """Gives lines their meaning, one after the other; mistakes go into `problems`."""

    def __init__(self, scenario: Scenario, problems: list[Diagnostic]) -> None:
        self.scenario = scenario
        self.problems = problems
        self.horizon = scenario.periods or math.inf
        self.entries: list[Observation] = []
        self.silence: dict[str, Observation] = {}
        self.standing: list[Observation] = []
        self.moved: Counter[tuple[str, int]] = Counter()
        self.latest: tuple[dt.date | int, str] | None = None
        self.scope = scope_of(scenario)

    def report(self, line: CsvLine, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(line.place, code, message, hint))

    def read(self, line: CsvLine) -> None:
        """One line: kept as it says, if nothing is wrong with it."""
        t, actor = self.time(line), self.actor(line)
        meaning = self.meaning(line, actor)
        if meaning is None or t is None:
            return
        actions, condition = meaning
        entry = Observation(
            place=line.place,
            date=line["date"],
            t=t,
            turn=self.turn(line, actor, t) if actions and 1 <= t <= self.horizon else -1,
            actor=actor if actor in self.scenario.actors else "",
            move=line["move"],
            actions=actions,
            condition=condition,
            note=line["note"],
            source=line["source"],
            seen=tuple(dict.fromkeys(self.scenario.actions[actor][key].seen for key in actions)),
            silent=t == 0 or alias(line["action"] or line["move"]) == UNKNOWN,
            event="" if actor in (STATE, *self.scenario.actors) else actor,
        )
        if line["date"].casefold() != ALWAYS:
            self.entries.append(entry)
        elif condition is not None:
            self.standing.append(entry)
        elif actor in self.silence:
            message = f"what the silence of {actor} means is said already"
            hint = f"by line {self.silence[actor].place.line}"
            self.report(line, "duplicate-name", message, hint)
        elif actions:
            self.silence[actor] = entry

    def meaning(
        self, line: CsvLine, actor: str | None = None
    ) -> tuple[tuple[str, ...], Formula | None] | None:
        """What a line says was done, or was so; None after reporting what is wrong."""
        actor = self.actor(line) if actor is None else actor
        words = line["action"] or line["move"]
        if actor and not words:
            self.report(line, "empty", "the line has no move", f"say what was done, or {CONTEXT}")
        if not actor or not words:
            return None
        if CONTEXT in (line["action"], line["move"]):
            return (), None
        if actor not in self.scenario.actors:
            condition = self.reading(line, words)
            return ((), condition) if condition else None
        actions = self.actions(line, actor, words)
        return None if actions is None else (actions, None)

    def reading(self, line: CsvLine, words: str) -> Formula | None:
        """What was read of the state; None after reporting what is wrong."""
        problems: list[Diagnostic] = []
        condition = parse(words, line.place, self.scope, READING, problems)
        self.problems += with_example(problems, self.scope)
        return condition

    def time(self, line: CsvLine) -> int | None:
        """The period of a line; 0 for `always`, None after reporting what is wrong."""
        text, calendar = line["date"], self.scenario.calendar
        if text.casefold() == ALWAYS:
            return 0
        when: dt.date | int
        if calendar.start is None:
            if not re.fullmatch(r"[0-9]{1,6}", text):
                hint = f"play is not dated: write the number of the {calendar.unit}, or `{ALWAYS}`"
                self.report(line, "date", f"`{text}` is no number of a period", hint)
                return None
            when = t = int(text)
        else:
            monthly = calendar.unit in MONTHS
            try:
                when = parse_date(text, monthly=monthly)
            except ValueError:
                form = f"write it as in 2018-02-23, or `{ALWAYS}`"
                self.report(line, "date", *explain(text, monthly=monthly, otherwise=form))
                return None
            t = calendar.period(when)
        if self.latest is not None and when < self.latest[0]:  # type: ignore[operator]
            message = f"{text} stands after {self.latest[1]}"
            self.report(line, "order", message, "sort the lines by date, the earliest first")
        else:
            self.latest = (when, text)
        return t

    def actor(self, line: CsvLine) -> str:
        """The key of a line's actor or event, or `state`; '' after reporting that there is none."""
        actors, events = self.scenario.actors, self.scenario.events
        names = {alias(key): key for key in events}
        names |= {alias(STATE): STATE} | {alias(actor.name): key for key, actor in actors.items()}
        names |= {alias(key): key for key in actors}
        if alias(line["actor"]) not in names:
            known = list(dict.fromkeys([*actors, STATE, *(a.name for a in actors.values())]))
            # Where there are many events, who acts is told all the same.
            hint = did_you_mean(line["actor"], [*known, *events])
            hint = hint or did_you_mean(line["actor"], known)
            either = "neither an actor nor an event" if events else "not an actor"
            self.report(line, "unknown-name", f"`{line['actor']}` is {either}", hint)
        return names.get(alias(line["actor"]), "")

    def actions(self, line: CsvLine, actor: str, words: str) -> tuple[str, ...] | None:
        """What an actor may have done, by the words of a line."""
        known = {who: looks_of(own) for who, own in self.scenario.actions.items()}
        mine = known.pop(actor, {})
        entries = self.scenario.actions.get(actor, {})
        if alias(words) == UNKNOWN:
            return tuple(entries)
        actions, unknown = resolve(words, mine)
        hidden = unseen(entries)
        for word in unknown:
            others = [who for who, names in known.items() if alias(word) in names]
            hint = did_you_mean(word, [*mine, CONTEXT, UNKNOWN])
            if alias(word) in hidden:
                hint = f"a record has what all saw: write `{hidden[alias(word)]}`, as it is seen"
            elif others:
                hint = f"it is an action of {listing(others)}"
            elif not hint.startswith("did"):
                hint = f"{hint or 'its actions are ' + listing(entries)}; name the action in the "
                hint += f"column `action`, or write {CONTEXT} there"
            self.report(line, "unknown-name", f"`{word}` is no action of {actor}", hint)
        looks = {entries[key].seen for key in actions}
        alike = tuple(key for key, action in entries.items() if action.seen in looks)
        return None if unknown else (actions if len(alike) == len(actions) else alike)

    def turn(self, line: CsvLine, actor: str, t: int) -> int:
        """The turn of a move: an actor's moves of a period go to its turns in their order."""
        turns = [k for k, turn in enumerate(self.scenario.turns) if actor in turn.who]
        self.moved[actor, t] += 1
        count = self.moved[actor, t]
        if count <= len(turns):
            return turns[count - 1]
        period = self.scenario.calendar.label(t)
        often = {0: "never", 1: "once"}.get(len(turns), f"{len(turns)} times")
        message = f"move {count} of {actor} in {period}, in which it moves {often}"
        hint = f"keep the one that counts, and write {CONTEXT} as the `action` of the other"
        self.report(line, "too-many-moves", message, hint)
        return -1
