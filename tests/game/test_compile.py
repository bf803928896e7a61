"""The compiled game: its contract on many scenarios, and small ones worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import detente
from detente import library
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_policies
from detente.scenario.model import Scenario
from tests import effort
from tests.effort import examples
from tests.game import contract
from tests.generate import Shape, scenarios

ordinary = settings(
    max_examples=examples(25),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = st.sampled_from(
    [
        Shape(actors=1, informed=0, actions=1, levels=2, periods=4, chance=False),
        Shape(actors=1, informed=1, actions=3, levels=3, periods=3),
        Shape(actors=2, informed=1, actions=2, levels=5, periods=6, discount=True),
        Shape(actors=3, informed=2, actions=4, levels=4, periods=2),
        Shape(actors=4, informed=4, actions=2, levels=2, periods=2),
    ]
)

TINY = """\
title: Tiny
calendar: {period: round, horizon: 2}
actors:
  A: {types: {strong: 0.25, weak: 0.75}, precision: 2}
  B: {precision: 1, discount: 0.5}
state:
  x: {levels: 0..2, start: 0}
parameters:
  effort: {value: {strong: 1, weak: 2}}
turns: [A, {who: B, when: x >= 1}, chance]
actions:
  A:
    up: {when: x < 2, effects: [{p: 0.75, set: {x: +1}}, {p: rest}], cost: effort}
    wait: {}
  B:
    push: {set: {x: 0}, cost: {B: 1, A: 3}}
    hold: {}
chance:
  luck: {when: x == 1, effects: [{p: 0.5, set: {x: 2}}, {p: rest}]}
payoffs:
  A: {flow: {level: x, bonus: A == weak}, terminal: 10 * x}
  B: {flow: -x}
outcomes:
  top: {when: x == 2, ends: true}
