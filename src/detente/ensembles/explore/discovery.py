"""Scenario discovery: the few conditions under which something fails.

Conditions are looked for in one half of the draws and counted in the other, so that what is
reported is not what happened to fit. Where more draws fail than not, the conditions are those under
which it does not fail: the rarer side is the one that a few conditions can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from detente.ensembles.explore import boxes
from detente.ensembles.explore.boxes import Box
from detente.ensembles.explore.influence import codes
from detente.ensembles.explore.tables import mean
from detente.estimation.statistics import wilson
from detente.numbers import percent

FEWEST = 60
"""Draws without which nothing is looked for: half of them have to find, half to count."""

RAREST = 10
"""Draws that fail, and that do not, without which nothing is looked for."""

WORTH_TELLING = 0.4
"""Of the best box's gain, coverage times density above the base, below which one is left out."""


@dataclass(frozen=True, eq=False)
class Discovery:
    """Where something fails.

    about
        What fails, in words.
    rarer
        Which draws the boxes are about: those that `fail`, or those that `do not fail` where these
        are fewer. Their coverage and density are those of these draws.
    policy
        Under which policy; None where that is of no account.
    base, base_interval
        The share of all draws that fail.
    draws, left_out
        How many draws were looked at, and how many were not solved.
    counted
        In how many of them the boxes were counted: those in which they were not looked for.
    boxes
        The most telling first; in each the rarer draws are denser than elsewhere beyond chance.
    note
        Why there are none, or ''.
    """

    about: str
    rarer: str
    policy: str | None
    base: float
    base_interval: tuple[float, float]
    draws: int
    left_out: int
    counted: int
    boxes: tuple[Box, ...]
    note: str = ""

    def __repr__(self) -> str:
        where = "; ".join(f"{box}: {quality(box, self.rarer)}" for box in self.boxes) or self.note
        return f"<Discovery, {self.about}: {percent(self.base)} of draws. {where}>"

    @property
    def table(self) -> pd.DataFrame:
        """`box, method, quantity, low, high, options, coverage, density, …`: a row a condition."""
        rows = [
            (
                k,
                box.method,
                condition.quantity,
                condition.low,
                condition.high,
                " or ".join(condition.options or ()),
                *(box.coverage, *box.coverage_interval),
                *(box.density, *box.density_interval),
                *(box.inside, box.fails),
            )
            for k, box in enumerate(self.boxes, start=1)
            for condition in box.conditions
        ]
        head = "box method quantity low high options coverage coverage_low coverage_high"
        rest = "density density_low density_high inside fails"
        return pd.DataFrame(rows, columns=[*head.split(), *rest.split()])


def quality(box: Box, rarer: str) -> str:
    """How good a box is, in words."""
    return (
        f"{percent(box.coverage)} of the draws that {rarer} are here, and "
        f"{percent(box.density)} of those here {rarer}"
    )


def discover(
    fails: pd.Series,
    inputs: pd.DataFrame,
    about: str,
    *,
    seed: int,
    policy: str | None = None,
) -> Discovery:
    """Find where something fails.

    Parameters
    ----------
    fails
        By draw, whether it fails; only draws that were solved.
    inputs
        By draw, those that were not solved too, a column for each quantity; text for variants.
    about, policy
        As those of `Discovery`.
    seed
        Of the halves, and of ties in the tree.
    """
    failing, mine = fails.to_numpy(bool), inputs.loc[fails.index]
    total, count = len(failing), int(failing.sum())
    rarer = "do not fail" if 2 * count > total else "fail"
    shares = (mean(failing), wilson(count, total))
    nothing = Discovery(about, rarer, policy, *shares, total, len(inputs) - total, 0, ())
    names = list(codes(mine).columns)
    few = min(count, total - count)
    if total < FEWEST:
        note = f"{total} draws are too few to look for conditions; it takes {FEWEST}"
        return replace(nothing, note=note)
    if few < RAREST:
        verb = {"fail": "fails", "do not fail": "does not fail"}[rarer] if few == 1 else rarer
        draws = "1 draw" if few == 1 else f"{few or 'no'} draws"
        return replace(nothing, note=f"{draws} {verb}: too few to look for conditions")
    if not names:
        return replace(nothing, note="nothing was drawn")
    wanted = failing if rarer == "fail" else ~failing
    order = np.random.default_rng([seed, 3]).permutation(total)
    first, second = np.sort(order[: total // 2]), np.sort(order[total // 2 :])
    here, there = mine.iloc[first], mine.iloc[second]
    columns = boxes.columns_of(here, names, wanted[first])
    found = [("PRIM", some) for some in boxes.prim(columns, here, wanted[first])]
    found += [("tree", some) for some in boxes.tree(columns, here, wanted[first], seed=seed)]
    base = wanted[second].mean()
    gains: dict[Box, float] = {}
    for method, conditions in found:
        box = boxes.counted(conditions, there, wanted[second], method)
        same = any(boxes.alike(conditions, other.conditions, there) for other in gains)
        if box.fails and box.density_interval[0] > base and not same:
            gains[box] = box.coverage * (box.density - base)
    least = WORTH_TELLING * max(gains.values(), default=0.0)
    best = sorted((box for box in gains if gains[box] >= least), key=lambda box: -gains[box])
    note = "" if gains else "no conditions were found that hold in the other half of the draws"
    return replace(nothing, counted=len(second), boxes=tuple(best), note=note)
