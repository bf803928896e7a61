"""Stationary equilibria of games without end.

The values V with which a period begins solve V = Φ(V): one period of backward induction, each turn
on its principal branch given what follows, from values δ V plus flows at its end. V is followed
from precision 0, where play is uniform, to the game's own precision, in steps that are halved
where the iteration does not converge or moves too far; at each step V = Φ(V) is solved by
Anderson acceleration (Anderson 1965; Walker and Ni 2011). Regret is iterated along.

Each turn on its own principal branch may be more than a fixed point can have: where that branch
jumps as values change, Φ does too. Then play of all turns together is followed from precision 0,
each turn from what it was solved to a step before, as the logit branch of a stochastic game is
defined (Eibelshäuser and Poensgen 2019): "whole" below.

Φ need not be a contraction, whatever δ < 1: strategies answer to values, and small
waves of V in the belief may grow from period to period. Backward induction then goes round in
circles, acceleration stalls, and Newton's method takes over, for which it makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.solver.workers import TimeUpError

Map = Callable[[Floats], Floats]


class Period(Protocol):
    """Φ(V) at a share of the precision, as `follow_stationary` takes it."""

    def __call__(self, values: Floats, share: float, quick: bool) -> Floats: ...


Keep = Callable[[], Callable[[], None]]
"""Keeps what turns were solved to last; what it gives brings that back."""

Ways = tuple[Callable[[Map, Floats, float, int], tuple[Floats, float, int]], ...]

MEMORY = 8
"""Iterates that Anderson acceleration looks back upon."""

MOST = 1000
"""Iterations at one precision; backward induction alone takes log(1e-12) / log(δ)."""

CLOSE, EXACT = 1e-6, 1e-13
"""Changes of V, relative to its size, at which steps on the way and the last have converged."""

GOOD = 1e-10
"""Change at which the last step counts as converged where rounding lets it go no further."""

TURNS = 4
"""How often values are found the quick way before each period takes the principal branch."""

PATIENCE, HASTE = 40, 10
"""Iterations without progress after which there will be none; and along the principal branch, where
each takes longer."""

NEWTON = 20
"""Steps of Newton's method, where acceleration does not converge."""

KRYLOV, ROOM = 1000, 2**28
"""Directions looked at for one such step, each a period of backward induction, and bytes for them.
Φ moves values along in beliefs and smooths nothing: on a fine grid it takes hundreds."""

FORCED = 1e-3
"""What is left of the linear equations of a step, relative to what there was."""

NEAR = 1e-7
"""Length of the differences that stand for derivatives, relative to V: between rounding and the
kinks of Φ."""

FIRST, JUMP, SHORT = 1 / 8, 1 / 16, 1 / 64
"""The first step in precision, that below which the branch of a turn by itself is taken to jump,
and that below which Newton's method is worth its time: shares of the game's own."""

SMALLEST = 1 / 512
"""Step in precision, as a share of the game's own, below which the branch is given up."""

FARTHEST, FLAT = 0.2, 1e-2
"""Change of V from what the last steps point to, relative to its range, that a step may make; and
the least range, relative to the size of V: it may be the same in all states."""


@dataclass(frozen=True, slots=True)
class Stationary:
    """The values [x, c, b] at the last precision reached, and how.

    share
        That precision, as a share of the game's own: 1 if all went well.
    change
        Largest |V - Φ(V)|, relative to the larger of 1 and the largest |V| of its actor and type.
    iterations, steps
        How many there were.
    timed_out
        Whether it ended because the time was over.
    whole
        Whether some turn stays on the branch of the whole game where its own leads elsewhere.
    along
        Steps along that branch before the first period (see `branch`).
    """

    values: Floats
    share: float
    change: float
    iterations: int
    steps: int
    timed_out: bool = False
    whole: bool = False
    along: int = 0

    @property
    def solved(self) -> bool:
        """Whether the values are stationary at the game's own precision."""
        return self.share == 1.0 and self.change <= GOOD


def at_share(game: CompiledGame, share: float) -> CompiledGame:
    """The game at a share of its precision."""
    return replace(game, precision=game.precision * share)