"""


def compiled(text: str, policy: str | None = None, **values: float) -> CompiledGame:
    game = detente.compile_game(detente.loads(text).with_values(values), policy=policy)
    contract.check(game)
    return game


def codes(text: str, policy: str | None = None) -> list[str]:
    """The codes of what is wrong with a scenario when it is played."""
    with pytest.raises(ScenarioError) as caught:
        detente.compile_game(detente.loads(text), policy=policy)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


# --- the contract ---


@ordinary
@given(data=st.data())
def test_contract_on_random_scenarios(data: st.DataObject) -> None:
    contract.check(detente.compile_game(detente.loads(data.draw(scenarios(data.draw(SHAPES))))))


@pytest.mark.parametrize("name", effort.cases(library.names(), slow=("pyeongchang-2018-first",)))
def test_contract_in_the_library(name: str) -> None:
    scenario = detente.load(name)
    if name.startswith("pyeongchang"):
        scenario = scenario.with_horizon(8)
    for policy in [*scenario.policies, ""]:
        contract.check(detente.compile_game(scenario, policy=policy))


def test_the_starter_keeps_the_contract() -> None:
    contract.check(detente.compile_game(detente.loads(library.starter())))


def test_tiny_arrays() -> None:
    game = compiled(TINY)
    assert game.profiles.tolist() == [[0, 0], [1, 0]]
    assert [prior.tolist() for prior in game.priors] == [[0.25, 0.75], [1.0]]
    assert game.precision.tolist() == [2, 1]
    assert game.discount.tolist() == [1, 0.5]
    assert game.informed == (0,)
    assert [states.tolist() for states in game.structure.sets[:4]] == [
        [0],
        [0, 1],
        [0, 1],
        [0, 1, 2],
    ]

    first, second, third = game.layers[:3]
    assert (first.period, first.turn, first.movers) == (1, 0, (0,))
    assert first.action.tolist() == [[0], [1]]
    assert first.action_ptr.tolist() == [0, 2]
    assert first.trans_ptr.tolist() == [0, 2, 3]
    assert first.succ.tolist() == [1, 0, 0]
    assert first.prob.tolist() == [0.75, 0.25, 1]
    # Components: A when strong, A when weak, B when A is strong, B when A is weak.
    assert first.reward.tolist() == [[-1, -2, 0, 0], [0, 0, 0, 0]]

    assert (second.turn, second.movers) == (1, (1,))
    assert second.action.tolist() == [[-1], [0], [1]]
    assert second.action_ptr.tolist() == [0, 1, 3]
    assert second.trans_ptr.tolist() == [0, 1, 2, 3]
    assert second.succ.tolist() == [0, 0, 1]
    assert second.prob.tolist() == [1, 1, 1]
    assert second.reward.tolist() == [[0, 0, 0, 0], [-3, -3, -1, -1], [0, 0, 0, 0]]

    assert (third.turn, third.movers, third.event) == (2, (), "luck")
    assert third.action.shape == (2, 0)
    assert third.action_ptr.tolist() == [0, 1, 2]
    assert third.trans_ptr.tolist() == [0, 1, 3]
    assert third.succ.tolist() == [0, 2, 1]
    assert third.prob.tolist() == [1, 0.5, 0.5]

    assert game.flow[0].tolist() == [[0, 1, 0, 0], [1, 2, -1, -1], [2, 3, -2, -2]]
    assert game.terminal.tolist() == [[0, 0, 0, 0], [10, 10, 0, 0], [20, 20, 0, 0]]

    # Where the outcome holds (x is 2) play has ended: nobody moves in the second period.
    fourth, fifth, sixth = game.layers[3:]
    assert fourth.action.tolist() == [[0], [1], [0], [1], [-1]]
    assert fourth.reward[4].tolist() == [0, 0, 0, 0]
    assert fifth.states.tolist() == [0, 1, 2]
    assert fifth.action.tolist() == [[-1], [0], [1], [-1]]
    assert sixth.prob.tolist() == [1, 0.5, 0.5, 1]
    assert [where.tolist() for where in game.holds["top"]] == [
        [False],
        [False, False],
        [False, False],
        [False, False, True],
        [False, False, True],
        [False, False, True],
        [False, False, True],
    ]
    assert game.ends_period == (False, False, True) * 2
    assert game.structure.describe(2) == "x 2"


def test_repr_says_what_it_is() -> None:
    assert repr(compiled(TINY)) == (
        "<CompiledGame '<text>': 2 periods, 6 turns, up to 3 states, 2 type profiles>"
    )


# --- payoffs ---

ALONE = """\
title: Alone
calendar: {period: round, horizon: 3}
actors: {A: {precision: 0, discount: delta}}
state: {x: {levels: 0..9, start: 1}}
parameters: {delta: {value: 0.9}}
turns: [A]
actions:
  A:
    walk: {set: {x: +1}, cost: t}
    run: {set: {x: +2}, cost: 3}
payoffs:
  A: {flow: 100 * t + x, terminal: 1000 * t + 10 * last + x}
"""


@pytest.mark.parametrize("delta", [1.0, 0.9, 0.0])
def test_payoff_is_the_discounted_sum(delta: float) -> None:
    # Uniform play: x grows by 1.5 a period from 1, and the cost of period t is (t + 3) / 2.
    periods = [delta ** (t - 1) * (100 * t + 1 + 1.5 * t - (t + 3) / 2) for t in (1, 2, 3)]
    expected = sum(periods) + delta**3 * (1000 * 4 + 10 * 3 + 1 + 1.5 * 3)
    solution = detente.solve(compiled(ALONE, delta=delta))
    assert solution.payoffs["A", ""] == pytest.approx(expected, abs=1e-10)


def test_payoffs_by_true_types() -> None:
    text = """\
title: Types
calendar: {period: round, horizon: 1}
actors:
  A: {types: {a: 0.25, b: 0.75}, precision: 0}
  B: {types: {c: 0.5, d: 0.5}, precision: 0}
