"""How a solve grows, one dimension at a time, and what it needs of memory.

    python -m benchmarks.scaling STATES PERIODS

solves and forecasts in a process of its own, and prints what the system says it took.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial

import detente
from benchmarks.games import rounds
from benchmarks.report import ROOT, Plan, Table, Times, digits, peak, ratio, size, times
from detente.game.arrays import CompiledGame
from detente.solver.beliefs import grid_size
from detente.solver.options import default_points
from detente.solver.solution import Solution
from detente.solver.solve import REGRET_WORK

TYPES = {2: 1001, 3: 45, 4: 17, 5: 11}
"""Belief points along an edge of the simplex of so many types that make about 1,000 nodes."""

QUICK_TYPES = {2: 29, 3: 7}

MAKE = {"states": "states", "periods": "periods", "actions of each": "actions"}
"""What of `games.rounds` is varied, by the name in the table."""

PROBES: Sequence[tuple[int, int]] = ((500, 12), (500, 96), (4000, 12), (4000, 48))
"""States and periods at which memory is measured."""

SIZES: dict[str, Sequence[int]] = {
    "states": (64, 256, 1024, 4096),
    "belief points": (17, 33, 65, 129, 257, 513),
    "periods": (6, 12, 24, 48, 96),
    "actions of each": (2, 3, 4, 6, 8),
}

QUICK_SIZES: dict[str, Sequence[int]] = {
    "states": (16, 32),
    "belief points": (5, 9),
    "periods": (2, 4),
    "actions of each": (2, 3),
}


def run(plan: Plan) -> list[Table]:
    """The three tables."""
    return [dimensions(plan), threads(plan), memory(plan)]


def dimensions(plan: Plan) -> Table:
    """One thing is varied, the others stay."""
    base = {"states": 32 if plan.quick else 512, "periods": 4 if plan.quick else 12}
    points = 9 if plan.quick else 65
    rows: list[list[object]] = []
    for what, values in (QUICK_SIZES if plan.quick else SIZES).items():
        for value in values:
            plan.tell(f"{what}: {value}")
            if what == "belief points":
                rows.append([what, value, *measure(rounds(**base), value, plan)])
            else:
                game = rounds(**{**base, MAKE[what]: value})
                rows.append([what, value, *measure(game, points, plan)])
    for types, edge in (QUICK_TYPES if plan.quick else TYPES).items():
        plan.tell(f"types: {types}")
        game = rounds(**{**base, "states": 16 if plan.quick else 64, "types": types})
        rows.append(["types", types, *measure(game, edge, plan)])
    note = (
        "Two actors in turn, the second with 2 types, 3 actions each with two effects, "
        f"{base['states']} states, {base['periods']} periods, {points} belief points, λ = 1, but "
        "for what is named; types at fewer states and about as many nodes of their simplex. One "
        "thread, no regret, no coarser grid, with the certificate. `points`: pairs of turn's "
        "state and belief. `unique`: share of the informed mover's that are certain to have one "
        "solution."
    )
    columns = ["dimension", "size", "nodes", "points", "unique", "solve", "a point"]
    return Table("Growth of a solve", note, columns, rows)


def measure(game: CompiledGame, points: int, plan: Plan) -> list[object]:
    """The rest of a row."""
    solve = solver(game, points, 1)
    solution = solve()
    branches = solution.branches
    found = branches.unique + branches.traced + branches.folded + branches.forked + branches.failed
    taken = times(solve, plan)
    unique = f"{branches.unique / found:.1%}" if found else "–"
    count = solution.certificate.nodes
    return [solution.grid.size, count, unique, taken, taken.per(count)]


def threads(plan: Plan) -> Table:
    """The same solve on one thread and on more."""
    game = rounds(states=64 if plan.quick else 4096, periods=4 if plan.quick else 12)
    points = 9 if plan.quick else 65
    counts = [n for n in (1, 2, 4, 8, 16, 32, 64) if n <= max(2, os.cpu_count() or 1)]
    rows: list[list[object]] = []
    alone: Times | None = None
    for count in counts:
        plan.tell(f"{count} threads")
        taken = times(solver(game, points, count), plan)
        alone = alone or taken
        rows.append([count, taken, ratio(alone.median, taken.median)])
    note = f"{max(layer.states.size for layer in game.layers):,} states, {points} belief points."
    return Table("Threads", note, ["threads", "solve", "speed-up"], rows)


def memory(plan: Plan) -> Table:
    """What a solve and its forecast take, beside what `memory_needed` says before."""
    rows: list[list[object]] = []
    for states, periods in ((16, 2),) if plan.quick else PROBES:
        plan.tell(f"memory, {states} states, {periods} periods")
        found = [_probe(states, periods) for _ in range(2 if plan.quick else 3)]
        needed = found[0]["needed"]
        took = sorted(one["peak"] - one["before"] for one in found)
        peak = sorted(one["peak"] for one in found)[len(found) // 2]
        middle = took[len(took) // 2]
        rows.append(
            [
                states,
                periods,
                size(needed),
                f"{size(middle)} ({digits(took[0] / 2**20)}–{digits(took[-1] / 2**20)})",
                digits(middle / needed),
                size(peak),
            ]
        )
    note = (
        "A solve and a forecast with their defaults, in a process of its own. `taken`: growth of "
        "the peak of resident memory from that after a tiny solve, median "
        "(lowest–highest); `whole process` has the interpreter, the libraries and the game as well."
    )
    columns = "states", "periods", "memory_needed", "taken", "taken / needed", "whole process"
    return Table("Memory", note, columns, rows)


def solver(game: CompiledGame, points: int, threads: int) -> Callable[[], Solution]:
    """A call that solves, with nothing beside."""
    return partial(
        detente.solve,
        game,
        detente.SolveOptions(beliefs=points, threads=threads),
        regret=False,
        coarse=False,
    )


def _probe(states: int, periods: int) -> dict[str, int]:
    command = [sys.executable, "-m", "benchmarks.scaling", str(states), str(periods)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure memory in this process."""
    states, periods = map(int, sys.argv[1:])
    game = rounds(states=states, periods=periods)
    detente.forecast(detente.solve(rounds(states=8, periods=2)))
    before = peak()
    detente.forecast(detente.solve(game))
    points = default_points(game)
    work = grid_size(game, points) * sum(layer.states.size for layer in game.layers)
    needed = detente.SolveOptions().memory(game, regret=work < REGRET_WORK)
    print(json.dumps({"needed": needed, "before": before, "peak": peak()}))


if __name__ == "__main__":
    main()
