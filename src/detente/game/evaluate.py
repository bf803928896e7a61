"""Formulas on sets of states: what each name stands for, and what is wrong where a value is bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic, Place, ScenarioError
from detente.game.structure import Side, Structure, decode, describe
from detente.scenario.entities import Variable
from detente.scenario.formula.evaluate import Given
from detente.scenario.formula.expression import Formula, NotFinite
from detente.scenario.frozen import Frozen
from detente.scenario.model import Scenario

ROOM = 2**22
"""Values of a formula at levels and states that are worked out at a time."""

Names = dict[str, float | Floats]
Work = Callable[[Formula, Names, tuple[int, ...]], Floats]


@dataclass(slots=True)
class Findings:
    """The mistakes met while a game is compiled: one for each formula and code, the first met."""

    found: dict[tuple[Place, str, str], Diagnostic] = field(default_factory=dict)

    def add(self, diagnostic: Diagnostic, actor: str = "") -> None:
        """Keep a mistake unless one of its kind was met at its place, about the same actor."""
        self.found.setdefault((diagnostic.place, diagnostic.code, actor), diagnostic)

    def refuse(self) -> None:
        """Raise `ScenarioError` with all of them in order, if there are any."""
        if self.found:
            raise ScenarioError(sorted(self.found.values(), key=lambda d: d.place))


def value(formula: Formula, names: Names, shape: tuple[int, ...]) -> Floats:
    """The formula's value where its names have these. Raises `NotFinite`."""
    return np.broadcast_to(formula.evaluate(names), shape)


