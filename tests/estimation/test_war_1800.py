"""Signorino's strategic model on war 1800-1980, against the R package games 1.1.2 (logit, agents).

The package's values are recomputed from its data to six digits; it prints the square root of 2
times ours. The data stand beside the project and are not part of it.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import detente

DATA = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "published"
    / "war-1800"
    / "war1800.csv"
)

MODEL = """\
title: War since 1800
calendar: {period: round, horizon: 1}
actors: {one: {precision: 1}, two: {precision: 1}}
state: {stage: {levels: [start, calm, crisis, given, war], start: start}}
covariates:
  s_wt_re1: {value: 0}
  revis1: {value: 0}
  balanc: {value: 0}
  dem1: {value: 0}
  mixed1: {value: 0}
  dem2: {value: 0}
  mixed2: {value: 0}
parameters:
  quiet: {value: 0}
  quiet_s: {value: 0}
  quiet_revis: {value: 0}
  war1: {value: 0}
  war1_dem: {value: 0}
  war1_mixed: {value: 0}
  war2: {value: 0}
  war2_balanc: {value: 0}
  war2_dem: {value: 0}
  war2_mixed: {value: 0}
turns: [one, {who: two, when: stage == crisis}]
actions:
  one: {stay: {set: {stage: calm}}, escalate: {set: {stage: crisis}}}
  two: {give: {set: {stage: given}}, fight: {set: {stage: war}}}
payoffs:
  one:
    terminal:
      peace: (stage == calm) * (quiet + quiet_s * s_wt_re1 + quiet_revis * revis1)
      fight: (stage == war) * (war1 + war1_dem * dem1 + war1_mixed * mixed1)
  two:
    terminal:
      fight: (stage == war) * (war2 + war2_balanc * balanc + war2_dem * dem2 + war2_mixed * mixed2)
outcomes: {fought: {when: stage == war}}
"""

PUBLISHED = {
    "quiet": (-0.598066, 0.974748811),
    "quiet_s": (-0.840151, 0.454274393),
    "quiet_revis": (0.480234, 0.429409972),
    "war1": (0.180273, 1.970204224),
    "war1_dem": (-2.181316, 1.088226343),
    "war1_mixed": (-0.677093, 0.899153297),
    "war2": (0.538238, 0.713177234),
    "war2_balanc": (-0.005627, 0.904885344),
    "war2_dem": (-1.771447, 0.766166076),
    "war2_mixed": (-0.692100, 0.517271787),
}
"""Estimates, and the package's standard errors, which are √2 times ours."""


@pytest.mark.skipif(not DATA.exists(), reason="the data stand beside the project")
def test_estimates_are_those_of_the_package(tmp_path: Path) -> None:
    units = ["unit,s_wt_re1,revis1,balanc,dem1,mixed1,dem2,mixed2"]
    moves = ["unit,date,actor,move"]
    with DATA.open() as file:
        for k, row in enumerate(csv.DictReader(file)):
            regimes = [row["regime1"], row["regime2"]]
            if "NA" in regimes:
                continue
            dummies = [str(int(r == kind)) for r in regimes for kind in ("dem", "mixed")]
            numbers = [row[name] for name in ("s_wt_re1", "revis1", "balanc")]
            units.append(",".join([str(k), *numbers, *dummies]))
            moves.append(f"{k},1,one,{'stay' if row['esc'] == '0' else 'escalate'}")
            if row["esc"] == "1":
                moves.append(f"{k},1,two,{'fight' if row['war'] == '1' else 'give'}")
    (tmp_path / "units.csv").write_text("\n".join(units))
    (tmp_path / "records.csv").write_text("\n".join(moves))
    (tmp_path / "war.yaml").write_text(MODEL)
    fit = detente.fit(
        detente.load(tmp_path / "war.yaml"),
        tmp_path / "records.csv",
        detente.FitOptions(free=tuple(PUBLISHED)),
        units=tmp_path / "units.csv",
    )
    assert fit.status.name == "CONVERGED"
    assert fit.units == 282
    assert fit.log_likelihood == pytest.approx(-286.182794, abs=5e-7)
    table = fit.table.set_index("parameter")
    for name, (value, error) in PUBLISHED.items():
        # The package stops when the likelihood rises by less than 1e-8: at 1e-6 of the maximum.
        assert table.loc[name, "estimate"] == pytest.approx(value, abs=2e-6)
        assert table.loc[name, "se"] == pytest.approx(error / 2**0.5, rel=1e-3)
