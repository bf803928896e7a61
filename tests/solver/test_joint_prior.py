"""Joint priors: against Gambit, against separate priors, forward and backward, by differences."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import detente
from detente.game.arrays import marginals
from detente.game.compile import compile_game
from detente.simulation.forward import forward
from detente.solver import layout
from detente.solver.solution import Solution
from detente.solver.value_tape import Target
from detente.solver.workers import Workers
from tests.solver.test_gambit import differences
from tests.solver.test_gradient import assert_differences_agree

KINDS = ("high", "low")
SEVERAL = "[{who: [A, B]}, C, A, {who: [C, A, B]}]"


def scenario(seed: int, turns: str, table: list[float] | None = None, **said: object) -> str:
    """Two actors whose types go together, C without types, and D of whose types nobody's depend.

    Payoffs are by the types of all three. `table` is the joint prior, or None for separate ones.
    """
    given: dict[str, Any] = {
        "lam": 0.5,
        "periods": 1,
        "third": False,
        "chance": "",
        "size": 1.5,
        **said,
    }
    rng = np.random.default_rng(seed)

    def payoff() -> str:
        numbers = (given["size"] * rng.uniform(-1, 1, (3, 2, 2))).round(3).tolist()
        rows = (
            f"{x}: {{high: {{high: {a}, low: {b}}}, low: {{high: {c}, low: {d}}}}}"
            for x, ((a, b), (c, d)) in enumerate(numbers)
        )
        return f"{{by: [x, A, B], values: {{{', '.join(rows)}}}}}"

    def action(actor: str, cost: float, change: str) -> str:
        more = f" + 0.3 * (D == {KINDS[len(actor) % 2]})" if given["third"] else ""
        act = f"set: {{x: {change}}}"
        return f'  {actor}: {{wait: {{}}, act: {{cost: "{cost}{more}", {act}}}}}'

    first, second = rng.uniform(0.2, 0.8, 2).round(2).tolist()
    costs = rng.uniform(0.0, 0.5, 3).round(2).tolist()
    types = {
        "A": f"{{high: {first}, low: {1 - first}}}",
        "B": f"{{high: {second}, low: {1 - second}}}",
    }
    joint = ""
    if table is not None:
        types = dict.fromkeys("AB", "[high, low]")
        rest = f"1 - both - {table[1] + table[2]}"
        rows = f"high: {{high: both, low: {table[1]}}}, low: {{high: {table[2]}, low: {rest}}}"
        joint = f"joint_prior: {{by: [A, B], values: {{{rows}}}}}"
    lam = given["lam"]
    third = f"D: {{types: {{high: d, low: 1 - d}}, precision: {lam}}}" if given["third"] else ""
    each = [
        one for one in zip("ABCD", [*costs, 0.2], ["+1", "-1"] * 2, strict=True) if one[0] in turns
    ]
    return f"""
title: random
calendar: {{period: round, horizon: {given["periods"]}}}
actors:
  A: {{types: {types["A"]}, precision: {lam}}}
  B: {{types: {types["B"]}, precision: {lam}}}
  C: {{precision: {lam}}}
  {third}
{joint}
parameters:
  both: {{value: {table[0] if table else 0}}}
  d: {{value: 0.35}}
state: {{x: {{levels: 0..2, start: 1, edge: cut}}}}
turns: {turns}
actions:
{chr(10).join(action(*one) for one in each)}
{given["chance"]}
payoffs:
{chr(10).join(f"  {actor}: {{terminal: {payoff()}}}" for actor in "ABC")}
outcomes: {{up: {{when: x == 2}}}}
"""


TABLE = [0.36, 0.13, 0.17, 0.34]


def solved(text: str, points: int = 9) -> Solution:
    game = compile_game(detente.loads(text))
    return detente.solve(game, detente.SolveOptions(beliefs=points), coarse=False)


@pytest.mark.gambit
@pytest.mark.parametrize(
    ("turns", "points"),
    [
        ("[A, B, C, A]", 129),
        ("[{who: [A, B]}, C, A]", 129),
        ("[C, {who: [A, B]}, {who: [C, A]}]", 129),
    ],
)
def test_same_as_gambit(turns: str, points: int) -> None:
    game = compile_game(detente.loads(scenario(3, turns, TABLE, size=0.5)))
    assert differences(game, points)[0] < 1e-6
    # With each type by itself play is another one.
    options = detente.SolveOptions(beliefs=9)
    ours, apart = (
        detente.solve(each, options, coarse=False).strategies
        for each in (game, replace(game, lift=None))
    )
    assert max(np.abs(one - other).max() for one, other in zip(ours, apart, strict=True)) > 0.01


SIGNAL = """
chance:
  leak: {effects: [{p: 0.7 if A == high else 0.4, set: {x: +1}}, {p: rest}]}
