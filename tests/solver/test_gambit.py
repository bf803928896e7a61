"""Agent logit quantal response of unrolled games: Gambit and Detente give the same strategies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import detente
from detente.game.arrays import CompiledGame
from detente.game.export import ExtensiveForm, InformationSet, count_nodes, unroll
from detente.solver.solution import Solution
from tests.effort import examples
from tests.generate import Shape, scenarios
from tests.oracles import logit, nodes, read
from tests.reference import hat

pytestmark = pytest.mark.gambit

Floats = NDArray[np.float64]


def interpolated(solution: Solution, n: int, x: int, m: int, beliefs: list[Floats]) -> Floats:
    """The strategy [θ, a] of a mover at beliefs [θ] about all actors, in the grid's coordinates."""
    weight = np.ones(1)
    for simplex, u in zip(solution.grid.about, beliefs, strict=True):
        here = hat(simplex.steps, simplex.node, u) if simplex.steps else np.ones(1)
        weight = (weight[:, None] * here).ravel()
    play = np.tensordot(weight, solution.strategy(n, x, m), 1)
    return np.asarray(play / play.sum(axis=1, keepdims=True))


def at_information_set(solution: Solution, where: InformationSet) -> Floats:
    """Our strategy [a] at an information set, with beliefs from Bayes' rule along its history."""
    game = solution.game
    about = solution.grid.about
    beliefs = [simplex.prior / max(simplex.steps, 1) for simplex in about]
    x = 0
    for n, e, k in where.history:
        layer = game.layers[n]
        before = list(beliefs)
        own = np.unravel_index(e - layer.action_ptr[x], layer.choices[x]) if layer.movers else ()
        for m, a in enumerate(own):
            i = layer.movers[m]
            if layer.hidden is not None:
                edges = np.arange(layer.action_ptr[x], layer.action_ptr[x + 1])
                alike = edges[layer.hidden.alike[edges] == layer.hidden.alike[e]]
                ratio, play = (
                    about[i].ratio(game.priors[i]),
                    interpolated(solution, n, x, m, before),
                )
                joint = sum(
                    (before[i] / ratio * play[:, other - edges[0]]) @ layer.hidden.change[other]
                    for other in alike
                )
                beliefs[i] = ratio * joint / (ratio * joint).sum()
            elif about[i].steps and layer.choices[x, m] > 1:
                joint = before[i] * interpolated(solution, n, x, m, before)[:, a]
                beliefs[i] = joint / joint.sum()
        if layer.private is not None:
            i = layer.private.actor
            ratio = about[i].ratio(game.priors[i])
            joint = ratio * (beliefs[i] / ratio @ layer.private.change[k])
            beliefs[i] = joint / joint.sum()
        x = int(layer.succ[k])
    assert x == where.state
    m = game.layers[where.layer].movers.index(where.actor)
    return np.asarray(interpolated(solution, where.layer, x, m, beliefs)[where.theta])


def gambits(game: CompiledGame, tree: ExtensiveForm, lam: float) -> list[float]:
    """Gambit's strategies, by player, information set and action."""
    efg = read(tree.text)
    assert len(nodes(efg)) == count_nodes(game)
    (play,) = logit(efg, [lam])
    sets = sorted(tree.information_sets, key=lambda s: (s.player, s.number))
    sizes = [game.layers[s.layer].choices[s.state] for s in sets]
    own = [c[game.layers[s.layer].movers.index(s.actor)] for c, s in zip(sizes, sets, strict=True)]
    assert len(play) == sum(own)
    return play


