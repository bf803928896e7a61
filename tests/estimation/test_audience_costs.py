"""A published model whose units have several equilibria each; the study's data stay beside us."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.audience_costs import DATA, PUBLISHED, at_published, draw, from_nothing

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the data are not part of the project")


def test_the_published_maximum_is_one(tmp_path: Path) -> None:
    fit = at_published(tmp_path)
    assert fit.status.name == "CONVERGED"
    assert fit.log_likelihood == pytest.approx(PUBLISHED, abs=1e-6)
    assert fit.equilibria is not None
    assert fit.equilibria["residual"].max() < 1e-9
    assert fit.distance < 1e-6
    table = pd.read_csv(DATA / "estimates.csv", skipinitialspace=True).set_index("parameter")
    ours = fit.table.set_index("parameter")
    assert len(ours) == 142
    assert ours["estimate"].to_dict() == pytest.approx(table["estimate"].to_dict(), abs=1e-6)
    assert ours["given_states"].to_dict() == pytest.approx(table["se"].to_dict(), abs=1e-6)
    # All standard errors are there: the exact Hessian, bordered by the equilibria, is positive.
    assert (ours["se"] > 0).all()
    assert any("near a fold" in warning for warning in fit.warnings)


@pytest.mark.slow
def test_from_nothing_a_fit_is_no_worse_than_what_counts_were_drawn_with(tmp_path: Path) -> None:
    truth = draw(tmp_path)
    fit = from_nothing(tmp_path, counts="drawn.csv")
    assert fit.equilibria is not None
    assert fit.equilibria["residual"].max() < 1e-9
    assert fit.log_likelihood > truth
