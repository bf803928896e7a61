"""What a forecast owes to noise, how far precision moves it, and what a reputation is worth."""

from __future__ import annotations

import io
import math
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detente
from detente.analysis.audit import audit
from detente.analysis.comparison_audit import audit_comparison
from detente.analysis.noise import NoiseAudit, audit_noise
from detente.analysis.precision_band import SETTLED, precision_band
from detente.analysis.reputation import HIGH, LOW, reputation
from detente.describe.audit import describe_audit, summary
from detente.describe.comparison import describe_comparison
from detente.describe.tables import Table
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.numbers import within
from detente.render.terminal import print_described
from detente.simulation.forecast import Forecast, marginal
from detente.solver.keep import Keep
from detente.solver.options import SolveOptions
from detente.solver.solution import Solution
from detente.solver.solve import solve
from tests.effort import examples
from tests.generate import Shape, scenarios

ONE = SolveOptions(beliefs=9, threads=1)

CHOICE = """\
title: A choice
calendar: {period: round, horizon: 1}
actors: {A: {precision: 2}}
state: {x: {levels: 0..1, start: 0, edge: cut}}
turns: [A]
actions: {A: {go: {set: {x: +1}}, stay: {}}}
payoffs: {A: {terminal: WORTH * x}}
outcomes: {gone: {when: x == 1}, here: {when: x == 0}}
"""

TRUST = """\
title: Trust
calendar: {period: round, horizon: 1}
actors:
  B: {precision: 3}
  A: {precision: 2, types: {good: 0.5, bad: 0.5}}
parameters:
  gain: {value: {good: 1, bad: -1}}
state: {x: {levels: 0..1, start: 0, edge: cut}}
turns: [B, A]
actions: {B: {trust: {set: {x: +1}}, doubt: {}}, A: {nothing: {}}}
payoffs: {A: {terminal: x}, B: {terminal: gain * x}}
outcomes: {trusted: {when: x == 1}}
"""


def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def forecast_of(text: str, options: SolveOptions = ONE, policy: str | None = None) -> Forecast:
    game = detente.compile_game(detente.loads(text), policy=policy)
    return detente.forecast(detente.solve(game, options), threads=1)


def rows_of(audit: NoiseAudit) -> dict[str, dict[str, float]]:
    return {row.pop("outcome"): row for row in audit.tables["outcomes"].rows()}


@pytest.mark.parametrize(("worth", "best"), [(1, 1.0), (-1, 0.0)])
def test_one_choice_is_audited_as_by_hand(worth: int, best: float) -> None:
    result = forecast_of(CHOICE.replace("WORTH", str(worth)))
    audit = audit_noise(result.solution, rng=np.random.default_rng(1), draws=20_000)
    rows = rows_of(audit)
    gone = rows["gone"]
    by = "by_best" if worth > 0 else "by_other"
    other = "by_other" if worth > 0 else "by_best"
    # Four standard errors of 20,000 draws.
    assert gone[by] == pytest.approx(logistic(2 * worth), abs=4 * 0.0036)
    assert gone[other] == gone["by_chance"] == gone["at_start"] == 0.0
    assert gone["best_play"] == best
    if worth < 0:
        assert gone["given_up"] == pytest.approx(1.0, abs=1e-8)
        assert gone["error"] == pytest.approx(
            math.sqrt(gone["by_other"] * (1 - gone["by_other"]) / 20_000), rel=1e-12
        )
    else:
        assert math.isnan(gone["given_up"])
    # What holds at the start has come about without a move.
    assert rows["here"]["at_start"] == rows["here"]["happened"] == 1.0
    moves = next(audit.tables["moves"].rows())
    assert moves["moves"] == 1.0
    assert moves["other"] == pytest.approx(logistic(-2), abs=4 * 0.0025)
    assert moves["given_up"] == pytest.approx(1.0, abs=1e-8)


def test_equal_moves_are_both_best() -> None:
    result = forecast_of(CHOICE.replace("WORTH", "0"))
    gone = rows_of(audit_noise(result.solution, rng=np.random.default_rng(1), draws=4000))["gone"]
    assert gone["by_other"] == 0.0
    assert gone["best_play"] == gone["happened"] == pytest.approx(0.5, abs=4 * 0.0079)


