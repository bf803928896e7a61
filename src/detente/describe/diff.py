"""What differs between two scenarios, in words, and what it does to the forecast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from detente.analysis.diff import Diff, Effect
from detente.describe.blocks import Block, Described, Points, Section, text
from detente.describe.tables import Row, Table, code
from detente.describe.words import Point, identity, spoken, together, unsolved
from detente.errors import Place
from detente.numbers import MISSING, count, percent, points
from detente.scenario.differences import Change, Difference
from detente.text import capital, sentence

KINDS = {
    "parameters": "parameter",
    "state": "variable",
    "chance": "event",
    "terms": "term",
    "policies": "policy",
    "outcomes": "outcome",
    "variants": "variant",
    "evidence": "evidence",
    "joint_prior": "joint prior",
}
"""What entries of a section are called."""

PROSE = frozenset({"about", "judgement", "source", "notes", "range_reason", "says"})
"""Fields of which it is said only that they are worded differently."""

SMALL = 0.005
"""Changes of a probability below it are not written one by one: less than half a point."""

LONGEST = 60
"""Characters of a value that is written out."""


def describe_diff(result: Diff) -> Described:
    """The differences that can move a forecast, those that cannot, and what the first ones do."""
    telling = [d for d in result.differences if not d.silent]
    silent = [d for d in result.differences if d.silent]
    sections = [Section("differences", "What differs", _listed(telling, result))]
    if silent:
        title = "What differs and moves no forecast"
        sections.append(Section("silent", title, _listed(silent, result)))
    sections += _effects(result)
    names = f"{result.first.file} and {result.second.file}"
    titles = dict.fromkeys(scenario.title for scenario in (result.first, result.second))
    statuses = unsolved(result.statuses)
    return Described(names, tuple(titles), tuple(sections), diff_data(result), statuses)


def diff_data(result: Diff) -> dict[str, Any]:
    """Everything for programs."""
    rows = [
        {
            "name": d.name,
            "field": change.field,
            "first": _cell(change.first),
            "second": _cell(change.second),
            "first_place": "" if d.added else str(d.first),
            "second_place": "" if d.removed else str(d.second),
            "moves_forecast": not d.silent,
        }
        for d in result.differences
        for change in d.changes
    ]
    return {
        "first": identity(result.first, file=result.first.file),
        "second": identity(result.second, file=result.second.file),
        "differences": rows,
        "outcomes": list(result.outcomes),
        "alone": [_effect(effect) for effect in result.alone],
        "together": [_effect(effect) for effect in result.together],
    }


def _cell(value: Any) -> Any:
    """A value of a file for a table."""
    return _flow(value) if isinstance(value, Mapping | list) else value


def _effect(effect: Effect) -> dict[str, Any]:
    more = {"change": effect.change, "distinguishable": effect.distinguishable}
    return {**effect._asdict(), "taken": list(effect.taken), **more}


def _listed(differences: Sequence[Difference], result: Diff) -> tuple[Block, ...]:
    if not differences:
        return (text("Nothing." if not result.differences else "Nothing that moves a forecast."),)
    return (Points(tuple(_point(difference) for difference in differences)),)


def _point(difference: Difference) -> Point:
    name, places = capital(_called(difference.trail)), (difference.first, difference.second)
    if difference.added or difference.removed:
        value = difference.changes[0][1 + difference.added]
        said = value if isinstance(value, Mapping) else {"": _written(value)}
        parts = [f"{key} {_written(said[key])}".strip() for key in ("", "value") if key in said]
        where = f"only in {_place(places[difference.added])}"
        lines = ", ".join([where, *parts])
        return name, tuple(filter(None, (lines, str(said.get("about") or ""))))
    lines = "; ".join(map(_changed, difference.changes))
    return name, (f"{lines} ({together(map(_place, places))})",)


def _called(trail: Sequence[str]) -> str:
    """What an entry is called: `action test of North`."""
    head, *rest = trail
    if head == "actions" and len(rest) == 2:
        return f"action {rest[1]} of {rest[0]}"
    if head == "payoffs" and len(rest) == 2:
        return f"{rest[1]} payoff of {rest[0]}"
    if head == "actors":
        return " of ".join(reversed(rest)) if len(rest) > 1 else f"actor {rest[0]}"
    if head in ("payoffs", "actions") and rest:
        return f"{head} of {rest[0]}"
    return f"{KINDS.get(head, head)} {' '.join(rest)}".strip()


def _place(place: Place) -> str:
    return f"{place.file}:{place.line}" if place.line else place.file


def _changed(change: Change) -> str:
    """A field from what it was to what it is."""
    first, second = change.first, change.second
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        keys = [
            key for key in dict.fromkeys((*first, *second)) if first.get(key) != second.get(key)
        ]
        inner = (_changed(Change(key, first.get(key), second.get(key))) for key in keys)
        return f"{change.field} of {', '.join(inner)}".removeprefix(" of ")
    if change.field in PROSE and first is not None and second is not None:
        return f"{change.field} is worded differently"
    if first is None or second is None:
        gone = "no longer" if second is None else "now"
        return f"{gone} {change.field} {_written(second if first is None else first)}".rstrip()
    return f"{change.field} {_written(first)} → {_written(second)}".strip()


def _written(value: Any) -> str:
    """A value as a file could have it, not at length."""
    written = _flow(value)
    return written if len(written) <= LONGEST else f"{written[:LONGEST]}…"


def _flow(value: Any) -> str:
    """A value as a file could have it, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _effects(result: Diff) -> Iterator[Section]:
    if not result.differences:
        return
    title = "What it does to the forecast"
    if not result.outcomes:
        none = "The two have no outcome in common: nothing of their forecasts can be compared."
        yield Section("effects", title, (text(none),))
        return
    yield from _unlike(result)
    if not result.together:
        return
    yield Section("effects", title, (_side_by_side(result), *_alone(result)))