state: {x: {levels: 0..1, start: 0}}
parameters:
  worth: {value: {a: 1, b: 2}}
  price: {value: {c: 10, d: 20}}
turns: [A, B]
actions:
  A: {take: {cost: worth, costs: {B: worth * price}}, leave: {cost: 0}}
  B: {pay: {}}
payoffs:
  A: {flow: worth + price, terminal: 100 * (B == d) + 1000 * (A == b)}
"""
    game = compiled(text)
    assert game.profiles.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert game.layers[0].reward.tolist() == [[-1, -1, -2, -2, -10, -20, -20, -40], [0] * 8]
    assert game.flow[0].tolist() == [[11, 21, 12, 22, 0, 0, 0, 0]]
    assert game.terminal.tolist() == [[0, 100, 1000, 1100, 0, 0, 0, 0]]
    payoffs = detente.solve(game).payoffs
    assert payoffs["A", "a"] == pytest.approx(-0.5 + 16 + 50)
    assert payoffs["A", "b"] == pytest.approx(-1 + 17 + 1050)
    assert payoffs["B", "c"] == pytest.approx(-0.5 * (0.25 * 10 + 0.75 * 20))
    assert payoffs["B", "d"] == pytest.approx(-0.5 * (0.25 * 20 + 0.75 * 40))


@pytest.mark.parametrize(
    ("calendar", "dates"),
    [
        ("start: 2018-11, period: month", [(11, 2018), (12, 2018), (1, 2019), (2, 2019)]),
        ("start: 2018-08, period: quarter", [(8, 2018), (11, 2018), (2, 2019), (5, 2019)]),
        ("start: 2018-12-20, period: week", [(12, 2018), (12, 2018), (1, 2019), (1, 2019)]),
        ("start: 2018-12-30, period: day", [(12, 2018), (12, 2018), (1, 2019), (1, 2019)]),
        ("start: 2018-03, period: year", [(3, 2018), (3, 2019), (3, 2020), (3, 2021)]),
    ],
)
def test_the_calendar_in_formulas(calendar: str, dates: list[tuple[int, int]]) -> None:
    text = f"""\
title: Dates
calendar: {{{calendar}, horizon: 3}}
actors: {{A: {{precision: 1}}}}
state: {{x: {{levels: 0..1, start: 0}}}}
turns: [A]
actions: {{A: {{wait: {{cost: month}}, odd: {{when: month % 2 == 1}}}}}}
payoffs: {{A: {{flow: month + 100 * year, terminal: month + 100 * year}}}}
"""
    game = compiled(text)
    values = [month + 100 * year for month, year in dates]
    assert [float(flow[0, 0]) for flow in game.flow] == values[:3]
    assert game.terminal.tolist() == [[values[3]]]  # of the day after the last period
    for layer, (month, _) in zip(game.layers, dates, strict=False):
        assert layer.reward[0, 0] == -month
        assert len(layer.action) == 1 + month % 2


# --- new values ---


def values_of(scenario: Scenario) -> dict[str, float]:
    parameters = scenario.parameters.values()
    return {n: v for p in parameters for n, v in zip(p.names(), p.values, strict=True)}


def changed(game: CompiledGame, values: Mapping[str, float], *, same: bool) -> CompiledGame:
    """The game at new values: equal to one compiled afresh, with the structure kept or not."""
    result = detente.with_values(game, values)
    contract.check(result)
    fresh = detente.compile_game(game.scenario.with_values(values), policy=game.policy)
    contract.assert_same(result, fresh)
    assert (result.structure is game.structure) == same
    assert result.scenario.overrides == {**game.scenario.overrides, **values}
    return result


@ordinary
@given(data=st.data(), seed=st.integers(0, 1000))
def test_new_payoffs_keep_the_enumeration(data: st.DataObject, seed: int) -> None:
    game = detente.compile_game(detente.loads(data.draw(scenarios(data.draw(SHAPES)))))
    rng = np.random.default_rng(seed)
    names = list(values_of(game.scenario))
    chosen = rng.choice(names, size=min(5, len(names)), replace=False)
    changed(game, {str(name): float(rng.normal()) for name in chosen}, same=True)


def test_new_values_in_the_default_scenario() -> None:
    game = detente.compile_game(detente.load("pyeongchang-2018").with_horizon(2))
    for name, value in values_of(game.scenario).items():
        key = name.partition(".")[0]
        if key in game.structure.structural:
            continue
        result = detente.with_values(game, {name: value})
        contract.assert_same(result, game)
        assert result.structure is game.structure


MANY = """\
title: Many parameters
calendar: {period: round, horizon: rounds}
actors:
  A: {types: {a: prior, b: 1 - prior}, precision: lam, discount: delta}
