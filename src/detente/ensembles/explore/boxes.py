"""Boxes: a few conditions on quantities, how well they tell the draws that fail from the others,
and two ways of finding them.

PRIM peels a box smaller and smaller (Friedman and Fisher 1999, Statistics and Computing 9(2), 123,
section 9; for scenarios, Bryant and Lempert 2010, Technological Forecasting and Social Change
77(1)): each time the twentieth at one end of one quantity goes that raises the share of failures
the most for each draw that it costs. The box on the way is taken that has the best score. The other
way is a small decision tree, each of whose leaves is a box.

Both search columns of numbers; a variant has one of 0 and 1 for each option (two options, one).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp
from sklearn.tree import DecisionTreeClassifier

from detente.ensembles.explore.tables import mean
from detente.estimation.statistics import wilson

SAME = 0.7
"""Share of the draws in either box that are in both, from which the second tells nothing new."""

SEARCHED = 12
"""Columns that are searched."""

MOST_CONDITIONS = 4
"""Conditions of a box: what a reader can hold in mind."""

WORTH = 0.02
"""What a condition has to add to a box's score."""

MOST_BOXES = 2

PEEL = 0.05
"""Share of a box that is peeled at a time: that of Friedman and Fisher."""

SMALLEST = 0.05
"""Share of the draws in a box, or in a leaf of the tree."""

FEWEST_FAILURES = 5
"""Among the draws outside the boxes found so far, for another one to be looked for."""

DEPTH = 3
"""Of the tree: no more conditions than that."""


@dataclass(frozen=True)
class Condition:
    """A quantity within limits, either of which may be None; or a variant's options."""

    quantity: str
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] | None = None

    def holds(self, inputs: pd.DataFrame) -> np.ndarray:
        """In which draws it holds."""
        column = inputs[self.quantity]
        if self.options is not None:
            outside = ~column.astype(str).isin(self.options)
        else:
            low, high = (np.nan if end is None else end for end in (self.low, self.high))
            outside = (column < low) | (column > high)
        held: np.ndarray = ~outside.to_numpy(bool)
        return held

    @property
    def ends(self) -> int:
        """How many limits it has."""
        return (self.low is not None) + (self.high is not None)

    def __str__(self) -> str:
        if self.options is not None:
            return f"{self.quantity} is {' or '.join(self.options)}"
        if self.low is not None and self.high is not None:
            return f"{self.quantity} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{self.quantity} at least {self.low:g}"
        return f"{self.quantity} at most {self.high:g}"


Conditions = tuple[Condition, ...]


@dataclass(frozen=True)
class Box:
    """A few conditions that hold together, counted in draws in which they were not looked for.

    coverage
        The share of the draws that fail which are in the box, with its interval of 95 %.
    density
        The share of the draws in the box which fail, with its interval.
    inside, fails
        How many draws are in the box, and how many of them fail.
    method
        'PRIM' or 'tree'.
    """

    conditions: Conditions
    coverage: float
    coverage_interval: tuple[float, float]
    density: float
    density_interval: tuple[float, float]
    inside: int
    fails: int
    method: str

    def __str__(self) -> str:
        return " and ".join(str(condition) for condition in self.conditions)


def inside(conditions: Sequence[Condition], inputs: pd.DataFrame) -> np.ndarray:
    """In which draws all conditions hold."""
    held = np.ones(len(inputs), dtype=bool)
    for condition in conditions:
        held &= condition.holds(inputs)
    return held


def counted(conditions: Conditions, inputs: pd.DataFrame, fails: np.ndarray, method: str) -> Box:
    """A box with its coverage and density in these draws."""
    held = inside(conditions, inputs)
    total, hit, failing = int(held.sum()), int((held & fails).sum()), int(fails.sum())
    return Box(
        conditions,
        mean(held[fails]),
        wilson(hit, failing),
        mean(fails[held]),
        wilson(hit, total),
        total,
        hit,
        method,
    )


def alike(one: Conditions, other: Conditions, inputs: pd.DataFrame) -> bool:
    """Whether two boxes hold nearly the same draws."""
    first, second = inside(one, inputs), inside(other, inputs)
    return bool((first & second).sum() >= SAME * (first | second).sum())


def score(conditions: Sequence[Condition], inputs: pd.DataFrame, fails: np.ndarray) -> float:
    """Coverage and density in one number, their harmonic mean."""
    held = inside(conditions, inputs)
    both = held.sum() + fails.sum()
    return float(2 * (held & fails).sum() / both) if both else 0.0


def pruned(conditions: Conditions, inputs: pd.DataFrame, fails: np.ndarray) -> Conditions:
    """Without conditions and limits that hardly matter, and with no more than a reader can hold."""
    while len(conditions) > 1 or any(condition.ends == 2 for condition in conditions):
        fewer = max(_fewer(conditions), key=lambda some: score(some, inputs, fails))
        worth = score(conditions, inputs, fails) - score(fewer, inputs, fails)
        if len(conditions) <= MOST_CONDITIONS and worth > WORTH:
            break
        conditions = fewer
    return conditions


def _fewer(conditions: Conditions) -> Iterator[Conditions]:
    """The same with one condition less, or with one limit instead of two."""
    for k, condition in enumerate(conditions):
        before, after = conditions[:k], conditions[k + 1 :]
        if before or after:
            yield (*before, *after)
        if condition.ends == 2:
            yield (*before, replace(condition, low=None), *after)
            yield (*before, replace(condition, high=None), *after)


