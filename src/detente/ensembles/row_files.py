"""Parts: the files in which rows of worlds are kept for good, read and written by DuckDB.

A part's name has its number, how often it was written anew, and a digest of the file: a bit that
has been lost is seen before anything is read from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from detente.ensembles.batch import CRASHED, SOLVED, Batch, World

NAME = re.compile(r"part-(\d{5,})-(\d+)-([0-9a-f]{16})\.parquet")


@dataclass(frozen=True, slots=True)
class RowFiles:
    """The parts in a folder: whole, damaged, and what is none of them but looks like one.

    Of a part that was written anew the latest file that is whole counts; `old` has the others.
    """

    whole: tuple[Path, ...]
    damaged: tuple[Path, ...]
    strange: tuple[Path, ...]
    old: tuple[Path, ...]


def find_parts(folder: Path) -> RowFiles:
    """Look at all parts in a folder. Raises `OSError`."""
    named = {path: NAME.fullmatch(path.name) for path in sorted(folder.glob("part-*.parquet"))}
    found = sorted((int(m[1]), int(m[2]), path, m[3]) for path, m in named.items() if m)
    latest: dict[int, Path] = {}
    damaged = []
    for number, _, path, kept in found:
        if digest(path) == kept:
            latest[number] = path
        else:
            damaged.append((number, path))
    whole = set(latest.values())
    lost = tuple(path for number, path in damaged if number not in latest)
    return RowFiles(
        whole=tuple(latest.values()),
        damaged=lost,
        strange=tuple(path for path, match in named.items() if not match),
        old=tuple(path for _, _, path, _ in found if path not in whole and path not in lost),
    )


def part_name(number: int, times: int, kept: str) -> str:
    """What a part is called that was written anew so many times."""
    return f"part-{number:05d}-{times}-{kept}.parquet"


def part_number(part: Path) -> tuple[int, int]:
    """A part's number, and how often it was written anew."""
    match = NAME.fullmatch(part.name)
    assert match is not None
    return int(match[1]), int(match[2])


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


def scan(parts: Sequence[Path]) -> str:
    """The parts as a table of a query."""
    files = ", ".join(quoted(str(part.absolute())) for part in parts)
    return f"read_parquet([{files}])"


def named(column: str) -> str:
    """A column's name as it stands in a query."""
    return '"' + column.replace('"', '""') + '"'


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def worlds_in(parts: Sequence[Path]) -> dict[World, bool]:
    """The worlds in the parts, and whether a row of theirs has failed. Raises `OSError`."""
    if not parts:
        return {}
    query = (
        f"SELECT draw, beliefs, bool_or(status <> {quoted(SOLVED)}) FROM {scan(parts)} "
        "GROUP BY draw, beliefs"
    )
    with _database() as database:
        return {(d, points): failed for d, points, failed in database.sql(query).fetchall()}


def write_part(batch: Batch, path: Path) -> None:
    """Write rows as a part. Raises `OSError`."""
    cast = ", ".join(f"CAST({named(c)} AS {t}) AS {named(c)}" for c, t in batch.types.items())
    with _database() as database:
        database.register("batch", batch.frame())
        database.execute(_copy(f"SELECT {cast} FROM batch ORDER BY draw, beliefs", path))


def any_crashed(part: Path) -> bool:
    """Whether it has a world whose process died. Raises `OSError`."""
    with _database() as database:
        return bool(database.sql(f"{_crashed(part)} LIMIT 1").fetchall())


def copy_without_crashed(part: Path, path: Path) -> None:
    """Write a part anew without the worlds whose process died. Raises `OSError`."""
    others = f"SELECT * FROM {scan([part])} WHERE (draw, beliefs) NOT IN ({_crashed(part)})"
    with _database() as database:
        database.execute(_copy(others, path))


def _crashed(part: Path) -> str:
    return f"SELECT (draw, beliefs) FROM {scan([part])} WHERE status = {quoted(CRASHED)}"


def _copy(query: str, path: Path) -> str:
    return f"COPY ({query}) TO {quoted(str(path.absolute()))} (FORMAT parquet, COMPRESSION zstd)"


@contextlib.contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database for one query, whose errors are those of files."""
    with connect() as database:
        try:
            yield database
        except duckdb.Error as error:
            raise OSError(0, str(error).splitlines()[0]) from error
