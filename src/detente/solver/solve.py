"""`solve`: backward induction over turns, each turn's stage problem on the whole belief grid.

Values are carried conditional on the true type profile (see `sweep`). A game without end
is solved for its stationary equilibrium (`stationary`), a precision of `limit` is approached
(`limit`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
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
    halved_points,
    refined,
)
from detente.solver.certificate import CHECKED_NODES, Auditor
from detente.solver.layout import kinds
from detente.solver.limit import follow_limit
from detente.solver.memory import refuse_beyond
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import (
    RESIDUAL_LIMIT,
    BranchCount,
    Certificate,
    Solution,
    Status,
    by_type,
    status_of,
)
from detente.solver.start import Start, played_for_ever
from detente.solver.stationary import Period, Stationary, at_share, follow_stationary
from detente.solver.workers import Progress, TimeUpError, Workers, open_workers

Floats = NDArray[np.float64]

REGRET_WORK = 2_000_000
"""Turn-state-belief points from which on regret is computed on the coarser grid only: it takes as
many components again as the values do, and is wanted to two digits."""

ODDS = 3.0
"""Standard deviation of the log odds from which other equilibria are looked for."""


@dataclass(frozen=True, slots=True)
class _GridTask:
    """How the game is solved on one grid."""

    regret: bool
    rng: np.random.Generator | None
    start: Start | None
    checked: int
    workers: Workers
    progress: Progress


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
        Nothing else depends on it.
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
        If the solve would need more memory than allowed.
    ValueError, TypeError
        For a number of `checked` points that makes no sense.

    Notes
    -----
    A solve whose accuracy falls short is returned, with a `status` that says so.
    """
    expect(game, CompiledGame, "solve")
    whole("checked", checked, 1)
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
    fine_regret = regret and (not both or states * grid_size(game, points) < REGRET_WORK)
    refuse_beyond(
        options.memory_limit,
        options.memory(game, regret=fine_regret, coarse=both),
        f"solving {game!r} with {points} belief points for each informed actor",
        "use fewer belief points or periods, a smaller state space, or allow more memory",
    )
    grid = belief_grid(game, points) if like is None else grid_like(game, like)

    def with_precision(
        game: CompiledGame, workers: Workers, report: Progress, coarse: bool
    ) -> Solution:
        done = {True: 0.0, False: 0.0}

        def solve_on(rough: bool) -> Solution:
            on = coarser(game, grid) if rough else grid

            def tell(share: float) -> None:
                done[rough] = share * on.size
                report(sum(done.values()) / sizes)

            wanted = regret and not fine_regret if rough else fine_regret
            mine = workers.share(1 / 4) if rough and workers.threads == 1 else workers
            task = _GridTask(wanted, None if rough else rng, start, checked, mine, tell)
            return _solve_on(game, on, task)

        sizes = grid.size + (coarser(game, grid).size if coarse else 0)
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
                return with_precision(game, workers, options.report, both)
            solve_at = partial(with_precision, workers=workers)
            return follow_limit(game, solve_at, both, options.report)
    except TimeUpError:
        raise SolveError(
            f"solving {game!r} was given up after {seconds:g} seconds, before there was an answer."
            "\nhint: allow more time, or use fewer belief points or periods"
        ) from None


def _with_coarser(fine: Solution, rough: Solution) -> Solution:
    """A solution with that on the coarser grid, and with its regret where it has none itself."""
    certificate, other = fine.certificate, rough.certificate
    if certificate.regret is None:
        certificate = replace(certificate, regret=other.regret, regret_points=other.regret_points)
    return replace(
        fine, certificate=certificate, coarse=rough, seconds=max(fine.seconds, rough.seconds)
    )


def _solve_on(game: CompiledGame, grid: BeliefGrid, task: _GridTask) -> Solution:
    """The solution on one grid."""
    begin = time.perf_counter()
    engine = Backward(game, grid, task.workers, regret=task.regret)
    notes: tuple[str, ...] = ()
    if task.start is not None:
        engine.begin_near(task.start.strategies)
    found: Stationary | None = None
    if game.loop is None:
        values = engine.begin(game.terminal)
    else:
        found = _stationary(game, engine, task)
        game = engine.game
        notes = (_told(found),)
        values = engine.begin_from(found.values[game.loop])
    auditor = Auditor(game, grid, task.checked)
    strategies: list[Floats] = []
    total = sum(layer.states.size for layer in game.layers)
    done = 0
    for n in reversed(range(len(game.layers))):
        layer = game.layers[n]
        if game.ends_period[n]:
            engine.close_period(values, layer.period)
        following = values
        values, sigma = engine.layer(n, following, _starts(game, n, task.rng))
        auditor.visit(layer, following, values, sigma)
        strategies.append(sigma)
        done += layer.states.size
        task.progress(done / total)
    strategies.reverse()
    if task.start is not None:
        notes = (*notes, task.start.note(grid.start, strategies))
    start = values[game.start]
    width, profiles = game.profiles.size, len(game.profiles)
    gain = (start[width:] - start[:width])[:, grid.start] if task.regret else None
    certificate = Certificate(
        residual=auditor.residual,
        value_error=auditor.value_error,
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
        strategies=tuple(strategies),
        first_values=np.moveaxis(values[:, :width], 1, 2).copy(),
        status=status,
        certificate=certificate,
        branches=branches,
        coarse=None,
        seconds=time.perf_counter() - begin,
        threads=task.workers.threads,
        notes=notes,
    )


