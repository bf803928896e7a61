"""Accuracy on request, other equilibria, the limit, and the ranked list of assumptions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import detente
from detente.analysis.grid_refinement import forecast_within
from detente.analysis.other_equilibria import search
from detente.analysis.sensitivity import sensitivity
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame
from detente.simulation.forecast import marginal
from detente.solver.limit import payoff_range

CHICKEN = """
title: chicken
calendar: {period: round, horizon: 1}
actors:
  A: {precision: LAMBDA}
  B: {precision: LAMBDA}
state:
  a: {levels: [none, stop, go], start: none}
  b: {levels: [none, stop, go], start: none}
parameters:
  crash: {value: 1, range: [0.5, 2], judgement: what it costs}
turns:
  - {who: [A, B]}
actions:
  A: {stop: {set: {a: stop}}, go: {set: {a: go}}}
  B: {stop: {set: {b: stop}}, go: {set: {b: go}}}
payoffs:
  A: {flow: (a == go and b == stop) - crash * (a == go and b == go)}
  B: {flow: (b == go and a == stop) - crash * (a == go and b == go)}
outcomes:
  crashed: {when: a == go and b == go}
  a_first: {when: a == go and b == stop}
"""


def chicken(precision: str) -> CompiledGame:
    return detente.compile_game(detente.loads(CHICKEN.replace("LAMBDA", precision)))


def test_accuracy_is_reached() -> None:
    game = detente.compile_game(detente.load("bargaining-rounds"))
    found = forecast_within(game, 1e-3)
    assert found.reached
    assert found.error <= 1e-3
    # Against a much finer grid the promise holds.
    fine = detente.forecast(detente.solve(game, detente.SolveOptions(beliefs=513), coarse=False))
    tables = [marginal(game, told.outcomes)["happened"] for told in (found.forecast, fine)]
    assert np.abs(tables[0].to_numpy() - tables[1].to_numpy()).max() <= 1e-3
    payoffs = [told.payoffs["payoff"].to_numpy() for told in (found.forecast, fine)]
    assert np.abs(payoffs[0] - payoffs[1]).max() <= 1e-3
    tighter = forecast_within(game, 1e-5)
    assert tighter.forecast.solution.grid.size > found.forecast.solution.grid.size


def test_accuracy_stops_at_the_memory_limit() -> None:
    game = detente.compile_game(detente.load("bargaining-rounds"))
    found = forecast_within(game, 1e-12, detente.SolveOptions(memory_limit=2 * 2**20))
    assert not found.reached
    assert found.error > 1e-12
    assert "would need" in found.note
    assert "GiB" in found.note


def test_nothing_private_needs_no_grid() -> None:
    found = forecast_within(chicken("2"), 1e-3)
    assert found.reached
    assert found.error == 0.0


def test_accuracy_is_positive() -> None:
    with pytest.raises(ValueError, match="finite number above 0"):
        forecast_within(chicken("2"), 0.0)


def test_search_finds_the_other_equilibria_of_chicken() -> None:
    result = detente.forecast(detente.solve(chicken("8")))
    found = search(result, starts=20, rng=np.random.default_rng(7))
    # The mixed one, which the principal branch leads to, and the two in which one gives way.
    assert len(found.equilibria) == 3
    assert found.equilibria["found"].sum() + found.failed == 20
    first = found.outcomes[found.outcomes["outcome"] == "a_first"].set_index("equilibrium")
    assert first["happened"].min() < 0.05
    assert first["happened"].max() > 0.95
    mixed = first.loc[0, "happened"]
    assert 0.2 < mixed < 0.3
    spread = found.spread.set_index("outcome").loc["a_first"]
    assert spread["principal"] == mixed
    assert (spread["low"], spread["high"]) == (first["happened"].min(), first["happened"].max())


def test_search_finds_nothing_where_there_is_nothing() -> None:
    result = detente.forecast(detente.solve(chicken("0.5")))
    found = search(result, starts=5, rng=np.random.default_rng(7))
    assert len(found.equilibria) == 1
    assert found.failed == 0


def test_search_is_reproducible() -> None:
    result = detente.forecast(detente.solve(chicken("8")))
    runs = [search(result, starts=6, rng=np.random.default_rng(3)) for _ in range(2)]
    assert runs[0].outcomes.equals(runs[1].outcomes)


def test_the_limit_of_chicken_is_its_mixed_equilibrium() -> None:
    game = detente.with_values(chicken("limit"), {"crash": 2})
    solution = detente.solve(game)
    assert solution.status.name == "SOLVED"
    # Indifferent where the other stops with probability crash / (1 + crash).
    assert solution.strategy(0, 0)[0, 0] == pytest.approx([2 / 3, 1 / 3], abs=1e-3)
    (note,) = solution.notes
    assert "fork" in note
    regret = solution.certificate.regret
    assert regret is not None
    assert max(regret.values()) <= 1e-4 * payoff_range(game)
    assert np.all(np.isfinite(solution.game.precision))


def test_the_limit_where_some_have_a_precision() -> None:
    game = chicken("limit")
    mixed = dataclasses.replace(game, precision=np.array([np.inf, 1.0]))
    solution = detente.solve(mixed)
    assert solution.game.precision[1] == 1.0
    assert solution.game.precision[0] > 100


def test_the_limit_of_the_chain_store() -> None:
    # Kreps and Wilson 1982: with three entrants left the weak incumbent fights with 1/3.
    game = detente.compile_game(detente.load("chain-store"))
    game = dataclasses.replace(game, precision=np.full(2, np.inf))
    solution = detente.solve(game, detente.SolveOptions(beliefs=65))
    assert solution.status.name == "SOLVED"
    assert solution.game.precision[0] > 500
    (note,) = solution.notes
    assert "best response" in note


def test_the_ranked_list() -> None:
    scenario = detente.load("bargaining-rounds")
    game = detente.compile_game(scenario)
    solution = detente.solve(game, coarse=False)
    found = sensitivity(solution, detente.Query(outcome="second_step"))
    table = found.table
    assert sorted(table["parameter"]) == sorted(
        n for p in scenario.parameters.values() for n in p.names()
    )
    assert table["swing"].abs().is_monotonic_decreasing
    row = table.set_index("parameter").loc["pain"]
    assert row["swing"] == pytest.approx(row["derivative"] * (row["high"] - row["low"]))
    assert row["elasticity"] == pytest.approx(row["derivative"] * row["value"] / found.value)
    # By the types: the expectation over the prior is that of the number.
    parts = [
        sensitivity(solution, detente.Query(outcome="second_step", types={"target": kind}))
        for kind in scenario.actors["target"].types
    ]
    weights = game.priors[list(scenario.actors).index("target")]
    assert weights @ [p.value for p in parts] == pytest.approx(found.value)


def test_what_is_not_there_is_told() -> None:
    solution = detente.solve(chicken("2"))
    with pytest.raises(ScenarioError, match="no outcome"):
        sensitivity(solution, detente.Query(outcome="peace"))
    with pytest.raises(ScenarioError, match="no actor"):
        sensitivity(solution, detente.Query(payoff="C"))
    with pytest.raises(ScenarioError, match="which number"):
        sensitivity(solution, detente.Query())
    with pytest.raises(ScenarioError, match="of the solution"):
        sensitivity(solution, detente.Query(outcome="crashed", policy=""))
    with pytest.raises(ScenarioError, match="periods, not 7"):
        sensitivity(solution, detente.Query(outcome="crashed", within=7))
    with pytest.raises(ScenarioError, match="no type"):
        sensitivity(solution, detente.Query(outcome="crashed", types={"A": "brave"}))
