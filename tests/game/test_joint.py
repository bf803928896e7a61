"""What moves of a turn do together: the same games as with the moves kept in the state."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import detente
from detente.errors import ScenarioError
from detente.game.gradient import parameter_gradient
from detente.game.panel import compile_panel
from tests.game import contract

HEAD = """
title: moves that meet
calendar: {period: round, horizon: 3}
actors:
  A: {precision: 1.5, types: {soft: 0.3, firm: 0.7}}
  B: {precision: 0.8}
covariates: {force: {value: 1.4, about: the force of A}}
parameters:
  clash: {value: 0.7, range: [0, 1]}
  risk: {value: 0.3, range: [0, 1]}
  fear: {value: {soft: 1, firm: 0.2}}
"""
JOINT = f"""{HEAD}
state: {{now: {{levels: 0..2, start: 0}}}}
turns:
  - who: [A, B]
    when: now < 2
    joint:
      when: move(A) != none or move(B) == force
      effects:
        - {{p: risk, set: {{now: "max(rank(move(A)), rank(move(B)))"}}}}
        - {{p: rest}}
      costs:
        A: fear * clash * (move(A) >= threat and move(B) >= threat)
        B: force * rank(move(A))
actions:
  A: {{none: {{set: {{now: 0}}}}, threat: {{cost: 0.1}}, force: {{cost: now * 0.2}}}}
  B: {{none: {{}}, threat: {{}}, force: {{cost: 0.3}}}}
payoffs: {{A: {{terminal: now}}, B: {{flow: -now}}}}
"""
APART = f"""{HEAD}
state:
  now: {{levels: 0..2, start: 0}}
  mine: {{levels: 0..3, start: 3}}
  theirs: {{levels: 0..3, start: 3}}
turns: [{{chance: forget}}, {{who: [A, B], when: now < 2}}, {{chance: meet, when: mine < 3}}]
actions:
  A:
    none: {{set: {{now: 0, mine: 0}}}}
    threat: {{set: {{mine: 1}}, cost: 0.1}}
    force: {{set: {{mine: 2}}, cost: now * 0.2}}
  B:
    none: {{set: {{theirs: 0}}}}
    threat: {{set: {{theirs: 1}}}}
    force: {{set: {{theirs: 2}}, cost: 0.3}}
chance:
  meet:
    when: mine > 0 or theirs == 2
    effects: [{{p: risk, set: {{now: "max(mine, theirs)"}}}}, {{p: rest}}]
  forget: {{set: {{mine: 3, theirs: 3}}}}
payoffs:
  A: {{flow: -fear * clash * (3 > mine >= 1 and 3 > theirs >= 1), terminal: now}}
  B: {{flow: {{a: -now, b: -force * mine * (mine < 3)}}}}
"""


def solved(text: str) -> detente.Solution:
    return detente.solve(detente.compile_game(detente.loads(text)))


def test_arrays_are_in_one_piece() -> None:
    """For others the kernels would be compiled a second time."""
    game = detente.compile_game(detente.loads(JOINT))
    for layer in game.layers:
        for field in fields(layer):
            array = getattr(layer, field.name)
            assert not isinstance(array, np.ndarray) or array.flags.c_contiguous, field.name


def test_the_same_as_with_the_moves_in_the_state() -> None:
    joint, apart = solved(JOINT), solved(APART)
    assert joint.payoffs == pytest.approx(apart.payoffs, abs=1e-9)
    contract.check(joint.game)


def test_gradient_is_that_of_differences() -> None:
    game = detente.compile_game(detente.loads(JOINT))
    rng = np.random.default_rng(1)

    def weights(array: np.ndarray) -> np.ndarray:
        return rng.standard_normal(array.shape)

    layer = game.layers
    gradient = detente.game.arrays.GameGradient(
        prob=tuple(weights(one.prob) for one in layer),
        reward=tuple(weights(one.reward) for one in layer),
        log_reference=tuple(np.zeros_like(one.reference) for one in layer),
        flow=tuple(weights(one) for one in game.flow),
        terminal=weights(game.terminal),
        priors=tuple(np.zeros((len(p), 1)) for p in game.priors),
        precision=np.zeros((2, 1)),
        discount=np.zeros((2, 1)),
    )

    def value(values: dict[str, float]) -> float:
        other = detente.with_values(game, values)
        parts = zip(
            gradient.prob + gradient.reward,
            [one.prob for one in other.layers] + [one.reward for one in other.layers],
            strict=True,
        )
        return float(sum((weight * array).sum() for weight, array in parts))

    exact = parameter_gradient(game, gradient)
    for name, start in (("clash", 0.7), ("risk", 0.3), ("fear.soft", 1.0)):
        slope = (value({name: start + 1e-4}) - value({name: start - 1e-4})) / 2e-4
        assert exact[name] == pytest.approx(slope, abs=1e-7)


def test_units_of_a_panel_are_games_of_their_own() -> None:
    game = detente.compile_game(detente.loads(JOINT))
    force = np.array([0.2, 1.4, 3.0])
    panel = compile_panel(game, ["a", "b", "c"], {"force": force})
    assert panel is not None
    for u, value in enumerate(force):
        own = detente.compile_game(detente.loads(JOINT).with_values({"force": float(value)}))
        for many, one in zip(panel.layers, own.layers, strict=True):
            assert np.array_equal(np.split(many.reward, 3)[u], one.reward)
            assert np.array_equal(np.split(many.prob, 3)[u], one.prob)


WALK = """
title: a walk
calendar: {period: round, horizon: 2}
actors: {A: {precision: 1}}
state:
  x: {levels: -3..3, start: 1}
