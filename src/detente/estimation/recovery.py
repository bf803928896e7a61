"""`recover`: whether a fit finds again what records were drawn with, and how often it says so.

Records are drawn from the scenario at a truth, and the scenario is fitted to them, many times over.
At one truth the spread of the estimates is the parametric bootstrap's standard error. With a prior
each truth is drawn from it, and the posterior's share below the truth is uniform if posterior,
likelihood and simulator belong together (Talts, Betancourt, Simpson, Vehtari and Gelman 2018,
"Validating Bayesian inference algorithms with simulation-based calibration", arXiv:1804.06788).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from detente.arguments import MOST_DRAWS, whole
from detente.errors import ScenarioError, SolveError
from detente.estimation.checkpoint import Checkpoint
from detente.estimation.fit import DEFAULT_FIT, FitOptions
from detente.estimation.free import Free, free_parameters, values_at
from detente.estimation.model import Model
from detente.estimation.posterior import laplace
from detente.estimation.prior import RangePrior
from detente.estimation.scale import refuse_scale
from detente.estimation.search import ENDED, Search
from detente.estimation.simulate import Simulator, blank_panel
from detente.estimation.statistics import CENTRAL, uniformity, wilson
from detente.estimation.units import Panel, Records, listed, read_panel
from detente.game.compile import compile_game
from detente.notebook import InNotebook
from detente.scenario.model import Scenario
from detente.solver.workers import open_workers

REPETITIONS = 50
"""Enough to tell a coverage of 95 % from one of 85."""

MOST_TRUTHS = 100
"""Draws from the prior after which none is looked for at which there is a model."""

POSTERIOR = 200
"""Draws of a posterior by which the share below the truth is known to two digits or so."""

FAILED = "FAILED"
"""How a repetition ended in which nothing could be drawn or fitted."""


@dataclass(frozen=True, eq=False)
class Recovery(InNotebook):
    """Estimates beside the truth.

    table
        `parameter, truth, mean, bias, bias_error, spread, se, coverage, coverage_low,
        coverage_high, uniform`, a row for each parameter. `bias` is the mean of estimate - truth,
        with its standard error; `spread` the standard deviation of estimate - truth; `se` the mean
        of the standard errors that the fits report; `coverage` the share of 95 % intervals that
        hold the truth, with a 95 % interval of its own (Wilson). `uniform` is the probability that
        ranks are as uneven as these if they are uniform; nan without a prior. With a prior truth
        and mean are means over repetitions.
    repetitions
        `repetition, parameter, truth, estimate, se, low, high, rank, status, effective`: `rank` is
        the posterior's share below the truth, `effective` the effective sample size of the
        posterior's draws; both nan without a prior. Only fits that came to a maximum count above.
    asked, units, prior
        Repetitions asked for, units in each, and whether truths are drawn from the ranges.
    """

    scenario: Scenario
    table: pd.DataFrame
    repetitions: pd.DataFrame
    asked: int
    units: int
    prior: bool

    @property
    def ended(self) -> dict[str, int]:
        """How the repetitions ended, by status."""
        first = self.repetitions.drop_duplicates("repetition")
        return dict(Counter(first["status"]))

    @property
    def done(self) -> int:
        """Repetitions that were made: fewer than asked for where it was interrupted."""
        return int(self.repetitions["repetition"].nunique())

    def __repr__(self) -> str:
        good = sum(self.ended.get(status.name, 0) for status in ENDED)
        return (
            f"<Recovery of {len(self.table)} parameters of {self.scenario.name!r}: "
            f"{good} of {self.done} repetitions with {self.units} units>"
        )

    def _main_table(self) -> pd.DataFrame:
        return self.table


def recover(
    scenario: Scenario,
    records: int | Records,
    options: FitOptions = DEFAULT_FIT,
    *,
    repetitions: int = REPETITIONS,
    units: str | Path | None = None,
) -> Recovery:
    """Draw records from a scenario, fit it to them, and compare with what they were drawn with.

    Parameters
    ----------
    scenario
        Its values are the truth, and where climbs begin. With a prior truths are drawn from that.
    records
        How many units are drawn in each repetition, all of whose moves are observed; or records as
        `fit` takes them: then each of their units is drawn anew, with its covariates, and observed
        as far as its record goes.
    options
        As in `fit`; `seed` is that of the histories, `threads` repetitions are made at once.
    repetitions
        How many.
    units
        As in `fit`.

    Returns
    -------
    Recovery
        Of the repetitions that were made by then, where it was interrupted.

    Raises
    ------
    ScenarioError
        As `fit`; for a scenario of which no history can be drawn.
    """
    whole("repetitions", repetitions, 2, MOST_DRAWS)
    if isinstance(records, int):
        whole("records", records, 1, MOST_DRAWS)
        panel = blank_panel(scenario, records)
    else:
        panel = read_panel(scenario, listed(records), units)
    game = compile_game(scenario, policy=options.policy)
    free = free_parameters(game, options.free)
    refuse_scale(game, free)
    prior = RangePrior.of(scenario, free) if options.prior else None
    one_thread = replace(options.solving, threads=1, progress=None)
    alone = replace(options, solving=one_thread, checkpoint=None)
    simulator = Simulator(panel, options.policy, one_thread, options.miscoded)
    experiment = _Experiment(scenario, free, prior, alone, simulator)
    streams = np.random.default_rng(options.seed).spawn(repetitions)
    tasks = [partial(experiment.repetition, k, rng) for k, rng in enumerate(streams, 1)]
    rows: list[dict[str, object]] = []
    with open_workers(options.solving.threads) as workers, suppress(KeyboardInterrupt):
        for done, more in enumerate(workers.as_done(tasks), 1):
            rows += more
            options.solving.report(done / repetitions)
    frame = pd.DataFrame(rows, columns=COLUMNS).sort_values(
        "repetition", kind="stable", ignore_index=True
    )
    table = pd.DataFrame([_summary(frame, one.name) for one in free])
    return Recovery(scenario, table, frame, repetitions, len(panel.units), prior is not None)


COLUMNS = [
    *("repetition", "parameter", "truth", "estimate", "se", "low", "high"),
    *("rank", "status", "effective"),
]


@dataclass(frozen=True)
class _Experiment:
    """What is the same in all repetitions."""

    scenario: Scenario
    free: tuple[Free, ...]
    prior: RangePrior | None
    options: FitOptions
    simulator: Simulator

    def repetition(self, number: int, rng: np.random.Generator) -> list[dict[str, object]]:
        """The rows of one repetition: a truth, records, a fit."""
        truth = {one.name: one.start for one in self.free}
        try:
            panel, truth = self._drawn(rng)
            model = Model(
                self.scenario,
                panel,
                list(truth),
                self.options.solving,
                policy=self.options.policy,
                miscoded=self.options.miscoded,
            )
        except (ScenarioError, SolveError):
            return self._rows(number, truth, FAILED)
        with open_workers(1) as workers:
            keep = Checkpoint.open(None, self.scenario, self.free, panel)
            report = self.options.solving.report
            search = Search(model, self.free, self.prior, workers, keep, report, brief=True)
            climbs = search.climbs(self.options.starts, self.options.seed)
            best, known = search.best(climbs, None)
            if best.status not in ENDED:
                return self._rows(number, truth, best.status.name)
            x, error = best.x, np.sqrt(np.diag(known.covariance))
            posterior = laplace(search, best.x, known, POSTERIOR, rng)
        ranks = posterior.below(truth) if posterior else {}
        effective = posterior.effective if posterior else math.nan
        estimates = values_at(self.free, x)
        ends = [values_at(self.free, x + sign * CENTRAL * error) for sign in (-1, 1)]
        slopes = [one.slope(float(c)) for one, c in zip(self.free, x, strict=True)]
        return [
            row
            | {
                "estimate": estimates[one.name],
                "se": abs(slope) * deviation,
                "low": ends[0][one.name],
                "high": ends[1][one.name],
                "rank": ranks.get(one.name, math.nan),
                "effective": effective,
            }
            for row, one, slope, deviation in zip(
                self._rows(number, truth, best.status.name), self.free, slopes, error, strict=True
            )
        ]

    def _drawn(self, rng: np.random.Generator) -> tuple[Panel, dict[str, float]]:
        """Records, and what they were drawn with: the scenario's values, or a draw of the prior.

        Draws at which there is no model are passed over: the prior is cut off there, and so is the
        posterior.
        """
        if self.prior is None:
            return self.simulator(self.scenario, rng), {one.name: one.start for one in self.free}
        for _ in range(MOST_TRUTHS):
            truth = self.prior.drawn(rng)
            inside = all(one.inside(truth[one.name]) for one in self.free)
            with suppress(ScenarioError, SolveError):
                if inside:
                    return self.simulator(self.scenario.with_values(truth), rng), truth
        raise SolveError("there is no model at draws from the prior")

    def _rows(
        self, number: int, truth: Mapping[str, float], status: str
    ) -> list[dict[str, object]]:
        return [
            {"repetition": number, "parameter": name, "truth": value, "status": status}
            for name, value in truth.items()
        ]


def _summary(repetitions: pd.DataFrame, name: str) -> dict[str, object]:
    """The row of one parameter."""
    own = repetitions[(repetitions["parameter"] == name) & repetitions["se"].notna()]
    n, apart = len(own), (own["estimate"] - own["truth"]).to_numpy(float)
    spread = float(apart.std(ddof=1)) if n > 1 else math.nan
    held = int(own["truth"].between(own["low"], own["high"]).sum())
    low, high = wilson(held, n)
    return {
        "parameter": name,
        "truth": own["truth"].mean(),
        "mean": own["estimate"].mean(),
        "bias": float(apart.mean()) if n else math.nan,
        "bias_error": spread / math.sqrt(n) if n else math.nan,
        "spread": spread,
        "se": own["se"].mean(),
        "coverage": held / n if n else math.nan,
        "coverage_low": low,
        "coverage_high": high,
        "uniform": uniformity(own["rank"].dropna().to_numpy(float)),
    }
