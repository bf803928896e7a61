"""Choices from shocks, and drawn reference behaviour, in everything that is asked of a game."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import detente
from tests.ensembles.runs import a_manifest, solved_here

STRIKE = """\
title: A base rate in doubt
responses: shocks
calendar: {period: round, horizon: 2}
actors:
  A: {precision: lam, types: {soft: p, hard: 1 - p}}
  B: {precision: lam}
parameters:
  p: {value: 0.4, range: [0.2, 0.7]}
  lam: {value: 2, range: [1, 4]}
  usual: {value: 0.3, range: [0.1, 1]}
  pain: {value: {soft: 1, hard: 0.2}, range: {soft: [0.5, 1.5], hard: [0, 0.5]}}
state:
  struck: {levels: [no, yes], start: no}
  left: {levels: [no, yes], start: no}
turns: [A, B]
actions:
  A:
    hold: {}
    strike: {set: {struck: yes}, reference: usual, cost: pain, when: struck == no}
    raid: {like: strike}
  B:
    stay: {}
    leave: {set: {left: yes}, when: left == no, reference: 0.5}
payoffs:
  A: {flow: 1.5 * (left == yes)}
  B: {flow: "0.5 * (left == no) - 1 * (struck == yes and left == no)"}
terms:
  word: {binds: A, forbids: strike, cost: 0.5}
  never: {binds: A, forbids: strike}
policies: {silent: [], word: [word], never: [never]}
policy: silent
announcement: {who: A, among: [silent, word]}
outcomes: {struck: {when: struck == yes}, gone: {when: left == yes}}
"""

OPTIONS = detente.SolveOptions(beliefs=33, threads=1)


def forecast(text: str = STRIKE, **values: float) -> detente.simulation.forecast.Forecast:
    scenario = detente.loads(text).with_values(values)
    return detente.forecast(detente.solve(detente.compile_game(scenario), OPTIONS), threads=1)


def ends(result: detente.simulation.forecast.Forecast) -> dict[str, float]:
    return {r["outcome"]: r["happened"] for r in result.final.rows()}


def test_an_announcement_is_worth_the_log_of_a_mean_of_exponentials() -> None:
    """As any other choice under shocks: λ⁻¹ log Σ w exp(λ V), with equal w over the policies."""
    found = detente.announce(detente.loads(STRIKE), options=OPTIONS)
    worth = found.worth[found.worth["actor"] == "A"]
    before = found.payoffs.set_index(["actor", "type"])["payoff"]
    for kind, rows in worth.groupby("type"):
        value = np.log(np.exp(2 * rows["announced"]).mean()) / 2
        assert before["A", kind] == pytest.approx(value, abs=1e-9)
        shares = found.choices[found.choices["type"] == kind]["probability"].to_numpy()
        odds = np.exp(2 * rows["announced"].to_numpy())
        assert shares.tolist() == pytest.approx((odds / odds.sum()).tolist(), abs=1e-9)
    assert found.forward_error < 1e-12


def test_a_record_is_followed_and_names_of_one_move_are_one(tmp_path: Path) -> None:
    result = forecast()
    shares = result.actions.query("t == 1 and A == 'any'").set_index("action")["share"]
    tracks = []
    for move in ("strike", "raid"):
        record = tmp_path / f"{move}.csv"
        record.write_text(f"date,actor,move\n1,A,{move}\n1,B,stay\n", encoding="utf-8")
        tracks.append(detente.track(result.solution, record, threads=1))
    moves = tracks[0].moves
    # What is expected of the first move is what the forecast has, under both its names.
    assert moves["probability"][0] == pytest.approx(shares["strike"] + shares["raid"], abs=1e-12)
    assert moves["probability"].tolist() == tracks[1].moves["probability"].tolist()
    believed = tracks[0].beliefs.query("step == 1").set_index("type")["probability"]
    by_type = result.actions.query("t == 1 and action == 'strike'").set_index("A")["share"]
    posterior = 0.4 * by_type["soft"] / (0.4 * by_type["soft"] + 0.6 * by_type["hard"])
    assert believed["soft"] == pytest.approx(posterior, abs=1e-12)


def test_an_ensemble_draws_reference_behaviour(tmp_path: Path) -> None:
    manifest = a_manifest(STRIKE, draws=4, beliefs=33, checked=0, policies=("silent",))
    run = solved_here(tmp_path / "run", manifest)
    drawn = run.inputs
    assert drawn["usual"].nunique() == 4
    assert drawn["usual"].between(0.1, 1).all()
    struck, gone = (run.values(f"{outcome}@2")["silent"] for outcome in ("struck", "gone"))
    for draw, row in drawn.iterrows():
        expected = ends(forecast(**row.to_dict()))
        assert struck[draw] == pytest.approx(expected["struck"], abs=1e-12)
        assert gone[draw] == pytest.approx(expected["gone"], abs=1e-12)


def test_what_is_known_of_the_base_rate_matters_as_its_slope_says() -> None:
    solution = forecast().solution
    step = 1e-5
    outcome = detente.sensitivity(solution, detente.Query(outcome="struck"), threads=1).table
    payoff = detente.sensitivity(solution, detente.Query(payoff="B"), threads=1).table
    up, down = (forecast(usual=0.3 + by) for by in (step, -step))
    rise = (ends(up)["struck"] - ends(down)["struck"]) / (2 * step)
    gain = (up.solution.payoffs["B", ""] - down.solution.payoffs["B", ""]) / (2 * step)
    for table, slope in ((outcome, rise), (payoff, gain)):
        found = table.set_index("parameter")["derivative"]["usual"]
        assert found == pytest.approx(slope, rel=1e-4)


def test_comparisons_and_soft_terms_are_worked_out_and_hard_ones_refused() -> None:
    scenario = detente.loads(STRIKE)
    compared = detente.compare(scenario, ["silent", "word"], OPTIONS)
    audited = detente.audit_comparison(compared, OPTIONS)
    assert audited is not None
    assert audited.holds("word", "struck", 2)
    held = detente.credibility(scenario, "word", OPTIONS)
    broken = held.soft.query("term == 'word' and type == 'hard'")["broken"]
    by_type = compared.forecasts["word"].outcomes.query("outcome == 'struck' and A == 'hard'")
    assert broken.tolist() == pytest.approx(by_type["happened"].tolist()[-len(broken) :], abs=1e-12)
    with pytest.raises(detente.errors.ScenarioError, match="where choices come from shocks"):
        detente.credibility(scenario, "never", OPTIONS)
