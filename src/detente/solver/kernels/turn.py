"""What the kernels know of a layer: its arrays, and how the belief grid looks to its movers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device

LEAST = 1e-200  # of the larger of an action's probabilities: the types' ratio must not underflow
LOG_LEAST = -460.51701859880916


class Movers(NamedTuple):
    """Who chooses, the same for all states of a layer.

    lam, n_types, steps
        float64 [m], int64 [m], int64 [m]: precision, number of types, n of the grid (0: nothing
        private).
    node, belief
        int64 [m, g, θ], float64 [m, g, θ]: compositions and beliefs of each mover's nodes.
    rank
        int64 [m, j, c], see `detente.solver.beliefs.Simplex`.
    stride, size
        int64 [m]: of each mover's grid in l, and its number of nodes.
    types
        int64 [q, m]: the movers' types in each of their profiles.
    """

    lam: np.ndarray
    n_types: np.ndarray
    steps: np.ndarray
    node: np.ndarray
    belief: np.ndarray
    rank: np.ndarray
    stride: np.ndarray
    size: np.ndarray
    types: np.ndarray


class BeliefLayout(NamedTuple):
    """A layer's movers on the belief grid.

    movers
        Nobody for chance.
    best
        The component from which best responses' values stand, c = best + i P + p; 0 for none.
    actor
        int64 [m]: position of each mover among the actors.
    base, local
        int64 [o], int64 [l]: node b = base[o] + local[l] is that with the movers' beliefs at l and
        all others' at o.
    outside
        float64 [o, p]: probability of the types of those who do not move.
    profile
        int64 [p]: the movers' profile q in each type profile p.
    members
        int64 [q, r]: the type profiles p of each q.
    """

    movers: Movers
    best: int
    actor: np.ndarray
    base: np.ndarray
    local: np.ndarray
    outside: np.ndarray
    profile: np.ndarray
    members: np.ndarray


class WarmStart(NamedTuple):
    """Where Newton's method begins: with what it found at the same turn a period later.

    That is, for one mover with two types, log-likelihood ratios [a, y]; for any others log odds
    [b, D], from which it begins wherever there are any, certain of the solution or not.

    known, match
        float64, flat, and int64 [x]: those of a period later, from match[x] on; -1 where that state
        or its actions were not there. Empty for nothing known.
    found, place
        float64, flat, and int64 [x]: where to keep those that are found. Empty for nowhere.
    """

    known: np.ndarray
    match: np.ndarray
    found: np.ndarray
    place: np.ndarray


class LayerArrays(NamedTuple):
    """A layer's arrays; see `detente.game.arrays.Layer`. play_ptr is int64 [x + 1]: the strategies
    of x have play_ptr[x + 1] - play_ptr[x] numbers at each node."""

    action_ptr: np.ndarray
    n_actions: np.ndarray
    trans_ptr: np.ndarray
    succ: np.ndarray
    prob: np.ndarray
    reward: np.ndarray
    play_ptr: np.ndarray


@device
def look_ahead(part, best, e, next_values, target):
    """Expected next values after joint action e at every posterior, plus its reward: [b, c]."""
    beliefs = target.shape[0]
    components = part.reward.shape[1]
    begin, end = part.trans_ptr[e], part.trans_ptr[e + 1]
    chance, flat = part.prob[begin], target.reshape(-1)
    first = next_values[part.succ[begin]].reshape(-1)
    for r in range(flat.shape[0]):
        flat[r] = chance * first[r]
    for k in range(begin + 1, end):
        chance, more = part.prob[k], next_values[part.succ[k]].reshape(-1)
        for r in range(flat.shape[0]):
            flat[r] += chance * more[r]
    n_unknowns = True
    for c in range(components):
        n_unknowns = n_unknowns and part.reward[e, c] == 0.0
    if not n_unknowns:
        # Best responses pay the same; what is observed on top of payoffs pays nothing.
        for b in range(beliefs):
            for c in range(components):
                target[b, c] += part.reward[e, c]
            if best > 0:
                for c in range(components):
                    target[b, best + c] += part.reward[e, c]
