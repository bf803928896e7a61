"""The words of a record: the names under which moves stand in it, and how a reading is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from detente.errors import Diagnostic
from detente.scenario.formula.types import Scope
from detente.scenario.hints import alias
from detente.scenario.rules import Action


def looks_of(actions: Mapping[str, Action]) -> dict[str, str]:
    """An action for each name, as an alias, under which what it looks like is known."""
    names = {
        alias(name): key
        for key, action in actions.items()
        if not action.seen_as
        for name in (key, *action.names)
    }
    looks = {alias(action.seen): key for key, action in actions.items() if action.seen_as}
    return {**looks, **names}


def unseen(actions: Mapping[str, Action]) -> dict[str, str]:
    """What actions that look like others are seen as, for each of their names, as an alias."""
    return {
        alias(name): action.seen
        for key, action in actions.items()
        for name in (key, *action.names)
        if action.seen_as
    }


def with_example(problems: Sequence[Diagnostic], scope: Scope) -> Iterator[Diagnostic]:
    """What is wrong with a reading of the state; where it is no formula, with one as a hint."""
    name, levels = next(iter(scope.variables.items()), ("", None))
    example = f"{name} == {levels[-1]}" if levels else f"{name} > 0"
    hint = f"write what was read as a condition, as in {example}" if name else ""
    for each in problems:
        bare = each.code == "formula" and not each.hint
        yield replace(each, hint=hint) if bare else each
