"""The exact forward pass: where play goes, conditional on the true types.

For each type profile the probability mass over (state, belief) is pushed through the layers with
the solution's own strategies, posteriors and interpolation (`kernels.push`). Profiles are
computed apart, so results do not depend on the threads.

"Has happened by period t" needs no memory where an outcome, once it holds, always holds. For any
other outcome the histories in which it has not happened yet are followed in a channel of their
own, from which mass leaves when it happens.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame
from detente.solver.kernels.push import push
from detente.solver.solution import Solution

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What follows from a solution, for each true type profile p; period 0 is the start.

    happened, holding
        By outcome, float64 [t, p]: probability that it has held by the end of period t (from the
        start on), and that it holds then.
    states
        For each t, float64 [x, p] over the states in which the period ends.
    beliefs
        For each actor, float64 [t, g, p]: distribution over the nodes of the belief about it.
    acted
        For each layer, float64 [own action + 1, p]; the last row is 'nobody moves'.
    payoffs
        float64 [i, p]: expected payoff, added up along the way.
    """

    happened: dict[str, Floats]
    holding: dict[str, Floats]
    states: tuple[Floats, ...]
    beliefs: tuple[Floats, ...]
    acted: tuple[Floats, ...]
    payoffs: Floats


def persistent(game: CompiledGame, outcome: str) -> bool:
    """Whether an outcome, once it holds, holds ever after."""
    holds = game.holds[outcome]
    for n, layer in enumerate(game.layers):
        transitions = np.diff(layer.trans_ptr[layer.action_ptr])
        before = np.repeat(holds[n], transitions)
        if np.any(before & ~holds[n + 1][layer.succ]):
            return False
    return True


def forward(solution: Solution, *, threads: int | None = None) -> Forward:
    """Push the start through the solution. See `Forward`."""
    game = solution.game
    passing = tuple(key for key in game.holds if not persistent(game, key))
    profiles = range(len(game.profiles))
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        runs = list(pool.map(lambda p: _one_profile(solution, p, passing), profiles))
    return Forward(
        happened={k: np.stack([run.happened[k] for run in runs], axis=1) for k in game.holds},
        holding={k: np.stack([run.holding[k] for run in runs], axis=1) for k in game.holds},
        states=tuple(np.stack(s, axis=1) for s in zip(*(run.states for run in runs), strict=True)),
        beliefs=tuple(
            np.stack(b, axis=2) for b in zip(*(run.beliefs for run in runs), strict=True)
        ),
        acted=tuple(np.stack(a, axis=1) for a in zip(*(run.acted for run in runs), strict=True)),
        payoffs=np.stack([run.payoffs for run in runs], axis=1),
    )


def _one_profile(solution: Solution, p: int, passing: tuple[str, ...]) -> Forward:
    """The forward pass for one profile: as `Forward`, without the axis p."""
    game, grid = solution.game, solution.grid
    periods = game.periods + 1
    mass = np.zeros((1, grid.size, 1 + len(passing)))
    mass[0, grid.start] = 1.0
    happened = {key: np.zeros(periods) for key in game.holds}
    holding = {key: np.zeros(periods) for key in game.holds}
    beliefs = tuple(np.zeros((periods, size)) for size in grid.shape)
    states: list[Floats] = []
    acted: list[Floats] = []
    payoffs = np.zeros(len(game.priors))

    def leave(n: int) -> None:
        """Take the histories in which an outcome holds before layer n out of its channel."""
        for h, key in enumerate(passing, start=1):
            mass[game.holds[key][n], :, h] = 0.0

    def record(t: int, n: int) -> None:
        by_state = mass.sum(axis=1)
        states.append(by_state[:, 0].copy())
        for key in game.holds:
            holding[key][t] = happened[key][t] = by_state[game.holds[key][n], 0].sum()
        for h, key in enumerate(passing, start=1):
            happened[key][t] = by_state[:, 0].sum() - by_state[:, h].sum()
        over = mass[:, :, 0].sum(axis=0).reshape(grid.shape)
        for i, about in enumerate(beliefs):
            about[t] = over.sum(axis=tuple(j for j in range(len(beliefs)) if j != i))

    leave(0)
    record(0, 0)
    for n, layer in enumerate(game.layers):
        mover = layer.movers[0] if layer.movers else -1
        informed = mover in game.informed
        following = np.zeros((game.structure.sets[n + 1].size, grid.size, mass.shape[2]))
        actions = int(layer.action.max(initial=-1)) + 2
        own = layer.action[:, 0] if layer.movers else np.full(layer.action.shape[0], -1, np.int32)
        counted = np.zeros(actions)
        paid = np.zeros(len(game.priors))
        push(
            layer.action_ptr,
            own,
            layer.trans_ptr,
            layer.succ,
            layer.prob,
            layer.reward,
            solution.strategies[n],
            grid.nodes[mover] if informed else np.ones(1),
            grid.split[mover] if informed else 0,
            grid.stride(mover) if informed else 1,
            int(game.profiles[p, mover]) if informed else 0,
            p,
            len(game.profiles),
            mass,
            following,
            counted,
            paid,
        )
        payoffs += game.discount ** (layer.period - 1) * paid
        acted.append(counted)
        mass = following
        leave(n + 1)
        if game.ends_period[n]:
            record(layer.period, n + 1)
            flow = game.flow[layer.period - 1].reshape(len(mass), len(payoffs), -1)[:, :, p]
            payoffs += game.discount ** (layer.period - 1) * (states[-1] @ flow)
    terminal = game.terminal.reshape(len(mass), len(payoffs), -1)[:, :, p]
    payoffs += game.discount**game.periods * (states[-1] @ terminal)
    return Forward(happened, holding, tuple(states), beliefs, tuple(acted), payoffs)
