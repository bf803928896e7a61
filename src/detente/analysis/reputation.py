"""What a reputation is worth: payoffs and first moves as others believe in one type or another.

A private type is worth hiding or showing only if the others act on what they believe of it. For
each informed actor the game is looked at with everybody believing with probability `LOW`, and with
`HIGH`, that it is of a type (the other types in proportion to the prior, the beliefs about other
actors as they are). The difference of its payoff is what being believed is worth to it: at the
start, and from the states that the forecast reaches on its way, where it is the expected payoff of
what is left of play. The equilibrium is one for all beliefs, so that nothing is solved again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from detente.dtypes import Floats
from detente.errors import expect
from detente.game.arrays import CompiledGame
from detente.scenario.frozen import Frozen
from detente.simulation.channels import Channels
from detente.simulation.columns import Columns
from detente.simulation.first_moves import first_moves
from detente.simulation.forecast import Forecast
from detente.simulation.forecast_tables import action_table
from detente.simulation.forward import ForwardPass, schedule
from detente.simulation.histories import cell
from detente.solver.solution import Solution, by_type
from detente.solver.workers import Workers, open_workers

LOW, HIGH = 0.1, 0.9
"""Beliefs that a type is the true one: hardly believed, and nearly certain."""

NEAR = 0.05
"""From the prior, up and down, for the slope there."""

FELT = 0.1
"""λ times a payoff that changes the odds of a move by a tenth: less is hardly worth a move."""


@dataclass(frozen=True, eq=False)
class Reputation:
    """What being believed is worth.

    payoffs
        `actor, type, believed, t, low, high, worth, slope`: the expected payoff, from after period
        t on (0: the start), of an actor of a true type where the others believe with `LOW` and with
        `HIGH` that it is `believed`; `worth` is high - low, `slope` the derivative by this belief
        at the prior (missing after the start). Later payoffs are those of `Solution.quick`.
    moves
        `about, believed, t, period, turn, actor, type, action, low, high`: the share of each action
        at the first turn at which an actor moves, for both beliefs about `about`; no rows where
        play was not followed.
    """

    solution: Solution
    tables: Frozen[Columns]

    @property
    def gains(self) -> float:
        """The most that anybody gains or loses by being believed, times its own precision."""
        game = self.solution.game
        precision = {actor.key: game.precision[i] for i, actor in enumerate(game.actors)}
        rows = self.tables["payoffs"].rows()
        return float(max((abs(r["worth"]) * precision[r["actor"]] for r in rows), default=0.0))

    @property
    def matters(self) -> bool:
        """Whether somebody's payoff depends on what is believed of it, beyond the error."""
        error = self.solution.discretisation_error or 0.0
        worth = np.abs(self.tables["payoffs"]["worth"].astype(float))
        return bool(np.any(worth > max(2.0 * error, 1e-6)))


def reputation(
    solution: Solution, *, follow: bool = True, threads: int | None = None
) -> Reputation:
    """The value of each informed actor's reputation.

    Where an actor has two types, only the belief in the first is looked at: the other says the
    same.

    Parameters
    ----------
    follow
        Whether to follow play on the coarser grid as well, for first moves and for what being
        believed is worth later on. Of play without end, and of a solution whose strategies have
        been let go, only the start can be looked at; so it is where types change, or go together
        with those of others.
    threads
        Threads to work with; all processors by default.
    """
    expect(solution, Solution, "reputation")
    game = solution.game
    follow = follow and not game.changing and game.lift is None
    rough = solution.quick
    payoffs: list[dict[str, object]] = []
    moves: list[dict[str, object]] = []
    masses = {}
    with open_workers(threads) as workers:
        if follow and rough.strategies and game.loop is None:
            masses = dict(_masses(rough, workers))
        for i in game.informed:
            key, types = game.actors[i].key, game.actors[i].types
            for believed, name in enumerate(types[:1] if len(types) == 2 else types):
                head = {"actor": key, "believed": name}
                prior = float(game.priors[i][believed])
                ends = max(prior - NEAR, 0.0), min(prior + NEAR, 1.0)
                at = {b: _at_start(solution, i, believed, b) for b in (LOW, HIGH, *ends)}
                slope = {
                    who: (at[ends[1]][who] - at[ends[0]][who]) / (ends[1] - ends[0])
                    for who in at[LOW]
                }
                payoffs += _rows(head, types, 0, at[LOW], at[HIGH], slope)
                for t, mass in masses.items():
                    low, high = (
                        _after(rough, workers, t, _replaced(rough, mass, i, believed, b))
                        for b in (LOW, HIGH)
                    )
                    payoffs += _rows(head, types, t, low, high, {})
                if follow and rough.strategies:
                    low_moves, high_moves = (
                        _first_moves(rough, workers, i, believed, b) for b in (LOW, HIGH)
                    )
                    columns = {n: c for n, c in low_moves.columns.items() if n != "share"}
                    shares = {"low": low_moves["share"], "high": high_moves["share"]}
                    moves.append({"about": key, "believed": name, **columns, **shares})
    order = ("actor", "type", "believed", "t", "low", "high", "worth", "slope")
    move_order = ("about", "believed", "t", "period", "turn", "actor", "type", "action")
    tables = {
        "payoffs": Columns.of(order, payoffs),
        "moves": Columns.of((*move_order, "low", "high"), moves),
    }
    return Reputation(solution, Frozen(tables))


