"""Parts of a scenario in words, as the command line and the report tell them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from detente.scenario.formula.expression import Formula
from detente.scenario.model import Action, Actor, Parameter, Scenario, Support, Term, Turn, Variant
from detente.scenario.scalar_types import DRAWS
from detente.scenario.values import constant, is_unbounded


def policy_name(policy: str) -> str:
    """What to call a policy; '' is no terms at all."""
    return policy or "no terms"


def quoted(policy: str) -> str:
    """The same within a sentence."""
    return f"“{policy}”" if policy else "no terms"


def span(scenario: Scenario) -> str:
    """How long play is, in a sentence."""
    calendar = scenario.calendar
    if scenario.forever:
        since = f", from {calendar.label(1)} on" if calendar.start else ""
        return f"Play goes on forever, {calendar.unit} by {calendar.unit}{since}."
    periods = round(constant(scenario.horizon, scenario))
    span = f", from {calendar.label(1)} to {calendar.label(periods)}" if calendar.start else ""
    return f"Play is over {periods} {calendar.unit}s{span}."


def number_text(formula: Formula, scenario: Scenario) -> str:
    """A constant, or the word for one that is infinite."""
    return formula.text if is_unbounded(formula) else f"{constant(formula, scenario):.3g}"


def turn_text(turn: Turn) -> str:
    """Who moves at a turn, and when."""
    *others, last = turn.who or ("",)
    who = f"{', '.join(others)} and {last} choose at the same time" if others else f"{last} moves"
    text = f"chance: {', '.join(turn.events)}" if turn.events else who
    return f"{text}, when {turn.when.text}" if turn.when else text


def condition(formula: Formula | None) -> str:
    """The text of a condition; empty where there is none."""
    return formula.text if formula else ""


def in_force(term: Term) -> dict[str, str]:
    """When a term is in force, in the words of the file; '' for what is not said."""
    return {
        "from": term.since.text if term.since else "",
        "until": term.until.text if term.until else "",
        "when": condition(term.when),
        "unless": condition(term.unless),
    }


def effects(action: Action) -> str:
    """What an action or event does to the state."""
    parts = []
    for alternative in action.alternatives:
        changes = ", ".join(
            f"{c.variable} {c.formula.text}" if c.shift else f"{c.variable} = {c.formula.text}"
            for c in alternative.changes
        )
        share = "otherwise" if alternative.probability is None else alternative.probability.text
        sure = len(action.alternatives) == 1
        parts.append(changes or "nothing" if sure else f"{share}: {changes or 'nothing'}")
    return "; ".join(parts)


def support_text(support: Support, range_reason: str = "") -> str:
    """What an entry rests on; for a parameter also its range."""
    parts = [*support.evidence]
    if support.judgement:
        parts.append(f"judgement: {support.judgement}")
    told = "; ".join(parts) or "none given"
    return f"{told}; range: {range_reason}" if range_reason else told


def certainty(actor: Actor) -> str:
    """How sure an actor's prior is, to stand after it; '' where that is not said."""
    return "" if actor.concentration is None else f" (concentration {actor.concentration:g})"


def range_text(parameter: Parameter, at: int, priors: Mapping[str, str]) -> str:
    """The range of a parameter's value at position `at`, and how it is drawn if not uniformly.

    `priors` are the parameters that are drawn with a prior, each with its actor.
    """
    limits = parameter.ranges[at]
    parts = [f"{limits[0]:g} to {limits[1]:g}"] if limits else []
    if parameter.key in priors:
        parts.append(f"drawn with the prior of {priors[parameter.key]}")
    elif parameter.draws[at] != DRAWS[0]:
        parts.append(parameter.draws[at])
    return ", ".join(parts)


def option_rows(variant: Variant) -> list[tuple[str, str, str, str]]:
    """For each option its name, how likely it is, what it changes, and what it means."""
    total = math.fsum(option.weight for option in variant.options.values())
    return [
        (
            option.key,
            f"{100 * option.weight / total:.3g} %",
            f"changes {', '.join(option.changes)}" if option.changes else "as it stands",
            option.about,
        )
        for option in variant.options.values()
    ]
