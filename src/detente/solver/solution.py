"""The solution of a compiled game: strategies on the belief grid, values at the start, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame
from detente.solver.beliefs import BeliefGrid

Floats = NDArray[np.float64]

RESIDUAL_LIMIT = 1e-9
"""Largest |σ - logit(Q(σ))| of a solution that counts as solved."""


class Status(Enum):
    """How a solve ended; the value is the sentence to print."""

    SOLVED = "solved: every response is the quantal response to the others, to 1e-9"
    INACCURATE = "not solved: some responses differ from the quantal response by more than 1e-9"
    STAGE_FAILED = "not solved: at some turns the principal branch could not be followed to its end"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was recomputed, by plain NumPy code apart from the solver, and what it showed.

    residual
        Largest |σ - logit(Q(σ))| over the nodes checked.
    value_error
        Largest difference between the solver's values and the recomputed ones there.
    checked, nodes
        Pairs of turn's state and belief that were recomputed, and all there are.
    regret
        By (actor, type): what its best response to the others would gain at the start; None
        where it was not asked for. '' is the type of an actor with nothing private.
    """

    residual: float
    value_error: float
    checked: int
    nodes: int
    regret: Mapping[tuple[str, str], float] | None


@dataclass(frozen=True, slots=True)
class BranchCount:
    """Stage problems of informed movers: by how the principal branch was found.

    unique
        Certain to have one solution, found by Newton's method.
    traced
        Followed from λ = 0, without a turn.
    folded
        Followed from λ = 0 around folds: at some precision on the way, and perhaps still at the
        last, there are several solutions.
    failed
        Not followed to the end.
    """

    unique: int
    traced: int
    folded: int
    failed: int


@dataclass(frozen=True, eq=False)
class Solution:
    """A Markov logit quantal response equilibrium with Bayesian beliefs on a grid.

    strategies
        For each layer float64, flat: that of state x starts at B K action_ptr[x] and is ordered
        [b, θ, a]; K is 1 for a mover with nothing private. Empty for chance. See `strategy`.
    start_values
        float64 [b, c] at the start.
    coarse
        The solution on every second node of the grid, from which errors are judged; or None.
    """

    game: CompiledGame
    grid: BeliefGrid
    strategies: tuple[Floats, ...]
    start_values: Floats
    status: Status
    certificate: Certificate
    branches: BranchCount
    coarse: Solution | None
    seconds: float
    threads: int

    def strategy(self, n: int, x: int) -> Floats:
        """The mover's strategy at state x of layer n, float64 [b, θ, a]."""
        layer = self.game.layers[n]
        types = self.types(n)
        first, last = layer.action_ptr[x], layer.action_ptr[x + 1]
        flat = self.strategies[n][self.grid.size * types * first : self.grid.size * types * last]
        return flat.reshape(self.grid.size, types, int(last - first))

    def types(self, n: int) -> int:
        """K of the mover of layer n; 1 for chance."""
        return max((len(self.game.priors[m]) for m in self.game.layers[n].movers), default=1)

    @property
    def payoffs(self) -> Mapping[tuple[str, str], float]:
        """Expected payoff of each (actor, type) at the start; '' where nothing is private."""
        game = self.game
        values = self.start_values[self.grid.start].reshape(len(game.priors), -1)
        return by_type(game, values)

    @property
    def discretisation_error(self) -> float | None:
        """Largest difference of a payoff from the coarser grid's, or None without one."""
        if self.coarse is None:
            return None
        coarse = self.coarse.payoffs
        return max(abs(value - coarse[key]) for key, value in self.payoffs.items())

    def __repr__(self) -> str:
        nodes = "x".join(str(n) for n in self.grid.shape if n > 1) or "no private types"
        return (
            f"<Solution of {self.game.scenario.name!r}: {self.status.value}; beliefs {nodes}; "
            f"residual {self.certificate.residual:.1e}>"
        )


def by_type(game: CompiledGame, values: Floats) -> dict[tuple[str, str], float]:
    """Expectation over the other actors' types of values [i, p], by (actor, type)."""
    result = {}
    for i, (key, actor) in enumerate(game.scenario.actors.items()):
        for theta, name in enumerate(actor.types or ("",)):
            mine = game.profiles[:, i] == theta
            others = np.ones(len(game.profiles))
            for j, prior in enumerate(game.priors):
                if j != i:
                    others *= prior[game.profiles[:, j]]
            result[key, name] = float(others[mine] @ values[i, mine])
    return result
