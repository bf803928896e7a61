"""Derivatives of one number by every number of a compiled game, by the adjoint of the solve.

The number is a payoff, or the probability of an outcome; the latter is the value of an observer
whom the outcome pays 1 and who moves nowhere, carried backward beside the actors' values. One
pass forward in time then gives all derivatives, at a cost that does not depend on their number
(Griewank and Walther, Evaluating Derivatives, 2008, chapter 3). Values are made again from the
strategies, from checkpoints, so that memory grows with the root of the number of layers
(`checkpoints`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import GameGradient, PrivateChance
from detente.solver.checkpoints import in_order
from detente.solver.gradient_room import shelf_for
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
from detente.solver.kernels.stage import LayerArrays
from detente.solver.layout import hidden_turn, is_lined, make_scratch, private_turn, seats
from detente.solver.options import MEMORY_LIMIT
from detente.solver.prior_gradient import by_priors
from detente.solver.shelf import Row, Shelf
from detente.solver.solution import Solution
from detente.solver.value_tape import Target, ValueTape
from detente.solver.workers import Progress, open_workers

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PARTS = 8
"""Parts of a layer's work: whatever the threads, sums are taken in the same order."""

LEAST_DISCOUNT = 1e-3
"""From which on values are told from what they are discounted, to the last digits."""

ROOM = 2**21
"""Numbers of derivatives that are made before they are added to those of the next layer."""


