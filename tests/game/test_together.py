"""Turns at which several actors choose, and any number of types: worked out by hand, and anew."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, with_values
from detente.game.export import InformationSet, count_nodes, to_efg, unroll
from detente.scenario.loader import load, loads
from tests.effort import examples
from tests.game import contract
from tests.generate import Shape, scenarios
from tests.oracles import information_sets, nodes, read, uniform_payoffs

ordinary = settings(
    max_examples=examples(20),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = st.sampled_from(
    [
        Shape(actors=2, informed=1, together=2, actions=2, levels=3, periods=3),
        Shape(actors=3, informed=2, together=2, types=3, actions=2, levels=4, periods=2),
        Shape(actors=3, informed=3, together=3, actions=3, levels=3, periods=2, discount=True),
        Shape(actors=2, informed=2, together=2, types=4, actions=2, levels=3, forever=True),
        Shape(actors=3, informed=1, together=1, types=5, periods=2),
    ]
)

PAIR = """\
title: Two at a time
calendar: {period: round, horizon: 2}
actors:
  A: {types: {strong: 0.25, weak: 0.75}, precision: 2}
  B: {precision: 1, discount: 0.5}
state:
  x: {levels: 0..3, start: 0, edge: cut}
  y: {levels: 0..1, start: 0}
parameters:
  effort: {value: {strong: 1, weak: 2}}
  luck: {value: 0.75}
turns: [{who: [B, A], when: x <= 1}]
actions:
  A:
    up: {effects: [{p: luck, set: {x: +1}}, {p: rest}], cost: effort}
    wait: {}
  B:
    push: {effects: [{p: 0.5, set: {x: +2}}, {p: rest, set: {x: 0}}], cost: {B: 3, A: 4}}
    flip: {when: y == 0, set: {y: 1}, cost: 0.5}
    hold: {when: y == 1}
payoffs:
  A: {flow: x}
  B: {terminal: x}
"""


def compiled(text: str, policy: str | None = None, **values: float) -> CompiledGame:
    game = compile_game(loads(text).with_values(values), policy=policy)
    contract.check(game)
    return game


def levels(game: CompiledGame, n: int, key: str) -> list[int]:
    """The level of a variable that each transition of layer n leads to."""
    structure = game.structure
    reached = structure.levels(structure.sets[n + 1])[key]
    return [int(level) for level in reached[game.layers[n].succ]]


# --- the arrays ---


def test_arrays_of_a_small_game() -> None:
    game = compiled(PAIR)
    first, second = game.layers
    assert first.movers == (1, 0)  # in the order of the turn
    assert first.event == ""
    assert first.choices.tolist() == [[2, 2]]
    assert first.action.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    # B pushes and A goes up: x is 2 + 1, 2, then 0 + 1, 0; the other way round for B alone.
    assert first.trans_ptr.tolist() == [0, 4, 6, 8, 9]
    assert first.prob.tolist() == [0.375, 0.125, 0.375, 0.125, 0.5, 0.5, 0.75, 0.25, 1]
    assert levels(game, 0, "x") == [3, 2, 1, 0, 2, 0, 1, 0, 0]
    assert levels(game, 0, "y") == [0, 0, 0, 0, 0, 0, 1, 1, 1]
    # A when strong, A when weak, B twice: costs of both movers add up.
    assert first.reward.tolist() == [
        [-5, -6, -3, -3],
        [-4, -4, -3, -3],
        [-1, -2, -0.5, -0.5],
        [0, 0, -0.5, -0.5],
    ]

    # Where the turn's condition does not hold, nobody moves; B has an action less where y is 1.
    before = second.states.tolist()
    assert [game.structure.describe(code) for code in before] == [
        "x 0, y 0",
        "x 0, y 1",
        "x 1, y 0",
        "x 1, y 1",
        "x 2, y 0",
        "x 3, y 0",
    ]
    assert second.choices.tolist() == [[2, 2]] * 4 + [[1, 1]] * 2
    assert second.action[4:8].tolist() == [[0, 0], [0, 1], [2, 0], [2, 1]]
    assert second.action[-2:].tolist() == [[-1, -1]] * 2
    assert second.prob[-2:].tolist() == [1, 1]
    assert not second.reward[-2:].any()
    assert game.structure.skeletons[0].movers == (1, 0)


SETS = """\
title: Sets and shifts
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}, B: {precision: 1}, C: {precision: 1}}
state:
  x: {levels: 0..5, start: 2, edge: EDGE}
  y: {levels: 0..5, start: 4}
turns: [{who: [WHO]}]
actions:
  A: {go: {set: {SETA}}}
  B: {go: {set: {SETB}}}
  C: {go: {set: {SETC}}}