@dataclass(frozen=True, slots=True)
class AtLevels:
    """The work on a formula in which a name of its own has a value: with each of these instead."""

    values: tuple[float, ...]

    def __call__(self, formula: Formula, names: Names, shape: tuple[int, ...]) -> Floats:
        """float64 [k, x]. Raises `NotFinite`, as of the first value that is at fault."""
        given = formula.node
        assert isinstance(given, Given)
        whole = replace(formula, node=given.node)
        try:
            column = np.array(self.values)[:, None]
            made = whole.evaluate({**names, given.key: column})
            return np.broadcast_to(made, (len(self.values), *shape)).astype(np.float64)
        except NotFinite:
            for each in self.values:
                whole.evaluate({**names, given.key: each})
            raise


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates formulas of one scenario at states of one period.

    `by_type` gives each parameter that varies by type as float64 [1, p]; `types` each informed
    actor's true type as float64 [1, p]. With `profiled`, results are [x, p], otherwise [x].
    `known` has what formulas that do not read the calendar gave at states met before: from some
    period on the states are those of the period before. Results are not to be changed.
    `units` gives the covariates of several games beside one another, see `detente.game.panel`.
    """

    scenario: Scenario
    variables: tuple[Variable, ...]
    scalars: Mapping[str, float]
    by_type: Mapping[str, Floats]
    types: Mapping[str, Floats]
    last: int
    units: Mapping[str, Floats] = Frozen()
    findings: Findings = field(default_factory=Findings)
    known: dict[tuple[Work, int, int, bytes], Floats] = field(default_factory=dict)

    def beside(self, side: Side, codes: Ints) -> tuple[Evaluator, Ints]:
        """Where a side's formulas are evaluated: its own actions' states, int64 [a].

        What moves do together is evaluated with the moves as variables beside those of the state.
        """
        here = codes[side.state]
        if side.chosen is None:
            return self, here
        joined = replace(self, variables=(*self.variables, *side.moves))
        return joined, here * prod(move.size for move in side.moves) + side.chosen

    def public(self, formula: Formula, codes: Ints, t: int, work: Work = value) -> Floats:
        """The formula's value at each state, float64 or bool [x]; 0 where it is bad (noted).

        With other `work` what that makes of it, [..., x].
        """
        return self._once(work, formula, codes, t, (codes.size,))

    def drawn(self, formulas: Sequence[Formula], codes: Ints, t: int) -> Floats:
        """Formulas that are one with different values of a name, at each state: float64 [k, x]."""
        size = max(1, ROOM // max(codes.size, 1))
        parts = []
        for first in range(0, len(formulas), size):
            part = formulas[first : first + size]
            work = AtLevels(tuple(f.node.value for f in part if isinstance(f.node, Given)))
            made = self._once(work, part[0], codes, t, (codes.size,))
            parts.append(np.broadcast_to(made, (len(part), codes.size)))
        return np.concatenate(parts)

    def holds(self, condition: Formula | None, codes: Ints, t: int) -> NDArray[np.bool_]:
        """Where a condition holds, bool [x]: everywhere if there is none."""
        if condition is None:
            return np.ones(codes.size, dtype=np.bool_)
        return self.public(condition, codes, t).astype(np.bool_)

    def profiled(self, formula: Formula, codes: Ints, t: int, work: Work = value) -> Floats:
        """The same at each state and type profile, float64 [x, p]."""
        return self._once(work, formula, codes, t, (codes.size, self.profiles))

    @property
    def profiles(self) -> int:
        """P, the number of type profiles."""
        return next(iter(self.types.values())).size

    def where(self, code: int, t: int) -> str:
        """A state and its time in words."""
        if self.scenario.forever:
            return f"at {describe(self.variables, code)}"
        return f"in {self.scenario.calendar.label(t)}, at {describe(self.variables, code)}"

    def _once(
        self, work: Work, formula: Formula, codes: Ints, t: int, shape: tuple[int, ...]
    ) -> Floats:
        """What is worked out once for the same states, unless the formula reads the calendar."""
        if formula.calendar:
            return self._evaluate(work, formula, codes, t, shape)
        key = work, id(formula), len(shape), codes.tobytes()
        if key not in self.known:
            self.known[key] = self._evaluate(work, formula, codes, t, shape)
        return self.known[key]

    def _calendar(self, t: int) -> dict[str, float]:
        date = self.scenario.calendar.date(t)
        plain = {"t": float(t), "last": float(self.last)}
        if date is None:
            return plain
        # A date is the number of its period, in formulas as here.
        return {**plain, "month": float(date.month), "year": float(date.year), "date": float(t)}

    def _evaluate(
        self, work: Work, formula: Formula, codes: Ints, t: int, shape: tuple[int, ...]
    ) -> Floats:
        names: Names = {**self.scalars, **self._calendar(t)}
        if len(shape) > 1:
            names |= {**self.by_type, **self.types}
        levels = decode(self.variables, codes)
        for v in self.variables:
            number = (levels[v.key] + (0 if v.names else v.low)).astype(np.float64)
            names[v.key] = number[:, None] if len(shape) > 1 else number
        for key in formula.covariates & self.units.keys():
            column = self.units[key][levels[self.variables[0].key]]
            names[key] = column[:, None] if len(shape) > 1 else column
        try:
            return work(formula, names, shape)
        except NotFinite as bad:
            mask = np.broadcast_to(bad.mask, shape).reshape(codes.size, -1).any(axis=1)
            message = f"`{formula.text}` {bad.reason} {self.where(int(codes[mask][0]), t)}"
            hint = "guard it with `… if … else …`, or with max(…) in the denominator"
            self.findings.add(Diagnostic(formula.place, "not-finite", message, hint))
            return np.zeros(shape)


def evaluator(
    scenario: Scenario, variables: tuple[Variable, ...], profiles: Ints, last: int
) -> Evaluator:
    """An evaluator with the scenario's present parameter values; `profiles` is int64 [p, i]."""
    columns = dict(zip(scenario.actors, profiles.T, strict=True))
    return Evaluator(
        scenario,
        variables,
        scalars=scenario.scalars,
        by_type={
            key: np.array(p.values)[columns[p.of]][None, :]
            for key, p in scenario.parameters.items()
            if p.types
        },
        types={key: column[None, :].astype(np.float64) for key, column in columns.items()},
        last=last,
    )


def evaluator_of(scenario: Scenario, structure: Structure) -> Evaluator:
    """An evaluator of a scenario at the states of an enumeration."""
    last = len(structure.period_sets)
    at = evaluator(scenario, structure.variables, structure.profiles, last)
    return replace(at, units=structure.units)
