"""Random games without end and with private types: how many are solved, and how fast."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

import detente
from benchmarks.report import Plan, Table, Times, digits
from detente.solver.solution import Solution, Status

GAMES, QUICK = 500, 6

BUDGET = 10.0
"""Seconds that one game may take."""

FIRST, SHORT = 24, 2.0
"""Games that each process tries beforehand, as kernels are compiled or read when they are first
needed, and seconds for each."""

PRECISIONS = ((0.5, 2.0), (2.0, 8.0), (8.0, 32.0))
"""Ranges from which λ is drawn, each with a row of its own; payoffs are within ±2."""


@dataclass(frozen=True)
class Attempt:
    """One game: what came of it, and how long it took."""

    status: Status
    seconds: float


def run(plan: Plan) -> list[Table]:
    """The one table."""
    count = QUICK if plan.quick else GAMES
    attempts: list[list[Attempt]] = [[] for _ in PRECISIONS]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), spawn, warm_up, (min(FIRST, count),)) as pool:
        for seed, tried in enumerate(pool.map(attempt, range(count))):
            if seed % 25 == 0:
                plan.tell(f"games without end, {seed} of {count}")
            attempts[seed % len(PRECISIONS)].append(tried)
    rows = [
        row(f"{low:g}–{high:g}", tried)
        for (low, high), tried in zip(PRECISIONS, attempts, strict=True)
    ]
    note = (
        "Three to twelve states, two or three actors who move in turn or at once, one or two of "
        "them with two or three private types, on the smallest usual belief grid (nine points). "
        f"A game on each core at a time; it is given up after {BUDGET:g} s. Times are of those "
        "solved."
    )
    columns = "λ", "games", "solved", "median", "99 of 100 within", "not solved"
    rows.append(row("all", [each for tried in attempts for each in tried]))
    return [Table("games without end", note, columns, rows)]


def row(name: str, tried: list[Attempt]) -> list[object]:
    """A row of the table."""
    seconds = [each.seconds for each in tried if each.status is Status.SOLVED]
    ends = Counter(each.status.name.lower() for each in tried if each.status is not Status.SOLVED)
    share = f"{len(seconds) / len(tried):.1%}"
    if not seconds:
        return [name, len(tried), share, "–", "–", _listed(ends)]
    middle, late = (Times((float(np.quantile(seconds, q)),)) for q in (0.5, 0.99))
    return [name, len(tried), share, middle, late, _listed(ends)]


def _listed(ends: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in ends.most_common()) or "–"


def warm_up(count: int) -> None:
    """Try some games in vain."""
    for seed in range(count):
        attempt(seed, SHORT)


def attempt(seed: int, seconds: float = BUDGET) -> Attempt:
    """Solve a random game."""
    precision = PRECISIONS[seed % len(PRECISIONS)]
    game = detente.compile_game(detente.loads(scenario(seed, precision)))
    options = detente.SolveOptions(beliefs=9, threads=1, time_limit=seconds)
    begin = time.perf_counter()
    solution: Solution = detente.solve(game, options, regret=False, coarse=False)
    return Attempt(solution.status, time.perf_counter() - begin)


def scenario(seed: int, precision: tuple[float, float]) -> str:
    """A random scenario without end, in the scenario language."""
    rng = np.random.default_rng(seed)
    lam = digits(float(np.exp(rng.uniform(*np.log(precision)))))
    actors, levels = int(rng.integers(2, 4)), int(rng.integers(3, 5))
    informed = int(rng.integers(1, 3))

    def payoff() -> float:
        return round(float(rng.uniform(-2, 2)), 3)

    lines = ["title: random", "calendar: {period: round, horizon: forever}", "actors:"]
    kinds: list[list[str]] = []
    for i in range(actors):
        count = int(rng.integers(2, 4)) if i < informed else 1
        kinds.append([f"k{i}{k}" for k in range(count)] if count > 1 else [])
        prior = np.round(0.1 + (1 - 0.1 * count) * rng.dirichlet(np.full(count, 2.0)), 3)
        prior[-1] = round(1 - float(prior[:-1].sum()), 3)
        told = ", ".join(f"{k}: {p}" for k, p in zip(kinds[i], prior, strict=False))
        types = f"types: {{{told}}}, " if told else ""
        lines.append(
            f"  A{i}: {{{types}precision: {lam}, discount: {rng.choice([0.5, 0.8, 0.95])}}}"
        )

    def by_type(i: int) -> str:
        """A number for each type of an actor, as a formula."""
        return " + ".join(f"({payoff()}) * (A{i} == {k})" for k in kinds[i]) or f"{payoff()}"

    lines += ["state:", f"  x: {{levels: 0..{levels - 1}, start: 0, edge: cut}}"]
    lines.append(f"  calm: {{levels: 0..{rng.integers(0, 3)}, start: 0, edge: cut}}")
    together = "{who: [A0, A1]}" if rng.random() < 0.5 else "A0, A1"
    lines.append(f"turns: [{together}{', A2' if actors > 2 else ''}]")
    lines.append("actions:")
    for i in range(actors):
        lines.append(f"  A{i}:")
        for a in range(int(rng.integers(2, 4))):
            to = ", ".join(f"{v}: '{rng.choice(['+1', '-1', '+0'])}'" for v in ("x", "calm"))
            chance = round(float(rng.uniform(0.2, 0.9)), 2)
            effects = f"[{{p: {chance}, set: {{{to}}}}}, {{p: rest}}]"
            lines.append(f"    a{a}: {{effects: {effects}, cost: '{by_type(i)}'}}")
    lines.append("payoffs:")
    for i in range(actors):
        flow = " + ".join(f"({by_type(i)}) * (x == {level})" for level in range(1, levels))
        lines.append(f"  A{i}: {{flow: '{flow} + ({payoff()}) * calm'}}")
    lines.append("outcomes: {top: {when: x == 1}}")
    return "\n".join([*lines, ""])