def follow_stationary(
    iterate: Period,
    start: Floats,
    *,
    continued: bool,
    near: bool = False,
    whole: bool = False,
    keep: Keep = lambda: lambda: None,
    progress: Callable[[float], None],
) -> Stationary:
    """Follow V = Φ(V) in precision.

    Parameters
    ----------
    iterate
        Φ(V, share, quick) for float64 [x, c, b]: if quick, with turns that begin from what they
        were solved to last, which need not be the principal branch.
    start
        V to begin with.
    continued
        From precision 0 on; otherwise at the game's own precision at once.
    near
        Whether the solution near `start` is wanted: Newton's method then comes first, as
        acceleration may leave for another one.
    whole
        Whether turns need not be on their own principal branch.
    keep
        For what `iterate` keeps of turns.
    progress
        Called with the share reached.
    """
    if not continued:
        try:
            ways = (_newton, _accelerate) if near else (_accelerate, _newton)
            values, change, iterations = _solve(iterate, start, 1.0, EXACT, ways, whole)
        except TimeUpError:
            return Stationary(start, 1.0, np.inf, 0, 0, timed_out=True, whole=whole)
        return Stationary(values, 1.0, change, iterations, 1, whole=whole)
    reached = Stationary(start, 0.0, np.inf, 0, 0)
    try:
        for reached in _followed(iterate, start, keep):
            progress(reached.share)
    except TimeUpError:
        reached = replace(reached, timed_out=True)
    return reached


def _followed(iterate: Period, start: Floats, keep: Keep) -> Iterator[Stationary]:
    """Each point of the way from precision 0, as far as it goes."""
    values, change, iterations = _solve(iterate, start, 0.0, CLOSE)
    share, before, steps = 0.0, (0.0, values), 0
    restore, step, whole = keep(), FIRST, False
    yield Stationary(values, share, change, iterations, steps)
    while share < 1.0:
        to = min(share + step, 1.0)
        ahead = values
        if share > 0.0:
            ahead = values + (values - before[1]) * ((to - share) / (share - before[0]))
        tolerance = EXACT if to == 1.0 else CLOSE
        # Away from the end a shorter step costs less than Newton's method.
        ways = (_accelerate, _newton) if to - share < SHORT else (_accelerate,)
        try:
            found, left, more = _solve(iterate, ahead, to, tolerance, ways, whole)
        except TimeUpError:
            restore()
            raise
        iterations, steps = iterations + more, steps + 1
        reach = max(float(np.ptp(values)), FLAT * float(np.abs(values).max()))
        strayed = float(np.abs(found - ahead).max()) > FARTHEST * reach and share > 0.0
        if left > max(tolerance, GOOD):
            restore()
            step = (to - share) / 2
            if step < SMALLEST:
                yield Stationary(values, share, left, iterations, steps, whole=whole)
                return
            whole = whole or step < JUMP
            continue
        if strayed and to - share > SMALLEST:
            restore()
            step = max((to - share) / 2, SMALLEST)
            continue
        before, values, share, change = (share, values), found, to, left
        restore = keep()
        step = min(2 * step, 0.25) if more < 30 else step
        yield Stationary(values, share, change, iterations, steps, whole=whole)


def _solve(
    iterate: Period,
    start: Floats,
    share: float,
    tolerance: float,
    ways: Ways | None = None,
    whole: bool = False,
) -> tuple[Floats, float, int]:
    """V = Φ(V) from `start`: the last V, its relative change, and the iterations it took.

    It is found the quick way first, from turns as the last step left them, and stands if it is
    V = Φ(V) along the principal branch too, or if the `whole` game's branch is followed. If not,
    turns are now on that branch at these values, and the quick way goes on from there. Where one of
    the `ways` fails the next takes over.
    """
    ways = ways or (_accelerate, _newton)
    quick, principal = (partial(iterate, share=share, quick=each) for each in (True, False))
    values, left, count = start, np.inf, 0
    for _ in range(TURNS):
        values, left, more = _converge(quick, values, tolerance, ways, PATIENCE)
        count += more
        if whole:
            return values, left, count
        near, found = left <= max(tolerance, GOOD), principal(values)
        left, count = relative_change(found, values), count + 1
        if left <= max(tolerance, GOOD):
            return values, left, count
        if not near:
            break
        values = found
    values, left, more = _converge(principal, values, tolerance, ways, HASTE)
    return values, left, count + more


def _converge(
    iterate: Map, values: Floats, tolerance: float, ways: Ways, patience: int
) -> tuple[Floats, float, int]:
    """The same for one map."""
    left, count = np.inf, 0
    for way in ways:
        values, left, more = way(iterate, values, tolerance, patience)
        count += more
        if left <= max(tolerance, GOOD) or not np.isfinite(left):
            break
    return values, left, count


