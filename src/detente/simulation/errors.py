"""How far a number may be from what a belief grid without end would make of it.

The same number on the grid of every second node differs from it by three times its error where the
error falls as the square of the step. It need not: steps may be too wide for that yet, a posterior
near the edge of a cell may fall to either side, and a difference may be small by chance where it
changes its sign. So the largest difference of a number's neighbours stands for its own, and is
multiplied. On random scenarios the numbers of a grid four times as fine then lie within the errors
in 95 of 100. The factor was found on one family of seeds; `tests/simulation/test_errors.py` tries
them on another.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.simulation.conditions import conditions
from detente.simulation.forward import Forward
from detente.solver.solution import Solution

SAFETY = 3.0
"""Times the difference from the coarser grid: of a probability the largest up to then, whatever the
types are; of a payoff that of any of the actor's types; of a mean belief that about any type."""

LEAST, ROUNDING = 1e-6, 1e-12
"""Error below which a number is not said to be known, as two grids may agree by chance; but for
differences that are rounding, as where nothing depends on beliefs or is linear in them."""


def grid_error(change: Floats) -> Floats:
    """The errors of probabilities from their differences from the coarser grid, float64 [t, …]."""
    return _known_to(np.maximum.accumulate(np.abs(change), axis=0))


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


def payoff_errors(solution: Solution) -> dict[str, float]:
    """The error of an actor's payoffs, of any of its types; nan where there is no coarser grid."""
    rough = {} if solution.coarse is None else solution.coarse.payoffs
    errors = dict.fromkeys((actor.key for actor in solution.game.actors), 0.0)
    for (actor, kind), payoff in solution.payoffs.items() if solution.game.informed else ():
        change = np.array(abs(payoff - rough.get((actor, kind), np.nan)))
        errors[actor] = max(float(_known_to(change, abs(payoff))), errors[actor])
    return errors


def belief_error(change: Floats, between: Floats) -> Floats:
    """The error of mean beliefs, float64 [t], from their differences from the coarser grid and
    those between two readings of one grid, float64 [t, θ]."""
    worst = np.maximum(np.abs(change), np.abs(between)).max(axis=1)
    return _known_to(np.maximum.accumulate(worst))


def _known_to(change: Floats, size: float = 1.0) -> Floats:
    """Errors from differences, of numbers of this size."""
    least = np.where(change > ROUNDING * size, LEAST * size, 0.0)
    return np.asarray(np.maximum(SAFETY * change, least))
