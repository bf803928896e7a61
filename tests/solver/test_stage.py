"""The stage problem by itself: equilibrium, principal branch, folds, forks, kinks, precision.

Problems are made directly as arrays and compared with plain NumPy code of this file, which shares
nothing with the kernels: responses by hat functions on all nodes, the branch by spheres around
the last point, slopes by differences.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product

import llvmlite.binding as llvm
import numpy as np
import pytest
from numba.core.registry import cpu_target
from numpy.typing import NDArray

from detente.solver.kernels import contraction, elementary, general
from detente.solver.kernels.backward import Sweep
from detente.solver.kernels.general import (
    enter_state,
    keep_play,
    make_stage,
    restart,
)
from detente.solver.kernels.homotopy import find
from detente.solver.kernels.jit import kernel
from detente.solver.kernels.lottery import BeliefLayout
from detente.solver.kernels.stage import (
    FAILED,
    FOLDED,
    FORKED,
    HOW,
    TRACED,
    UNIQUE,
    LayerArrays,
    Work,
    make_work,
)
from detente.solver.kernels.two_type import Lines, make_lines
from detente.solver.kernels.two_type_unique import find_unique
from detente.solver.sweep import sweep
from tests import effort
from tests.reference import hat

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


FIND, NEWTON, SLOPES, CERTAIN = range(4)


@kernel
def ask(task, stage, layout, choices, mine, at, share, starts, how, out, matrix):
    """What is asked of a stage problem: one kernel, as each of its own would compile the stage.

    FIND
        `find` at every node: how [l] and strategies `out` [(m, θ, a), l], from the log odds
        starts [0, D], or with starts [0, 0] from none; `at` is 1 where one solution is certain.
    NEWTON
        Newton's method at the node `at` from log odds starts [r, D]: how [r], whether it
        converged, and out [r, D], where.
    SLOPES
        Residual out [0, D] and its derivatives, matrix [D, D + 1], at the node `at`, the log odds
        starts [0, D] and precision `share` λ.
    CERTAIN
        how [0]: whether there certainly is one solution at every node.
    """
    free = enter_state(layout, stage, choices)
    if task == CERTAIN:
        how[0] = contraction.is_contraction(layout, stage, mine, np.int64(0))
    if task == FIND:
        for node in range(mine.shape[2]):
            restart(stage, free, starts[0])
            stage.node[0] = node
            how[node] = find((layout, stage, mine), free, at == 1, starts.shape[1] > 0)
            keep_play(layout, stage, out, node)
        return
    stage.node[0] = at
    if task == NEWTON:
        for r in range(starts.shape[0]):
            restart(stage, free, starts[r])
            how[r] = general.newton(layout, stage, mine, free)
            out[r] = stage.y[:free]
    if task == SLOPES:
        restart(stage, free, starts[0])
        general.respond(layout, stage, mine, share)
        out[0] = stage.residual[:free]
        general.differentiate(layout, stage, share, free, matrix)


@kernel
def unique_nodes(layout, work, lines, count):
    return find_unique(layout, work, lines, count)[0]


@kernel
def elementary_at(x, powers, logs):
    for r in range(x.shape[0]):
        powers[r] = elementary.exp(x[r])
        logs[r] = elementary.log(abs(x[r]))


@dataclass(frozen=True, eq=False)
class Problem:
    """Stage problems at all nodes l of the movers' grids.

    lam, kinds, steps, choices
        By mover; 0 steps where nothing is private.
    mine
        float64 [e, l, m, q].
    ratio
        float64 [m, θ]: beliefs are node x ratio, normalised.
    """

    lam: Floats
    kinds: tuple[int, ...]
    steps: tuple[int, ...]
    choices: tuple[int, ...]
    mine: Floats
    ratio: Floats

    @cached_property
    def nodes(self) -> list[Ints]:
        """Compositions of each mover's grid, in the order of their tail sums: int64 [g, θ]."""
        result = []
        for kinds, steps in zip(self.kinds, self.steps, strict=True):
            tails = product(range(steps + 1), repeat=kinds - 1)
            tails = (c for c in tails if all(a >= b for a, b in pairwise(c)))
            result.append(np.array([-np.diff([steps, *c, 0]) for c in tails], dtype=np.int64))
        return result

    @cached_property
    def beliefs(self) -> list[Floats]:
        """float64 [g, θ] for each mover."""
        result = []
        for node, ratio in zip(self.nodes, self.ratio, strict=True):
            weight = node * ratio[: node.shape[1]] if node.sum() else np.ones(node.shape)
            result.append(weight / weight.sum(axis=1, keepdims=True))
        return result

    @cached_property
    def types(self) -> Ints:
        """int64 [q, m]."""
        return np.array(list(product(*map(range, self.kinds))), dtype=np.int64)

    @cached_property
    def own(self) -> Ints:
        """int64 [e, m]."""
        return np.array(list(product(*map(range, self.choices))), dtype=np.int64)

    @cached_property
    def place(self) -> Ints:
        """Node of each mover's grid at node l, int64 [l, m]."""
        return np.array(list(product(*(range(len(n)) for n in self.nodes))), dtype=np.int64)

    @property
    def free(self) -> int:
        """D."""
        return sum(k * (a - 1) for k, a in zip(self.kinds, self.choices, strict=True))

    @cached_property
    def layout(self) -> BeliefLayout:
        """As the kernels want it."""
        count, most = len(self.kinds), max(self.kinds)
        size = [len(node) for node in self.nodes]
        node = np.zeros((count, most, len(self.place)))
        believed = np.zeros(node.shape)
        rank = np.zeros((count, most, max(self.steps) + 2), dtype=np.int64)
        for m, kinds in enumerate(self.kinds):
            node[m, :kinds] = self.nodes[m][self.place[:, m]].T
            believed[m, :kinds] = self.beliefs[m][self.place[:, m]].T
            for j in range(kinds - 1):
                for c in range(self.steps[m] + 2):
                    rank[m, j, c] = math.comb(c + kinds - 2 - j, kinds - 1 - j)
        return BeliefLayout(
            lam=self.lam,
            shock=np.zeros(count),
            n_types=np.array(self.kinds, dtype=np.int64),
            steps=np.array(self.steps, dtype=np.int64),
            actor=np.arange(count),
            rank=rank,
            jump=np.array([math.prod(size[m + 1 :]) for m in range(count)], dtype=np.int64),
            place=np.ascontiguousarray(self.place.T),
            node=node,
            believed=believed,
            base=np.zeros(1, dtype=np.int64),
            local=np.arange(len(self.place)),
            outside=np.ones((len(self.types), len(self.place))),
            types=self.types,
            profile=np.arange(len(self.types)),
            lift=np.zeros((0, 0, 0)),
            star=None,
            best=0,
        )

    @cached_property
    def payoff(self) -> Floats:
        """float64 [e, (m, q), l]."""
        moved = np.moveaxis(self.mine, 1, 3)
        return np.ascontiguousarray(moved.reshape(len(moved), -1, moved.shape[3]))

    def lines(self) -> tuple[Work, Lines]:
        """Scratch for one mover with two types, with its payoffs."""
        work = make_work(self.layout, self.choices[0], self.choices[0], 2)
        work.payoff[:] = self.payoff
        return work, make_lines(self.layout, self.choices[0])

    def gain(self, at: int, y: Floats) -> tuple[Floats, list[Floats], list[Floats]]:
        """λ (Q(a) - Q(0)) [r, D] at node l and the log odds y [r, D]; with σ and λ Q [r, θ, a]
        of each mover."""
        logs, first = [], 0
        for kinds, count in zip(self.kinds, self.choices, strict=True):
            odds = y[:, first : first + kinds * (count - 1)].reshape(-1, kinds, count - 1)
            first += kinds * (count - 1)
            logs.append(log_softmax(np.concatenate([0 * odds[:, :, :1], odds], axis=2)))
            if count == 1:
                logs[-1] = np.zeros((len(y), kinds, 1))
        weight = np.ones((len(y), len(self.own), self.mine.shape[1]))
        for m, node in enumerate(self.nodes):
            here = node[self.place[at, m]]
            if self.steps[m] and self.choices[m] > 1:
                log = np.where(here[:, None] > 0, logs[m], -np.inf)[:, :, self.own[:, m]]
                joint = here[:, None] * np.exp(log - log.max(axis=1, keepdims=True))
                u = np.moveaxis(joint / joint.sum(axis=1, keepdims=True), 1, 2)
                weight *= hat(self.steps[m], node, u)[:, :, self.place[:, m]]
            else:
                weight *= self.place[:, m] == self.place[at, m]
        total = np.einsum("rel,elmq->rmeq", weight, self.mine)
        plays = [np.exp(log) for log in logs]
        worth = []
        for m, (kinds, count) in enumerate(zip(self.kinds, self.choices, strict=True)):
            for j, play in enumerate(plays):
                if j != m:
                    theta = self.types[:, j]
                    total[:, m] *= self.beliefs[j][self.place[at, j]][theta]
                    total[:, m] *= play[:, theta][:, :, self.own[:, j]].swapaxes(1, 2)
            q = np.zeros((len(y), kinds, count))
            for e, p in np.ndindex(len(self.own), len(self.types)):
                q[:, self.types[p, m], self.own[e, m]] += total[:, m, e, p]
            worth.append(self.lam[m] * q)
        gains = [(q[:, :, 1:] - q[:, :, :1]).reshape(len(y), -1) for q in worth]
        return np.concatenate(gains, axis=1), plays, worth

    def error(self, at: int, sigma: Floats) -> float:
        """|σ - logit(Q(σ))| of strategies [(m, θ, a)]."""
        odds, cuts = [], np.cumsum(np.multiply(self.kinds, self.choices))
        for part, kinds in zip(np.split(sigma, cuts), self.kinds, strict=False):
            log = np.log(np.maximum(part.reshape(kinds, -1), 1e-300))
            odds.append((log[:, 1:] - log[:, :1]).ravel())
        _, _, worth = self.gain(at, np.concatenate(odds)[None])
        replies = [np.exp(log_softmax(q)).ravel() for q in worth]
        return float(np.abs(np.concatenate(replies) - sigma).max())

    def play(self, at: int, y: Floats) -> Floats:
        """Strategies [(m, θ, a)] at the log odds y."""
        return np.concatenate([p.ravel() for p in self.gain(at, y[None])[1]])


