"""Turns at which a mover's types act alike.

Where every action is worth as much more than another to one type of a mover as to any other,
whatever the others do and believe, the types act alike at every λ when nothing is learnt of it: the
principal branch, on which all types begin alike, stays where the mover's posterior is its prior. A
node of the grid is a kink, so that the branch would run along a kink all the way. There the
Jacobian is that of one side or of the other as rounding has it, and a tracer loses its way; so
such a mover's posterior is held where it is. Other branches may leave this one: on either side of
the kink, where types part by as little as can be, the determinant tells whether they have.

Where the prior is a joint one, types of a mover expect different types of the others. Then types
act alike where what actions gain depends on no mover's type, and that is so for all movers.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.elementary import eliminate
from detente.solver.kernels.general import differentiate, respond
from detente.solver.kernels.jit import device
from detente.solver.kernels.stage import FAILED, FORKED

ALIKE = 1e-11  # difference of λ Q, as a share where it is above 1, that is rounding
APART = 1e-7  # log odds by which types part on either side of the kink


@device
def find_pooled(layout, stage, payoff):
    """Set stage.pooled at the present node; gives whether there is any such mover."""
    found, apart, actions, types = False, False, np.int64(1), np.int64(1)
    for m in range(stage.n_actions.shape[0] - 1, -1, -1):
        stage.pooled[m] = 0
        moves = layout.steps[m] > 0 and stage.n_actions[m] > 1
        if stage.hidden.ratio.shape[0] > 0:
            moves = moves and stage.hidden.keeps[0] == 1
        if moves and gain_alike(layout, stage, payoff, m, actions, types):
            stage.pooled[m] = 1
            found = True
        elif moves:
            apart = True
        actions *= stage.n_actions[m]
        types *= layout.n_types[m]
    if apart and layout.lift.shape[0] > 0:
        stage.pooled[:] = 0
        return False
    return found


@device
def gain_alike(layout, stage, payoff, m, actions, types):
    """Whether all types of mover m gain alike from each action, at all beliefs about the others.

    Its own action is e // actions, its type q // types, each modulo how many it has.
    """
    b, combined, joint, base = stage.node[0], layout.types.shape[0], np.int64(1), stage.node[0]
    for j in range(stage.n_actions.shape[0]):
        joint *= stage.n_actions[j]
        base -= layout.place[j, b] * layout.jump[j]
    usual, lifted = first_type(layout, stage, m), layout.lift.shape[0] > 0
    for g in range(layout.local.shape[0]):
        at = base + layout.local[g]
        if layout.place[m, at] != layout.place[m, b]:
            continue
        for e in range(joint):
            calm = e - stage.own[e, m] * actions
            for q in range(combined):
                theta = layout.types[q, m]
                if layout.node[m, theta, b] == 0.0:
                    continue
                row = m * combined + q
                other = m * combined if lifted else row - (theta - usual) * types
                gain = payoff[e, row, at] - payoff[calm, row, at]
                apart = gain - (payoff[e, other, at] - payoff[calm, other, at])
                size = max(abs(payoff[e, row, at]), abs(payoff[e, other, at]))
                # Written so that what is not a number is not alike.
                if not layout.lam[m] * abs(apart) <= ALIKE * max(1.0, layout.lam[m] * size):
                    return False
    return True


@device
def first_type(layout, stage, m):
    """The first type that is possible at the present node of mover m, who has several."""
    theta = 0
    while layout.node[m, theta, stage.node[0]] == 0.0:
        theta += 1
    return theta


@device
def part_types(layout, stage, payoff, n_unknowns, method):
    """How a branch was found on which movers pool, with other branches that leave it as the types
    part in one action. The solution is left in the stage: there types act alike to the last digit.
    """
    solution, unlike, most = stage.point[0], stage.point[1], 0
    for m in range(stage.n_actions.shape[0]):
        odds = stage.n_actions[m] - 1
        usual = stage.unknown[m]
        if stage.pooled[m] == 1:  # of others there may be no type that has a probability
            usual += first_type(layout, stage, m) * odds
        most = max(most, odds + 1)
        for theta in range(layout.n_types[m]):
            here = stage.unknown[m] + theta * odds
            alike = stage.pooled[m] == 1 and layout.node[m, theta, stage.node[0]] > 0.0
            for a in range(odds):
                solution[here + a] = stage.y[usual + a] if alike else stage.y[here + a]
                unlike[here + a] = APART * theta if alike else 0.0
    stage.pooled[:] = 0
    for side in range(2 * most if method != FAILED else 0):
        direction, action = 1.0 - 2.0 * (side % 2), side // 2
        for m in range(stage.n_actions.shape[0]):
            odds = stage.n_actions[m] - 1
            for r in range(layout.n_types[m] * odds):
                here = stage.unknown[m] + r
                # Less of action 0 is more of all others, against which log odds are.
                change = 1.0 if r % odds + 1 == action else -1.0 if action == 0 else 0.0
                stage.y[here] = solution[here] + direction * change * unlike[here]
        respond(layout, stage, payoff, 1.0)
        differentiate(layout, stage, 1.0, n_unknowns, stage.matrix)
        if eliminate(stage.matrix, n_unknowns, n_unknowns + 1) < 0.0:
            method = max(method, FORKED)
    for r in range(n_unknowns):
        stage.y[r] = solution[r]
    respond(layout, stage, payoff, 1.0)
    return method
