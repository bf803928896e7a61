"""What has happened at a table, turn by turn: what is told of it, and written into files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np

from detente.dtypes import Floats
from detente.game.structure import Structure
from detente.scenario.observations import STATE
from detente.workbench.play.board import Beliefs, Board, Position
from detente.workbench.play.table import PERSON, Table, Turn

CHANCE = -1
"""In the place of an actor."""


class Deed(NamedTuple):
    """Something that somebody did, or chance.

    actor
        Its number, or `CHANCE`.
    action
        The key of the action; '' for chance.
    by
        Who chose: one of `detente.workbench.play.table.ROLES`, '' where there was no choice.
    changes
        What it did to the state, or all who moved at the same time together.
    probability
        With which it was expected by somebody who knows no types; 1 for chance.
    own
        By action, in the order of what there was: `names`, how often the solution takes it with
        the type that the actor has, and what it gives up in payoff.
    """

    turn: Turn
    actor: int
    action: str
    by: str
    changes: str
    probability: float = 1.0
    names: tuple[str, ...] = ()
    sigma: Floats = np.ones(1)
    given_up: Floats = np.zeros(1)

    @property
    def price(self) -> float:
        """What the action gave up; nan where nobody can tell."""
        return float(self.given_up[self.names.index(self.action)])

    @property
    def best(self) -> str:
        """The action that is worth most."""
        return self.names[int(np.argmax(self.sigma))]


def deeds(board: Board, table: Table) -> Iterator[Deed]:
    """All of them, in the order of play."""
    types = tuple(seat.theta for seat in table.seats)
    for turn in table.turns:
        yield from _deeds(board, turn, types)


@lru_cache(maxsize=10_000)  # pages ask for the same again and again
def _deeds(board: Board, turn: Turn, types: tuple[int, ...]) -> tuple[Deed, ...]:
    """Those of one turn."""
    game, at = board.game, turn.at
    layer = game.layers[at.n]
    changes = changed(board, at, int(game.structure.sets[at.n + 1][turn.after]))
    if not layer.movers and changes:
        return (Deed(turn, CHANCE, "", "", changes),)
    done = []
    for m, i in enumerate(layer.movers):
        names = board.names(at, m)
        if not names:
            continue
        own, theta = turn.own[m], types[i]
        sigma = board.strategy(at, m)
        expected = float(np.array(at.beliefs[i]) @ sigma[:, own])
        values = names, sigma[theta], board.given_up(at, m, theta)
        done.append(Deed(turn, i, names[own], turn.by[m], changes, expected, *values))
    return tuple(done)


def own_choices(board: Board, table: Table, actor: int) -> Iterator[Deed]:
    """What a person in the seat of this actor has chosen."""
    return (deed for deed in deeds(board, table) if deed.actor == actor and deed.by == PERSON)


def loss(board: Board, table: Table, actor: int) -> float:
    """What the choices of a person gave up together, each discounted to the start."""
    discount = board.game.discount[actor]
    choices = own_choices(board, table, actor)
    return float(sum(discount ** (deed.turn.at.t - 1) * deed.price for deed in choices))


def changed(board: Board, at: Position, code: int) -> str:
    """What is different in a state that follows: `pressure 2 → 1`; '' for nothing."""
    structure = board.game.structure
    before = labels(structure, int(structure.sets[at.n][at.x]))
    now = labels(structure, code)
    return ", ".join(f"{key} {before[key]} → {now[key]}" for key in now if now[key] != before[key])


def labels(structure: Structure, code: int) -> dict[str, str]:
    """The levels of a state, by variable."""
    levels = structure.levels(np.array([code]))
    return {v.key: v.label(int(levels[v.key][0])) for v in structure.variables}


def lines(board: Board, table: Table) -> list[dict[str, str]]:
    """The table's record, as `detente track` reads it: every move, and what chance has left."""
    game = board.game
    chance = any(len(layer.succ) > len(layer.action) for layer in game.layers)
    rows: list[dict[str, str]] = []

    def note(t: int, actor: str, move: str, by: str) -> None:
        date = game.scenario.calendar.date(t)
        when = str(t) if date is None else date.isoformat()
        rows.append({"date": when, "actor": actor, "move": move, "note": by})

    by_turn = {k: list(group) for k, group in groupby(deeds(board, table), _number)}
    for turn in table.turns:
        t, n = turn.at.t, turn.at.n
        for deed in by_turn.get((t, n), ()):
            if deed.actor != CHANCE:
                note(t, game.actors[deed.actor].key, deed.action, deed.by or "no choice")
        if chance and game.ends_period[n]:
            now = labels(game.structure, int(game.structure.sets[n + 1][turn.after]))
            reading = " and ".join(f"{key} == {level}" for key, level in now.items())
            note(t, STATE, reading, "at the end of the period")
    return rows


def _number(deed: Deed) -> tuple[int, int]:
    return deed.turn.at.t, deed.turn.at.n


def steps(board: Board, table: Table) -> list[tuple[str, Beliefs, dict[int, str]]]:
    """The beliefs after each turn in which somebody chose: period, beliefs, and by actor the number
    of what it did, among all `deeds`."""
    points: list[tuple[str, Beliefs, dict[int, str]]] = [("start", board.start[1], {})]
    latest: Turn | None = None
    for number, deed in enumerate(deeds(board, table), start=1):
        if deed.actor == CHANCE or len(deed.names) < 2:
            continue
        if deed.turn is not latest:
            latest = deed.turn
            label = board.game.scenario.calendar.label(latest.at.t)
            points.append((label, latest.beliefs, {}))
        points[-1][2][deed.actor] = str(number)
    return points
