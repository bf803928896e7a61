"""Public beliefs on a grid.

A belief about an actor with K types is a point of the simplex. Its nodes are regular in the
coordinates u(θ) ∝ r(θ) b(θ), where the ratios r are chosen, near 1, so that the prior is a node:
the first moves, which are what a forecast is read for, are then solved at the very belief at
which they are made. A node is a composition of `steps` = n into K whole numbers m, u = m / n.
Bayes' rule reads the same in u, u'(θ) ∝ u(θ) σ(a|θ), so that the prior enters a solve only where
payoffs are averaged over other actors' types. Values between nodes are linear in u on the cells
of Kuhn's triangulation (Kuhn 1960; Freudenthal 1942), which a point's cumulative coordinates
c(j) = n Σ_{θ ≥ j} u(θ) find by sorting their fractional parts.

For the prior to be a node, even on the coarser grid, n must be twice the number of types that are
possible at the start. Where so many steps make too many nodes (1.6 million for nine types), the
prior lies between the nodes of a regular grid of fewer steps, its m being quarters, and is put in
as one more: the cells around it are divided (see `detente.solver.kuhn`).

The prior's m are even, so that the nodes with even m are a grid of the same kind: the coarser
grid from which the discretisation error is judged. Beliefs about several actors live on the
product of their grids; b numbers its nodes, the last actor's varying fastest.

Where the prior is a joint one, what moves have told is still one likelihood for each actor, as
types do not change. A node then stands for the belief in profiles that is in proportion to
lift(θ) Π b(θ): b is what is told of each actor by itself, and the prior is a node as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, comb, prod

import numpy as np

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame, marginals
from detente.solver.kuhn import Star, kuhn_cells, make_star, subdivided

FEW_NODES = 1000
"""Nodes up to which the grid of an actor is regular, if with so many the prior is one of them."""

QUARTERS = 4
"""Parts of a step in which a prior that is put in lies: its cell is not divided into slivers."""


@dataclass(frozen=True, eq=False)
class Simplex:
    """The grid of the belief about one actor.

    steps
        n; 0 where nothing is private.
    prior
        int64 [θ]: the composition m that is the prior.
    node
        int64 [g, θ]: the compositions m of n, in the order of their cumulative coordinates.
    rank
        int64 [j, c]: the position of a node is Σ_j rank[j, c(j + 1)], j = 0 … K - 2.
    start
        Position of the prior.
    belief
        float64 [g, θ]: probability of each type at each node.
    star
        Where the prior is no node of the regular grid but put in, as the last one. Then `prior` and
        `node` are no whole numbers.
    """

    steps: int
    prior: Ints | Floats
    node: Ints | Floats
    rank: Ints
    start: int
    belief: Floats
    star: Star | None = None

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.node)

    def ratio(self, prior: Floats) -> Floats:
        """r of u(θ) ∝ r(θ) b(θ), for the prior that it was made for: float64 [θ]."""
        ratio = np.full(prior.size, float(self.steps))  # where the type is impossible
        np.divide(self.prior, prior, out=ratio, where=prior > 0)
        return ratio


@dataclass(frozen=True, eq=False)
class BeliefGrid:
    """The product of the grids about all actors; `profiles` is int64 [p, i]. `lift` as in
    `CompiledGame`."""

    about: tuple[Simplex, ...]
    profiles: Ints
    lift: Floats | None = None

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of nodes of each actor's belief."""
        return tuple(simplex.size for simplex in self.about)

    @property
    def points(self) -> tuple[int, ...]:
        """Nodes along an edge of each informed actor's simplex."""
        return tuple(simplex.steps + 1 for simplex in self.about if simplex.steps)

    @cached_property
    def size(self) -> int:
        """B, the number of nodes of the product grid."""
        return prod(self.shape)

    @cached_property
    def start(self) -> int:
        """The node b of the priors."""
        return int(np.ravel_multi_index([s.start for s in self.about], self.shape))

    def stride(self, i: int) -> int:
        """Steps in b from one node of actor i's belief to the next."""
        return prod(self.shape[i + 1 :])

    def position(self, i: int) -> Ints:
        """The node of actor i's belief at each node, int64 [b]."""
        return self._positions[i]

    @cached_property
    def _positions(self) -> tuple[Ints, ...]:
        return np.unravel_index(np.arange(self.size), self.shape)

    def type_probability(self, i: int) -> Floats:
        """Probability of each of actor i's types by itself at each node, float64 [b, θ]."""
        return self.about[i].belief[self.position(i)]

    def by_actor(self, mass: Floats) -> tuple[Floats, ...]:
        """For each actor, mass [t, b, p] by what is `told` of it, float64 [t, g, p]."""
        actors = range(len(self.about))
        if self.lift is not None:
            return (mass,) * len(actors)
        parts = mass.reshape(len(mass), *self.shape, -1)
        return tuple(parts.sum(axis=tuple(1 + j for j in actors if j != i)) for i in actors)

    def told(self, i: int) -> Floats:
        """What the public believes of actor i, float64 [g, θ]: at the nodes of the belief about it,
        or at all nodes b where the prior is a joint one."""
        if self.lift is None:
            return self.about[i].belief
        about = [self.type_probability(j) for j in range(len(self.about))]
        return marginals(self.lift, self.profiles, about)[i]


