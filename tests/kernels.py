"""Compiles the kernels that most tests need: `python -m tests.kernels`.

Workers of pytest begin at the same time and would each compile all of them.
"""

from __future__ import annotations

import numpy as np

import detente
from detente.solver import tracer
from tests.generate import Shape, random_scenario

SHAPES = (
    Shape(informed=2, together=2),  # takes longer than all others together
    Shape(informed=1),
    Shape(informed=1, types=3),
    Shape(informed=0),
)


def main() -> None:
    """Solve, forecast and differentiate a game of each kind; the tracer is compiled beside."""
    tracer.begin()
    for shape in SHAPES:
        text = random_scenario(np.random.default_rng(0), shape, precision=1.0)
        solution = detente.solve(detente.compile_game(detente.loads(text)))
        detente.forecast(solution)
        detente.sensitivity(solution, detente.Query(outcome="top"))
    tracer.wait()


if __name__ == "__main__":
    main()
