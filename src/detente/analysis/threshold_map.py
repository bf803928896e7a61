"""`threshold_map`: where in the plane of two parameters a number is above a level."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from contourpy import LineType, contour_generator
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from detente.analysis import threshold_wording as wording
from detente.analysis.parameter_range import axis_for, check_points, check_values, level_for
from detente.analysis.quantity_of_interest import Evaluation, QuantityOfInterest, quantity_for
from detente.analysis.query import Query
from detente.arguments import MOST_VALUES, finite, whole
from detente.errors import Problems, ScenarioError, expect
from detente.scenario.model import Scenario
from detente.scenario.notebook import InNotebook
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, least_points

Floats = NDArray[np.float64]

POINTS = 9
"""Values of each parameter: 81 games are solved."""

FINER = 8
"""Into how many parts a step of the grid is cut before the contour is drawn."""


@dataclass(frozen=True, eq=False)
class ThresholdMap(InNotebook):
    """A number over two parameters, and the lines on which it is at a level.

    scenario, parameters, units
        Whose parameters: the first along the map, the second up.
    about, kind, short, at, prefer, actor
        As in `Threshold`.
    present
        The parameters' values in the scenario; None where one differs between types.
    map
        `first, second, number, error, solved`: the number at each node, and its difference from
        the coarser belief grid.
    contours
        Each line as float64 [n, 2]: points (first, second) on which the number is at the level.
    off
        How far the interpolation through every second node misses the others, at most: an upper
        estimate of what it misses between the nodes. nan where there are too few to tell.
    beliefs
        Belief points of each solve.
    verdict
        The answer in words.
    complete
        False where the search was interrupted; there are no contours then.
    """

    scenario: Scenario
    parameters: tuple[str, str]
    units: tuple[str, str]
    about: str
    kind: str
    short: str
    at: float
    prefer: tuple[str, str] | None
    actor: str | None
    present: tuple[float, float] | None
    map: pd.DataFrame
    contours: tuple[Floats, ...]
    off: float
    beliefs: int
    verdict: str
    complete: bool = True

    def __repr__(self) -> str:
        return f"<ThresholdMap: {self.verdict}>"

    def _main_table(self) -> pd.DataFrame:
        return self.map

    def grid(self) -> tuple[Floats, Floats, Floats]:
        """The values of both parameters, [x] and [y], and the numbers [y, x]; nan: not computed."""
        table = self.map.pivot(index="second", columns="first", values="number")
        return table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy()


class MapInterrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a map; `found` has the nodes so far."""

    def __init__(self, found: ThresholdMap) -> None:
        super().__init__()
        self.found = found


