"""What is not known about a scenario: its uncertain quantities, each with a distribution.

A quantity turns a number u, uniform on [0, 1], into a value by its distribution function's
inverse, so that any design of points in the unit cube serves. Priors with a `concentration` are
drawn from a Dirichlet distribution by breaking a stick: the first type's share is Beta(a, rest)
distributed, the second's is such a share of what is left, and so on (Connor and Mosimann 1969),
with the Dirichlet's parameters a = concentration × present prior.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from detente.scenario.constants import TOLERANCE
from detente.scenario.entities import Actor, Parameter
from detente.scenario.ledger import used_parameters
from detente.scenario.model import Scenario

Floats = NDArray[np.float64]


class Kind(StrEnum):
    """The distribution of a quantity."""

    UNIFORM = "uniform"
    TRIANGULAR = "triangular"
    LOG_UNIFORM = "log-uniform"
    WHOLE = "whole"
    SHARE = "share"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One thing that is not known.

    name
        A parameter by its full name (`step_cost.sincere`), or a variant.
    low, high, mode
        The range, and the present value; of an option positions in `options`.
    options, weights
        Of a variant: its options, and the probability of each.
    group, alpha, rest
        Of a share: the actor, and the parameters of its Beta distribution; `rest` is 0 where it
        takes what the others have left.
    """

    name: str
    kind: Kind
    low: float
    high: float
    mode: float
    options: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    group: str = ""
    alpha: float = 0.0
    rest: float = 0.0
    about: str = ""
    unit: str = ""

    @property
    def drawn(self) -> bool:
        """Whether it takes a number of its own."""
        return self.kind is not Kind.SHARE or self.rest > 0.0

    def at(self, u: Floats) -> Floats:
        """Values at the numbers u in [0, 1]: of a share, shares of what is left of the stick; of a
        variant, positions in `options`."""
        width = self.high - self.low
        if self.kind is Kind.TRIANGULAR:
            return np.asarray(stats.triang.ppf(u, (self.mode - self.low) / width, self.low, width))
        if self.kind is Kind.LOG_UNIFORM:
            return np.exp(math.log(self.low) + u * math.log(self.high / self.low))
        if self.kind is Kind.WHOLE:
            return np.minimum(self.low + np.floor(u * (width + 1.0)), self.high)
        if self.kind is Kind.SHARE:
            return np.asarray(stats.beta.ppf(u, self.alpha, self.rest))
        if self.kind is Kind.OPTION:
            at = np.searchsorted(np.cumsum(self.weights), u, side="right")
            return np.minimum(at, len(self.options) - 1).astype(np.float64)
        return self.low + u * width


def quantities(scenario: Scenario) -> tuple[Quantity, ...]:
    """The uncertain quantities of a scenario: parameters in the order of the file, then variants.

    What has been set from outside is known, and so is an option that has been chosen, and what has
    no range or one of no width. What no formula reads (as the number of periods where another has
    been asked for) is not drawn. Where one of an actor's priors is set from outside, the others are
    not drawn either, as they have to add up.
    """
    shares = {quantity.name: quantity for quantity in _shares(scenario)}
    tied = {name for actor in scenario.actors.values() for name in _drawn_shares(actor)}
    found: list[Quantity] = []
    used = used_parameters(scenario)
    for parameter in scenario.parameters.values():
        if parameter.key not in used:
            continue
        for at, name in enumerate(parameter.names()):
            if name in tied:
                found += [shares[name]] if name in shares else []
            elif name not in scenario.overrides:
                found += _ranged(parameter, at, name)
    for key, variant in scenario.variants.items():
        if key not in scenario.options:
            total = sum(option.weight for option in variant.options.values())
            weights = tuple(option.weight / total for option in variant.options.values())
            names = tuple(variant.options)
            last = float(len(names) - 1)
            found.append(
                Quantity(key, Kind.OPTION, 0.0, last, 0.0, names, weights, about=variant.about)
            )
    return tuple(found)


def _drawn_shares(actor: Actor) -> list[str]:
    """The parameters that are an actor's priors, where these are drawn together."""
    if actor.concentration is None:
        return []
    return [name for name in actor.shares() if name is not None]


def _ranged(parameter: Parameter, at: int, name: str) -> list[Quantity]:
    limits = parameter.ranges[at]
    if limits is None or limits[0] == limits[1]:
        return []
    kind = Kind(parameter.draws[at])
    # A mode outside the range, of a value that has been set, is as near to it as can be.
    mode = min(max(parameter.values[at], limits[0]), limits[1])
    about, unit = parameter.about, parameter.unit
    return [Quantity(name, kind, *limits, mode, about=about, unit=unit)]


def _shares(scenario: Scenario) -> Iterator[Quantity]:
    """Priors drawn from a Dirichlet distribution, the pieces of each stick in order."""
    for key, actor in scenario.actors.items():
        named = _drawn_shares(actor)
        if actor.concentration is None or set(named) & scenario.overrides.keys():
            continue
        mean = {
            name: scenario.constant(prior)
            for name, prior in zip(actor.shares(), actor.priors.values(), strict=True)
            if name is not None
        }
        # A type that is sure not to be there has no share to be drawn: it stays at 0.
        possible = [name for name in named if mean[name] > 0.0]
        rest = 1.0 if None in actor.shares() else math.fsum(mean.values())
        for name in possible:
            rest -= mean[name]
            parameter = scenario.parameters[name]
            yield Quantity(
                name,
                Kind.SHARE,
                0.0,
                1.0,
                mean[name],
                group=key,
                alpha=actor.concentration * mean[name],
                rest=actor.concentration * rest if rest > TOLERANCE else 0.0,
                about=parameter.about,
                unit=parameter.unit,
            )
