"""A scenario in words, and its ledger of assumptions."""

from __future__ import annotations

from typing import Any

from detente.cli.console import print_heading, print_table, print_text
from detente.scenario.entities import FOREVER
from detente.scenario.ledger import drawn_priors
from detente.scenario.model import Scenario
from detente.scenario.rules import Event
from detente.scenario.wording import (
    certainty,
    condition,
    effects,
    in_force,
    number_or_word,
    number_text,
    option_rows,
    range_text,
    span,
    support_text,
    turn_text,
)


def print_scenario(scenario: Scenario) -> None:
    """What the scenario says, part by part, then its parameters with range and evidence."""
    print_text(scenario.title)
    for text in (scenario.about, scenario.source and f"Source: {scenario.source}"):
        if text:
            print_text(text)
    print_text(span(scenario))

    print_heading("Actors")
    rows = []
    for actor in scenario.actors.values():
        priors = [scenario.constant(f) for f in actor.priors.values()]
        types = ", ".join(f"{k} {p:.3g}" for k, p in zip(actor.types, priors, strict=True))
        numbers = [number_text(f, scenario) for f in (actor.precision, actor.discount)]
        types = types + certainty(actor) if types else "none"
        rows.append([actor.key, actor.name, types, *numbers, actor.about])
    print_table(["key", "name", "private types", "precision", "discount", ""], rows)

    print_heading("State, seen by all")
    rows = []
    for v in scenario.variables.values():
        levels = ", ".join(v.names) if v.names else f"{v.label(0)} to {v.label(v.size - 1)}"
        rows.append([v.key, levels, v.label(v.start), v.about])
    print_table(["variable", "levels", "start", ""], rows)

    print_heading("Turns of each period")
    for number, turn in enumerate(scenario.turns, start=1):
        print_text(f"{number}. {turn_text(turn)}", indent=2)
    for key, actor in scenario.actors.items():
        print_heading(f"What {actor.name} can do")
        _print_actions(list(scenario.actions.get(key, {}).values()))
    if scenario.events:
        print_heading("What happens by chance")
        _print_actions(list(scenario.events.values()))
    _print_payoffs(scenario)
    _print_commitments(scenario)
    print_heading("Outcomes")
    rows = [
        [o.key, o.when.text, "ends play" if o.ends else "", o.about]
        for o in scenario.outcomes.values()
    ]
    print_table(["outcome", "when", "", ""], rows)
    _print_ledger(scenario)
    for note in scenario.notes:
        print_heading("Note")
        print_text(note, indent=2)


def as_data(scenario: Scenario) -> dict[str, Any]:
    """The scenario's parts and ledger, ready for JSON."""
    priors = drawn_priors(scenario)
    return {
        "name": scenario.name,
        "title": scenario.title,
        "about": scenario.about,
        "source": scenario.source,
        "sha256": scenario.sha256,
        "overrides": dict(scenario.overrides),
        "options": dict(scenario.options),
        "notes": list(scenario.notes),
        "horizon": scenario.periods or FOREVER,
        "actors": {
            key: {
                "name": actor.name,
                "types": {
                    kind: scenario.constant(prior)
                    for kind, prior in zip(actor.types, actor.priors.values(), strict=True)
                },
                "precision": (number_or_word(actor.precision, scenario)),
                "discount": scenario.constant(actor.discount),
                "concentration": actor.concentration,
                "actions": {a.key: a.about for a in scenario.actions.get(key, {}).values()},
            }
            for key, actor in scenario.actors.items()
        },
        "state": {
            v.key: {
                "levels": [v.label(k) for k in range(v.size)],
                "start": v.label(v.start),
                "about": v.about,
            }
            for v in scenario.variables.values()
        },
        "terms": {
            term.key: {
                "forbids": [list(pair) for pair in term.forbids],
                **in_force(term),
                "cost": condition(term.cost),
                "about": term.about,
            }
            for term in scenario.terms.values()
        },
        "policies": {p.key: list(p.terms) for p in scenario.policies.values()},
        "announcement": scenario.announcement
        and {"who": scenario.announcement.who, "among": list(scenario.announcement.among)},
        "outcomes": {o.key: o.when.text for o in scenario.outcomes.values()},
        "parameters": [
            {
                "name": name,
                "value": value,
                "range": limits and list(limits),
                "range_reason": p.range_reason,
                "draw": "dirichlet" if p.key in priors else draw,
                "unit": p.unit,
                "about": p.about,
                "evidence": list(p.evidence),
                "judgement": p.judgement,
            }
            for p in scenario.parameters.values()
            for name, value, limits, draw in zip(
                p.names(), p.values, p.ranges, p.draws, strict=True
            )
        ],
        "correlations": [
            {
                "between": list(one.between),
                "rank": one.rank,
                "about": one.about,
                "evidence": list(one.evidence),
                "judgement": one.judgement,
            }
            for one in scenario.correlations
        ],
        "variants": {
            variant.key: {
                "about": variant.about,
                "evidence": list(variant.evidence),
                "judgement": variant.judgement,
                "options": {
                    option.key: {
                        "weight": option.weight,
                        "about": option.about,
                        "changes": list(option.changes),
                    }
                    for option in variant.options.values()
                },
            }
            for variant in scenario.variants.values()
        },
        "evidence": {
            e.key: {"source": e.source, "where": e.where, "says": e.says, "url": e.url}
            for e in scenario.evidence.values()
        },
    }