def log_softmax(x: Floats) -> Floats:
    x = x - x.max(axis=-1, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)))


def random_problem(
    rng: np.random.Generator,
    kinds: tuple[int, ...],
    choices: tuple[int, ...],
    steps: int,
    lam: float,
    *,
    size: float = 1.0,
    rough: bool = False,
) -> Problem:
    """Payoffs of standard deviation about `size` that bend with the beliefs, or jump with them."""
    grids = tuple(steps if k > 1 else 0 for k in kinds)
    ratio = rng.uniform(0.5, 2.0, size=(len(kinds), max(kinds)))
    empty = Problem(np.full(len(kinds), lam), kinds, grids, choices, np.zeros(0), ratio)
    u = [node / max(n, 1) for node, n in zip(empty.nodes, grids, strict=True)]
    share = np.concatenate([u[m][empty.place[:, m]] for m in range(len(kinds))], axis=1)
    shape = (len(empty.own), len(share), len(kinds), len(empty.types))
    c = rng.normal(size=(3, *shape[:1], 1, *shape[2:], share.shape[1]))
    line, wave = np.einsum("nezmqk,lk->nelmq", c[:2], share)
    mine = rng.normal(size=(shape[0], 1, *shape[2:])) + line + np.sin(3 * wave + c[2, ..., 0])
    if rough:
        mine = rng.normal(size=shape)
    return Problem(empty.lam, kinds, grids, choices, size * mine, ratio)


