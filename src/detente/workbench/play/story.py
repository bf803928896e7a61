"""What has happened at a table, turn by turn: what is told of it, and written into files.

A `Deed` has all of it, what was done unseen too. What others may be told before the game is over is
what it `looked` like, and nothing of the types before and after.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.game.structure import Structure
from detente.scenario.fields import within
from detente.scenario.observations import STATE, UNKNOWN
from detente.scenario.rules import Event
from detente.workbench.play.board import Beliefs, Board, Position
from detente.workbench.play.table import PERSON, Table, Turn

CHANCE = -1
"""In the place of an actor."""


class Deed(NamedTuple):
    """Something that somebody did, or chance.

    actor
        Its number, or `CHANCE`.
    action, looked
        The key of the action, and what others saw. For chance, the event that has to do with a
        type; '' for any other.
    by
        Who chose: one of `detente.workbench.play.table.ROLES`, '' where there was no choice.
    changes
        What it did to the state, or all who moved at the same time together.
    public
        Whether anybody but the owner of a type sees anything of it.
    probability
        With which what it looked like was expected by somebody who knows no types; 1 for chance.
    theta
        The type with which it was done, as a position; 0 for chance.
    whose, became
        The actor whose type it changed, `CHANCE` for nobody's, and the name of the type after it.
    own
        By action, in the order of what there was: `names`, how often the solution takes it with
        the type that the actor has, and what it gives up in payoff.
    """

    turn: Turn
    actor: int
    action: str
    looked: str
    by: str
    changes: str
    public: bool = True
    probability: float = 1.0
    theta: int = 0
    whose: int = CHANCE
    became: str = ""
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
    for turn in table.turns:
        yield from _deeds(board, turn)


@lru_cache(maxsize=10_000)  # pages ask for the same again and again
def _deeds(board: Board, turn: Turn) -> tuple[Deed, ...]:
    """Those of one turn."""
    game, at = board.game, turn.at
    layer = game.layers[at.n]
    changes = changed(board, at, int(game.structure.sets[at.n + 1][turn.after]))
    whose, became = _became(board, turn)
    if not layer.movers:
        event = layer.event if layer.private is not None else ""
        public = bool(changes) or turn.beliefs != at.beliefs
        deed = Deed(turn, CHANCE, event, event, "", changes, public)
        return (deed._replace(whose=whose, became=became),) if public or became else ()
    done = []
    for m, i in enumerate(layer.movers):
        names = board.names(at, m)
        if not names:
            continue
        own, theta = turn.own[m], turn.types[i]
        sigma = board.strategy(at, m)
        alike = board.alike(at, own)
        expected = float((np.array(board.public(at.beliefs)[i]) @ sigma[:, alike]).sum())
        looked = game.scenario.actions[game.actors[i].key][names[own]].seen
        deed = Deed(turn, i, names[own], looked, turn.by[m], changes)
        done.append(
            deed._replace(
                probability=expected,
                theta=theta,
                whose=whose,
                became=became,
                names=names,
                sigma=sigma[theta],
                given_up=board.given_up(at, m, theta),
            )
        )
    return tuple(done)


def _became(board: Board, turn: Turn) -> tuple[int, str]:
    """Whose type a turn changed, and into which; `CHANCE` and '' where it changed none."""
    for i, (before, after) in enumerate(zip(turn.types, turn.turned, strict=True)):
        if before != after:
            return i, board.game.actors[i].types[after]
    return CHANCE, ""


def as_types(board: Board, table: Table, actor: int) -> list[tuple[str, str]]:
    """The types that an actor has had, each with the period since which it has; '' for the start's.
    Of an actor without types, nothing."""
    kinds = board.game.actors[actor].types
    if not kinds:
        return []
    had = [("", kinds[table.seats[actor].theta])]
    for turn in table.turns:
        if turn.types[actor] != turn.turned[actor]:
            label = board.game.scenario.calendar.label(turn.at.t)
            had.append((label, kinds[turn.turned[actor]]))
    return had


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
    """The table's record, as `detente track` reads it: every move as all saw it, and what chance
    has left."""
    game = board.game
    chance = any(len(layer.succ) > len(layer.action) for layer in game.layers)
    rows: list[dict[str, str]] = []
    signals: list[tuple[str, dict[str, str]]] = []

    def note(t: int, actor: str, move: str, by: str) -> None:
        date = game.scenario.calendar.date(t)
        when = str(t) if date is None else date.isoformat()
        rows.append({"date": when, "actor": actor, "move": move, "note": by})

    by_turn = {k: list(group) for k, group in groupby(deeds(board, table), _number)}
    last = {(deed.turn.at.t, deed.actor): deed.turn.at.n for deed in deeds(board, table)}
    for turn in table.turns:
        t, n = turn.at.t, turn.at.n
        moved = {deed.actor: deed for deed in by_turn.get((t, n), ())}
        for i in game.layers[n].movers:
            key = game.actors[i].key
            if i in moved:
                note(t, key, moved[i].looked, moved[i].by or "no choice")
            elif n < last.get((t, i), -1):  # its moves of a period go to its turns in their order
                note(t, key, UNKNOWN, "nothing to do")
        if game.layers[n].private is not None:
            seen = labels(game.structure, int(game.structure.sets[n + 1][turn.after]))
            signals.append((game.layers[n].event, seen))
        if chance and game.ends_period[n]:
            now = labels(game.structure, int(game.structure.sets[n + 1][turn.after]))
            for event, then in signals:
                several = [other for other, _ in signals].count(event) > 1
                if mine := set_by(game, event, again=not several):
                    reading = " and ".join(f"{key} == {then[key]}" for key in mine)
                    note(t, event, reading, "right after it")
            signals = []
            reading = " and ".join(f"{key} == {level}" for key, level in now.items())
            note(t, STATE, reading, "at the end of the period")
    return rows


def set_by(game: CompiledGame, event: str, *, again: bool) -> tuple[str, ...]:
    """The variables that an event of chance may set; those alone that something else may set
    `again`."""
    scenario = game.scenario
    said = scenario.events[event]
    others: set[str] = set()
    for each in within((scenario.actions, scenario.events, scenario.turns), Event):
        if each is not said:
            others |= _variables(each)
    return tuple(sorted(_variables(said) & others if again else _variables(said)))


def _variables(event: Event) -> frozenset[str]:
    return frozenset(c.variable for effect in event.alternatives for c in effect.changes)


def _number(deed: Deed) -> tuple[int, int]:
    return deed.turn.at.t, deed.turn.at.n


class Point(NamedTuple):
    """What is believed after a turn, and which types there are then; by actor the number of the
    deed that told of it, or changed it, among all `deeds`."""

    label: str
    beliefs: Beliefs
    types: tuple[int, ...]
    numbers: dict[int, str]


def steps(board: Board, table: Table) -> list[Point]:
    """The beliefs at the start and after each turn in which somebody chose, or chance told of a
    type or changed one."""
    start = tuple(seat.theta for seat in table.seats)
    points = [Point("start", board.start[1], start, {})]
    latest: Turn | None = None
    for number, deed in enumerate(deeds(board, table), start=1):
        layer = board.game.layers[deed.turn.at.n]
        about = deed.actor if layer.private is None else layer.private.actor
        if about == CHANCE or (len(deed.names) < 2 and layer.private is None and not deed.became):
            continue
        if deed.turn is not latest:
            latest = deed.turn
            label = board.game.scenario.calendar.label(latest.at.t)
            points.append(Point(label, board.public(latest.beliefs), latest.turned, {}))
        points[-1].numbers[about] = str(number)
    return points
