"""Which assumptions decide an answer over all their ranges at once, from the worlds at hand.

Two indices that need no special design of draws, and therefore cope with worlds left out:

- S1, the first-order share of the variance that a quantity explains by itself, from the means of
  the answer in slices of the quantity (Plischke, Borgonovo and Smith 2013, European Journal of
  Operational Research 226(3), eq. 7), with a bootstrap interval;
- PAWN, the median distance (Kolmogorov-Smirnov) between the distribution of the answer in a slice
  and that over all worlds (Pianosi and Wagener 2018, Environmental Modelling & Software 108). It
  also sees a quantity that widens or skews the answer and leaves its mean alone.

Both are above zero also for a quantity that means nothing, the more so the fewer the worlds. What
that amounts to is measured by dummies, random orders of the worlds: an index counts if it is three
standard deviations above their mean. From S1 the mean m of the dummies is taken out as from an
adjusted R²: (S1 - m) / (1 - m).

SALib computes both. It estimates S1 from one resample of the worlds, which is noisy: the mean of
several is used. It sees ranks, with ties broken at random: slices are then equally full for
variants and whole numbers too, of which it would leave out the highest value. Where a slice cuts
across two options, the S1 of a variant is somewhat too small.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from SALib.analyze import delta, pawn
from scipy.stats import rankdata

from detente.ensembles.explore.questions import Question
from detente.ensembles.explore.stats import CONFIDENCE, table

FEWEST = 40
"""Worlds without which nothing is ranked: two slices of 20."""

MOST = 5_000
"""Worlds that are used: more would take long, and indices are known to a hundredth with these."""

SLICE = 20
"""Worlds in a slice at least; the distance of distributions means little with fewer."""

SLICES = 10
"""Slices at most, the usual number."""

DUMMIES = 40
"""Quantities that mean nothing: enough to know their standard deviation to a tenth."""

DEVIATIONS = 3.0
"""Above the mean of the dummies from which an index counts: with a hundred quantities that mean
nothing, about one is taken for something."""

RESAMPLES = 40
"""For the interval of S1, whose width they give to a tenth."""

REPEATS = 8
"""Estimates of S1 whose mean is used."""

TOGETHER = 0.2
"""Rank correlation from which two quantities are said to share their effect."""

COLUMNS = ["quantity", "s1", "s1_conf", "pawn", "counts", "direction", "shares_with"]


@dataclass(frozen=True, eq=False)
class Influence:
    """What decides an answer.

    question
        The answer.
    table
        `quantity, s1, s1_conf, pawn, counts, direction, shares_with`, the most influential first.
        `s1_conf` is half of the interval of 95 %; `counts` whether one of the indices is beyond its
        floor; `direction` is the rank correlation with the answer, missing for variants;
        `shares_with` are quantities that are correlated with this one, by name: their effects
        cannot be told apart from these worlds alone.
    s1_floor, pawn_floor
        What an index of a quantity that means nothing hardly ever exceeds.
    worlds, left_out
        With how many worlds (a sample of them, where there are very many), and how many were not
        solved.
    note
        Why there is no table, or ''.
    """

    question: Question
    table: pd.DataFrame
    s1_floor: float
    pawn_floor: float
    worlds: int
    left_out: int
    note: str = ""

    def __repr__(self) -> str:
        if self.note:
            return f"<Influence on {self.question.about}: {self.note}>"
        kept = self.table[self.table["counts"]]
        first = ", ".join(f"{r.quantity} {r.s1:.0%}" for r in kept.head(3).itertuples())
        return f"<Influence on {self.question.about}, {self.worlds} worlds: {first or 'noise'}>"


def influence(question: Question, inputs: pd.DataFrame, *, seed: int) -> Influence:
    """Rank the quantities by what they decide.

    Parameters
    ----------
    question
        The answer in each world.
    inputs
        By draw, a column for each quantity; text for variants.
    seed
        Of ties, dummies and resamples.
    """
    rng = np.random.default_rng([seed, 1])
    values = question.values
    if len(values) > MOST:
        values = values.iloc[np.sort(rng.choice(len(values), MOST, replace=False))]
    x = codes(inputs.loc[values.index])
    y = values.to_numpy(float)
    nothing = Influence(question, table([], COLUMNS), np.nan, np.nan, len(y), question.left_out)
    note = ""
    if len(y) < FEWEST:
        note = f"{len(y)} worlds are too few to rank assumptions; it takes {FEWEST}"
    elif not x.columns.size:
        note = "nothing was drawn"
    elif np.ptp(y) <= 1e-12 * max(1.0, float(np.abs(y).max())):
        note = "it is the same in all worlds"
    if note:
        return Influence(**{**nothing.__dict__, "note": note})
    ranks = np.column_stack(
        [_ranks(column, rng) for column in x.to_numpy(float).T]
        + [rng.permutation(len(y)).astype(float) for _ in range(DUMMIES)]
    )
    real = x.shape[1]
    s1, distance = _indices(ranks, y, seed)
    conf = _intervals(ranks[:, :real], y, seed)
    bias = s1[real:].mean()
    s1 = (s1 - bias) / (1 - bias)
    s1_floor, pawn_floor = _floor(s1[real:]), _floor(distance[real:])
    shares = _together(x)
    order_of_y = rankdata(y)
    rows: list[dict[str, object]] = []
    for k, name in enumerate(x.columns):
        variant = not pd.api.types.is_numeric_dtype(inputs[name])
        slope = np.nan if variant else np.corrcoef(rankdata(x[name]), order_of_y)[0, 1]
        rows.append(
            {
                "quantity": name,
                "s1": float(s1[k]),
                "s1_conf": float(conf[k]),
                "pawn": float(distance[k]),
                "counts": bool(s1[k] > s1_floor or distance[k] > pawn_floor),
                "direction": float(slope),
                "shares_with": shares[name],
            }
        )
    ranked = table(rows, COLUMNS).sort_values(
        ["counts", "s1", "pawn"], ascending=False, kind="stable", ignore_index=True
    )
    return Influence(question, ranked, s1_floor, pawn_floor, len(y), question.left_out)


def codes(inputs: pd.DataFrame) -> pd.DataFrame:
    """Quantities as numbers, variants as 0, 1, …; what is the same in all worlds is left out."""
    told = {}
    for name in inputs.columns:
        column = inputs[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(float)
        else:
            values = pd.factorize(column.astype(str), sort=True)[0].astype(float)
        if len(values) and np.isfinite(values).all() and np.ptp(values) > 0:
            told[str(name)] = values
    return pd.DataFrame(told, index=inputs.index)


def _ranks(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ranks from 0, ties in random order."""
    order = np.lexsort((rng.random(values.size), values))
    ranks = np.empty(values.size)
    ranks[order] = np.arange(values.size)
    return ranks


