"""What every compiled game promises, checked array by array; and when two games are the same."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np

from detente.game.arrays import CompiledGame, HiddenMoves, Layer
from detente.game.structure import encode


def check(game: CompiledGame) -> None:
    """The contract that is written in `detente.game.arrays`."""
    structure, actors = game.structure, list(game.scenario.actors.values())
    counts = [max(1, len(actor.types)) for actor in actors]
    assert game.profiles.tolist() == [list(row) for row in product(*map(range, counts))]
    width = len(actors) * len(game.profiles)
    assert len(structure.sets) == len(game.layers) + 1
    for states in structure.sets:
        assert states.dtype == np.int64
        assert np.all(np.diff(states) > 0)
        levels = structure.levels(states)
        assert list(levels) == list(game.scenario.variables)
        for v in structure.variables:
            assert np.all((levels[v.key] >= 0) & (levels[v.key] < v.size))
        assert np.array_equal(encode(structure.variables, levels), states) or not levels
    _check_ends(game)
    for n, layer in enumerate(game.layers):
        assert np.array_equal(layer.states, structure.sets[n])
        _check_layer(game, layer, structure.sets[n + 1], width)
    order = [(layer.period, layer.turn) for layer in game.layers]
    assert order == sorted(set(order))
    assert {layer.period for layer in game.layers} == set(range(1, game.periods + 1))

    ends = [n + 1 for n, last in enumerate(game.ends_period) if last]
    assert structure.period_sets == tuple(ends)
    assert len(game.flow) == game.periods
    for flow, n in zip(game.flow, ends, strict=True):
        assert flow.shape == (structure.sets[n].size, width)
        assert flow.dtype == np.float64
    assert game.terminal.shape == (game.final.size, width)
    assert np.array_equal(game.final, structure.sets[-1])
    assert [prior.size for prior in game.priors] == counts
    assert all(abs(prior.sum() - 1) < 1e-9 for prior in game.priors)
    assert abs(game.profile_prior().sum() - 1) < 1e-9
    assert game.precision.shape == game.discount.shape == (len(actors),)
    assert list(game.holds) == list(game.scenario.outcomes)
    for holds in game.holds.values():
        assert [where.dtype for where in holds] == [np.bool_] * len(structure.sets)
        assert [where.size for where in holds] == [states.size for states in structure.sets]


def _check_ends(game: CompiledGame) -> None:
    """Where play begins, and where a period leads back to the first layer."""
    variables = game.structure.variables
    start = int(encode(variables, {v.key: np.array([v.start]) for v in variables})[0])
    first = game.structure.sets[0]
    assert first[game.start] == start
    if not game.scenario.forever:
        assert first.size == 1
        assert game.loop is None
        return
    assert game.loop is not None
    assert game.loop.dtype == np.int64
    assert game.periods == 1
    assert np.array_equal(first[game.loop], game.final)
    assert np.array_equal(first, np.union1d(game.final, [start]))
    assert not game.terminal.any()


def _check_layer(game: CompiledGame, layer: Layer, following: np.ndarray, width: int) -> None:
    edges, transitions = len(layer.action), layer.succ.size
    for pointers, total in ((layer.action_ptr, edges), (layer.trans_ptr, transitions)):
        assert pointers.dtype == np.int64
        assert pointers[0] == 0
        assert pointers[-1] == total
        assert np.all(np.diff(pointers) >= 1)
    assert layer.action_ptr.size == layer.states.size + 1
    assert layer.trans_ptr.size == edges + 1
    assert layer.action.dtype == np.int32
    assert layer.action.shape == (edges, len(layer.movers))
    assert layer.succ.dtype == np.int32
    # Every state of the next set, and no other, is where some transition leads.
    assert np.array_equal(np.unique(layer.succ), np.arange(following.size))
    assert layer.prob.shape == (transitions,)
    prob = layer.prob[:, None]
    if layer.private is not None:  # there are probabilities by type alone
        assert np.isnan(prob).all()
        prob = layer.private.change.sum(axis=2)
    assert np.all((prob >= 0) & (prob <= 1 + 1e-12))
    assert np.allclose(np.add.reduceat(prob, layer.trans_ptr[:-1]), 1, atol=1e-12)
    if layer.hidden is not None:
        _check_hidden(layer, layer.hidden)
    assert layer.reward.shape == (edges, width)
    assert layer.reward.dtype == layer.prob.dtype == layer.reference.dtype == np.float64
    assert layer.reference.shape == (edges, len(layer.movers))

    turn = game.scenario.turns[layer.turn]
    assert [list(game.scenario.actors)[i] for i in layer.movers] == list(turn.who)
    assert layer.choices.dtype == np.int64
    assert layer.choices.shape == (layer.states.size, len(layer.movers))
    per_state = np.diff(layer.action_ptr)
    if not layer.movers:
        assert layer.event
        assert np.all(per_state == 1)
        assert not layer.reward.any()
        return
    assert layer.event == ""
    state = np.repeat(np.arange(layer.states.size), per_state)
    for x, (first, end) in enumerate(pairwise(layer.action_ptr.tolist())):
        # The product of each mover's own actions, in their order and none twice, the last fastest.
        own = [sorted(set(column)) for column in layer.action[first:end].T.tolist()]
        assert layer.choices[x].tolist() == [len(actions) for actions in own]
        assert layer.action[first:end].tolist() == [list(joint) for joint in product(*own)]
    for mover, column in zip(layer.movers, layer.action.T, strict=True):
        actions = game.scenario.actions[list(game.scenario.actors)[mover]]
        assert np.all((column >= -1) & (column < len(actions)))
    # A mover's most usual action counts 1, and what the others do changes nothing about that.
    assert np.all((layer.reference > 0) & (layer.reference <= 1))
    assert np.all(np.maximum.reduceat(layer.reference, layer.action_ptr[:-1]) == 1)
    for m in range(len(layer.movers)):
        alike = np.unique(np.stack([state, layer.action[:, m], layer.reference[:, m]]), axis=1)
        assert len(np.unique(alike[:2], axis=1).T) == len(alike.T)
    # 'Nobody moves' is for all of them, alone, stays in place, costs nothing.
    assert np.array_equal(np.any(layer.action < 0, axis=1), np.all(layer.action < 0, axis=1))
    idle = np.flatnonzero(layer.action[:, 0] < 0)
    assert np.all(per_state[state[idle]] == 1)
    assert np.all(layer.trans_ptr[idle + 1] - layer.trans_ptr[idle] == 1)
    assert np.array_equal(following[layer.succ[layer.trans_ptr[idle]]], layer.states[state[idle]])
    assert not layer.reward[idle].any()


def assert_same(game: CompiledGame, other: CompiledGame) -> None:
    """Two games are equal, array for array."""
    assert len(game.layers) == len(other.layers)
    for layer, twin in zip(game.layers, other.layers, strict=True):
        for key in ("period", "turn", "event", "movers"):
            assert getattr(layer, key) == getattr(twin, key)
        arrays = "states action_ptr choices action trans_ptr succ prob reward reference"
        for key in arrays.split():
            same = np.array_equal(getattr(layer, key), getattr(twin, key), equal_nan=key == "prob")
            assert same, key
        assert (layer.private is None) is (twin.private is None)
        if layer.private is not None and twin.private is not None:
            assert np.array_equal(layer.private.change, twin.private.change)
    for key in ("flow", "priors"):
        for a, b in zip(getattr(game, key), getattr(other, key), strict=True):
            assert np.array_equal(a, b), key
    for key in ("terminal", "final", "precision", "discount", "profiles"):
        assert np.array_equal(getattr(game, key), getattr(other, key)), key
    assert list(game.holds) == list(other.holds)
    for key, holds in game.holds.items():
        for a, b in zip(holds, other.holds[key], strict=True):
            assert np.array_equal(a, b), key
    assert np.array_equal(game.loop, other.loop) or game.loop is other.loop
    assert game.start == other.start
    assert game.policy == other.policy
    assert game.warnings == other.warnings


def _check_hidden(layer: Layer, hidden: HiddenMoves) -> None:
    edges = np.arange(len(layer.action))
    assert hidden.alike.dtype == np.int64
    assert np.all(hidden.alike <= edges)
    assert np.array_equal(hidden.alike[hidden.alike], hidden.alike)
    x = np.searchsorted(layer.action_ptr, edges, side="right")
    assert np.array_equal(x[hidden.alike], x)
    assert np.all((hidden.change >= 0) & (hidden.change <= 1))
    assert np.allclose(hidden.change.sum(axis=2), 1, atol=1e-12)
    idle = np.flatnonzero(layer.action[:, 0] < 0)
    assert np.array_equal(hidden.alike[idle], idle)
    assert np.all(hidden.change[idle] == np.eye(hidden.change.shape[1]))
