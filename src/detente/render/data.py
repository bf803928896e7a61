"""Described results as data for programs: JSON, and a table in CSV for each of theirs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from detente.text import as_cell, escaped_json


def to_json(data: object, *, indent: int | None = 2) -> str:
    """Data as JSON: tables become lists of records, what is missing or infinite is null."""
    text = json.dumps(_plain(data), ensure_ascii=False, indent=indent, allow_nan=False)
    return escaped_json(text)


def tables(data: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Any]]:
    """The tables in data with their names; those within another are named after it, too."""
    for key, value in data.items():
        full = f"{name}-{key}" if name else str(key)
        if _is_table(value):
            yield full, value
        elif isinstance(value, Mapping):
            yield from tables(value, full)


def to_csv(table: Any, *, header: bool = True) -> str:
    """A table in CSV; a text that a spreadsheet would compute has an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = _columns(table)
    if header:
        writer.writerow(map(as_cell, columns))
    writer.writerows(map(_cell, row) for row in zip(*columns.values(), strict=True))
    return out.getvalue()


def records(table: Any) -> list[dict[str, Any]]:
    """The rows of a table, plain."""
    columns = _columns(table)
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]


def _columns(table: Any) -> dict[str, list[Any]]:
    if isinstance(table, Sequence):
        return {name: [row[name] for row in table] for name in table[0]}
    return {str(name): table[name].tolist() for name in table.columns}


def _is_table(value: Any) -> bool:
    """Whether it has columns by name: a frame of pandas or of our own, or records."""
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(row, Mapping) and _is_flat(row) for row in value)
    return hasattr(value, "columns")


def _is_flat(row: Mapping[str, Any]) -> bool:
    return not any(isinstance(cell, Mapping) or _is_table(cell) for cell in row.values())


def _cell(value: Any) -> object:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return "" if value is None or value != value else as_cell(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "columns"):
        return records(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
