"""Formulas on sets of states: what each name stands for, and what is told where a value is bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detente.errors import Diagnostic, Place, ScenarioError
from detente.game.structure import Ints, decode, describe
from detente.scenario.constants import scalars
from detente.scenario.entities import Variable
from detente.scenario.formula.expression import Formula, NotFinite
from detente.scenario.model import Scenario

Floats = NDArray[np.float64]
Names = dict[str, float | Floats]
Work = Callable[[Formula, Ints, int, bool], Floats]
"""What is done with a formula at states of a period, by type profile or not."""


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


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates formulas of one scenario at states of one period.

    `by_type` gives each parameter that varies by type as float64 [1, p]; `types` each informed
    actor's true type as float64 [1, p]. With `profiled`, results are [x, p], otherwise [x].
    `known` has what formulas that do not read the calendar gave at states met before: from some
    period on the states are those of the period before. Results are not to be changed.
    """

    scenario: Scenario
    variables: tuple[Variable, ...]
    scalars: Mapping[str, float]
    by_type: Mapping[str, Floats]
    types: Mapping[str, Floats]
    last: int
    findings: Findings
    known: dict[tuple[str, int, bool, bytes], Floats] = field(default_factory=dict, init=False)

    def public(self, formula: Formula, codes: Ints, t: int) -> Floats:
        """The formula's value at each state, float64 or bool [x]; 0 where it is bad (noted)."""
        return self._once(self._values, formula, codes, t, profiled=False)

    def holds(self, condition: Formula | None, codes: Ints, t: int) -> NDArray[np.bool_]:
        """Where a condition holds, bool [x]: everywhere if there is none."""
        if condition is None:
            return np.ones(codes.size, dtype=np.bool_)
        return self.public(condition, codes, t).astype(np.bool_)

    def profiled(self, formula: Formula, codes: Ints, t: int) -> Floats:
        """The formula's value at each state and type profile, float64 [x, p]; 0 where bad."""
        return self._once(self._values, formula, codes, t, profiled=True)

    def slopes(self, formula: Formula, codes: Ints, t: int, *, profiled: bool) -> Floats:
        """Its derivatives by the parameters that it reads, in alphabetical order.

        float64 [q, x], or [q, x, p] by type profile.
        """
        return self._once(self._slopes, formula, codes, t, profiled=profiled)

    @property
    def profiles(self) -> int:
        """P, the number of type profiles."""
        return next(iter(self.types.values())).size

    def where(self, code: int, t: int) -> str:
        """A state and its time in words."""
        if self.scenario.forever:
            return f"at {describe(self.variables, code)}"
        return f"in {self.scenario.calendar.label(t)}, at {describe(self.variables, code)}"

    def _once(self, work: Work, formula: Formula, codes: Ints, t: int, *, profiled: bool) -> Floats:
        """What is worked out once for the same states, unless the formula reads the calendar."""
        if formula.calendar:
            return work(formula, codes, t, profiled)
        key = work.__name__, id(formula), profiled, codes.tobytes()
        if key not in self.known:
            self.known[key] = work(formula, codes, t, profiled)
        return self.known[key]

    def _names(self, codes: Ints, t: int, profiled: bool) -> Names:
        levels = self._levels(codes)
        plain: Names = {**self.scalars, **self._calendar(t), **levels}
        if not profiled:
            return plain
        columns = {key: values[:, None] for key, values in levels.items()}
        return {**plain, **self.by_type, **self.types, **columns}

    def _shape(self, codes: Ints, profiled: bool) -> tuple[int, ...]:
        return (codes.size, self.profiles) if profiled else (codes.size,)

    def _slopes(self, formula: Formula, codes: Ints, t: int, profiled: bool) -> Floats:
        names, shape = self._names(codes, t, profiled), self._shape(codes, profiled)
        slopes = (formula.derivative(names, key) for key in sorted(formula.parameters))
        return np.stack([np.broadcast_to(slope, shape) for slope in slopes])

    def _values(self, formula: Formula, codes: Ints, t: int, profiled: bool) -> Floats:
        shape = self._shape(codes, profiled)
        try:
            return np.broadcast_to(formula.evaluate(self._names(codes, t, profiled)), shape)
        except NotFinite as bad:
            mask = np.broadcast_to(bad.mask, shape).reshape(codes.size, -1).any(axis=1)
            message = f"`{formula.text}` {bad.reason} {self.where(int(codes[mask][0]), t)}"
            hint = "guard it with `… if … else …`, or with max(…) in the denominator"
            self.findings.add(Diagnostic(formula.place, "not-finite", message, hint))
            return np.zeros(shape)

    def _levels(self, codes: Ints) -> dict[str, Floats]:
        levels = decode(self.variables, codes)
        low = {v.key: 0 if v.names else v.low for v in self.variables}
        return {key: (values + low[key]).astype(np.float64) for key, values in levels.items()}

    def _calendar(self, t: int) -> dict[str, float]:
        date = self.scenario.calendar.date(t)
        plain = {"t": float(t), "last": float(self.last)}
        if date is None:
            return plain
        # A date is the number of its period, in formulas as here.
        return {**plain, "month": float(date.month), "year": float(date.year), "date": float(t)}


def evaluator(
    scenario: Scenario,
    variables: tuple[Variable, ...],
    profiles: Ints,
    last: int,
    findings: Findings,
) -> Evaluator:
    """An evaluator with the scenario's present parameter values; `profiles` is int64 [p, i]."""
    position = {key: i for i, key in enumerate(scenario.actors)}
    by_type = {
        key: np.array(one.values)[profiles[:, position[one.of]]][None, :]
        for key, one in scenario.parameters.items()
        if one.types
    }
    types = {key: profiles[:, i][None, :].astype(np.float64) for key, i in position.items()}
    numbers = scalars(scenario.parameters)
    return Evaluator(scenario, variables, numbers, by_type, types, last, findings)
