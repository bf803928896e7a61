"""Recomputes a solve in plain NumPy, without the solver's kernels or its belief arithmetic.

Layer by layer, while the values of the next layer are at hand: at the nodes checked (all of
them in a small game, a seeded sample in a large one) continuation values, posteriors, quantal
responses, values and best responses are worked out again from the strategies and compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame, Layer
from detente.solver.beliefs import BeliefGrid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHECKED_NODES = 50_000
"""Nodes recomputed in a solve: all of them in small games, a seeded sample in large ones."""

SEED = 1998


def _ragged(pointers: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Positions pointers[r] : pointers[r + 1] of all rows r, and the place in `rows` of each."""
    counts = pointers[rows + 1] - pointers[rows]
    owner = np.repeat(np.arange(rows.size), counts)
    within = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return pointers[rows][owner] + within, owner


@dataclass(eq=False)
class Auditor:
    """Accumulates the largest errors of one solve; `visit` is called for each layer."""

    game: CompiledGame
    grid: BeliefGrid
    residual: float = 0.0
    value_error: float = 0.0
    checked: int = 0
    nodes: int = 0
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    def visit(self, layer: Layer, following: Floats, values: Floats, sigma: Floats) -> None:
        """Check one layer, given next values [x', b, c], own values [x, b, c] and strategies."""
        nodes = layer.states.size * self.grid.size
        share = max(1, CHECKED_NODES // len(self.game.layers))
        chosen = (
            np.arange(nodes)
            if nodes <= share
            else self._rng.choice(nodes, size=share, replace=False, shuffle=False)
        )
        self.nodes += nodes
        self.checked += chosen.size
        # A few thousand nodes at a time keep the temporary arrays small.
        for part in np.array_split(chosen, -(-chosen.size // 4000)):
            x, b = np.divmod(part, self.grid.size)
            self._check(layer, x, b, following, values, sigma)

    def _check(
        self, layer: Layer, x: Ints, b: Ints, following: Floats, values: Floats, sigma: Floats
    ) -> None:
        profiles = self.game.profiles
        width = profiles.size  # components (i, p)
        mover = layer.movers[0] if layer.movers else 0
        own = profiles[:, mover]
        types = len(self.game.priors[mover]) if layer.movers else 1
        own = own if types > 1 else np.zeros_like(own)

        edge, node = _ragged(layer.action_ptr, x)
        counts = np.diff(layer.action_ptr)[x]
        first = np.cumsum(counts) - counts
        action = np.arange(edge.size) - first[node]
        base = self.grid.size * types * layer.action_ptr[x] + b * types * counts
        play = np.ones((edge.size, 1))
        if layer.movers:
            play = sigma[base[node, None] + np.arange(types) * counts[node, None] + action[:, None]]

        ahead = self._continuation(
            layer, mover, types, edge, b[node], play, counts[node], following
        )
        ahead += np.tile(layer.reward[edge], following.shape[2] // width)

        # What the mover of each type expects, over the other actors' types under b.
        beliefs = np.stack(np.unravel_index(b, self.grid.shape))
        weight = np.ones((b.size, len(profiles)))
        for j, prior in enumerate(self.game.priors):
            if (j != mover or not layer.movers) and prior.size > 1:
                second = self.grid.nodes[j][beliefs[j]][:, None]
                weight *= np.where(profiles[:, j] == 1, second, 1 - second)
        blocks = {"value": mover * len(profiles)}
        if following.shape[2] > width:
            blocks["best"] = width + mover * len(profiles)
        expected = {
            name: np.stack(
                [
                    (ahead[:, at : at + len(profiles)] * weight[node])[:, own == k].sum(axis=1)
                    for k in range(types)
                ],
                axis=1,
            )
            for name, at in blocks.items()
        }
        scaled = (self.game.precision[mover] if layer.movers else 0.0) * expected["value"]
        scaled -= np.maximum.reduceat(scaled, first)[node]
        response = np.exp(scaled)
        response /= np.add.reduceat(response, first)[node]
        if layer.movers:
            self.residual = max(self.residual, float(np.abs(response - play).max()))

        component_type = np.tile(own, following.shape[2] // len(profiles))
        again = np.add.reduceat(play[:, component_type] * ahead, first)
        if layer.movers and "best" in blocks:
            at = blocks["best"]
            top = np.maximum.reduceat(expected["best"], first)
            for k in range(types):
                winner = np.flatnonzero(expected["best"][:, k] == top[node, k])
                _, which = np.unique(node[winner], return_index=True)
                columns = at + np.flatnonzero(own == k)
                again[:, columns] = ahead[winner[which]][:, columns]
        scale = np.maximum(1.0, np.abs(again))
        self.value_error = max(
            self.value_error, float((np.abs(again - values[x, b]) / scale).max())
        )

    def _continuation(
        self,
        layer: Layer,
        mover: int,
        types: int,
        edge: Ints,
        b: Ints,
        play: Floats,
        counts: Ints,
        following: Floats,
    ) -> Floats:
        """Expected next values after each joint action, float64 [row, c]."""
        trans, owner = _ragged(layer.trans_ptr, edge)
        target = layer.succ[trans]
        chance = layer.prob[trans][:, None]
        index = list(np.unravel_index(b, self.grid.shape))
        if types == 1:
            moved = chance * following[target, b[owner]]
        else:
            nodes = self.grid.nodes[mover]
            prior = nodes[index[mover]]
            joint = prior * play[:, 1]
            total = joint + (1 - prior) * play[:, 0]
            post = np.divide(joint, total, out=prior.copy(), where=total > 0)
            post = np.where(counts == 1, prior, post)
            cell = np.clip(np.searchsorted(nodes, post, side="right") - 1, 0, nodes.size - 2)
            part = (post - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
            index[mover] = cell
            low = np.ravel_multi_index(index, self.grid.shape)
            index[mover] = cell + 1
            high = np.ravel_multi_index(index, self.grid.shape)
            part = part[owner, None]
            moved = following[target, low[owner]] * (1 - part)
            moved += following[target, high[owner]] * part
            moved *= chance
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        return np.asarray(np.add.reduceat(moved, starts))
