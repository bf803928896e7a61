"""Turns at which nothing is learnt: of chance, and of one mover with nothing private.

Values have a closed form, the logit at each node of the belief about others by itself. Letters and
scratch as in `two_type_layer`.
"""

from __future__ import annotations

from detente.solver.kernels.elementary import exp
from detente.solver.kernels.jit import inline, kernel
from detente.solver.kernels.turn import look_ahead
from detente.solver.kernels.two_type_layer import update_lines, weigh
from detente.solver.kernels.two_type_newton import TOP_0, TOTAL_0


@kernel
def sweep_plain(first, last, part, turn, next_values, lines, continuation, best, values, sigma):
    """The states first … last - 1 of a turn. As `two_type_layer.sweep_lines`."""
    beliefs = next_values.shape[1]
    for x in range(first, last):
        begin = part.action_ptr[x]
        count = part.action_ptr[x + 1] - begin
        play = sigma[beliefs * part.play_ptr[x] : beliefs * part.play_ptr[x + 1]]
        if count == 1:
            look_ahead(part, turn.best, begin, next_values, values[x])
            play[:] = 1.0
            continue
        for a in range(count):
            look_ahead(part, turn.best, begin + a, next_values, continuation[a])
        weigh(turn, continuation, count, lines)
        logit(turn.movers.lam[0], count, lines)
        update_lines(turn, lines, continuation, count, best, values[x], play)


@inline
def logit(lam, count, lines):
    """σ(a) ∝ exp(λ Q(a)) at all nodes, into lines.play."""
    top, total = lines.sums[TOP_0], lines.sums[TOTAL_0]
    value = lines.own[0, 0]
    for y in range(top.shape[0]):
        top[y] = value[y]
        total[y] = 0.0
    for a in range(1, count):
        value = lines.own[a, 0]
        for y in range(top.shape[0]):
            top[y] = max(top[y], value[y])
    for a in range(count):
        value, play = lines.own[a, 0], lines.play[0, a]
        for y in range(top.shape[0]):
            play[y] = exp(lam * (value[y] - top[y]))
            total[y] += play[y]
    for a in range(count):
        play = lines.play[0, a]
        for y in range(top.shape[0]):
            play[y] /= total[y]
