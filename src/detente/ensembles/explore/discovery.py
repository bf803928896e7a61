"""Scenario discovery: the few conditions under which something fails.

Conditions are looked for in one half of the worlds and counted in the other, so that what is told
is not what happened to fit. Two ways of looking: PRIM, which peels a box smaller and smaller
(Friedman and Fisher 1999, Statistics and Computing 9(2); for scenarios, Bryant and Lempert 2010,
Technological Forecasting and Social Change 77(1)), and a small decision tree. Where more worlds
fail than not, the conditions are those under which it does not fail: the rarer side is the one that
a few conditions can tell. Only the quantities
are searched along which the worlds that fail differ most from the others: with a hundred
quantities some fit by chance.

Variants are given to both as one column of 0 and 1 for each option. (The package's PRIM breaks on
text; two options need one column.)
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from prim import Prim
from scipy.stats import ks_2samp
from sklearn.tree import DecisionTreeClassifier

from detente.ensembles.explore.boxes import (
    Box,
    Condition,
    alike,
    counted,
    inside,
    pruned,
    rounded,
    score,
)
from detente.ensembles.explore.influence import codes
from detente.ensembles.explore.stats import wilson
from detente.numbers import percent

FEWEST = 60
"""Worlds without which nothing is looked for: half of them have to find, half to count."""

RAREST = 10
"""Worlds that fail, and that do not, without which nothing is looked for."""

SEARCHED = 12
"""Quantities that are searched."""

MOST_CONDITIONS = 4
"""Conditions of a box: what a reader can hold in mind."""

WORTH = 0.02
"""What a condition has to add to a box's score."""

WORTH_TELLING = 0.4
"""Of the best box's gain, coverage times density above the base, below which one is not told."""

MOST_BOXES = 2
SMALLEST = 0.05
"""Share of the worlds in a box, or in a leaf of the tree."""

DEPTH = 3
"""Of the tree: no more conditions than that."""


@dataclass(frozen=True, eq=False)
class Discovery:
    """Where something fails.

    about
        What fails, in words.
    rarer
        Which worlds the boxes are about: those that `fail`, or those that `do not fail` where these
        are fewer. Their coverage and density are those of these worlds.
    policy
        Under which policy; None where that is of no account.
    base, base_interval
        The share of all worlds that fail.
    worlds, left_out
        How many worlds were looked at, and how many were not solved.
    counted
        In how many of them the boxes were counted: those in which they were not looked for.
    boxes
        The most telling first; in each the rarer worlds are denser than elsewhere beyond chance.
    note
        Why there are none, or ''.
    """

    about: str
    rarer: str
    policy: str | None
    base: float
    base_interval: tuple[float, float]
    worlds: int
    left_out: int
    counted: int
    boxes: tuple[Box, ...]
    note: str = ""

    def __repr__(self) -> str:
        where = "; ".join(f"{box}: {quality(box, self.rarer)}" for box in self.boxes) or self.note
        return f"<Discovery, {self.about}: {percent(self.base)} of worlds. {where}>"

    @property
    def table(self) -> pd.DataFrame:
        """`box, method, quantity, low, high, options, coverage, density, …`: a row a condition."""
        rows = [
            {
                "box": k,
                "method": box.method,
                "quantity": one.quantity,
                "low": one.low,
                "high": one.high,
                "options": " or ".join(one.options or ()),
                "coverage": box.coverage,
                "coverage_low": box.coverage_interval[0],
                "coverage_high": box.coverage_interval[1],
                "density": box.density,
                "density_low": box.density_interval[0],
                "density_high": box.density_interval[1],
                "inside": box.inside,
                "fails": box.fails,
            }
            for k, box in enumerate(self.boxes, start=1)
            for one in box.conditions
        ]
        head = ["box", "method", "quantity", "low", "high", "options", "coverage", "coverage_low"]
        rest = ["coverage_high", "density", "density_low", "density_high", "inside", "fails"]
        return pd.DataFrame(rows, columns=[*head, *rest])


def quality(box: Box, rarer: str) -> str:
    """How good a box is, in words."""
    return (
        f"{percent(box.coverage)} of the worlds that {rarer} are here, and "
        f"{percent(box.density)} of those here {rarer}"
    )


