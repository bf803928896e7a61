"""Parts: the files in which rows of worlds are kept for good, read and written by DuckDB."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from detente.worlds.batch import CRASHED, SOLVED, Batch, World


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
