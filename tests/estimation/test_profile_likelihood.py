"""Profiles of the likelihood, against those of a plain logit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import detente
from detente.describe.profile_likelihood import describe_profile
from detente.errors import ScenarioError
from detente.estimation.profile_likelihood import ROOT, ProfileLikelihood
from tests.estimation.test_fit import QUICK

Floats = NDArray[np.float64]


def profile_of(folder: Path, name: str, *free: str, **options: object) -> ProfileLikelihood:
    chosen = detente.FitOptions(free=free, solving=QUICK, **options)  # type: ignore[arg-type]
    scenario, units = detente.load(folder / "one.yaml"), folder / "units.csv"
    return detente.profile_likelihood(scenario, folder / "records.csv", name, chosen, units=units)


def logit(folder: Path, slope: float | None) -> tuple[float, float, float]:
    """Log-likelihood, intercept and slope of the same model by Newton's method; `slope` is held."""
    x = pd.read_csv(folder / "units.csv")["x"].to_numpy()
    y = pd.read_csv(folder / "records.csv")["move"].eq("go").to_numpy(float)
    z = np.column_stack([np.ones(60), x])
    free = [0] if slope is not None else [0, 1]
    beta = np.array([0.0, slope or 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-(z @ beta)))
        rows = z[:, free]
        beta[free] += np.linalg.solve(rows.T @ (rows * (p * (1 - p))[:, None]), rows.T @ (y - p))
    p = 1 / (1 + np.exp(-(z @ beta)))
    return float(np.log(np.where(y == 1, p, 1 - p)).sum()), float(beta[0]), float(beta[1])


def test_the_profile_of_a_logit(folder: Path) -> None:
    found = profile_of(folder, "more", "worth", "more")
    top, _, slope = logit(folder, None)
    assert found.estimate == pytest.approx(slope, abs=1e-5)
    assert found.fit.log_likelihood == pytest.approx(top, abs=1e-9)
    for row in found.table.itertuples():
        value, intercept, _ = logit(folder, row.value)
        assert row.log_likelihood == pytest.approx(value, abs=1e-8)
        assert row.worth + 0.1 == pytest.approx(intercept, abs=1e-4)
    assert found.table["value"].is_monotonic_increasing
    for end, wald in zip((found.low, found.high), found.wald, strict=True):
        fallen = np.sqrt(2 * (top - logit(folder, end)[0]))
        assert fallen == pytest.approx(ROOT, abs=0.01)
        assert abs(end - wald) < 0.2 * (found.high - found.low)
    assert not found.higher


def test_alone_it_is_the_likelihood(folder: Path) -> None:
    found = profile_of(folder, "worth", "worth")
    assert list(found.table.columns) == ["value", "log_likelihood", "root"]
    assert found.low < found.estimate < found.high
    peak = found.table["log_likelihood"].to_numpy()
    assert (np.diff(np.sign(np.diff(peak))) <= 0).all()


def test_what_has_no_profile_is_refused(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="`more` is not a free parameter"):
        profile_of(folder, "more", "worth")
    with pytest.raises(ScenarioError, match="the records do not identify `idle`"):
        profile_of(folder, "idle", "worth", "idle")
    with pytest.raises(ScenarioError, match="a profile is of the likelihood"):
        profile_of(folder, "worth", "worth", prior="ranges")


def test_a_profile_in_words(folder: Path) -> None:
    found = profile_of(folder, "more", "worth", "more")
    lead = describe_profile(found).lead[0]
    assert lead.startswith(f"by x (`more`): {found.estimate:.4g}, 95 % from {found.low:.4g} to ")
    open_end = replace(found, low=float("nan"), higher=True)
    assert "95 % from beyond what was tried to" in describe_profile(open_end).lead[0]
