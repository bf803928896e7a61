"""Checked entities from what stands in a file, by the tables of their fields.

A builder that finds a mistake reports it and gives None; the others go on. Entities of which
more is to be said than their fields one by one have builders of their own (`Draft.builders`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from typing import Any, TypeAlias, TypeVar

from detente.scenario import fields
from detente.scenario.build import tables
from detente.scenario.build.draft import Spot
from detente.scenario.formula.expression import Formula, conjunction, number
from detente.scenario.formula.types import PUBLIC_CONDITION
from detente.scenario.frozen import Frozen

T = TypeVar("T")
Raw: TypeAlias = Mapping[str, Any]
"""What stands in an entry, by key, checked by shape."""


def entity(cls: type[T], spot: Spot, raw: Raw, **given: Any) -> T | None:
    """The entity that stands at the spot, or None where something of it that is needed is wrong.

    What is `given` by attribute is taken as it is, and everything else built by its field.
    """
    values: dict[str, Any] = {}
    whole = True
    for key, field in fields.fields_of(cls).items():
        here = spot / key
        if key in raw and not here.written:
            here = spot  # written in short
        written = raw.get(key, field.default)
        if field.attribute in given:
            value = given.pop(field.attribute)
        else:
            value = None if written in (None, "") else build(field.shape, written, here)
        value = field.stand_in if value is None else value
        whole &= value is not None or not field.needed
        if value is not None:
            values[field.attribute] = value
    if issubclass(cls, fields.Entry):
        last = spot.trail[-1]
        values |= {"key": last if isinstance(last, str) else "", "place": spot.key}
    return cls(**values, **given) if whole else None


def build(shape: fields.Shape, value: Any, spot: Spot) -> Any:
    """What a value means that was read by its shape; None after reporting what is wrong."""
    match shape:
        case fields.FormulaIn():
            return _formula(shape, value, spot)
        case fields.AllOf():
            parts = [(spot / k).formula(part, PUBLIC_CONDITION) for k, part in enumerate(value)]
            return None if None in parts else conjunction([part for part in parts if part])
        case fields.Reference():
            spot.known(value, shape.section)
            return value
        case fields.ListOf():
            if shape.distinct:
                spot.repeated(value)
            items = [build(shape.item, item, spot / k) for k, item in enumerate(value)]
            sound = tuple(item for item in items if item is not None)
            return sound if _kept(shape, items, sound) else None
        case fields.MapOf():
            by_name = {key: build(shape.item, item, spot / key) for key, item in value.items()}
            sound_by_name = {key: item for key, item in by_name.items() if item is not None}
            return Frozen(sound_by_name) if _kept(shape, by_name, sound_by_name) else None
        case fields.EntityOf() if value is not None:
            own = spot.draft.builders.get(shape.entity)
            return own(spot, value) if own else entity(shape.entity, spot, value)
    return value


def _kept(shape: fields.ListOf | fields.MapOf, items: Sized, sound: Sized) -> bool:
    """Whether what is sound of several items is kept without the others: entries are."""
    return len(sound) == len(items) or isinstance(shape.item, fields.EntityOf | fields.MapOf)


def _formula(shape: fields.FormulaIn, value: Any, spot: Spot) -> Formula | None:
    if shape.word and value == shape.word:
        spot.reserve(shape.word)
        return number(math.inf, spot.place, shape.word)
    if isinstance(value, dict):
        return tables.formula(value, spot)
    return spot.formula(value, shape.slot)
