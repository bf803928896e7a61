"""An ensemble made of given numbers, for tests of what is read from one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

import detente
from detente.scenario.model import Scenario

SCENARIO = detente.load("bargaining-rounds")


@dataclass(frozen=True)
class StandInManifest:
    """As much of a manifest as is read."""

    policies: tuple[str, ...]
    against: str
    draws: int
    times: tuple[int, ...] = (1, 3)
    outcomes: tuple[str, ...] = ()
    actors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = "made-up"
    seed: int = 0
    beliefs: int = 17
    quantities: Mapping[str, str] = field(default_factory=dict)

    def scenario(self) -> Scenario:
        return SCENARIO


@dataclass(frozen=True, eq=False)
class StandIn:
    """An ensemble: by column, numbers by draw and policy."""

    manifest: StandInManifest
    inputs: pd.DataFrame
    numbers: Mapping[str, pd.DataFrame]
    known: Mapping[str, Sequence[float]] = field(default_factory=dict)
    now: Mapping[str, Sequence[float]] = field(default_factory=dict)
    complete: bool = True

    @property
    def present(self) -> pd.DataFrame:
        rows = [
            {"draw": 0, "policy": policy, "beliefs": 17, **{c: v[k] for c, v in self.now.items()}}
            for k, policy in enumerate(self.manifest.policies)
        ]
        return pd.DataFrame(rows)

    @property
    def failures(self) -> pd.DataFrame:
        rows = [
            (draw, policy, "REFUSED", "too large")
            for table in list(self.numbers.values())[:1]
            for policy in table
            for draw in table.index[table[policy].isna()]
        ]
        return pd.DataFrame(rows, columns=["draw", "policy", "status", "reason"])

    @property
    def done(self) -> int:
        return len(self.inputs)

    def values(self, column: str) -> pd.DataFrame:
        return self.numbers[column]

    def errors(self, column: str) -> pd.Series:
        nothing = [0.0] * len(self.manifest.policies)
        return pd.Series(self.known.get(column, nothing), index=list(self.manifest.policies))


def make(
    numbers: Mapping[str, np.ndarray],
    inputs: Mapping[str, Sequence[Any] | np.ndarray],
    policies: tuple[str, ...],
    *,
    against: str | None = None,
    **rest: Any,
) -> StandIn:
    """An ensemble of arrays (draws, policies) and of inputs by name."""
    drawn = pd.DataFrame(dict(inputs))
    length = len(next(iter(numbers.values())))
    drawn.index = pd.RangeIndex(1, length + 1, name="draw")
    tables = {
        column: pd.DataFrame(values, index=drawn.index, columns=list(policies))
        for column, values in numbers.items()
    }
    manifest = StandInManifest(
        policies,
        policies[0] if against is None else against,
        length,
        outcomes=tuple(dict.fromkeys(c.partition("@")[0] for c in numbers if "@" in c)),
        actors=_actors(numbers),
    )
    return StandIn(manifest, drawn, tables, **rest)


def _actors(columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The private types of each actor who has a payoff."""
    found: dict[str, tuple[str, ...]] = {}
    for column in columns:
        if column.startswith("payoff:"):
            actor, _, kind = column.removeprefix("payoff:").partition("=")
            found[actor] = (*found.get(actor, ()), kind) if kind else ()
    return found
