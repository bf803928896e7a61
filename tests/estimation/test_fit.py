"""Fits: recovery, what is refused, what is not identified, files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import detente
from detente.describe.fit import describe_fit
from detente.errors import ScenarioError
from detente.estimation.climb import Climb, Status, climb
from detente.estimation.model import Model
from detente.numbers import percent
from detente.scenario.observations import Record

QUICK = detente.SolveOptions(beliefs=9, threads=1)
TRUTH = {"pain": 0.15, "upkeep": 0.3, "hold_down": 1.0}


def records(scenario: detente.scenario.model.Scenario, draws: int, seed: int) -> list[Record]:
    """Records of histories that are drawn from a scenario."""
    solution = detente.solve(detente.compile_game(scenario), QUICK)
    table = detente.sample(solution, draws=draws, rng=np.random.default_rng(seed))
    return [record_of(scenario, f"{draw}.csv", rows) for draw, rows in table.groupby("draw")]


def record_of(scenario: detente.scenario.model.Scenario, file: str, rows: pd.DataFrame) -> Record:
    moves = rows[(rows["t"] > 0) & (rows["actor"] != "")]
    lines = [f"{m.t},{m.actor},{m.action}" for m in moves.itertuples()]
    return detente.parse_record("\n".join(["date,actor,move", *lines]), scenario, file=file)


def test_what_was_drawn_is_found_again() -> None:
    """Three standard errors are exceeded once in 370 by chance, and the seed is fixed."""
    scenario = detente.load("bargaining-rounds").with_values(TRUTH)
    drawn = records(scenario, 200, 3)
    start = detente.load("bargaining-rounds")
    fit = detente.fit(start, drawn, detente.FitOptions(free=tuple(TRUTH), solving=QUICK))
    assert fit.status is Status.CONVERGED
    assert fit.distance < 1e-6
    table = fit.table.set_index("parameter")
    for name, value in TRUTH.items():
        row = table.loc[name]
        assert abs(row["estimate"] - value) < 3 * row["se"]
        assert row["outer"] == pytest.approx(row["se"], rel=0.5)
        assert row["low"] < row["estimate"] < row["high"]
    assert fit.log_likelihood > -np.inf
    at_truth = Model(start, _panel(start, drawn), tuple(TRUTH), QUICK)
    with detente.solver.workers.open_workers(1) as workers:
        point = at_truth.at(TRUTH, workers, scores=True)
    assert point.log_likelihood < fit.log_likelihood
    assert point.scores is not None
    assert np.allclose(point.scores.sum(axis=0), point.gradient)


def _panel(scenario, drawn):  # type: ignore[no-untyped-def]
    from detente.estimation.units import read_panel

    return read_panel(scenario, drawn)


def fit_one(folder: Path, *free: str, **options: object) -> detente.estimation.result.Fit:
    chosen = detente.FitOptions(free=free, solving=QUICK, **options)  # type: ignore[arg-type]
    scenario = detente.load(folder / "one.yaml")
    return detente.fit(scenario, folder / "records.csv", chosen, units=folder / "units.csv")


def test_a_logit_is_a_logit(folder: Path) -> None:
    """With one chooser the model is a binary logit, here fitted by Newton's method."""
    fit = fit_one(folder, "worth", "more", cluster="region")
    units = pd.read_csv(folder / "units.csv")
    y = pd.read_csv(folder / "records.csv")["move"].eq("go").to_numpy(float)
    z = np.column_stack([np.ones(60), units["x"]])
    beta = np.zeros(2)
    for _ in range(30):
        p = 1 / (1 + np.exp(-(0.1 + 0 * y + z @ beta)))
        information = z.T @ (z * (p * (1 - p))[:, None])
        beta += np.linalg.solve(information, z.T @ (y - p))
    covariance = np.linalg.inv(information)
    scores = z * (y - p)[:, None]
    outer = scores.T @ scores
    grouped = pd.DataFrame(scores).groupby(units["region"]).sum().to_numpy()
    clustered = 12 / 11 * covariance @ grouped.T @ grouped @ covariance
    table = fit.table
    assert np.allclose(table["estimate"], beta, atol=1e-7)
    assert np.allclose(table["se"], np.sqrt(np.diag(covariance)), rtol=1e-6)
    assert np.allclose(table["outer"], np.sqrt(np.diag(np.linalg.inv(outer))), rtol=1e-6)
    sandwich = covariance @ outer @ covariance
    assert np.allclose(table["sandwich"], np.sqrt(np.diag(sandwich)), rtol=1e-6)
    assert np.allclose(table["clustered"], np.sqrt(np.diag(clustered)), rtol=1e-6)


