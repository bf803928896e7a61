"""The unrolled tree: what stands in the file, and what Gambit reads out of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import detente
from detente.errors import SolveError
from detente.game.arrays import CompiledGame
from detente.game.export import count_nodes, to_efg, unroll
from tests.effort import examples
from tests.generate import Shape, scenarios
from tests.oracles import has_payoffs, information_sets, nodes, read, uniform_payoffs

few = settings(
    max_examples=examples(4),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = [
    Shape(actors=2, informed=0, actions=2, levels=3, periods=2),
    Shape(actors=2, informed=1, actions=3, levels=3, periods=2, chance=False),
    Shape(actors=1, informed=1, actions=2, levels=3, periods=3, discount=True),
    Shape(actors=3, informed=2, actions=2, levels=2, periods=1),
    Shape(actors=2, informed=2, actions=2, levels=2, periods=2, discount=True),
]

TINY = """\
title: A "tiny" game
calendar: {start: 2018-02, period: month, horizon: 1}
actors:
  A: {name: The first, types: {strong: 0.25, weak: 0.75}, precision: 2}
  B: {precision: 3, discount: 0.5}
state:
  x: {levels: 0..2, start: 0}
turns: [A, B]
actions:
  A:
    up: {effects: [{p: 0.1, set: {x: 1}}, {p: rest, set: {x: 2}}], cost: 1}
    wait: {}
  B:
    push: {when: x == 1, cost: {B: 1, A: 2}}
    hold: {}
payoffs:
  A: {flow: 4 * (A == weak), terminal: x}
  B: {flow: -1, terminal: 8 * x}
"""


def game_of(text: str, **values: float) -> CompiledGame:
    return detente.compile_game(detente.loads(text).with_values(values))


def test_the_whole_text_of_a_tiny_game() -> None:
    assert to_efg(game_of(TINY)).splitlines() == [
        """EFG 2 R "A 'tiny' game" { "The first" "B, 2018-02" }""",
        '"<text>, 1 periods; written by Detente"',
        "",
        'c "" 1 "types #1" { "A strong" 1/4 "A weak" 3/4 } 0',
        'p "" 1 1 "A strong #1, 2018-02: x 0" { "up" "wait" } 0',
        'c "" 2 "effect #2" { "x 1" 1/10 "x 2" 9/10 } 0',
        'p "" 2 1 "B #1, 2018-02: x 1" { "push" "hold" } 0',
        't "" 1 "" { -2.0 2.0 }',  # -1 - 2 + 1, and -1 - 1 + 8 / 2
        't "" 2 "" { 0.0 3.0 }',
        't "" 3 "" { 1.0 7.0 }',
        't "" 4 "" { 0.0 -1.0 }',
        'p "" 1 2 "A weak #2, 2018-02: x 0" { "up" "wait" } 0',
        'c "" 3 "effect #3" { "x 1" 1/10 "x 2" 9/10 } 0',
        'p "" 2 1 "B #1, 2018-02: x 1" { "push" "hold" } 0',
        't "" 5 "" { 2.0 2.0 }',
        't "" 6 "" { 4.0 3.0 }',
        't "" 7 "" { 5.0 7.0 }',
        't "" 8 "" { 4.0 -1.0 }',
    ]


def test_payoffs_scaled_by_precision() -> None:
    plain, scaled = (unroll(game_of(TINY), scale=scale).text for scale in (False, True))
    assert 't "" 3 "" { 1.0 7.0 }' in plain
    assert 't "" 3 "" { 2.0 21.0 }' in scaled


def test_information_sets_are_listed_in_the_order_of_their_numbers() -> None:
    tree = unroll(game_of(TINY))
    assert [(s.player, s.number, s.actor, s.theta) for s in tree.information_sets] == [
        (1, 1, 0, 0),
        (2, 1, 1, 0),
        (1, 2, 0, 1),
    ]
    assert tree.players == ("The first", "B, 2018-02")
    up, *_ = (s for s in tree.information_sets if s.actor == 1)
    assert (up.layer, up.state) == (1, 1)
    assert [n for n, _, _ in up.history] == [0]


@pytest.mark.gambit
@pytest.mark.parametrize("shape", SHAPES)
@few
@given(data=st.data())
def test_gambit_agrees_on_uniform_play(shape: Shape, data: st.DataObject) -> None:
    game = detente.compile_game(detente.loads(data.draw(scenarios(shape, 0.0))))
    check(game)


@pytest.mark.gambit
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bargaining-rounds", {"rounds": 1, "precision": 0}),
        ("bargaining-rounds", {"rounds": 2, "precision": 0}),
        ("beer-quiche", {"precision": 0}),
        ("crisis-signalling", {"precision": 0}),
        ("centipede", {"precision": 0}),
        ("chain-store", {"precision": 0, "entrants": 3}),
    ],
)
def test_gambit_agrees_on_the_library(name: str, values: dict[str, float]) -> None:
    check(detente.compile_game(detente.load(name).with_values(values)))


def check(game: CompiledGame) -> None:
    """Nodes, labels, payoffs at terminal nodes only, and payoffs of uniform play."""
    assert not game.precision.any()
    tree = unroll(game)
    efg = read(tree.text)
    assert len(nodes(efg)) == count_nodes(game)
    assert all(has_payoffs(node) == node.startswith("t ") for node in nodes(efg))
    assert list(efg.players) == list(tree.players)
    sets = information_sets(efg)
    labels = [label for label, _ in sets.values()]
    assert len(set(labels)) == len(labels) == len(tree.information_sets)
    for _, actions in sets.values():
        assert len(set(actions)) == len(actions) > 1
    assert len(set(tree.players)) == len(tree.players)

    solution = detente.solve(game, detente.SolveOptions(beliefs=5), coarse=False)
    ours = solution.start_values[solution.grid.start].reshape(len(game.priors), -1)
    theirs = uniform_payoffs(efg)
    for i, actor in enumerate(game.scenario.actors.values()):
        one = game.discount[i] == 1
        label = actor.name if one else f"{actor.name}, {game.scenario.calendar.label(1)}"
        assert theirs[label] == pytest.approx(float(ours[i] @ game.profile_prior()), abs=1e-9)


DISCOUNTED = """\
title: Discounted
calendar: {period: round, horizon: 3}
actors:
  patient: {precision: 0}
  hasty: {precision: 0, discount: 0.5}
  myopic: {precision: 0, discount: 0}