parameters: {drift: {value: 0.4}}
turns: [A]
actions:
  A:
    stay: {}
    go:
      effects:
        - over: x
          p: >-
            (1 if to == 3 else normal_cdf(to + 0.5 - x - drift))
            - (0 if to == -3 else normal_cdf(to - 0.5 - x - drift))
payoffs: {A: {terminal: x}}
"""


def test_a_distribution_over_levels() -> None:
    stats = pytest.importorskip("scipy.stats")
    game = detente.compile_game(detente.loads(WALK))
    layer = game.layers[0]
    ends = stats.norm.cdf(np.arange(-2.5, 3) - 1.4)
    wanted = np.diff(ends, prepend=0, append=1)
    assert layer.succ[1:].tolist() == list(range(7))
    assert layer.prob[1:] == pytest.approx(wanted, abs=1e-15)


WRONG = {
    "p: risk, set: {now: 1}}, {p: rest": "",
    "p: move(C) == none, set: {now: 1}}, {p: rest": "there is `move(A)` and `move(B)`",
    "p: move(A) == forc, set: {now: 1}}, {p: rest": "did you mean `force`?",
    "p: move(A) + 1, set: {now: 1}}, {p: rest": "write `(move(A) + 1 == force)`",
    "p: 2 * risk, over: now": "give one alternative `p: rest`",
    "p: rest, over: now": "give `p` as a formula of `to`",
    "p: 1, over: nw": "did you mean `now`?",
}


@pytest.mark.parametrize("effects", WRONG)
def test_mistakes_are_told_with_their_place(effects: str) -> None:
    start, end = JOINT.index("      effects:"), JOINT.index("      costs:")
    text = JOINT[:start] + "      effects: [{" + effects + "}]\n" + JOINT[end:]
    if not WRONG[effects]:
        detente.compile_game(detente.loads(text))
        return
    with pytest.raises(ScenarioError) as caught:
        detente.compile_game(detente.loads(text))
    assert WRONG[effects] in str(caught.value)
    assert caught.value.diagnostics[0].place.line == 1 + JOINT[:start].count("\n")


def test_moves_are_read_nowhere_else() -> None:
    with pytest.raises(ScenarioError, match="say what moves do together under `joint`"):
        detente.loads(JOINT.replace("cost: 0.3", "cost: rank(move(A))"))


@pytest.mark.parametrize("who", ["who: chance", "chance: [e]"])
def test_chance_has_no_moves_to_join(who: str) -> None:
    text = JOINT.replace("who: [A, B]\n    when: now < 2", f"who: [A, B]\n  - {who}")
    text = text.replace("payoffs:", "chance: {e: {}}\npayoffs:")
    with pytest.raises(ScenarioError, match="nobody's moves"):
        detente.loads(text)


def test_what_is_drawn_may_be_broken_itself() -> None:
    with pytest.raises(ScenarioError) as caught:
        detente.loads(WALK.replace("levels: -3..3", "levels: 3..-3"))
    assert {problem.place.line for problem in caught.value.diagnostics} == {6}


def test_the_file_of_the_reference_is_a_game() -> None:
    text = (Path(__file__).parents[2] / "docs" / "language.md").read_text("utf-8")
    text = text.partition("yaml file=crisis.yaml\n")[2].partition("```")[0]
    game = detente.compile_game(detente.loads(text))
    assert game.layers[0].succ.tolist() == [0, 1, 2, 1, 1, 2, 2, 2, 2] * 3
