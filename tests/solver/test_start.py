"""Equilibria near given choices: closed forms, what the choices are worth, what a file may say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import detente
from detente.analysis.near_start import beside_principal
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.solver.start import Start, parse_start, played_for_ever
from tests.cli.test_cli import Run, run
from tests.effort import examples
from tests.generate import scenarios
from tests.solver.test_reference import SHAPES

__all__ = ["run"]

HUNT = """
title: A hunt
calendar: {{period: round, horizon: {horizon}}}
responses: {responses}
actors:
  A: {{precision: 5, discount: 0.5}}
  B: {{precision: 5, discount: 0.5}}
state:
  a: {{levels: [none, stag, hare], start: none}}
  b: {{levels: [none, stag, hare], start: none}}
turns: [{{who: [A, B]}}]
actions:
  A: {{stag: {{set: {{a: stag}}}}, hare: {{set: {{a: hare}}}}}}
  B: {{stag: {{set: {{b: stag}}}}, hare: {{set: {{b: hare}}}}}}
payoffs:
  A: {{flow: "3 * (a == stag and b == stag) + 2 * (a == hare)"}}
  B: {{flow: "3 * (a == stag and b == stag) + 2 * (b == hare)"}}
outcomes: {{both: {{when: a == stag and b == stag}}}}
"""

BOTH = "actor,action,share\nA,stag,0.95\nA,hare,0.05\nB,stag,0.95\nB,hare,0.05\n"


def hunt(horizon: str = "forever", responses: str = "mistakes") -> CompiledGame:
    return detente.compile_game(detente.loads(HUNT.format(horizon=horizon, responses=responses)))


def equilibrium(p: float) -> float:
    """The share of stag near p at which stag is answered by itself: log odds are 5 (3 p - 2)."""
    for _ in range(500):
        p = 1 / (1 + np.exp(-5 * (3 * p - 2)))
    return p


@pytest.mark.parametrize("responses", ["mistakes", "shocks"])
@pytest.mark.parametrize("horizon", ["1", "3", "forever"])
def test_the_equilibrium_near_the_choices_is_found(horizon: str, responses: str) -> None:
    """What is hunted today changes nothing of tomorrow: each round is the same game."""
    game = hunt(horizon, responses)
    start = parse_start(BOTH, game, file="both.csv")
    near = detente.solve(game, start=start)
    assert near.status.name == "SOLVED"
    high, low = equilibrium(0.95), equilibrium(0.0)
    assert high > 0.9 > 0.1 > low
    assert near.strategy(0, game.start)[0, 0, 0] == pytest.approx(high, abs=1e-9)
    assert "no share of an action differs by more than 0.0" in near.notes[-1]
    assert "both.csv" in near.notes[-1]
    principal = detente.solve(game)
    assert principal.strategy(0, game.start)[0, 0, 0] == pytest.approx(low, abs=1e-9)
    beside = beside_principal(detente.forecast(principal), start)
    assert not beside.same
    assert beside.difference == pytest.approx(high - low, abs=1e-8)
    away = BOTH.replace("0.95", "x").replace("0.05", "0.95").replace("x", "0.05")
    assert beside_principal(detente.forecast(principal), parse_start(away, game)).same


@pytest.mark.parametrize("responses", ["mistakes", "shocks"])
def test_what_the_choices_are_worth_is_the_closed_form(responses: str) -> None:
    game = hunt(responses=responses)
    played = detente.solve(played_for_ever(game, parse_start(BOTH, game)))
    p = 0.95
    each = 3 * p * p + 2 * (1 - p)
    if responses == "shocks":
        each -= (p * np.log(2 * p) + (1 - p) * np.log(2 * (1 - p))) / 5
    assert played.strategy(0, game.start)[0, 0].tolist() == pytest.approx([p, 1 - p], abs=1e-12)
    assert played.payoffs["A", ""] == pytest.approx(each / (1 - 0.5), abs=1e-9)


@pytest.mark.parametrize("forever", [False, True])
@settings(max_examples=examples(4), deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_whatever_it_begins_from_the_answer_is_an_equilibrium(
    forever: bool, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["two informed in turn", "two at once, one informed"]))
    shape = replace(SHAPES[name][0], reference=True, shocks=data.draw(st.booleans()))
    text = data.draw(scenarios(replace(shape, forever=forever)))
    game = detente.compile_game(detente.loads(text))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    nothing = parse_start("actor,action,share\n", game)
    drawn = tuple(np.maximum(rng.random(play.size), 0.01) for play in nothing.strategies)
    solution = detente.solve(game, detente.SolveOptions(beliefs=9), start=Start("drawn", drawn))
    assert solution.status.name == "SOLVED"


def test_where_nothing_is_said_play_begins_from_reference_behaviour() -> None:
    game = detente.compile_game(detente.load("bargaining-rounds"))
    start = parse_start("actor,action,share\n", game)
    for layer, play in zip(game.layers, start.strategies, strict=True):
        assert play.max(initial=1.0) == 1.0
        assert set(np.round(play, 9)) <= {round(1 / n, 9) for n in range(1, 9)}, layer.movers
    assert beside_principal(detente.forecast(detente.solve(game)), start).difference < 1e-9


def test_shares_by_type_and_by_state() -> None:
    game = detente.compile_game(detente.load("beer-quiche"))
    text = (
        "actor;type;when;action;share\n"
        "Stranger;strong;;beer;3\nsender;strong;;quiche;1\n"
        "receiver;;breakfast == beer;leave;0\nreceiver;;breakfast == beer;duel;7\n"
    )
    first, second = parse_start(text, game).strategies[:2]
    assert first.tolist() == pytest.approx([0.75, 0.25, 0.5, 0.5])
    assert sorted(second.tolist()) == pytest.approx([1e-12 / 7, 0.5, 0.5, 1.0])


@pytest.mark.parametrize(
    ("lines", "message", "line"),
    [
        ("UK,stag,1,", "`UK` is no actor", 2),
        ("A,stga,1,", "`stga` is no action of its actor", 2),
        ("A,stag,-1,", "`-1` is no share", 2),
        ("A,stag,much,", "`much` is no share", 2),
        ("A,stag,nan,", "`nan` is no share", 2),
        ("A,stag,1,c == none", "`c`", 2),
        ("A,stag,1,", "A can `hare` at a none, b none, where other lines", 0),
        ("A,stag,1,\nA,hare,0,\nA,stag,1,a == stag", "an earlier line has the share", 4),
        ("A,stag,1", "the line has 3 cells", 2),
    ],
)
def test_what_is_wrong_with_a_file_is_said(lines: str, message: str, line: int) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_start(f"actor,action,share,when\n{lines}\n", hunt(), file="x.csv")
    first = caught.value.diagnostics[0]
    assert message in first.message
    assert (first.place.file, first.place.line) == ("x.csv", line)


def test_a_start_of_another_game_and_a_limit_are_refused() -> None:
    game = hunt()
    start = parse_start(BOTH, game)
    with pytest.raises(ScenarioError, match="those of another game"):
        detente.solve(hunt("3"), start=start)
    limit = replace(game, precision=np.full(2, np.inf))
    with pytest.raises(ScenarioError, match="followed along the principal branch"):
        detente.solve(limit, start=start)
    with pytest.raises(ScenarioError, match="given choices or from drawn ones"):
        detente.solve(game, start=start, rng=np.random.default_rng(0))


def test_the_command_tells_both_beside_each_other(run: Run, tmp_path: Path) -> None:
    file, start = "hunt.yaml", "both.csv"
    (tmp_path / file).write_text(HUNT.format(horizon=1, responses="mistakes"), encoding="utf-8")
    (tmp_path / start).write_text(BOTH, encoding="utf-8")
    result = run("run", file, "--start", start)
    assert result.code == 0
    text = " ".join(result.out.split())
    assert "It is another one than that above" in text
    assert "outcome principal branch near the start" in text
    near = json.loads(run("run", file, "--start", start, "--json").out)["near"]
    assert near["same"] is False
    assert near["outcomes"][-1]["happened"] == pytest.approx(equilibrium(0.95) ** 2, abs=1e-9)
    refused = run("run", file, "--start", start, "--given", "both")
    assert refused.code == 2
    assert "--start" in refused.err
    missing = run("run", file, "--start", "nothing.csv")
    assert missing.code == 2
    assert "cannot be read" in missing.err
