"""Stage problems of an informed mover: how many a second, where the time goes, what is the least.

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
from benchmarks.report import Plan, Table, Times, digits, times
from detente.game.arrays import CompiledGame
from detente.solver.beliefs import BeliefGrid, belief_grid
from detente.solver.kernels.homotopy import HOW, UNIQUE
from detente.solver.kernels.turn import BeliefLayout, LayerArrays, WarmStart
from detente.solver.kernels.two_type_newton import MAX_NEWTON
from detente.solver.kernels.two_type_scratch import Lines, make_lines
from detente.solver.layout import part, turn
from detente.solver.sweep import sweep

Floats = NDArray[np.float64]

ACTIONS, TYPES, POINTS = 4, 2, 33

PRECISIONS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

NEAR = 0.1
"""How far values of a period later are from those solved for, in the runs that begin from them."""

LONG = 1.0
"""Seconds of a sweep over all states beyond which only a tenth of them is taken."""

FEW = 0.1
"""Share of the states that have to be certain to have one solution for a profile."""

EXPONENTIALS, EVALUATIONS = 3 * ACTIONS, 2
"""Per evaluation of Newton's method at a stage, and the fewest evaluations: one that moves, one
that finds nothing left to do."""


@dataclass(frozen=True)
class Work:
    """One layer to be solved; `ahead` and `own` as in `loops`."""

    turn: BeliefLayout
    part: LayerArrays
    following: Floats
    near: Floats
    ahead: Floats

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.ahead)

    @property
    def stages(self) -> int:
        """Number of stages."""
        return self.states * POINTS

    def first(self, states: int) -> Work:
        """The first states of the layer; what follows is the same."""
        return replace(self, ahead=self.ahead[:states])

    def at(self, game: CompiledGame, grid: BeliefGrid, precision: float) -> Work:
        """The same at another precision."""
        sharp = replace(game, precision=np.full_like(game.precision, precision))
        return replace(self, turn=turn(sharp, grid, (0,)))


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
    """Both tables."""
    states = 60 if plan.quick else 10_000
    game, grid, work = make(states, np.random.default_rng(1))
    limits = measure_machine(plan)
    floor = limits.floor(work.following.shape[2])
    rows: list[list[object]] = []
    profiles: list[list[object]] = []
    for precision in PRECISIONS[1:4:2] if plan.quick else PRECISIONS:
        plan.tell(f"stages at λ = {precision:g}")
        here = work.at(game, grid, precision)
        if times(partial(solve, here), Plan(runs=1)).median > LONG:
            here = here.first(states // 10)
        rows.append([digits(precision), *measure(here, floor, plan)])
        found = profile(here, plan)
        if found:
            profiles.append([digits(precision), *found])
    setting = (
        f"A mover with {TYPES} types and {ACTIONS} actions, {POINTS} belief points, random smooth "
        "values of which actions differ by about 1; one thread, no regret. "
    )
    note = setting + (
        "`cold`: Newton's method begins at 0; `warm`: at the solution for values that differ by a "
        f"tenth, as in a solve. `unique`: share of stages certain to have one solution (the ends "
        "of the belief line not counted); the others are followed from λ = 0. `evaluations`: of "
        "Newton's method at the certain ones, cold. `alone`: the stage problem without reading "
        "next values, tracing, and writing values and strategies. "
        f"Floor: {digits(1e9 * floor)} ns a stage, of {EVALUATIONS} evaluations with "
        f"{EXPONENTIALS} exponentials ({digits(1e9 * limits.exponential)} ns each in a long "
        f"vectorised loop) and a logarithm ({digits(1e9 * limits.logarithm)} ns), and of every "
        "next value read and every value and strategy written once at the speed of a copy in "
        f"memory ({digits(1e-9 / limits.byte)} GB/s)."
    )
    columns = ["λ", "states", "unique", "evaluations", "cold sweep", "warm sweep"]
    columns += ["warm stages a second", "cold, alone", "cold to floor", "warm to floor"]
    parts = setting + (
        "Cold, at the states that are certain to have one solution; a stage. The parts of Newton's "
        "method are loops that do as many exponentials, logarithms and gathers and nothing else; "
        "`rest` is what they leave of it. `other`: tests of uniqueness, guesses, posteriors. "
        "Medians of differences have no range."
    )
    pieces = ["λ", "evaluations", "next values", "expected", "Newton", "of it exp", "of it log"]
    pieces += ["of it gathers", "of it rest", "other", "values out"]
    return [
        Table("Stages a second and core", note, columns, rows),
        Table("Where the time of a stage goes", parts, pieces, profiles),
    ]


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
    arrays = part(game, layer)
    ahead = np.empty((states, ACTIONS, POINTS, components))
    loops.look(arrays, following, ahead)
    return game, grid, Work(turn(game, grid, (0,)), arrays, following, near, ahead)


def solve(
    work: Work, guess: WarmStart | None = None, following: Floats | None = None
) -> NDArray[np.int64]:
    """The kernel that is measured, on one thread: counts by how stages were solved."""
    counts = np.zeros(HOW, dtype=np.int64)
    values = np.empty((work.states, *work.following.shape[1:]))
    sigma = np.empty(work.stages * ACTIONS * TYPES)
    arrays = (
        work.turn,
        guess or blank(work.states),
        np.zeros((work.states, 0)),
        values,
        sigma,
        counts,
    )
    sweep(0, work.states, work.part, work.following if following is None else following, *arrays)
    return counts


def blank(states: int) -> WarmStart:
    """Nothing is known of the period before."""
    place = np.arange(states, dtype=np.int64) * (ACTIONS * POINTS)
    size = states * ACTIONS * POINTS
    return WarmStart(np.zeros(0), np.full(states, -1, np.int64), np.zeros(size), place)


def measure(work: Work, floor: float, plan: Plan) -> list[object]:
    """A row of the first table."""
    counts = solve(work)
    before = blank(work.states)
    solve(work, before, work.near)
    known = WarmStart(before.found, before.place, np.empty_like(before.found), before.place)
    cold = times(partial(solve, work), plan).per(work.stages)
    warm = times(partial(solve, work, known), plan).per(work.stages)
    bare = partial(
        loops.solve_states,
        work.turn,
        work.ahead,
        blank(work.states),
        np.zeros_like(counts),
        lines_of(work),
    )
    alone = times(bare, plan).per(work.stages)
    which, own = certain(work)
    mean = "–"
    if which.size:
        steps, _ = evaluations(work, own, which)
        mean = digits(steps / which.size)
    share = f"{counts[UNIQUE] / counts.sum():.1%}"
    speed = f"{round(1 / warm.median, -3):,.0f}"
    ratios = [f"{digits(each.median / floor)} ×" for each in (cold, warm)]
    return [work.states, share, mean, cold, warm, speed, alone, *ratios]


def profile(work: Work, plan: Plan) -> list[object]:
    """A row of the second table; empty where few states are certain to have one solution."""
    which, own = certain(work)
    if which.size < FEW * work.states:
        return []
    stages = which.size * POINTS
    steps, found = evaluations(work, own, which)
    mean = steps / which.size
    ahead, target = work.ahead[which], np.empty_like(work.ahead)
    values = np.empty((which.size, POINTS, work.ahead.shape[3]))
    sigma = np.empty(stages * ACTIONS * TYPES)
    zero, counts = np.zeros_like(found), np.zeros(HOW, dtype=np.int64)
    guess, lines = blank(which.size), lines_of(work)

    def each(call: partial[object], count: int = stages) -> Times:
        return times(call, plan).per(count)

    look = each(partial(loops.look, work.part, work.following, target), work.stages)
    expected = each(partial(loops.expect, work.turn, ahead, own[which], lines))
    given = (work.turn, own, which, zero, MAX_NEWTON, found, lines)
    newton = each(partial(loops.newton_states, *given))
    whole = each(partial(loops.solve_states, work.turn, ahead, guess, counts, lines))
    out = each(partial(loops.update_states, work.turn, ahead, values, sigma, lines))
    rng = np.random.default_rng(2)
    rows = rng.uniform(0.5, 2.0, (EXPONENTIALS, POINTS))
    scratch, more = np.empty_like(rows), np.empty_like(rows)
    exponential = each(partial(loops.exponentials, rows, scratch, steps))
    logarithm = each(partial(loops.logarithms, rows[:1], scratch, steps))
    table = own.reshape(-1, ACTIONS * TYPES, POINTS)
    cell = rng.integers(0, POINTS - 1, (ACTIONS * TYPES, POINTS))
    gathered = each(partial(loops.gathers, table, cell, scratch, more, steps))
    parts = exponential.median + logarithm.median + gathered.median
    rest = f"{digits(1e9 * (newton.median - parts))} ns"
    other = f"{digits(1e9 * (whole.median - expected.median - newton.median))} ns"
    pieces = [look, expected, newton, exponential, logarithm, gathered, rest, other, out]
    return [digits(mean), *pieces]


def lines_of(work: Work) -> Lines:
    """What the kernels of a turn work in."""
    return make_lines(work.turn, ACTIONS, POINTS, work.ahead.shape[3])


def certain(work: Work) -> tuple[NDArray[np.int64], Floats]:
    """The states that are certain to have one solution, and what the mover expects everywhere."""
    own = np.empty((work.states, ACTIONS, TYPES, POINTS))
    return np.flatnonzero(loops.expect(work.turn, work.ahead, own, lines_of(work))), own


def evaluations(work: Work, own: Floats, which: NDArray[np.int64]) -> tuple[int, Floats]:
    """Evaluations that Newton's method needs from 0 at all these states together, and ℓ."""
    found = np.zeros((work.states, ACTIONS, POINTS))
    zero = np.zeros_like(found)
    needed = loops.newton_states(work.turn, own, which, zero, -1, found, lines_of(work))
    return int(needed @ np.arange(needed.size)), found


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
