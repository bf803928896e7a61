"""Derivatives of a number by priors, from what they change at the nodes of the belief grid."""

from __future__ import annotations

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame, joint_cells
from detente.solver.value_tape import Target


def by_priors(
    game: CompiledGame, target: Target, ratio: Floats, joint: Floats, worth: Floats
) -> tuple[tuple[Floats, ...], Floats | None]:
    """`GameGradient.priors` and `joint`.

    Parameters
    ----------
    ratio, joint
        float64 [i, θ] and [p]: by the logarithms of priors, and of the joint prior's shares.
    worth
        float64 [p]: the number for each profile.
    """
    priors = []
    for i, prior in enumerate(game.priors):
        own = ratio[i, : prior.size]
        if joint.size:
            own = own + np.bincount(game.profiles[:, i], joint, minlength=prior.size)
        slope = np.divide(own, prior, out=np.zeros_like(own), where=prior > 0)
        if target.by_prior[i]:
            others = target.weights(game, but=i) * worth
            slope += np.bincount(game.profiles[:, i], others, minlength=prior.size)
        priors.append(slope)
    table = game.scenario.joint_prior
    if table is None:
        return tuple(priors), None
    weights = target.weights(game)
    gained = joint + weights * worth
    together = [list(game.scenario.actors).index(key) for key in table.by]
    if not target.by_prior[together].all():  # given some types, shares of what goes with them
        gained -= weights * (weights @ worth)
    cells = joint_cells(game.scenario, game.profiles)
    slopes = np.bincount(cells, gained) / np.bincount(cells, game.profile_prior())
    first = np.unique(cells, return_index=True)[1]
    for i in together:
        # Where types change, nodes are at what the table adds up to for each of them by itself.
        slopes += (ratio[i, : game.priors[i].size] / game.priors[i])[game.profiles[first, i]]
        priors[i] = np.zeros_like(priors[i])
    return tuple(priors), slopes
