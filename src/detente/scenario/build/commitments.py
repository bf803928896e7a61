"""Terms with their moments, and the announcement of policies: what is to be said beyond fields.

A date stands for the period in which it lies, so that a term is in force in the periods t with
from <= t < until. An event is a condition on the state, and nothing but the state: what holds
by the calendar is a date. It counts from the first time it has held, for good.
"""

from __future__ import annotations

import re
from dataclasses import replace

from detente.scenario.build.draft import Spot
from detente.scenario.build.entity import Raw, entity
from detente.scenario.dates import date_hint
from detente.scenario.formula.types import PUBLIC_CONDITION
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.rules import Announcer, Moment, Term

LIKE_A_DATE = re.compile(r"[0-9]+(-[0-9]+){1,2}")


def term(spot: Spot, raw: Raw) -> Term | None:
    """A term: whom it forbids what, and from when to when."""
    since, until = (_moment(spot / key, raw.get(key)) for key in ("from", "until"))
    made = entity(Term, spot, raw, forbids=_forbidden(spot, raw), since=since, until=until)
    begin, end = made.dates if made else (None, None)
    if begin is not None and end is not None and begin >= end:
        message = f"`until: {raw['until']}` is not later than `from: {raw['from']}`"
        hint = "a term is in force from the first date on, and before the second"
        (spot / "until").error("terms", message, hint)
    return made


def _forbidden(spot: Spot, raw: Raw) -> tuple[tuple[str, str], ...]:
    """The pairs (actor, action) that a term forbids."""
    draft, binds, forbids = spot.draft, raw.get("binds", []), raw["forbids"]
    bound = [name for name in binds if name in draft.raw["actors"]]
    if "" not in forbids:
        return _forbidden_by_actor(spot, bound, forbids)
    if not binds:
        spot.key_error("missing-key", "`binds` is missing: who is bound?")
    names = forbids[""]
    pairs = [(actor, name) for actor in bound for name in names if name in draft.actions(actor)]
    if len(bound) == len(binds) > 0 and not any(lost.startswith("actions") for lost in draft.lost):
        known = [name for actor in bound for name in draft.actions(actor)]
        for k, name in enumerate(names):
            if all(name != action for _, action in pairs):
                message = f"`{name}` is not an action of {listing(bound)}"
                hint = did_you_mean(name, known)
                (spot / "forbids" / k).error("unknown-name", message, hint)
            for actor in bound:
                _is_kind(spot / "forbids" / k, actor, name)
        for k, actor in enumerate(bound):
            if pairs and all(actor != one for one, _ in pairs):
                message = f"`{actor}` is bound, but has none of the forbidden actions"
                (spot / "binds" / k).error("terms", message)
    return tuple(dict.fromkeys(pairs))


def _forbidden_by_actor(
    spot: Spot, bound: list[str], forbids: dict[str, list[str]]
) -> tuple[tuple[str, str], ...]:
    pairs = []
    for actor, names in forbids.items():
        here = spot / "forbids" / actor
        if not here.known_key(actor, "actors"):
            continue
        if bound and actor not in bound:
            here.key_error("terms", f"`{actor}` is not among those whom the term binds")
        actions = spot.draft.actions(actor)
        for k, name in enumerate(names):
            if name not in actions and not spot.draft.lost_actions(actor):
                message = f"`{name}` is not an action of `{actor}`"
                (here / k).error("unknown-name", message, did_you_mean(name, actions))
            _is_kind(here / k, actor, name)
        pairs += [(actor, name) for name in names]
    for k, actor in enumerate(bound):
        if actor not in forbids:
            message = f"`{actor}` is bound, but nothing is forbidden to it"
            (spot / "binds" / k).error("terms", message)
    return tuple(dict.fromkeys(pairs))


def _is_kind(spot: Spot, actor: str, name: str) -> None:
    """Report an action that is only another name of one: a term is about what is done."""
    raw = spot.draft.actions(actor).get(name) or {}
    if raw.get("like"):
        message = f"`{name}` is like `{raw['like']}`: they are forbidden together or not at all"
        spot.error("like", message, f"forbid `{raw['like']}`, which stands for both")


def _moment(spot: Spot, value: int | str | None) -> Moment | None:
    """The moment at the spot; None where there is none, and after reporting what is wrong."""
    if value is None:
        return None
    text, scope = str(value), spot.draft.scope
    if isinstance(value, str) and not LIKE_A_DATE.fullmatch(text) and not text.isdecimal():
        return _event(spot, text)
    calendar = scope.calendar
    if scope.forever:
        message = "play goes on forever, so that no term begins or lapses at a date"
        hint = "name an event, as in `until: steps >= 1`, or give a number of periods"
        spot.error("forever", message, hint)
    elif calendar is not None:  # or it cannot be read, and that is reported
        number = calendar.number(text)
        if number is not None:
            return Moment(text, spot.place, number)
        message, hint = f"`{text}` is not a date", date_hint(text)
        if calendar.start is None:
            message, hint = f"`{text}` is not the number of a period", "rounds have no dates"
        elif text.isdecimal():
            hint = f"a {calendar.unit} has a date: {hint}"
        spot.error("calendar", message, hint)
    return None


def _event(spot: Spot, text: str) -> Moment | None:
    event = spot.formula(text, PUBLIC_CONDITION)
    if event is None:
        return None
    if event.calendar and not spot.draft.scope.forever:
        message = "an event is a condition on the state; it may not depend on "
        message += listing(sorted(event.calendar))
        spot.error(
            "scope", message, "write a date, as in `from: 2018-06`, or use `when` and `unless`"
        )
    elif not event.variables and not event.calendar:
        message = f"`{text}` is no event: it reads nothing of the state"
        spot.error("terms", message, "an event is as in `steps >= 1`")
    return Moment(event.text, event.place, event=event)


def announcement(spot: Spot, raw: Raw) -> Announcer | None:
    """Who announces one of the policies: of all of them, if nothing else is said."""
    who, draft = raw["who"], spot.draft
    types = draft.scope.actors.get(who)
    if types is not None and len(types) < 2:
        message = f"`{who}` has nothing private that an announcement could tell"
        hint = "give it `types`, or compare the policies as they are"
        (spot / "who").error("type", message, hint)
    among = tuple(raw.get("among") or draft.raw["policies"])
    if len(among) < 2 and "policies" not in draft.lost:
        message = "an announcement is a choice between two policies or more"
        (spot / "among").key_error("terms", message)
    made = entity(Announcer, spot, raw)
    return made and replace(made, among=among)
