"""The worlds nearest to the tipping point: where the answer is about to turn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from detente.ensembles.explore.influence import codes
from detente.ensembles.explore.stats import table

NEAREST = 5
"""Worlds that are told."""

UNUSUAL = 3
"""Quantities that are told of each."""

COLUMNS = ["draw", "distance", "quantity", "value", "percentile"]


@dataclass(frozen=True, eq=False)
class Tipping:
    """Worlds in which the least would turn the answer.

    about
        What turns there, in words.
    unit
        That of the distance, in words.
    table
        `draw, distance, quantity, value, percentile`, the nearest world first, with the quantities
        in which it differs most from the middle of all worlds; `percentile` is the share of worlds
        with a smaller value. Only quantities that count for the answer, where that is known.
    turned
        The share of all worlds on the other side: below zero.
    """

    about: str
    unit: str
    table: pd.DataFrame
    turned: float

    def __repr__(self) -> str:
        draws = ", ".join(str(draw) for draw in self.table["draw"].drop_duplicates())
        return f"<Tipping point, {self.about}: nearest are the worlds {draws or 'none'}>"


def nearest(
    distance: pd.Series,
    inputs: pd.DataFrame,
    about: str,
    unit: str,
    *,
    counts: Collection[str] = (),
) -> Tipping:
    """The worlds with the smallest |distance|.

    Parameters
    ----------
    distance
        By draw; zero is where the answer turns. Only worlds that were solved.
    inputs
        By draw, a column for each quantity.
    about, unit
        As those of `Tipping`.
    counts
        The quantities that count; all where there are none.
    """
    mine = inputs.loc[distance.index]
    drawn = codes(mine)
    names = [name for name in drawn.columns if not counts or name in counts]
    # Variants have no middle.
    names = [name for name in names if pd.api.types.is_numeric_dtype(inputs[name])]
    places = {name: (rankdata(drawn[name]) - 0.5) / len(drawn) for name in names}
    order = distance.abs().sort_values(kind="stable").index[:NEAREST]
    where = {draw: k for k, draw in enumerate(distance.index)}
    rows: list[dict[str, object]] = []
    for draw in order:
        k = where[draw]
        far = sorted(names, key=lambda name: -abs(places[name][k] - 0.5))[:UNUSUAL]
        head = {"draw": int(draw), "distance": float(distance[draw])}
        for name in far:
            value = float(mine[name].iloc[k])
            rows.append({**head, "quantity": name, "value": value, "percentile": places[name][k]})
        if not far:
            rows.append({**head, "quantity": "", "value": np.nan, "percentile": np.nan})
    turned = float((distance < 0).mean()) if len(distance) else float("nan")
    return Tipping(about, unit, table(rows, COLUMNS), turned)
