"""The calendar, actors, variables and parameters, from checked entries.

A builder that finds a mistake tells it and gives None; the others go on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from detente.errors import Place
from detente.scenario import model, schema, uncertainty
from detente.scenario.calendar import Calendar, day
from detente.scenario.context import Context
from detente.scenario.formula.expression import Formula, number
from detente.scenario.formula.types import CONSTANT
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.slips import date_hint
from detente.scenario.source import Trail
from detente.scenario.values import FOREVER, LIMIT

NOWHERE = Place("")


def calendar(context: Context, part: schema.CalendarPart) -> Calendar | None:
    """The calendar; a start is wanted unless periods are rounds."""
    trail: Trail = ("calendar", "start")
    if part.period == "round":
        if part.start:
            context.diagnostics.key_error(trail, "calendar", "rounds have no `start`")
        return Calendar("round", None)
    if not part.start:
        if "start" not in context.diagnostics.source.value["calendar"]:  # or it has been told
            message = f"`start` is missing: a {part.period} has dates"
            context.diagnostics.key_error(trail, "missing-key", message)
        return None
    start = day(part.start)
    if start is None:
        message = f"`{part.start}` is not a date"
        context.diagnostics.error(trail, "calendar", message, date_hint(part.start))
        return None
    if start.day != 1 and part.period not in ("day", "week"):
        message = f"periods of a {part.period} start on the first day of a month"
        context.diagnostics.error(trail, "calendar", message, f"write {start:%Y-%m}")
    return Calendar(part.period, start)


def actor(context: Context, key: str, part: schema.ActorPart) -> model.Actor:
    """The actor `key`."""
    trail: Trail = ("actors", key)
    priors = context.formulas((*trail, "types"), part.types, CONSTANT)
    precision = context.constant((*trail, "precision"), part.precision, LIMIT)
    discount = context.formula((*trail, "discount"), part.discount, CONSTANT)
    support = context.support(trail, part)
    # What cannot be read is told, and the file refused; a number in its place, at which nothing is
    # wrong, lets the rest of the actor be checked.
    whole = len(priors) == len(part.types)
    return model.Actor(
        key=key,
        name=part.name or key,
        types=tuple(part.types) if whole else (),
        priors=tuple(priors.values()) if whole else (),
        precision=precision or number(1.0, NOWHERE),
        discount=discount or number(0.5, NOWHERE),
        about=part.about,
        support=support,
        concentration=part.concentration,
        accept=tuple(part.accept),
    )


def variable(context: Context, key: str, part: schema.VariablePart) -> model.Variable | None:
    """The state variable `key`."""
    trail: Trail = ("state", key)
    support = context.support(trail, part)
    start = _start(context, (*trail, "start"), part)
    if start is None:
        return None
    return model.Variable(
        key=key,
        size=part.levels.size,
        low=part.levels.low,
        names=part.levels.names,
        start=start,
        cut=part.edge == "cut",
        about=part.about,
        support=support,
        place=context.diagnostics.source.key(trail),
    )


def _start(context: Context, trail: Trail, part: schema.VariablePart) -> int | None:
    """The index of the level at the start."""
    size, low, names = part.levels
    if names:
        if part.start in names:
            return names.index(str(part.start))
        hint = did_you_mean(str(part.start), names)
        context.diagnostics.error(trail, "level", f"`{part.start}` is not one of the levels", hint)
    elif isinstance(part.start, str):
        message = "`start` should be a whole number, as the levels are"
        context.diagnostics.error(trail, "wrong-type", message)
    elif 0 <= part.start - low < size:
        return part.start - low
    else:
        message = f"{part.start} is not one of the levels {low}..{low + size - 1}"
        context.diagnostics.error(trail, "level", message)
    return None


def parameter(context: Context, key: str, part: schema.ParameterPart) -> model.Parameter | None:
    """The parameter `key`, its values in the order of its actor's types."""
    trail: Trail = ("parameters", key)
    support = context.support(trail, part)
    of = context.scope.parameters[key]
    types = (context.scope.actors.get(of) or ()) if of else ()
    if bool(types) == ("" in part.value):
        return None  # whose types these are could not be told, and that has been said
    keys = types or ("",)
    whole = _fits(context, (*trail, "value"), part.value, keys, of, every=True)
    if "" not in part.range:
        whole &= _fits(context, (*trail, "range"), part.range, keys, of, every=False)
    if "" not in part.draw:
        whole &= _fits(context, (*trail, "draw"), part.draw, keys, of, every=False)
    if not whole:
        return None
    return model.Parameter(
        key=key,
        of=of,
        types=types,
        values=tuple(part.value[name] for name in keys),
        ranges=tuple(part.range.get(name, part.range.get("")) for name in keys),
        unit=part.unit,
        about=part.about,
        support=support,
        draws=uncertainty.draws(context, key, part, keys),
        range_reason=part.range_reason,
    )


def _fits(
    context: Context,
    trail: Trail,
    values: Mapping[str, Any],
    keys: Collection[str],
    of: str,
    *,
    every: bool,
) -> bool:
    """Whether the values of a parameter are by the types they should be by."""
    strange = [name for name in values if name not in keys]
    for name in strange:
        message = f"`{name}` is not a type of {of}" if of else "the value does not vary by type"
        hint = did_you_mean(name, keys) if of else ""
        context.diagnostics.key_error((*trail, name), "type", message, hint)
    missing = [name for name in keys if name not in values] if every else []
    if missing:
        message = f"a value for {listing(missing)} of {of} is missing"
        context.diagnostics.key_error(trail, "missing-key", message)
    return not strange and not missing


def horizon(context: Context, part: schema.CalendarPart) -> Formula | None:
    """The number of periods, as a constant formula, or `forever`."""
    return context.constant(("calendar", "horizon"), part.horizon, FOREVER)
