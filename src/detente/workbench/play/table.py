"""One table of a game: a frozen value, and what becomes of it when somebody chooses.

Nothing here is random. What chance and the solution do is drawn by numbers that follow from the
table's seed and the number of the turn: the same choices lead to the same table, whenever and
wherever they are played again.

A `Position` is what all know. Types, and with them what was done unseen, are in `Seat` and `Turn`
alone: who makes a page of these has to ask whose page it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from detente.dtypes import Floats
from detente.scenario.entities import Actor
from detente.scenario.frozen import Frozen
from detente.simulation.histories import drawn
from detente.workbench.play.board import Beliefs, Board, Position

PERSON, SOLUTION, RANDOM, EARLIER = "person", "solution", "random", "earlier"
ROLES = (PERSON, SOLUTION, RANDOM, EARLIER)
"""Who may have a role: people, the solution, somebody who takes any action equally often, or who
takes each as often as earlier players of the role did."""

Mixes = Mapping[str, Mapping[str, int]]
"""By `ACTOR` or `ACTOR TYPE`, how often earlier players took each action."""

NO_MIXES: Mixes = Frozen()


@dataclass(frozen=True, slots=True)
class Seat:
    """An actor at a table.

    role
        One of `ROLES`. Where a person is meant and none is there, the solution plays.
    player
        The number of the person; -1 for none.
    theta
        Its type at the start, which nobody else knows.
    mixes
        For each type, what earlier players who had it did in its place, by action.
    """

    role: str
    theta: int
    player: int = -1
    mixes: tuple[Mapping[str, int], ...] = ()


class Turn(NamedTuple):
    """A layer that was played.

    at, types
        Before it, and what type each actor had.
    own, by
        What each mover has done, counted from 0 among what it had, and who chose: one of `ROLES`;
        '' where there was no choice. Others may have seen something else.
    turned
        The types after it.
    after, beliefs, memory
        The state's row after it, the public beliefs, and the states of the outcomes' automata.
    """

    at: Position
    types: tuple[int, ...]
    own: tuple[int, ...]
    by: tuple[str, ...]
    turned: tuple[int, ...]
    after: int
    beliefs: Beliefs
    memory: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A game at a table.

    seats
        One for each actor.
    turns
        What was played.
    chosen
        By actor, as text, what was chosen for the next turn by those who did not have to wait.
    """

    seed: int
    seats: tuple[Seat, ...]
    turns: tuple[Turn, ...] = ()
    chosen: Frozen[int] = field(default_factory=Frozen)


def dealt(
    board: Board,
    seed: int,
    roles: tuple[str, ...],
    players: tuple[int, ...],
    mixes: Mixes = NO_MIXES,
) -> Table:
    """A table with secret types drawn from the prior; `players` has -1 where nobody sits."""
    prior = board.game.profile_prior()
    random = np.random.default_rng([seed, 0]).random(1)
    types = board.game.profiles[int(drawn(prior[None], random)[0])].tolist()
    seats = []
    for actor, *seat in zip(board.game.actors, roles, types, players, strict=True):
        role, theta, player = seat
        kinds = range(max(1, len(actor.types))) if role == EARLIER else ()
        mine = tuple(mixes.get(part(actor, kind), Frozen()) for kind in kinds)
        seats.append(Seat(role, theta, player, mine))
    return Table(seed, tuple(seats))


def part(actor: Actor, theta: int) -> str:
    """What an actor with a type is called among `Mixes`."""
    return f"{actor.key} {actor.types[theta]}" if actor.types else actor.key


def types(table: Table) -> tuple[int, ...]:
    """What type each actor has now."""
    return table.turns[-1].turned if table.turns else tuple(seat.theta for seat in table.seats)


def position(board: Board, table: Table) -> Position | None:
    """Where the table stands; None once the game is over."""
    k = len(table.turns)
    if k == len(board.moves):
        return None
    t, n = board.moves[k]
    x, beliefs, _ = board.start
    if k:
        x, beliefs = table.turns[-1].after, table.turns[-1].beliefs
        if n == 0 and board.game.loop is not None:
            x = int(board.game.loop[x])
    return Position(t, n, x, beliefs)


