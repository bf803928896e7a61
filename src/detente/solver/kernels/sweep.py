"""The backward sweep: one layer's strategies and values from the next layer's values.

Values have components c = (i, p), what actor i gets when the true types are p; with regret, C
more: what i would get by its best response (Bellman 1957) while all others play σ.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.jit import kernel
from detente.solver.kernels.stage import ROWS, locate, logit, posterior, solve_line


@kernel
def sweep(
    first,
    last,
    action_ptr,
    trans_ptr,
    succ,
    prob,
    reward,
    following,
    lam,
    nodes,
    split,
    stride,
    others,
    own_type,
    mover,
    components,
    values,
    sigma,
    counts,
):
    """Solve the states first … last - 1 of a layer with one mover or none.

    following
        float64 [x', b, c]: values of the next layer (c over `components`, or twice as many).
    nodes, split, stride
        The mover's grid and its step in b; `[1.0]`, 0 and 1 where the mover is not informed.
    others
        float64 [o, p]: probability of the other actors' types; o as in `BeliefGrid.others`.
    own_type
        int64 [p]: the mover's type in each profile.
    mover
        Position of the actor; -1 for chance.
    values
        Out, float64 [x, b, c].
    sigma
        Out, float64, flat: that of x starts at B K action_ptr[x], ordered [b, θ, a]; left alone
        for chance.
    counts
        Added to, int64 [4]: see `solve_line`.
    """
    beliefs, width = following.shape[1], following.shape[2]
    grid = nodes.shape[0]
    types = 2 if grid > 1 else 1
    profiles = own_type.shape[0]
    most = 1
    for x in range(first, last):
        most = max(most, action_ptr[x + 1] - action_ptr[x])
    # One spare node, so that the line of an uninformed mover has a cell.
    ahead = np.zeros((most, grid + 1, width))
    paid = np.zeros((most, width))
    mine = np.zeros((most, types, grid))
    play = np.ones((grid, types, most))
    top = np.zeros(types)
    share = np.zeros(width)
    between = np.zeros(width)
    best = np.zeros(profiles)
    work = np.zeros((ROWS, most + 1))
    matrix = np.zeros((most + 1, most + 2))
    point = np.zeros((3, most + 1))
    type_of = np.empty(width, dtype=np.int64)
    for c in range(width):
        type_of[c] = own_type[c % profiles]
    best_from = components + mover * profiles if width > components else width
    best_to = best_from + profiles if width > components else width

    for x in range(first, last):
        begin = action_ptr[x]
        count = action_ptr[x + 1] - begin
        offset = beliefs * types * begin
        for a in range(count):
            for c in range(width):
                paid[a, c] = reward[begin + a, c % components]
        for o in range(beliefs // grid):
            base = (o // stride) * stride * grid + o % stride
            for a in range(count):
                cost = paid[a]
                for g in range(grid):
                    target = ahead[a, g]
                    for c in range(width):
                        target[c] = cost[c]
                for k in range(trans_ptr[begin + a], trans_ptr[begin + a + 1]):
                    chance = prob[k]
                    for g in range(grid):
                        target = ahead[a, g]
                        source = following[succ[k], base + g * stride]
                        for c in range(width):
                            target[c] += chance * source[c]
            if count == 1:
                for g in range(grid):
                    node = base + g * stride
                    if mover >= 0:
                        for theta in range(types):
                            sigma[offset + node * types + theta] = 1.0
                    for c in range(width):
                        values[x, node, c] = ahead[0, g, c]
                continue
            for a in range(count):
                for theta in range(types):
                    for g in range(grid):
                        mine[a, theta, g] = 0.0
                for p in range(profiles):
                    weight = others[o, p]
                    for g in range(grid):
                        mine[a, own_type[p], g] += weight * ahead[a, g, mover * profiles + p]
            if types == 1:
                logit(lam, mine[:, 0, 0], count, play[0, 0])
            else:
                solve_line(
                    lam, mine[:count], count, nodes, split, play, work, matrix, point, counts
                )
            for g in range(grid):
                node = base + g * stride
                for theta in range(types):
                    for a in range(count):
                        sigma[offset + (node * types + theta) * count + a] = play[g, theta, a]
                row = values[x, node]
                row[:] = 0.0
                for theta in range(types):
                    top[theta] = -np.inf
                for a in range(count):
                    post = posterior(nodes[g], play[g, 0, a], play[g, types - 1, a])
                    j, f = locate(post, nodes, split)
                    low, high = ahead[a, j], ahead[a, j + 1]
                    for c in range(width):
                        share[c] = play[g, type_of[c], a]
                    for c in range(width):
                        between[c] = low[c] + f * (high[c] - low[c])
                        row[c] += share[c] * between[c]
                    # The best responder looks for its best action at the same posteriors.
                    for theta in range(types):
                        gain = 0.0
                        for c in range(best_from, best_to):
                            if type_of[c] == theta:
                                gain += others[o, c - best_from] * between[c]
                        if gain > top[theta]:
                            top[theta] = gain
                            for c in range(best_from, best_to):
                                if type_of[c] == theta:
                                    best[c - best_from] = between[c]
                for c in range(best_from, best_to):
                    row[c] = best[c - best_from]
