"""What is observed of a panel: units, their covariates, and their records.

A file of records has a column `unit`, or is the record of one unit that is called by the file's
name. A table of units has a row for each: the column `unit`, a column for each covariate of the
scenario, and any others (by which standard errors may be clustered).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from detente.dtypes import Floats
from detente.errors import Diagnostic, Place, Problems, ScenarioError, warning
from detente.estimation.counts import Count, read_counts
from detente.scenario.csv_table import CsvLine, column_names, read_table, table_text
from detente.scenario.hints import alias, did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.observations import UNIT, Record, parse_records, record_text

Source = str | Path | Record | Mapping[str, Record]
"""Of records: a file, one that was read, or several by unit."""

NEGLIGIBLE = 1e-9
"""Part of a covariate's spread that is none: what is left of it beside others is rounding."""

ABSENT = frozenset(("na", "n/a", "nan", "null", "none", "missing", ".", "-", "?", "inf", "-inf"))
"""What tables have where a value is missing."""

MOST_NAMED = 5
"""Units that one message names."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, its record or its counts, its covariates, and what else its row says, by column."""

    name: str
    record: Record
    covariates: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    counts: tuple[Count, ...] = ()

    @property
    def observed(self) -> int:
        """How many observations there are of it: lines with a meaning, or joint moves."""
        counted = round(sum(count.number for count in self.counts))
        return counted + sum(entry.used for entry in self.record.entries)


@dataclass(frozen=True, slots=True)
class Panel:
    """All units, what was read for it, and what is doubtful about it."""

    units: tuple[Unit, ...]
    files: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def digest(self) -> str:
        """What tells its data from others, whatever files they stand in."""
        kept = hashlib.sha256()
        for unit in self.units:
            record = unit.record
            lines = (*record.entries, *record.standing, *record.silence.values())
            said = [
                (line.t, line.turn, line.actor or line.event, line.actions, line.label)
                for line in lines
            ]
            data = unit.name, said, dict(unit.covariates), dict(unit.labels), unit.counts
            kept.update(repr(data).encode())
        return kept.hexdigest()


Records = Sequence[Source] | Source
"""One source of records, or several."""


def listed(records: Records) -> list[Source]:
    """One or several, as a list."""
    return [records] if isinstance(records, str | Path | Record | Mapping) else list(records)


def read_panel(
    scenario: Scenario,
    records: Sequence[Source],
    units: str | Path | None = None,
    counts: str | Path | None = None,
) -> Panel:
    """The units of a panel, from files of records or of counts, and a table of units.

    Raises
    ------
    ScenarioError
        With every mistake that was found in any of the files: units of which there is a row and no
        record or the other way round, covariates that are missing or no numbers.
    """
    problems = Problems()
    by_unit: dict[str, Unit] = {}
    files = []
    if counts is not None:
        file = str(counts)
        none = Record(file=file, entries=(), silence={}, standing=(), last=0)
        by_unit = {
            name: Unit(name, none, counts=own)
            for name, own in read_counts(scenario, counts).items()
        }
        files.append(file)
    for source in records:
        with problems.gather():
            read = _records(scenario, source)
            for name, record in read.items():
                if name in by_unit:
                    message = f"there is a record of the unit `{name}` already"
                    raise ScenarioError([Diagnostic(Place(record.file), "duplicate-name", message)])
                by_unit[name] = Unit(name, record)
            files.append(next(iter(read.values())).file)
    problems.refuse()
    if not by_unit:
        problems.add("records", "missing", "there is nothing to estimate from", "give a record")
        problems.refuse()
    warnings = [w for unit in by_unit.values() for w in unit.record.warnings]
    if units is None:
        made = list(by_unit.values())
        warnings += _no_table(scenario)
    else:
        made = _with_rows(scenario, by_unit, Path(units))
        files.append(str(units))
        warnings += _doubts(scenario, made, str(units))
    idle = [unit.name for unit in made if not unit.observed]
    if len(idle) == len(made):
        problems.add("records", "empty", "the records have no observation with a meaning")
        problems.refuse()
    if idle:
        message = f"{_named(idle)} without an observation count nothing"
        warnings.append(warning(Place(files[0]), "empty", message))
    return Panel(tuple(made), tuple(dict.fromkeys(files)), tuple(warnings))


def _named(units: Sequence[str]) -> str:
    """Some units in a message."""
    names = listing(units[:MOST_NAMED])
    if len(units) > MOST_NAMED:
        return f"{len(units)} units, among them {names},"
    return f"the unit{'s' if len(units) > 1 else ''} {names}"


