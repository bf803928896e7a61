"""Compiles the kernels that most tests need: `python -m tests.kernels`.

Workers of pytest begin at the same time and would each compile all of them. Two processes share
the work, each with games of its own; what both need they compile twice, which takes little.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np

import detente
from detente.scenario.model import Scenario
from detente.solver import tracer
from tests.generate import Shape, random_scenario

SHAPES = (
    Shape(informed=1),
    Shape(informed=1, types=3, actions=3, levels=4),  # with nodes that are to be traced
    Shape(informed=0),
    Shape(informed=1, shocks=True),
)
TOGETHER = Shape(informed=2, together=2)
"""Whose kernels take as long as those of all other games."""


def each_kind() -> None:
    """Games of one mover at a time, with secrets and without; the tracer is compiled beside."""
    tracer.begin()
    for shape in SHAPES:
        use(drawn(shape, 10.0 if shape.types > 2 else 1.0), "top")
    use(detente.load("secret-programme").with_horizon(2), "bomb")
    tracer.wait()


def drawn(shape: Shape, precision: float) -> Scenario:
    """A random scenario of a shape."""
    return detente.loads(random_scenario(np.random.default_rng(0), shape, precision))


def use(scenario: Scenario, outcome: str) -> None:
    """Solve, forecast and differentiate."""
    game = detente.compile_game(scenario)
    solution = detente.solve(game, detente.SolveOptions(beliefs=7))
    detente.forecast(solution)
    detente.sensitivity(solution, detente.Query(outcome=outcome))


def main() -> None:
    """Compile all of them, half of them in a process of its own."""
    if sys.argv[1:] == ["each-kind"]:
        each_kind()
        return
    beside = subprocess.Popen([sys.executable, "-m", "tests.kernels", "each-kind"])
    use(drawn(TOGETHER, 1.0), "top")
    if beside.wait() != 0:
        sys.exit("the kernels of games of one mover at a time could not be compiled")


if __name__ == "__main__":
    main()
