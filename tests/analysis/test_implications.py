"""What numbers imply, against rates and odds worked out by hand and against solved games."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detente
from detente.analysis.implications import Implications, Odds, Rate
from tests.generate import Shape, scenarios

TEXT = """\
title: Pressure and tests
calendar: {start: 2024-01, period: month, horizon: 10}
actors:
  North: {types: {firm: 0.25, soft: 0.75}, precision: 2, discount: 0.9}
  South: {precision: 3}
state:
  pressure: {levels: 0..3, start: 1, edge: cut}
  arms: {levels: [few, some, many], start: few, edge: cut}
  war: {levels: [no, yes], start: no}
parameters:
  test_cost: {value: {firm: 0.5, soft: 1}, about: what a test costs the North}
  bite: {value: 0.25, about: what a level of pressure costs the North}
turns: [North, South, chance]
actions:
  North: {hold: {}, test: {set: {arms: +1}, cost: test_cost}}
  South: {press: {set: {pressure: +1}, cost: 0.1, costs: {North: 0.125}}, wait: {}}
chance: {storm: {when: arms == many, effects: [{p: 0.1, set: {war: yes}}, {p: rest}]}}
payoffs:
  North: {flow: -bite * pressure + 0.01 * rank(arms) - 5 * (war == yes), terminal: 0.5 * rank(arms)}
  South: {flow: -0.2 * rank(arms)}
terms: {promise: {binds: South, forbids: press, cost: 0.4}}
policies: {none: [], promised: [promise]}
policy: promised
outcomes: {war: {when: war == yes, ends: true}}
"""


def implied(text: str = TEXT, policy: str | None = None) -> Implications:
    return detente.implies(detente.compile_game(detente.loads(text), policy=policy))


def rates(read: Implications, actor: str, kind: str) -> dict[tuple[str, str, str], Rate]:
    return {(r.what, r.level, r.type): r for r in read.rates if r.actor == actor and r.kind == kind}


def odds(read: Implications, actor: str, at: str = "start") -> dict[tuple[str, str], Odds]:
    return {(r.action, r.type): r for r in read.odds if r.actor == actor and r.at == at}


def test_the_yardstick_is_the_neighbouring_level_that_moves_the_flow_most() -> None:
    north = implied().yardsticks["North"]
    assert north[:3] == ("pressure", "2", "1")  # not war, which ends play
    assert north.flow == pytest.approx((-0.25, -0.25))


def test_exchange_rates() -> None:
    read = implied()
    own = rates(read, "North", "move")
    assert own["test", "", "firm"].periods == pytest.approx(-2)  # 0.5 / 0.25
    assert own["test", "", "soft"].periods == pytest.approx(-4)
    levels = rates(read, "North", "level")
    assert levels["arms", "many", "soft"].periods == pytest.approx(0.08)  # 0.02 / 0.25
    assert levels["war", "yes", "firm"].payoff == pytest.approx(-5)
    assert rates(read, "North", "end")["arms", "some", "firm"].periods == pytest.approx(2)
    assert rates(read, "North", "borne")["press", "South", "firm"].periods == pytest.approx(-0.5)
    assert rates(read, "South", "term")["promise", "", ""].periods == pytest.approx(-2)  # 0.4 / 0.2
    assert not rates(implied(policy="none"), "South", "term")


TOGETHER = """\
title: Two who may clash, and one who looks on
calendar: {period: round, horizon: 3}
actors:
  A: {precision: 2}
  B: {precision: 1, types: {soft: 0.4, hard: 0.6}}
  C: {precision: 1}
state: {held: {levels: 0..2, start: 0, edge: cut}}
parameters: {clash: {value: {soft: 0.6, hard: 0.2}, about: what a clash is worth to B}}
turns:
  - who: [A, B, C]
    joint:
      effects:
        - {p: 0.8, set: {held: "+1 if move(A) == take and move(B) == take else +0"}}
        - {p: rest}
      costs:
        A:
          meet: 0.5 * (1 + held) * (move(A) == take and move(B) == take)
          hurt: 0.3 * (move(B) == take) * (move(A) == leave)
        B: clash * (move(A) == take and move(B) == take)
        C: 0.7 * (move(B) == take)