def belief_grid(game: CompiledGame, points: int) -> BeliefGrid:
    """The grid with `points` nodes (odd) along each edge of each informed actor's simplex."""
    about = (_simplex(prior, _middle(prior, points - 1)) for prior in game.priors)
    return BeliefGrid(tuple(about), game.profiles, game.lift)


def grid_like(game: CompiledGame, grid: BeliefGrid) -> BeliefGrid:
    """A grid with the same compositions around the game's own priors, smooth in them."""
    pairs = zip(game.priors, grid.about, strict=True)
    return BeliefGrid(tuple(_simplex(p, s.prior) for p, s in pairs), game.profiles, game.lift)


def grid_size(game: CompiledGame, points: int) -> int:
    """The number of nodes of that grid, without making it."""
    return prod(simplex_size(prior, points) for prior in game.priors)


def simplex_size(prior: Floats, points: int) -> int:
    """The number of nodes of the grid of one actor."""
    return comb(points + prior.size - 2, prior.size - 1) + lies_between(prior)


def coarser(game: CompiledGame, grid: BeliefGrid) -> BeliefGrid:
    """The grid of the nodes with even m; of a third of the steps where the prior is put in, as
    with so few of them half as many may be wrong by the same."""
    about = []
    for prior, simplex in zip(game.priors, grid.about, strict=True):
        middle = simplex.prior // 2
        if simplex.star is not None:
            middle = simplex.prior / simplex.steps * max(1, simplex.steps // 3)
        about.append(_simplex(prior, middle))
    return BeliefGrid(tuple(about), game.profiles, game.lift)


def halved(game: CompiledGame, grid: BeliefGrid) -> BeliefGrid | None:
    """A grid with half the steps along each edge, None where there is none with at least 4: that of
    the nodes with even m if the prior is one of them."""
    if not grid.points:
        return None
    middles = [
        _half(prior, simplex) for prior, simplex in zip(game.priors, grid.about, strict=True)
    ]
    if any(middle is None for middle in middles):
        return None
    about = (_simplex(p, m) for p, m in zip(game.priors, middles, strict=True) if m is not None)
    return BeliefGrid(tuple(about), game.profiles, game.lift)


def _half(prior: Floats, simplex: Simplex) -> Ints | Floats | None:
    """The composition that is the prior where there are half the steps."""
    half = simplex.steps // 2
    if simplex.steps == 0:
        return simplex.prior
    if simplex.steps % 2 or half < 4:
        return None
    if simplex.star is None and not (simplex.prior % 2).any():
        return simplex.prior // 2
    return _middle(prior, half) if half % 2 == 0 and half + 1 >= fewest_points(prior) else None


def refined(values: Floats, rough: BeliefGrid, fine: BeliefGrid) -> Floats:
    """Values [x, c, b] on a grid, linear between the nodes of one with half the steps."""
    values = values.reshape(*values.shape[:2], *rough.shape)
    for i, (few, many) in enumerate(zip(rough.about, fine.about, strict=True)):
        axis = i + 2
        if few.star is not None or many.star is not None:
            nodes, weights = cells(few, many.node)
            shape = (-1, *(1,) * (values.ndim - 1 - axis))
            corners = zip(nodes.T, weights.T, strict=True)
            values = sum(np.take(values, k, axis) * w.reshape(shape) for k, w in corners)
            continue
        # A node between two others is the middle of an edge of a cell.
        tails = np.cumsum(many.node[:, ::-1], axis=1)[:, -2::-1]
        ends = (tails // 2, (tails + 1) // 2)
        below, above = (few.rank[np.arange(end.shape[1]), end].sum(axis=1) for end in ends)
        values = (np.take(values, below, axis) + np.take(values, above, axis)) / 2
    return values.reshape(*values.shape[:2], fine.size)


def fewest_points(prior: Floats | Ints) -> int:
    """The fewest points of a simplex with this prior, which must be inside.

    It is on the side of those types alone that are possible at the start: a programme that begins
    at a known level takes few, however many levels it may come to. Few are enough as well for a
    prior that is put in.
    """
    possible = int(np.count_nonzero(prior))
    if lies_between(prior):
        return max(5, 2 * ceil(possible / (2 * QUARTERS)) + 1)
    return max(5, 2 * possible + 1)


def lies_between(prior: Floats | Ints) -> bool:
    """Whether the prior is put in between the nodes of a regular grid: none of few nodes has it."""
    steps = max(4, 2 * int(np.count_nonzero(prior)))
    return comb(steps + prior.size - 1, prior.size - 1) > FEW_NODES


def cells(simplex: Simplex, u: Ints | Floats) -> tuple[Ints, Floats]:
    """The nodes around u, [h, θ] in proportion, and their weights, both [h, k]; a node that does
    not count has weight 0."""
    corner, weight = kuhn_cells(simplex.rank, simplex.steps, u)
    return (corner, weight) if simplex.star is None else subdivided(simplex.star, corner, weight)


def _simplex(prior: Floats, middle: Ints | Floats) -> Simplex:
    """The grid in which the prior is the node with composition `middle`."""
    kinds, steps = prior.size, round(middle.sum())
    if kinds == 1:
        single = np.zeros((1, 1), dtype=np.int64)
        return Simplex(0, single[0], single, np.zeros((0, 2), dtype=np.int64), 0, np.ones((1, 1)))
    node: Ints | Floats = _compositions(steps, kinds)
    counts = [[comb(c + j, j + 1) for c in range(steps + 2)] for j in range(kinds - 1)]
    rank = np.array(counts[::-1], dtype=np.int64)
    # Where a type is impossible its ratio does not matter: the prior is on the simplex's edge.
    ratio = np.divide(prior, middle, out=np.full(kinds, 1.0 / steps), where=middle > 0)
    star = None
    if middle.dtype.kind == "f":
        star = make_star(rank, steps, middle, len(node))
        node, start = np.concatenate([node, middle[None]]), star.node
    else:
        tail = np.cumsum(middle[::-1])[::-1][1:]
        start = int(rank[np.arange(kinds - 1), tail].sum())
    weight = node * ratio
    belief = weight / weight.sum(axis=1, keepdims=True)
    return Simplex(steps, middle, node, rank, start, belief, star)


def _middle(prior: Floats, steps: int) -> Ints | Floats:
    """The composition that the prior is to be: even, or of quarters where it is put in."""
    if lies_between(prior):
        return _apportion(prior, QUARTERS * steps) / QUARTERS
    return 2 * _apportion(prior, steps // 2)


def _compositions(total: int, parts: int) -> Ints:
    """All ways to write `total` as an ordered sum of `parts` whole numbers, as int64 [g, θ]."""
    tails = np.array([[c] for c in range(total + 1)])
    for _ in range(parts - 2):
        tails = np.array([[*t, c] for t in tails.tolist() for c in range(t[-1] + 1)])
    full = np.concatenate([np.full((len(tails), 1), total), tails], axis=1)
    return np.concatenate([full[:, :-1] - full[:, 1:], full[:, -1:]], axis=1)


def _apportion(prior: Floats, seats: int) -> Ints:
    """Whole numbers near seats x prior that add up to `seats`, at least 1 where prior > 0."""
    share = np.where(prior > 0, np.maximum(1, np.floor(prior * seats)), 0).astype(np.int64)
    while share.sum() != seats:
        missing = prior * seats - share
        if share.sum() < seats:
            share[np.argmax(np.where(prior > 0, missing, -np.inf))] += 1
        else:
            share[np.argmin(np.where(share > 1, missing, np.inf))] -= 1
    return share
