"""What a number is at both ends of an assumption's range: solved there, not judged by a slope.

A derivative times a range says what the range is worth only where the number goes on as it does at
the present value. A quantal response saturates, so that often it does not: a slope of 61 points may
stand where the ends lie 37 points apart, or two.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from detente.analysis.quantity_of_interest import QuantityOfInterest
from detente.analysis.query import Query, check_query
from detente.analysis.sensitivity import Sensitivity, ranked
from detente.arguments import MOST_VALUES, whole
from detente.errors import ScenarioError, expect
from detente.solver.aside import side_by_side
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions

BENDS = 0.25
"""Share of the larger by which the ends' difference and the slope's promise may disagree; beyond
it the number bends. A quarter would change the order of assumptions that are named one by one."""

ENDS = ("low", "high")

NEGLIGIBLE = 0.02
"""Difference below which a bend of a probability is not spoken of: what is written has whole
points."""


def solve_ends(
    result: Sensitivity, query: Query, options: SolveOptions = DEFAULT_OPTIONS, *, most: int
) -> Sensitivity:
    """Solve anew at both ends of the ranges that seem to be worth most.

    Parameters
    ----------
    result
        As `sensitivity` gave it for the query.
    query
        The number: that of the result.
    options
        As in `solve`. The belief points may be fewer than those of the result, for speed: ends and
        present value are then compared on this grid.
    most
        How many assumptions, those with the largest |swing|.

    Returns
    -------
    Sensitivity
        With `at_low`, `at_high`, `worth` and `shape` for these, and ranked by |worth| where it is
        known. An end at which the scenario is not well formed is missing, and `note` says so.
    """
    expect(result, Sensitivity, "solve_ends")
    whole("most", most, 0, MOST_VALUES)
    game = result.solution.game
    check_query(game, query)
    quantity = QuantityOfInterest((game,), query, result.about, "")
    table = result.table.copy()
    wanted = table.index[table["swing"].abs() > 0][:most]
    names = [str(table.at[row, "parameter"]) for row in wanted]
    ends = [(row, name, end) for row, name in zip(wanted, names, strict=True) for end in ENDS]
    values: list[dict[str, float]] = [{name: float(table.at[row, end])} for row, name, end in ends]

    def number(values: dict[str, float], options: SolveOptions) -> float:
        try:
            return quantity.evaluate(values, options, coarse=False).number
        except ScenarioError:
            return np.nan

    tasks = [partial(number, each) for each in ([{}, *values] if values else [])]
    numbers = side_by_side(tasks, options, options.memory(game, coarse=False))
    present = numbers[0] if numbers else np.nan
    for (row, _, end), there in zip(ends, numbers[1:], strict=True):
        table.at[row, f"at_{end}"] = there
        if np.isnan(there):
            table.at[row, "note"] = f"the scenario is not well formed at the {end} end"
    for row in wanted:
        low, high = table.at[row, "at_low"], table.at[row, "at_high"]
        table.at[row, "worth"] = high - low
        floor = NEGLIGIBLE if result.kind == "probability" else 0.0
        table.at[row, "shape"] = _shape(low, present, high, table.at[row, "swing"], floor)
    return replace(result, table=ranked(table))


def _shape(low: float, present: float, high: float, swing: float, floor: float) -> str:
    """'turns' where the present value is beyond both ends, 'bends' where the slope misleads."""
    if min(present - low, present - high) > floor or min(low - present, high - present) > floor:
        return "turns"
    worth = high - low
    gap = abs(worth - swing)
    return "bends" if gap > max(BENDS * max(abs(worth), abs(swing)), floor) else ""