def _unlike(result: Diff) -> Iterator[Section]:
    """Outcomes that only one of the two has, or that are not the same in both."""
    lines = []
    for mine, other in ((result.first, result.second), (result.second, result.first)):
        only = [key for key in mine.outcomes if key not in other.outcomes]
        if only:
            lines.append(f"Only {mine.file} has {together(only)}.")
    trails = {d.trail[1] for d in result.differences if d.trail[0] == "outcomes" and not d.silent}
    unlike = [key for key in result.outcomes if key in trails]
    if unlike:
        verb = "is" if len(unlike) == 1 else "are"
        lines.append(f"{capital(together(unlike))} {verb} not the same in both.")
    if lines:
        yield Section("outcomes", "Outcomes", (text(*lines),))


def _side_by_side(result: Diff) -> Table:
    """Each outcome in both, and what all differences change together."""
    rows: list[Row] = []
    for outcome, effects in groupby(result.together, key=attrgetter("outcome")):
        cells: list[str] = []
        for effect in effects:
            error = effect.error
            cells += [percent(effect.before, error), percent(effect.after, error), _moved(effect)]
        rows.append((code(outcome), *cells, result.first.outcomes[outcome].about))
    names = ("first", "second", "change")
    header = ("outcome", *names, *(f"at end: {name}" for name in names), "meaning")
    caption = "Probability that it comes about at some time, and that it holds at the end"
    return Table(header, tuple(rows), range(1, 7), caption)


def _moved(effect: Effect) -> str:
    """A change in points; within its error it is none."""
    if math.isnan(effect.change):
        return MISSING
    if not math.isnan(effect.error) and not effect.distinguishable:
        return "within error"
    return f"{100 * effect.change:+.1f}" if abs(effect.change) >= SMALL / 10 else "0.0"


def _alone(result: Diff) -> Iterator[Block]:
    """What each does by itself, and what they do only together."""
    whole = {(e.outcome, e.kind): e for e in result.together}
    sums, errors = dict.fromkeys(whole, 0.0), dict.fromkeys(whole, 0.0)
    trails = {difference.name: difference.trail for difference in result.differences}
    items: list[Point] = []
    for taken in result.groups:
        mine = [effect for effect in result.alone if effect.taken == taken]
        for effect in mine:
            sums[effect.outcome, effect.kind] += effect.change
            errors[effect.outcome, effect.kind] += effect.error
        names = together(_called(trails[name]) for name in taken)
        more = " (make no scenario one without the other)" if len(taken) > 1 else ""
        items.append((capital(names) + more, (_sentence(mine, result),)))
    if len(result.groups) == 1:
        if len(result.groups[0]) > 1:
            yield text("The differences can be taken only all together.")
        return
    yield text("What each of them does alone, where the first file is else as it stands:")
    rest = [
        effect._replace(before=effect.before + sums[key], error=effect.error + errors[key])
        for key, effect in whole.items()
    ]
    items.append(("What these do not add up to", (_sentence(rest, result),)))
    yield Points(tuple(items))


def _sentence(effects: Sequence[Effect], result: Diff) -> str:
    """The changes that are more than error and half a point, the largest first."""
    known = [e for e in effects if e.distinguishable and abs(e.change) >= SMALL]
    known.sort(key=lambda effect: -abs(effect.change))
    parts: dict[str, list[str]] = {}
    for effect in known:
        when = "at some time" if effect.kind == "happened" else "at the end"
        parts.setdefault(effect.outcome, []).append(f"{points(effect.change)} {when}")
    about = {key: spoken("", key) for key in result.outcomes}
    if not parts:
        return "moves no outcome by half a point beyond error."
    words = "; ".join(f"{about[key]} {', '.join(changes)}" for key, changes in parts.items())
    others = len(result.outcomes) - len(parts)
    more = f"; {count(others, 'other outcome')} by less, or within error" if others else ""
    return sentence(words + more)
