"""The stage of one turn at one state: strategies, and the cells of the beliefs they lead to.

The letters of `detente.game.arrays`, and: N numbers (m, θ, a), D numbers (m, θ, a ≥ 1), q the
profiles of the movers' types, l the nodes of the product of the movers' grids, v the vertices of a
cell of Kuhn's triangulation (see `detente.solver.beliefs`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device, inlined
from detente.solver.kernels.turn import LOG_LEAST, Movers


class Stage(NamedTuple):
    """Scratch of one state's stage problems, and the answer at the node solved last.

    n_actions, first, n_unknowns, own
        int64 [m], [m], [m], [e, m]: own actions, where a mover's block begins in N and in D, and
        the own actions of each joint action.
    at
        int64 [m]: the node of each mover's belief.
    y, log, play, value
        float64 [D], [N], [N], [N]: unknowns, log σ, σ and Q.
    cross
        float64 [N, N]: ∂Q / ∂ log σ.
    vertices, vertex, weight, slope
        int64 [m], int64 [m, a, v], float64 [m, a, v], float64 [m, a, v, φ]: the cell that own
        action a leads to, as steps in l, its weights, and their derivatives by log σ(a|φ).
    residual, matrix, tangent, point
        float64 [D + 1], [D + 1, D + 2], [D + 1], [5, D + 1].
    mean, rise
        float64 [m, q], [j, φ, m, q]: scratch of `evaluate`.
    digit
        int64 [m]: the vertex of each mover's cell that is looked at.
    kept, gain, chance, worth, rate
        int64 [m], float64 [N], [c], [c], [N]: scratch of the adjoint.
    share, order, whole, part
        float64 [θ], int64 [j], int64 [j], float64 [j]: scratch of `locate`: a belief in the grid's
        coordinates; the coordinate c that grows by 1 from vertex to vertex; whole and fractional
        parts of c.
    """

    n_actions: np.ndarray
    first: np.ndarray
    n_unknowns: np.ndarray
    own: np.ndarray
    at: np.ndarray
    y: np.ndarray
    log: np.ndarray
    play: np.ndarray
    value: np.ndarray
    cross: np.ndarray
    vertices: np.ndarray
    vertex: np.ndarray
    weight: np.ndarray
    slope: np.ndarray
    residual: np.ndarray
    matrix: np.ndarray
    tangent: np.ndarray
    point: np.ndarray
    mean: np.ndarray
    rise: np.ndarray
    digit: np.ndarray
    kept: np.ndarray
    gain: np.ndarray
    chance: np.ndarray
    worth: np.ndarray
    rate: np.ndarray
    share: np.ndarray
    order: np.ndarray
    whole: np.ndarray
    part: np.ndarray


def make_stage(movers: Movers, most: int, joint: int, width: int) -> Stage:
    """Scratch for up to `most` own actions of a mover, `joint` joint actions, and so many p.

    Made outside the kernels, as all scratch is: to compile it there would take longer than to
    compile many of them.
    """
    count = movers.n_types.shape[0]
    n_types = int(movers.n_types.max(initial=1))
    blocks = int(movers.n_types.sum()) * most
    whole = np.int64
    return Stage(
        n_actions=np.ones(count, whole),
        first=np.zeros(count, whole),
        n_unknowns=np.zeros(count, whole),
        own=np.zeros((joint, count), whole),
        at=np.zeros(count, whole),
        y=np.zeros(blocks),
        log=np.zeros(blocks),
        play=np.zeros(blocks),
        value=np.zeros(blocks),
        cross=np.zeros((blocks, blocks)),
        vertices=np.ones(count, whole),
        vertex=np.zeros((count, most, n_types), whole),
        weight=np.zeros((count, most, n_types)),
        slope=np.zeros((count, most, n_types, n_types)),
        residual=np.zeros(blocks + 1),
        matrix=np.zeros((blocks + 1, blocks + 2)),
        tangent=np.zeros(blocks + 1),
        point=np.zeros((5, blocks + 1)),
        mean=np.zeros((count, movers.types.shape[0])),
        rise=np.zeros((count, n_types, count, movers.types.shape[0])),
        digit=np.zeros(count, whole),
        kept=np.zeros(count, whole),
        gain=np.zeros(blocks),
        chance=np.zeros(width),
        worth=np.zeros(width),
        rate=np.zeros(blocks),
        share=np.zeros(n_types),
        order=np.zeros(n_types, whole),
        whole=np.zeros(n_types, whole),
        part=np.zeros(n_types),
    )


@device
def enter_state(movers, stage, n_actions):
    """Set the stage for a state with so many own actions; gives D."""
    count = n_actions.shape[0]
    blocks, n_unknowns, joint = 0, 0, 1
    for m in range(count):
        stage.n_actions[m] = n_actions[m]
        stage.first[m] = blocks
        stage.n_unknowns[m] = n_unknowns
        blocks += movers.n_types[m] * n_actions[m]
        n_unknowns += movers.n_types[m] * (n_actions[m] - 1)
        joint *= n_actions[m]
    for e in range(joint):
        rest = e
        for m in range(count - 1, -1, -1):
            stage.own[e, m] = rest % n_actions[m]
            rest //= n_actions[m]
    return n_unknowns


@device
def enter_node(movers, stage, node):
    """Set the stage at node l of the movers' grids."""
    for m in range(movers.n_types.shape[0]):
        stage.at[m] = node // movers.stride[m] % movers.size[m]


