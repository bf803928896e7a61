"""A wish, `deal >= 30 % and war <= 2 %`: in how many worlds each policy fulfils it.

    wish   := clause (and clause)*
    clause := NAME (>= | <= | > | <) NUMBER [%]

A NAME is an outcome, or `payoff:ACTOR=TYPE`. There is nothing else: no brackets, no `or`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detente.ensembles.explore.source import PROBABILITY, Metric, Results, own_limits
from detente.ensembles.explore.stats import table, wilson
from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.hints import did_you_mean

PLACE = "--wish"
EXAMPLE = "write it as `deal >= 30 % and war <= 2 %`"
CLAUSE = re.compile(r"(?P<name>[^\s<>=]+(?:=[^\s<>=]+)?)\s*(?P<sign>[<>]=?)\s*(?P<level>.+)\Z")
LEVEL = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<percent>%?)\Z")


@dataclass(frozen=True)
class Clause:
    """One condition on one number; `level` is a share where `text` says per cent."""

    number: Metric
    sign: str
    level: float
    text: str

    def margin(self, values: pd.DataFrame) -> pd.DataFrame:
        """By how much it is met; negative where it fails."""
        return values - self.level if self.sign.startswith(">") else self.level - values

    def met(self, values: pd.DataFrame) -> pd.DataFrame:
        """Whether it is met; where there is no number it is not, which callers leave out."""
        margin = self.margin(values)
        return margin >= 0 if self.sign.endswith("=") else margin > 0


@dataclass(frozen=True)
class Wish:
    """Clauses, all of which are to be met."""

    clauses: tuple[Clause, ...]

    @property
    def text(self) -> str:
        return " and ".join(clause.text for clause in self.clauses)


def parse_wish(text: str, among: Sequence[Metric]) -> Wish:
    """Read a wish.

    Raises
    ------
    ScenarioError
        With every mistake in it.
    """
    clauses: list[Clause] = []
    mistakes: list[Diagnostic] = []
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        read = _clause(part.strip(), among)
        if isinstance(read, Clause):
            clauses.append(read)
        else:
            mistakes.append(read)
    if mistakes:
        raise ScenarioError(mistakes)
    return Wish(tuple(clauses))


def _clause(text: str, among: Sequence[Metric]) -> Clause | Diagnostic:
    place = Place(PLACE)
    match = CLAUSE.match(text)
    if not match:
        told = f"`{text}` is not a comparison" if text else "a comparison is missing"
        return Diagnostic(place, "syntax", told, EXAMPLE)
    names = {number.name: number for number in among}
    number = names.get(match["name"])
    if number is None:
        message = f"the ensemble has no outcome or payoff `{match['name']}`"
        return Diagnostic(place, "unknown-name", message, did_you_mean(match["name"], names))
    level = LEVEL.match(match["level"].strip())
    if not level:
        message = f"`{match['level'].strip()}` is not a number"
        return Diagnostic(place, "wrong-type", message, EXAMPLE)
    value = float(level["number"]) / (100 if level["percent"] else 1)
    if not math.isfinite(value):
        return Diagnostic(place, "out-of-range", f"`{match['level'].strip()}` is too large")
    if number.kind == PROBABILITY and not 0 <= value <= 1:
        message = f"a probability is between 0 and 1, not {level['number']}{level['percent']}"
        hint = f"{level['number']} %?" if not level["percent"] and 1 < value <= 100 else ""
        return Diagnostic(place, "out-of-range", message, hint)
    if number.kind != PROBABILITY and level["percent"]:
        return Diagnostic(place, "wrong-type", f"`{number.name}` is a payoff, not per cent")
    spaced = f"{level['number']} %" if level["percent"] else level["number"]
    return Clause(number, match["sign"], value, f"{number.name} {match['sign']} {spaced}")


def fulfilled(found: Results, wish: Wish) -> pd.DataFrame:
    """Whether each world fulfils the wish under each policy: 1, 0, or missing."""
    told: pd.DataFrame | None = None
    for clause in wish.clauses:
        values = found.values(clause.number.column)
        one = clause.met(values).astype(float).where(values.notna())
        told = one if told is None else told * one
    assert told is not None
    return told


def margins(found: Results, wish: Wish) -> pd.DataFrame:
    """How far each world is from the wish's edge: the least margin, in its number's deviations.

    Numbers in different units can be set side by side only by how much they vary, so each margin
    is divided by its number's standard deviation over all worlds and policies.
    """
    told: pd.DataFrame | None = None
    for clause in wish.clauses:
        values = found.values(clause.number.column)
        scale = float(np.nanstd(values.to_numpy(float))) if values.notna().any(axis=None) else 1.0
        margin = clause.margin(values) / (scale or 1.0)
        told = margin if told is None else told.where(told <= margin, margin)
    assert told is not None
    return told


def wishes(found: Results, wish: Wish) -> pd.DataFrame:
    """In which share of worlds each policy fulfils the wish, and each of its clauses.

    Returns
    -------
    DataFrame
        `clause, policy, worlds, met, share, low, high, close`: '' is the whole wish. `low` and
        `high` hold with 95 %; `close` is the share of worlds in which a number is so near to its
        level that the discretisation error could turn it.
    """
    parts = [("", wish)]
    if len(wish.clauses) > 1:
        parts += [(clause.text, Wish((clause,))) for clause in wish.clauses]
    rows: list[dict[str, object]] = []
    for text, part in parts:
        met = fulfilled(found, part)
        near = _near(found, part)
        for policy in found.record.policies:
            known = met[policy].dropna()
            count = int(known.sum())
            low, high = wilson(count, len(known))
            rows.append(
                {
                    "clause": text,
                    "policy": policy,
                    "worlds": len(known),
                    "met": count,
                    "share": count / len(known) if len(known) else np.nan,
                    "low": low,
                    "high": high,
                    "close": float(near.loc[known.index, policy].mean()) if len(known) else np.nan,
                }
            )
    columns = ["clause", "policy", "worlds", "met", "share", "low", "high", "close"]
    return table(rows, columns)


def _near(found: Results, wish: Wish) -> pd.DataFrame:
    """Where the errors could turn the answer: the wish with all levels eased, and sharpened."""
    eased: pd.DataFrame | None = None
    sharp: pd.DataFrame | None = None
    for clause in wish.clauses:
        values = found.values(clause.number.column)
        limits = own_limits(found, clause.number.column)
        margin = clause.margin(values)
        may, must = margin >= -limits, margin > limits
        eased = may if eased is None else eased & may
        sharp = must if sharp is None else sharp & must
    assert eased is not None
    assert sharp is not None
    return eased & ~sharp