def _print_actions(actions: list[Event]) -> None:
    for action in actions:
        print_text(f"{action.key}: {action.about}" if action.about else action.key, indent=2)
        costs = "; ".join(f"{who}: {formula.text}" for who, formula in action.costs.items())
        told = {"when": condition(action.when), "effect": effects(action), "cost": costs}
        told["also called"] = ", ".join(action.also)
        for word, text in told.items():
            if text:
                print_text(f"{word}: {text}", indent=6)


def _print_payoffs(scenario: Scenario) -> None:
    print_heading("What each of them wants")
    rows = []
    for key, payoff in scenario.payoffs.items():
        kinds: tuple[tuple[str, Any], ...] = (
            ("each period", payoff.flow),
            ("at the end", payoff.terminal),
        )
        for when, parts in kinds:
            rows += [[key, when, name, formula.text] for name, formula in parts.items()]
    print_table(["actor", "", "", "payoff"], rows)


def _print_commitments(scenario: Scenario) -> None:
    if not scenario.terms:
        return
    print_heading("Terms announced")
    rows = []
    for term in scenario.terms.values():
        forbidden = ", ".join(f"{who}: {what}" for who, what in term.forbids)
        words = in_force(term).items()
        force = ", ".join(f"{word} {text}" for word, text in words if text) or "always"
        kind = "hard" if term.cost is None else f"soft, costs {term.cost.text}"
        rows.append([term.key, forbidden, force, kind, term.about])
    print_table(["term", "forbids", "in force", "", ""], rows)
    print_heading("Policies")
    rows = []
    for policy in scenario.policies.values():
        default = "in force unless another is asked for" if policy.key == scenario.policy else ""
        rows.append([policy.key, ", ".join(policy.terms) or "no terms", default or policy.about])
    print_table(["policy", "terms", ""], rows)
    if scenario.announcement:
        name = scenario.actors[scenario.announcement.who].name
        among = "; ".join(scenario.announcement.among)
        print_text(f"Before the first period {name} announces one of: {among}.", indent=2)


def _print_ledger(scenario: Scenario) -> None:
    print_heading("Ledger of assumptions")
    priors = drawn_priors(scenario)
    rows = []
    for p in scenario.parameters.values():
        for at, (name, value) in enumerate(zip(p.names(), p.values, strict=True)):
            shown = range_text(p, at, priors)
            about = f"{p.about} ({p.unit})" if p.unit else p.about
            rests_on = support_text(p, p.range_reason)
            rows.append([name, f"{value:g}", shown, about, rests_on])
    print_table(["parameter", "value", "range", "meaning", "rests on"], rows)
    _print_doubts(scenario)
    if scenario.evidence:
        print_heading("Evidence")
        rows = [
            [e.key, f"{e.source}{', ' + e.where if e.where else ''}", e.says]
            for e in scenario.evidence.values()
        ]
        print_table(["name", "source", "says"], rows)


def _print_doubts(scenario: Scenario) -> None:
    """Which numbers go together, and which other forms the model may have."""
    if scenario.correlations:
        print_heading("Numbers that go together")
        rows = [
            [", ".join(one.between), f"{one.rank:g}", one.about, support_text(one)]
            for one in scenario.correlations
        ]
        print_table(["between", "rank correlation", "meaning", "rests on"], rows)
    if scenario.variants:
        print_heading("Other forms of the model")
        rows = []
        for variant in scenario.variants.values():
            rows.append([variant.key, "", "", variant.about, support_text(variant)])
            chosen = scenario.options.get(variant.key)
            for name, share, change, about in option_rows(variant):
                mark = "chosen" if name == chosen else ""
                rows.append([f"{variant.key}={name}", share, change, about, mark])
        print_table(["variant, option", "weight", "", "meaning", "rests on"], rows)