def solve(problem: Problem, start: Floats | None = None) -> tuple[Ints, Floats]:
    """The general stage: how [l] and σ [l, (m, θ, a)]."""
    nodes = problem.mine.shape[1]
    width = int(np.multiply(problem.kinds, problem.choices).sum())
    how, sigma = np.zeros(nodes, dtype=np.int64), np.zeros((width, nodes))
    begin = np.zeros((1, 0)) if start is None else start[None]
    asked(problem, FIND, begin, how, sigma, at=int(is_certain(problem)))
    return how, np.ascontiguousarray(sigma.T)


NOTHING = np.zeros((0, 0))


def asked(
    problem: Problem,
    task: int,
    starts: Floats,
    how: Ints,
    out: Floats,
    *,
    at: int = 0,
    share: float = 1.0,
    matrix: Floats = NOTHING,
) -> None:
    """`ask` with scratch of its own; how, out and matrix are written to."""
    layout, choices = problem.layout, np.array(problem.choices, dtype=np.int64)
    stage = make_stage(layout, max(problem.choices), problem.mine.shape[0])
    ask(task, stage, layout, choices, problem.payoff, at, share, starts, how, out, matrix)


def is_certain(problem: Problem) -> bool:
    """Whether every node certainly has one solution."""
    how = np.zeros(1, dtype=np.int64)
    asked(problem, CERTAIN, NOTHING, how, NOTHING)
    return bool(how[0])


