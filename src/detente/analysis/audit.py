"""`audit`: what of a forecast can be defended.

Three questions to one forecast: does an outcome come from what the actors want, or from moves that
were not their best (`noise`); how far does it move over the precisions that nobody can rule out
(`precision_band`); and does anybody act on what it believes of another (`reputation`)?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detente.analysis.compare import Comparison
from detente.analysis.noise import DRAWS, NoiseAudit, audit_noise
from detente.analysis.precision_band import PrecisionBand, precision_band, sign_table
from detente.analysis.reputation import Reputation, reputation
from detente.scenario.frozen import Frozen
from detente.simulation.forecast import Forecast
from detente.simulation.table import Table
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions

SEED = 2018
"""Of the histories drawn, where no other is given: the same forecast is always audited alike."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What of a forecast can be defended.

    noise
        What rests on moves that were not their mover's best.
    band
        The forecast over half to twice the precision; None where a precision is the limit.
    reputation
        What being believed is worth; None where that was not asked for, or nothing is private.
    """

    forecast: Forecast
    noise: NoiseAudit
    band: PrecisionBand | None
    reputation: Reputation | None


def audit(
    result: Forecast,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
    believed: bool = True,
) -> Audit:
    """Audit a forecast.

    Parameters
    ----------
    result
        The forecast.
    options
        Threads, memory and progress; the belief points are those of the forecast's coarser grid.
    draws
        Histories that are drawn of play as it is, and of play in which every move is a best one.
    rng
        Source of randomness; by default one with the seed `SEED`.
    believed
        Whether to ask what a reputation is worth.
    """
    band = precision_band(result, options.step(0.0, 0.7))
    solution = result.solution
    periods = None if solution.game.loop is None else result.periods
    rng = np.random.default_rng(SEED) if rng is None else rng
    noise = audit_noise(solution, rng=rng, draws=draws, periods=periods)
    options.report(0.8)
    worth = None
    if believed and solution.game.informed:
        worth = reputation(solution, threads=options.threads)
    options.report(1.0)
    return Audit(result, noise, band, worth)


def audit_comparison(
    comparison: Comparison, options: SolveOptions = DEFAULT_OPTIONS
) -> Mapping[str, Table] | None:
    """Which differences from the base keep their sign over grids and precisions.

    Returns
    -------
    Mapping
        By policy other than the base, the table of `sign_table`; None where a precision is the
        limit.
    """
    bands: dict[str, PrecisionBand] = {}
    count = len(comparison.forecasts)
    for k, (policy, result) in enumerate(comparison.forecasts.items()):
        band = precision_band(result, options.step(k / count, (k + 1) / count))
        if band is None:
            return None
        bands[policy] = band
    base = comparison.base
    return Frozen(
        {
            policy: sign_table(comparison.forecasts[base], result, (bands[base], bands[policy]))
            for policy, result in comparison.forecasts.items()
            if policy != base
        }
    )
