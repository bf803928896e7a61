"""Action values at which games without end begin: those of choices that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detente.dtypes import Floats
from detente.estimation.many_games import Games


def begin(games: Games, theta: Floats, weight: float) -> Floats:
    """Action values at which every unit plays its own frequencies, shrunk to those of all units:
    float64 [u, g]."""
    position = games.position
    pooled = games.counts.sum(axis=0)
    pooled = (pooled + 1) / (games.by_cell(pooled + 1))[position]
    total = games.by_cell(games.counts)[:, position]
    return begin_with(games, theta, (games.counts + weight * pooled) / (total + weight))


def begin_with(games: Games, theta: Floats, sigma: Floats) -> Floats:
    """Action values at which choices are these: cells have the worth of playing so for ever."""
    position = games.position
    odds = (np.log(sigma) - games.log_reference) / games.rate
    play = replace(games.at(theta, np.zeros_like(sigma)), sigma=sigma)
    paid = play.returns - games.discount * (
        games.prob @ play.worth.reshape(len(sigma), games.prob.shape[2], -1)
    )
    worth = np.empty_like(play.worth).reshape(len(sigma), games.prob.shape[2], -1)
    control = games.by_cell(sigma * odds) if games.shocks else np.zeros_like(play.worth)
    state = games.cell[games.act[:, 0]] // worth.shape[2]
    first = np.flatnonzero(np.diff(state, prepend=-1))
    chance = play.each.prod(axis=2)
    for i in range(worth.shape[2]):
        ahead = (chance * games.discount[:, i])[:, :, None] * games.prob
        ahead = np.add.reduceat(ahead, first, axis=1)
        flow = np.add.reduceat(chance * paid[:, :, i], first, axis=1)
        flow = flow - control.reshape(worth.shape)[:, :, i]
        worth[:, :, i] = np.linalg.solve(np.eye(ahead.shape[2]) - ahead, flow[:, :, None])[..., 0]
    base = worth.reshape(len(sigma), -1)[:, position]
    if not games.shocks:
        base = base - games.by_cell(sigma * odds)[:, position]
    return np.asarray(base + odds)
