"""A scenario: who plays, what can be seen and done, what each wants; then what it all rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from detente.describe.blocks import Block, Described, Details, Heading, Points, Section, text
from detente.describe.ledger import ledger, notes, numbers_data
from detente.describe.tables import Cell, Row, Table, code
from detente.describe.words import Point, identity, together
from detente.scenario.entities import FOREVER, Actor, JointPrior
from detente.scenario.formula.expression import Formula
from detente.scenario.ledger import entity_data
from detente.scenario.model import SHOCKS, Scenario
from detente.scenario.rules import Action, Event, Turn

MARKS = {"up": "▲", "down": "▼", "both": "◆", "set": "●"}
"""What a move does to a variable: signs that differ in shape."""


def describe_scenario(scenario: Scenario) -> Described:
    """What the scenario says, part by part, then its parameters with range and evidence."""
    source = scenario.source and f"Source: {scenario.source}"
    return Described(
        title=scenario.title,
        lead=(scenario.about, source, _span(scenario)),
        sections=(*_basics(scenario), *_formulas(scenario), *ledger(scenario), *notes(scenario)),
        data=_data(scenario),
    )


def model(scenario: Scenario) -> Section:
    """For a page: who plays, what is seen, the turns and what they move; formulas in full, folded.

    The turns are a grid of actions by variables, not a graph of states: there are too many of them
    to be read.
    """
    blocks: list[Block] = []
    for section in _basics(scenario):
        blocks += [Heading(section.title), *section.blocks]
    blocks += _moves(scenario)
    folded: list[Block] = []
    for section in _formulas(scenario):
        folded += [Heading(section.title), *section.blocks]
    formulas = Details("Actions, events, payoffs and terms in full", tuple(folded))
    return Section("model", "The model", (*blocks, formulas))


def _basics(scenario: Scenario) -> list[Section]:
    rows: list[Row] = []
    for actor in scenario.actors.values():
        numbers = (_constant(f, scenario) for f in (actor.precision, actor.discount))
        rows.append((actor.key, actor.name, _types(actor, scenario), *numbers, actor.about))
    header = ("key", "name", "private types", "precision", "discount", "meaning")
    blocks: tuple[Block, ...] = (Table(header, tuple(rows)),)
    if scenario.responses == SHOCKS:
        blocks += (
            text("At its own turns each sees a private shock to the payoff of each action."),
        )
    if scenario.joint_prior is not None:
        blocks += _joint_prior(scenario, scenario.joint_prior)
    actors = Section("actors", "Actors", blocks)
    rows = []
    for v in scenario.variables.values():
        levels = ", ".join(v.names) if v.names else f"{v.label(0)} to {v.label(v.size - 1)}"
        rows.append((v.key, levels, v.label(v.start), v.about))
    variables = Table(("variable", "levels", "start", "meaning"), tuple(rows))
    turns = text(*(f"{n}. {_turn(turn)}" for n, turn in enumerate(scenario.turns, start=1)))
    return [
        actors,
        Section("state", "State, seen by all", (variables,)),
        Section("turns", "Turns of each period", (turns,)),
    ]


def _moves(scenario: Scenario) -> tuple[Block, ...]:
    """Actions and events in the order of turns, and the variables that each moves."""
    rows: list[Row] = []
    known: set[str] = set()
    for number, turn in enumerate(scenario.turns, start=1):
        name = "chance"
        actions = [scenario.events[key] for key in turn.events]
        if turn.who:
            name = together(scenario.actors[key].name for key in turn.who)
            fresh = [key for key in turn.who if key not in known]
            known.update(fresh)
            actions = [a for key in fresh for a in scenario.actions.get(key, {}).values()]
            actions += [turn.joint] if turn.joint else []
        heads = [(str(number), name)] + [("", "")] * max(len(actions) - 1, 0)
        keys = [code(action.key) for action in actions] or [Cell("as above")]
        signs = [_signs(action, scenario) for action in actions] or [[""] * len(scenario.variables)]
        rows += [(*head, key, *mine) for head, key, mine in zip(heads, keys, signs, strict=True)]
    caption = (
        "▲ raises, ▼ lowers, ● sets, ◆ moves either way; with ? it happens by chance or in some "
        "cases only. Turns are played from top to bottom, period after period."
    )
    header = ("turn", "who", "action", *scenario.variables)
    return Heading("What each action moves"), Table(header, tuple(rows), caption=caption)


def _signs(action: Event, scenario: Scenario) -> list[str]:
    """What an action does to each variable; with ? where it is not sure to."""
    signs: dict[str, list[str]] = {}
    for alternative in action.alternatives:
        for change in alternative.changes:
            down = change.formula.text.strip().startswith("-")
            sign = ("down" if down else "up") if change.shift else "set"
            signs.setdefault(change.variable, []).append(sign)
    cells = []
    for key in scenario.variables:
        mine = signs.get(key, [])
        sure = len(mine) == len(action.alternatives)
        kind = mine[0] if len(set(mine)) == 1 else "both"
        cells.append(f"{MARKS[kind]}{'' if sure else '?'}" if mine else "")
    return cells


def _formulas(scenario: Scenario) -> list[Section]:
    sections = []
    for key, actor in scenario.actors.items():
        actions = _actions(scenario.actions.get(key, {}).values())
        sections.append(Section(f"actions-{key}", f"What {actor.name} can do", (actions,)))
    for number, turn in enumerate(scenario.turns, start=1):
        if turn.joint:
            heading = f"What moves of turn {number} do together"
            sections.append(Section(f"joint-{number}", heading, (_actions([turn.joint]),)))
    if scenario.events:
        events = _actions(scenario.events.values())
        sections.append(Section("events", "What happens by chance", (events,)))
    rows: list[Row] = []
    for key, payoff in scenario.payoffs.items():
        for when, parts in (("each period", payoff.flow), ("at the end", payoff.terminal)):
            rows += [(key, when, name, code(formula.text)) for name, formula in parts.items()]
    wants = Table(("actor", "when", "part", "payoff"), tuple(rows))
    sections.append(Section("payoffs", "What each of them wants", (wants,)))
    if scenario.terms:
        sections += [_terms(scenario), _policies(scenario)]
    rows = [
        (code(o.key), code(o.when.text), "ends play" if o.ends else "", o.about)
        for o in scenario.outcomes.values()
    ]
    table = Table(("outcome", "when", "", "meaning"), tuple(rows))
    return [*sections, Section("outcomes", "Outcomes", (table,))]


def _actions(actions: Iterable[Event]) -> Points:
    items: list[Point] = []
    for action in actions:
        costs = "; ".join(f"{actor}: {formula.text}" for actor, formula in action.charged)
        parts = {
            "when": action.when.text if action.when else "",
            "effect": _effects(action),
            "unseen": _becomes(action.becomes) if isinstance(action, Action) else "",
            "seen as": action.seen_as if isinstance(action, Action) else "",
            "cost": costs,
            "reference": action.reference.text if action.reference else "",
            "under other names": ", ".join(action.members),
            "also called": ", ".join(action.also),
        }
        lines = (f"{word}: {part}" for word, part in parts.items() if part)
        items.append((action.key, (action.about, *lines)))
    return Points(tuple(items))


def _terms(scenario: Scenario) -> Section:
    rows: list[Row] = []
    for term in scenario.terms.values():
        forbidden = ", ".join(f"{actor}: {action}" for actor, action in term.forbids)
        data = entity_data(term, scenario)
        words = [f"{word} {data[word]}" for word in ("from", "until", "when", "unless")]
        force = ", ".join(word for word in words if not word.endswith(" ")) or "always"
        kind = "hard" if term.cost is None else f"soft, costs {term.cost.text}"
        rows.append((code(term.key), forbidden, force, kind, term.about))
    header = ("term", "forbids", "in force", "kind", "meaning")
    return Section("terms", "Terms announced", (Table(header, tuple(rows)),))


def _policies(scenario: Scenario) -> Section:
    rows: list[Row] = []
    for policy in scenario.policies.values():
        default = "in force unless another is asked for" if policy.key == scenario.policy else ""
        rows.append((policy.key, ", ".join(policy.terms) or "no terms", default or policy.about))
    blocks: tuple[Block, ...] = (Table(("policy", "terms", "meaning"), tuple(rows)),)
    if scenario.announcement:
        name = scenario.actors[scenario.announcement.who].name
        among = "; ".join(scenario.announcement.among)
        blocks += (text(f"Before the first period {name} announces one of: {among}."),)
    return Section("policies", "Policies", blocks)


def _span(scenario: Scenario) -> str:
    """How long play is, in a sentence."""
    calendar = scenario.calendar
    periods = scenario.periods
    if periods is None:
        since = f", from {calendar.label(1)} on" if calendar.start else ""
        return f"Play goes on forever, {calendar.unit} by {calendar.unit}{since}."
    dates = f", from {calendar.label(1)} to {calendar.label(periods)}" if calendar.start else ""
    return f"Play is over {periods} {calendar.unit}s{dates}."


def _types(actor: Actor, scenario: Scenario) -> str:
    """The private types with their prior, and how sure that is."""
    shares = map(scenario.constant, actor.priors.values())
    types = ", ".join(f"{k} {p:.3g}" for k, p in zip(actor.types, shares, strict=True))
    sure = "" if actor.concentration is None else f" (concentration {actor.concentration:g})"
    return f"{types}{sure}" if types else "none"


def _joint_prior(scenario: Scenario, joint: JointPrior) -> tuple[Block, ...]:
    """The types that go together, with their probability and what it would be by themselves."""
    rows: list[Row] = []
    each = [scenario.actors[key].priors for key in joint.by]
    for types, share in zip(product(*each), joint.shares, strict=True):
        alone = math.prod(
            scenario.constant(priors[kind]) for priors, kind in zip(each, types, strict=True)
        )
        rows.append((*types, f"{scenario.constant(share):.3g}", f"{alone:.3g}"))
    header = (*joint.by, "together", "if each by itself")
    said = f"The types of {together(joint.by)} go together."
    return text(said), Table(header, tuple(rows))


def _constant(formula: Formula, scenario: Scenario) -> str:
    """A constant, or the word for one that is infinite."""
    value = scenario.constant(formula)
    return f"{value:.3g}" if math.isfinite(value) else formula.text


def _turn(turn: Turn) -> str:
    """Who moves at a turn, and when."""
    who = together(turn.who)
    line = f"{who} choose at the same time" if len(turn.who) > 1 else f"{who} moves"
    if turn.events:
        line = f"chance: {', '.join(turn.events)}"
    return f"{line}, when {turn.when.text}" if turn.when else line


def _effects(action: Event) -> str:
    """What an action or event does to the state."""
    parts = []
    for alternative in action.alternatives:
        # What an action does to a type is said by itself.
        turned = "" if isinstance(action, Action) else _becomes(alternative.becomes)
        changes = ", ".join(filter(None, [*(c.text for c in alternative.changes), turned]))
        share = "otherwise" if alternative.probability is None else alternative.probability.text
        if alternative.over:
            changes = f"{alternative.over} to each level"
        sure = len(action.alternatives) == 1
        parts.append(changes or "nothing" if sure else f"{share}: {changes or 'nothing'}")
    return "; ".join(dict.fromkeys(parts))


def _becomes(becomes: Mapping[str, Mapping[str, Mapping[str, Formula]]]) -> str:
    """Which types become which others."""
    return ", ".join(
        f"{actor} {before} becomes {after} with {share.text}"
        for actor, rows in becomes.items()
        for before, row in rows.items()
        for after, share in row.items()
    )


def _data(scenario: Scenario) -> dict[str, Any]:
    """All that is said in the scenario, for programs."""
    start = scenario.calendar.start
    return {
        **entity_data(scenario, scenario),
        **identity(scenario),
        "calendar": {"period": scenario.calendar.unit, "start": start and start.isoformat()},
        "horizon": scenario.periods or FOREVER,
        "parameters": list(numbers_data(scenario)),
    }