state: {x: {levels: 0..5, start: 0, edge: cut}}
parameters:
  rounds: {value: 2}
  prior: {value: 0.5}
  lam: {value: 1}
  delta: {value: 1}
  price: {value: {a: 1, b: 2}}
  fine: {value: 1}
  limit: {value: 3}
  step: {value: 1}
  goal: {value: 2}
  start: {value: 1}
  luck: {value: 0}
  slip: {value: 0.2}
turns: [{who: A, when: t >= start}, chance]
actions:
  A:
    go:
      when: x < limit
      effects: [{p: "max(slip - 0.5, 0)"}, {p: rest, set: {x: x + step}}]
      cost: price
    wait: {}
chance:
  luck_strikes: {effects: [{p: luck, set: {x: +2}}, {p: rest}]}
payoffs: {A: {flow: x}}
terms: {calm: {binds: A, forbids: go, when: x >= 1, cost: fine}}
policies: {calm: [calm]}
policy: calm
outcomes: {far: {when: x >= goal}}
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [("prior", 0.2), ("lam", 4), ("delta", 0.5), ("price.b", 7), ("fine", 3), ("luck", 0.3)],
)
def test_values_that_keep_the_enumeration(name: str, value: float) -> None:
    game = compiled(MANY)
    there = changed(game, {name: value}, same=True)
    contract.assert_same(changed(there, {name: values_of(game.scenario)[name]}, same=True), game)


@pytest.mark.parametrize(
    ("name", "value"), [("rounds", 3), ("limit", 1), ("step", 2), ("goal", 1), ("start", 2)]
)
def test_values_that_enumerate_anew(name: str, value: float) -> None:
    game = compiled(MANY)
    assert name in game.structure.structural
    there = changed(game, {name: value}, same=False)
    contract.assert_same(changed(there, {name: values_of(game.scenario)[name]}, same=False), game)


def test_a_probability_of_zero_is_kept_where_a_parameter_can_move_it() -> None:
    game = compiled(MANY)
    chance = game.layers[1]
    assert chance.event == "luck_strikes"
    assert 0 in chance.prob  # two steps on, with probability 0 for now
    moved = changed(game, {"luck": 0.25}, same=True)
    assert set(moved.layers[1].prob) == {0.25, 0.75}
    forecasts = [
        detente.forecast(detente.solve(g, detente.SolveOptions(beliefs=5))).outcomes
        for g in (game, moved)
    ]
    assert forecasts[0]["happened"].max() < forecasts[1]["happened"].max()


def test_an_effect_that_was_left_out_is_enumerated_when_it_becomes_possible() -> None:
    game = compiled(MANY)
    assert np.diff(game.layers[0].trans_ptr).tolist() == [1, 1]  # max(…) is 0 all around 0.2
    moved = changed(game, {"slip": 0.75}, same=False)
    assert np.diff(moved.layers[0].trans_ptr).tolist() == [2, 1]
    assert moved.layers[0].prob[:2].tolist() == [0.25, 0.75]


