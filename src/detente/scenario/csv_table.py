"""Tables in CSV with a place for each line, and words that stand for one name or for several."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.hints import alias, did_you_mean, listing

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}
"""What may stand between cells, in words: many of them, and one."""

SPREADSHEET = "sep="
"""How a line begins that tells the separator to a spreadsheet, and nothing to anybody else."""

OR = re.compile(r"\s+or\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvLine:
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
) -> list[CsvLine]:
    """The lines of a table in CSV, whose first line names the columns.

    Between the cells there are commas or, as spreadsheets of many countries write them, semicolons
    or tabs; which, the names of the columns tell. Empty lines, and those that begin with `#`, are
    passed over. What is wrong is appended to `problems`; lines that cannot be read are left out.
    """
    known = [*required, *optional]
    text = text.removeprefix("\ufeff")
    first = _first_line(text)
    separator = _separator(first, known)
    rows = list(_rows(text, file, separator, problems))
    if rows and rows[0][1][0].startswith(SPREADSHEET):
        del rows[0]
    if not rows and not problems:
        message = "the file has no line with the names of the columns"
        hint = f"begin it with {','.join(known)}"
        problems.append(Diagnostic(Place(file), "empty", message, hint))
    if not rows:
        return []
    place, header = rows[0]
    columns = [alias(name) for name in header]
    faults = list(_header_faults(columns, first, separator, required, known))
    problems += [Diagnostic(place, *fault) for fault in faults]
    if any(code in ("separator", "missing") for code, _, _ in faults):
        return []
    lines = []
    for where, cells in rows[1:]:
        if len(cells) == len(columns):
            lines.append(CsvLine(where, dict(zip(columns, cells, strict=True))))
            continue
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        message = f"the line has {count}, the table {len(columns)} columns"
        example = f'"…{separator} …"' if separator != "\t" else '"…"'
        hint = f"a cell that has a {NAMES[separator]} in it is written in quotes: {example}"
        problems.append(Diagnostic(where, "cells", message, hint))
    return lines


def _header_faults(
    columns: list[str], first: str, separator: str, required: Sequence[str], known: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Code, message and hint for what is wrong with the names of the columns."""
    mixed = [other for other in SEPARATORS if other != separator and other in first]
    if mixed or (len(columns) == 1 and columns[0] not in known):
        message = "the first line does not name the columns"
        if mixed:
            both = " and ".join(SEPARATORS[sign] for sign in (separator, *mixed))
            message = f"the first line has {both} between the names of the columns"
        hint = f"begin with {','.join(known)}, and separate the cells of all lines in the same way"
        yield "separator", message, hint
        return
    for k, name in enumerate(columns):
        if name not in known:
            yield "unknown-column", f"there is no column `{name}`", did_you_mean(name, known)
        elif name in columns[:k]:
            yield "duplicate-name", f"the column `{name}` stands twice", ""
    missing = [name for name in required if name not in columns]
    if missing:
        what = "column" if len(missing) == 1 else "columns"
        message = f"the {what} {listing(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        hint = f"the first line names the columns, with {SEPARATORS[separator]} between them"
        yield "missing", message, hint


def table_text(path: str | Path) -> str:
    """The text of a table in a file. Raises `ScenarioError` where it cannot be read."""
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ScenarioError([Diagnostic(Place(str(path)), "cannot-read", message)]) from error
    return decode_table(data, str(path))


def decode_table(data: bytes, file: str) -> str:
    """The text of a file in UTF-8. Raises `ScenarioError`, which says what it is in instead."""
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]:
            raise UnicodeError
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        there = "it seems to be in Windows-1252, as older spreadsheets write CSV"
        place, message = Place(file, line), f"the file is not in UTF-8; {there}"
    except UnicodeError:
        place, message = Place(file), "the file is in UTF-16, not in UTF-8"
    hint = "save it again as `CSV UTF-8`, or in an editor with the encoding UTF-8"
    raise ScenarioError([Diagnostic(place, "encoding", message, hint)])


def column_names(text: str) -> list[str]:
    """The names of a table's columns, as `read_table` knows them."""
    first = _first_line(text.removeprefix("\ufeff"))
    header = next(csv.reader([first], delimiter=_separator(first, ())), [])
    return [alias(name) for name in header if name.strip()]


def _first_line(text: str) -> str:
    """The line with the names of the columns, as it stands there."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(("#", SPREADSHEET)):
            return line
    return ""


def _separator(first: str, known: Sequence[str]) -> str:
    """What stands between the names of the columns: what parts most that are known, or most."""

    def parts(separator: str) -> tuple[int, int]:
        names = [alias(name.strip().strip('"')) for name in first.split(separator)]
        return sum(name in known for name in names), len(names)

    return max(SEPARATORS, key=parts)


def _rows(
    text: str, file: str, separator: str, problems: list[Diagnostic]
) -> Iterator[tuple[Place, list[str]]]:
    """The rows of a CSV file with the places at which they begin."""
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=separator, strict=True)
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
    names = dict.fromkeys(known[alias(part)] for part in parts if alias(part) in known)
    return tuple(names), [part for part in parts if alias(part) not in known]
