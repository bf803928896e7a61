"""What a record says of a turn: who is known to have done what, and what is read of the state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detente.dtypes import Bools, Floats
from detente.game.arrays import CompiledGame, Layer
from detente.scenario.observations import Observation, Record


def moves_observed(
    game: CompiledGame, record: Record, t: int, layer: Layer
) -> dict[int, Observation]:
    """What is known of a turn: by mover (its position in the layer), a line of the record."""
    if t > record.last:
        return {}
    known = dict(record.silence)
    dated = [entry for entry in record.entries if entry.t == t and entry.actions]
    for mover in layer.movers:
        mine = [entry for entry in dated if entry.actor == game.actors[mover].key]
        for entry, turn in zip(mine, _turns(game, t, mover, mine), strict=True):
            if turn == layer.turn:
                known[entry.actor] = entry
    keys = [game.actors[mover].key for mover in layer.movers]
    return {m: known[key] for m, key in enumerate(keys) if key in known}


def _turns(game: CompiledGame, t: int, mover: int, entries: Sequence[Observation]) -> list[int]:
    """The turns at which an actor's moves of a period were made.

    They are those that the record gives, one after the other. Where one of them could never have
    been made at its turn, each is at the first turn left at which it can have been made.
    """
    given, actor = [entry.turn for entry in entries], game.actors[mover].key
    if not entries or sum(actor in turn.who for turn in game.scenario.turns) < 2:
        return given
    names = list(game.scenario.actions[actor])
    possible = {}
    for layer in game.layers:
        if mover in layer.movers and (game.loop is not None or layer.period == t):
            own = np.unique(layer.action[:, layer.movers.index(mover)])
            possible[layer.turn] = {names[a] for a in own[own >= 0]}

    def fits(entry: Observation, turn: int) -> bool:
        return entry.silent or not possible.get(turn, set()).isdisjoint(entry.actions)

    if all(fits(entry, entry.turn) for entry in entries):
        return given
    left, turns = iter(possible), []
    for entry in entries:
        turn = next((k for k in left if fits(entry, k)), None)
        if turn is None:
            return given
        turns.append(turn)
    return turns


def readings_at(record: Record, t: int) -> list[Observation]:
    """What is read of the state at the end of period t."""
    readings = [e for e in record.entries if e.t == t and e.condition is not None]
    standing = record.standing if t <= record.last else ()
    return [entry for entry in (*readings, *standing) if not entry.event]


def readings_after(game: CompiledGame, record: Record, t: int, n: int) -> list[Observation]:
    """What is read of the state right after layer n of period t, an event of chance.

    Of an event that happens several times in a period each line is about one of them, in order.
    """
    event = game.layers[n].event
    readings = [e for e in record.entries if e.t == t and e.event == event] if event else []
    times = _layers_of(game, event, t) if readings else []
    if len(times) > 1:
        readings = readings[times.index(n) :][:1]
    standing = record.standing if event and t <= record.last else ()
    return [*readings, *(entry for entry in standing if entry.event == event)]


def never_read(game: CompiledGame, record: Record, t: int) -> list[Observation]:
    """Lines of period t about events that do not happen in it, or not so often."""
    left = []
    for event in dict.fromkeys(e.event for e in record.entries if e.t == t and e.event):
        lines = [entry for entry in record.entries if entry.t == t and entry.event == event]
        times = len(_layers_of(game, event, t))
        left += lines if times == 0 else lines[times:] if times > 1 else []
    return left


def _layers_of(game: CompiledGame, event: str, t: int) -> list[int]:
    """The layers at which an event happens in period t."""
    return [
        n
        for n, layer in enumerate(game.layers)
        if layer.event == event and (game.loop is not None or layer.period == t)
    ]


def own_actions(
    game: CompiledGame, layer: Layer, m: int, actions: Sequence[str], *, silent: bool
) -> Bools:
    """The joint actions in which the m-th mover plays one of these, bool [e].

    Who cannot move is `silent` as well.
    """
    names = list(game.scenario.actions[game.actors[layer.movers[m]].key])
    own = np.isin(layer.action[:, m], [names.index(action) for action in actions])
    return own | (layer.action[:, m] < 0) if silent else own


def recorded(
    game: CompiledGame, layer: Layer, m: int, entry: Observation, miscoded: float
) -> Floats:
    """Probability with which this is recorded of the m-th mover where a joint action was taken,
    float64 [e]: a move recorded wrongly is any other that it has, as others see them. Silence
    is never a mistake."""
    own = own_actions(game, layer, m, entry.actions, silent=entry.silent)
    entries = game.scenario.actions[game.actors[layer.movers[m]].key]
    looks = len({action.seen for action in entries.values()})
    named = len({entries[key].seen for key in entry.actions})
    if entry.silent or not miscoded or looks == 1:
        return own.astype(np.float64)
    wrong = miscoded / (looks - 1)
    elsewhere = np.where(layer.action[:, m] < 0, 0.0, wrong * named)
    return np.where(own, 1.0 - wrong * (looks - named), elsewhere)
