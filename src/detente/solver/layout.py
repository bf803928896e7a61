"""How a layer and a belief grid are laid out for the kernels."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame, Layer, PrivateChance
from detente.solver.beliefs import BeliefGrid
from detente.solver.kernels.forward import PushWork
from detente.solver.kernels.hidden_moves import HiddenTurn
from detente.solver.kernels.lottery import BeliefLayout
from detente.solver.kernels.private_chance import PrivateTurn
from detente.solver.kernels.stage import LayerArrays, Work, make_work
from detente.solver.kernels.star import StarLayout
from detente.solver.kuhn import Star


def kinds(game: CompiledGame, layer: Layer) -> tuple[int, ...]:
    """K of each mover of a layer."""
    return tuple(game.priors[m].size for m in layer.movers)


def play_pointers(game: CompiledGame, layer: Layer) -> Ints:
    """int64 [x + 1]: strategies of x have play_ptr[x + 1] - play_ptr[x] numbers at each node."""
    pointers = np.zeros(layer.states.size + 1, dtype=np.int64)
    np.cumsum(layer.choices @ np.array(kinds(game, layer), dtype=np.int64), out=pointers[1:])
    return pointers


def part(game: CompiledGame, layer: Layer) -> LayerArrays:
    """A layer's arrays for the kernels."""
    return LayerArrays(
        layer.action_ptr,
        layer.choices,
        layer.trans_ptr,
        layer.succ,
        layer.prob,
        layer.reward,
        layer.reference,
        play_pointers(game, layer),
    )


def belief_layout(
    game: CompiledGame, grid: BeliefGrid, movers: tuple[int, ...], best: int = 0
) -> BeliefLayout:
    """The belief grid as it looks to some movers; `best` as in `BeliefLayout`."""
    profiles = game.profiles
    about = [grid.about[m] for m in movers]
    count, most = len(movers), max((len(game.priors[m]) for m in movers), default=1)
    rank = np.zeros((count, most, max((s.rank.shape[1] for s in about), default=1)), np.int64)
    place = np.zeros((count, grid.size), dtype=np.int64)
    node, believed = np.zeros((count, most, grid.size)), np.zeros((count, most, grid.size))
    for m, simplex in enumerate(about):
        rank[m, : simplex.rank.shape[0], : simplex.rank.shape[1]] = simplex.rank
        place[m] = grid.position(movers[m])
        node[m, : simplex.node.shape[1]] = simplex.node[place[m]].T
        believed[m, : simplex.node.shape[1]] = simplex.belief[place[m]].T
    types = list(product(*(range(len(game.priors[m])) for m in movers)))
    number = {own: q for q, own in enumerate(types)}
    profile = np.array([number[tuple(row)] for row in profiles[:, list(movers)].tolist()])
    base = np.flatnonzero(np.all(place == 0, axis=0))
    local = np.zeros(1, dtype=np.int64)
    for m in movers:
        local = (local[:, None] + np.arange(grid.shape[m]) * grid.stride(m)).reshape(-1)
    outside = np.ones((len(profiles), grid.size))
    for j in range(len(game.priors)):
        if j not in movers and game.priors[j].size > 1:
            outside *= grid.type_probability(j)[:, profiles[:, j]].T
    lift = np.zeros((0, 0, 0))
    if game.lift is not None:
        outside *= game.lift[:, None]
        combined = _added(outside, profile, len(types))
        outside /= combined[profile]
        if count > 1:
            lift = _lifts(combined, np.array(types), believed)
    lam = game.precision[list(movers)]
    shocks = (lam > 0) & game.shocks
    return BeliefLayout(
        lam=lam,
        shock=np.divide(1.0, lam, out=np.zeros_like(lam), where=shocks),
        n_types=np.array([len(game.priors[m]) for m in movers], dtype=np.int64),
        steps=np.array([s.steps for s in about], dtype=np.int64),
        actor=np.array(movers, dtype=np.int64),
        rank=rank,
        jump=np.array([grid.stride(m) for m in movers], dtype=np.int64),
        place=place,
        node=node,
        believed=believed,
        base=base.astype(np.int64),
        local=local.astype(np.int64),
        outside=outside,
        types=np.array(types, dtype=np.int64).reshape(len(types), count),
        profile=profile.astype(np.int64),
        lift=lift,
        star=_stars([simplex.star for simplex in about]),
        best=best,
    )


