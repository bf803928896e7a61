"""Sample histories from a solution: one row for each move, belief by belief.

Histories are drawn side by side, in batches: arrays over h, the histories of a batch. Each has a
stream of random numbers of its own, of which every layer of play takes the same ones whatever
has happened before: neither the number of draws nor that of a batch changes a history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from detente.arguments import MOST_DRAWS, whole
from detente.dtypes import Floats, Ints
from detente.errors import expect
from detente.game.automaton import automaton
from detente.game.periods import check_periods
from detente.simulation.forward import schedule
from detente.simulation.names import action_names
from detente.solver.beliefs import Simplex
from detente.solver.layout import kinds
from detente.solver.solution import Solution

BATCH = 2048
"""Histories drawn side by side: many enough for the time of a step to go into its numbers, few
enough to be shown while the next are drawn."""


def sample(
    solution: Solution, *, draws: int, rng: np.random.Generator, periods: int | None = None
) -> pd.DataFrame:
    """Histories drawn from a solution.

    The beliefs of a history are exact posteriors, not grid nodes: strategies are interpolated
    between nodes, linearly, so that frequencies agree with the forecast up to the
    discretisation error.

    Parameters
    ----------
    draws
        Number of histories. Draw i has its own random stream, spawned from `rng`: it is the same
        whatever the number of draws.
    rng
        Explicit source of randomness.
    periods
        How many periods of a game without end to draw; by default as many as `forecast` reports.

    Returns
    -------
    DataFrame
        `draw, t, period, turn, actor, action` (chance has no actor, and its events as action), a
        column for each state variable (its label after the turn), the true type of each informed
        actor, `belief ACTOR TYPE`, the public belief about it after the turn, and for each outcome
        `happened OUTCOME`, whether it has come about by then. Where several
        actors choose at the same time each has a row, all with the same state and beliefs. The
        first row of a draw (t = 0) is the start. Where nobody moves there is no row.

    Raises
    ------
    ScenarioError
        If `periods` is given for a game that ends.
    ValueError, TypeError
        If `draws` is no whole number from 1 to ten million, or `periods` no number of periods.
    """
    expect(solution, Solution, "sample")
    batches = sample_batches(solution, draws=draws, rng=rng, periods=periods)
    return pd.concat(batches, ignore_index=True)


def sample_batches(
    solution: Solution, *, draws: int, rng: np.random.Generator, periods: int | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of `sample`, table by table of some whole histories, as they are drawn.

    What has been drawn is not kept: any number of histories takes the same memory.
    """
    expect(solution, Solution, "sample_batches")
    whole("draws", draws, 1, MOST_DRAWS)
    check_periods(solution.game.scenario, periods)
    return (
        _Batch(solution, first, rng.spawn(min(BATCH, draws - first)), periods).table()
        for first in range(0, draws, BATCH)
    )


