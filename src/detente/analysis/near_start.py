"""`beside_principal`: the equilibrium near some choices, beside the one on the principal branch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detente.analysis.other_equilibria import SAME
from detente.simulation.forecast import Forecast, forecast
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solve import solve
from detente.solver.start import Start


@dataclass(frozen=True, eq=False)
class NearStart:
    """Two forecasts of one game.

    principal, near
        That on the principal branch, and that of the equilibrium near the choices given.
    difference
        Of a share of an action at any turn, state and node of the belief grid, the largest.
    """

    principal: Forecast
    near: Forecast
    difference: float

    @property
    def same(self) -> bool:
        """Whether the two are one equilibrium."""
        return self.difference <= SAME


def beside_principal(
    result: Forecast, start: Start, options: SolveOptions = DEFAULT_OPTIONS
) -> NearStart:
    """Look for the equilibrium near some choices, beside a forecast on the principal branch."""
    solution = result.solution
    points = max(solution.grid.points) if solution.game.informed else None
    options = replace(options, beliefs=points)
    other = solve(solution.game, options, start=start)
    periods = None if solution.game.loop is None else result.periods
    near = forecast(other, periods=periods, threads=options.threads)
    pairs = zip(solution.strategies, other.strategies, strict=True)
    difference = max(float(np.abs(a - b).max(initial=0.0)) for a, b in pairs)
    return NearStart(result, near, difference)
