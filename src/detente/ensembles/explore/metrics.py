"""The metrics of an ensemble by name, and how well differences between policies are known.

A metric is a column of the ensemble: the probability of an outcome, or what an actor's type
expects. Draws are rows, policies columns. A draw that was not solved under a policy has no number
there, and no statistic ever takes it for anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import pandas as pd

from detente.analysis.compare import ROUNDING
from detente.ensembles.manifest import Manifest
from detente.ensembles.rows import outcome_column, payoff_column
from detente.errors import refuse
from detente.scenario.hints import did_you_mean, listing

PROBABILITY, PAYOFF = "probability", "payoff"


class Results(Protocol):
    """What is read of an `Ensemble`."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def inputs(self) -> pd.DataFrame: ...
    @property
    def present(self) -> pd.DataFrame: ...
    @property
    def failures(self) -> pd.DataFrame: ...
    @property
    def complete(self) -> bool: ...
    @property
    def done(self) -> int: ...
    def values(self, column: str) -> pd.DataFrame: ...
    def errors(self, column: str) -> pd.Series: ...


class Cached:
    """An ensemble whose tables are read from the disk once; nothing may change them."""

    def __init__(self, ensemble: Results) -> None:
        self.manifest = ensemble.manifest
        self.inputs = ensemble.inputs
        self.present = ensemble.present
        self.failures = ensemble.failures
        self.complete = ensemble.complete
        self.done = ensemble.done
        self.values = cache(ensemble.values)
        self.errors = cache(ensemble.errors)


@dataclass(frozen=True)
class Metric:
    """A number that each draw has under each policy.

    name
        As it is asked for: `deal`, `payoff:DPRK=sincere`.
    column
        Its column in the ensemble.
    kind
        `probability` or `payoff`.
    about
        In words.
    actor, type
        Whose payoff; '' for an outcome, and `type` where nothing is private.
    who
        The actor's name, with the type: `North Korea (sincere)`.
    """

    name: str
    column: str
    kind: str
    about: str
    actor: str = ""
    type: str = ""
    who: str = ""

    @property
    def whose(self) -> str:
        """`ACTOR=TYPE`, or `ACTOR` where nothing is private."""
        return f"{self.actor}={self.type}" if self.type else self.actor


def metrics(
    ensemble: Results, *, within: int | None = None, given: Mapping[str, str] | None = None
) -> tuple[Metric, ...]:
    """All metrics by the end of a period: outcomes first, then payoffs, in the file's order.

    Raises
    ------
    ScenarioError
        For a period that was not recorded, and for types that are not known.
    """
    manifest = ensemble.manifest
    times = manifest.times
    if within is not None and within not in times:
        message = f"the ensemble has no numbers by the end of period {within}"
        hint = f"it has those of {', '.join(str(t) for t in times)}"
        refuse("within", "out-of-range", message, hint)
    period = max(times, default=0) if within is None else within
    scenario = manifest.scenario()
    by = scenario.calendar.label(period) if period else "the start"
    condition = None if not given else _condition(manifest, given)
    if condition is not None:
        by += f" (the true type of {condition[0]} being {condition[1]})"
    outcomes = [
        Metric(
            outcome,
            outcome_column(outcome, period, condition),
            PROBABILITY,
            f"the probability that {outcome} has come about by {by}",
        )
        for outcome in manifest.outcomes
    ]
    payoffs = []
    for actor, types in manifest.actors.items():
        for kind in types or ("",):
            column = payoff_column(actor, kind)
            name = scenario.actors[actor].name
            who = f"{name} ({kind})" if kind else name
            payoffs.append(Metric(column, column, PAYOFF, f"the payoff of {who}", actor, kind, who))
    return (*outcomes, *payoffs)


def _condition(manifest: Manifest, given: Mapping[str, str]) -> tuple[str, str]:
    """The actor and the type on which outcomes are conditioned."""
    if len(given) > 1:
        message = "an ensemble keeps what depends on one actor's type at a time"
        refuse("given", "too-many", message, "give one ACTOR=TYPE")
    ((actor, kind),) = given.items()
    known = [f"{a}={k}" for a, types in manifest.actors.items() if len(types) > 1 for k in types]
    asked = f"{actor}={kind}"
    if asked not in known:
        hint = did_you_mean(asked, known) or "nothing is private in this scenario"
        refuse("given", "unknown-name", f"there is no `{asked}` in the ensemble", hint)
    return actor, kind


def pick(among: Sequence[Metric], name: str, argument: str) -> Metric:
    """The metric of this name. Raises `ScenarioError` if there is none."""
    return _pick({metric.name: metric for metric in among}, name, argument, "outcome or payoff")


def pick_payoff(among: Sequence[Metric], whose: str, argument: str) -> Metric:
    """The payoff of `ACTOR=TYPE`, or of `ACTOR` where nothing is private; `ScenarioError` else."""
    payoffs = {metric.whose: metric for metric in among if metric.actor}
    return _pick(payoffs, whose, argument, "payoff of")


def _pick(known: Mapping[str, Metric], name: str, argument: str, what: str) -> Metric:
    if name not in known:
        message = f"the ensemble has no {what} `{name}`"
        refuse(argument, "unknown-name", message, did_you_mean(name, known))
    return known[name]


def pick_policy(ensemble: Results, policy: str, argument: str) -> str:
    """The policy, if it was solved. Raises `ScenarioError` if it was not."""
    known = ensemble.manifest.policies
    if policy not in known:
        hint = did_you_mean(policy, [name for name in known if name])
        message = f"the ensemble has no policy `{policy}`"
        refuse(argument, "unknown-name", message, hint or f"it has {listing(list(known))}")
    return policy


# ---- how well metrics are known


def unmeasured(ensemble: Results, column: str) -> bool:
    """Whether there is a belief grid whose error is not known."""
    return bool(ensemble.manifest.beliefs) and bool(ensemble.errors(column).isna().any())


def pair_limits(ensemble: Results, column: str) -> np.ndarray:
    """Differences between two policies count beyond these, float64 [policy, policy].

    Errors were measured of differences from one policy, `against`; of another pair both are
    added: |(p - q) - (p' - q')| ≤ |(p - a) - (p' - a')| + |(q - a) - (q' - a')|. Where none was
    measured the error is taken for 0, and `unmeasured` tells.
    """
    manifest = ensemble.manifest
    errors = ensemble.errors(column).fillna(0.0).to_numpy(float, copy=True)
    errors[manifest.policies.index(manifest.against)] = 0.0  # its difference from itself
    limits: np.ndarray = errors[:, None] + errors[None, :] + ROUNDING
    return limits


def own_limits(ensemble: Results, column: str) -> pd.Series:
    """By policy, how far a metric itself may be off."""
    errors = ensemble.errors(column).fillna(0.0).astype(float)
    base = ensemble.manifest.against
    return errors + errors[base] * (errors.index != base) + ROUNDING


def present_value(ensemble: Results, column: str, policy: str) -> float:
    """The metric at the present values; NaN where they were not solved."""
    rows = ensemble.present
    if column not in rows:
        return float("nan")
    values = rows.loc[rows["policy"] == policy, column]
    return float(values.iloc[0]) if len(values) else float("nan")
