"""Formulas on sets of states: what each name stands for, and what is told where a value is bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detente.errors import Diagnostic, Place, ScenarioError
from detente.game.structure import Ints, decode, describe
from detente.scenario.formula.expression import Formula, NotFinite
from detente.scenario.model import Scenario, Variable

Floats = NDArray[np.float64]
Names = dict[str, float | Floats]


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
    known: dict[tuple[int, int, bytes], Floats] = field(default_factory=dict, init=False)

    def public(self, formula: Formula, codes: Ints, t: int) -> NDArray[np.float64]:
        """The formula's value at each state, float64 or bool [x]; 0 where it is bad (noted)."""

        def evaluate() -> Floats:
            names: Names = {**self.scalars, **self._calendar(t), **self._levels(codes)}
            return self._evaluate(formula, names, codes, t, (codes.size,))

        return self._once(formula, 1, codes, evaluate)

    def holds(self, condition: Formula | None, codes: Ints, t: int) -> NDArray[np.bool_]:
        """Where a condition holds, bool [x]: everywhere if there is none."""
        if condition is None:
            return np.ones(codes.size, dtype=np.bool_)
        return self.public(condition, codes, t).astype(np.bool_)

    def profiled(self, formula: Formula, codes: Ints, t: int) -> Floats:
        """The formula's value at each state and type profile, float64 [x, p]; 0 where bad."""

        def evaluate() -> Floats:
            columns = {key: values[:, None] for key, values in self._levels(codes).items()}
            names: Names = {
                **self.scalars,
                **self.by_type,
                **self.types,
                **self._calendar(t),
                **columns,
            }
            return self._evaluate(formula, names, codes, t, (codes.size, self.profiles))

        return self._once(formula, 2, codes, evaluate)

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
        self, formula: Formula, axes: int, codes: Ints, evaluate: Callable[[], Floats]
    ) -> Floats:
        """A value that is worked out once for the same states, unless it reads the calendar."""
        if formula.calendar:
            return evaluate()
        key = id(formula), axes, codes.tobytes()
        if key not in self.known:
            self.known[key] = evaluate()
        return self.known[key]

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

    def _evaluate(
        self,
        formula: Formula,
        names: Mapping[str, float | Floats],
        codes: Ints,
        t: int,
        shape: tuple[int, ...],
    ) -> NDArray[np.float64]:
        try:
            return np.broadcast_to(formula.evaluate(names), shape)
        except NotFinite as bad:
            mask = np.broadcast_to(bad.mask, shape).reshape(codes.size, -1).any(axis=1)
            message = f"`{formula.text}` {bad.reason} {self.where(int(codes[mask][0]), t)}"
            hint = "guard it with `… if … else …`, or with max(…) in the denominator"
            self.findings.add(Diagnostic(formula.place, "not-finite", message, hint))
            return np.zeros(shape)


def evaluator(
    scenario: Scenario,
    variables: tuple[Variable, ...],
    profiles: Ints,
    last: int,
    findings: Findings,
) -> Evaluator:
    """An evaluator with the scenario's present parameter values; `profiles` is int64 [p, i]."""
    position = {key: i for i, key in enumerate(scenario.actors)}
    scalars: dict[str, float] = {}
    by_type: dict[str, Floats] = {}
    for key, parameter in scenario.parameters.items():
        if parameter.types:
            column = profiles[:, position[parameter.of]]
            by_type[key] = np.array(parameter.values)[column][None, :]
        else:
            scalars[key] = parameter.values[0]
    types = {key: profiles[:, i][None, :].astype(np.float64) for key, i in position.items()}
    return Evaluator(scenario, variables, scalars, by_type, types, last, findings)
