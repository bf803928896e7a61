"""The names under which moves stand in a record: what they look like."""

from __future__ import annotations

from collections.abc import Mapping

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
