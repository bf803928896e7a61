"""What is to be explained: one number in each draw, and which one if nobody asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detente.ensembles.explore.metrics import PROBABILITY, Metric, Results, pair_limits
from detente.scenario.policies import quoted


@dataclass(frozen=True, eq=False)
class Question:
    """A metric in each draw: under a policy, or the difference between two.

    values
        By draw, without those that were not solved.
    left_out
        How many those are.
    about
        In words.
    """

    metric: Metric
    policy: str
    against: str | None
    values: pd.Series
    left_out: int
    about: str

    @property
    def kind(self) -> str:
        return self.metric.kind if self.against is None else "difference"


def ask(ensemble: Results, metric: Metric, policy: str, against: str | None = None) -> Question:
    """The question of a metric under a policy, or of its difference from that under another."""
    table = ensemble.values(metric.column)
    values, about = table[policy], f"{metric.about} under {quoted(policy)}"
    if against is not None:
        values = values - table[against]
        pair = f"{quoted(policy)} and {quoted(against)}"
        about = f"the difference of {metric.about} between {pair}"
    known = values.dropna()
    return Question(metric, policy, against, known, len(values) - len(known), about)


def most_open(ensemble: Results, metrics: Sequence[Metric], policy: str) -> Metric | None:
    """The outcome on whose probability the draws disagree the most, from 5 % to 95 % of them."""
    widths = {}
    for metric in metrics:
        known = ensemble.values(metric.column)[policy].dropna()
        if metric.kind == PROBABILITY and len(known):
            widths[metric] = float(np.ptp(np.quantile(known, [0.05, 0.95])))
    widest = max(widths, key=lambda metric: widths[metric], default=None)
    return widest if widest is not None and widths[widest] > 0 else None


def most_divided(preferences: pd.DataFrame, payoffs: Sequence[Metric]) -> Metric | None:
    """Whose best policy depends most on the draw: the largest share of one policy is smallest.

    Draws too close to call divide nobody, so the shares are those among draws that decide.
    """
    leads = {}
    for metric in payoffs:
        counts = _mine(preferences, metric)["best"].to_numpy(float)
        if counts.sum():
            leads[metric] = counts.max() / counts.sum()
    return min(leads, key=lambda metric: leads[metric], default=None)


def two_best(ensemble: Results, preferences: pd.DataFrame, metric: Metric) -> list[str]:
    """The two policies that an actor's type weighs: most often best, then the highest mean.

    Empty where there are no two, or no draw was solved under all.
    """
    best = _mine(preferences, metric).set_index("policy")["best"]
    means = ensemble.values(metric.column)[list(best.index)].dropna().mean()
    if len(best) < 2 or means.isna().any():
        return []
    return sorted(best.index, key=lambda policy: (-best[policy], -means[policy]))[:2]


def not_best(ensemble: Results, metric: Metric, policy: str) -> tuple[pd.Series, str]:
    """By draw, whether another policy is better beyond the error; and that in words."""
    policies = list(ensemble.manifest.policies)
    solved = ensemble.values(metric.column)[policies].dropna()
    limits = pair_limits(ensemble, metric.column)[:, policies.index(policy)]
    behind = solved.rsub(solved[policy], axis=0)  # what it has more than each other
    about = f"{quoted(policy)} is not the best policy for {metric.who}"
    return (behind < -limits).any(axis=1), about


def upper_quarter(question: Question) -> tuple[pd.Series, str]:
    """By draw, whether the number is in its upper quarter; and that in words."""
    level = float(question.values.quantile(0.75))
    limit = f"{100 * level:.3g} %" if question.kind == PROBABILITY else f"{level:.3g}"
    return question.values > level, f"{question.about} is above {limit}, its upper quarter"


def _mine(preferences: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    own = (preferences["actor"] == metric.actor) & (preferences["type"] == metric.type)
    return preferences[own]
