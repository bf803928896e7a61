"""Other forms of a scenario: the options of its variants, laid over the file as it stands.

An option says what it changes in the words of the file. Its changes are laid over the values that
were read, mappings by key and anything else in place of what is there, and every value keeps the
place where it is written. What comes out is built like any file: a mistake that an option makes
shows where it stands, by the same checks.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from detente.errors import Diagnostic, Place
from detente.scenario.build.draft import Spot
from detente.scenario.build.entity import Raw, entity
from detente.scenario.entities import ChangePart, Option, Variant
from detente.scenario.fields import fields_of
from detente.scenario.source import Source, Trail

V = TypeVar("V")

ENTRY = {"actions": 3, "chance": 2}
"""How far below the top the entries stand that have either `effects` or `set`."""
MOST_STEPS = 3  # of the way to what changes that are named


class Chosen(NamedTuple):
    """An option of a variant, by their names."""

    variant: str
    option: str

    @property
    def trail(self) -> Trail:
        """The way to what it changes."""
        return ("variants", self.variant, "options", self.option, "change")


def variant(spot: Spot, raw: Raw) -> Variant | None:
    """A variant, whose first option is the file as it stands."""
    options = list(raw["options"])
    if len(options) < 2:
        message = f"`{spot.trail[-1]}` is a choice between two options or more"
        (spot / "options").key_error("variants", message)
    if options and raw["options"][options[0]].get("change") is not None:
        message = f"`{options[0]}` is the file as it stands, so it changes nothing"
        first = spot / "options" / options[0] / "change"
        first.key_error("variants", message, "the first option has no `change`")
    for name in options[1:]:
        if not raw["options"][name].get("change"):
            message = f"`{name}` does not say what it changes"
            hint = "write `change: {...}`; only the first option is the file as it stands"
            (spot / "options" / name).key_error("missing-key", message, hint)
    return entity(Variant, spot, raw)


def option(spot: Spot, raw: Raw) -> Option | None:
    """An option: the ways to what it changes."""
    ways = tuple(_ways(raw.get("change", {}), MOST_STEPS))
    return entity(Option, spot, raw, changes=ways)


def _ways(change: Mapping[str, Any], steps: int) -> Iterator[str]:
    """What a change is about, as `actions.DPRK.test`."""
    for key, value in change.items():
        if isinstance(value, dict) and value and steps > 1:
            yield from (f"{key}.{way}" for way in _ways(value, steps - 1))
        else:
            yield key


def all_chosen(source: Source) -> Iterator[Chosen]:
    """All options that change the file: those that are not the first, whatever else is wrong."""
    variants = _mapping(source.value).get("variants")
    for key, entry in _mapping(variants).items():
        options = _mapping(_mapping(entry).get("options"))
        for name in list(options)[1:]:
            if _mapping(_mapping(options[name]).get("change")):
                yield Chosen(key, name)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def laid_over(source: Source, chosen: Iterable[Chosen]) -> Source:
    """The file with what the chosen options change, one after the other."""
    for option in chosen:
        source = _laid_over(source, option)
    return source


def _laid_over(source: Source, chosen: Chosen) -> Source:
    entry = source.value["variants"][chosen.variant]["options"][chosen.option]
    change = {key: value for key, value in entry["change"].items() if key in fields_of(ChangePart)}
    replaced: set[Trail] = set()
    cut = len(chosen.trail)

    def moved(table: Mapping[Trail, V]) -> dict[Trail, V]:
        """Where things stand now: what is not replaced stays, and the change comes to the top."""
        kept = {
            trail: value
            for trail, value in table.items()
            if not any(trail[:length] in replaced for length in range(1, len(trail) + 1))
        }
        new = {
            trail[cut:]: value
            for trail, value in table.items()
            if trail[:cut] == chosen.trail and trail[cut : cut + 1] and trail[cut] in change
        }
        return new | kept

    value = _merged(source.value, change, (), replaced)
    return dataclasses.replace(
        source,
        value=value,
        places=moved(source.places),
        keys=moved(source.keys),
        written=moved(source.written),
    )


def _merged(base: Any, change: Any, trail: Trail, replaced: set[Trail]) -> Any:
    """`change` laid over `base`; the trails at which something else stands now are noted."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        replaced.add(trail)
        return change
    result = dict(base)
    if trail and ENTRY.get(str(trail[0])) == len(trail):
        for one, other in (("effects", "set"), ("set", "effects")):
            if one in change and other in result and other not in change:
                del result[other]  # an entry has one of the two: the new one is meant
                replaced.add((*trail, other))
    for key, value in change.items():
        below = (*trail, key)
        result[key] = _merged(base[key], value, below, replaced) if key in base else value
    return result


def news(
    source: Source, chosen: Chosen, found: Iterable[Diagnostic], known: Iterable[Diagnostic]
) -> Iterator[Diagnostic]:
    """What was found with an option, and is not known without it.

    What stands elsewhere in the file says that it is so with the option; unused is nothing there.
    """
    old = {(diagnostic.place, diagnostic.code) for diagnostic in known}
    inside = _inside(source, chosen)
    for diagnostic in found:
        if (diagnostic.place, diagnostic.code) in old:
            continue
        if inside(diagnostic.place):
            yield diagnostic
        elif diagnostic.code != "unused":
            where = f"where `{chosen.variant}` is `{chosen.option}`: "
            yield dataclasses.replace(diagnostic, message=where + diagnostic.message)


def _inside(source: Source, chosen: Chosen) -> Callable[[Place], bool]:
    """Tells whether a place lies in what an option changes."""
    marks = [(place, trail) for trail, place in (*source.places.items(), *source.keys.items())]
    marks.sort(key=lambda mark: mark[0])  # of what stands at one place, a key comes last
    starts = [place for place, _ in marks]

    def inside(place: Place) -> bool:
        before = bisect_right(starts, place) - 1
        if place.file != source.file or before < 0:
            return False
        return marks[before][1][: len(chosen.trail)] == chosen.trail

    return inside
