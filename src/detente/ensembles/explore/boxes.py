"""Conditions on quantities, and how well they tell the worlds that fail from the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from detente.ensembles.explore import wording
from detente.ensembles.explore.stats import wilson

SAME = 0.7
"""Share of the worlds in either box that are in both, from which the second tells nothing new."""


@dataclass(frozen=True)
class Condition:
    """A quantity within limits, either of which may be None; or a variant's options."""

    quantity: str
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] | None = None

    def holds(self, inputs: pd.DataFrame) -> np.ndarray:
        """In which worlds it holds."""
        column = inputs[self.quantity]
        if self.options is not None:
            within: np.ndarray = column.astype(str).isin(self.options).to_numpy()
            return within
        values = column.to_numpy(float)
        inside = np.ones(values.size, dtype=bool)
        if self.low is not None:
            inside &= values >= self.low
        if self.high is not None:
            inside &= values <= self.high
        return inside

    @property
    def ends(self) -> int:
        """How many limits it has."""
        return (self.low is not None) + (self.high is not None)

    def __str__(self) -> str:
        return wording.condition(self.quantity, self.low, self.high, self.options)


@dataclass(frozen=True)
class Box:
    """A few conditions that hold together, counted in worlds in which they were not looked for.

    coverage
        The share of the worlds that fail which are in the box, with its interval of 95 %.
    density
        The share of the worlds in the box which fail, with its interval.
    inside, fails
        How many worlds are in the box, and how many of them fail.
    method
        'PRIM' or 'tree'.
    """

    conditions: tuple[Condition, ...]
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
    """In which worlds all conditions hold."""
    held = np.ones(len(inputs), dtype=bool)
    for condition in conditions:
        held &= condition.holds(inputs)
    return held


def counted(
    conditions: Sequence[Condition], inputs: pd.DataFrame, fails: np.ndarray, method: str
) -> Box:
    """A box with its coverage and density in these worlds."""
    held = inside(conditions, inputs)
    total, hit, all_fails = int(held.sum()), int((held & fails).sum()), int(fails.sum())
    return Box(
        tuple(conditions),
        hit / all_fails if all_fails else float("nan"),
        wilson(hit, all_fails),
        hit / total if total else float("nan"),
        wilson(hit, total),
        total,
        hit,
        method,
    )


def alike(one: Sequence[Condition], other: Sequence[Condition], inputs: pd.DataFrame) -> bool:
    """Whether two boxes hold nearly the same worlds."""
    first, second = inside(one, inputs), inside(other, inputs)
    both = (first | second).sum()
    return bool((first & second).sum() >= SAME * both)


def score(conditions: Sequence[Condition], inputs: pd.DataFrame, fails: np.ndarray) -> float:
    """Coverage and density in one number, their harmonic mean."""
    held = inside(conditions, inputs)
    both = held.sum() + fails.sum()
    return float(2 * (held & fails).sum() / both) if both else 0.0


def pruned(
    conditions: Sequence[Condition],
    inputs: pd.DataFrame,
    fails: np.ndarray,
    *,
    most: int,
    cost: float,
) -> tuple[Condition, ...]:
    """Without conditions and limits that hardly matter: each is to be worth `cost` of the score."""
    kept = tuple(conditions)
    while len(kept) > 1 or any(one.ends == 2 for one in kept):
        fewer = list(_fewer(kept))
        now = score(kept, inputs, fails)
        reached = [score(one, inputs, fails) for one in fewer]
        least = int(np.argmax(reached))
        if len(kept) <= most and reached[least] < now - cost:
            break
        kept = fewer[least]
    return kept


def _fewer(conditions: tuple[Condition, ...]) -> Iterator[tuple[Condition, ...]]:
    """The same with one condition less, or with one limit instead of two."""
    for k, one in enumerate(conditions):
        others = conditions[:k], conditions[k + 1 :]
        if len(conditions) > 1:
            yield (*others[0], *others[1])
        if one.ends == 2:
            yield (*others[0], replace(one, low=None), *others[1])
            yield (*others[0], replace(one, high=None), *others[1])


def rounded(low: float | None, high: float | None, width: float) -> tuple[float | None, ...]:
    """Limits with the digits that a reader needs: a hundredth of the quantity's width."""
    digits = int(np.ceil(2 - np.log10(width))) if width > 0 else 6
    digits = max(digits, 0)
    return tuple(None if end is None else round(end, digits) for end in (low, high))
