"""Games without end, complete information, moves at the same time: against sgamesolver."""

from __future__ import annotations

from functools import partial

import numpy as np

import detente
from benchmarks.games import DISCOUNT, random_stochastic, stationary
from benchmarks.peers import ask, missing
from benchmarks.report import Plan, Table, digits, times
from detente.solver.solution import Solution

Case = tuple[int, int, int, float]

CASES: tuple[Case, ...] = (
    *((16, 2, 4, precision) for precision in (1.0, 2.0, 5.0, 10.0, 20.0)),
    *((64, 2, 4, precision) for precision in (2.0, 10.0)),
    (64, 3, 4, 2.0),
    (128, 2, 4, 2.0),
    (256, 2, 4, 2.0),
    (512, 2, 4, 2.0),
)
"""States, players, actions, λ."""

QUICK: tuple[Case, ...] = ((4, 2, 2, 1.0), (8, 2, 3, 2.0))


def run(plan: Plan) -> list[Table]:
    """The one table."""
    absent = missing("sgamesolver")
    rows: list[list[object]] = []
    for case in QUICK if plan.quick else CASES:
        states, players, actions, precision = case
        plan.tell(f"{states} states, {players} players, {actions} actions, λ = {precision:g}")
        game = stationary(*random_stochastic(states, players, actions), precision)
        solve = partial(
            detente.solve, game, detente.SolveOptions(threads=1), regret=False, coarse=False
        )
        ours = times(solve, plan)
        solution = solve()
        row: list[object] = [f"{states}, {players}, {actions}", digits(precision)]
        if plan.peers and not absent:
            theirs = ask(plan, "sgamesolver", *case)
            row += [theirs, ours, theirs.against(ours)]
            row.append(f"{difference(solution, theirs.play):.1e}" if theirs.play else "–")
        else:
            row += ["–", ours, "–", "–"]
        rows.append([*row, solution.status.name.lower()])
    note = (
        f"Random games as sgamesolver makes them (payoffs in [0, 1], discount {DISCOUNT}), QRE at "
        "a given λ: its homotopy is stopped there (`target_lambda`). One thread each; Detente "
        "without regret, with its certificate. Reading the game in does not count. `apart`: "
        "largest difference of a probability."
    )
    columns = "states, players, actions", "λ", "sgamesolver", "Detente", "ratio", "apart", "status"
    return [Table("sgamesolver", f"{note} {absent}".strip(), columns, rows)]


def difference(solution: Solution, play: list[float]) -> float:
    """Largest difference of our strategies from others by state, player, action."""
    layer = solution.game.layers[0]
    ours = [
        solution.strategy(0, x, m)[0, 0]
        for x in range(layer.states.size)
        for m in range(len(layer.movers))
    ]
    return float(np.abs(np.concatenate(ours) - np.array(play)).max())