@pytest.mark.parametrize("miscoded", [0.02, 0.15])
def test_moves_that_may_be_recorded_wrongly(folder: Path, miscoded: float) -> None:
    """With m of them wrong the share recorded is m + (1 - 2 m) p, and p a logit."""
    scenario = detente.load(folder / "one.yaml")
    records = folder / "records.csv"
    share = records.read_text().count(",go") / 60
    options = detente.FitOptions(free=("worth",), miscoded=miscoded, solving=QUICK)
    fit = detente.fit(scenario, [records], options, units=folder / "units.csv")
    p = (share - miscoded) / (1 - 2 * miscoded)
    assert fit.values["worth"] + 0.1 == pytest.approx(np.log(p / (1 - p)), abs=1e-5)
    plain = detente.fit(
        scenario, [records], replace(options, miscoded=0.0), units=folder / "units.csv"
    )
    assert abs(fit.values["worth"] + 0.1) > abs(plain.values["worth"] + 0.1) > 0
    assert fit.model != plain.model
    assert fit.data == plain.data
    words = f"may be another one, with {percent(miscoded)}"
    assert any(words in line for line in describe_fit(fit).lead)


def test_how_much_may_be_wrong_is_refused_beyond_half() -> None:
    with pytest.raises(ScenarioError, match=r"it is from 0 to 0\.5, not 0\.7"):
        detente.FitOptions(miscoded=0.7)
    with pytest.raises(ValueError, match="miscoded"):
        detente.FitOptions(miscoded=float("nan"))


def test_precision_and_scale_are_not_free_at_once(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="only their product can be known"):
        fit_one(folder, "sharp", "worth", "more", "double")
    fit_one(folder, "sharp", "more")  # `worth` is the unit


def test_what_cannot_be_told_apart_has_no_number(folder: Path) -> None:
    fit = fit_one(folder, "worth", "double", "idle", "more")
    assert fit.status is Status.UNIDENTIFIED
    table = fit.table.set_index("parameter")
    assert table.loc[["worth", "double", "idle"], ["estimate", "se"]].isna().all(axis=None)
    assert table.loc["worth", "note"] == "not identified apart from double"
    assert table.loc["idle", "note"] == "not identified: the data say nothing of it"
    assert np.isfinite(table.loc["more", "se"])
    assert fit.scenario.parameters["worth"].values == (0.5,)


def test_collinear_covariates_are_told(folder: Path) -> None:
    text = (folder / "one.yaml").read_text()
    text = text.replace("covariates: {", "covariates: {y: {value: 1, about: another number}, ", 1)
    text = text.replace("  idle:", "  most: {value: 0, range: [-3, 3], about: by y}\n  idle:")
    (folder / "one.yaml").write_text(text.replace("+ double", "+ double + most * y"))
    rows = [line.split(",") for line in (folder / "units.csv").read_text().splitlines()]
    lines = [
        ",".join([*row, "y" if k == 0 else str(2 * float(row[1]) + 1)])
        for k, row in enumerate(rows)
    ]
    (folder / "units.csv").write_text("\n".join(lines))
    fit = fit_one(folder, "worth", "more", "most")
    assert fit.status is Status.UNIDENTIFIED
    assert fit.table["estimate"].isna().all()
    assert [w for w in fit.warnings if "the covariate `x` follows from `y` in all units" in w]
    assert not fit_one(folder, "worth", "more").warnings


