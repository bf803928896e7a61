"""The answer to a setting: in its order, coarse first."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import detente
from detente import library
from detente.solver.beliefs import belief_grid
from detente.workbench import answers
from detente.workbench.jobs import Event, Job, Means
from detente.workbench.setting import Setting
from tests.generate import Shape, random_scenario

BARGAINING = library.read_text("bargaining-rounds")


def events(**setting: object) -> list[Event]:
    job = Job(1, "page", "answer", BARGAINING, "file", Setting(**setting))  # type: ignore[arg-type]
    return list(answers.answer(job, Means(), lambda share: None))


def test_an_answer_is_coarse_then_exact_then_told_then_differentiated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {"prior": 0.6, "step_cost.stalling": 0.9}
    monkeypatch.setattr(answers, "COARSE_WORK", 1)
    given = events(values=values, beliefs=9)
    assert [e["kind"] for e in given if e["kind"] != "step"][:3] == ["answer", "answer", "sections"]
    coarse, exact = (e for e in given if e["kind"] == "answer")
    assert (coarse["stage"], exact["stage"]) == ("coarse", "exact")
    scenario = detente.load("bargaining-rounds").with_values(values)
    final = detente.forecast(
        detente.solve(detente.compile_game(scenario), detente.SolveOptions(9))
    ).final
    for rough, known, row in zip(coarse["outcomes"], exact["outcomes"], final.rows(), strict=True):
        assert rough["key"] == known["key"] == row["outcome"]
        assert (known["happened"], known["error"]) == (row["happened"], row["error"])
        assert np.isnan(rough["error"])
        assert 0 < abs(rough["happened"] - known["happened"]) < 0.05
    assert next(e["outcome"] for e in given if e["kind"] == "slopes") == exact["asked"]


def test_a_coarse_answer_is_as_fine_as_its_time_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    game = detente.compile_game(detente.load("bargaining-rounds"))
    grid = partial(answers.coarse_grid, game)
    assert grid(65).points == (33,)
    assert grid(9).points == (5,)
    assert grid(5).points == (3,)
    monkeypatch.setattr(answers, "COARSE_WORK", 9 * sum(x.states.size for x in game.layers))
    assert grid(65).points == belief_grid(game, 9).points
    shape = Shape(types=9, actions=2, periods=1)
    text = random_scenario(np.random.default_rng(0), shape, 1.0)
    assert answers.coarse_grid(detente.compile_game(detente.loads(text)), 5).points == (5,)
