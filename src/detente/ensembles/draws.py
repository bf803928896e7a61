"""Draws of all uncertain quantities at once: points of the unit cube, and what they stand for.

The points are those of a scrambled Sobol sequence (Owen 1998), of which any beginning fills the
cube evenly, so that a run can be drawn on, or of a Latin hypercube, which is made for its number
of draws. Rank correlations are put in by a normal copula: standard normal numbers are correlated
with r = 2 sin(π ρ / 6), which gives the uniform numbers they come from the rank correlation ρ
(Pearson 1907).

Draw 0 is the scenario as it stands, draws 1, 2, … are the points. What a draw is depends on the
scenario, the sampling, the seed and its number, with a Latin hypercube also on how many there are.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from detente.ensembles.quantities import Kind, Quantity, quantities
from detente.scenario.model import Scenario

Floats = NDArray[np.float64]

SAMPLINGS = ("sobol", "latin")
BLOCK = 1024
"""Points that are made together; a power of two, for which the Sobol sequence is made."""

MOST_DRAWS = 2**30
"""Points that a Sobol sequence has."""

EDGE = 1e-12
"""How near to 0 and 1 a number may come: at these themselves a normal number is infinite."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One world: values of parameters by full name, and options of variants."""

    number: int
    values: dict[str, float]
    options: dict[str, str]


@dataclass(frozen=True, eq=False)
class Plan:
    """All draws of a run; see `plan`.

    present
        Draw 0.
    mixing
        float64 [d, d]: what makes independent normal numbers correlated, lower triangular; None
        where nothing is correlated. d counts the quantities that take a number of their own.
    """

    present: Draw
    quantities: tuple[Quantity, ...]
    sampling: str
    seed: int
    draws: int
    mixing: Floats | None

    def draw(self, number: int) -> Draw:
        """The draw of that number, from 0 to `draws`."""
        return next(self.between(number, number + 1))

    def between(self, first: int, last: int) -> Iterator[Draw]:
        """Draws first … last - 1, of which a block is held at a time."""
        table, block = np.empty((0, 0)), -1
        for number in range(first, last):
            if number == 0:
                yield self.present
                continue
            if (number - 1) // BLOCK != block:
                block = (number - 1) // BLOCK
                table = self.table(block)
            yield self._named(number, table[(number - 1) % BLOCK])

    def table(self, block: int) -> Floats:
        """The values of a block of draws, float64 [draw, quantity]; options as positions."""
        own = sum(quantity.drawn for quantity in self.quantities)
        points = _points(self.sampling, self.seed, self.draws, own, block)
        if self.mixing is not None:
            points = ndtr(ndtri(np.clip(points, EDGE, 1.0 - EDGE)) @ self.mixing.T)
        left: dict[str, Floats] = {}
        columns, at = [], 0
        for quantity in self.quantities:
            value = np.ones(len(points))
            if quantity.drawn:
                value = quantity.at(points[:, at])
                at += 1
            if quantity.kind is Kind.SHARE:
                before = left.get(quantity.group, np.ones(len(points)))
                value = value * before
                left[quantity.group] = np.maximum(before - value, 0.0)
            columns.append(value)
        return np.stack(columns, axis=1) if columns else np.empty((len(points), 0))

    def _named(self, number: int, row: Floats) -> Draw:
        values, options = {}, {}
        for quantity, value in zip(self.quantities, row, strict=True):
            if quantity.kind is Kind.OPTION:
                options[quantity.name] = quantity.options[int(value)]
            else:
                values[quantity.name] = float(value)
        return Draw(number, values, options)


def plan(scenario: Scenario, *, draws: int, sampling: str = "sobol", seed: int = 0) -> Plan:
    """How a scenario's uncertain quantities are drawn.

    Parameters
    ----------
    scenario
        Its ranges, distributions, correlations and variants say what is drawn.
    draws
        How many there are, besides draw 0.
    sampling
        `sobol` or `latin`.
    seed
        Of the points.

    Raises
    ------
    ValueError
        For a sampling that there is not, or a number of draws that it does not have.
    """
    if sampling not in SAMPLINGS:
        raise ValueError(f"the sampling is one of {', '.join(SAMPLINGS)}, not {sampling!r}")
    if not 1 <= draws <= MOST_DRAWS:
        raise ValueError(f"draws are from 1 to {MOST_DRAWS:,}, not {draws:,}")
    found = quantities(scenario)
    return Plan(_present(scenario, found), found, sampling, seed, draws, _mixing(scenario, found))


def _present(scenario: Scenario, found: tuple[Quantity, ...]) -> Draw:
    """The scenario as it stands, told as a draw."""
    now = {
        name: value
        for parameter in scenario.parameters.values()
        for name, value in zip(parameter.names(), parameter.values, strict=True)
    }
    options = {q.name: q.options[0] for q in found if q.kind is Kind.OPTION}
    return Draw(0, {q.name: now[q.name] for q in found if q.name not in options}, options)


def _mixing(scenario: Scenario, found: tuple[Quantity, ...]) -> Floats | None:
    """The Cholesky factor of the normal numbers' correlations, without those of known ones."""
    place = {quantity.name: at for at, quantity in enumerate(q for q in found if q.drawn)}
    matrix = np.eye(len(place))
    for one in scenario.correlations:
        known = [place[name] for name in one.between if name in place]
        for a in known:
            for b in known:
                if a != b:
                    matrix[a, b] = 2.0 * np.sin(np.pi * one.rank / 6.0)
    if np.array_equal(matrix, np.eye(len(place))):
        return None
    # The scenario's check has made sure that this can be done.
    return np.asarray(np.linalg.cholesky(matrix))


@lru_cache(maxsize=2)
def _points(sampling: str, seed: int, draws: int, own: int, block: int) -> Floats:
    """A block of points of the unit cube, float64 [draw, d]."""
    if own == 0:
        return np.empty((BLOCK, 0))
    rng = np.random.default_rng(seed)
    if sampling == "latin":
        whole = _hypercube(seed, draws, own)
        return whole[block * BLOCK : (block + 1) * BLOCK]
    sequence = qmc.Sobol(own, scramble=True, rng=rng)
    if block:  # SciPy cannot go forward by nothing
        sequence.fast_forward(block * BLOCK)
    with warnings.catch_warnings():  # of being used from somewhere in the middle
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(sequence.random(BLOCK))


@lru_cache(maxsize=1)
def _hypercube(seed: int, draws: int, own: int) -> Floats:
    """A whole Latin hypercube: it cannot be made in parts."""
    rng = np.random.default_rng(seed)
    return np.asarray(qmc.LatinHypercube(own, rng=rng).random(draws))
