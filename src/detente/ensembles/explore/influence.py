"""Which assumptions decide an answer over all their ranges at once, from the draws at hand.

Two indices that need no special design of draws, and therefore cope with draws left out:

- S1, the first-order share of the variance that a quantity explains by itself: the adjusted R² of
  the answer regressed on it, by a linear spline between its quantiles; of a quantity with few
  values, by their means. Means of slices (Plischke, Borgonovo and Smith 2013, European Journal of
  Operational Research 226(3), eq. 7) leave out what the answer changes within a slice: a ninth of
  the variance of a straight line with three of them. The spline follows it, and the degrees of
  freedom take out what it fits by chance. The interval is of the bootstrap, together with twice
  what half as many knots would change: it shows where the answer bends between two knots;
- PAWN, the median over equally full slices of the largest distance (Kolmogorov-Smirnov) between
  the distribution of the answer in a slice and that over all draws (Pianosi and Wagener 2015,
  Environmental Modelling & Software 67; of any sample 2018, the same 108). It also sees a quantity
  that widens or skews the answer and leaves its mean alone.

Neither is zero for a quantity that means nothing, the less so the fewer the draws. What that
amounts to is measured by dummies, random orders of the draws: an index counts if it is three
standard deviations above their mean. Ties are broken at random for PAWN, so that its slices are
equally full for variants and whole numbers too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from detente.ensembles.explore.question import Question
from detente.estimation.statistics import CENTRAL

FEWEST = 40
"""Draws without which nothing is ranked: two slices of 20."""

MOST = 5_000
"""Draws that are used: more would take long, and indices are known to a hundredth with these."""

SLICE = 20
"""Draws in a slice of PAWN at least; the distance of distributions means little with fewer."""

SLICES = 10
"""Slices of PAWN at most, the usual number."""

MOST_CLASSES = 48
"""Of S1 at most, as Plischke, Borgonovo and Smith have it for slices."""

DUMMIES = 40
"""Quantities that mean nothing: enough to know their standard deviation to a tenth."""

DEVIATIONS = 3.0
"""Above the mean of the dummies from which an index counts: with a hundred quantities that mean
nothing, about one is taken for something."""

RESAMPLES = 40
"""For the interval of S1, whose width they give to a tenth."""

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
        cannot be told apart from these draws alone.
    s1_floor, pawn_floor
        What an index of a quantity that means nothing hardly ever exceeds.
    draws, left_out
        With how many draws (a sample of them, where there are very many), and how many were not
        solved.
    note
        Why there is no table, or ''.
    """

    question: Question
    table: pd.DataFrame
    s1_floor: float
    pawn_floor: float
    draws: int
    left_out: int
    note: str = ""

    def __repr__(self) -> str:
        if self.note:
            return f"<Influence on {self.question.about}: {self.note}>"
        kept = self.table[self.table["counts"]]
        first = ", ".join(f"{r.quantity} {r.s1:.0%}" for r in kept.head(3).itertuples())
        return f"<Influence on {self.question.about}, {self.draws} draws: {first or 'noise'}>"


def influence(question: Question, inputs: pd.DataFrame, *, seed: int) -> Influence:
    """Rank the quantities by what they decide.

    Parameters
    ----------
    question
        The answer in each draw.
    inputs
        By draw, a column for each quantity; text for variants.
    seed
        Of ties, dummies and resamples.
    """
    rng = np.random.default_rng([seed, 1])
    values = question.values
    if len(values) > MOST:
        values = values.iloc[np.sort(rng.choice(len(values), MOST, replace=False))]
    x, y = codes(inputs.loc[values.index]), values.to_numpy(float)
    empty = pd.DataFrame(columns=COLUMNS)
    nothing = Influence(question, empty, np.nan, np.nan, len(y), question.left_out)
    if len(y) < FEWEST:
        note = f"{len(y)} draws are too few to rank assumptions; it takes {FEWEST}"
        return replace(nothing, note=note)
    if x.empty:
        return replace(nothing, note="nothing was drawn")
    if np.ptp(y) <= 1e-12 * max(1.0, float(np.abs(y).max())):
        return replace(nothing, note="it is the same in all draws")
    ranked = np.column_stack([rankdata(column) for column in x.to_numpy(float).T])
    orders = np.column_stack(
        [np.lexsort((rng.random(len(y)), column)) for column in ranked.T]
        + [rng.permutation(len(y)) for _ in range(DUMMIES)]
    )
    n = x.shape[1]
    pawn = _pawn(orders, y)
    s1, s1_conf = _first_orders(x.to_numpy(float), y, rng)
    knots, all_once = _knots(len(y)), np.ones(len(y))
    noise = [_first_order(_basis(d + 1.0, knots), y, all_once) for d in orders[:, n:].T]
    s1_floor, pawn_floor = _floor(np.array(noise)), _floor(pawn[n:])
    numeric = [pd.api.types.is_numeric_dtype(inputs[name]) for name in x.columns]
    slopes = np.corrcoef(ranked.T, rankdata(y))[-1, :-1]
    table = pd.DataFrame(
        {
            "quantity": x.columns,
            "s1": s1,
            "s1_conf": s1_conf,
            "pawn": pawn[:n],
            "counts": (s1 > s1_floor) | (pawn[:n] > pawn_floor),
            "direction": np.where(numeric, slopes, np.nan),
            "shares_with": _together(ranked, x.columns),
        }
    ).sort_values(["counts", "s1", "pawn"], ascending=False, kind="stable", ignore_index=True)
    return replace(nothing, table=table, s1_floor=s1_floor, pawn_floor=pawn_floor)


