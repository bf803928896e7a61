"""Described results as data for programs: JSON, and a table in CSV for each of theirs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
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
    if header:
        writer.writerow(map(as_cell, table.columns))
    columns = [table[name].tolist() for name in table.columns]
    writer.writerows(map(as_cell, row) for row in zip(*columns, strict=True))
    return out.getvalue()


def records(table: Any) -> list[dict[str, Any]]:
    """The rows of a table, plain."""
    names = [str(name) for name in table.columns]
    columns = [table[name].tolist() for name in table.columns]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in zip(*columns, strict=True)]


def _is_table(value: object) -> bool:
    """Whether it has columns by name: a frame of pandas, or of our own."""
    return hasattr(value, "columns")


def _plain(value: Any) -> Any:
    if _is_table(value):
        return records(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
