"""What it would take: against closed forms, and what is told where there is nothing to tell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import detente
from detente.analysis import quantity_of_interest
from detente.analysis.query import Query
from detente.analysis.threshold import threshold
from detente.analysis.threshold_map import threshold_map
from detente.analysis.threshold_result import Interrupted, Threshold
from detente.errors import ScenarioError
from detente.scenario.model import Scenario
from detente.solver.options import SolveOptions

LAMBDA = 2.0
ONCE = """
title: One decision
calendar: {period: round, horizon: 1}
actors:
  A: {precision: 2}
  B: {precision: 2}
state:
  x: {levels: 0..1, start: 0}
  far: {levels: 0..9, start: 0, edge: cut}
parameters:
  cost: {value: 0.2, range: [0, 1], unit: payoff, judgement: a test}
  gain: {value: 0.5, range: [0, 1], judgement: a test}
  bend: {value: 0.5, range: [0, 1], judgement: a test}
  reach: {value: 3, range: [1, 9], judgement: a test}
  mark: {value: 0.4, range: [0, 1], judgement: a test}
  free: {value: 0.4, judgement: no range}
  fine: {value: 0.3, range: [0, 2], judgement: a test}
turns: [A, chance]
actions:
  A:
    act: {set: {x: 1}, cost: COST}
    wait: {}
chance:
  luck: {set: {far: +reach}}
payoffs:
  A: {flow: gain * x}
  B: {flow: 3 * x}
terms:
  dear: {binds: A, forbids: act, cost: fine, when: t == 1}
  odd: {binds: A, forbids: act, cost: 0.25}
policies: {one: [dear], other: [odd], none: []}
policy: none
outcomes:
  acted: {when: x == 1}
  got: {when: far >= 5}
  beyond: {when: (mark > 0.62) and x == 1}
