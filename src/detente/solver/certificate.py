"""Recomputes a solve in plain NumPy, without the solver's kernels or its belief arithmetic.

Layer by layer, while the values of the next layer are at hand: at the nodes checked (all of
them in a small game, a seeded sample in a large one) posteriors, continuation values, quantal
responses, values and best responses are worked out again from the strategies and compared. Cells of
the belief grid are found in a way of their own, too (`cell_corners`).

Nodes are worked out together, in batches (`checked_nodes`). Index letters, beside those of
`detente.game.arrays`: n is a node checked, a pair (x, b), the last axis, along which NumPy works; a
an own action; r an actor, first in values and then, where there are such, in best-response values:
(r, p) numbers all components. Values that follow are looked up with all components at once, which
stand near each other in memory: q is a joint action at a node, w a transition of one, v a node of
the grid around a belief.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame, HiddenMoves, Layer, PrivateChance
from detente.solver.beliefs import BeliefGrid
from detente.solver.cell_corners import CellCorners
from detente.solver.checked_nodes import CheckedNodes, in_batches

CHECKED_NODES = 50_000
"""Nodes recomputed in a solve unless it says how many: all of them in small games."""

CHECKED_OF_MANY = 5_000
"""The same in each of many solves of one game: a sample of the sample that a single one has."""

SEED = 1998

TIE = 1e-12
"""Best responses whose payoffs differ by less are equally good: either may have been taken."""

PIECE = 2**14
"""Numbers of next values that are looked up at once: 128 KiB stay in a processor's cache."""

LIMIT = 1e-200
"""A belief in what is ruled out, by which the limit of a posterior is found."""


