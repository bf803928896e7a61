"""`audit`: what of a forecast can be defended.

Three questions: does an outcome come from what the actors want, or from moves that were not their
best (`noise`); how far does it move over the precisions that nobody can rule out
(`precision_band`); and does anybody act on what it believes of another (`reputation`)?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detente.analysis.noise import DRAWS, NoiseAudit, audit_noise
from detente.analysis.precision_band import PrecisionBand, precision_band
from detente.analysis.reputation import Reputation, reputation
from detente.errors import expect
from detente.simulation.forecast import Forecast
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions

SEED = 2018
"""Of the histories drawn, where no other is given: the same forecast is always audited alike."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What of a forecast can be defended.

    noise
        What rests on moves that were not their mover's best; None where a precision is 0, so that
        moves say nothing of what is best.
    band
        The forecast over half to twice the precision; None where a precision is the limit.
    reputation
        What being believed is worth; None where nothing is private.
    """

    forecast: Forecast
    noise: NoiseAudit | None
    band: PrecisionBand | None
    reputation: Reputation | None


def audit(
    result: Forecast,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    brief: bool = False,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> Audit:
    """Audit a forecast.

    Parameters
    ----------
    result
        The forecast, whose solution still has its strategies.
    options
        Threads, memory and progress; the belief points are those of the forecast's coarser grid.
    brief
        Whether to leave out what takes long: the ends of the precisions' ranges, and what being
        believed is worth later than at the start.
    draws
        Histories that are drawn of play as it is, and of play in which every move is a best one.
    rng
        Source of randomness; by default one with the seed `SEED`.
    """
    expect(result, Forecast, "audit")
    solution = result.solution
    game = solution.game
    band = precision_band(result, options.step(0.0, 0.7), ranges=not brief)
    noise = None
    if game.precision.min() > 0:
        periods = None if game.loop is None else result.periods
        rng = np.random.default_rng(SEED) if rng is None else rng
        noise = audit_noise(solution, rng=rng, draws=draws, periods=periods)
    options.report(0.8)
    worth = None
    if game.informed:
        worth = reputation(solution, follow=not brief, threads=options.threads)
    options.report(1.0)
    return Audit(result, noise, band, worth)
