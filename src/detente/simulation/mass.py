"""Where the probability mass of a forward pass stands in memory, and what it comes to.

Mass is float64 [x, h, k, b, w]: profile p = k W + w is the w-th of W in a block k. Those of a block
stand side by side at each node, as they are moved together (`detente.solver.kernels.forward`), and
there is a block for each thread. What the last one has more than there are profiles is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detente.dtypes import Floats, Ints
from detente.solver.kernels.forward import AT_ONCE, reached
from detente.solver.room import in_blocks


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of type profiles: how many there are, and how many profiles each has."""

    profiles: int
    count: int
    each: int

    @classmethod
    def of(cls, profiles: int, threads: int) -> Blocks:
        """One for each of so many threads, or fewer."""
        return cls(profiles, *in_blocks(profiles, threads))

    def split(self, mass: Floats) -> Floats:
        """Mass by profiles, [..., p, b], in blocks: [..., k, b, w]."""
        *before, profiles, nodes = mass.shape
        whole = np.zeros((*before, self.count * self.each, nodes))
        whole[..., :profiles, :] = mass
        return whole.reshape(*before, self.count, self.each, nodes).swapaxes(-1, -2)

    def joined(self, mass: Floats) -> Floats:
        """The other way: a copy of mass [..., k, b, w] by profiles, [..., p, b]."""
        *before, _, nodes, _ = mass.shape
        whole = mass.swapaxes(-1, -2).reshape(*before, self.count * self.each, nodes)
        return np.array(whole[..., : self.profiles, :], order="C")

    def over_nodes(self, mass: Floats, home: Ints) -> Floats:
        """Mass [x, h, k, b, w] over all nodes, float64 [x, h, p], of the first channels that there
        is a `home` for (`Channels.homes`); 0 where this is another one."""
        total = np.zeros((*home.shape, self.count, self.each))
        rows = mass.reshape(*mass.shape[:3], -1)
        reached(home, rows, total, np.empty(AT_ONCE * self.each))
        return total.reshape(*home.shape, -1)[..., : self.profiles]
