"""Strategies that are not all in memory: they are read from a file, or solved anew.

A solve of N layers that stores values at about √N of them needs one more solve to go through all
strategies in order (checkpointing: Griewank 1992, Optimization Methods and Software 1). They are
the same to the last bit, as every layer is solved from the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import RLock
from typing import Any, overload

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.solver.backward import Backward
from detente.solver.beliefs import BeliefGrid
from detente.solver.keep import Keep
from detente.solver.shelf import FileShelf, Shelf
from detente.solver.workers import open_workers


class Replayed(Sequence[Floats]):
    """The strategies of all layers, of which those of one stretch are there at a time.

    To go through them in the order of play, or against it, solves each stretch once; to jump
    between stretches solves one at every jump. Where there is one stretch, it is stored whole.
    """

    def __init__(self, game: CompiledGame, grid: BeliefGrid, threads: int, keep: Keep) -> None:
        self.game, self.grid, self.threads, self.keep = game, grid, threads, keep
        self.ends = keep.stretch_ends(len(game.layers))
        self.shelf: Callable[[], Shelf] = FileShelf if keep.in_file else dict
        """Makes what is as large as what is put aside here."""
        self._values: Shelf = self.shelf()
        self._stretch: Shelf = self.shelf()
        self._last: tuple[int, Floats] | None = None
        self._lock = RLock()

    def store(self, n: int, following: Floats, sigma: Floats) -> None:
        """Keep what will be needed of layer n: its strategies, or the values that follow it,
        float64 [x, c, b], if a stretch ends with it."""
        if len(self.ends) == 2:
            self._stretch[n] = sigma
        elif n + 1 in self.ends:
            values = following[:, : self.game.profiles.size]
            self._values[n + 1] = values.copy() if self.shelf is dict else values

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy has them all in memory."""
        return tuple, (tuple(self),)

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
        with self._lock:  # threads that want the same wait for one of them
            if self._last is None or self._last[0] != number:
                self._last = None  # its room is needed for the next one
                if number not in self._stretch:
                    self._solve_stretch(number)
                self._last = number, self._stretch[number]
            return self._last[1]

    def _solve_stretch(self, n: int) -> None:
        """The strategies of the stretch that layer n belongs to, in place of those of another."""
        self._stretch.clear()
        first, end = next((a, b) for a, b in pairwise(self.ends) if a <= n < b)
        with open_workers(self.threads) as workers:
            lends = self.shelf is FileShelf
            engine = Backward(self.game, self.grid, workers, regret=False, lends=lends)
            values = engine.begin_from(self._values[end])
            for k in reversed(range(first, end)):
                if k + 1 < end and self.game.ends_period[k]:
                    engine.close_period(values, self.game.layers[k].period)
                values, self._stretch[k] = engine.layer(k, values)


def way_kept(strategies: Sequence[Floats]) -> Keep:
    """How the strategies of a solution are kept."""
    return strategies.keep if isinstance(strategies, Replayed) else Keep.MEMORY


def shelf_like(strategies: Sequence[Floats]) -> Callable[[], Shelf]:
    """What to put values aside in that are about as large as these strategies."""
    return strategies.shelf if isinstance(strategies, Replayed) else dict
