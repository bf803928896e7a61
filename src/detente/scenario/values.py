"""The numbers a scenario is given before any play: checked, and changed from outside."""

from __future__ import annotations

import dataclasses
import math
import re
import sys
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING

from detente.arguments import MOST_PERIODS, whole
from detente.errors import Diagnostic, Place, ScenarioError, Severity
from detente.scenario.calendar import Calendar
from detente.scenario.formula.expression import Formula, NotFinite, number
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean, listing

if TYPE_CHECKING:
    from detente.scenario.model import Action, Actor, Parameter, Scenario

TOLERANCE = 1e-9  # by which probabilities may miss 1: rounding, no more
OUTSIDE = Place(argument="values")  # the place of what is wrong with values from outside
LENGTH = Place(argument="horizon")  # the same for a number of periods
FOREVER = "forever"  # a horizon without end
LIMIT = "limit"  # the precision of play that noise is taken from


def unbounded(word: str, place: Place) -> Formula:
    """The formula that is infinite, written as one of the words for it."""
    return dataclasses.replace(number(math.inf, place), text=word)


def is_unbounded(formula: Formula) -> bool:
    """Whether a formula stands for one of the words; no formula that was parsed is infinite."""
    return formula.node == number(math.inf, formula.place).node


def constant(formula: Formula, scenario: Scenario) -> float:
    """The value of a constant formula (a prior, precision, discount or horizon).

    A horizon of `forever` and a precision of `limit` are inf.

    Raises
    ------
    NotFinite
        Where it divides by zero or is not finite.
    """
    if is_unbounded(formula):
        return math.inf
    return float(formula.evaluate(_scalars(scenario.parameters)))


def _scalars(parameters: Mapping[str, Parameter]) -> dict[str, float]:
    return {key: one.values[0] for key, one in parameters.items() if not one.types}


def check_constants(scenario: Scenario) -> list[Diagnostic]:
    """What is wrong with the constants at the present values of the parameters.

    Checked are horizon, priors, precision, discount, and probabilities of effects that depend
    on nothing but parameters.
    """
    actions = [action for actions in scenario.actions.values() for action in actions.values()]
    return constant_problems(
        scenario.calendar,
        scenario.horizon,
        scenario.actors.values(),
        [*actions, *scenario.events.values()],
        scenario.parameters,
    )


def constant_problems(
    calendar: Calendar | None,
    horizon: Formula | None,
    actors: Iterable[Actor],
    actions: Iterable[Action],
    parameters: Mapping[str, Parameter],
) -> list[Diagnostic]:
    """The same for parts of a scenario; formulas over other parameters are passed over."""
    check = _Check(_scalars(parameters))
    if horizon is not None:
        check.horizon(horizon, calendar)
    for actor in actors:
        check.actor(actor)
    for action in actions:
        check.action(action)
    return check.problems


class _Check:
    """Collects problems with constants, given the parameters' values."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values
        self.problems: list[Diagnostic] = []
        self.forever = False

    def tell(self, formula: Formula, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(formula.place, code, message, hint))

    def value(self, formula: Formula, what: str) -> float | None:
        """The value of a constant; None where it has none, which is told if it is news."""
        if not formula.parameters <= self.values.keys():
            return None
        if is_unbounded(formula):
            return math.inf
        try:
            return float(formula.evaluate(self.values))
        except NotFinite as error:
            self.tell(formula, "not-finite", f"{what}, `{formula.text}`, {error.reason}")
            return None

    def horizon(self, formula: Formula, calendar: Calendar | None) -> None:
        periods = self.value(formula, "the horizon")
        if periods is None:
            return
        if math.isinf(periods):
            self.forever = True
        elif not (periods.is_integer() and 1 <= periods <= MOST_PERIODS):
            message = f"the horizon is {periods:g}: not a whole number from 1 to {MOST_PERIODS:,}"
            self.tell(formula, "out-of-range", message)
        elif calendar is not None:
            try:
                calendar.date(int(periods) + 1)
            except (OverflowError, ValueError):
                self.tell(formula, "out-of-range", "the calendar ends after the year 9999")

    def actor(self, actor: Actor) -> None:
        precision = self.value(actor.precision, f"the precision of {actor.key}")
        if precision is not None and precision < 0:
            message = f"the precision of {actor.key} is {precision:g}: less than 0"
            self.tell(actor.precision, "out-of-range", message)
        discount = self.value(actor.discount, f"the discount of {actor.key}")
        if discount is not None and not 0 <= discount <= 1:
            message = f"the discount of {actor.key} is {discount:g}: not from 0 to 1"
            self.tell(actor.discount, "out-of-range", message)
        elif discount == 1 and self.forever:
            message = f"the discount of {actor.key} is 1: not below 1, though play goes on forever"
            hint = f"give {actor.key} a `discount` below 1, or the calendar a number of periods"
            self.tell(actor.discount, "out-of-range", message, hint)
        priors = [
            (formula, f"the prior of {actor.key}.{name}")
            for name, formula in zip(actor.types, actor.priors, strict=True)
        ]
        self.shares(priors, "priors", f"the priors of {actor.key}", complete=True)

    def action(self, action: Action) -> None:
        """Probabilities that are the same at every state; the others are checked in play."""
        formulas = [one.probability for one in action.alternatives if one.probability is not None]
        same = [f for f in formulas if not f.variables and not f.calendar]
        whole = len(same) == len(action.alternatives)
        what = f"the probabilities of `{action.key}`"
        chances = [(formula, f"a probability of `{action.key}`") for formula in same]
        self.shares(chances, "probabilities", what, complete=whole)

    def shares(
        self, parts: list[tuple[Formula, str]], code: str, what: str, *, complete: bool
    ) -> None:
        """Check probabilities: each at least 0, the sum 1, or where others add to it at most 1."""
        shares = [self.value(formula, name) for formula, name in parts]
        for (formula, name), share in zip(parts, shares, strict=True):
            if share is not None and not 0 <= share <= 1:
                self.tell(formula, code, f"{name} is {share:g}: not from 0 to 1")
        if not parts or any(share is None or not 0 <= share <= 1 for share in shares):
            return
        total = math.fsum(share for share in shares if share is not None)
        if complete and abs(total - 1) > TOLERANCE:
            message = f"{what} add up to {total:.10g}, not to 1"
            left = total - (shares[-1] or 0) <= 1  # whether the others leave anything for the last
            formulas = [formula for formula, _ in parts]
            self.tell(parts[0][0], code, message, _rest(code, formulas, total) if left else "")
        elif total > 1 + TOLERANCE:
            self.tell(parts[0][0], code, f"{what} add up to {total:.10g}, which is more than 1")


def _rest(code: str, formulas: list[Formula], total: float) -> str:
    """What to write for the last of several probabilities, so that they add up to 1."""
    if code == "probabilities":
        more = ", or add `{p: rest}`" if total < 1 else ""
        return f"write `p: rest` for the last of them{more}: it takes what the others leave"
    texts = [f"({f.text})" if re.search(r"[^A-Za-z0-9_.]", f.text) else f.text for f in formulas]
    return f"write `{' - '.join(['1', *texts[:-1]])}` for the last: what the others leave"


def range_problems(parameter: Parameter) -> list[str]:
    """A sentence for each of the parameter's values that is outside its range."""
    rows = zip(parameter.names(), parameter.values, parameter.ranges, strict=True)
    return [
        f"the value of `{name}`, {value:g}, is outside its range [{limits[0]:g}, {limits[1]:g}]"
        for name, value, limits in rows
        if limits is not None and not limits[0] <= value <= limits[1]
    ]