payoffs: {A: {flow: x}}
"""


def after(who: str, a: str, b: str, c: str = "y: 4", edge: str = "error") -> tuple[int, int]:
    text = SETS.replace("WHO", who).replace("SETA", a).replace("SETB", b).replace("SETC", c)
    game = compiled(text.replace("EDGE", edge))
    return levels(game, 0, "x")[0], levels(game, 0, "y")[0]


@pytest.mark.parametrize(
    ("who", "a", "b", "expected"),
    [
        ("A, B", "x: 5", "x: 3", (3, 4)),  # the later one prevails
        ("B, A", "x: 5", "x: 3", (5, 4)),
        ("A, B", "x: +1", "x: 3", (4, 4)),  # set first, then shifted
        ("B, A", "x: +1", "x: 3", (4, 4)),
        ("A, B", "x: +2", "x: +1", (5, 4)),
        ("A, B", "x: +4", "x: -3", (3, 4)),  # the edge is looked at on the result
        ("A, B", "x: -3", "x: +1", (0, 4)),
        ("A, B", "x: y", "y: x", (4, 2)),  # both read the state before the turn
        ("A, B", "x: +x, y: x", "x: y - 1", (5, 2)),
        ("A, B", "x: 9 - y, y: 0", "x: -1, y: +1", (4, 1)),
    ],
)
def test_changes_of_several_movers(who: str, a: str, b: str, expected: tuple[int, int]) -> None:
    for more in (f"{who}, C", f"C, {who}"):
        assert after(more, a, b, "x: +0") == expected


def test_the_edge_is_looked_at_once() -> None:
    assert after("A, B, C", "x: +9", "x: -7", "x: -3", "cut") == (1, 4)
    assert after("A, B, C", "x: +9", "x: -1", "y: 4", "cut") == (5, 4)
    assert after("A, B, C", "x: -9", "x: 4", "x: +1", "cut") == (0, 4)
    assert after("A, B, C", "x: 9", "x: 1") == (1, 4)  # what is overruled does not count
    with pytest.raises(ScenarioError) as caught:
        after("A, B, C", "x: +2", "x: 4", "x: +1")
    (problem,) = caught.value.diagnostics
    assert problem.code == "leaves-levels"
    assert problem.place.line == 11  # of the last change
    assert "with `go` of B and `go` of A," in problem.message


# --- against formulas evaluated one state at a time ---


def recomputed(game: CompiledGame, n: int, x: int) -> list[tuple[list[int], dict[int, float]]]:
    """Each joint action of a state with the probability of each next state, from the scenario.

    For generated scenarios: one variable x with `edge: cut`, shifts only, play that never ends.
    """
    layer, scenario = game.layers[n], game.scenario
    state = int(layer.states[x])
    (variable,) = scenario.variables.values()
    names = [list(scenario.actors)[mover] for mover in layer.movers]
    scalars = {key: p.values[0] for key, p in scenario.parameters.items() if not p.types}
    found = []
    for joint in product(*(enumerate(scenario.actions[name].values()) for name in names)):
        chances: dict[int, float] = {}
        for parts in product(*(action.alternatives for _, action in joint)):
            p, shift = 1.0, 0.0
            for (_, action), part in zip(joint, parts, strict=True):
                given = [a.probability for a in action.alternatives if a.probability]
                rest = 1 - math.fsum(float(f.evaluate(scalars)) for f in given)
                p *= float(part.probability.evaluate(scalars)) if part.probability else rest
                shift += sum(float(c.formula.evaluate(scalars)) for c in part.changes)
            level = min(max(state + round(shift), 0), variable.size - 1)
            chances[level] = chances.get(level, 0.0) + p
        found.append(([number for number, _ in joint], chances))
    return found


@ordinary
@given(data=st.data())
def test_random_games_keep_the_contract_and_the_rules(data: st.DataObject) -> None:
    game = compile_game(loads(data.draw(scenarios(data.draw(SHAPES)))))
    contract.check(game)
    for n, layer in enumerate(game.layers):
        for x in range(layer.states.size if layer.movers else 0):
            edges = range(layer.action_ptr[x], layer.action_ptr[x + 1])
            expected = recomputed(game, n, x)
            assert [layer.action[e].tolist() for e in edges] == [own for own, _ in expected]
            for e, (_, chances) in zip(edges, expected, strict=True):
                there: dict[int, float] = {}
                for k in range(layer.trans_ptr[e], layer.trans_ptr[e + 1]):
                    level = int(game.structure.sets[n + 1][layer.succ[k]])
                    there[level] = there.get(level, 0.0) + float(layer.prob[k])
                assert there == pytest.approx(chances, abs=1e-12)


@ordinary
@given(data=st.data())
def test_costs_of_movers_add_up(data: st.DataObject) -> None:
    game = compile_game(loads(data.draw(scenarios(data.draw(SHAPES)))))
    parameters = game.scenario.parameters
    for layer in game.layers:
        paid = np.zeros((len(layer.action), len(game.priors), len(game.profiles)))
        for i, own in zip(layer.movers, layer.action.T, strict=True):
            costs = np.array(
                [parameters[f"cost_{i}_{a}"].values for a in range(own.max() + 1)]
            )  # [a, θ]
            theta = game.profiles[:, i] if costs.shape[1] > 1 else np.zeros(len(game.profiles), int)
            paid[:, i] += costs[own][:, theta]
        assert np.array_equal(layer.reward, -paid.reshape(len(paid), -1))


# --- new values ---


def refilled(game: CompiledGame, values: dict[str, float], *, same: bool) -> CompiledGame:
    result = with_values(game, values)
    contract.check(result)
    fresh = compile_game(game.scenario.with_values(values), policy=game.policy)
    contract.assert_same(result, fresh)
    assert (result.structure is game.structure) == same
    return result


def test_new_values_keep_the_enumeration() -> None:
    game = compiled(PAIR)
    refilled(game, {"effort.weak": 7, "luck": 0.25}, same=True)
    certain = refilled(game, {"luck": 1}, same=True)  # with transitions of probability 0
    assert 0 in certain.layers[0].prob
    contract.assert_same(refilled(certain, {"luck": 0.75}, same=True), game)
    assert compiled(PAIR, luck=1).layers[0].succ.size == game.layers[0].succ.size


def test_what_reads_no_changed_parameter_is_kept() -> None:
    game = compile_game(load("bargaining-rounds"))
    for name in (name for p in game.scenario.parameters.values() for name in p.names()):
        if name.partition(".")[0] not in game.structure.structural:
            refilled(game, {name: 0.45}, same=True)
    moved = with_values(game, {"step_cost.stalling": 0.45})
    kept = [new is old for new, old in zip(moved.layers, game.layers, strict=True)]
    movers = [layer.movers for layer in game.layers]
    assert kept == [mover != (1,) for mover in movers]
    assert moved.flow is game.flow
    assert with_values(game, {"prior": 0.6}).layers == game.layers


def test_an_alternative_that_becomes_possible_is_enumerated() -> None:
    game = compiled(PAIR.replace("{p: luck,", '{p: "max(luck - 1 / 2, 0)",'), luck=0.2)
    assert np.diff(game.layers[0].trans_ptr).tolist() == [2, 2, 1, 1]
    refilled(game, {"luck": 0.75}, same=False)


# --- terms ---

TERMS = """\
title: Terms
calendar: {period: round, horizon: 1}
actors:
  A: {types: {a: 0.5, b: 0.3, c: 0.2}, precision: 1}
  B: {precision: 1}
