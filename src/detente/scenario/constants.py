"""The numbers a scenario is given before any play: what is wrong with them, and what changes them.

Constants are the horizon, priors, precisions, discounts, and probabilities of effects that depend
on nothing but parameters.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from itertools import product
from numbers import Real
from typing import Any

import numpy as np

from detente.arguments import MOST_PERIODS
from detente.dtypes import Floats
from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.calendar import Calendar
from detente.scenario.entities import Actor, Covariate, Horizon, JointPrior, Parameter, Variant
from detente.scenario.fields import NOWHERE, FormulaIn, fields_of
from detente.scenario.formula.expression import Formula, NotFinite
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.rules import Event

TOLERANCE = 1e-9
"""By which probabilities may miss 1: rounding, no more."""

VALUES, HORIZON = Place(argument="values"), Place(argument="horizon")
"""The places of what is wrong with values and a number of periods from outside."""

Numbers = Mapping[str, float]


def scalars(
    parameters: Mapping[str, Parameter], covariates: Mapping[str, Covariate]
) -> dict[str, float]:
    """The values of covariates and of the parameters that do not vary by type."""
    values = {key: covariate.value for key, covariate in covariates.items()}
    return values | {key: p.values[0] for key, p in parameters.items() if not p.types}


def constant_problems(
    calendar: Calendar,
    horizon: Horizon,
    players: tuple[Iterable[Actor], JointPrior | None],
    events: Iterable[Event],
    values: Numbers,
) -> list[Diagnostic]:
    """What is wrong with constants; those over parameters that are not there are passed over.

    `players` are the actors, and the prior that some of them have together.
    """
    actors, joint = tuple(players[0]), players[1]
    events = tuple(events)
    check = _Constants(values, horizon.endless)
    check.horizon(horizon, calendar)
    for actor in actors:
        check.actor(actor, own=joint is None or actor.key not in joint.by)
    if joint is not None:
        check.joint_prior(joint)
        check.changes(joint, {a.key: tuple(a.types) for a in actors if a.key in joint.by}, events)
    for event in events:
        check.probabilities(event)
    return check.problems


class _Constants:
    """Collects problems with constants, given the values of parameters and covariates."""

    def __init__(self, values: Numbers, endless: bool) -> None:
        self.values = values
        self.endless = endless
        self.problems: list[Diagnostic] = []

    def report(self, formula: Formula, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(formula.place, code, message, hint))

    def value(self, formula: Formula, what: str) -> float | None:
        """The value of a constant; None where it has none, which is reported if it is news."""
        if not formula.parameters | formula.covariates <= self.values.keys():
            return None
        try:
            return float(formula.evaluate(self.values))
        except NotFinite as error:
            self.report(formula, "not-finite", f"{what}, `{formula.text}`, {error.reason}")
            return None

    def horizon(self, horizon: Horizon, calendar: Calendar) -> None:
        formula = horizon.formula
        periods = self.value(formula, "the horizon") if formula else None
        if formula is None or periods is None:
            return
        if not (periods.is_integer() and 1 <= periods <= MOST_PERIODS):
            message = f"the horizon is {periods:g}: not a whole number from 1 to {MOST_PERIODS:,}"
            self.report(formula, "out-of-range", message)
        else:
            try:
                calendar.date(int(periods) + 1)
            except (OverflowError, ValueError):
                self.report(formula, "out-of-range", "the calendar ends after the year 9999")

    def actor(self, actor: Actor, *, own: bool) -> None:
        """An actor, whose priors are its own or those of the joint one."""
        values = {
            key: self.bounded(actor, key, getattr(actor, field.attribute), field.shape)
            for key, field in fields_of(Actor).items()
            if isinstance(field.shape, FormulaIn)
        }
        if values["discount"] == 1 and self.endless:
            message = f"the discount of {actor.key} is 1: not below 1, though play goes on forever"
            hint = f"give {actor.key} a `discount` below 1, or the calendar a number of periods"
            self.report(actor.discount, "out-of-range", message, hint)
        priors = [(f, f"the prior of {actor.key}.{name}") for name, f in actor.priors.items()]
        if own:
            self.shares(priors, "priors", f"the priors of {actor.key}", complete=True)

    def joint_prior(self, joint: JointPrior) -> None:
        """A probability above 0 for all types together."""
        parts = [(share, "a probability of `joint_prior`") for share in joint.shares]
        self.shares(parts, "priors", "the probabilities of `joint_prior`", complete=True)
        for share in joint.shares:
            if self.value(share, "a probability of `joint_prior`") == 0:
                message = (
                    "a probability of `joint_prior` is 0, so that some types would rule out others "
                    "for sure: where no combination is left that can be, nothing could be believed"
                )
                hint = "write a small number, such as 0.001"
                self.report(share, "joint-prior", message, hint)

    def changes(
        self, joint: JointPrior, types: Mapping[str, tuple[str, ...]], events: Iterable[Event]
    ) -> None:
        """Types that go together with others change into those alone that others go with alike.

        With lift(θ) the joint prior over the product of what it adds up to, beliefs are in
        proportion to lift(θ) Π b(θ). A change of one type alone moves its own b, and nothing else,
        where the lift is the same before and after it.
        """
        cells = [self.value(share, "a probability of `joint_prior`") for share in joint.shares]
        known = np.array([cell for cell in cells if cell], np.float64)
        if known.size < len(cells):
            return
        table = known.reshape([len(types[key]) for key in joint.by])
        for event, (axis, key) in product(events, enumerate(joint.by)):
            rows = np.moveaxis(table, axis, 0).reshape(len(types[key]), -1)
            rows = rows / rows.sum(axis=1, keepdims=True)
            change = _changed_otherwise(event, key, dict(zip(types[key], rows, strict=True)))
            if change is None:
                continue
            before, after, formula = change
            place = formula.place if formula.place != NOWHERE else event.place
            message = (
                f"`{event.key}` changes the type of {key} from {before} to {after}, with which "
                "types of others go otherwise: what is believed would no longer follow from what "
                "each of them has done"
            )
            hint = (
                f"give {before} and {after} the same proportions in `joint_prior`, leave {key} out "
                f"of it, or let `{event.key}` set a variable of `state`"
            )
            self.problems.append(Diagnostic(place, "joint-prior", message, hint))

    def bounded(self, actor: Actor, key: str, formula: Formula, shape: FormulaIn) -> float | None:
        """The value of a constant, reported where it lies outside the bounds of its field."""
        value = self.value(formula, f"the {key} of {actor.key}")
        least, most = shape.least, math.inf if shape.most is None else shape.most
        if value is not None and least is not None and not least <= value <= most:
            wrong = f"less than {least}" if shape.most is None else f"not from {least} to {most}"
            message = f"the {key} of {actor.key} is {value:g}: {wrong}"
            self.report(formula, "out-of-range", message)
        return value

    def probabilities(self, event: Event) -> None:
        """Those that are the same at every state; the others are checked in play."""
        given = [alternative.probability for alternative in event.alternatives]
        same = [f for f in given if f and not (f.variables or f.calendar or f.actors)]
        parts = [(formula, f"a probability of `{event.key}`") for formula in same]
        what = f"the probabilities of `{event.key}`"
        self.shares(parts, "probabilities", what, complete=len(same) == len(given))

    def shares(
        self, parts: list[tuple[Formula, str]], code: str, what: str, *, complete: bool
    ) -> None:
        """Check probabilities: each at least 0, the sum 1, or where others add to it at most 1."""
        shares = [self.value(formula, name) for formula, name in parts]
        for (formula, name), share in zip(parts, shares, strict=True):
            if share is not None and not 0 <= share <= 1:
                self.report(formula, code, f"{name} is {share:g}: not from 0 to 1")
        known = [share for share in shares if share is not None and 0 <= share <= 1]
        if not parts or len(known) < len(parts):
            return
        total = math.fsum(known)
        if complete and abs(total - 1) > TOLERANCE:
            message = f"{what} add up to {total:.10g}, not to 1"
            formulas = [formula for formula, _ in parts]
            left = total - known[-1] <= 1  # whether the others leave anything for the last
            self.report(parts[0][0], code, message, _rest(code, formulas, total) if left else "")
        elif total > 1 + TOLERANCE:
            self.report(parts[0][0], code, f"{what} add up to {total:.10g}, which is more than 1")


def _changed_otherwise(
    event: Event, actor: str, rows: Mapping[str, Floats]
) -> tuple[str, str, Formula] | None:
    """The first change of an actor's type by an event into one that has other `rows` than before,
    and its probability."""
    for part in (event.becomes, *(effect.becomes for effect in event.effects)):
        for before, becomes in part.get(actor, {}).items():
            for after, formula in becomes.items():
                if {before, after} <= rows.keys() and not np.allclose(
                    rows[before], rows[after], rtol=TOLERANCE, atol=0.0
                ):
                    return before, after, formula
    return None


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


# ---- from outside


def new_values(
    parameters: Mapping[str, Parameter],
    covariates: Mapping[str, Covariate],
    variants: Mapping[str, Variant],
    values: Mapping[str, object],
) -> dict[str, float]:
    """Values by full name (`step_cost.sincere`), of names that may stand for several.

    Raises
    ------
    ScenarioError
        For names that are no parameters or covariates, and values that are not finite numbers.
    """
    targets: dict[str, tuple[str, ...]] = {key: (key,) for key in covariates}
    targets |= {key: parameter.names() for key, parameter in parameters.items()}
    targets |= {name: (name,) for names in targets.values() for name in names}
    problems = []
    changes: dict[str, float] = {}
    for name, value in values.items():
        if name not in targets:
            message, hint = f"`{name}` is not a parameter", did_you_mean(name, targets)
            if name in variants:
                options = listing(variants[name].options)
                hint = f"it is a variant: choose one of its options, {options}"
            problems.append(Diagnostic(VALUES, "unknown-name", message, hint))
        elif isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            message = f"the value of `{name}` should be a finite number, not {value!r}"
            problems.append(Diagnostic(VALUES, "wrong-type", message))
        else:
            changes |= dict.fromkeys(targets[name], float(value))
    if problems:
        raise ScenarioError(problems)
    return changes


def changed_parameters(
    parameters: Mapping[str, Parameter], changes: Numbers
) -> Mapping[str, Parameter]:
    """The parameters with other values, by full name."""
    return Frozen({key: _changed(parameter, changes) for key, parameter in parameters.items()})


def changed_covariates(
    covariates: Mapping[str, Covariate], changes: Numbers
) -> Mapping[str, Covariate]:
    """The covariates with other values."""
    return Frozen(
        {
            key: dataclasses.replace(covariate, value=changes[key]) if key in changes else covariate
            for key, covariate in covariates.items()
        }
    )


def _changed(parameter: Parameter, changes: Numbers) -> Parameter:
    names = parameter.names()
    if not changes.keys() & set(names):
        return parameter
    values = (changes.get(n, value) for n, value in zip(names, parameter.values, strict=True))
    return dataclasses.replace(parameter, values=tuple(values))


def check_options(variants: Mapping[str, Variant], options: Mapping[str, Any]) -> None:
    """Refuse variants and options that are not there. Raises `ScenarioError`."""
    problems = []
    for name, option in options.items():
        if name not in variants:
            message, hint = f"`{name}` is not a variant", did_you_mean(name, variants)
        elif option not in variants[name].options:
            message = f"`{option}` is not an option of `{name}`"
            hint = did_you_mean(str(option), variants[name].options)
        else:
            continue
        problems.append(Diagnostic(VALUES, "unknown-name", message, hint))
    if problems:
        raise ScenarioError(problems)
