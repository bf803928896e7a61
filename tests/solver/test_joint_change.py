"""Types that go together with others, and change into those that others go with alike.

`A` is of a kind, high or low, with which that of `B` goes. A low one may be `sly`, which says
nothing more of B, and which it may become unseen, or by chance.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import detente
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame, marginals
from detente.game.compile import compile_game
from detente.scenario.constants import _Constants
from detente.solver.value_tape import Target
from tests.estimation.test_likelihood import check_gradient, likelihood
from tests.solver.test_gambit import differences
from tests.solver.test_gradient import assert_differences_agree
from tests.solver.test_joint_prior import TABLE, scenario

ALIKE = (
    "{high: {high: both, low: 0.13}, "
    "low: {high: 0.17 * share, low: (0.7 - both) * share}, "
    "sly: {high: 0.17 * (1 - share), low: (0.7 - both) * (1 - share)}}"
)
OTHERWISE = (
    "{high: {high: both, low: 0.13}, low: {high: 0.16, low: 0.05}, sly: {high: 0.01, low: 0.29}}"
)
UNSEEN = "hide: {seen_as: wait, cost: 0.05, becomes: {A: {low: {sly: shift}}}}"
CHANCE = """
chance:
  turnover: {becomes: {A: {low: {sly: shift}, sly: {low: 0.1}}}}
"""


def text(turns: str = "[A, B, A]", table: str = ALIKE, **said: Any) -> str:
    """The scenario of `test_joint_prior` with a third type of A, and what it may do unseen."""
    chance = CHANCE if "turnover" in turns else ""
    made = scenario(3, turns, TABLE, **({"size": 0.5, "chance": chance} | said))
    rng = np.random.default_rng(3)

    def third(low: re.Match[str]) -> str:
        high, other = rng.uniform(-0.5, 0.5, 2).round(3).tolist()
        return f"low: {low[1]}, sly: {{high: {high}, low: {other}}}}}"

    made = re.sub(r"values: \{high: \{high: both.*?\}\}", f"values: {table}", made)
    made = re.sub(r"low: (\{high: [-\d.]+, low: [-\d.]+\})\}(?=[,}])", third, made)
    for old, new in {
        "A: {types: [high, low]": "A: {types: [high, low, sly]",
        "parameters:\n": "parameters:\n  share: {value: 0.7}\n  shift: {value: 0.4}\n",
        "A: {wait: {}": f"A: {{wait: {{}}, {UNSEEN}" if not chance else "A: {wait: {}",
    }.items():
        assert old in made
        made = made.replace(old, new)
    return made


def game(*args: Any, **said: Any) -> CompiledGame:
    return compile_game(detente.loads(text(*args, **said)))


@pytest.mark.gambit
@pytest.mark.parametrize("turns", ["[A, B, A]", "[A, {chance: [turnover]}, B, A]"])
def test_same_as_gambit(turns: str) -> None:
    rough, fine = differences(game(turns), 9, 33)
    assert fine < 1e-5  # as of three types that change by themselves
    assert fine < rough / 8


@pytest.mark.gambit
def test_what_others_go_with_otherwise_would_be_another_game(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is refused: beliefs would no longer be what each has told."""
    monkeypatch.setattr(_Constants, "changes", lambda *_: None)
    assert differences(game(table=OTHERWISE, lam=0.6), 33)[0] > 1e-3


def test_refused_where_others_go_with_it_otherwise() -> None:
    with pytest.raises(ScenarioError, match="give low and sly the same proportions") as refused:
        detente.loads(text(table=OTHERWISE))
    (problem,) = refused.value.diagnostics
    assert problem.code == "joint-prior"
    assert problem.place.line == next(
        n for n, line in enumerate(text().splitlines(), 1) if "hide:" in line
    )
    # Also for numbers from outside.
    mixed = ALIKE.replace("low: (0.7 - both) * share", "low: 0.24 - tilt")
    mixed = mixed.replace("low: (0.7 - both) * (1 - share)", "low: 0.1 + tilt")
    mixed = mixed.replace("0.17 * share", "0.12").replace("0.17 * (1 - share)", "0.05")
    loaded = detente.loads(
        text(table=mixed).replace("parameters:\n", "parameters:\n  tilt: {value: 0}\n")
    )
    loaded.with_values({"both": 0.36})
    with pytest.raises(ScenarioError, match="of others go otherwise"):
        loaded.with_values({"tilt": 0.02})


