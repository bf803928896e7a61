"""`threshold`: at which values of a parameter a probability is crossed, or a preference flips."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from detente.analysis import threshold_wording as wording
from detente.analysis.crossings import Root, SampledFunction, find_roots
from detente.analysis.parameter_range import ParameterRange, check_values, prepare
from detente.analysis.quantity_of_interest import Evaluation, QuantityOfInterest
from detente.analysis.query import Query
from detente.analysis.threshold_result import Crossing, Interrupted, Threshold
from detente.arguments import finite
from detente.errors import expect
from detente.scenario.model import Scenario
from detente.solver.aside import side_by_side
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions

POINTS = 9
"""Values at equal distances: enough for a cubic to follow a curve that bends two or three times."""

NARROW = 1e-5
"""Share of the range below which a bracket is not narrowed: no parameter is known so well."""

STEPS = 1e-3
"""The same for a parameter that decides which states there are: each value is a new enumeration."""

NEAR = 0.05
"""Share of the spacing within which the present value takes the place of a point of the grid."""

CLOSE = 0.1
"""Share of the discretisation error to which a crossing is refined: what is left is the grid's."""

EXACT = 1e-9
"""How close a crossing is refined where there is no discretisation error."""


def threshold(
    scenario: Scenario,
    parameter: str,
    query: Query,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    at: float | None = None,
    low: float | None = None,
    high: float | None = None,
    points: int = POINTS,
    tolerance: float | None = None,
    slopes: bool = False,
) -> Threshold:
    """Find the values of a parameter at which a number crosses a level, all in its range.

    Parameters
    ----------
    scenario
        As loaded; other parameters keep their values.
    parameter
        Its name: `step_cost.sincere`, or `step_cost` for all types together.
    query
        Which number.
    options
        As in `solve`; the share of the work that is done is an estimate.
    at
        The level: of a probability from 0 to 1, needed; of a payoff needed; of a preference 0.
    low, high
        Where to look; by default the range that the scenario gives the parameter.
    points
        Values at equal distances, at least 4. The scenario's own value is added to them.
    tolerance
        Width to which a jump is narrowed, in the parameter's unit; by default a hundred-thousandth
        of the range, and a thousandth where the parameter decides which states there are.
    slopes
        Whether to compute the exact derivative at each of the points as well, so that a pair of
        crossings between two of them shows in the slopes. At crossings it is always computed.

    Raises
    ------
    ScenarioError
        With everything that is wrong with what was asked, or with the scenario at some value.
    Interrupted
        On Ctrl-C, with what was computed.

    Notes
    -----
    The error of a crossing is the discretisation error of the number there over its slope. What
    holds between the values that were computed is taken from a cubic through them (see
    `detente.analysis.crossings`): the verdict names their spacing.

    Let θ be the parameter, q another one and f(θ, q) the number. At a crossing the implicit
    function theorem gives dθ/dq = -(∂f/∂q) / (∂f/∂θ); both are from one adjoint sweep.
    """
    expect(scenario, Scenario, "threshold")
    finite("tolerance", tolerance, above=0.0)
    ranges = [(parameter, low, high)]
    quantity, (axis,), level = prepare(scenario, query, options, ranges, at, points)
    grid = axis.grid(points)
    spacing = max(b - a for a, b in pairwise(grid))
    if axis.present is not None and axis.low <= axis.present <= axis.high:
        # In place of a value next to it: two almost equal ones would send a spline astray.
        apart = NEAR * spacing
        grid = sorted([*(v for v in grid if abs(v - axis.present) > apart), axis.present])
    check_values(quantity, [axis.at(value) for value in grid])
    search = _CrossingSearch(quantity, axis, level, options, grid, spacing)
    try:
        return search.run(slopes, tolerance)
    except KeyboardInterrupt:
        raise Interrupted(search.result((), complete=False)) from None


