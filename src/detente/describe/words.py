"""Words that several results share: what to call policies, outcomes, actors; sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from detente.numbers import count
from detente.scenario.entities import Actor
from detente.scenario.ledger import PRECISION_FACTOR
from detente.scenario.model import Scenario
from detente.scenario.policies import policy_name

if TYPE_CHECKING:  # which `detente show` does without
    from detente.solver.solution import Solution, Status

Sentences = tuple[str, ...]
Point = tuple[str, Sentences]
"""What leads a statement in, and its sentences."""


def together(names: Iterable[str]) -> str:
    """Names in a sentence: `A, B and C`."""
    *others, last = tuple(names) or ("",)
    return f"{', '.join(others)} and {last}" if others else last


def clause(scenario: Scenario, outcome: str) -> str:
    """What an outcome says, in the scenario's words; without any, its name in quotes."""
    return spoken(scenario.outcomes[outcome].about.rstrip("."), outcome)


def spoken(about: str, name: str) -> str:
    """What something is, for a sentence; where nothing says so, its name in quotes."""
    return about or f"“{name}”"


def who(scenario: Scenario, actor: str, kind: str) -> str:
    """An actor and its type."""
    name = scenario.actors[actor].name if actor in scenario.actors else actor
    return f"{name} ({kind})" if kind else name


def spoken_of(actor: Actor) -> tuple[str, ...]:
    """The types to write beliefs about: of two types the belief about one says all."""
    return actor.types[:1] if len(actor.types) == 2 else actor.types


def meanings(scenario: Scenario) -> dict[str, str]:
    """By name of a parameter or a variant, what it says and for which type; '' for nothing."""
    about = {key: variant.about for key, variant in scenario.variants.items()}
    about[PRECISION_FACTOR] = "what the precision of responses is multiplied by"
    for parameter in scenario.parameters.values():
        for name, kind in zip(parameter.names(), parameter.types or ("",), strict=True):
            about[name] = f"{parameter.about}{f' ({kind})' if kind and parameter.about else ''}"
    return about


def letters(policies: Iterable[str]) -> dict[str, str]:
    """A short name for each policy: A … Z, or numbers where there are more."""
    names = list(policies)
    many = len(names) > len(ascii_uppercase)
    return {p: str(n + 1) if many else ascii_uppercase[n] for n, p in enumerate(names)}


def changed(scenario: Scenario) -> str:
    """What was changed from outside; '' if nothing was."""
    values = ", ".join(f"{name} = {text}" for name, text in scenario.changed.items())
    return f"changed: {values}" if values else ""


def in_force(policy: str) -> str:
    return f"policy: {policy}" if policy else "no terms announced"


def unsolved(statuses: Mapping[str, Status]) -> tuple[str, ...]:
    """Which of some games were not solved and why, by what they are called; '' is the only one."""
    reasons = (
        (name, status.value.removeprefix("not solved: "))
        for name, status in statuses.items()
        if status.name != "SOLVED"
    )
    return tuple(f"{name}: {why}" if name else why for name, why in reasons)


def identity(scenario: Scenario, **more: object) -> dict[str, Any]:
    """Which scenario it was, for programs."""
    return attributes(scenario, "name title sha256 overrides options") | more


def attributes(value: object, names: str) -> dict[str, Any]:
    """What a result calls by these names, for programs."""
    return {name: getattr(value, name) for name in names.split()}


def coded(status: Enum) -> dict[str, str]:
    """A status or a verdict for programs."""
    return {"code": status.name, "message": status.value}


def span(scenario: Scenario, periods: int, *, forever: bool) -> str:
    """Which periods are played, and which of them are reported."""
    calendar = scenario.calendar
    length = count(periods, calendar.unit)
    since = f" from {calendar.label(1)}" if calendar.start else ""
    if not forever:
        return length + since
    some = f"first {length} are" if periods > 1 else f"first {calendar.unit} is"
    return f"without end{since}; the {some} reported"


def grid_text(solution: Solution) -> str:
    """The size of the belief grid; for two types points and nodes are the same."""
    informed = [simplex for simplex in solution.grid.about if simplex.steps]
    points = " x ".join(str(simplex.steps + 1) for simplex in informed)
    if all(simplex.size == simplex.steps + 1 for simplex in informed):
        return points
    nodes = " x ".join(str(simplex.size) for simplex in informed)
    edges = "each edge" if len(informed) == 1 else "the edges"
    return f"with {points} points along {edges} ({nodes} nodes)"


def named(policy: str, base: str | None = None) -> str:
    """A policy, and whether it is the one that others are compared with."""
    return f"{policy_name(policy)}{' (base)' if policy == base else ''}"
