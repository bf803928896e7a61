"""Terms that begin and lapse: in force when they should be, and what play remembers of them."""

from __future__ import annotations

import numpy as np
import pytest

from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, compile_policies, with_values
from detente.game.export import to_efg
from detente.scenario.loader import loads
from detente.simulation.forecast import forecast
from detente.solver.options import SolveOptions
from detente.solver.solve import solve

TEXT = """\
title: relief after a step
calendar: {{period: round, horizon: {horizon}}}
actors:
  US: {{precision: 2, discount: 0.9}}
  ROK: {{precision: 2, discount: 0.9}}
  DPRK: {{precision: 2, discount: 0.9, types: {{sincere: 0.4, stalling: 0.6}}}}
state:
  pressure: {{levels: 0..2, start: 2, edge: cut}}
  steps: {{levels: 0..2, start: 0, edge: cut}}
  {state}
parameters:
  enough: {{value: 1, range: [0, 3], judgement: a test}}
turns: [DPRK, {{who: [US, ROK]}}{turns}]
actions:
  US: {{ease: {{set: {{pressure: -1}}}}, {regard} hold: {{}}}}
  ROK: {{ease: {{set: {{pressure: -1}}}}, {regard} hold: {{}}}}
  DPRK: {{step: {{set: {{steps: +1 {seen}}}}}, back: {{set: {{steps: -1}}}}, stall: {{}}}}
{chance}
payoffs:
  US: {{flow: -pressure}}
  ROK: {{flow: -0.5 * pressure}}
  DPRK: {{flow: -pressure - 0.3 * steps * (DPRK == stalling)}}
terms:
  relief: {{binds: [US, ROK], forbids: ease, {force}}}
policies: {{p: [relief]}}
policy: p
outcomes:
  eased: {{when: pressure < 2}}
"""


def text(force: str, horizon: object = 3, **more: str) -> str:
    """A small stand-off whose term on relief is in force as `force` says."""
    parts = dict.fromkeys(("state", "turns", "regard", "seen", "chance"), "") | more
    return TEXT.format(force=force, horizon=horizon, **parts)


def game(force: str, horizon: object = 3, **more: str) -> CompiledGame:
    return compile_game(loads(text(force, horizon, **more)))


def relief(compiled: CompiledGame, actor: str = "US") -> list[tuple[int, str, bool]]:
    """For each turn of an actor and state: the period, the state, whether `ease` is available."""
    i = list(compiled.scenario.actors).index(actor)
    ease = list(compiled.scenario.actions[actor]).index("ease")
    found = []
    for layer in compiled.layers:
        if i in layer.movers:
            m = layer.movers.index(i)
            for x, code in enumerate(layer.states.tolist()):
                own = layer.action[layer.action_ptr[x] : layer.action_ptr[x + 1], m]
                words = compiled.structure.describe(code)
                found.append((layer.period, words, ease in own.tolist()))
    return found


def test_dates_bound_the_periods_in_force() -> None:
    for t, _, free in relief(game("from: 2, until: 3")):
        assert free == (t != 2)
    for t, _, free in relief(game("from: 2")):
        assert free == (t < 2)
    for t, _, free in relief(game("until: 3, unless: steps >= 2")):
        assert free or t < 3


def test_a_term_of_dates_is_not_remembered() -> None:
    assert [v.key for v in game("from: 2, until: 3").structure.variables] == ["pressure", "steps"]


def test_an_event_lapses_for_good() -> None:
    rows = relief(game("until: steps >= 1"))
    assert {free for _, words, free in rows if "lapsed" in words} == {True}
    assert {free for _, words, free in rows if "standing" in words} == {False}
    assert any("steps 0" in words and "lapsed" in words for _, words, _ in rows)
    assert not any("steps 1" in words and "standing" in words for _, words, _ in rows)
    # `unless` revives where the condition no longer holds
    assert all(
        free == ("steps 0" not in words) for _, words, free in relief(game("unless: steps >= 1"))
    )


def test_an_event_begins_for_good() -> None:
    rows = relief(game("from: steps >= 1"))
    assert {free for _, words, free in rows if "waiting" in words} == {True}
    assert {free for _, words, free in rows if "standing" in words} == {False}
    assert any("steps 0" in words and "standing" in words for _, words, _ in rows)


def test_beginning_and_lapsing_are_one_variable() -> None:
    compiled = game("from: steps >= 1, until: steps >= 2")
    variable = compiled.structure.variables[-1]
    assert (variable.key, variable.names) == ("term relief", ("waiting", "standing", "lapsed"))
    for _, words, free in relief(compiled):
        assert free == ("standing" not in words)


def test_an_event_before_the_other_moment_counts() -> None:
    # It lapses before it has begun, and then it never begins.
    for _, words, free in relief(game("from: 3, until: steps >= 1")):
        assert free or "standing" in words
    rows = relief(game("from: pressure < 2, until: steps >= 1"))
    assert any("pressure 2" in words and "lapsed" in words for _, words, _ in rows)
    assert all(free for _, words, free in rows if "lapsed" in words)


def test_an_event_that_holds_at_the_start() -> None:
    first = game("from: steps == 0, until: steps == 2")
    assert first.structure.describe(int(first.layers[0].states[0])).endswith("relief standing")
    compiled = game("until: steps == 0")
    assert all(free for *_, free in relief(compiled))
    assert [w.code for w in compiled.warnings] == ["never-binds"]


