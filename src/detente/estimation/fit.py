"""`fit`: the parameters of a scenario from records of one unit or of many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from detente.arguments import MOST_DRAWS, MOST_MISCODED, MOST_STARTS, finite, whole
from detente.errors import Problems, expect, refuse
from detente.estimation.checkpoint import Checkpoint
from detente.estimation.climb import Status
from detente.estimation.free import Free, free_parameters
from detente.estimation.game_arrays import labelled
from detente.estimation.model import Model
from detente.estimation.posterior import laplace
from detente.estimation.prior import RangePrior
from detente.estimation.result import Estimate, Fit, Start, make_fit, with_account
from detente.estimation.scale import refuse_scale
from detente.estimation.search import ENDED, Search
from detente.estimation.side_by_side import data_digest, model_digest
from detente.estimation.units import Panel, Records, listed, read_panel
from detente.estimation.without_end import BRANCHES, NEAR_DATA, Equilibria, estimated
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game
from detente.scenario.hints import alias, did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.observations import UNIT
from detente.simulation.track import track
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solve import solve
from detente.solver.workers import open_workers

RANGES = "ranges"
"""The prior that is made of the scenario's ranges."""

INSTEAD = {
    "miscoded": "leave it out: what was counted is taken to be what was done",
    "draws": "the prior's highest posterior density and its standard errors are there without",
}
"""What there is for counts, in place of what there is not."""

MOST_TOLD = 20
"""Impossible observations after which no more are looked for."""


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
    draws
        Of the posterior, which has to have a prior; 0 for none. Each costs a likelihood.
    branch
        Of counts: 'principal', or 'near-data' (also if '') for the equilibria that the counts of
        each unit are nearest to. Records are always of the principal branch.
    near
        A table like that of counts, of choices near which the search begins and stays.
    miscoded
        How often a recorded move is not what was done, as `track` takes it: from 0 to
        `MOST_MISCODED`.
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
    draws: int = 0
    branch: str = ""
    near: str | Path | None = None
    miscoded: float = 0.0
    policy: str | None = None
    solving: SolveOptions = DEFAULT_OPTIONS
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        whole("starts", self.starts, 1, MOST_STARTS)
        whole("seed", self.seed, 0)
        whole("draws", self.draws, 0, MOST_DRAWS)
        finite("miscoded", self.miscoded)
        if not 0 <= self.miscoded <= MOST_MISCODED:
            message = f"it is from 0 to {MOST_MISCODED:g}, not {self.miscoded:g}"
            refuse("miscoded", "out-of-range", message)
        if self.branch not in ("", *BRANCHES):
            message = f"there is no branch `{self.branch}`"
            refuse("branch", "unknown-name", message, f"there are {listing(BRANCHES)}")
        if self.prior not in ("", RANGES):
            refuse(
                "prior", "unknown-name", f"there is no prior `{self.prior}`", f"it is `{RANGES}`"
            )
        if self.draws and not self.prior:
            refuse("draws", "missing", "a posterior needs a prior", f"it is `{RANGES}`")


DEFAULT_FIT = FitOptions()


def fit(
    scenario: Scenario,
    records: Records,
    options: FitOptions = DEFAULT_FIT,
    *,
    units: str | Path | None = None,
    counts: str | Path | None = None,
) -> Fit:
    """Estimate parameters of a scenario from records or, where it goes on forever, from counts.

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
        Of a scenario without end, in place of records: how often moves were made at each state
        (`detente.estimation.counts`).

    Raises
    ------
    ScenarioError
        With all that is wrong with the files and the options; for records and counts together, and
        counts of a scenario that ends; for a precision and the scale of payoffs free at once; for
        records that the model holds impossible at the start.

    Notes
    -----
    Standard errors are of the parameters given the model: see `docs/estimation.md` for what they
    are not.
    """
    expect(scenario, Scenario, "fit")
    begin = time.perf_counter()
    sources = listed(records)
    if counts is not None and sources:
        message = "records and counts are not fitted together"
        refuse("counts", "not-together", message, "give one of them")
    if counts is None and (options.branch == NEAR_DATA or options.near is not None):
        name = "branch" if options.near is None else "near"
        message = "equilibria near the data are looked for in counts"
        hint = f"leave `{name}` out: with records every unit is on its principal branch"
        refuse(name, "not-together", message, hint)
    if counts is not None and not scenario.forever:
        message = "counts are of a scenario that goes on forever: this one ends"
        refuse("counts", "forever", message, "give records, or the calendar `horizon: forever`")
    panel = read_panel(scenario, sources, units, counts)
    game = compile_game(scenario, policy=options.policy)
    free = free_parameters(game, options.free)
    refuse_scale(game, free)
    clusters = _clusters(panel, options.cluster)
    if counts is not None:
        return _without_end(game, panel, free, options, clusters)
    prior = RangePrior.of(scenario, free) if options.prior else None
    model = Model(
        scenario,
        panel,
        [one.name for one in free],
        options.solving,
        policy=options.policy,
        miscoded=options.miscoded,
    )
    with open_workers(options.solving.threads) as workers:
        keep = Checkpoint.open(options.checkpoint, scenario, free, panel)
        search = Search(model, free, prior, workers, keep, options.solving.report)
        climbs = search.climbs(options.starts, options.seed)
        if climbs[0].status is Status.IMPOSSIBLE and len(climbs) == 1:
            _explain(scenario, panel, options, search.wall)
        best, known = search.best(climbs, clusters)
        posterior = None
        if options.draws and best.status in ENDED:
            rng = np.random.default_rng(options.seed)
            posterior = laplace(search, best.x, known, options.draws, rng)
        logs = search.unit_logs(best.x)
    estimate = Estimate(free, prior, best, known)
    fitted = make_fit(
        scenario,
        panel,
        estimate,
        tuple(Start.of(climbed, estimate) for climbed in climbs),
        options.cluster,
        time.perf_counter() - begin,
    )
    return replace(
        fitted,
        posterior=posterior,
        unit_logs=logs,
        miscoded=options.miscoded,
        model=model_digest(scenario.text, game.policy, scenario.options, options.miscoded),
        data=data_digest(panel),
    )


def _without_end(
    game: CompiledGame,
    panel: Panel,
    free: tuple[Free, ...],
    options: FitOptions,
    clusters: Sequence[str] | None,
) -> Fit:
    for name, hint in INSTEAD.items():
        if getattr(options, name):
            message = f"`{name}` is not for counts"
            refuse(name, "not-together", message, hint)
    prior = RangePrior.of(game.scenario, free) if options.prior else None
    branch = options.branch or NEAR_DATA
    ways = {"branch": branch, "near": str(options.near or ""), "prior": options.prior}
    keep = Checkpoint.open(options.checkpoint, game.scenario, free, panel, ways)
    wanted = Equilibria(
        branch, options.starts, options.near, prior, options.seed, keep, options.solving.report
    )
    estimate, climbs, account, seconds = estimated(game, panel, free, wanted, clusters)
    starts = tuple(Start.of(climbed, estimate) for climbed in climbs)
    made = make_fit(game.scenario, panel, estimate, starts, options.cluster, seconds)
    names = [unit.name for unit in panel.units]
    return with_account(made, names, account, labelled(game, names, account.sigma))


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
            track(solution, unit.record, miscoded=options.miscoded)
        if len(problems.found) >= MOST_TOLD:
            break
    problems.refuse()
    hint = "start from other values, or leave a parameter fixed"
    refuse("scenario", "not-solved", f"there is no likelihood at the start: {wall}", hint)
