"""What differs between two scenarios, entry by entry, and a scenario with some of it changed.

Compared is what the files say, as it was read: comments, order of keys and spacing are nothing.
Values and options that were changed from outside count as if they stood in the file. An entry is a
parameter, an action, one of the formulas of a payoff, a field of an actor, and so on; a difference
is all that differs about one of them.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from detente.errors import Place
from detente.scenario.build.variants import Chosen, laid_over
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from detente.scenario.source import Source, read_text

DEPTH = {
    "actors": 3,
    "actions": 3,
    "payoffs": 3,
    "title": 1,
    "about": 1,
    "source": 1,
    "notes": 1,
    "turns": 1,
    "policy": 1,
    "responses": 1,
    "announcement": 1,
    "correlations": 1,
    "joint_prior": 1,
}
"""How far below the top the entries of a section stand, where it is not 2."""

SILENT = frozenset(
    {"title", "about", "source", "notes", "evidence", "judgement", "name", "unit", "range"}
    | {"range_reason", "draw", "concentration", "correlations", "also", "accept", "variants"}
)
"""Sections and fields that no forecast depends on."""

NAMED = frozenset(
    {"actors", "state", "parameters", "actions", "chance", "terms", "policies", "outcomes"}
)
"""Sections whose entries are called by their names elsewhere."""


class Change(NamedTuple):
    """A field of an entry ('' for all of it) as it stands in both files; None for not there."""

    field: str
    first: Any
    second: Any


class Difference(NamedTuple):
    """What differs about an entry, whose keys from the top are `trail`.

    first, second
        Its places; that of what is around it where it is not there.
    added, removed
        Whether it stands in one of the files only: the second, or the first.
    """

    trail: tuple[str, ...]
    changes: tuple[Change, ...]
    first: Place
    second: Place
    added: bool = False
    removed: bool = False

    @property
    def name(self) -> str:
        """The keys from the top, as `actions.North.test`."""
        return ".".join(self.trail)

    @property
    def silent(self) -> bool:
        """Whether no forecast can depend on it."""
        head, last = self.trail[0], self.trail[-1]
        if head in SILENT or (head in ("actors", "payoffs") and last in SILENT):
            return True
        return all(change.field in SILENT for change in self.changes)


def differences(first: Scenario, second: Scenario) -> tuple[Difference, ...]:
    """All differences, in the order of the first file; what only the second has comes after."""
    sources = source_of(first), source_of(second)
    values = sources[0].value, sources[1].value
    return tuple(_between(*values, (), sources))


def source_of(scenario: Scenario) -> Source:
    """What was read of a scenario's file, with what was changed from outside."""
    source = read_text(scenario.text, scenario.file)
    chosen = [
        Chosen(key, option)
        for key, option in scenario.options.items()
        if scenario.variants[key].options[option].changes
    ]
    source = laid_over(source, chosen)
    if not scenario.overrides and not scenario.horizon.overridden:
        return source
    value = deepcopy(source.value)
    if scenario.horizon.overridden:
        value["calendar"]["horizon"] = scenario.periods
    for key, parameter in scenario.parameters.items():
        if any(name in scenario.overrides for name in parameter.names()):
            numbers = dict(zip(parameter.types, parameter.values, strict=False))
            value["parameters"][key]["value"] = numbers or parameter.values[0]
    return dataclasses.replace(source, value=value)


def _between(
    first: Any, second: Any, trail: tuple[str, ...], sources: tuple[Source, Source]
) -> Iterator[Difference]:
    """The differences below a trail."""
    if _same(first, second):
        return
    deep = bool(trail) and len(trail) >= DEPTH.get(trail[0], 2)
    if not deep and isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in dict.fromkeys((*first, *second)):
            below = (*trail, key)
            yield from _between(first.get(key), second.get(key), below, sources)
        return
    changes: tuple[Change, ...] = (Change("", first, second),)
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        keys = dict.fromkeys((*first, *second))
        pairs = ((key, first.get(key), second.get(key)) for key in keys)
        changes = tuple(Change(*pair) for pair in pairs if not _same(*pair[1:]))
    first_place, second_place = (source.key(trail) for source in sources)
    yield Difference(trail, changes, first_place, second_place, first is None, second is None)


def _same(first: Any, second: Any) -> bool:
    """Whether two values say the same; texts may be spaced otherwise."""
    if isinstance(first, str) and isinstance(second, str):
        return first.split() == second.split()
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    truth = isinstance(first, bool), isinstance(second, bool)  # which equal 1 and 0 in Python
    return truth[0] is truth[1] and bool(first == second)


def with_differences(first: Scenario, second: Scenario, taken: Iterable[Difference]) -> Scenario:
    """The first scenario with some of its differences from the second taken over.

    Raises
    ------
    ScenarioError
        Where they make no scenario without the others.
    """
    value, other = deepcopy(source_of(first).value), source_of(second).value
    for difference in taken:
        *above, last = difference.trail
        into, out_of = value, other
        for key in above:
            into = into.setdefault(key, {})
            out_of = out_of.get(key, {})
        if difference.removed:
            del into[last]
            if above and not into:
                _prune(value, above)
        else:
            into[last] = deepcopy(out_of[last])
    return loads(json.dumps(value, ensure_ascii=False), file=first.file)


def _prune(value: Any, trail: list[str]) -> None:
    """Drop a section or an entry that has become empty."""
    for key in trail[:-1]:
        value = value[key]
    del value[trail[-1]]


WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def linked(of: Difference, to: Difference) -> bool:
    """Whether the one speaks of a name that the other adds or removes."""
    return bool(_news(to) & _words(of)) or bool(_news(of) & _words(to))


def _news(of: Difference) -> set[str]:
    """The names that stand in one of the files only because of this difference."""
    head = of.trail[0]
    if (of.added or of.removed) and head in NAMED:
        return {of.trail[1] if head == "actors" else of.trail[-1]}
    names: set[str] = set()
    for change in of.changes:
        if head in ("state", "actors") and change.field not in SILENT:
            names |= set(_texts(change.first)) ^ set(_texts(change.second))
    return names


def _words(of: Difference) -> set[str]:
    """All names and words in what differs and around it."""
    texts = [*of.trail, *(t for c in of.changes for v in c[1:] for t in _texts(v))]
    return {word for text in texts for word in (text, *WORD.findall(text))}


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, keys too."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
