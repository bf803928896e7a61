"""Free parameters, and the coordinates in which they are moved: without bounds, near 1 in size.

A probability θ is moved as its log odds, a precision above 0 as its logarithm, anything else in
units of its range's width / 4 or of its own size. A parameter is a probability where a constant of
the game is that parameter alone, and where its unit says so: formulas read it then, which do not
tell. What else a scenario refuses is a wall for the optimiser.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detente.dtypes import Floats
from detente.errors import Problems
from detente.game.arrays import CompiledGame
from detente.scenario.fields import within
from detente.scenario.formula.expression import Formula
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.scenario.rules import Alternative

PLAIN, POSITIVE, SHARE = "plain", "positive", "share"

SHARES = re.compile(r"(probability|share)\b")
"""How units of probabilities and shares begin: `probability per month`."""

EDGE = 1e-6
"""A share or a precision within this of its bound is at it: no record can tell it from that."""

FARTHEST = 30.0
"""Coordinates beyond this are at a bound or run away."""


@dataclass(frozen=True, slots=True)
class Free:
    """A free parameter: its full name, where it begins, its range, and how it is moved.

    `kind` is plain, positive or share; `size` is the unit in which a plain one is moved.
    """

    name: str
    start: float
    range: tuple[float, float] | None
    kind: str
    size: float

    def coordinate(self, value: float) -> float:
        """Where a value lies."""
        if self.kind == PLAIN:
            return value / self.size
        if self.kind == POSITIVE:
            return math.log(max(value, EDGE))
        share = min(max(value, EDGE), 1 - EDGE)
        return math.log(share / (1 - share))

    def value(self, coordinate: float) -> float:
        """The value at a coordinate."""
        if self.kind == PLAIN:
            return coordinate * self.size
        coordinate = min(max(coordinate, -FARTHEST), FARTHEST)
        return math.exp(coordinate) if self.kind == POSITIVE else 1 / (1 + math.exp(-coordinate))

    def slope(self, coordinate: float) -> float:
        """Derivative of the value by the coordinate."""
        value = self.value(coordinate)
        return {PLAIN: self.size, POSITIVE: value}.get(self.kind, value * (1 - value))

    def inside(self, value: float) -> bool:
        """Whether a value is one that the parameter may have."""
        return self.kind == PLAIN or 0 < value < (math.inf if self.kind == POSITIVE else 1)

    def bound(self, coordinate: float) -> float | None:
        """The coordinate of the bound that is nearest; None where there is none on that side."""
        if self.kind == PLAIN or (self.kind == POSITIVE and coordinate > 0):
            return None
        return self.coordinate(float(coordinate > 0))

    def at_bound(self, value: float) -> bool:
        """Whether a value is at a bound."""
        low = self.kind != PLAIN and value < 2 * EDGE
        return low or (self.kind == SHARE and value > 1 - 2 * EDGE)


def values_at(free: Sequence[Free], x: Floats) -> dict[str, float]:
    """Values by name at coordinates."""
    return {one.name: one.value(float(c)) for one, c in zip(free, x, strict=True)}


def slopes_at(free: Sequence[Free], x: Floats) -> Floats:
    """Derivatives of values by coordinates."""
    return np.array([one.slope(float(c)) for one, c in zip(free, x, strict=True)])


def free_parameters(game: CompiledGame, names: Sequence[str] | None) -> tuple[Free, ...]:
    """The parameters that are to be estimated; None for all that have a range and can be.

    Raises
    ------
    ScenarioError
        For names that are not there or repeated, and parameters that decide which states there are
        or that no formula reads.
    """
    scenario, problems = game.scenario, Problems()
    full = {name: p for p in scenario.parameters.values() for name in p.names()}
    wanted: list[str] = []
    if names is None:
        wanted = [
            name
            for name, p in full.items()
            if p.ranges[p.names().index(name)] is not None
            and p.key not in game.structure.structural
            and p.key in _read(scenario)
        ]
    for name in names or ():
        group = scenario.parameters[name].names() if name in scenario.parameters else (name,)
        if group[0] not in full:
            hint = did_you_mean(name, full)
            if name in scenario.covariates:
                hint = "it is a covariate: data, not to be estimated"
            problems.add("free", "unknown-name", f"`{name}` is not a parameter", hint)
        elif full[group[0]].key in game.structure.structural:
            message = f"`{name}` decides which states there are: it has no likelihood to climb"
            problems.add("free", "not-estimable", message)
        elif full[group[0]].key not in _read(scenario):
            problems.add("free", "not-estimable", f"no formula reads `{name}`")
        elif set(group) & set(wanted):
            problems.add("free", "duplicate-name", f"`{name}` is named twice")
        else:
            wanted += group
    if not wanted and not problems.found:
        problems.add("free", "missing", "no parameter is free", "name them: `free=`")
    problems.refuse()
    positive, shares = set(_precisions(scenario)), set(_shares(scenario))
    made = []
    for name in wanted:
        p = full[name]
        k = p.names().index(name)
        value, limits = p.values[k], p.ranges[k]
        size = (limits[1] - limits[0]) / 4 if limits else 0.0
        kind = POSITIVE if p.key in positive else SHARE if p.key in shares else PLAIN
        made.append(Free(name, value, limits, kind, size or max(abs(value), 1.0)))
    return tuple(made)


def _read(scenario: Scenario) -> frozenset[str]:
    return frozenset().union(*(formula.parameters for formula in within(scenario, Formula)))


def _alone(formula: Formula | None) -> Iterator[str]:
    """The parameter that a formula is, if it is one."""
    if formula is not None and formula.parameters == {formula.text}:
        yield formula.text


def _precisions(scenario: Scenario) -> Iterator[str]:
    for actor in scenario.actors.values():
        yield from _alone(actor.precision)


def _shares(scenario: Scenario) -> Iterator[str]:
    for key, parameter in scenario.parameters.items():
        if SHARES.match(parameter.unit) and all(0 < value < 1 for value in parameter.values):
            yield key
    for actor in scenario.actors.values():
        for formula in (actor.discount, *actor.priors.values()):
            yield from _alone(formula)
    for formula in scenario.joint_prior.shares if scenario.joint_prior else ():
        yield from _alone(formula)
    for alternative in within((scenario.actions, scenario.events), Alternative):
        yield from _alone(alternative.probability)