@dataclass(eq=False)
class Auditor:
    """Accumulates the largest errors of one solve; `visit` is called for each layer.

    residual
        Largest |σ - logit(λ Q(σ))|; inf where a number is not a probability.
    value_error
        Largest difference of a value, where that is above 1 as a share of it.
    checked, nodes
        Pairs (x, b) that were recomputed, and all there are.
    most
        Pairs to recompute at most: each layer's share of them, but one at least; where a layer has
        more, a seeded sample is drawn. With 0 nothing is recomputed.
    """

    game: CompiledGame
    grid: BeliefGrid
    most: int = CHECKED_NODES
    residual: float = 0.0
    value_error: float = 0.0
    checked: int = 0
    nodes: int = 0
    _rooms: dict[str, Floats] = field(default_factory=dict, repr=False)

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(SEED)

    def visit(self, layer: Layer, following: Floats, values: Floats, sigma: Floats) -> None:
        """Check one layer.

        Parameters
        ----------
        layer
            A layer of the game.
        following
            float64 [x', c, b] or, with best-response values, [x', 2 c, b]: what follows the
            layer, flow and discount included.
        values
            float64 [x, c, b] or [x, 2 c, b].
        sigma
            Flat strategies: that of x starts at B Σ w over the states before it, where
            w(x) = Σ_m K_m choices[x, m], and is ordered [(m, θ, a), b].
        """
        every = layer.states.size * self.grid.size
        self.nodes += every
        if not self.most:
            return
        share = max(1, self.most // len(self.game.layers))
        chosen = (
            np.arange(every)
            if every <= share
            else np.sort(self._rng.choice(every, size=share, replace=False, shuffle=False))
        )
        self.checked += chosen.size
        kinds = [len(self.game.priors[i]) for i in layer.movers]
        for nodes in in_batches(layer, chosen, self.grid.size, following.shape[1]):
            given = np.ascontiguousarray(values[nodes.x, :, nodes.b].T)
            play = nodes.play(sigma, kinds, self.grid.size)
            # Numbers that are no probabilities (or not numbers) would lead outside the grid.
            if not all(p.min() >= 0 and p.max() <= 1 + 1e-9 for p in play):
                self.residual = np.inf
                continue
            # Values may be no numbers either: then so is the error, which counts as infinite.
            with np.errstate(invalid="ignore", over="ignore"):
                self._compare(nodes, play, self._ahead(nodes, play, following), given)

    def _ahead(self, nodes: CheckedNodes, play: Sequence[Floats], following: Floats) -> Floats:
        """Reward and expected next values after each joint action, float64 [e, r, p, n]; 0 after
        one that is not there."""
        layer, ways = nodes.layer, nodes.ways
        mean = self._expected(nodes, play, following)
        edge = nodes.edge.reshape(-1)[ways.action]
        if layer.hidden is not None:
            mean = self._mixed(layer.movers[0], layer.hidden.change[edge], mean)
        # The reward is the same in values and in best-response values.
        reward = layer.reward.take(edge, axis=0)
        copies = mean.reshape(len(mean), -1, reward.shape[1])
        copies += reward[:, None]
        ahead = self._room("ahead", prod(nodes.choices), mean.shape[1], nodes.x.size)
        e, n = np.divmod(ways.action, nodes.x.size)
        ahead[e, :, n] = mean
        return ahead.reshape(len(ahead), -1, len(self.game.profiles), nodes.x.size)

    def _expected(self, nodes: CheckedNodes, play: Sequence[Floats], following: Floats) -> Floats:
        """Expected next values of each joint action that is there, float64 [q, c]."""
        layer, ways, private = nodes.layer, nodes.ways, nodes.layer.private
        node, weight = self._around(nodes, play)
        succ = layer.succ[ways.trans][:, None]
        total = self._room("total", ways.action.size, following.shape[1])
        rows = max(1, PIECE // (following.shape[1] * node.shape[1]))
        for begin in range(0, len(succ), rows):
            some = slice(begin, begin + rows)
            mean = np.einsum("wvc,wv->wc", following[succ[some], :, node[some]], weight[some])
            if private is not None:
                mean = self._mixed(private.actor, private.change[ways.trans[some]], mean)
            ways.add(begin, mean, total)
        return total

    def _around(self, nodes: CheckedNodes, play: Sequence[Floats]) -> tuple[Ints, Floats]:
        """Nodes around the belief after each transition, and how likely it leads there: [w, v]."""
        layer, ways = nodes.layer, nodes.ways
        if layer.private is not None:
            node, weight = self._after_chance(nodes, layer.private)
        else:
            if layer.hidden is not None:
                node, weight = self._after_look(nodes, layer.hidden, play[0])
            else:
                node, weight = self._after_move(nodes, play)
            action = ways.action[ways.of]
            node = node.reshape(len(node), -1).take(action, axis=1)
            weight = weight.reshape(len(weight), -1).take(action, axis=1) * layer.prob[ways.trans]
        return np.ascontiguousarray(node.T), np.ascontiguousarray(weight.T)

    def _room(self, name: str, *shape: int) -> Floats:
        """Zeros to work with, until there are others of this name: to have fresh memory each time
        would take longer than the work."""
        size = prod(shape)
        if name not in self._rooms or self._rooms[name].size < size:
            self._rooms[name] = np.empty(size)
        room = self._rooms[name][:size].reshape(shape)
        room[:] = 0.0
        return room

    def _after_move(self, nodes: CheckedNodes, play: Sequence[Floats]) -> tuple[Ints, Floats]:
        """Nodes around the belief after each joint action and their weights, both
        [v, a of each mover, n]."""
        b, whole = nodes.b, nodes.edge.shape
        node, weight = np.broadcast_to(b, (1, *whole)), np.ones((1, *whole))
        for m, i in enumerate(nodes.layer.movers):
            if nodes.choices[m] == 1 or len(self.game.priors[i]) == 1:
                continue
            simplex = self.grid.about[i]
            prior = simplex.node.T.take(self._position[i][b], axis=1)[:, None]
            joint = prior * play[m]
            total = joint.sum(axis=0)
            still = total <= 0
            if still.any():
                joint, total = np.where(still, prior, joint), np.where(still, simplex.steps, total)
            away, share = self._moved(i, b, joint / total)
            shape = len(away), *nodes.shape(m)
            node = (node[:, None] + away.reshape(shape)).reshape(-1, *whole)
            weight = (weight[:, None] * share.reshape(shape)).reshape(-1, *whole)
        return node, weight

    def _after_look(
        self, nodes: CheckedNodes, hidden: HiddenMoves, play: Floats
    ) -> tuple[Ints, Floats]:
        """The same where others see only what actions look like; `play` is float64 [θ, a, n]."""
        (i,), b, edge = nodes.layer.movers, nodes.b, nodes.edge
        ratio, belief = self._beliefs(i, self._position[i][b])
        # What follows each action for the types after it, in proportion.
        joint = np.einsum("nt,tan,antf->fan", belief, nodes.counted(0, play), hidden.change[edge])
        looks = hidden.alike[edge]
        seen = np.stack([np.where(looks == look, joint, 0.0).sum(axis=1) for look in looks], axis=1)
        post = _brought_to_one(ratio[:, None, None] * seen)
        away, weight = self._moved(i, b, post)
        return b + away, weight

    def _after_chance(self, nodes: CheckedNodes, chance: PrivateChance) -> tuple[Ints, Floats]:
        """Nodes around the belief after each transition and their weights, both [v, w]: how likely
        it is depends on the type, and is counted where types are `_mixed`."""
        i, b = chance.actor, nodes.b[nodes.ways.action[nodes.ways.of]]
        ratio, belief = self._beliefs(i, self._position[i][b])
        joint = np.einsum("wt,wtf->fw", belief, chance.change[nodes.ways.trans])
        away, weight = self._moved(i, b, _brought_to_one(ratio[:, None] * joint))
        return b + away, weight

    def _moved(self, i: int, b: Ints, post: Floats) -> tuple[Ints, Floats]:
        """How far the nodes around beliefs [θ, ...] about an actor are from nodes b [...], and
        their weights, both [v, ...]."""
        to, weight = self._corners[i].around(post)
        return (to - self._position[i][b]) * self.grid.stride(i), weight

    def _mixed(self, i: int, change: Floats, numbers: Floats) -> Floats:
        """Numbers [w, c] before actor i's type is changed, by `change` [w, θ, θ'], from those after
        it."""
        mixed, kinds = np.zeros_like(numbers), range(change.shape[1])
        own = np.tile(self.game.profiles[:, i], numbers.shape[1] // len(self.game.profiles))
        for before, after in product(kinds, repeat=2):
            mixed[:, own == before] += change[:, before, after, None] * numbers[:, own == after]
        return mixed

    def _beliefs(self, i: int, position: Ints) -> tuple[Floats, Floats]:
        """r of u(θ) ∝ r(θ) b(θ), float64 [θ], and beliefs about actor i there, float64 [n, θ]."""
        simplex = self.grid.about[i]
        # Of each type beside the first, where both are possible: with more types than steps there
        # is no node at which all are.
        both = np.argmax(simplex.node[:, :1] * simplex.node > 0, axis=0)
        kind = np.arange(both.size)
        ratio = simplex.node[both, kind] / simplex.belief[both, kind]
        ratio /= simplex.node[both, 0] / simplex.belief[both, 0]
        # On a face what is impossible leads where it leads in the limit from inside.
        return ratio, np.maximum(simplex.belief[position], LIMIT)

    def _compare(
        self, nodes: CheckedNodes, play: Sequence[Floats], ahead: Floats, given: Floats
    ) -> None:
        """Add the errors of strategies and values to the largest ones."""
        layer, choices, b = nodes.layer, nodes.choices, nodes.b
        play = [nodes.counted(m, chances) for m, chances in enumerate(play)]
        actors, profiles = len(self.game.priors), self.game.profiles
        given = given.reshape(-1, len(profiles), b.size)
        # The probability of each mover's action when the types are p, [a …, p, n].
        chance = []
        for m, i in enumerate(layer.movers):
            shape = *nodes.shape(m)[:-1], len(profiles), b.size
            chance.append(play[m].swapaxes(0, 1).take(profiles[:, i], axis=1).reshape(shape))
        joint = prod(chance[1:], start=chance[0] if chance else np.ones((1, 1)))
        joint = np.broadcast_to(joint, (*choices, len(profiles), b.size))
        again = np.einsum("epn,erpn->rpn", joint.reshape(-1, *joint.shape[-2:]), ahead)
        for m, i in enumerate(layer.movers):
            rest = tuple(j for j in range(len(choices)) if j != m)
            others = prod((c for j, c in enumerate(chance) if j != m), start=np.ones((1, 1)))
            # Components (i, p) of values, and of best-response values, over the others' actions.
            each = ahead[:, i::actors].reshape(*choices, -1, *joint.shape[-2:])
            if rest:
                each = (each * others[..., None, :, :]).sum(axis=rest)  # [a, copy, p, n]
            own = self._own[i]
            weight = self._others(i, b)
            expected = np.stack(
                [np.einsum("acpn,pn->can", each[:, :, p], weight[p]) for p in own], axis=1
            )  # [copy, θ, a, n]
            there = nodes.there[m]
            if there is not None:  # what is not there is no better than what is
                expected = np.where(there, expected, expected[:, :, :1])
            scaled = expected[0] - expected[0].max(axis=1, keepdims=True)
            usual = nodes.reference(m)
            response = usual * np.exp(self.game.precision[i] * scaled)
            response /= response.sum(axis=1, keepdims=True)
            self.residual = max(self.residual, _largest(response - play[m]))
            if self.game.shocks and self.game.precision[i] > 0:
                cost = _relative_entropy(play[m], usual) / self.game.precision[i]
                again[i] -= cost[profiles[:, i]]
            if len(expected) == 2:
                error = _relative(each[:, 1], given[actors + i])
                if there is not None:  # and no best response
                    error = np.where(there[:, None], error, np.inf)
                self._compare_best(expected[1], error, own)
                again[actors + i] = given[actors + i] = 0.0  # they have been compared
        self.value_error = max(self.value_error, _largest(_relative(again, given)))

    def _compare_best(self, expected: Floats, error: Floats, own: Sequence[Ints]) -> None:
        """Add the error of best-response values, given that of each action, [a, p, n].

        Actions that are equally good in expectation, [θ, a, n], may differ at a single p: each
        type may have taken any of them. `own` has the p of each own type.
        """
        top = expected.max(axis=1, keepdims=True)
        good = expected >= top - TIE * np.maximum(1.0, np.abs(top))
        for kind, profiles in enumerate(own):
            largest = error[:, profiles].max(axis=1)
            nearest = np.where(good[kind], largest, np.inf).min(axis=0)
            self.value_error = max(self.value_error, _largest(nearest))

    def _others(self, i: int, b: Ints) -> Floats:
        """Probability under b of the types of all actors but i, given its own, float64 [p, n]."""
        weight = np.ones((len(self.game.profiles), b.size))
        for j, prior in enumerate(self.game.priors):
            if j != i and prior.size > 1:
                belief = self.grid.about[j].belief.T[self.game.profiles[:, j]]
                weight *= belief[:, self._position[j][b]]
        if self.game.lift is not None:  # what type i of its own expects of the others
            weight *= self.game.lift[:, None]
            for theta in range(self.game.priors[i].size):
                mine = self.game.profiles[:, i] == theta
                weight[mine] /= weight[mine].sum(axis=0)
        return weight

    @cached_property
    def _own(self) -> list[list[Ints]]:
        """For each actor, the profiles with each of its types."""
        profiles = self.game.profiles
        kinds = [range(prior.size) for prior in self.game.priors]
        return [[np.flatnonzero(profiles[:, i] == k) for k in own] for i, own in enumerate(kinds)]

    @cached_property
    def _position(self) -> list[Ints]:
        """For each actor, the node of the belief about it at each node, int64 [b]."""
        return [self.grid.position(i) for i in range(len(self.grid.about))]

    @cached_property
    def _corners(self) -> list[CellCorners]:
        return [CellCorners.of(simplex) for simplex in self.grid.about]


def _brought_to_one(joint: Floats) -> Floats:
    """What is in proportion to these, float64 [θ, n]; where nothing can be, all types alike."""
    total = joint.sum(axis=0)
    return np.where(total > 0, joint, 1.0) / np.where(total > 0, total, len(joint))


def _relative_entropy(play: Floats, usual: Floats) -> Floats:
    """Σ σ log(σ / w) over the actions of each type, float64 [θ, n] from [θ, a, n] and [a, n]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(play > 0, play * np.log(play / usual), 0.0)
    return np.asarray((terms - (play - usual)).sum(axis=1))


def _relative(again: Floats, given: Floats) -> Floats:
    """|again - given|, as a share of `again` where that is above 1."""
    size = np.abs(again)
    error = again - given
    error /= np.maximum(size, 1.0, out=size)
    return np.abs(error, out=error)


def _largest(error: Floats) -> float:
    """The largest |error|; inf where one is not a number."""
    largest = float(np.abs(error).max(initial=0.0))
    return np.inf if np.isnan(largest) else largest