def discover(
    fails: pd.Series,
    inputs: pd.DataFrame,
    about: str,
    *,
    seed: int,
    policy: str | None = None,
    left_out: int = 0,
) -> Discovery:
    """Find where something fails.

    Parameters
    ----------
    fails
        By draw, whether the world fails; only worlds that were solved.
    inputs
        By draw, a column for each quantity; text for variants.
    about, policy, left_out
        As those of `Discovery`.
    seed
        Of the halves, and of ties in the tree.
    """
    bad = fails.to_numpy(bool)
    mine = inputs.loc[fails.index]
    total, failing = len(bad), int(bad.sum())
    share = failing / total if total else float("nan")
    rarer = "do not fail" if 2 * failing > total else "fail"
    interval = wilson(failing, total)
    empty = Discovery(about, rarer, policy, share, interval, total, left_out, 0, ())
    wanted = bad if rarer == "fail" else ~bad
    drawn = codes(mine)
    note = ""
    if total < FEWEST:
        note = f"{total} worlds are too few to look for conditions; it takes {FEWEST}"
    elif failing < RAREST or total - failing < RAREST:
        few = min(failing, total - failing)
        one = few == 1
        what = "fail" if failing == few else "do not fail"
        if one:
            what = "fails" if failing == few else "does not fail"
        worlds = "1 world" if one else f"{few or 'no'} worlds"
        note = f"{worlds} {what}: too few to look for conditions"
    elif drawn.empty:
        note = "nothing was drawn"
    if note:
        return replace(empty, note=note)
    order = np.random.default_rng([seed, 3]).permutation(total)
    first, second = np.sort(order[: total // 2]), np.sort(order[total // 2 :])
    here, there = mine.iloc[first], mine.iloc[second]
    columns = _columns(here, drawn.columns, wanted[first])
    base = wanted[second].mean()
    boxes: list[Box] = []
    for method, look in (("PRIM", _prim), ("tree", _tree)):
        for conditions in look(columns, here, wanted[first], seed):
            box = counted(conditions, there, wanted[second], method)
            same = any(alike(conditions, other.conditions, there) for other in boxes)
            if box.fails and box.density_interval[0] > base and not same:
                boxes.append(box)
    boxes.sort(key=lambda box: -box.coverage * (box.density - base))
    gains = [box.coverage * (box.density - base) for box in boxes]
    told = [
        box for box, gain in zip(boxes, gains, strict=True) if gain >= WORTH_TELLING * max(gains)
    ]
    note = "" if boxes else "no conditions were found that hold in the other half of the worlds"
    return replace(empty, counted=len(second), boxes=tuple(told), note=note)


# ---- columns of numbers


@dataclass(frozen=True)
class _Column:
    """What is searched: a quantity, or one option of a variant (then 1 where it is chosen)."""

    quantity: str
    values: np.ndarray
    option: str | None = None
    options: tuple[str, ...] = ()

    def condition(self, low: float | None, high: float | None) -> Condition | None:
        """Limits on the column as a condition on the quantity; None if they say nothing."""
        if self.option is not None:
            if low is not None and low > 0:
                return Condition(self.quantity, options=(self.option,))
            if high is not None and high < 1:
                rest = tuple(one for one in self.options if one != self.option)
                return Condition(self.quantity, options=rest)
            return None
        low, high = rounded(low, high, float(np.ptp(self.values)))
        lowest, highest = float(self.values.min()), float(self.values.max())
        low = None if low is None or low <= lowest else low
        high = None if high is None or high >= highest else high
        return None if low is None and high is None else Condition(self.quantity, low, high)


def _columns(inputs: pd.DataFrame, names: pd.Index, fails: np.ndarray) -> list[_Column]:
    """The columns along which worlds that fail differ most from the others."""
    found: list[_Column] = []
    for name in names:
        column = inputs[name]
        if pd.api.types.is_numeric_dtype(column):
            found.append(_Column(name, column.to_numpy(float)))
            continue
        text = column.astype(str)
        options = tuple(sorted(set(text)))
        for option in options[1:] if len(options) == 2 else options:
            chosen = (text == option).to_numpy(float)
            found.append(_Column(name, chosen, option, options))
    found = [one for one in found if np.ptp(one.values) > 0]
    apart = [
        ks_2samp(one.values[fails], one.values[~fails], method="asymp").statistic
        if fails.any() and not fails.all()
        else 0.0
        for one in found
    ]
    best = np.argsort(apart, kind="stable")[::-1][:SEARCHED]
    return [found[k] for k in sorted(best)]


# ---- the two ways of looking


def _prim(
    columns: list[_Column], inputs: pd.DataFrame, fails: np.ndarray, seed: int
) -> list[tuple[Condition, ...]]:
    """Boxes of PRIM: the next one is looked for in the worlds outside those before it."""
    del seed  # nothing is drawn
    found: list[tuple[Condition, ...]] = []
    left = np.ones(len(fails), dtype=bool)
    while len(found) < MOST_BOXES and fails[left].sum() >= RAREST / 2 and not fails[left].all():
        x = pd.DataFrame({f"x{k}": one.values[left] for k, one in enumerate(columns)})
        x = x.loc[:, np.ptp(x.to_numpy(), axis=0) > 0]
        if x.empty:
            break
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            box = Prim(x, fails[left], mass_min=SMALLEST).find_box()
        conditions = _best_of(box, columns, inputs[left], fails[left])
        if not conditions:
            break
        found.append(conditions)
        left &= ~inside(conditions, inputs)
    return found


def _best_of(
    box: object, columns: list[_Column], inputs: pd.DataFrame, fails: np.ndarray
) -> tuple[Condition, ...]:
    """The box on the way of peeling with the best score, without what hardly matters.

    The package leaves the choice to a person at a plot, who weighs coverage against density; their
    harmonic mean does it here.
    """
    best: tuple[float, tuple[Condition, ...]] = (0.0, ())
    whole = {f"x{k}": (one.values.min(), one.values.max()) for k, one in enumerate(columns)}
    for limits in box._box_lims:  # type: ignore[attr-defined]  # its public door costs seconds
        conditions = []
        for name in limits.dtype.names:
            low, high = float(limits[name][0]), float(limits[name][1])
            one = columns[int(name[1:])].condition(
                low if low > whole[name][0] else None, high if high < whole[name][1] else None
            )
            if one is not None:
                conditions.append(one)
        reached = score(conditions, inputs, fails) if conditions else 0.0
        if reached > best[0]:
            best = reached, tuple(conditions)
    if not best[1]:
        return ()
    return pruned(best[1], inputs, fails, most=MOST_CONDITIONS, cost=WORTH)


def _tree(
    columns: list[_Column], inputs: pd.DataFrame, fails: np.ndarray, seed: int
) -> list[tuple[Condition, ...]]:
    """Leaves of a small tree in which more fail than elsewhere, those with the most first."""
    x = np.column_stack([one.values for one in columns])
    smallest = max(5, int(np.ceil(SMALLEST * len(fails))))
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=smallest, random_state=seed)
    inner = tree.fit(x, fails).tree_
    found: list[tuple[float, tuple[Condition, ...]]] = []

    def walk(node: int, limits: dict[int, tuple[float | None, float | None]]) -> None:
        k = int(inner.feature[node])
        if k < 0:
            sides = (columns[j].condition(*ends) for j, ends in limits.items())
            conditions = tuple(one for one in sides if one is not None)
            if conditions and _denser(conditions, inputs, fails):
                kept = pruned(conditions, inputs, fails, most=MOST_CONDITIONS, cost=WORTH)
                found.append((score(kept, inputs, fails), kept))
            return
        at = float(inner.threshold[node])
        low, high = limits.get(k, (None, None))
        walk(int(inner.children_left[node]), {**limits, k: (low, at)})
        walk(int(inner.children_right[node]), {**limits, k: (at, high)})

    walk(0, {})
    found.sort(key=lambda one: -one[0])
    return list(dict.fromkeys(conditions for _, conditions in found))[:MOST_BOXES]


def _denser(conditions: tuple[Condition, ...], inputs: pd.DataFrame, fails: np.ndarray) -> bool:
    box = counted(conditions, inputs, fails, "tree")
    return box.inside > 0 and box.density > fails.mean()