def solve_line(problem: Problem) -> tuple[Ints, Floats]:
    """The solver for one mover with two types: counts [HOW] and σ [l, (θ, a)]."""
    (count,), nodes = problem.choices, problem.mine.shape[1]
    each, ends = np.arange(count + 1), np.array([0, count])
    part = LayerArrays(
        action_ptr=ends,
        n_actions=ends[1:, None],
        trans_ptr=each,
        succ=each[:-1].astype(np.int32),
        prob=np.ones(count),
        reward=np.zeros((count, 2)),
        reference=np.ones((count, 1)),
        play_ptr=2 * ends,
    )
    counts, sigma = np.zeros(HOW, dtype=np.int64), np.zeros(nodes * 2 * count)
    following = np.ascontiguousarray(problem.mine[:, :, 0].swapaxes(1, 2))
    task = Sweep(following, np.zeros((1, 0)), np.zeros((1, 2, nodes)), sigma, counts, False)
    sweep(0, 1, part, problem.layout, task)
    return counts, np.ascontiguousarray(sigma.reshape(-1, nodes).T)


def is_line_unique(problem: Problem) -> bool:
    """Whether the line is certain to have one solution."""
    work, lines = problem.lines()
    count = problem.choices[0]
    return bool(unique_nodes(problem.layout, work, lines, count))


def follow(problem: Problem, at: int, *, longest: float = 0.05) -> Floats | None:
    """The principal branch in another way: σ where it first has the full precision.

    From each point z = (y, s) the next is where the branch leaves a small sphere around it, other
    than backwards: no determinants, and no matter whether it turns or has a kink in between.
    None where no such point is found.
    """
    rng = np.random.default_rng(0)
    ahead = np.append(problem.gain(at, np.zeros((1, problem.free)))[0][0], 1.0)
    radius = 0.01
    z, before = np.zeros(ahead.size), -radius * ahead / np.linalg.norm(ahead)
    moved = 1e-7 * np.eye(z.size)

    def equations(points: Floats) -> Floats:
        left = points[:, :-1] - points[:, -1:] * problem.gain(at, points[:, :-1])[0]
        away = ((points - z) ** 2).sum(axis=1, keepdims=True) / radius - radius
        return np.concatenate([left, away], axis=1)

    def leave(point: Floats) -> tuple[Floats, float]:
        """A point of the branch on the sphere, from one near it, and its cosine with `straight`."""
        for _ in range(12):
            every = equations(np.concatenate([[point], point + moved, point - moved]))
            if np.abs(every[0]).max() < 1e-9:
                return point, float((point - z) @ straight) / radius
            slope = (every[1 : z.size + 1] - every[z.size + 1 :]).T / 2e-7
            step = np.linalg.lstsq(slope, every[0], rcond=None)[0]
            point = point - step * min(1.0, radius / np.linalg.norm(step))
        return z, -1.0

    for _ in range(20_000):
        straight = (z - before) / np.linalg.norm(z - before)
        target, cosine = leave(z + radius * straight)
        if cosine < 0.9 and radius > 2e-4:
            radius /= 2
            continue
        for _ in range(40):  # a kink or a sharp bend: anywhere but backwards
            if cosine > -0.98:
                break
            other = rng.normal(size=z.size)
            target, cosine = leave(z + radius * other / np.linalg.norm(other))
        else:
            return None
        if target[-1] >= 1:
            end = z + (1 - z[-1]) / (target[-1] - z[-1]) * (target - z)
            return problem.play(at, polish(problem, at, end[:-1]))
        before, z = z, target
        radius = min(radius * (1.3 if cosine > 0.995 else 1.0), longest)
    return None


def polish(problem: Problem, at: int, y: Floats) -> Floats:
    """Newton's method at the full precision, with a Jacobian of differences."""
    moved = 1e-7 * np.eye(y.size)
    for _ in range(20):
        points = np.concatenate([[y], y + moved, y - moved])
        error = points - problem.gain(at, points)[0]
        slope = (error[1 : y.size + 1] - error[y.size + 1 :]).T / 2e-7
        y = y - np.linalg.solve(slope, error[0])
    return y


