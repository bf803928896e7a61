"""A fit as a frozen value, with its tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from detente.dtypes import Floats
from detente.estimation.account import Account
from detente.estimation.climb import Climb, Status
from detente.estimation.free import Free, slopes_at, values_at
from detente.estimation.posterior import Posterior
from detente.estimation.prior import RangePrior
from detente.estimation.statistics import CENTRAL
from detente.estimation.uncertainty import LOADING, Information
from detente.estimation.units import Panel, collinear
from detente.notebook import InNotebook
from detente.scenario.model import Scenario

NARROW = 1e-3
"""Smallest singular value of I - dΦ/dv below which a unit is near a fold, and is named."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a climb ended: its log-likelihood, steps, largest distance from the best in standard
    errors, and status."""

    log_likelihood: float
    steps: int
    apart: float
    status: str

    @classmethod
    def of(cls, climbed: Climb, estimate: Estimate) -> Start:
        """What a climb came to, beside the best."""
        inverse = np.nan_to_num(estimate.known.covariance)
        apart = climbed.x - estimate.best.x
        far = np.abs(apart) / np.sqrt(np.maximum(np.diag(inverse), 1e-300))
        far[np.diag(inverse) == 0] = 0.0
        return cls(climbed.value, climbed.steps, float(far.max(initial=0.0)), climbed.status.name)


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The best climb, and what is known there."""

    free: tuple[Free, ...]
    prior: RangePrior | None
    best: Climb
    known: Information


