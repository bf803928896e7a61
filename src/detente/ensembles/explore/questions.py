"""What is to be explained: one number in each world, and which one if nobody asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detente.ensembles.explore.source import PROBABILITY, Metric, Results, pair_limits
from detente.scenario.policies import quoted


@dataclass(frozen=True, eq=False)
class Question:
    """One number in each world: that of a policy, or the difference between two.

    values
        By draw, without the worlds that were not solved.
    left_out
        How many those are.
    about
        In words.
    """

    number: Metric
    policy: str
    against: str | None
    values: pd.Series
    left_out: int
    about: str

    @property
    def kind(self) -> str:
        return self.number.kind if self.against is None else "difference"


def ask(found: Results, number: Metric, policy: str, against: str | None = None) -> Question:
    """The question of a number under a policy, or of its difference from that under another."""
    values = found.values(number.column)
    told = values[policy]
    about = f"{number.about} under {quoted(policy)}"
    if against is not None:
        told = told - values[against]
        about = f"the difference of {number.about} between {quoted(policy)} and {quoted(against)}"
    known = told.dropna()
    return Question(number, policy, against, known, len(told) - len(known), about)


def most_open(found: Results, among: Sequence[Metric], policy: str) -> Metric | None:
    """The outcome on whose probability the worlds disagree the most, from 5 % to 95 % of them."""
    widths = {}
    for number in among:
        known = found.values(number.column)[policy].dropna()
        if number.kind == PROBABILITY and len(known):
            widths[number.name] = (float(np.ptp(np.quantile(known, [0.05, 0.95]))), number)
    widest = max(widths.values(), key=lambda one: one[0], default=None)
    return widest[1] if widest and widest[0] > 0 else None


def most_divided(preferences: pd.DataFrame, payoffs: Sequence[Metric]) -> Metric | None:
    """Whose best policy depends most on the world: the largest share of one policy is smallest.

    Worlds too close to call divide nobody, so the shares are those among worlds that decide.
    """
    found: tuple[float, Metric] | None = None
    for number in payoffs:
        mine = _mine(preferences, number)
        counts = mine["best"].to_numpy(float)
        if not counts.sum():
            continue
        lead = float(counts.max() / counts.sum())
        if found is None or lead < found[0]:
            found = (lead, number)
    return found[1] if found else None


def two_best(found: Results, preferences: pd.DataFrame, number: Metric) -> tuple[str, str] | None:
    """The two policies that an actor's type weighs: most often best, then the highest mean."""
    mine = _mine(preferences, number)
    policies = list(mine["policy"])
    if len(policies) < 2:
        return None
    mean = found.values(number.column)[policies].dropna().mean()
    if mean.isna().any():
        return None
    counts = dict(zip(policies, mine["best"], strict=True))
    order = sorted(policies, key=lambda policy: (-counts[policy], -mean[policy]))
    return order[0], order[1]


def not_best(found: Results, number: Metric, policy: str) -> tuple[pd.Series, str]:
    """By draw, whether another policy is better beyond the error; and that in words."""
    policies = list(found.record.policies)
    solved = found.values(number.column)[policies].dropna()
    limits = pair_limits(found, number.column)[:, policies.index(policy)]
    behind = solved.rsub(solved[policy], axis=0)  # what it has more than each other
    fails = (behind < -limits).any(axis=1)
    return fails, f"{quoted(policy)} is not the best policy for {number.who}"


def upper_quarter(question: Question) -> tuple[pd.Series, str]:
    """By draw, whether the number is in its upper quarter; and that in words."""
    level = float(question.values.quantile(0.75))
    told = f"{100 * level:.3g} %" if question.kind == PROBABILITY else f"{level:.3g}"
    return question.values > level, f"{question.about} is above {told}, its upper quarter"


def _mine(preferences: pd.DataFrame, number: Metric) -> pd.DataFrame:
    own = (preferences["actor"] == number.actor) & (preferences["type"] == number.type)
    return preferences[own]
