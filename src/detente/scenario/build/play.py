"""Turns, effects, actions and payoffs: what is to be said beyond their fields."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from detente.scenario.build.draft import Draft, Spot
from detente.scenario.build.entity import Raw, build, entity
from detente.scenario.formula.evaluate import Given
from detente.scenario.formula.expression import Formula, number
from detente.scenario.formula.types import PUBLIC_NUMBER, move_of
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.rules import (
    BECOMES,
    CHANCE,
    REST,
    TABLE,
    TO,
    Action,
    Alternative,
    Event,
    Joint,
    LevelChange,
    Outcome,
    Payoff,
    Turn,
)
from detente.scenario.scalar_types import Levels

E = TypeVar("E", bound=Event)

BY_CHANCE = ["chance"]
"""Who moves in a turn that plays all events in their order."""


def turn(spot: Spot, raw: Raw) -> Turn | None:
    """A turn; `chance` alone stands for all events in their order."""
    who, events = raw.get("who", []), raw.get("chance", [])
    if bool(who) == bool(events):
        sentence = "should say either `who` moves or which events of `chance` happen"
        spot.error("wrong-type", f"{spot.name} {sentence}")
        return None
    if raw.get("joint") and who in ([], BY_CHANCE):
        message = "chance has one lottery after the other, and nobody's moves to join"
        (spot / "joint").key_error("turns", message, "say it in the `effects` of an event")
        return None
    if who == BY_CHANCE:
        events = list(spot.draft.raw["chance"])
        if not events and "chance" not in spot.draft.lost:
            spot.error("turns", "there are no events in `chance` to play")
        return entity(Turn, spot, raw, who=(), events=tuple(events))
    for k, name in enumerate(who):
        _mover(spot / "who" / k, name)
    (spot / "who").repeated(who)
    return entity(Turn, spot, raw, who=tuple(who))


def _mover(spot: Spot, name: str) -> None:
    if name == "chance":
        spot.error("turns", "`chance` has a turn of its own", "write it as another item of `turns`")
    elif spot.known(name, "actors") and not (
        spot.draft.lost_actions(name) or spot.draft.actions(name)
    ):
        spot.error("turns", f"`{name}` has a turn, but no actions")


def alternative(spot: Spot, raw: Raw) -> Alternative | None:
    """An alternative; the `rest` is checked with the others."""
    draft, over = spot.draft, raw.get("over", "")
    if over and ("set" in raw or raw["p"] == REST):
        message = f"what is drawn is `{over}` alone, each of its levels with a probability"
        spot.error("wrong-type", message, "give `p` as a formula of `to`, and no `set`")
        return None
    scope, changes = draft.scope, _changes(spot / "set", raw.get("set", {}))
    becomes = _becomes(spot, raw)
    if over in scope.variables:
        draft.scope = replace(scope, variables={**scope.variables, TO: scope.variables[over]})
    # Of chance it may depend on a private type, of an action it may not.
    given = {"probability": build(CHANCE, raw["p"], spot / "p")} if _by_chance(spot) else {}
    made = entity(Alternative, spot, raw, changes=changes, becomes=becomes, **given)
    draft.scope = scope
    if made is None or None in given.values():
        return None
    return replace(made, probability=None) if raw["p"] == REST else made


def _by_chance(spot: Spot) -> bool:
    """Whether an alternative is one of an event, and not of an action."""
    return spot.trail[-4] == "chance"


def _becomes(spot: Spot, raw: Raw) -> Any:
    """Which types become which others, checked by name."""
    here, scope = spot / "becomes", spot.draft.scope
    built = build(BECOMES, raw.get("becomes", {}), here)
    for actor, rows in (built or {}).items():
        if not (here / actor).known_key(actor, "actors"):
            continue
        types = scope.actors[actor]
        if not types:
            if types is not None:
                message = f"`{actor}` has no private types that could change"
                (here / actor).key_error("types", message)
            continue
        for before, row in rows.items():
            _type_named(here / actor / before, actor, before, types)
            for after in row:
                spot_after = here / actor / before / after
                _type_named(spot_after, actor, after, types)
                if after == before:
                    hint = "leave it out: a type stays what it is with what the others leave"
                    spot_after.key_error("types", f"`{after}` does not become `{before}`", hint)
    return Frozen() if built is None else built


def _type_named(spot: Spot, actor: str, name: str, types: Sequence[str]) -> None:
    if name not in types:
        hint = did_you_mean(name, types) or f"they are {listing(types)}"
        spot.key_error("unknown-name", f"`{name}` is not one of the types of {actor}", hint)


def event(spot: Spot, raw: Raw) -> Event | None:
    """An event of chance: it has to do with the private types of one actor at most."""
    made = _event(Event, spot, raw)
    if made and len(made.concerns) > 1:
        message = f"`{made.key}` has to do with the private types of {listing(made.concerns)}"
        hint = "write an event for each of them: what is believed of one says nothing of another"
        spot.key_error("types", message, hint)
    effects = made.effects if made else ()
    alike = len({tuple(change.text for change in effect.changes) for effect in effects}) == 1
    if made and made.concerns and alike and not any(effect.becomes for effect in effects):
        message = (
            f"`{made.key}` depends on the private type of {made.concerns[0]}, but its effects are "
            "the same: nobody can see which has come about"
        )
        spot.key_error("types", message, "let one of them set a variable of `state`")
    return made


def action(spot: Spot, raw: Raw) -> Action | None:
    """An action, with what it costs by actor."""
    actor = str(spot.trail[-2])
    own = _costs(spot / "cost", actor, raw.get("cost", {}), ())
    others = _costs(spot / "costs", actor, raw.get("costs", {}), own)
    for other in raw.get("becomes", {}):
        if other != actor and other in spot.draft.raw["actors"]:
            message = f"what `{actor}` does may change its own type alone, not that of `{other}`"
            hint = "let it set a variable, and an event of `chance` depend on that"
            (spot / "becomes" / other).key_error("types", message, hint)
    return _event(Action, spot, raw, own_costs=own, other_costs=others)


def joint(spot: Spot, raw: Raw) -> Joint | None:
    """What moves do together: formulas there may read the moves of the turn."""
    draft = spot.draft
    scope, who = draft.scope, draft.raw["turns"][spot.trail[1]]["who"]
    moves = {
        move_of(actor): None
        if draft.lost_actions(actor)
        else tuple(
            key for key, action in draft.actions(actor).items() if not (action or {}).get("like")
        )
        for actor in who
    }
    draft.scope = replace(scope, variables={**scope.variables, **moves})
    for actor in raw.get("costs", ()):
        (spot / "costs" / actor).known_key(actor, "actors")
    made = _event(Joint, spot, raw)
    draft.scope = scope
    return made


def _event(cls: type[E], spot: Spot, raw: Raw, **given: Any) -> E | None:
    effects, sure = raw.get("effects", []), raw.get("set", {})
    for k, effect in enumerate(effects if cls is not Event else ()):
        if effect.get("becomes"):
            message = "what is done changes a type whatever its other effects are"
            hint = "say it of the action itself, or let an event of `chance` follow that may do it"
            (spot / "effects" / k / "becomes").key_error("types", message, hint)
    if cls is Joint and raw.get("becomes"):
        hint = "say it of an action of the actor whose type it is"
        (spot / "becomes").key_error("types", "moves together change no type", hint)
    # An action may have both: what all see, and what it does unseen.
    for key in ("set", "becomes") if cls is Event else ("set",):
        if effects and raw.get(key):
            spot.error("wrong-type", f"{spot.name} should have `effects` or `{key}`, not both")
            return None
    rests = [k for k, effect in enumerate(effects) if effect["p"] == REST]
    for k in rests[1:2]:
        message = "only one alternative can take the `rest`"
        (spot / "effects" / k / "p").error("probabilities", message)
    before = len(spot.draft.errors)
    changes, becomes = _changes(spot / "set", sure), _becomes(spot, raw)
    made = entity(cls, spot, raw, changes=changes, becomes=becomes, **given)
    if made is None or len(spot.draft.errors) > before:
        return None
    drawn = [each for effect in made.effects for each in _by_level(spot.draft, effect)]
    return replace(made, effects=tuple(drawn))


def _by_level(draft: Draft, alternative: Alternative) -> Iterator[Alternative]:
    """The alternative for each level of the variable that it draws; itself where it draws none."""
    if not alternative.over:
        yield alternative
        return
    p, key = alternative.probability, alternative.over
    entry = draft.raw["state"].get(key)
    if not entry or p is None:
        return  # its entry cannot be read, which is reported
    levels: Levels = entry["levels"]
    for k in range(levels.size):
        level = float(k + (0 if levels.names else levels.low))
        given = replace(p, node=Given(TO, level, p.node), variables=p.variables - {TO})
        drawn = replace(number(level, p.place, levels.label(k)), gives=draft.scope.level(key))
        yield replace(alternative, probability=given, changes=(LevelChange(key, False, drawn),))


def _changes(spot: Spot, values: Mapping[str, Any]) -> tuple[LevelChange, ...]:
    """What is set at the spot: levels, or by how many they change where a sign leads."""
    changes = []
    for key, value in values.items():
        here = spot / key
        if not here.known_key(key, "state"):
            continue
        written = spot.draft.source.written.get(here.trail)
        shift = written is not None and written.text.lstrip()[:1] in ("+", "-")
        level = replace(PUBLIC_NUMBER, wanted=spot.draft.scope.level(key))
        formula = here.formula(value, PUBLIC_NUMBER if shift else level)
        if formula:
            changes.append(LevelChange(key, shift, formula))
    return tuple(changes)


def _costs(
    spot: Spot, actor: str, values: Mapping[str, Any], others: Container[str]
) -> Frozen[Formula]:
    """Formulas by who pays: the actor itself, where nobody is named."""
    costs = {}
    for name, value in values.items():
        here, payer = spot / name, name or actor
        if not here.known_key(payer, "actors"):
            continue
        if payer in others:
            here.key_error("duplicate-name", f"the cost of `{payer}` is given twice")
            continue
        formula = build(TABLE, value, here)
        if formula:
            costs[payer] = formula
    return Frozen(costs)


def payoff(spot: Spot, raw: Raw) -> Payoff | None:
    """The payoffs of an actor: no terminal ones where play goes on forever."""
    if raw.get("terminal") and spot.draft.scope.forever:
        message = f"play goes on forever, so that `{spot.trail[-1]}` gets nothing at its end"
        hint = "say it as a `flow`, or give a number of periods"
        (spot / "terminal").key_error("forever", message, hint)
    return entity(Payoff, spot, raw)


def outcome(spot: Spot, raw: Raw) -> Outcome | None:
    """An outcome; what has to be remembered of play neither ends it nor is built on itself."""
    before = raw.get("before")
    other = spot.draft.raw["outcomes"].get(before) or {}
    here = spot / "before"
    if before == spot.trail[-1]:
        here.error("outcomes", f"`{before}` cannot come before itself")
    elif other.get("before"):
        message = f"`{before}` is itself an outcome with `before`: an order has two parts"
        here.error("outcomes", message, "name an outcome that has none")
    for key in ("lasting", "before"):
        if raw.get("ends") and raw.get(key):
            message = f"an outcome with `{key}` cannot end play, which does not remember it"
            hint = "keep in a variable of `state` what has happened, and end play by that"
            (spot / key).key_error("outcomes", message, hint)
    return entity(Outcome, spot, raw)


def with_kinds(draft: Draft, scenario: Scenario) -> Scenario:
    """The scenario in which actions that are `like` another are members of that one."""
    actions = {
        actor: Frozen(_kinds(draft.spot("actions", actor), entries))
        for actor, entries in scenario.actions.items()
    }
    return replace(scenario, actions=Frozen(actions))


def _kinds(spot: Spot, actions: Mapping[str, Action]) -> dict[str, Action]:
    kinds = {key: action for key, action in actions.items() if not action.like}
    for key, action in actions.items():
        head, here = kinds.get(action.like), spot / key
        if not action.like:
            continue
        if head is None:
            if action.like in actions:
                message = f"`{action.like}` is itself like `{actions[action.like].like}`"
                (here / "like").error("like", message, "name the action that they are both like")
            elif not spot.draft.lost_actions(str(spot.trail[-1])):
                message = f"there is no action `{action.like}` that `{key}` could be like"
                hint = did_you_mean(action.like, [other for other in actions if other != key])
                (here / "like").error("unknown-name", message, hint)
            continue
        if action.reference is not None:
            message = f"`{key}` is done as often as `{head.key}`: they share what is said there"
            (here / "reference").key_error("like", message, f"say it of `{head.key}`")
        for name, said, meant in _said(action, head):
            if said and said != meant:
                message = f"`{key}` is like `{head.key}`, but says something else as `{name}`"
                hint = "leave it out: what is like another does what that one does"
                (here / name).key_error("like", message, hint)
        kinds[head.key] = replace(
            head, members=(*head.members, key), also=(*head.also, *action.also)
        )
    return kinds


def _said(action: Action, head: Action) -> Iterator[tuple[str, object, object]]:
    """What two actions say, as text, by the key in the file."""
    for name in (
        "when", "effects", "changes", "becomes", "own_costs", "other_costs", "seen_as"
    ):  # fmt: skip
        key = {"changes": "set", "own_costs": "cost", "other_costs": "costs"}.get(name, name)
        yield key, _text(getattr(action, name)), _text(getattr(head, name))


def _text(value: object) -> object:
    """What is said, without its places."""
    if isinstance(value, Formula | LevelChange):
        return value.text
    if isinstance(value, Alternative):
        return _text(value.probability), _text(value.changes)
    if isinstance(value, Mapping):
        return {name: _text(item) for name, item in value.items()}
    return [_text(item) for item in value] if isinstance(value, tuple) else value


def _check_secrets(draft: Draft, scenario: Scenario, actor: str) -> None:
    """Report actions that look like nothing, have nothing to hide, or are taken beside others'."""
    actions = scenario.actions.get(actor, {})
    lost = draft.lost_actions(actor)
    together = any(len(turn.who) > 1 and actor in turn.who for turn in scenario.turns)
    for key, action in actions.items():
        spot = draft.spot("actions", actor, key)
        for word in ("seen_as", "becomes"):
            if getattr(action, word) and together:
                message = f"`{actor}` chooses at the same time as others, who see what it does"
                hint = "give it a turn of its own, before or after theirs"
                (spot / word).key_error("turns", message, hint)
        if not action.seen_as or lost:
            continue
        alike, here = actions.get(action.seen_as), spot / "seen_as"
        if not scenario.actors[actor].types:
            message = f"`{actor}` has no private types, so that what it does hides nothing"
            here.key_error("types", message, "give it `types`, one of which an action `becomes`")
        elif alike is not None and alike.seen != action.seen_as:
            message = f"`{action.seen_as}` is itself seen as `{alike.seen}`"
            here.error("types", message, f"write `{alike.seen}`, if all of them look alike")
        elif sum(other.seen == action.seen_as for other in actions.values()) == 1:
            message = f"nothing else that `{actor}` does is seen as `{action.seen_as}`"
            hint = did_you_mean(action.seen_as, [other for other in actions if other != key])
            here.error("unknown-name", message, hint or "name an action that looks the same")


