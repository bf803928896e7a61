"""Where an action leads the belief about who took it: the one operation of the core.

After own action a of mover m its belief moves by Bayes' rule, in the grid's coordinates
u'(θ) ∝ u(θ) σ(a|θ). The posterior lies in a cell of Kuhn's triangulation (see
`detente.solver.beliefs`), and is a *lottery* over the cell's vertices: with cumulative coordinates
c(j) = n Σ_{θ ≥ j} u'(θ), j = 1 … K - 1, the first vertex rounds all of them down, and each further
one goes up by 1 in the coordinate that has the largest fractional part left. Weights are
differences of the fractional parts. On a line, K = 2, these are the two ends of a step.

The lottery is used in three ways, at all beliefs y of a state together:

- applied, it interpolates: f(u') = Σ_v weight(v) f(vertex(v)) (values, `stage.add_values`);
- transposed, it moves mass from y to the vertices (`forward`);
- differentiated by log σ(a|φ), of which ∂c(j) = n u'(φ) ([φ ≥ j] - Σ_{θ ≥ j} u'(θ)), it says what
  strategies do to what is believed (`general`, `simplex`, `adjoint`).

Movers are independent, so that a joint action leads to the product of its movers' lotteries:
`corners` says how many vertices that has, and `corner` gives one after the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detente.solver.kernels.jit import device
from detente.solver.kernels.star import StarLayout, subdivide

LEAST = 1e-200  # of the larger of an action's probabilities: the types' ratio must not underflow
LOG_LEAST = -460.51701859880916


class BeliefLayout(NamedTuple):
    """The movers of a turn on the belief grid; nobody for chance.

    lam, n_types, steps
        float64 [m], int64 [m], int64 [m]: precision, number of types, n of the grid (0: nothing
        private).
    shock
        float64 [m]: 1 / λ where choices come from shocks to payoffs, 0 where they are mistakes.
    actor
        int64 [m]: position of each mover among the actors.
    rank
        int64 [m, j, c], see `detente.solver.beliefs.Simplex`.
    jump
        int64 [m]: steps in b from one node of a mover's grid to the next.
    place
        int64 [m, b]: the node of each mover's grid at b.
    node, believed
        float64 [m, θ, b]: its composition there, and the probability of each type.
    base, local
        int64 [o], int64 [l]: node b = base[o] + local[l] is that with the movers' beliefs at l and
        all others' at o.
    outside
        float64 [p, b]: probability of the types of those who do not move, given the movers' types.
    types
        int64 [q, m]: the movers' types in each of their profiles q.
    profile
        int64 [p]: q of each type profile p.
    lift
        float64 [m, q, b]: by how much likelier mover m of its type in q holds the other movers'
        types there than what is believed of each by itself; without movers where that is the same.
    star
        The nodes put into movers' grids; None where there is none.
    best
        The component from which best responses' values stand, c = best + i P + p; 0 for none.
    """

    lam: np.ndarray
    shock: np.ndarray
    n_types: np.ndarray
    steps: np.ndarray
    actor: np.ndarray
    rank: np.ndarray
    jump: np.ndarray
    place: np.ndarray
    node: np.ndarray
    believed: np.ndarray
    base: np.ndarray
    local: np.ndarray
    outside: np.ndarray
    types: np.ndarray
    profile: np.ndarray
    lift: np.ndarray
    star: StarLayout | None
    best: int


class Lottery(NamedTuple):
    """Lotteries of all own actions at nodes y, and scratch.

    vertices
        int64 [m]: K, or 1 where the belief stays.
    vertex, weight
        int64 [m, a, v, y], float64 [m, a, v, y]: steps in b from the node to the vertex, and its
        weight.
    slope
        float64 [m, a, v, φ, y]: derivative of the weight by log σ(a|φ); without vertices where
        it is not asked for.
    share
        float64 [θ, y]: a posterior, first of all only in proportion.
    tail, part, step, order
        float64 [j, y], float64 [j, y], int64 [j, y], int64 [j, y]: by coordinate, the one that
        goes up first in front: c(j) / n, its fractional part, what 1 more of it means for the
        position, and j.
    digit, at, mass
        int64 [m], int64 [y], float64 [y]: the vertex of each mover's cell that is looked at, the
        node it is, in b, and its weight.
    """

    vertices: np.ndarray
    vertex: np.ndarray
    weight: np.ndarray
    slope: np.ndarray
    share: np.ndarray
    tail: np.ndarray
    part: np.ndarray
    step: np.ndarray
    order: np.ndarray
    digit: np.ndarray
    at: np.ndarray
    mass: np.ndarray


def make_lottery(layout: BeliefLayout, most: int, nodes: int, *, slopes: bool = False) -> Lottery:
    """Room for up to `most` own actions at so many nodes.

    Made outside the kernels, as all scratch is: to compile it there would take longer than to
    compile many of them.
    """
    count, n_types = layout.actor.size, int(layout.n_types.max(initial=1))
    informed = bool(np.any(layout.steps > 0))
    cells = (count, most, n_types, nodes if informed else 1)
    rows = (n_types, nodes if informed else 1)
    return Lottery(
        vertices=np.ones(count, np.int64),
        vertex=np.zeros(cells, np.int64),
        weight=np.ones(cells),
        slope=np.zeros((*cells[:3], n_types, nodes) if slopes else (count, most, 0, 0, 0)),
        share=np.zeros(rows),
        tail=np.zeros(rows),
        part=np.zeros(rows),
        step=np.zeros(rows, np.int64),
        order=np.zeros(rows, np.int64),
        digit=np.zeros(count, np.int64),
        at=np.zeros(nodes, np.int64),
        mass=np.ones(nodes),
    )


@device
def bayes(layout, first, nodes, n_actions, play, lottery):
    """The lotteries of all own actions at nodes first …, from strategies play [(m, θ, a), b].

    The belief stays where none of the types that it holds possible takes the action.
    """
    row = 0
    for m in range(layout.actor.shape[0]):
        count, n_types = n_actions[m], layout.n_types[m]
        moves = layout.steps[m] > 0 and count > 1
        lottery.vertices[m] = n_types if moves else 1
        for a in range(count):
            if not moves:
                break
            for theta in range(n_types):
                share, node = lottery.share[theta], layout.node[m, theta][first:]
                chance = play[row + theta * count + a][first:]
                for y in range(nodes):
                    share[y] = node[y] * chance[y]
            locate(layout, m, a, first, nodes, lottery)
        row += n_types * count


@device
def locate(layout, m, a, first, nodes, lottery):
    """The lottery of own action a of mover m, from what the types' posteriors are in proportion
    to (lottery.share), at nodes first …."""
    n_types, steps = layout.n_types[m], layout.steps[m]
    if n_types == 2:
        locate_on_line(layout, m, a, first, nodes, lottery)
        return
    total, vertex, weight = lottery.mass, lottery.vertex[m, a], lottery.weight[m, a]
    for y in range(nodes):
        total[y] = 0.0
    for theta in range(n_types):
        share = lottery.share[theta]
        for y in range(nodes):
            total[y] += share[y]
    for theta in range(n_types):
        share, node = lottery.share[theta], layout.node[m, theta][first:]
        for y in range(nodes):
            share[y] = share[y] / total[y] if total[y] > 0.0 else node[y] / steps
    place = layout.place[m][first:]
    for y in range(nodes):
        vertex[0, y] = -place[y]
        total[y] = 0.0
    for j in range(n_types - 2, -1, -1):
        share, tail = lottery.share[j + 1], lottery.tail[j]
        for y in range(nodes):
            total[y] += share[y]
            tail[y] = total[y]
    for j in range(n_types - 1):
        tail, part, step = lottery.tail[j], lottery.part[j], lottery.step[j]
        rank, order = layout.rank[m, j], lottery.order[j]
        for y in range(nodes):
            c = tail[y] * steps
            whole = max(min(np.int64(c), steps - 1), 0)  # also where c is not a number
            part[y] = min(max(c - whole, 0.0), 1.0)
            low = rank[whole]
            vertex[0, y] += low
            step[y] = rank[whole + 1] - low
            order[y] = j + 1
    sort(n_types - 1, nodes, lottery)
    jump = layout.jump[m]
    for v in range(n_types - 1):
        step, here, there = lottery.step[v], vertex[v], vertex[v + 1]
        for y in range(nodes):
            there[y] = here[y] + step[y]
    for v in range(n_types):
        cell, chance = vertex[v], weight[v]
        before, after = lottery.part[max(v - 1, 0)], lottery.part[min(v, n_types - 2)]
        for y in range(nodes):
            cell[y] *= jump
            more = before[y] if v > 0 else 1.0
            chance[y] = more - (after[y] if v < n_types - 1 else 0.0)
    if lottery.slope.shape[2] > 0:
        differentiate(n_types, steps, nodes, lottery, lottery.slope[m, a])
    subdivide(layout.star, layout, m, a, first, nodes, lottery)


@device
def locate_on_line(layout, m, a, first, nodes, lottery):
    """The same for two types, where nothing is to be sorted."""
    steps, jump = layout.steps[m], np.float64(layout.jump[m])
    low, high, part = lottery.vertex[m, a, 0], lottery.vertex[m, a, 1], lottery.tail[0]
    rest, weight = lottery.weight[m, a, 0], lottery.weight[m, a, 1]
    zero, one, node = lottery.share[0], lottery.share[1], layout.node[m, 1][first:]
    cells = steps - 1.0
    for y in range(nodes):
        total = zero[y] + one[y]
        u = one[y] / total if total > 0.0 else node[y] / steps
        c = u * steps
        whole = np.floor(c)
        whole = whole if whole < cells else cells
        weight[y] = c - whole
        rest[y] = 1.0 - (c - whole)
        one[y] = u
        part[y] = jump * (whole - node[y])
    for y in range(nodes):
        low[y] = np.int64(part[y])
        high[y] = low[y] + layout.jump[m]
    if lottery.slope.shape[2] > 0:
        slope = lottery.slope[m, a]
        for y in range(nodes):
            change = steps * (one[y] * (1.0 - one[y]))
            slope[0, 0, y] = change
            slope[0, 1, y] = -change
            slope[1, 0, y] = -change
            slope[1, 1, y] = change


@device
def sort(count, nodes, lottery):
    """Coordinates by their fractional parts, the largest first; among equals the first coordinate,
    so that the cumulative coordinates of every vertex decrease."""
    for end in range(count - 1, 0, -1):
        for v in range(end):
            part, tail, step, order = lottery.part, lottery.tail, lottery.step, lottery.order
            for y in range(nodes):
                if part[v, y] < part[v + 1, y]:
                    part[v, y], part[v + 1, y] = part[v + 1, y], part[v, y]
                    tail[v, y], tail[v + 1, y] = tail[v + 1, y], tail[v, y]
                    step[v, y], step[v + 1, y] = step[v + 1, y], step[v, y]
                    order[v, y], order[v + 1, y] = order[v + 1, y], order[v, y]


@device
def differentiate(n_types, steps, nodes, lottery, slope):
    """Derivatives of the weights by log σ(a|φ): differences of those of the coordinates."""
    for phi in range(n_types):
        share, start = lottery.share[phi], slope[0, phi]
        for y in range(nodes):
            start[y] = 0.0
        for v in range(n_types - 1):
            tail, order = lottery.tail[v], lottery.order[v]
            here, there = slope[v, phi], slope[v + 1, phi]
            for y in range(nodes):
                inside = 1.0 if phi >= order[y] else 0.0
                change = steps * share[y] * (inside - tail[y])
                there[y] = change
                here[y] -= change


@device
def corners(lottery):
    """The number of nodes to which a joint action leads; `corner` begins with the first."""
    count = 1
    for m in range(lottery.digit.shape[0]):
        count *= lottery.vertices[m]
        lottery.digit[m] = 0
    return count


@device
def corner(lottery, own, first, nodes):
    """The next of the nodes to which own actions [m] lead from first …: lottery.at and .mass."""
    at, mass = lottery.at, lottery.mass
    for y in range(nodes):
        at[y] = first + y
        mass[y] = 1.0
    for m in range(own.shape[0]):
        if lottery.vertices[m] > 1:
            vertex = lottery.vertex[m, own[m], lottery.digit[m]]
            weight = lottery.weight[m, own[m], lottery.digit[m]]
            for y in range(nodes):
                at[y] += vertex[y]
                mass[y] *= weight[y]
    for m in range(own.shape[0]):
        lottery.digit[m] += 1
        if lottery.digit[m] < lottery.vertices[m]:
            return
        lottery.digit[m] = 0
