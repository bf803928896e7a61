"""The search for a maximum: climbs, steps of Newton's method at their end, and what is known there.

Nothing here knows of files or tables: a `Model` gives log-likelihoods with exact gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from detente.dtypes import Floats
from detente.estimation.checkpoint import Checkpoint
from detente.estimation.climb import CLOSE, NEAR, Climb, Status, climb
from detente.estimation.free import FARTHEST, PLAIN, POSITIVE, Free, slopes_at, values_at
from detente.estimation.model import Model, Wall
from detente.estimation.prior import RangePrior
from detente.estimation.uncertainty import (
    DIFFERENCES,
    SMALLEST,
    Information,
    curvature,
    information,
    positive,
)
from detente.solver.workers import Workers

CLIMBING = 0.8
"""Share of the work that the climbs take, beside the curvature."""

RIDGE = 1e-2
"""Part of the largest score that is added where the outer product of scores begins a climb."""

SAME = 0.01
"""Log-likelihood within which two maxima are the same."""

MOST_POLISHES = 3
"""Steps of Newton's method after a climb; each costs the curvature anew."""

NEAR_BOUND = 5.0
"""Coordinates from which on it is tried whether the maximum is at the bound: there the slope by the
coordinate is below a hundredth of that by the value, and vanishes on the way."""

SAID = 1e-4
"""Log-likelihood for the whole of a share, or for a precision as it was at the start: where it
would move by less, nothing is said of it."""

ENDED = (Status.CONVERGED, Status.NEARLY, Status.BOUNDARY)
"""How climbs end that have come to a maximum."""


