"""What is said beside results, and as data: diagnostics, progress, JSON.

Results for people are printed by `detente.render.terminal`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from detente.cli.flags import in_flags
from detente.errors import Diagnostic
from detente.render.data import to_json
from detente.render.terminal import console as open_console
from detente.text import on_one_line, shown


def say(text: str, *, error: bool = False) -> None:
    """A line or several, as they are: data to stdout, what is told beside it to stderr."""
    print(shown(text), file=sys.stderr if error else sys.stdout, flush=error)


def say_unsolved(lines: Iterable[str]) -> bool:
    """What was not solved, to stderr, as the answer may be kept in a file; whether anything was."""
    lines = list(lines)
    for line in lines:
        say(f"error: not solved: {line}", error=True)
    return bool(lines)


def print_diagnostics(diagnostics: Iterable[Diagnostic], *, stderr: bool = True) -> None:
    """Mistakes and warnings, each with its hint after it; to stderr unless they are the answer."""
    console = open_console(stderr=stderr)
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


def print_json(data: object) -> None:
    """Data for programs, to stdout."""
    print(to_json(data))


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
