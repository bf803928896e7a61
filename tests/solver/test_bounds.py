"""Kernels stay within their arrays: compiled, they would read or write whatever lies beyond.

They are run here as plain Python, where NumPy looks at every index, in a process of its own, since
Numba is told not to compile before it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.generate import Shape, random_scenario
from tests.solver import test_pooling
from tests.solver.test_joint_prior import TABLE, scenario

RUN = """
import json
import sys

import detente
from detente.solver.options import least_points

for name, text in json.load(sys.stdin).items():
    print(name, file=sys.stderr)
    game = detente.compile_game(detente.loads(text))
    solution = detente.solve(game, detente.SolveOptions(least_points(game)))
    assert solution.status.name == "SOLVED"
    detente.forecast(solution)
    if "forever" not in name:
        first = next(iter(solution.game.scenario.actors))
        detente.sensitivity(solution, detente.Query(payoff=first))
"""

QUICK = {
    "nobody informed": Shape(informed=0),
    "three types": Shape(types=3, periods=1),
    "two informed": Shape(informed=2, periods=1),
    "two at once, two informed": Shape(informed=2, together=2, periods=1),
    "three at once, two informed": Shape(actors=3, informed=2, together=3, periods=1),
    "forever": Shape(informed=1, forever=True),
}
SLOW = {
    "three at once, one informed": Shape(actors=3, together=3, periods=1),
    "at once, three types": Shape(types=3, together=2, periods=1),
    "shocks": Shape(informed=2, shocks=True, periods=1),
    "references": Shape(informed=2, reference=True, periods=1),
    "forever, at once": Shape(informed=1, together=2, forever=True),
}


TOGETHER = scenario(0, "[{who: [A, B]}, C]", TABLE)


def texts(shapes: dict[str, Shape]) -> dict[str, str]:
    return {
        name: random_scenario(np.random.default_rng(0), shape, 3.0)
        for name, shape in shapes.items()
    }


def interpret(scenarios: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN],
        input=json.dumps(scenarios),
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_no_index_is_out_of_bounds() -> None:
    interpret({**texts(QUICK), "types that go together": TOGETHER})


@pytest.mark.slow
def test_no_index_is_out_of_bounds_in_more_games() -> None:
    strike = test_pooling.STRIKE.replace("horizon: 12", "horizon: 2")
    interpret({**texts(SLOW), "types that act alike": strike})
