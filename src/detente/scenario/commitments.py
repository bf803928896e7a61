"""Terms, policies, their announcement, outcomes and evidence, from checked entries.

A builder that finds a mistake tells it and gives None; the others go on.
"""

from __future__ import annotations

from detente.scenario import model, schema, triggers
from detente.scenario.context import Context
from detente.scenario.formula.types import PRIVATE_NUMBER, PUBLIC_CONDITION
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.source import Trail


def term(context: Context, key: str, part: schema.TermPart) -> model.Term:
    """The term `key`."""
    trail: Trail = ("terms", key)
    forbids = _forbidden(context, trail, part)
    since, until = triggers.span(context, trail, part)
    return model.Term(
        key=key,
        forbids=forbids,
        since=since,
        until=until,
        when=context.together((*trail, "when"), part.when),
        unless=context.together((*trail, "unless"), part.unless),
        cost=context.given((*trail, "cost"), part.cost, PRIVATE_NUMBER),
        about=part.about,
        support=context.support(trail, part),
        place=context.diagnostics.source.key(trail),
        accept=tuple(part.accept),
    )


def _forbidden(
    context: Context, trail: Trail, part: schema.TermPart
) -> tuple[tuple[str, str], ...]:
    """The pairs (actor, action) that a term forbids."""
    bound = [
        name
        for at, name in enumerate(part.binds)
        if context.known((*trail, "binds", at), name, "actors", "an actor")
    ]
    context.repeated((*trail, "binds"), part.binds)
    if "" not in part.forbids:
        return _forbidden_by_actor(context, trail, part, bound)
    if not part.binds:
        context.diagnostics.key_error(trail, "missing-key", "`binds` is missing: who is bound?")
    names = part.forbids[""]
    pairs = [(actor, name) for actor in bound for name in names if _can(context, actor, name)]
    if len(bound) == len(part.binds) > 0:
        _idle(context, trail, bound, names, pairs)
    return tuple(dict.fromkeys(pairs))


def _can(context: Context, actor: str, action: str) -> bool:
    return action in context.parts.actions.get(actor, {})


def _idle(
    context: Context, trail: Trail, bound: list[str], names: list[str], pairs: list[tuple[str, str]]
) -> None:
    """Tell forbidden actions that no bound actor has, and actors who have none of them."""
    if any(section.startswith("actions") for section in context.parts.lost):
        return
    known = [name for actor in bound for name in context.parts.actions.get(actor, {})]
    for at, name in enumerate(names):
        if all(name != action for _, action in pairs):
            message = f"`{name}` is not an action of {listing(bound)}"
            hint = did_you_mean(name, known)
            context.diagnostics.error((*trail, "forbids", at), "unknown-name", message, hint)
    for at, actor in enumerate(bound):
        if pairs and all(actor != one for one, _ in pairs):
            message = f"`{actor}` is bound, but has none of the forbidden actions"
            context.diagnostics.error((*trail, "binds", at), "terms", message)


def _forbidden_by_actor(
    context: Context, trail: Trail, part: schema.TermPart, bound: list[str]
) -> tuple[tuple[str, str], ...]:
    pairs = []
    for actor, names in part.forbids.items():
        below: Trail = (*trail, "forbids", actor)
        if not context.known_key(below, actor, "actors", "an actor"):
            continue
        if bound and actor not in bound:
            message = f"`{actor}` is not among those whom the term binds"
            context.diagnostics.key_error(below, "terms", message)
        _idle_by_actor(context, below, actor, names)
        pairs += [(actor, name) for name in names]
    for at, actor in enumerate(bound):
        if actor not in part.forbids:
            message = f"`{actor}` is bound, but nothing is forbidden to it"
            context.diagnostics.error((*trail, "binds", at), "terms", message)
    return tuple(dict.fromkeys(pairs))


def _idle_by_actor(context: Context, trail: Trail, actor: str, names: list[str]) -> None:
    """Tell forbidden actions that the actor does not have."""
    if context.parts.lost & {"actions", f"actions of {actor}"}:
        return
    actions = context.parts.actions.get(actor, {})
    for at, name in enumerate(names):
        if name not in actions:
            message = f"`{name}` is not an action of `{actor}`"
            where = (*trail, at)
            context.diagnostics.error(where, "unknown-name", message, did_you_mean(name, actions))


def policy(context: Context, key: str, part: schema.PolicyPart) -> model.Policy:
    """The policy `key`, which may be written as a list of terms."""
    trail: Trail = ("policies", key)
    below = (*trail, "terms") if (*trail, "terms") in context.diagnostics.source.places else trail
    for at, name in enumerate(part.terms):
        context.known((*below, at), name, "terms", "an entry of `terms`")
    context.repeated(below, part.terms)
    support = context.support(trail, part)
    return model.Policy(key, tuple(part.terms), part.about, support)


def announcer(context: Context, part: schema.AnnouncementPart) -> model.Announcer:
    """Who announces one of the policies."""
    trail: Trail = ("announcement",)
    diagnostics, policies = context.diagnostics, context.parts.policies
    if context.known((*trail, "who"), part.who, "actors", "an actor"):
        types = context.scope.actors.get(part.who)
        if types is not None and len(types) < 2:
            message = f"`{part.who}` has nothing private that an announcement could tell"
            hint = "give it `types`, or compare the policies as they are"
            diagnostics.error((*trail, "who"), "type", message, hint)
    for at, name in enumerate(part.among):
        context.known((*trail, "among", at), name, "policies", "one of the `policies`")
    context.repeated((*trail, "among"), part.among)
    among = tuple(part.among or policies)
    if len(among) < 2 and "policies" not in context.parts.lost:
        message = "an announcement is a choice between two policies or more"
        diagnostics.key_error((*trail, "among"), "terms", message)
    return model.Announcer(part.who, among, part.about, context.support(trail, part))


def outcome(context: Context, key: str, part: schema.OutcomePart) -> model.Outcome | None:
    """The outcome `key`, or None where its condition is wrong."""
    trail: Trail = ("outcomes", key)
    when = context.formula((*trail, "when"), part.when, PUBLIC_CONDITION)
    support = context.support(trail, part)
    return model.Outcome(key, when, part.ends, part.about, support) if when else None


def evidence(_: Context, key: str, part: schema.EvidencePart) -> model.Evidence:
    """The evidence `key`."""
    return model.Evidence(key, part.source, part.where, part.says, part.url)
