"""Fits side by side: what is nested, what is not, and what cannot be compared."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from detente.describe.fit import describe_fit
from detente.describe.side_by_side import describe_fits, latex
from detente.errors import ScenarioError
from detente.estimation.side_by_side import FitSummary, compared, read_summary, summary
from detente.render.data import to_json
from tests.estimation.test_fit import fit_one


def made(name: str, free: tuple[str, ...], **others: object) -> FitSummary:
    fixed = {key: 0.5 for key in ("a", "b", "c") if key not in free}
    logs = {"u": -1.0, "v": -2.0, "w": -3.5}
    plain = {
        "estimates": dict.fromkeys(free, (1.0, 0.5)),
        "log_likelihood": -6.5,
        "aic": 13.0,
        "bic": 14.0,
        "units": 3,
        "observations": 5,
        "status": "CONVERGED",
        "prior": "",
        "fixed": fixed,
        "model": "m",
        "data": "d",
        "unit_logs": logs,
    }
    return FitSummary(name=name, **{**plain, **others})  # type: ignore[arg-type]


def test_a_fit_comes_back_from_its_json(folder: Path) -> None:
    fits = {"small": fit_one(folder, "worth"), "large": fit_one(folder, "worth", "more")}
    for name, fit in fits.items():
        (folder / f"{name}.json").write_text(to_json(describe_fit(fit).data))
    small, large = (read_summary(folder / f"{name}.json") for name in fits)
    assert large == summary(fits["large"], "large")
    assert math.fsum(large.unit_logs.values()) == pytest.approx(large.log_likelihood, abs=1e-9)
    (test,) = compared([small, large])
    ratio = 2 * (large.log_likelihood - small.log_likelihood)
    assert (test.kind, test.degrees) == ("likelihood ratio", 1)
    assert test.statistic == pytest.approx(ratio)
    assert test.p == pytest.approx(stats.chi2.sf(ratio, 1))
    described = describe_fits([small, large])
    assert len(described.data["fits"]) == 3
    text = latex([small, large])
    assert r"\begin{tabular}{lrr}" in text
    assert f"worth & $-${-small.estimates['worth'][0]:.4g} & " in text


def test_vuong() -> None:
    logs = {"u": -1.5, "v": -2.6, "w": -2.9}
    first, second = made("x", ("a",)), made("y", ("b", "c"), unit_logs=logs)
    (test,) = compared([first, second])
    apart = np.array([0.5, 0.6, -0.6])
    z = apart.sum() / (np.sqrt(3) * apart.std())
    assert test.kind == "Vuong"
    assert test.statistic == pytest.approx(z)
    assert test.p == pytest.approx(2 * stats.norm.sf(abs(z)))
    corrected = (apart.sum() + 0.5 * np.log(3)) / (np.sqrt(3) * apart.std())
    assert test.corrected == pytest.approx(corrected)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (made("y", ("a", "b"), data="e"), "other data"),
        (made("y", ("a", "b"), prior="ranges"), "prior"),
        (made("y", ("a", "b"), status="BOUNDARY"), "inside the bounds"),
        (made("y", ("a", "b"), log_likelihood=-7.0), "not its highest maximum"),
        (made("y", ("b",)), "the same of every unit"),
        (made("y", ("b",), unit_logs={"u": -1.0}), "several units"),
        (made("y", ("a", "b"), fixed={"c": 0.7}), "the same of every unit"),  # not nested
    ],
)
def test_what_cannot_be_tested_says_why(other: FitSummary, reason: str) -> None:
    (test,) = compared([made("x", ("a",)), other])
    assert reason in test.reason
    assert math.isnan(test.p)


def test_what_is_no_fit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"estimates": 3}))
    with pytest.raises(ScenarioError, match="not the JSON of a fit"):
        read_summary(tmp_path / "a.json")
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_summary(tmp_path / "b.json")
    assert r"a\_b" in latex([replace(made("a_b", ("a",)))])
