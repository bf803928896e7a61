"""Parts: the Parquet files in which the rows of a run are kept, written and read by DuckDB.

A part's name has its number, how often it was written anew, and a digest of the file: a bit that
has been lost is seen before anything is read from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from detente.ensembles.rows import CRASHED, SOLVED, Key, Row, key_of
from detente.files import scratch, settle

ERRNO = re.compile(r'"errno":"(\d+)"')
"""How DuckDB says what the system refused."""

DIED = f"(status = '{CRASHED}')"
"""In a query, whether the process of a row died."""

NAME = re.compile(r"part-(\d{5,})-(\d+)-([0-9a-f]{16})\.parquet")


class Batch:
    """Rows on their way to a part: by column, each number in the eight bytes that it needs.

    keys
        Of the tasks that they are of.
    """

    def __init__(self, types: Mapping[str, str]) -> None:
        self.keys: set[Key] = set()
        self._types = types
        self._columns: dict[str, array[float] | list[object]] = {
            name: [] if kind == "VARCHAR" else array("d") for name, kind in types.items()
        }

    def append(self, rows: Sequence[Row]) -> None:
        """The rows of one task."""
        self.keys.add(key_of(rows))
        for name, column in self._columns.items():
            column.extend(row.get(name, math.nan) for row in rows)  # type: ignore[misc]

    def write(self, path: Path) -> None:
        """Write them as a part. Raises `OSError`."""
        frame = pd.DataFrame(
            {
                name: column if isinstance(column, list) else np.array(column)
                for name, column in self._columns.items()
            }
        ).replace([math.inf, -math.inf], math.nan)
        with _database() as database:
            database.register("batch", frame)
            file = quoted(str(path.absolute()))
            query = f"SELECT {cast(self._types)} FROM batch ORDER BY draw, beliefs"
            database.execute(f"COPY ({query}) TO {file} (FORMAT parquet, COMPRESSION zstd)")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts in a folder: whole, damaged, and what is none of them but looks like one.

    Of a part that was written anew the latest file that is whole counts; `old` has the others.
    """

    whole: tuple[Path, ...]
    damaged: tuple[Path, ...]
    strange: tuple[Path, ...]
    old: tuple[Path, ...]


def find_parts(folder: Path) -> Parts:
    """Look at all parts in a folder, which may be being written. Raises `OSError`."""
    named = {path: NAME.fullmatch(path.name) for path in sorted(folder.glob("part-*.parquet"))}
    try:
        files = sorted((int(m[1]), int(m[2]), p, digest(p) == m[3]) for p, m in named.items() if m)
    except FileNotFoundError:  # it has just been written anew
        return find_parts(folder)
    latest = {number: path for number, _, path, sound in files if sound}
    return Parts(
        whole=tuple(latest.values()),
        damaged=tuple(path for number, _, path, _ in files if number not in latest),
        strange=tuple(path for path, match in named.items() if not match),
        old=tuple(p for number, _, p, _ in files if latest.get(number, p) != p),
    )


def part_number(part: Path) -> tuple[int, int]:
    """A part's number, and how often it was written anew."""
    match = NAME.fullmatch(part.name)
    assert match is not None
    return int(match[1]), int(match[2])


def write_part(batch: Batch, folder: Path, number: int, times: int) -> Path:
    """Write a part, whose name says what is in it. Raises `OSError`; then nothing is left of it."""
    hidden = folder / f".part-{number:05d}.parquet"
    with scratch(hidden):
        batch.write(hidden)
        part = folder / f"part-{number:05d}-{times}-{digest(hidden)}.parquet"
        settle(hidden, part)
    return part


def digest(path: Path) -> str:
    """That of a file's content, as it stands in a part's name. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory that takes nothing from the network and no variables of Python."""
    return duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "python_enable_replacements": False,
            "temp_directory": str(Path(tempfile.gettempdir()) / "detente-duckdb"),
        }
    )


@contextlib.contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database for one query, whose errors are those of files."""
    with connect() as database:
        try:
            yield database
        except duckdb.Error as error:
            text = str(error).splitlines()[0]
            number = int(match[1]) if (match := ERRNO.search(text)) else 0
            raise OSError(number, os.strerror(number) if number else text) from error


def cast(types: Mapping[str, str]) -> str:
    """Columns of a query, with their types."""
    return ", ".join(f"CAST({named(c)} AS {t}) AS {named(c)}" for c, t in types.items())


def scan(parts: Sequence[Path]) -> str:
    """The parts as a table of a query."""
    return f"read_parquet([{', '.join(quoted(str(part.absolute())) for part in parts)}])"


def named(column: str) -> str:
    """A column's name as it stands in a query."""
    return '"' + column.replace('"', '""') + '"'


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def tasks_in(parts: Sequence[Path]) -> dict[Key, tuple[bool, bool]]:
    """By key, whether all rows of a task say that its process died, and whether one has failed
    otherwise. Raises `OSError`."""
    if not parts:
        return {}
    died, failed = f"bool_and({DIED})", f"bool_or(status <> {quoted(SOLVED)} AND NOT {DIED})"
    query = f"SELECT draw, beliefs, {died}, {failed} FROM {scan(parts)} GROUP BY draw, beliefs"
    with _database() as database:
        return {(d, points): (x, y) for d, points, x, y in database.sql(query).fetchall()}