@device
def restart(stage, n_unknowns, start):
    """The log odds from which Newton's method begins: `start`, or 0 where there is none."""
    for r in range(n_unknowns):
        stage.y[r] = start[r] if start.shape[0] > 0 else 0.0


@device
def choose(movers, stage):
    """log σ and σ of all types from the log odds y."""
    for m in range(movers.n_types.shape[0]):
        count = stage.n_actions[m]
        for theta in range(movers.n_types[m]):
            begin = stage.first[m] + theta * count
            odds = stage.n_unknowns[m] + theta * (count - 1)
            top, total = 0.0, 0.0
            for a in range(count - 1):
                top = max(top, stage.y[odds + a])
            for a in range(count):
                value = stage.y[odds + a - 1] if a > 0 else 0.0
                stage.log[begin + a] = value - top
                total += math.exp(value - top)
            total = math.log(total)
            for a in range(count):
                stage.log[begin + a] -= total
                stage.play[begin + a] = math.exp(stage.log[begin + a])


@device
def update_beliefs(movers, stage):
    """The cell of each mover's belief after each of its own actions, by Bayes' rule from log σ,
    and its derivatives."""
    for m in range(movers.n_types.shape[0]):
        count, n_types, steps = stage.n_actions[m], movers.n_types[m], movers.steps[m]
        here = stage.at[m]
        if steps == 0 or count == 1:
            stay(movers, stage, m)
            continue
        stage.vertices[m] = n_types
        for a in range(count):
            top = -math.inf
            for theta in range(n_types):
                if movers.node[m, here, theta] > 0:
                    top = max(top, stage.log[stage.first[m] + theta * count + a])
            total = 0.0
            for theta in range(n_types):
                share = 0.0
                if movers.node[m, here, theta] > 0:
                    log = stage.log[stage.first[m] + theta * count + a]
                    share = movers.node[m, here, theta] * math.exp(log - top)
                stage.share[theta] = share
                total += share
            for theta in range(n_types):
                stage.share[theta] /= total
            locate(movers, stage, m, a)
            # ∂c(j)/∂ log σ(a|φ) = n u(φ) ([φ ≥ j] - Σ_{θ ≥ j} u(θ)), and weights are differences.
            for phi in range(n_types):
                before = 0.0
                for v in range(n_types - 1):
                    j = stage.order[v] + 1
                    tail = 0.0
                    for theta in range(j, n_types):
                        tail += stage.share[theta]
                    inside = 1.0 if phi >= j else 0.0
                    change = steps * stage.share[phi] * (inside - tail)
                    stage.slope[m, a, v, phi] = before - change
                    before = change
                stage.slope[m, a, n_types - 1, phi] = before


