"""What can go wrong, as values: a place, a code, a sentence and a hint.

Three kinds of failure are kept apart. A `ScenarioError` is a mistake in a user's file or
arguments (exit code 2) and carries every mistake found. A `SolveError` is a game that could
not be solved, or not within limits. Anything else is a fault of Detente itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn


class Severity(StrEnum):
    """An error refuses the file; a warning is reported and passed over."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file, or an argument of a function.

    Lines and columns count from 1; 0 where there is none to name. Where a hint speaks of an
    argument it writes `` `name=` ``, which the command line turns into its own option.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    argument: str = ""

    def __str__(self) -> str:
        if self.argument:
            return f"argument `{self.argument}`"
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to report: `place: severity[code]: message`, then the hint."""

    place: Place
    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity}[{self.code}]: {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


def warning(place: Place, code: str, message: str, hint: str = "") -> Diagnostic:
    """Something doubtful."""
    return Diagnostic(place, code, message, hint, Severity.WARNING)


class DetenteError(Exception):
    """Every error that Detente raises on purpose."""


class ScenarioError(DetenteError):
    """One or more mistakes in a scenario or in what was asked of it; all that were found."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(d) for d in self.diagnostics))


class Problems:
    """Gathers mistakes, so that all of them are reported at once."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, argument: str, code: str, message: str, hint: str = "") -> None:
        """A mistake in an argument."""
        self.found.append(Diagnostic(Place(argument=argument), code, message, hint))

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Take the mistakes that the block refuses, and go on after it."""
        try:
            yield
        except ScenarioError as error:
            self.found += error.diagnostics

    def refuse(self) -> None:
        """Raise `ScenarioError` with all of them, if there are any."""
        if self.found:
            raise ScenarioError(dict.fromkeys(self.found))


def refuse(argument: str, code: str, message: str, hint: str = "") -> NoReturn:
    """Raise `ScenarioError` for one mistake in an argument."""
    raise ScenarioError([Diagnostic(Place(argument=argument), code, message, hint)])


class SolveError(DetenteError):
    """A game that cannot be solved, or not within the limits given."""


PIPELINE = {
    "Scenario": ("a scenario", "scenario", "load"),
    "CompiledGame": ("a compiled game", "game", "compile_game"),
    "Solution": ("a solution", "solution", "solve"),
    "Forecast": ("a forecast", "result", "forecast"),
}
"""What is passed on from door to door: in words, its usual name, and the door that makes it."""


def expect(value: object, kind: type, door: str) -> None:
    """Refuse what a door cannot take, and say which doors come before.

    Raises
    ------
    TypeError
        If `value` is not of this `kind`, one of those of the pipeline.
    """
    if isinstance(value, kind):
        return
    kinds, given = list(PIPELINE), type(value).__name__
    words, last = PIPELINE[kind.__name__][0], kinds.index(kind.__name__)
    if isinstance(value, str | os.PathLike):
        made, first = repr(os.fspath(value)), 0
    elif given in kinds[:last]:
        made, first = PIPELINE[given][1], kinds.index(given) + 1
    else:
        raise TypeError(f"{door} takes {words}, not {given}")
    for before in kinds[first : last + 1]:
        made = f"detente.{PIPELINE[before][2]}({made})"
    raise TypeError(f"{door} takes {words}: detente.{door}({made})")
