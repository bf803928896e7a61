"""What the actors of a table have got: in truth, and as far as one of them can know it.

What an actor is paid may depend on the types of others and on what they did unseen, which it does
not know. It is then told what is to be expected of it, by somebody who knows its own types and what
it did itself, and of others what all have seen. With w the probability of the types at present, all
histories considered, and g that times the payoff so far expected with them, a turn in which actor j
does what looks like `a` makes of them

    w'(θ'_j) = Σ Σ σ_j(a | θ_j) P(θ'_j | θ_j, a) w(θ_j)
    g'(θ'_j) = Σ Σ σ_j(a | θ_j) P(θ'_j | θ_j, a) (g(θ_j) + w(θ_j) r(a, θ_j))

summed over types before it and all actions that look alike; r is what is paid for them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from detente.dtypes import Floats
from detente.workbench.play.board import Board
from detente.workbench.play.table import Table, Turn


def payoffs(board: Board, table: Table) -> Floats:
    """What each actor has got so far, discounted to the start: float64 [i]."""
    game = board.game
    total = np.zeros(len(game.priors))
    for turn in table.turns:
        discount = game.discount ** (turn.at.t - 1)
        before, after = board.profile(turn.types), board.profile(turn.turned)
        reward = game.layers[turn.at.n].reward[board.joint(turn.at, turn.own)]
        total += discount * _by_actor(board, reward)[:, before]
        for paid in _at_end(board, turn):
            total += discount * paid[:, after]
    for last in _in_the_end(board, table):
        types = table.turns[-1].turned
        total += game.discount**game.periods * last[:, board.profile(types)]
    return total


def expected_payoff(board: Board, table: Table, actor: int) -> float:
    """What an actor has got so far, as far as it can know it."""
    game = board.game
    types = tuple(prior.size for prior in game.priors)
    weights = np.array(game.profile_prior()).reshape(types)
    weights = _alone(weights, actor, table.seats[actor].theta)
    paid = np.zeros_like(weights)
    for turn in table.turns:
        discount = game.discount[actor] ** (turn.at.t - 1)
        weights, paid = _moved(board, turn, actor, weights, paid)
        for flow in _at_end(board, turn):
            paid += discount * weights * flow[actor].reshape(types)
        paid, weights = paid / weights.sum(), weights / weights.sum()
    for last in _in_the_end(board, table):
        paid += game.discount[actor] ** game.periods * weights * last[actor].reshape(types)
    return float(paid.sum() / weights.sum())


def _moved(
    board: Board, turn: Turn, actor: int, weights: Floats, paid: Floats
) -> tuple[Floats, Floats]:
    """Probabilities of types, and with them what has been paid, after what one knows of a turn."""
    layer, at = board.game.layers[turn.at.n], turn.at
    discount = board.game.discount[actor] ** (at.t - 1)

    def rewarded(own: tuple[int, ...]) -> Floats:
        reward = _by_actor(board, layer.reward[board.joint(at, own)])[actor]
        return np.asarray(paid + discount * weights * reward.reshape(weights.shape))

    if layer.hidden is not None and layer.movers[0] != actor:
        j, sigma = layer.movers[0], board.strategy(at, 0)
        moved, earned = np.zeros_like(weights), np.zeros_like(weights)
        for own in board.alike(at, turn.own[0]).tolist():
            unseen = board.unseen(at, own)
            assert unseen is not None
            does = sigma[:, own, None] * unseen
            moved += _along(weights, j, does)
            earned += _along(rewarded((own,)), j, does)
        return moved, earned
    paid = rewarded(turn.own)
    for j, told in board.told(at, turn.own, turn.after).items():
        if j != actor and np.any(weights.sum(axis=tuple(set(range(weights.ndim)) - {j})) @ told):
            weights, paid = _along(weights, j, told), _along(paid, j, told)
    if turn.types[actor] != turn.turned[actor]:
        before, after = turn.types[actor], turn.turned[actor]
        step = np.zeros((weights.shape[actor],) * 2)
        step[before, after] = 1.0
        weights, paid = _along(weights, actor, step), _along(paid, actor, step)
    return weights, paid


def _along(numbers: Floats, axis: int, matrix: Floats) -> Floats:
    """Numbers by types, moved along those of one actor by a matrix [θ, θ']."""
    return np.asarray(np.moveaxis(np.tensordot(numbers, matrix, axes=(axis, 0)), -1, axis))


def _alone(weights: Floats, axis: int, theta: int) -> Floats:
    """Probabilities of types, given that of one actor."""
    step = np.zeros((weights.shape[axis],) * 2)
    step[theta, theta] = 1.0
    return _along(weights, axis, step)


def _at_end(board: Board, turn: Turn) -> Iterator[Floats]:
    """What is paid at the end of a period, where the turn ends one: float64 [i, p]."""
    game = board.game
    if game.ends_period[turn.at.n]:
        flow = game.flow[0 if game.loop is not None else turn.at.t - 1]
        yield _by_actor(board, flow[turn.after])


def _in_the_end(board: Board, table: Table) -> Iterator[Floats]:
    """What is paid in the end, where this has come: float64 [i, p]."""
    if board.game.loop is None and len(table.turns) == len(board.moves):
        yield _by_actor(board, board.game.terminal[table.turns[-1].after])


def _by_actor(board: Board, components: Floats) -> Floats:
    """Components c of a payoff as float64 [i, p]."""
    return components.reshape(len(board.game.priors), -1)
