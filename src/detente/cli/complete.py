"""What the shell offers for a word that is being typed. A mistake in a file offers nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from detente.errors import DetenteError

if TYPE_CHECKING:
    from detente.scenario.model import Scenario


def scenario(incomplete: str) -> list[str]:
    """Scenarios of the library, and YAML files and folders that begin like this."""
    from detente import library

    return [name for name in library.names() if name.startswith(incomplete)] + _files(incomplete)


def policy(context: typer.Context, incomplete: str) -> list[str]:
    """Policies of the scenario that stands before."""
    given = _given(context)
    return [name for name in given.policies if name.startswith(incomplete)] if given else []


def outcome(context: typer.Context, incomplete: str) -> list[str]:
    """Outcomes of the scenario that stands before."""
    given = _given(context)
    return [name for name in given.outcomes if name.startswith(incomplete)] if given else []


def _files(incomplete: str) -> list[str]:
    folder, slash, begin = incomplete.rpartition("/")
    try:
        entries = sorted(Path(folder + slash or ".").iterdir())
    except OSError:
        return []
    return [
        folder + slash + entry.name + ("/" if entry.is_dir() else "")
        for entry in entries
        if entry.name.startswith(begin)
        and (begin or not entry.name.startswith("."))
        and (entry.suffix in (".yaml", ".yml") or entry.is_dir())
    ]


def _given(context: typer.Context) -> Scenario | None:
    """The scenario of the command line, where there is one that can be read."""
    from detente.scenario.loader import load

    # Where an option still lacks its value, words have not been given their parameters yet.
    source = context.params.get("source") or next(iter(context.args), "-")
    try:
        return None if source == "-" else load(source)
    except DetenteError:
        return None