def with_values(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """The scenario with other values of parameters; see `Scenario.with_values`."""
    variants = {key: variant.options for key, variant in scenario.variants.items()}
    changes = _changes(scenario.parameters, values, variants)
    before = [scenario.parameters[key] for key in {name.partition(".")[0] for name in changes}]
    after = {parameter.key: _changed(parameter, changes) for parameter in before}
    stale = {sentence for parameter in before for sentence in range_problems(parameter)}
    fresh = [
        Diagnostic(OUTSIDE, "out-of-range", sentence, severity=Severity.WARNING)
        for key in scenario.parameters
        if key in after
        for sentence in range_problems(after[key])
    ]
    result = dataclasses.replace(
        scenario,
        parameters=Frozen({**scenario.parameters, **after}),
        overrides=Frozen({**scenario.overrides, **changes}),
        warnings=(*(one for one in scenario.warnings if one.message not in stale), *fresh),
    )
    problems = check_constants(result)
    if problems:
        raise ScenarioError(problems)
    return result


def _changed(parameter: Parameter, changes: Mapping[str, float]) -> Parameter:
    names = zip(parameter.names(), parameter.values, strict=True)
    values = tuple(changes.get(name, value) for name, value in names)
    return dataclasses.replace(parameter, values=values)


def _changes(
    parameters: Mapping[str, Parameter],
    values: Mapping[str, object],
    variants: Mapping[str, Iterable[str]],
) -> dict[str, float]:
    """New values by full name (`step_cost.sincere`). Raises `ScenarioError`."""
    targets = {key: parameter.names() for key, parameter in parameters.items()}
    targets |= {name: (name,) for names in targets.values() for name in names}
    problems = []
    changes: dict[str, float] = {}
    for name, value in values.items():
        if name not in targets:
            message, hint = f"`{name}` is not a parameter", did_you_mean(name, targets)
            if name in variants:
                hint = f"it is a variant: choose one of its options, {listing(variants[name])}"
            problems.append(Diagnostic(OUTSIDE, "unknown-name", message, hint))
        elif isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            message = f"the value of `{name}` should be a finite number, not {value!r}"
            problems.append(Diagnostic(OUTSIDE, "wrong-type", message))
        else:
            changes |= dict.fromkeys(targets[name], float(value))
    if problems:
        raise ScenarioError(problems)
    return changes


def with_horizon(scenario: Scenario, periods: int) -> Scenario:
    """The scenario with another number of periods; see `Scenario.with_horizon`."""
    whole("periods", periods, -sys.maxsize, sys.maxsize)  # others are told below
    horizon = number(periods, LENGTH)
    result = dataclasses.replace(scenario, horizon=horizon)
    problems = check_constants(result)
    if problems:
        raise ScenarioError(problems)
    return result


def with_options(scenario: Scenario, options: Mapping[str, str]) -> Scenario:
    """The scenario with other options of its variants; see `Scenario.with_options`."""
    problems = []
    for name, option in options.items():
        variant = scenario.variants.get(name)
        if variant is None:
            message, hint = f"`{name}` is not a variant", did_you_mean(name, scenario.variants)
        elif option not in variant.options:
            message = f"`{option}` is not an option of `{name}`"
            hint = did_you_mean(str(option), variant.options)
        else:
            continue
        problems.append(Diagnostic(OUTSIDE, "unknown-name", message, hint))
    if problems:
        raise ScenarioError(problems)
    if not options:
        return scenario
    chosen = {**scenario.options, **options}
    result = scenario.rebuild(scenario.text, scenario.file, chosen)
    result = dataclasses.replace(result, options=Frozen(chosen))
    if scenario.overrides:
        result = with_values(result, scenario.overrides)
    if scenario.horizon.place == LENGTH:
        result = with_horizon(result, round(constant(scenario.horizon, scenario)))
    return result
