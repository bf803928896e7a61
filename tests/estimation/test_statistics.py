"""Tests against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detente.estimation.statistics import chi_squared_tail, two_sided, uniformity


@pytest.mark.parametrize("n", [10, 50, 400])
def test_uniformity_is_kolmogorovs(n: int) -> None:
    """Stephens's correction is for the tail: samples are uneven enough to lie in it."""
    shares = np.random.default_rng(n).random(n) ** (1 + 8 / np.sqrt(n))
    exact = stats.kstest(shares, "uniform").pvalue
    assert exact < 0.2
    assert uniformity(shares) == pytest.approx(exact, abs=0.004)
    assert np.isnan(uniformity(shares[:4]))
    assert uniformity((np.arange(n) + 0.5) / n) == 1.0


@pytest.mark.parametrize("degrees", [1, 2, 3, 8, 15])
def test_tails(degrees: int) -> None:
    for value in (0.0, 0.3, 4.0, 30.0):
        tail = chi_squared_tail(value, degrees)
        assert tail == pytest.approx(stats.chi2.sf(value, degrees), rel=1e-10)
    assert two_sided(-1.5) == pytest.approx(2 * stats.norm.sf(1.5), rel=1e-12)
