"""How results leave: as text or JSON to stdout; their tables and pictures into files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detente import files
from detente.cli import console, inputs

if TYPE_CHECKING:
    from detente.describe.blocks import Described

UNFIT = re.compile(r"[^-.\w]+")
"""What the names of files do without."""

FORMS = (".svg", ".png", ".pdf")

DRAWING = {"matplotlib": "matplotlib", "scipy": "SciPy"}
"""Packages by the name under which they are imported: of the extra `report`."""


@dataclass(frozen=True)
class TableOptions:
    """How a result of tables leaves."""

    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FOLDER", help="Write its tables into this folder, as CSV."),
    ] = None
    force: inputs.Force = False
    as_json: inputs.Json = False

    def check(self, read: Sequence[str | Path] = ()) -> None:
        """Refuse early what could not be written after all the work; `read` are the inputs."""
        if self.csv is None:
            return
        if self.csv.suffix == ".csv" or self.csv.is_file():
            hint = "name a folder: each of the tables is a file"
            inputs.refuse("--csv", "wrong-type", f"`{self.csv}` is a file", hint)
        if not self.csv.is_dir():
            files.check(self.csv)
        elif not self.force and any(self.csv.glob("*.csv")):
            message = f"there are tables in `{self.csv}` already"
            inputs.refuse("--csv", "exists", message, files.IN_THE_WAY)

    def show(self, result: Described, read: Sequence[str | Path] = ()) -> None:
        """Print a result and write its files; exit code 1 where something was not solved."""
        unsolved = console.say_unsolved(result.unsolved)
        if self.as_json:
            console.print_json(result.data)
        else:
            from detente.render.terminal import print_described

            print_described(result)
        self.write(result, read)
        if unsolved:
            raise typer.Exit(1)

    def write(self, result: Described, read: Sequence[str | Path]) -> None:
        """Write the files that were asked for, and say where."""
        if self.csv is None:
            return
        from detente.render.data import tables, to_csv

        self.csv.mkdir(exist_ok=True)
        for name, table in tables(result.data):
            file = UNFIT.sub("-", name)
            files.write(self.csv / f"{file}.csv", to_csv(table), inputs=read, force=self.force)
        console.say(f"Wrote the tables into {self.csv}.", error=True)


@dataclass(frozen=True)
class ResultOptions(TableOptions):
    """The same of a result with pictures."""

    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw it: a file in .svg, .png or .pdf (needs matplotlib).",
        ),
    ] = None

    def check(self, read: Sequence[str | Path] = ()) -> None:
        """Refuse early what could not be written after all the work; `read` are the inputs."""
        super().check(read)
        if self.plot is None:
            return
        if self.plot.suffix.lower() not in FORMS:
            message = f"`{self.plot.name}` does not say in which format"
            inputs.refuse("--plot", "wrong-type", message, f"let it end with {', '.join(FORMS)}")
        if not self.plot.parent.is_dir():
            inputs.refuse("--plot", "cannot-write", f"there is no folder `{self.plot.parent}`")
        files.check(self.plot, inputs=read, force=self.force)
        inputs.check_packages("--plot", "drawing needs", DRAWING, "report")

    def write(self, result: Described, read: Sequence[str | Path]) -> None:
        """Write the files that were asked for, and say where."""
        super().write(result, read)
        if self.plot is None:
            return
        from detente.pictures.draw import to_file

        form = self.plot.suffix.lower().removeprefix(".")
        drawn = to_file(result.title, result.pictures(), form)
        files.write(self.plot, drawn, inputs=read, force=self.force)
        console.say(f"Wrote {self.plot}.", error=True)
