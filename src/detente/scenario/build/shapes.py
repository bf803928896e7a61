"""The shape of everything in a file: every entry by itself, so that all mistakes show.

An entry whose shape is wrong is told and stands as None: its name is known all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from detente.scenario.build.draft import Cursor, Draft
from detente.scenario.fields import (
    AllOf,
    Field,
    FormulaIn,
    ListOf,
    MapOf,
    Record,
    Reference,
    Shape,
    fields_of,
)
from detente.scenario.hints import closest, did_you_mean
from detente.scenario.model import Scenario
from detente.scenario.rules import CONDITION
from detente.scenario.scalar_types import (
    LINE,
    TEXT,
    Scalar,
    Wrong,
    formula,
    formula_or_table,
    is_table,
)

WRONG = object()
"""What is read of a value that is not as it should be, which has been told."""

MAY_BE_EMPTY = ("state",)
"""Sections that have to be there, and may have nothing in them."""

COMMA = "inside `{ }`, text that holds a comma needs quotes"
A_LIST = "a list (`[...]`)"
A_MAPPING = "a mapping (`key: value`)"


def read_shapes(draft: Draft) -> None:
    """Read the sections of a file."""
    content = draft.source.value
    if not isinstance(content, dict):
        message = "the file is empty" if content is None else "the file should be a mapping"
        draft.at().error("wrong-type", message, "it starts with `title:`, `calendar:`, `actors:`")
        draft.refuse()
    sections = fields_of(Scenario)
    for key in content:
        if key not in sections:
            _unknown(draft.at(key), key, list(sections))
            absent = [section for section in sections if section not in content]
            draft.lost.update(closest(key, absent))  # one of them may be meant
    for key, section in sections.items():
        if section.needed and key not in content:
            draft.lost.add(key)
            draft.at().error("missing-key", f"`{key}` is missing")
    for key, section in sections.items():
        if isinstance(section.shape, MapOf | ListOf) and section.shape.item != TEXT:
            draft.raw[key] = _section(draft, key, section, content)
        elif key in content and not (section.empty and content[key] is None):
            value = _read_entry(section.shape, content[key], draft.at(key))
            draft.raw[key] = None if value is WRONG else value


def _section(draft: Draft, key: str, section: Field, content: Mapping[str, Any]) -> Any:
    """The entries of a section; none where it has the wrong shape."""
    kind, what = (dict, A_MAPPING) if isinstance(section.shape, MapOf) else (list, A_LIST)
    value = content.get(key, kind())
    needed = section.needed and key not in MAY_BE_EMPTY
    if not isinstance(value, kind) or (needed and not value and key not in draft.lost):
        draft.lost.add(key)
        if value is None or value == kind():
            draft.at(key).empty()
        else:
            draft.at(key).error("wrong-type", f"`{key}` should be {what}")
        value = kind()
    return _entries(section.shape, value, draft.at(key))


def _entries(shape: Shape, value: Any, at: Cursor) -> Any:
    """Entries by key or position, None for those that are not as they should be."""
    if isinstance(shape, MapOf) and isinstance(value, dict):
        return {key: _entries(shape.item, item, at / key) for key, item in value.items()}
    if isinstance(shape, ListOf):
        return [_entries(shape.item, item, at / k) for k, item in enumerate(value)]
    if isinstance(shape, MapOf):
        at.error("wrong-type", f"{at.name} should be a mapping of actions (`name: {{...}}`)")
        at.draft.lost.add(f"actions of {at.trail[-1]}")
        return {}
    entry = _read_entry(shape, value, at)
    return None if entry is WRONG else entry


def _read_entry(shape: Shape, value: Any, at: Cursor) -> Any:
    """What is read of an entry, without the keys that are wrong, so that other mistakes show.

    `WRONG` where what is left would be taken for something else than what is meant.
    """
    if not isinstance(shape, Record):
        return read(shape, value, at)
    before = len(at.draft.errors)
    entry = _read_record(shape, value, at)
    if entry is not WRONG and len(at.draft.errors) > before:
        for key, field in fields_of(shape.entity).items():
            needed = field.vital or (field.needed and field.stand_in is None)
            if needed and key not in entry:
                return WRONG
    return entry


def read(shape: Shape, value: Any, at: Cursor) -> Any:
    """What is read of a value; `WRONG` after telling everything that is wrong with its shape."""
    match shape:
        case ListOf():
            return _read_list(shape, value, at)
        case AllOf() if isinstance(value, list) or value is None:
            return _read_list(ListOf(CONDITION, least=1), value, at)
        case AllOf():
            condition = read(CONDITION, value, at)
            return condition if condition is WRONG else [condition]
        case MapOf():
            return _read_map(shape, value, at)
        case Record():
            before = len(at.draft.errors)
            record = _read_record(shape, value, at)
            return record if len(at.draft.errors) == before else WRONG
    try:
        return _check(shape)(value)
    except Wrong as wrong:
        return _tell(at, value, wrong.sentence, wrong.hint, wrong.code)


def _check(shape: Scalar | FormulaIn | Reference) -> Callable[[Any], Any]:
    if isinstance(shape, FormulaIn):
        return formula_or_table if shape.tables else formula
    return LINE.check if isinstance(shape, Reference) else shape.check


def _tell(at: Cursor, value: Any, sentence: str, hint: str = "", code: str = "wrong-type") -> Any:
    if value is None:
        at.empty()
    else:
        at.error(code, f"{at.name} {sentence}", hint)
    return WRONG


def _read_list(shape: ListOf, value: Any, at: Cursor) -> Any:
    items = [value] if shape.single and isinstance(value, str) else value
    if not isinstance(items, list):
        return _tell(at, value, f"should be {A_LIST}")
    if len(items) < shape.least:
        return _tell(at, value, "should not be empty")
    found = [read(shape.item, item, at / k) for k, item in enumerate(items)]
    return WRONG if WRONG in found else found


def _read_map(shape: MapOf, value: Any, at: Cursor) -> Any:
    table = isinstance(shape.item, FormulaIn) and shape.item.tables and is_table(value)
    if shape.single and (table or not isinstance(value, dict)):
        value = {"": value}
    elif not isinstance(value, dict):
        return _tell(at, value, f"should be {A_MAPPING}")
    elif shape.single and ("" in value or not value):
        return _tell(at, value, "should have a name for each value")
    found = {key: read(shape.item, item, at / key) for key, item in value.items()}
    return WRONG if WRONG in found.values() else found


def _read_record(shape: Record, value: Any, at: Cursor) -> Any:
    """What stands in a record, without the keys that are wrong; `WRONG` for no mapping."""
    if shape.short and isinstance(value, shape.short):
        value = {shape.key: value}
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        hint = f"actors who choose at the same time: `{{who: [{', '.join(value)}]}}`"
        return _tell(at, value, "should be an actor or a mapping, not a list", hint)
    if not isinstance(value, dict):
        return _tell(at, value, f"should be {A_MAPPING}")
    fields, record = fields_of(shape.entity), {}
    for key, field in fields.items():
        if field.needed and key not in value:
            at.key_error("missing-key", f"`{key}` is missing in {at.name}")
    for key, item in value.items():
        if key not in fields:
            _unknown(at / key, key, list(fields))
        elif item is not None or not fields[key].empty:
            record[key] = read(fields[key].shape, item, at / key)
    return {key: item for key, item in record.items() if item is not WRONG}


def _unknown(at: Cursor, key: str, known: list[str]) -> None:
    hint = did_you_mean(key, known)
    written = at.draft.source.written.get(at.trail)
    if written is not None and not written.text:
        hint = COMMA
    at.key_error("unknown-key", f"the key `{key}` is not known here", hint)