actions:
  A: {leave: {}, take: {cost: 0.1}}
  B: {leave: {}, take: {cost: 0.2}}
  C: {look: {}, away: {}}
payoffs: {A: {flow: 0.4 * held}, B: {flow: 0.2 * held}}
outcomes: {clashed: {when: held > 0}}
"""


def test_what_moves_cost_together() -> None:
    """Moves on which a cost does not depend are in none of its names."""
    read = implied(TOGETHER)
    own = rates(read, "A", "together")
    assert own.keys() == {("leave", "take of B", ""), ("take", "take of B", "")}
    assert own["leave", "take of B", ""].periods == pytest.approx(-0.75)  # 0.3 / 0.4
    clash = own["take", "take of B", ""]
    assert clash.payoff == pytest.approx(-0.5)
    assert (clash.least, clash.most) == pytest.approx((-1.5, -0.5))  # at held 2, and 0
    theirs = rates(read, "B", "together")
    assert theirs.keys() == {("take", "take of A", kind) for kind in ("soft", "hard")}
    assert theirs["take", "take of A", "soft"].periods == pytest.approx(-3)  # 0.6 / 0.2
    assert theirs["take", "take of A", "hard"].periods == pytest.approx(-1)
    (seen,) = rates(read, "C", "together").values()
    assert (seen.what, seen.level, seen.payoff) == ("", "take of B", -0.7)
    # What is a cost of both moves is a cost by which types differ, and that the words should say.
    kinds = [oddity.code for oddity in read.odd]
    assert "alike" not in kinds
    assert any(o.code == "sign" and "what a clash is worth to B" in o.message for o in read.odd)


def test_others_leave_everything_as_it_is_where_moves_act_together() -> None:
    """B's move to take changes nothing by itself, and something with A's: it is not counted on."""
    read = implied(TOGETHER)
    take = 1 / (1 + math.exp(2 * 0.1))
    assert odds(read, "A")["take", ""].by_cost == pytest.approx(take)
    assert odds(read, "A")["take", ""].lasting == pytest.approx(take)


def test_what_is_paid_together_only_at_times_is_told_where_it_is() -> None:
    text = TOGETHER.replace("    joint:\n", "    joint:\n      when: held < 1\n")
    clash = rates(implied(text), "A", "together")["take", "take of B", ""]
    assert (clash.payoff, clash.least, clash.most) == pytest.approx((-0.5, -0.5, -0.5))
    never = TOGETHER.replace("    joint:\n", "    joint:\n      when: held > 2\n")
    assert not rates(implied(never), "A", "together")


def test_what_a_move_is_worth_if_nothing_else_happened() -> None:
    test = rates(implied(), "North", "lasting")["test", "", "firm"]
    months = (1 - 0.9**10) / (1 - 0.9)
    assert test.payoff == pytest.approx(-0.5 + 0.01 * months + 0.5 * 0.9**10)


def test_odds_by_what_counts() -> None:
    mine = odds(implied(), "North")
    assert mine["test", "firm"].reference == 0.5
    assert mine["test", "firm"].by_cost == pytest.approx(1 / (1 + math.exp(2 * 0.5)))
    assert mine["test", "firm"].this_period == pytest.approx(1 / (1 + math.exp(2 * 0.49)))
    assert mine["test", "soft"].by_cost == pytest.approx(1 / (1 + math.exp(2 * 1.0)))


def test_a_move_as_much_worse_as_its_slack_is_made_one_time_in_ten() -> None:
    text = TEXT.replace("hold: {}", "hold: {}, rest: {reference: 3, cost: 0.01}")
    for row in odds(implied(text), "North").values():
        w = row.reference
        tilt = w * math.exp(-2 * row.slack)
        assert tilt / (tilt + 1 - w) == pytest.approx(0.1)


def test_the_worst_state_is_that_of_the_lowest_flow_with_a_choice() -> None:
    row = odds(implied(), "North", "worst")["test", "firm"]
    # the first month in which pressure can be there
    assert row.state == "in 2024-03, at pressure 3, arms few, war no"


@settings(max_examples=25, deadline=None)
@given(text=scenarios(Shape(actors=1, periods=1, chance=False, reference=True)))
def test_in_one_period_of_one_actor_the_odds_are_those_of_the_solution(text: str) -> None:
    game = detente.compile_game(detente.loads(text))
    solved = detente.forecast(detente.solve(game, detente.SolveOptions(beliefs=5, threads=1)))
    shares = {(r.action, r.A0): r.share for r in solved.actions.itertuples() if r.share == r.share}
    for row in detente.implies(game).odds:
        if row.at == "start":
            assert row.lasting == pytest.approx(shares[row.action, row.type], abs=1e-8)


@settings(max_examples=20, deadline=None)
@given(text=scenarios(Shape(together=2), precision=1.0), scale=st.sampled_from([0.25, 3.0]))
def test_rates_and_odds_do_not_depend_on_the_unit_of_payoffs(text: str, scale: float) -> None:
    """All payoffs times a number and precisions divided by it are the same game."""
    scenario = detente.loads(text)
    larger = {
        name: scale * value
        for parameter in scenario.parameters.values()
        for name, value in zip(parameter.names(), parameter.values, strict=True)
    }
    other = detente.loads(text.replace("precision: 1.0", f"precision: {1 / scale:.17g}"))
    read, scaled = (
        detente.implies(detente.compile_game(s)) for s in (scenario, other.with_values(larger))
    )
    for row, same in zip(read.odds, scaled.odds, strict=True):
        assert same[:5] == row[:5]
        assert same[5:9] == pytest.approx(row[5:9], abs=1e-9)
        assert same.slack == pytest.approx(scale * row.slack)
    for rate, same_rate in zip(read.rates, scaled.rates, strict=True):
        assert same_rate.payoff == pytest.approx(scale * rate.payoff)
        assert same_rate.periods == pytest.approx(rate.periods, nan_ok=True)


def codes(text: str) -> set[str]:
    return {odd.code for odd in implied(text).odd}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("-bite * pressure", "bite * pressure", "sign"),
        ("{firm: 0.5, soft: 1}", "{firm: 0.5, soft: 0.5}", "alike"),
        ("{firm: 0.5, soft: 1}", "{firm: 0.5, soft: 2}", "odds"),
        ("{firm: 0.5, soft: 1}", "{firm: 0.5, soft: 300}", "rate"),
        ("terminal: 0.5", "terminal: 50", "end"),
        ("terminal: 0.5", "terminal: -0.5", "two-ways"),
        ("precision: 2,", "precision: 0.01,", "noise"),
        ("precision: 2,", "precision: 30,", "sharp"),
        ("hold: {}", "hold: {reference: 200}", "reference"),
    ],
)
def test_what_is_odd(old: str, new: str, code: str) -> None:
    assert code not in codes(TEXT)
    assert code in codes(TEXT.replace(old, new))


def test_an_actor_to_whom_nothing_matters() -> None:
    text = TEXT.replace("flow: -0.2 * rank(arms)", "flow: 0").replace("cost: 0.1, ", "")
    assert "indifferent" in codes(
        text.replace("forbids: press, cost: 0.4", "forbids: press, cost: 0")
    )


@pytest.mark.parametrize("name", ["pyeongchang-2018", "chain-store", "beer-quiche", "centipede"])
def test_no_sign_of_the_library_is_odd(name: str) -> None:
    read = detente.implies(detente.compile_game(detente.load(name)))
    assert "sign" not in {odd.code for odd in read.odd}
    assert read.rates
