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
class RangePrior:
    """Independent normal distributions of the free parameters, or of their logarithms."""

    names: tuple[str, ...]
    mean: Floats
    deviation: Floats
    logarithmic: Bools

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
        return cls(names, middle, width / (2 * CENTRAL), logarithmic)

    def at(self, values: Mapping[str, float]) -> tuple[float, Floats]:
        """The logarithm of the density, but for a constant, and its derivatives by the values."""
        value = np.array([values[name] for name in self.names])
        positive = np.where(self.logarithmic, np.maximum(value, 1e-300), 1.0)
        place = np.where(self.logarithmic, np.log(positive), value)
        standard = (place - self.mean) / self.deviation
        inner = np.where(self.logarithmic, 1 / positive, 1.0)
        return -0.5 * float(standard @ standard), -standard / self.deviation * inner

    def drawn(self, rng: np.random.Generator) -> dict[str, float]:
        """Values from it, by name."""
        place = self.mean + self.deviation * rng.standard_normal(len(self.names))
        values = np.where(self.logarithmic, np.exp(np.where(self.logarithmic, place, 0.0)), place)
        return dict(zip(self.names, values.tolist(), strict=True))
