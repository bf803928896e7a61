"""The solution of a compiled game: strategies on the belief grid, values at the start, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.notebook import InNotebook
from detente.solver.beliefs import BeliefGrid
from detente.solver.discretisation import error_from
from detente.solver.layout import kinds, play_pointers

if TYPE_CHECKING:
    import pandas as pd


RESIDUAL_LIMIT = 1e-9
"""Largest |σ - logit(Q(σ))| of a solution that counts as solved."""


class Status(Enum):
    """How a solve ended; the value is the sentence to print."""

    SOLVED = "solved: every response is the quantal response to the others, to 1e-9"
    INACCURATE = "not solved: some responses differ from the quantal response by more than 1e-9"
    NOT_STATIONARY = "not solved: no stationary equilibrium was reached at this precision"
    LIMIT_NOT_REACHED = "not solved: the time was over before the limit of perfect precision"
    STAGE_FAILED = "not solved: at some turns the principal branch could not be followed to its end"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was recomputed, by plain NumPy code apart from the solver, and what it showed.

    residual
        Largest |σ - logit(Q(σ))| over the nodes checked; nan where none was.
    value_error
        Largest difference between the solver's values and the recomputed ones there, or nan.
    checked, nodes
        Pairs of turn's state and belief that were recomputed, and all there are.
    regret
        By (actor, type): what its best response to the others would gain at the start; None
        where it was not asked for. '' is the type of an actor with nothing private.
    regret_points
        Belief points of the grid on which regret was computed: the coarser one in large games.
    change
        Of a stationary equilibrium's values from period to period, relative; else None.
    """

    residual: float
    value_error: float
    checked: int
    nodes: int
    regret: Mapping[tuple[str, str], float] | None
    regret_points: tuple[int, ...] = ()
    change: float | None = None


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
    forked
        Followed from λ = 0 straight through a point at which other branches begin.
    failed
        Not followed to the end.
    """

    unique: int
    traced: int
    folded: int
    forked: int
    failed: int

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> BranchCount:
        """As a solve has counted them."""
        return cls(*counts.tolist())


def status_of(branches: BranchCount, residual: float, value_error: float) -> Status:
    """How a solve has ended by its branches and its errors, which may be nan."""
    if branches.failed:
        return Status.STAGE_FAILED
    return Status.SOLVED if max(residual, value_error) <= RESIDUAL_LIMIT else Status.INACCURATE


@dataclass(frozen=True, eq=False)
class Solution(InNotebook):
    """A Markov logit quantal response equilibrium with Bayesian beliefs on a grid.

    strategies
        For each layer float64, flat: that of state x starts at B play_ptr[x] (see
        `detente.solver.layout.play_pointers`) and is ordered [(m, θ, a), b]; one θ for a mover
        with nothing private. Empty for chance. See `strategy`.
    first_values
        float64 [x, b, c] before the first layer.
    notes
        Sentences on how it was found, where that is not plain.
    coarse
        The solution on a coarser grid, of every second node if it is regular (`coarser`), from
        which errors are judged; or None.
    """

    game: CompiledGame
    grid: BeliefGrid
    strategies: Sequence[Floats]
    first_values: Floats
    status: Status
    certificate: Certificate
    branches: BranchCount
    coarse: Solution | None
    seconds: float
    threads: int
    notes: tuple[str, ...] = ()

    def strategy(self, n: int, x: int, m: int = 0) -> Floats:
        """The strategy of the m-th mover at state x of layer n, float64 [b, θ, a]."""
        layer = self.game.layers[n]
        each = kinds(self.game, layer)
        pointers = self.pointers[n]
        flat = self.strategies[n][self.grid.size * pointers[x] : self.grid.size * pointers[x + 1]]
        first = int(layer.choices[x, :m] @ np.array(each[:m], dtype=np.int64))
        shape = each[m], int(layer.choices[x, m])
        rows = flat.reshape(-1, self.grid.size)[first : first + shape[0] * shape[1]]
        return np.moveaxis(rows.reshape(*shape, self.grid.size), 2, 0)

    @cached_property
    def pointers(self) -> tuple[NDArray[np.int64], ...]:
        """For each layer, where the strategies of its states begin: int64 [x + 1]."""
        return tuple(play_pointers(self.game, layer) for layer in self.game.layers)

    @property
    def start_values(self) -> Floats:
        """float64 [b, c] at the start."""
        return np.asarray(self.first_values[self.game.start])

    @property
    def payoffs(self) -> Mapping[tuple[str, str], float]:
        """Expected payoff of each (actor, type) at the start; '' where nothing is private."""
        game = self.game
        values = self.start_values[self.grid.start].reshape(len(game.priors), -1)
        return by_type(game, values)

    def light(self) -> Solution:
        """The same without strategies, which can take a gigabyte; no table needs them any more."""
        return replace(self, strategies=(), coarse=self.coarse and self.coarse.light())

    @property
    def payoff_errors(self) -> Mapping[str, float]:
        """By actor, that of its payoffs, of any type; nan where there is no coarser grid. What is
        rounding goes by the largest of them: a small payoff may be what is left of large ones."""
        rough = {} if self.coarse is None else self.coarse.payoffs
        errors = {}
        for actor in self.game.actors:
            mine = [key for key in self.payoffs if key[0] == actor.key and self.game.informed]
            size = max((abs(self.payoffs[key]) for key in mine), default=0.0)
            changes = (abs(self.payoffs[key] - rough.get(key, np.nan)) for key in mine)
            errors[actor.key] = float(error_from(max(changes, default=0.0), size))
        return errors

    @property
    def discretisation_error(self) -> float | None:
        """The largest error of a payoff (see `detente.solver.discretisation`), or None."""
        return None if self.coarse is None else max(self.payoff_errors.values())

    @property
    def quick(self) -> Solution:
        """The coarser solution, for what is wanted to two digits. This one where there is none, or
        where it has too few nodes for that: those of many types are only good to judge errors."""
        put_in = any(simplex.star is not None for simplex in self.grid.about)
        return self if self.coarse is None or put_in else self.coarse

    def __repr__(self) -> str:
        nodes = "x".join(str(n) for n in self.grid.points) or "no private types"
        return (
            f"<Solution of {self.game.scenario.name!r}: {self.status.value}; beliefs {nodes}; "
            f"residual {self.certificate.residual:.1e}>"
        )

    def _main_table(self) -> pd.DataFrame:
        import pandas as pd  # which the solver has no other use for

        rows = [(*who, payoff) for who, payoff in self.payoffs.items()]
        return pd.DataFrame(rows, columns=["actor", "type", "payoff"])


def by_type(game: CompiledGame, values: Floats) -> dict[tuple[str, str], float]:
    """Expectation over the other actors' types of values [i, p], by (actor, type)."""
    result = {}
    for i, actor in enumerate(game.actors):
        others = game.profile_prior(but=[i])
        for theta, name in enumerate(actor.types or ("",)):
            mine = game.profiles[:, i] == theta
            result[actor.key, name] = float(others[mine] @ values[i, mine])
    return result
