"""`fit`: the parameters of a scenario from records of one unit or of many."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from detente.arguments import MOST_STARTS, whole
from detente.dtypes import Floats
from detente.errors import Problems, expect, refuse
from detente.estimation.checkpoint import Checkpoint
from detente.estimation.climb import CLOSE, NEAR, Climb, Status, climb
from detente.estimation.free import (
    FARTHEST,
    PLAIN,
    Free,
    free_parameters,
    slopes_at,
    values_at,
)
from detente.estimation.game_arrays import labelled
from detente.estimation.model import Model, Wall
from detente.estimation.prior import RangePrior
from detente.estimation.result import Estimate, Fit, Start, make_fit, with_account
from detente.estimation.scale import refuse_scale
from detente.estimation.uncertainty import SMALLEST, Information, curvature, information
from detente.estimation.units import Panel, Source, read_panel
from detente.estimation.without_end import BRANCHES, Equilibria, estimated
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game
from detente.scenario.hints import alias, did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.observations import UNIT, Record
from detente.simulation.track import track
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solve import solve
from detente.solver.workers import Workers, open_workers

RANGES = "ranges"
"""The prior that is made of the scenario's ranges."""

CLIMBING = 0.8
"""Share of the work that the climbs take, beside the curvature."""

RIDGE = 1e-2
"""Part of the largest score that is added where the outer product of scores begins a climb."""

SAME = 0.01
"""Log-likelihood within which two maxima are the same."""

MOST_POLISHES = 3
"""Steps of Newton's method after a climb; each costs the curvature anew."""

MOST_TOLD = 20
"""Impossible observations after which no more are looked for."""

ENDED = (Status.CONVERGED, Status.NEARLY, Status.BOUNDARY)
"""How climbs end that have come to a maximum."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How a scenario is fitted.

    free
        The parameters to be estimated, by key or full name; None for all that have a range, that a
        formula reads, and that do not decide which states there are.
    prior
        '' for none: maximum likelihood. 'ranges' for normal priors whose central 95 % are the
        ranges (on the scale of logarithms where a range is drawn so): the highest posterior
        density, and a posterior by Laplace's method.
    starts
        Climbs: the first from the scenario's values, others from draws from the ranges.
    seed
        Of those draws.
    cluster
        Column of the table of units within which units are not independent; '' for none, 'unit'
        for the units themselves.
    branch
        Of games without end: 'principal', or 'near-data' (also if '') for the equilibria that the
        counts of each unit are nearest to.
    near
        A table like that of counts, of choices near which the search begins and stays.
    policy
        The policy in force, as `compile_game` takes it.
    solving
        How games are solved; its progress is that of the whole fit.
    checkpoint
        File in which the best point is kept on the way, and from which a fit goes on that was
        interrupted.

    Raises
    ------
    ValueError, TypeError
        For numbers that make no sense.
    """

    free: tuple[str, ...] | None = None
    prior: str = ""
    starts: int = 1
    seed: int = 0
    cluster: str = ""
    branch: str = ""
    near: str | Path | None = None
    policy: str | None = None
    solving: SolveOptions = DEFAULT_OPTIONS
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        whole("starts", self.starts, 1, MOST_STARTS)
        whole("seed", self.seed, 0)
        if self.branch not in ("", *BRANCHES):
            message = f"there is no branch `{self.branch}`"
            refuse("branch", "unknown-name", message, f"there are {listing(BRANCHES)}")
        if self.prior not in ("", RANGES):
            refuse(
                "prior", "unknown-name", f"there is no prior `{self.prior}`", f"it is `{RANGES}`"
            )


DEFAULT_FIT = FitOptions()


