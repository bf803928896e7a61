"""Derivatives of one number by every number of a compiled game, by the adjoint of the solve.

The number is a payoff, or the probability of an outcome; the latter is the value of an observer
whom the outcome pays 1 and who moves nowhere, carried backward beside the actors' values. One
pass forward in time then gives all derivatives, at a cost that does not depend on their number
(Griewank and Walther, Evaluating Derivatives, 2008, chapter 3). Values are made again from the
strategies, from checkpoints, so that memory grows with the root of the number of layers (chapter
12 there).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import GameGradient, Layer, PrivateChance
from detente.solver.kernels.adjoint import (
    Tape,
    adjoin_any,
    adjoin_lines,
    make_slopes,
    scatter,
)
from detente.solver.kernels.general import make_stage
from detente.solver.kernels.hidden_adjoint import adjoin_hidden
from detente.solver.kernels.hidden_moves import HiddenTurn
from detente.solver.kernels.private_chance import adjoin_private
from detente.solver.layout import hidden_turn, is_lined, make_scratch, private_turn, seats
from detente.solver.solution import Solution
from detente.solver.value_tape import Target, ValueTape
from detente.solver.workers import Progress, open_workers

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PARTS = 8
"""Parts of a layer's work: whatever the threads, sums are taken in the same order."""

ROOM = 2**21
"""Numbers of derivatives that are made before they are added to those of the next layer."""


