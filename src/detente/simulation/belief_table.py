"""What is believed over time: the belief of the public, as a distribution over histories.

The forward pass moves mass from node to node of the belief grid, so that a belief between nodes is
spread over those around it, and again at each turn. Values are linear between nodes, so that
payoffs are right; the nodes themselves are not what is believed. What moves do to their mean is
right but for a drift, as spread mass learns otherwise, and as beliefs are not linear in the grid's
coordinates. This drift is known: the mean belief about a type is the probability of this type at
all times (a martingale). It is taken out, under all conditions alike.

The nodes can be read in a second way. By Bayes' rule the probability of a type given a node is that
of the two together over that of the node. These readings have no drift; but histories that meet at
a node are taken by their mean, so that beliefs given a type part too little, where nodes part too
much. The error of a mean comes from what lies between the two readings, or from what the coarser
grid shows where that is more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.simulation.conditions import shares
from detente.simulation.errors import belief_error
from detente.simulation.forward import Forward
from detente.solver.beliefs import BeliefGrid

BELIEF_COLUMNS = "about", "type", "mean", "median", "low", "high", "error"


class Pass(NamedTuple):
    """A forward pass and its grid."""

    run: Forward
    grid: BeliefGrid


def belief_blocks(
    game: CompiledGame, fine: Pass, rough: Pass | None, weights: Floats
) -> Iterator[dict[str, object]]:
    """The rows of each actor's belief at each t, over profiles with these weights."""
    for i in game.informed:
        own, drift, spread = _mass(game, fine.run, i, weights), _drift(game, fine, i), []
        believed = np.clip(fine.grid.about[i].belief + drift[:, None], 0.0, 1.0)
        for belief, mass in zip(believed, own, strict=True):
            spread.append([quantiles(value, mass, (0.1, 0.5, 0.9)) for value in belief.T])
        quartiles = np.array(spread)
        mean = _mean(game, fine, i, weights)
        error = np.full(len(mean), np.nan)
        if rough is not None:
            between = mean - np.einsum("tg,tgk->tk", own, _readings(game, fine.run, i))
            error = belief_error(mean - _mean(game, rough, i, weights), between)
        for t in range(len(mean)):
            yield {
                "t": t,
                "period": game.label(t),
                "about": game.actors[i].key,
                "type": game.actors[i].types,
                "mean": mean[t],
                "median": quartiles[t, :, 1],
                "low": quartiles[t, :, 0],
                "high": quartiles[t, :, 2],
                "error": error[t],
            }


def _mass(game: CompiledGame, run: Forward, i: int, weights: Floats) -> Floats:
    """Probability of the nodes of the belief about actor i, float64 [t, g]."""
    mass = run.beliefs[i] @ weights
    return shares(mass, None if run.given is None else mass.sum(axis=1, keepdims=True))


def _mean(game: CompiledGame, one: Pass, i: int, weights: Floats) -> Floats:
    """The mean belief about each type of actor i, float64 [t, θ]."""
    nodes: Floats = _mass(game, one.run, i, weights) @ one.grid.about[i].belief
    return np.clip(nodes + _drift(game, one, i), 0.0, 1.0)


def _drift(game: CompiledGame, one: Pass, i: int) -> Floats:
    """What the mean of the nodes falls short of the probability of each type, float64 [t, θ]."""
    together = _with_types(game, one.run, i)
    at_node, of_type = together.sum(axis=2), together.sum(axis=1)
    short: Floats = of_type - at_node @ one.grid.about[i].belief
    return _share(short, of_type.sum(axis=1, keepdims=True))


def _readings(game: CompiledGame, run: Forward, i: int) -> Floats:
    """The probability of each type of actor i given the node, float64 [t, g, θ]."""
    together = _with_types(game, run, i)
    return _share(together, together.sum(axis=2, keepdims=True))


def _share(part: Floats, whole: Floats) -> Floats:
    """Parts of what may be nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _with_types(game: CompiledGame, run: Forward, i: int) -> Floats:
    """The probability of a node and a type of actor i together, float64 [t, g, θ]."""
    kinds = game.profiles[:, i, None] == np.arange(game.priors[i].size)
    together: Floats = run.beliefs[i] @ (game.profile_prior()[:, None] * kinds)
    return together


def quantiles(value: Floats, mass: Floats, below: tuple[float, ...]) -> list[float]:
    """The values below which these shares of the mass lie."""
    order = np.argsort(value, kind="stable")
    total = np.cumsum(mass[order])
    if np.isnan(total[-1]):
        return [np.nan for _ in below]
    at = np.searchsorted(total, np.array(below) * total[-1])
    return [float(value[order][min(int(k), value.size - 1)]) for k in at]