def _records(scenario: Scenario, source: Source) -> dict[str, Record]:
    """The records of a file by unit."""
    if isinstance(source, Mapping):
        records = dict(source)
    elif isinstance(source, Record):
        records = {"": source}
    else:
        text, file = record_text(source)
        records = parse_records(text, scenario, file=file)
        if not records:
            raise ScenarioError([Diagnostic(Place(file), "empty", "the file has no lines")])
    return {name or Path(record.file).stem: record for name, record in records.items()}


def _with_rows(scenario: Scenario, records: Mapping[str, Unit], path: Path) -> list[Unit]:
    """The units of a table, each with its record."""
    text = table_text(path)
    problems: list[Diagnostic] = []
    columns = column_names(text)
    covariates = {alias(key): key for key in scenario.covariates}
    needed = [UNIT, *covariates]
    absent = [key for name, key in covariates.items() if name not in columns]
    if absent and UNIT in columns:
        message = f"there is no column for the covariate{'s' * (len(absent) > 1)} {listing(absent)}"
        hint = did_you_mean(absent[0], [name for name in columns if name not in needed])
        problems.append(Diagnostic(Place(str(path), 1), "missing", message, hint))
        raise ScenarioError(problems)
    rows = read_table(text, str(path), needed, [c for c in columns if c not in needed], problems)
    units: list[Unit] = []
    known: set[str] = set()
    for row in rows:
        name = row[UNIT]
        if name in known:
            problems.append(Diagnostic(row.place, "duplicate-name", f"`{name}` has a row already"))
        elif name not in records:
            message = f"there is no record of the unit `{name}`"
            hint = did_you_mean(name, records)
            problems.append(Diagnostic(row.place, "missing", message, hint))
        known.add(name)
        values = {key: _value(row, column, problems) for column, key in covariates.items()}
        labels = {column: row[column] for column in columns if column not in needed}
        if name in records:
            units.append(replace(records[name], covariates=values, labels=labels))
    without = [name for name in records if name not in known]
    if without and rows:
        message = f"there is no row for {_named(without)} of which there are records"
        problems.append(Diagnostic(Place(str(path)), "missing", message))
    if problems:
        raise ScenarioError(sorted(problems, key=lambda problem: problem.place))
    return units


def _value(row: CsvLine, column: str, problems: list[Diagnostic]) -> float:
    text = row[column]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = f"the covariate `{column}` of `{row[UNIT]}` is `{text}`, not a number"
        hint = "leave the unit out of all files, or say what it is"
        if text and text.lower() not in ABSENT:
            hint = "of kinds, give each but one a covariate of its own, which is 0 or 1"
        problems.append(Diagnostic(row.place, "missing", message, hint))
    return value


def _no_table(scenario: Scenario) -> list[Diagnostic]:
    """That covariates are taken from the file, where there are any."""
    if not scenario.covariates:
        return []
    message = f"the covariates {listing(scenario.covariates)} have the scenario's values"
    place = Place(argument="units")
    return [warning(place, "missing", message, "give a table of units with `units=`")]


def collinear(units: Sequence[Unit]) -> list[str]:
    """Covariates that follow from others and a constant in all units, each in a sentence."""
    table = {key: np.array([unit.covariates[key] for unit in units]) for key in units[0].covariates}
    kept: dict[str, Floats] = {}
    told = []
    for key, column in table.items():
        apart = column - column.mean()
        spread = float(np.abs(apart).max(initial=0.0))
        if spread <= NEGLIGIBLE * max(float(np.abs(column).max(initial=0.0)), 1e-300):
            continue  # constant: that has been told
        apart = apart / spread
        others = np.stack(list(kept.values()), axis=1) if kept else np.zeros((len(units), 0))
        shares = np.linalg.lstsq(others, apart)[0]
        if np.abs(apart - others @ shares).max() > NEGLIGIBLE:
            kept[key] = apart
            continue
        by = [name for name, share in zip(kept, shares, strict=True) if abs(share) > NEGLIGIBLE]
        named = listing(by[:MOST_NAMED]) + " and others" * (len(by) > MOST_NAMED)
        told.append(
            f"the covariate `{key}` follows from {named} in all units: what belongs to them cannot "
            "be told apart; leave one of them out"
        )
    return told


def _doubts(scenario: Scenario, units: Sequence[Unit], file: str) -> list[Diagnostic]:
    """Covariates that are the same in all units: nothing can be learnt from them."""
    same = [
        key
        for key in scenario.covariates
        if len(units) > 1 and len({unit.covariates[key] for unit in units}) == 1
    ]
    if len(same) <= MOST_NAMED:
        what = [f"covariate `{key}` is" for key in same]
    else:
        what = [f"covariates {listing(same[:MOST_NAMED])} and {len(same) - MOST_NAMED} more are"]
    return [warning(Place(file), "constant", f"the {one} the same in all units") for one in what]
