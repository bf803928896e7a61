"""Panels of games without end: which equilibria units play, and the maximum of the likelihood.

On the *principal* branch each unit's equilibrium is followed from precision 0, and from there on as
parameters move; the likelihood is a function of the parameters, which is climbed. Where a unit's
equilibrium comes to a fold there is a wall. *Near the data*, parameters and equilibria are found
together (`detente.estimation.constrained`), beginning with every unit's own frequencies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from detente.dtypes import Bools, Floats
from detente.errors import refuse
from detente.estimation.account import Account
from detente.estimation.better_optima import alternated, disturbed
from detente.estimation.checkpoint import Checkpoint
from detente.estimation.climb import Climb, Function, Status, climb
from detente.estimation.constrained import EXACT, Optimum, Reduced, Search, search, settled
from detente.estimation.counts import read_counts
from detente.estimation.first_values import begin_with
from detente.estimation.free import Free
from detente.estimation.game_arrays import chosen, games_of
from detente.estimation.many_games import Games, Play
from detente.estimation.prior import NormalPrior, RangePrior
from detente.estimation.result import Estimate
from detente.estimation.uncertainty import Information, information
from detente.estimation.units import Panel
from detente.game.arrays import CompiledGame

PRINCIPAL, NEAR_DATA = "principal", "near-data"
BRANCHES = (PRINCIPAL, NEAR_DATA)

SCHEDULE = ((2.0, 1.0), (10.0, 0.1), (50.0, 10.0))
"""Of the first starts the observations for which pooled frequencies count in the first values, and
the first penalty. Later ones begin with the best of those before, disturbed."""

NEAR_STARTS = 2
"""Starts of those that begin with given choices: near them, and with units moved from there."""

BLUNT = 1e-4
"""The share of the precision that stands for 0: log-sums are exact there to twelve digits."""

LOCAL = 1e4
"""A penalty that keeps a search in the basin where it begins."""

WEAK, AWAY = 100.0, 30.0
"""Standard deviation of the weak prior on the way, and the standard error from which a parameter
has run away in it: both in the units in which parameters are moved."""

SAME = 0.01
"""Log-likelihood within which two maxima are the same."""

NEWTON, SHORTEST, FURTHEST = 12, 1 / 256, 0.5
"""Steps of Newton's method at one point of a branch; the shortest step along one; and the longest
way from where the tangent points to, relative to the range of values."""


@dataclass(frozen=True, slots=True)
class Equilibria:
    """Which equilibria are wanted, from how many starts, with which prior, and where progress is
    reported and kept."""

    branch: str
    starts: int
    near: str | Path | None
    prior: RangePrior | None
    seed: int
    keep: Checkpoint
    report: Callable[[float], None]


def estimated(
    game: CompiledGame,
    panel: Panel,
    free: tuple[Free, ...],
    wanted: Equilibria,
    clusters: Sequence[str] | None,
) -> tuple[Estimate, list[Climb], Account, float]:
    """The estimate, all climbs, what is known of units, and the seconds it took."""
    begin = time.perf_counter()
    games = games_of(game, panel, [one.name for one in free])
    if wanted.branch == PRINCIPAL:
        names = [unit.name for unit in panel.units]
        climbs, values, wall = climb_principal(games, free, names, wanted)
        if not values.size:
            message = f"the principal branch ends before the start: {wall}"
            hint = f"start from other values, or take the branch `{NEAR_DATA}`"
            refuse("scenario", "not-solved", message, hint)
    else:
        begun = None
        if wanted.near is not None:
            alone = panel.units[0].name if len(panel.units) == 1 else ""
            given = read_counts(game.scenario, wanted.near, alone)
            begun = chosen(game, panel, given, str(wanted.near))
        climbs, values = search_near_data(games, free, begun, wanted)
    best, known, account = judged(games, free, climbs, values, wanted.prior, clusters)
    seconds = time.perf_counter() - begin
    return Estimate(free, wanted.prior, best, known), climbs, account, seconds


class Fold(Exception):  # noqa: N818 - no mistake: the optimiser turns back
    """A unit's equilibrium ends: its position."""


@dataclass(frozen=True, eq=False)
class Branch:
    """A point of a branch: play, and the sign of det(I - dΦ/dv) of each unit."""

    play: Play
    sign: Floats


class Principal:
    """Equilibria on the principal branch, followed from point to point."""

    def __init__(self, games: Games, units: Sequence[str]) -> None:
        self.games, self.units, self.wall = games, units, ""
        self.last: tuple[Floats, Branch] | None = None

    def play(self, theta: Floats) -> Play:
        """Play at θ. Raises `Fold`."""
        if self.last is None:

            def sharper(share: float) -> tuple[Games, Floats]:
                precision = self.games.precision * max(share, BLUNT)
                return replace(self.games, precision=precision), theta

            start = _solved(*sharper(0.0), np.zeros_like(self.games.log_reference))
            found = _followed(sharper, start, 1 / 8)
        else:
            begin, known = self.last

            def nearer(share: float) -> tuple[Games, Floats]:
                return self.games, begin + share * (theta - begin)

            found = _followed(nearer, known, 1.0)
        self.last = theta, found
        return found.play

    def function(self, size: Floats, prior: NormalPrior | None = None) -> Function:
        """The log-likelihood, with the prior's logarithm, and its gradient by coordinates; None at
        a wall."""

        def value(x: Floats) -> tuple[float, Floats] | None:
            try:
                play = self.play(x * size)
            except Fold as fold:
                self.wall = f"fold in unit {self.units[int(str(fold))]}"
                return None
            score, total = self.games.added(play.scores()), float(play.log_likelihoods.sum())
            if prior is not None:
                score, total = score + prior.slopes(x * size), total + prior.log_density(x * size)
            return total, score * size

        return value