@pytest.mark.parametrize(
    ("old", "new", "values", "code"),
    [
        ("cost: price", "cost: 1 / fine", {"fine": 0}, "not-finite"),
        ("{p: luck,", "{p: luck * x,", {"luck": 2}, "probabilities"),
        ("{p: luck,", "{p: x / (fine - 1) if x > 0 else 0,", {"fine": 1}, "not-finite"),
        ("max(slip - 0.5, 0)", "slip - 0.5 if x > 0 else 0.1", {"slip": 0.1}, "probabilities"),
    ],
)
def test_new_values_are_checked(old: str, new: str, values: dict[str, float], code: str) -> None:
    text = MANY.replace(old, new).replace("fine: {value: 1}", "fine: {value: 5}")
    game = compiled(text.replace("slip: {value: 0.2}", "slip: {value: 0.6}"))
    with pytest.raises(ScenarioError) as caught:
        detente.with_values(game, values)
    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert problem.place.line > 0


@pytest.mark.parametrize("values", [{"pryor": 0.5}, {"prior": 1.5}, {"prior": float("nan")}])
def test_wrong_new_values_are_refused(values: dict[str, float]) -> None:
    game = compiled(MANY)
    with pytest.raises(ScenarioError):
        detente.with_values(game, values)


# --- terms and policies ---

TERMS = """\
title: Terms
calendar: {period: round, horizon: 2}
actors:
  A: {types: {a: 0.5, b: 0.5}, precision: 1}
  B: {precision: 1}
state: {x: {levels: 0..2, start: 0, edge: cut}}
parameters: {shame: {value: {a: 1, b: 4}}}
turns: [A, B]
actions:
  A: {give: {set: {x: +1}, cost: 0.5}, hold: {}}
  B: {give: {}, hold: {}}
payoffs: {A: {flow: x}, B: {flow: x}}
terms:
  hard: {binds: [A, B], forbids: give, unless: x >= 1}
  late: {binds: A, forbids: hold, when: t == 2, unless: x == 0}
  soft: {binds: A, forbids: give, cost: shame}
  softer: {binds: A, forbids: [give, hold], when: x >= 1, cost: 10}
policies:
  hard: [hard]
  all of them: {terms: [late, soft, softer]}
policy: hard
"""


def available(game: CompiledGame, n: int) -> dict[int, list[int]]:
    """The mover's actions at each level of x before layer n."""
    layer = game.layers[n]
    spans = pairwise(layer.action_ptr.tolist())
    return {
        int(x): layer.action[a:b, 0].tolist() for x, (a, b) in zip(layer.states, spans, strict=True)
    }


def test_no_policy_has_no_terms() -> None:
    game = compiled(TERMS, policy="")
    assert game.policy == ""
    assert [available(game, n) for n in range(2)] == [{0: [0, 1]}, {0: [0, 1], 1: [0, 1]}]
    assert np.unique(game.layers[0].reward).tolist() == [-0.5, 0]


def test_a_hard_term_takes_actions_away() -> None:
    game = compiled(TERMS)
    assert game.policy == "hard"
    assert [available(game, n) for n in range(4)] == [{0: [1]}] * 4  # x never grows


def test_hard_and_soft_terms_where_they_are_in_force() -> None:
    game = compiled(TERMS, policy="all of them")
    assert [available(game, n) for n in range(4)] == [
        {0: [0, 1]},
        {0: [0, 1], 1: [0, 1]},
        {0: [0, 1], 1: [0]},  # the hard term of the second round
        {0: [0, 1], 1: [0, 1], 2: [0, 1]},
    ]
    # Giving costs 0.5 and the shame of the true type; from x = 1 on, 10 more.
    assert game.layers[0].reward.tolist() == [[-1.5, -4.5, 0, 0], [0, 0, 0, 0]]
    assert game.layers[2].reward.tolist() == [
        [-1.5, -4.5, 0, 0],
        [0, 0, 0, 0],
        [-11.5, -14.5, 0, 0],
    ]
    assert not game.layers[1].reward.any()  # B is not bound by them


