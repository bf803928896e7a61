"""What is explored: the numbers of an ensemble by name, and how well their differences are known.

A number is a column of the ensemble: the probability of an outcome, or what an actor's type
expects. Worlds are rows, policies columns. A world that was not solved under a policy has no
number there, and no statistic ever takes it for anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import pandas as pd

from detente.analysis.compare import ROUNDING
from detente.ensembles.columns import outcome_column, payoff_column
from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.model import Scenario

PROBABILITY, PAYOFF = "probability", "payoff"


class Record(Protocol):
    """What is read of the record of a run."""

    @property
    def name(self) -> str: ...
    @property
    def policies(self) -> Sequence[str]: ...
    @property
    def against(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def draws(self) -> int: ...
    @property
    def beliefs(self) -> int: ...
    @property
    def times(self) -> Sequence[int]: ...
    @property
    def outcomes(self) -> Sequence[str]: ...
    @property
    def actors(self) -> Mapping[str, Sequence[str]]: ...
    def scenario(self) -> Scenario: ...


class Results(Protocol):
    """What is read of an ensemble: `detente.ensemble` and `detente.open_ensemble` give one."""

    @property
    def record(self) -> Record: ...
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

    def __init__(self, found: Results) -> None:
        self.record: Record = found.record
        self.inputs: pd.DataFrame = found.inputs
        self.present: pd.DataFrame = found.present
        self.failures: pd.DataFrame = found.failures
        self.complete: bool = found.complete
        self.done: int = found.done
        self.values = cache(found.values)
        self.errors = cache(found.errors)


@dataclass(frozen=True)
class Metric:
    """A number that each world has under each policy.

    name
        As it is asked for: `deal`, `payoff:DPRK=sincere`.
    column
        Its column in the ensemble.
    kind
        `probability` or `payoff`.
    actor, type
        Whose payoff; '' for an outcome, and `type` where nothing is private.
    about
        In words.
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


def numbers(
    found: Results, *, within: int | None = None, given: Mapping[str, str] | None = None
) -> tuple[Metric, ...]:
    """All numbers by the end of a period: outcomes first, then payoffs, in the file's order.

    Raises
    ------
    ScenarioError
        For a period that was not recorded, and for types that are not known.
    """
    record = found.record
    times = list(record.times)
    at = max(times, default=0) if within is None else within
    if within is not None and within not in times:
        message = f"the ensemble has no numbers by the end of period {within}"
        hint = f"it has those of {', '.join(str(t) for t in times)}"
        raise refusal("--within", "out-of-range", message, hint)
    if given and len(given) > 1:
        message = "an ensemble keeps what depends on one actor's type at a time"
        raise refusal("--given", "too-many", message, "give one ACTOR=TYPE")
    condition = next(iter(given.items())) if given else None
    known = [
        (actor, kind) for actor, kinds in record.actors.items() for kind in kinds[1:] and kinds
    ]
    if condition is not None and condition not in known:
        asked = "=".join(condition)
        listed = [f"{actor}={kind}" for actor, kind in known]
        hint = did_you_mean(asked, listed) or "nothing is private in this scenario"
        raise refusal("--given", "unknown-name", f"there is no `{asked}` in the ensemble", hint)
    scenario = record.scenario()
    true = f" (the true type of {condition[0]} being {condition[1]})" if condition else ""
    told = []
    for outcome in record.outcomes:
        about = f"the probability that {outcome} has come about by {_label(scenario, at)}{true}"
        column = outcome_column(outcome, at, condition)
        told.append(Metric(outcome, column, PROBABILITY, about))
    for actor, kinds in record.actors.items():
        for kind in kinds or ("",):
            column = payoff_column(actor, kind)
            name = scenario.actors[actor].name
            who = f"{name} ({kind})" if kind else name
            told.append(Metric(column, column, PAYOFF, f"the payoff of {who}", actor, kind, who))
    return tuple(told)


def _label(scenario: Scenario, period: int) -> str:
    return scenario.calendar.label(period) if period else "the start"


def pick(among: Sequence[Metric], name: str, place: str) -> Metric:
    """The number of this name.

    Raises
    ------
    ScenarioError
        If there is none.
    """
    for number in among:
        if number.name == name:
            return number
    hint = did_you_mean(name, [number.name for number in among])
    raise refusal(place, "unknown-name", f"the ensemble has no outcome or payoff `{name}`", hint)


def pick_payoff(among: Sequence[Metric], whose: str, place: str) -> Metric:
    """The payoff of `ACTOR=TYPE`, or of `ACTOR` where nothing is private.

    Raises
    ------
    ScenarioError
        If there is none.
    """
    payoffs = [number for number in among if number.actor]
    for number in payoffs:
        if number.whose == whose:
            return number
    hint = did_you_mean(whose, [number.whose for number in payoffs])
    raise refusal(place, "unknown-name", f"the ensemble has no payoff of `{whose}`", hint)


def pick_policy(found: Results, policy: str, place: str) -> str:
    """The policy, if it was solved.

    Raises
    ------
    ScenarioError
        If it was not.
    """
    known = list(found.record.policies)
    if policy not in known:
        named = [one for one in known if one]
        hint = did_you_mean(policy, named) or f"it has {listing(known)}"
        raise refusal(place, "unknown-name", f"the ensemble has no policy `{policy}`", hint)
    return policy


def refusal(place: str, code: str, message: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Diagnostic(Place(place), code, message, hint)])


# ---- how well numbers are known


def known_errors(found: Results, column: str) -> pd.Series:
    """By policy, the discretisation error of the difference from the record's `against`.

    Nothing is private: no belief grid, no error. It was not measured: 0, and `unmeasured` tells.
    """
    return found.errors(column).reindex(list(found.record.policies)).fillna(0.0).astype(float)


def unmeasured(found: Results, column: str) -> bool:
    """Whether there is a belief grid whose error is not known."""
    errors = found.errors(column).reindex(list(found.record.policies))
    return bool(found.record.beliefs) and bool(errors.isna().any())


def pair_limits(found: Results, column: str) -> np.ndarray:
    """Differences between two policies count beyond these; (policies, policies).

    Errors were measured of differences from one policy, `against`; of another pair both are
    added: |(p - q) - (p' - q')| ≤ |(p - a) - (p' - a')| + |(q - a) - (q' - a')|.
    """
    errors = known_errors(found, column)
    against = list(found.record.policies).index(found.record.against)
    own = errors.to_numpy().copy()
    own[against] = 0.0  # the difference of a policy from itself
    limits: np.ndarray = own[:, None] + own[None, :] + ROUNDING
    return limits


def own_limits(found: Results, column: str) -> pd.Series:
    """By policy, how far a number itself may be off."""
    errors = known_errors(found, column)
    base = float(errors[found.record.against])
    total = errors + base
    total[found.record.against] = base
    return total + ROUNDING


def present_value(found: Results, column: str, policy: str) -> float:
    """The number at the present values; missing where they were not solved."""
    rows = found.present
    if not len(rows) or column not in rows:
        return float("nan")
    rows = rows[rows["policy"] == policy]
    return float(rows[column].iloc[0]) if len(rows) else float("nan")
