"""Rows of worlds on their way to a part: by column, each number in the eight bytes that it needs.

A row is a mapping by column. What is missing from it, or no finite number, is NULL in the part.
"""

from __future__ import annotations

import json
import math
import zlib
from array import array
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

Row = Mapping[str, object]

World = tuple[int, int]
"""The number of a draw, and the belief points on which it is solved."""


SOLVED = "SOLVED"
"""The status of a row that has results."""

CRASHED = "CRASHED"
"""The status of the rows of a world whose process died."""


class Batch:
    """Rows, held by column; `types` has the columns in order, with their types in DuckDB."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self.types = dict(types)
        self.worlds: set[World] = set()
        self._columns = {name: _column(kind) for name, kind in self.types.items()}

    def __len__(self) -> int:
        return len(self._columns["draw"])

    def append(self, rows: Sequence[Row]) -> None:
        """The rows of one world."""
        self.worlds.add(world_of(rows))
        for name, column in self._columns.items():
            if isinstance(column, list):
                column.extend(row.get(name) for row in rows)
            else:
                missing = math.nan if column.typecode == "d" else 0
                column.extend(
                    missing if (value := row.get(name)) is None else value  # type: ignore[misc]
                    for row in rows
                )

    def frame(self) -> pd.DataFrame:
        """The rows as a table; in columns of numbers NaN is what is missing."""
        return pd.DataFrame(
            {
                name: pd.Series(column, dtype=object)
                if isinstance(column, list)
                else np.array(column)
                for name, column in self._columns.items()
            }
        )


def _column(kind: str) -> array[float] | array[int] | list[object]:
    if kind == "DOUBLE":
        return array("d")
    return array("i") if kind == "INTEGER" else []


def world_of(rows: Sequence[Row]) -> World:
    """Which world the rows are of. Raises `ValueError` where they are not of one."""
    try:
        worlds = {(int(row["draw"]), int(row["beliefs"])) for row in rows}  # type: ignore[call-overload]
    except (KeyError, TypeError) as error:
        raise ValueError("these are not rows of a world") from error
    if len(worlds) != 1:
        raise ValueError("these are not the rows of one world")
    return worlds.pop()


def has_failed(rows: Sequence[Row]) -> bool:
    """Whether one of the rows has no results."""
    return any(row.get("status") != SOLVED for row in rows)


def has_crashed(rows: Sequence[Row]) -> bool:
    """Whether the world's process died."""
    return any(row.get("status") == CRASHED for row in rows)


def to_line(rows: Sequence[Row]) -> str:
    """One line for the rows of a world: a check sum, and JSON. Finite numbers come back as they
    were, bit for bit; others, which JSON does not have, are told as missing."""
    plain = [{name: _finite(value) for name, value in row.items()} for row in rows]
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{_sum(text.encode())} {text}"


def _sum(text: bytes) -> str:
    return f"{zlib.crc32(text):08x}"


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_line(line: str | bytes) -> list[Row]:
    """The rows of a world from their line. Raises `ValueError` where it is torn or garbled."""
    data = line.encode() if isinstance(line, str) else line
    kept, _, text = data.partition(b" ")
    if kept != _sum(text.rstrip(b"\n")).encode():
        raise ValueError("this is not a line of a journal, or not the whole of it")
    rows = json.loads(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("this is not a line of a journal")
    world_of(rows)
    return rows
