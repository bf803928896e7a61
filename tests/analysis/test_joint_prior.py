"""Where types go together, through every door that compares, asks and varies.

`B` has a type that goes with that of `A`, and nothing to choose. What it is worth to the others
then is what their own payoffs are worth on average given A's type, so that the stand-off is one of
A's type alone, with payoffs worked out by hand (`alone`): all answers about A and C have to agree.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

import detente
from detente.game.compile import compile_game
from detente.scenario.model import Scenario

OPTIONS = detente.SolveOptions(beliefs=9, threads=1)
JOINT = np.array([[0.3, 0.1], [0.12, 0.48]])
KINDS = ("high", "low")

TEXT = """\
title: What A knows of B
calendar: {{period: round, horizon: {horizon}}}
responses: {responses}
actors:
  A: {{types: {types}, precision: 2{discount}}}
  B: {{{other}precision: 1{discount}}}
  C: {{precision: 3{discount}}}
{joint}
state:
  x: {{levels: 0..2, start: 1, edge: cut}}
  seen: {{levels: [nothing, alarm], start: nothing}}
parameters:
  toll: {{value: 0.2, range: [0, 1], judgement: a test}}
turns: [A, B, {{chance: [news]}}, C]
actions:
  A: {{wait: {{}}, act: {{cost: toll, set: {{x: +1}}}}}}
  B: {{wait: {{}}}}
  C: {{wait: {{}}, act: {{cost: 0.1, set: {{x: -1}}}}}}
chance:
  news:
    effects:
      - {{p: 0.7 if A == high else 0.2, set: {{seen: alarm}}}}
      - {{p: rest, set: {{seen: nothing}}}}
payoffs:
  A: {{flow: {{by: [x, {by}], values: {of_a}}}}}
  C: {{flow: {{by: [x, {by}], values: {of_c}}}}}
terms:
  still: {{binds: C, forbids: act, about: C keeps still}}
  costly: {{binds: C, forbids: act, cost: 0.3, about: C pays for it}}
  modest: {{binds: A, forbids: act, cost: 0.2, about: A pays for it}}
