"""Backward induction, layer by layer: the arrays that a solve works in, and the work shared out.

Every state is computed by itself, so results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame
from detente.solver.beliefs import BeliefGrid, refined
from detente.solver.kernels.backward import Sweep
from detente.solver.kernels.lottery import BeliefLayout, make_lottery
from detente.solver.kernels.private_chance import sweep_private
from detente.solver.kernels.stage import HOW, LayerArrays
from detente.solver.layout import (
    belief_layout,
    hidden_turn,
    part,
    private_turn,
    seats,
)
from detente.solver.room import Room, apart
from detente.solver.sweep import Scratch, sweep
from detente.solver.workers import Workers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Backward:
    """Solves the layers of a game one after the other, from the last one.

    Values are float64 [x, c, b], conditional on the type profile; with `regret` those of best
    responses follow. `counts` is int64 [HOW], see `kernels.stage`.

    Where it `lends` strategies, those of a layer are there until the next one is solved.

    While `quick` is set, turns of a game without end begin with what was found there when they were
    solved last, also where that need not lead along the principal branch.
    """

    def __init__(
        self,
        game: CompiledGame,
        grid: BeliefGrid,
        workers: Workers,
        *,
        regret: bool,
        lends: bool = False,
    ) -> None:
        self.game, self.grid, self.workers = game, grid, workers
        self.copies = 2 if regret else 1
        self.width = game.profiles.size
        self.counts = np.zeros(HOW, dtype=np.int64)
        discount = np.repeat(game.discount, len(game.profiles))
        self._discount = np.tile(discount, self.copies)[:, None]
        sizes = [codes.size for codes in game.structure.sets]
        self._room = Room(sizes, (self.width * self.copies, grid.size))
        self._lent: Floats | None = None
        if lends:
            self._lent = apart((grid.size * max(game.plays),))
        self._layouts: dict[tuple[int, ...], BeliefLayout] = {}
        self._strategies: dict[int, Floats] = {}
        self._parts: dict[int, LayerArrays] = {}
        self._scratches: dict[object, list[Scratch]] = {}
        self.quick = False

    def begin_near(self, strategies: Sequence[Floats]) -> None:
        """Begin at every turn with given strategies, at one node as in `Solution.strategies`."""
        nodes = self.grid.size
        self._strategies = {n: np.repeat(play, nodes) for n, play in enumerate(strategies)}
        self.quick = True

    def begin_between(self, rough: Backward) -> None:
        """Begin at every turn with what was found there on the grid with half the steps."""
        for n, flat in rough._strategies.items():
            play = flat.reshape(1, -1, rough.grid.size)
            self._strategies[n] = refined(play, rough.grid, self.grid).ravel()

    def keep(self) -> Callable[[], None]:
        """Keep what turns were solved to last; what is given back brings it back."""
        kept = {n: play.copy() for n, play in self._strategies.items()}

        def restore() -> None:
            self._strategies = {n: play.copy() for n, play in kept.items()}

        return restore

    def begin(self, terminal: Floats) -> Floats:
        """Values at the end: terminal payoffs, float64 [x, c], whatever is believed."""
        values = self._values(len(terminal))
        values[:] = np.tile(terminal, self.copies)[:, :, None]
        return values

    def begin_from(self, given: Floats) -> Floats:
        """The same with values [x, c, b] that depend on beliefs."""
        values = self._values(len(given))
        values[:] = given
        return values

    def at(self, game: CompiledGame) -> None:
        """Go on with the same game at other precisions."""
        if not np.array_equal(game.precision, self.game.precision):
            self.game = game
            self._layouts.clear()

    def close_period(self, values: Floats, t: int) -> None:
        """Discount the values with which period t closes, and add its flow, in place."""
        discount, flow = self._discount, self.game.flow[t - 1][:, :, None]
        if self.copies > 1:
            flow = np.tile(flow, (1, self.copies, 1))

        def task(first: int, last: int) -> None:
            values[first:last] *= discount
            values[first:last] += flow[first:last]

        self.workers.run(task, len(values), values.shape[0] * values.shape[2])

    def layer(
        self, n: int, next_values: Floats, starts: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Values and flat strategies of layer n; `starts` as in `kernels.backward.Sweep`."""
        game, grid = self.game, self.grid
        layer = game.layers[n]
        layout, arrays = self.layout(seats(layer)), self._part(n)
        values = self._values(layer.states.size)
        if layer.private is not None:
            turn = private_turn(game, grid, layer.private)

            def reveal(first: int, last: int) -> None:
                lottery = make_lottery(layout, 1, grid.size)
                sweep_private(first, last, arrays, layout, turn, next_values, values, lottery)

            self.workers.run(reveal, layer.states.size, layer.states.size * grid.size)
            return values, np.empty(0)
        warm = self.quick and n in self._strategies
        sigma = self._strategies[n] if warm else self._sigma(int(arrays.play_ptr[-1]))
        if game.loop is not None:
            self._strategies[n] = sigma
        begin = np.zeros((layer.states.size, 0)) if starts is None else starts
        parts: list[Ints] = []
        free, hidden = self._scratch(n, arrays), hidden_turn(game, grid, layer)

        def task(first: int, last: int) -> None:
            counts = np.zeros(HOW, dtype=np.int64)
            try:
                scratch = free.pop()
            except IndexError:  # other threads work in all that there is
                width = values.shape[1]
                scratch = Scratch(layout, arrays, width, hidden=hidden is not None)
            sweep(
                first,
                last,
                arrays,
                layout,
                Sweep(next_values, begin, values, sigma, counts, warm),
                scratch,
                hidden,
            )
            free.append(scratch)
            parts.append(counts)

        self.workers.run(task, layer.states.size, layer.states.size * grid.size)
        for counted in parts:
            self.counts += counted
        return values, sigma

    def layout(self, movers: tuple[int, ...]) -> BeliefLayout:
        """The grid as it looks to some movers, made once."""
        if movers not in self._layouts:
            best = self.width if self.copies == 2 else 0
            self._layouts[movers] = belief_layout(self.game, self.grid, movers, best)
        return self._layouts[movers]

    def _part(self, n: int) -> LayerArrays:
        """A layer for the kernels; kept where it is solved again and again."""
        if n in self._parts:
            return self._parts[n]
        arrays = part(self.game, self.game.layers[n])
        if self.game.loop is not None:
            self._parts[n] = arrays
        return arrays

    def _scratch(self, n: int, arrays: LayerArrays) -> list[Scratch]:
        """What is free to work in at a layer and at those that look like it."""
        layer, most = self.game.layers[n], int(arrays.n_actions.max(initial=1))
        look = seats(layer), most, self.game.most_joint[n], layer.hidden is not None
        return self._scratches.setdefault(look, [])

    def _sigma(self, plays: int) -> Floats:
        """Room for so many numbers of strategies at each node."""
        size = self.grid.size * plays
        return np.empty(size) if self._lent is None else self._lent[:size]

    def _values(self, states: int) -> Floats:
        """Room for values, where the last ones do not stand."""
        return self._room.next(states)
