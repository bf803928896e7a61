"""The first edition of the default scenario, superseded: that it still loads, and how noisy it is.

The bands and shares are for 24 months, on 9 x 9 beliefs. They were found with another program of
the same model, before the audit was written: so they also hold the audit to account.
"""

from __future__ import annotations

import numpy as np
import pytest

import detente
from detente.analysis.noise import audit_noise
from detente.analysis.precision_band import precision_band
from detente.simulation.forecast import Forecast
from detente.solver.options import SolveOptions

NAME = "pyeongchang-2018-first"

BAND = {  # at half, at once and at twice the precision, in per cent
    "war": (11.1, 6.4, 3.4),
    "deal": (15.0, 3.9, 0.05),  # the first finding had 0.1 at twice the precision
    "us_talks": (80, 66, 27),
    "korean_summit": (64, 68, 86),
    "first_step": (51, 21.5, 3.8),
    "tests_resumed": (71, 58, 22),
    "relief": (42, 15.6, 3.0),
}


def test_it_says_that_it_is_superseded() -> None:
    scenario = detente.load(NAME)
    assert scenario.warnings == ()
    assert "superseded" in scenario.title
    assert scenario.about.startswith("Superseded by pyeongchang-2018")


@pytest.fixture(scope="module")
def shipped() -> Forecast:
    game = detente.compile_game(detente.load(NAME))
    return detente.forecast(detente.solve(game, SolveOptions(beliefs=9), coarse=False))


@pytest.mark.slow
def test_the_bands_over_half_to_twice_the_precision(shipped: Forecast) -> None:
    band = precision_band(shipped)
    assert band is not None
    for outcome, expected in BAND.items():
        for name, value in zip(("half", "given", "twice"), expected, strict=True):
            table = band.cases[name].outcomes.where(t=24, outcome=outcome)
            # Half of the last digit that is given.
            digit = 0.5 if isinstance(value, int) else 0.05 if value >= 0.1 else 0.005
            assert 100 * table["happened"].item() == pytest.approx(value, abs=1.01 * digit)


@pytest.mark.slow
def test_what_rests_on_moves_that_were_not_best(shipped: Forecast) -> None:
    audit = audit_noise(shipped.solution, rng=np.random.default_rng(5))
    rows = {r["outcome"]: r for r in audit.tables["outcomes"].rows()}
    share = {key: r["by_other"] / r["happened"] for key, r in rows.items()}
    error = {key: np.sqrt(0.25 / (r["happened"] * audit.draws)) for key, r in rows.items()}
    assert share["tests_resumed"] == 1
    assert share["first_step"] == pytest.approx(0.82, abs=4 * error["first_step"])
    assert share["us_talks"] == pytest.approx(0.48, abs=4 * error["us_talks"])