def _stationary(game: CompiledGame, engine: Backward, task: _GridTask) -> Stationary:
    """The values with which a period begins in the stationary equilibrium."""
    assert game.loop is not None

    def iterate(values: Floats, share: float, quick: bool) -> Floats:
        engine.quick = task.start is not None or (quick and task.rng is None)
        engine.at(at_share(game, share))
        return _period(game, engine, values, again())

    seed = None if task.rng is None else int(task.rng.integers(2**32))

    def again() -> np.random.Generator | None:
        # The same starts in every iteration: otherwise nothing would converge.
        return None if seed is None else np.random.default_rng(seed)

    shape = (game.layers[0].states.size, engine.width * engine.copies, engine.grid.size)
    start = np.zeros(shape)
    if task.rng is not None:
        flow = game.flow[0] / (1.0 - game.discount.max())
        start += task.rng.uniform(flow.min(), flow.max(), shape[0])[:, None, None]
    if task.start is not None:
        start = _worth(played_for_ever(game, task.start), engine)
    near = task.start is not None
    continued = task.rng is None and not near
    found = _from_half(game, engine, task, iterate) if continued else None
    if found is None:
        found = follow_stationary(
            iterate, start, continued=continued, near=near, progress=task.progress
        )
    engine.quick = task.start is not None
    engine.workers = engine.workers.within(np.inf)  # one more period, whatever the time
    engine.at(at_share(game, found.share))
    engine.counts[:] = 0
    return found


def _from_half(
    game: CompiledGame, engine: Backward, task: _GridTask, iterate: Period
) -> Stationary | None:
    """The same from the solution on the grid with half the steps, followed there, if it leads to
    one: the way in precision takes many periods, and on that grid each takes a quarter of the time
    or less."""
    points = halved_points(engine.grid)
    if not points:
        return None
    grid = belief_grid(game, points)
    half = replace(task, progress=lambda share: task.progress(share / 2))
    rough = _stationary(game, Backward(game, grid, task.workers, regret=engine.copies == 2), half)
    if not (rough.solved or rough.timed_out):
        return None
    values = refined(rough.values, grid, engine.grid)
    if rough.timed_out:
        return replace(rough, values=values)
    iterate(values, 1.0, False)  # turns begin on the principal branch
    found = follow_stationary(iterate, values, continued=False, progress=task.progress)
    if not found.solved:
        return None
    iterations, steps = rough.iterations + found.iterations + 1, rough.steps + found.steps
    return replace(found, iterations=iterations, steps=steps)


def _worth(game: CompiledGame, engine: Backward) -> Floats:
    """The values [x, c, b] with which a period begins where play is reference behaviour."""
    assert game.loop is not None
    other = Backward(game, engine.grid, engine.workers, regret=engine.copies == 2)

    def iterate(values: Floats, share: float, quick: bool) -> Floats:
        del share, quick
        return _period(game, other, values)

    shape = (game.layers[0].states.size, engine.width * engine.copies, engine.grid.size)
    found = follow_stationary(iterate, np.zeros(shape), continued=False, progress=lambda _: None)
    return found.values


def _period(
    game: CompiledGame, engine: Backward, values: Floats, rng: np.random.Generator | None = None
) -> Floats:
    """Φ(V): the values [x, c, b] one period before others."""
    ahead = engine.begin_from(values[game.loop])
    engine.close_period(ahead, 1)
    for n in reversed(range(len(game.layers))):
        ahead, _ = engine.layer(n, ahead, _starts(game, n, rng))
    return ahead.copy()


def _told(found: Stationary) -> str:
    """How a stationary equilibrium was found, in a sentence."""
    way = f"{found.iterations} periods of backward induction"
    if found.steps > 1:
        way += f" in {found.steps} steps of precision"
    if found.share == 1.0:
        return f"Stationary after {way}: values change by {found.change:.0e} from period to period."
    if found.timed_out:
        return f"Followed to {found.share:.1%} of the precision by {way}; then the time was over."
    return (
        f"Followed to {found.share:.1%} of the precision by {way}; beyond it values still change "
        f"by {found.change:.0e} from period to period, whatever the step."
    )


def _starts(game: CompiledGame, n: int, rng: np.random.Generator | None) -> Floats | None:
    """Log odds [x, D] from which to look for other equilibria at layer n."""
    layer = game.layers[n]
    if rng is None or not layer.movers:
        return None
    most = int(((layer.choices - 1) @ np.array(kinds(game, layer))).max())
    return rng.normal(scale=ODDS, size=(layer.states.size, max(most, 1)))