def threshold_map(
    scenario: Scenario,
    parameters: tuple[str, str],
    query: Query,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    at: float | None = None,
    low: tuple[float | None, float | None] = (None, None),
    high: tuple[float | None, float | None] = (None, None),
    points: int = POINTS,
) -> ThresholdMap:
    """Map where a number is above a level, over two parameters.

    Parameters
    ----------
    scenario
        As loaded.
    parameters
        Their names, two different ones.
    query, at
        As in `threshold`.
    options
        As in `solve`; belief points are by default about half of those of a single solve.
    low, high
        The ends of where each is looked at; by default its range.
    points
        Values of each parameter, at least 4: the square of it is solved.

    Raises
    ------
    ScenarioError
        With everything that is wrong with what was asked, or with the scenario at some node.
    MapInterrupted
        On Ctrl-C, with the nodes that were computed.

    Notes
    -----
    Lines are drawn through a bicubic spline over the nodes (bilinear where a parameter decides
    which states there are, so that the number may jump). Islands smaller than a step of the grid
    can be missed.
    """
    expect(scenario, Scenario, "threshold_map")
    whole("points", points, 1, MOST_VALUES)
    whole("within", query.within, 1)
    finite("at", at)
    for name, end in zip(("low", "low", "high", "high"), (*low, *high), strict=True):
        finite(name, end)
    problems = Problems()
    axes = [
        axis_for(scenario, name, low[k], high[k], problems) for k, name in enumerate(parameters)
    ]
    level = level_for(query, at, problems)
    check_points(points, 4, problems)
    if None not in axes and set(axes[0].names) & set(axes[1].names):  # type: ignore[union-attr]
        message = "a map needs two different parameters"
        problems.add("parameter", "not-together", message)
    quantity = quantity_for(scenario, query, options, parameters, problems)
    first, second = (axis for axis in axes if axis is not None)
    nodes = [(a, b) for b in second.grid(points) for a in first.grid(points)]
    changes = [{**first.at(a), **second.at(b)} for a, b in nodes]
    check_values(quantity, changes)
    beliefs = options.beliefs or _half(quantity)
    per_node = replace(options, beliefs=beliefs, progress=None)
    smooth = not quantity.structural((*first.names, *second.names))
    answers: list[Evaluation] = []
    present = None
    if first.present is not None and second.present is not None:
        present = (first.present, second.present)

    def result(complete: bool) -> ThresholdMap:
        rows = [
            (a, b, answer.number, answer.error, answer.solved)
            for (a, b), answer in zip(nodes, answers, strict=False)
        ]
        table = pd.DataFrame(rows, columns=["first", "second", "number", "error", "solved"])
        found = ThresholdMap(
            scenario=quantity.scenario,
            parameters=(first.name, second.name),
            units=(first.unit, second.unit),
            about=quantity.about,
            kind=query.kind,
            short=quantity.short,
            at=level,
            prefer=query.prefer,
            actor=query.actor,
            present=present,
            map=table,
            contours=(),
            off=math.nan,
            beliefs=beliefs,
            verdict="",
            complete=complete,
        )
        if complete:
            contours, off = _lines(*found.grid(), level, smooth=smooth)
            found = replace(found, contours=contours, off=off)
        return replace(found, verdict=wording.map_verdict(found))

    try:
        for change in changes:
            answers.append(_evaluate(quantity, change, per_node))
            options.report(len(answers) / len(changes))
    except KeyboardInterrupt:
        raise MapInterrupted(result(complete=False)) from None
    return result(complete=True)


def _evaluate(
    quantity: QuantityOfInterest, change: dict[str, float], options: SolveOptions
) -> Evaluation:
    try:
        return quantity.evaluate(change, options)
    except ScenarioError as error:
        where = ", ".join(f"{name} = {value:g}" for name, value in change.items())
        raise ScenarioError(
            replace(one, message=f"with {where}: {one.message}") for one in error.diagnostics
        ) from None


def _half(quantity: QuantityOfInterest) -> int:
    """About half of the belief points of a single solve, odd, and not too few."""
    half = (quantity.default_points() + 1) // 2
    return max(half + 1 - half % 2, *(least_points(game) for game in quantity.games))


def _lines(
    x: Floats, y: Floats, numbers: Floats, level: float, *, smooth: bool
) -> tuple[tuple[Floats, ...], float]:
    """The lines at the level, and how far every second node would have missed the others."""
    off = math.nan
    smooth = smooth and min(x.size, y.size) >= 4
    if smooth and min(x.size, y.size) >= 7 and x.size % 2 and y.size % 2:
        rough = RectBivariateSpline(y[::2], x[::2], numbers[::2, ::2])
        off = float(np.abs(rough(y, x) - numbers).max())
    if smooth:
        spline = RectBivariateSpline(y, x, numbers)
        x, y = _finer(x), _finer(y)
        numbers = spline(y, x)
    lines = contour_generator(x, y, numbers, line_type=LineType.Separate).lines(level)
    return tuple(np.asarray(line, dtype=np.float64) for line in lines), off


def _finer(values: Floats) -> Floats:
    """Each step cut into equal parts."""
    count = values.size - 1
    return np.interp(np.arange(FINER * count + 1) / FINER, np.arange(count + 1), values)
