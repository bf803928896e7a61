"""Fits side by side, and tests between them: likelihood ratios of nested ones, Vuong's of others.

A fit is nested in another of the same scenario under the same policy if that frees all that it
frees and more, and what neither frees has the same value. Twice the difference of log-likelihoods
is then χ² distributed with as many degrees of freedom as it has parameters less (Wilks 1938), if
none of them is at a bound. Of two that are not nested, with log-likelihoods l of units,
Σ (l₁ - l₂) / (√n ω) is standard normal if both are as far from the truth, ω the standard deviation
of the differences (Vuong 1989, Econometrica 57(2), 307-333); in Schwarz's form each model pays
log(n) / 2 for each of its parameters.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from detente.errors import Diagnostic, Place, ScenarioError
from detente.estimation.result import Fit
from detente.estimation.statistics import chi_squared_tail, two_sided
from detente.estimation.units import Panel
from detente.scenario.observations import Observation

BELOW = 0.01
"""Log-likelihood by which a larger model may stay below a smaller one by rounding."""


@dataclass(frozen=True, slots=True)
class FitSummary:
    """What a table of fits says of one.

    estimates
        By parameter its estimate and standard error, None where not identified.
    fixed
        The values of all other parameters.
    model, data
        Digests of the scenario's file with the policy, and of the records.
    unit_logs
        The log-likelihood of each unit, by its name.
    """

    name: str
    estimates: Mapping[str, tuple[float | None, float | None]]
    log_likelihood: float
    aic: float
    bic: float
    units: int
    observations: int
    status: str
    prior: str
    fixed: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    data: str = ""
    unit_logs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelTest:
    """A test between two fits, or why there is none.

    `statistic` has `degrees` degrees of freedom, or 0 for a normal one; `corrected` is Vuong's in
    Schwarz's form. A positive one speaks for the first fit.
    """

    first: str
    second: str
    kind: str
    statistic: float = math.nan
    degrees: int = 0
    p: float = math.nan
    corrected: float = math.nan
    reason: str = ""


def summary(fit: Fit, name: str) -> FitSummary:
    """Of a fit, by a name for the table."""
    free = set(fit.table["parameter"])
    estimates = {
        r.parameter: (_known(r.estimate), _known(r.se)) for r in fit.table.itertuples(index=False)
    }
    fixed = {
        full: value
        for p in fit.scenario.parameters.values()
        for full, value in zip(p.names(), p.values, strict=True)
        if full not in free
    }
    return FitSummary(
        name=name,
        estimates=estimates,
        log_likelihood=fit.log_likelihood,
        aic=fit.aic,
        bic=fit.bic,
        units=fit.units,
        observations=fit.observed,
        status=fit.status.name,
        prior="ranges" if fit.prior else "",
        fixed=fixed,
        model=fit.model,
        data=fit.data,
        unit_logs=fit.unit_logs,
    )


def summary_data(fit: Fit) -> dict[str, Any]:
    """What a fit's JSON has for `read_summary`, beside what it has for people."""
    own = summary(fit, "")
    return {"fixed": own.fixed, "model": own.model, "data": own.data, "unit_logs": own.unit_logs}


def read_summary(path: str | Path) -> FitSummary:
    """From what `detente fit --json` has printed. Raises `ScenarioError` for anything else."""
    try:
        plain = json.loads(Path(path).read_text("utf-8"))
        estimates = {
            row["parameter"]: (row["estimate"], row["se"]) for row in plain.pop("estimates")
        }
        names = FitSummary.__dataclass_fields__.keys() & plain.keys()
        return FitSummary(
            name=Path(path).stem, estimates=estimates, **{key: plain[key] for key in names}
        )
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ScenarioError([Diagnostic(Place(str(path)), "cannot-read", message)]) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "write it with `detente fit … --json > FILE`"
        message = "it is not the JSON of a fit"
        raise ScenarioError([Diagnostic(Place(str(path)), "wrong-type", message, hint)]) from error


def compared(fits: Sequence[FitSummary]) -> list[ModelTest]:
    """A test of each pair."""
    return [_test(first, second) for first, second in combinations(fits, 2)]


def _test(first: FitSummary, second: FitSummary) -> ModelTest:
    pair, ended = (first.name, second.name), {"CONVERGED", "NEARLY"}
    if first.prior or second.prior:
        return ModelTest(*pair, "none", reason="a fit with a prior is not at the likelihood's top")
    if not (first.data and second.data):
        return ModelTest(*pair, "none", reason="a scenario goes on forever: tests are of records")
    if first.data != second.data:
        return ModelTest(*pair, "none", reason="they are fits to other data")
    if {first.status, second.status} - ended:
        words = "a fit is not at a maximum inside the bounds of its parameters"
        return ModelTest(*pair, "none", reason=words)
    if _nested(first, second) or _nested(second, first):
        larger, smaller = sorted((first, second), key=lambda fit: -len(fit.estimates))
        fall = larger.log_likelihood - smaller.log_likelihood
        degrees = len(larger.estimates) - len(smaller.estimates)
        if fall < -BELOW:
            words = f"{larger.name} has more freedom and less likelihood: not its highest maximum"
            return ModelTest(*pair, "likelihood ratio", reason=words)
        p = chi_squared_tail(2 * fall, degrees)
        return ModelTest(*pair, "likelihood ratio", 2 * max(fall, 0.0), degrees, p)
    return _vuong(first, second)


def _vuong(first: FitSummary, second: FitSummary) -> ModelTest:
    pair = (first.name, second.name, "Vuong")
    if len(first.unit_logs) < 2 or first.unit_logs.keys() != second.unit_logs.keys():
        return ModelTest(*pair, reason="it takes the likelihoods of several units")
    apart = np.array([first.unit_logs[unit] - second.unit_logs[unit] for unit in first.unit_logs])
    scale = math.sqrt(apart.size) * float(apart.std())
    if scale < 1e-9:
        return ModelTest(*pair, reason="they say the same of every unit")
    z = float(apart.sum()) / scale
    price = (len(first.estimates) - len(second.estimates)) / 2 * math.log(apart.size)
    return ModelTest(*pair, z, 0, two_sided(z), (float(apart.sum()) - price) / scale)


def _nested(small: FitSummary, large: FitSummary) -> bool:
    """Whether the one is the other with some parameters held."""
    same = all(value == small.fixed.get(name) for name, value in large.fixed.items())
    within = small.estimates.keys() < large.estimates.keys()
    return bool(small.model) and small.model == large.model and within and same


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def model_digest(text: str, policy: str, options: Mapping[str, str], miscoded: float) -> str:
    """Of a scenario's file without its values, the policy, the options chosen, and how often a
    recorded move was held to be another one."""
    whole = json.dumps([text, policy, dict(options), *[miscoded] * (miscoded > 0)])
    return hashlib.sha256(whole.encode()).hexdigest()


def data_digest(panel: Panel) -> str:
    """Of what was observed of all units."""

    def said(entries: Sequence[Observation]) -> list[tuple[object, ...]]:
        return [(e.t, e.actor, sorted(e.actions), e.label) for e in entries if e.used]

    units = sorted(
        (unit.name, said(unit.record.entries), said(unit.record.standing), unit.record.last)
        for unit in panel.units
    )
    return hashlib.sha256(repr(units).encode()).hexdigest()
