"""Histories played side by side: their states, true types and exact posteriors.

Each has a stream of random numbers of its own, of which every layer of play takes the same ones
whatever has happened before: neither the number of histories nor that of a batch changes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from detente.dtypes import Bools, Floats, Ints
from detente.game.arrays import HiddenMoves, Layer, PrivateChance, marginals
from detente.game.automaton import automaton
from detente.simulation.forward import schedule
from detente.solver.beliefs import Simplex, cells
from detente.solver.kernels.lottery import LEAST
from detente.solver.layout import kinds
from detente.solver.solution import Solution

AT_ONCE = 512
"""Numbers taken from a stream at a time: few enough to be in the cache when they are used."""

BATCH = 2048
"""Histories drawn side by side: many enough for the time of a step to go into its numbers, few
enough to be shown while the next are drawn."""

Rule = Callable[[Floats], Floats]
"""Gives the weights with which a mover draws its action, float64 [h, a], from
the `Step.odds` of its strategies; 0 for what cannot be chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One layer of histories [h].

    before, after
        Rows of their states, int64 [h].
    e
        The joint action of each, int64 [h].
    odds
        For each mover, strategies of its true type against reference behaviour, float64 [h, a], up
        to a constant; 0 where a state has fewer actions.
    own
        For each mover, the action drawn, counted from 0 among those it has: int64 [h].
    within
        For each mover, where in the action's share the number lay that drew it, float64 [h].
    """

    t: int
    n: int
    before: Ints
    e: Ints
    after: Ints
    odds: tuple[Floats, ...]
    own: tuple[Ints, ...]
    within: tuple[Floats, ...]


class Histories:
    """Histories that are played side by side, as far as they have been played.

    x
        Their states, int64 [h]: rows of the states before the layer that comes next.
    p
        Their true type profiles at the time, int64 [h].
    beliefs
        For each actor, float64 [h, θ].
    outcomes
        By outcome, its automaton and the state that this is in, int64 [h].
    """

    def __init__(
        self,
        solution: Solution,
        streams: Sequence[np.random.Generator],
        periods: int | None,
        rule: Rule | None = None,
        *,
        each: int = 1,
        profiles: Ints | None = None,
    ) -> None:
        """`each` histories from each stream, of these true types or of types by the prior."""
        self.solution, self.game, self.rule = solution, solution.game, rule
        self.moves = schedule(self.game, periods)
        self.random = _numbers(streams, each)
        prior, count = self.game.profile_prior(), each * len(streams)
        self.x = np.full(count, self.game.start)
        types = drawn(np.broadcast_to(prior, (count, prior.size)), next(self.random))
        self.p = types if profiles is None else profiles
        self.beliefs = [np.tile(prior, (count, 1)) for prior in self.game.priors]
        none = np.empty(0), (np.empty(0, dtype=np.int64), np.empty(0))
        self._cells: list[tuple[Floats, tuple[Ints, Floats]]] = [none for _ in self.beliefs]
        outcomes = self.game.scenario.outcomes
        self.outcomes = {
            key: (automaton(outcomes, key), np.zeros_like(self.x)) for key in self.game.holds
        }
        self._test(0, end=False)

    def play(self) -> Iterator[Step]:
        """Play them to the end, layer by layer: the movers choose by their true types, beliefs
        follow, chance decides."""
        for t, n in self.moves:
            if self.game.loop is not None and t > 1 and n == 0:
                self.x = self.game.loop[self.x]
            before = self.x
            joint, odds, own, within = self._choose(n)
            e = self.game.layers[n].action_ptr[before] + joint
            self.x = self._follow(n, e)
            self._test(n + 1, end=self.game.ends_period[n])
            yield Step(t, n, before, e, self.x, odds, own, within)

    @property
    def public(self) -> list[Floats]:
        """What the public believes of each actor, float64 [h, θ]; `beliefs` is what is told of each
        by itself, which is another thing where the prior is a joint one."""
        if self.game.lift is None:
            return self.beliefs
        return marginals(self.game.lift, self.game.profiles, self.beliefs)

    def been(self, outcome: str) -> Bools:
        """In which of them an outcome has come about so far, bool [h]."""
        machine, state = self.outcomes[outcome]
        return np.asarray(machine.been[state])

    def _test(self, n: int, *, end: bool) -> None:
        """Test the outcomes before layer n, at the end of a period or not."""
        for key, (machine, state) in self.outcomes.items():
            letters = machine.letters(self.game.holds, n, end=end)[self.x]
            self.outcomes[key] = machine, machine.step[state, letters]

    def _choose(
        self, n: int
    ) -> tuple[Ints, tuple[Floats, ...], tuple[Ints, ...], tuple[Floats, ...]]:
        """The joint actions drawn at layer n, counted from the state's first; beliefs then move."""
        layer = self.game.layers[n]
        joint = np.zeros_like(self.x)
        if not layer.movers:
            return joint, (), (), ()
        around = self._around()
        posteriors = list(self.beliefs)
        each = np.arange(self.x.size)
        odds, own, within = [], [], []
        for m, i in enumerate(layer.movers):
            choices = layer.choices[self.x, m]
            sigma = _strategies(self.solution, n, self.x, around, m)
            true = sigma[each, self.game.profiles[self.p, i]]
            odds.append(true / _reference(layer, self.x, m))
            weights = true if self.rule is None else self.rule(odds[-1])
            random = next(self.random)
            action = drawn(weights, random)
            sums, chance = np.cumsum(weights, axis=1), weights[each, action]
            below = random * sums[:, -1] - (sums[each, action] - chance)
            within.append(np.clip(below / chance, 0.0, 1.0 - 1e-9))  # below 1 after rounding
            joint = joint * choices + action
            own.append(action)
            if layer.hidden is not None:
                e = layer.action_ptr[self.x] + action
                posteriors[i] = self._act_unseen(layer.hidden, layer, i, e, sigma)
                continue
            posterior = self.beliefs[i] * sigma[each, :, action]
            total = posterior.sum(axis=1, keepdims=True)
            # Who has no choice says nothing, not even by rounding; nor does what nobody was to do.
            told = (choices[:, None] > 1) & (total > 0)
            posteriors[i] = np.where(told, posterior / np.where(told, total, 1.0), self.beliefs[i])
        self.beliefs = posteriors
        return joint, tuple(odds), tuple(own), tuple(within)

    def _around(self) -> tuple[Ints, Floats]:
        """The `corners` of the beliefs; what is believed of most actors is as it was before."""
        about = zip(self.solution.grid.about, self.game.priors, self.beliefs, strict=True)
        for i, (simplex, prior, belief) in enumerate(about):
            if self._cells[i][0] is not belief:
                self._cells[i] = belief, _cells(simplex, prior, belief)
        return _corners(self.solution, [cell for _, cell in self._cells])

    def _act_unseen(
        self, hidden: HiddenMoves, layer: Layer, i: int, e: Ints, sigma: Floats
    ) -> Floats:
        """Draw what own actions e [h], of strategies [h, θ, a], do to the type of actor i; gives
        what is believed of it by those who see what they look like."""
        true = self.game.profiles[self.p, i]
        after = drawn(hidden.change[e, true], next(self.random))
        self.p = self.p + (after - true) * prod(prior.size for prior in self.game.priors[i + 1 :])
        return after_look(self.beliefs[i], hidden, layer, self.x, e, sigma)

    def _follow(self, n: int, e: Ints) -> Ints:
        """The states that follow joint actions e [h], drawn from their transitions."""
        layer = self.game.layers[n]
        begin, count = layer.trans_ptr[e], layer.trans_ptr[e + 1] - layer.trans_ptr[e]
        number = np.arange(count.max())
        there = number < count[:, None]
        k = np.where(there, begin[:, None] + number, 0)
        if layer.private is not None:
            chosen = begin + self._turn_types(layer.private, k, there)
        else:
            chosen = begin + drawn(np.where(there, layer.prob[k], 0.0), next(self.random))
        after: Ints = layer.succ[chosen].astype(np.int64)
        return after

    def _turn_types(self, chance: PrivateChance, k: Ints, there: Bools) -> Ints:
        """Draw what chance does that has to do with a private type, of transitions k [h, n] those
        that are `there`: its number [h], and the type that follows. What is believed follows."""
        i, kinds = chance.actor, chance.change.shape[1]
        each, true = np.arange(self.x.size), self.game.profiles[self.p, i]
        weights = chance.change[k, true[:, None]] * there[:, :, None]
        number, after = np.divmod(drawn(weights.reshape(each.size, -1), next(self.random)), kinds)
        change = chance.change[k[each, number]]
        self.beliefs[i] = after_chance(self.beliefs[i], change)
        self.p = self.p + (after - true) * prod(prior.size for prior in self.game.priors[i + 1 :])
        return number


