"""The scenario's ranges as priors: normal, with a central 95 % that is the range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detente.dtypes import Bools, Floats
from detente.errors import Problems
from detente.estimation.free import Free
from detente.estimation.statistics import CENTRAL
from detente.scenario.model import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class NormalPrior:
    """Independent normal distributions of values, or of their logarithms.

    mean, deviation
        float64 [q]: an infinite deviation says nothing.
    logarithmic
        bool [q].
    """

    mean: Floats
    deviation: Floats
    logarithmic: Bools

    @classmethod
    def around_zero(cls, deviation: Floats) -> NormalPrior:
        """Of values around 0."""
        return cls(np.zeros(deviation.size), deviation, np.zeros(deviation.size, dtype=bool))

    def log_density(self, value: Floats) -> float:
        """The logarithm of the density, but for a constant."""
        standard = self._standard(value)
        return -0.5 * float(standard @ standard)

    def slopes(self, value: Floats) -> Floats:
        """Its derivatives, float64 [q]."""
        return -self._standard(value) / self.deviation * self._inner(value)

    def curvature(self, value: Floats) -> Floats:
        """Minus its second derivatives, float64 [q]."""
        inner, bent = self._inner(value), np.where(self.logarithmic, self._standard(value), 0.0)
        return np.asarray((1 / self.deviation**2 - bent / self.deviation) * inner**2)

    def _standard(self, value: Floats) -> Floats:
        positive = np.where(self.logarithmic, np.maximum(value, 1e-300), 1.0)
        place = np.where(self.logarithmic, np.log(positive), value)
        return np.asarray((place - self.mean) / self.deviation)

    def _inner(self, value: Floats) -> Floats:
        return np.where(self.logarithmic, 1 / np.maximum(value, 1e-300), 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class RangePrior(NormalPrior):
    """Such distributions of the free parameters, whose names it has."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, scenario: Scenario, free: Sequence[Free]) -> RangePrior:
        """From ranges. Raises `ScenarioError` for parameters that have none, or no width."""
        problems = Problems()
        for one in free:
            if one.range is None or one.range[0] == one.range[1]:
                message = f"`{one.name}` has no range of which to make a prior"
                problems.add("prior", "no-range", message, "say `range: [low, high]` in the file")
        problems.refuse()
        draws = {
            n: d
            for p in scenario.parameters.values()
            for n, d in zip(p.names(), p.draws, strict=True)
        }
        logarithmic = np.array([draws[one.name] == "log-uniform" for one in free])
        ends = np.array([one.range for one in free], dtype=np.float64)
        ends[logarithmic] = np.log(ends[logarithmic])
        middle, width = ends.mean(axis=1), ends[:, 1] - ends[:, 0]
        names = tuple(one.name for one in free)
        return cls(middle, width / (2 * CENTRAL), logarithmic, names)

    def at(self, values: Mapping[str, float]) -> tuple[float, Floats]:
        """The logarithm of the density, but for a constant, and its derivatives by the values."""
        value = np.array([values[name] for name in self.names])
        return self.log_density(value), self.slopes(value)

    def drawn(self, rng: np.random.Generator) -> dict[str, float]:
        """Values from it, by name."""
        place = self.mean + self.deviation * rng.standard_normal(len(self.names))
        values = np.where(self.logarithmic, np.exp(np.where(self.logarithmic, place, 0.0)), place)
        return dict(zip(self.names, values.tolist(), strict=True))
