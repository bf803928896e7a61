"""`detente code`: from anybody's chronology to a codebook, and from both to a record of moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detente import files
from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import SCENARIO, refuse
from detente.cli.options import ScenarioOptions
from detente.cli.results import TableOptions
from detente.errors import Place, ScenarioError

if TYPE_CHECKING:
    from detente.scenario.chronology import Chronology
    from detente.scenario.model import Scenario
    from detente.scenario.observations import Record


@dataclass(frozen=True)
class CodingOptions:
    """How the events of a chronology become moves."""

    codebook: Annotated[
        Path | None,
        typer.Option(metavar="CODEBOOK.CSV", help="The events' meaning, filled by hand."),
    ] = None
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE=COLUMN,…",
            help="Columns by what they have: date, event (may be repeated), unit, note.",
        ),
    ] = None

    @property
    def read(self) -> list[str]:
        """The files that are read for it."""
        return [str(self.codebook)] if self.codebook else []

    def check(self) -> None:
        """Refuse columns of what is no chronology."""
        if self.columns is not None and self.codebook is None:
            message = "a record has columns of its own"
            refuse("--columns", "too-many", message, "leave it out, or give a --codebook")

    def chronology(self, source: str) -> Chronology:
        """The events of a file."""
        from detente.scenario.chronology import read_chronology
        from detente.scenario.codebook import read_codebook

        columns = self._columns()
        by_codebook = "event" not in columns and self.codebook is not None
        if self.codebook is not None:
            columns.setdefault("event", list(read_codebook(self.codebook).columns))
        try:
            return read_chronology(source, columns)
        except ScenarioError as error:
            if not by_codebook or {d.code for d in error.diagnostics} != {"unknown-column"}:
                raise
            # Nobody named these columns here.
            place = Place(str(self.codebook), 1)
            raise ScenarioError([replace(d, place=place) for d in error.diagnostics]) from error

    def records(self, source: str, scenario: Scenario) -> Mapping[str, Record]:
        """The records that the events of a file make, by unit."""
        from detente.scenario.codebook import code_chronology, read_codebook

        assert self.codebook is not None
        return code_chronology(self.chronology(source), read_codebook(self.codebook), scenario)

    def _columns(self) -> dict[str, list[str]]:
        columns: dict[str, list[str]] = {}
        for text in self.columns.split(",") if self.columns else ():
            role, equals, column = (part.strip() for part in text.partition("="))
            if not equals or not column:
                hint = "write it as --columns date=month,event=type,event=parties"
                refuse("--columns", "wrong-type", f"`{text}` gives no column to a role", hint)
            columns.setdefault(role, []).append(column)
        return columns


@with_groups
def code(
    events: Annotated[
        str, typer.Argument(metavar="EVENTS.CSV", help="A chronology, with columns of any names.")
    ],
    *,
    scenario: Annotated[str, typer.Option("--scenario", metavar="SCENARIO", help=SCENARIO.help)],
    coding: CodingOptions,
    result: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.CSV",
            help="Write the codebook to be filled, or the moves.",
        ),
    ] = None,
    changes: ScenarioOptions,
    output: TableOptions,
) -> None:
    """List the kinds of event in a chronology, to be filled in; make moves of it by a codebook."""
    read = [events, scenario, *coding.read]
    output.check(read)
    if result is not None:
        files.check(result, inputs=read, force=output.force)
    loaded = changes.load(scenario)
    from detente.describe.codebook import describe_codebook, describe_coded
    from detente.scenario.codebook import draft_codebook, record_csv

    chronology = coding.chronology(events)
    if coding.codebook is None:
        draft = draft_codebook(chronology, loaded)
        described, content = describe_codebook(chronology, draft), draft.to_csv()
    else:
        records = coding.records(events, loaded)
        for record in records.values():
            console.print_diagnostics(record.warnings)
        described, content = describe_coded(chronology, records, loaded), record_csv(records)
    if result is not None:
        files.write(result, content, inputs=read, force=output.force)
        console.say(f"Wrote {result}.", error=True)
    output.show(described, read)
