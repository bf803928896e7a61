"""Mistakes in arguments, in the words of the command line: `--policy` for `policy`.

A command's parameters are called like the arguments that they become, whatever their options are
called; what is none of them is left as the library says it.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from detente.errors import Diagnostic, Place

RUNNING: ContextVar[Any] = ContextVar("RUNNING", default=None)
"""The command that is running, as Typer made it."""

ARGUMENT = re.compile(r"`(\w+)=([^`]*)`")
"""How a hint speaks of an argument, with its value or without."""


def in_flags(diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic as the command that is running would say it."""
    place = diagnostic.place
    if place.argument in (flags := _flags()):
        place = Place(flags[place.argument])
    return replace(diagnostic, place=place, hint=with_flags(diagnostic.hint))


def with_flags(text: str) -> str:
    """A text in which arguments are called as the options of the command that is running."""
    flags = _flags()

    def flag(match: re.Match[str]) -> str:
        name, value = match.groups()
        if name not in flags:
            return match[0]
        words = [] if value == "True" else re.findall(r"[^(), ]+", value)
        return " ".join([flags[name], *words])

    return ARGUMENT.sub(flag, text)


def _flags() -> dict[str, str]:
    """The options of the command that is running, by the argument that they become."""
    parameters = [] if RUNNING.get() is None else RUNNING.get().params
    return {
        parameter.name: next((o for o in parameter.opts if o.startswith("--")), parameter.name)
        for parameter in parameters
    }
