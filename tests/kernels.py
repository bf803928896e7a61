"""Compiles the kernels that tests need: `python -m tests.kernels`, and before each run of them.

Processes of pytest begin at the same time and would each compile all of them. Two processes share
the work, each with games of its own; what both need they compile twice, which takes little. Where
all is compiled that takes a few seconds.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import subprocess
import sys

import numpy as np

import detente
from detente.scenario.model import Scenario
from detente.solver import kernels
from detente.solver.kernels.cache import SealedCache
from detente.solver.kernels.jit import is_kept
from tests.generate import Shape, random_scenario
from tests.solver import test_stage

IN_TURN = (
    Shape(informed=1),
    Shape(informed=0),
    Shape(informed=1, shocks=True),
    Shape(informed=1, types=3, actions=3, levels=4),  # with nodes that are to be traced
    Shape(informed=1, types=5),  # with the prior put in between nodes
)
TOGETHER = Shape(informed=2, together=2)


def in_turn() -> None:
    """Games of one mover at a time to whom nothing happens in secret."""
    for shape in IN_TURN:
        use(drawn(shape, 10.0 if shape.types > 2 else 1.0), "top")
    node_by_node = detente.compile_game(detente.load("beer-quiche"))
    detente.solve(node_by_node, coarse=False, rng=np.random.default_rng(1))
    test_stage.solve_line(test_stage.jagged(4.0))
    test_stage.is_line_unique(test_stage.one_problem())
    test_stage.elementary_at(*np.zeros((3, 1)))


def other() -> None:
    """Moves at once, moves that are not seen, and chance that knows types."""
    use(drawn(TOGETHER, 1.0), "top")
    test_stage.solve(test_stage.one_problem())
    use(detente.load("secret-programme").with_horizon(2), "bomb")


def drawn(shape: Shape, precision: float) -> Scenario:
    """A random scenario of a shape."""
    return detente.loads(random_scenario(np.random.default_rng(0), shape, precision))


def use(scenario: Scenario, outcome: str) -> None:
    """Solve, forecast and differentiate."""
    game = detente.compile_game(scenario)
    solution = detente.solve(game, detente.SolveOptions(beliefs=7))
    detente.forecast(solution)
    detente.sensitivity(solution, detente.Query(outcome=outcome))


def missing() -> list[str]:
    """The kernels of the package, and those tests', that this machine has never compiled."""
    found = set()
    names = [m.name for m in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}.")]
    for module in (*map(importlib.import_module, names), test_stage):
        for name, value in vars(module).items():
            if isinstance(getattr(value, "_cache", None), SealedCache) and not is_kept(value):
                found.add(name)
    return sorted(found)


def main() -> None:
    """Compile all that is missing, half of it in a process of its own."""
    if not missing():
        return
    gc.disable()  # a compiler makes much and drops little: looking through it takes a tenth
    if sys.argv[1:] == ["other"]:
        other()
        return
    told = "Compiling the kernels that tests need (once; about 95 s on two cores) ..."
    print(told, file=sys.stderr, flush=True)
    beside = subprocess.Popen([sys.executable, "-m", "tests.kernels", "other"])
    in_turn()
    if beside.wait() != 0:
        sys.exit("the kernels of moves at once, and of secret ones, could not be compiled")
    if left := missing():
        sys.exit(f"compiled in no game of tests/kernels.py: {', '.join(left)}")


if __name__ == "__main__":
    main()