def _stars(stars: list[Star | None]) -> StarLayout | None:
    """The nodes put into the grids of movers; None where there is none."""
    most = max((star.corner.size for star in stars if star), default=0)
    if most == 0:
        return None
    count, whole = len(stars), np.int64
    layout = StarLayout(
        corners=np.zeros(count, whole),
        node=np.zeros(count, whole),
        corner=np.zeros((count, most), whole),
        weight=np.zeros((count, most)),
    )
    for m, star in enumerate(stars):
        if star is not None:
            size = star.corner.size
            layout.corners[m] = size
            layout.node[m] = star.node
            layout.corner[m, :size], layout.weight[m, :size] = star.corner, star.weight
    return layout


def _lifts(combined: Floats, types: Ints, believed: Floats) -> Floats:
    """`BeliefLayout.lift` [m, q, b], from the lift of the movers' types [q, b] over the types of
    those who do not move."""
    lifts = []
    for m in range(types.shape[1]):
        others = combined.copy()
        for j in range(types.shape[1]):
            if j != m:
                others *= believed[j, types[:, j]]
        own = types[:, m]
        lifts.append(combined / _added(others, own, int(own.max()) + 1)[own])
    return np.stack(lifts)


def _added(numbers: Floats, rows: Ints, size: int) -> Floats:
    """Numbers [p, b] added up by their rows, float64 [size, b]."""
    total = np.zeros((size, numbers.shape[1]))
    np.add.at(total, rows, numbers)
    return total


def seats(layer: Layer) -> tuple[int, ...]:
    """The actors whose beliefs may move at a layer: the movers, or whose type chance knows."""
    return layer.movers if layer.private is None else (layer.private.actor,)


def hidden_turn(game: CompiledGame, grid: BeliefGrid, layer: Layer) -> HiddenTurn | None:
    """The hidden moves of a layer, for the kernels; None where it has none."""
    if layer.hidden is None:
        return None
    (i,), hidden, begin = layer.movers, layer.hidden, layer.action_ptr[:-1]
    same = (hidden.change == np.eye(game.priors[i].size)).all(axis=(1, 2))
    keeps = np.logical_and.reduceat(same, begin)
    looks = np.add.reduceat(hidden.alike == np.arange(hidden.alike.size), begin)
    return HiddenTurn(
        alike=hidden.alike,
        change=hidden.change,
        tells=(~keeps | (looks > 1)).astype(np.int64),
        keeps=keeps.astype(np.int64),
        ratio=grid.about[i].ratio(game.priors[i]),
        apart=int(prod(prior.size for prior in game.priors[i + 1 :])),
    )


def private_turn(game: CompiledGame, grid: BeliefGrid, chance: PrivateChance) -> PrivateTurn:
    """Chance that has to do with a private type, for the kernels."""
    i = chance.actor
    apart = int(prod(prior.size for prior in game.priors[i + 1 :]))
    return PrivateTurn(chance.change, grid.about[i].ratio(game.priors[i]), apart)


def make_scratch(
    layout: BeliefLayout,
    part: LayerArrays,
    width: int,
    *,
    slopes: bool = False,
    hidden: bool = False,
) -> Work:
    """Scratch for the states of a layer, and `width` components."""
    joint = int(np.diff(part.action_ptr).max(initial=1))
    if hidden:
        joint = max(joint, 2)  # also who has no choice may move a belief: its next values are kept
    return make_work(layout, int(part.n_actions.max(initial=1)), joint, width, slopes=slopes)


def make_push_work(
    layout: BeliefLayout, part: LayerArrays, shape: tuple[int, int, int], states: int
) -> PushWork:
    """Scratch for mass [h, b, w] of the states of a layer, on its way to so many."""
    channels, nodes, lanes = shape
    side_by_side, moved = min(lanes, 4), np.zeros((2, (channels + 1) * nodes * lanes))
    work = make_scratch(layout, part, 0)
    return PushWork(
        work=work,
        here=moved[0],
        there=moved[1],
        slot=np.empty(channels, np.int64),
        fresh=np.ones((states, channels), np.bool_),
        taken=np.zeros(nodes * side_by_side),
        end=np.zeros((2, nodes), np.uint64),
        weight=np.zeros((2, nodes * side_by_side)),
        chance=work.chance.reshape(-1),
        row=np.zeros(lanes, np.uint64),
        total=np.zeros(4 * side_by_side),
    )


def is_lined(layout: BeliefLayout) -> bool:
    """Whether the turn is of chance, or of one mover with one type or two."""
    return layout.actor.size == 0 or (layout.actor.size == 1 and int(layout.n_types[0]) <= 2)
