"""The certificate finds what is wrong with a solve, and shares nothing with the kernels."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import detente
from detente.describe.forecast import sentences
from detente.errors import ScenarioError, SolveError
from detente.game.arrays import CompiledGame, Layer
from detente.solver import cell_corners, certificate, checked_nodes
from detente.solver.beliefs import BeliefGrid, belief_grid
from detente.solver.certificate import Auditor
from detente.solver.solution import Status
from detente.solver.sweep import sweep
from tests.reference import Played, reference

Floats = NDArray[np.float64]


def _reference(
    choices: NDArray[np.int64], own: list[list[tuple[int, ...]]], seed: int | None
) -> Floats:
    """Reference behaviour [e, m]: 1 without a seed."""
    rng = np.random.default_rng(seed)
    rows = []
    for counts, joint in zip(choices.tolist(), own, strict=True):
        usual = [np.ones(n) if seed is None else rng.uniform(0.05, 1.0, n) for n in counts]
        rows += [[w[a] / w.max() for w, a in zip(usual, actions, strict=True)] for actions in joint]
    return np.array(rows).reshape(len(rows), choices.shape[1])


def random_game(
    kinds: tuple[int, ...],
    turns: tuple[tuple[int, ...], ...],
    *,
    seed: int = 0,
    precision: float = 1.0,
    states: int = 2,
    actions: int = 3,
    uneven: bool = False,
    responses: str = "mistakes",
) -> CompiledGame:
    """A game that no scenario need have: any payoff may depend on everybody's types.

    `kinds` is the number of types of each actor; `turns` the movers of each layer, () for
    chance. The number of own actions differs from state to state; with `uneven` some of them are
    more usual than others.
    """
    rng = np.random.default_rng(seed)
    profiles = np.array(list(product(*map(range, kinds))), dtype=np.int64)
    sets = [np.zeros(1, np.int64), *(np.arange(states) for _ in turns)]
    layers = []
    for n, movers in enumerate(turns):
        choices = rng.integers(1, actions + 1, size=(sets[n].size, len(movers)))
        choices[0] = actions
        action_ptr = np.concatenate([[0], np.cumsum(choices.prod(axis=1))])
        count = rng.integers(1, 4, size=action_ptr[-1])
        trans_ptr = np.concatenate([[0], np.cumsum(count)])
        prob = rng.uniform(0.1, 1, size=trans_ptr[-1])
        own = [list(product(*map(range, row))) for row in choices.tolist()]
        layers.append(
            Layer(
                period=n + 1,
                turn=0,
                event="" if movers else "luck",
                movers=movers,
                states=sets[n],
                action_ptr=action_ptr,
                choices=choices,
                action=np.array([a for rows in own for a in rows], dtype=np.int32),
                trans_ptr=trans_ptr,
                succ=rng.integers(0, states, size=prob.size).astype(np.int32),
                prob=prob / np.repeat(np.add.reduceat(prob, trans_ptr[:-1]), count),
                reward=rng.normal(size=(count.size, profiles.size)),
                reference=_reference(choices, own, seed if uneven else None),
            )
        )
    types = [tuple(map(str, range(k))) if k > 1 else () for k in kinds]
    actors = {f"A{i}": SimpleNamespace(key=f"A{i}", types=names) for i, names in enumerate(types)}
    scenario: Any = SimpleNamespace(name="random", actors=actors, outcomes={}, responses=responses)
    structure: Any = SimpleNamespace(
        profiles=profiles, sets=sets, period_sets=tuple(range(len(sets))), holds={}, variables=()
    )
    return CompiledGame(
        scenario=scenario,
        policy="",
        structure=structure,
        layers=tuple(layers),
        flow=tuple(rng.normal(size=(states, profiles.size)) for _ in turns),
        terminal=rng.normal(size=(states, profiles.size)),
        priors=tuple(rng.dirichlet(np.full(k, 3.0)) for k in kinds),
        precision=np.full(len(kinds), precision),
        discount=np.full(len(kinds), 0.9),
    )


GAMES: dict[str, tuple[Callable[[], CompiledGame], int]] = {
    "nothing private": (lambda: random_game((1, 1), ((0,), (1,))), 5),
    "two types": (lambda: random_game((2, 1), ((0,), (1,), (), (0,))), 9),
    "three types": (lambda: random_game((3, 1), ((0,), (1,), (0,))), 7),
    "four types": (lambda: random_game((4,), ((0,), (0,)), actions=2), 9),
    "two informed in turn": (lambda: random_game((2, 2), ((0,), (1,), (0,))), 5),
    "two at once, none informed": (lambda: random_game((1, 1), ((0, 1), (1, 0))), 5),
    "two at once, one informed": (lambda: random_game((1, 2), ((0, 1), (1, 0), (1,))), 9),
    "two at once, one with three": (lambda: random_game((3, 1), ((0, 1), (0, 1))), 7),
    "two at once, both informed": (lambda: random_game((2, 2), ((0, 1), (), (1, 0))), 5),
    "three at once": (
        lambda: random_game((2, 1, 2), ((0, 1, 2), (2, 0)), seed=3, actions=2),
        5,
    ),
    "no precision": (lambda: random_game((2, 2), ((0, 1), (0,)), precision=0.0), 5),
    "high precision": (lambda: random_game((2,), ((0,), (0,), (0,)), precision=16.0), 17),
}


@cache
def played(name: str) -> tuple[CompiledGame, BeliefGrid, tuple[Played, ...]]:
    """A game, solved by the reference."""
    make, points = GAMES[name]
    game = make()
    grid = belief_grid(game, points)
    return game, grid, tuple(reference(game, grid))


def audit(
    game: CompiledGame,
    grid: BeliefGrid,
    *layers: tuple[Layer, Played],
    most: int = certificate.CHECKED_NODES,
) -> Auditor:
    auditor = Auditor(game, grid, most)
    for layer, found in layers:
        auditor.visit(layer, found.following, found.values, found.sigma)
    return auditor


@pytest.mark.parametrize("module", [certificate, checked_nodes, cell_corners])
def test_shares_no_code_with_the_kernels(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if name and ("kernels" in name or "layout" in name)]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "rank"]


@pytest.mark.parametrize("name", GAMES)
def test_what_is_right_passes(name: str) -> None:
    game, grid, layers = played(name)
    auditor = audit(game, grid, *zip(game.layers, layers, strict=True))
    assert auditor.residual < 1e-10
    assert auditor.value_error < 1e-12
    states = sum(layer.states.size for layer in game.layers)
    assert auditor.checked == auditor.nodes == states * grid.size


@pytest.mark.parametrize("name", GAMES)
def test_best_responses_may_be_left_out(name: str) -> None:
    game, grid, layers = played(name)
    width = game.profiles.size
    short = [
        replace(found, values=found.values[:, :width], following=found.following[:, :width])
        for found in layers
    ]
    auditor = audit(game, grid, *zip(game.layers, short, strict=True))
    assert auditor.residual < 1e-10
    assert auditor.value_error < 1e-12


@pytest.mark.parametrize("wrong", [1e-6, np.nan, np.inf])
@pytest.mark.parametrize("name", GAMES)
def test_any_wrong_number_is_found(name: str, wrong: float) -> None:
    """One number at a time, of the strategies and of the values of each layer."""
    game, grid, layers = played(name)
    rng = np.random.default_rng(7)
    for layer, found in zip(game.layers, layers, strict=True):
        for _ in range(6):
            values = found.values.copy()
            values.reshape(-1)[rng.integers(values.size)] += wrong
            assert audit(game, grid, (layer, replace(found, values=values))).value_error > 1e-8
            if layer.movers:
                sigma = found.sigma.copy()
                sigma[rng.integers(sigma.size)] += wrong
                assert audit(game, grid, (layer, replace(found, sigma=sigma))).residual > 1e-8


@pytest.mark.parametrize("wrong", [1e-3, np.nan])
@pytest.mark.parametrize("name", GAMES)
def test_wrong_next_values_are_found(name: str, wrong: float) -> None:
    """Those of one state: a single number may be of a belief that no action leads to."""
    game, grid, layers = played(name)
    for layer, found in zip(game.layers, layers, strict=True):
        following = found.following.copy()
        following[layer.succ[0]] += wrong
        assert audit(game, grid, (layer, replace(found, following=following))).value_error > 1e-8


def test_what_nobody_plays_moves_no_belief() -> None:
    """An action that costs so much that its probability is 0, for every type."""
    game = random_game((2,), ((0,), (0,)))
    layer = game.layers[0]
    layer.reward[1] -= 1e4
    grid = belief_grid(game, 9)
    found = reference(game, grid)
    assert found[0].sigma.reshape(-1, 3, grid.size)[:, 1].max() == 0
    auditor = audit(game, grid, *zip(game.layers, found, strict=True))
    assert auditor.residual < 1e-10
    assert auditor.value_error < 1e-12


def test_equally_good_best_responses_are_all_accepted() -> None:
    """One guesses the other's type, at even odds: both guesses gain the same, not by type."""
    game = replace(random_game((1, 2), ((0,),), actions=2), priors=(np.ones(1), np.full(2, 0.5)))
    (layer,) = game.layers
    layer.reward[:] = [[1, 0, 0, 0], [0, 1, 0, 0]]
    game.terminal[:] = game.flow[0][:] = 0
    grid = belief_grid(game, 5)
    (found,) = reference(game, grid)
    assert found.values[0, 4:6, grid.start].tolist() == [1, 0]
    for guess, accepted in (([1, 0], True), ([0, 1], True), ([0.5, 0.5], False)):
        found.values[0, 4:6, grid.start] = guess
        assert (audit(game, grid, (layer, found)).value_error < 1e-12) is accepted
    # Where one type is likelier, only the guess at it will do.
    found.values[0, 4:6, grid.start] = [1, 0]
    beside = found.values[0, 4:6, grid.start + 1]
    beside[:] = beside[::-1].copy()
    assert audit(game, grid, (layer, found)).value_error > 0.1