state: {}
parameters: {shame: {value: {a: 1, b: 4, c: 9}}}
turns: [{who: [A, B]}]
actions:
  A: {give: {cost: 0.5}, hold: {}}
  B: {give: {}, hold: {}, go: {}}
payoffs: {A: {flow: 1}, B: {flow: 1}}
terms:
  hard: {binds: B, forbids: give}
  soft: {binds: [A, B], forbids: give, cost: shame}
policies:
  hard: [hard]
  soft: [soft]
policy: hard
"""


def test_terms_bind_each_mover() -> None:
    hard = compiled(TERMS)
    assert hard.layers[0].choices.tolist() == [[2, 2]]
    assert hard.layers[0].action.tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]
    soft = compiled(TERMS, "soft")
    assert soft.layers[0].action.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    # Who breaks it pays what it costs by the true type of A; components: A by type, B by type.
    mine, other = [-1.5, -4.5, -9.5], [-1, -4, -9]
    none = [0, 0, 0]
    assert soft.layers[0].reward.tolist() == [
        [*mine, *other],
        [*mine, *none],
        [*mine, *none],
        [*none, *other],
        [*none, *none],
        [*none, *none],
    ]


# --- any number of types, and sizes ---


def test_many_types() -> None:
    kinds = ", ".join(f"k{n}: {1 / 1024}" for n in range(1024))
    text = TERMS.replace("a: 0.5, b: 0.3, c: 0.2", kinds).replace("{a: 1, b: 4, c: 9}", "1")
    game = compiled(text)
    assert game.profiles.shape == (1024, 2)
    more = text.replace("k0:", "k1024: 0, k0:")
    with pytest.raises(ScenarioError, match="make 1,025 type profiles; at most 1,024 are taken"):
        compile_game(loads(more))


def test_joint_actions_beyond_memory_are_refused_at_once() -> None:
    actors = [f"A{i}" for i in range(40)]
    text = "\n".join(
        [
            "title: Too many together",
            "calendar: {period: round, horizon: 1}",
            "actors:",
            *(f"  {name}: {{precision: 1}}" for name in actors),
            "state: {}",
            f"turns: [{{who: [{', '.join(actors)}]}}]",
            "actions:",
            *(f"  {name}: {{a: {{}}, b: {{}}, c: {{}}}}" for name in actors),
            "payoffs: {A0: {flow: 1}}",
        ]
    )
    with pytest.raises(ScenarioError) as caught:
        compile_game(loads(text))
    assert [problem.code for problem in caught.value.diagnostics] == ["too-large"]


# --- the tree ---

PENNIES = """\
title: Pennies
calendar: {period: round, horizon: 1}
actors:
  A: {types: {good: 0.5, bad: 0.5}, precision: 1}
  B: {precision: 1}
  C: {precision: 1}
