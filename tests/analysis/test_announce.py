"""The announcement as a move: against the same move written out, Gambit, limits and identities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import detente
from detente.analysis.announce import Announcement, announce
from detente.analysis.announcement_stage import entropy, posteriors
from detente.errors import ScenarioError
from detente.game.export import unroll
from detente.scenario.model import Scenario
from detente.solver.discretisation import LEAST, ROUNDING, SAFETY
from detente.solver.memory import memory_needed
from tests.solver.test_gambit import gambits

BODY = """\
title: words before deeds
calendar: {period: round, horizon: HORIZON}
actors:
  US: {precision: 2, discount: 0.9, types: {trader: 0.3, hawk: 0.7}}
  DPRK: {precision: 1.5, discount: 0.8TYPES}
state:
  pressure: {levels: 0..3, start: 2, edge: cut}
  steps: {levels: 0..2, start: 0, edge: cut}STATE
turns: [TURNDPRK, US]
actions:
  US:
    ease: {WHENset: {pressure: -1}}
    hold: {WHEN}
    tighten: {WHENset: {pressure: +1}}
    ACTIONS
  DPRK:
    step: {set: {steps: +1}, cost: 0.4}
    stall: {}
payoffs:
  US: {flow: steps + (0.5 if US == hawk else -0.6) * pressure}
  DPRK: {flow: -0.8 * pressureMORE}
terms:
  relief: {binds: US, forbids: hold, whenRELIEF: steps >= 1}
  carrot: {binds: US, forbids: tighten, COST}
outcomes:
  stepped: {when: steps >= 1}
  light: {when: pressure == 0}