"""


def once(cost: str = "cost") -> Scenario:
    return detente.loads(ONCE.replace("COST", cost))


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_a_crossing_in_closed_form() -> None:
    # P(act) = 1 / (1 + exp(-λ (gain - cost))) is p at cost = gain - logit(p) / λ.
    found = threshold(once(), "cost", Query(outcome="acted"), at=0.4)
    (one,) = found.crossings
    assert one.value == pytest.approx(0.5 - logit(0.4) / LAMBDA, abs=1e-7)
    assert one.direction == "falling"
    assert not one.jump
    assert one.slope == pytest.approx(-LAMBDA * 0.4 * 0.6, rel=1e-6)
    assert one.error < 1e-7  # nothing is private: no belief grid
    assert "P(acted) reaches 40 %, falling, at cost = 0.702733" in found.verdict
    assert "Now cost is 0.2" in found.verdict
    assert {0.0, 0.2, 1.0} <= set(found.curve["value"])
    exact = 1 / (1 + np.exp(-LAMBDA * (0.5 - found.curve["value"])))
    assert found.curve["number"].to_numpy() == pytest.approx(exact.to_numpy())


def test_the_present_value_replaces_its_neighbour() -> None:
    # 0.1 is a point of this grid but for rounding, which would make a spline go wild.
    scenario = once().with_values({"cost": 0.1})
    found = threshold(
        scenario, "cost", Query(outcome="acted"), at=0.99, low=0.02, high=0.3, points=15
    )
    values = found.curve["value"].to_numpy()
    assert values.size == 15
    assert 0.1 in values
    assert np.diff(values).min() > 0.01


def test_what_moves_the_crossing() -> None:
    # cost* = gain - logit(p) / λ: one for one with the gain, and not with anything else.
    found = threshold(once(), "cost", Query(outcome="acted"), at=0.4)
    moves = found.moves.set_index("parameter")
    assert moves.loc["gain", "derivative"] == pytest.approx(1.0)
    assert moves.loc["gain", "swing"] == pytest.approx(1.0)
    assert moves.loc["bend", "derivative"] == 0.0
    assert found.moves["parameter"].iloc[0] == "gain"
    assert "cost" not in moves.index


def test_two_crossings_between_two_points() -> None:
    # The cost is least at bend = 0.43, and the crossings lie between the same two of four points.
    scenario = once("0.3 + 4 * (bend - 0.43) ** 2")
    p = 1 / (1 + math.exp(-LAMBDA * (0.5 - 0.3 - 4 * 0.05**2)))
    found = threshold(
        scenario.with_values({"bend": 0.0}), "bend", Query(outcome="acted"), at=p, points=4
    )
    assert [one.value for one in found.crossings] == pytest.approx([0.38, 0.48], abs=1e-6)
    assert [one.direction for one in found.crossings] == ["rising", "falling"]


def test_slopes_agree_with_the_crossings() -> None:
    plain = threshold(once(), "cost", Query(outcome="acted"), at=0.4)
    exact = threshold(once(), "cost", Query(outcome="acted"), at=0.4, slopes=True)
    assert exact.crossings[0].value == pytest.approx(plain.crossings[0].value, abs=1e-7)
    p = exact.curve["number"]
    known = exact.curve["derivative"].notna()
    assert known.sum() >= 10
    expected = -LAMBDA * (p * (1 - p))[known]
    assert exact.curve["derivative"][known].to_numpy() == pytest.approx(expected.to_numpy())


def test_no_crossing_is_said_plainly() -> None:
    found = threshold(once(), "cost", Query(outcome="acted"), at=0.95)
    assert found.crossings == ()
    assert "does not cross 95 %" in found.verdict
    assert "it stays below it" in found.verdict
    assert "values 0.125 apart" in found.verdict
    assert len(found.moves) == 0


def test_a_number_that_does_not_hang_on_it() -> None:
    found = threshold(once(), "bend", Query(prefer=("none", ""), actor="A"))
    assert found.crossings == ()
    assert "all along" in found.verdict


def test_a_payoff() -> None:
    # B gets 3 P(act).
    found = threshold(once(), "cost", Query(payoff="B"), at=1.2)
    assert found.crossings[0].value == pytest.approx(0.5 - logit(0.4) / LAMBDA, abs=1e-7)
    assert "payoff of B reaches 1.2" in found.verdict[0].lower() + found.verdict[1:]


def test_a_preference_flips_where_the_fines_are_equal() -> None:
    # Under `one` breaking costs `fine`, under `other` 0.25.
    found = threshold(once(), "fine", Query(prefer=("one", "other"), actor="B"))
    (one,) = found.crossings
    assert one.value == pytest.approx(0.25, abs=1e-6)
    assert "B's preference flips from “one” to “other” at fine = 0.25" in found.verdict
    kept = threshold(once(), "fine", Query(prefer=("one", "other"), actor="B"), low=0.5)
    assert kept.crossings == ()
    assert "B prefers “other” to “one” for all fine from 0.5 to 2" in kept.verdict


def test_a_structural_parameter_jumps() -> None:
    found = threshold(once(), "mark", Query(outcome="beyond"), at=0.3)
    (one,) = found.crossings
    assert one.jump
    assert found.structural
    assert one.low <= 0.62 <= one.high
    assert one.high - one.low <= 2e-3
    assert one.below == 0.0
    assert one.above == pytest.approx(1 / (1 + math.exp(-LAMBDA * 0.3)))
    assert "jumps over 30 %, from 0 % to 64.6 %" in found.verdict
    assert "a jump there and back" in found.verdict
    narrow = threshold(once(), "mark", Query(outcome="beyond"), at=0.3, tolerance=1e-5)
    assert narrow.crossings[0].high - narrow.crossings[0].low <= 2e-5


def test_levels_take_whole_numbers() -> None:
    found = threshold(once(), "reach", Query(outcome="got"), at=0.5)
    assert found.whole
    assert list(found.curve["value"]) == list(range(1, 10))
    (one,) = found.crossings
    assert (one.low, one.high, one.direction) == (4.0, 5.0, "rising")
    assert "between reach = 4 and 5" in found.verdict
    assert "All whole numbers" in found.verdict


def test_the_horizon_takes_whole_numbers() -> None:
    scenario = detente.load("bargaining-rounds")
    found = threshold(
        scenario, "rounds", Query(outcome="first_step"), SolveOptions(beliefs=5), at=0.5, high=4
    )
    (one,) = found.crossings
    assert (one.low, one.high) == (1.0, 2.0)
    assert found.about.endswith("by the end")


def test_the_error_covers_what_a_finer_grid_finds() -> None:
    scenario = detente.load("bargaining-rounds")
    rough = threshold(
        scenario, "pain", Query(outcome="second_step"), SolveOptions(beliefs=9), at=0.4
    )
    fine = threshold(
        scenario, "pain", Query(outcome="second_step"), SolveOptions(beliefs=129), at=0.4
    )
    one, true = rough.crossings[0], fine.crossings[0]
    assert 0 < abs(one.value - true.value) <= one.error
    assert true.error < one.error


def test_a_stretch_where_the_curve_is_flat() -> None:
    # With so few belief points the least of this curve is not known to a hundredth.
    scenario = detente.load("bargaining-rounds")
    found = threshold(scenario, "prior", Query(payoff="sender"), SolveOptions(beliefs=5), at=1.303)
    first, second = found.crossings
    assert first.error > 0.1 * (found.high - found.low)
    assert (first.direction, second.direction) == ("falling", "rising")
    assert "reaches 1.303, falling, somewhere between prior = 0." in found.verdict
    assert "there may be no crossing at all" in found.verdict
    # 1.302 is its least by a fine grid, which sees both crossings.
    fine = threshold(scenario, "prior", Query(payoff="sender"), SolveOptions(beliefs=129), at=1.303)
    assert len(fine.crossings) == 2
    assert "somewhere" not in fine.verdict


def test_types_can_be_given() -> None:
    scenario = detente.load("bargaining-rounds")
    query = Query(outcome="second_step", types={"target": "stalling"})
    found = threshold(scenario, "prior", query, SolveOptions(beliefs=9), at=0.5)
    assert "target being stalling" in found.about
    game = detente.compile_game(scenario)
    table = detente.forecast(detente.solve(game, SolveOptions(beliefs=9))).outcomes
    row = table.query("outcome == 'second_step' and t == 3 and target == 'stalling'")
    at_present = found.curve.set_index("value").loc[0.4, "number"]
    assert at_present == pytest.approx(row["happened"].item(), abs=1e-12)


def test_all_types_together() -> None:
    scenario = detente.load("bargaining-rounds")
    found = threshold(
        scenario,
        "step_cost",
        Query(outcome="second_step"),
        SolveOptions(beliefs=9),
        at=0.3,
        low=0.2,
        high=2,
    )
    one = found.crossings[0]

    def number(cost: float) -> float:
        game = detente.compile_game(scenario.with_values({"step_cost": cost}))
        table = detente.forecast(detente.solve(game, SolveOptions(beliefs=9))).outcomes
        row = table.query("outcome == 'second_step' and t == 3 and target == 'any'")
        return float(row["happened"].item())

    assert number(one.value) == pytest.approx(0.3, abs=1e-3)
    h = 1e-5
    slope = (number(one.value + h) - number(one.value - h)) / (2 * h)
    assert one.slope == pytest.approx(slope, rel=1e-4)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as refused:
        threshold(once(), "cots", Query(outcome="actd", policy="won"), at=40, points=2)
    told = {(d.place.argument, d.hint) for d in refused.value.diagnostics}
    assert ("parameter", "did you mean `cost`?") in told
    assert ("outcome", "did you mean `acted`?") in told
    assert ("at", "for 40 % write `at=0.4`") in told
    assert "points" in {place for place, _ in told}


ACTED = Query(outcome="acted")
WRONG: list[tuple[Query, dict[str, Any], str, str]] = [
    (Query(), {}, "outcome", "not said which number"),
    (Query(), {"at": 0.5}, "outcome", "not said which number"),
    (Query(outcome="acted", payoff="A"), {"at": 0.5}, "outcome", "not said which number"),
    (ACTED, {}, "at", "which probability"),
    (Query(payoff="A"), {}, "at", "which payoff"),
    (Query(payoff="C"), {"at": 1}, "payoff", "no actor `C`"),
    (Query(prefer=("one", "other")), {}, "actor", "whose preference"),
    (Query(prefer=("one", "two"), actor="A"), {}, "prefer", "no policy 'two'"),
    (Query(prefer=("one", "other"), actor="A", policy="one"), {}, "policy", "`policy=` out"),
    (Query(outcome="acted", actor="A"), {"at": 0.5}, "actor", "with a preference"),
    (Query(outcome="acted", types={"A": "odd"}), {"at": 0.5}, "types", "no type of A `odd`"),
    (Query(outcome="acted", within=3), {"at": 0.5}, "within", "1 periods"),
    (Query(payoff="A", within=1), {"at": 0.5}, "within", "all of play"),
    (ACTED, {"at": 0.5, "options": SolveOptions(beliefs=6)}, "beliefs", "odd number"),
    (ACTED, {"at": 0.5, "low": 1, "high": 0}, "low", "from 1 to 0"),
    (Query(outcome="acted", policy="won"), {"at": 0.5}, "policy", "no policy 'won'"),
]


@pytest.mark.parametrize(("query", "search", "argument", "message"), WRONG)
def test_what_is_wrong_is_told(
    query: Query, search: dict[str, Any], argument: str, message: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        threshold(once(), "cost", query, **search)
    (problem,) = refused.value.diagnostics
    assert problem.place.argument == argument
    assert message in problem.message or message in problem.hint
    assert "--" not in str(problem)


def test_a_parameter_without_a_range_needs_ends() -> None:
    with pytest.raises(ScenarioError, match="no range") as refused:
        threshold(once(), "free", Query(outcome="acted"), at=0.5)
    assert "`low=` and `high=`" in refused.value.diagnostics[0].hint
    found = threshold(once(), "free", Query(outcome="acted"), at=0.95, low=0, high=1)
    assert "P(acted)" in found.verdict
    scenario = detente.load("bargaining-rounds")
    with pytest.raises(ScenarioError, match="different ranges") as refused:
        threshold(scenario, "step_cost", Query(outcome="second_step"), at=0.3)
    assert "step_cost.sincere" in refused.value.diagnostics[0].hint


def test_values_that_make_a_prior_impossible_are_told() -> None:
    scenario = detente.load("bargaining-rounds")
    with pytest.raises(ScenarioError, match=r"with prior = 1\.25: the prior") as refused:
        threshold(scenario, "prior", Query(outcome="second_step"), at=0.3, low=0, high=2)
    (one,) = {d.code for d in refused.value.diagnostics}
    assert one == "priors"
    assert all("`high=`" in d.hint for d in refused.value.diagnostics)


def test_an_interrupted_search_keeps_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = quantity_of_interest.solve
    left = iter(range(4))

    def solve(*args: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return plain(*args, **options)

    monkeypatch.setattr(quantity_of_interest, "solve", solve)
    with pytest.raises(Interrupted) as stopped:
        threshold(once(), "cost", Query(outcome="acted"), at=0.4)
    found = stopped.value.found
    assert not found.complete
    assert len(found.curve) == 4
    assert {found.curve["value"].min(), found.curve["value"].max()} == {0.0, 1.0}
    assert found.verdict.startswith("Interrupted after 4 values")
    with pytest.raises(Interrupted) as stopped_map:
        threshold_map(once(), ("cost", "gain"), Query(outcome="acted"), at=0.4)
    assert len(stopped_map.value.found.map) == 0


def test_unsolved_values_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantity_of_interest, "Status", type("Never", (), {"SOLVED": None}))
    found = threshold(once(), "cost", Query(outcome="acted"), at=0.4, points=4)
    assert not found.curve["solved"].any()
    assert "Not to be relied on" in found.verdict


def test_progress_goes_to_the_end() -> None:
    shares: list[float] = []
    threshold(once(), "cost", Query(outcome="acted"), SolveOptions(progress=shares.append), at=0.4)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


# ---- two parameters


def test_a_map_whose_line_is_known() -> None:
    # P(act) is at p on gain - cost = logit(p) / λ.
    found = threshold_map(once(), ("cost", "gain"), Query(outcome="acted"), at=0.6)
    assert len(found.map) == 81
    (line,) = found.contours
    assert line.shape[1] == 2
    assert line[:, 1] - line[:, 0] == pytest.approx(logit(0.6) / LAMBDA, abs=1e-4)
    # From one side of the map to the other.
    assert line[:, 0].min() == pytest.approx(0.0, abs=1e-6)
    assert line[:, 1].max() == pytest.approx(1.0, abs=1e-6)
    assert found.off < 0.01
    x, y, numbers = found.grid()
    assert numbers == pytest.approx(1 / (1 + np.exp(-LAMBDA * (y[:, None] - x))))
    assert "P(acted) is at least 60 % at" in found.verdict


def test_a_map_of_a_preference() -> None:
    # The line is fine = 0.25, whatever the gain.
    found = threshold_map(
        once(),
        ("fine", "gain"),
        Query(prefer=("one", "other"), actor="B"),
        points=7,
        high=(1, None),
    )
    (line,) = found.contours
    assert line[:, 0] == pytest.approx(0.25, abs=1e-3)


def test_a_map_without_a_line() -> None:
    found = threshold_map(once(), ("cost", "gain"), Query(outcome="acted"), at=0.99, points=4)
    assert found.contours == ()
    assert "stays below 99 % on the whole map" in found.verdict


def test_a_map_with_a_structural_parameter() -> None:
    found = threshold_map(once(), ("mark", "cost"), Query(outcome="beyond"), at=0.3, points=5)
    assert math.isnan(found.off)
    # Along the jump, and where A is too unlikely to act on its far side.
    points = np.concatenate(found.contours)
    assert np.all(points[:, 0] >= 0.5)
    dear = 0.5 - logit(0.3) / LAMBDA
    assert np.all((points[:, 0] <= 0.75) | (np.abs(points[:, 1] - dear) < 0.02))


def test_a_map_takes_fewer_belief_points() -> None:
    found = threshold_map(
        detente.load("bargaining-rounds"),
        ("pain", "prior"),
        Query(outcome="relief"),
        at=0.5,
        points=4,
    )
    assert found.beliefs == 33


def test_a_map_needs_two_parameters() -> None:
    with pytest.raises(ScenarioError, match="two different"):
        threshold_map(once(), ("cost", "cost"), Query(outcome="acted"), at=0.6)


def test_the_repr_is_the_answer() -> None:
    found = threshold(once(), "cost", Query(outcome="acted"), at=0.4)
    assert isinstance(found, Threshold)
    assert repr(found) == f"<Threshold: {found.verdict}>"