def _numbers(streams: Sequence[np.random.Generator], each: int) -> Iterator[Floats]:
    """For ever one number for each history, of which each stream has so many."""
    rows = max(1, AT_ONCE // each)
    while True:
        yield from np.concatenate([stream.random((rows, each)) for stream in streams], axis=1)


def after_chance(belief: Floats, change: Floats) -> Floats:
    """What is believed of types, float64 [h, θ], after transitions with these probabilities
    [h, θ, θ'] (`PrivateChance`); what was ruled out counts where nothing else can have been."""
    joint = np.einsum("ht,htf->hf", np.maximum(belief, LEAST), change)
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def after_look(
    belief: Floats, hidden: HiddenMoves, layer: Layer, x: Ints, e: Ints, sigma: Floats
) -> Floats:
    """What is believed of types, float64 [h, θ], by those who see what own actions e [h] at states
    x [h] look like, where strategies are float64 [h, θ, a] (`HiddenMoves`)."""
    joint = np.zeros_like(belief)
    before = np.maximum(belief, LEAST)
    for a in range(sigma.shape[2]):
        there = a < layer.choices[x, 0]
        other = np.where(there, layer.action_ptr[x] + a, e)
        alike = there & (hidden.alike[other] == hidden.alike[e])
        came = np.einsum("ht,htf->hf", before * sigma[:, :, a], hidden.change[other])
        joint += np.where(alike[:, None], came, 0.0)
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def drawn(weights: Floats, random: Floats) -> Ints:
    """For each row of weights, float64 [h, k], a position k with a chance in proportion to them.

    `random` has a number in [0, 1) for each. What has no weight is never drawn: that number times
    the sum is below the sum also after rounding.
    """
    sums = np.cumsum(weights, axis=1)
    return np.asarray((sums <= (random * sums[:, -1])[:, None]).sum(axis=1))


def interpolated_strategy(
    solution: Solution, n: int, x: int, beliefs: Sequence[Floats], m: int = 0
) -> Floats:
    """The strategy of the m-th mover at state x of layer n, between nodes: float64 [θ, a].

    `beliefs` has one float64 [θ] for each actor. What is interpolated is linear in the grid's
    coordinates on each cell, and multilinear over actors.
    """
    around = corners(solution, [belief[None, :] for belief in beliefs])
    return np.asarray(_strategies(solution, n, np.array([x]), around, m)[0])


def corners(solution: Solution, beliefs: Sequence[Floats]) -> tuple[Ints, Floats]:
    """The nodes around beliefs [h, θ] about each actor and their weights, both [h, k]."""
    about = zip(solution.grid.about, solution.game.priors, beliefs, strict=True)
    return _corners(solution, [_cells(*each) for each in about])


def _corners(solution: Solution, cells: Sequence[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    """The same from the cell of each actor."""
    count = len(cells[0][0])
    nodes, weights = np.zeros((count, 1), dtype=np.int64), np.ones((count, 1))
    for simplex, (at, share) in zip(solution.grid.about, cells, strict=True):
        nodes = (nodes[:, :, None] * simplex.size + at[:, None, :]).reshape(count, -1)
        weights = (weights[:, :, None] * share[:, None, :]).reshape(count, -1)
    return nodes, weights


def _reference(layer: Layer, x: Ints, m: int) -> Floats:
    """The m-th mover's reference behaviour at states x [h], float64 [h, a]; 1 for no action."""
    choices = layer.choices[x]
    apart = np.prod(choices[:, m + 1 :], axis=1)[:, None]
    number = np.arange(choices[:, m].max())
    there = number < choices[:, m, None]
    e = layer.action_ptr[x][:, None] + np.where(there, number * apart, 0)
    return np.where(there, layer.reference[e, m], 1.0)


def _strategies(solution: Solution, n: int, x: Ints, around: tuple[Ints, Floats], m: int) -> Floats:
    """The m-th mover's strategies at states x [h] of layer n between nodes, float64 [h, θ, a].

    Zero where a state has fewer actions than another. See `Solution.strategies` for the layout.
    """
    layer, pointers = solution.game.layers[n], solution.pointers[n]
    nodes, weights = around
    sizes = np.array(kinds(solution.game, layer), dtype=np.int64)
    choices = layer.choices[x, m]
    action = np.arange(choices.max())
    there = action < choices[:, None]
    own = (
        np.arange(sizes[m])[:, None] * choices[:, None, None] + np.where(there, action, 0)[:, None]
    )
    first = layer.choices[x, :m] @ sizes[:m]
    size = solution.grid.size
    begin = size * (pointers[x] + first)[:, None] + nodes
    flat = solution.strategies[n]
    play = sum(
        weights[:, k, None, None] * flat[begin[:, k, None, None] + size * own]
        for k in range(nodes.shape[1])
    )
    play = np.where(there[:, None], play, 0.0)
    return np.asarray(play / play.sum(axis=2, keepdims=True))


def cell(simplex: Simplex, prior: Floats, belief: Floats) -> tuple[Ints, Floats]:
    """The nodes at the corners of the cell that a belief lies in, and their weights."""
    node, weight = _cells(simplex, prior, belief[None, :])
    inside = weight[0] > 0
    return node[0, inside], weight[0, inside]


def _cells(simplex: Simplex, prior: Floats, belief: Floats) -> tuple[Ints, Floats]:
    """The same for beliefs [h, θ], both [h, k]; a corner that does not count has weight 0."""
    if simplex.steps == 0:
        return np.zeros((len(belief), 1), dtype=np.int64), np.ones((len(belief), 1))
    return cells(simplex, belief * simplex.ratio(prior))
