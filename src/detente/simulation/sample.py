"""Sample histories from a solution: one row for each move, belief by belief."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detente.arguments import MOST_DRAWS, whole
from detente.game.arrays import CompiledGame, Layer
from detente.simulation.forecast import check_periods
from detente.simulation.forward import schedule
from detente.solver.beliefs import Simplex
from detente.solver.solution import Solution

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
        How many periods of a game without end to draw; by default as many as `forecast` tells.

    Returns
    -------
    DataFrame
        `draw, t, period, turn, actor, action` (chance has no actor, and its events as action), a
        column for each state variable (its label after the turn), the true type of each informed
        actor, and `belief ACTOR TYPE`, the public belief about it after the turn. Where several
        actors choose at the same time each has a row, all with the same state and beliefs. The
        first row of a draw (t = 0) is the start. Where nobody moves there is no row.

    Raises
    ------
    ValueError, TypeError
        If `draws` is no whole number from 1 to ten million, or `periods` no number of periods, or
        given for a game that ends.
    """
    whole("draws", draws, 1, MOST_DRAWS)
    check_periods(solution.game, periods)
    histories = [
        _history(solution, i, stream, periods) for i, stream in enumerate(rng.spawn(draws))
    ]
    return pd.DataFrame([row for history in histories for row in history])


@dataclass(slots=True)
class _Play:
    """A history as far as it has been drawn.

    t, x
        The period, and the state: a row of the states before the layer that comes next.
    p
        The true type profile.
    beliefs
        For each actor, float64 [θ].
    """

    t: int
    x: int
    p: int
    beliefs: list[Floats]


def _history(
    solution: Solution, draw: int, rng: np.random.Generator, periods: int | None
) -> Iterator[dict[str, object]]:
    """The rows of one history."""
    game = solution.game
    actors = list(game.scenario.actors)
    prior = game.profile_prior()
    p = int(rng.choice(prior.size, p=prior / prior.sum()))
    play = _Play(0, game.start, p, list(game.priors))
    yield _row(game, draw, 0, play, "", "")
    for t, n in schedule(game, periods):
        if game.loop is not None and t > 1 and n == 0:
            play.x = int(game.loop[play.x])
        play.t = t
        layer = game.layers[n]
        before = int(layer.states[play.x])
        e = int(layer.action_ptr[play.x]) + _choose(solution, n, play, rng)
        span = slice(int(layer.trans_ptr[e]), int(layer.trans_ptr[e + 1]))
        chance = layer.prob[span]
        play.x = int(layer.succ[span][rng.choice(chance.size, p=chance / chance.sum())])
        for m, own in zip(layer.movers, layer.action[e].tolist(), strict=True):
            if own >= 0:
                what = list(game.scenario.actions[actors[m]])[own]
                yield _row(game, draw, n + 1, play, actors[m], what)
        if not layer.movers and int(game.structure.sets[n + 1][play.x]) != before:
            yield _row(game, draw, n + 1, play, "", layer.event)


def _choose(solution: Solution, n: int, play: _Play, rng: np.random.Generator) -> int:
    """The joint action drawn at layer n, counted from the state's first; beliefs then move."""
    game = solution.game
    layer = game.layers[n]
    choices = layer.choices[play.x].tolist()
    drawn, posteriors = [0] * len(choices), list(play.beliefs)
    for m, i in enumerate(layer.movers):
        if choices[m] == 1:
            continue
        sigma = interpolated_strategy(solution, n, play.x, play.beliefs, m)
        theta = int(game.profiles[play.p, i])
        drawn[m] = int(rng.choice(choices[m], p=sigma[theta]))
        joint = play.beliefs[i] * sigma[:, drawn[m]]
        posteriors[i] = joint / joint.sum()
    play.beliefs = posteriors
    return int(np.ravel_multi_index(drawn, choices)) if choices else 0


def _row(
    game: CompiledGame, draw: int, n: int, play: _Play, who: str, what: str
) -> dict[str, object]:
    """The row of a history after n layers of its period."""
    actors = list(game.scenario.actors.values())
    levels = game.structure.levels(game.structure.sets[n][play.x : play.x + 1])
    layer: Layer | None = game.layers[n - 1] if n else None
    return {
        "draw": draw,
        "t": play.t,
        "period": game.scenario.calendar.label(play.t) if layer else "start",
        "turn": layer.turn + 1 if layer else 0,
        "actor": who,
        "action": what,
        **{v.key: v.label(int(levels[v.key][0])) for v in game.structure.variables},
        **{actors[i].key: actors[i].types[game.profiles[play.p, i]] for i in game.informed},
        **{
            f"belief {actors[i].key} {kind}": float(belief)
            for i in game.informed
            for kind, belief in zip(actors[i].types, play.beliefs[i], strict=True)
        },
    }


def interpolated_strategy(
    solution: Solution, n: int, x: int, beliefs: Sequence[Floats], m: int = 0
) -> Floats:
    """The strategy of the m-th mover at state x of layer n, between nodes: float64 [θ, a].

    `beliefs` has one float64 [θ] for each actor. What is interpolated is linear in the grid's
    coordinates on each cell, and multilinear over actors.
    """
    grid = solution.grid
    corners = [
        cell(simplex, prior, belief)
        for simplex, prior, belief in zip(grid.about, solution.game.priors, beliefs, strict=True)
    ]
    nodes = np.ravel_multi_index(np.ix_(*(at for at, _ in corners)), grid.shape)
    weight = reduce(np.multiply, np.ix_(*(share for _, share in corners)))
    play = np.tensordot(weight.ravel(), solution.strategy(n, x, m)[nodes.ravel()], 1)
    return np.asarray(play / play.sum(axis=1, keepdims=True))


def cell(simplex: Simplex, prior: Floats, belief: Floats) -> tuple[Ints, Floats]:
    """The nodes at the corners of the cell that a belief lies in, and their weights.

    From the lower corner of the cumulative coordinates c(j) one goes up in one of them after the
    other, the one with the largest fractional part first (see `detente.solver.beliefs`).
    """
    if simplex.steps == 0:
        return np.zeros(1, dtype=np.int64), np.ones(1)
    # As on the grid: where a type is impossible the ratio of u to b is n.
    ratio = np.full(prior.size, float(simplex.steps))
    u = belief * np.divide(simplex.prior, prior, out=ratio, where=prior > 0)
    tails = np.cumsum(u[::-1])[::-1] * (simplex.steps / u.sum())
    c = np.minimum(tails[1:], simplex.steps)
    lower = np.floor(c)
    order = np.argsort(lower - c, kind="stable")
    weight = -np.diff((c - lower)[order], prepend=1.0, append=0.0)
    up = np.zeros((prior.size, prior.size - 1))
    up[:, order] = np.tri(prior.size, prior.size - 1, -1)
    corner = (lower + up).astype(np.int64)[weight > 0]  # the others may lie outside the simplex
    node = simplex.rank[np.arange(prior.size - 1), corner].sum(axis=1)
    return node, weight[weight > 0]
