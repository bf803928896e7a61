"""Play without end, and play in the limit of precision: the arrays, the language, the refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from detente.describe.scenario import describe_scenario
from detente.errors import Diagnostic, ScenarioError, SolveError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, with_values
from detente.game.export import count_nodes, to_efg
from detente.render.terminal import print_described
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from tests.effort import examples
from tests.game import contract
from tests.generate import Shape, scenarios

ordinary = settings(
    max_examples=examples(15),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = st.sampled_from(
    [
        Shape(actors=1, informed=0, actions=2, levels=6, chance=False, forever=True),
        Shape(actors=2, informed=1, actions=2, levels=4, forever=True),
        Shape(actors=3, informed=2, types=3, together=2, actions=2, levels=3, forever=True),
    ]
)

STEPS = """\
title: Steps
calendar: {start: 2018-02, period: month, horizon: forever}
actors:
  A: {types: {keen: 0.5, slow: 0.5}, precision: 2, discount: delta}
  B: {precision: limit, discount: 0.5}
state:
  x: {levels: 0..5, start: 2}
  war: {levels: [no_war, at_war], start: no_war}
parameters:
  delta: {value: 0.9}
  effort: {value: {keen: 1, slow: 2}}
  luck: {value: 0}
  goal: {value: 4}
turns: [A, chance, {who: B, when: x >= 3}]
actions:
  A:
    up: {when: x < goal, set: {x: +1}, cost: effort}
    wait: {}
  B:
    back: {set: {x: 2}}
    hold: {}
chance:
  flood: {when: x == 0, set: {x: 1}}
  clash: {when: x == 3, effects: [{p: 0.5, set: {war: at_war}}, {p: luck, set: {x: 1}}, {p: rest}]}
payoffs:
  A: {flow: x}
  B: {flow: -x}
outcomes:
  fight: {when: war == at_war, ends: true}
"""


def compiled(text: str, **values: float) -> CompiledGame:
    game = compile_game(loads(text).with_values(values))
    contract.check(game)
    return game


def told(text: str) -> list[Diagnostic]:
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    return list(caught.value.diagnostics)


# --- the arrays ---


def test_one_period_over_a_closed_set_of_states() -> None:
    game = compiled(STEPS)
    words = [game.structure.describe(int(code)) for code in game.structure.sets[0]]
    # 1 can be reached at another value of `luck`, 0 and 5 cannot. War comes at 3, and B may be
    # at 2 or 3 when it comes: no, it stays at 3, for nobody moves where play has ended.
    assert words == [
        "x 1, war no_war",
        "x 2, war no_war",
        "x 3, war no_war",
        "x 3, war at_war",
        "x 4, war no_war",
    ]
    assert game.start == 1
    assert game.loop is not None
    assert game.loop.tolist() == [0, 1, 2, 3, 4]
    assert game.periods == len(game.flow) == 1
    assert game.ends_period == (False, False, True)
    assert [layer.event for layer in game.layers] == ["", "clash", ""]  # there is no flood
    assert game.terminal.tolist() == [[0.0] * 4] * 5
    assert game.flow[0][:, 0].tolist() == [1, 2, 3, 3, 4]
    first, chance, last = game.layers
    assert first.choices[:, 0].tolist() == [2, 2, 2, 1, 1]
    assert first.action[:, 0].tolist() == [0, 1, 0, 1, 0, 1, -1, 1]
    assert last.action[last.action_ptr[:-1], 0].tolist() == [-1, -1, 0, -1, 0]
    assert 0 in chance.prob
    assert game.holds["fight"][-1].tolist() == [False, False, False, True, False]
    assert game.warnings == ()


def test_a_start_to_which_play_never_returns() -> None:
    text = STEPS.replace("x: {levels: 0..5, start: 2}", "x: {levels: 0..5, start: 0}")
    game = compiled(text)
    assert [layer.event for layer in game.layers] == ["", "flood, clash", ""]
    first = [game.structure.describe(int(code)) for code in game.structure.sets[0]]
    assert first[0] == "x 0, war no_war"
    assert game.start == 0
    assert game.loop is not None
    assert game.loop.tolist() == list(range(1, len(first)))


def test_new_values_keep_the_closed_set() -> None:
    game = compiled(STEPS)
    moved = with_values(game, {"luck": 0.25, "delta": 0.3, "effort.keen": 4})
    contract.check(moved)
    assert moved.structure is game.structure
    contract.assert_same(moved, compile_game(moved.scenario))
    far = with_values(game, {"goal": 5})
    contract.check(far)
    assert far.structure is not game.structure
    assert far.structure.sets[0].size == game.structure.sets[0].size + 1
    with pytest.raises(ScenarioError, match="the discount of A is 1: not below 1"):
        with_values(game, {"delta": 1})


def test_a_scenario_without_a_state() -> None:
    text = """\
