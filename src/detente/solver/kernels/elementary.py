"""exp and log as straight arithmetic, and linear systems.

Loops over a line of nodes become vector code: the library's functions are called once for each
number; these are inlined. exp and log are good to
about 2e-16 (relative for exp, absolute near 1 for log): argument reduction by powers of two, then
a polynomial (exp: 1 + r + r² q(r), q through (exp(r) - 1 - r) / r² at Chebyshev's nodes, 2e-17 off;
log: the series of 2 artanh), see Muller, Elementary Functions, 2016, chapters 3, 4 and 11.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.jit import device

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.693147180369123816490
LN2_LOW = 1.90821492927058770002e-10
ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it leaves a rounded whole number in the low bits
MANTISSA = (1 << 52) - 1
HALF = 0x3FE << 52
SQRT_HALF = 0.7071067811865476


@device
def exp(x):
    """e to the x; below -708 as at -708, about 3e-308."""
    x = min(max(x, -708.0), 709.0)
    shifted = x * LOG2_E + ROUND
    k = shifted - ROUND
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = 2.5100375832561234e-08
    p = p * r + 2.7620075879983367e-07
    p = p * r + 2.7557268480310024e-06
    p = p * r + 2.4801521322368692e-05
    p = p * r + 1.9841269863040545e-04
    p = p * r + 1.3888888917196719e-03
    p = p * r + 8.333333333330065e-03
    p = p * r + 4.1666666666624164e-02
    p = p * r + 1.6666666666666669e-01
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power = (np.float64(shifted).view(np.int64) + 1023) << 52
    return p * np.int64(power).view(np.float64)


@device
def log(x):
    """The natural logarithm of a positive, normal number."""
    bits = np.float64(x).view(np.int64)
    k = np.float64((bits >> 52) - 1022)
    m = np.int64((bits & MANTISSA) | HALF).view(np.float64)
    if m < SQRT_HALF:
        m = m + m
        k = k - 1.0
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 21.0
    p = p * z + 1.0 / 19.0
    p = p * z + 1.0 / 17.0
    p = p * z + 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z + 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z + 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z + 1.0 / 3.0
    return k * LN2_HIGH + (2.0 * s + (2.0 * s * z * p + k * LN2_LOW))


@device
def eliminate(matrix, size, end):
    """Solve matrix[:size, :size] in place for the right-hand sides in the columns from size to
    end - 1, by Gaussian elimination with row exchanges; solutions are left in these columns. Gives
    the sign of the determinant."""
    sign = 1.0
    for c in range(size):
        best = c
        for r in range(c + 1, size):
            if abs(matrix[r, c]) > abs(matrix[best, c]):
                best = r
        if not abs(matrix[best, c]) > 1e-300:
            return 0.0
        if best != c:
            sign = -sign
            for k in range(end):
                matrix[c, k], matrix[best, k] = matrix[best, k], matrix[c, k]
        if matrix[c, c] < 0.0:
            sign = -sign
        for r in range(c + 1, size):
            factor = matrix[r, c] / matrix[c, c]
            if factor != 0.0:
                for k in range(c, end):
                    matrix[r, k] -= factor * matrix[c, k]
    for c in range(size - 1, -1, -1):
        for right in range(size, end):
            total = matrix[c, right]
            for k in range(c + 1, size):
                total -= matrix[c, k] * matrix[k, right]
            matrix[c, right] = total / matrix[c, c]
    return sign
