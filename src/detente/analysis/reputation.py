"""What a reputation is worth: payoffs and first moves as others believe in one type or another.

A private type is worth hiding or showing only if the others act on what they believe of it. For
each informed actor the game is looked at from a start at which everybody believes with probability
`LOW`, and from one with `HIGH`, that it is of a type (the other types in proportion to the prior,
the beliefs about other actors as they are). The difference of its payoff is what being believed is
worth to it. The equilibrium is one for all beliefs, so that nothing has to be solved again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detente.dtypes import Floats
from detente.errors import expect
from detente.scenario.frozen import Frozen
from detente.simulation.first_moves import first_moves
from detente.simulation.forecast import Forecast, action_table
from detente.simulation.forward import forward
from detente.simulation.histories import corners
from detente.simulation.table import Table
from detente.solver.solution import Solution, by_type
from detente.solver.workers import open_workers

LOW, HIGH = 0.1, 0.9
"""Beliefs that a type is the true one: hardly believed, and nearly certain."""

NEAR = 0.05
"""From the prior, up and down, for the slope there."""


@dataclass(frozen=True, eq=False)
class Reputation:
    """What being believed is worth.

    payoffs
        `actor, type, believed, low, high, worth, slope`: the expected payoff of an actor of a true
        type where the others believe with `LOW` and with `HIGH` that it is `believed`; `worth` is
        high - low, `slope` the derivative by this belief at the prior.
    moves
        `about, believed, t, period, turn, actor, type, action, low, high`: the share of each action
        at the first turn at which an actor moves, for both beliefs about `about`.
    """

    solution: Solution
    tables: Frozen[Table]

    @property
    def matters(self) -> bool:
        """Whether what is believed of an actor changes its payoff by more than the error of it."""
        error = self.solution.discretisation_error or 0.0
        worth = np.abs(self.tables["payoffs"]["worth"].astype(float))
        return bool(np.any(worth > max(2.0 * error, 1e-6)))


def reputation(solution: Solution, *, threads: int | None = None) -> Reputation:
    """The value of each informed actor's reputation at the start of play.

    Where an actor has two types, only the belief in the first is looked at: the other says the
    same.
    """
    expect(solution, Solution, "reputation")
    game = solution.game
    actors = list(game.scenario.actors.items())
    rough = solution if solution.coarse is None else solution.coarse
    payoffs: list[dict[str, object]] = []
    moves: list[dict[str, object]] = []
    for i in game.informed:
        key, actor = actors[i]
        for believed, name in enumerate(actor.types[:1] if len(actor.types) == 2 else actor.types):
            at = {b: _payoffs_at(solution, i, believed, b) for b in (LOW, HIGH)}
            prior = float(game.priors[i][believed])
            below, above = max(prior - NEAR, 0.0), min(prior + NEAR, 1.0)
            before, after = (_payoffs_at(solution, i, believed, b) for b in (below, above))
            for kind in actor.types:
                low, high = at[LOW][key, kind], at[HIGH][key, kind]
                slope = (after[key, kind] - before[key, kind]) / (above - below)
                payoffs.append(
                    {
                        "actor": key,
                        "type": kind,
                        "believed": name,
                        "low": low,
                        "high": high,
                        "worth": high - low,
                        "slope": slope,
                    }
                )
            low_moves, high_moves = (
                _first_moves_at(rough, i, believed, b, threads) for b in (LOW, HIGH)
            )
            columns = {n: c for n, c in low_moves.columns.items() if n != "share"}
            shares = {"low": low_moves["share"], "high": high_moves["share"]}
            moves.append({"about": key, "believed": name, **columns, **shares})
    order = ("actor", "type", "believed", "low", "high", "worth", "slope")
    move_order = ("about", "believed", "t", "period", "turn", "actor", "type", "action")
    tables = {
        "payoffs": Table.of(order, payoffs),
        "moves": Table.of((*move_order, "low", "high"), moves),
    }
    return Reputation(solution, Frozen(tables))


def _weights(solution: Solution, i: int, believed: int, belief: float) -> Floats:
    """Weights on the nodes b for the belief that actor i is of a type with some probability."""
    beliefs = [prior[None, :].copy() for prior in solution.game.priors]
    others = beliefs[i][0].copy()
    others[believed] = 0.0
    total = others.sum()
    spread = others / total if total > 0 else np.full(others.size, 1.0) / others.size
    beliefs[i][0] = (1.0 - belief) * spread
    beliefs[i][0, believed] = belief
    nodes, shares = corners(solution, beliefs)
    weights = np.zeros(solution.grid.size)
    np.add.at(weights, nodes[0], shares[0])
    return weights


def _payoffs_at(
    solution: Solution, i: int, believed: int, belief: float
) -> dict[tuple[str, str], float]:
    """Expected payoffs by (actor, type) from a start at that belief."""
    values = _weights(solution, i, believed, belief) @ solution.start_values
    return by_type(solution.game, values.reshape(len(solution.game.priors), -1))


def _first_moves_at(
    solution: Solution, i: int, believed: int, belief: float, threads: int | None
) -> Table:
    """First moves from a start at that belief."""
    begin = _weights(solution, i, believed, belief)
    with open_workers(threads) as workers:
        run = forward(solution, workers, begin=begin)
    actions = Frozen({"actions": action_table(solution.game, run)})
    return first_moves(Forecast(solution, len(run.states) - 1, actions, 0.0))
