"""The draws nearest to the decision boundary: where the answer is about to turn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detente.ensembles.explore.influence import codes
from detente.ensembles.explore.tables import mean

NEAREST = 5
"""Draws that are listed."""

UNUSUAL = 3
"""Quantities that are listed of each."""


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
    rows: list[tuple[object, ...]] = []
    for draw in distance.abs().sort_values(kind="stable").index[:NEAREST]:
        head = (int(draw), float(distance[draw]))
        places = percentiles.loc[draw]
        far = (places - 0.5).abs().sort_values(ascending=False, kind="stable").index[:UNUSUAL]
        unusual = [(name, float(mine.at[draw, name]), places[name]) for name in far]
        rows += [(*head, *quantity) for quantity in unusual or [("", np.nan, np.nan)]]
    columns = "draw distance quantity value percentile"
    table = pd.DataFrame(rows, columns=columns.split())
    return DecisionBoundary(about, unit, table, mean(distance < 0))