def test_separation_runs_away(folder: Path) -> None:
    text = (folder / "records.csv").read_text().replace("stay", "go")
    (folder / "records.csv").write_text(text)
    fit = fit_one(folder, "worth")
    assert fit.status in (Status.RUNS_AWAY, Status.UNIDENTIFIED)
    assert fit.table["estimate"].isna().all()
    assert "take ranges as priors" in str(describe_fit(fit)).lower()


KINDS = """\
title: Two kinds
calendar: {period: round, horizon: 1}
actors: {A: {precision: sharp, types: {tough: many, soft: 1 - many}}}
state: {got: {levels: 0..1, start: 0}}
parameters:
  sharp: {value: 1, range: [0.1, 5]}
  many: {value: 0.3, range: [0, 1]}
  worth: {value: 0.5, range: [-3, 3]}
  more: {value: 2.5, range: [0, 5]}
turns: [A]
actions: {A: {stay: {}, go: {set: {got: 1}, cost: "more * (A == tough)"}}}
payoffs: {A: {terminal: worth * got}}
outcomes: {gone: {when: got == 1}}
"""


def chosen(go: int, stay: int, **values: float) -> detente.estimation.result.Fit:
    """The share of the tough, from so many who went and stayed."""
    scenario = detente.loads(KINDS).with_values(values)
    drawn = []
    for move, times in (("go", go), ("stay", stay)):
        record = detente.parse_record(f"date,actor,move\n1,A,{move}\n", scenario)
        drawn += [replace(record, file=f"{move}{k}.csv") for k in range(times)]
    return detente.fit(scenario, drawn, detente.FitOptions(free=("many",), solving=QUICK))


@pytest.mark.parametrize("start", [0.3, 2e-3, 1e-5, 3e-6])
def test_a_share_at_its_bound_is_told_so(start: float) -> None:
    """More go than even the soft would: the likelihood rises all the way to no tough ones."""
    fit = chosen(39, 1, many=start)
    assert fit.status is Status.BOUNDARY
    assert fit.table["note"].tolist() == ["at a bound"]
    assert fit.values["many"] < 2e-6
    soft = 1 / (1 + np.exp(-0.5))
    assert fit.log_likelihood == pytest.approx(39 * np.log(soft) + np.log(1 - soft), abs=1e-4)
    assert np.isnan(fit.table["se"].iloc[0])
    assert fit.starts["steps"].iloc[0] < 60


def test_a_share_at_its_upper_bound_is_told_so() -> None:
    fit = chosen(1, 39, many=1 - 1e-4)
    assert fit.status is Status.BOUNDARY
    assert fit.values["many"] > 1 - 2e-6


def test_a_small_share_that_is_inside_is_no_boundary() -> None:
    """Its maximum is where (1 - m) soft + m tough is the share of those who went."""
    soft, tough = (1 / (1 + np.exp(-utility)) for utility in (0.5, -5.5))
    fit = chosen(1240, 760, more=6.0)
    assert fit.status is Status.CONVERGED
    assert fit.values["many"] == pytest.approx((soft - 0.62) / (soft - tough), rel=1e-3)
    assert fit.values["many"] < 0.005


@pytest.mark.parametrize("start", [0.3, 1e-3])
def test_a_share_of_types_that_do_the_same_is_not_at_a_bound(start: float) -> None:
    fit = chosen(39, 1, many=start, more=0)
    assert fit.status is Status.UNIDENTIFIED
    assert "many" not in fit.values


def test_ranges_as_priors(folder: Path) -> None:
    free, prior = fit_one(folder, "worth", "more"), fit_one(folder, "worth", "more", prior="ranges")
    assert (prior.table["se"] < free.table["se"]).all()
    assert prior.table["learned"].between(0, 1).all()
    assert prior.log_likelihood < free.log_likelihood


def test_several_starts_agree(folder: Path) -> None:
    fit = fit_one(folder, "worth", "more", starts=3)
    assert fit.status is Status.CONVERGED
    assert len(fit.starts) == 3
    assert (fit.starts["apart"] < 1e-3).all()


