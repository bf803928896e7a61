"""The parameter that is changed, from where to where, and the level that is to be crossed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from detente.analysis.quantity_of_interest import QuantityOfInterest
from detente.analysis.query import Query
from detente.errors import Diagnostic, Place, Problems, ScenarioError
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Parameter, Scenario

POSSIBLE = "choose `low=` and `high=` so that all values are possible"
"""The hint where a value makes the scenario impossible."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter and where it is looked at.

    name, names
        As asked for, and the full names that this changes.
    low, high
        The ends of where it is looked at.
    present
        Its value in the scenario; None where it differs between types.
    whole
        Whether it takes whole numbers only: it makes the horizon or a level.
    """

    name: str
    names: tuple[str, ...]
    low: float
    high: float
    present: float | None
    whole: bool
    unit: str
    about: str

    def at(self, value: float) -> dict[str, float]:
        """The change to the scenario that puts the parameter there."""
        return {self.name: value}

    def grid(self, points: int) -> list[float]:
        """Values from end to end, at equal distances where any number will do."""
        if not self.whole:
            return [float(v) for v in np.linspace(self.low, self.high, points)]
        first, last = np.ceil(self.low), np.floor(self.high)
        count = int(last - first) + 1
        if count <= 2 * points:
            return [float(v) for v in np.arange(first, last + 1)]
        return sorted({float(v) for v in np.round(np.linspace(first, last, points))})


def axis_for(
    scenario: Scenario,
    name: str,
    low: float | None,
    high: float | None,
    problems: Problems,
) -> Axis | None:
    """The axis of a parameter, `key` or `key.type`; None after telling what is wrong with it."""
    targets: dict[str, Parameter] = {}
    for key, one in scenario.parameters.items():
        targets |= dict.fromkeys((key, *one.names()), one)
    if name not in targets:
        hint = did_you_mean(name, targets)
        message = f"`{name}` is not a parameter"
        problems.add("parameter", "unknown-name", message, hint)
        return None
    parameter = targets[name]
    rows = list(zip(parameter.names(), parameter.values, parameter.ranges, strict=True))
    rows = [row for row in rows if row[0] == name] or rows
    ranges = {limits for _, _, limits in rows}
    limits = ranges.pop() if len(ranges) == 1 else None
    if limits is None and (low is None or high is None):
        why = "its types have different ranges" if ranges else "the scenario gives it no range"
        message = f"it is not said where `{name}` is to be looked at: {why}"
        hint = "give `low=` and `high=`"
        if len(rows) > 1:
            hint = f"{hint}, or one type: {', '.join(name for name, _, _ in rows)}"
        problems.add("parameter", "missing", message, hint)
        return None
    begin = low if low is not None else (limits or (0.0, 0.0))[0]
    end = high if high is not None else (limits or (0.0, 0.0))[1]
    if not (np.isfinite(begin) and np.isfinite(end) and begin < end):
        message = f"`{name}` cannot be looked at from {begin:g} to {end:g}"
        problems.add("low", "out-of-range", message, "begin with the less")
        return None
    levels = frozenset().union(
        scenario.horizon.parameters,
        *(
            change.formula.parameters
            for actions in (*scenario.actions.values(), scenario.events)
            for action in actions.values()
            for alternative in action.alternatives
            for change in alternative.changes
        ),
    )
    values = {value for _, value, _ in rows}
    whole = parameter.key in levels
    if whole and np.floor(end) <= np.ceil(begin):
        message = f"`{name}` takes whole numbers, of which {begin:g} to {end:g} has fewer than two"
        problems.add("low", "out-of-range", message)
        return None
    return Axis(
        name=name,
        names=tuple(n for n, _, _ in rows),
        low=float(begin),
        high=float(end),
        present=values.pop() if len(values) == 1 else None,
        whole=whole,
        unit=parameter.unit,
        about=parameter.about,
    )


def check_values(quantity: QuantityOfInterest, changes: list[dict[str, float]]) -> None:
    """Refuse values with which the scenario is not well formed: each mistake once, with where."""
    told: dict[Diagnostic, dict[str, float]] = {}
    for change in changes:
        try:
            quantity.scenario.with_values(change)
        except ScenarioError as error:
            for one in error.diagnostics:
                told.setdefault(one, change)
    kept: dict[tuple[Place, str], Diagnostic] = {}
    for one, change in told.items():
        where = ", ".join(f"{name} = {value:g}" for name, value in change.items())
        hint = one.hint or POSSIBLE
        told_once = replace(one, message=f"with {where}: {one.message}", hint=hint)
        kept.setdefault((one.place, one.code), told_once)
    if kept:
        raise ScenarioError(kept.values())


def level_for(query: Query, at: float | None, problems: Problems) -> float:
    """The level that is crossed; what is wrong with it is told."""
    probability = query.outcome is not None
    if at is None and (probability or query.payoff is not None):
        what, hint = ("probability", "0.5") if probability else ("payoff", "NUMBER")
        message = f"it is not said which {what} is crossed"
        problems.add("at", "missing", message, f"give `at={hint}`")
    elif at is not None and not math.isfinite(at):
        problems.add("at", "out-of-range", f"{at} is not a finite number")
    elif probability and at is not None and not 0 <= at <= 1:
        hint = f"for {at:g} % write `at={at / 100:g}`" if 1 < at <= 100 else ""
        problems.add("at", "out-of-range", f"a probability is from 0 to 1, not {at:g}", hint)
    return 0.0 if at is None else at


def check_points(points: int, least: int, problems: Problems) -> None:
    """Tell of too few points."""
    if points < least:
        problems.add("points", "out-of-range", f"points are at least {least}, not {points}")