@pytest.mark.parametrize("horizon", [2, "forever"])
def test_the_same_as_a_variable_that_is_written_out(horizon: object) -> None:
    hidden = game("until: steps >= 1", horizon)
    written = game(
        "unless: seen == yes",
        horizon,
        state="seen: {levels: [no, yes], start: no}",
        seen=", seen: yes",
    )
    one, other = solve(hidden, SolveOptions(beliefs=5)), solve(written, SolveOptions(beliefs=5))
    assert one.payoffs == pytest.approx(other.payoffs, abs=1e-12)
    for mine, theirs in zip(hidden.layers, written.layers, strict=True):
        np.testing.assert_array_equal(mine.succ, theirs.succ)
        np.testing.assert_array_equal(mine.action, theirs.action)


CHANCE = """\
chance:
  flash: {set: {steps: +1}}
  gone: {when: %s, set: {steps: -1}}
"""


def test_events_are_looked_at_after_a_whole_turn_of_chance() -> None:
    flash = {"turns": ", chance", "chance": CHANCE % "steps >= 1"}
    quiet = text("until: steps >= 1", **flash).replace("back: {set: {steps: -1}}, ", "")
    quiet = quiet.replace("step: {set: {steps: +1 }}, ", "")
    compiled = compile_game(loads(quiet))
    assert all("standing" in words for _, words, _ in relief(compiled))
    told = [w.message for w in compiled.warnings if "term relief" in w.message]
    assert told == ["the event at which term relief lapses can never be: `steps >= 1`"]
    # where the last event of the turn can happen nowhere it is none the less the end of the turn
    flash["chance"] = CHANCE % "steps > 2"
    lasting = text("until: steps >= 1", **flash).replace("step: {set: {steps: +1 }}, ", "")
    rows = relief(compile_game(loads(lasting)))
    assert all(("lapsed" in words) == (t > 1) for t, words, _ in rows)


def test_an_outcome_that_ends_play_in_the_middle_of_a_turn_of_chance() -> None:
    flash = {"turns": ", chance", "chance": CHANCE % "steps == 2"}
    ending = text("until: steps >= 1", **flash).replace(
        "{when: pressure < 2}", "{when: steps >= 1, ends: true}"
    )
    compiled = compile_game(loads(ending))
    final = [compiled.structure.describe(code) for code in compiled.final.tolist()]
    assert all(("lapsed" in words) == ("steps 0" not in words) for words in final)


def test_the_forecast_is_exact_and_shows_where_the_term_stands() -> None:
    solution = solve(game("from: steps >= 1, until: pressure < 2", 2), SolveOptions(beliefs=5))
    result = forecast(solution)
    assert result.forward_error < 1e-12
    rows = result.states.query("variable == 'term relief' and t == 2 and DPRK == 'any'")
    assert rows["label"].tolist() == ["waiting", "standing", "lapsed"]
    assert rows["probability"].sum() == pytest.approx(1)
    assert (rows["probability"] > 0).all()
    assert to_efg(game("until: steps >= 1", 1)).startswith("EFG")


def test_play_without_end() -> None:
    rows = relief(game("until: steps >= 2", "forever"))
    assert {free for _, words, free in rows if "lapsed" in words} == {True}
    assert any("steps 0" in words and "lapsed" in words for _, words, _ in rows)


def test_a_parameter_of_an_event_decides_the_states() -> None:
    compiled = game("until: steps >= enough")
    assert compiled.structure.structural == {"enough"}
    other = with_values(compiled, {"enough": 2})
    assert any("steps 1" in words and "standing" in words for _, words, _ in relief(other))


def test_events_that_can_never_be_are_told_once() -> None:
    scenario = loads(text("from: steps >= 3, until: pressure > 2"))
    _, found = compile_policies(scenario)
    assert [(w.code, w.place.column > 3) for w in found] == [("never-holds", True)] * 2
    assert "begins can never be: `steps >= 3`" in found[0].message
    assert "lapses can never be: `pressure > 2`" in found[1].message


def test_a_joint_term_lapses_only_where_all_parts_hold() -> None:
    views = "us_view: {levels: [no, yes], start: no}\n  rok_view: {levels: [no, yes], start: no}"
    joint = text(
        "unless: [us_view == yes, rok_view == yes]",
        state=views,
        regard="regard: {when: steps >= 1, set: {VIEW: yes}},",
    )
    joint = joint.replace("VIEW", "us_view", 1).replace("VIEW", "rok_view", 1)
    compiled = compile_game(loads(joint))
    for actor in ("US", "ROK"):
        rows = relief(compiled, actor)
        for _, words, free in rows:
            assert free == ("us_view yes" in words and "rok_view yes" in words)
        assert {("us_view yes" in words, "rok_view yes" in words) for _, words, _ in rows} == {
            *((a, b) for a in (False, True) for b in (False, True))
        }


def test_a_term_that_costs_is_dated_as_well() -> None:
    compiled = game("from: 2, cost: 1")
    assert all(free for *_, free in relief(compiled))
    plain = game("from: 3, cost: 1")
    first, second = (
        [-layer.reward.min() for layer in one.layers if layer.movers == (0, 1)]
        for one in (compiled, plain)
    )
    assert np.count_nonzero(first) == 2
    assert np.count_nonzero(second) == 1


def test_where_a_term_stands_counts_in_the_number_of_states() -> None:
    wide = "\n  ".join(f"{key}: {{levels: 1..10000, start: 1}}" for key in "abcd")
    wide += "\n  e: {levels: 1..30, start: 1}"
    # 9 x 30 x 10^16 levels can be numbered, twice as many not.
    scenario = loads(text("until: steps >= 1", state=wide))
    compile_game(scenario, policy="")
    with pytest.raises(ScenarioError, match=r"more than 2\^62 states") as caught:
        compile_game(scenario)
    assert [problem.code for problem in caught.value.diagnostics] == ["too-large"]