def test_the_fitted_file_keeps_comments_and_says_from_what(folder: Path) -> None:
    fit = fit_one(folder, "worth", "more")
    text = detente.fitted_text(fit)
    assert "# kept" in text
    again = detente.loads(text)
    assert again.parameters["worth"].values[0] == pytest.approx(fit.values["worth"], abs=1e-4)
    assert "records.csv" in again.parameters["worth"].estimated
    assert again.parameters["sharp"].estimated == ""
    (folder / "one.yaml").write_text(text)
    twice = detente.fitted_text(fit_one(folder, "worth"))
    assert twice.count("estimated:") == 2


def test_a_checkpoint_is_gone_on_from(folder: Path) -> None:
    path = folder / "point.json"
    fit = fit_one(folder, "worth", "more", checkpoint=path)
    kept = json.loads(path.read_text())
    kept["values"] = fit.values
    path.write_text(json.dumps(kept))
    again = fit_one(folder, "worth", "more", checkpoint=path)
    assert again.starts["steps"].iloc[0] <= 1
    with pytest.raises(ScenarioError, match="checkpoint of another fit"):
        fit_one(folder, "worth", checkpoint=path)
    records = folder / "records.csv"
    records.write_text(records.read_text().replace("stay", "go", 1))
    with pytest.raises(ScenarioError, match="of another fit: of other data"):
        fit_one(folder, "worth", "more", checkpoint=path)


@pytest.mark.parametrize(
    ("free", "message"),
    [
        (("nothing",), "`nothing` is not a parameter"),
        (("x",), "`x` is not a parameter"),
        (("worth", "worth"), "named twice"),
    ],
)
def test_wrong_names_are_refused(folder: Path, free: tuple[str, ...], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        fit_one(folder, *free)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("u3,NA,1", r"is `NA`, not a number(.|\n)*leave the unit out"),
        ("u3,dem,1", r"is `dem`, not a number(.|\n)*which is 0 or 1"),
        ("u61,0.4,1", "no record of the unit `u61`"),
        ("u2,0.4,1", "`u2` has a row already"),
    ],
)
def test_wrong_tables_are_refused(folder: Path, line: str, message: str) -> None:
    text = (folder / "units.csv").read_text().splitlines()
    text[4] = line
    (folder / "units.csv").write_text("\n".join(text))
    with pytest.raises(ScenarioError, match=message):
        fit_one(folder, "worth")


def test_a_missing_column_is_told(folder: Path) -> None:
    text = (folder / "units.csv").read_text().replace("unit,x,region", "unit,y,region")
    (folder / "units.csv").write_text(text)
    with pytest.raises(ScenarioError, match="no column for the covariate `x`"):
        fit_one(folder, "worth")


def test_impossible_records_are_told_with_their_lines() -> None:
    scenario = detente.load("bargaining-rounds")
    text = "date,actor,move\n1,state,steps == 3\n1,sender,hold\n"
    record = detente.parse_record(text, scenario, file="wrong.csv")
    with pytest.raises(ScenarioError, match=r"wrong\.csv:2.*impossible"):
        detente.fit(scenario, record, detente.FitOptions(free=("pain",), solving=QUICK))


def test_a_climb_turns_back_at_walls() -> None:
    """The maximum of log x + log (1 - x) lies between two walls."""

    def function(x: np.ndarray) -> tuple[float, np.ndarray] | None:
        if not 0 < x[0] < 1:
            return None
        return float(np.log(x[0]) + np.log(1 - x[0])), np.array([1 / x[0] - 1 / (1 - x[0])])

    reached: list[Climb] = []
    top = climb(function, np.array([0.999]), np.array([[100.0]]), visit=reached.append)
    assert top.status is Status.CONVERGED
    assert top.x[0] == pytest.approx(0.5, abs=1e-6)
    assert [one.value for one in reached] == sorted(one.value for one in reached)