At = Callable[[float], tuple[Games, Floats]]
"""Games and parameters at a share of a way."""


def _followed(at: At, start: Branch, step: float) -> Branch:
    """The branch at share 1 of a way, along the line that its last two points make."""
    share, here, before = 0.0, start, (0.0, start.play.values)
    while share < 1.0:
        to, values = min(share + step, 1.0), here.play.values
        ahead = values
        if share > 0.0:
            ahead = values + (values - before[1]) * ((to - share) / (share - before[0]))
        try:
            found = _solved(*at(to), ahead)
            reach = FURTHEST * np.maximum(np.ptp(values, axis=1), 1e-3)
            far = np.abs(found.play.values - ahead).max(axis=1) > reach
            left = np.flatnonzero((found.sign != start.sign) | (far & (share > 0.0)))
            if left.size:
                raise Fold(int(left[0]))
        except Fold:
            step = (to - share) / 2
            if step < SHORTEST:
                raise
            continue
        before, share, here, step = (share, values), to, found, min(2 * step, 0.5)
    return here


def _solved(games: Games, theta: Floats, values: Floats) -> Branch:
    """v = Φ(v) by Newton's method. Raises `Fold` where it comes to nothing."""
    unit = np.eye(values.shape[1])
    for _ in range(NEWTON):
        play = games.at(theta, values)
        gap = play.implied - values
        worst = np.abs(gap).max(axis=1)
        jacobian = unit - play.by_values
        if worst.max() < EXACT / 10 * max(1.0, float(np.abs(values).max())):
            return Branch(play, np.linalg.slogdet(jacobian)[0])
        try:
            values = values + np.linalg.solve(jacobian, gap[:, :, None])[..., 0]
        except np.linalg.LinAlgError:
            break
    raise Fold(int(np.argmax(np.nan_to_num(worst, nan=np.inf))))


def climb_principal(
    games: Games, free: Sequence[Free], units: Sequence[str], wanted: Equilibria
) -> tuple[list[Climb], Floats, str]:
    """The climb on the principal branch, the values where it ends, and the last wall."""
    keep, prior = wanted.keep, wanted.prior

    def visit(here: Climb) -> None:
        wanted.report(here.steps / (here.steps + 10.0))
        keep.save(here.x, here.value)

    size = np.array([one.size for one in free])
    x = np.array([one.coordinate(one.start) for one in free]) if keep.best is None else keep.best
    branch = Principal(games, units)
    function = branch.function(size, prior)
    first = function(x)
    if first is None:
        return [climb(function, x, np.eye(x.size), visit=visit)], np.zeros(0), branch.wall
    scores = Reduced.of(branch.play(x * size)).scores * size
    outer = scores.T @ scores
    if prior is not None:
        outer += np.diag(np.maximum(prior.curvature(x * size), 0.0) * size**2)
    ridge = 1e-2 * max(float(np.diag(outer).max(initial=0.0)), 1.0)
    inverse = np.asarray(np.linalg.inv(outer + ridge * np.eye(x.size)), dtype=np.float64)
    done = climb(function, x, inverse, visit=visit)
    keep.save(done.x, done.value)
    keep.write()
    return [done], branch.play(done.x * size).values, branch.wall


def search_near_data(
    games: Games, free: Sequence[Free], begun: Floats | None, wanted: Equilibria
) -> tuple[list[Climb], Floats]:
    """The optima near the data from several starts, the highest first, and the best one's values.

    A weak prior, where there is no other, keeps parameters from running away on the way; the best
    is then looked for without. With choices from which to begin, float64 [u, g], the first is the
    one near them, and others follow from it.
    """
    size = np.array([one.size for one in free])
    none = NormalPrior.around_zero(np.full(size.size, np.inf))
    goal = wanted.prior or none
    optima: list[Optimum] = []
    stopped = False
    try:
        _from_starts(games, free, begun, wanted, optima)
        optima.sort(key=lambda one: _order(one, goal))
        last = settled(games, optima[0].theta, optima[0].values, Search(goal, rho=LOCAL))
        if last.arrived:
            optima[0] = last
    except KeyboardInterrupt:
        if not optima:
            raise
        stopped = True
    optima.sort(key=lambda one: _order(one, goal))
    status = Status.INTERRUPTED if stopped else None
    climbs = [_climbed(one, size, goal, status) for one in optima]
    return climbs, optima[0].values