def game_gradient(
    solution: Solution,
    target: Target,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[float, GameGradient]:
    """The number and its derivatives.

    Parameters
    ----------
    solution
        As solved.
    target
        What to differentiate.
    threads
        Threads to work with; all processors by default. Results do not depend on it.
    progress
        Called with the share of the work that is done, from 0 to 1.
    """
    with open_workers(threads) as workers:
        tape = ValueTape(solution, target, workers)
        return AdjointPass(tape, progress or (lambda _: None)).run()


class AdjointPass:
    """The pass forward: derivatives by the values before each move, and all that they give."""

    def __init__(self, tape: ValueTape, progress: Progress) -> None:
        game = tape.solution.game
        self.tape, self.progress = tape, progress
        self.prob = [np.zeros(layer.prob.size) for layer in game.layers]
        self.reward = [np.zeros_like(layer.reward) for layer in game.layers]
        self.reference = [np.zeros_like(layer.reference) for layer in game.layers]
        self.private: dict[int, Floats] = {}
        self.hidden: dict[int, Floats] = {}
        self.flow = [np.zeros_like(flow) for flow in game.flow]
        self.precision, self.discount = np.zeros(len(game.priors)), np.zeros(len(game.priors))
        most = max(prior.size for prior in game.priors)
        self.ratio = np.zeros((len(game.priors), most))
        grid = tape.solution.grid
        self.believed = np.zeros((len(game.priors), most, grid.size))
        for i, prior in enumerate(game.priors):
            self.believed[i, : prior.size] = grid.type_probability(i).T
        self.kinds = np.array([prior.size for prior in game.priors], dtype=np.int64)

    def run(self) -> tuple[float, GameGradient]:
        """The number and its derivatives."""
        tape, target = self.tape, self.tape.target
        solution = tape.solution
        game, grid = solution.game, solution.grid
        after = self._values()
        first = next(after)
        gain = np.zeros_like(first)
        at = tape.width if target.actor is None else target.actor * len(game.profiles)
        mine = slice(at, at + len(game.profiles))
        worth = first[game.start, mine, grid.start].copy()
        gain[game.start, mine, grid.start] = target.weights(game)
        known = tape.observe(first, 0, 0)
        if known is not None:
            gain[known, tape.width :] = 0.0
        for k, values in enumerate(after):
            gain = self._move(k, values, gain)
            self.progress(0.3 + 0.7 * (k + 1) / len(tape.moves))
        terminal = gain[:, : tape.width].sum(axis=2)
        priors = []
        for i, prior in enumerate(game.priors):
            own = self.ratio[i, : prior.size]
            slope = np.divide(own, prior, out=np.zeros_like(own), where=prior > 0)
            if target.by_prior[i]:
                others = target.weights(game, but=i) * worth
                slope += np.bincount(game.profiles[:, i], others, minlength=prior.size)
            priors.append(slope)
        gradient = GameGradient(
            prob=tuple(self.prob),
            reward=tuple(self.reward),
            log_reference=tuple(self.reference),
            flow=tuple(self.flow),
            terminal=terminal if game.loop is None else np.zeros_like(game.terminal),
            priors=tuple(priors),
            precision=self.precision,
            discount=self.discount,
            private=self.private,
            hidden=self.hidden,
        )
        return float(target.weights(game) @ worth), gradient

    def _values(self) -> Iterator[Floats]:
        """Values before move 0, then after each move in turn, made from checkpoints."""
        tape = self.tape
        count = len(tape.moves)
        step = max(isqrt(count), 1)
        kept = {count: tape.last()}
        values = kept[count]
        for k in reversed(range(count)):
            values = tape.before(values, k)
            if k % step == 0:
                kept[k] = values
            self.progress(0.3 * (count - k) / count)
        yield values
        for begin in range(0, count, step):
            end = min(begin + step, count)
            stretch = [kept[end]]
            for k in reversed(range(begin + 1, end)):
                stretch.append(tape.before(stretch[-1], k))
            yield from reversed(stretch)
            del kept[end]

    def _move(self, k: int, values: Floats, gain: Floats) -> Floats:
        """From derivatives by the values before move k to those by the values after it."""
        tape = self.tape
        solution = tape.solution
        game = solution.game
        n = tape.moves[k][1]
        layer = game.layers[n]
        following, arrays = tape.following(values, k)
        result = np.zeros_like(following)
        layout = tape.layouts[seats(layer)]
        if layer.private is not None:
            self._through_chance(n, layer.private, gain, following, result)
            return self._closed(k, values, result)
        hidden = hidden_turn(game, solution.grid, layer)
        if hidden is not None:
            self._through_hidden(n, layer, hidden, gain, following, result)
            return self._closed(k, values, result)
        states = len(gain)
        most = ROOM // (int(np.diff(layer.action_ptr).max()) * gain[0].size)
        size, parts = self.shared(states, most)
        pieces = range(0, states, size * parts)
        precision = np.zeros((-(-states // size), len(layer.movers)))
        ratio = np.zeros((len(precision), *self.ratio.shape))

        def task(first: int, back: Floats) -> None:
            work = make_scratch(layout, arrays, tape.columns, slopes=True)
            given = self._given(n, following, gain, precision[first // size], ratio[first // size])
            scratch = given, work, make_slopes(layout, work), back
            last = min(first + size, states)
            if is_lined(layout):
                adjoin_lines(first, last, arrays, layout, *scratch)
            else:
                stage = make_stage(layout, work.lottery.vertex.shape[1], len(work.own))
                adjoin_any(first, last, arrays, layout, *scratch, stage)

        cuts = np.linspace(0, tape.columns, tape.workers.threads + 1).astype(int)
        for begin in pieces:
            end = min(begin + size * parts, states)
            ptr = layer.action_ptr
            back = np.empty((int(ptr[end] - ptr[begin]), *gain.shape[1:]))
            firsts = range(begin, end, size)
            rows = [back[ptr[first] - ptr[begin] :] for first in firsts]
            list(tape.workers.pool.map(task, firsts, rows))

            def add(
                low: int, high: int, begin: int = begin, end: int = end, back: Floats = back
            ) -> None:
                scatter(low, high, begin, end, arrays, back, result)

            list(tape.workers.pool.map(add, cuts[:-1], cuts[1:]))
        self.constants(layer.movers, precision, ratio)
        return self._closed(k, values, result)

    def _through_chance(
        self, n: int, chance: PrivateChance, gain: Floats, following: Floats, result: Floats
    ) -> None:
        """The adjoint of chance that has to do with a private type; adds to `result`."""
        tape = self.tape
        game, grid, i = tape.solution.game, tape.solution.grid, chance.actor
        by_change = self.private.setdefault(n, np.zeros_like(chance.change))
        by_ratio = np.zeros(game.priors[i].size)
        turn, layout = private_turn(game, grid, chance), tape.layouts[i,]
        lottery = tape.lottery(n, slopes=True)
        arrays = tape.parts[n]
        gains = following, result, by_change, by_ratio, lottery
        adjoin_private(arrays, layout, turn, gain, *gains)
        ratio = np.zeros((1, *self.ratio.shape))
        ratio[0, i, : by_ratio.size] = -by_ratio  # the ratio of u to b falls as the prior grows
        self.constants((), np.zeros((1, 0)), ratio)

    def _given(
        self, n: int, following: Floats, gain: Floats, precision: Floats, ratio: Floats
    ) -> Tape:
        """What the adjoint of layer n is made from; `precision` and `ratio` are added to."""
        solution = self.tape.solution
        return Tape(
            following,
            gain,
            solution.strategies[n],
            self.kinds,
            solution.game.profiles,
            self.believed,
            self.prob[n],
            self.reward[n],
            self.reference[n],
            precision,
            ratio,
        )

    def _through_hidden(
        self,
        n: int,
        layer: Layer,
        turn: HiddenTurn,
        gain: Floats,
        following: Floats,
        result: Floats,
    ) -> None:
        """The adjoint of a turn with hidden moves; adds to `result`."""
        tape = self.tape
        game, (i,) = tape.solution.game, layer.movers
        by_change = self.hidden.setdefault(n, np.zeros_like(turn.change))
        by_ratio, precision = np.zeros(game.priors[i].size), np.zeros((1, 1))
        ratio = np.zeros((1, *self.ratio.shape))
        arrays, layout = tape.parts[n], tape.layouts[layer.movers]
        work = make_scratch(layout, arrays, tape.columns, slopes=True, hidden=True)
        given = self._given(n, following, gain, precision[0], ratio[0])
        most = work.lottery.vertex.shape[1]
        stage = make_stage(layout, most, len(work.own), hidden=True)
        back = np.empty((len(work.own), *gain.shape[1:]))
        scratch = work, make_slopes(layout, work), stage
        gains = result, by_change, by_ratio
        adjoin_hidden(arrays, layout, turn, given, *scratch, gains, back)
        ratio[0, i, : by_ratio.size] -= by_ratio  # the ratio of u to b falls as the prior grows
        self.constants(layer.movers, precision, ratio)

    def _closed(self, k: int, values: Floats, result: Floats) -> Floats:
        """Derivatives by the values after move k, from those by what its transitions lead to."""
        tape = self.tape
        game, grid = tape.solution.game, tape.solution.grid
        layer = game.layers[tape.moves[k][1]]
        result = self.gathered(result, k)
        if tape.ends_period(k):
            t = 0 if game.loop is not None else layer.period - 1
            paid = result[:, : tape.width]
            self.flow[t] += paid.sum(axis=2)
            self.discounted((paid * values[:, : tape.width]).sum(axis=2))
            paid *= np.repeat(game.discount, len(game.profiles))[:, None]
        last = k + 1 == len(tape.moves)
        if game.loop is not None and not last and tape.ends_period(k):
            again = np.zeros((game.layers[0].states.size, tape.columns, grid.size))
            again[game.loop] = result
            result = again
        known = self._known(k + 1)
        if known is not None:
            result[known, tape.width :] = 0.0
        return result

    def shared(self, states: int, most: int) -> tuple[int, int]:
        """How a layer's states are shared out: states of a part, and parts at a time."""
        return max(1, min(most, -(-states // PARTS))), PARTS

    def constants(self, movers: tuple[int, ...], precision: Floats, ratio: Floats) -> None:
        """Add derivatives by constants, from those of a layer's parts: [part, m], [part, i, θ]."""
        self.precision[list(movers)] += precision.sum(axis=0)
        self.ratio += ratio.sum(axis=0)

    def discounted(self, worth: Floats) -> None:
        """Add a period's derivatives by the discounts, from what is discounted, float64 [x, c]."""
        by_actor = worth.sum(axis=0).reshape(len(self.discount), -1)
        self.discount += by_actor.sum(axis=1)

    def gathered(self, gain: Floats, k: int) -> Floats:
        """Derivatives by the values after move k, from those by what its transitions lead to."""
        return gain

    def _known(self, k: int) -> Bools | None:
        """Where the observer's values before move k are given."""
        tape = self.tape
        game = tape.solution.game
        last = k == len(tape.moves)
        n = len(game.layers) if last else tape.moves[k][1]
        scratch = np.empty((game.structure.sets[n].size, tape.columns, 1))
        return tape.observe(scratch, k, n)
