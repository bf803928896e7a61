"""Games without end, on one belief grid: the values with which a period begins.

Where nothing is private, and in games that are not too large, Newton's method follows play of all
turns together (`branch`). Otherwise values are followed from precision 0 on a coarse grid, and from
what is found there on finer ones; how stands in `stationary`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame
from detente.solver.backward import Backward
from detente.solver.beliefs import halved, refined
from detente.solver.best_play import best_worth
from detente.solver.branch import follow_branch
from detente.solver.keep import Keep
from detente.solver.layout import kinds
from detente.solver.period import is_small, period_of
from detente.solver.period_play import Play
from detente.solver.start import Start, played_for_ever
from detente.solver.stationary import (
    GOOD,
    Period,
    Stationary,
    at_share,
    follow_stationary,
    relative_change,
)
from detente.solver.workers import Progress, TimeUpError, Workers

Floats = NDArray[np.float64]

ODDS = 3.0
"""Standard deviation of the log odds from which other equilibria are looked for."""


@dataclass(frozen=True, slots=True)
class GridTask:
    """How a game is solved on one grid; see `solve`."""

    regret: bool
    rng: np.random.Generator | None
    start: Start | None
    checked: int
    workers: Workers
    progress: Progress
    keep: Keep = Keep.MEMORY


def find_stationary(game: CompiledGame, engine: Backward, task: GridTask) -> Stationary:
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
    found = _from_branch(game, engine, task, iterate) if continued else None
    if found is None and continued:
        found = _from_half(game, engine, task, iterate)
    if found is None:
        found = follow_stationary(
            iterate,
            start,
            continued=continued,
            near=near,
            keep=engine.keep,
            progress=task.progress,
        )
    engine.quick = near or found.whole
    engine.workers = engine.workers.within(np.inf)  # one more period, whatever the time
    engine.at(at_share(game, found.share))
    engine.counts[:] = 0
    return found


def _from_branch(
    game: CompiledGame, engine: Backward, task: GridTask, iterate: Period
) -> Stationary | None:
    """The same where nothing is private, along the branch of play of all turns together; None where
    that does not lead to the game's own precision."""
    if engine.grid.size > 1 or not is_small(game):
        return None
    arrays = period_of(game)
    steps, timed_out = -1, False
    try:
        for point in follow_branch(arrays, engine.workers.check):
            task.progress(point.share)
            steps += 1
    except TimeUpError:
        timed_out = True
    if steps < 0 or not (timed_out or point.share == 1.0):
        return None
    play = Play(arrays, point.values, point.share)
    worth = [play.worth, best_worth(play)] if engine.copies == 2 else [play.worth]
    values = np.concatenate(worth, axis=1)[:, :, None]
    workers, restore = engine.workers, engine.keep()
    engine.workers = workers.within(np.inf)
    for whole in (False, True):  # a period or two more, whatever the time
        engine.begin_near(play.strategies())
        change = relative_change(iterate(values, point.share, quick=whole), values)
        if change <= GOOD or timed_out:
            engine.begin_near(play.strategies())
            return Stationary(values, point.share, change, 0, 1, timed_out, whole, steps)
    engine.workers = workers
    restore()
    return None


def _from_half(
    game: CompiledGame, engine: Backward, task: GridTask, iterate: Period
) -> Stationary | None:
    """The same from the solution on the grid with half the steps, followed there, if it leads to
    one: the way in precision takes many periods, and on that grid each takes a quarter of the time
    or less."""
    grid = halved(game, engine.grid)
    if grid is None:
        return None
    half = replace(task, progress=lambda share: task.progress(share / 2))
    below = Backward(game, grid, task.workers, regret=engine.copies == 2)
    rough = find_stationary(game, below, half)
    if not (rough.solved or rough.timed_out):
        return None
    values = refined(rough.values, grid, engine.grid)
    engine.begin_between(below)
    if rough.timed_out:
        return replace(rough, values=values)
    restore = engine.keep()
    follow = partial(follow_stationary, iterate, values, continued=False, progress=task.progress)
    found = follow()
    if rough.whole and not found.solved and not found.timed_out:
        restore()
        found = follow(whole=True)
    if not found.solved:
        return None
    iterations, steps = rough.iterations + found.iterations, rough.steps + found.steps
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
        ahead, _ = engine.layer(n, ahead, random_starts(game, n, rng))
    return ahead.copy()


def told(found: Stationary) -> str:
    """How a stationary equilibrium was found, in a sentence."""
    way = f"{found.iterations} periods of backward induction"
    if found.along:
        way = f"{found.along} steps along the logit branch of the whole game"
    elif found.steps > 1:
        way += f" in {found.steps} steps of precision"
    if found.whole:
        way += ", play of all turns together, since by itself a turn's principal branch jumps"
    if found.share == 1.0:
        return f"Stationary after {way}: values change by {found.change:.0e} from period to period."
    if found.timed_out:
        return f"Followed to {found.share:.1%} of the precision by {way}; then the time was over."
    return (
        f"Followed to {found.share:.1%} of the precision by {way}; beyond it values still change "
        f"by {found.change:.0e} from period to period, whatever the step."
    )


def random_starts(game: CompiledGame, n: int, rng: np.random.Generator | None) -> Floats | None:
    """Log odds [x, D] from which to look for other equilibria at layer n."""
    layer = game.layers[n]
    if rng is None or not layer.movers:
        return None
    most = int(((layer.choices - 1) @ np.array(kinds(game, layer))).max())
    return rng.normal(scale=ODDS, size=(layer.states.size, max(most, 1)))