CASES = {
    "two types": ((2,), (3,), 8),
    "three types": ((3,), (2,), 6),
    "two at once": ((1, 1), (3, 3), 1),
    "two at once, one informed": ((2, 1), (2, 2), 8),
    "two at once, both informed": ((2, 2), (2, 2), 4),
    "two at once, one with three types": ((3, 1), (2, 2), 6),
    "three at once": ((1, 1, 1), (2, 2, 2), 1),
    "three at once, two informed": ((2, 1, 2), (2, 2, 2), 4),
}
"""kinds, choices, steps"""
MANY = ("two at once, one with three types", "three at once, two informed")
"""Those that take the independent tracer longest."""


@pytest.mark.parametrize("lam", effort.cases([0.5, 3.0, 10.0, 80.0], slow=[0.5, 3.0]))
@pytest.mark.parametrize("name", CASES)
def test_every_node_is_an_equilibrium(name: str, lam: float) -> None:
    """80 makes λ times the range of payoffs about 500."""
    for seed in range(8):
        problem = random_problem(np.random.default_rng(seed), *CASES[name], lam)
        how, sigma = solve(problem)
        assert np.count_nonzero(how == FAILED) <= (how.size // 8 if lam > 10 else 0)
        for node in np.flatnonzero(how != FAILED):
            assert problem.error(node, sigma[node]) < 1e-9


@pytest.mark.parametrize("lam", [0.1, 1.0, 5.0, 80.0])
@pytest.mark.parametrize("actions", [2, 3, 5])
def test_lines_and_the_general_stage_agree(actions: int, lam: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, (2,), (actions,), 16, lam, rough=seed > 7 and lam < 10)
        how, general = solve(problem)
        counts, lines = solve_line(problem)
        assert counts.sum() == 15
        if counts[FAILED] == 0:
            good = how != FAILED
            assert np.abs(lines - general)[good].max() < 1e-8
            assert all(problem.error(node, lines[node]) < 1e-9 for node in range(17))


@pytest.mark.parametrize("rough", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("name", effort.cases(CASES, slow=MANY))
def test_the_branch_is_that_of_an_independent_tracer(name: str, rough: bool) -> None:
    """Rough payoffs make a kink at every node of the grid, and folds at many."""
    rng = np.random.default_rng(1)
    problem = random_problem(rng, *CASES[name], 4.0 if rough else 8.0, rough=rough)
    how, sigma = solve(problem)
    assert not np.any(how == FAILED)
    turned, ordinary = np.flatnonzero(how == FOLDED), np.flatnonzero(how == TRACED)
    compared = 0
    for node in [*turned[:2], *ordinary[:: ordinary.size // 2 + 1]]:
        expected = follow(problem, node)
        if expected is not None:
            assert np.abs(expected - sigma[node]).max() < 1e-7
            compared += 1
    assert compared


def one_problem() -> Problem:
    """Some problem of one mover: `tests/kernels.py` compiles the kernels of this file with it."""
    return random_problem(np.random.default_rng(0), *CASES["two types"], 3.0)


def normal_form(*payoffs: Floats, lam: float) -> Problem:
    """Movers with nothing private; payoffs [a, b, …] of each."""
    count, shape = len(payoffs), payoffs[0].shape
    mine = np.stack([p.ravel() for p in payoffs], axis=1)[:, None, :, None]
    one = (1,) * count
    return Problem(np.full(count, lam), one, (0,) * count, shape, mine, np.ones((count, 1)))


def test_the_branch_goes_straight_on_through_a_fork() -> None:
    """Coordination without a focal point: beyond λ = 2 two branches leave the uniform one."""
    same = np.eye(2)
    for lam, expected in ((1.9, TRACED), (8.0, FORKED), (100.0, FORKED)):
        how, sigma = solve(normal_form(same, same, lam=lam))
        assert how == [expected]
        assert np.abs(sigma - 0.5).max() < 1e-12


def test_a_fork_in_the_last_step_is_seen() -> None:
    same = np.eye(2)
    for share in (1e-4, 1e-3, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5):
        for lam, expected in ((2.0 * (1 - share), TRACED), (2.0 * (1 + share), FORKED)):
            how, sigma = solve(normal_form(same, same, lam=lam))
            assert how == [expected], lam
            assert np.abs(sigma - 0.5).max() < 1e-12


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_forks_at_which_many_branches_meet_are_seen(count: int) -> None:
    """Pure coordination on one of n: n - 1 eigenvalues pass 0 together, at λ = n. With n odd the
    determinant keeps its sign."""
    same = np.eye(count)
    for share in (0.001, 0.01, 0.1, 0.5, 5.0):
        for lam, forked in ((count / (1 + share), False), (count * (1 + share), True)):
            how, sigma = solve(normal_form(same, same, lam=lam))
            assert (how == [FORKED]) == forked, lam
            assert np.abs(sigma - 1 / count).max() < 1e-12


@pytest.mark.parametrize(("kinds", "actions"), [(2, 2), (2, 3), (3, 2)])
def test_types_that_gain_alike_act_alike(kinds: int, actions: int) -> None:
    """Reputation is worth more to one type than to another, but every action costs both the same
    and leads to the same: nothing is learnt, where branches on which they part begin as well."""
    rng = np.random.default_rng(kinds + actions)
    for lam in (1.0, 8.0, 30.0):
        problem = Problem(
            np.array([lam]), (kinds,), (8,), (actions,), np.zeros(0), np.ones((1, kinds))
        )
        nodes = len(problem.place)
        cost = rng.normal(size=actions)
        noise = 1e-14 * rng.normal(size=(actions, nodes, 1, kinds))
        worth = 2.0 * rng.normal(size=(1, nodes, 1, kinds))
        problem = replace(problem, mine=cost[:, None, None, None] + worth + noise)
        how, sigma = solve(problem)
        assert not np.any(how == FAILED)
        assert lam == 1.0 or np.any(how == FORKED)
        alike = np.exp(lam * (cost - cost.max()))
        expected = np.tile(alike / alike.sum(), kinds)
        assert np.abs(sigma - expected).max() < 1e-9


@pytest.mark.parametrize("lam", [1.0, 10.0, 100.0])
def test_the_branch_stays_symmetric_in_the_battle_of_the_sexes(lam: float) -> None:
    how, sigma = solve(normal_form(np.diag([2.0, 1.0]), np.diag([1.0, 2.0]), lam=lam))
    assert how == [FORKED if lam > 1 else TRACED]
    low, high = -lam, lam  # where the first player's log odds y are λ (3 q - 2), q = 1 / (1 + e^y)
    for _ in range(100):
        y = (low + high) / 2
        low, high = (y, high) if y < lam * (3 / (1 + math.exp(y)) - 2) else (low, y)
    p = 1 / (1 + math.exp(low))
    assert sigma[0] == pytest.approx([p, 1 - p, 1 - p, p], abs=1e-10)


def test_three_who_want_to_differ_stay_uniform() -> None:
    """Two eigenvalues pass zero together there: the determinant keeps its sign."""
    e = np.indices((2, 2, 2))
    for sign in (1.0, -1.0):
        payoffs = [sign * ((e[m] == e[m - 1]) + 1.0 * (e[m] == e[m - 2])) for m in range(3)]
        _, sigma = solve(normal_form(*payoffs, lam=10.0))
        assert np.abs(sigma - 0.5).max() < 1e-12


def test_posteriors_that_cross_a_wall_together_stay_together() -> None:
    """Two actions that differ by a cost alone: near the fork in the wall, where the two could part,
    rounding is magnified, so that one of them may seem to cross it before the other."""
    pooled = [
        [-1.460473616, -1.561024345, -1.589040036, -1.894317895, -2.260022258],
        [-2.019857035, -2.145029552, -2.181565495, -2.189157372, -2.182599625],
    ]
    eased = [
        [-1.385276637, -1.490002423, -1.605920640, -1.932084978, -2.220935190],
        [-2.035426819, -2.227115088, -2.246296639, -2.227216411, -2.207695876],
    ]
    apart = [
        [-4.054633627, -4.070987344, -4.071719574, -4.061234748, -4.010530199],
        [-3.715464060, -3.730624608, -3.730115090, -3.730536726, -3.730966396],
    ]
    cost = 0.193633278
    mine = np.array([pooled, np.array(pooled) - cost, eased, apart]).transpose(0, 2, 1)
    ratio = np.ones((1, 2))
    for lam in 4.5 + 0.000375 * np.arange(60):
        problem = Problem(np.array([lam]), (2,), (4,), (4,), mine[:, :, None, :], ratio)
        how, sigma = solve(problem)
        assert how[2] == FORKED, lam
        assert problem.error(2, sigma[2]) < 1e-9
        one, other = sigma[2].reshape(2, 4)[:, :2].T
        assert other == pytest.approx(one * math.exp(-lam * cost), rel=1e-12)


def test_where_any_solution_will_do_the_start_decides() -> None:
    problem = normal_form(np.eye(2), np.eye(2), lam=8.0)
    ends = [solve(problem, np.full(2, y))[1][0] for y in (3.0, -3.0)]
    assert ends[0][1] > 0.99
    assert ends[1][1] < 0.01
    assert all(problem.error(0, end) < 1e-9 for end in ends)


def test_a_line_with_several_equilibria() -> None:
    """Both types gain where they are taken for type 1, and may pool on either action."""
    g = np.linspace(0, 1, 33)
    mine = np.stack([np.stack([0.1 + 2 * g, 0.1 + 2 * g]), np.stack([2 * g, 2 * g + 0.15])])
    ratio = np.ones((1, 2))
    problem = Problem(np.array([10.0]), (2,), (32,), (2,), mine.swapaxes(1, 2)[:, :, None], ratio)
    counts, sigma = solve_line(problem)
    assert counts[UNIQUE] == counts[FAILED] == 0
    for node in (2, 8, 16, 24):
        assert np.abs(follow(problem, node) - sigma[node]).max() < 1e-7


def jagged(lam: float) -> Problem:
    """A line on which kinks are dense, and many branches turn."""
    rng = np.random.default_rng(1)
    problem = random_problem(rng, (2,), (4,), 32, lam)
    return replace(problem, mine=problem.mine + 0.05 * rng.normal(size=problem.mine.shape))


@pytest.mark.parametrize("lam", [4.0, 8.0])
def test_branches_that_turn_are_followed(lam: float) -> None:
    problem = jagged(lam)
    counts, sigma = solve_line(problem)
    assert counts[FOLDED] > 10
    assert counts[FORKED] == counts[FAILED] == 0
    assert all(problem.error(node, sigma[node]) < 1e-12 for node in range(33))
    for node in (4, 28):
        assert np.abs(follow(problem, node) - sigma[node]).max() < 1e-7


@pytest.mark.parametrize("lines", [False, True])
def test_payoffs_without_beliefs_are_the_plain_logit(lines: bool) -> None:
    payoff = np.array([[0.3, -1.0], [0.0, 0.5], [0.2, 0.2]])
    mine = np.repeat(payoff[:, None, None], 9, axis=1)
    problem = Problem(np.array([2.0]), (2,), (8,), (3,), mine, np.ones((1, 2)))
    sigma = solve_line(problem)[1] if lines else solve(problem)[1]
    assert np.allclose(sigma, np.exp(log_softmax(2 * payoff.T)).ravel(), atol=1e-12)


@pytest.mark.parametrize("lam", [4.0, 80.0])
def test_a_mover_who_is_known_learns_nothing(lam: float) -> None:
    for seed in range(5):
        problem = random_problem(np.random.default_rng(seed), (2,), (3,), 8, lam)
        for sigma in (solve(problem)[1], solve_line(problem)[1]):
            for node in (0, 8):
                plain = np.exp(log_softmax(lam * problem.mine[:, node, 0].T)).ravel()
                assert np.allclose(sigma[node], plain, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_what_overflows_has_failed(name: str) -> None:
    problem = random_problem(np.random.default_rng(0), *CASES[name], 1e10, size=1e300)
    how, _ = solve(problem)
    assert np.all(how == FAILED)
    if CASES[name][0] == (2,):
        counts, _ = solve_line(problem)
        assert counts[FAILED] == counts.sum() == problem.steps[0] - 1


# --- certificates that there is one solution ---


def highest(certain: Callable[[Problem], bool], problem: Problem) -> Problem:
    """The problem at the highest precision at which it is certain to have one solution."""
    low, high = 0.0, 100.0
    for _ in range(40):
        middle = (low + high) / 2
        good = certain(replace(problem, lam=np.full(len(problem.kinds), middle)))
        low, high = (middle, high) if good else (low, middle)
    assert low > 0
    return replace(problem, lam=np.full(len(problem.kinds), low))


def check_unique(problem: Problem, node: int, rng: np.random.Generator) -> None:
    """Newton's method ends at one point, whatever it starts from; Jacobians keep their sign."""
    starts = rng.normal(scale=4.0, size=(40, problem.free))
    how, ends = np.zeros(40, dtype=np.int64), np.zeros(starts.shape)
    asked(problem, NEWTON, starts, how, ends, at=node)
    found = how == 1
    assert found.mean() > 0.8
    assert np.abs(ends[found] - ends[found][0]).max() < 1e-8
    for y in starts:
        slope = slope_at(problem, node, y, 1.0)[1][:, :-1]
        assert np.linalg.det(slope) > 0


@pytest.mark.parametrize("rough", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_contraction_has_one_solution(name: str, rough: bool) -> None:
    rng = np.random.default_rng(0)
    problem = highest(is_certain, random_problem(rng, *CASES[name], 1.0, rough=rough))
    for node in range(0, problem.mine.shape[1], 4):
        check_unique(problem, node, rng)
        for y in rng.normal(scale=2.0, size=(40, problem.free)):
            slope = slope_at(problem, node, y, 1.0)[1][:, :-1]
            assert np.abs(np.eye(y.size) - slope).sum(axis=1).max() < 1


@pytest.mark.parametrize("rough", [False, True])
@pytest.mark.parametrize("actions", [2, 3, 5])
def test_a_unique_line_has_one_solution(actions: int, rough: bool) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        problem = highest(
            is_line_unique,
            random_problem(rng, (2,), (actions,), 8, 1.0, rough=rough),
        )
        counts, sigma = solve_line(problem)
        assert counts[UNIQUE] == counts.sum()
        for node in range(1, 8):
            check_unique(problem, node, rng)
            assert problem.error(node, sigma[node]) < 1e-9


# --- derivatives, elementary functions ---


def slope_at(problem: Problem, node: int, y: Floats, share: float) -> tuple[Floats, Floats]:
    """Residual [D] and its derivatives by y and by the share of λ, [D, D + 1]."""
    residual, matrix = np.zeros((1, y.size)), np.zeros((y.size, y.size + 1))
    none = np.zeros(0, dtype=np.int64)
    asked(problem, SLOPES, y[None], none, residual, at=int(node), share=share, matrix=matrix)
    return residual[0], matrix


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_those_of_differences(name: str) -> None:
    rng = np.random.default_rng(5)
    problem = random_problem(rng, *CASES[name], 2.0, rough=True)
    for node in rng.integers(0, problem.mine.shape[1], size=10):
        y = rng.normal(size=problem.free)
        residual, matrix = slope_at(problem, node, y, 0.7)
        assert residual == pytest.approx(y - 0.7 * problem.gain(node, y[None])[0][0], abs=1e-12)
        for c, unit in enumerate(1e-6 * np.eye(y.size)):
            up, down = (
                slope_at(problem, node, y + unit, 0.7),
                slope_at(problem, node, y - unit, 0.7),
            )
            assert matrix[:, c] == pytest.approx((up[0] - down[0]) / 2e-6, abs=1e-6)
        up, down = slope_at(problem, node, y, 0.7 + 1e-6), slope_at(problem, node, y, 0.7 - 1e-6)
        assert matrix[:, -1] == pytest.approx((up[0] - down[0]) / 2e-6, abs=1e-6)


def test_exp_and_log_are_those_of_the_library() -> None:
    rng = np.random.default_rng(0)
    sizes = [1e-300, 1e-17, 1e-8, 1e-3, 1.0, 30.0, 700.0]
    x = np.concatenate([rng.uniform(-s, s, size=2000) for s in sizes] + [[709.0, -708.0, 1.0]])
    powers, logs = np.zeros(x.size), np.zeros(x.size)
    elementary_at(x, powers, logs)
    assert np.abs(powers / [math.exp(v) for v in x] - 1).max() < 1e-15
    exact = np.array([math.log(abs(v)) for v in x])
    assert (np.abs(logs - exact) / np.maximum(1, np.abs(exact))).max() < 1e-15
    elementary_at(1 + x[:8000] / 1e3, powers, logs)
    exact = np.array([math.log(v) for v in 1 + x[:8000] / 1e3])
    assert np.abs(logs[:8000] - exact).max() < 1e-15


def test_code_for_zen_processors_does_not_gather() -> None:
    told = os.environ.keys() & {"NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"}
    if told or not llvm.get_host_cpu_name().startswith("znver"):
        pytest.skip("another processor, or Numba is told what this one can do")
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    assert "+prefer-no-gather" in features
