"""What is said of a game that was not solved: first, and where nobody can overlook it."""

from __future__ import annotations

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
    reasons = {
        name: status.value.removeprefix("not solved: ")
        for name, status in found.items()
        if status.name != "SOLVED"
    }
    return tell([f"{name}: {why}" if name else why for name, why in reasons.items()], text=text)


def tell(unsolved: list[str], *, text: bool) -> bool:
    """The same for what was not solved in words, nothing if all was."""
    for line in unsolved:
        console.say(f"error: not solved: {line}", error=True)
    if unsolved and text:
        told = "; ".join(unsolved)
        console.print_alarm(f"NOT SOLVED: {told}. What follows cannot be relied on.")
    return bool(unsolved)
