"""The design of an ensemble: what is uncertain in a scenario, and draws of all of it at once.

A quantity turns a number u, uniform on [0, 1], into a value by its distribution function's
inverse, so that any design of points in the unit cube serves. Priors with a `concentration` are
drawn from a Dirichlet distribution by breaking a stick: the first type's share is Beta(a, rest)
distributed, the second's is such a share of what is left, and so on (Connor and Mosimann 1969),
with the Dirichlet's parameters a = concentration × present prior.

The points are those of a scrambled Sobol sequence (Owen 1998), of which any beginning fills the
cube evenly, so that a run can be given more draws, or of a Latin hypercube, which is made for its
number of draws. Rank correlations are put in by a normal copula: standard normal numbers are
correlated with r = 2 sin(π ρ / 6), which gives the uniform numbers they come from the rank
correlation ρ (Pearson 1907).

Precision is seldom estimated, so that it is drawn over half to twice its value at least. A
parameter that is a precision has its range widened to that; precisions that come from no range are
all multiplied by one factor, `PRECISION_FACTOR`.

Parameters of which there are draws from a posterior take one of its rows all together, whatever
their ranges say: one number u, uniform on [0, 1], chooses the row.

Draw 0 is the scenario as it stands, draws 1, 2, … are the points. What a draw is depends on the
scenario, the sampling, the seed and its number, with a Latin hypercube also on how many there are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from detente.scenario.constants import TOLERANCE
from detente.scenario.entities import Actor, Parameter
from detente.scenario.frozen import Frozen
from detente.scenario.ledger import PRECISION_FACTOR, used_parameters
from detente.scenario.model import Scenario

Floats = NDArray[np.float64]

SAMPLINGS = ("sobol", "latin")
BLOCK = 1024
"""Points that are made together; a power of two, for which the Sobol sequence is made."""

MOST_DRAWS = 2**30
"""Points that a Sobol sequence has."""

FACTORS = 0.5, 2.0
"""Of a precision, drawn at least."""

EDGE = 1e-12
"""How near to 0 and 1 a number may come: at these themselves a normal number is infinite."""


Posterior = Mapping[str, Sequence[float]]
"""Draws from a posterior by name of a parameter, as many of each."""

NONE: Posterior = Frozen({})


class Distribution(StrEnum):
    """How a quantity is distributed over its range."""

    UNIFORM = "uniform"
    TRIANGULAR = "triangular"
    LOG_UNIFORM = "log-uniform"
    WHOLE = "whole"
    SHARE = "share"
    OPTION = "option"
    POSTERIOR = "posterior"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One thing that is not known.

    name
        A parameter by its full name (`step_cost.sincere`), or a variant.
    low, high, mode
        The range, and the present value; of an option positions in `options`.
    options, weights
        Of a variant: its options, and the probability of each.
    actor, alpha, rest
        Of a share: the actor, and the parameters of its Beta distribution; `rest` is 0 where it
        takes what the others have left.
    """

    name: str
    distribution: Distribution
    low: float
    high: float
    mode: float
    options: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    actor: str = ""
    alpha: float = 0.0
    rest: float = 0.0

    @property
    def drawn(self) -> bool:
        """Whether it takes a number of its own."""
        if self.distribution is Distribution.POSTERIOR:
            return False
        return self.distribution is not Distribution.SHARE or self.rest > 0.0

    def at(self, u: Floats) -> Floats:
        """Values at the numbers u in [0, 1]: of a share, shares of what is left of the stick; of a
        variant, positions in `options`."""
        width = self.high - self.low
        match self.distribution:
            case Distribution.TRIANGULAR:
                mode = (self.mode - self.low) / width
                return np.asarray(stats.triang.ppf(u, mode, self.low, width))
            case Distribution.LOG_UNIFORM:
                return np.exp(math.log(self.low) + u * math.log(self.high / self.low))
            case Distribution.WHOLE:
                return np.minimum(self.low + np.floor(u * (width + 1.0)), self.high)
            case Distribution.SHARE:
                return np.asarray(stats.beta.ppf(u, self.alpha, self.rest))
            case Distribution.OPTION:
                position = np.searchsorted(np.cumsum(self.weights), u, side="right")
                return np.minimum(position, len(self.options) - 1).astype(np.float64)
            case _:
                return self.low + u * width


