"""`solve`: backward induction over turns, each turn's stage problem on the whole belief grid.

Values are carried conditional on the true type profile (see `sweep`). A game without end
is solved for its stationary equilibrium (`stationary`), a precision of `limit` is approached
(`limit`).
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detente.arguments import whole
from detente.errors import SolveError, expect, refuse
from detente.game.arrays import CompiledGame
from detente.solver.backward import Backward
from detente.solver.beliefs import (
    BeliefGrid,
    belief_grid,
    coarser,
    grid_like,
    grid_size,
    lies_between,
)
from detente.solver.certificate import CHECKED_NODES, Auditor
from detente.solver.keep import Keep
from detente.solver.limit import follow_limit
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.replay import Replayed
from detente.solver.solution import (
    RESIDUAL_LIMIT,
    BranchCount,
    Certificate,
    Solution,
    Status,
    by_type,
    status_of,
)
from detente.solver.start import Start
from detente.solver.stationary import Stationary
from detente.solver.without_end import GridTask, find_stationary, random_starts, told
from detente.solver.workers import Progress, TimeUpError, Workers, open_workers, side_by_side

Floats = NDArray[np.float64]

REGRET_WORK = 2_000_000
"""Turn-state-belief points from which on regret is computed on the coarser grid only: it takes as
many components again as the values do, and is wanted to two digits. That of many types is too
coarse even for this."""


def solve(
    game: CompiledGame,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    regret: bool = True,
    coarse: bool = True,
    checked: int = CHECKED_NODES,
    rng: np.random.Generator | None = None,
    like: BeliefGrid | None = None,
    start: Start | None = None,
) -> Solution:
    """The Markov logit quantal response equilibrium of a game, on its principal branch.

    Parameters
    ----------
    game
        As compiled. Precisions of inf are followed as far as the branch goes (see `limit`).
    options
        Belief points, threads, memory and progress.
    regret
        Compute what each actor would gain by its best response. Where choices come from shocks
        they are best responses, and it is not computed.
    coarse
        Solve on every second belief node as well, to report the discretisation error.
    checked
        At how many points (turn, state, belief) the certificate recomputes strategies and values at
        most, on each grid: a seeded sample where there are more, and one for each turn at least.
        With 0 it recomputes nothing, and the status speaks of the stage problems alone. Nothing
        else depends on it.
    rng
        Where given, every stage problem that is not certain to have one solution is solved from
        log odds drawn here, not by following the principal branch: any equilibrium will do.
    like
        A grid of the same game at other priors, of whose kind this one's is to be: what is solved
        then changes smoothly with the priors.
    start
        Where given, stage problems are solved from these choices instead (see `read_start`), and in
        a game without end values from what they are worth: the equilibrium is one near them.

    Raises
    ------
    ScenarioError
        For a number of belief points with which the game has no grid; for a `start` of another
        game, of one with a precision of inf, or beside `rng`.
    SolveError
        If the solve would need more memory than allowed, even so that strategies are not kept in
        it, or more room on disk than there is.
    ValueError, TypeError
        For a number of `checked` points that makes no sense.

    Notes
    -----
    A solve whose accuracy falls short is returned, with a `status` that says so. Where they are
    large, strategies of a game that ends are kept in a temporary file, which goes with the
    solution. Where memory is short and there is no room for the file, they are solved anew where
    they are read (see `replay`): about the time of one more solve each time that play is followed.
    The numbers are the same.
    """
    expect(game, CompiledGame, "solve")
    whole("checked", checked, 0)
    limited = bool(np.isinf(game.precision).any())
    if start is not None:
        start.check(game)
        if rng is not None:
            message = "play begins from given choices or from drawn ones"
            refuse("start", "not-together", message, "leave out `rng=` or `start=`")
    points = options.points(game)
    both = coarse and bool(game.informed)
    regret = regret and not game.shocks
    states = sum(layer.states.size for layer in game.layers)
    small = states * grid_size(game, points) < REGRET_WORK or any(map(lies_between, game.priors))
    fine_regret = regret and (small or not both)
    ways = tuple(Keep) if game.loop is None and not limited else (Keep.MEMORY,)
    if start is not None or rng is not None:  # by which strategies are not what they are without
        ways = tuple(keep for keep in ways if not keep.anew)
    keep = options.way_to_keep(game, ways, regret=fine_regret, coarse=both)
    notes: tuple[str, ...] = ()
    if keep is not Keep.MEMORY:
        short = options.memory(game, regret=fine_regret, coarse=both, keep=Keep.MEMORY)
        notes = (keep.value,) if short > options.memory_limit else ()  # else nobody need know
    grid = belief_grid(game, points) if like is None else grid_like(game, like)

    def with_precision(
        game: CompiledGame, workers: Workers, report: Progress, coarse: bool
    ) -> Solution:
        grids = (grid, coarser(game, grid)) if coarse else (grid,)
        tell = side_by_side(report, [on.size for on in grids])

        def solve_on(rough: bool) -> Solution:
            wanted = regret and not fine_regret if rough else fine_regret
            mine = workers.share(1 / 4) if rough and workers.threads == 1 else workers
            task = GridTask(wanted, None if rough else rng, start, checked, mine, tell[rough], keep)
            return _solve_on(game, grids[rough], task)

        if not coarse:
            return solve_on(rough=False)
        # Side by side, so that what cannot be shared out does not keep the other threads waiting.
        rough, fine = workers.together([partial(solve_on, rough) for rough in (True, False)])
        return _with_coarser(fine, rough)

    seconds = options.seconds(game) if limited or game.loop is not None else options.time_limit
    try:
        with open_workers(options.threads) as workers:
            if seconds is not None:
                workers = workers.within(seconds)
            if not limited:
                solution = with_precision(game, workers, options.report, both)
                return replace(solution, notes=(*solution.notes, *notes))
            solve_at = partial(with_precision, workers=workers)
            return follow_limit(game, solve_at, both, options.report)
    except TimeUpError:
        raise SolveError(
            f"solving {game.scenario.name!r} was given up after {seconds:g} seconds, before there "
            "was an answer.\nhint: allow more time, or use fewer belief points or periods"
        ) from None


def _with_coarser(fine: Solution, rough: Solution) -> Solution:
    """A solution with that on the coarser grid, and with its regret where it has none itself."""
    certificate, other = fine.certificate, rough.certificate
    if certificate.regret is None:
        certificate = replace(certificate, regret=other.regret, regret_points=other.regret_points)
    return replace(
        fine, certificate=certificate, coarse=rough, seconds=max(fine.seconds, rough.seconds)
    )


def _solve_on(game: CompiledGame, grid: BeliefGrid, task: GridTask) -> Solution:
    """The solution on one grid."""
    begin = time.perf_counter()
    engine = Backward(
        game, grid, task.workers, regret=task.regret, lends=task.keep is not Keep.MEMORY
    )
    notes: tuple[str, ...] = ()
    if task.start is not None:
        engine.begin_near(task.start.strategies)
    found: Stationary | None = None
    if game.loop is None:
        values = engine.begin(game.terminal)
    else:
        found = find_stationary(game, engine, task)
        game = engine.game
        notes = (told(found),)
        values = engine.begin_from(found.values[game.loop])
    auditor = Auditor(game, grid, task.checked)
    strategies: list[Floats] = []
    replayed: Replayed | None = None
    if task.keep is not Keep.MEMORY:
        replayed = Replayed(game, grid, task.workers.threads, task.keep)
    total = sum(layer.states.size for layer in game.layers)
    done = 0
    for n in reversed(range(len(game.layers))):
        layer = game.layers[n]
        if game.ends_period[n]:
            engine.close_period(values, layer.period)
        following = values
        values, sigma = engine.layer(n, following, random_starts(game, n, task.rng))
        auditor.visit(layer, following, values, sigma)
        if replayed is not None:
            replayed.store(n, following, sigma)
        else:
            strategies.append(sigma)
        done += layer.states.size
        task.progress(done / total)
    strategies.reverse()
    if task.start is not None:
        notes = (*notes, task.start.note(grid.start, strategies if replayed is None else replayed))
    start = values[game.start]
    width, profiles = game.profiles.size, len(game.profiles)
    gain = (start[width:] - start[:width])[:, grid.start] if task.regret else None
    certificate = Certificate(
        residual=auditor.residual if auditor.checked else math.nan,
        value_error=auditor.value_error if auditor.checked else math.nan,
        checked=auditor.checked,
        nodes=auditor.nodes,
        regret=None if gain is None else by_type(game, gain.reshape(len(game.priors), profiles)),
        regret_points=grid.points,
        change=None if found is None else found.change,
    )
    branches = BranchCount.of(engine.counts)
    status = status_of(branches, auditor.residual, auditor.value_error)
    moving = found is not None and (found.share < 1.0 or found.change > RESIDUAL_LIMIT)
    if moving and status is not Status.STAGE_FAILED:
        status = Status.NOT_STATIONARY
    return Solution(
        game=game,
        grid=grid,
        strategies=tuple(strategies) if replayed is None else replayed,
        first_values=values[:, :width].transpose(0, 2, 1).copy(),
        status=status,
        certificate=certificate,
        branches=branches,
        coarse=None,
        seconds=time.perf_counter() - begin,
        threads=task.workers.threads,
        notes=notes,
    )