def fit(
    scenario: Scenario,
    records: Sequence[Source] | Source,
    options: FitOptions = DEFAULT_FIT,
    *,
    units: str | Path | None = None,
    counts: str | Path | None = None,
) -> Fit:
    """Estimate parameters of a scenario, from records or, where it goes on forever, from counts.

    The likelihood is that of `track`: moves are expected by the strategies at the public beliefs,
    types are summed out with their prior, and what was not observed is summed over. Units are
    independent given the parameters. For each value of the parameters every unit's game is solved
    on its principal branch, with exact derivatives by the adjoint of the filter and of the solve.

    Parameters
    ----------
    scenario
        As loaded: the values of free parameters are where the climb starts.
    records
        Files as `track` reads them, or records. A file with a column `unit` is a panel.
    options
        What is free, priors, starts, standard errors.
    units
        A table with a row for each unit: its covariates.
    counts
        Of a scenario without end, in place of records (`detente.estimation.counts`).

    Raises
    ------
    ScenarioError
        With all that is wrong with the files and the options; for records of a scenario without
        end, and counts of one that ends; for a precision and the scale of payoffs free at once; for
        records that the model holds impossible at the start.

    Notes
    -----
    Standard errors are of the parameters given the model: see `docs/estimation.md` for what they
    are not.
    """
    expect(scenario, Scenario, "fit")
    begin = time.perf_counter()
    sources = [records] if isinstance(records, str | Path | Record | Mapping) else list(records)
    if scenario.forever and sources:
        message = "play goes on forever, and such scenarios are fitted to counts"
        refuse("records", "forever", message, "give them with `counts=`, or a number of periods")
    if counts is not None and not scenario.forever:
        message = "counts are of a scenario that goes on forever: this one ends"
        refuse("counts", "forever", message, "give records, or the calendar `horizon: forever`")
    panel = read_panel(scenario, sources, units, counts)
    game = compile_game(scenario, policy=options.policy)
    free = free_parameters(game, options.free)
    refuse_scale(game, free)
    clusters = _clusters(panel, options.cluster)
    if scenario.forever:
        return _without_end(game, panel, free, options, clusters)
    prior = RangePrior.of(scenario, free) if options.prior else None
    model = Model(
        scenario, panel, [one.name for one in free], options.solving, policy=options.policy
    )
    with open_workers(options.solving.threads) as workers:
        work = _Work(model, free, prior, options, workers)
        climbs = work.climbs()
        if climbs[0].status is Status.IMPOSSIBLE and len(climbs) == 1:
            _explain(scenario, panel, options, work.wall)
        best, known = work.best(climbs, clusters)
    estimate = Estimate(free, prior, best, known)
    return make_fit(
        scenario,
        panel,
        estimate,
        tuple(Start.of(climbed, estimate) for climbed in climbs),
        options.cluster,
        time.perf_counter() - begin,
    )


def _without_end(
    game: CompiledGame,
    panel: Panel,
    free: tuple[Free, ...],
    options: FitOptions,
    clusters: Sequence[str] | None,
) -> Fit:
    for name in ("prior", "checkpoint"):
        if getattr(options, name):
            refuse(name, "forever", f"there is no {name} for a scenario that goes on forever")
    wanted = Equilibria(options.branch, options.starts, options.near, options.solving.report)
    estimate, climbs, account, seconds = estimated(game, panel, free, wanted, clusters)
    starts = tuple(Start.of(climbed, estimate) for climbed in climbs)
    made = make_fit(game.scenario, panel, estimate, starts, options.cluster, seconds)
    names = [unit.name for unit in panel.units]
    return with_account(made, names, account, labelled(game, names, account.sigma))