title: Again and again
calendar: {period: round, horizon: forever}
actors: {A: {precision: 1, discount: 0.5}}
state: {}
turns: [A, chance]
actions: {A: {left: {}, right: {cost: 1}}}
chance: {wind: {}}
payoffs: {A: {flow: 1}}
"""
    game = compiled(text)
    assert (game.start, game.structure.sets[0].tolist()) == (0, [0])
    assert len(game.layers) == 2


@ordinary
@given(data=st.data())
def test_each_period_of_a_long_finite_game_is_that_of_the_endless_one(data: st.DataObject) -> None:
    scenario = loads(data.draw(scenarios(data.draw(SHAPES))))
    game = compile_game(scenario)
    contract.check(game)
    finite = compile_game(scenario.with_horizon(9))
    contract.check(finite)
    count = len(game.layers)
    reached = [
        np.unique(np.concatenate([finite.structure.sets[t * count + n] for t in range(9)]))
        for n in range(count)
    ]
    assert np.array_equal(game.structure.sets[0], reached[0])
    for layer, codes in zip(game.layers, reached, strict=True):
        assert np.array_equal(layer.states, codes)
    for n, twin in enumerate(finite.layers):
        layer = game.layers[n % count]
        row = np.searchsorted(layer.states, twin.states)
        own = [range(layer.action_ptr[x], layer.action_ptr[x + 1]) for x in row]
        edges = np.concatenate([np.array(span) for span in own])
        assert np.array_equal(layer.action[edges], twin.action)
        assert np.array_equal(layer.reward[edges], twin.reward)
        moves = np.concatenate([np.arange(*layer.trans_ptr[e : e + 2]) for e in edges])
        assert np.array_equal(layer.prob[moves], twin.prob)
        here, there = game.structure.sets[n % count + 1], finite.structure.sets[n + 1]
        assert np.array_equal(here[layer.succ[moves]], there[twin.succ])


# --- a horizon from outside, and the tree ---


def test_a_horizon_makes_it_end() -> None:
    endless = loads(STEPS)
    assert endless.forever
    assert endless.periods is None
    finite = endless.with_horizon(3)
    assert not finite.forever
    game = compile_game(finite)
    contract.check(game)
    contract.assert_same(game, compiled(STEPS.replace("forever", "3")))
    assert game.loop is None
    assert game.periods == 3
    assert count_nodes(game) > 1


def test_what_goes_on_forever_has_no_tree() -> None:
    game = compiled(STEPS)
    for refused in (count_nodes, to_efg):
        with pytest.raises(SolveError, match=r"forever, so that it has no tree\nhint: "):
            refused(game)


def test_a_precision_without_bound_scales_nothing() -> None:
    game = compile_game(loads(STEPS).with_horizon(1))
    assert to_efg(game)
    with pytest.raises(SolveError, match=r"precision of `limit`\nhint: "):
        to_efg(game, scale=True)


# --- the language ---


def test_the_limit_is_an_infinite_precision() -> None:
    game = compiled(STEPS)
    assert game.precision.tolist() == [2, math.inf]
    assert with_values(game, {"luck": 0.5}).precision.tolist() == [2, math.inf]
    assert loads(STEPS).actors["B"].precision.text == "limit"


def test_show_says_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    scenario = loads(STEPS)
    print_described(describe_scenario(scenario))
    shown = capsys.readouterr().out
    assert "Play goes on forever, month by month, from 2018-02 on." in shown
    assert "limit" in shown
    data = describe_scenario(scenario).data
    assert data["horizon"] == "forever"
    assert {key: actor["precision"] for key, actor in data["actors"].items()} == {
        "A": 2,
        "B": "limit",
    }
    rounds = loads(STEPS.replace("start: 2018-02, period: month", "period: round"))
    print_described(describe_scenario(rounds))
    assert "Play goes on forever, round by round." in capsys.readouterr().out
    print_described(describe_scenario(rounds.with_horizon(4)))
    assert "Play is over 4 rounds." in capsys.readouterr().out


def test_mistakes_name_the_state_and_no_date() -> None:
    scenario: Scenario = loads(STEPS.replace("{x: 2}", "{x: x * 2}"))
    with pytest.raises(ScenarioError) as caught:
        compile_game(scenario)
    (problem,) = caught.value.diagnostics
    assert problem.code == "leaves-levels"
    assert problem.message.endswith("leaves its levels (0 to 5) at x 3, war no_war")


@pytest.mark.parametrize("limit", ["MAX_STATES", "MAX_BYTES"])
def test_what_is_too_large_names_no_date(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"detente.game.turns.{limit}", 1)
    with pytest.raises(ScenarioError) as caught:
        compile_game(loads(STEPS))
    (problem,) = caught.value.diagnostics
    assert problem.code == "too-large"
    assert "2018" not in problem.message
    assert "of the" not in problem.message


def test_the_calendar_is_not_read() -> None:
    problems = told(STEPS.replace("when: x >= 3", "when: month >= 3 and t < last"))
    assert [problem.code for problem in problems] == ["forever"]
    assert "may depend on `last`, `month` and `t`" in problems[0].message


def test_discounts_are_below_one() -> None:
    problems = told(STEPS.replace("discount: 0.5", "about: patient"))
    assert [problem.code for problem in problems] == ["out-of-range"]
    assert loads(STEPS).with_horizon(2).with_values({"delta": 1}).actors["A"].discount
