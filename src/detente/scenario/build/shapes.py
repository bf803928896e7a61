"""The shape of everything in a file: every entry by itself, so that all mistakes show.

An entry whose shape is wrong is reported and stands as None: its name is known all the same.
"""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from detente.scenario import fields
from detente.scenario.build.draft import Draft, Spot
from detente.scenario.hints import closest, did_you_mean
from detente.scenario.model import Scenario
from detente.scenario.rules import CONDITION
from detente.scenario.scalar_types import A_LIST, A_MAPPING, LINE, TEXT, Wrong, is_table

MAY_BE_EMPTY = ("state",)
"""Sections that have to be there, and may have nothing in them."""

COMMA = "inside `{ }`, text that holds a comma needs quotes"


def read_shapes(draft: Draft) -> None:
    """Read the sections of a file."""
    content = draft.source.value
    if not isinstance(content, dict):
        message = "the file is empty" if content is None else "the file should be a mapping"
        draft.spot().error("wrong-type", message, "it starts with `title:`, `calendar:`, `actors:`")
        draft.refuse()
    sections = fields.fields_of(Scenario)
    for key in content:
        if key not in sections:
            _unknown(draft.spot(key), list(sections))
            absent = [section for section in sections if section not in content]
            draft.lost.update(closest(key, absent))  # one of them may be meant
    for key, section in sections.items():
        if section.needed and key not in content:
            draft.lost.add(key)
            draft.spot().error("missing-key", f"`{key}` is missing")
    for key, section in sections.items():
        if isinstance(section.shape, fields.MapOf | fields.ListOf) and section.shape.item != TEXT:
            draft.raw[key] = _section(draft.spot(key), section, content.get(key, MISSING))
        elif key in content and not (section.empty and content[key] is None):
            draft.raw[key] = _entry(section.shape, content[key], draft.spot(key))


def _section(spot: Spot, section: fields.Field, value: Any) -> Any:
    """The entries of a section; none where it is missing or has the wrong shape."""
    kind, what = (dict, A_MAPPING) if isinstance(section.shape, fields.MapOf) else (list, A_LIST)
    if value is MISSING:
        return kind()
    needed = section.needed and section.key not in MAY_BE_EMPTY
    if not isinstance(value, kind) or (needed and not value):
        spot.draft.lost.add(section.key)
        if value is None or value == kind():
            spot.empty()
        else:
            spot.error("wrong-type", f"`{section.key}` {what}")
        return kind()
    return _entry(section.shape, value, spot)


def _entry(shape: fields.Shape, value: Any, spot: Spot) -> Any:
    """What is read of an entry without the keys that are wrong, so that other mistakes show.

    None where what is left would be taken for something else than what is meant. Of a section, all
    entries by key or position.
    """
    match shape:
        case fields.MapOf() if isinstance(value, dict):
            return {key: _entry(shape.item, item, spot / key) for key, item in value.items()}
        case fields.ListOf(item=fields.EntityOf()):
            return [_entry(shape.item, item, spot / k) for k, item in enumerate(value)]
        case fields.MapOf():
            spot.error(
                "wrong-type", f"{spot.name} should be a mapping of actions (`name: {{...}}`)"
            )
            spot.draft.lost.add(f"actions of {spot.trail[-1]}")
            return {}
        case fields.EntityOf():
            before = len(spot.draft.errors)
            record = _read_record(shape, value, spot)
            absent = [f for key, f in fields.fields_of(shape.entity).items() if key not in record]
            lost = any(f.vital or (f.needed and f.stand_in is None) for f in absent)
            return None if lost and len(spot.draft.errors) > before else record
    return read(shape, value, spot)


def read(shape: fields.Shape, value: Any, spot: Spot) -> Any:
    """What is read of a value; None after reporting everything that is wrong with its shape."""
    match shape:
        case fields.ListOf():
            return _read_list(shape, value, spot)
        case fields.MapOf():
            return _read_map(shape, value, spot)
        case fields.AllOf() if isinstance(value, list) or value is None:
            return _read_list(fields.ListOf(CONDITION, least=1), value, spot)
        case fields.AllOf():
            condition = read(CONDITION, value, spot)
            return None if condition is None else [condition]
        case fields.EntityOf():
            before = len(spot.draft.errors)
            record = _read_record(shape, value, spot)
            return record if len(spot.draft.errors) == before else None
    try:
        return shape.check(value)
    except Wrong as wrong:
        return _report(spot, value, wrong.sentence, wrong.hint, wrong.code)


def _report(spot: Spot, value: Any, sentence: str, hint: str = "", code: str = "wrong-type") -> Any:
    if value is None:
        spot.empty()
    else:
        spot.error(code, f"{spot.name} {sentence}", hint)
    return None


def _read_list(shape: fields.ListOf, value: Any, spot: Spot) -> Any:
    items = [value] if shape.single and isinstance(value, str) else value
    if not isinstance(items, list):
        return _report(spot, value, A_LIST)
    if len(items) < shape.least:
        return _report(spot, value, "should not be empty")
    items = [read(shape.item, item, spot / k) for k, item in enumerate(items)]
    return None if None in items else items


def _read_map(shape: fields.MapOf, value: Any, spot: Spot) -> Any:
    table = isinstance(shape.item, fields.FormulaIn) and shape.item.tables and is_table(value)
    if shape.alone and isinstance(value, list):
        names = _read_list(fields.ListOf(LINE, distinct=True), value, spot)
        spot.repeated(names or ())
        return None if names is None else dict.fromkeys(names)
    if shape.single and (table or not isinstance(value, dict)):
        value = {"": value}
    elif not isinstance(value, dict):
        return _report(spot, value, A_MAPPING)
    elif shape.single and ("" in value or not value):
        return _report(spot, value, "should have a name for each value")
    items = {key: read(shape.item, item, spot / key) for key, item in value.items()}
    return None if None in items.values() else items


def _read_record(shape: fields.EntityOf, value: Any, spot: Spot) -> dict[str, Any]:
    """What stands in a record, without the keys that are wrong."""
    if shape.short and isinstance(value, shape.short):
        value = {shape.key: value}
    if not isinstance(value, dict):
        sentence, hint = A_MAPPING, ""
        if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
            sentence = "should be an actor or a mapping, not a list"
            hint = f"actors who choose at the same time: `{{who: [{', '.join(value)}]}}`"
        _report(spot, value, sentence, hint)
        return {}
    known, record = fields.fields_of(shape.entity), {}
    for key, field in known.items():
        if field.needed and key not in value:
            spot.key_error("missing-key", f"`{key}` is missing in {spot.name}")
    for key, item in value.items():
        if key not in known:
            _unknown(spot / key, list(known))
        elif item is not None or not known[key].empty:
            record[key] = read(known[key].shape, item, spot / key)
    return {key: item for key, item in record.items() if item is not None}


def _unknown(spot: Spot, known: list[str]) -> None:
    key = str(spot.trail[-1])
    written = spot.draft.source.written.get(spot.trail)
    hint = COMMA if written is not None and not written.text else did_you_mean(key, known)
    spot.key_error("unknown-key", f"the key `{key}` is not known here", hint)
