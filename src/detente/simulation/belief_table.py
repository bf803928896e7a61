"""What is believed over time: the belief of the public, as a distribution over histories.

The forward pass moves mass from node to node of the belief grid. Payoffs are right so; but a belief
between nodes is spread over those around it, at every turn again, and in the end nodes may lie much
further apart than what is believed: see `detente.simulation.node_beliefs`, which reads them and
says how wrong that may be. Where that is much, histories are drawn, with beliefs that are
posteriors (see `detente.simulation.histories`): of the grid they have the strategies only. Each
profile of true types has the same number of them, whatever its probability.

One thing is known without drawing where types do not change: the mean belief about a type, whatever
the types are, is the probability of this type at all times (a martingale). The drawn means are
brought to it, under all conditions alike. The error has two parts: that of drawing, six standard
errors by the differences of `SETS` sets of histories; and the grid's, from the same random numbers
on the coarser one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Bools, Floats, Ints
from detente.game.arrays import CompiledGame
from detente.simulation.conditions import conditions
from detente.simulation.histories import Histories, Step
from detente.simulation.node_beliefs import QUANTILES, Pass, Reading, read_nodes
from detente.solver.discretisation import ROUNDING, grid_error
from detente.solver.memory import HISTORIES
from detente.solver.solution import Solution
from detente.solver.workers import Progress, between

BELIEF_COLUMNS = "about", "type", "mean", "median", "low", "high", "error", "spread_error"

SETS = 16
"""Sets of histories by whose differences the error of drawing is judged."""

WIDE = 6.0 / np.sqrt(SETS)
"""Six standard errors, in standard deviations over sets. Of random small games, all histories of
which were enumerated, three cover 98 of 100 means; but a table has a hundred, and of long games one
was found four away."""

UNSEEN = 1e-3
"""Least error of what was drawn: of moves that are rarer nothing may have been."""

SEED = 2018
"""Of the histories: a forecast is the same each time, and on the coarser grid they are the same."""

SURER = 3.0
"""How many times larger the error of what is read from the nodes must be than that of drawing:
errors are rough, and to take the smaller would be to take the one that is too small by chance."""


@dataclass(frozen=True)
class DrawnBeliefs:
    """Beliefs along histories of a solution, in sets s of equally many h.

    profiles
        The true types of each at the start, the same in all sets: int64 [h].
    counted
        Those in which what is given has been by then, bool [t, s, h]; None where nothing is given.
    beliefs
        For each informed actor, float64 [θ, t, s, h].
    """

    solution: Solution
    profiles: Ints
    counted: Bools | None
    beliefs: Mapping[int, Floats]

    @cached_property
    def together(self) -> DrawnBeliefs:
        """All of them as one set."""

        def joined(numbers: NDArray[Any]) -> NDArray[Any]:
            return numbers.reshape(*numbers.shape[:-2], 1, -1)

        sets = next(iter(self.beliefs.values())).shape[2]
        counted = None if self.counted is None else joined(self.counted)
        beliefs = {i: joined(belief) for i, belief in self.beliefs.items()}
        return DrawnBeliefs(self.solution, np.tile(self.profiles, sets), counted, beliefs)

    def numbers(self, i: int, every: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
        """Means and quantiles of the beliefs about actor i, float64 [t, s, θ] and [t, s, q, θ],
        over profiles with each of these weights [p]."""
        means = self._means(i, every)
        belief = self.beliefs[i]
        order = _sorted(belief)
        number = self._counted(order)
        spreads = []
        for weights, mean in zip(every, means, strict=True):
            place = np.take_along_axis(order, _quantiles(weights, number), axis=-1)
            spread = np.moveaxis(np.take_along_axis(belief, place, axis=-1), 0, -1)
            spreads.append(np.where(np.isnan(mean)[:, :, None], np.nan, spread))
        return list(zip(means, spreads, strict=True))

    def _counted(self, order: Ints) -> Ints:
        """How many histories of each profile count among the first of an order, int32 [p, …, h]."""
        profiles = len(self.solution.game.profiles)
        profile = self.profiles.take(order)
        if self.counted is not None:
            there = np.broadcast_to(self.counted, order.shape)
            profile = np.where(np.take_along_axis(there, order, axis=-1), profile, -1)
        number = np.empty((profiles, *order.shape), dtype=np.int32)
        for p, counts in enumerate(number):
            np.cumsum(profile == p, axis=-1, out=counts)
        return number

    def _means(self, i: int, every: Sequence[Floats]) -> list[Floats]:
        """The means alone, brought to the prior where types do not change."""
        game = self.solution.game
        prior = game.priors[i]
        apart = self.beliefs[i] - prior[:, None, None, None]
        drawn = self._by_profile(np.ones(apart.shape[1:])), self._by_profile(apart)
        counted = drawn
        if self.counted is not None:
            apart *= self.counted
            counted = self._by_profile(self.counted), self._by_profile(apart)

        def mean(number: Floats, total: Floats, weights: Floats) -> Floats:
            with np.errstate(invalid="ignore"):
                return np.asarray(
                    prior + np.moveaxis((total @ weights) / (number @ weights), 0, -1)
                )

        means = [mean(*counted, weights) for weights in every]
        if game.changing:
            return means
        # The same whatever the types are, and whatever is given.
        whole = mean(*drawn, game.profile_prior())
        return [_corrected(each, whole, prior) for each in means]

    def _by_profile(self, numbers: Floats | Bools) -> Floats:
        """Numbers of histories [..., h] added up by their true types, float64 [..., p]."""
        profiles = range(len(self.solution.game.profiles))
        return np.stack([numbers[..., self.profiles == p].sum(axis=-1) for p in profiles], axis=-1)


class Drawing:
    """Histories played layer by layer; what is believed at the end of each period is kept."""

    def __init__(
        self, solution: Solution, given: Sequence[str] = (), periods: int | None = None
    ) -> None:
        game = solution.game
        count = len(game.profiles)
        each = max(1, HISTORIES // (SETS * count)) * count
        types = np.tile(np.arange(count), each // count)
        streams = np.random.default_rng(SEED).spawn(SETS)
        self.given = given
        self.histories = Histories(
            solution, streams, periods, each=each, profiles=np.tile(types, SETS), outcomes=given
        )
        shape = self.histories.moves[-1][0] + 1, SETS, each
        counted = np.ones(shape, dtype=bool) if given else None
        beliefs = {i: np.empty((game.priors[i].size, *shape)) for i in game.informed}
        self.result = DrawnBeliefs(solution, types, counted, beliefs)
        self._steps = self.histories.play()
        self._keep(0)

    def step(self, *_: object) -> None:
        """Play the next layer, if there is one: at a `forward.Visit` to it."""
        for step in islice(self._steps, 1):
            self._after(step)

    def finish(
        self, check: Callable[[], None] | None = None, progress: Progress | None = None
    ) -> DrawnBeliefs:
        """Play to the end; `check` is called after each layer, and may raise."""
        report = between(progress, 0.0, 1 / len(self.histories.moves))
        for done, step in enumerate(self._steps, 1):
            self._after(step)
            report(done)
            if check is not None:
                check()
        return self.result

    def _after(self, step: Step) -> None:
        if self.histories.game.ends_period[step.n]:
            self._keep(step.t)

    def _keep(self, t: int) -> None:
        """Keep what is believed now, at the end of period t."""
        counted = self.result.counted
        if counted is not None:
            been = np.logical_and.reduce([self.histories.been(key) for key in self.given])
            counted[t] = been.reshape(counted.shape[1:])
        public = self.histories.public
        for i, kept in self.result.beliefs.items():
            kept[:, t] = public[i].reshape(kept[:, t].shape)


def known_beliefs(
    drawn: Sequence[DrawnBeliefs],
    passes: Sequence[Pass],
    types: Mapping[str, str],
    progress: Progress,
) -> dict[tuple[int, bytes], Reading]:
    """What is known of each informed actor under each condition, by the condition's weights: read
    from the nodes, or drawn where that is much surer.

    Both are on the grid, and on the coarser one where there is one: without it errors are nan. At
    each t all conditions have the same way, so that means under the types weigh up to the whole.
    """
    if not drawn:
        return {}
    game = drawn[0].solution.game
    every = [weights for _, weights in conditions(game, types)]
    known = {}
    for n, i in enumerate(game.informed):
        ways: tuple[list[Reading], list[Reading]] = [], read_histories(drawn, i, every)
        for k, weights in enumerate(every, 1):
            ways[0].append(read_nodes(game, passes, i, weights))
            progress((n + k / len(every)) / len(game.informed))

        def best(name: str, error: str, ways: tuple[list[Reading], ...] = ways) -> list[Floats]:
            """The numbers of this name under each condition, by the way that their error says."""
            node, history = (np.fmax.reduce([getattr(r, error) for r in way]) for way in ways)
            pairs = zip(*([getattr(r, name) for r in way] for way in ways), strict=True)
            by_node = node <= SURER * history
            return [np.where(by_node.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in pairs]

        numbers = zip(
            best("mean", "error"),
            best("spread", "spread_error"),
            best("error", "error"),
            best("spread_error", "spread_error"),
            strict=True,
        )
        for weights, (mean, spread, error, spread_error) in zip(every, numbers, strict=True):
            errors = (error, spread_error) if passes[1:] else (np.full(len(mean), np.nan),) * 2
            known[i, weights.tobytes()] = Reading(mean, spread, *errors)
    return known


def belief_blocks(
    game: CompiledGame, known: Mapping[tuple[int, bytes], Reading], weights: Floats
) -> Iterator[dict[str, object]]:
    """The rows of each actor's belief at each t, over profiles with these weights; none where
    nothing is known."""
    for i in game.informed if known else ():
        reading = known[i, weights.tobytes()]
        for t in range(len(reading.mean)):
            low, median, high = reading.spread[t]
            yield {
                "t": t,
                "period": game.label(t),
                "about": game.actors[i].key,
                "type": game.actors[i].types,
                "mean": reading.mean[t],
                "median": median,
                "low": low,
                "high": high,
                "error": reading.error[t],
                "spread_error": reading.spread_error[t],
            }


def read_histories(drawn: Sequence[DrawnBeliefs], i: int, every: Sequence[Floats]) -> list[Reading]:
    """What is believed of actor i over profiles with each of these weights, as drawn on the grid
    and on the coarser one if there is one."""
    by_set = drawn[0].numbers(i, every)
    own, *rough = (each.together.numbers(i, every) for each in drawn)
    return [_reading(*each) for each in zip(own, rough[0] if rough else own, by_set, strict=True)]


def _reading(*ways: tuple[Floats, Floats]) -> Reading:
    """From the means and quantiles of all histories, of those on the coarser grid, and by set."""
    (mean, spread), _, _ = ways
    error, spread_error = (
        np.minimum(  # of a probability: between two clusters of beliefs nothing is known
            grid_error(_largest(number - other)) + _drawing(_largest(sets.std(axis=1, ddof=1))),
            1.0,
        )
        for number, other, sets in zip(*ways, strict=True)
    )
    return Reading(mean[:, 0], spread[:, 0], error, spread_error)


def _corrected(mean: Floats, whole: Floats, prior: Floats) -> Floats:
    """Means with those of the whole brought to the prior, all float64 [t, s, θ].

    Types of which too much is believed give up a share of it, which the others get: a linear map
    that keeps probabilities what they are.
    """
    kept = np.minimum(1.0, np.divide(prior, whole, out=np.ones_like(whole), where=whole > 0))
    short = np.maximum(prior - whole, 0.0)
    total = short.sum(axis=2, keepdims=True)
    share = np.divide(short, total, out=np.zeros_like(short), where=total > 0)
    given_up = (mean * (1.0 - kept)).sum(axis=2, keepdims=True)
    return np.asarray(mean * kept + given_up * share)


def _sorted(belief: Floats) -> Ints:
    """Histories by what is believed of each type, the least first: of beliefs [θ, …, h] the same.
    Of two types the order of one is that of the other from its end."""
    if len(belief) != 2:
        return np.argsort(belief, axis=-1)
    order = np.argsort(belief[0], axis=-1)
    return np.stack([order, order[..., ::-1]])


def _quantiles(weights: Floats, number: Ints) -> Ints:
    """The places of the quantiles in an order, int64 [..., q], from how many histories of each
    profile, which has such a weight [p], are among the first: int32 [p, …, h].

    By bisection, since to weigh them all takes longer than to count them. How equal beliefs are
    ordered does not matter, as a quantile is one of them or none; nor does rounding, where just so
    many histories as a quantile asks for are among the first.
    """
    size = number.shape[-1]
    flat = number.reshape(len(number), -1)
    first = size * np.arange(flat.shape[1] // size).reshape(*number.shape[1:-1], 1)

    def total(last: Ints) -> Floats:
        """The weight of the first up to this one, which never falls from one to the next."""
        mine = zip(weights, flat, strict=True)
        return np.asarray(sum(weight * each.take(first + last) for weight, each in mine if weight))

    limit = np.array(QUANTILES) * (1.0 - ROUNDING) * total(np.full((1,), size - 1))
    place: Ints = np.zeros(limit.shape, dtype=np.int64)
    for step in 2 ** np.arange(size.bit_length())[::-1]:
        more = place + step
        place = np.where((more <= size) & (total(np.minimum(more, size) - 1) < limit), more, place)
    return place


def _drawing(deviation: Floats) -> Floats:
    """The error of drawing from deviations over sets; 0 where they are rounding."""
    return np.where(deviation > ROUNDING, np.maximum(WIDE * deviation, UNSEEN), 0.0)


def _largest(change: Floats) -> Floats:
    """The largest at each t, float64 [t]."""
    return np.asarray(np.abs(change).reshape(len(change), -1).max(axis=1))