def _problem(x: np.ndarray) -> dict[str, Any]:
    names = [f"x{k}" for k in range(x.shape[1])]
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, float(len(x))]] * len(names)}


def _indices(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """S1 and PAWN of each column."""
    problem = _problem(x)
    with _undisturbed():
        first = [
            delta.analyze(problem, x, y, num_resamples=2, method="sobol", seed=one)["S1"]
            for one in _seeds(seed, REPEATS)
        ]
        distance = pawn.analyze(problem, x, y, S=_slices(y.size))["median"]
    return np.mean(first, axis=0), np.asarray(distance)


def _slices(worlds: int) -> int:
    """As many slices as the worlds fill, of numbers that SALib can count.

    It counts their ends as `arange(0, 1 + 1 / S, 1 / S)`, of which rounding puts one above 1 for
    some numbers, 6 for one, and that it refuses.
    """
    most = int(np.clip(worlds // SLICE, 2, SLICES))
    return next(s for s in range(most, 0, -1) if np.arange(0, 1 + 1 / s, 1 / s)[-1] <= 1)


def _intervals(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Half of the interval of S1 of each column."""
    options = {"num_resamples": RESAMPLES, "conf_level": CONFIDENCE, "method": "sobol"}
    with _undisturbed():
        told = delta.analyze(_problem(x), x, y, **options, seed=_seeds(seed, REPEATS + 1)[-1])
    return np.asarray(told["S1_conf"])


def _seeds(seed: int, number: int) -> list[int]:
    """Seeds for SALib, which takes 0 for none."""
    state = np.random.SeedSequence([seed, 2]).generate_state(number)
    return [int(one) // 2 + 1 for one in state]


def _floor(dummies: np.ndarray) -> float:
    return float(dummies.mean() + DEVIATIONS * dummies.std(ddof=1))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Give back what SALib changes for the whole process: NumPy's global generator and warnings."""
    state = np.random.get_state()  # noqa: NPY002 (SALib knows no other)
    written = warnings.formatwarning
    try:
        with warnings.catch_warnings(record=True):
            yield
    finally:
        warnings.formatwarning = written
        np.random.set_state(state)  # noqa: NPY002


def _together(x: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """For each quantity, those with which it is correlated beyond chance."""
    names = list(x.columns)
    if len(names) < 2:
        return dict.fromkeys(names, ())
    rank = np.corrcoef(np.column_stack([rankdata(x[name]) for name in names]).T)
    # Four standard errors: with a hundred quantities there are thousands of pairs.
    limit = max(TOGETHER, 4 / np.sqrt(len(x)))
    return {
        name: tuple(other for j, other in enumerate(names) if j != k and abs(rank[k, j]) > limit)
        for k, name in enumerate(names)
    }
