"""What can be said about a scenario's entries only by looking at several of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detente.errors import Diagnostic, Severity
from detente.scenario.context import Context
from detente.scenario.diagnostics import Diagnostics
from detente.scenario.formula.expression import Formula
from detente.scenario.hints import listing
from detente.scenario.model import Action, Actor, Scenario, Support
from detente.scenario.source import Source, Trail
from detente.scenario.triggers import warn_span
from detente.scenario.uncertainty import drawn_priors
from detente.scenario.values import constant, range_problems

LOW_DISCOUNT = 0.5  # per period: a factor below it is more likely a rate
MOST_NAMED = 10  # names that one warning lists


def check_play(context: Context) -> None:
    """Tell actors and events that turns leave out, and sections for actors who are none."""
    parts, diagnostics = context.parts, context.diagnostics
    for section in ("actions", "payoffs"):
        for key in getattr(parts, section):
            context.known_key((section, key), key, "actors", "an actor")
    turns = [turn for turn in parts.turns if turn]
    if len(turns) < len(parts.turns) or "turns" in parts.lost:
        return  # the turns that cannot be read may be theirs
    movers = {name for turn in turns for name in turn.who}
    if movers - parts.actors.keys() - {"chance"}:
        return  # one of the movers may be meant
    for actor, actions in parts.actions.items():
        if actor in parts.actors and actions and actor not in movers:
            diagnostics.key_error(
                ("actions", actor), "turns", f"`{actor}` has actions, but no turn"
            )
    played = {name for turn in turns for name in turn.chance}
    left = [] if "chance" in movers else [key for key in parts.chance if key not in played]
    if left:
        message = f"no turn plays {listing(left)}"
        diagnostics.key_error(("chance", left[0]), "turns", message, "add `chance` to `turns`")


def check_policy(context: Context) -> None:
    """Tell a policy in force that is not there."""
    name = context.parts.single.get("policy")
    if name:
        context.known(("policy",), name, "policies", "one of the `policies`")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that holds formulas, with what stands behind it."""

    trail: Trail
    support: Support
    formulas: tuple[Formula, ...]


def entries(scenario: Scenario) -> Iterator[Entry]:
    """All entries that hold formulas, but turns and the calendar."""
    for key, actor in scenario.actors.items():
        formulas = (*actor.priors, actor.precision, actor.discount)
        yield Entry(("actors", key), actor.support, formulas)
    for actor_key, actions in scenario.actions.items():
        for key, action in actions.items():
            yield Entry(("actions", actor_key, key), action.support, _formulas(action))
    for key, event in scenario.events.items():
        yield Entry(("chance", key), event.support, _formulas(event))
    for key, payoff in scenario.payoffs.items():
        formulas = (*payoff.flow.values(), *payoff.terminal.values())
        yield Entry(("payoffs", key), payoff.support, formulas)
    for key, term in scenario.terms.items():
        given = (term.when, term.unless, term.cost, *term.events())
        yield Entry(("terms", key), term.support, tuple(f for f in given if f))
    for key, outcome in scenario.outcomes.items():
        yield Entry(("outcomes", key), outcome.support, (outcome.when,))


def _formulas(action: Action) -> tuple[Formula, ...]:
    given = [action.when, *action.costs.values()]
    for alternative in action.alternatives:
        given += [alternative.probability, *(change.formula for change in alternative.changes)]
    return tuple(formula for formula in given if formula is not None)


def warn(scenario: Scenario, diagnostics: Diagnostics) -> None:
    """Tell what is doubtful about a scenario without errors."""
    found = list(entries(scenario))
    _warn_parameters(scenario, diagnostics)
    for entry in found:
        if any(formula.decimals for formula in entry.formulas):
            _warn_support(entry.trail, entry.support, diagnostics)
    _warn_uncertain(scenario, diagnostics)
    _warn_unused(scenario, found, diagnostics)
    for term in scenario.terms.values():
        warn_span(scenario, term, diagnostics)
    for actor in scenario.actors.values():
        _warn_discount(scenario, actor, diagnostics)
    for key in scenario.actors:
        if key not in scenario.payoffs:
            diagnostics.warn(("actors", key), "no-payoff", f"`{key}` has no payoffs")