def codes(inputs: pd.DataFrame) -> pd.DataFrame:
    """Quantities as numbers, variants as 0, 1, …; what is the same in all draws is left out."""
    numbers = {}
    for name in inputs.columns:
        column = inputs[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(float)
        else:
            values = pd.factorize(column.astype(str), sort=True)[0].astype(float)
        if len(values) and np.isfinite(values).all() and np.ptp(values) > 0:
            numbers[str(name)] = values
    return pd.DataFrame(numbers, index=inputs.index)


def _first_order(basis: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """S1 from a basis of functions of one quantity, float64 [draw, p], whose sum is 1; draw i
    counts `weights[i]` times."""
    n, weighted = weights.sum(), weights[:, None] * basis
    # Of a knot that no draw is near nothing is known, and nothing is needed.
    ridge = 1e-9 * n * np.eye(basis.shape[1])
    fitted = basis @ np.linalg.solve(weighted.T @ basis + ridge, weighted.T @ y)
    mean = weights @ y / n
    within = weights @ (y - fitted) ** 2 / (n - basis.shape[1])
    return float(1.0 - within * (n - 1) / (weights @ (y - mean) ** 2))


def _knots(n: int) -> int:
    """Knots of S1 with n draws: twice the classes of Plischke, Borgonovo and Smith (2013)."""
    return 2 * min(int(np.ceil(n ** (2 / (7 + np.tanh((1500 - n) / 500))))), MOST_CLASSES)


def _basis(x: np.ndarray, knots: int) -> np.ndarray:
    """Hat functions of a quantity, between its quantiles; of a few values, which one it is."""
    values, code = np.unique(x, return_inverse=True)
    if values.size <= knots:
        return np.asarray(np.eye(values.size)[code])
    at = np.unique(np.quantile(x, np.linspace(0, 1, knots)))
    return np.column_stack([np.interp(x, at, hat) for hat in np.eye(at.size)])


def _first_orders(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """S1 of quantities, float64 [draw, quantity], and half of its interval."""
    knots, all_once = _knots(len(y)), np.ones(len(y))
    resamples = rng.multinomial(len(y), all_once / len(y), RESAMPLES).astype(float)
    shares, half = [], []
    for column in x.T:
        fine, rough = _basis(column, knots), _basis(column, knots // 2)
        share = _first_order(fine, y, all_once)
        chance = np.std([_first_order(fine, y, weights) for weights in resamples], ddof=1)
        # At a jump what is missed is in proportion to the knots' distance.
        bent = 2.0 * (share - _first_order(rough, y, all_once))
        shares.append(np.clip(share, 0.0, 1.0))
        half.append(np.hypot(CENTRAL * chance, bent))
    return np.array(shares), np.array(half)


def _pawn(orders: np.ndarray, y: np.ndarray) -> np.ndarray:
    """PAWN of quantities that sort the draws like this, int [draw, quantity]."""
    n, slices = len(y), int(np.clip(len(y) // SLICE, 2, SLICES))
    by_answer = np.argsort(y, kind="stable")
    ends = np.append(np.diff(y[by_answer]) > 0, True)  # the last one of those that are equal
    everywhere = np.arange(1, n + 1)[ends, None] / n
    own = np.empty(n, dtype=int)
    indices = []
    for order in orders.T:
        own[order] = np.arange(n) * slices // n
        within = own[by_answer, None] == np.arange(slices)
        shares = within.cumsum(axis=0)[ends] / within.sum(axis=0)
        indices.append(np.median(np.abs(shares - everywhere).max(axis=0)))
    return np.array(indices)


def _floor(dummies: np.ndarray) -> float:
    return float(dummies.mean() + DEVIATIONS * dummies.std(ddof=1))


def _together(ranked: np.ndarray, names: pd.Index) -> list[tuple[str, ...]]:
    """For each quantity, those with which it is correlated beyond chance."""
    ranks = np.corrcoef(ranked, rowvar=False).reshape(len(names), len(names))
    # Four standard errors: with a hundred quantities there are thousands of pairs.
    near = np.abs(ranks) > max(TOGETHER, 4 / np.sqrt(len(ranked)))
    np.fill_diagonal(near, False)
    return [tuple(names[row]) for row in near]
