"""Strategies that are not all kept: stretches of layers are solved anew from stored values.

A solve of N layers that stores values at about √N of them needs one more solve to go through all
strategies in order (checkpointing: Griewank 1992, Optimization Methods and Software 1). They are
the same to the last bit, as every layer is solved from the same values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import overload

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.solver.backward import Backward
from detente.solver.beliefs import BeliefGrid
from detente.solver.workers import open_workers


def stretch_ends(layers: int) -> tuple[int, ...]:
    """Where stretches of about √N layers begin, and the end of the last."""
    each = max(1, math.isqrt(layers))
    return (*range(0, layers, each), layers)


class Replayed(Sequence[Floats]):
    """The strategies of all layers, of which those of one stretch are there at a time.

    To go through them in the order of play, or against it, solves each stretch once; to jump
    between stretches solves one at every jump.
    """

    def __init__(self, game: CompiledGame, grid: BeliefGrid, threads: int) -> None:
        self.game, self.grid, self.threads = game, grid, threads
        self.ends = stretch_ends(len(game.layers))
        self._values: dict[int, Floats] = {}
        self._stretch: dict[int, Floats] = {}

    def store(self, n: int, following: Floats) -> None:
        """Keep the values that follow layer n, float64 [x, c, b], if a stretch ends with it."""
        if n + 1 in self.ends:
            self._values[n + 1] = following[:, : self.game.profiles.size].copy()

    def __len__(self) -> int:
        return len(self.game.layers)

    @overload
    def __getitem__(self, n: int) -> Floats: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[Floats]: ...
    def __getitem__(self, n: int | slice) -> Floats | Sequence[Floats]:
        """The flat strategies of layer n, as in `Solution.strategies`."""
        if isinstance(n, slice):
            return [self[k] for k in range(*n.indices(len(self)))]
        number = range(len(self))[n]
        if number not in self._stretch:
            self._stretch = {}  # its room is needed for the next one
            self._stretch = self._solved(number)
        return self._stretch[number]

    def _solved(self, n: int) -> dict[int, Floats]:
        """The strategies of the stretch that layer n belongs to."""
        first, end = next((a, b) for a, b in pairwise(self.ends) if a <= n < b)
        strategies = {}
        with open_workers(self.threads) as workers:
            engine = Backward(self.game, self.grid, workers, regret=False)
            values = engine.begin_from(self._values[end])
            for k in reversed(range(first, end)):
                if k + 1 < end and self.game.ends_period[k]:
                    engine.close_period(values, self.game.layers[k].period)
                values, strategies[k] = engine.layer(k, values)
        return strategies
