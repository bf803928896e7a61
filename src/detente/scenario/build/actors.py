"""The calendar, actors, variables and parameters: what is to be said beyond their fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from detente.scenario.build import uncertainty
from detente.scenario.build.draft import Spot
from detente.scenario.build.entity import Raw, build, entity
from detente.scenario.build.joint_prior import alone
from detente.scenario.calendar import Calendar
from detente.scenario.dates import date_hint, day
from detente.scenario.entities import (
    FOREVER,
    LIMIT,
    Actor,
    CalendarPart,
    Horizon,
    Parameter,
    Variable,
)
from detente.scenario.fields import fields_of
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.model import SHOCKS
from detente.scenario.scalar_types import Levels


def period(spot: Spot, raw: Raw) -> Any:
    """The unit of periods; where it is wrong, one that goes with what is said of the start."""
    unit = raw.get("period")
    return unit or ("month" if (spot / "start").written else "round")


def calendar(spot: Spot, raw: Raw) -> Calendar | None:
    """The calendar; a start is wanted unless periods are rounds."""
    unit, text, here = period(spot, raw), raw.get("start", ""), spot / "start"
    if unit == "round":
        if text:
            here.key_error("calendar", "rounds have no `start`")
        return Calendar("round", None)
    if not text:
        if not here.written:  # or it has been reported
            here.key_error("missing-key", f"`start` is missing: a {unit} has dates")
        return None
    start = day(text)
    if start is None:
        here.error("calendar", f"`{text}` is not a date", date_hint(text))
        return None
    if start.day != 1 and unit not in ("day", "week"):
        message = f"periods of a {unit} start on the first day of a month"
        here.error("calendar", message, f"write {start:%Y-%m}")
    return Calendar(unit, start)


def horizon(spot: Spot, raw: Raw) -> Horizon:
    """The number of periods, as a constant formula, or play without end."""
    field = fields_of(CalendarPart)["horizon"]
    formula = build(field.shape, raw.get("horizon", field.stand_in), spot)
    endless = raw.get("horizon") == FOREVER
    return Horizon(
        None if endless else formula or build(field.shape, field.stand_in, spot), spot.place
    )


def actor(spot: Spot, raw: Raw) -> Actor | None:
    """An actor, who is called by the key if by nothing else."""
    if raw.get("precision") == LIMIT and spot.draft.raw.get("responses") == SHOCKS:
        message = "without limit nothing is left of the shocks that choices come from"
        hint = "leave out `responses: shocks`, or give a number"
        (spot / "precision").error("responses", message, hint)
    key = str(spot.trail[-1])
    return entity(Actor, spot, raw, name=raw.get("name", key), **alone(spot / "types", raw, key))


def variable(spot: Spot, raw: Raw) -> Variable | None:
    """A state variable: its start as the index of the level."""
    return entity(Variable, spot, raw, start=_start(spot / "start", raw))


def _start(spot: Spot, raw: Raw) -> int | None:
    levels: Levels = raw["levels"]
    (size, low, names), start = levels, raw["start"]
    if names:
        if start in names:
            return names.index(str(start))
        hint = did_you_mean(str(start), names)
        spot.error("level", f"`{start}` is not one of the levels", hint)
    elif isinstance(start, str):
        spot.error("wrong-type", "`start` should be a whole number, as the levels are")
    elif 0 <= start - low < size:
        return int(start) - low
    else:
        spot.error("level", f"{start} is not one of the levels {low}..{low + size - 1}")
    return None


def parameter(spot: Spot, raw: Raw) -> Parameter | None:
    """A parameter, its values in the order of its actor's types."""
    scope, values = spot.draft.scope, raw["value"]
    of = scope.parameters[str(spot.trail[-1])]
    types = (scope.actors.get(of) or ()) if of else ()
    ranges = raw.get("range", {})
    keys = types or ("",)
    whole = bool(types) != ("" in values)  # or it could not be told whose types these are
    if whole:
        fits = [_fits(spot / "value", values, keys, of, every=True)]
        given = [(key, raw[key]) for key in ("range", "draw") if "" not in raw.get(key, {"": 0})]
        fits += [_fits(spot / key, by_type, keys, of, every=False) for key, by_type in given]
        whole = all(fits)
    return entity(
        Parameter,
        spot,
        raw,
        values=tuple(values[name] for name in keys) if whole else None,
        ranges=tuple(ranges.get(name, ranges.get("")) for name in keys),
        draws=uncertainty.draws(spot, raw, keys) if whole else (),
        of=of,
        types=types,
    )


def _fits(
    spot: Spot, values: Mapping[str, Any], keys: Collection[str], of: str, *, every: bool
) -> bool:
    """Whether the values of a parameter are by the types they should be by."""
    strange = [name for name in values if name not in keys]
    for name in strange:
        message = f"`{name}` is not a type of {of}" if of else "the value does not vary by type"
        (spot / name).key_error("type", message, did_you_mean(name, keys) if of else "")
    missing = [name for name in keys if name not in values] if every else []
    if missing:
        message = f"a value for {listing(missing)} of {of} is missing"
        spot.key_error("missing-key", message)
    return not strange and not missing