def _from_starts(
    games: Games,
    free: Sequence[Free],
    begun: Floats | None,
    wanted: Equilibria,
    optima: list[Optimum],
) -> None:
    """Add the optimum of each start as it is found, and its improvements in its place."""
    size, theta = (np.array([getattr(one, name) for one in free]) for name in ("size", "start"))
    prior = wanted.prior or NormalPrior.around_zero(WEAK * size)
    keep = wanted.keep

    def improve(found: Optimum, better: Iterable[Optimum]) -> None:
        optima.append(found)
        for one in chain((found,), better):
            optima[-1] = one
            if one.found:
                keep.save(one.theta / size, one.height(prior), one.values)

    if keep.best is not None and keep.values is not None:
        found = settled(games, keep.best * size, keep.values, Search(prior, rho=LOCAL))
        stays = begun is not None and keep.starts < NEAR_STARTS
        again = alternated(games, found, prior, np.random.default_rng(wanted.seed))
        improve(found, () if stays else again)
    for k in range(keep.starts, wanted.starts):
        rng = np.random.default_rng([wanted.seed, k])
        if begun is not None and k == 0:
            goal = wanted.prior or NormalPrior.around_zero(np.full(size.size, np.inf))
            values = begin_with(games, theta, begun)
            improve(settled(games, theta, values, Search(goal, rho=LOCAL)), ())
        elif begun is not None and k == 1:
            better = alternated(games, optima[-1], prior, rng)
            for found in islice(better, 1):
                improve(found, better)
        elif begun is None and k < len(SCHEDULE):
            weight, rho = SCHEDULE[k]
            found = search(games, theta, None, Search(prior, rho=rho, weight=weight))
            improve(found, alternated(games, found, prior, rng))
        else:
            best = min(optima, key=lambda one: _order(one, prior))
            better = disturbed(games, best, prior, size, rng)
            for found in islice(better, 1):
                improve(found, better)
        keep.starts = k + 1
        keep.write()
        wanted.report((k + 1) / (wanted.starts + 1))


def _order(optimum: Optimum, prior: NormalPrior) -> tuple[bool, float]:
    return not optimum.found, -optimum.height(prior)


def _climbed(optimum: Optimum, size: Floats, goal: NormalPrior, status: Status | None) -> Climb:
    ended = status or (Status.CONVERGED if optimum.arrived else Status.STOPPED)
    zeros = np.zeros(size.size)
    x, value = optimum.theta / size, optimum.height(goal)
    return Climb(x, value, zeros, np.diag(zeros), optimum.steps, ended)


def judged(
    games: Games,
    free: Sequence[Free],
    climbs: Sequence[Climb],
    values: Floats,
    prior: NormalPrior | None,
    clusters: Sequence[str] | None,
) -> tuple[Climb, Information, Account]:
    """The best climb with its status, what is known of its parameters, and of each unit there."""
    size, top = np.array([one.size for one in free]), climbs[0]
    play = games.at(top.x * size, values)
    reduced = Reduced.of(play)
    matrix = reduced.hessian * np.outer(size, size)
    scores, score = reduced.scores * size, reduced.scores.sum(axis=0)
    if prior is not None:
        matrix = matrix + np.diag(prior.curvature(top.x * size) * size**2)
        score = score + prior.slopes(top.x * size)
    away = _away(matrix)
    matrix[away, :] = matrix[:, away] = np.nan
    known = information(matrix, scores, clusters)
    if prior is not None:
        known = replace(known, outer=None)
    given = reduced.given_states[np.ix_(~away, ~away)]
    errors = np.full(size.size, np.nan)
    errors[~away] = np.sqrt(np.diag(np.linalg.pinv(given, hermitian=True)))
    slopes = np.eye(values.shape[1]) - play.by_values
    account = Account(
        play.log_likelihoods,
        np.abs(play.implied - values).max(axis=1),
        np.linalg.svd(slopes, compute_uv=False)[:, -1].astype(np.float64),
        errors,
        play.sigma,
    )
    gradient = np.where(away, 0.0, score * size)
    top = replace(top, gradient=gradient, inverse=np.nan_to_num(known.covariance))
    return replace(top, status=_status(climbs, top, known, away)), known, account


def _away(matrix: Floats) -> Bools:
    """The parameters of which the likelihood says so little that they run away, bool [q]."""
    values, vectors = np.linalg.eigh(matrix)
    flat = np.abs(values) < AWAY**-2.0
    return np.asarray((vectors[:, flat] ** 2).sum(axis=1) > 0.5)


def _status(climbs: Sequence[Climb], top: Climb, known: Information, away: Bools) -> Status:
    if top.status is not Status.CONVERGED and top.status is not Status.NEARLY:
        return top.status
    if not known.known[~away].all():
        return Status.UNIDENTIFIED
    ended = [c for c in climbs if c.status is Status.CONVERGED]
    if any(abs(c.value - top.value) > SAME for c in ended):
        return Status.SEVERAL
    return Status.RUNS_AWAY if away.any() else top.status
