"""The nodes around a belief, found apart from the solver's kernels: for the certificate.

Interpolation on Kuhn's triangulation is written as a mean over roundings: with cumulative
coordinates c, f(c) = ∫ f(floor(c + t)) dt over 0 ≤ t ≤ 1 (the Lovász extension on each cube). The
integrand changes only where t passes 1 - (c - floor(c)) of a coordinate, so that the vertices are
the roundings at these thresholds, and their weights the distances between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Floats, Ints
from detente.solver.beliefs import Simplex


@dataclass(frozen=True, slots=True)
class CellCorners:
    """Finds the nodes of a simplex around a point.

    radix
        int64 [j]: a node's key is Σ_j radix[j] c(j + 1), with c its cumulative coordinates.
    position
        int64 [key]: the node with each key; 0 where there is none.
    """

    steps: int
    radix: Ints
    position: Ints

    @classmethod
    def of(cls, simplex: Simplex) -> CellCorners:
        """That of a grid."""
        # A corner may have n + 1 as a coordinate, where its weight is 0.
        kinds = simplex.node.shape[1]
        radix = (simplex.steps + 2) ** np.arange(kinds - 1)
        position = np.zeros((simplex.steps + 2) ** (kinds - 1), dtype=np.int64)
        position[radix @ _tails(simplex.node.T)] = np.arange(simplex.size)
        return cls(simplex.steps, radix, position)

    def around(self, u: Floats) -> Iterator[tuple[Ints, Floats]]:
        """K nodes and their weights, each of shape [...], for u of shape [θ, ...]."""
        c = np.clip(self.steps * _tails(u), 0, self.steps)
        whole = np.floor(c)
        part = c - whole
        marks = part if len(part) == 1 else np.sort(part, axis=0)[::-1]
        for j in range(self.radix.size + 1):
            corner = whole if j == 0 else whole + (part >= marks[j - 1])
            key = np.tensordot(self.radix, corner.astype(np.int64), axes=1)
            low = marks[j] if j < self.radix.size else 0.0
            yield self.position[key], np.asarray((marks[j - 1] if j else 1.0) - low)


def _tails(u: NDArray[Any]) -> NDArray[Any]:
    """Σ_{θ > j} u(θ) for j = 0 … K - 2, of shape [j, ...] for u of shape [θ, ...]."""
    return np.asarray(np.cumsum(u[:0:-1], axis=0)[::-1])