"""
POLICIES = """\
policies: {stern: [], give: [relief, carrot], promise: [carrot]}
announcement: {who: US, among: [stern, give, promise]}
"""
TOLD = "\n  told: {levels: [nothing, stern, give, promise], start: nothing}"
SAY = "\n    ".join(
    f"say_{word}: {{when: told == nothing, set: {{told: {word}}}}}"
    for word in ("stern", "give", "promise")
)
SECOND = ", types: {weak: 0.4, strong: 0.6}"


def play_text(horizon: object = 2, second: bool = False, **words: str) -> str:
    """The file, with what stands for the words in capitals."""
    own = {"TYPES": SECOND if second else "", "MORE": " * (1 if DPRK == weak else 0.3)"}
    own = own if second else {"TYPES": "", "MORE": ""}
    fill = {"HORIZON": str(horizon), "STATE": "", "TURN": "", "WHENset": "set", "WHEN": ""}
    fill |= {"ACTIONS": "", "whenRELIEF": "when", "COST": "cost: 0.4"} | own | words
    text = BODY
    for word in sorted(fill, key=len, reverse=True):
        text = text.replace(word, fill[word])
    return text


def announced(horizon: object = 2, second: bool = False) -> Scenario:
    return detente.loads(play_text(horizon, second) + POLICIES)


def written(horizon: object = 2, second: bool = False) -> Scenario:
    """The same with the announcement as an ordinary first turn, which the terms look back on."""
    text = play_text(
        horizon,
        second,
        STATE=TOLD,
        TURN="{who: US, when: told == nothing}, ",
        WHENset="when: told != nothing, set",
        WHEN="when: told != nothing",
        ACTIONS=SAY,
        whenRELIEF="unless: told != give or steps < 1, when",
        COST="cost: 0.4, when: told != stern",
    )
    return detente.loads(text + "policies: {all: [relief, carrot]}\npolicy: all\n")


@pytest.fixture(scope="module")
def found() -> Announcement:
    return announce(announced(), options=detente.SolveOptions(beliefs=33))


def shares(result: Announcement, kind: str) -> list[float]:
    return result.choices.query("type == @kind")["probability"].tolist()


@pytest.mark.parametrize(
    ("horizon", "second"), [(1, False), (2, False), (2, True), ("forever", False)]
)
def test_the_same_as_a_first_turn_that_is_written_out(horizon: object, second: bool) -> None:
    periods = 3 if horizon == "forever" else None
    result = announce(
        announced(horizon, second), periods=periods, options=detente.SolveOptions(beliefs=9)
    )
    solution = detente.solve(
        detente.compile_game(written(horizon, second)), detente.SolveOptions(beliefs=9)
    )
    tolerance = 1e-8 if horizon == "forever" else 1e-11
    play = solution.strategy(0, solution.game.start)[solution.grid.start]
    assert result.status.name == solution.status.name == "SOLVED"
    for theta, kind in enumerate(("trader", "hawk")):
        assert shares(result, kind) == pytest.approx(play[theta], abs=tolerance)
    payoffs = {(r.actor, r.type): r.payoff for r in result.payoffs.itertuples()}
    assert payoffs == pytest.approx(dict(solution.payoffs), abs=tolerance)
    # What follows, put together again, is the forecast of the file that is written out.
    theirs = detente.forecast(solution, periods=periods).outcomes
    for column in ("US", *(("DPRK",) if second else ())):
        theirs = theirs[theirs[column] == "any"]
    last = int(theirs["t"].max())
    happened = theirs[theirs["t"] == last].set_index("outcome")["happened"]
    ours = result.outcomes.query("type == 'any' and t == @last")
    weights = dict(zip(result.policies, shares(result, "any"), strict=True))
    for key in ("stepped", "light"):
        rows = ours[ours["outcome"] == key]
        total = sum(weights[r.policy] * r.announced for r in rows.itertuples())
        assert total == pytest.approx(happened[key], abs=10 * tolerance)


@pytest.mark.gambit
def test_the_same_as_gambit() -> None:
    # Gambit has one precision for all players, and no players that discount.
    game = detente.compile_game(
        detente.loads(
            play_text(
                1,
                STATE=TOLD,
                TURN="{who: US, when: told == nothing}, ",
                WHENset="when: told != nothing, set",
                WHEN="when: told != nothing",
                ACTIONS=SAY,
                whenRELIEF="unless: told != give or steps < 1, when",
                COST="cost: 0.4, when: told != stern",
            ).replace("1.5", "2")
            + "policies: {all: [relief, carrot]}\npolicy: all\n"
        )
    )
    tree = unroll(game)
    theirs = gambits(game, tree, 2.0)
    sets = sorted(tree.information_sets, key=lambda s: (s.player, s.number))
    at, first = 0, {}
    for one in sets:
        count = int(game.layers[one.layer].choices[one.state, 0])
        if not one.history:
            first[one.theta] = theirs[at : at + count]
        at += count
    scenario = detente.loads(play_text(1).replace("1.5", "2") + POLICIES)
    result = announce(scenario, options=detente.SolveOptions(beliefs=1025))
    for theta, kind in enumerate(("trader", "hawk")):
        assert shares(result, kind) == pytest.approx(first[theta], abs=1e-5)


def test_it_solves_and_adds_up(found: Announcement) -> None:
    assert found.status.name == "SOLVED"
    assert found.residual < 1e-9
    assert max(found.value_error, found.forward_error) < 1e-12
    for kind in ("any", "trader", "hawk"):
        assert sum(shares(found, kind)) == pytest.approx(1)
    some = np.array([shares(found, kind) for kind in ("trader", "hawk")])
    assert shares(found, "any") == pytest.approx(np.array([0.3, 0.7]) @ some)


def test_beliefs_are_a_martingale(found: Announcement) -> None:
    table = found.beliefs.query("type == 'trader'")
    assert (table["posterior"] * shares(found, "any")).sum() == pytest.approx(0.3)
    assert table["posterior"].max() > 0.35
    assert table["prior"].tolist() == [0.3] * 3


def test_payoffs_before_are_those_after_by_what_is_announced(found: Announcement) -> None:
    def worth(actor: str, kind: str) -> np.ndarray:
        return found.worth.query("actor == @actor and type == @kind")["announced"].to_numpy()

    before = found.payoffs.set_index(["actor", "type"])["payoff"]
    for kind in ("trader", "hawk"):
        mean = np.array(shares(found, kind)) @ worth("US", kind)
        assert mean == pytest.approx(before["US", kind], abs=1e-12)
    mean = np.array(shares(found, "any")) @ worth("DPRK", "")
    assert mean == pytest.approx(before["DPRK", ""], abs=1e-12)


def test_each_type_responds_to_what_announcing_is_worth(found: Announcement) -> None:
    worth = found.worth.set_index(["actor", "type"])["announced"]
    for kind in ("trader", "hawk"):
        odds = np.exp(2 * worth["US", kind].to_numpy())
        assert shares(found, kind) == pytest.approx(odds / odds.sum(), abs=1e-9)


def test_how_much_is_told(found: Announcement) -> None:
    assert 0.01 < found.bits < found.most_bits
    assert found.most_bits == pytest.approx(-0.3 * np.log2(0.3) - 0.7 * np.log2(0.7))
    # as the mean surprise about the type that is lost: H(θ) - H(θ | k)
    left = [entropy(rows["posterior"].to_numpy()) for _, rows in found.beliefs.groupby("policy")]
    order = sorted(found.policies)
    weights = dict(zip(found.policies, shares(found, "any"), strict=True))
    rest = sum(weights[policy] * bits for policy, bits in zip(order, left, strict=True))
    assert found.bits == pytest.approx(found.most_bits - rest)


def test_imposed_is_the_forecast_of_the_policy(found: Announcement) -> None:
    for policy in found.policies:
        game = detente.compile_game(found.scenario, policy=policy)
        told = detente.forecast(detente.solve(game, detente.SolveOptions(beliefs=33))).outcomes
        for kind in ("any", "hawk"):
            mine = found.outcomes.query("policy == @policy and type == @kind")
            theirs = told[told["US"] == kind]
            assert mine["outcome"].tolist() == theirs["outcome"].tolist()
            assert mine["imposed"].to_numpy() == pytest.approx(theirs["happened"].to_numpy())
    assert (found.outcomes["announced"] - found.outcomes["imposed"]).abs().max() > 1e-3


def test_errors_are_three_times_the_largest_change_from_the_coarser_grid() -> None:
    # A quarter is a node of both grids, so that the coarser one is that of half as many points.
    text = (play_text() + POLICIES).replace("0.3, hawk: 0.7", "0.25, hawk: 0.75")
    found, rough = (
        announce(detente.loads(text), options=detente.SolveOptions(beliefs=points))
        for points in (33, 17)
    )
    for mine, theirs, value in (
        (found.choices, rough.choices, "probability"),
        (found.beliefs, rough.beliefs, "posterior"),
        (found.outcomes, rough.outcomes, "announced"),
    ):
        change = (mine[value] - theirs[value]).abs()
        whatever = [name for name in ("policy", "outcome", "t") if name in mine]
        worst = change.groupby([mine[name] for name in whatever]).transform("max")
        if "t" in mine:  # and the largest so far
            worst = worst.groupby([mine[name] for name in ("policy", "type", "outcome")]).cummax()
        error = np.where(worst > ROUNDING, np.maximum(SAFETY * worst, LEAST), SAFETY * worst)
        assert mine["error"].to_numpy() == pytest.approx(error, abs=1e-12)


def test_with_nothing_private_it_is_the_quantal_response_to_payoffs() -> None:
    text = play_text().replace(", types: {trader: 0.3, hawk: 0.7}", "")
    text = text.replace("(0.5 if US == hawk else -0.6)", "0.5")
    scenario = detente.loads(text + POLICIES.split("announcement")[0])
    result = announce(scenario, who="US")
    worth = [
        detente.solve(detente.compile_game(scenario, policy=policy)).payoffs["US", ""]
        for policy in result.policies
    ]
    odds = np.exp(2 * np.array(worth))
    assert shares(result, "any") == pytest.approx(odds / odds.sum(), abs=1e-12)
    assert (result.bits, result.most_bits) == (0.0, 0.0)
    assert result.choices["error"].tolist() == [0.0] * 3


def test_policies_that_make_no_difference_tell_nothing() -> None:
    text = play_text() + "policies: {a: [], b: []}\n"
    result = announce(detente.loads(text), who="US", options=detente.SolveOptions(beliefs=9))
    assert shares(result, "hawk") == pytest.approx([0.5, 0.5])
    assert result.bits == pytest.approx(0, abs=1e-12)
    assert (result.outcomes["announced"] - result.outcomes["imposed"]).abs().max() < 1e-12


def test_solutions_that_do_not_fit_are_made_again() -> None:
    scenario = announced()
    game = detente.compile_game(scenario, policy="stern")
    room = int(1.5 * memory_needed(game, 33, regret=True, coarse=True, threads=1))
    tables = [
        announce(
            scenario, options=detente.SolveOptions(beliefs=33, threads=1, memory_limit=limit)
        ).outcomes
        for limit in (room, 2**32)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_the_limit_of_precision_is_taken_as_far_as_all_games_go() -> None:
    text = play_text(1).replace("US: {precision: 2", "US: {precision: limit")
    result = announce(detente.loads(text + POLICIES), options=detente.SolveOptions(beliefs=9))
    assert result.status.name == "SOLVED"
    assert result.residual < 1e-9


def test_it_reads_well(found: Announcement) -> None:
    assert repr(found).startswith("<Announcement by US: stern ")
    assert "bits; solved: " in repr(found)
    assert all(not one.strategies for one in found.solutions.values())


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda s: announce(s, who="UK"), "unknown-name"),
        (lambda s: announce(s, ["stern", "mild"]), "unknown-name"),
        (lambda s: announce(s, ["stern"]), "out-of-range"),
        (lambda s: announce(s, ["stern", "stern"]), "out-of-range"),
        (lambda s: announce(detente.load("bargaining-rounds"), ["", "x"]), "missing"),
    ],
)
def test_what_makes_no_sense_is_told(call: Callable[[Scenario], object], code: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        call(announced())
    assert caught.value.diagnostics[0].code == code


def test_posteriors_of_what_nobody_announces_are_the_prior() -> None:
    found = posteriors(np.array([0.3, 0.7]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert found.tolist() == [[0.3, 0.7], [0.3, 0.7]]
