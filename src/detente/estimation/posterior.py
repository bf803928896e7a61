"""The posterior: Laplace's approximation, mended by importance resampling.

About the highest posterior density a posterior is nearly normal, with the inverse information as
its covariance. Points are drawn from Student's t with that centre and scale, whose tails are longer
than a normal's, and weighted by the posterior over the density they were drawn with (Rubin 1988,
"Using the SIR algorithm to simulate posterior distributions", Bayesian Statistics 3). The effective
sample size, (Σ w)² / Σ w², says how far that is from draws of the posterior itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detente.dtypes import Floats
from detente.estimation.free import slopes_at, values_at
from detente.estimation.uncertainty import Information

if TYPE_CHECKING:
    from detente.estimation.search import Search

DEGREES = 8.0
"""Degrees of freedom of the t distribution: tails that few posteriors outdo, at a tenth of loss."""

FEW = 0.1
"""Share of the draws below which an effective sample size is a warning."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted draws from a posterior.

    table
        A column for each parameter, a row for each point.
    weights
        float64 [draw], with a sum of 1.
    """

    table: pd.DataFrame
    weights: Floats

    @property
    def effective(self) -> float:
        """The effective sample size; 0 where no point has any density."""
        squares = float((self.weights**2).sum())
        return 1 / squares if squares else 0.0

    @property
    def poor(self) -> bool:
        """Whether the posterior is far from Laplace's approximation."""
        return self.effective < FEW * len(self.weights)

    def below(self, values: Mapping[str, float]) -> dict[str, float]:
        """The share of the posterior below values, by name."""
        return {
            name: float(self.weights @ (self.table[name] < value).to_numpy(float))
            for name, value in values.items()
        }

    def resampled(self, rng: np.random.Generator) -> pd.DataFrame:
        """As many equally weighted draws, in random order (systematic resampling)."""
        count = len(self.weights)
        places = (np.arange(count) + rng.random()) / count
        rows = np.searchsorted(np.cumsum(self.weights), places * self.weights.sum())
        return self.table.iloc[rng.permutation(np.minimum(rows, count - 1))].reset_index(drop=True)


def laplace(
    search: Search, mode: Floats, known: Information, draws: int, rng: np.random.Generator
) -> Posterior | None:
    """Points about the highest density, weighted by the posterior; None without a prior, and where
    a parameter is at a bound or not identified.

    Parameters
    ----------
    search
        Has the posterior's logarithm, per unit of what the prior is a density of.
    mode, known
        float64 [q] in coordinates, and the information there.
    draws
        How many points; each costs a likelihood.
    """
    prior, free = search.prior, search.free
    if prior is None or not known.known.all():
        return None
    root = np.linalg.cholesky(known.covariance)
    scale = np.sqrt(rng.chisquare(DEGREES, draws) / DEGREES)
    steps = rng.standard_normal((draws, mode.size)) / scale[:, None]
    proposal = -(DEGREES + mode.size) / 2 * np.log1p((steps**2).sum(axis=1) / DEGREES)
    points = mode + steps @ root.T
    logs = np.full(draws, -np.inf)
    for k, x in enumerate(points):
        place = np.array([one.value(float(c)) for one, c in zip(free, x, strict=True)])
        slopes = slopes_at(free, x) / np.where(prior.logarithmic, place, 1.0)
        logs[k] = search.log_density(x) + np.log(np.abs(slopes)).sum() - proposal[k]
    weights = np.exp(logs - logs.max()) if np.isfinite(logs.max()) else np.zeros(draws)
    table = pd.DataFrame([values_at(free, x) for x in points])
    return Posterior(table, weights / max(float(weights.sum()), 1e-300))