def quantities(scenario: Scenario, posterior: Posterior = NONE) -> tuple[Quantity, ...]:
    """The uncertain quantities of a scenario: parameters in the order of the file, then variants.

    What has been set from outside is known, and so is an option that has been chosen, and what has
    no range or one of no width. What no formula reads (as the number of periods where another has
    been asked for) is not drawn. Where one of an actor's priors is set from outside, the others are
    not drawn either, as they have to add up. What a posterior has draws of is drawn from it.
    """
    given = {*scenario.overrides, *posterior}
    shares = {quantity.name: quantity for quantity in _shares(scenario, given)}
    tied = {name for actor in scenario.actors.values() for name in _drawn_shares(actor)}
    known = given | (tied - shares.keys())
    used = used_parameters(scenario)
    precisions = {actor.precision.text for actor in scenario.actors.values()}
    now = present_values(scenario)
    drawn: list[Quantity | None] = [
        Quantity(name, Distribution.POSTERIOR, min(values), max(values), now[name])
        for name, values in posterior.items()
    ]
    drawn += [
        shares.get(name) or _ranged(parameter, k, name, parameter.key in precisions)
        for parameter in scenario.parameters.values()
        for k, name in enumerate(parameter.names())
        if parameter.key in used and name not in known
    ]
    if unranged(scenario):
        drawn.append(Quantity(PRECISION_FACTOR, Distribution.LOG_UNIFORM, *FACTORS, 1.0))
    for key, variant in scenario.variants.items():
        if key not in scenario.options:
            options = variant.options
            total = sum(option.weight for option in options.values())
            weights = tuple(option.weight / total for option in options.values())
            last = float(len(options) - 1)
            drawn.append(
                Quantity(key, Distribution.OPTION, 0.0, last, 0.0, tuple(options), weights)
            )
    return tuple(quantity for quantity in drawn if quantity is not None)


def _drawn_shares(actor: Actor) -> list[str]:
    """The parameters that are an actor's priors, where these are drawn together."""
    if actor.concentration is None:
        return []
    return [name for name in actor.shares() if name is not None]


def unranged(scenario: Scenario) -> list[str]:
    """The actors whose precision is neither drawn from a range nor set from outside."""
    given = [
        parameter.key
        for parameter in scenario.parameters.values()
        if any(limits is not None and limits[0] < limits[1] for limits in parameter.ranges)
    ]
    known = {*given, *scenario.overrides}
    return [
        key
        for key, actor in scenario.actors.items()
        if not known & actor.precision.parameters
        and 0.0 < scenario.constant(actor.precision) < math.inf
    ]


def _ranged(parameter: Parameter, k: int, name: str, precision: bool) -> Quantity | None:
    """The value k of a parameter, if its range has a width."""
    limits = parameter.ranges[k]
    if limits is None or limits[0] == limits[1]:
        return None
    if precision:
        ends = [factor * parameter.values[k] for factor in FACTORS]
        limits = min(limits[0], *ends), max(limits[1], *ends)
    # A mode outside the range, of a value that has been set, is as near to it as can be.
    mode = min(max(parameter.values[k], limits[0]), limits[1])
    return Quantity(name, Distribution(parameter.draws[k]), *limits, mode)


def _shares(scenario: Scenario, given: Collection[str]) -> Iterator[Quantity]:
    """Priors drawn from a Dirichlet distribution, the pieces of each stick in order."""
    for key, actor in scenario.actors.items():
        named = _drawn_shares(actor)
        if actor.concentration is None or set(named) & set(given):
            continue
        mean = {
            name: scenario.constant(prior)
            for name, prior in zip(actor.shares(), actor.priors.values(), strict=True)
            if name is not None
        }
        rest = 1.0 if None in actor.shares() else math.fsum(mean.values())
        for name in named:
            if mean[name] <= 0.0:  # a type that is sure not to be there: its share stays at 0
                continue
            rest -= mean[name]
            yield Quantity(
                name,
                Distribution.SHARE,
                0.0,
                1.0,
                mean[name],
                actor=key,
                alpha=actor.concentration * mean[name],
                rest=actor.concentration * rest if rest > TOLERANCE else 0.0,
            )


@dataclass(frozen=True, slots=True)
class Draw:
    """Values of parameters by full name, and options of variants."""

    number: int
    values: dict[str, float]
    options: dict[str, str]