@dataclass(frozen=True, eq=False)
class Fit(InNotebook):
    """Estimated parameters.

    scenario
        With the estimates as the values of its parameters.
    table
        `parameter, estimate, se, z, low, high, start, range_low, range_high, outer, sandwich,
        clustered, learned, note`, one row for each free parameter. `se` is from the observed
        information; `low` and `high` are the ends of the 95 % interval, in coordinates without
        bounds; `outer`, `sandwich` and `clustered` are standard errors of other kinds, nan where
        there are too few units. `learned` is 1 less the share of the prior's variance that is left,
        nan without a prior. What is not identified has no number, and a `note` that says so.
    log_likelihood, log_posterior
        At the estimates; the second with the logarithm of the prior (but for a constant), the same
        without one.
    covariance
        Of the estimates, with names on both sides: nan where not identified.
    identification
        `eigenvalue, direction`: of the information scaled to ones on its diagonal, ascending, and
        the parameters that the direction moves.
    starts
        `log_likelihood, steps, apart, status` of each climb, the highest first.
    equilibria
        Of games without end `unit, log_likelihood, residual, smallest`, a row for each unit: how
        far it is from v = Φ(v), and the smallest singular value of I - dΦ/dv, near 0 at a fold;
        None for others. `table` then has `given_states` too: standard errors from the information
        that is expected given the states that were visited.
    choices
        The shares of all moves in these equilibria, a table like that of counts; None for others.
    distance
        Of the maximum, in standard errors.
    posterior
        Draws from the posterior, where any were asked for.
    units, observed
        Units with an observation, and observations.
    unit_logs
        The log-likelihood of each of these units.
    miscoded
        How often a recorded move was held to be another one.
    model, data
        Digests of the scenario's file with the policy, and of the records: by which fits are set
        side by side.
    """

    scenario: Scenario
    table: pd.DataFrame
    log_likelihood: float
    log_posterior: float
    covariance: pd.DataFrame
    identification: pd.DataFrame
    starts: pd.DataFrame
    status: Status
    distance: float
    units: int
    observed: int
    files: tuple[str, ...]
    cluster: str
    prior: bool
    seconds: float
    date: dt.date
    warnings: tuple[str, ...] = field(default=())
    equilibria: pd.DataFrame | None = None
    choices: pd.DataFrame | None = None
    posterior: Posterior | None = None
    unit_logs: Mapping[str, float] = field(default_factory=dict)
    miscoded: float = 0.0
    model: str = ""
    data: str = ""

    @property
    def values(self) -> dict[str, float]:
        """The estimates by name, of what is identified."""
        rows = self.table.dropna(subset=["estimate"])
        return dict(zip(rows["parameter"], rows["estimate"], strict=True))

    @property
    def aic(self) -> float:
        """Akaike's criterion: 2 q - 2 log L."""
        return 2 * len(self.table) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion: q log n - 2 log L, for n units."""
        return len(self.table) * float(np.log(self.units)) - 2 * self.log_likelihood

    def __repr__(self) -> str:
        first = ", ".join(
            f"{r.parameter} {r.estimate:.3g} ({r.se:.2g})" for r in self.table.head(3).itertuples()
        )
        more = ", …" if len(self.table) > 3 else ""
        return (
            f"<Fit of {self.scenario.name!r} to {self.units} units: {self.status.value}; "
            f"log-likelihood {self.log_likelihood:.6f}; {first}{more}>"
        )

    def _main_table(self) -> pd.DataFrame:
        return self.table


def make_fit(
    scenario: Scenario,
    panel: Panel,
    estimate: Estimate,
    starts: tuple[Start, ...],
    cluster: str,
    seconds: float,
) -> Fit:
    """The tables of an estimate."""
    free, best, known = estimate.free, estimate.best, estimate.known
    values, slopes = values_at(free, best.x), slopes_at(free, best.x)
    prior = 0.0 if estimate.prior is None else estimate.prior.at(values)[0]
    names = [one.name for one in free]
    covariance = known.covariance * np.outer(slopes, slopes)
    used = [unit for unit in panel.units if unit.observed]
    identified = {
        name: v for name, v, sure in zip(names, values.values(), _sure(known), strict=True) if sure
    }
    inverse = np.nan_to_num(known.covariance)
    doubts = [] if all(_sure(known)) else collinear(panel.units)
    return Fit(
        scenario=scenario.with_values(identified),
        table=_table(estimate, values, slopes),
        log_likelihood=best.value - prior,
        log_posterior=best.value,
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        identification=_identification(known, names),
        starts=pd.DataFrame(
            [(s.log_likelihood, s.steps, s.apart, s.status) for s in starts],
            columns=["log_likelihood", "steps", "apart", "status"],
        ),
        status=best.status,
        distance=float(np.sqrt(max(float(best.gradient @ inverse @ best.gradient), 0.0))),
        units=len(used),
        observed=sum(unit.observed for unit in used),
        files=panel.files,
        cluster=cluster,
        prior=estimate.prior is not None,
        seconds=seconds,
        date=dt.date.today(),
        warnings=(*(w.message for w in panel.warnings), *doubts),
    )


def with_account(fit: Fit, units: Sequence[str], account: Account, choices: pd.DataFrame) -> Fit:
    """The fit of games without end, with what is known of each unit there."""
    equilibria = pd.DataFrame(
        {
            "unit": units,
            "log_likelihood": account.log_likelihoods,
            "residual": account.residuals,
            "smallest": account.smallest,
        }
    )
    table = fit.table.assign(given_states=account.given_states)
    narrow = equilibria[equilibria["smallest"] < NARROW]
    warnings = fit.warnings
    if len(narrow):
        worst = narrow.sort_values("smallest").iloc[0]
        message = (
            f"{len(narrow)} of {len(units)} units are near a fold, where their equilibrium ends: "
            f"{worst['unit']} most (smallest singular value {worst['smallest']:.1e}); standard "
            "errors hold in a small neighbourhood only"
        )
        warnings = (*warnings, message)
    return replace(fit, table=table, warnings=warnings, equilibria=equilibria, choices=choices)


def _sure(known: Information) -> list[bool]:
    """The parameters whose estimates mean something: identified, or at a bound."""
    bound = ~np.isfinite(np.diag(known.matrix))
    return list(known.known | bound)


def _deviations(covariance: Floats | None, slopes: Floats) -> Floats:
    if covariance is None:
        return np.full(slopes.size, np.nan)
    return np.sqrt(np.diag(covariance)) * np.abs(slopes)


def _table(estimate: Estimate, values: dict[str, float], slopes: Floats) -> pd.DataFrame:
    free, known = estimate.free, estimate.known
    own = _deviations(known.covariance, np.ones(len(free)))
    kinds = [_deviations(c, slopes) for c in (known.outer, known.sandwich, known.clustered)]
    sure, unknown = _sure(known), known.unknown()
    rows = []
    for q, one in enumerate(free):
        value = values[one.name] if sure[q] else np.nan
        se = own[q] * abs(slopes[q])
        x = estimate.best.x[q]
        low, high = (one.value(float(x + sign * CENTRAL * own[q])) for sign in (-1, 1))
        if not np.isfinite(own[q]):
            low = high = np.nan
        note = "" if known.known[q] else _note(one, q, free, unknown)
        learned = np.nan
        if estimate.prior is not None and not estimate.prior.logarithmic[q]:
            learned = 1 - se**2 / estimate.prior.deviation[q] ** 2
        limits = one.range or (np.nan, np.nan)
        others = [kind[q] for kind in kinds]
        rows.append(
            (one.name, value, se, value / se, low, high, one.start, *limits, *others, learned, note)
        )
    columns = (
        "parameter estimate se z low high start range_low range_high outer sandwich clustered "
        "learned note"
    )
    return pd.DataFrame(rows, columns=columns.split())


def _note(one: Free, q: int, free: tuple[Free, ...], unknown: list[Floats]) -> str:
    """Why a parameter has no standard error."""
    for direction in unknown:
        if abs(direction[q]) > LOADING:
            others = [
                f.name
                for f, d in zip(free, direction, strict=True)
                if abs(d) > LOADING and f is not one
            ]
            if others:
                return f"not identified apart from {', '.join(others)}"
            return "not identified: the data say nothing of it"
    return "at a bound"


def _identification(known: Information, names: list[str]) -> pd.DataFrame:
    rows = []
    for eigenvalue, direction in zip(known.eigenvalues, known.directions, strict=True):
        parts = [(abs(d), f"{d:+.2f} {name}") for d, name in zip(direction, names, strict=True)]
        named = [text for size, text in sorted(parts, reverse=True) if size > LOADING]
        rows.append((float(eigenvalue), ", ".join(named)))
    return pd.DataFrame(rows, columns=["eigenvalue", "direction"])
