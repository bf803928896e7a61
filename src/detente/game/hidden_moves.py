"""What an action hides: which of several that look alike it was, and what it does to a type.

Actions that are `seen` as the same look alike. What all see of them has to be the same: they lead
to the same states with the same probabilities, or else the state would tell which it was.
"""

from __future__ import annotations

import numpy as np

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic
from detente.game.arrays import HiddenMoves, Layer
from detente.game.evaluate import Evaluator
from detente.game.private_chance import turnover
from detente.scenario.rules import Action

SAME = 1e-9
"""Probabilities that differ by less are the same but for rounding."""


def hidden_moves(at: Evaluator, layer: Layer) -> HiddenMoves | None:
    """What the single mover of a layer hides by what it does there; None where that is nothing."""
    if len(layer.movers) != 1:
        return None
    actor = list(at.scenario.actors.values())[layer.movers[0]]
    actions = tuple(at.scenario.actions[actor.key].values())
    if len(actor.types) < 2 or not any(action.seen_as or action.becomes for action in actions):
        return None
    x = np.repeat(np.arange(layer.states.size), np.diff(layer.action_ptr))
    alike = _alike(layer, x, actions)
    _check_alike(at, layer, x, alike, actions)
    change = np.broadcast_to(np.eye(len(actor.types)), (x.size, *2 * (len(actor.types),))).copy()
    for n, action in enumerate(actions):
        rows = np.flatnonzero(layer.action[:, 0] == n)
        if action.becomes and rows.size:
            becomes, codes = action.becomes[actor.key], layer.states[x[rows]]
            change[rows] = np.clip(turnover(actor.key, becomes, at, codes, layer.period), 0.0, 1.0)
    if np.array_equal(alike, np.arange(x.size)) and np.array_equal(
        change, np.broadcast_to(np.eye(len(actor.types)), change.shape)
    ):
        return None
    return HiddenMoves(alike, change)


def _alike(layer: Layer, x: Ints, actions: tuple[Action, ...]) -> Ints:
    """The first joint action of its state that looks like each, int64 [e]."""
    looks = [action.seen for action in actions]
    look = np.array([looks.index(each) for each in looks])
    own = layer.action[:, 0]
    code = x * len(looks) + np.where(own < 0, 0, look[own])
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return np.asarray(first[number.ravel()], np.int64)


def _check_alike(
    at: Evaluator, layer: Layer, x: Ints, alike: Ints, actions: tuple[Action, ...]
) -> None:
    """Note actions that look alike and lead to different states."""
    rng = np.random.default_rng(layer.succ.size)
    lead = rng.standard_normal((int(layer.succ.max(initial=0)) + 1, 2))[layer.succ]
    marks: Floats = np.add.reduceat(layer.prob[:, None] * lead, layer.trans_ptr[:-1])
    apart = np.abs(marks - marks[alike]).max(axis=1) > SAME
    for e in np.flatnonzero(apart).tolist():
        first, other = (actions[int(layer.action[row, 0])] for row in (alike[e], e))
        where = at.where(int(layer.states[x[e]]), layer.period)
        message = (
            f"`{other.key}` and `{first.key}` are both seen as `{other.seen}`, but do not lead to "
            f"the same states {where}: all would see which it was"
        )
        hint = (
            "give both the same effects, and let an event of `chance` after them tell of the type"
        )
        at.findings.add(Diagnostic(other.place, "seen-as", message, hint))
