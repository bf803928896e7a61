"""Recomputes a solve in plain NumPy, without the solver's kernels or its belief arithmetic.

Layer by layer, while the values of the next layer are at hand: at the nodes checked (all of
them in a small game, a seeded sample in a large one) posteriors, continuation values, quantal
responses, values and best responses are worked out again from the strategies and compared. Cells of
the belief grid are found in a way of their own, too (`cell_corners`).

Nodes are worked out together, in batches (`checked_nodes`). Index letters, beside those of
`detente.game.arrays`: n is a node checked, a pair (x, b), always the last axis, along which NumPy
works; a an own action; r an actor, first in values and then, where there are such, in best-response
values: (r, p) numbers all components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        width = values.shape[1]
        for nodes in in_batches(layer, chosen, self.grid.size, following.shape[1]):
            place = nodes.x * (width * self.grid.size) + nodes.b
            given = self._component(values, place, width)
            if layer.private is not None:
                with np.errstate(invalid="ignore", over="ignore"):
                    again = self._after_chance(nodes, layer.private, following)
                    error = _relative(again, given)
                self.value_error = max(self.value_error, _largest(error))
                continue
            play = nodes.play(sigma, kinds, self.grid.size)
            # Numbers that are no probabilities (or not numbers) would lead outside the grid.
            if not all(p.min() >= 0 and p.max() <= 1 + 1e-9 for p in play):
                self.residual = np.inf
                continue
            # Values may be no numbers either: then so is the error, which counts as infinite.
            with np.errstate(invalid="ignore", over="ignore"):
                if layer.hidden is not None:
                    ahead = self._unseen(nodes, layer.hidden, play[0], following)
                else:
                    ahead = self._ahead(nodes, play, following)
                self._compare(nodes, play, ahead, given)

    def _component(self, array: Floats, at: Ints, count: int) -> Floats:
        """Of [..., b] the numbers at these places and the next ones B apart, [..., c, n]."""
        apart = self.grid.size * np.arange(count)
        return array.reshape(-1).take(at[..., None, :] + apart[:, None])

    def _ahead(self, nodes: CheckedNodes, play: Sequence[Floats], following: Floats) -> Floats:
        """Reward and expected next values after each joint action, float64 [e, r, p, n]."""
        layer, whole = nodes.layer, nodes.edge.shape
        edge = nodes.edge.reshape(-1, nodes.x.size)
        width = following.shape[1]
        around: list[tuple[Ints, Floats]] = [
            (
                np.broadcast_to(node, whole).reshape(edge.shape),
                np.broadcast_to(weight, whole).reshape(edge.shape),
            )
            for node, weight in self._posterior_nodes(nodes, play)
        ]
        ahead = np.zeros((len(edge), width, nodes.x.size))
        for n, trans, there in nodes.transitions(edge):
            prob = np.where(there, layer.prob[trans], 0.0)
            begin = layer.succ[trans].astype(np.int64) * (width * self.grid.size)
            for node, weight in around:
                part = self._component(following, begin + node[:, :n], width)
                part *= (prob * weight[:, :n])[:, None]
                ahead[:, :, :n] += part
        return self._rewarded(nodes, ahead)

    def _rewarded(self, nodes: CheckedNodes, ahead: Floats) -> Floats:
        """Expected next values [e, c, n] with rewards, as float64 [e, r, p, n]."""
        reward = nodes.layer.reward[nodes.edge.reshape(len(ahead), -1)].swapaxes(1, 2)
        # The reward is the same in values and in best-response values.
        copies = ahead.reshape(len(ahead), -1, *reward.shape[1:])
        copies += reward[:, None]
        return ahead.reshape(len(ahead), -1, len(self.game.profiles), nodes.x.size)

    def _posterior_nodes(
        self, nodes: CheckedNodes, play: Sequence[Floats]
    ) -> list[tuple[Ints, Floats]]:
        """Nodes around the posterior and their weights, broadcast to [a of each mover, n]."""
        b, choices = nodes.b, nodes.choices
        ones = (1,) * len(choices)
        corners = [(b.reshape(*ones, -1), np.ones((*ones, b.size)))]
        for m, i in enumerate(nodes.layer.movers):
            if choices[m] == 1 or len(self.game.priors[i]) == 1:
                continue
            simplex = self.grid.about[i]
            position = self._position[i][b]
            prior = simplex.node.T[:, position][:, None]
            joint = prior * play[m]
            total = joint.sum(axis=0)
            still = total <= 0
            post = np.where(still, prior, joint) / np.where(still, simplex.steps, total)
            shape = (*(choices[j] if j == m else 1 for j in range(len(choices))), b.size)
            moved = []
            for to, share in self._corners[i].around(post):
                away = (to - position) * self.grid.stride(i)
                moved += [
                    (node + away.reshape(shape), weight * share.reshape(shape))
                    for node, weight in corners
                ]
            corners = moved
        return corners

    def _after_chance(
        self, nodes: CheckedNodes, chance: PrivateChance, following: Floats
    ) -> Floats:
        """Values before chance that has to do with a private type, float64 [c, n]."""
        i, width, profiles = chance.actor, following.shape[1], self.game.profiles
        position = self._position[i][nodes.b]
        ratio, belief = self._beliefs(i, position)
        kinds = [np.flatnonzero(profiles[:, i] == k) for k in range(ratio.size)]
        again = np.zeros((width // len(profiles), len(profiles), position.size))
        for n, trans, there in nodes.transitions(nodes.edge):
            change = chance.change[trans] * there[:, None, None]
            post = _brought_to_one(ratio[:, None] * np.einsum("nt,ntf->fn", belief[:n], change))
            begin = nodes.layer.succ[trans].astype(np.int64) * (width * self.grid.size)
            ahead = np.zeros((width, n))
            for to, share in self._corners[i].around(post):
                at = begin + nodes.b[:n] + (to - position[:n]) * self.grid.stride(i)
                ahead += share * self._component(following, at, width)
            each = ahead.reshape(*again.shape[:2], n)
            for before, after in product(range(ratio.size), repeat=2):
                again[:, kinds[before], :n] += change[:, before, after] * each[:, kinds[after]]
        return again.reshape(width, -1)

    def _unseen(
        self, nodes: CheckedNodes, hidden: HiddenMoves, play: Floats, following: Floats
    ) -> Floats:
        """Reward and expected next values after each action, float64 [a, r, p, n], where others see
        only what actions look like; `play` is float64 [θ, a, n]."""
        layer, edge, width = nodes.layer, nodes.edge, following.shape[1]
        (i,), profiles, b = layer.movers, self.game.profiles, nodes.b
        position = self._position[i][b]
        ratio, belief = self._beliefs(i, position)
        # What follows each action for the types after it, [a, θ', n], in proportion.
        chance = nodes.counted(0, play)
        joint = np.einsum("nt,tan,antf->afn", belief, chance, hidden.change[edge])
        kinds = [np.flatnonzero(profiles[:, i] == k) for k in range(ratio.size)]
        ahead = np.zeros((len(edge), width // len(profiles), len(profiles), b.size))
        for a, e in enumerate(edge):
            alike = hidden.alike[edge] == hidden.alike[e]
            post = _brought_to_one(ratio[:, None] * (joint * alike[:, None]).sum(axis=0))
            mean = np.zeros((width, b.size))
            for to, share in self._corners[i].around(post):
                away = b + (to - position) * self.grid.stride(i)
                for n, trans, there in nodes.transitions(e):
                    prob = np.where(there, layer.prob[trans], 0.0) * share[:n]
                    begin = layer.succ[trans].astype(np.int64) * (width * self.grid.size)
                    mean[:, :n] += prob * self._component(following, begin + away[:n], width)
            each = mean.reshape(ahead.shape[1:])
            for before, after in product(range(ratio.size), repeat=2):
                ahead[a][:, kinds[before]] += (
                    hidden.change[e, before, after] * each[:, kinds[after]]
                )
        return self._rewarded(nodes, ahead.reshape(len(edge), width, -1))

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
            shape = (*(choices[j] if j == m else 1 for j in range(len(choices))), -1, b.size)
            chance.append(play[m].swapaxes(0, 1)[:, profiles[:, i]].reshape(shape))
        joint = prod(chance[1:], start=chance[0] if chance else np.ones((1, 1)))
        joint = np.broadcast_to(joint, (*choices, len(profiles), b.size))
        again = np.einsum("epn,erpn->rpn", joint.reshape(-1, *joint.shape[-2:]), ahead)
        valued = np.ones(again.shape[0], dtype=bool)
        for m, i in enumerate(layer.movers):
            rest = tuple(j for j in range(len(choices)) if j != m)
            others = prod((c for j, c in enumerate(chance) if j != m), start=np.ones((1, 1)))
            # Components (i, p) of values, and of best-response values, over the others' actions.
            each = ahead[:, i::actors].reshape(*choices, -1, *joint.shape[-2:])
            if rest:
                each = (each * others[..., None, :, :]).sum(axis=rest)  # [a, copy, p, n]
            own = [np.flatnonzero(profiles[:, i] == k) for k in range(len(self.game.priors[i]))]
            weight = self._others(i, b)
            expected = np.stack(
                [np.einsum("acpn,pn->can", each[:, :, p], weight[p]) for p in own], axis=1
            )  # [copy, θ, a, n]
            scaled = expected[0] - expected[0].max(axis=1, keepdims=True)
            usual = nodes.reference(m)
            response = usual * np.exp(self.game.precision[i] * scaled)
            response /= response.sum(axis=1, keepdims=True)
            self.residual = max(self.residual, _largest(response - play[m]))
            if self.game.shocks and self.game.precision[i] > 0:
                cost = _relative_entropy(play[m], usual) / self.game.precision[i]
                again[i] -= cost[profiles[:, i]]
            if len(expected) == 2:
                valued[actors + i] = False
                error = _relative(each[:, 1], given[actors + i])
                self._compare_best(expected[1], error, own)
        error = _relative(again[valued], given[valued])
        self.value_error = max(self.value_error, _largest(error))

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
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(again - given) / np.maximum(1.0, np.abs(again)))


def _largest(error: Floats) -> float:
    """The largest |error|; inf where one is not a number."""
    largest = float(np.abs(error).max(initial=0.0))
    return np.inf if np.isnan(largest) else largest