def test_a_hard_term_on_one_actor_only() -> None:
    text = TERMS.replace("binds: [A, B]", "binds: B")
    game = compiled(text)
    assert available(game, 0) == {0: [0, 1]}
    assert available(game, 1) == {0: [1], 1: [0, 1]}


def test_an_unknown_policy() -> None:
    scenario = detente.loads(TERMS)
    with pytest.raises(ScenarioError) as caught:
        detente.compile_game(scenario, policy="sotf")
    (problem,) = caught.value.diagnostics
    assert str(problem) == (
        "argument `policy`: error[unknown-name]: the scenario has no policy 'sotf'\n"
        "  hint: there are `hard` and `all of them`"
    )


POLICIES = TERMS.replace(
    "policies:",
    """\
  mute: {binds: B, forbids: [give, hold], when: t == 2}
  idle: {binds: A, forbids: give, when: x > 2}
  rarely: {binds: A, forbids: give, when: x == 1}
outcomes:
  never: {when: x == 2 and t == 1}
  at_times: {when: x == 2}
policies:
  silence: [mute]
  idleness: [idle, rarely]
  idleness with no giving: [idle, rarely, hard]""",
)


def test_all_policies_at_once() -> None:
    games, found = compile_policies(detente.loads(POLICIES))
    # One policy cannot be played, which hides nothing about the others.
    assert list(games) == ["idleness", "idleness with no giving", "hard", "all of them"]
    for policy, game in games.items():
        assert game.policy == policy
        contract.check(game)
    # What comes about under one policy, and the term that binds under one, are not warned about.
    assert [(d.code, d.message.split()[1]) for d in found] == [
        ("no-action", "has"),
        ("never-binds", "idle"),
        ("never-holds", "never"),
    ]
    hard = [d.message.split()[1] for d in games["hard"].warnings]
    assert hard == ["never", "at_times"]


def test_all_policies_of_a_scenario_without_any() -> None:
    games, found = compile_policies(detente.loads(TINY))
    assert list(games) == [""]
    assert found == ()


# --- turns, chance, the edge of the levels ---


def test_a_turn_that_is_not_played() -> None:
    text = TINY.replace("when: x >= 1", "when: t >= 2").replace(", ends: true", "")
    game = compiled(text)
    assert game.layers[1].action.tolist() == [[-1], [-1]]
    assert (game.layers[4].action >= 0).all()


def test_an_effect_is_cut_at_the_edge() -> None:
    text = """\
title: Edges
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}}
state:
  low: {levels: -1..1, start: -1, edge: cut}
  name: {levels: [one, two], start: two, edge: cut}
turns: [A]
actions:
  A:
    both: {set: {low: -3, name: +1}}
    far: {set: {low: 7, name: one}}
    back: {set: {low: (-1), name: -9}}
payoffs: {A: {flow: low + rank(name)}}
"""
    game = compiled(text)
    levels = game.structure.levels(game.structure.sets[1][game.layers[0].succ])
    assert levels["low"].tolist() == [0, 2, 0]
    assert levels["name"].tolist() == [1, 0, 0]
    assert game.flow[0][game.layers[0].succ, 0].tolist() == [0, 1, -1]


def test_levels_below_zero_are_set_by_their_numbers() -> None:
    text = """\
title: Below zero
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}}
state: {x: {levels: -3..4, start: 2}, name: {levels: [one, two, three], start: two}}
turns: [A]
actions:
  A:
    same: {set: {x: x, name: name}}
    turn: {set: {x: (-x), name: three}}
    back: {set: {x: -x, name: -1}}
payoffs: {A: {flow: 10 * x + rank(name)}}
"""
    game = compiled(text)
    assert game.flow[0][game.layers[0].succ, 0].tolist() == [21, -18, 0]