def differences(game: CompiledGame, *points: int, scale: bool = False) -> list[float]:
    """Largest difference between Gambit's strategies and ours, for each number of points."""
    tree = unroll(game, scale=scale)
    theirs = np.array(gambits(game, tree, 1.0 if scale else float(game.precision[0])))
    found = []
    for each in points:
        solution = detente.solve(
            game, detente.SolveOptions(beliefs=each), coarse=False, regret=False
        )
        assert solution.status.name == "SOLVED"
        sets = sorted(tree.information_sets, key=lambda s: (s.player, s.number))
        ours = np.concatenate([at_information_set(solution, where) for where in sets])
        found.append(float(np.abs(ours - theirs).max()))
    return found


few = settings(
    max_examples=examples(2),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

SHAPES = {
    "complete": (Shape(actors=3, informed=0, periods=1, levels=3), 5),
    "one": (Shape(actors=2, informed=1, periods=1, levels=3), 2049),
    "one-long": (Shape(actors=1, informed=1, periods=3, levels=2, chance=False), 2049),
    "discounted": (Shape(actors=1, informed=1, periods=2, levels=2, discount=True), 2049),
    "two": (Shape(actors=2, informed=2, periods=1, levels=2, chance=False), 257),
    "two-chance": (Shape(actors=2, informed=2, periods=1, levels=3), 257),
    "three-types": (Shape(actors=2, informed=1, types=3, periods=1, levels=3), 17),
    "at-once": (Shape(actors=2, informed=0, together=2, actions=3, periods=1), 5),
    "at-once-one": (Shape(actors=2, informed=1, together=2, periods=1), 9),
    "at-once-two": (Shape(actors=2, informed=2, together=2, periods=1), 9),
    "at-once-three-types": (Shape(actors=2, informed=1, types=3, together=2, periods=1), 9),
    "three-at-once": (Shape(actors=3, informed=0, together=3, periods=1), 5),
    "three-at-once-two": (Shape(actors=3, informed=2, together=3, periods=1, chance=False), 5),
}
"""Payoffs depend on an actor's own type only, so that beliefs matter where it moves again."""


@pytest.mark.parametrize("lam", [0.5, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("name", SHAPES)
@few
@given(data=st.data())
def test_same_as_gambit(name: str, lam: float, data: st.DataObject) -> None:
    shape, points = SHAPES[name]
    game = detente.compile_game(detente.loads(data.draw(scenarios(shape, lam))))
    assert differences(game, points)[0] < 1e-6


@dataclass(frozen=True)
class Signals:
    """Actors who each move once in a period, `turns` after one another, with `choices` actions.

    What they get at the end depends on everything: on all true types and on all their moves.
    """

    turns: tuple[tuple[int, ...], ...]
    types: tuple[int, ...]
    choices: int = 2
    periods: int = 1

    def text(self, precision: list[float], seed: int) -> str:
        """The scenario; x0 … keep the moves of each actor, as digits of a number."""
        rng = np.random.default_rng(seed)
        actors = range(len(self.types))
        lines = ["title: signals", f"calendar: {{period: round, horizon: {self.periods}}}"]
        lines.append("actors:")
        for i, count in enumerate(self.types):
            prior = [f"{p:.3f}" for p in 0.1 / count + 0.9 * rng.dirichlet(np.full(count, 3.0))]
            prior[-1] = f"{1 - sum(map(float, prior[:-1])):.3f}"
            told = ", ".join(f"k{i}{k}: {p}" for k, p in enumerate(prior))
            kinds = f"types: {{{told}}}, " if count > 1 else ""
            lines.append(f"  A{i}: {{{kinds}precision: {precision[i]}}}")
        levels = self.choices**self.periods
        lines += ["state:", *(f"  x{i}: {{levels: 0..{levels - 1}, start: 0}}" for i in actors)]
        turns = (f"{{who: [{', '.join(f'A{i}' for i in who)}]}}" for who in self.turns)
        lines += [f"turns: [{', '.join(turns)}]", "actions:"]
        for i in actors:
            moves = (
                f"a{a}: {{set: {{x{i}: {self.choices} * x{i} + {a}}}}}" for a in range(self.choices)
            )
            lines.append(f"  A{i}: {{{', '.join(moves)}}}")
        lines.append("payoffs:")
        for i in actors:
            lines += [f"  A{i}:", "    terminal:"]
            cells = product(*map(range, self.types), *(range(levels) for _ in actors))
            for n, cell in enumerate(cells):
                kinds = [f"A{j} == k{j}{k}" for j, k in enumerate(cell[: len(self.types)])]
                where = [kind for kind, count in zip(kinds, self.types, strict=True) if count > 1]
                where += [f"x{j} == {v}" for j, v in enumerate(cell[len(self.types) :])]
                payoff = round(rng.uniform(-2, 2), 2)
                lines.append(f"      c{n}: ({payoff}) * ({' and '.join(where)})")
        return "\n".join([*lines, ""])

    def game(self, precision: list[float] | float, seed: int) -> CompiledGame:
        each = precision if isinstance(precision, list) else [precision] * len(self.types)
        return detente.compile_game(detente.loads(self.text(each, seed)))


ONCE = {
    "three at once": Signals(((0, 1, 2),), (2, 2, 1)),
    "three at once, three types": Signals(((0, 1, 2),), (3, 1, 1)),
    "three at once, all informed": Signals(((0, 1, 2),), (2, 2, 2)),
    "two at once, three types each": Signals(((0, 1),), (3, 3)),
    "two at once, four types": Signals(((0, 1),), (4, 1), choices=3),
}
"""All move once and at once: there is nothing between nodes, and any grid is exact."""


@pytest.mark.parametrize("lam", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("name", ONCE)
def test_moves_at_once_on_the_coarsest_grid(name: str, lam: float) -> None:
    assert differences(ONCE[name].game(lam, seed=int(lam) % 10), 9)[0] < 1e-8


LINES = {
    "a signal": Signals(((0,), (1,)), (2, 1), choices=3),
    "two at once, answered": Signals(((0, 1), (2,)), (2, 1, 1)),
    "a signal, answered by two at once": Signals(((0,), (1, 2)), (2, 1, 1)),
    "two at once, twice": Signals(((0, 1),), (2, 1), periods=2),
}


@pytest.mark.parametrize("lam", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("name", LINES)
def test_signals_of_two_types(name: str, lam: float) -> None:
    """Values bend between nodes; on 2049 points that makes about λ² 1e-8."""
    assert differences(LINES[name].game(lam, seed=int(lam) % 10), 2049)[0] < 5e-6


SIMPLICES = {
    "a signal of three types": Signals(((0,), (1,)), (3, 1)),
    "three types, three signals": Signals(((0,), (1,)), (3, 1), choices=3),
    "three types, answered by two at once": Signals(((0,), (1, 2)), (3, 1, 1)),
    "two informed in turn": Signals(((0,), (1,)), (2, 2)),
    "two informed at once, answered": Signals(((0, 1), (2,)), (2, 2, 1)),
}


@pytest.mark.parametrize("lam", [0.5, 3.0])
@pytest.mark.parametrize("name", SIMPLICES)
def test_signals_on_planes_of_beliefs(name: str, lam: float) -> None:
    """1e-6 would take a hundred thousand nodes. 65 points along an edge make up to 6e-4 at λ = 3,
    and the error falls as h²: sixteenfold where the grid is four times as fine."""
    games = [SIMPLICES[name].game(lam, seed) for seed in range(3)]
    coarse, fine = np.array([differences(game, 17, 65) for game in games]).T
    assert fine.max() < 1e-3
    assert fine.sum() < coarse.sum() / 6


@pytest.mark.parametrize("name", ["two at once, answered", "a signal, answered by two at once"])
def test_every_actor_may_have_its_own_precision(name: str) -> None:
    """Gambit has one for all: payoffs are scaled instead."""
    game = LINES[name].game([0.7, 2.0, 4.0], 0)
    assert differences(game, 2049, scale=True)[0] < 5e-6
