"""The exact forward pass: where play goes, conditional on the true types.

For each type profile the probability mass over (state, belief) is pushed through the layers with
the solution's own strategies, posteriors and interpolation (`kernels.push`). Profiles are
computed apart, in groups, so results do not depend on the threads.

"Has happened by period t" needs no memory where an outcome, once it holds, always holds. For any
other outcome the histories in which it has not happened yet are followed in a channel of their
own, from which mass leaves when it happens.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame
from detente.solver.kernels.push import marginals, push
from detente.solver.solution import Solution
from detente.solver.solve import Progress

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Some profiles q passed forward; h numbers the channels of each.

    by_state, by_belief
        For each t, float64 [x, q, h] (mass still in its channel) and [b, q].
    acted
        For each layer, float64 [own action + 1, q].
    rewards
        float64 [i, q]: expected rewards, discounted.
    """

    by_state: list[Floats]
    by_belief: list[Floats]
    acted: list[Floats]
    rewards: Floats


def forward(
    solution: Solution, *, threads: int | None = None, progress: Progress | None = None
) -> Forward:
    """Push the start through the solution. See `Forward`; options as those of `solve`."""
    game, grid = solution.game, solution.grid
    passing = tuple(key for key in game.holds if not persistent(game, key))
    threads = threads or os.cpu_count() or 1
    groups = np.array_split(np.arange(len(game.profiles)), min(threads, len(game.profiles)))
    with ThreadPoolExecutor(threads) as pool:
        # One group tells how far it has come: they take about the same time.
        reports = [progress, *[None] * (len(groups) - 1)]
        run = partial(_push_through, solution, passing)
        runs = list(pool.map(run, groups, reports))
    # From here on all profiles are together: sums do not depend on how they were grouped.
    channels = _joined([run.by_state for run in runs])
    states = tuple(np.ascontiguousarray(mass[:, :, 0]) for mass in channels)
    beliefs = np.stack(_joined([run.by_belief for run in runs]))
    acted = _joined([run.acted for run in runs])
    holding, happened = {}, {}
    ends = (0, *game.structure.period_sets)
    for key, holds in game.holds.items():
        holding[key] = np.stack(
            [s[holds[n]].sum(axis=0) for s, n in zip(states, ends, strict=True)]
        )
        happened[key] = holding[key]
    for h, key in enumerate(passing, start=1):
        happened[key] = np.stack([(mass[:, :, 0] - mass[:, :, h]).sum(axis=0) for mass in channels])
    actors, width = len(game.priors), len(game.profiles)
    payoffs = np.concatenate([run.rewards for run in runs], axis=1)
    discount = game.discount[:, None]
    for t, flow in enumerate(game.flow):
        table = flow.reshape(-1, actors, width)
        payoffs += discount**t * np.einsum("xip,xp->ip", table, states[t + 1])
    table = game.terminal.reshape(-1, actors, width)
    payoffs += discount**game.periods * np.einsum("xip,xp->ip", table, states[-1])
    about = beliefs.reshape(len(beliefs), *grid.shape, width)
    return Forward(
        happened=happened,
        holding=holding,
        states=states,
        beliefs=tuple(
            about.sum(axis=tuple(1 + j for j in range(actors) if j != i)) for i in range(actors)
        ),
        acted=tuple(acted),
        payoffs=payoffs,
    )


def _actions(game: CompiledGame, mover: int) -> int:
    """The number of all actions of a mover, of which some may be available nowhere; -1: chance."""
    return len(game.scenario.actions[list(game.scenario.actors)[mover]]) if mover >= 0 else 0


def _joined(parts: list[list[Floats]]) -> list[Floats]:
    """Lists of arrays of several runs, put together along the axis of profiles (the second)."""
    return [np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True)]


def _push_through(
    solution: Solution, passing: tuple[str, ...], chosen: Ints, progress: Progress | None
) -> _Run:
    """The forward pass for the profiles `chosen`."""
    game, grid = solution.game, solution.grid
    sets = game.structure.sets
    channels = 1 + len(passing)
    shape = (grid.size, chosen.size * channels)
    # Two arrays in turn, made once: fresh memory for every layer would cost more than the work.
    most = max(codes.size for codes in sets)
    store = [np.empty((most, *shape)), np.empty((most, *shape))]
    mass = store[1][:1]
    mass[:] = 0.0
    mass[0, grid.start] = 1.0
    run = _Run([], [], [], np.zeros((len(game.priors), chosen.size)))

    def alive(n: int) -> Floats:
        """For each channel, 0 where its outcome holds before layer n: float64 [x, q h]."""
        keep = np.ones((sets[n].size, channels))
        for h, key in enumerate(passing, start=1):
            keep[game.holds[key][n], h] = 0.0
        return np.tile(keep, chosen.size)

    def record(n: int) -> None:
        by_state, by_belief = np.zeros((sets[n].size, shape[1])), np.zeros(shape)
        marginals(mass, alive(n), by_state, by_belief)
        run.by_state.append(by_state.reshape(-1, chosen.size, channels))
        run.by_belief.append(by_belief.reshape(-1, chosen.size, channels)[:, :, 0])

    record(0)
    for n, layer in enumerate(game.layers):
        mover = layer.movers[0] if layer.movers else -1
        informed = mover in game.informed
        following = store[n % 2][: sets[n + 1].size]
        following[:] = 0.0
        own = layer.action[:, 0] if layer.movers else np.full(len(layer.action), -1, np.int32)
        counted = np.zeros((_actions(game, mover) + 1, chosen.size))
        paid = np.zeros_like(run.rewards)
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
            game.profiles[chosen, mover] if informed else np.zeros_like(chosen),
            chosen,
            len(game.profiles),
            alive(n),
            mass,
            following,
            counted,
            paid,
        )
        run.rewards[:] += game.discount[:, None] ** (layer.period - 1) * paid
        run.acted.append(counted)
        mass = following
        if game.ends_period[n]:
            record(n + 1)
        if progress is not None:
            progress((n + 1) / len(game.layers))
    return run
