"""`profile_likelihood`: how far records let one parameter go, when all others answer to it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from detente.dtypes import Floats
from detente.errors import ScenarioError, refuse
from detente.estimation.fit import DEFAULT_FIT, FitOptions, fit
from detente.estimation.free import Free, free_parameters
from detente.estimation.model import Model, Wall
from detente.estimation.result import Fit
from detente.estimation.search import SAME
from detente.estimation.units import Records, Source, listed, read_panel
from detente.game.compile import compile_game
from detente.notebook import InNotebook
from detente.scenario.model import Scenario
from detente.solver.workers import open_workers

ROOT = 1.959963984540054
"""Signed root of twice the log-likelihood's fall at the ends of a 95 % interval (Wilks 1938)."""

STEP, MOST = 0.5, 12
"""Distance of neighbouring values in standard errors, and values tried on each side at most."""

FITTING = 0.3
"""Share of the work that the fit takes, beside the values."""


@dataclass(frozen=True, eq=False)
class ProfileLikelihood(InNotebook):
    """The profile likelihood of one parameter.

    parameter
        Its full name.
    table
        `value, log_likelihood, root`, and a column for each other free parameter with its estimate
        there; by value. `root` is the signed root of twice the fall of the log-likelihood, on a
        straight line where the likelihood is normal.
    low, high
        Ends of the 95 % interval, where `root` is ±1.96; nan where values were tried and none of
        them was so unlikely.
    fit
        At the maximum.
    higher
        Whether a value was found with a likelihood above the fit's: there are several maxima.
    """

    parameter: str
    table: pd.DataFrame
    low: float
    high: float
    fit: Fit
    higher: bool

    @property
    def estimate(self) -> float:
        """The parameter's value at the maximum."""
        return float(self.fit.values[self.parameter])

    @property
    def wald(self) -> tuple[float, float]:
        """The ends of the fit's own interval, from the curvature at the maximum."""
        row = self.fit.table.set_index("parameter").loc[self.parameter]
        return float(row["low"]), float(row["high"])

    def _main_table(self) -> pd.DataFrame:
        return self.table


def profile_likelihood(
    scenario: Scenario,
    records: Records,
    parameter: str,
    options: FitOptions = DEFAULT_FIT,
    *,
    units: str | Path | None = None,
) -> ProfileLikelihood:
    """Fit a scenario, then again at values of one parameter to both sides of its estimate.

    The values are half a standard error apart, and go on until the likelihood is outside what a
    95 % interval holds, or for six standard errors. Each fit begins where the last one ended.

    Parameters
    ----------
    scenario, records, options, units
        As in `fit`; the parameter is one of those that are free.
    parameter
        Its full name.

    Raises
    ------
    ScenarioError
        As `fit`; for a parameter that is not free, or of which the records say nothing; for a
        prior.
    """
    if options.prior:
        message = "a profile is of the likelihood, and this would be of a posterior"
        refuse("prior", "not-together", message, "leave out the prior")
    free = {
        one.name: one
        for one in free_parameters(compile_game(scenario, policy=options.policy), options.free)
    }
    if parameter not in free:
        hint = f"free are {', '.join(f'`{name}`' for name in free)}"
        refuse("parameter", "unknown-name", f"`{parameter}` is not a free parameter", hint)
    solving = options.solving
    first = replace(options, free=tuple(free), solving=solving.step(0.0, FITTING))
    best = fit(scenario, records, first, units=units)
    if parameter not in best.values or not np.isfinite(
        best.table.set_index("parameter").loc[parameter, "se"]
    ):
        message = f"the records do not identify `{parameter}`: it has no standard error"
        refuse("parameter", "not-estimable", message, "see the fit without a profile")
    sources = listed(records)
    walk = _Walk(best, free[parameter], sources, options, units)
    rows = [{"value": walk.estimate, "log_likelihood": best.log_likelihood, **walk.others(best)}]
    for side in (-1, 1):
        for row in walk.along(side):
            share = (side + 1) / 2 + min(walk.fallen(row) / ROOT, 1.0)
            solving.report(FITTING + (1 - FITTING) * share / 2)
            rows.append(row)
    table = pd.DataFrame(rows).sort_values("value", ignore_index=True)
    sign = np.sign(table["value"] - walk.estimate)
    table.insert(2, "root", sign * [walk.fallen(row) for row in table.to_dict("records")])
    low, high = (walk.end(table, root) for root in (-ROOT, ROOT))
    higher = bool(table["log_likelihood"].max() > best.log_likelihood + SAME)
    return ProfileLikelihood(parameter, table, low, high, best, higher)


class _Walk:
    """From the maximum to both sides, in coordinates without bounds."""

    def __init__(
        self,
        best: Fit,
        one: Free,
        records: Sequence[Source],
        options: FitOptions,
        units: str | Path | None,
    ) -> None:
        self.best, self.one, self.records, self.options, self.units = (
            best,
            one,
            records,
            options,
            units,
        )
        row = best.table.set_index("parameter").loc[one.name]
        self.estimate = float(row["estimate"])
        ends = one.coordinate(float(row["low"])), one.coordinate(float(row["high"]))
        self.middle, self.error = one.coordinate(self.estimate), (ends[1] - ends[0]) / (2 * ROOT)
        self.rest = tuple(name for name in best.table["parameter"] if name != one.name)

    def others(self, found: Fit) -> dict[str, float]:
        """The estimates of the other parameters; nan for what is not identified there."""
        return {name: found.values.get(name, math.nan) for name in self.rest}

    def fallen(self, row: dict[str, float]) -> float:
        """Root of twice the fall of the log-likelihood from the maximum."""
        return math.sqrt(max(2 * (self.best.log_likelihood - row["log_likelihood"]), 0.0))

    def along(self, side: int) -> Iterator[dict[str, float]]:
        """Values to one side, until one is too unlikely or has no likelihood."""
        here = self.best.scenario
        for k in range(1, MOST + 1):
            value = self.one.value(self.middle + side * k * STEP * self.error)
            here = here.with_values({self.one.name: value})
            try:
                row, here = self._at(here, value)
            except (ScenarioError, Wall):
                return
            yield row
            if self.fallen(row) > ROOT:
                return

    def _at(self, here: Scenario, value: float) -> tuple[dict[str, float], Scenario]:
        options = replace(
            self.options,
            free=self.rest,
            starts=1,
            checkpoint=None,
            solving=replace(self.options.solving, progress=None),
        )
        if self.rest:
            found = fit(here, self.records, options, units=self.units)
            row = {"value": value, "log_likelihood": found.log_likelihood, **self.others(found)}
            return row, found.scenario
        panel = read_panel(here, self.records, self.units)
        free, more = [self.one.name], self.options
        model = Model(
            here, panel, free, options.solving, policy=options.policy, miscoded=more.miscoded
        )
        with open_workers(options.solving.threads) as workers:
            point = model.at({self.one.name: value}, workers)
        return {"value": value, "log_likelihood": point.log_likelihood}, here

    def end(self, table: pd.DataFrame, root: float) -> float:
        """The value at which the root is what it is at an end; nan where it is nowhere."""
        roots: Floats = table["root"].to_numpy()
        if not roots.min() <= root <= roots.max():
            return math.nan
        places = [self.one.coordinate(value) for value in table["value"]]
        return self.one.value(float(np.interp(root, np.maximum.accumulate(roots), places)))
