"""Printing for people: tables, diagnostics, progress. Meaning never depends on colour.

All text goes to the terminal through here: control characters in it are shown, not obeyed.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detente.cli.flags import in_flags
from detente.cli.layout import layout
from detente.errors import Diagnostic
from detente.text import escaped_json, on_one_line, shown

if TYPE_CHECKING:
    import pandas as pd

WIDE = 110
"""Columns of output that does not go to a terminal, unless the variable COLUMNS says otherwise."""

TRAILING = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)
"""Spaces at the end of a line, and the begins and ends of styles among them."""


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _columns()
    return Console(file=stream, highlight=False, width=width, soft_wrap=False)


def say(text: str, *, error: bool = False) -> None:
    """A line or several, as they are: data to stdout, what is told beside it to stderr."""
    print(shown(text), file=sys.stderr if error else sys.stdout, flush=error)


def _columns() -> int:
    """The width that the environment asks for."""
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else WIDE


def _print(*told: RenderableType, width: int = 0) -> None:
    """To stdout, without spaces at the ends of lines; at least so many columns wide."""
    console = _console()
    console.width = max(width, console.width)
    if sys.stdout.isatty():  # not where colours alone are asked for
        console.print(*told, sep="\n")
        return
    with console.capture() as kept:
        console.print(*told, sep="\n")
    sys.stdout.write(TRAILING.sub(lambda end: end[0].replace(" ", ""), kept.get()))


def print_heading(text: str) -> None:
    """A heading with an empty line before it."""
    _print("", Text(shown(text), style="bold"))


def print_alarm(text: str) -> None:
    """A sentence that nobody should overlook."""
    _print(Text(shown(text), style="bold red"))


def print_text(text: str, *, indent: int = 0) -> None:
    """A paragraph, wrapped."""
    _print(Padding(Text(shown(text)), (0, 0, 0, indent), expand=False))


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
    """A plain table; columns from position `numbers` on (and before `text`) are set right.

    Where it is too wide, text is wrapped; numbers that then still do not fit go into a table of
    their own below, beside the same names.
    """
    first = len(header) if numbers is None else numbers
    last = max(first, len(header) if text is None else text)
    cells = [[shown(cell) for cell in row] for row in (header, *rows)]
    for part, (chosen, widths, gap) in enumerate(layout(cells, first, last, _console().width)):
        if part:
            _print("")
        table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="italic")
        for k, width in zip(chosen, widths, strict=True):
            right = first <= k < last
            table.add_column(Text(cells[0][k]), justify="right" if right else "left", width=width)
        for row in cells[1:]:
            table.add_row(*(Text(row[k]) for k in chosen))
        _print(table, width=sum(widths) + gap * (len(widths) - 1))


def print_diagnostics(diagnostics: Iterable[Diagnostic], *, stderr: bool = True) -> None:
    """Mistakes and warnings, each with its hint after it; to stderr unless they are the answer."""
    console = _console(stderr=stderr)
    styles = {"error": "bold red", "warning": "bold yellow"}
    for d in map(in_flags, diagnostics):
        line = Text(on_one_line(f"{d.place}: "))
        line.append(f"{d.severity}[{d.code}]", style=styles[d.severity])
        line.append(on_one_line(f": {d.message}"))
        console.print(line, soft_wrap=True)
        if d.hint:
            console.print(Text(on_one_line(f"  hint: {d.hint}")), soft_wrap=True)


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
    print(escaped_json(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)))


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
