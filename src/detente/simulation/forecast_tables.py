"""The tables of a forecast but for that of beliefs, from what a forward pass has counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame
from detente.simulation.columns import Columns
from detente.simulation.conditions import conditions, shares
from detente.simulation.errors import outcome_errors
from detente.simulation.forward import Forward
from detente.simulation.names import action_names
from detente.solver.solution import Solution

Block = dict[str, object]

STATE_COLUMNS = "variable", "level", "label"
ACTION_COLUMNS = "turn", "actor", "action"
"""Columns that are the same under each condition, beside `t, period`."""


def by_condition(
    game: CompiledGame,
    blocks: Callable[[Floats], Iterator[Block]],
    given: Mapping[str, str],
    *columns: str,
) -> Columns:
    """The blocks under each condition, as `t, period`, each informed actor's type and `columns`."""
    types = (game.actors[i].key for i in game.informed)
    rows = (
        block | labels for labels, weights in conditions(game, given) for block in blocks(weights)
    )
    return Columns.of(("t", "period", *types, *columns), rows)


def outcome_table(
    game: CompiledGame, run: Forward, rough: Forward | None, types: Mapping[str, str]
) -> Columns:
    """The outcomes of `Forecast`, with differences from a rougher pass where there is one."""
    times = range(len(run.states))
    periods = [game.label(t) for t in times]

    known = outcome_errors(game, run, rough, types)

    def blocks(weights: Floats) -> Iterator[Block]:
        for key in game.holds:
            numbers, errors = [], []
            for name in ("happened", "holding"):
                numbers.append(run.expected(name, key, weights))
                unknown = np.full(len(times), np.nan if game.informed else 0.0)
                errors.append(known.get((name, key), unknown))
            yield {
                "t": times,
                "period": periods,
                "outcome": key,
                "happened": numbers[0],
                "holds": numbers[1],
                "error": errors[0],
                "holds_error": errors[1],
            }

    columns = "outcome", "happened", "holds", "error", "holds_error"
    return by_condition(game, blocks, types, *columns)


def state_table(game: CompiledGame, run: Forward, types: Mapping[str, str]) -> Columns:
    """How likely each level of the variables is at the end of each period (see `Forecast`)."""
    weights, sets = _weights(game, types), (0, *game.structure.period_sets)
    levels: dict[str, list[Floats]] = {v.key: [] for v in game.structure.variables}
    for t, mass in enumerate(run.states):
        # Each period of a game without end is like the first.
        at = game.structure.levels(game.structure.sets[sets[min(t, len(sets) - 1)]])
        for variable in game.structure.variables:
            share = _added(mass, at[variable.key], variable.size) @ weights
            total = None if run.given is None else share.sum(axis=0)
            levels[variable.key].append(shares(share, total))
    rows: list[Block] = [
        {
            "t": t,
            "period": game.label(t),
            "variable": variable.key,
            "level": np.arange(variable.size),
            "label": [variable.label(k) for k in range(variable.size)],
        }
        for variable in game.structure.variables
        for t in range(len(run.states))
    ]
    numbers = list(chain.from_iterable(levels.values()))
    return _with_numbers(game, types, STATE_COLUMNS, rows, probability=numbers)


def action_table(
    game: CompiledGame,
    moves: Sequence[tuple[int, int]],
    acted: Sequence[Floats],
    types: Mapping[str, str],
    *,
    given: bool = False,
) -> Columns:
    """How likely each action is at each turn (see `Forecast`): `moves` and `acted` of `Forward`."""
    weights = _weights(game, types)
    names_of = {actor: action_names(game, actor) for actor in game.scenario.actions}
    rows: list[Block] = []
    probabilities, in_turn = [], []
    for (t, n), chances in zip(moves, acted, strict=True):
        layer = game.layers[n]
        total = chances.sum(axis=0) @ weights if given and layer.movers else None
        for m, mover in enumerate(layer.movers):
            actor = game.actors[mover].key
            names, kind, part = names_of[actor]
            size = len(game.scenario.actions[actor])
            taken = shares(_added(chances, layer.action[:, m], size) @ weights, total)
            probabilities.append(taken[kind] * part[:, None])
            in_turn.append(shares(probabilities[-1], taken.sum(axis=0)))
            rows.append(
                {
                    "t": t,
                    "period": game.label(t),
                    "turn": layer.turn + 1,
                    "actor": actor,
                    "action": names,
                }
            )
    numbers = {"probability": probabilities, "share": in_turn}
    return _with_numbers(game, types, ACTION_COLUMNS, rows, **numbers)


def payoff_table(solution: Solution, *, left_out: bool = False) -> Columns:
    """The payoffs of `Forecast`."""
    regret = solution.certificate.regret or {}
    errors = solution.payoff_errors
    rows = [
        {
            "actor": actor,
            "type": kind,
            "payoff": value,
            "regret": regret.get((actor, kind), np.nan),
            "error": errors[actor],
        }
        for (actor, kind), value in solution.payoffs.items()
    ]
    return Columns.of(("actor", "type", "payoff", "regret", "error"), [] if left_out else rows)


def _weights(game: CompiledGame, types: Mapping[str, str]) -> Floats:
    """The weights of every condition, float64 [p, condition]."""
    return np.stack([weights for _, weights in conditions(game, types)], axis=1)


def _added(numbers: Floats, kind: Ints | NDArray[np.int32], size: int) -> Floats:
    """Numbers [x, p] added up by their kind, float64 [kind, p]; -1 is none."""
    total = np.empty((size + 1, numbers.shape[1]))
    for p, column in enumerate(numbers.T):
        total[:, p] = np.bincount(kind + 1, column, minlength=size + 1)
    return total[1:]


def _with_numbers(
    game: CompiledGame,
    types: Mapping[str, str],
    columns: Sequence[str],
    rows: Sequence[Block],
    **numbers: Sequence[Floats],
) -> Columns:
    """A table of blocks of rows that are alike in some `columns` under each condition, and of each
    one's numbers: of each block float64 [row, condition]."""
    alike = Columns.of(("t", "period", *columns), rows).columns
    tables = {name: np.concatenate(table) for name, table in numbers.items() if table}
    condition = count()

    def blocks(_: Floats) -> Iterator[Block]:
        k = next(condition)
        if rows:
            yield {**alike, **{name: table[:, k] for name, table in tables.items()}}

    return by_condition(game, blocks, types, *columns, *numbers)