state: {x: {levels: 0..3, start: 0}}
turns: [patient, hasty, myopic]
actions:
  patient: {up: {set: {x: +1}}, stay: {}}
  hasty: {wait: {cost: 1}, rush: {}}
  myopic: {wait: {}, rush: {cost: x}}
payoffs:
  patient: {flow: 1, terminal: x}
  hasty: {flow: 16 * t, terminal: 64}
  myopic: {flow: t, terminal: 1000}
"""


def test_agents_of_each_period_where_the_future_is_discounted() -> None:
    tree = unroll(game_of(DISCOUNTED))
    assert tree.players == (
        "patient",
        *(f"hasty, round {t}" for t in (1, 2, 3)),
        *(f"myopic, round {t}" for t in (1, 2, 3)),
    )


@pytest.mark.gambit
def test_agents_count_from_their_own_period_on() -> None:
    payoffs = list(uniform_payoffs(read(to_efg(game_of(DISCOUNTED)))).values())
    # At that period's value.
    hasty = [16 + 16 + 12 + 8 - 0.875, 32 + 24 + 16 - 0.75, 48 + 32 - 0.5]
    myopic = [1 - 0.25, 2 - 0.5, 3 - 0.75]
    assert payoffs == pytest.approx([3 + 1.5, *hasty, *myopic])


def test_a_type_that_cannot_be_is_left_out() -> None:
    text = TINY.replace("strong: 0.25, weak: 0.75", "strong: 0, weak: 1")
    game = game_of(text)
    tree = unroll(game)
    assert "strong" not in tree.text
    assert len(tree.text.splitlines()) - 3 == count_nodes(game) == 7


def test_names_that_people_share_are_told_apart() -> None:
    text = TINY.replace("B: {precision", "B: {name: The first, precision")
    assert unroll(game_of(text)).players == ("The first (A)", "The first (B), 2018-02")


@pytest.mark.gambit
def test_gambit_reads_names_that_people_share() -> None:
    text = TINY.replace("B: {precision", "B: {name: The first, precision")
    assert len(read(to_efg(game_of(text))).players) == 2
    text = TINY.replace("strong: 0.25, weak: 0.75", "strong: 0, weak: 1")
    assert len(nodes(read(to_efg(game_of(text))))) == 7


def test_a_tree_that_is_too_large_is_refused_with_its_size() -> None:
    game = detente.compile_game(detente.load("bargaining-rounds"))
    assert count_nodes(game) == 777
    assert len(to_efg(game, max_nodes=777).splitlines()) == 777 + 3
    with pytest.raises(SolveError, match=r"would have 777 nodes; at most 776 are written\nhint: "):
        to_efg(game, max_nodes=776)


def test_a_tree_beyond_all_numbers_is_refused_as_well() -> None:
    game = detente.compile_game(detente.loads(TINY).with_horizon(1000))
    with pytest.raises(SolveError, match=r"would have about 10\^[0-9]{3} nodes"):
        to_efg(game)


def long_game() -> CompiledGame:
    text = TINY.replace(", discount: 0.5", "").replace(
        "turns: [A, B]", "turns: [{who: A, when: t >= last}, {who: B, when: t < 1}]"
    )
    return detente.compile_game(detente.loads(text).with_horizon(1200))


@pytest.mark.slow
def test_a_long_game_with_few_nodes() -> None:
    game = long_game()
    assert len(to_efg(game).splitlines()) - 3 == count_nodes(game) == 1 + 2 * 5
    assert np.all(game.layers[0].action == -1)


@pytest.mark.slow
@pytest.mark.gambit
def test_gambit_reads_a_long_game() -> None:
    assert len(nodes(read(to_efg(long_game())))) == 1 + 2 * 5
