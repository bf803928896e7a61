"""Public beliefs on a grid.

A belief about an actor with two types is the probability of the second one. Its nodes are
uniform on either side of the prior, which is a node itself: the first moves, which are what a
forecast is read for, are then solved at the very belief at which they are made. The nodes are an
even number of steps on both sides, so that every second node is a grid of the same kind: the
coarser grid from which the discretisation error is judged. Beliefs about several actors live on
the product of their grids; b numbers its nodes, the last actor's varying fastest.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BeliefGrid:
    """Nodes of the belief about each actor: float64 [g], `[1.0]` where nothing is private.

    `split[i]` is the node of actor i's prior; `profiles` is int64 [p, i].
    """

    nodes: tuple[Floats, ...]
    split: tuple[int, ...]
    profiles: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of nodes of each actor's belief."""
        return tuple(nodes.size for nodes in self.nodes)

    @property
    def size(self) -> int:
        """B, the number of nodes of the product grid."""
        return prod(self.shape)

    @property
    def start(self) -> int:
        """The node b of the priors."""
        return int(np.ravel_multi_index(self.split, self.shape))

    def stride(self, i: int) -> int:
        """Steps in b from one node of actor i's belief to the next."""
        return prod(self.shape[i + 1 :])

    def type_probability(self, i: int) -> Floats:
        """Probability of each of actor i's types at each node, float64 [b, K]."""
        about = self.nodes[i][np.unravel_index(np.arange(self.size), self.shape)[i]]
        if self.nodes[i].size == 1:
            return np.ones((self.size, 1))
        return np.stack([1 - about, about], axis=1)

    def others(self, i: int) -> Floats:
        """Probability of the other actors' types in each profile, float64 [o, p].

        o runs over the nodes b at which actor i's own belief is at its first node, in order.
        """
        weights = np.ones((self.size, len(self.profiles)))
        for j in range(len(self.nodes)):
            if j != i:
                weights *= self.type_probability(j)[:, self.profiles[:, j]]
        own = np.unravel_index(np.arange(self.size), self.shape)[i]
        return np.ascontiguousarray(weights[own == 0])


def belief_grid(game: CompiledGame, points: int) -> BeliefGrid:
    """The grid with `points` nodes (odd, at least 3) for each informed actor of a game."""
    nodes, split = [], []
    for prior in game.priors:
        if prior.size == 1:
            nodes.append(np.ones(1))
            split.append(0)
            continue
        # A prior of 0 or 1 is an end of a uniform grid.
        p = float(prior[1])
        half = (points - 1) // 2
        below = 2 * min(max(round(p * half), 1), half - 1) if half > 1 else 1
        if p <= 0 or p >= 1:
            below = 0 if p <= 0 else points - 1
        left = np.linspace(0, p, below + 1)
        right = np.linspace(p, 1, points - below)
        nodes.append(np.concatenate([left, right[1:]]))
        split.append(below)
    return BeliefGrid(tuple(nodes), tuple(split), game.profiles)
