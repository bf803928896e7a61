"""A second solver, for small games that end: as simple as possible, and slow.

It takes from the package only the compiled game and the nodes of the belief grid. Beliefs between
nodes are weights on all nodes, by the hat function of Kuhn's triangulation: there are no cells to
find. Each stage follows its path from λ = 0 by small steps in λ, with Newton's method and a
Jacobian of finite differences; a path that turns back is refused with `FoldedError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame, Layer
from detente.solver.beliefs import BeliefGrid

Floats = NDArray[np.float64]

STEP = 1 / 8  # of the way from λ = 0, at first and at most
SMALLEST = 1e-5  # step, before a path counts as folded
JUMP = 0.1  # largest change of a probability in a step: not to land on another branch


class FoldedError(Exception):
    """A stage whose path cannot be followed by steps in λ alone."""


@dataclass(frozen=True)
class Played:
    """One layer, solved.

    play
        [x][m]: float64 [b, θ, a].
    sigma
        The same as one flat array, ordered [x, (m, θ, a), b].
    values, following
        float64 [x, 2 c, b] and [x', 2 c, b]: values and best-response values of the layer, and
        what follows it, flow and discount included.
    """

    play: list[list[Floats]]
    sigma: Floats
    values: Floats
    following: Floats


def reference(game: CompiledGame, grid: BeliefGrid) -> list[Played]:
    """All layers, in order of play."""
    values = np.repeat(np.tile(game.terminal, 2)[:, None], grid.size, axis=1)
    done = []
    for layer, ends in reversed(list(zip(game.layers, game.ends_period, strict=True))):
        if ends:
            values = values * np.tile(np.repeat(game.discount, len(game.profiles)), 2)
            values += np.tile(game.flow[layer.period - 1], 2)[:, None]
        stages = [Stage(game, grid, layer, x, values) for x in range(layer.states.size)]
        plays = [stage.solve() for stage in stages]
        following = values
        values = np.stack([stage.values(s) for stage, s in zip(stages, plays, strict=True)])
        parts = [stage.parts(s) for stage, s in zip(stages, plays, strict=True)]
        sigma = np.concatenate([s.T.ravel() for s in plays])
        done.append(Played(parts, sigma, np.moveaxis(values, 1, 2), np.moveaxis(following, 1, 2)))
    return done[::-1]


def hat(steps: int, node: NDArray[Any], u: Floats) -> Floats:
    """Weight of each node [g, θ] at the points u [..., θ], float64 [..., g].

    Where nodes are no whole numbers the last one is put in between the others.
    """
    if node.dtype.kind == "f":
        regular = node[:-1].astype(np.int64)
        weight, made_of = (hat(steps, regular, at) for at in (u, node[-1] / steps))
        some = made_of > 0
        own = (weight[..., some] / made_of[some]).min(axis=-1, keepdims=True)
        return np.concatenate([weight - own * made_of, own], axis=-1)
    tails = np.tri(node.shape[1])[:, 1:]  # to cumulative coordinates, Σ_{θ ≥ j} for j = 1 …
    d = (steps * u @ tails)[..., None, :] - node @ tails
    return np.asarray(np.maximum(0, 1 - d.max(axis=-1, initial=0) + d.min(axis=-1, initial=0)))


class Stage:
    """One state of a layer, at all nodes of the belief grid.

    A play is float64 [b, (m, θ, a)]. Several are told one after another along the first axis.
    """

    def __init__(
        self, game: CompiledGame, grid: BeliefGrid, layer: Layer, x: int, following: Floats
    ) -> None:
        self.game, self.grid, self.movers = game, grid, layer.movers
        self.own = game.profiles.T
        self.node = np.stack(np.unravel_index(np.arange(grid.size), grid.shape))
        self.choices = [int(count) for count in layer.choices[x]]
        self.kinds = [game.priors[i].size for i in self.movers]
        edges = np.arange(layer.action_ptr[x], layer.action_ptr[x + 1])
        self.action = np.indices(self.choices).reshape(len(self.choices), len(edges))  # [m, e]
        trans = [np.arange(layer.trans_ptr[e], layer.trans_ptr[e + 1]) for e in edges]
        ahead = [np.tensordot(layer.prob[k], following[layer.succ[k]], 1) for k in trans]
        self.ahead = np.stack(ahead)  # [e, g, 2 c]
        self.reward = np.tile(layer.reward[edges], 2)
        self.usual = [np.ones(0)] * len(self.movers)  # w of each mover's own actions, [a]
        for m, count in enumerate(self.choices):
            weight = [layer.reference[edges[self.action[m] == a][0], m] for a in range(count)]
            self.usual[m] = np.array(weight) / np.sum(weight)
        types = [np.eye(prior.size)[own] for prior, own in zip(game.priors, self.own, strict=True)]
        self.kind = [types[i] for i in self.movers]  # [p, θ] is 1 where p has θ
        self.taken = [np.eye(c)[a] for c, a in zip(self.choices, self.action, strict=True)]
        belief = [
            b.belief[n][:, o] for b, n, o in zip(grid.about, self.node, self.own, strict=True)
        ]
        # What a mover believes of all others' types, [b, p], and where what is believed of those
        # stays who do not move, [b, g].
        self.belief = [
            np.prod([b for j, b in enumerate(belief) if j != i], axis=0) * np.ones(belief[i].shape)
            for i in self.movers
        ]
        self.told = [m for m, i in enumerate(self.movers) if self.choices[m] > 1]
        quiet = set(range(len(self.own))) - {self.movers[m] for m in self.told}
        stays = [self.node[i][:, None] == self.node[i] for i in quiet]
        self.stays = np.prod(stays, axis=0) * np.ones((grid.size, grid.size))

    def parts(self, play: Floats) -> list[Floats]:
        """The play of each mover, float64 [b, θ, a]."""
        cuts = np.cumsum(np.multiply(self.kinds, self.choices))
        shapes = zip(np.split(play, cuts, axis=1), self.kinds, self.choices, strict=False)
        return [np.reshape(part, (len(play), k, a)) for part, k, a in shapes]

    def payoffs(self, play: Floats) -> Floats:
        """Of each joint action, at the posteriors that it leads to: float64 [b, e, 2, i, p]."""
        sets = len(play) // self.grid.size
        weight = np.repeat(np.tile(self.stays, (sets, 1))[:, None], len(self.ahead), axis=1)
        parts = self.parts(play)
        for m in self.told:
            i = self.movers[m]
            simplex, node = self.grid.about[i], np.tile(self.node[i], sets)
            u = np.repeat(simplex.node[node][:, None], len(self.ahead), axis=1)  # [b, e, θ]
            joint = u * parts[m][:, :, self.action[m]].swapaxes(1, 2)
            u = np.where(joint.sum(axis=2, keepdims=True) > 0, joint, u)
            u = u / np.maximum(u.sum(axis=2, keepdims=True), 1e-300)
            weight *= hat(simplex.steps, simplex.node, u)[:, :, self.node[i]]
        total = (weight.swapaxes(0, 1) @ self.ahead).swapaxes(0, 1) + self.reward
        return np.reshape(total, (*total.shape[:2], 2, len(self.own), -1))

    def others(self, play: Floats, skip: int) -> Floats:
        """Probability of e when the types are p, over all movers but one: float64 [b, e, p]."""
        shares = np.ones((len(play), len(self.ahead), len(self.game.profiles)))
        for m, sigma in enumerate(self.parts(play)):
            if m != skip:
                shares *= sigma[:, self.own[self.movers[m]]][:, :, self.action[m]].swapaxes(1, 2)
        return shares

    def expected(self, play: Floats, payoffs: Floats, m: int) -> Floats:
        """What each own action is worth to each type of a mover, over payoffs [b, e, p]."""
        believed = np.tile(self.belief[m], (len(play) // self.grid.size, 1))
        terms = payoffs * self.others(play, m) * believed[:, None]
        return np.asarray((self.taken[m].T @ terms @ self.kind[m]).swapaxes(1, 2))

    def respond(self, play: Floats, share: float) -> Floats:
        """The logarithms of the quantal responses at this share of every λ."""
        payoffs, replies = self.payoffs(play), []
        for m, i in enumerate(self.movers):
            worth = share * self.game.precision[i] * self.expected(play, payoffs[:, :, 0, i], m)
            worth += np.log(self.usual[m])
            worth -= worth.max(axis=2, keepdims=True)
            worth -= np.log(np.exp(worth).sum(axis=2, keepdims=True))
            replies.append(worth.reshape(len(play), -1))
        return np.concatenate(replies, axis=1)

    def newton(self, play: Floats, share: float) -> Floats | None:
        """The fixed point near a play at this share of every λ, or None.

        The unknowns are logarithms. On the path, the determinant stays positive until it turns.
        """
        log = np.log(np.maximum(play, 1e-300))
        for _ in range(15):
            error = log - self.respond(np.exp(log), share)
            if np.abs(error).max() < 1e-11:
                return np.exp(log)
            moved = np.concatenate([log + 1e-6 * unit for unit in np.eye(play.shape[1])])
            off = (moved - self.respond(np.exp(moved), share)).reshape(-1, *log.shape) - error
            slope = np.moveaxis(off / 1e-6, 0, 2)
            if np.linalg.det(slope).min() <= 0:
                return None
            log = np.minimum(log - np.linalg.solve(slope, error[..., None])[..., 0], 0)
        return None

    def solve(self) -> Floats:
        """The play at the end of the path."""
        each = zip(self.kinds, self.usual, strict=True)
        usual = np.concatenate([*(np.tile(w, k) for k, w in each), []])
        play, share, step = np.tile(usual, (self.grid.size, 1)), 0.0, STEP
        while share < 1 and max(self.choices, default=1) > 1:
            step = min(step, 1 - share)
            moved = self.newton(play, share + step)
            if moved is not None and np.abs(moved - play).max() < JUMP:
                play, share, step = moved, share + step, min(STEP, 2 * step)
            elif (step := step / 2) < SMALLEST:
                raise FoldedError(f"at {share:.3f} of the precision")
        return play

    def values(self, play: Floats) -> Floats:
        """Values, and best-response values where movers take their best action: [b, 2 c]."""
        payoffs = self.payoffs(play)
        result = np.einsum("bep,bezip->bzip", self.others(play, -1), payoffs)
        for m, i in enumerate(self.movers):
            best = self.expected(play, payoffs[:, :, 1, i], m).argmax(axis=2)
            taken = best[:, self.own[i]][:, None] == self.action[m][:, None]  # [b, e, p]
            result[:, 1, i] = (taken * self.others(play, m) * payoffs[:, :, 1, i]).sum(axis=1)
            if self.game.shocks:
                sigma = self.parts(play)[m]
                cost = (sigma * np.log(sigma / self.usual[m])).sum(axis=2) / self.game.precision[i]
                result[:, 0, i] -= cost[:, self.own[i]]
        return np.reshape(result, (len(play), -1))