Values = dict[tuple[str, str], float]
"""Expected payoffs by (actor, type)."""


def _rows(
    head: dict[str, str],
    types: tuple[str, ...],
    t: int,
    low: Values,
    high: Values,
    slope: Values,
) -> Iterator[dict[str, object]]:
    for kind in types:
        who = head["actor"], kind
        numbers = {"low": low[who], "high": high[who], "worth": high[who] - low[who]}
        yield {**head, "type": kind, "t": t, **numbers, "slope": slope.get(who, np.nan)}


def _replaced(solution: Solution, mass: Floats, i: int, believed: int, belief: float) -> Floats:
    """Mass [..., b] with the belief that actor i is of a type at some probability instead."""
    game, grid = solution.game, solution.grid
    prior = game.priors[i]
    others = np.where(np.arange(prior.size) == believed, 0.0, prior)
    if not others.any():
        others = (np.arange(prior.size) != believed).astype(float)
    about = (1.0 - belief) * others / others.sum()
    about[believed] = belief
    nodes, shares = cell(grid.about[i], prior, about)
    weights = np.zeros(grid.shape[i])
    weights[nodes] = shares
    parts = mass.reshape(*mass.shape[:-1], *grid.shape)
    axis = mass.ndim - 1 + i
    wide = weights.reshape(-1, *[1] * (len(grid.shape) - 1 - i))
    return np.asarray(parts.sum(axis=axis, keepdims=True) * wide).reshape(mass.shape)


def _begin(solution: Solution, i: int, believed: int, belief: float) -> Floats:
    """Weights on the nodes b at the start."""
    start = np.zeros(solution.grid.size)
    start[solution.grid.start] = 1.0
    return _replaced(solution, start, i, believed, belief)


def _at_start(solution: Solution, i: int, believed: int, belief: float) -> Values:
    values = _begin(solution, i, believed, belief) @ solution.start_values
    return by_type(solution.game, values.reshape(len(solution.game.priors), -1))


def _masses(solution: Solution, workers: Workers) -> Iterator[tuple[int, Floats]]:
    """At each period that is reported but the last, the mass at its end: float64 [x, p, b]."""
    game = solution.game
    *marks, _ = game.scenario.calendar.marks(game.periods)
    play = ForwardPass(solution, Channels(solution.game, counted=False), workers)
    for t, turns in groupby(schedule(game), key=lambda move: move[0]):
        if not marks or t > marks[-1]:
            return
        for _, n in turns:
            play.play(t, n)
        if t in marks:
            yield t, play.histories


def _after(solution: Solution, workers: Workers, t: int, mass: Floats) -> Values:
    """Expected payoffs of what is left of play after period t, from a mass [x, p, b] there."""
    game = solution.game
    play = ForwardPass(solution, Channels(solution.game, counted=False), workers)
    play.go_on_from(play.blocks.split(mass[:, None]))
    discount = game.discount[:, None]
    total = np.zeros_like(play.rewards)
    for at, turns in groupby(schedule(game), key=lambda move: move[0]):
        if at <= t:
            continue
        for _, n in turns:
            play.enter(at, n)
            play.leave(at - t, n, play.push(n))
        total += discount ** (at - t - 1) * _paid(game, game.flow[at - 1], play.histories)
    total += discount ** (game.periods - t) * _paid(game, game.terminal, play.histories)
    return by_type(game, total + play.rewards)


def _paid(game: CompiledGame, table: Floats, mass: Floats) -> Floats:
    """Expected payoffs [i, p] of a table [x, c] over a mass [x, p, b]."""
    return np.asarray(
        np.einsum("xip,xp->ip", table.reshape(len(table), len(game.priors), -1), mass.sum(axis=2))
    )


def _first_moves(
    solution: Solution, workers: Workers, i: int, believed: int, belief: float
) -> Columns:
    """First moves from a start at that belief."""
    game = solution.game
    play = ForwardPass(
        solution,
        Channels(solution.game, counted=False),
        workers,
        _begin(solution, i, believed, belief),
    )
    waiting = {m for layer in game.layers for m in layer.movers}
    moves = []
    for t, n in schedule(game):
        play.play(t, n)
        moves.append((t, n))
        layer = game.layers[n]
        for m, mover in enumerate(layer.movers):
            if play.acted[-1][layer.action[:, m] >= 0].any():
                waiting.discard(mover)
        if not waiting:
            break
    actions = Frozen({"actions": action_table(game, moves, play.acted, {})})
    return first_moves(Forecast(solution, moves[-1][0], actions, 0.0))