def test_changes_read_the_state_before_any_of_them() -> None:
    text = """\
title: Swap
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}}
state: {x: {levels: 0..5, start: 1}, y: {levels: 0..5, start: 4}}
turns: [A]
actions: {A: {swap: {set: {x: y, y: x}}}}
payoffs: {A: {flow: 10 * x + y}}
"""
    assert compiled(text).flow[0].tolist() == [[41]]


CHANCE = """\
title: Chance
calendar: {period: round, horizon: 3}
actors: {A: {types: {a: 0.3, b: 0.7}, precision: 1}}
state: {x: {levels: 0..3, start: 1, edge: cut}, y: {levels: 0..2, start: 0}}
parameters: {taste: {value: {a: 1, b: -1}}}
turns: [A, TURNS]
actions: {A: {up: {set: {x: +1}}, down: {set: {x: -1}}}}
chance:
  one: {when: x < 3, effects: [{p: 0.3, set: {x: +1}}, {p: 0.2, set: {x: -1}}, {p: rest}]}
  two: {effects: [{p: 0.1 * x, set: {y: 1}}, {p: rest}]}
  three: {when: y == 1 and t >= 2, effects: [{p: 0.5, set: {y: 2}}, {p: rest, set: {x: 0}}]}
payoffs: {A: {flow: taste * x + y}}
outcomes: {lucky: {when: y == 2}, stuck: {when: x == 0, ends: true}}
"""


def test_events_of_one_turn_are_the_events_one_by_one() -> None:
    fused = compiled(CHANCE.replace("TURNS", "chance"))
    apart = compiled(CHANCE.replace("TURNS", "{chance: [one]}, {chance: [two]}, {chance: [three]}"))
    assert [layer.event for layer in fused.layers if not layer.movers] == [
        "one, two",  # the third cannot happen in the first round
        "one, two, three",
        "one, two, three",
    ]
    # In the first round the turn of the third is played, but nothing happens.
    assert len(fused.layers) == 6
    tables = [
        detente.forecast(detente.solve(game, detente.SolveOptions(beliefs=65)))
        for game in (fused, apart)
    ]
    for key in ("states", "outcomes", "payoffs", "beliefs"):
        one, other = (getattr(table, key) for table in tables)
        errors = ("error", "spread_error")
        numbers = [c for c in one if one[c].dtype == float and c not in errors]
        rest = [c for c in one if c not in numbers and c not in errors]
        assert one[rest].equals(other[rest])
        assert np.allclose(one[numbers], other[numbers], atol=1e-12, equal_nan=True), key


def test_the_order_of_events_is_that_of_the_turn() -> None:
    text = CHANCE.replace("TURNS", "{chance: [three, two, one]}")
    game = compiled(text)
    assert [layer.event for layer in game.layers if not layer.movers] == [
        "two, one",
        "three, two, one",
        "three, two, one",
    ]


def test_what_holds_only_between_events_does_not_count_and_is_no_mistake() -> None:
    text = """\
title: A moment
calendar: {period: round, horizon: 2}
actors: {A: {precision: 1}}
state: {x: {levels: 0..1, start: 0}}
turns: [A, chance]
actions: {A: {wait: {}}}
chance: {flash: {set: {x: 1}}, fade: {set: {x: 0}}}
payoffs: {A: {flow: x}}
outcomes: {seen: {when: x == 1}}
"""
    game = compiled(text)
    assert not any(where.any() for where in game.holds["seen"])
    assert game.warnings == ()


def test_play_ends_within_a_turn_of_chance() -> None:
    text = """\
title: Ends
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}}
state: {war: {levels: 0..1, start: 0}, storm: {levels: 0..1, start: 0}}
turns: [A, chance]
actions: {A: {wait: {}}}
chance:
  clash: {effects: [{p: 0.25, set: {war: 1}}, {p: rest}]}
  wind: {set: {storm: 1}}
payoffs: {A: {flow: storm}}
outcomes: {over: {when: war == 1, ends: true}, dark: {when: war == 1, ends: true}}
"""
    game = compiled(text)
    levels = game.structure.levels(game.final)
    assert list(zip(levels["war"].tolist(), levels["storm"].tolist(), strict=True)) == [
        (0, 1),
        (1, 0),
    ]


