"""What is said beside results, and as data: diagnostics, progress, JSON.

Results for people are printed by `detente.render.terminal`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from detente.cli.flags import in_flags
from detente.errors import Diagnostic
from detente.numbers import duration
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


LONG = 60.0
"""Seconds from which on it is said beforehand how long something will take."""

SURE = 3.0
"""Seconds after which that is known from the share that was done in them."""


@contextmanager
def progress(what: str) -> Iterator[Callable[[float], None]]:
    """A progress bar with the time left, on stderr if that is a terminal, while the block runs.

    If it will take long that is said once, and if it is interrupted how far it came.
    """
    console = Console(stderr=True)
    timing = _Timing(what, lambda line: console.print(Text(line), soft_wrap=True))
    try:
        if not console.is_terminal:
            yield timing.report
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

            def report(share: float) -> None:
                timing.report(share)
                bar.update(task, completed=share)

            yield report
    except KeyboardInterrupt:
        timing.interrupted()
        raise


class _Timing:
    """Says how long something will take, and how far it came."""

    def __init__(self, what: str, tell: Callable[[str], None]) -> None:
        self.what, self.tell = what, tell
        self.begin, self.share, self.told = time.monotonic(), 0.0, False
        self.first: tuple[float, float] | None = None

    def report(self, share: float) -> None:
        """So much is done; as soon as that can be known say how long all takes."""
        self.share, now = share, time.monotonic()
        if self.told or share <= 0.0:
            return
        if self.first is None:  # what comes before has a time of its own
            self.first = now, share
        begin, done = self.first
        if now - begin < SURE or share <= done:
            return
        self.told = True
        whole = now - self.begin + (1.0 - share) * (now - begin) / (share - done)
        if whole >= LONG:
            self.tell(f"{self.what} takes about {duration(whole)}; Ctrl-C stops it.")

    def interrupted(self) -> None:
        """How far it came."""
        taken = duration(time.monotonic() - self.begin)
        self.tell(f"{self.what}: stopped after {taken}, {100 * self.share:.0f} % done.")