class _Batch:
    """Histories that are drawn side by side, as far as they have been drawn.

    x
        Their states, int64 [h]: rows of the states before the layer that comes next.
    p
        Their true type profiles, int64 [h].
    beliefs
        For each actor, float64 [h, θ].
    outcomes
        By outcome, its automaton and the state that this is in, int64 [h].
    rows
        The rows so far, for many histories at a time: the history of each, and its cells.
    """

    def __init__(
        self,
        solution: Solution,
        first: int,
        streams: Sequence[np.random.Generator],
        periods: int | None,
    ) -> None:
        self.solution, self.game, self.first = solution, solution.game, first
        self.moves = schedule(self.game, periods)
        # One number for the types; for each layer one for each mover, and one for what follows.
        takes = 1 + sum(len(self.game.layers[n].movers) + 1 for _, n in self.moves)
        self.random = iter(np.stack([stream.random(takes) for stream in streams]).T.copy())
        prior = self.game.profile_prior()
        self.x = np.full(len(streams), self.game.start)
        self.p = drawn(np.broadcast_to(prior, (len(streams), prior.size)), next(self.random))
        self.beliefs = [np.tile(prior, (len(streams), 1)) for prior in self.game.priors]
        self.rows: list[tuple[Ints, dict[str, object]]] = []
        outcomes = self.game.scenario.outcomes
        self.outcomes = {
            key: (automaton(outcomes, key), np.zeros_like(self.x)) for key in self.game.holds
        }
        self._test(0, end=False)

    def table(self) -> pd.DataFrame:
        """Play them to the end; their rows, one history after the other."""
        self._tell(np.arange(self.x.size), 0, 0, "", "")
        for t, n in self.moves:
            if self.game.loop is not None and t > 1 and n == 0:
                self.x = self.game.loop[self.x]
            self._play(t, n)
        histories = np.concatenate([h for h, _ in self.rows])
        order = np.argsort(histories, kind="stable")
        columns: dict[str, list[object]] = {"draw": (self.first + histories[order]).tolist()}
        for name in self.rows[0][1]:
            parts = [np.broadcast_to(np.asarray(cells[name]), h.shape) for h, cells in self.rows]
            columns[name] = np.concatenate(parts)[order].tolist()
        return pd.DataFrame(columns)

    def _play(self, t: int, n: int) -> None:
        """One layer: the movers choose by their true types, beliefs follow, chance decides."""
        layer = self.game.layers[n]
        before = layer.states[self.x]
        joint, within = self._choose(n)
        e = layer.action_ptr[self.x] + joint
        self.x = self._follow(n, e)
        self._test(n + 1, end=self.game.ends_period[n])
        for m, i in enumerate(layer.movers):
            own = layer.action[e, m]
            actor = self.game.actors[i].key
            names, position, share = action_names(self.game, actor)
            first = np.searchsorted(position, own)
            name = first + (within[m] / share[first]).astype(np.int64)
            actions = np.array(names, dtype=object)
            self._tell(np.flatnonzero(own >= 0), t, n + 1, actor, actions[name])
        if not layer.movers:
            after = self.game.structure.sets[n + 1][self.x]
            self._tell(np.flatnonzero(after != before), t, n + 1, "", layer.event)

    def _test(self, n: int, *, end: bool) -> None:
        """Test the outcomes before layer n, at the end of a period or not."""
        for key, (machine, state) in self.outcomes.items():
            letters = machine.letters(self.game.holds, n, end=end)[self.x]
            self.outcomes[key] = machine, machine.step[state, letters]

    def _choose(self, n: int) -> tuple[Ints, list[Floats]]:
        """The joint actions drawn at layer n, counted from the state's first; beliefs then move.

        With it, for each mover, where in the share of its action the number lay that drew it.
        """
        layer = self.game.layers[n]
        joint, within = np.zeros_like(self.x), list[Floats]()
        if not layer.movers:
            return joint, within
        corners = _corners(self.solution, self.beliefs)
        posteriors = list(self.beliefs)
        each = np.arange(self.x.size)
        for m, i in enumerate(layer.movers):
            choices = layer.choices[self.x, m]
            sigma = _strategies(self.solution, n, self.x, corners, m)
            mine, random = sigma[each, self.game.profiles[self.p, i]], next(self.random)
            action = drawn(mine, random)
            sums = np.cumsum(mine, axis=1)
            chance = mine[each, action]
            below = random * sums[:, -1] - (sums[each, action] - chance)
            within.append(np.clip(below / chance, 0.0, 1.0 - 1e-9))  # below 1 after rounding
            joint = joint * choices + action
            posterior = self.beliefs[i] * sigma[each, :, action]
            posterior /= posterior.sum(axis=1, keepdims=True)
            # Who has no choice says nothing, not even by rounding.
            posteriors[i] = np.where(choices[:, None] > 1, posterior, self.beliefs[i])
        self.beliefs = posteriors
        return joint, within

    def _follow(self, n: int, e: Ints) -> Ints:
        """The states that follow joint actions e [h], drawn from their transitions."""
        layer = self.game.layers[n]
        begin, count = layer.trans_ptr[e], layer.trans_ptr[e + 1] - layer.trans_ptr[e]
        number = np.arange(count.max())
        there = number < count[:, None]
        chance = np.where(there, layer.prob[np.where(there, begin[:, None] + number, 0)], 0.0)
        after: Ints = layer.succ[begin + drawn(chance, next(self.random))].astype(np.int64)
        return after

    def _tell(self, h: Ints, t: int, n: int, who: str, what: object) -> None:
        """Rows for some of the histories after n layers of a period; `what` is for all, or [h]."""
        game = self.game
        actors = list(game.scenario.actors.values())
        levels = game.structure.levels(game.structure.sets[n][self.x[h]])
        cells: dict[str, object] = {
            "t": t,
            "period": game.scenario.calendar.label(t) if n else "start",
            "turn": game.layers[n - 1].turn + 1 if n else 0,
            "actor": who,
            "action": what[h] if isinstance(what, np.ndarray) else what,
        }
        for v in game.structure.variables:
            labels = [v.label(level) for level in range(v.size)]
            cells[v.key] = np.array(labels, dtype=object)[levels[v.key]]
        for i in game.informed:
            kind = np.array(actors[i].types, dtype=object)
            cells[actors[i].key] = kind[game.profiles[self.p[h], i]]
        for i in game.informed:
            for theta, name in enumerate(actors[i].types):
                cells[f"belief {actors[i].key} {name}"] = self.beliefs[i][h, theta]
        for key, (machine, state) in self.outcomes.items():
            cells[f"happened {key}"] = machine.been[state[h]]
        self.rows.append((h, cells))


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
    corners = _corners(solution, [belief[None, :] for belief in beliefs])
    return np.asarray(_strategies(solution, n, np.array([x]), corners, m)[0])


