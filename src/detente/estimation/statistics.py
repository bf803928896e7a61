"""Shares and tests, with their sources; no more than NumPy is needed for them."""

from __future__ import annotations

import math

import numpy as np

from detente.dtypes import Floats

CENTRAL = 1.959963984540054
"""Standard deviations within which 95 % of a normal distribution lie."""


def wilson(count: int, total: int) -> tuple[float, float]:
    """Where a share lies with a confidence of 95 %, by Wilson's score interval.

    It holds for few draws and for shares near 0 and 1, where the usual one is too narrow
    (Brown, Cai and DasGupta 2001, Statistical Science 16(2), 101-133).
    """
    if total == 0:
        return math.nan, math.nan
    z = CENTRAL
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    # The ends are exact where all or none do; rounding must not leave them.
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == total else min(1.0, middle + half)
    return low, high


def uniformity(shares: Floats) -> float:
    """How likely uniform numbers on [0, 1] are to be as uneven as these, by Kolmogorov's test.

    With the correction for small samples of Stephens (1970, JRSS B 32(1), 115-122), which is right
    With the correction for small samples of Stephens (1970, JRSS B 32(1), 115-122): from five
    numbers on it is right to 0.004 where the probability is below 0.2. nan for fewer.
    """
    n = len(shares)
    if n < 5:
        return math.nan
    place, steps = np.sort(shares), np.arange(n + 1) / n
    distance = max(float((steps[1:] - place).max()), float((place - steps[:-1]).max()))
    scaled = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * distance
    if scaled < 0.3:  # the series below converges slowly, and the chance is above 0.99999
        return 1.0
    k = np.arange(1, 101)
    return float(2 * (-((-1.0) ** k) * np.exp(-2 * (k * scaled) ** 2)).sum())


def two_sided(z: float) -> float:
    """The probability that a standard normal number is as far from 0."""
    return math.erfc(abs(z) / math.sqrt(2))


def chi_squared_tail(value: float, degrees: int) -> float:
    """The probability that a χ² number with so many degrees of freedom is at least `value`.

    By the recurrence from one degree, or from two, in steps of two (Abramowitz and Stegun 26.4.8).
    """
    half = max(value, 0.0) / 2
    tail = math.erfc(math.sqrt(half)) if degrees % 2 else math.exp(-half)
    for k in range(2 - degrees % 2, degrees, 2):
        if half:
            tail += math.exp(k / 2 * math.log(half) - half - math.lgamma(k / 2 + 1))
    return tail
