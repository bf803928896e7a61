"""How a layer and a belief grid are laid out for the kernels."""

from __future__ import annotations

from itertools import product

import numpy as np

from detente.dtypes import Ints
from detente.game.arrays import CompiledGame, Layer
from detente.solver.beliefs import BeliefGrid
from detente.solver.kernels.turn import BeliefLayout, LayerArrays, Movers


def kinds(game: CompiledGame, layer: Layer) -> tuple[int, ...]:
    """K of each mover of a layer."""
    return tuple(game.priors[m].size for m in layer.movers)


def play_pointers(game: CompiledGame, layer: Layer) -> Ints:
    """int64 [x + 1]: strategies of x have play_ptr[x + 1] - play_ptr[x] numbers at each node."""
    width = layer.choices @ np.array(kinds(game, layer), dtype=np.int64)
    return np.concatenate([[0], np.cumsum(width)]).astype(np.int64)


def part(game: CompiledGame, layer: Layer) -> LayerArrays:
    """A layer's arrays for the kernels."""
    return LayerArrays(
        layer.action_ptr,
        layer.choices,
        layer.trans_ptr,
        layer.succ,
        layer.prob,
        layer.reward,
        play_pointers(game, layer),
    )


def turn(
    game: CompiledGame, grid: BeliefGrid, movers: tuple[int, ...], best: int = 0
) -> BeliefLayout:
    """The belief grid as it looks to some movers; `best` as in `BeliefLayout`."""
    profiles = game.profiles
    about = [grid.about[m] for m in movers]
    sizes = np.array([s.size for s in about], dtype=np.int64)
    count = len(about)
    most = max((len(s.prior) for s in about), default=1)
    node = np.zeros((count, max(sizes, default=1), most), dtype=np.int64)
    belief = np.zeros(node.shape)
    rank = np.zeros((count, most, max((s.rank.shape[1] for s in about), default=1)), np.int64)
    for m, simplex in enumerate(about):
        node[m, : simplex.size, : simplex.node.shape[1]] = simplex.node
        belief[m, : simplex.size, : simplex.node.shape[1]] = simplex.belief
        rank[m, : simplex.rank.shape[0], : simplex.rank.shape[1]] = simplex.rank
    types = list(product(*(range(len(game.priors[m])) for m in movers)))
    number = {own: q for q, own in enumerate(types)}
    profile = np.array([number[tuple(row)] for row in profiles[:, list(movers)].tolist()])
    positions = np.stack([grid.position(m) for m in movers]) if count else np.zeros((0, grid.size))
    base = np.flatnonzero(np.all(positions == 0, axis=0))
    outside = np.ones((base.size, len(profiles)))
    for j in range(len(game.priors)):
        if j not in movers:
            outside *= grid.type_probability(j)[base][:, profiles[:, j]]
    local = np.zeros(1, dtype=np.int64)
    stride = np.ones(count, dtype=np.int64)
    for m in range(count):
        steps = np.arange(sizes[m]) * grid.stride(movers[m])
        local = (local[:, None] + steps[None, :]).reshape(-1)
        stride[m] = np.prod(sizes[m + 1 :])
    return BeliefLayout(
        movers=Movers(
            lam=game.precision[list(movers)],
            n_types=np.array([len(game.priors[m]) for m in movers], dtype=np.int64),
            steps=np.array([s.steps for s in about], dtype=np.int64),
            node=node,
            belief=belief,
            rank=rank,
            stride=stride,
            size=sizes,
            types=np.array(types, dtype=np.int64).reshape(len(types), count),
        ),
        best=best,
        actor=np.array(movers, dtype=np.int64),
        base=base.astype(np.int64),
        local=local.astype(np.int64),
        outside=outside,
        profile=profile.astype(np.int64),
        members=np.stack([np.flatnonzero(profile == q) for q in range(len(types))]),
    )


def is_lined(turn: BeliefLayout) -> bool:
    """Whether the turn is of chance, or of one mover with one type or two."""
    return turn.actor.size == 0 or (turn.actor.size == 1 and int(turn.movers.n_types[0]) <= 2)


def most_actions(part: LayerArrays, first: int, last: int) -> tuple[int, int]:
    """The most joint actions, and the most own actions, of the states first … last - 1."""
    joint = int(np.diff(part.action_ptr[first : last + 1]).max(initial=1))
    return joint, int(part.n_actions[first:last].max(initial=1))
