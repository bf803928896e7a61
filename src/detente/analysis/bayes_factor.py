"""`bayes_factor`: which of two accounts expected a record better, and by which of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import pandas as pd

from detente.notebook import InNotebook
from detente.simulation.track import Track

WORDS = (
    (1.0, "not worth more than a bare mention"),
    (3.0, "positive"),
    (5.0, "strong"),
)
"""What to call a natural logarithm of at most so much (Kass and Raftery 1995, p. 777)."""

KEYS = ["line", "t", "period", "actor", "action"]


@dataclass(frozen=True, eq=False)
class BayesFactor(InNotebook):
    """How much more likely a record is under the first account than under the second.

    log
        Natural logarithm of the factor, over the observations that both accounts used.
    rows
        `line, t, period, actor, action, first, second, log_ratio`: for each of them, the
        probability with which each account expected it, given those before.
    unlike
        The observations that only one account used: `line, t, period, actor, action, used_by`.
        To the other they were impossible; on them the factor would be without bounds.
    """

    log: float
    rows: pd.DataFrame
    unlike: pd.DataFrame

    @property
    def factor(self) -> float:
        """The factor; above 1 where the first account expected the record better."""
        return exp(min(self.log, 700.0))

    @property
    def words(self) -> str:
        """How strong the evidence is, in the words of Kass and Raftery (1995)."""
        size = abs(self.log)
        return next((word for limit, word in WORDS if size <= limit), "very strong")

    def __repr__(self) -> str:
        return f"<Bayes factor {self.factor:.3g} over {len(self.rows)} observations: {self.words}>"

    def _main_table(self) -> pd.DataFrame:
        return self.rows


def bayes_factor(first: Track, second: Track) -> BayesFactor:
    """Compare two accounts of one record.

    Parameters
    ----------
    first, second
        The same file, tracked by two solutions: of two scenarios, of two policies, or of one
        scenario with other values.

    Raises
    ------
    ValueError
        If the two have no observation in common.
    """
    tables = [track.moves.set_index(["line", "t"], drop=False) for track in (first, second)]
    used = [table[table["kind"] != "skipped"] for table in tables]
    common = used[0].index.intersection(used[1].index)
    if common.empty and not (used[0].empty and used[1].empty):
        raise ValueError("the two tracks have no observation in common")
    a, b = used[0].loc[common], used[1].loc[common]
    rows = a[KEYS].assign(
        first=a["probability"],
        second=b["probability"],
        log_ratio=a["log_score"] - b["log_score"],
    )
    unlike = [
        mine.loc[mine.index.difference(common), KEYS].assign(used_by=name)
        for mine, name in zip(used, ("first", "second"), strict=True)
    ]
    return BayesFactor(
        log=float(rows["log_ratio"].sum()),
        rows=rows.reset_index(drop=True),
        unlike=pd.concat(unlike, ignore_index=True),
    )
