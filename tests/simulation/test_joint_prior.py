"""Where types go together: what is reported of beliefs, records, and the tables people play at."""

from __future__ import annotations

import numpy as np
import pytest

import detente
from detente.game.compile import compile_game
from detente.workbench.play import table
from detente.workbench.play.board import Position
from tests.estimation.test_likelihood import check_gradient, likelihood
from tests.solver.test_joint_prior import TABLE, scenario
from tests.workbench.play.conftest import TOGETHER, solved

RECORD = "date,actor,move\n1,A,act\n1,B,wait\n1,state,x >= 1\n"
JOINT = np.array(TABLE).reshape(2, 2)


def test_beliefs_of_a_forecast_are_those_of_bayes_rule() -> None:
    """After one move of A, which is made at a node of the grid: known to rounding."""
    game = compile_game(detente.loads(scenario(1, "[A]", TABLE, lam=2.0)))
    solution = detente.solve(game, detente.SolveOptions(beliefs=65))
    sigma = solution.strategy(0, 0)[solution.grid.start]
    about = (JOINT.T @ sigma) / (JOINT.sum(axis=1) @ sigma)
    told = detente.forecast(solution).beliefs.set_index(["A", "B", "about", "type", "t"])["mean"]
    assert told["any", "any", "B", "high", 1] == pytest.approx(JOINT[:, 0].sum(), abs=1e-12)
    for theta, kind in enumerate(("high", "low")):
        expected = float(sigma[theta] @ about[0])
        assert told[kind, "any", "B", "high", 1] == pytest.approx(expected, abs=2e-3)
        given = JOINT[:, theta] / JOINT[:, theta].sum()
        expected = float(given @ sigma @ about[0])
        assert told["any", kind, "B", "high", 1] == pytest.approx(expected, abs=2e-3)


def test_a_record_of_one_tells_of_the_other() -> None:
    stand_off = detente.loads(scenario(2, "[A, {who: [B, C]}, A]", TABLE, lam=2.0))
    record = detente.parse_record(RECORD, stand_off)
    solution, exact = likelihood(stand_off, [record])
    track = detente.track(solution, record)
    assert exact.logs[0, 0] == pytest.approx(track.log_likelihood, abs=1e-12)
    after = track.beliefs.set_index(["step", "about", "type"])["probability"]
    sigma = solution.strategy(0, 0)[solution.grid.start][:, 1]
    assert after[1, "B", "high"] == pytest.approx(JOINT[:, 0] @ sigma / (JOINT.sum(axis=1) @ sigma))
    check_gradient(stand_off, [record])


def test_a_table_shows_what_the_public_believes() -> None:
    text = TOGETHER.replace("{soft: 0.5, hard: 0.5}", "[soft, hard]")
    text = text.replace("{soft: 0.3, hard: 0.7}", "[soft, hard]")
    values = "{soft: {soft: 0.25, hard: 0.25}, hard: {soft: 0.05, hard: 0.45}}"
    board = solved(f"{text}joint_prior: {{by: [left, right], values: {values}}}\n")
    np.testing.assert_allclose(board.public(board.start[1]), board.start[1], atol=1e-15)
    at = Position(*board.moves[0], *board.start[:2])
    joint = np.array([[0.25, 0.25], [0.05, 0.45]])
    left, right = board.strategy(at, 0), board.strategy(at, 1)
    layer = board.game.layers[at.n]
    row = int(layer.succ[layer.trans_ptr[board.joint(at, (0, 1))]])
    after = board.public(board.posterior(at, (0, 1), row))
    expected = joint * left[:, :1] * right[:, 1]
    expected /= expected.sum()
    np.testing.assert_allclose(after[0], expected.sum(axis=1), atol=1e-14)
    np.testing.assert_allclose(after[1], expected.sum(axis=0), atol=1e-14)
    for theta in range(2):  # what left of a type expects of right
        leads = board.leads(at, 0, 1, theta)
        up = joint[theta] @ right[:, 0] / joint[theta].sum()
        heat = {
            board.game.structure.levels(np.array([lead.code]))["heat"][0]: lead for lead in leads
        }
        assert heat[3].probability == pytest.approx(up, abs=1e-14)
    seats = table.dealt(board, 5, ("solution", "solution"), (-1, -1))
    assert len(table.settled(board, seats, frozenset()).turns) == len(board.moves)
