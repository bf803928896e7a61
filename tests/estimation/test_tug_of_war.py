"""A published model of one unit with 440 states; the study's data stay beside us."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.tug_of_war import DATA, LOG_LIKELIHOOD, PUBLISHED, at_published, transition

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the data are not part of the project")


def test_how_support_moves_is_as_in_the_study() -> None:
    table = pd.read_csv(DATA / "transition_gamma.csv", skipinitialspace=True)
    slopes, spread = transition()
    assert [*slopes, spread] == pytest.approx(list(table["estimate"]), abs=1e-12)


def test_the_published_maximum_is_one(tmp_path: Path) -> None:
    fit = at_published(tmp_path)
    assert fit.status.name == "CONVERGED"
    assert fit.log_likelihood == pytest.approx(LOG_LIKELIHOOD, abs=1e-6)
    assert fit.equilibria is not None
    assert fit.equilibria["residual"].max() < 1e-9
    assert fit.distance < 1e-6
    table = fit.table.set_index("parameter")
    # The study's estimates are within 0.0002 of a standard error of the maximum.
    apart = (table["estimate"] - pd.Series(PUBLISHED)) / table["se"]
    assert apart.abs().max() < 2e-4
    errors = pd.read_csv(DATA / "estimates_regtable.csv")["V2"]
    assert list(table.loc[list(PUBLISHED), "given_states"]) == pytest.approx(errors, rel=1e-4)
