"""What is said of a game that was not solved: first, and where nobody can overlook it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from detente.cli import console

if TYPE_CHECKING:
    from detente.solver.solution import Status


def tell_unsolved(found: Mapping[str, Status], *, text: bool) -> bool:
    """Tell which of some games were not solved; whether any was not (exit code 1).

    They go by what the answer calls them: '' for the only one. To be called before anything is
    printed.

    text
        Whether the answer is text for people, and begins with it. Data for programs have a status
        of their own. It goes to stderr in any case, as the answer may be kept in a file.
    """
    unsolved = [
        f"{name}: {status.value}" if name else status.value
        for name, status in found.items()
        if status.name != "SOLVED"
    ]
    return tell(unsolved, text=text)


def tell(unsolved: list[str], *, text: bool) -> bool:
    """The same for sentences of what was not solved, none if all was."""
    if unsolved:
        print(*(f"error: {line}" for line in unsolved), sep="\n", file=sys.stderr, flush=True)
    if unsolved and text:
        console.print_alarm(f"NOT SOLVED, and no forecast: {'; '.join(unsolved)}.")
    return bool(unsolved)
