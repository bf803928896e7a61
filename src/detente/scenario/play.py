"""Turns, actions, events and payoffs, from checked entries.

A builder that finds a mistake tells it and gives None; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from detente.scenario import cells, model, schema
from detente.scenario.context import Context
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.types import PUBLIC_CONDITION, PUBLIC_NUMBER, Slot
from detente.scenario.frozen import Frozen
from detente.scenario.source import Trail


def turn(context: Context, at: int, part: schema.TurnPart) -> model.Turn:
    """The turn at position `at`; `chance` alone stands for all events in their order."""
    trail: Trail = ("turns", at)
    when = context.given((*trail, "when"), part.when, PUBLIC_CONDITION)
    where = context.diagnostics.source.place(trail)
    if part.who == ["chance"]:
        events = list(context.parts.chance)
        if not events and "chance" not in context.parts.lost:
            context.diagnostics.error(trail, "turns", "there are no events in `chance` to play")
        return model.Turn((), tuple(events), when, where)
    for place, name in enumerate(part.who):
        _mover(context, (*trail, "who", place), name)
    for place, name in enumerate(part.chance):
        context.known((*trail, "chance", place), name, "chance", "an event of `chance`")
    for key, names in (("who", part.who), ("chance", part.chance)):
        context.repeated((*trail, key), names)
    return model.Turn(tuple(part.who), tuple(part.chance), when, where)


def _mover(context: Context, trail: Trail, name: str) -> None:
    if name == "chance":
        message = "`chance` has a turn of its own"
        context.diagnostics.error(trail, "turns", message, "write it as another item of `turns`")
    elif context.known(trail, name, "actors", "an actor") and context.idle(name):
        context.diagnostics.error(trail, "turns", f"`{name}` has a turn, but no actions")


def event(context: Context, key: str, part: schema.EventPart) -> model.Action | None:
    """The event `key` of chance."""
    return _action(context, ("chance", key), part, {})


def action(
    context: Context, key: str, part: schema.ActionPart, *, actor: str
) -> model.Action | None:
    """The action `key` of `actor`."""
    trail: Trail = ("actions", actor, key)
    return _action(context, trail, part, _costs(context, trail, actor, part), tuple(part.also))


def _action(
    context: Context,
    trail: Trail,
    part: schema.EventPart,
    costs: Mapping[str, Formula],
    also: tuple[str, ...] = (),
) -> model.Action | None:
    before = len(context.diagnostics.errors)
    when = context.given((*trail, "when"), part.when, PUBLIC_CONDITION)
    alternatives = _alternatives(context, trail, part)
    support = context.support(trail, part)
    if len(context.diagnostics.errors) > before:
        return None
    return model.Action(
        key=str(trail[-1]),
        when=when,
        alternatives=tuple(alternatives),
        costs=Frozen(costs),
        about=part.about,
        support=support,
        place=context.diagnostics.source.key(trail),
        also=also,
        accept=tuple(part.accept),
    )


def _alternatives(
    context: Context, trail: Trail, part: schema.EventPart
) -> list[model.Alternative]:
    if part.effects is None:
        return [model.Alternative(None, _changes(context, (*trail, "set"), part.set))]
    found = []
    rests = 0
    for at, effect in enumerate(part.effects):
        below: Trail = (*trail, "effects", at)
        probability = None
        if effect.p == "rest":
            rests += 1
            if rests == 2:
                message = "only one alternative can take the `rest`"
                context.diagnostics.error((*below, "p"), "probabilities", message)
        else:
            probability = context.formula((*below, "p"), effect.p, PUBLIC_NUMBER)
        changes = _changes(context, (*below, "set"), effect.set)
        found.append(model.Alternative(probability, changes))
    return found


def _changes(context: Context, trail: Trail, values: Mapping[str, Any]) -> tuple[model.Change, ...]:
    found = []
    for key, value in values.items():
        below: Trail = (*trail, key)
        if not context.known_key(below, key, "state", "a variable of `state`"):
            continue
        written = context.diagnostics.source.written.get(below)
        shift = written is not None and written.text.lstrip()[:1] in ("+", "-")
        formula = context.formula(below, value, _level(context, key, shift))
        if formula:
            found.append(model.Change(key, shift, formula))
    return tuple(found)


def _level(context: Context, variable: str, shift: bool) -> Slot:
    """What a change of a variable gives: a number, or one of its named levels."""
    return PUBLIC_NUMBER if shift else replace(PUBLIC_NUMBER, wanted=context.scope.level(variable))


def _costs(
    context: Context, trail: Trail, actor: str, part: schema.ActionPart
) -> dict[str, Formula]:
    found: dict[str, Formula] = {}
    for key, values in (("cost", part.cost), ("costs", part.costs)):
        for name, value in values.items():
            below: Trail = (*trail, key, name)
            payer = name or actor if key == "cost" else name
            if not _payer(context, below, payer, found):
                continue
            formula = cells.value(context, below, value)
            if formula:
                found[payer] = formula
    return found


def _payer(context: Context, trail: Trail, name: str, others: Iterable[str]) -> bool:
    if not context.known_key(trail, name, "actors", "an actor"):
        return False
    if name in others:
        message = f"the cost of `{name}` is given twice"
        context.diagnostics.key_error(trail, "duplicate-name", message)
        return False
    return True


def _sums(context: Context, trail: Trail, values: Mapping[str, Any]) -> Mapping[str, Formula]:
    """Formulas and tables by name; those with mistakes are left out."""
    found = {key: cells.value(context, (*trail, key), one) for key, one in values.items()}
    return Frozen({key: formula for key, formula in found.items() if formula})


def payoff(context: Context, key: str, part: schema.PayoffPart) -> model.Payoff:
    """The payoffs of the actor `key`."""
    trail: Trail = ("payoffs", key)
    if part.terminal and context.forever:
        message = f"play goes on forever, so that `{key}` gets nothing at its end"
        hint = "say it as a `flow`, or give a number of periods"
        context.diagnostics.key_error((*trail, "terminal"), "forever", message, hint)
    return model.Payoff(
        flow=_sums(context, (*trail, "flow"), part.flow),
        terminal=_sums(context, (*trail, "terminal"), part.terminal),
        about=part.about,
        support=context.support(trail, part),
    )