class Search:
    """The climbs and what follows them; `wall` is the last reason why there was no likelihood.

    With `brief` the curvature where a climb begins is its metric, and scores of units are not
    needed: there are no standard errors but those of the information.
    """

    def __init__(
        self,
        model: Model,
        free: tuple[Free, ...],
        prior: RangePrior | None,
        workers: Workers,
        keep: Checkpoint,
        report: Callable[[float], None],
        *,
        brief: bool = False,
    ) -> None:
        self.model, self.free, self.prior, self.workers = model, free, prior, workers
        self.keep, self.report, self.brief = keep, report, brief
        self.wall = ""

    def value(self, x: Floats) -> tuple[float, Floats] | None:
        """The log-likelihood, with the prior's logarithm, and its gradient by coordinates: without
        what points beyond a bound that has been reached."""
        point = self._by_values(x)
        if point is None:
            return None
        return point[0], self._inward(x, point[1] * slopes_at(self.free, x))

    def _by_values(self, x: Floats) -> tuple[float, Floats] | None:
        """The same with the gradient by values."""
        values = values_at(self.free, x)
        try:
            point = self.model.at(values, self.workers)
        except Wall as wall:
            self.wall = str(wall)
            return None
        total, gradient = point.log_likelihood, point.gradient
        if self.prior is not None:
            more, slope = self.prior.at(values)
            total, gradient = total + more, gradient + slope
        return total, gradient

    def _inward(self, x: Floats, gradient: Floats) -> Floats:
        """A gradient by coordinates without what points beyond a bound that has been reached."""
        beyond = [
            one.at_bound(one.value(float(c))) and (one.kind == POSITIVE or c < 0) != (g > 0)
            for one, c, g in zip(self.free, x, gradient, strict=True)
        ]
        return np.where(beyond, 0.0, gradient)

    def log_density(self, x: Floats) -> float:
        """The log-likelihood with the prior's logarithm, without a gradient; -inf at a wall."""
        values = values_at(self.free, x)
        try:
            total = float(self.model.logs(values, self.workers).sum())
        except Wall:
            return -np.inf
        return total if self.prior is None else total + self.prior.at(values)[0]

    def unit_logs(self, x: Floats) -> dict[str, float]:
        """The log-likelihood of each unit of which anything is known; of none at a wall."""
        units = self.model.panel.units
        try:
            logs = self.model.logs(values_at(self.free, x), self.workers)
        except Wall:
            return {}
        return {u.name: float(log) for u, log in zip(units, logs, strict=True) if u.record.last}

    def scores(self, x: Floats) -> Floats:
        """Scores of units by coordinates, float64 [unit, q]; of none at a wall."""
        if self.brief:
            return np.zeros((0, len(self.free)))
        try:
            point = self.model.at(values_at(self.free, x), self.workers, scores=True)
        except Wall as wall:
            self.wall = str(wall)
            return np.zeros((0, len(self.free)))
        assert point.scores is not None
        return point.scores * slopes_at(self.free, x)

    def climbs(self, starts: int, seed: int) -> list[Climb]:
        """One from each start, the highest first."""
        rng = np.random.default_rng(seed)
        done: list[Climb] = []
        for k in range(starts):
            x = np.array([one.coordinate(one.start) for one in self.free])
            if k == 0 and self.keep.best is not None:
                x = self.keep.best
            elif k:
                x = np.array([_drawn(one, rng) for one in self.free])
            done.append(self._to_bounds(self._climb(x, k / starts, CLIMBING / starts)))
            if done[-1].status is Status.INTERRUPTED:
                break
        return sorted(done, key=lambda climbed: -climbed.value)

    def _climb(self, x: Floats, begun: float, part: float) -> Climb:
        """From x; of the work a share has been done, and this is a part."""
        scores = self.scores(x)
        outer = positive(self._curvature(x)) if self.brief else scores.T @ scores
        ridge = RIDGE * max(float(np.diag(outer).max(initial=0.0)), 1.0)
        inverse: Floats = np.linalg.inv(outer + ridge * np.eye(x.size)).astype(np.float64)
        first: list[float] = []

        def visit(here: Climb) -> None:
            first.append(max(here.distance, CLOSE))
            gone = np.log(first[0] / first[-1]) / max(np.log(first[0] / CLOSE), 1e-9)
            share = min(max(float(gone), len(first) / (len(first) + 20.0)), 1.0)
            self.report(CLIMBING * begun + part * share)
            self.keep.save(here.x, here.value)

        return climb(self.value, x, inverse, visit=visit)

    def _to_bounds(self, top: Climb) -> Climb:
        """The climb's end, with parameters at bounds to which the likelihood rises.

        By a coordinate the slope vanishes towards a bound, and climbs end before it; by the value
        it does not. What the likelihood hardly knows is left where it is.
        """
        if top.status in (Status.IMPOSSIBLE, Status.INTERRUPTED):
            return top
        for q, one in enumerate(self.free):
            bound = one.bound(float(top.x[q]))
            if bound is None or abs(top.x[q]) < NEAR_BOUND:
                continue
            x = top.x.copy()
            x[q] = bound
            point = self._by_values(x)
            if point is None or point[0] < top.value - 1e-9 * max(abs(top.value), 1.0):
                continue
            whole = one.start if one.kind == POSITIVE else 1.0
            if abs(point[1][q]) * whole > SAID:
                gradient = self._inward(x, point[1] * slopes_at(self.free, x))
                top = replace(top, x=x, value=point[0], gradient=gradient)
        return top

    def best(
        self, climbs: Sequence[Climb], clusters: Sequence[str] | None
    ) -> tuple[Climb, Information]:
        """The highest climb, brought to the maximum by Newton's method, and what is known there."""
        top = climbs[0]
        matrix = self._curvature(top.x)
        for _ in range(MOST_POLISHES):
            newton = self._newton(top, matrix)
            if newton is None:
                break
            top, matrix = newton, self._curvature(newton.x)
        known = information(matrix, self.scores(top.x), clusters)
        if self.prior is not None and len(self.model.panel.units) > 1:
            known = replace(known, outer=None)
        return replace(top, status=self._status(climbs, top, known)), known

    def _newton(self, top: Climb, matrix: Floats) -> Climb | None:
        """A step of Newton's method that does not go down; None where none is wanted."""
        rows = np.flatnonzero(np.isfinite(np.diag(matrix)))
        block = matrix[np.ix_(rows, rows)]
        if not rows.size or top.status is Status.INTERRUPTED:
            return None
        if np.linalg.eigvalsh(block)[0] <= SMALLEST * max(np.diag(block).max(), 1e-3):
            return None
        inverse = np.zeros_like(matrix)
        inverse[np.ix_(rows, rows)] = np.linalg.inv(block)
        here = replace(top, inverse=inverse)
        if here.distance < CLOSE:
            return None
        point = self.value(top.x + inverse @ top.gradient)
        if point is None or point[0] < top.value - 1e-9 * abs(top.value):
            return None
        value, gradient = point
        return replace(here, x=top.x + inverse @ top.gradient, value=value, gradient=gradient)

    def _curvature(self, x: Floats) -> Floats:
        """Minus the second derivatives, nan at bounds.

        Interpolation between beliefs leaves kinks in a likelihood. Where one spoils derivatives
        from nearby, they are taken from farther away.
        """
        inner = np.array(
            [not one.at_bound(one.value(float(c))) for one, c in zip(self.free, x, strict=True)]
        )
        count = [0]

        def gradient(place: Floats) -> Floats | None:
            count[0] += 1
            done = min(count[0] / (2 * max(int(inner.sum()), 1)), 1.0)
            self.report(CLIMBING + (1 - CLIMBING) * done)
            point = self.value(place)
            return None if point is None else point[1]

        for step in DIFFERENCES:
            matrix = curvature(gradient, x, inner, step)
            if information(matrix, np.zeros((0, x.size))).eigenvalues.min(initial=0) > -SMALLEST:
                break
        return matrix

    def _status(self, climbs: Sequence[Climb], top: Climb, known: Information) -> Status:
        """How the fit ended, all in all."""
        if top.status in (Status.INTERRUPTED, Status.IMPOSSIBLE):
            return top.status
        bound = ~np.isfinite(np.diag(known.matrix))
        away = [
            one.kind == PLAIN and abs(c) > FARTHEST for one, c in zip(self.free, top.x, strict=True)
        ]
        inverse = np.nan_to_num(known.covariance)
        distance = replace(top, inverse=inverse).distance
        ended = [climbed for climbed in climbs if climbed.status in ENDED]
        if any(away):
            return Status.RUNS_AWAY
        if not known.known[~bound].all():
            return Status.UNIDENTIFIED
        if any(abs(climbed.value - top.value) > SAME for climbed in ended):
            return Status.SEVERAL
        if distance < CLOSE:
            return Status.BOUNDARY if bound.any() else Status.CONVERGED
        return Status.NEARLY if distance < NEAR else top.status


def _drawn(one: Free, rng: np.random.Generator) -> float:
    """Where a climb starts: in the range, or about the scenario's value."""
    if one.range is not None:
        return one.coordinate(float(rng.uniform(*one.range)))
    return one.coordinate(one.start) + float(rng.normal())
