"""Beliefs read from the nodes of the belief grid, over which the forward pass moves mass.

A belief between nodes is spread over those around it, and again at each turn. What that does to the
mean of the nodes is known in part: the mean belief about a type, whatever the types are, is the
probability of this type at all times (where types do not change, a martingale). This drift is taken
out, under all conditions alike.

The nodes can be read in a second way. By Bayes' rule the probability of a type given a node is that
of the two together over that of the node. These readings have no drift; but histories that meet at
a node are taken by their mean, so that beliefs given a type part too little, where nodes part too
much. The error of a mean comes from what lies between the two readings, or from what the coarser
grid shows where that is more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.simulation.conditions import shares
from detente.simulation.forward import Forward
from detente.solver.beliefs import BeliefGrid
from detente.solver.discretisation import grid_error

QUANTILES = 0.1, 0.5, 0.9
"""Of histories that lie below the quantiles of the table."""


class Pass(NamedTuple):
    """A forward pass and its grid."""

    run: Forward
    grid: BeliefGrid


class Reading(NamedTuple):
    """Means and quantiles of what is believed, float64 [t, θ] and [t, q, θ], with their errors by
    time, float64 [t]: without a coarser grid, what is known of them."""

    mean: Floats
    spread: Floats
    error: Floats
    spread_error: Floats


def read_nodes(game: CompiledGame, passes: Sequence[Pass], i: int, weights: Floats) -> Reading:
    """What is believed of actor i, over profiles with these weights; the second of the `passes` is
    that on the coarser grid, where there is one."""
    fine = passes[0]
    own = _mass(game, fine.run, i, weights)
    mean, spread = _mean(game, fine, i, weights), _spread(game, fine, i, weights)
    change = np.abs(mean - np.einsum("tg,tgk->tk", own, _readings(game, fine.run, i)))
    moved = np.broadcast_to(change.max(axis=1)[:, None, None], spread.shape)
    if passes[1:]:
        change = np.maximum(change, np.abs(mean - _mean(game, passes[1], i, weights)))
        moved = np.abs(spread - _spread(game, passes[1], i, weights))
    error, spread_error = (
        np.minimum(grid_error(each.reshape(len(mean), -1).max(axis=1)), 1.0)
        for each in (change, moved)
    )
    return Reading(mean, spread, error, spread_error)


def _mass(game: CompiledGame, run: Forward, i: int, weights: Floats) -> Floats:
    """Probability of the nodes of the belief about actor i, float64 [t, g]."""
    mass = run.beliefs[i] @ weights
    return shares(mass, None if run.given is None else mass.sum(axis=1, keepdims=True))


def _mean(game: CompiledGame, one: Pass, i: int, weights: Floats) -> Floats:
    """The mean belief about each type of actor i, float64 [t, θ]."""
    nodes: Floats = _mass(game, one.run, i, weights) @ one.grid.told(i)
    return np.clip(nodes + _drift(game, one, i), 0.0, 1.0)


def _spread(game: CompiledGame, one: Pass, i: int, weights: Floats) -> Floats:
    """Its quantiles, float64 [t, q, θ]."""
    drift = _drift(game, one, i)
    believed = np.clip(one.grid.told(i) + drift[:, None], 0.0, 1.0)
    mass = _mass(game, one.run, i, weights)
    each = [quantiles(value, mass, QUANTILES) for value in np.moveaxis(believed, 2, 0)]
    return np.stack(each, axis=2)


def _drift(game: CompiledGame, one: Pass, i: int) -> Floats:
    """What the mean of the nodes falls short of the probability of each type, float64 [t, θ]."""
    together = _with_types(game, one.run, i)
    at_node, of_type = together.sum(axis=2), together.sum(axis=1)
    short: Floats = of_type - at_node @ one.grid.told(i)
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
    if run.with_types is not None:
        return run.with_types[i]
    kinds = game.profiles[:, i, None] == np.arange(game.priors[i].size)
    together: Floats = run.beliefs[i] @ (game.profile_prior()[:, None] * kinds)
    return together


def quantiles(value: Floats, mass: Floats, below: tuple[float, ...]) -> Floats:
    """The values below which these shares of the mass lie, float64 [..., q], of values and masses
    [..., g]."""
    order = np.argsort(value, axis=-1, kind="stable")
    total = np.take_along_axis(mass, order, axis=-1).cumsum(axis=-1)
    limit = np.array(below) * total[..., -1:]
    count = (total[..., None, :] < limit[..., None]).sum(axis=-1)
    place = np.take_along_axis(order, np.minimum(count, value.shape[-1] - 1), axis=-1)
    found = np.take_along_axis(value, place, axis=-1)
    return np.where(np.isnan(total[..., -1:]), np.nan, found)
