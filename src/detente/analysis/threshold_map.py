"""`threshold_map`: where in the plane of two parameters a number is above a level."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from contourpy import LineType, contour_generator
from scipy.interpolate import RectBivariateSpline

from detente.analysis import threshold_wording as wording
from detente.analysis.parameter_range import check_values, prepare
from detente.analysis.quantity_of_interest import Evaluation, QuantityOfInterest
from detente.analysis.query import Query
from detente.analysis.threshold_result import Interrupted, ThresholdMap
from detente.dtypes import Floats
from detente.errors import expect
from detente.scenario.model import Scenario
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions, least_points

POINTS = 9
"""Values of each parameter: 81 games are solved."""

FINER = 8
"""Into how many parts a step of the grid is cut before the contour is drawn."""


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
    Interrupted
        On Ctrl-C, with the nodes that were computed.

    Notes
    -----
    Lines are drawn through a bicubic spline over the nodes (bilinear where a parameter decides
    which states there are, so that the number may jump). Islands smaller than a step of the grid
    can be missed.
    """
    expect(scenario, Scenario, "threshold_map")
    ranges = list(zip(parameters, low, high, strict=True))
    quantity, (first, second), level = prepare(scenario, query, options, ranges, at, points)
    nodes = [(a, b) for b in second.grid(points) for a in first.grid(points)]
    changes = [{**first.at(a), **second.at(b)} for a, b in nodes]
    check_values(quantity, changes)
    beliefs = options.beliefs or _half(quantity)
    per_node = replace(options, beliefs=beliefs, progress=None)
    smooth = not quantity.structural((*first.names, *second.names))
    evaluations: list[Evaluation] = []
    present = None
    if first.present is not None and second.present is not None:
        present = (first.present, second.present)

    def result(complete: bool) -> ThresholdMap:
        rows = [
            (*node, evaluation.number, evaluation.error, evaluation.solved)
            for node, evaluation in zip(nodes, evaluations, strict=False)
        ]
        answer = ThresholdMap(
            **quantity.described(level),
            parameters=(first.name, second.name),
            units=(first.unit, second.unit),
            present=present,
            map=pd.DataFrame(rows, columns=["first", "second", "number", "error", "solved"]),
            contours=(),
            off=math.nan,
            beliefs=beliefs,
            complete=complete,
        )
        if complete:
            contours, off = _lines(*answer.grid(), level, smooth=smooth)
            answer = replace(answer, contours=contours, off=off)
        return replace(answer, verdict=wording.map_verdict(answer))

    try:
        for change in changes:
            evaluations.append(quantity.evaluate(change, per_node))
            options.report(len(evaluations) / len(changes))
    except KeyboardInterrupt:
        raise Interrupted(result(complete=False)) from None
    return result(complete=True)


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