@dataclass(slots=True)
class _CrossingSearch:
    """One search: the answers so far, by value."""

    quantity: QuantityOfInterest
    axis: ParameterRange
    level: float
    options: SolveOptions
    grid: list[float]
    spacing: float
    answers: dict[float, Evaluation] = field(default_factory=dict)
    done: int = 0

    @property
    def structural(self) -> bool:
        """Whether the parameter decides which states there are."""
        return self.quantity.structural(self.axis.names)

    def answer(
        self,
        value: float,
        options: SolveOptions | None = None,
        *,
        coarse: bool = True,
        slopes: bool = False,
    ) -> Evaluation:
        """The number at a value, kept."""
        quiet = replace(options or self.options, progress=None)
        change = self.axis.at(value)
        answer = self.quantity.evaluate(change, quiet, coarse=coarse, slopes=slopes)
        self.answers[value] = answer
        self.done += 1
        # Refinement takes about as many solves again as half of the grid.
        self.options.report(min(self.done / (1.5 * len(self.grid)), 0.99))
        return answer

    def slope(self, answer: Evaluation) -> float:
        """The derivative by the parameter: of all types together where it stands for them."""
        if answer.slopes is None:
            return math.nan
        return sum(answer.slopes[name] for name in self.axis.names)

    def run(self, slopes: bool, tolerance: float | None) -> Threshold:
        """The curve, then its crossings."""
        axis = self.axis
        smooth = not (self.structural or axis.whole)
        slopes = slopes and self.quantity.differentiable(self.options)

        def with_slope(value: float) -> tuple[float, float]:
            answer = self.answer(value, slopes=True)
            return answer.number, self.slope(answer)

        curve = SampledFunction(
            lambda value: self.answer(value, coarse=False).number,
            with_slope if slopes and smooth else None,
        )
        values = _coarse_to_fine(self.grid)
        tasks = [partial(self.answer, value, slopes=slopes and smooth) for value in values]
        needed = max(self.options.memory(game) for game in self.quantity.games)
        answers = side_by_side(tasks, replace(self.options, progress=None), needed)
        for value, answer in zip(values, answers, strict=True):
            curve.add(value, answer.number)
            if answer.slopes is not None:
                curve.slopes[value] = self.slope(answer)
        error = float(np.median([self.answers[value].error for value in self.grid]))
        width = axis.high - axis.low
        # A flat curve has no crossing, whatever rounding says.
        numbers = [answer.number for answer in self.answers.values()]
        if max(abs(number - self.level) for number in numbers) <= EXACT:
            return self.result((), complete=True)
        roots = find_roots(
            curve,
            self.level,
            close=max(CLOSE * error, EXACT),
            narrow=tolerance or width * (STEPS if self.structural else NARROW),
            smooth=smooth,
            whole=axis.whole,
        )
        crossings = [self.crossing(root) for root in roots]
        self.options.report(1.0)
        return self.result(tuple(crossings), complete=True)

    def crossing(self, root: Root) -> Crossing:
        """A root with its error; the derivative is computed there."""
        crossing = Crossing(
            value=root.value,
            error=(root.high - root.low) / 2,
            low=root.low,
            high=root.high,
            direction="rising" if root.rising else "falling",
            jump=root.jump,
            below=root.below,
            above=root.above,
            slope=math.nan,
        )
        if root.jump:
            return crossing
        answer = self.answer(root.value, slopes=not self.structural)
        off = self.error(root.value) + abs(answer.number - self.level)
        slope = self.slope(answer)
        if not math.isfinite(slope):
            slope = (root.above - root.below) / (root.high - root.low)
        error = off / abs(slope) if slope else math.inf
        return replace(
            crossing,
            error=min(error, self.axis.high - self.axis.low),
            low=max(self.axis.low, root.value - error),
            high=min(self.axis.high, root.value + error),
            below=answer.number,
            above=answer.number,
            slope=slope,
        )

    def error(self, value: float) -> float:
        """The largest of the number there and next to it; nan where its own is not known."""
        errors = {v: answer.error for v, answer in self.answers.items()}
        known = sorted(v for v, error in errors.items() if not math.isnan(error))
        at = bisect_left(known, value)
        near = known[max(at - 1, 0) : at + 2]
        return max(errors[v] for v in near) if value in near else math.nan

    def result(self, crossings: tuple[Crossing, ...], *, complete: bool) -> Threshold:
        """All that is known by now."""
        axis = self.axis
        rows = [
            (value, answer.number, self.error(value), self.slope(answer), answer.solved)
            for value, answer in sorted(self.answers.items())
        ]
        answer = Threshold(
            **self.quantity.described(self.level),
            parameter=axis.name,
            unit=axis.unit,
            present=axis.present,
            low=axis.low,
            high=axis.high,
            spacing=self.spacing,
            structural=self.structural,
            whole=axis.whole,
            curve=pd.DataFrame(rows, columns=["value", "number", "error", "derivative", "solved"]),
            crossings=crossings,
            moves=self.moves(crossings),
            complete=complete,
        )
        return replace(answer, verdict=wording.verdict(answer))

    def moves(self, crossings: tuple[Crossing, ...]) -> pd.DataFrame:
        """How the crossings answer to the other parameters."""
        rows = []
        for k, crossing in enumerate(crossings):
            answer = self.answers.get(crossing.value)
            if answer is None or answer.slopes is None or not self.slope(answer):
                continue
            for parameter in self.quantity.scenario.parameters.values():
                entries = zip(parameter.names(), parameter.values, parameter.ranges, strict=True)
                for name, value, limits in entries:
                    if name in self.axis.names:
                        continue
                    moved = -answer.slopes[name] / self.slope(answer)
                    width = limits[1] - limits[0] if limits else np.nan
                    rows.append((k, name, value, moved, moved * width))
        table = pd.DataFrame(
            rows, columns=["crossing", "parameter", "value", "derivative", "swing"]
        )
        order = table.assign(size=-table["swing"].abs().fillna(-1.0))
        order = order.sort_values(["crossing", "size"], kind="stable", ignore_index=True)
        return order.drop(columns="size")


def _coarse_to_fine(values: list[float]) -> list[float]:
    """The ends, the middle, the middles of the halves, …: an interrupted curve spans its range."""
    last = len(values) - 1
    order = [0, last]
    spans = [(0, last)]
    while spans:
        halves = []
        for a, b in spans:
            if b - a > 1:
                middle = (a + b) // 2
                order.append(middle)
                halves += [(a, middle), (middle, b)]
        spans = halves
    return [values[k] for k in dict.fromkeys(order)]