def waited_for(board: Board, table: Table, absent: frozenset[int]) -> tuple[int, ...]:
    """The actors whose players have to choose; nobody is waited for who is `absent`."""
    at = position(board, table)
    if at is None:
        return ()
    movers = board.game.layers[at.n].movers
    actors = [movers[m] for m in board.choosers(at)]
    return tuple(i for i in actors if str(i) not in table.chosen and _here(table.seats[i], absent))


def chose(table: Table, actor: int, own: int) -> Table:
    """The table after a person's choice, which is not played before all have chosen."""
    return replace(table, chosen=Frozen({**table.chosen, str(actor): own}))


def settled(board: Board, table: Table, absent: frozenset[int], *, force: bool = False) -> Table:
    """Play on until a person has to choose, or the game is over.

    With `force` the solution chooses for those who are waited for at the first turn.
    """
    while len(table.turns) < len(board.moves):
        if not force and waited_for(board, table, absent):
            return table
        table, force = _played(board, table), False
    return table


def taken_back(table: Table) -> Table:
    """The table before the last choice of a person; what was chosen for the next turn is undone
    first."""
    if table.chosen:
        return replace(table, chosen=Frozen())
    turns = table.turns
    while turns and PERSON not in turns[-1].by:
        turns = turns[:-1]
    return replace(table, turns=turns[:-1])


def _here(seat: Seat, absent: frozenset[int]) -> bool:
    return seat.role == PERSON and seat.player >= 0 and seat.player not in absent


def _played(board: Board, table: Table) -> Table:
    """The next turn, with what people have chosen for it."""
    at = position(board, table)
    assert at is not None
    game, layer = board.game, board.game.layers[at.n]
    random = np.random.default_rng([table.seed, 1 + len(table.turns)]).random(
        (len(layer.movers) + 2, 1)
    )
    now = types(table)
    choosers = board.choosers(at)
    own, by = [], []
    for m, i in enumerate(layer.movers):
        seat, chosen, who = table.seats[i], 0, ""
        if m in choosers and str(i) in table.chosen:
            chosen, who = table.chosen[str(i)], PERSON
        elif m in choosers:
            who = SOLUTION if seat.role == PERSON else seat.role
            chosen = int(drawn(_weights(board, at, m, seat, now[i])[None], random[m])[0])
        own.append(chosen)
        by.append(who)
    after, turned = _followed(board, at, tuple(own), now, random[-2:])
    beliefs = board.posterior(at, tuple(own), after)
    memory = table.turns[-1].memory if table.turns else board.start[2]
    memory = board.remember(memory, at.n + 1, after, end=game.ends_period[at.n])
    turn = Turn(at, now, tuple(own), tuple(by), turned, after, beliefs, memory)
    return replace(table, turns=(*table.turns, turn), chosen=Frozen())


def _followed(
    board: Board, at: Position, own: tuple[int, ...], now: tuple[int, ...], random: Floats
) -> tuple[int, tuple[int, ...]]:
    """The state's row and the types that follow: by chance, and by what was done unseen."""
    layer, after = board.game.layers[at.n], list(now)
    e = board.joint(at, own)
    begin, end = int(layer.trans_ptr[e]), int(layer.trans_ptr[e + 1])
    if layer.private is not None:
        i = layer.private.actor
        weights = layer.private.change[begin:end, now[i]]
        k, after[i] = divmod(int(drawn(weights.reshape(1, -1), random[0])[0]), weights.shape[1])
    else:
        k = int(drawn(layer.prob[None, begin:end], random[0])[0])
    unseen = board.unseen(at, own[0]) if own else None
    if unseen is not None:
        i = layer.movers[0]
        after[i] = int(drawn(unseen[None, now[i]], random[1])[0])
    return int(layer.succ[begin + k]), tuple(after)


def _weights(board: Board, at: Position, m: int, seat: Seat, theta: int) -> Floats:
    """How often a seat takes each of its actions where no person chooses, float64 [a]."""
    sigma: Floats = board.strategy(at, m)[theta]
    if seat.role == RANDOM:
        return np.ones_like(sigma)
    habits = seat.mixes[theta] if seat.mixes else Frozen()
    mix = np.array([habits.get(name, 0) for name in board.names(at, m)], dtype=np.float64)
    return mix if mix.any() else sigma