state: {x: {levels: 0..1, start: 0}}
turns: [{who: [A, C, B]}, B]
actions:
  A: {heads: {cost: A == good}, tails: {set: {x: 1}}}
  B: {heads: {}, tails: {cost: x}}
  C: {watch: {}}
payoffs: {A: {flow: x}}
"""


def test_the_tree_hides_what_others_choose_at_the_same_time() -> None:
    game = compiled(PENNIES)
    tree = unroll(game)
    sets = [(s.player, s.number, s.layer, s.actor, s.theta) for s in tree.information_sets]
    # B has one set in the first turn, whatever A's type and choice; then one for each history.
    assert sets[:3] == [(1, 1, 0, 0, 0), (2, 1, 0, 1, 0), (2, 2, 1, 1, 0)]
    assert len(sets) == 2 + 1 + 4
    assert all(s.history == () for s in tree.information_sets if s.layer == 0)
    later = [s.history for s in tree.information_sets if s.layer == 1]
    assert sorted(later) == [((0, e, e),) for e in range(4)]
    lines = tree.text.splitlines()[3:]
    assert len(lines) == count_nodes(game) == 1 + 2 * (1 + 2 + 4 + 8)
    assert lines[:4] == [
        'c "" 1 "types #1" { "A good" 1/2 "A bad" 1/2 } 0',
        'p "" 1 1 "A good #1, round 1: x 0" { "heads" "tails" } 0',
        'p "" 2 1 "B #1, round 1: x 0" { "heads" "tails" } 0',
        'p "" 2 2 "B #2, round 1: x 0" { "heads" "tails" } 0',
    ]
    assert isinstance(tree.information_sets[0], InformationSet)


def uniform(game: CompiledGame) -> np.ndarray:
    """What each actor expects at the start, float64 [i], where all play at random: no discount."""
    count = len(game.profiles)
    value = game.terminal
    for n in reversed(range(len(game.layers))):
        layer = game.layers[n]
        if game.ends_period[n]:
            value = value + game.flow[layer.period - 1]
        moved = layer.prob[:, None] * value[layer.succ]
        edges = np.add.reduceat(moved, layer.trans_ptr[:-1]) + layer.reward
        totals = np.add.reduceat(edges, layer.action_ptr[:-1])
        value = totals / np.diff(layer.action_ptr)[:, None]
    return value[0].reshape(-1, count) @ game.profile_prior()


@pytest.mark.gambit
@pytest.mark.parametrize(
    "shape",
    [
        Shape(actors=2, informed=2, together=2, levels=3, periods=2),
        Shape(actors=3, informed=1, together=2, types=3, levels=2, periods=1),
        Shape(actors=3, informed=2, together=3, types=2, levels=2, periods=1, chance=False),
    ],
)
@settings(parent=ordinary, max_examples=examples(3))
@given(data=st.data())
def test_gambit_reads_the_tree_and_agrees_on_uniform_play(
    shape: Shape, data: st.DataObject
) -> None:
    game = compile_game(loads(data.draw(scenarios(shape))))
    assert np.all(game.discount == 1)
    tree = unroll(game)
    efg = read(tree.text)
    assert len(nodes(efg)) == count_nodes(game)
    assert len(information_sets(efg)) == len(tree.information_sets)
    assert list(uniform_payoffs(efg).values()) == pytest.approx(uniform(game).tolist(), abs=1e-9)
    assert to_efg(game) == tree.text
