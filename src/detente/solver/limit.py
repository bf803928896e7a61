"""`precision: limit`: the principal branch followed in precision, as far as it goes.

The precision of the actors that ask for the limit is doubled until what a best response would
add has become small, or until the branch is lost at some turn; then the last doubling is halved a
few times. At each precision the game is solved anew, every stage problem from precision 0: no
solve inherits another's mistakes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import numpy as np

from detente.game.arrays import CompiledGame
from detente.solver.solution import Solution, Status
from detente.solver.workers import Progress, TimeUpError

ENOUGH = 1e-4
"""Regret, as a share of the range of payoffs, at which the limit counts as reached."""

FEWEST = 10
"""Doublings that are always made: at lower precisions regret can be small by accident."""

DOUBLINGS = 24
"""Of the precision, from one at which an actor hardly tells payoffs apart."""

HALVINGS = 3
"""Of the last doubling, once the branch is lost."""


class SolveAt(Protocol):
    """Solves the game with the precisions that it is given."""

    def __call__(self, game: CompiledGame, *, report: Progress, coarse: bool) -> Solution: ...


def follow_limit(
    game: CompiledGame, solve_at: SolveAt, coarse: bool, progress: Progress
) -> Solution:
    """The solution at the largest precision to which the branch was followed, with a note."""
    asked = np.isinf(game.precision)
    scale = payoff_range(game)

    def attempt(power: float, coarse: bool = False) -> Solution:
        precision = np.where(asked, 2.0**power / scale, game.precision)
        return solve_at(replace(game, precision=precision), report=lambda _: None, coarse=coarse)

    best, power, lost, timed_out = attempt(0.0), 0.0, None, False
    for doubling in range(1, DOUBLINGS + 1):
        progress(doubling / (DOUBLINGS + 1))
        if doubling > FEWEST and _regret(best, asked) <= ENOUGH * scale:
            break
        try:
            attempted = attempt(power + 1.0)
        except TimeUpError:
            timed_out = True
            break
        if attempted.status is not Status.SOLVED:
            lost = attempted
            break
        best, power = attempted, power + 1.0
    step = 0.5
    for _ in range(HALVINGS if lost is not None else 0):
        try:
            attempted = attempt(power + step)
        except TimeUpError:
            timed_out = True
            break
        if attempted.status is Status.SOLVED:
            best, power = attempted, power + step
        else:
            lost = attempted
        step /= 2
    if coarse and not timed_out:
        with suppress(TimeUpError):
            best = attempt(power, coarse=True)
    progress(1.0)
    reached = 2.0**power / scale
    left = _regret(best, asked)
    note = f"Precision followed to {reached:.3g}; a best response would add {left:.2g} at most."
    if lost is not None:
        failed = lost.branches.failed
        note += (
            f" Beyond it the principal branch is lost at {failed:,} turn-state-belief points."
            if failed
            else f" Beyond it: {lost.status.value}."
        )
    elif timed_out:
        note += " Then the time was over."
    if best.branches.folded:
        note += f" On the way it turns back at {best.branches.folded:,} points."
    if best.branches.forked:
        note += f" At {best.branches.forked:,} points other branches fork off."
    short = timed_out and best.status is Status.SOLVED and left > ENOUGH * scale
    status = Status.LIMIT_NOT_REACHED if short else best.status
    return replace(best, status=status, notes=(*best.notes, note))


def payoff_range(game: CompiledGame) -> float:
    """How far an actor's payoffs of one period, or at the end, lie apart; 1 where they do not."""
    tables = [*game.flow, game.terminal, *(layer.reward for layer in game.layers)]
    return max(float(np.ptp(table, axis=0).max()) for table in tables if table.size) or 1.0


def _regret(solution: Solution, asked: np.ndarray) -> float:
    """The largest regret of those who ask for the limit."""
    actors = list(solution.game.scenario.actors)
    wanted = {actors[i] for i in np.flatnonzero(asked)}
    regret = solution.certificate.regret or {}
    return max((gain for (actor, _), gain in regret.items() if actor in wanted), default=np.inf)
