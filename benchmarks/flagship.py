"""The default scenario: the command as it is typed, many solves of a sweep, and a gradient."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import detente
from benchmarks.report import ROOT, Plan, Table, Times, digits, ratio, times
from detente.game.arrays import CompiledGame
from detente.game.gradient import parameter_gradient
from detente.solver.gradient import game_gradient
from detente.solver.solution import Solution
from detente.solver.value_tape import Target

NAME = "pyeongchang-2018"

OUTCOME = "deal"
"""Whose probability is differentiated."""

CHANGES = 100

STEP = 0.05
"""Of the way from a parameter's value to an end of its range, in the sweep."""

FEWER = 3
"""Runs of the command and of the gradient, which take long."""


def run(plan: Plan) -> list[Table]:
    """Both tables."""
    return [command(plan), sweep(plan)]


def command(plan: Plan) -> Table:
    """`detente run`, before and after its kernels were compiled on this machine."""
    words = ["run", NAME]
    if plan.quick:
        words += ["--horizon", "1", "--beliefs", "5"]
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(1 if plan.quick else FEWER):
        with tempfile.TemporaryDirectory() as cache:
            for seconds in (cold, warm):
                plan.tell("the command, cold" if seconds is cold else "the command, warm")
                seconds.append(_run_command(words, cache))
    note = (
        f"`detente {' '.join(words)}` in a process of its own, with all that it prints. Cold: no "
        "kernel has been compiled on the machine before."
    )
    rows = [["cold", Times(tuple(cold))], ["warm", Times(tuple(warm))]]
    return Table(f"{NAME}: the command", note, ["", "time"], rows)


def sweep(plan: Plan) -> Table:
    """Solves at other numbers, and the derivatives by all of them."""
    scenario = detente.load(NAME)
    if plan.quick:
        scenario = scenario.with_horizon(2)
    points = 5 if plan.quick else None
    compiled = times(partial(detente.compile_game, scenario), replace(plan, runs=FEWER))
    game = detente.compile_game(scenario)
    solve = partial(
        detente.solve, regret=False, coarse=False, options=detente.SolveOptions(beliefs=points)
    )
    solution = solve(game)
    changed: list[float] = []
    solved: list[float] = []
    count = 2 if plan.quick else CHANGES
    for n, values in enumerate(changes(game, count), start=1):
        if n % 10 == 0 or plan.quick:
            plan.tell(f"sweep, {n} of {count}")
        begin = time.perf_counter()
        other = detente.with_values(game, values)
        middle = time.perf_counter()
        found = solve(other)
        changed.append(middle - begin)
        solved.append(time.perf_counter() - middle)
        assert other.structure is game.structure
        assert found.status.name == "SOLVED"
    each, filled = Times(tuple(solved)), Times(tuple(changed))
    plan.tell("gradient")
    gradient = times(partial(differentiate, solution), replace(plan, runs=FEWER))
    slopes = differentiate(solution)
    rows = [
        ["compile_game", compiled, ratio(compiled.median, each.median)],
        [f"with_values, {count} changes", filled, ratio(filled.median, each.median)],
        [f"solve, {count} changes", each, ratio(each.median, each.median)],
        [f"gradient by {len(slopes)} numbers", gradient, ratio(gradient.median, each.median)],
    ]
    note = (
        f"{solution.threads} threads, no regret, no coarser grid; "
        f"{solution.certificate.nodes:,} pairs of turn's state and belief on a grid of "
        f"{' x '.join(map(str, solution.grid.points))}. A change moves one parameter by "
        f"{digits(100 * STEP)} % of the way to an end of its range and keeps the enumeration. "
        f"The gradient is that of the probability of `{OUTCOME}` by the last period, by all "
        "numbers of all parameters: `game_gradient` and `parameter_gradient`."
    )
    return Table(f"{NAME}: many solves", note, ["", "time", "in solves"], rows)


def changes(game: CompiledGame, count: int) -> list[dict[str, float]]:
    """One number changed at a time, of those that do not decide which states there are."""
    limits = [
        (name, value, end)
        for side in (1, 0)
        for parameter in game.scenario.parameters.values()
        if parameter.key not in game.structure.structural
        for name, value, bounds in zip(
            parameter.names(), parameter.values, parameter.ranges, strict=True
        )
        if bounds is not None and (end := bounds[side]) != value
    ]
    moves = [{name: value + STEP * (end - value)} for name, value, end in limits]
    return [moves[n % len(moves)] for n in range(count)]


def differentiate(solution: Solution) -> dict[str, float]:
    """Derivatives of the probability of an outcome by all parameters."""
    game = solution.game
    target = Target(
        given=np.ones(len(game.profiles)),
        by_prior=np.ones(len(game.priors), dtype=bool),
        outcome=OUTCOME,
        period=game.periods,
    )
    return parameter_gradient(game, game_gradient(solution, target)[1])


def _run_command(words: list[str], cache: str) -> float:
    program = Path(sys.executable).with_name("detente")
    begin = time.perf_counter()
    subprocess.run(
        [str(program), *words],
        cwd=ROOT,
        env={**os.environ, "DETENTE_CACHE_DIR": cache},
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - begin