def rounded(limit: float, width: float) -> float:
    """A limit with the digits that a reader needs: a hundredth of the quantity's width."""
    return limit if np.isinf(limit) else round(limit, max(int(np.ceil(2 - np.log10(width))), 0))


# ---- what is searched


@dataclass(frozen=True)
class Column:
    """A quantity, or one option of a variant (then 1 where it is chosen)."""

    quantity: str
    values: np.ndarray
    option: str | None = None
    options: tuple[str, ...] = ()

    def condition(self, low: float, high: float) -> Condition | None:
        """Limits on the column as a condition on the quantity; None if they say nothing.

        An infinite one is none.
        """
        least, most = float(self.values.min()), float(self.values.max())
        if self.option is not None:
            if least < low or high < most:
                rest = tuple(option for option in self.options if option != self.option)
                return Condition(self.quantity, options=(self.option,) if least < low else rest)
            return None
        low, high = rounded(low, most - least), rounded(high, most - least)
        above, below = low if low > least else None, high if high < most else None
        return None if above is below is None else Condition(self.quantity, above, below)


def columns_of(inputs: pd.DataFrame, names: Sequence[str], fails: np.ndarray) -> list[Column]:
    """The columns along which draws that fail differ most from the others: with a hundred
    quantities some fit by chance."""
    columns: list[Column] = []
    for name in names:
        if pd.api.types.is_numeric_dtype(inputs[name]):
            columns.append(Column(name, inputs[name].to_numpy(float)))
            continue
        text = inputs[name].astype(str)
        options = tuple(sorted(set(text)))
        for option in options[1:] if len(options) == 2 else options:
            columns.append(Column(name, (text == option).to_numpy(float), option, options))
    columns = [column for column in columns if np.ptp(column.values) > 0]
    if fails.all() or not fails.any():
        return columns[:SEARCHED]
    apart = [
        ks_2samp(column.values[fails], column.values[~fails], method="asymp").statistic
        for column in columns
    ]
    return [columns[k] for k in sorted(np.argsort(apart, kind="stable")[-SEARCHED:])]


def _conditions(columns: list[Column], low: np.ndarray, high: np.ndarray) -> Conditions:
    """Limits on all columns as conditions."""
    sides = map(Column.condition, columns, low.tolist(), high.tolist())
    return tuple(condition for condition in sides if condition is not None)


# ---- two ways of finding boxes


def prim(columns: list[Column], inputs: pd.DataFrame, fails: np.ndarray) -> list[Conditions]:
    """Boxes of PRIM: the next one is looked for in the draws outside those before it."""
    x = np.column_stack([column.values for column in columns])
    boxes: list[Conditions] = []
    left = np.ones(len(fails), dtype=bool)
    while len(boxes) < MOST_BOXES and FEWEST_FAILURES <= fails[left].sum() < left.sum():
        peeled = [_conditions(columns, *limits) for limits in _peeled(x[left], fails[left])]
        if not any(peeled):
            break
        rest, missed = inputs[left], fails[left]
        best = max(filter(None, peeled), key=lambda some: score(some, rest, missed))
        boxes.append(pruned(best, rest, missed))
        left &= ~inside(boxes[-1], inputs)
    return boxes


def _peeled(x: np.ndarray, fails: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Lower and upper limits, float64 [column], of each box on the way; infinite at first."""
    sides = np.hstack([x, -x])  # the upper end of a column is the lower one of its negative
    limits = np.full(sides.shape[1], -np.inf)
    fewest = SMALLEST * len(x)
    while True:
        edges = np.quantile(sides, PEEL, axis=0, method="higher")
        # Where so many are equal at an end, all of them go.
        kept = np.where(edges > sides.min(axis=0), sides >= edges, sides > edges)
        sizes = kept.sum(axis=0)
        shares = fails.astype(float) @ kept / np.maximum(sizes, 1)
        gains = (shares - fails.mean()) / (len(fails) - sizes)
        gains[sizes < fewest] = -np.inf
        best = gains.argmax()
        if sizes[best] < fewest:
            return
        held = kept[:, best]
        limits[best] = sides[held, best].min()
        sides, fails = sides[held], fails[held]
        yield limits[: x.shape[1]].copy(), -limits[x.shape[1] :]


def tree(
    columns: list[Column], inputs: pd.DataFrame, fails: np.ndarray, *, seed: int
) -> list[Conditions]:
    """Leaves of a small tree in which more fail than elsewhere, those with the best score first."""
    x = np.column_stack([column.values for column in columns])
    smallest = max(5, int(np.ceil(SMALLEST * len(fails))))
    model = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=smallest, random_state=seed)
    nodes = model.fit(x, fails).tree_
    scores: dict[Conditions, float] = {}

    def walk(node: int, low: np.ndarray, high: np.ndarray) -> None:
        k = nodes.feature[node]
        if k >= 0:
            side = np.arange(len(low)) == k
            walk(nodes.children_left[node], low, np.where(side, nodes.threshold[node], high))
            walk(nodes.children_right[node], np.where(side, nodes.threshold[node], low), high)
            return
        found = _conditions(columns, low, high)
        if found and mean(fails[inside(found, inputs)]) > fails.mean():
            kept = pruned(found, inputs, fails)
            scores[kept] = score(kept, inputs, fails)

    walk(0, *np.full((2, len(columns)), [[-np.inf], [np.inf]]))
    return sorted(scores, key=lambda some: -scores[some])[:MOST_BOXES]
