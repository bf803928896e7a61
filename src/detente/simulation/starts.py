"""Which types at the start are told apart where types change, and so are played forward apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame


class Starts:
    """Which type profiles at the start are played forward in one pass, where types change.

    Profiles that never lead to the same one share a pass: what becomes of each is told by the
    profiles of its own family.

    family
        bool [p, p]: whether one may come of the other, or both of a third.
    number
        int64 [p]: the pass of each, from 0.
    """

    def __init__(self, game: CompiledGame) -> None:
        kin = [np.eye(prior.size, dtype=bool) for prior in game.priors]
        for layer in game.layers:
            if layer.private is not None:
                kin[layer.private.actor] |= (layer.private.change > 0).any(axis=0)
            if layer.hidden is not None:
                kin[layer.movers[0]] |= (layer.hidden.change > 0).any(axis=0)
        count = len(game.profiles)
        self.family = np.ones((count, count), dtype=bool)
        for own, each in zip(game.profiles.T, kin, strict=True):
            either = each | each.T
            for _ in own:  # as often as a chain can be long
                either = either @ either
            self.family &= either[own][:, own]
        self.number = np.tril(self.family, -1).sum(axis=1)

    @property
    def passes(self) -> int:
        """How many there are."""
        return int(self.number.max()) + 1

    def joined(self, each: Sequence[Floats]) -> Floats:
        """What each pass gives by profile at the time, [..., p], by profile at the start."""
        begun = zip(self.number, self.family, strict=True)
        return np.stack([each[n][..., family].sum(axis=-1) for n, family in begun], axis=-1)

    def weights(self, prior: Floats, number: int) -> Floats:
        """The prior of the profile with which each one began in a pass, float64 [p]."""
        return np.asarray(self.family @ np.where(self.number == number, prior, 0.0))
