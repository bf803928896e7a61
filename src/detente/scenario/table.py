"""Tables in CSV with a place for each line, and words that stand for one name or for several."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detente.errors import Diagnostic, Place
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.names import alias

OR = re.compile(r"\s+or\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: its place, and its cells by column. A column left out has empty ones."""

    place: Place
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def read_table(
    text: str,
    file: str,
    required: Sequence[str],
    optional: Sequence[str],
    problems: list[Diagnostic],
) -> list[Line]:
    """The lines of a table in CSV, whose first line names the columns.

    Empty lines, and those that begin with `#`, are passed over. What is wrong is appended to
    `problems`; lines that cannot be read are left out.
    """
    rows = list(_rows(text, file, problems))
    if not rows:
        if not problems:
            message = "the file has no line with the names of the columns"
            hint = f"begin it with {','.join((*required, *optional))}"
            problems.append(Diagnostic(Place(file), "empty", message, hint))
        return []
    place, header = rows[0]
    columns = [alias(name) for name in header]
    known = [*required, *optional]
    for k, name in enumerate(columns):
        if name not in known:
            hint = did_you_mean(name, known)
            problems.append(
                Diagnostic(place, "unknown-column", f"there is no column `{name}`", hint)
            )
        elif name in columns[:k]:
            problems.append(
                Diagnostic(place, "duplicate-name", f"the column `{name}` stands twice")
            )
    missing = [name for name in required if name not in columns]
    if missing:
        what = "column" if len(missing) == 1 else "columns"
        message = f"the {what} {listing(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        hint = "the first line names the columns, with commas between them"
        problems.append(Diagnostic(place, "missing", message, hint))
        return []
    lines = []
    for where, cells in rows[1:]:
        if len(cells) != len(columns):
            message = f"the line has {len(cells)} cells, the table {len(columns)} columns"
            hint = 'a cell that has a comma in it is written in quotes: "…, …"'
            problems.append(Diagnostic(where, "cells", message, hint))
            continue
        lines.append(Line(where, dict(zip(columns, cells, strict=True))))
    return lines


def _rows(text: str, file: str, problems: list[Diagnostic]) -> Iterator[tuple[Place, list[str]]]:
    """The rows of a CSV file with the places at which they begin."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            message = f"the line cannot be read as CSV: {error}"
            hint = 'a quote within a cell is doubled: ""'
            problems.append(Diagnostic(Place(file, begin), "csv", message, hint))
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#"):
            yield Place(file, begin), [" ".join(cell.split()) for cell in cells]


def resolve(words: str, known: Mapping[str, str]) -> tuple[tuple[str, ...], list[str]]:
    """The names that words stand for, one or several with `or` between them, and unknown words.

    `known` gives names by their `alias`.
    """
    whole = known.get(alias(words))
    if whole is not None:
        return (whole,), []
    parts = OR.split(words.strip())
    found = dict.fromkeys(known[alias(part)] for part in parts if alias(part) in known)
    return tuple(found), [part for part in parts if alias(part) not in known]
