"""`solve`: backward induction over turns, each turn's stage problem on the whole belief grid.

Values are carried conditional on the true type profile (see `kernels.sweep`). Work is shared
out by states; every state is computed by itself, so results do not depend on the threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detente.errors import SolveError
from detente.game.arrays import CompiledGame, Layer
from detente.solver.beliefs import BeliefGrid, belief_grid
from detente.solver.certificate import Auditor
from detente.solver.kernels.sweep import sweep
from detente.solver.solution import (
    RESIDUAL_LIMIT,
    BranchCount,
    Certificate,
    Solution,
    Status,
    by_type,
)

Floats = NDArray[np.float64]
Progress = Callable[[float], None]

DEFAULT_POINTS = {0: 5, 1: 65, 2: 17, 3: 9}
"""Belief points for each informed actor, by the number of those: outcome probabilities are then
good to about 1e-3, and the product grid stays below a thousand nodes."""

MEMORY_LIMIT = 4 * 2**30
"""Bytes that a solve may take unless more is allowed."""

SMALL_WORK = 20_000
"""Nodes of a layer below which sharing out costs more than it saves."""


def solve(
    game: CompiledGame,
    *,
    beliefs: int | None = None,
    threads: int | None = None,
    regret: bool = True,
    coarse: bool = True,
    memory_limit: int = MEMORY_LIMIT,
    progress: Progress | None = None,
) -> Solution:
    """The Markov logit quantal response equilibrium of a game, on its principal branch.

    Parameters
    ----------
    game
        As compiled.
    beliefs
        Belief points for each informed actor: odd, at least 5; by default
        `DEFAULT_POINTS`.
    threads
        Threads to work with; all processors by default. Results do not depend on it.
    regret
        Compute what each actor would gain by its best response.
    coarse
        Solve on every second belief node as well, to report the discretisation error.
    memory_limit
        Bytes; a solve that would need more is refused before it starts.
    progress
        Called with the share of the work that is done, from 0 to 1.

    Raises
    ------
    SolveError
        If the solve would need more memory than allowed.
    ValueError
        For belief points or threads that make no sense.

    Notes
    -----
    A solve whose accuracy falls short is returned, with a `status` that says so.
    """
    points = DEFAULT_POINTS.get(len(game.informed), 5) if beliefs is None else beliefs
    if points < 5 or points % 2 == 0:
        raise ValueError(f"belief points are an odd number of at least 5, not {points}")
    if threads is not None and threads < 1:
        raise ValueError(f"threads are at least 1, not {threads}")
    threads = threads or os.cpu_count() or 1
    needed = memory_needed(game, points ** len(game.informed), regret=regret)
    if needed > memory_limit:
        raise SolveError(
            f"solving {game!r} with {points} belief points for each informed actor needs about "
            f"{needed / 2**30:.1f} GiB of memory; allowed are {memory_limit / 2**30:.1f} GiB.\n"
            "hint: use fewer belief points or periods, a smaller state space, or allow more memory"
        )
    grid = belief_grid(game, points)
    rough = None
    both = coarse and bool(game.informed)
    # The coarser grid has about a quarter of the nodes where two actors are informed.
    share = 0.5 ** len(game.informed) / (1 + 0.5 ** len(game.informed)) if both else 0.0
    report = progress or (lambda _: None)
    with ThreadPoolExecutor(threads) as pool:
        workers = _Workers(pool, threads)
        if both:
            coarser = belief_grid(game, (points - 1) // 2 + 1)
            rough = _sweep(game, coarser, workers, False, None, lambda s: report(share * s))
        return _sweep(game, grid, workers, regret, rough, lambda s: report(share + (1 - share) * s))


def memory_needed(game: CompiledGame, nodes: int, *, regret: bool = True) -> int:
    """Bytes that a solve on a grid of so many nodes and its forecast take at their height.

    All strategies stay; beside them stand the values of two layers, or later the forecast's
    masses of two layers, at most one for each outcome.
    """
    width = game.profiles.size * (2 if regret else 1)
    states = [codes.size for codes in game.structure.sets]
    height = max((a + b for a, b in pairwise(states)), default=states[0])
    kept = sum(
        layer.action.shape[0] * max((game.priors[m].size for m in layer.movers), default=0)
        for layer in game.layers
    )
    masses = 2 * max(states) * len(game.profiles) * (1 + len(game.holds))
    # Three tenths more for the coarser grid's strategies, which stay for the error.
    return int(8 * nodes * (kept * 1.3 + max(height * width * 1.5, masses)))


@dataclass(frozen=True, slots=True)
class _Workers:
    pool: Executor
    threads: int

    def run(self, task: Callable[[int, int], None], states: int, nodes: int) -> None:
        """Call task(first, last) over all states, in parallel where that pays."""
        if self.threads == 1 or nodes < SMALL_WORK or states == 1:
            task(0, states)
            return
        cuts = np.linspace(0, states, min(states, 8 * self.threads) + 1).astype(int)
        list(self.pool.map(task, cuts[:-1], cuts[1:]))


def _sweep(
    game: CompiledGame,
    grid: BeliefGrid,
    workers: _Workers,
    regret: bool,
    coarse: Solution | None,
    progress: Progress,
) -> Solution:
    begin = time.perf_counter()
    copies = 2 if regret else 1
    auditor = Auditor(game, grid)
    counts = np.zeros(4, dtype=np.int64)
    terminal = np.tile(game.terminal, copies)
    values = np.repeat(terminal[:, None, :], grid.size, axis=1)
    profiles = len(game.profiles)
    discount = np.tile(np.repeat(game.discount, profiles), copies)
    strategies: list[Floats] = []
    total = sum(layer.states.size for layer in game.layers)
    done = 0
    for n in reversed(range(len(game.layers))):
        layer = game.layers[n]
        if game.ends_period[n]:
            values *= discount
            values += np.tile(game.flow[layer.period - 1], copies)[:, None, :]
        following = values
        values, sigma = _solve_layer(game, grid, layer, following, workers, counts)
        auditor.visit(layer, following, values, sigma)
        strategies.append(sigma)
        done += layer.states.size
        progress(done / total)
    strategies.reverse()
    start = values[0]
    width = game.profiles.size
    gain = (start[grid.start, width:] - start[grid.start, :width]) if regret else None
    certificate = Certificate(
        residual=auditor.residual,
        value_error=auditor.value_error,
        checked=auditor.checked,
        nodes=auditor.nodes,
        regret=None if gain is None else by_type(game, gain.reshape(len(game.priors), profiles)),
    )
    branches = BranchCount(*(int(c) for c in counts))
    status = Status.SOLVED
    if branches.failed:
        status = Status.STAGE_FAILED
    elif not max(auditor.residual, auditor.value_error) <= RESIDUAL_LIMIT:
        status = Status.INACCURATE
    return Solution(
        game=game,
        grid=grid,
        strategies=tuple(strategies),
        start_values=start[:, :width].copy(),
        status=status,
        certificate=certificate,
        branches=branches,
        coarse=coarse,
        seconds=time.perf_counter() - begin + (coarse.seconds if coarse else 0.0),
        threads=workers.threads,
    )


def _solve_layer(
    game: CompiledGame,
    grid: BeliefGrid,
    layer: Layer,
    following: Floats,
    workers: _Workers,
    counts: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """Values [x, b, c] and flat strategies of one layer; `counts` is added to."""
    mover = layer.movers[0] if layer.movers else -1
    informed = mover in game.informed
    nodes = grid.nodes[mover] if informed else np.ones(1)
    split = grid.split[mover] if informed else 0
    stride = grid.stride(mover) if informed else 1
    # To chance nobody's type matters: it has one action.
    others = grid.others(mover) if mover >= 0 else np.zeros((grid.size, len(game.profiles)))
    own_type = game.profiles[:, mover] if informed else np.zeros(len(game.profiles), np.int64)
    types = 2 if informed else 1
    values = np.empty((layer.states.size, grid.size, following.shape[2]))
    sigma = np.empty(grid.size * types * layer.action.shape[0] if layer.movers else 0)

    def task(first: int, last: int) -> None:
        part = np.zeros(4, dtype=np.int64)
        sweep(
            first,
            last,
            layer.action_ptr,
            layer.trans_ptr,
            layer.succ,
            layer.prob,
            layer.reward,
            following,
            game.precision[mover] if mover >= 0 else 0.0,
            nodes,
            split,
            stride,
            others,
            np.ascontiguousarray(own_type),
            mover,
            game.profiles.size,
            values,
            sigma,
            part,
        )
        found.append(part)

    found: list[NDArray[np.int64]] = []
    workers.run(task, layer.states.size, layer.states.size * grid.size)
    counts += np.sum(found, axis=0)
    return values, sigma
