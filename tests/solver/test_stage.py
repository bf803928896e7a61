"""The stage problem by itself: equilibrium, principal branch, folds, kinks, high precision."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detente.solver.kernels.stage import FAILED, FOLDED, ROWS, UNIQUE, solve_line

Floats = NDArray[np.float64]


def solve(lam: float, values: Floats, nodes: Floats, split: int) -> tuple[Floats, Floats]:
    """Strategies [g, θ, a] and counts of a line; values [a, θ, g]."""
    actions = values.shape[0]
    sigma = np.zeros((nodes.size, 2, actions))
    counts = np.zeros(4, dtype=np.int64)
    work, matrix = np.zeros((ROWS, actions + 1)), np.zeros((actions + 1, actions + 2))
    point = np.zeros((3, actions + 1))
    solve_line(lam, values, actions, nodes, split, sigma, work, matrix, point, counts)
    return sigma, counts


def random_line(rng: np.random.Generator, actions: int, points: int, size: float) -> Floats:
    """Smooth random values [a, θ, g] of the posterior."""
    g = np.linspace(0, 1, points)
    c = rng.normal(size=(4, actions, 2, 1)) * size
    return c[0] + c[1] * g + c[2] * np.sin(3 * g * c[3])


def payoffs(post: Floats, values: Floats, nodes: Floats) -> Floats:
    """Q [θ, a] at posteriors [a]."""
    return np.array(
        [
            [np.interp(p, nodes, v[theta]) for p, v in zip(post, values, strict=True)]
            for theta in (0, 1)
        ]
    )


def softmax(x: Floats) -> Floats:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def residual(lam: float, b: float, play: Floats, values: Floats, nodes: Floats) -> float:
    post = b * play[1] / (b * play[1] + (1 - b) * play[0])
    return float(np.abs(softmax(lam * payoffs(post, values, nodes)) - play).max())


def reference(lam: float, b: float, values: Floats, nodes: Floats) -> Floats:
    """The principal branch in another way: its curve in (log σ, s), followed by tiny steps.

    All 2 A log-probabilities are unknown; the tangent is the null vector of a finite-difference
    Jacobian, oriented by the determinant of the square system; no knowledge of the structure.
    """
    actions = values.shape[0]

    def equations(z: Floats) -> Floats:
        logs, s = z[:-1].reshape(2, actions), z[-1]
        play = np.exp(logs)
        post = b * play[1] / (b * play[1] + (1 - b) * play[0])
        q = s * lam * payoffs(post, values, nodes)
        top = q.max(axis=1, keepdims=True)
        total = top + np.log(np.exp(q - top).sum(axis=1, keepdims=True))
        return (logs - q + total).ravel()

    def jacobian(z: Floats) -> Floats:
        base, h = equations(z), 1e-7
        columns = [(equations(z + h * e) - base) / h for e in np.eye(z.size)]
        return np.stack(columns, axis=1)

    z = np.append(np.full(2 * actions, -np.log(actions)), 0.0)
    step = 0.02
    for _ in range(20_000):
        j = jacobian(z)
        tangent = np.linalg.svd(j)[2][-1]
        if np.linalg.det(np.vstack([j, tangent])) < 0:
            tangent = -tangent
        ahead = z + step * tangent
        for _ in range(30):
            full = np.vstack([jacobian(ahead), tangent])
            off = np.append(equations(ahead), 0.0)
            ahead = ahead - np.linalg.solve(full, off)
            if np.abs(off).max() < 1e-11:
                break
        if ahead[-1] >= 1:
            part = (1 - z[-1]) / (ahead[-1] - z[-1])
            end = z + part * (ahead - z)
            for _ in range(30):
                end[-1] = 1.0
                end[:-1] -= np.linalg.solve(jacobian(end)[:, :-1], equations(end))
            return np.exp(end[:-1]).reshape(2, actions)
        z = ahead
    raise AssertionError("the reference did not arrive")


@pytest.mark.parametrize(("actions", "lam"), [(2, 0.5), (3, 2.0), (4, 5.0), (5, 10.0), (3, 50.0)])
def test_every_node_is_an_equilibrium(actions: int, lam: float) -> None:
    rng = np.random.default_rng(actions)
    nodes = np.linspace(0, 1, 17)
    for _ in range(20):
        values = random_line(rng, actions, 17, 0.5)
        sigma, counts = solve(lam, values, nodes, 8)
        assert counts[FAILED] == 0
        assert counts.sum() == 15
        assert np.allclose(sigma.sum(axis=2), 1, atol=1e-9)
        for b, play in zip(nodes[1:-1], sigma[1:-1], strict=True):
            assert residual(lam, b, play, values, nodes) < 1e-9


def test_principal_branch_is_that_of_an_independent_tracer() -> None:
    rng = np.random.default_rng(7)
    nodes = np.linspace(0, 1, 9)
    compared = 0
    for lam in (3.0, 8.0):
        for _ in range(6):
            values = random_line(rng, 2, 9, 0.7)
            sigma, counts = solve(lam, values, nodes, 4)
            if counts[UNIQUE]:
                continue  # nothing to choose between
            for g in (2, 5):
                expected = reference(lam, nodes[g], values, nodes)
                assert np.abs(expected - sigma[g]).max() < 1e-6
                compared += 1
    assert compared >= 8


def pooling() -> tuple[Floats, Floats]:
    """A stage with several equilibria: both types gain where they are taken for type 1, much
    more so by action 1; at high precision they pool on either action."""
    nodes = np.linspace(0, 1, 33)
    values = np.zeros((2, 2, 33))
    values[0, :, :] = 0.1 + 2.0 * nodes
    values[1, :, :] = 2.0 * nodes
    values[1, 1, :] += 0.15
    return values, nodes


def test_folds_are_passed_and_counted() -> None:
    rng = np.random.default_rng(3)
    nodes = np.linspace(0, 1, 17)
    folded = 0
    for _ in range(30):
        values = random_line(rng, 2, 17, 0.8)
        sigma, counts = solve(12.0, values, nodes, 8)
        assert counts[FAILED] == 0
        folded += int(counts[FOLDED])
        for b, play in zip(nodes[1:-1], sigma[1:-1], strict=True):
            assert residual(12.0, b, play, values, nodes) < 1e-9
    assert folded > 0


def test_a_stage_with_several_equilibria_gives_the_principal_one() -> None:
    values, nodes = pooling()
    sigma, counts = solve(10.0, values, nodes, 16)
    assert counts[UNIQUE] == 0
    for g in (8, 16, 24):
        assert np.abs(reference(10.0, nodes[g], values, nodes) - sigma[g]).max() < 1e-6


def test_values_without_beliefs_are_the_plain_logit() -> None:
    nodes = np.linspace(0, 1, 9)
    payoff = np.array([[0.3, -1.0], [0.0, 0.5], [0.2, 0.2]])
    sigma, counts = solve(2.0, np.repeat(payoff[:, :, None], 9, axis=2), nodes, 4)
    assert counts[UNIQUE] == 7
    assert np.allclose(sigma, softmax(2.0 * payoff.T)[None], atol=1e-12)


def test_a_mover_who_is_known_learns_nothing() -> None:
    rng = np.random.default_rng(1)
    values = random_line(rng, 3, 9, 1.0)
    sigma, _ = solve(4.0, values, np.linspace(0, 1, 9), 4)
    for g in (0, 8):
        assert np.allclose(sigma[g], softmax(4.0 * values[:, :, g].T), atol=1e-12)


@pytest.mark.parametrize("prior", [0.01, 0.25, 0.9])
def test_grids_need_not_be_uniform(prior: float) -> None:
    rng = np.random.default_rng(5)
    split = 4
    nodes = np.concatenate([np.linspace(0, prior, split + 1), np.linspace(prior, 1, 13)[1:]])
    values = random_line(rng, 3, nodes.size, 0.5)
    sigma, counts = solve(5.0, values, nodes, split)
    assert counts[FAILED] == 0
    for b, play in zip(nodes[1:-1], sigma[1:-1], strict=True):
        assert residual(5.0, b, play, values, nodes) < 1e-9


# A turn of the United States in the default scenario at λ = 3: rows (action, type), 9 nodes. At
# node 1 the branch turns by more than a right angle where a posterior passes a node.
KINK = [
    [
        -2.0387865,
        -1.9431936,
        -1.7643483,
        -1.4768232,
        -1.0890112,
        -0.80862418,
        -0.55470555,
        -0.35613229,
        -0.21563208,
    ],
    [
        -2.2957999,
        -1.6424555,
        -1.3370079,
        -1.0318499,
        -0.68924553,
        -0.45891437,
        -0.25651908,
        -0.10497324,
        -0.03910024,
    ],
    [
        -2.200972,
        -2.0752487,
        -1.8601881,
        -1.5384113,
        -1.1290993,
        -0.84835936,
        -0.60615714,
        -0.42794942,
        -0.28607311,
    ],
    [
        -2.3885577,
        -1.6513066,
        -1.324541,
        -1.0090012,
        -0.66521465,
        -0.44232938,
        -0.25245939,
        -0.12149957,
        -0.076773463,
    ],
    [
        -2.0656186,
        -2.0028673,
        -1.8777225,
        -1.6674495,
        -1.3605848,
        -1.1122624,
        -0.85912332,
        -0.63790523,
        -0.47912547,
    ],
    [
        -2.8889927,
        -2.4287497,
        -2.1440728,
        -1.8768042,
        -1.572029,
        -1.3512635,
        -1.1375674,
        -0.9595222,
        -0.86384341,
    ],
    [
        -3.4112063,
        -3.3960954,
        -3.3644351,
        -3.3143393,
        -3.2392436,
        -3.1678201,
        -3.0768342,
        -2.9613615,
        -2.7883374,
    ],
    [
        -3.2581498,
        -3.1571428,
        -3.0124853,
        -2.8921739,
        -2.7753733,
        -2.6937353,
        -2.6089738,
        -2.5273594,
        -2.4714019,
    ],
]


def test_the_branch_is_carried_over_kinks() -> None:
    nodes = np.concatenate([np.linspace(0, 0.6, 5), np.linspace(0.6, 1, 5)[1:]])
    values = np.array(KINK).reshape(4, 2, 9)
    sigma, counts = solve(3.0, values, nodes, 4)
    assert counts[FAILED] == 0
    for g in range(1, 8):
        assert residual(3.0, nodes[g], sigma[g], values, nodes) < 1e-9
