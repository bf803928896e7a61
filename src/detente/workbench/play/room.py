"""A room: players at tables, as the events have made it.

`after` is the whole of it: a room and an event give the room that follows. Events alone are kept
(`detente.workbench.play.store`), so that a server that begins anew, a page that is loaded again
and a host who takes a move back all do the same: play the events again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, NoReturn, TypeVar

import numpy as np

from detente.errors import refuse
from detente.text import shown
from detente.workbench.play import table as tables
from detente.workbench.play.board import Board
from detente.workbench.play.table import NO_MIXES, PERSON, Mixes, Table

T = TypeVar("T")

MOST_PLAYERS = 200
"""In a room: more than any class has."""

LONGEST_NAME = 40
"""Characters of a player's name."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody has come in; `key` is the digest of the token by which the server knows them."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Dealt:
    """A game begins: all who are there are seated, types are dealt. It may happen again."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A player has chosen an action, by its key, at the turn with this number from 0."""

    player: int
    turn: int
    action: str


@dataclass(frozen=True, slots=True)
class Away:
    """A player is not there, so that the solution takes the seat; or is there again."""

    player: int
    on: bool


@dataclass(frozen=True, slots=True)
class Paused:
    """Nobody can choose until the host goes on."""

    on: bool


@dataclass(frozen=True, slots=True)
class Advised:
    """Whether players may ask what the solution would do."""

    on: bool


@dataclass(frozen=True, slots=True)
class Advanced:
    """The solution chooses this once for those who are waited for at a table."""

    table: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The last choice of a person at a table is taken back."""

    table: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The room is closed: nothing more is played, and all is shown."""


Event = Joined | Dealt | Chosen | Away | Paused | Advised | Advanced | TakenBack | Closed
KINDS = {
    kind.__name__: kind
    for kind in (
        Joined, Dealt, Chosen, Away, Paused, Advised, Advanced, TakenBack, Closed,
    )
}  # fmt: skip


def to_data(event: Event) -> dict[str, Any]:
    """An event as plain values."""
    return {"kind": type(event).__name__, **asdict(event)}


def from_data(data: dict[str, Any]) -> Event:
    """The event of `to_data`."""
    given = dict(data)
    event: Event = KINDS[given.pop("kind")](**given)
    return event


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody in the room. `table` is the present one's number, -1 in none; `actor` the role."""

    name: str
    key: str
    away: bool = False
    table: int = -1
    actor: int = -1


@dataclass(frozen=True, slots=True)
class Room:
    """A room. `first` is the number of the present game's first table."""

    roles: tuple[str, ...]
    seed: int
    advice: bool = True
    mixes: Mixes = NO_MIXES
    players: tuple[Player, ...] = ()
    tables: tuple[Table, ...] = ()
    first: int = 0
    paused: bool = False
    closed: bool = False

    @property
    def absent(self) -> frozenset[int]:
        """The players who are not there."""
        return frozenset(k for k, player in enumerate(self.players) if player.away)

    @property
    def present(self) -> range:
        """The numbers of the present game's tables."""
        return range(self.first, len(self.tables))


def after(room: Room, event: Event, board: Board | None) -> Room:
    """The room after an event; without a board, of a room in which nobody plays yet.

    Raises
    ------
    ScenarioError
        For what cannot be done now.
    """
    if room.closed:
        _refuse("closed", "the room is closed")
    match event:
        case Joined(name, key):
            room = _joined(room, name, key, board)
        case Dealt():
            room = _dealt(room, _ready(board))
        case Chosen(player, turn, action):
            room = _chosen(room, _ready(board), player, turn, action)
        case Away(player, on):
            who = replace(_of(room, player), away=on)
            room = replace(room, players=_put(room.players, player, who))
        case Paused(on):
            room = replace(room, paused=on)
        case Advised(on):
            room = replace(room, advice=on)
        case Advanced(number):
            table = tables.settled(_ready(board), _table(room, number), room.absent, force=True)
            room = replace(room, tables=_put(room.tables, number, table))
        case TakenBack(number):
            room = replace(
                room, tables=_put(room.tables, number, tables.taken_back(_table(room, number)))
            )
        case Closed():
            return replace(room, closed=True)
    return room if room.paused or board is None else _settled(room, board)


def replayed(room: Room, events: Iterable[Event], board: Board | None) -> Room:
    """The room after all of these events."""
    for event in events:
        room = after(room, event, board)
    return room


def waits_for(room: Room, board: Board, number: int) -> tuple[int, ...]:
    """The players for whom a table waits."""
    table = room.tables[number]
    actors = tables.waited_for(board, table, room.absent)
    return tuple(table.seats[i].player for i in actors)


