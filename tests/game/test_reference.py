"""Reference behaviour: another name for a move changes nothing, and weights are repetitions."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import detente
from detente.errors import SolveError
from detente.game.export import count_nodes, unroll
from detente.simulation.forecast import Forecast
from detente.solver.options import SolveOptions
from tests import oracles
from tests.effort import examples
from tests.generate import Shape, scenarios
from tests.solver.test_gambit import at_information_set

OPTIONS = SolveOptions(beliefs=9, threads=1)

SHAPES = {
    "one informed": Shape(),
    "two informed": Shape(actors=2, informed=2, actions=3),
    "three types": Shape(types=3),
    "at once": Shape(actors=3, informed=1, together=2),
    "at once, three actions": Shape(actors=2, informed=1, together=2, actions=3),
    "forever": Shape(discount=True, forever=True),
    "reference": Shape(informed=2, reference=True),
    "shocks, at once": Shape(informed=1, together=2, reference=True, shocks=True),
    "shocks, forever": Shape(discount=True, forever=True, shocks=True),
}

SMALL = """
title: one of two
calendar: {period: round, horizon: 2}
actors:
  A: {precision: 1}
state:
  x: {levels: 0..2, start: 0, edge: cut}
turns: [A]
actions:
  A:
    go: {set: {x: +1}, cost: 0.3}
    wait: {}
payoffs:
  A: {terminal: x}
outcomes:
  far: {when: x == 2}
"""


def renamed_twice(text: str, actor: str, action: str, *, in_full: bool) -> str:
    """The scenario in which an action has a second name, with all that it does or without."""
    own = text.index(f"  {actor}:\n")
    begin = text.index(f"    {action}: {{", own)
    line = text[begin : text.index("\n", begin)]
    twin = f"    other_name: {{like: {action}}}"
    if in_full:
        twin = re.sub(", reference: [^,}]*", "", line)
        twin = twin.replace(f"    {action}: {{", f"    other_name: {{like: {action}, ")
    return f"{text[:begin]}{line}\n{twin}{text[begin + len(line) :]}"


def forecast_of(text: str) -> Forecast:
    game = detente.compile_game(detente.loads(text))
    return detente.forecast(detente.solve(game, OPTIONS), threads=1)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@settings(max_examples=examples(3), deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_another_name_for_a_move_changes_nothing(shape: Shape, data: st.DataObject) -> None:
    text = data.draw(scenarios(shape))
    actor = data.draw(st.sampled_from(["A0", "A1"]))
    again = renamed_twice(text, actor, "a1", in_full=data.draw(st.booleans()))
    one, two = forecast_of(text), forecast_of(again)
    for name in ("outcomes", "payoffs", "beliefs", "states"):
        assert_same(one.tables[name].frame(), two.tables[name].frame())
    # The names share what the move had, and nothing is lost.
    before = one.tables["actions"].where(actor=actor, action="a1")["probability"]
    names = [two.tables["actions"].where(actor=actor, action=a) for a in ("a1", "other_name")]
    for table in names:
        assert 2 * table["probability"] == pytest.approx(before, abs=1e-9)


POLICIES = """
terms:
  kept: {binds: A0, forbids: a0}