def game_gradient(
    solution: Solution,
    target: Target,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    memory_limit: int = MEMORY_LIMIT,
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
    memory_limit
        Bytes; derivatives that would need more put values aside in a file.

    Raises
    ------
    SolveError
        If they would need more even so.
    """
    shelf = shelf_for(solution, target, threads, memory_limit)
    with open_workers(threads) as workers:
        tape = ValueTape(solution, target, workers)
        return AdjointPass(tape, progress or (lambda _: None), shelf).run()


class AdjointPass:
    """The pass forward: derivatives by the values before each move, and all that they give."""

    def __init__(
        self, tape: ValueTape, progress: Progress, shelf: Callable[[], Shelf] = dict
    ) -> None:
        game = tape.solution.game
        self.tape, self.progress, self.shelf = tape, progress, shelf
        self.prob, self.reward, self.reference = (
            [np.empty(0)] * len(game.layers) for _ in range(3)
        )
        self.aside: tuple[Row, ...] = ()
        if shelf is not dict and game.loop is None:  # each layer's are complete after its move
            self.aside = Row(shelf()), Row(shelf()), Row(shelf())
        else:
            for n in range(len(game.layers)):
                self._make_room(n)
        # Otherwise values before they are discounted cannot be told from them.
        self.tells = float(game.discount.min()) >= LEAST_DISCOUNT
        self.private: dict[int, Floats] = {}
        self.hidden: dict[int, Floats] = {}
        self.flow = [np.zeros_like(flow) for flow in game.flow]
        self.precision, self.discount = np.zeros(len(game.priors)), np.zeros(len(game.priors))
        most = max(prior.size for prior in game.priors)
        self.ratio = np.zeros((len(game.priors), most))
        self.joint = np.zeros(0 if game.lift is None else len(game.profiles))
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
        del first
        for k in range(len(tape.moves)):
            if self.aside:
                self._make_room(tape.moves[k][1])
            gain = self._move(k, next(after), gain)  # whose values go before the next are made
            self._put_aside(tape.moves[k][1])
            self.progress(0.3 + 0.7 * (k + 1) / len(tape.moves))
        terminal = gain[:, : tape.width].sum(axis=2)
        priors, joint = by_priors(game, target, self.ratio, self.joint, worth)
        gradient = GameGradient(
            prob=self.aside[0] if self.aside else tuple(self.prob),
            reward=self.aside[1] if self.aside else tuple(self.reward),
            log_reference=self.aside[2] if self.aside else tuple(self.reference),
            flow=tuple(self.flow),
            terminal=terminal if game.loop is None else np.zeros_like(game.terminal),
            priors=priors,
            joint=joint,
            precision=self.precision,
            discount=self.discount,
            private=self.private,
            hidden=self.hidden,
        )
        return float(target.weights(game) @ worth), gradient

    def _make_room(self, n: int) -> None:
        """For derivatives by the numbers of layer n."""
        layer = self.tape.solution.game.layers[n]
        self.prob[n], self.reward[n] = np.zeros(layer.prob.size), np.zeros_like(layer.reward)
        self.reference[n] = np.zeros_like(layer.reference)

    def _put_aside(self, n: int) -> None:
        """Put derivatives by the numbers of layer n where values are, if that is not in memory."""
        for row, arrays in zip(self.aside, (self.prob, self.reward, self.reference), strict=False):
            row.append(arrays[n])
            arrays[n] = np.empty(0)

    def _values(self) -> Iterator[Floats]:
        """Values before move 0, then after each move in turn, made from checkpoints."""
        tape = self.tape
        return in_order(
            len(tape.moves),
            tape.last(),
            tape.before,
            lambda done: self.progress(0.3 * done),
            self.shelf,
        )

    def _move(self, k: int, values: Floats, gain: Floats) -> Floats:
        """From derivatives by the values before move k to those by the values after it."""
        tape = self.tape
        solution = tape.solution
        game = solution.game
        n = tape.moves[k][1]
        layer = game.layers[n]
        following, arrays = tape.following(values, k)
        if self.tells:
            values = following
        result = np.zeros_like(following)
        layout = tape.layouts[seats(layer)]
        if layer.private is not None:
            self._through_chance(n, layer.private, gain, following, result)
            return self._closed(k, values, result)
        hidden = hidden_turn(game, solution.grid, layer)
        if hidden is not None:
            self._through_hidden(n, arrays, hidden, gain, following, result)
            return self._closed(k, values, result)
        states = len(gain)
        most = ROOM // (int(np.diff(layer.action_ptr).max()) * gain[0].size)
        size, parts = self.shared(states, most)
        pieces = range(0, states, size * parts)
        precision = np.zeros((-(-states // size), len(layer.movers)))
        ratio = np.zeros((len(precision), *self.ratio.shape))
        joint = np.zeros((len(precision), self.joint.size))

        def task(first: int, back: Floats) -> None:
            work = make_scratch(layout, arrays, tape.columns, slopes=True)
            added = (numbers[first // size] for numbers in (precision, ratio, joint))
            given = self._given(n, following, gain, *added)
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
            del back, rows, add  # before there is room for the next
        self.constants(layer.movers, precision, ratio, joint)
        return self._closed(k, values, result)

    def _through_chance(
        self, n: int, chance: PrivateChance, gain: Floats, following: Floats, result: Floats
    ) -> None:
        """The adjoint of chance that has to do with a private type; adds to `result`."""
        tape = self.tape
        game, grid, i = tape.solution.game, tape.solution.grid, chance.actor
        by_change = self.private.setdefault(n, np.zeros_like(chance.change))
        turn, layout = private_turn(game, grid, chance), tape.layouts[i,]
        lottery = tape.lottery(n, slopes=True)
        arrays, cuts = tape.parts[n], self.by_itself(len(gain))
        ratio = np.zeros((len(cuts) - 1, *self.ratio.shape))
        for u, (first, last) in enumerate(pairwise(cuts)):
            by_ratio = np.zeros(game.priors[i].size)
            gains = following, result, by_change, by_ratio, lottery
            adjoin_private(_of_states(arrays, first, last), layout, turn, gain[first:last], *gains)
            ratio[u, i, : by_ratio.size] = -by_ratio  # that of u to b falls as the prior grows
        none, joint = np.zeros((len(ratio), 0)), np.zeros((len(ratio), self.joint.size))
        self.constants((), none, ratio, joint)

    def _given(
        self,
        n: int,
        following: Floats,
        gain: Floats,
        precision: Floats,
        ratio: Floats,
        joint: Floats,
    ) -> Tape:
        """What the adjoint of layer n is made from; `precision`, `ratio`, `joint` are added to."""
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
            joint,
        )

    def _through_hidden(
        self,
        n: int,
        arrays: LayerArrays,
        turn: HiddenTurn,
        gain: Floats,
        following: Floats,
        result: Floats,
    ) -> None:
        """The adjoint of a turn with hidden moves; adds to `result`."""
        tape = self.tape
        game = tape.solution.game
        movers = game.layers[n].movers
        (i,) = movers
        by_change = self.hidden.setdefault(n, np.zeros_like(turn.change))
        layout = tape.layouts[movers]
        work = make_scratch(layout, arrays, tape.columns, slopes=True, hidden=True)
        most = work.lottery.vertex.shape[1]
        stage = make_stage(layout, most, len(work.own), hidden=True)
        back = np.empty((len(work.own), *gain.shape[1:]))
        scratch, cuts = (work, make_slopes(layout, work), stage), self.by_itself(len(gain))
        shapes = (1,), self.ratio.shape, self.joint.shape
        precision, ratio, joint = (np.zeros((len(cuts) - 1, *shape)) for shape in shapes)
        for u, (first, last) in enumerate(pairwise(cuts)):
            by_ratio = np.zeros(game.priors[i].size)
            given = self._given(n, following, gain[first:last], precision[u], ratio[u], joint[u])
            # Where nothing is told as things are, a change of them may tell something.
            tells = np.ones(last - first, np.int64)
            here = turn._replace(tells=tells, keeps=turn.keeps[first:last])
            gains = result, by_change, by_ratio
            states = _of_states(arrays, first, last)
            adjoin_hidden(states, layout, here, given, *scratch, gains, back)
            ratio[u, i, : by_ratio.size] -= by_ratio  # that of u to b falls as the prior grows
        self.constants(movers, precision, ratio, joint)

    def _closed(self, k: int, values: Floats, result: Floats) -> Floats:
        """Derivatives by the values after move k, from those by what its transitions lead to.

        `values` are those, or what they are with what a period's end discounts and pays if that
        `tells` them: one array less beside the others.
        """
        tape = self.tape
        game, grid = tape.solution.game, tape.solution.grid
        layer = game.layers[tape.moves[k][1]]
        result = self.gathered(result, k)
        if tape.ends_period(k):
            t = 0 if game.loop is not None else layer.period - 1
            paid = result[:, : tape.width]
            total, discount = paid.sum(axis=2), np.repeat(game.discount, len(game.profiles))
            self.flow[t] += total
            worth = np.einsum("xcb,xcb->xc", paid, values[: len(paid), : tape.width])
            if self.tells:
                worth = (worth - game.flow[t] * total) / discount
            self.discounted(worth)
            paid *= discount[:, None]
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

    def by_itself(self, states: int) -> Sequence[int]:
        """Where the parts of a layer begin, and end, that have derivatives by constants each."""
        return (0, states)

    def constants(
        self, movers: tuple[int, ...], precision: Floats, ratio: Floats, joint: Floats
    ) -> None:
        """Add derivatives by constants, from those of a layer's parts: [part, m], [part, i, θ] and
        [part, p]."""
        self.precision[list(movers)] += precision.sum(axis=0)
        self.ratio += ratio.sum(axis=0)
        self.joint += joint.sum(axis=0)

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


def _of_states(arrays: LayerArrays, first: int, last: int) -> LayerArrays:
    """A layer's arrays for the states first … last - 1 alone."""
    return arrays._replace(
        action_ptr=arrays.action_ptr[first : last + 1],
        n_actions=arrays.n_actions[first:last],
        play_ptr=arrays.play_ptr[first : last + 1],
    )
