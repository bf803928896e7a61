"""Stage problems of an informed mover: how many a second, and what is the least.

One mover with two types and four actions, 33 points of belief about it, and one who looks on; each
action leads to another state, drawn at random. A *stage* is one state at one belief.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks import loops
from benchmarks.games import smooth, without_end
from benchmarks.report import Plan, Table, digits, times
from detente.game.arrays import CompiledGame
from detente.solver.beliefs import BeliefGrid, belief_grid
from detente.solver.kernels.backward import Sweep
from detente.solver.kernels.lottery import BeliefLayout
from detente.solver.kernels.stage import HOW, UNIQUE, LayerArrays
from detente.solver.layout import belief_layout, part
from detente.solver.sweep import sweep

Floats = NDArray[np.float64]

ACTIONS, TYPES, POINTS = 4, 2, 33

PRECISIONS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

NEAR = 0.1
"""How far values of a period later are from those solved for, in the runs that begin from them."""

LONG = 1.0
"""Seconds of a sweep over all states beyond which only a tenth of them is taken."""

EXPONENTIALS, EVALUATIONS = 3 * ACTIONS, 2
"""Per evaluation of Newton's method at a stage, and the fewest evaluations: one that moves, one
that finds nothing left to do."""


@dataclass(frozen=True)
class Work:
    """One layer to be solved: `following` and `near` are float64 [x, c, b]."""

    layout: BeliefLayout
    part: LayerArrays
    following: Floats
    near: Floats
    states: int

    @property
    def stages(self) -> int:
        """Number of stages."""
        return self.states * POINTS

    def first(self, states: int) -> Work:
        """The first states of the layer; what follows is the same."""
        return replace(self, states=states)

    def at(self, game: CompiledGame, grid: BeliefGrid, precision: float) -> Work:
        """The same at another precision."""
        sharp = replace(game, precision=np.full_like(game.precision, precision))
        return replace(self, layout=belief_layout(sharp, grid, (0,)))


@dataclass(frozen=True)
class Machine:
    """Seconds of an exponential and a logarithm in long loops, and of a byte of memory."""

    exponential: float
    logarithm: float
    byte: float

    def floor(self, components: int) -> float:
        """Seconds of a stage that cannot be avoided."""
        computed = EXPONENTIALS * self.exponential + self.logarithm
        numbers = (ACTIONS + 1) * components + ACTIONS * TYPES
        return EVALUATIONS * computed + 8 * numbers * self.byte


def run(plan: Plan) -> list[Table]:
    """The table."""
    states = 60 if plan.quick else 10_000
    game, grid, work = make(states, np.random.default_rng(1))
    limits = measure_machine(plan)
    floor = limits.floor(work.following.shape[1])
    rows: list[list[object]] = []
    for precision in PRECISIONS[1:4:2] if plan.quick else PRECISIONS:
        plan.tell(f"stages at λ = {precision:g}")
        here = work.at(game, grid, precision)
        if times(partial(solve, here), Plan(runs=1)).median > LONG:
            here = here.first(states // 10)
        rows.append([digits(precision), *measure(here, floor, plan)])
    note = (
        f"A mover with {TYPES} types and {ACTIONS} actions, {POINTS} belief points, random smooth "
        "values of which actions differ by about 1; one thread, no regret. "
        "`cold`: Newton's method begins at 0; `warm`: at the solution for values that differ by a "
        "tenth, as in a game without end. `unique`: share of stages certain to have one solution "
        "(the ends of the belief line not counted); the others are followed from λ = 0. "
        f"Floor: {digits(1e9 * floor)} ns a stage, of {EVALUATIONS} evaluations with "
        f"{EXPONENTIALS} exponentials ({digits(1e9 * limits.exponential)} ns each in a long "
        f"vectorised loop) and a logarithm ({digits(1e9 * limits.logarithm)} ns), and of every "
        "next value read and every value and strategy written once at the speed of a copy in "
        f"memory ({digits(1e-9 / limits.byte)} GB/s)."
    )
    columns = ["λ", "states", "unique", "cold sweep", "warm sweep", "warm stages a second"]
    columns += ["cold to floor", "warm to floor"]
    return [Table("Stages a second and core", note, columns, rows)]


def make(states: int, rng: np.random.Generator) -> tuple[CompiledGame, BeliefGrid, Work]:
    """A layer of so many states, and what follows it."""
    game = without_end(states, 1, ACTIONS, 1.0, TYPES)
    succ = rng.integers(0, states, states * ACTIONS).astype(np.int32)
    layer = replace(
        game.layers[0],
        trans_ptr=np.arange(states * ACTIONS + 1, dtype=np.int64),
        succ=succ,
        prob=np.ones(states * ACTIONS),
        reward=np.zeros((states * ACTIONS, game.flow[0].shape[1])),
    )
    grid = belief_grid(game, POINTS)
    belief = grid.about[0].belief[:, 1]
    components = layer.reward.shape[1]
    following = smooth(states, belief, components, rng)
    near = following + NEAR * smooth(states, belief, components, rng)
    first, second = (np.ascontiguousarray(np.moveaxis(v, 1, 2)) for v in (following, near))
    work = Work(belief_layout(game, grid, (0,)), part(game, layer), first, second, states)
    return game, grid, work


def solve(
    work: Work, sigma: Floats | None = None, following: Floats | None = None
) -> NDArray[np.int64]:
    """The kernel that is measured, on one thread: counts by how stages were solved.

    Newton's method begins at the strategies `sigma`, which are written over.
    """
    counts = np.zeros(HOW, dtype=np.int64)
    values = np.empty((work.states, *work.following.shape[1:]))
    warm = sigma is not None
    if sigma is None:
        sigma = np.empty(work.stages * ACTIONS * TYPES)
    given = work.following if following is None else following
    task = Sweep(given, np.zeros((work.states, 0)), values, sigma, counts, warm)
    sweep(0, work.states, work.part, work.layout, task)
    return counts


def measure(work: Work, floor: float, plan: Plan) -> list[object]:
    """A row of the table."""
    counts = solve(work)
    near = np.ones(work.stages * ACTIONS * TYPES)
    solve(work, near, work.near)
    cold = times(partial(solve, work), plan).per(work.stages)
    warm = times(lambda: solve(work, near.copy()), plan).per(work.stages)
    share = f"{counts[UNIQUE] / counts.sum():.1%}"
    speed = f"{round(1 / warm.median, -3):,.0f}"
    ratios = [f"{digits(each.median / floor)} ×" for each in (cold, warm)]
    return [work.states, share, cold, warm, speed, *ratios]


def measure_machine(plan: Plan) -> Machine:
    """What the floor is computed from."""
    numbers = np.random.default_rng(3).uniform(0.5, 2.0, (1, 1024))
    target, count = np.empty_like(numbers), 200 if plan.quick else 20_000
    exponential = times(partial(loops.exponentials, numbers, target, count), plan)
    logarithm = times(partial(loops.logarithms, numbers, target, count), plan)
    source = np.ones(10**6 if plan.quick else 3 * 10**7)
    copied = times(partial(loops.copy, source, np.empty_like(source)), plan)
    per = numbers.size * count
    return Machine(
        exponential.median / per, logarithm.median / per, copied.median / (16 * source.size)
    )