policies: {free: [], bound: [kept]}
policy: free
"""


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@settings(max_examples=1, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_nor_anything_that_is_said_of_what_can_be_defended(
    shape: Shape, data: st.DataObject
) -> None:
    """Bands, shares of noise, what being believed is worth, comparisons and whether they hold."""
    text = data.draw(scenarios(shape)) + POLICIES
    actor = data.draw(st.sampled_from(["A0", "A1"]))
    pairs = []
    for version in (text, renamed_twice(text, actor, "a1", in_full=data.draw(st.booleans()))):
        audited = detente.audit(forecast_of(version), OPTIONS, draws=64)
        compared = detente.compare(detente.loads(version), None, OPTIONS)
        held = detente.audit_comparison(compared, OPTIONS)
        assert audited.band is not None
        assert audited.noise is not None
        assert held is not None
        parts = [audited.band.tables, audited.noise.tables, held.tables]
        parts += [{"payoffs": audited.reputation.tables["payoffs"]}] if audited.reputation else []
        tables = [table.frame() for part in parts for table in part.values()]
        pairs.append([*tables, compared.outcomes, compared.payoffs, compared.preferences])
    for one, two in zip(*pairs, strict=True):
        assert_same(one, two)


def assert_same(one: pd.DataFrame, two: pd.DataFrame) -> None:
    """Whether tables have the same rows, with numbers to 1e-9."""
    assert list(one.columns) == list(two.columns)
    for column, values in one.items():
        if values.dtype.kind == "f":
            assert np.allclose(values, two[column], rtol=0, atol=1e-9, equal_nan=True), column
        else:
            assert values.tolist() == two[column].tolist()


def test_a_second_action_that_is_the_same_is_not_another_name() -> None:
    """What `like` is for: written down as an action of its own it changes what is forecast."""
    twice = SMALL.replace("    wait: {}\n", "    rest: {}\n    wait: {}\n", 1)
    named = SMALL.replace("    wait: {}\n", "    rest: {like: wait}\n    wait: {}\n", 1)
    far = [
        forecast_of(text).tables["outcomes"].where(outcome="far")["happened"][-1]
        for text in (SMALL, twice, named)
    ]
    assert far[0] == pytest.approx(far[2], abs=1e-12)
    assert far[0] - far[1] > 0.1


def test_reference_behaviour_is_what_is_done_where_nothing_is_at_stake() -> None:
    text = SMALL.replace("cost: 0.3", "reference: 0.5 + x").replace("terminal: x", "terminal: 0")
    table = forecast_of(text).tables["actions"]
    # 0.5 against 1 first; then that again, or 1.5 against 1 with a third of the mass.
    assert table.where(action="go")["share"].tolist() == pytest.approx(
        [1 / 3, (2 / 3) * (1 / 3) + (1 / 3) * (3 / 5)]
    )


def test_incentives_tilt_reference_behaviour() -> None:
    game = detente.compile_game(detente.loads(SMALL.replace("0.3", "0.3, reference: 4")))
    odds = 4 * np.exp(0.7)
    last = detente.solve(game, OPTIONS).strategy(1, 0, 0)[0, 0]
    assert last.tolist() == pytest.approx([odds / (1 + odds), 1 / (1 + odds)])


def test_names_are_drawn_equally_often() -> None:
    names = "    rest: {like: wait}\n    nap: {like: wait}\n    wait: {}\n"
    game = detente.compile_game(detente.loads(SMALL.replace("    wait: {}\n", names)))
    solution = detente.solve(game, OPTIONS)
    table = detente.sample(solution, draws=4000, rng=np.random.default_rng(3))
    drawn = table[table["t"] == 1]["action"].value_counts(normalize=True)
    forecast = detente.forecast(solution).actions.query("t == 1").set_index("action")["share"]
    assert set(drawn.index) == set(forecast.index) == {"go", "wait", "rest", "nap"}
    assert forecast["rest"] == forecast["nap"] == forecast["wait"]
    for name, share in forecast.items():
        assert drawn[name] == pytest.approx(share, abs=0.03)


GAMBIT = {
    "one informed": (Shape(actors=2, informed=1, periods=1), 2049),
    "nobody informed": (Shape(actors=2, informed=0, periods=2, chance=False), 5),
    "at once": (Shape(actors=2, informed=1, together=2, periods=1), 9),
}


def drawn_text(shape: Shape, lam: float) -> str:
    """A random scenario of a shape."""
    texts: list[str] = []

    @settings(max_examples=1, database=None, derandomize=True)
    @given(scenarios(shape, lam))
    def draw(text: str) -> None:
        texts.append(text)

    draw()
    return texts[-1]


def repeated(text: str) -> str:
    """The scenario in which one action of the first actor counts three times, one of the second
    twice."""
    text = text.replace("cost: cost_0_0}", "cost: cost_0_0, reference: 3}")
    return text.replace("cost: cost_1_1}", "cost: cost_1_1, reference: 2}")


@pytest.mark.gambit
@pytest.mark.parametrize("name", GAMBIT)
@pytest.mark.parametrize("lam", [0.5, 2.0])
def test_weights_are_repeated_actions_to_gambit(name: str, lam: float) -> None:
    shape, points = GAMBIT[name]
    game = detente.compile_game(detente.loads(repeated(drawn_text(shape, lam))))
    tree = unroll(game)
    efg = oracles.read(tree.text)
    assert len(oracles.nodes(efg)) == count_nodes(game)
    theirs = iter(oracles.logit(efg, [lam])[0])
    solution = detente.solve(game, SolveOptions(beliefs=points, threads=1), coarse=False)
    sets = sorted(tree.information_sets, key=lambda s: (s.player, s.number))
    for where, (_, labels) in zip(sets, oracles.information_sets(efg).values(), strict=True):
        ours = at_information_set(solution, where)
        kinds = [label.partition(" ")[0] for label in labels]
        assert len(kinds) > ours.size
        summed = dict.fromkeys(kinds, 0.0)
        for kind in kinds:
            summed[kind] += next(theirs)
        assert list(summed.values()) == pytest.approx(ours.tolist(), abs=2e-6)


def test_a_tree_can_only_repeat_actions() -> None:
    def efg(text: str) -> str:
        return detente.to_efg(detente.compile_game(detente.loads(text)))

    assert '{ "go" "go 2" "go 3" "wait" "wait 2" }' in efg(
        SMALL.replace("0.3", "0, reference: 1.5")
    )
    with pytest.raises(SolveError, match="not in proportion to whole numbers"):
        efg(SMALL.replace("cost: 0.3", "reference: 0.123"))
    with pytest.raises(SolveError, match="shocks to payoffs"):
        efg("responses: shocks" + SMALL)