class _Work:
    """The climbs and what follows them; `wall` is the last reason why there was no likelihood."""

    def __init__(
        self,
        model: Model,
        free: tuple[Free, ...],
        prior: RangePrior | None,
        options: FitOptions,
        workers: Workers,
    ) -> None:
        self.model, self.free, self.prior = model, free, prior
        self.options, self.workers = options, workers
        self.wall = ""
        self.keep = Checkpoint.open(options.checkpoint, model.scenario, free, model.panel.files)

    def value(self, x: Floats) -> tuple[float, Floats] | None:
        """The log-likelihood, with the prior's logarithm, and its gradient by coordinates."""
        values = values_at(self.free, x)
        try:
            point = self.model.at(values, self.workers)
        except Wall as wall:
            self.wall = str(wall)
            return None
        total, gradient = point.log_likelihood, point.gradient
        if self.prior is not None:
            more, slope = self.prior.at(values)
            total, gradient = total + more, gradient + slope
        return total, gradient * slopes_at(self.free, x)

    def scores(self, x: Floats) -> Floats:
        """Scores of units by coordinates, float64 [unit, q]; of none at a wall."""
        try:
            point = self.model.at(values_at(self.free, x), self.workers, scores=True)
        except Wall as wall:
            self.wall = str(wall)
            return np.zeros((0, len(self.free)))
        assert point.scores is not None
        return point.scores * slopes_at(self.free, x)

    def climbs(self) -> list[Climb]:
        """One from each start, the highest first."""
        rng = np.random.default_rng(self.options.seed)
        done: list[Climb] = []
        for k in range(self.options.starts):
            x = np.array([one.coordinate(one.start) for one in self.free])
            if k == 0 and self.keep.best is not None:
                x = self.keep.best
            elif k:
                x = np.array([_drawn(one, rng) for one in self.free])
            done.append(self._climb(x, k))
            if done[-1].status is Status.INTERRUPTED:
                break
        return sorted(done, key=lambda climbed: -climbed.value)

    def _climb(self, x: Floats, k: int) -> Climb:
        scores = self.scores(x)
        outer = scores.T @ scores
        ridge = RIDGE * max(float(np.diag(outer).max(initial=0.0)), 1.0)
        inverse: Floats = np.linalg.inv(outer + ridge * np.eye(x.size)).astype(np.float64)
        first: list[float] = []

        def visit(here: Climb) -> None:
            first.append(max(here.distance, CLOSE))
            gone = np.log(first[0] / first[-1]) / max(np.log(first[0] / CLOSE), 1e-9)
            share = min(max(float(gone), len(first) / (len(first) + 20.0)), 1.0)
            self.options.solving.report(CLIMBING * (k + share) / self.options.starts)
            self.keep.save(here.x, here.value)

        return climb(self.value, x, inverse, visit=visit)

    def best(
        self, climbs: Sequence[Climb], clusters: Sequence[str] | None
    ) -> tuple[Climb, Information]:
        """The highest climb, brought to the maximum by Newton's method, and what is known there."""
        top = climbs[0]
        matrix = self._curvature(top.x)
        for _ in range(MOST_POLISHES):
            newton = self._newton(top, matrix)
            if newton is None:
                break
            top, matrix = newton, self._curvature(newton.x)
        known = information(matrix, self.scores(top.x), clusters)
        if self.prior is not None and len(self.model.panel.units) > 1:
            known = replace(known, outer=None)
        return replace(top, status=self._status(climbs, top, known)), known

    def _newton(self, top: Climb, matrix: Floats) -> Climb | None:
        """A step of Newton's method that does not go down; None where none is wanted."""
        rows = np.flatnonzero(np.isfinite(np.diag(matrix)))
        block = matrix[np.ix_(rows, rows)]
        if not rows.size or top.status is Status.INTERRUPTED:
            return None
        if np.linalg.eigvalsh(block)[0] <= SMALLEST * max(np.diag(block).max(), 1e-3):
            return None
        inverse = np.zeros_like(matrix)
        inverse[np.ix_(rows, rows)] = np.linalg.inv(block)
        here = replace(top, inverse=inverse)
        if here.distance < CLOSE:
            return None
        point = self.value(top.x + inverse @ top.gradient)
        if point is None or point[0] < top.value - 1e-9 * abs(top.value):
            return None
        value, gradient = point
        return replace(here, x=top.x + inverse @ top.gradient, value=value, gradient=gradient)

    def _curvature(self, x: Floats) -> Floats:
        """Minus the second derivatives, nan at bounds."""
        inner = np.array(
            [not one.at_bound(one.value(float(c))) for one, c in zip(self.free, x, strict=True)]
        )
        count = [0]

        def gradient(place: Floats) -> Floats | None:
            count[0] += 1
            done = min(count[0] / (2 * max(int(inner.sum()), 1)), 1.0)
            self.options.solving.report(CLIMBING + (1 - CLIMBING) * done)
            point = self.value(place)
            return None if point is None else point[1]

        return curvature(gradient, x, inner)

    def _status(self, climbs: Sequence[Climb], top: Climb, known: Information) -> Status:
        """How the fit ended, all in all."""
        if top.status in (Status.INTERRUPTED, Status.IMPOSSIBLE):
            return top.status
        bound = ~np.isfinite(np.diag(known.matrix))
        away = [
            one.kind == PLAIN and abs(c) > FARTHEST for one, c in zip(self.free, top.x, strict=True)
        ]
        inverse = np.nan_to_num(known.covariance)
        distance = replace(top, inverse=inverse).distance
        ended = [climbed for climbed in climbs if climbed.status in ENDED]
        if any(away):
            return Status.RUNS_AWAY
        if not known.known[~bound].all():
            return Status.UNIDENTIFIED
        if any(abs(climbed.value - top.value) > SAME for climbed in ended):
            return Status.SEVERAL
        if distance < CLOSE:
            return Status.BOUNDARY if bound.any() else Status.CONVERGED
        return Status.NEARLY if distance < NEAR else top.status


def _drawn(one: Free, rng: np.random.Generator) -> float:
    """Where a climb starts: in the range, or about the scenario's value."""
    if one.range is not None:
        return one.coordinate(float(rng.uniform(*one.range)))
    return one.coordinate(one.start) + float(rng.normal())


def _clusters(panel: Panel, column: str) -> list[str] | None:
    """The cluster of each unit; None where units are their own."""
    if not column:
        return None
    if column == UNIT:
        return [unit.name for unit in panel.units]
    known = {name for unit in panel.units for name in unit.labels}
    if alias(column) not in known:
        hint = did_you_mean(column, sorted([*known, UNIT]))
        refuse("cluster", "unknown-name", f"the table of units has no column `{column}`", hint)
    return [unit.labels[alias(column)] for unit in panel.units]


def _explain(scenario: Scenario, panel: Panel, options: FitOptions, wall: str) -> None:
    """Refuse records that are impossible at the start, with their lines and the reasons."""
    problems = Problems()
    for unit in panel.units:
        own = scenario.with_values(unit.covariates) if unit.covariates else scenario
        with problems.gather():
            game = compile_game(own, policy=options.policy)
            solution = solve(game, options.solving.step(0, 0), regret=False, coarse=False)
            track(solution, unit.record)
        if len(problems.found) >= MOST_TOLD:
            break
    problems.refuse()
    hint = "start from other values, or leave a parameter fixed"
    refuse("scenario", "not-solved", f"there is no likelihood at the start: {wall}", hint)
