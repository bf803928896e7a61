"""What a scenario rests on: numbers that anything uses, and all that is said of its entities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from detente.scenario.entities import JointPrior, Variable
from detente.scenario.fields import AllOf, Entry, FormulaIn, fields_of, within
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.types import CONSTANT
from detente.scenario.model import Scenario
from detente.scenario.rules import Action, LevelChange, Moment
from detente.scenario.scalar_types import MOMENT, Levels

PRECISION_FACTOR = "precision factor"
"""What ensembles draw where precisions are not known: a multiple of them, 1 in the scenario. No
parameter is called so, as names have no spaces."""


def drawn_priors(scenario: Scenario) -> dict[str, str]:
    """The parameters that are drawn with a prior, each with its actor's key."""
    certain = [actor for actor in scenario.actors.values() if actor.concentration is not None]
    return {name: actor.key for actor in certain for name in actor.shares() if name}


def used_parameters(scenario: Scenario) -> frozenset[str]:
    """The parameters that some formula reads."""
    return frozenset().union(*(formula.parameters for formula in within(scenario, Formula)))


def entity_data(entity: Any, scenario: Scenario) -> dict[str, Any]:
    """What is said of an entity, for programs: by the keys that its fields have in a file.

    Constants are numbers at the present values of the parameters, or words for what is infinite;
    other formulas are text, '' where there is none. Levels are called by their names.
    """
    fields = fields_of(type(entity)).items()
    data = {key: _plain(getattr(entity, f.attribute), f.shape, scenario) for key, f in fields}
    if isinstance(entity, Variable):
        data["start"] = entity.label(entity.start)
    if isinstance(entity, JointPrior):
        axes = [scenario.actors[key].types for key in entity.by]
        data["values"] = _nested(iter(data["values"]), axes)
    if isinstance(entity, Action):
        del data["like"]  # those that are like it are its members
        data["members"] = list(entity.members)
    return data


def _nested(numbers: Iterator[Any], axes: Sequence[Sequence[str]]) -> Any:
    """Numbers as a table by names, those of the last axis varying fastest."""
    if not axes:
        return next(numbers)
    return {name: _nested(numbers, axes[1:]) for name in axes[0]}


def _plain(value: Any, shape: Any, scenario: Scenario) -> Any:
    item = getattr(shape, "item", shape)
    if isinstance(value, Mapping):
        return {key: _plain(part, item, scenario) for key, part in value.items()}
    if isinstance(value, Levels):
        return [value.label(level) for level in range(value.size)]
    if isinstance(value, tuple):
        return [_plain(part, item, scenario) for part in value]
    if isinstance(item, FormulaIn) and item.slot == CONSTANT:
        number = scenario.constant(value)
        return number if math.isfinite(number) else value.text
    if isinstance(value, Formula | Moment | LevelChange):
        return value.text
    if value is None and (isinstance(item, FormulaIn | AllOf) or item == MOMENT):
        return getattr(item, "word", "")
    return entity_data(value, scenario) if isinstance(value, Entry) else value
