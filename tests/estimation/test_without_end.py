"""Games without end: derivatives, equilibria by the solver, and estimates from simulated counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import detente
from detente.errors import ScenarioError
from detente.estimation import without_end
from detente.estimation.better_optima import alternated, disturbed
from detente.estimation.constrained import Optimum, Reduced, Search, search
from detente.estimation.free import free_parameters
from detente.estimation.game_arrays import games_of
from detente.estimation.many_games import Games, Play
from detente.estimation.prior import NormalPrior, RangePrior
from detente.estimation.units import read_panel
from detente.estimation.without_end import Principal

PARAMETERS = ("worth", "cost", "clash")
TEXT = """
title: two who may take what lies between them
responses: {responses}
calendar: {{period: round, horizon: forever}}
actors:
  A: {{precision: 1.2, discount: 0.8}}
  B: {{precision: 0.9, discount: 0.7}}
  C: {{precision: 1, discount: 0.6}}
state:
  held: {{levels: [none, one, both], start: none}}
covariates: {{size: {{value: 0.5, about: how much there is}}}}
parameters:
  worth: {{value: 0.4, range: [0, 2]}}
  cost: {{value: -0.3, range: [-2, 2]}}
  clash: {{value: 0.6, range: [0, 2]}}
turns:
  - who: [A, B]
    joint:
      effects: [{{p: 0.8, set: {{held: "both if move(A) == take and move(B) == take else
        one if move(A) == take or move(B) == take else none"}}}}, {{p: rest}}]
      costs:
        A: {{meet: clash * (move(A) == take and move(B) == take), lone: 0.1 * (held == one)}}
        B: clash * (move(A) == take and move(B) == take)
  - {{who: C, when: held == both}}
actions:
  A: {{leave: {{}}, take: {{cost: cost * size, reference: 2}}}}
  B: {{leave: {{}}, take: {{cost: cost}}}}
  C: {{watch: {{}}, share: {{set: {{held: one}}, cost: 0.2}}, clear: {{set: {{held: none}}}}}}
payoffs:
  A: {{flow: worth * size * (held == one)}}
  B: {{flow: worth * (held != none)}}
  C: {{flow: worth * (held == none) - size}}
"""
SIZES = (0.2, 0.9, 1.6)


def files(folder: Path, responses: str = "shocks", number: float = 40) -> tuple[Path, Path, Path]:
    """The scenario, its units, and counts that the model expects of each unit."""
    scenario = detente.loads(TEXT.format(responses=responses))
    units, counts = ["unit,size"], ["unit,turn,held,A,B,C,number"]
    for u, size in enumerate(SIZES):
        units.append(f"u{u},{size}")
        solution = detente.solve(detente.compile_game(scenario.with_values({"size": size})))
        first, second = solution.game.layers
        for x, held in enumerate(("none", "one", "both")):
            a, b = (solution.strategy(0, x, m)[0, 0] for m in (0, 1))
            for i, mine in enumerate(("leave", "take")):
                for j, theirs in enumerate(("leave", "take")):
                    share = a[i] * b[j] * number
                    counts.append(f"u{u},1,{held},{mine},{theirs},,{share:.17g}")
        for k, move in enumerate(("watch", "share", "clear")):
            x = int(np.flatnonzero(second.choices[:, 0] == 3)[0])
            counts.append(f"u{u},2,both,,,{move},{solution.strategy(1, x)[0, 0, k] * number:.17g}")
        assert len(first.states) == 3
    made = folder / "scenario.yaml", folder / "units.csv", folder / "counts.csv"
    for path, lines in zip(made, ([scenario.text], units, counts), strict=True):
        path.write_text("\n".join(lines) + "\n")
    return made


def games(folder: Path, responses: str) -> tuple[Games, np.ndarray]:
    scenario, units, counts = files(folder, responses)
    loaded = detente.load(scenario)
    panel = read_panel(loaded, [], units, counts)
    theta = np.array([loaded.parameters[name].values[0] for name in PARAMETERS])
    return games_of(detente.compile_game(loaded), panel, PARAMETERS), theta


@pytest.mark.parametrize("responses", ["shocks", "mistakes"])
def test_derivatives_and_equilibria(responses: str, tmp_path: Path) -> None:
    stack, theta = games(tmp_path, responses)
    play = Principal(stack, ["u0", "u1", "u2"]).play(theta)
    total = stack.by_cell(stack.counts)[:, stack.position]
    seen = total > 0
    # The solver's play is this module's: the counts are its shares.
    assert play.sigma[seen] == pytest.approx((stack.counts / np.maximum(total, 1))[seen], abs=1e-9)

    rng = np.random.default_rng(3)
    values = play.values + rng.normal(size=play.values.shape)
    weights, step = rng.normal(size=values.shape), rng.normal(size=values.shape)
    move, h = rng.normal(size=theta.size), 1e-5
    ends = [stack.at(theta, values + sign * h * step) for sign in (1, -1)]
    other = [stack.at(theta + sign * h * move, values) for sign in (1, -1)]
    play, own = stack.at(theta, values), stack.theta_of(move)

    def slope(pair: list[Play], name: str) -> np.ndarray:
        return np.asarray((getattr(pair[0], name) - getattr(pair[1], name)) / (2 * h))

    along = (play.by_values @ step[:, :, None])[..., 0]
    assert along == pytest.approx(slope(ends, "implied"), abs=1e-8)
    along = (play.by_parameters @ own[:, :, None])[..., 0]
    assert along == pytest.approx(slope(other, "implied"), abs=1e-8)
    second, mixed = play.second(weights)
    for pair, exact in ((ends, second @ step[:, :, None]), (other, mixed @ own[:, :, None])):
        first = [(weights[:, None] @ one.by_values)[:, 0] for one in pair]
        assert exact[..., 0] == pytest.approx((first[0] - first[1]) / (2 * h), abs=1e-7)
    minus = -(play.information @ step[:, :, None])[..., 0]
    assert minus == pytest.approx(slope(ends, "score"), abs=1e-7)


def test_the_score_along_equilibria_is_that_of_differences(tmp_path: Path) -> None:
    stack, theta = games(tmp_path, "shocks")
    theta = theta + 0.1
    branch = Principal(stack, ["u0", "u1", "u2"])
    reduced = Reduced.of(branch.play(theta))
    h = 1e-4
    for q in range(theta.size):
        step = np.eye(theta.size)[q] * h
        plays = [branch.play(t) for t in (theta + step, theta - step)]
        logs = [play.log_likelihoods for play in plays]
        assert reduced.scores[:, q] == pytest.approx((logs[0] - logs[1]) / (2 * h), abs=1e-6)
        scores = [Reduced.of(play).scores.sum(axis=0) for play in plays]
        assert reduced.hessian[q] == pytest.approx((scores[1] - scores[0]) / (2 * h), abs=1e-5)


@pytest.mark.parametrize("branch", ["near-data", "principal"])
def test_expected_counts_give_the_truth(branch: str, tmp_path: Path) -> None:
    scenario, units, counts = files(tmp_path)
    start = detente.load(scenario).with_values({"worth": 0, "cost": 0, "clash": 0})
    options = detente.FitOptions(free=PARAMETERS, branch=branch, starts=2)
    fit = detente.fit(start, [], options, units=units, counts=counts)
    assert fit.status.name == "CONVERGED"
    assert fit.values == pytest.approx({"worth": 0.4, "cost": -0.3, "clash": 0.6}, abs=1e-6)
    assert fit.equilibria is not None
    assert fit.equilibria["residual"].max() < 1e-9
    assert list(fit.equilibria["unit"]) == ["u0", "u1", "u2"]
    # The counts are as expected: both kinds of information are the same.
    assert fit.table["given_states"].tolist() == pytest.approx(fit.table["se"].tolist(), rel=1e-4)


MEET = """
title: two who meet where both expect it
responses: shocks
calendar: {period: round, horizon: forever}
actors: {A: {precision: 2, discount: 0.5}, B: {precision: 2, discount: 0.5}}
state: {}
parameters: {gain: {value: 2, range: [0, 4]}, toll: {value: 1.5, range: [0, 4]}}
turns: [{who: [A, B], joint: {costs: {A: -gain * (move(A) == go and move(B) == go),
                                      B: -gain * (move(A) == go and move(B) == go)}}}]
actions: {A: {stay: {}, go: {cost: toll}}, B: {stay: {}, go: {cost: toll}}}
payoffs: {A: {flow: 0}, B: {flow: 0}}
"""


def write_meetings(counts: Path) -> None:
    """Two units that go together, and one that stays."""
    rows = [
        f"u{k},{a},,{n}"
        for k, go in enumerate((97, 95, 4))
        for a, n in (("go", go), ("stay", 100 - go))
    ]
    rows += [row.replace(",go,,", ",,go,").replace(",stay,,", ",,stay,") for row in rows]
    counts.write_text("\n".join(["unit,A,B,number", *rows, ""]))


def test_units_may_be_in_different_equilibria(tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    write_meetings(counts)
    options = detente.FitOptions(free=("gain", "toll"))
    fits = [
        detente.fit(detente.loads(MEET), [], replace(options, branch=branch), counts=counts)
        for branch in ("near-data", "principal")
    ]
    near, principal = (fit.log_likelihood for fit in fits)
    assert near > principal + 100
    assert fits[0].status.name == "CONVERGED"
    assert fits[0].choices is not None
    go = fits[0].choices.query("A == 'go'").set_index("unit")["number"]
    assert go.to_dict() == pytest.approx({"u0": 0.96, "u1": 0.96, "u2": 0.04}, abs=0.01)


def test_choices_of_a_fit_begin_another(tmp_path: Path) -> None:
    scenario, units, counts = files(tmp_path)
    near = tmp_path / "choices.csv"
    options = detente.FitOptions(free=("worth",))
    fit = detente.fit(detente.load(scenario), [], options, units=units, counts=counts)
    assert fit.choices is not None
    fit.choices.to_csv(near, index=False)
    again = detente.fit(fit.scenario, [], replace(options, near=near), units=units, counts=counts)
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-8)
    assert again.starts["steps"].tolist() <= [3]
    on = replace(options, near=near, starts=4)
    further = detente.fit(fit.scenario, [], on, units=units, counts=counts)
    assert further.log_likelihood >= again.log_likelihood - 1e-8
    assert 1 <= len(further.starts) <= 4
    near.write_text("\n".join(near.read_text().splitlines()[:-1]))
    with pytest.raises(ScenarioError, match="not a share above 0 for each action of unit `u2`"):
        detente.fit(fit.scenario, [], replace(options, near=near), units=units, counts=counts)


def test_an_interruption_keeps_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, units, counts = files(tmp_path)
    near = tmp_path / "choices.csv"
    options = detente.FitOptions(free=("worth",))

    def improved(games: Games, optimum: Optimum, *_: object) -> Iterator[Optimum]:
        yield replace(optimum, steps=optimum.steps + 1000)
        raise KeyboardInterrupt

    monkeypatch.setattr(without_end, "alternated", improved)
    fit = detente.fit(detente.load(scenario), [], options, units=units, counts=counts)
    assert fit.status.name == "INTERRUPTED"
    assert fit.starts["steps"].min() > 1000
    assert fit.choices is not None
    fit.choices.to_csv(near, index=False)
    again = detente.fit(fit.scenario, [], replace(options, near=near), units=units, counts=counts)
    assert again.status.name == "CONVERGED"


def test_a_checkpoint_of_counts_is_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters, equilibria and the starts that are done: what is left is done, and no more."""
    scenario, units, counts = files(tmp_path)
    loaded, point = detente.load(scenario), tmp_path / "point.json"
    options = detente.FitOptions(free=PARAMETERS, starts=5, checkpoint=point)
    begun: list[int] = []
    searched = without_end.search

    def interrupted(*arguments: Any, **named: Any) -> Optimum:
        begun.append(1)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return searched(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(without_end, "search", interrupted)
        first = detente.fit(loaded, [], options, units=units, counts=counts)
    assert first.status.name == "INTERRUPTED"
    kept = json.loads(point.read_text())
    assert (kept["starts"], len(kept["actions"])) == (2, 3)
    again = detente.fit(loaded, [], options, units=units, counts=counts)
    assert again.status.name == "CONVERGED"
    assert len(again.starts) == 1 + 3  # the best so far, and what had not been begun
    whole = detente.fit(loaded, [], replace(options, checkpoint=None), units=units, counts=counts)
    assert again.values == pytest.approx(whole.values, abs=1e-6)
    other = replace(options, prior="ranges")
    with pytest.raises(ScenarioError, match="the checkpoint of another fit"):
        detente.fit(loaded, [], other, units=units, counts=counts)


def test_the_principal_branch_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    scenario, units, counts = files(tmp_path)
    point = tmp_path / "point.json"
    options = detente.FitOptions(free=PARAMETERS, branch="principal", checkpoint=point)
    start = detente.load(scenario).with_values({"worth": 0, "cost": 0, "clash": 0})
    first = detente.fit(start, [], options, units=units, counts=counts)
    assert point.exists()
    again = detente.fit(start, [], options, units=units, counts=counts)
    assert again.starts["steps"].iloc[0] < first.starts["steps"].iloc[0]
    assert again.values == pytest.approx(first.values, abs=1e-6)


@pytest.mark.parametrize("branch", ["near-data", "principal"])
@pytest.mark.parametrize("draw", ["uniform", "log-uniform"])
def test_ranges_as_priors_of_counts(branch: str, draw: str, tmp_path: Path) -> None:
    """The estimate is where the score of the likelihood is minus that of the prior, and the
    information is that of both."""
    scenario, units, counts = files(tmp_path, number=5)
    text = scenario.read_text()
    drawn = f"worth: {{value: 0.4, range: [0.05, 0.5], draw: {draw}}}"
    scenario.write_text(text.replace("worth: {value: 0.4, range: [0, 2]}", drawn))
    loaded = detente.load(scenario)
    options = detente.FitOptions(free=("worth", "cost"), branch=branch, prior="ranges")
    fit = detente.fit(loaded, [], options, units=units, counts=counts)
    assert fit.status.name == "CONVERGED"
    panel = read_panel(loaded, [], units, counts)
    stack = games_of(detente.compile_game(loaded), panel, ["worth", "cost"])
    prior = RangePrior.of(loaded, free_parameters(detente.compile_game(loaded), ("worth", "cost")))

    def density(theta: np.ndarray) -> tuple[float, np.ndarray]:
        play = Principal(stack, ["u0", "u1", "u2"]).play(theta)
        logs = float(play.log_likelihoods.sum()) + prior.log_density(theta)
        return logs, Reduced.of(play).scores.sum(axis=0) + prior.slopes(theta)

    best = fit.table["estimate"].to_numpy()
    value, score = density(best)
    assert fit.log_posterior == pytest.approx(value, abs=1e-9)
    assert fit.log_posterior - fit.log_likelihood == pytest.approx(
        prior.log_density(best), abs=1e-9
    )
    assert score == pytest.approx(0, abs=1e-5)
    h = 1e-5
    hessian = np.array(
        [(density(best - step)[1] - density(best + step)[1]) / (2 * h) for step in np.eye(2) * h]
    )
    assert fit.covariance.to_numpy() == pytest.approx(np.linalg.inv(hessian), rel=1e-4)
    wide = replace(options, prior="")
    plain = detente.fit(loaded, [], wide, units=units, counts=counts)
    assert fit.log_likelihood < plain.log_likelihood
    assert (fit.table["se"] < plain.table["se"]).all()


def test_units_are_moved_to_the_equilibria_that_fit_them(tmp_path: Path) -> None:
    """From where a unit is in the equilibrium of others, and from disturbances of all."""
    counts = tmp_path / "counts.csv"
    write_meetings(counts)
    loaded = detente.loads(MEET)
    panel = read_panel(loaded, [], None, counts)
    stack = games_of(detente.compile_game(loaded), panel, ["gain", "toll"])
    prior, rng = NormalPrior.around_zero(np.full(2, 100.0)), np.random.default_rng(0)
    best = search(stack, np.array([2.0, 1.5]), None, Search(prior))
    together = best.values[[0, 1, 0]]
    logs = stack.at(best.theta, together).log_likelihoods
    worse = replace(best, values=together, log_likelihood=float(logs.sum()))
    assert worse.log_likelihood < best.log_likelihood - 100
    *_, last = alternated(stack, worse, prior, rng)
    assert last.log_likelihood == pytest.approx(best.log_likelihood, abs=1e-6)
    assert not list(alternated(stack, last, prior, rng))
    ends = [list(disturbed(stack, best, prior, np.ones(2), rng))[-1:] for _ in range(6)]
    reached = [one for end in ends for one in end]
    assert all(one.residual < 1e-9 for one in reached)
    assert max(one.log_likelihood for one in reached) == pytest.approx(
        best.log_likelihood, abs=1e-6
    )


def test_units_need_no_covariates(tmp_path: Path) -> None:
    scenario, _, counts = files(tmp_path)
    fit = detente.fit(
        detente.load(scenario), [], detente.FitOptions(free=("worth",)), counts=counts
    )
    assert fit.units == 3
    assert any("have the scenario's values" in warning for warning in fit.warnings)


WRONG = {
    "u0,1,none,leave,take,,-2": "`-2` is not a number of times",
    "u0,1,nnoe,leave,take,,2": "did you mean `none`?",
    "u0,1,none,leav,take,,2": "did you mean `leave`?",
    "u0,3,none,leave,take,,2": "`3` is not the number of a turn of actors",
    "u0,2,none,leave,,,2": "`A` has no turn here",
    "u0,2,one,,,share,2": "`share` of C is not available there",
    "u0,1,none,,,,2": "the row has no move",
}


@pytest.mark.parametrize("row", WRONG)
def test_wrong_rows_are_told_with_their_line(row: str, tmp_path: Path) -> None:
    scenario, units, counts = files(tmp_path)
    lines = counts.read_text().splitlines()
    counts.write_text("\n".join([*lines, row, ""]))
    with pytest.raises(ScenarioError) as caught:
        detente.fit(detente.load(scenario), [], units=units, counts=counts)
    assert WRONG[row] in str(caught.value)
    assert caught.value.diagnostics[0].place.line == len(lines) + 1


def test_what_cannot_be_fitted_is_refused(tmp_path: Path) -> None:
    scenario, units, counts = files(tmp_path)
    loaded, text = detente.load(scenario), scenario.read_text()
    curved = detente.loads(text.replace("cost: cost * size", "cost: cost * cost"))
    with pytest.raises(ScenarioError, match="payoffs are not linear in `cost`"):
        detente.fit(curved, [], detente.FitOptions(free=("cost",)), units=units, counts=counts)
    chance = detente.loads(text.replace("p: 0.8", "p: clash"))
    with pytest.raises(ScenarioError, match="`clash` is in a probability"):
        detente.fit(chance, [], detente.FitOptions(free=("clash",)), units=units, counts=counts)
    ends = detente.loads(text.replace("horizon: forever", "horizon: 3"))
    with pytest.raises(ScenarioError, match="counts are of a scenario that goes on forever"):
        detente.fit(ends, [], units=units, counts=counts)
    wrong = detente.FitOptions(free=("worth",), miscoded=0.1)
    with pytest.raises(ScenarioError, match="`miscoded` is not for counts"):
        detente.fit(loaded, [], wrong, units=units, counts=counts)
    counts.write_text(counts.read_text().replace("unit,turn,held", "unit,turn,hled"))
    with pytest.raises(ScenarioError, match="did you mean `held`"):
        detente.fit(loaded, [], units=units, counts=counts)
    with pytest.raises(ScenarioError, match="there is no branch `main`"):
        replace(detente.FitOptions(), branch="main")
