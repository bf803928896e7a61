"""When terms begin and lapse: dates, numbers of periods, and events, from checked entries.

A date stands for the period in which it lies, so that a term is in force in the periods t with
from <= t < until. An event is a condition on the state, and nothing but the state: what holds
by the calendar is a date. It counts from the first time it has held, for good.
"""

from __future__ import annotations

import re

from detente.scenario import schema
from detente.scenario.context import Context
from detente.scenario.diagnostics import Diagnostics
from detente.scenario.formula.types import PUBLIC_CONDITION
from detente.scenario.hints import listing
from detente.scenario.model import Moment, Scenario, Term
from detente.scenario.slips import date_hint
from detente.scenario.source import Trail
from detente.scenario.values import constant

LIKE_A_DATE = re.compile(r"[0-9]+(-[0-9]+){1,2}")


def span(
    context: Context, trail: Trail, part: schema.TermPart
) -> tuple[Moment | None, Moment | None]:
    """The moments from which and until which the term at `trail` is in force."""
    since = _moment(context, (*trail, "from"), part.since)
    until = _moment(context, (*trail, "until"), part.until)
    begin, end = period(since), period(until)
    if begin is not None and end is not None and begin >= end:
        message = f"`until: {part.until}` is not later than `from: {part.since}`"
        hint = "a term is in force from the first date on, and before the second"
        context.diagnostics.error((*trail, "until"), "terms", message, hint)
    return since, until


def period(moment: Moment | None) -> int | None:
    """The period of a moment; None where there is none, or it is an event."""
    return moment.period if moment else None


def _moment(context: Context, trail: Trail, value: int | str | None) -> Moment | None:
    """The moment at `trail`; None where there is none, and after telling what is wrong with it."""
    if value is None:
        return None
    text = str(value)
    if isinstance(value, str) and not LIKE_A_DATE.fullmatch(text) and not text.isdecimal():
        return _event(context, trail, text)
    if context.forever:
        message = "play goes on forever, so that no term begins or lapses at a date"
        hint = "name an event, as in `until: steps >= 1`, or give a number of periods"
        context.diagnostics.error(trail, "forever", message, hint)
        return None
    calendar = context.calendar
    if calendar is None:
        return None  # the calendar cannot be read, and that is told
    number = calendar.number(text)
    if number is not None:
        return Moment(text, context.diagnostics.source.place(trail), number)
    message, hint = f"`{text}` is not a date", date_hint(text)
    if calendar.start is None:
        message, hint = f"`{text}` is not the number of a period", "rounds have no dates"
    elif text.isdecimal():
        hint = f"a {calendar.unit} has a date: {hint}"
    context.diagnostics.error(trail, "calendar", message, hint)
    return None


def _event(context: Context, trail: Trail, text: str) -> Moment | None:
    event = context.formula(trail, text, PUBLIC_CONDITION)
    if event is None:
        return None
    if event.calendar and not context.forever:
        message = "an event is a condition on the state; it may not depend on "
        hint = "write a date, as in `from: 2018-06`, or use `when` and `unless`"
        message += listing(sorted(event.calendar))
        context.diagnostics.error(trail, "scope", message, hint)
    elif not event.variables and not event.calendar:
        message = f"`{text}` is no event: it reads nothing of the state"
        context.diagnostics.error(trail, "terms", message, "an event is as in `steps >= 1`")
    return Moment(event.text, event.place, event=event)


def warn_span(scenario: Scenario, term: Term, diagnostics: Diagnostics) -> None:
    """Tell dates of a term outside the periods that are played."""
    if scenario.forever:
        return
    last = round(constant(scenario.horizon, scenario))
    ends = f"play is from {scenario.calendar.label(1)} to {scenario.calendar.label(last)}"
    begin, end = period(term.since), period(term.until)
    told: list[tuple[str, Moment | None, str]] = []
    if begin is not None and begin < 1:
        told.append(("from", term.since, "is before the start: the term is in force at once"))
    elif begin is not None and begin > last:
        told.append(("from", term.since, "is after the end: the term is never in force"))
    if end is not None and end <= 1:
        told.append(("until", term.until, "is not after the start: the term is never in force"))
    elif end is not None and end > last:
        told.append(("until", term.until, "is after the end: the term does not lapse"))
    for key, moment, sentence in told:
        message = f"`{key}: {moment.text if moment else ''}` of `{term.key}` {sentence}"
        diagnostics.warn(("terms", term.key, key), "out-of-range", message, ends)
