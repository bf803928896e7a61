"""The logit branch of a game without end in which nothing is private.

Play of all turns together, own actions' values v = Φ(v) (`period_play`), is followed from precision
0, where play is reference behaviour, to the game's own precision: the branch by which the logit
equilibrium of a stochastic game is chosen (Eibelshäuser and Poensgen 2019). It is followed by
pseudo-arclength continuation in (v, s), s the share of the precision (Allgower and Georg, Numerical
Continuation Methods, 1990, chapters 3, 6 and 8), so that it may turn back. From where a cubic
through the last two points and their tangents leads, Newton's method finds the next; steps are as
long as leaves it little to do.

The sign of det(I - Φ') times the direction in s is the same all along a branch. Where it is not,
Newton's method has led to another one: the step is made shorter. Where it is not however short the
step, branches meet; the branch is continued straight on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from detente.dtypes import Floats
from detente.solver.period import PeriodArrays
from detente.solver.period_play import Play

FIRST, LONGEST, LEAST, SHORTEST = 0.25, 3.0, 0.3, 1e-7
"""Log odds at stake in the first step; by how much a step may be longer than the last one, and
shorter; and the step below which they come to nothing."""

TINY = 1e-12
"""What is left to Newton's method where there is nothing left."""

AIM, FARTHEST = 0.01, 0.05
"""Change of log odds that is left to Newton's method, and the most that may be."""

CLOSE, EXACT = 1e-3, 1e-6
"""The same of its last step at a point, and at the last point: what is left then is of the order of
the square."""

CORRECTIONS, SHRINK = 8, 0.5
"""Its steps at a point at most, and how much smaller each must be than the one before."""

STRAIGHT, FORK = 0.9, 1e-4
"""Least cosine of the angle by which the branch may turn in a step, and the step that may lead over
a fork."""

MOST = 1000
"""Attempts at a step."""


@dataclass(frozen=True, eq=False)
class Point:
    """A point of the branch.

    at
        How far along the branch it is.
    where, tangent
        v and the share of the precision, and their derivatives by `at`: float64 [D + 1].
    side
        The sign of det(I - Φ') times the direction in the share.
    """

    at: float
    where: Floats
    tangent: Floats
    side: float

    @property
    def share(self) -> float:
        """Of the precision."""
        return float(self.where[-1])

    @property
    def values(self) -> Floats:
        """v, float64 [D]."""
        return self.where[:-1]


def follow_branch(period: PeriodArrays, check: Callable[[], None]) -> Iterator[Point]:
    """Each point of the branch, as far as it goes: the last one's share is 1 if all went well.

    `check` is called before each step of Newton's method, and may raise.
    """
    branch = _Branch(period, check)
    before, (here, step) = None, branch.begin()
    yield here
    for _ in range(MOST):
        found, to, left = branch.advance(before, here, here.at + step)
        step = to - here.at
        part = (AIM / max(left, TINY)) ** (1 / 2 if before is None else 1 / 4)
        if found is None:
            step *= max(LEAST, min(0.5, part))
            if step < SHORTEST:
                return
            continue
        yield found
        if found.share == 1.0:
            return
        step *= max(LEAST, min(LONGEST, part))
        before, here = here, found


class _Branch:
    """Steps along the branch of a period. Lengths are root mean squares of log odds."""

    def __init__(self, period: PeriodArrays, check: Callable[[], None]) -> None:
        self.period, self.check = period, check
        self.weight = np.append(period.rate**2 / period.size, 1.0)

    def begin(self) -> tuple[Point, float]:
        """The point at precision 0, where v = Φ(v) is linear, and the first step."""
        values = np.zeros(self.period.size)
        for _ in range(2):
            play = Play(self.period, values, 0.0)
            slopes = play.slopes()
            values = values + slopes[:, 0]
        tangent = self._unit(slopes[:, 1], np.append(np.zeros(values.size), 1.0))
        here = Point(0.0, np.append(values, 0.0), tangent, play.sign())
        return here, min(FIRST / max(play.at_stake(), FIRST), 1.0) / float(tangent[-1])

    def advance(
        self, before: Point | None, here: Point, to: float
    ) -> tuple[Point | None, float, float]:
        """The point at most so far along the branch, if it is found; how far that is, and how far
        off it was expected."""
        ahead = _along(before, here, to)
        if ahead[-1] >= 1.0:
            to = _end(before, here, here.at, to)
            found, left = self._correct(here, _along(before, here, to), last=True)
            return found, to, left
        found, left = self._correct(here, ahead)
        if found is not None and found.share >= 1.0:
            end = _along(here, found, _end(here, found, here.at, found.at))
            found, left = self._correct(here, end, last=True)
        return found, to, left

    def _correct(
        self, here: Point, where: Floats, *, last: bool = False
    ) -> tuple[Point | None, float]:
        """The point of the branch near a place, at the full precision if it is the `last`; and how
        near it was."""
        left, moved = 0.0, np.inf
        across = where - here.where
        if last:
            where[-1] = 1.0
        for _ in range(CORRECTIONS):
            self.check()
            if where[-1] < 0.0:
                break
            play = Play(self.period, where[:-1], float(where[-1]))
            try:
                slopes = play.slopes()
            except np.linalg.LinAlgError:
                break
            step = np.append(slopes[:, 0], 0.0)
            if not last:
                along = np.append(slopes[:, 1], 1.0)
                step -= along * (self._product(across, step) / self._product(across, along))
            before, moved = moved, play.moved(step[:-1], float(step[-1]))
            left = left or moved
            if not moved <= min(FARTHEST, SHRINK * before):
                break
            where = where + step
            size = max(1.0, float(np.abs(where).max()))
            exact = max(moved, float(np.abs(step).max()) / size) <= EXACT
            if exact if last else moved <= CLOSE:
                return self._joined(here, where, slopes[:, 1], play), left
        return None, left

    def _joined(self, here: Point, where: Floats, by_share: Floats, play: Play) -> Point | None:
        """A solution as the next point; None where it is not on the same branch, or the branch
        turns too much on the way."""
        tangent = self._unit(by_share, here.tangent)
        side = play.sign() * float(np.sign(tangent[-1]))
        length = float(np.sqrt(self._product(where - here.where, where - here.where)))
        if self._product(tangent, here.tangent) < STRAIGHT:
            return None
        if side != here.side and length > FORK:
            return None
        return Point(here.at + length, where, tangent, side)

    def _product(self, a: Floats, b: Floats) -> float:
        return float(self.weight @ (a * b))

    def _unit(self, by_share: Floats, before: Floats) -> Floats:
        """The tangent, in the direction of the one before."""
        tangent = np.append(by_share, 1.0)
        tangent /= np.sqrt(self._product(tangent, tangent))
        return tangent if self._product(tangent, before) >= 0 else -tangent


def _along(before: Point | None, here: Point, at: float) -> Floats:
    """Where the cubic through two points leads; with one, its tangent."""
    if before is None:
        return here.where + (at - here.at) * here.tangent
    width = here.at - before.at
    t = (at - before.at) / width
    return np.asarray(
        (1.0 + 2.0 * t) * (1.0 - t) ** 2 * before.where
        + t * (1.0 - t) ** 2 * width * before.tangent
        + t**2 * (3.0 - 2.0 * t) * here.where
        + t**2 * (t - 1.0) * width * here.tangent
    )


def _end(before: Point | None, here: Point, low: float, high: float) -> float:
    """Where between two places it comes to the full precision."""
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if _along(before, here, middle)[-1] < 1.0:
            low = middle
        else:
            high = middle
    return high
