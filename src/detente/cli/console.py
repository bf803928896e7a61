"""Printing for people: tables, diagnostics, progress. Meaning never depends on colour."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detente.errors import Diagnostic

if TYPE_CHECKING:
    import pandas as pd

WIDE = 110
"""Columns of output that does not go to a terminal."""


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDE
    return Console(file=stream, highlight=False, width=width, soft_wrap=False)


def print_heading(text: str) -> None:
    """A heading with an empty line before it."""
    console = _console()
    console.print()
    console.print(Text(text, style="bold"))


def print_text(text: str, *, indent: int = 0) -> None:
    """A paragraph, wrapped."""
    _console().print(Padding(Text(text), (0, 0, 0, indent), expand=False))


def print_changed(changed: Mapping[str, str]) -> None:
    """What was changed from outside, if anything was."""
    if changed:
        print_text(f"changed: {', '.join(f'{name} = {text}' for name, text in changed.items())}")


def print_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: int | None = None,
    text: int | None = None,
) -> None:
    """A plain table; columns from position `numbers` on (and before `text`) are set right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="italic")
    for k, name in enumerate(header):
        right = numbers is not None and numbers <= k and (text is None or k < text)
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _console().print(table)


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Mistakes and warnings, each with its hint after it, to stderr."""
    console = _console(stderr=True)
    styles = {"error": "bold red", "warning": "bold yellow"}
    for d in diagnostics:
        line = Text(f"{d.place}: ")
        line.append(f"{d.severity}[{d.code}]", style=styles[d.severity])
        line.append(f": {d.message}")
        console.print(line, soft_wrap=True)
        if d.hint:
            console.print(Text(f"  hint: {d.hint}"), soft_wrap=True)


def diagnostic_data(d: Diagnostic) -> dict[str, object]:
    """A diagnostic for `--json`."""
    place = {"file": d.place.file, "line": d.place.line, "column": d.place.column}
    rest = {"severity": str(d.severity), "code": d.code, "message": d.message, "hint": d.hint}
    return {**place, **rest}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table; what is missing is None."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(k): v for k, v in row.items()} for row in plain.to_dict(orient="records")]


def print_json(data: object) -> None:
    """Data for programs, to stdout."""
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    print()


@contextmanager
def progress(what: str) -> Iterator[Callable[[float], None]]:
    """A progress bar with the time left, on stderr if that is a terminal, while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda share: None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)
