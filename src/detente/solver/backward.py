"""Backward induction, layer by layer: the arrays that a solve works in, and the work shared out.

Every state is computed by itself, so results do not depend on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame, Layer
from detente.solver.beliefs import BeliefGrid
from detente.solver.kernels.homotopy import HOW
from detente.solver.kernels.turn import BeliefLayout, WarmStart
from detente.solver.layout import kinds, part, turn
from detente.solver.sweep import sweep
from detente.solver.workers import Workers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = WarmStart(np.zeros(0), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
"""No guess, and nowhere to keep one."""


@dataclass(slots=True)
class _Kept:
    """What Newton's method found at a turn, for the same turn of the period before."""

    states: Ints
    actions: Ints
    place: Ints
    found: Floats
    spare: Floats


class Backward:
    """Solves the layers of a game one after the other, from the last one.

    Values are float64 [x, b, c], conditional on the type profile; with `regret` those of best
    responses follow. Two arrays are used in turn and made once: fresh memory for every layer would
    cost more than the work. `counts` is int64 [HOW], see `kernels.homotopy`.

    While `quick` is set, turns of a game without end begin with what was found there when they were
    solved last, also where that need not lead along the principal branch.
    """

    def __init__(
        self, game: CompiledGame, grid: BeliefGrid, workers: Workers, *, regret: bool
    ) -> None:
        self.game, self.grid, self.workers = game, grid, workers
        self.copies = 2 if regret else 1
        self.width = game.profiles.size
        self.counts = np.zeros(HOW, dtype=np.int64)
        most = max(codes.size for codes in game.structure.sets)
        shape = (most, grid.size, self.width * self.copies)
        self._store = (np.empty(shape), np.empty(shape))
        self._next = 0
        self._turns: dict[tuple[int, ...], BeliefLayout] = {}
        self._kept: dict[int, _Kept] = {}
        self._odds: dict[int, Floats] = {}
        self.quick = False

    def begin(self, terminal: Floats) -> Floats:
        """Values at the end: terminal payoffs, float64 [x, c], whatever is believed."""
        values = self._values(len(terminal))
        values[:] = np.tile(terminal, self.copies)[:, None, :]
        return values

    def begin_from(self, given: Floats) -> Floats:
        """The same with values [x, b, c] that depend on beliefs."""
        values = self._values(len(given))
        values[:] = given
        return values

    def at(self, game: CompiledGame) -> None:
        """Go on with the same game at other precisions."""
        if not np.array_equal(game.precision, self.game.precision):
            self.game = game
            self._turns.clear()

    def close_period(self, values: Floats, t: int) -> None:
        """Discount the values with which period t closes, and add its flow, in place."""
        discount = np.repeat(self.game.discount, len(self.game.profiles))
        discount = np.tile(discount, self.copies)
        flow = np.tile(self.game.flow[t - 1], self.copies)[:, None, :]

        def task(first: int, last: int) -> None:
            values[first:last] *= discount
            values[first:last] += flow[first:last]

        self.workers.run(task, len(values), values.shape[0] * values.shape[1])

    def layer(
        self, n: int, following: Floats, starts: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Values and flat strategies of layer n, given next values; `starts` as in `sweep`."""
        game, grid = self.game, self.grid
        layer = game.layers[n]
        seen = self.turn(layer.movers)
        arrays = part(game, layer)
        guess = self._guess(layer)
        values = self._values(layer.states.size)
        sigma = np.empty(grid.size * int(arrays.play_ptr[-1]))
        begin = np.zeros((layer.states.size, 0)) if starts is None else starts
        parts: list[Ints] = []

        def task(first: int, last: int) -> None:
            found = np.zeros(HOW, dtype=np.int64)
            sweep(first, last, arrays, following, seen, guess, begin, values, sigma, found)
            parts.append(found)

        self.workers.run(task, layer.states.size, layer.states.size * grid.size)
        self.counts += np.sum(parts, axis=0)
        return values, sigma

    def turn(self, movers: tuple[int, ...]) -> BeliefLayout:
        """The grid as it looks to some movers, made once."""
        if movers not in self._turns:
            best = self.width if self.copies == 2 else 0
            self._turns[movers] = turn(self.game, self.grid, movers, best)
        return self._turns[movers]

    def _values(self, states: int) -> Floats:
        """The array that the last values do not stand in."""
        self._next = 1 - self._next
        return self._store[self._next][:states]

    def _guess(self, layer: Layer) -> WarmStart:
        """Where Newton's method begins: with what it found at this turn a period later."""
        if len(layer.movers) != 1 or self.game.priors[layer.movers[0]].size != 2:
            return self._last_odds(layer) if self.game.loop is not None else NOTHING
        # The actions of a state as one number.
        actions = np.add.reduceat(
            1 << (layer.action[:, 0].astype(np.int64) + 1), layer.action_ptr[:-1]
        )
        place = layer.action_ptr[:-1] * self.grid.size
        size = int(layer.action_ptr[-1]) * self.grid.size
        later = self._kept.get(layer.turn)
        match = np.full(layer.states.size, -1, dtype=np.int64)
        if later is None:
            kept = _Kept(layer.states, actions, place, np.empty(size), np.empty(size))
            known = NOTHING.known
        else:
            at = np.searchsorted(later.states, layer.states)
            at = np.minimum(at, later.states.size - 1)
            same = (later.states[at] == layer.states) & (later.actions[at] == actions)
            match[same] = later.place[at[same]]
            known = later.found
            spare = later.spare if later.spare.size >= size else np.empty(size)
            kept = _Kept(layer.states, actions, place, spare, known)
        self._kept[layer.turn] = kept
        return WarmStart(known, match, kept.found, place)

    def _last_odds(self, layer: Layer) -> WarmStart:
        """The same for the log odds of any movers, in a game without end: every period is alike."""
        if not layer.movers:
            return NOTHING
        free = (layer.choices - 1) @ np.array(kinds(self.game, layer), dtype=np.int64)
        place = np.concatenate([[0], np.cumsum(free * self.grid.size)]).astype(np.int64)
        known = self.quick and layer.turn in self._odds
        odds = self._odds.setdefault(layer.turn, np.zeros(place[-1]))
        return WarmStart(odds, place[:-1] if known else NOTHING.match, odds, place[:-1])