def test_a_scenario_without_a_state() -> None:
    text = """\
title: One choice
calendar: {period: round, horizon: 2}
actors: {A: {types: {a: 0.5, b: 0.5}, precision: 1}}
state: {}
parameters: {taste: {value: {a: 1, b: -1}}}
turns: [A]
actions: {A: {left: {cost: taste}, right: {}}}
payoffs: {A: {flow: 1 / (3 - t)}}
"""
    game = compiled(text)
    assert [states.tolist() for states in game.structure.sets] == [[0]] * 3
    result = detente.forecast(detente.solve(game, detente.SolveOptions(beliefs=5)))
    assert list(result.states) == ["t", "period", "A", "variable", "level", "label", "probability"]
    assert result.states.empty
    with pytest.raises(ScenarioError, match="in round 2, at the only state"):
        detente.compile_game(detente.loads(text.replace("3 - t", "2 - t")))


# --- size ---


def wide(sizes: list[int]) -> str:
    variables = "\n".join(f"  v{i}: {{levels: 0..{n - 1}, start: 0}}" for i, n in enumerate(sizes))
    return f"""\
title: Wide
calendar: {{period: round, horizon: 2}}
actors: {{A: {{precision: 1}}}}
state:
{variables}
turns: [A]
actions: {{A: {{up: {{when: v0 == 0, set: {{v0: +1}}}}, wait: {{}}}}}}
payoffs: {{A: {{flow: v0}}}}
"""


@pytest.mark.parametrize("sizes", [[10_000] * 3, [2] * 62, [2, *[1] * 70]])
def test_only_reachable_states_count(sizes: list[int]) -> None:
    game = compiled(wide(sizes))
    assert [states.size for states in game.structure.sets] == [1, 2, 2]
    assert game.flow[0].tolist() == [[0], [1]]


@pytest.mark.slow
def test_more_states_than_can_be_numbered() -> None:
    assert codes(wide([2] * 63)) == ["too-large"]
    assert codes(wide([10_000] * 5000)) == ["too-large"]


def test_a_game_too_large_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = detente.loads(ALONE.replace("horizon: 3", "horizon: 4"))
    monkeypatch.setattr("detente.game.turns.MAX_BYTES", 1500)
    with pytest.raises(ScenarioError) as caught:
        detente.compile_game(scenario)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.place.line) == ("too-large", 2)
    assert "of the 4 periods need" in problem.message


def test_periods_that_the_calendar_does_not_tell_apart_share_their_arrays() -> None:
    text = """\
title: Two
calendar: {start: 2018-01, period: month, horizon: 12}
actors: {A: {precision: 1}, B: {precision: 1}}
state: {x: {levels: 0..2, start: 0}}
turns: [A, B]
actions:
  A: {hold: {}, rise: {when: x < 2, set: {x: x + 1}, cost: 0.1 * t}}
  B: {hold: {}, fall: {when: 'x > 0 and month in (3, 6)', set: {x: x - 1}}}
payoffs: {A: {flow: x}}
"""
    game = detente.compile_game(detente.loads(text))
    own = [layer for layer in game.layers if layer.movers == (0,)][-2:]
    assert own[0].succ is own[1].succ  # from the third period on all levels are met
    assert own[0].period < own[1].period
    assert own[0].reward is not own[1].reward
    assert np.min(own[1].reward) == pytest.approx(-1.2)
    other = {layer.period: layer for layer in game.layers if layer.movers == (1,)}
    assert other[6].succ.size > other[7].succ.size
    assert game.flow[-1] is game.flow[-2]
