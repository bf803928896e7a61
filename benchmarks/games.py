"""The games that are solved: texts in the scenario language, and arrays made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import detente
from detente.game.arrays import CompiledGame

Floats = NDArray[np.float64]

DISCOUNT = 0.95
"""Of games without end: that of sgamesolver's random games."""


def random_stochastic(
    states: int, players: int, actions: int, seed: int = 1
) -> tuple[Floats, Floats]:
    """A random game as sgamesolver makes them: payoffs [s, p, a …] and transitions [s, a …, s'].

    Payoffs are uniform on [0, 1]; from everywhere play can go everywhere, with probabilities
    proportional to exponential numbers.
    """
    rng = np.random.default_rng(seed)
    joint = (actions,) * players
    payoffs = rng.random((states, players, *joint))
    transitions = rng.exponential(size=(states, *joint, states))
    return payoffs, transitions / transitions.sum(axis=-1, keepdims=True)


def stationary(payoffs: Floats, transitions: Floats, precision: float) -> CompiledGame:
    """The same game, compiled: all move at once, and are paid at once, without end.

    Payoffs are rewards of the joint action, and what follows is discounted once: values are the
    discounted sums that sgamesolver has, and λ means the same.
    """
    states, players = payoffs.shape[:2]
    game = without_end(states, players, payoffs.shape[2], precision)
    joint = int(np.prod(payoffs.shape[2:]))
    edges = np.arange(states * joint + 1, dtype=np.int64)
    layer = replace(
        game.layers[0],
        trans_ptr=edges * states,
        succ=np.tile(np.arange(states, dtype=np.int32), states * joint),
        prob=transitions.reshape(-1),
        reward=np.moveaxis(payoffs, 1, -1).reshape(-1, players).copy(),
    )
    return replace(game, layers=(layer,))


def without_end(
    states: int, movers: int, actions: int, precision: float, types: int = 1
) -> CompiledGame:
    """A game of one turn a period that reaches all states: a frame for other numbers.

    The movers choose at the same time; the first has so many types. One actor looks on.
    """
    kinds = ", ".join(f"k{k}: {1 / types}" for k in range(types))
    told = f"types: {{{kinds}}}, " if types > 1 else ""
    lines = ["title: frame", "calendar: {period: round, horizon: forever}", "actors:"]
    watching = ["W"] if movers == 1 else []
    for i, actor in enumerate([*_actors(movers), *watching]):
        private = told if i == 0 else ""
        lines.append(f"  {actor}: {{{private}precision: {precision}, discount: {DISCOUNT}}}")
    lines += ["state:", f"  x: {{levels: 0..{states - 1}, start: 0}}"]
    lines += [f"turns: [{{who: [{', '.join(_actors(movers))}]}}]", "actions:"]
    for i, actor in enumerate(_actors(movers)):
        lines.append(f"  {actor}:")
        for a in range(actions):
            # The first mover's actions lead everywhere within a few moves.
            lines.append(f"    a{a}: {_spread(actions, a, states) if i == 0 else '{}'}")
    lines += ["payoffs: {A0: {flow: 0}}", "outcomes: {start: {when: x == 0}}", ""]
    game = detente.compile_game(detente.loads("\n".join(lines)))
    layer = game.layers[0]
    assert layer.states.size == states
    assert np.all(np.diff(layer.action_ptr) == actions**movers)
    return game


def rounds(
    *,
    states: int = 64,
    periods: int = 12,
    types: int = 2,
    actions: int = 3,
    precision: float = 1.0,
) -> CompiledGame:
    """A game with a last period of two actors who move in turn, the second with private types.

    An action goes to one of two states, so that after a few turns all of them are reached. What
    is paid at a state, and what actions cost, depends on the true type.
    """
    kinds = [f"k{k}" for k in range(types)]
    told = f"types: {{{', '.join(f'{kind}: {1 / types}' for kind in kinds)}}}, "
    scale = " + ".join(
        f"{0.3 + 0.4 * k / types:.3f} * (B == {kind})" for k, kind in enumerate(kinds)
    )
    if types == 1:
        told, scale = "", "0.5"
    lines = [
        "title: rounds",
        f"calendar: {{period: round, horizon: {periods}}}",
        "actors:",
        f"  A: {{precision: {precision}}}",
        f"  B: {{{told}precision: {precision}, discount: 0.9}}",
        "state:",
        f"  x: {{levels: 0..{states - 1}, start: 0}}",
        "turns: [A, B]",
        "actions:",
    ]
    for actor in "AB":
        lines.append(f"  {actor}:")
        for a in range(actions):
            cost = f"{0.2 * a / actions:.3f} * ({scale})"
            move = f"set: {{x: ({actions} * x + {a}) % {states}}}"
            lines.append(
                f"    a{a}: {{effects: [{{p: 0.8, {move}}}, {{p: rest}}], cost: '{cost}'}}"
            )
    lines += [
        "payoffs:",
        "  A: {flow: 0.2 * (x % 5)}",
        f"  B: {{flow: '0.2 * (x % 7) * ({scale})'}}",
        "outcomes: {top: {when: x == 1}}",
        "",
    ]
    return detente.compile_game(detente.loads("\n".join(lines)))


def smooth(states: int, beliefs: Floats, components: int, rng: np.random.Generator) -> Floats:
    """Random values [x, b, c], smooth in a belief [b], of which actions differ by about 1."""
    level, slope, bend = (
        rng.uniform(-width, width, (states, 1, components)) for width in (1.0, 0.5, 0.25)
    )
    u = beliefs[None, :, None]
    return level + slope * u + bend * np.sin(np.pi * u)


def _actors(count: int) -> list[str]:
    return [f"A{i}" for i in range(count)]


def _spread(actions: int, a: int, states: int) -> str:
    return f"{{set: {{x: ({actions} * x + {a}) % {states}}}}}"
