"""Histories played side by side: their states, true types and exact posteriors.

Each has a stream of random numbers of its own, of which every layer of play takes the same ones
whatever has happened before: neither the number of histories nor that of a batch changes one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
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
"""Gives the weights with which a mover draws its action, float64 [a, h], from its `Move.odds`; 0
for what cannot be chosen."""


@dataclass(frozen=True, eq=False)
class Move:
    """What the m-th mover of a layer does in histories [h] at states x.

    strategy
        That of its true type, float64 [a, h]; 0 where a state has fewer actions.
    random
        The number that draws its action, float64 [h].
    rule
        As in `Histories`; None where actions are drawn by the strategy.
    """

    layer: Layer
    x: Ints
    m: int
    strategy: Floats
    random: Floats
    rule: Rule | None

    @cached_property
    def odds(self) -> Floats:
        """The strategy against reference behaviour, float64 [a, h], up to a constant."""
        return np.asarray(self.strategy / _reference(self.layer, self.x, self.m))

    @cached_property
    def weights(self) -> Floats:
        """With which its action is drawn, float64 [a, h]."""
        return self.strategy if self.rule is None else self.rule(self.odds)

    @cached_property
    def own(self) -> Ints:
        """The action drawn, counted from 0 among those it has: int64 [h]."""
        return drawn(self.weights.T, self.random)

    @cached_property
    def within(self) -> Floats:
        """Where in the action's share the number lay that drew it, float64 [h]."""
        sums, chance = np.stack(list(accumulate(self.weights))), own_row(self.weights, self.own)
        below = self.random * sums[-1] - (own_row(sums, self.own) - chance)
        # Below 1 after rounding.
        return np.asarray(np.clip(below / chance, 0.0, 1.0 - 1e-9))


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One layer of histories [h].

    before, after
        Rows of their states, int64 [h].
    e
        The joint action of each, int64 [h].
    moves
        What each mover of the layer does.
    """

    t: int
    n: int
    before: Ints
    e: Ints
    after: Ints
    moves: tuple[Move, ...]


class Histories:
    """Histories that are played side by side, as far as they have been played.

    Arrays have the histories last: types, actions and corners are few, and what is done with each
    of them is then done with all histories in a row.

    x
        Their states, int64 [h]: rows of the states before the layer that comes next.
    p
        Their true type profiles at the time, int64 [h].
    beliefs
        For each actor, float64 [θ, h].
    outcomes
        By outcome that is followed, its automaton and the state that this is in, int64 [h].
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
        outcomes: Collection[str] | None = None,
    ) -> None:
        """`each` histories from each stream, of these true types or of types by the prior; these
        `outcomes` are followed, by default all."""
        self.solution, self.game, self.rule = solution, solution.game, rule
        self.moves = schedule(self.game, periods)
        self.random = _numbers(streams, each)
        prior, count = self.game.profile_prior(), each * len(streams)
        self.x = np.full(count, self.game.start)
        types = drawn(np.broadcast_to(prior, (count, prior.size)), next(self.random))
        self.p = types if profiles is None else profiles
        self.beliefs = [np.repeat(prior[:, None], count, axis=1) for prior in self.game.priors]
        none = np.empty(0), (np.empty(0, dtype=np.int64), np.empty(0))
        self._cells: list[tuple[Floats, tuple[Ints, Floats]]] = [none for _ in self.beliefs]
        self._corners: tuple[Ints, Floats] | None = None
        rules = self.game.scenario.outcomes
        self.outcomes = {
            key: (automaton(rules, key), np.zeros_like(self.x))
            for key in (self.game.holds if outcomes is None else outcomes)
        }
        self._test(0, end=False)

    def play(self) -> Iterator[Step]:
        """Play them to the end, layer by layer: the movers choose by their true types, beliefs
        follow, chance decides."""
        for t, n in self.moves:
            if self.game.loop is not None and t > 1 and n == 0:
                self.x = self.game.loop[self.x]
            before = self.x
            joint, moves = self._choose(n)
            e = self.game.layers[n].action_ptr[before] + joint
            self.x = self._follow(n, e)
            self._test(n + 1, end=self.game.ends_period[n])
            yield Step(t, n, before, e, self.x, moves)

    @property
    def public(self) -> list[Floats]:
        """What the public believes of each actor, float64 [θ, h]; `beliefs` is what is told of each
        by itself, which is another thing where the prior is a joint one."""
        if self.game.lift is None:
            return self.beliefs
        told = [belief.T for belief in self.beliefs]
        return [belief.T for belief in marginals(self.game.lift, self.game.profiles, told)]

    def been(self, outcome: str) -> Bools:
        """In which of them an outcome has come about so far, bool [h]."""
        machine, state = self.outcomes[outcome]
        return np.asarray(machine.been[state])

    def _test(self, n: int, *, end: bool) -> None:
        """Test the outcomes before layer n, at the end of a period or not."""
        for key, (machine, state) in self.outcomes.items():
            letters = machine.letters(self.game.holds, n, end=end)[self.x]
            self.outcomes[key] = machine, machine.step[state, letters]

    def _choose(self, n: int) -> tuple[Ints, tuple[Move, ...]]:
        """The joint actions drawn at layer n, counted from the state's first; beliefs then move."""
        layer = self.game.layers[n]
        joint = np.zeros_like(self.x)
        if not layer.movers:
            return joint, ()
        around = self._around()
        posteriors = list(self.beliefs)
        moves = []
        for m, i in enumerate(layer.movers):
            sigma = _strategies(self.solution, n, self.x, around, m)
            true = own_row(sigma, self.game.profiles[self.p, i])
            move = Move(layer, self.x, m, true, next(self.random), self.rule)
            moves.append(move)
            choices = layer.choices[self.x, m]
            joint = joint * choices + move.own
            if layer.hidden is not None:
                e = layer.action_ptr[self.x] + move.own
                posteriors[i] = self._act_unseen(layer.hidden, layer, i, e, sigma)
            elif len(sigma) > 1:  # of who has nothing private there is nothing to be told
                does = own_row(sigma.swapaxes(0, 1), move.own)
                posteriors[i] = _posterior(self.beliefs[i], does, choices)
        self.beliefs = posteriors
        return joint, tuple(moves)

    def _around(self) -> tuple[Ints, Floats]:
        """The corners of the beliefs; what is believed of most actors is as it was before."""
        about = zip(self.solution.grid.about, self.game.priors, self.beliefs, strict=True)
        for i, (simplex, prior, belief) in enumerate(about):
            if self._cells[i][0] is not belief:
                self._cells[i] = belief, _cells(simplex, prior, belief)
                self._corners = None
        if self._corners is None:
            self._corners = _corners(self.solution, [cell for _, cell in self._cells])
        return self._corners

    def _act_unseen(
        self, hidden: HiddenMoves, layer: Layer, i: int, e: Ints, sigma: Floats
    ) -> Floats:
        """Draw what own actions e [h], of strategies [θ, a, h], do to the type of actor i; gives
        what is believed of it by those who see what they look like."""
        true = self.game.profiles[self.p, i]
        after = drawn(hidden.change[e, true], next(self.random))
        self._turn(i, true, after)
        seen = np.moveaxis(sigma, 2, 0)
        return after_look(self.beliefs[i].T, hidden, layer, self.x, e, seen).T

    def _follow(self, n: int, e: Ints) -> Ints:
        """The states that follow joint actions e [h], drawn from their transitions."""
        layer = self.game.layers[n]
        random = next(self.random)
        begin, count = layer.trans_ptr[e], layer.trans_ptr[e + 1] - layer.trans_ptr[e]
        number = np.arange(count.max())[:, None]
        there = number < count
        k = np.where(there, begin + number, 0)
        if layer.private is not None:
            chosen = begin + self._turn_types(layer.private, k, there, random)
        elif len(number) == 1:  # nothing is left to chance
            chosen = begin
        else:
            chosen = begin + drawn((layer.prob.take(k) * there).T, random)
        after: Ints = layer.succ[chosen].astype(np.int64)
        return after

    def _turn_types(self, chance: PrivateChance, k: Ints, there: Bools, random: Floats) -> Ints:
        """Draw what chance does that has to do with a private type, of transitions k [n, h] those
        that are `there`: its number [h], and the type that follows. What is believed follows."""
        i, kinds = chance.actor, chance.change.shape[1]
        true = self.game.profiles[self.p, i]
        weights = np.moveaxis(chance.change[k, true] * there[:, :, None], 1, 0)
        number, after = np.divmod(drawn(weights.reshape(len(weights), -1), random), kinds)
        self.beliefs[i] = after_chance(self.beliefs[i].T, chance.change[k[0] + number]).T
        self._turn(i, true, after)
        return number

    def _turn(self, i: int, before: Ints, after: Ints) -> None:
        """The true type of actor i becomes another, [h]."""
        self.p = self.p + (after - before) * prod(prior.size for prior in self.game.priors[i + 1 :])


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
    sums = list(accumulate(weights.T))
    limit = random * sums[-1]
    return np.asarray(sum(total <= limit for total in sums))