@pytest.mark.parametrize("name", ["nothing private", "two types", "two at once, one informed"])
def test_actions_that_are_not_there_are_no_best_responses(name: str) -> None:
    """A best response that gains nothing is wrong also where a mover has fewer actions than at
    another state, so that there is room for what gains nothing."""
    game, grid, layers = played(name)
    size, fewer = len(game.profiles), 0
    for layer, found in zip(game.layers, layers, strict=True):
        for m, i in enumerate(layer.movers):
            begin = game.profiles.size + i * size
            for x in np.flatnonzero(layer.choices[:, m] < layer.choices[:, m].max()):
                values = found.values.copy()
                values[x, begin : begin + size] = 0.0
                assert audit(game, grid, (layer, replace(found, values=values))).value_error > 1e-8
                fewer += 1
    assert fewer


def test_a_sample_is_drawn_where_there_is_much() -> None:
    game, grid, layers = played("three types")
    pairs = list(zip(game.layers, layers, strict=True))
    auditors = [audit(game, grid, *pairs, most=30) for _ in range(2)]
    for auditor in auditors:
        assert auditor.checked == 30
        assert auditor.nodes == 5 * grid.size
        assert auditor.residual == auditors[0].residual


def test_small_batches_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    game, grid, layers = played("two at once, both informed")
    pairs = list(zip(game.layers, layers, strict=True))
    whole = audit(game, grid, *pairs)
    monkeypatch.setattr(checked_nodes, "BATCH", 1)
    single = audit(game, grid, *pairs)
    assert (single.checked, single.nodes) == (whole.checked, whole.nodes)
    assert single.residual == pytest.approx(whole.residual, abs=1e-13)