def check_play(draft: Draft, scenario: Scenario) -> None:
    """Report actors and events that turns leave out, and sections for actors who are none."""
    for key, event in scenario.events.items():
        shared = [turn for turn in scenario.turns if key in turn.events and len(turn.events) > 1]
        if event.concerns and shared:
            message = (
                f"`{key}` has to do with the private types of {event.concerns[0]}, and shares its "
                "turn with other events"
            )
            hint = f"give it a turn of its own among `turns`: `{{chance: [{key}]}}`"
            draft.spot("chance", key).key_error("turns", message, hint)
    for actor in scenario.actors:
        _check_secrets(draft, scenario, actor)
    for section in ("actions", "payoffs"):
        for key in draft.raw[section]:
            draft.spot(section, key).known_key(key, "actors")
    turns = [raw for raw in draft.raw["turns"] if raw]
    if len(turns) < len(draft.raw["turns"]) or "turns" in draft.lost:
        return  # the turns that cannot be read may be theirs
    movers = {name for raw in turns for name in raw.get("who", ())}
    if movers - draft.raw["actors"].keys() - {"chance"}:
        return  # one of the movers may be meant
    for actor, actions in draft.raw["actions"].items():
        if actor in draft.raw["actors"] and actions and actor not in movers:
            draft.spot("actions", actor).key_error("turns", f"`{actor}` has actions, but no turn")
    played = {name for raw in turns for name in raw.get("chance", ())}
    left = [] if "chance" in movers else [key for key in draft.raw["chance"] if key not in played]
    if left:
        message = f"no turn plays {listing(left)}"
        draft.spot("chance", left[0]).key_error("turns", message, "add `chance` to `turns`")