"""


@pytest.mark.gambit
@pytest.mark.parametrize("turns", ["[{chance: [leak]}, B, A]", "[A, B, A]"])
def test_signals_and_hidden_moves_of_one_tell_of_the_other_as_in_gambit(turns: str) -> None:
    text = scenario(4, turns, TABLE, chance=SIGNAL if "leak" in turns else "", size=0.5)
    if "leak" not in turns:
        text = text.replace("  A: {wait: {}", "  A: {wait: {}, look: {seen_as: wait, cost: -0.2}")
        text = text.replace("cost: -0.2", 'cost: "0.05 if A == low else -0.1"')
        assert "seen_as" in text
    assert differences(compile_game(detente.loads(text)), 129)[0] < 1e-6


@pytest.mark.parametrize("turns", ["[A, B, C, A]", SEVERAL])
def test_types_that_go_their_own_ways_are_those_of_separate_priors(turns: str) -> None:
    apart = solved(scenario(5, turns, periods=2))
    first, second = apart.game.priors[:2]
    table = np.outer(first, second).ravel().tolist()
    joint = solved(scenario(5, turns, table, periods=2))
    assert joint.game.lift == pytest.approx(np.ones(4), abs=1e-14)
    for ours, theirs in zip(joint.strategies, apart.strategies, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert dict(joint.payoffs) == pytest.approx(dict(apart.payoffs), abs=1e-12)


@pytest.mark.parametrize("third", [False, True])
def test_counted_forward_and_worked_out_again(third: bool) -> None:
    turns = "[D, A, B, {who: [B, C, D]}]" if third else SEVERAL
    solution = solved(scenario(6, turns, TABLE, periods=2, third=third, lam=2.0), 7 if third else 9)
    assert solution.status.name == "SOLVED"
    assert solution.certificate.residual < 1e-10
    assert solution.certificate.value_error < 1e-12
    with ThreadPoolExecutor(1) as pool:
        run = forward(solution, Workers(pool, 1))
    values = solution.start_values[solution.grid.start].reshape(run.payoffs.shape)
    np.testing.assert_allclose(run.payoffs, values, atol=1e-12)


def test_a_solve_that_does_not_know_what_goes_together_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layout, "_lifts", lambda *_: np.zeros((0, 0, 0)))
    solution = solved(scenario(6, SEVERAL, TABLE, lam=2.0))
    assert solution.certificate.residual > 1e-3


def test_a_move_of_one_moves_what_is_believed_of_the_other() -> None:
    solution = solved(scenario(7, "[A, B]", TABLE, lam=2.0))
    game, sigma = solution.game, solution.strategy(0, 0)[solution.grid.start]
    prior = game.profile_prior().reshape(2, 2)
    np.testing.assert_allclose(prior.ravel(), TABLE, atol=1e-15)
    chance = game.priors[0] @ sigma
    mean = np.zeros(2)
    for a in range(2):
        told = game.priors[0] * sigma[:, a] / chance[a]
        about = [told[None], game.priors[1][None], np.ones((1, 1))]
        assert game.lift is not None
        believed = marginals(game.lift, game.profiles, about)
        posterior = prior * sigma[:, a, None] / chance[a]
        np.testing.assert_allclose(believed[0][0], posterior.sum(axis=1), atol=1e-15)
        np.testing.assert_allclose(believed[1][0], posterior.sum(axis=0), atol=1e-15)
        mean += chance[a] * believed[1][0]
        assert abs(believed[1][0][0] - game.priors[1][0]) > 0.02
    np.testing.assert_allclose(mean, game.priors[1], atol=1e-15)


@pytest.mark.parametrize(("given", "outcome"), [(None, True), (0, True), (1, False)])
def test_gradients_are_those_of_differences(given: int | None, outcome: bool) -> None:
    turns = "[A, {who: [B, D]}, C, A]"
    stand_off = detente.loads(scenario(8, turns, TABLE, third=True, lam=2.0))
    game = compile_game(stand_off)
    counted, by_prior = np.ones(len(game.profiles)), np.ones(4, dtype=bool)
    if given is not None:  # of B's type
        counted, by_prior[1] = (game.profiles[:, 1] == given).astype(float), False
    rest: dict[str, Any] = {"outcome": "up", "period": 1} if outcome else {"actor": 2}
    target = Target(counted, by_prior, **rest)
    assert_differences_agree(stand_off, target, 5, ["both", "d"])


def test_where_types_gain_alike_there_is_no_kink_to_follow() -> None:
    """What is a game without types is solved as one: branches run along no kink."""
    text = scenario(9, SEVERAL, TABLE, lam=4.0)
    cell = r"\{high: \{high: ([^,]+), low: [^}]+\}, low: \{high: [^,]+, low: [^}]+\}\}"
    head, tail = text.split("payoffs:")
    plain = head + "payoffs:" + re.sub(cell, r"\1", tail)
    plain = plain.replace("by: [x, A, B]", "by: [x]")
    solution = solved(plain)
    assert solution.status.name == "SOLVED"
    alone = solved(re.sub(r"joint_prior: .*", "", plain).replace("types: [high, low], ", ""))
    for who in "AB":
        assert solution.payoffs[who, "high"] == pytest.approx(alone.payoffs[who, ""], abs=1e-10)