policies: {{free: {{terms: []}}, still: {{terms: [still]}}, costly: {{terms: [costly, modest]}}}}
policy: free
outcomes: {{up: {{when: x == 2}}}}
"""


def stand_off(*, together: bool, horizon: str = "2", responses: str = "mistakes") -> Scenario:
    """With both types, or with what they come to given that of A."""
    worth = 1.5 * np.random.default_rng(7).uniform(-1, 1, (2, 3, 2, 2)).round(3)
    given = JOINT / JOINT.sum(axis=1, keepdims=True)
    tables = []
    for table in worth:
        rows = []
        for x, a in product(range(3), range(2)):
            cells = ", ".join(f"{kind}: {table[x, a, b]}" for b, kind in enumerate(KINDS))
            mean = repr(float(given[a] @ table[x, a]))
            rows.append(f"{KINDS[a]}: {f'{{{cells}}}' if together else mean}")
        tables.append(", ".join(f"{x}: {{{', '.join(rows[2 * x : 2 * x + 2])}}}" for x in range(3)))
    cells = [f"{kind}: {{high: {a}, low: {b}}}" for kind, (a, b) in zip(KINDS, JOINT, strict=True)]
    high, low = JOINT.sum(axis=1)
    text = TEXT.format(
        horizon=horizon,
        responses=responses,
        types="[high, low]" if together else f"{{high: {high}, low: {low}}}",
        other="types: [high, low], " if together else "",
        discount=", discount: 0.7" if horizon == "forever" else "",
        joint=f"joint_prior: {{by: [A, B], values: {{{', '.join(cells)}}}}}" if together else "",
        by="A, B" if together else "A",
        of_a=f"{{{tables[0]}}}",
        of_c=f"{{{tables[1]}}}",
    )
    return detente.loads(text)


BOTH = stand_off(together=True), stand_off(together=False)


def assert_alike(together: pd.DataFrame, alone: pd.DataFrame) -> None:
    """The rows about A and C, whatever the type of B, are the same numbers.

    Those of the grids' errors are not: they are of the nodes about B as well.
    """
    if "B" in together:
        together = together[together["B"] == "any"]
    if "actor" in alone:
        together, alone = (table[table["actor"] != "B"] for table in (together, alone))
    kinds = alone.select_dtypes("number").columns
    numbers = [name for name in kinds if not name.endswith("error")]
    assert len(together) == len(alone) > 0
    assert numbers
    np.testing.assert_allclose(together[numbers], alone[numbers], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("horizon", ["2", "forever"])
@pytest.mark.parametrize("responses", ["mistakes", "shocks"])
def test_forecasts(horizon: str, responses: str) -> None:
    results = []
    for together in (True, False):
        game = compile_game(stand_off(together=together, horizon=horizon, responses=responses))
        solution = detente.solve(game, OPTIONS)
        assert solution.status.name == "SOLVED"
        assert solution.certificate.residual < 1e-9
        assert solution.certificate.value_error < 1e-10
        periods = 3 if horizon == "forever" else None
        results.append(detente.forecast(solution, periods=periods, threads=1))
    if horizon == "2":
        assert results[0].forward_error < 1e-12
    assert_alike(results[0].outcomes, results[1].outcomes)
    assert_alike(results[0].payoffs, results[1].payoffs)
    assert_alike(results[0].actions, results[1].actions)


def test_comparisons() -> None:
    together, alone = (detente.compare(scenario, None, OPTIONS) for scenario in BOTH)
    for table in ("outcomes", "payoffs", "first_moves"):
        assert_alike(getattr(together, table), getattr(alone, table))


@pytest.mark.parametrize(
    ("policy", "tables"), [("still", ("hard", "hard_over_time")), ("costly", ("soft",))]
)
def test_credibility(policy: str, tables: tuple[str, ...]) -> None:
    """What C and A expect of breaking a term goes by what each believes of B."""
    together, alone = (detente.credibility(scenario, policy, OPTIONS) for scenario in BOTH)
    for table in tables:
        assert_alike(getattr(together, table), getattr(alone, table))


@pytest.mark.parametrize("who", ["A", "C"])
def test_announcements(who: str) -> None:
    """That of A tells of B as well."""
    asked = ["free", "costly"]
    together, alone = (detente.announce(each, asked, OPTIONS, who=who) for each in BOTH)
    for table in ("choices", "worth", "payoffs", "outcomes"):
        assert_alike(getattr(together, table), getattr(alone, table))


def test_the_value_of_a_signal() -> None:
    together, alone = (detente.signal_value(compile_game(s), "news", OPTIONS) for s in BOTH)
    assert abs(alone.payoffs["worth"]).max() > 1e-3  # else there is nothing to compare
    assert_alike(together.payoffs, alone.payoffs)
    assert_alike(together.outcomes, alone.outcomes)


@pytest.mark.parametrize(
    ("query", "at"),
    [
        (detente.Query(outcome="up"), 0.3),
        (detente.Query(payoff="C", types={"A": "high"}), 0.0),
        (detente.Query(prefer=("free", "still"), actor="C"), 0.0),
    ],
    ids=["outcome", "payoff", "prefer"],
)
def test_thresholds(query: detente.Query, at: float) -> None:
    together, alone = (
        detente.threshold(s, "toll", query, OPTIONS, at=at, points=5, slopes=True) for s in BOTH
    )
    assert_alike(together.curve, alone.curve)


def test_sensitivity() -> None:
    for query in (detente.Query(outcome="up"), detente.Query(payoff="A", types={"A": "low"})):
        tables = [
            detente.sensitivity(detente.solve(compile_game(s), OPTIONS), query).table for s in BOTH
        ]
        assert_alike(*(table[table["parameter"] == "toll"] for table in tables))


def test_ensembles() -> None:
    """The same draws of the same parameters: the same answers."""
    draws = [detente.ensemble(s, None, OPTIONS, draws=3) for s in BOTH]
    together, alone = (each.rows.set_index(["draw", "policy"]) for each in draws)
    numbers = [name for name in alone if name.startswith(("up@", "payoff:A", "payoff:C"))]
    assert len(numbers) == 9
    np.testing.assert_allclose(together[numbers], alone[numbers], rtol=1e-9, atol=1e-11)