def _warn_discount(scenario: Scenario, actor: Actor, diagnostics: Diagnostics) -> None:
    """A discount that is small enough to have been meant as a rate; 0 says that nothing follows."""
    discount = constant(actor.discount, scenario)
    if not 0 < discount < LOW_DISCOUNT or "low-discount" in actor.accept:
        return
    unit = scenario.calendar.unit
    message = (
        f"with a discount of {discount:g}, `{actor.key}` counts what comes a {unit} later as "
        f"{discount:.3g} of its worth"
    )
    hint = f"a rate of {discount:g} is written as `{1 - discount:.10g}`"
    diagnostics.warn(("actors", actor.key, "discount"), "low-discount", message, hint)


def unsaid(scenario: Scenario, source: Source) -> Iterator[Diagnostic]:
    """Names that results print as they are, because nothing says what they stand for."""
    for section in ("parameters", "outcomes"):
        keys = [key for key, one in getattr(scenario, section).items() if not one.about]
        if keys:
            names = listing(keys[:MOST_NAMED])
            if len(keys) > MOST_NAMED:
                names = f"{len(keys)} of `{section}`, among them {names},"
            has, what, shown = "has", "it stands", "name"
            if len(keys) > 1:
                has, what, shown = "have", "each stands", "names"
            hint = f"say what {what} for, in a few words: results print the {shown} alone"
            place, message = source.key((section,)), f"{names} {has} no `about`"
            yield Diagnostic(place, "no-about", message, hint, Severity.WARNING)


def _warn_support(trail: Trail, support: Support, diagnostics: Diagnostics, what: str = "") -> None:
    if not support.evidence and not support.judgement:
        message = f"nothing stands behind {what or f'the numbers of `{trail[-1]}`'}"
        diagnostics.warn(
            trail, "no-support", message, "say `evidence: [...]` or `judgement: reason`"
        )


def used_parameters(scenario: Scenario) -> set[str]:
    """The parameters that some formula reads."""
    used = set(scenario.horizon.parameters)
    for turn in scenario.turns:
        used |= turn.when.parameters if turn.when else set()
    for entry in entries(scenario):
        used |= {name for formula in entry.formulas for name in formula.parameters}
    return used


def _warn_parameters(scenario: Scenario, diagnostics: Diagnostics) -> None:
    used = used_parameters(scenario)
    priors = drawn_priors(scenario.actors.values())
    for key, parameter in scenario.parameters.items():
        trail: Trail = ("parameters", key)
        if key not in used:
            diagnostics.warn(trail, "unused", f"nothing uses the parameter `{key}`")
        if None in parameter.ranges and key not in priors:
            diagnostics.warn(trail, "no-range", f"`{key}` has no range", "say `range: [low, high]`")
        for sentence in range_problems(parameter):
            diagnostics.warn(trail, "out-of-range", sentence)
        _warn_support(trail, parameter.support, diagnostics)


def _warn_uncertain(scenario: Scenario, diagnostics: Diagnostics) -> None:
    """Correlations, and weights that differ, are numbers that want a reason too."""
    for at, one in enumerate(scenario.correlations):
        _warn_support(("correlations", at), one.support, diagnostics, "this correlation")
    for key, variant in scenario.variants.items():
        if len({option.weight for option in variant.options.values()}) > 1:
            _warn_support(
                ("variants", key), variant.support, diagnostics, f"the weights of `{key}`"
            )


def _warn_unused(scenario: Scenario, found: list[Entry], diagnostics: Diagnostics) -> None:
    """Evidence and terms that nothing refers to."""
    supports = [entry.support for entry in found]
    sections = (scenario.variables, scenario.parameters, scenario.policies, scenario.variants)
    for section in sections:
        supports += [one.support for one in section.values()]
    supports += [one.support for one in scenario.correlations]
    if scenario.announcement:
        supports.append(scenario.announcement.support)
    cited = {name for support in supports for name in support.evidence}
    for key in scenario.evidence:
        if key not in cited:
            diagnostics.warn(("evidence", key), "unused", f"nothing uses the evidence `{key}`")
    named = {name for policy in scenario.policies.values() for name in policy.terms}
    for key in scenario.terms:
        if key not in named:
            diagnostics.warn(("terms", key), "unused", f"no policy has the term `{key}`")