def _accelerate(
    iterate: Map, start: Floats, tolerance: float, patience: int
) -> tuple[Floats, float, int]:
    """The same by Anderson acceleration; where it stalls, the V that changed least."""
    values = start.copy()
    steps: list[Floats] = []
    changes: list[Floats] = []
    last: tuple[Floats, Floats] | None = None
    best, at, kept = np.inf, 0, values
    for n in range(1, MOST + 1):
        found = iterate(values)
        change = found - values
        left = relative_change(found, values)
        if left <= tolerance or not np.isfinite(left):
            return values, left, n
        if left > 100 * best:  # too bold: begin again from plain iteration
            steps, changes, last = [], [], None
        if left < best:
            best, at, kept = left, n, values
        elif n - at > (10 if best <= GOOD else patience):
            return kept, best, n
        if last is not None:
            steps, changes = steps[1 - MEMORY :], changes[1 - MEMORY :]
            steps.append((values - last[0]).ravel())
            changes.append((change - last[1]).ravel())
        last = (values, change)
        values = found
        if steps:
            across = np.stack(changes, axis=1)
            weights, *_ = np.linalg.lstsq(across, change.ravel(), rcond=1e-12)
            move = (np.stack(steps, axis=1) + across) @ weights
            values = found - move.reshape(found.shape)
    return kept, best, MOST


def _newton(
    iterate: Map, start: Floats, tolerance: float, patience: int
) -> tuple[Floats, float, int]:
    """The same by Newton's method: each step by GMRES, the derivative of Φ along a direction by a
    difference (Knoll and Keyes 2004). It may go where Φ pushes away from its fixed point."""
    del patience  # each step makes progress, or is the last
    values, count = start, 1
    found = iterate(values)
    best = relative_change(found, values)
    for _ in range(NEWTON):
        if best <= tolerance:
            break
        base, here = found, values
        reach = NEAR * max(1.0, float(np.abs(values).max()))

        def along(
            direction: Floats, base: Floats = base, here: Floats = here, reach: float = reach
        ) -> Floats:
            """(I - Φ') times a direction."""
            length = reach / float(np.abs(direction).max())
            ahead = iterate(here + length * direction.reshape(here.shape))
            return direction - (ahead - base).ravel() / length

        step, products = _gmres(along, (found - values).ravel())
        count += products
        part = 1.0
        while part > 0.01:
            ahead = here + part * step.reshape(here.shape)
            further = iterate(ahead)
            count += 1
            left = relative_change(further, ahead)
            if left < best * (1.0 - 0.1 * part):
                break
            part /= 2
        else:
            break
        values, found, best = ahead, further, left
    return values, best, count


def relative_change(found: Floats, values: Floats) -> float:
    """How far V is from Φ(V), for each actor and type relative to its size: what is at stake for
    one may be a small part of what is at stake for another."""
    across = (0, 2)
    sizes = np.maximum(1.0, np.abs(found).max(axis=across))
    return float((np.abs(found - values).max(axis=across) / sizes).max())


def directions(size: int) -> int:
    """Directions that one step of Newton's method may keep, for V of so many numbers."""
    return min(KRYLOV, size, max(2 * MEMORY, ROOM // (8 * size)))


def held(size: int) -> int:
    """Numbers that are held at most while V is looked for, where V has so many."""
    return size * (max(5 * MEMORY, directions(size) + 1) + 8)


def _gmres(times: Callable[[Floats], Floats], wanted: Floats) -> tuple[Floats, int]:
    """x with A x ≈ `wanted` (Saad and Schultz 1986), and how often A was multiplied."""
    size = float(np.linalg.norm(wanted))
    most = directions(wanted.size)
    basis = np.empty((most + 1, wanted.size))
    basis[0] = wanted / size
    upper = np.zeros((most, most))
    turns = np.zeros((most, 2))
    aim = np.zeros(most + 1)
    aim[0] = size
    for n in range(most):
        new = times(basis[n])
        column = np.zeros(n + 2)
        for _ in range(2):  # twice is enough for orthogonality
            along = basis[: n + 1] @ new
            column[: n + 1] += along
            new = new - along @ basis[: n + 1]
        column[n + 1] = np.linalg.norm(new)
        basis[n + 1] = new / max(column[n + 1], 1e-300)
        for k, (cosine, sine) in enumerate(turns[:n]):
            first, second = column[k], column[k + 1]
            column[k] = cosine * first + sine * second
            column[k + 1] = cosine * second - sine * first
        length = max(float(np.hypot(column[n], column[n + 1])), 1e-300)
        turns[n] = column[n] / length, column[n + 1] / length
        column[n] = length
        upper[: n + 1, n] = column[: n + 1]
        aim[n + 1] = -turns[n, 1] * aim[n]
        aim[n] *= turns[n, 0]
        if abs(aim[n + 1]) <= FORCED * size:
            break
    weights = np.linalg.solve(upper[: n + 1, : n + 1], aim[: n + 1])
    return weights @ basis[: n + 1], n + 1