@dataclass(frozen=True, eq=False)
class Design:
    """All draws of a run; see `design`.

    present
        Draw 0.
    posterior
        Draws by name of a parameter, as many of each.
    mixing
        float64 [d, d]: what makes independent normal numbers correlated, lower triangular; None
        where nothing is correlated. d counts the quantities that take a number of their own.
    """

    present: Draw
    quantities: tuple[Quantity, ...]
    sampling: str
    seed: int
    draws: int
    posterior: Posterior
    mixing: Floats | None

    def draw(self, number: int) -> Draw:
        """The draw of that number, from 0 to `draws`."""
        return next(self.between(number, number + 1))

    def between(self, first: int, last: int) -> Iterator[Draw]:
        """Draws first … last - 1, of which a block is held at a time."""
        if first == 0 < last:
            yield self.present
        table, block = np.empty((0, 0)), -1
        for number in range(max(first, 1), last):
            if (number - 1) // BLOCK != block:
                block = (number - 1) // BLOCK
                table = self.table(block)
            yield self._named(number, table[(number - 1) % BLOCK])

    def table(self, block: int) -> Floats:
        """The values of a block of draws, float64 [draw, quantity]; options as positions."""
        own = sum(quantity.drawn for quantity in self.quantities)
        rows = len(next(iter(self.posterior.values()), ()))
        points = _points(self.sampling, self.seed, self.draws, own + bool(rows), block)
        row = (points[:, own] * rows).astype(int) if rows else None
        points = points[:, :own]
        if self.mixing is not None:
            points = ndtr(ndtri(np.clip(points, EDGE, 1.0 - EDGE)) @ self.mixing.T)
        numbers = iter(points.T)
        left: dict[str, Floats] = {}
        table = np.empty((len(points), len(self.quantities)))
        for k, quantity in enumerate(self.quantities):
            if quantity.distribution is Distribution.POSTERIOR:
                table[:, k] = np.array(self.posterior[quantity.name])[row]
                continue
            value = quantity.at(next(numbers)) if quantity.drawn else np.ones(len(points))
            if quantity.distribution is Distribution.SHARE:
                before = left.get(quantity.actor, np.ones(len(points)))
                value = value * before
                left[quantity.actor] = np.maximum(before - value, 0.0)
            table[:, k] = value
        return table

    def _named(self, number: int, row: Floats) -> Draw:
        values, options = {}, {}
        for quantity, value in zip(self.quantities, row, strict=True):
            if quantity.distribution is Distribution.OPTION:
                options[quantity.name] = quantity.options[int(value)]
            else:
                values[quantity.name] = float(value)
        return Draw(number, values, options)


def design(
    scenario: Scenario,
    *,
    draws: int,
    sampling: str = "sobol",
    seed: int = 0,
    posterior: Posterior = NONE,
) -> Design:
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
    posterior
        By name of a parameter draws from a posterior, which take the place of its range.

    Raises
    ------
    ValueError
        For a sampling that there is not, or a number of draws that it does not have.
    """
    if sampling not in SAMPLINGS:
        raise ValueError(f"the sampling is one of {', '.join(SAMPLINGS)}, not {sampling!r}")
    if not 1 <= draws <= MOST_DRAWS:
        raise ValueError(f"draws are from 1 to {MOST_DRAWS:,}, not {draws:,}")
    drawn = quantities(scenario, posterior)
    options = {q.name: q.options[0] for q in drawn if q.options}
    now = present_values(scenario)
    present = Draw(0, {q.name: now[q.name] for q in drawn if not q.options}, options)
    mixing = _mixing(scenario, drawn)
    return Design(present, drawn, sampling, seed, draws, posterior, mixing)


def present_values(scenario: Scenario) -> dict[str, float]:
    """What all parameters are now, by full name, and the factor of precisions."""
    return {PRECISION_FACTOR: 1.0} | {
        name: value
        for parameter in scenario.parameters.values()
        for name, value in zip(parameter.names(), parameter.values, strict=True)
    }


def _mixing(scenario: Scenario, drawn: tuple[Quantity, ...]) -> Floats | None:
    """The Cholesky factor of the normal numbers' correlations, without those of known ones."""
    place = {name: k for k, name in enumerate(q.name for q in drawn if q.drawn)}
    matrix = np.eye(len(place))
    for correlation in scenario.correlations:
        uncertain = [place[name] for name in correlation.between if name in place]
        for a in uncertain:
            for b in uncertain:
                if a != b:
                    matrix[a, b] = 2.0 * np.sin(np.pi * correlation.rank / 6.0)
    if np.array_equal(matrix, np.eye(len(place))):
        return None
    # The scenario's check has made sure that this can be done.
    return np.asarray(np.linalg.cholesky(matrix))


@lru_cache(maxsize=2)
def _points(sampling: str, seed: int, draws: int, own: int, block: int) -> Floats:
    """A block of points of the unit cube, float64 [draw, d]."""
    if own == 0:
        return np.empty((BLOCK, 0))
    if sampling == "latin":
        return _hypercube(seed, draws, own)[block * BLOCK : (block + 1) * BLOCK]
    sequence = qmc.Sobol(own, scramble=True, rng=np.random.default_rng(seed))
    if block:  # SciPy cannot go forward by nothing
        sequence.fast_forward(block * BLOCK)
    with warnings.catch_warnings():  # of being used from somewhere in the middle
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(sequence.random(BLOCK))


@lru_cache(maxsize=1)
def _hypercube(seed: int, draws: int, own: int) -> Floats:
    """A whole Latin hypercube: it cannot be made in parts."""
    return np.asarray(qmc.LatinHypercube(own, rng=np.random.default_rng(seed)).random(draws))
