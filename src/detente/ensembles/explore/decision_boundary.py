"""The draws nearest to the decision boundary: where the answer is about to turn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detente.ensembles.explore import tables
from detente.ensembles.explore.influence import codes

NEAREST = 5
"""Draws that are listed."""

UNUSUAL = 3
"""Quantities that are listed of each."""

COLUMNS = ("draw", "distance", "quantity", "value", "percentile")


@dataclass(frozen=True, eq=False)
class DecisionBoundary:
    """Draws in which the least would turn the answer.

    about
        What turns there, in words.
    unit
        That of the distance, in words.
    table
        `draw, distance, quantity, value, percentile`, the nearest draw first, with the quantities
        in which it differs most from the middle of all draws; `percentile` is the share of draws
        with a smaller value. Only quantities that count for the answer, where that is known.
    turned
        The share of all draws on the other side: below zero.
    """

    about: str
    unit: str
    table: pd.DataFrame
    turned: float

    def __repr__(self) -> str:
        draws = ", ".join(str(draw) for draw in self.table["draw"].drop_duplicates())
        return f"<Decision boundary, {self.about}: nearest are the draws {draws or 'none'}>"


def nearest(
    distance: pd.Series,
    inputs: pd.DataFrame,
    about: str,
    unit: str,
    *,
    counts: Collection[str] = (),
) -> DecisionBoundary:
    """The draws with the smallest |distance|.

    Parameters
    ----------
    distance
        By draw; zero is where the answer turns. Only draws that were solved.
    inputs
        By draw, a column for each quantity.
    about, unit
        As those of `DecisionBoundary`.
    counts
        The quantities that count; all where there are none.
    """
    mine = inputs.loc[distance.index]
    # Variants have no middle.
    names = [name for name in codes(mine.select_dtypes("number")) if not counts or name in counts]
    percentiles = (mine[names].rank() - 0.5) / len(mine)
    rows: list[dict[str, object]] = []
    for draw in distance.abs().sort_values(kind="stable").index[:NEAREST]:
        head = {"draw": int(draw), "distance": float(distance[draw])}
        places = percentiles.loc[draw]
        far = (places - 0.5).abs().sort_values(ascending=False, kind="stable").index[:UNUSUAL]
        rows += [
            {**head, "quantity": k, "value": float(mine.at[draw, k]), "percentile": places[k]}
            for k in far
        ] or [{**head, "quantity": "", "value": np.nan, "percentile": np.nan}]
    return DecisionBoundary(about, unit, tables.table(rows, COLUMNS), tables.mean(distance < 0))
