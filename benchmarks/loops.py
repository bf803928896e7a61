"""Compiled loops that are timed: the kernels of a turn by themselves, and parts of their work.

The turn is that of one mover with two types and the same number of actions at all states, with
nothing to be known about others: nodes y of a state are the nodes of the mover's belief. `ahead` is
float64 [x, a, b, c], what follows an action; `own` is float64 [x, a, θ, y], what the mover expects.
"""

from __future__ import annotations

import numpy as np

from detente.solver.kernels.elementary import exp, log
from detente.solver.kernels.jit import kernel
from detente.solver.kernels.turn import look_ahead
from detente.solver.kernels.two_type_layer import solve_lines, update_lines, weigh
from detente.solver.kernels.two_type_newton import LOST, MAX_NEWTON, OPEN, is_unique, newton_lines


@kernel
def look(part, following, ahead):
    """Read what follows each action: the first step of a sweep."""
    for x in range(ahead.shape[0]):
        for a in range(ahead.shape[1]):
            look_ahead(part, 0, part.action_ptr[x] + a, following, ahead[x, a])


@kernel
def solve_states(turn, ahead, guess, counts, lines):
    """The stage problems of all states, from what follows; nodes to be traced are left."""
    for x in range(ahead.shape[0]):
        solve_lines(turn, lines, ahead[x], ahead.shape[1], guess, x, False, counts)


@kernel
def update_states(turn, ahead, values, sigma, lines):
    """Values and strategies of all states, as if some solution had been found: the last step."""
    count, nodes = ahead.shape[1], ahead.shape[2]
    lines.play[:] = 1.0 / count
    lines.share[:] = 0.5
    for a in range(count):
        for y in range(nodes):
            lines.inside[a, y] = (y + a) % (nodes - 1)
    best = np.zeros((count, turn.profile.shape[0]))
    size = sigma.shape[0] // ahead.shape[0]
    for x in range(ahead.shape[0]):
        play = sigma[x * size : (x + 1) * size]
        update_lines(turn, lines, ahead[x], count, best, values[x], play)


@kernel
def expect(turn, ahead, own, lines):
    """What the mover expects, and whether each state is certain to have one solution."""
    count, nodes = ahead.shape[1], ahead.shape[2]
    certain = np.zeros(ahead.shape[0], dtype=np.bool_)
    for x in range(ahead.shape[0]):
        weigh(turn, ahead[x], count, lines)
        own[x] = lines.own
        certain[x] = is_unique(turn.movers.lam[0], lines.own, count, 0, nodes - 1)
    return certain


@kernel
def newton_states(turn, own, which, known, most, found, lines):
    """Newton's method at some states; gives at how many it needed each number of evaluations.

    known, found
        float64 [x, a, y]: where it begins, and what it finds.
    most
        Steps, as `newton_lines` takes them; negative: as few as are needed, which are tried out.
    """
    count, nodes = own.shape[1], own.shape[3]
    sums, ell = lines.sums, lines.ell
    needed = np.zeros(MAX_NEWTON + 2, dtype=np.int64)
    sums[LOST] = 0.0
    for x in which:
        low, high = (most, most) if most >= 0 else (0, MAX_NEWTON)
        for steps in range(low, high + 1):
            ell[:] = known[x]
            newton_lines(
                turn.movers.lam[0],
                nodes - 1,
                own[x],
                count,
                nodes,
                lines.rho,
                lines.line,
                ell,
                lines.lines,
                lines.cell,
                sums,
                steps,
            )
            if sums[OPEN].sum() == 0.0:
                needed[steps + 1] += 1
                break
        found[x] = ell
    return needed


@kernel
def exponentials(source, target, times):
    """`times` times the exponentials of an array [r, y], each time of slightly other numbers."""
    for t in range(times):
        shift = t * 1e-9
        for r in range(source.shape[0]):
            numbers, out = source[r], target[r]
            for y in range(numbers.shape[0]):
                out[y] = exp(numbers[y] + shift)


@kernel
def logarithms(source, target, times):
    """The same with logarithms."""
    for t in range(times):
        shift = t * 1e-9
        for r in range(source.shape[0]):
            numbers, out = source[r], target[r]
            for y in range(numbers.shape[0]):
                out[y] = log(numbers[y] + shift)


@kernel
def gathers(table, cell, low, high, times):
    """Reads of table [s, r, y] at the cells [r, y] and at those after them, `times` times."""
    for t in range(times):
        values = table[t % table.shape[0]]
        for r in range(cell.shape[0]):
            row, where, first, second = values[r], cell[r], low[r], high[r]
            for y in range(where.shape[0]):
                k = np.uint64(where[y])
                first[y] = row[k]
                second[y] = row[k + np.uint64(1)]


@kernel
def copy(source, target):
    """Reads and writes memory."""
    for k in range(source.shape[0]):
        target[k] = source[k]