@settings(max_examples=examples(6), deadline=None, derandomize=True)
@given(text=scenarios(Shape(actors=2, informed=1)), seed=st.integers(0, 100))
def test_shares_add_up_and_agree_with_the_forecast(text: str, seed: int) -> None:
    result = forecast_of(text)
    draws = 4000
    audit = audit_noise(result.solution, rng=np.random.default_rng(seed), draws=draws)
    exact = {r["outcome"]: r for r in result.final.rows()}
    for key, row in rows_of(audit).items():
        parts = [row[name] for name in ("at_start", "by_chance", "by_best", "by_other")]
        assert sum(parts) == pytest.approx(row["happened"], abs=1e-12)
        value = exact[key]["happened"]
        # Sampling error, and that of the belief grid.
        room = (
            4.5 * math.sqrt(max(value * (1 - value), 0.0) / draws) + 2 * exact[key]["error"] + 1e-9
        )
        assert abs(row["happened"] - value) <= room
        assert 0.0 <= row["best_play"] <= 1.0


def test_the_audit_does_not_depend_on_other_draws() -> None:
    solution = forecast_of(CHOICE.replace("WORTH", "-1")).solution
    some = audit_noise(solution, rng=np.random.default_rng(3), draws=2048)
    again = audit_noise(solution, rng=np.random.default_rng(3), draws=2048)
    for table in ("outcomes", "moves"):
        for name, column in some.tables[table].columns.items():
            assert np.array_equal(column, again.tables[table][name], equal_nan=name == "given_up")


def test_the_band_of_one_choice_is_exact() -> None:
    result = forecast_of(CHOICE.replace("WORTH", "1"))
    band = precision_band(result, ONE)
    assert band is not None
    assert band.solved
    gone = next(band.tables["outcomes"].where(outcome="gone").rows())
    assert gone["happened"] == pytest.approx(logistic(2), abs=1e-9)
    assert gone["low"] == pytest.approx(logistic(1), abs=1e-9)
    assert gone["high"] == pytest.approx(logistic(4), abs=1e-9)
    payoff = next(band.tables["payoffs"].rows())
    assert (payoff["low"], payoff["high"]) == pytest.approx((logistic(1), logistic(4)), abs=1e-9)


def test_a_limit_has_no_band() -> None:
    result = forecast_of(CHOICE.replace("WORTH", "1").replace("precision: 2", "precision: limit"))
    assert precision_band(result, ONE) is None


def test_nothing_is_solved_again_for_the_band_at_the_precision_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = forecast_of(TRUST, SolveOptions(beliefs=17, threads=1))
    game, coarse = result.solution.game, result.solution.coarse
    assert coarse is not None
    solved: list[list[float]] = []

    def count(changed: CompiledGame, *rest: Any, **options: Any) -> Solution:
        solved.append((changed.precision / game.precision).tolist())
        return solve(changed, *rest, **options)

    monkeypatch.setattr("detente.analysis.precision_band.solve", count)
    for forecast in (result, result.light()):
        band = precision_band(forecast, ONE)
        assert band is not None
        own = detente.forecast(coarse, threads=1)
        case = band.cases["given"]
        assert (
            case.outcomes["happened"].tolist()
            == marginal(game, own.tables["outcomes"])["happened"].tolist()
        )
        assert case.payoffs["payoff"].tolist() == own.tables["payoffs"]["payoff"].tolist()
    assert solved == 2 * [[0.5, 0.5], [2.0, 2.0]]


