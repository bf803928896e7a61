"""One period of a game without end in which nothing is private, as arrays of equal blocks.

Index letters as in `detente.game.arrays`, and: x states of a block, g the own actions of all actors
there, one after the other; D numbers v, those of a block at its `place`, in the order [x, g].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame, Layer

MOST_PRODUCTS, MOST_NUMBERS = 4e8, 2**25
"""Products of numbers that one step of Newton's method may take, and numbers that it may hold: in
larger games periods of backward induction are less work."""


@dataclass(frozen=True, eq=False)
class Block:
    """States of a layer at which each actor has as many actions as at the others.

    rows
        int64 [x]: of the layer.
    counts
        Own actions of each actor.
    place
        Of its numbers in D.
    prob, paid
        float64 [x, e, x'] over the states of the next layer, or of the first one again; and
        [x, e, i]: rewards, with the flow at the end of a period.
    log_reference
        float64 [x, g]: of shares that add up to 1 for each actor.
    """

    rows: Ints
    counts: tuple[int, ...]
    place: slice
    prob: Floats
    paid: Floats
    log_reference: Floats

    @cached_property
    def owner(self) -> Ints:
        """The actor of each own action, int64 [g]."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def starts(self) -> Ints:
        """Where each actor's own actions begin, int64 [i]."""
        return np.concatenate([[0], np.cumsum(self.counts)[:-1]])

    @cached_property
    def own(self) -> tuple[slice, ...]:
        """Each actor's own actions."""
        ends = np.cumsum(self.counts).tolist()
        return tuple(slice(a, b) for a, b in zip(self.starts.tolist(), ends, strict=True))

    @cached_property
    def act(self) -> Ints:
        """The own actions of each joint one, int64 [e, i]."""
        joint = np.array(list(product(*(range(count) for count in self.counts))))
        return np.asarray(joint + self.starts)

    @cached_property
    def has(self) -> Floats:
        """1 where a joint action has an own one, float64 [g, e]."""
        own = np.arange(self.owner.size)[:, None]
        return np.asarray((own == self.act[:, self.owner].T).astype(np.float64))

    @cached_property
    def mine(self) -> Floats:
        """1 for an actor's own actions, float64 [i, g]."""
        return np.asarray((self.owner == np.arange(len(self.counts))[:, None]).astype(np.float64))

    @cached_property
    def choosers(self) -> tuple[int, ...]:
        """The actors who have a choice."""
        return tuple(i for i, count in enumerate(self.counts) if count > 1)

    def of(self, numbers: Floats) -> Floats:
        """The block's part [x, g] of D numbers."""
        return numbers[self.place].reshape(self.rows.size, -1)

    def sums(self, numbers: Floats) -> Floats:
        """Sums [x, i] over each actor's own actions of numbers [x, g]."""
        return np.asarray(np.add.reduceat(numbers, self.starts, axis=1))


@dataclass(frozen=True, eq=False)
class PeriodArrays:
    """The blocks of each layer, and how many states each layer has."""

    game: CompiledGame
    blocks: tuple[tuple[Block, ...], ...]

    @cached_property
    def size(self) -> int:
        """D."""
        return int(self.blocks[-1][-1].place.stop)

    @cached_property
    def states(self) -> tuple[int, ...]:
        """Of each layer."""
        return tuple(layer.states.size for layer in self.game.layers)

    @cached_property
    def rate(self) -> Floats:
        """The precision of each number's actor, float64 [D]."""
        owners = [np.tile(b.owner, b.rows.size) for blocks in self.blocks for b in blocks]
        return np.asarray(self.game.precision[np.concatenate(owners)])


def is_small(game: CompiledGame) -> bool:
    """Whether the linear equations of a period can well be solved at one go."""
    sizes = [layer.states.size * game.discount.size for layer in game.layers]
    products = sum(a * b for a, b in pairwise(sizes)) * sizes[0] + sizes[0] ** 3 / 3
    return products <= MOST_PRODUCTS and numbers(game) <= MOST_NUMBERS


def numbers(game: CompiledGame) -> int:
    """How many numbers a period's arrays and its derivatives have."""
    actors, first = game.discount.size, game.layers[0].states.size
    following = [*(layer.states.size for layer in game.layers[1:]), first]
    total = 0
    for layer, ahead in zip(game.layers, following, strict=True):
        states, joint = layer.states.size, layer.trans_ptr.size - 1
        own = int(layer.choices.sum()) + states * actors
        total += ahead * (3 * joint + own + 4 * states * actors**2) + own * joint // states
    return int(total + 3 * (actors * first) ** 2)


def period_of(game: CompiledGame) -> PeriodArrays:
    """The period of a game without end in which nothing is private."""
    assert game.loop is not None
    made: list[tuple[Block, ...]] = []
    begin = 0
    for n, layer in enumerate(game.layers):
        last = n + 1 == len(game.layers)
        edges, succ, paid = layer.trans_ptr, layer.succ, layer.reward
        if last:
            flow = layer.prob[:, None] * game.flow[0][succ]
            paid = paid + np.add.reduceat(flow, edges[:-1])
            succ = game.loop[succ].astype(np.int32)
        width = game.layers[0 if last else n + 1].states.size
        count = edges.size - 1
        at = np.repeat(np.arange(count) * width, np.diff(edges)) + succ
        flat: Floats = np.bincount(at, layer.prob, count * width).astype(np.float64)
        blocks = []
        for rows in _alike(layer):
            blocks.append(_block(layer, rows, begin, flat.reshape(count, width), paid))
            begin = blocks[-1].place.stop
        made.append(tuple(blocks))
    return PeriodArrays(game, tuple(made))


def _alike(layer: Layer) -> list[Ints]:
    """The states of a layer, by how many actions its movers have there."""
    choices = layer.choices
    if (choices == choices[0]).all():
        return [np.arange(len(choices))]
    kind = np.unique(choices, axis=0, return_inverse=True)[1].reshape(-1)
    return [np.flatnonzero(kind == k) for k in range(int(kind.max()) + 1)]


def _block(layer: Layer, rows: Ints, begin: int, prob: Floats, paid: Floats) -> Block:
    """The block of some states of a layer; its numbers begin at `begin`."""
    actors, choices = paid.shape[1], layer.choices[rows[0]].tolist()
    counts, logs = [1] * actors, [np.zeros((rows.size, 1))] * actors
    joint = int(np.prod(choices, dtype=np.int64))
    e = layer.action_ptr[rows][:, None] + np.arange(joint)
    for m, mover in enumerate(layer.movers):
        counts[mover] = choices[m]
        usual = layer.reference[e, m].reshape(rows.size, *choices)
        shares = np.moveaxis(usual, 1 + m, 1).reshape(rows.size, choices[m], -1)[:, :, 0]
        logs[mover] = np.log(shares / shares.sum(axis=1, keepdims=True))
    # Joint actions are numbered by movers in the order of the turn; here by that of the scenario.
    order = [layer.movers.index(i) for i in sorted(layer.movers)]
    e = e.reshape(rows.size, *choices).transpose(0, *(1 + m for m in order)).reshape(rows.size, -1)
    place = slice(begin, begin + rows.size * sum(counts))
    return Block(rows, tuple(counts), place, prob[e], paid[e], np.concatenate(logs, axis=1))