@pytest.mark.parametrize("turns", ["[A, B, C, A]", "[A, {chance: [turnover]}, {who: [A, B]}, C]"])
def test_counted_forward_and_worked_out_again(turns: str) -> None:
    solution = detente.solve(game(turns, lam=2.0, periods=2), detente.SolveOptions(beliefs=9))
    assert solution.certificate.residual < 1e-9
    assert solution.certificate.value_error < 1e-12
    assert detente.forecast(solution).forward_error < 1e-12


def test_beliefs_after_a_hidden_move_are_those_of_bayes_rule() -> None:
    """The first move is made at a node: what it tells of both is known to rounding."""
    stand_off = detente.loads(text(lam=2.0))
    solution = detente.solve(compile_game(stand_off), detente.SolveOptions(beliefs=9))
    sigma = solution.strategy(0, 0)[solution.grid.start]
    table = np.array([[0.36, 0.13], [0.119, 0.238], [0.051, 0.102]])
    hidden, change = sigma[:, 1], np.array([[1, 0, 0], [0, 0.6, 0.4], [0, 0, 1]])
    after = sigma[:, :1] * table + change.T @ (hidden[:, None] * table)
    after /= after.sum()
    track = detente.track(solution, detente.parse_record("date,actor,move\n1,A,wait\n", stand_off))
    told = track.beliefs.set_index(["step", "about", "type"])["probability"]
    for k, kind in enumerate(("high", "low", "sly")):
        assert told[1, "A", kind] == pytest.approx(after[k].sum(), abs=1e-12)
    assert told[1, "B", "high"] == pytest.approx(after[:, 0].sum(), abs=1e-12)
    assert abs(told[1, "B", "high"] - table[:, 0].sum()) > 1e-3


def test_nothing_is_learnt_of_others_by_a_change() -> None:
    """A change by chance that nobody sees moves what is believed of A, and not of B."""
    made = game("[{chance: [turnover]}, A]")
    assert made.lift is not None
    change = np.array([[1, 0, 0], [0, 0.6, 0.4], [0, 0.1, 0.9]])
    after = [made.priors[0] @ change, made.priors[1]]
    believed = marginals(made.lift, made.profiles, [each[None] for each in after])
    for mine, told in zip(believed, after, strict=True):
        np.testing.assert_allclose(mine[0], told, atol=1e-15)
    beliefs = detente.forecast(detente.solve(made, detente.SolveOptions(beliefs=9))).beliefs
    whole = beliefs[(beliefs["A"] == "any") & (beliefs["B"] == "any") & (beliefs["t"] == 1)]
    mean = whole.set_index(["about", "type"])["mean"]
    assert mean["B", "high"] == pytest.approx(made.priors[1][0], abs=1e-2)


@pytest.mark.parametrize("turns", ["[A, B, C, A]", "[A, {chance: [turnover]}, B, C]"])
def test_gradients_are_those_of_differences(turns: str) -> None:
    stand_off = detente.loads(text(turns, lam=2.0))
    made = compile_game(stand_off)
    everybody = np.ones(len(made.profiles)), np.ones(3, dtype=bool)
    target = Target(*everybody, outcome="up", period=1)
    assert_differences_agree(stand_off, target, 9, ["both", "share", "shift"])


def test_a_record_is_fitted_as_it_is_tracked() -> None:
    stand_off = detente.loads(text("[A, B, C, A]", lam=2.0, periods=2))
    record = detente.parse_record(
        "date,actor,move\n1,A,wait\n1,B,act\n1,state,x >= 1\n2,A,act\n", stand_off
    )
    solution, exact = likelihood(stand_off, [record])
    assert exact.logs[0, 0] == pytest.approx(
        detente.track(solution, record).log_likelihood, abs=1e-12
    )
    check_gradient(stand_off, [record])