@pytest.fixture
def game() -> CompiledGame:
    return detente.compile_game(detente.load("bargaining-rounds"))


@pytest.mark.parametrize("what", ["sigma", "values", "following"])
def test_a_wrong_number_of_a_solve_is_found(
    game: CompiledGame, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """One number of one layer is changed between the kernel and the auditor."""
    visit = Auditor.visit
    seen: list[str] = []

    def spoiled(
        self: Auditor, layer: Layer, following: Floats, values: Floats, sigma: Floats
    ) -> None:
        arrays = {"following": following, "values": values, "sigma": sigma}
        if layer.movers and layer.period == 2 and not seen:
            arrays[what] = arrays[what].copy()
            flat = arrays[what].reshape(-1)
            flat[flat.size // 3] += 1e-4
            seen.append(what)
        visit(self, layer, **arrays)

    monkeypatch.setattr(Auditor, "visit", spoiled)
    solution = detente.solve(game, detente.SolveOptions(beliefs=9), coarse=False)
    assert seen
    assert solution.status is Status.INACCURATE
    checked = solution.certificate
    assert max(checked.residual, checked.value_error) > 1e-6


def test_a_failed_stage_is_told(game: CompiledGame, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: Any) -> None:
        sweep(*arguments)
        task = arguments[4]
        task.counts[-1] += 1

    monkeypatch.setattr("detente.solver.backward.sweep", failing)
    assert detente.solve(game, detente.SolveOptions(beliefs=9)).status is Status.STAGE_FAILED


def test_how_many_are_checked_may_be_said(game: CompiledGame) -> None:
    whole = detente.solve(game, detente.SolveOptions(beliefs=17))
    assert whole.certificate.checked == whole.certificate.nodes
    assert whole.coarse is not None
    for most in (1, 60):
        solution = detente.solve(game, detente.SolveOptions(beliefs=17), checked=most)
        assert solution.coarse is not None
        for one, other in ((solution, whole), (solution.coarse, whole.coarse)):
            assert 0 < one.certificate.checked <= max(most, len(game.layers))
            assert one.certificate.nodes == other.certificate.nodes
            assert one.status is Status.SOLVED
            pairs = zip(one.strategies, other.strategies, strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)
    with pytest.raises(ValueError, match="`checked` is a whole number of at least 0, not -1"):
        detente.solve(game, detente.SolveOptions(beliefs=17), checked=-1)


def test_where_nothing_is_checked_nothing_is_said_of_residuals(game: CompiledGame) -> None:
    solution = detente.solve(game, detente.SolveOptions(beliefs=17), checked=0, coarse=False)
    certificate = solution.certificate
    assert (certificate.checked, solution.status) == (0, Status.SOLVED)
    assert np.isnan(certificate.residual)
    assert np.isnan(certificate.value_error)
    told = " ".join(sentences(detente.forecast(solution)))
    assert f"At none of {certificate.nodes:,} turn-state-belief points" in told
    assert "residual" not in told


def test_regret_is_what_a_best_response_gains() -> None:
    """One mover, one choice: the regret is the best payoff less the mean one."""
    text = """
title: one choice
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}}
state: {x: {levels: 0..1, start: 0}}
turns: [A]
actions: {A: {good: {cost: -1}, bad: {cost: 0}}}
payoffs: {A: {}}
"""
    solution = detente.solve(detente.compile_game(detente.loads(text)))
    share = 1 / (1 + np.exp(-1))
    assert solution.payoffs["A", ""] == pytest.approx(share, abs=1e-12)
    assert solution.certificate.regret is not None
    assert solution.certificate.regret["A", ""] == pytest.approx(1 - share, abs=1e-12)


def test_too_much_memory_is_refused_before_it_is_taken() -> None:
    game = detente.compile_game(detente.load("crisis-signalling"))
    with pytest.raises(SolveError, match=r"GiB of memory; allowed are"):
        detente.solve(game, detente.SolveOptions(beliefs=2001, memory_limit=2**24))


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (0, "`beliefs` is a whole number of at least 1"),
        (3, "odd number of at least 5"),
        (8, "odd number of at least 5"),
        (-5, "`beliefs` is a whole number of at least 1"),
    ],
)
def test_belief_points_are_odd_and_at_least_five(
    game: CompiledGame, points: int, told: str
) -> None:
    with pytest.raises((ValueError, ScenarioError), match=told):
        detente.solve(game, detente.SolveOptions(beliefs=points))