def _joined(room: Room, name: str, key: str, board: Board | None) -> Room:
    name = " ".join(shown(name).split())
    if not name or len(name) > LONGEST_NAME:
        _refuse("name", f"a name has 1 to {LONGEST_NAME} characters")
    if any(player.name.casefold() == name.casefold() for player in room.players):
        _refuse("name", f"there is a {name} in the room already", "take another name")
    if len(room.players) >= MOST_PLAYERS:
        _refuse("full", f"there are {MOST_PLAYERS} players in the room: it is full")
    room = replace(room, players=(*room.players, Player(name, key)))
    return _seated_late(room, _ready(board)) if room.tables else room


def _dealt(room: Room, board: Board) -> Room:
    """A new game for all who are there, in an order that is drawn."""
    here = [k for k, player in enumerate(room.players) if not player.away]
    if not here:
        _refuse("nobody", "nobody has joined yet")
    rng = np.random.default_rng([room.seed, len(room.tables)])
    here = rng.permutation(here).tolist()
    roles = [i for i, role in enumerate(room.roles) if role == PERSON]
    players = tuple(replace(player, table=-1, actor=-1) for player in room.players)
    room = replace(room, players=players, first=len(room.tables))
    for begin in range(0, len(here), len(roles)):
        group = here[begin : begin + len(roles)]
        # A table with fewer players than roles: which roles they have is drawn as well.
        some = sorted(rng.permutation(roles)[: len(group)].tolist())
        room = _new_table(room, board, dict(zip(some, group, strict=True)))
    return room


def _new_table(room: Room, board: Board, players: dict[int, int]) -> Room:
    number = len(room.tables)
    seats = tuple(players.get(i, -1) for i in range(len(room.roles)))
    seed = int(np.random.default_rng([room.seed, number, 1]).integers(2**62))
    room = replace(
        room, tables=(*room.tables, tables.dealt(board, seed, room.roles, seats, room.mixes))
    )
    for actor, player in players.items():
        who = replace(room.players[player], table=number, actor=actor)
        room = replace(room, players=_put(room.players, player, who))
    return room


def _seated_late(room: Room, board: Board) -> Room:
    """The last player to come takes a free seat, where least has been played; or a new table."""
    player = len(room.players) - 1
    free = [
        (len(room.tables[number].turns), number, actor)
        for number in room.present
        for actor, seat in enumerate(room.tables[number].seats)
        if seat.role == PERSON and seat.player < 0
        and tables.position(board, room.tables[number]) is not None
    ]  # fmt: skip
    if not free:
        roles = [i for i, role in enumerate(room.roles) if role == PERSON]
        taken = Counter(p.actor for p in room.players if p.table >= room.first)
        return _new_table(room, board, {min(roles, key=lambda i: taken[i]): player})
    _, number, actor = min(free)
    table = room.tables[number]
    seats = _put(table.seats, actor, replace(table.seats[actor], player=player))
    who = replace(room.players[player], table=number, actor=actor)
    return replace(
        room,
        tables=_put(room.tables, number, replace(table, seats=seats)),
        players=_put(room.players, player, who),
    )


def _chosen(room: Room, board: Board, number: int, turn: int, action: str) -> Room:
    if room.paused:
        _refuse("paused", "the host has paused the game")
    player = _of(room, number)
    if player.table < 0:
        _refuse("not-now", "the game has not begun")
    table = room.tables[player.table]
    at = tables.position(board, table)
    if at is None or turn != len(table.turns) or player.away:
        _refuse("not-now", "the table has gone on meanwhile")
    if player.actor not in tables.waited_for(board, table, room.absent):
        _refuse("not-now", "it is not your turn")
    m = board.game.layers[at.n].movers.index(player.actor)
    available = board.names(at, m)
    if action not in available:
        _refuse("unknown-name", "this is no action that you have now")
    table = tables.chose(table, player.actor, available.index(action))
    return replace(room, tables=_put(room.tables, player.table, table))


def _settled(room: Room, board: Board) -> Room:
    settled = [tables.settled(board, room.tables[k], room.absent) for k in room.present]
    return replace(room, tables=(*room.tables[: room.first], *settled))


def _ready(board: Board | None) -> Board:
    if board is None:
        _refuse("not-ready", "the game is still being solved", "wait a moment")
    return board


def _of(room: Room, number: int) -> Player:
    if not 0 <= number < len(room.players):
        _refuse("unknown-name", "there is no such player")
    return room.players[number]


def _table(room: Room, number: int) -> Table:
    if number not in room.present:
        _refuse("unknown-name", "there is no such table in the present game")
    return room.tables[number]


def _put(items: tuple[T, ...], k: int, item: T) -> tuple[T, ...]:
    return (*items[:k], item, *items[k + 1 :])


def _refuse(code: str, message: str, hint: str = "") -> NoReturn:
    refuse("room", code, message, hint)
