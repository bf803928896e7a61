"""Tables of counts: how often moves were made together at a state, unit by unit.

A row has the unit, the level of each variable of the state that tells states apart (a column by
its name), the move of each actor of a turn (a column by the actor's key, empty or `?` where it is
not known), and the number of times. Where a period has several turns, a column `turn` says which,
counted from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.csv_table import CsvLine, column_names, read_table, table_text
from detente.scenario.entities import Variable
from detente.scenario.hints import alias, did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.observations import UNIT

NUMBER, TURN = "number", "turn"
UNKNOWN = ("", "?")


@dataclass(frozen=True, slots=True)
class Count:
    """How often moves were made at a state: levels by variable, actions by actor."""

    place: Place
    turn: int
    levels: Mapping[str, int]
    moves: Mapping[str, str]
    number: float

    def problem(self, code: str, message: str, hint: str = "") -> Diagnostic:
        """A mistake in its row."""
        return Diagnostic(self.place, code, message, hint)


def read_counts(
    scenario: Scenario, source: str | Path, alone: str = ""
) -> dict[str, tuple[Count, ...]]:
    """The counts of a file by unit.

    A file without a column `unit` is of one: of `alone`, or it is called by the file's name.

    Raises
    ------
    ScenarioError
        With every mistake that was found, in the order of the file.
    """
    path, file = Path(source), str(source)
    text = table_text(path)
    reader = _Reader(scenario, [])
    columns = column_names(text)
    known = {alias(name): name for name in (*scenario.variables, *reader.movers)}
    strange = [c for c in columns if c not in known and c not in (UNIT, NUMBER, TURN)]
    for column in strange:
        hint = did_you_mean(column, [UNIT, *known.values(), NUMBER])
        message = f"`{column}` is neither a variable of the state nor an actor who moves"
        reader.problems.append(Diagnostic(Place(file, 1), "unknown-name", message, hint))
    if strange:
        raise ScenarioError(reader.problems)
    named = {name: column for column, name in known.items() if column in columns}
    rows = read_table(text, file, (NUMBER,), (UNIT, TURN, *known), reader.problems)
    by_unit: dict[str, list[Count]] = {}
    for row in rows:
        count = reader.read(row, named)
        if count:
            by_unit.setdefault(row[UNIT] or alone or path.stem, []).append(count)
    if not rows and not reader.problems:
        reader.problems.append(Diagnostic(Place(file), "empty", "the table has no counts"))
    if reader.problems:
        raise ScenarioError(sorted(reader.problems, key=lambda problem: problem.place))
    return {unit: tuple(counts) for unit, counts in by_unit.items()}


class _Reader:
    """Gives rows their meaning; mistakes go into `problems`."""

    def __init__(self, scenario: Scenario, problems: list[Diagnostic]) -> None:
        self.scenario, self.problems = scenario, problems
        self.turns = [k for k, turn in enumerate(scenario.turns) if turn.who]
        self.movers = list(dict.fromkeys(i for k in self.turns for i in scenario.turns[k].who))
        self.levels = {
            key: {alias(variable.label(k)): k for k in range(variable.size)}
            for key, variable in scenario.variables.items()
        }

    def read(self, row: CsvLine, columns: Mapping[str, str]) -> Count | None:
        """A row, or None after reporting what is wrong with it."""
        before = len(self.problems)
        moves, levels = {}, {}
        for name, column in columns.items():
            if name in self.scenario.variables:
                levels[name] = self.level(row, self.scenario.variables[name], row[column])
            elif row[column] not in UNKNOWN:
                moves[name] = self.move(row, name, row[column])
        count = Count(row.place, self.turn(row, moves), levels, moves, self.number(row))
        return count if len(self.problems) == before else None

    def report(self, row: CsvLine, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(row.place, code, message, hint))

    def number(self, row: CsvLine) -> float:
        try:
            number = float(row[NUMBER])
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            self.report(row, "wrong-type", f"`{row[NUMBER]}` is not a number of times")
        return number

    def level(self, row: CsvLine, variable: Variable, text: str) -> int:
        level = self.levels[variable.key].get(alias(text))
        if level is None:
            hint = did_you_mean(text, [variable.label(k) for k in range(variable.size)])
            self.report(row, "level", f"`{text}` is not a level of {variable.key}", hint)
        return level or 0

    def move(self, row: CsvLine, actor: str, text: str) -> str:
        own = self.scenario.actions[actor]
        known = {alias(name): key for key, a in own.items() for name in (key, *a.names)}
        if alias(text) not in known:
            hint = did_you_mean(text, list(own))
            self.report(row, "unknown-name", f"`{text}` is no action of {actor}", hint)
        return known.get(alias(text), "")

    def turn(self, row: CsvLine, moves: Mapping[str, str]) -> int:
        """The turn of a row, and whether those who moved have it."""
        turns = self.turns
        if row[TURN]:
            number = int(row[TURN]) - 1 if row[TURN].isdigit() else -1
            turns = [number] if number in turns else []
            if not turns:
                self.report(row, "turns", f"`{row[TURN]}` is not the number of a turn of actors")
                return 0
        fitting = [k for k in turns if set(moves) <= set(self.scenario.turns[k].who)]
        if not moves:
            self.report(row, "empty", "the row has no move", f"give one of {listing(self.movers)}")
        elif not fitting:
            has = "has no turn here" if len(moves) == 1 else "have no turn together"
            self.report(row, "turns", f"{listing(moves)} {has}")
        elif len(fitting) > 1:
            message = f"{listing(moves)} has several turns a period"
            self.report(row, "turns", message, f"say which in a column `{TURN}`")
        return fitting[0] if fitting else 0
