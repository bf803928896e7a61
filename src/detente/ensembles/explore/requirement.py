"""A requirement, `deal >= 30 % and war <= 2 %`: in how many draws each policy meets it.

    requirement := clause (and clause)*
    clause      := NAME (>= | <= | > | <) NUMBER [%]

A NAME is an outcome, or `payoff:ACTOR=TYPE`. There is nothing else: no brackets, no `or`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from detente.ensembles.explore.metrics import PROBABILITY, Metric, Results, own_limits
from detente.ensembles.explore.tables import mean
from detente.errors import Diagnostic, Place, ScenarioError
from detente.estimation.statistics import wilson
from detente.scenario.hints import did_you_mean

EXAMPLE = "write it as `deal >= 30 % and war <= 2 %`"
CLAUSE = re.compile(r"(?P<name>[^\s<>=]+(?:=[^\s<>=]+)?)\s*(?P<sign>[<>]=?)\s*(?P<level>.+)\Z")
LEVEL = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<percent>%?)\Z")


@dataclass(frozen=True)
class Clause:
    """A condition on one metric; `level` is a share where `text` says per cent."""

    metric: Metric
    sign: str
    level: float
    text: str

    def margin(self, values: pd.DataFrame) -> pd.DataFrame:
        """By how much it is met; negative where it fails."""
        return values - self.level if self.sign.startswith(">") else self.level - values

    def met(self, values: pd.DataFrame) -> pd.DataFrame:
        """Whether it is met: 1, 0, or NaN where there is no number."""
        margin = self.margin(values)
        met = margin >= 0 if self.sign.endswith("=") else margin > 0
        return met.astype(float).where(values.notna())


@dataclass(frozen=True)
class Requirement:
    """Clauses, all of which are to be met."""

    clauses: tuple[Clause, ...]

    @property
    def text(self) -> str:
        return " and ".join(clause.text for clause in self.clauses)


def parse_requirement(text: str, metrics: Sequence[Metric]) -> Requirement:
    """Read a requirement. Raises `ScenarioError` with every mistake in it."""
    parts = re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE)
    read = [_clause(part.strip(), metrics) for part in parts]
    if mistakes := [clause for clause in read if isinstance(clause, Diagnostic)]:
        raise ScenarioError(mistakes)
    return Requirement(tuple(clause for clause in read if isinstance(clause, Clause)))


def _clause(text: str, metrics: Sequence[Metric]) -> Clause | Diagnostic:
    place = Place(argument="requirement")
    match = CLAUSE.match(text)
    if not match:
        message = f"`{text}` is not a comparison" if text else "a comparison is missing"
        return Diagnostic(place, "syntax", message, EXAMPLE)
    names = {metric.name: metric for metric in metrics}
    metric = names.get(match["name"])
    if metric is None:
        message = f"the ensemble has no outcome or payoff `{match['name']}`"
        return Diagnostic(place, "unknown-name", message, did_you_mean(match["name"], names))
    written = match["level"].strip()
    level = LEVEL.match(written)
    if not level:
        return Diagnostic(place, "wrong-type", f"`{written}` is not a number", EXAMPLE)
    value = float(level["number"]) / (100 if level["percent"] else 1)
    if not math.isfinite(value):
        return Diagnostic(place, "out-of-range", f"`{written}` is too large")
    if metric.kind == PROBABILITY and not 0 <= value <= 1:
        message = f"a probability is between 0 and 1, not {level['number']}{level['percent']}"
        hint = f"{level['number']} %?" if not level["percent"] and 1 < value <= 100 else ""
        return Diagnostic(place, "out-of-range", message, hint)
    if metric.kind != PROBABILITY and level["percent"]:
        return Diagnostic(place, "wrong-type", f"`{metric.name}` is a payoff, not per cent")
    spaced = f"{level['number']} %" if level["percent"] else level["number"]
    return Clause(metric, match["sign"], value, f"{metric.name} {match['sign']} {spaced}")


def met(ensemble: Results, requirement: Requirement) -> pd.DataFrame:
    """Whether each draw meets the requirement under each policy: 1, 0, or NaN where unsolved."""
    each = (clause.met(ensemble.values(clause.metric.column)) for clause in requirement.clauses)
    return reduce(pd.DataFrame.mul, each)


def margins(ensemble: Results, requirement: Requirement) -> pd.DataFrame:
    """How far each draw is from the edge: the least margin, in its metric's deviations.

    Metrics in different units can be set side by side only by how much they vary, so each margin
    is divided by its metric's standard deviation over all draws and policies.
    """
    each = []
    for clause in requirement.clauses:
        values = ensemble.values(clause.metric.column)
        scale = float(np.nanstd(values)) if values.notna().any(axis=None) else 1.0
        each.append(clause.margin(values) / (scale or 1.0))
    return reduce(lambda least, margin: least.where(least <= margin, margin), each)


def satisficing(ensemble: Results, requirement: Requirement) -> pd.DataFrame:
    """In which share of draws each policy meets the requirement, and each of its clauses.

    Returns
    -------
    DataFrame
        `clause, policy, draws, met, share, low, high, close`: '' is the whole requirement. `low`
        and `high` hold with 95 %; `close` is the share of draws in which a metric is so near to its
        level that the discretisation error could turn it.
    """
    parts = [("", requirement)]
    if len(requirement.clauses) > 1:
        parts += [(clause.text, Requirement((clause,))) for clause in requirement.clauses]
    rows = []
    for text, part in parts:
        meets, near = met(ensemble, part), _near(ensemble, part)
        for policy in ensemble.manifest.policies:
            known = meets[policy].dropna()
            count, close = int(known.sum()), mean(near.loc[known.index, policy])
            interval = wilson(count, len(known))
            rows.append((text, policy, len(known), count, mean(known), *interval, close))
    columns = "clause policy draws met share low high close"
    return pd.DataFrame(rows, columns=columns.split())


def _near(ensemble: Results, requirement: Requirement) -> pd.DataFrame:
    """Where the errors could turn the answer: with all levels eased it is met, sharpened not."""
    eased, sharpened = [], []
    for clause in requirement.clauses:
        margin = clause.margin(ensemble.values(clause.metric.column))
        limits = own_limits(ensemble, clause.metric.column)
        eased.append(margin >= -limits)
        sharpened.append(margin > limits)
    return reduce(pd.DataFrame.__and__, eased) & ~reduce(pd.DataFrame.__and__, sharpened)