@device
def see(movers, stage, sigma, offset):
    """σ from strategies [(m, θ, a)] that stand at `offset`, and the cells they lead to.

    The belief stays where none of the types that it holds possible takes the action.
    """
    for m in range(movers.n_types.shape[0]):
        count, n_types, here = stage.n_actions[m], movers.n_types[m], stage.at[m]
        first = stage.first[m]
        for r in range(first, first + n_types * count):
            stage.play[r] = sigma[offset + r]
        if movers.steps[m] == 0 or count == 1:
            stay(movers, stage, m)
            continue
        stage.vertices[m] = n_types
        for a in range(count):
            total = 0.0
            for theta in range(n_types):
                stage.share[theta] = (
                    movers.node[m, here, theta] * stage.play[first + theta * count + a]
                )
                total += stage.share[theta]
            for theta in range(n_types):
                if total > 0.0:
                    stage.share[theta] /= total
                else:
                    stage.share[theta] = movers.node[m, here, theta] / movers.steps[m]
            locate(movers, stage, m, a)


@inlined
def stay(movers, stage, m):
    """The belief about mover m does not move: its one vertex is the node it is at."""
    stage.vertices[m] = 1
    for a in range(stage.n_actions[m]):
        stage.vertex[m, a, 0] = stage.at[m] * movers.stride[m]
        stage.weight[m, a, 0] = 1.0


@inlined
def locate(movers, stage, m, a):
    """The cell of the belief stage.share about mover m, for its own action a."""
    steps, last = movers.steps[m], movers.n_types[m] - 1
    tail = 0.0
    for j in range(last - 1, -1, -1):
        tail += stage.share[j + 1]
        c = tail * steps
        stage.whole[j] = min(np.int64(c), steps - 1)
        stage.part[j] = min(max(c - stage.whole[j], 0.0), 1.0)
    # Largest fraction first; among equals the first coordinate, so that c(j) stays decreasing.
    at = 0
    for j in range(last):
        at += movers.rank[m, j, stage.whole[j]]
        k = j
        while k > 0 and stage.part[stage.order[k - 1]] < stage.part[j]:
            stage.order[k] = stage.order[k - 1]
            k -= 1
        stage.order[k] = j
    stage.vertex[m, a, 0] = at * movers.stride[m]
    before = 1.0
    for v in range(last):
        j = stage.order[v]
        at += movers.rank[m, j, stage.whole[j] + 1] - movers.rank[m, j, stage.whole[j]]
        stage.vertex[m, a, v + 1] = at * movers.stride[m]
        stage.weight[m, a, v] = before - stage.part[j]
        before = stage.part[j]
    stage.weight[m, a, last] = before


@inlined
def advance(stage):
    """The next combination of vertices, the first mover's changing fastest."""
    for m in range(stage.digit.shape[0]):
        stage.digit[m] += 1
        if stage.digit[m] < stage.vertices[m]:
            return
        stage.digit[m] = 0


@device
def keep_play(movers, stage, play):
    """Strategies at a node, [(m, θ, a)], so that ratios between types survive underflow."""
    for m in range(movers.n_types.shape[0]):
        count, first = stage.n_actions[m], stage.first[m]
        for a in range(count):
            top = -math.inf
            for theta in range(movers.n_types[m]):
                top = max(top, stage.log[first + theta * count + a])
            lift = max(top, LOG_LEAST) - top
            for theta in range(movers.n_types[m]):
                play[first + theta * count + a] = math.exp(
                    stage.log[first + theta * count + a] + lift
                )


@inlined
def reach(movers, stage):
    """The number of nodes to which a joint action leads from here; begins with the first."""
    combinations = 1
    for m in range(movers.n_types.shape[0]):
        combinations *= stage.vertices[m]
        stage.digit[m] = 0
    return combinations


@inlined
def combine(stage, e):
    """The next of the nodes to which joint action e leads, as l, and its weight."""
    node, weight = 0, 1.0
    for m in range(stage.digit.shape[0]):
        node += stage.vertex[m, stage.own[e, m], stage.digit[m]]
        weight *= stage.weight[m, stage.own[e, m], stage.digit[m]]
    advance(stage)
    return node, weight