def own_row(rows: Floats, number: Ints) -> Floats:
    """Of each history h its own row, by its number [h]: of rows [k, …, h], […, h]."""
    own: Floats = rows[0].copy()
    for k, row in enumerate(rows[1:], 1):
        np.copyto(own, row, where=number == k)
    return own


def interpolated_strategy(
    solution: Solution, n: int, x: int, beliefs: Sequence[Floats], m: int = 0
) -> Floats:
    """The strategy of the m-th mover at state x of layer n, between nodes: float64 [θ, a].

    `beliefs` has one float64 [θ] for each actor. What is interpolated is linear in the grid's
    coordinates on each cell, and multilinear over actors.
    """
    about = zip(solution.grid.about, solution.game.priors, beliefs, strict=True)
    around = _corners(solution, [_cells(s, prior, b[:, None]) for s, prior, b in about])
    return np.asarray(_strategies(solution, n, np.array([x]), around, m)[:, :, 0])


def _corners(solution: Solution, cells: Sequence[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    """The nodes around beliefs and their weights, both [k, h], from the cell about each actor."""
    count = cells[0][0].shape[1]
    nodes, weights = np.zeros((1, count), dtype=np.int64), np.ones((1, count))
    for simplex, (at, share) in zip(solution.grid.about, cells, strict=True):
        if simplex.steps:
            nodes = (nodes[:, None] * simplex.size + at).reshape(-1, count)
            weights = (weights[:, None] * share).reshape(-1, count)
    return nodes, weights


def _posterior(belief: Floats, does: Floats, choices: Ints) -> Floats:
    """What is believed of types, float64 [θ, h], after what they do with these probabilities
    [θ, h], by whom has so many choices [h]."""
    posterior = belief * does
    total = posterior.sum(axis=0)
    # Who has no choice says nothing, not even by rounding; nor does what nobody was to do.
    told = (choices > 1) & (total > 0)
    return np.asarray(np.where(told, posterior / np.where(told, total, 1.0), belief))


def _reference(layer: Layer, x: Ints, m: int) -> Floats:
    """The m-th mover's reference behaviour at states x [h], float64 [a, h]; 1 for no action."""
    choices = layer.choices[x]
    apart = np.prod(choices[:, m + 1 :], axis=1)
    number = np.arange(choices[:, m].max())[:, None]
    there = number < choices[:, m]
    e = layer.action_ptr[x] + np.where(there, number * apart, 0)
    return np.where(there, layer.reference[e, m], 1.0)


def _strategies(solution: Solution, n: int, x: Ints, around: tuple[Ints, Floats], m: int) -> Floats:
    """The m-th mover's strategies at states x [h] of layer n between nodes, float64 [θ, a, h].

    Zero where a state has fewer actions than another. See `Solution.strategies` for the layout.
    """
    layer, size = solution.game.layers[n], solution.grid.size
    sizes = np.array(kinds(solution.game, layer), dtype=np.int64)
    choices = layer.choices[x, m]
    action = np.arange(choices.max())[:, None]
    there = action < choices
    first = solution.pointers[n][x] + layer.choices[x, :m] @ sizes[:m]
    of_type = first + np.arange(sizes[m])[:, None] * choices
    begin = (size * of_type)[:, None] + size * np.where(there, action, 0)
    flat = solution.strategies[n]
    play = np.zeros(begin.shape)
    for node, weight in zip(*around, strict=True):
        at_node = flat.take(begin + node)
        at_node *= weight
        play += at_node
    play *= there
    play /= play.sum(axis=1, keepdims=True)
    return play


def cell(simplex: Simplex, prior: Floats, belief: Floats) -> tuple[Ints, Floats]:
    """The nodes at the corners of the cell that a belief lies in, and their weights."""
    node, weight = _cells(simplex, prior, belief[:, None])
    inside = weight[:, 0] > 0
    return node[inside, 0], weight[inside, 0]


def _cells(simplex: Simplex, prior: Floats, belief: Floats) -> tuple[Ints, Floats]:
    """The same for beliefs [θ, h], both [k, h]; a corner that does not count has weight 0."""
    if simplex.steps == 0:
        return np.zeros((1, belief.shape[1]), dtype=np.int64), np.ones((1, belief.shape[1]))
    node, weight = cells(simplex, belief.T * simplex.ratio(prior))
    return node.T, weight.T
