"""Sample histories from a solution: one row for each move, belief by belief."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detente.solver.solution import Solution

Floats = NDArray[np.float64]


def sample(solution: Solution, *, draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Histories drawn from a solution.

    The beliefs of a history are exact posteriors, not grid nodes: strategies are interpolated
    between nodes, linearly, so that frequencies agree with the forecast up to the
    discretisation error.

    Parameters
    ----------
    draws
        Number of histories. Draw i has its own random stream, spawned from `rng`: it is the same
        whatever the number of draws.
    rng
        Explicit source of randomness.

    Returns
    -------
    DataFrame
        `draw, t, period, turn, actor, action` (chance has no actor, and its events as action), a
        column for each state variable (its label after the move), the true type of each informed
        actor, and `belief ACTOR TYPE`, the public belief about it after the move. The first row
        of a draw (t = 0) is the start. Where nobody moves there is no row.
    """
    histories = [_history(solution, i, stream) for i, stream in enumerate(rng.spawn(draws))]
    return pd.DataFrame([row for history in histories for row in history])


def _history(
    solution: Solution, draw: int, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """The rows of one history."""
    game = solution.game
    actors = list(game.scenario.actors)
    prior = game.profile_prior()
    p = int(rng.choice(prior.size, p=prior / prior.sum()))
    belief = [float(q[-1]) if q.size > 1 else 1.0 for q in game.priors]
    x = 0
    yield _row(solution, draw, 0, x, p, belief, "", "")
    for n, layer in enumerate(game.layers):
        first = int(layer.action_ptr[x])
        count = int(layer.action_ptr[x + 1]) - first
        choice, who, what = 0, "", layer.event
        if layer.movers:
            m = layer.movers[0]
            who = actors[m]
            if count > 1:
                play = interpolated_strategy(solution, n, x, belief)
                theta = int(game.profiles[p, m])
                choice = int(rng.choice(count, p=play[theta]))
                if m in game.informed:
                    joint = belief[m] * play[1, choice]
                    belief[m] = joint / (joint + (1 - belief[m]) * play[0, choice])
            own = int(layer.action[first + choice, 0])
            what = list(game.scenario.actions[who])[own] if own >= 0 else ""
        e = first + choice
        span = slice(int(layer.trans_ptr[e]), int(layer.trans_ptr[e + 1]))
        before = int(layer.states[x])
        chance = layer.prob[span]
        x = int(layer.succ[span][rng.choice(chance.size, p=chance / chance.sum())])
        changed = int(game.structure.sets[n + 1][x]) != before
        if what if layer.movers else changed:
            yield _row(solution, draw, n + 1, x, p, belief, who, what)


def _row(
    solution: Solution,
    draw: int,
    n: int,
    x: int,
    p: int,
    belief: list[float],
    who: str,
    what: str,
) -> dict[str, object]:
    """The row of a history after n layers, at state x, when the types are p."""
    game = solution.game
    actors = list(game.scenario.actors.values())
    levels = game.structure.levels(game.structure.sets[n][x : x + 1])
    layer = game.layers[n - 1] if n else None
    return {
        "draw": draw,
        "t": layer.period if layer else 0,
        "period": game.scenario.calendar.label(layer.period) if layer else "start",
        "turn": layer.turn + 1 if layer else 0,
        "actor": who,
        "action": what,
        **{v.key: v.label(int(levels[v.key][0])) for v in game.structure.variables},
        **{actors[i].key: actors[i].types[game.profiles[p, i]] for i in game.informed},
        **{
            f"belief {actors[i].key} {kind}": belief[i] if k else 1 - belief[i]
            for i in game.informed
            for k, kind in enumerate(actors[i].types)
        },
    }


def interpolated_strategy(solution: Solution, n: int, x: int, belief: list[float]) -> Floats:
    """The mover's strategy at beliefs between nodes, float64 [θ, a]: multilinear in the nodes."""
    table = solution.strategy(n, x)
    play = table.reshape(*solution.grid.shape, *table.shape[1:])
    for nodes, b in zip(solution.grid.nodes, belief, strict=True):
        if nodes.size == 1:
            play = play[0]
            continue
        j = int(np.clip(np.searchsorted(nodes, b, side="right") - 1, 0, nodes.size - 2))
        f = (b - nodes[j]) / (nodes[j + 1] - nodes[j])
        play = (1 - f) * play[j] + f * play[j + 1]
    return np.asarray(play / play.sum(axis=1, keepdims=True))
