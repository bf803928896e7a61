"""Quantiles of drawn beliefs: which history lies at each."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from detente.simulation.belief_table import _quantiles, _sorted
from detente.simulation.node_beliefs import QUANTILES


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize("weights", [[1.0], [0.25, 0.25, 0.5], [0.3, 0.0, 0.7], [0.1, 0.2, 0.7]])
@pytest.mark.parametrize("share", [0.2, 1.0])
def test_quantiles_are_those_of_exact_sums(size: int, weights: list[float], share: float) -> None:
    """The first of the histories up to which so much weight is among them; some do not count."""
    rng = np.random.default_rng(size)
    profile = rng.integers(len(weights), size=(2, 3, size))
    profile[rng.random(profile.shape) > share] = -1
    number = np.stack([(profile == p).cumsum(axis=-1) for p in range(len(weights))])
    found = _quantiles(np.array(weights), number.astype(np.int32))
    exact = [Fraction(str(weight)) for weight in weights]
    for at in np.ndindex(2, 3):
        sums, total = [], Fraction(0)
        for p in profile[at]:
            total += exact[p] if p >= 0 else Fraction(0)
            sums.append(total)
        for q, place in zip(QUANTILES, found[at], strict=True):
            limit = Fraction(str(q)) * total
            assert place == next(k for k, reached in enumerate(sums) if reached >= limit)


@pytest.mark.parametrize("types", [2, 3])
def test_histories_are_in_the_order_of_each_type(types: int) -> None:
    belief = np.random.default_rng(types).dirichlet(np.ones(types), size=(4, 50)).T
    for each, order in zip(belief, _sorted(belief), strict=True):
        assert (np.diff(np.take_along_axis(each, order, axis=-1)) > -1e-15).all()
