"""What is differentiated, and the values of a game one move after the other.

Values of an observer whom an outcome pays 1, and who moves nowhere, are carried backward beside
the actors'. See `detente.solver.gradient` for what becomes of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detente.dtypes import Bools, Floats
from detente.game.arrays import CompiledGame
from detente.solver.kernels.adjoint import follow
from detente.solver.kernels.hidden_adjoint import follow_hidden
from detente.solver.kernels.lottery import BeliefLayout, Lottery, make_lottery
from detente.solver.kernels.private_chance import sweep_private
from detente.solver.kernels.stage import LayerArrays
from detente.solver.layout import (
    belief_layout,
    hidden_turn,
    make_scratch,
    part,
    private_turn,
    seats,
)
from detente.solver.solution import Solution
from detente.solver.workers import Workers

FAINT = 1e-13
"""A game without end is followed until what is left of the derivatives is below this."""


@dataclass(frozen=True, slots=True)
class Target:
    """The number to be differentiated: a payoff, or the probability of an outcome.

    given
        float64 [p]: 1 for the type profiles that count, 0 for others.
    by_prior
        bool [i]: the actors whose types are weighted by their prior, of which the number is a
        function as well. Those of other actors have to be given.
    actor
        Whose payoff; None for an outcome.
    outcome, period, happened
        The outcome, and whether it has held by the end of the period, or holds then.
    """

    given: Floats
    by_prior: Bools
    actor: int | None = None
    outcome: str = ""
    period: int = 0
    happened: bool = True

    def weights(self, game: CompiledGame, but: int = -1) -> Floats:
        """Weight of each type profile, float64 [p]; without the prior of actor `but`."""
        return self.given * game.profile_prior(but=[but, *np.flatnonzero(~self.by_prior)])


def moves_of(game: CompiledGame, target: Target) -> list[tuple[int, int]]:
    """The moves through which the number is followed, in order: (t, n)."""
    if game.loop is None:
        return [(layer.period, n) for n, layer in enumerate(game.layers)]
    slow = max(float(game.discount.max()), 1e-3)
    periods = target.period + int(np.ceil(np.log(FAINT) / np.log(slow)))
    return [(t, n) for t in range(1, periods + 1) for n in range(len(game.layers))]


def values_before(
    solution: Solution,
    n: int,
    following: Floats,
    arrays: LayerArrays,
    layout: BeliefLayout,
    workers: Workers,
) -> Floats:
    """Values before layer n by the solution's strategies, float64 [x, c, b].

    `following` has those of what the transitions of its `arrays` lead to.
    """
    game, grid = solution.game, solution.grid
    layer, sigma = game.layers[n], solution.strategies[n]
    result = np.empty((layer.states.size, *following.shape[1:]))
    hidden = hidden_turn(game, grid, layer)

    def task(first: int, last: int) -> None:
        if layer.private is not None:
            turn, lottery = (
                private_turn(game, grid, layer.private),
                make_lottery(layout, 1, grid.size),
            )
            sweep_private(first, last, arrays, layout, turn, following, result, lottery)
            return
        work = make_scratch(layout, arrays, following.shape[1], hidden=hidden is not None)
        if hidden is not None:
            given = layout, hidden, following, sigma, result, work
            follow_hidden(first, last, arrays, *given)
            return
        follow(first, last, arrays, layout, following, sigma, result, work)

    workers.run(task, layer.states.size, layer.states.size * grid.size)
    return result


class ValueTape:
    """The moves of a game in order, and the values before each of them.

    `moves` are (t, n). A game without end is played forward for as long as anything counts; its
    payoffs' values are the same in each period, those of an observer are not. There may be
    several `observers`.
    """

    def __init__(
        self, solution: Solution, target: Target, workers: Workers, observers: int | None = None
    ) -> None:
        game, grid = solution.game, solution.grid
        self.solution, self.target, self.workers = solution, target, workers
        self.width = game.profiles.size
        self.observers = int(target.actor is None) if observers is None else observers
        self.columns = self.width + self.observers * len(game.profiles)
        movers = {seats(layer) for layer in game.layers}
        self.layouts = {m: belief_layout(game, grid, m) for m in movers}
        self.parts = [part(game, layer) for layer in game.layers]
        self.moves = moves_of(game, target)

    def lottery(self, n: int, *, slopes: bool = False) -> Lottery:
        """Room for what chance tells of a private type at layer n."""
        layout = self.layouts[seats(self.solution.game.layers[n])]
        return make_lottery(layout, 1, self.solution.grid.size, slopes=slopes)

    def ends_period(self, k: int) -> bool:
        """Whether a period ends right after move k."""
        return k + 1 == len(self.moves) or self.moves[k + 1][0] > self.moves[k][0]

    def observe(self, values: Floats, k: int, n: int) -> Bools | None:
        """Set the observer's values before move k, at layer n, where they are known; gives where.

        `values` is float64 [x, c, b]; None where there is no observer.
        """
        if not self.observers:
            return None
        game, target = self.solution.game, self.target
        holds = game.holds[target.outcome][n]
        passed = self.moves[k - 1][0] if k else 0
        after = k and self.ends_period(k - 1)
        block = values[:, self.width :]
        if passed > target.period or (passed == target.period and after) or target.period == 0:
            end = (k == 0) if target.period == 0 else passed == target.period and after
            block[:] = holds[:, None, None] if end else 0.0
            return np.ones(len(values), dtype=bool)
        if not target.happened:
            return np.zeros(len(values), dtype=bool)
        block[holds] = 1.0
        return holds

    def last(self) -> Floats:
        """Values after the last move."""
        game, grid = self.solution.game, self.solution.grid
        values = np.zeros((game.final.size, self.columns, grid.size))
        if game.loop is None:
            values[:, : self.width] = game.terminal[:, :, None]
        else:
            values[:, : self.width] = np.moveaxis(self.solution.first_values[game.loop], 2, 1)
        self.observe(values, len(self.moves), len(game.layers))
        return values

    def closed(self, values: Floats, k: int) -> Floats:
        """Values after move k as they count before it: a period's end discounts and pays flows."""
        game = self.solution.game
        if not self.ends_period(k):
            return values
        t = 0 if game.loop is not None else self.moves[k][0] - 1
        result = values.copy()
        result[:, : self.width] *= np.repeat(game.discount, len(game.profiles))[:, None]
        result[:, : self.width] += game.flow[t][:, :, None]
        return result

    def following(self, values: Floats, k: int) -> tuple[Floats, LayerArrays]:
        """What the transitions of move k lead to, from the values after it; and its arrays."""
        return self.closed(values, k), self.parts[self.moves[k][1]]

    def before(self, values: Floats, k: int) -> Floats:
        """Values before move k from those after it."""
        game, n = self.solution.game, self.moves[k][1]
        following, arrays = self.following(values, k)
        del values
        layout = self.layouts[seats(game.layers[n])]
        result = values_before(self.solution, n, following, arrays, layout, self.workers)
        self.observe(result, k, n)
        if n == 0 and game.loop is not None and k:
            # The last states of the period before are found among the first ones of this.
            self.observe(result, k, n)
            return np.ascontiguousarray(result[game.loop])
        return result