@pytest.mark.parametrize("kept", [{"threads": 2}, {"threads": 3, "memory_limit": 1}])
def test_solves_side_by_side_give_the_same_band(
    kept: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last digit; and one at a time where the memory is not there for more."""
    result = detente.forecast(solve(detente.compile_game(detente.loads(TRUST)), ONE))
    monkeypatch.setattr(SolveOptions, "way_to_keep", lambda *_, **__: Keep.MEMORY)  # refuses none
    reports: list[float] = []
    options = SolveOptions(beliefs=9, progress=reports.append, **kept)
    bands = [precision_band(result, how) for how in (ONE, options)]
    assert bands[0] is not None
    assert bands[1] is not None
    for name, table in bands[0].tables.items():
        assert table.frame().equals(bands[1].tables[name].frame())
    assert max(reports) == pytest.approx(1)


def test_a_forecast_under_conditions_has_no_band() -> None:
    solution = forecast_of(TRUST).solution
    for conditions in ({"types": {"A": "good"}}, {"given": "trusted"}):
        with pytest.raises(ScenarioError, match="under conditions has no band"):
            audit(detente.forecast(solution, threads=1, **conditions), ONE)  # type: ignore[arg-type]


def test_the_band_holds_the_number_itself() -> None:
    game = detente.compile_game(detente.load("bargaining-rounds"))
    result = detente.forecast(detente.solve(game, ONE), threads=1)
    band = precision_band(result, ONE)
    assert band is not None
    assert list(band.cases) == ["half", "given", "twice"]
    assert not band.ranged
    assert band.points == (5,)  # that of the coarser solution
    assert band.coarse
    for row in band.tables["outcomes"].rows():
        assert row["low"] <= row["happened"] + 1e-12
        assert row["happened"] <= row["high"] + 1e-12
        assert row["holds_low"] - 1e-12 <= row["holds"] <= row["holds_high"] + 1e-12


def test_a_band_on_the_forecasts_own_grid_does_not_speak_of_a_coarser_one() -> None:
    game = detente.compile_game(detente.load("bargaining-rounds"))
    for points, said in ((5, False), (9, True)):
        solution = detente.solve(game, detente.SolveOptions(beliefs=points, threads=1))
        result = audit(detente.forecast(solution, threads=1), ONE)
        assert result.band is not None
        assert result.band.coarse is said
        assert ("Solved on a coarse grid" in str(describe_audit(result))) is said


def test_the_ends_of_ranges_are_solved_where_they_lie_beyond() -> None:
    text = CHOICE.replace("WORTH", "1").replace("precision: 2", "precision: lam")
    lam = "parameters: {{lam: {{value: 2, range: [{}, {}]}}}}\n".format
    band = precision_band(forecast_of(text + lam(0, 10)), ONE, ranges=True)
    assert band is not None
    gone = next(band.tables["outcomes"].where(outcome="gone").rows())
    assert gone["range_low"] == pytest.approx(0.5, abs=1e-9)
    assert gone["range_high"] == pytest.approx(logistic(10), abs=1e-9)
    assert (gone["low"], gone["high"]) == pytest.approx((logistic(1), logistic(4)), abs=1e-9)
    inside = precision_band(forecast_of(text + lam(1, 3)), ONE, ranges=True)
    assert inside is not None
    assert not inside.ranged


FLIP = """\
title: One good way and two bad ones
calendar: {period: round, horizon: 1}
actors: {A: {precision: 0.3}}
state: {x: {levels: 0..1, start: 0, edge: cut}}
turns: [A]
actions:
  A:
    best: {set: {x: +1}}
    wait: {cost: 1}
    poor: {set: {x: +1}, cost: 3}
    worse: {set: {x: +1}, cost: 3}
payoffs: {A: {terminal: 0 * x}}
outcomes: {gone: {when: x == 1, about: A is gone}}
terms:
  not_best: {binds: A, forbids: best}
  no_poor: {binds: A, forbids: [poor, worse]}
  no_wait: {binds: A, forbids: wait}
policies: {narrow: {terms: [not_best]}, good: {terms: [no_poor]}, certain: {terms: [no_wait]}}
policy: narrow
"""


def flipped(precision: float) -> float:
    """What `good` changes: sigma(λ) less 2 / (2 + exp(2 λ)); it crosses 0 at λ = log(2) / 3."""
    return logistic(precision) - 2 / (2 + math.exp(2 * precision))


def test_a_sign_that_turns_with_precision_does_not_hold() -> None:
    comparison = detente.compare(detente.loads(FLIP), options=ONE)
    audited = audit_comparison(comparison, ONE)
    assert audited is not None
    assert audited.solved
    rows = {row["policy"]: row for row in audited.tables["outcomes"].rows()}
    turned, held = rows["good"], rows["certain"]
    assert turned["difference"] == pytest.approx(flipped(0.3), abs=1e-9)
    assert turned["low"] == pytest.approx(flipped(0.15), abs=1e-9)
    assert turned["high"] == pytest.approx(flipped(0.6), abs=1e-9)
    assert turned["low"] < -SETTLED < SETTLED < turned["difference"]
    assert not turned["holds"]
    # Without `wait` it is certain: 1 less 2 / (2 + exp(2 λ)).
    assert held["holds"]
    assert held["low"] == pytest.approx(1 - 2 / (2 + math.exp(0.3)), abs=1e-9)
    assert not audited.holds("good", "gone", 1)
    assert audited.holds("certain", "gone", 1)


def test_what_depends_on_the_precision_is_not_printed_as_a_result() -> None:
    comparison = detente.compare(detente.loads(FLIP), options=ONE)
    described = describe_comparison(comparison, audit=audit_comparison(comparison, ONE))
    printed = io.StringIO()
    with redirect_stdout(printed):
        print_described(described)
    text = printed.getvalue()
    row = next(line for line in text.splitlines() if line.startswith("gone"))
    assert row.count("‡") == 1
    assert row.rstrip().endswith(")")  # the last, which is certain, holds
    assert (
        "Of 2 changes by the end, 1 in what comes about at some time and 1 in what holds then"
        in text
    )
    plain = describe_comparison(comparison)
    assert "audit" not in plain.data
    assert described.data["audit"]["outcomes"]["holds"].tolist() == [False, True]


def test_a_policy_against_itself_and_limits() -> None:
    text = FLIP.replace("certain: {terms: [no_wait]}", "same: {terms: [not_best]}")
    audited = audit_comparison(detente.compare(detente.loads(text), options=ONE), ONE)
    assert audited is not None
    same = audited.tables["outcomes"].where(policy="same")
    assert not same["difference"].any()
    assert not same["holds"].any()
    limit = FLIP.replace("precision: 0.3", "precision: limit")
    assert audit_comparison(detente.compare(detente.loads(limit), options=ONE), ONE) is None


def test_the_worth_of_being_trusted_is_the_closed_form() -> None:
    solution = forecast_of(TRUST, SolveOptions(beliefs=41, threads=1)).solution
    found = reputation(solution, threads=1)
    assert set(found.tables["payoffs"]["t"]) == {0}  # of one period only the start is left
    for row in found.tables["payoffs"].rows():
        # B trusts with probability logistic(3 (2 b - 1)), at nodes of the grid exactly.
        assert row["believed"] == "good"
        assert row["low"] == pytest.approx(logistic(3 * (2 * LOW - 1)), abs=1e-9)
        assert row["high"] == pytest.approx(logistic(3 * (2 * HIGH - 1)), abs=1e-9)
        assert row["worth"] == pytest.approx(row["high"] - row["low"], abs=1e-12)
        # The slope there is 6 / 4; over a twentieth to both sides it is a little less.
        assert row["slope"] == pytest.approx(1.5, abs=0.02)
    assert found.matters
    trust = found.tables["moves"].where(about="A", actor="B", action="trust")
    assert trust["low"] == pytest.approx([logistic(-2.4)], abs=1e-9)
    assert trust["high"] == pytest.approx([logistic(2.4)], abs=1e-9)


def test_where_nobody_acts_on_beliefs_they_are_worth_nothing() -> None:
    text = TRUST.replace("B: {terminal: gain * x}", "B: {terminal: x}").replace(
        "{A: {terminal: x}", "{A: {terminal: gain * x}"
    )
    found = reputation(forecast_of(text).solution, threads=1)
    assert np.abs(found.tables["payoffs"]["worth"].astype(float)).max() < 1e-9
    assert not found.matters


TWICE = """\
title: Trusted twice
calendar: {period: round, horizon: 2}
actors:
  B: {precision: 3}
  A: {precision: 2, types: {good: 0.5, bad: 0.5}, discount: 0.5}
parameters:
  gain: {value: {good: 1, bad: -1}}
state: {x: {levels: 0..2, start: 0, edge: cut}}
turns: [B]
actions: {B: {trust: {set: {x: +1}}, doubt: {}}}
payoffs: {A: {terminal: 4 * x}, B: {terminal: gain * x}}
outcomes: {trusted: {when: x == 2}}
"""


def test_the_worth_of_being_believed_later_is_that_of_what_is_left() -> None:
    solution = forecast_of(TWICE, SolveOptions(beliefs=41, threads=1)).solution
    payoffs = reputation(solution, threads=1).tables["payoffs"]
    start, later = (payoffs.where(t=t, type="good") for t in (0, 1))
    # B trusts twice, each time with probability logistic(3 (2 b - 1)), whatever went before.
    gain = logistic(2.4) - logistic(-2.4)
    assert start["worth"] == pytest.approx([4 * 0.25 * 2 * gain], abs=1e-9)
    assert later["worth"] == pytest.approx([4 * 0.5 * gain], abs=1e-9)


def test_where_nobody_gains_from_being_believed_the_forecast_says_so() -> None:
    text = TRUST.replace("B: {terminal: gain * x}", "B: {terminal: x}")
    result = forecast_of(text)
    described = summary(audit(result, ONE, brief=True))
    paragraphs = " ".join(described.blocks[-1].paragraphs)  # type: ignore[union-attr]
    assert "Nobody gains from being believed" in paragraphs
    trusted = summary(audit(forecast_of(TRUST), ONE, brief=True))
    paragraphs = " ".join(trusted.blocks[-1].paragraphs)  # type: ignore[union-attr]
    assert "What others believe of a type changes what its actor gets: most of all, A" in paragraphs


def test_what_chance_brings_about_is_not_said_to_come_of_best_moves() -> None:
    text = CHOICE.replace("WORTH", "-1").replace("levels: 0..1", "levels: 0..2")
    text = text.replace("turns: [A]", "turns: [A, chance]").replace("x == 1", "x == 2")
    text += 'chance: {luck: {when: x == 1, effects: [{p: 0.5, set: {x: "+1"}}, {p: rest}]}}\n'
    described = summary(audit(forecast_of(text), ONE, brief=True))
    table, note = described.blocks
    cells = {str(row[0].text): row for row in table.rows}  # type: ignore[union-attr]
    assert cells["gone"][3] == "by chance"
    assert cells["here"][3] == "at the start"
    assert "may have made it likely" in " ".join(note.paragraphs)  # type: ignore[union-attr]


def test_where_a_probability_turns_beyond_the_band_is_said() -> None:
    """Up to twice the precision it falls, and rises again towards the end of the range."""
    text = FLIP[: FLIP.index("terms:")].replace("precision: 0.3", "precision: lam")
    text += "parameters: {lam: {value: 0.2, range: [0.1, 9]}}\n"
    for brief, expected in ((True, "falls"), (False, "turns")):
        shown = describe_audit(audit(forecast_of(text), ONE, brief=brief))
        table = next(block for block in shown.sections[0].blocks if isinstance(block, Table))
        assert table.rows[0][-1] == expected


def test_what_is_given_up_stands_beside_its_scale() -> None:
    texts = CHOICE.replace("WORTH", "1"), TRUST
    audits = (audit(forecast_of(text), ONE, brief=True) for text in texts)
    one, two = (" ".join(summary(each).blocks[-1].paragraphs) for each in audits)  # type: ignore[union-attr]
    assert "1 / λ (0.5) is all but a best one" in one
    assert "1 / λ (0.33 for B and 0.5 for A) is all but a best one" in two
    assert "changes the odds of a move" in two


def test_shares_of_few_histories_are_said_to_be_worse() -> None:
    audited = audit(forecast_of(CHOICE.replace("WORTH", "-2.5")), ONE, brief=True, draws=1000)
    paragraphs = " ".join(summary(audited).blocks[-1].paragraphs)  # type: ignore[union-attr]
    assert audited.noise is not None
    rows = rows_of(audited.noise).values()
    probability = max(r["error"] for r in rows)
    row = min((r for r in rows if r["happened"]), key=lambda r: r["happened"])
    number = round(row["happened"] * 1000)
    assert row["by_other"] == row["happened"]  # all of them: of the rest no more than 3 in `number`
    assert 3 <= number < 100
    assert f"good to {within(2 * probability)} points or so, shares to {within(3 / number)}" in (
        paragraphs
    )


@pytest.mark.parametrize("precision", ["0", "limit"])
def test_what_cannot_be_asked_is_said(precision: str) -> None:
    text = CHOICE.replace("WORTH", "1").replace("precision: 2", f"precision: {precision}")
    result = forecast_of(text)
    audited = audit(result, ONE)
    assert (audited.noise is None) == (precision == "0")
    assert (audited.band is None) == (precision == "limit")
    printed = io.StringIO()
    with redirect_stdout(printed):
        print_described(describe_audit(audited))
    said = {"0": "moves are alike", "limit": "no half of it"}[precision]
    assert said in printed.getvalue()
