"""Posteriors against numerical integration; their draws as files, in ensembles and as bands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import detente
from detente.describe.fit import describe_fit
from detente.ensembles.design import design
from detente.ensembles.manifest import Manifest
from detente.ensembles.request import Draws, RunRequest, new_manifest
from detente.errors import ScenarioError
from detente.estimation.draws import draws_text, read_draws
from detente.estimation.left_open import left_open
from detente.estimation.posterior import Posterior
from tests.estimation.conftest import ONE
from tests.estimation.test_fit import QUICK, fit_one

ROWS = {"worth": (0.0, 1.0, 2.0), "more": (-1.0, 0.0, 1.0)}


def test_a_posterior_is_that_of_numerical_integration(folder: Path) -> None:
    fit = fit_one(folder, "worth", prior="ranges", draws=120)
    assert fit.posterior is not None
    x = pd.read_csv(folder / "units.csv")["x"].to_numpy()
    y = pd.read_csv(folder / "records.csv")["move"].eq("go").to_numpy(float)
    grid = np.linspace(-4, 4, 4001)
    p = 1 / (1 + np.exp(-(grid[:, None] + 0.1 + 0 * x)))
    logs = np.log(np.where(y == 1, p, 1 - p)).sum(axis=1) - 0.5 * (grid / (3 / 1.96)) ** 2
    density = np.exp(logs - logs.max())
    density /= density.sum()
    mean = float(density @ grid)
    deviation = float(np.sqrt(density @ (grid - mean) ** 2))
    drawn, weights = fit.posterior.table["worth"].to_numpy(), fit.posterior.weights
    error = deviation / np.sqrt(fit.posterior.effective)
    assert fit.posterior.effective > 80
    assert weights @ drawn == pytest.approx(mean, abs=3 * error)
    assert np.sqrt(weights @ (drawn - mean) ** 2) == pytest.approx(
        deviation, rel=0.25
    )  # three of its standard errors
    assert fit.posterior.below({"worth": mean})["worth"] == pytest.approx(0.5, abs=0.15)
    assert describe_fit(fit).data["effective_sample_size"] == fit.posterior.effective
    (folder / "draws.csv").write_text(draws_text(fit.posterior, 0))
    again = read_draws(folder / "draws.csv", detente.load(folder / "one.yaml"))["worth"]
    assert len(again) == 120
    assert np.mean(again) == pytest.approx(mean, abs=4 * error)


def test_a_poor_posterior_is_called_so(folder: Path) -> None:
    weights = np.zeros(300)
    weights[0] = 1.0
    poor = Posterior(pd.DataFrame({"worth": np.zeros(300)}), weights)
    fit = replace(fit_one(folder, "worth", prior="ranges"), posterior=poor)
    assert "not to be relied on" in str(describe_fit(fit).sections[0].blocks)
    with pytest.raises(ScenarioError, match="a posterior needs a prior"):
        detente.FitOptions(free=("worth",), draws=10)


def test_rows_of_a_posterior_are_drawn_together() -> None:
    scenario = detente.loads(ONE)
    drawn = [d.values for d in design(scenario, draws=64, posterior=ROWS).between(1, 65)]
    pairs = {(values["worth"], values["more"]) for values in drawn}
    assert pairs == set(zip(*ROWS.values(), strict=True))
    assert len({values["double"] for values in drawn}) == 64  # by its range
    counts = [sum(values["worth"] == value for values in drawn) for value in ROWS["worth"]]
    assert max(counts) - min(counts) <= 2
    manifest = new_manifest(scenario, RunRequest(draws=Draws(8, posterior=ROWS)))
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert manifest.design().draw(3) == design(scenario, draws=8, posterior=ROWS).draw(3)


def test_what_draws_leave_open() -> None:
    game = detente.compile_game(detente.loads(ONE))
    left = left_open(game, ROWS, QUICK)
    chances = [1 / (1 + np.exp(-(w + 0.1 + 0.5 * m))) for w, m in zip(*ROWS.values(), strict=True)]
    last = left.table[left.table["t"] == 1].iloc[0]
    assert left.solved == 3
    assert last["mean"] == pytest.approx(np.mean(chances), abs=1e-9)
    assert last["low"] == pytest.approx(np.quantile(chances, 0.025), abs=1e-9)
    assert (left.table[left.table["t"] == 0]["high"] == 0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("worth,mroe\n1,2\n", "no column `mroe`"),
        ("worth\n1\nNA\n", "draws.csv:3.*`NA` is no value"),
        ("worth\n", "the file has no draws"),
        ("sharp\n1\n", "`sharp` is set"),
    ],
)
def test_wrong_draws_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "draws.csv").write_text(text)
    scenario = detente.loads(ONE).with_values({"sharp": 2.0})
    with pytest.raises(ScenarioError, match=message):
        read_draws(tmp_path / "draws.csv", scenario)
