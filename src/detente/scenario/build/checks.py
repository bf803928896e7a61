"""What is doubtful about a scenario without errors, by its entries and several of them together."""

from __future__ import annotations

from collections.abc import Iterator

from detente.errors import Diagnostic, warning
from detente.scenario.constants import range_problems
from detente.scenario.entities import Actor, Correlation, Parameter, Supported, Variant
from detente.scenario.fields import within
from detente.scenario.formula.expression import Formula
from detente.scenario.hints import listing
from detente.scenario.ledger import drawn_priors, used_parameters
from detente.scenario.model import Scenario
from detente.scenario.rules import Moment, Term
from detente.scenario.source import Source

LOW_DISCOUNT = 0.5  # per period: a factor below it is more likely a rate
MOST_NAMED = 10  # names that one warning lists


def warnings_about(scenario: Scenario, source: Source) -> Iterator[Diagnostic]:
    """What is doubtful about a scenario without errors."""
    yield from _parameters(scenario)
    yield from _covariates(scenario)
    yield from _unsupported(scenario)
    yield from _unused(scenario)
    for term in scenario.terms.values():
        yield from _span(scenario, source, term)
    for actor in scenario.actors.values():
        yield from _discount(scenario, source, actor)
        if actor.key not in scenario.payoffs:
            yield warning(actor.place, "no-payoff", f"`{actor.key}` has no payoffs")


def _parameters(scenario: Scenario) -> Iterator[Diagnostic]:
    used = used_parameters(scenario)
    priors = drawn_priors(scenario)
    for key, parameter in scenario.parameters.items():
        if key not in used:
            yield warning(parameter.place, "unused", f"nothing uses the parameter `{key}`")
        bare = [n for n, limits in enumerate(parameter.ranges) if limits is None]
        if bare and key not in priors:
            what, hint = f"`{key}` has", "say `range: [low, high]`"
            if any(parameter.ranges):
                names = [parameter.names()[n] for n in bare]
                what = f"{listing(names)} {'has' if len(names) == 1 else 'have'}"
                hint = f"say `{parameter.types[bare[0]]}: [low, high]` in `range`, too"
            yield warning(parameter.place, "no-range", f"{what} no range", hint)
        for sentence in range_problems(parameter):
            yield warning(parameter.place, "out-of-range", sentence)


def _covariates(scenario: Scenario) -> Iterator[Diagnostic]:
    used = {name for formula in within(scenario, Formula) for name in formula.covariates}
    for key, covariate in scenario.covariates.items():
        if key not in used:
            yield warning(covariate.place, "unused", f"nothing uses the covariate `{key}`")


def _unsupported(scenario: Scenario) -> Iterator[Diagnostic]:
    """Numbers without a reason: parameters, correlations, weights, and decimals in formulas."""
    for entry in within(scenario, Supported):
        estimated = isinstance(entry, Parameter) and entry.estimated
        if entry.evidence or entry.judgement or estimated:
            continue
        what = f"the numbers of `{entry.key}`"
        numbers = any(formula.decimals for formula in within(entry, Formula))
        if isinstance(entry, Correlation):
            what = "this correlation"
        elif isinstance(entry, Variant):
            what = f"the weights of `{entry.key}`"
            numbers = len({option.weight for option in entry.options.values()}) > 1
        if numbers or isinstance(entry, Parameter | Correlation):
            hint = "say `evidence: [...]` or `judgement: reason`"
            yield warning(entry.place, "no-support", f"nothing stands behind {what}", hint)


def _unused(scenario: Scenario) -> Iterator[Diagnostic]:
    """Evidence and terms that nothing refers to."""
    cited = {name for entry in within(scenario, Supported) for name in entry.evidence}
    for key, evidence in scenario.evidence.items():
        if key not in cited:
            yield warning(evidence.place, "unused", f"nothing uses the evidence `{key}`")
    announced = {name for policy in scenario.policies.values() for name in policy.terms}
    for key, term in scenario.terms.items():
        if key not in announced:
            yield warning(term.place, "unused", f"no policy has the term `{key}`")


def _span(scenario: Scenario, source: Source, term: Term) -> Iterator[Diagnostic]:
    """Dates of a term outside the periods that are played."""
    last = scenario.periods
    if last is None:
        return
    ends = f"play is from {scenario.calendar.label(1)} to {scenario.calendar.label(last)}"

    def outside(key: str, moment: Moment, sentence: str) -> Diagnostic:
        message = f"`{key}: {moment.text}` of `{term.key}` {sentence}"
        return warning(source.key(("terms", term.key, key)), "out-of-range", message, ends)

    since, until = term.since, term.until
    if since and since.period is not None and since.period < 1:
        yield outside("from", since, "is before the start: the term is in force at once")
    elif since and since.period is not None and since.period > last:
        yield outside("from", since, "is after the end: the term is never in force")
    if until and until.period is not None and until.period <= 1:
        yield outside("until", until, "is not after the start: the term is never in force")
    elif until and until.period is not None and until.period > last:
        yield outside("until", until, "is after the end: the term does not lapse")


def _discount(scenario: Scenario, source: Source, actor: Actor) -> Iterator[Diagnostic]:
    """A discount that is small enough to have been meant as a rate; 0 says that nothing follows."""
    discount = scenario.constant(actor.discount)
    if 0 < discount < LOW_DISCOUNT and "low-discount" not in actor.accept:
        unit = scenario.calendar.unit
        message = (
            f"with a discount of {discount:g}, `{actor.key}` counts what comes a {unit} later as "
            f"{discount:.3g} of its worth"
        )
        hint = f"a rate of {discount:g} is written as `{1 - discount:.10g}`"
        place = source.key(("actors", actor.key, "discount"))
        yield warning(place, "low-discount", message, hint)


def unsaid(scenario: Scenario, source: Source) -> Iterator[Diagnostic]:
    """Names that results print as they are, because nothing says what they stand for."""
    for section in ("actors", "parameters", "covariates", "outcomes"):
        entries = getattr(scenario, section).items()
        keys = [key for key, e in entries if not e.about and getattr(e, "name", key) == key]
        if keys:
            names = listing(keys[:MOST_NAMED])
            if len(keys) > MOST_NAMED:
                names = f"{len(keys)} of `{section}`, among them {names},"
            has, what, shown = "has", "it stands", "name"
            if len(keys) > 1:
                has, what, shown = "have", "each stands", "names"
            hint = f"say what {what} for, in a few words: results print the {shown} alone"
            yield warning(source.key((section,)), "no-about", f"{names} {has} no `about`", hint)
