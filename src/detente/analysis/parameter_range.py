"""The parameter that is changed, from where to where, and the level that is to be crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detente.analysis.quantity_of_interest import QuantityOfInterest, naming, quantity_for
from detente.analysis.query import Query
from detente.arguments import MOST_VALUES, finite, whole
from detente.errors import Diagnostic, Place, Problems, ScenarioError, refuse
from detente.scenario.entities import Parameter
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.solver.options import SolveOptions

FEWEST = 4
"""Values at equal distances that a cubic needs."""


@dataclass(frozen=True, slots=True)
class ParameterRange:
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


def range_of(
    scenario: Scenario, name: str, low: float | None, high: float | None
) -> ParameterRange:
    """The range of a parameter, `key` or `key.type`. Raises `ScenarioError`."""
    targets: dict[str, Parameter] = {}
    for key, known in scenario.parameters.items():
        targets |= dict.fromkeys((key, *known.names()), known)
    if name not in targets:
        hint = did_you_mean(name, targets)
        refuse("parameter", "unknown-name", f"`{name}` is not a parameter", hint)
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
        refuse("parameter", "missing", message, hint)
    begin = low if low is not None else (limits or (0.0, 0.0))[0]
    end = high if high is not None else (limits or (0.0, 0.0))[1]
    if not (np.isfinite(begin) and np.isfinite(end) and begin < end):
        message = f"`{name}` cannot be looked at from {begin:g} to {end:g}"
        refuse("low", "out-of-range", message, "begin with the less")
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
    only_whole = parameter.key in levels
    if only_whole and np.floor(end) <= np.ceil(begin):
        message = f"`{name}` takes whole numbers, of which {begin:g} to {end:g} has fewer than two"
        refuse("low", "out-of-range", message)
    return ParameterRange(
        name=name,
        names=tuple(n for n, _, _ in rows),
        low=float(begin),
        high=float(end),
        present=values.pop() if len(values) == 1 else None,
        whole=only_whole,
        unit=parameter.unit,
        about=parameter.about,
    )


def check_values(quantity: QuantityOfInterest, changes: list[dict[str, float]]) -> None:
    """Refuse values with which the scenario is not well formed: each mistake once, with where."""
    kept: dict[tuple[Place, str], Diagnostic] = {}
    for change in changes:
        problems = Problems()
        with problems.gather(), naming(change):
            quantity.scenario.with_values(change)
        for problem in problems.found:
            kept.setdefault((problem.place, problem.code), problem)
    if kept:
        raise ScenarioError(kept.values())


def level_for(query: Query, at: float | None) -> float:
    """The level that is crossed. Raises `ScenarioError`."""
    probability = query.outcome is not None
    if at is None and (probability or query.payoff is not None):
        what, hint = ("probability", "0.5") if probability else ("payoff", "NUMBER")
        message = f"it is not said which {what} is crossed"
        refuse("at", "missing", message, f"give `at={hint}`")
    if probability and at is not None and not 0 <= at <= 1:
        hint = f"for {at:g} % write `at={at / 100:g}`" if 1 < at <= 100 else ""
        refuse("at", "out-of-range", f"a probability is from 0 to 1, not {at:g}", hint)
    return 0.0 if at is None else at


def prepare(
    scenario: Scenario,
    query: Query,
    options: SolveOptions,
    ranges: Sequence[tuple[str, float | None, float | None]],
    at: float | None,
    points: int,
) -> tuple[QuantityOfInterest, list[ParameterRange], float]:
    """The number, the range of each parameter (name, low, high), and the level to be crossed.

    Raises
    ------
    ScenarioError
        With all that is wrong.
    ValueError, TypeError
        For numbers that make no sense.
    """
    whole("points", points, 1, MOST_VALUES)
    whole("within", query.within, 1)
    finite("at", at)
    problems, parameters, level = Problems(), [], 0.0
    for name, low, high in ranges:
        finite("low", low)
        finite("high", high)
        with problems.gather():
            parameters.append(range_of(scenario, name, low, high))
    with problems.gather():
        level = level_for(query, at)
    if points < FEWEST:
        message = f"points are at least {FEWEST}, not {points}"
        problems.add("points", "out-of-range", message)
    names = [full for parameter in parameters for full in parameter.names]
    if len(set(names)) < len(names):
        message = "a map needs two different parameters"
        problems.add("parameter", "not-together", message)
    return quantity_for(scenario, query, options, names, problems), parameters, level