def _corners(solution: Solution, beliefs: Sequence[Floats]) -> tuple[Ints, Floats]:
    """The nodes around beliefs [h, θ] about each actor and their weights, both [h, k]."""
    count, about = len(beliefs[0]), solution.grid.about
    nodes, weights = np.zeros((count, 1), dtype=np.int64), np.ones((count, 1))
    for simplex, prior, belief in zip(about, solution.game.priors, beliefs, strict=True):
        at, share = _cells(simplex, prior, belief)
        nodes = (nodes[:, :, None] * simplex.size + at[:, None, :]).reshape(count, -1)
        weights = (weights[:, :, None] * share[:, None, :]).reshape(count, -1)
    return nodes, weights


def _strategies(
    solution: Solution, n: int, x: Ints, corners: tuple[Ints, Floats], m: int
) -> Floats:
    """The m-th mover's strategies at states x [h] of layer n between nodes, float64 [h, θ, a].

    Zero where a state has fewer actions than another. See `Solution.strategies` for the layout.
    """
    layer, pointers = solution.game.layers[n], solution.pointers[n]
    nodes, weights = corners
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
    """The same for beliefs [h, θ], both [h, k]; a corner that does not count has weight 0.

    From the lower corner of the cumulative coordinates c(j) one goes up in one of them after the
    other, the one with the largest fractional part first (see `detente.solver.beliefs`).
    """
    count = len(belief)
    if simplex.steps == 0:
        return np.zeros((count, 1), dtype=np.int64), np.ones((count, 1))
    # As on the grid: where a type is impossible the ratio of u to b is n.
    ratio = np.full(prior.size, float(simplex.steps))
    u = belief * np.divide(simplex.prior, prior, out=ratio, where=prior > 0)
    tails = np.cumsum(u[:, ::-1], axis=1)[:, ::-1] * (simplex.steps / u.sum(axis=1))[:, None]
    c = np.minimum(tails[:, 1:], simplex.steps)
    lower = np.floor(c)
    order = np.argsort(lower - c, axis=1, kind="stable")
    fraction = np.take_along_axis(c - lower, order, axis=1)
    weight = -np.diff(fraction, axis=1, prepend=1.0, append=0.0)
    place = np.argsort(order, axis=1)
    up = place[:, None, :] < np.arange(prior.size)[:, None]
    up &= weight[:, :, None] > 0  # the others may lie outside the simplex
    corner = (lower[:, None, :] + up).astype(np.int64)
    return simplex.rank[np.arange(prior.size - 1), corner].sum(axis=2), weight
