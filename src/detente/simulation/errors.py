"""The errors of a forecast's numbers: see `detente.solver.discretisation`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.simulation.conditions import conditions
from detente.simulation.forward import Forward
from detente.solver.discretisation import grid_error


def outcome_errors(
    game: CompiledGame, run: Forward, rough: Forward | None, types: Mapping[str, str]
) -> dict[tuple[str, str], Floats]:
    """The errors of `happened` and `holding` by outcome, float64 [t], whatever the types are.

    From the passes on the grid and on the coarser one, under each condition on the types that are
    not given; empty where there is no coarser one.
    """
    if rough is None:
        return {}
    weights = [weights for _, weights in conditions(game, types)]

    def error(name: str, key: str) -> Floats:
        pairs = ((run.expected(name, key, w), rough.expected(name, key, w)) for w in weights)
        # Missing under a condition with which what is given cannot be.
        return grid_error(np.fmax.reduce([np.abs(fine - other) for fine, other in pairs]))

    names = product(("happened", "holding"), game.holds)
    return {(name, key): error(name, key) for name, key in names}
