"""What best responses are worth in a game without end in which nothing is private.

While the others play as they do, an actor faces a Markov decision problem. It is solved by policy
iteration (Howard 1960): what a policy is worth follows from linear equations, and the best actions
then make the next policy.
"""

from __future__ import annotations

import numpy as np

from detente.dtypes import Floats, Ints
from detente.solver.period_play import Play

MOST = 100
"""Policies; a few are usual."""

TIE = 1e-12
"""By how much an action must be better than the one before."""

Policy = list[list[Ints]]
"""For each layer and block the position of an own action, int64 [x]."""


def best_worth(play: Play) -> Floats:
    """Values of best responses where a period begins, float64 [x, i]."""
    return np.stack([_best(play, i) for i in range(play.worth.shape[1])], axis=1)


def _best(play: Play, i: int) -> Floats:
    """Those of actor i, float64 [x]."""
    policy = [
        [one.values[:, one.block.own[i]].argmax(axis=1) for one in made] for made in play.layers
    ]
    for _ in range(MOST):
        worths = _worths(play, i, policy)
        better = _improved(play, i, policy, worths)
        if all(
            (a == b).all()
            for new, old in zip(better, policy, strict=True)
            for a, b in zip(new, old, strict=True)
        ):
            break
        policy = better
    return worths[0]


def _worths(play: Play, i: int, policy: Policy) -> list[Floats]:
    """What a policy of actor i is worth before each layer, and where a period begins again,
    discounted: float64 [x] each."""
    pay, go = np.zeros(0), np.zeros((0, 0))
    known: list[tuple[Floats, Floats]] = []
    for made, chosen in zip(reversed(play.layers), reversed(policy), strict=True):
        states = sum(one.block.rows.size for one in made)
        now, then = np.empty(states), np.empty((states, made[0].ahead.shape[2]))
        for one, best in zip(made, chosen, strict=True):
            at = np.arange(best.size), best + one.block.own[i].start
            now[one.block.rows] = one.paid[at]
            then[one.block.rows] = one.ahead[at]
        if known:
            pay, go = now + then @ pay, then @ go
        else:
            pay, go = now, then * play.period.game.discount[i]
        known.append((pay, go))
    first = np.linalg.solve(np.eye(len(go)) - go, pay)
    worths = [pay + go @ first for pay, go in reversed(known)]
    return [*worths, first * play.period.game.discount[i]]


def _improved(play: Play, i: int, policy: Policy, worths: list[Floats]) -> Policy:
    """The best actions where a policy's worth follows."""
    better: Policy = []
    for made, chosen, following in zip(play.layers, policy, worths[1:], strict=True):
        better.append([])
        for one, old in zip(made, chosen, strict=True):
            own = one.block.own[i]
            value = one.paid[:, own] + one.ahead[:, own] @ following
            best, at = value.argmax(axis=1), np.arange(old.size)
            better[-1].append(np.where(value[at, best] > value[at, old] + TIE, best, old))
    return better
