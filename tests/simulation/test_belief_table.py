"""Quantiles of drawn beliefs: which history lies at each."""

from __future__ import annotations

import numpy as np
import pytest

from detente.simulation.belief_table import _below


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize("kind", ["drawn", "alike", "mostly zero"])
def test_bisection_counts_what_lies_below(size: int, kind: str) -> None:
    """The same as all comparisons: also at ties, which weights that are alike always have."""
    rng = np.random.default_rng(size)
    weights = rng.random((2, 3, 4, size))
    if kind != "drawn":
        weights = np.where(weights < (1.0 if kind == "alike" else 0.2), 1.0, 0.0)
    total = weights.cumsum(axis=-1)
    limit = np.array([0.1, 0.5, 0.9]) * total[..., -1:]
    every = (total[..., None, :] < limit[..., None]).sum(axis=-1)
    assert (_below(total, limit) == every).all()
