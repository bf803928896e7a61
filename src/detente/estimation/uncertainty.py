"""How much the data say: information, what is not identified, and standard errors of four kinds.

At a maximum the observed information H, minus the second derivatives of the log-likelihood, comes
from central differences of its exact gradient. With S the scores of units, the outer product SᵀS
estimates the same where the model is right; H⁻¹ SᵀS H⁻¹ holds for units that are not as the model
has them (White 1982), and with scores added up within clusters for clusters that are not
independent within (times G / (G - 1) for G clusters).

A direction in which H, scaled to ones on its diagonal, has next to no eigenvalue is one of which
the data say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Bools, Floats

DIFFERENCES = (1e-4, 1e-2, 1e-1)
"""Steps of the central differences, in coordinates near 1 in size: the error of the first is about
1e-8. The others are for likelihoods with kinks, and as long as a standard error at most."""

SMALLEST = 1e-6
"""Eigenvalues of the scaled information below this are none: a hundred times that error."""

LOADING = 0.1
"""Part of a direction of length 1 from which on a parameter is named as one of it."""

Gradient = Callable[[Floats], "Floats | None"]
"""The gradient at a point; None at a wall."""


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """What is known of q parameters, in their coordinates.

    matrix
        float64 [q, q]: minus the second derivatives; nan where the parameter is at a bound.
    known
        bool [q]: neither at a bound nor in a direction of which the data say nothing.
    eigenvalues, directions
        float64 [j], [j, q]: of the scaled matrix, in ascending order.
    covariance
        float64 [q, q], nan where not known; so are those that follow.
    outer, sandwich, clustered
        The same by the outer product, robust, and clustered; None where there are too few units.
    """

    matrix: Floats
    known: Bools
    eigenvalues: Floats
    directions: Floats
    covariance: Floats
    outer: Floats | None = None
    sandwich: Floats | None = None
    clustered: Floats | None = None

    def unknown(self) -> list[Floats]:
        """The directions of which the data say nothing."""
        return [d for e, d in zip(self.eigenvalues, self.directions, strict=True) if e < SMALLEST]


def curvature(gradient: Gradient, x: Floats, inner: Bools, difference: float) -> Floats:
    """Minus the second derivatives at x, float64 [q, q]: nan where a parameter is not `inner`."""
    matrix = np.full((x.size, x.size), np.nan)
    rows = np.flatnonzero(inner)
    for j in rows:
        step = np.zeros(x.size)
        step[j] = difference
        above, below = gradient(x + step), gradient(x - step)
        if above is not None and below is not None:
            matrix[rows, j] = -(above - below)[rows] / (2 * difference)
    return np.asarray((matrix + matrix.T) / 2)


def positive(matrix: Floats) -> Floats:
    """The matrix with the sizes of its eigenvalues in their place; unknown entries are 0."""
    eigenvalues, vectors = np.linalg.eigh(np.nan_to_num(matrix))
    return np.asarray((vectors * np.abs(eigenvalues)) @ vectors.T)


def information(
    matrix: Floats, scores: Floats, clusters: Sequence[str] | None = None
) -> Information:
    """All that is said of the parameters; `scores` is float64 [unit, q]."""
    size = len(matrix)
    inner = np.flatnonzero(np.isfinite(np.diag(matrix)))
    block = matrix[np.ix_(inner, inner)]
    scale = np.sqrt(np.maximum(np.diag(block), 0.0))
    moves = scale > 1e-7 * max(scale.max(initial=0.0), 1e-3)
    safe = np.where(moves, scale, 1.0)
    scaled = block / np.outer(safe, safe)
    scaled[~moves, :] = scaled[:, ~moves] = 0.0
    eigenvalues, vectors = np.linalg.eigh(np.nan_to_num(scaled))
    directions = np.zeros((len(inner), size))
    directions[:, inner] = vectors.T
    lost = directions[eigenvalues < SMALLEST]
    known = np.zeros(size, dtype=bool)
    known[inner] = True
    known &= ~np.any(np.abs(lost) > LOADING, axis=0)
    rows = np.flatnonzero(known)
    square = np.ix_(rows, rows)

    def embedded(part: NDArray[np.floating[Any]]) -> Floats:
        whole = np.full((size, size), np.nan)
        whole[square] = part
        return whole

    covariance = np.linalg.inv(matrix[square])
    result = Information(matrix, known, eigenvalues, directions, embedded(covariance))
    used = scores[np.any(scores != 0, axis=1)] if clusters is None else scores
    own = used[:, rows]
    if len(own) <= rows.size or not rows.size:
        return result
    outer = own.T @ own
    several = None
    if clusters is not None:
        names, which = np.unique(np.array(clusters), return_inverse=True)
        if len(names) > rows.size:
            added = np.zeros((len(names), rows.size))
            np.add.at(added, which.reshape(-1), own)
            factor = len(names) / (len(names) - 1)
            several = embedded(factor * covariance @ (added.T @ added) @ covariance)
    regular = np.linalg.cond(outer) < 1 / SMALLEST**2
    return Information(
        matrix,
        known,
        eigenvalues,
        directions,
        result.covariance,
        outer=embedded(np.linalg.inv(outer)) if regular else None,
        sandwich=embedded(covariance @ outer @ covariance),
        clustered=several,
    )
