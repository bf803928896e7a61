"""Why the model holds an observation impossible, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from detente.dtypes import Bools, Floats, Ints
from detente.game.arrays import CompiledGame
from detente.game.evaluate import evaluator_of
from detente.game.term_status import in_force, standings
from detente.numbers import percent
from detente.scenario.formula.expression import Formula
from detente.scenario.hints import listing
from detente.scenario.observations import Observation
from detente.scenario.policies import terms_of
from detente.scenario.rules import Action, Term

SHOWN = 3
"""Levels and states that a sentence names; the likeliest ones."""


def why_no_move(
    game: CompiledGame, n: int, t: int, m: int, actions: Sequence[str], states: Floats
) -> str:
    """Why the m-th mover of layer n cannot have done any of these.

    Parameters
    ----------
    states
        float64 [x]: how likely each state is before the layer.
    """
    layer = game.layers[n]
    actor = game.actors[layer.movers[m]].key
    codes = layer.states
    at, remembered = (
        evaluator_of(game.scenario, game.structure),
        standings(game.scenario, game.policy),
    )
    idle = layer.action[layer.action_ptr[:-1], m] < 0
    said = [_why_nobody(game, n, idle, states)] if states[idle].sum() > 0 else []
    for key in actions:
        action = game.scenario.actions[actor][key]
        closed = ~idle & ~at.holds(action.when, codes, t)
        said += _why_closed(game, action, closed, codes, states)
        rest = ~idle & ~closed
        for term in _forbidding(game, actor, key):
            force = rest & in_force(at, term, remembered, codes, t)
            if states[force].sum() > 0:
                about = [f for f in (term.when, term.unless) if f is not None]
                share = f" ({held(game, codes, states, force, about)})" if about else ""
                said.append(f"`{key}` is forbidden by the term `{term.key}`{share}")
    if not said:
        said = [f"the probability of {listing(actions)} is too small for a number"]
    return "; ".join(said)


def why_no_reading(game: CompiledGame, n: int, condition: Formula, states: Floats) -> str:
    """Why a condition cannot hold before layer n; `states` is float64 [x] there."""
    codes = game.structure.sets[n]
    everywhere = np.ones(codes.size, dtype=bool)
    return f"the model holds {held(game, codes, states, everywhere, [condition])}"


def why_no_event(game: CompiledGame, entry: Observation, t: int) -> str:
    """Why nothing can be read after an event in period t."""
    times = sum(
        layer.event == entry.event and (game.loop is not None or layer.period == t)
        for layer in game.layers
    )
    often = f"happens {times} times" if times else "does not happen"
    return f"`{entry.event}` {often} in {game.label(t)}"


def _why_closed(
    game: CompiledGame, action: Action, closed: Bools, codes: Ints, states: Floats
) -> list[str]:
    if action.when is None or not states[closed].sum() > 0:
        return []
    here = held(game, codes, states, closed, [action.when])
    return [f"`{action.key}` can be chosen only when `{action.when.text}`; the model holds {here}"]


def _why_nobody(game: CompiledGame, n: int, idle: Bools, states: Floats) -> str:
    share = float(states[idle].sum() / states.sum())
    ended = [
        key
        for key, outcome in game.scenario.outcomes.items()
        if outcome.ends and states[idle & game.holds[key][n]].sum() > 0
    ]
    why = f"play has ended by {listing(ended)}" if ended else "the turn is not played"
    return why if share > 1 - 1e-12 else f"{why} ({share:.0%})"


def held(
    game: CompiledGame,
    codes: Ints,
    states: Floats,
    where: Bools,
    formulas: Iterable[Formula],
) -> str:
    """How likely the levels are of the variables that formulas read: `talks korean (61 %) …`."""
    levels = game.structure.levels(codes)
    weight = np.where(where, states, 0.0)
    weight = weight / weight.sum()
    read = {name for formula in formulas for name in formula.variables}
    words = []
    for variable in game.structure.variables:
        if variable.key not in read:
            continue
        share = np.bincount(levels[variable.key], weight, minlength=variable.size)
        likely = [k for k in np.argsort(-share, kind="stable")[:SHOWN] if share[k] > 0]
        levels_held = [f"{variable.label(int(k))} ({percent(share[k])})" for k in likely]
        words.append(f"{variable.key} to be {' or '.join(levels_held)}")
    return ", and ".join(words) or "what it always holds"


def _forbidding(game: CompiledGame, actor: str, action: str) -> list[Term]:
    """The hard terms of the game's policy that forbid an action."""
    terms = terms_of(game.scenario, game.policy)
    return [term for term in terms if term.cost is None and (actor, action) in term.forbids]
