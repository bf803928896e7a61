"""What a page asks to be solved: the changes that were made to a scenario, as one plain value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from detente.errors import refuse
from detente.scenario.frozen import Frozen
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policy

MOST_CHANGES = 2_000
"""Values that one request may change: more than any scenario has."""

LONGEST_NAME = 200
"""Characters of a name in a request."""

NAMES = ("values", "options", "policy", "periods", "beliefs", "outcome")


@dataclass(frozen=True, slots=True)
class Setting:
    """The scenario as the page has it.

    values, options
        Parameters by full name, and variants, that differ from the file.
    policy
        As in `compile_game`; None for the scenario's own.
    periods, beliefs
        The horizon and the belief points, where others than the default are wanted.
    outcome
        The outcome that is asked about; '' for the most open one.
    """

    values: Mapping[str, float] = field(default_factory=Frozen)
    options: Mapping[str, str] = field(default_factory=Frozen)
    policy: str | None = None
    periods: int | None = None
    beliefs: int | None = None
    outcome: str = ""

    def applied(self, scenario: Scenario) -> Scenario:
        """The scenario with the changes. Raises `ScenarioError` for what it does not have."""
        if self.outcome and self.outcome not in scenario.outcomes:
            refuse("outcome", "unknown-name", f"there is no outcome `{self.outcome}`")
        find_policy(scenario, self.policy)
        changed = scenario.with_options(self.options).with_values(self.values)
        return changed if self.periods is None else changed.with_horizon(self.periods)

    def command(self, source: str, what: str = "run") -> tuple[str, ...]:
        """What to type for the same, word by word."""
        words = ["detente", what, source]
        for name, value in {**self.options, **self.values}.items():
            words += ["--set", f"{name}={value if isinstance(value, str) else repr(value)}"]
        given = {"--policy": self.policy, "--horizon": self.periods, "--beliefs": self.beliefs}
        if what == "report":
            given["--outcome"] = self.outcome or None
        for flag, value in given.items():
            words += [flag, str(value)] if value is not None else []
        return tuple(words)


def read_setting(data: object) -> Setting:
    """A setting from what a page sent. Raises `ScenarioError` for what cannot be one."""
    if not isinstance(data, dict) or not set(data) <= set(NAMES):
        refuse("setting", "wrong-type", f"a setting is an object of {', '.join(NAMES)}")
    given: dict[str, Any] = data
    values = _mapping(given.get("values"), "values")
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse("values", "wrong-type", f"`{name}` is a number")
        if abs(value) > 1e300 or not math.isfinite(value):
            refuse("values", "out-of-range", f"`{name}` is a finite number")
    options = _mapping(given.get("options"), "options")
    for name, value in options.items():
        _text(value, name)
    policy = given.get("policy")
    return Setting(
        values=Frozen({name: float(value) for name, value in values.items()}),
        options=Frozen(options),
        policy=None if policy is None else _text(policy, "policy"),
        periods=_count(given.get("periods"), "periods"),
        beliefs=_count(given.get("beliefs"), "beliefs"),
        outcome=_text(given.get("outcome") or "", "outcome"),
    )


def _mapping(value: object, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MOST_CHANGES:
        refuse(name, "wrong-type", f"`{name}` is an object of at most {MOST_CHANGES:,} names")
    for key in value:
        _text(key, name)
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        refuse(name, "wrong-type", f"`{name}` is text of at most {LONGEST_NAME} characters")
    return value


def _count(value: object, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        refuse(name, "wrong-type", f"`{name}` is a whole number from 1 on")
    return value
