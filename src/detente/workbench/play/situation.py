"""What a player sees: the situation, what may be believed, and the moves with what they do.

Of other actors' true types nothing goes into it, nor of what they did unseen: their moves are told
as they looked, and what a player is paid is what it can know of it (`expected_payoff`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from detente.describe.blocks import Block, Details, Points, Section, text
from detente.describe.tables import Cell, Row, code
from detente.describe.tables import Table as Grid
from detente.describe.words import clause, in_force, spoken, spoken_of, together
from detente.numbers import MISSING, payoff, percent
from detente.scenario.model import Scenario
from detente.scenario.rules import Action
from detente.text import capital, sentence
from detente.workbench.play import story
from detente.workbench.play import table as tables
from detente.workbench.play.board import Beliefs, Board, Position
from detente.workbench.play.payoffs import expected_payoff
from detente.workbench.play.room import Room

RECENT = 8
"""Things that happened last, which are told before one asks for more."""

DIGITS = 5e-4
"""Payoffs have two decimals."""


class Option(NamedTuple):
    """An action that the player has; `unseen` is what others do not see of it, `advice` and `price`
    are those of the solution."""

    key: str
    about: str
    does: tuple[str, ...]
    cost: str
    breaks: str
    unseen: str
    advice: str
    price: str


class Day(NamedTuple):
    """A period of the calendar; `when` is 'past', 'now' or 'ahead'."""

    label: str
    when: str


def who_plays(room: Room, board: Board, player: int) -> dict[str, Any]:
    """The person's part, which does not change during a game but for the own type, where that may
    change: it is the present one."""
    mine = room.players[player]
    scenario, actor = board.game.scenario, board.game.actors[mine.actor]
    table = room.tables[mine.table]
    theta = tables.types(table)[mine.actor]
    kind = actor.types[theta] if actor.types else ""
    since = [when for when, _ in story.as_types(board, table, mine.actor)]
    started = actor.types[table.seats[mine.actor].theta] if actor.types else ""
    return {
        "actor": actor.name,
        "about": actor.about,
        "kind": kind,
        "others": [other for k, other in enumerate(actor.types) if k != theta],
        "may_change": mine.actor in board.changing,
        "since": since[-1] if len(since) > 1 else "",
        "started": started,
        "own": _own_numbers(scenario, actor.key, actor.types, theta),
        "policy": sentence(in_force(board.game.policy)),
        "wants": _wants(scenario, actor.key, kind),
    }


def playing(room: Room, board: Board, player: int) -> dict[str, Any]:
    """What is seen while the game goes on."""
    mine = room.players[player]
    table = room.tables[mine.table]
    at = tables.position(board, table)
    assert at is not None
    game, scenario = board.game, board.game.scenario
    theta = tables.types(table)[mine.actor]
    waiting = tables.waited_for(board, table, room.absent)
    turn = mine.actor in waiting and not room.paused
    last = board.moves[-1][0]
    ahead = "ahead"
    days = [
        Day(scenario.calendar.label(t), "past" if t < at.t else "now" if t == at.t else ahead)
        for t in range(1, last + 1)
    ]
    return {
        **who_plays(room, board, player),
        "turn": len(table.turns),
        "first_period": len(board.moves) // board.moves[-1][0],
        "days": days,
        "my_turn": turn,
        "chosen": str(mine.actor) in table.chosen,
        "waiting": together(game.actors[i].name for i in waiting if i != mine.actor),
        "options": tuple(_options(room, board, at, mine.actor, theta)) if turn else (),
        "so_far": payoff(expected_payoff(board, table, mine.actor), DIGITS),
        "situation": _situation(board, table, at),
        "beliefs": _beliefs(board, board.public(at.beliefs), mine.actor),
        "history": _history(board, table, mine.actor),
    }


def _options(room: Room, board: Board, at: Position, actor: int, theta: int) -> Iterator[Option]:
    game = board.game
    m = game.layers[at.n].movers.index(actor)
    actions = list(game.scenario.actions[game.actors[actor].key].values())
    sigma, prices = board.strategy(at, m)[theta], board.given_up(at, m, theta)
    for own, position in enumerate(board.actions(at, m)):
        action = actions[position]
        leads = board.leads(at, m, own, theta)
        does = tuple(
            (f"{percent(lead.probability)}: " if len(leads) > 1 else "")
            + (story.changed(board, at, lead.code) or "nothing changes")
            for lead in leads
        )
        cost = board.cost(at, m, own, theta)
        terms = [
            spoken(game.scenario.terms[key].about, key)
            for key in board.broken(at, m, int(position))
            if key in game.scenario.terms
        ]
        price = prices[own]
        yield Option(
            action.key,
            capital(action.about),
            does,
            "costs you nothing now"
            if abs(cost) < 1e-9
            else f"costs you {payoff(cost, DIGITS)} now"
            if cost > 0
            else f"brings you {payoff(-cost, DIGITS)} now",
            f"breaks what was announced: {together(terms)}" if terms else "",
            _unseen(board, at, actor, own, action),
            percent(float(sigma[own])) if room.advice else "",
            _price(price) if room.advice else "",
        )


def _unseen(board: Board, at: Position, actor: int, own: int, action: Action) -> str:
    """What others do not see of an action: which it is, and what it does to types of its actor."""
    looks = f"others see {action.seen}" if action.seen_as else ""
    kinds, change = board.game.actors[actor].types, board.unseen(at, own)
    if change is None:
        return looks
    turns = [
        f"{before} → {kinds[after]} with {percent(float(change[k, after]))}"
        for k, before in enumerate(kinds)
        for after in np.flatnonzero(change[k] > 0)
        if after != k
    ]
    does = f"unseen: {', '.join(turns)}" if turns else ""
    return "; ".join(filter(None, (looks, does)))


def _price(price: float) -> str:
    if np.isnan(price):
        return ""
    return "worth most" if price < 0.005 else f"worth {payoff(price, DIGITS)} less"


def _situation(board: Board, table: tables.Table, at: Position) -> Section:
    game = board.game
    now = story.labels(game.structure, int(game.structure.sets[at.n][at.x]))
    variables = game.scenario.variables
    items = tuple((f"{key}: {now[key]}", (variables[key].about,)) for key in now)
    memory = table.turns[-1].memory if table.turns else board.start[2]
    been = [clause(game.scenario, key) for key, has in board.been(memory).items() if has]
    said = sentence(f"So far: {'; '.join(been)}") if been else ""
    blocks: tuple[Block, ...] = (Points(items), text(said))
    return Section("situation", "The situation, seen by all", blocks)


def _beliefs(board: Board, beliefs: Beliefs, mine: int) -> Section | None:
    """What is believed of everybody with private types."""
    rows: list[Row] = []
    for i, actor in board.informed:
        for kind in spoken_of(actor):
            k = actor.types.index(kind)
            now, start = beliefs[i][k], board.start[1][i][k]
            name = f"{'you are' if i == mine else actor.name + ' is'} {kind}"
            rows.append((name, Cell(percent(now), bar=now), percent(start)))
    if not rows:
        return None
    words = (
        "By Bayes' rule, of somebody who has seen all moves and takes everybody to play as the "
        "solution does."
    )
    table = Grid(("that", "now", "at the start"), tuple(rows), (1, 2))
    return Section("believed", "What others may believe", (table, text(words)))


def _history(board: Board, table: tables.Table, mine: int) -> Section | None:
    """What has happened as one of the actors has seen it."""
    calendar = board.game.scenario.calendar
    rows: list[Row] = []
    for deed in story.deeds(board, table):
        own = deed.whose == mine and bool(deed.became)
        if not deed.public and not own:
            continue
        name = "chance" if deed.actor < 0 else board.game.actors[deed.actor].name
        what = deed.action if deed.actor == mine else deed.looked
        changes = [deed.changes, f"you are now {deed.became}" if own else ""]
        if deed.actor == mine and deed.looked != deed.action:
            changes.insert(0, f"others saw {deed.looked}")
        told = "; ".join(filter(None, changes))
        rows.append((calendar.label(deed.turn.at.t), name, code(what) if what else "", told))
    rows.reverse()
    header = ("when", "who", "what", "and then")
    blocks: tuple[Block, ...] = (Grid(header, tuple(rows[:RECENT])),)
    if len(rows) > RECENT:
        blocks += (Details("Before that", (Grid(header, tuple(rows[RECENT:])),)),)
    return Section("history", "What has happened", blocks) if rows else None


def _own_numbers(
    scenario: Scenario, actor: str, types: tuple[str, ...], theta: int
) -> tuple[tuple[str, str, str], ...]:
    """What sets the type apart: meaning, own number, those of the other types."""
    rows = []
    for p in scenario.parameters.values():
        if p.types != types or not types or (p.of or actor) != actor:
            continue
        others = ", ".join(
            f"{kind} {value:g}"
            for k, (kind, value) in enumerate(zip(p.types, p.values, strict=True))
            if k != theta
        )
        rows.append((p.about or p.key, f"{p.values[theta]:g}", others))
    return tuple(rows)


def _wants(scenario: Scenario, actor: str, kind: str) -> tuple[Block, ...]:
    """What the actor is paid for, with the numbers in it."""
    if actor not in scenario.payoffs:
        return ()
    payoffs = scenario.payoffs[actor]
    parts: Mapping[str, Mapping[str, Any]] = {
        "each period": payoffs.flow,
        "at the end": payoffs.terminal,
    }
    rows: list[Row] = []
    names: set[str] = set()
    for when, formulas in parts.items():
        for name, formula in formulas.items():
            rows.append((name, when, code(formula.text)))
            names |= formula.parameters
    numbers: list[Row] = []
    for key, p in scenario.parameters.items():
        if key not in names:
            continue
        value = f"{p.values[0]:g}"
        if p.types:
            value = ", ".join(f"{k} {v:g}" for k, v in zip(p.types, p.values, strict=True))
            if kind in p.types and (p.of or actor) == actor:
                value = f"{p.values[p.types.index(kind)]:g}"
        numbers.append((code(key), value or MISSING, p.about))
    return (
        Grid(("part", "when", "payoff"), tuple(rows)),
        Grid(("", "number", "meaning"), tuple(numbers)),
    )
