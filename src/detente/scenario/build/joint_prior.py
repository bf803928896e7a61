"""A joint prior: a table of how likely the types of several actors are together.

These actors name their types alone; their own priors are what the table adds up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from detente.scenario.build.draft import Spot
from detente.scenario.build.entity import Raw, build, entity
from detente.scenario.entities import JointPrior
from detente.scenario.fields import FormulaIn, fields_of
from detente.scenario.formula.evaluate import Arithmetic
from detente.scenario.formula.expression import Formula, number, read_by
from detente.scenario.formula.types import CONSTANT
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.scalar_types import Wrong

JOINT = "joint_prior"


def alone(spot: Spot, raw: Raw, actor: str) -> dict[str, Any]:
    """What stands in for the priors of an actor whose types are named alone, until the table that
    they are from has been read; nothing where it has priors of its own."""
    types = raw.get("types", {})
    table = spot.draft.raw.get(JOINT)
    lost = JOINT in spot.draft.source.value and table is None  # which is reported
    named, together = types and None in types.values(), actor in (table or {}).get("by", ())
    if named and not together and not lost:
        message = f"the types of `{actor}` have no priors"
        each = ", ".join(f"{name}: 1/{len(types)}" for name in types)
        hint = f"write `{{{each}}}`, or other numbers that add up to 1"
        if table:
            hint = f"name {actor} in `by` of `{JOINT}`, or {hint}"
        spot.error("priors", message, hint)
    if together and types and not named:
        message = f"the priors of `{actor}` are those of `{JOINT}`, and stand here as well"
        spot.error("priors", message, f"name the types alone: `types: [{', '.join(types)}]`")
    if not (named or (together and types)):
        return {}
    if raw.get("concentration") is not None:
        message = f"the prior of `{actor}` is that of `{JOINT}`, which is not drawn"
        hint = "leave it out; parameters in the table may have ranges"
        (spot.up / "concentration").key_error("concentration", message, hint)
    share = number(1 / len(types), spot.place)
    return {"priors": Frozen(dict.fromkeys(types, share)), "concentration": None}


def joint_prior(spot: Spot, raw: Raw) -> JointPrior | None:
    """The table, with a cell for each combination of types."""
    draft, by, before = spot.draft, raw["by"], len(spot.draft.errors)
    build(fields_of(JointPrior)["by"].shape, by, spot / "by")
    axes = [(name, draft.scope.actors.get(name)) for name in by]
    for k, (name, types) in enumerate(axes):
        if types is not None and len(types) < 2 and name in draft.raw["actors"]:
            message = f"`{name}` has no private types that could go with those of others"
            hint = "give it two `types` or more, or leave it out here"
            (spot / "by" / k).error("types", message, hint)
    known = [(name, types) for name, types in axes if types]
    if len(known) < len(axes) or len(draft.errors) > before:
        return None
    shares = list(_cells(spot / "values", raw["values"], known))
    if len(draft.errors) > before:
        return None
    return entity(JointPrior, spot, raw, by=tuple(by), shares=tuple(shares))


def _cells(spot: Spot, value: Any, axes: Sequence[tuple[str, Sequence[str]]]) -> Iterator[Formula]:
    """The cells at the spot, by the types of these actors; what is wrong is reported."""
    if not axes:
        try:
            formula = spot.formula(FormulaIn(CONSTANT).check(value), CONSTANT)
        except Wrong as wrong:
            spot.error("wrong-type", f"{spot.name} {wrong.sentence}", wrong.hint)
            return
        if formula:
            yield formula
        return
    (actor, types), *others = axes
    if not isinstance(value, dict):
        message = f"here the table goes on by the types of {actor}, and there is a single value"
        spot.error("table", message, f"give a value for each of {listing(types)}")
        return
    for key in value:
        if key not in types:
            hint = did_you_mean(key, types) or f"they are {listing(types)}"
            (spot / key).key_error("type", f"`{key}` is not a type of {actor}", hint)
    missing = [name for name in types if name not in value]
    if missing:
        message = f"the table has nothing for {listing(missing)} of {actor}"
        spot.key_error("table", message, "give the probability of every combination of types")
    for name in types:
        if name in value:
            yield from _cells(spot / name, value[name], others)


def with_priors(scenario: Scenario) -> Scenario:
    """The scenario in which the priors of actors are what the joint one adds up to."""
    table = scenario.joint_prior
    if table is None:
        return scenario
    actors, apart = dict(scenario.actors), len(table.shares)
    for key in table.by:
        types = actors[key].types
        apart //= len(types)
        cells = {
            name: [s for n, s in enumerate(table.shares) if n // apart % len(types) == k]
            for k, name in enumerate(types)
        }
        priors = Frozen({name: _total(shares) for name, shares in cells.items()})
        actors[key] = replace(actors[key], priors=priors)
    return replace(scenario, actors=Frozen(actors))


def _total(shares: Sequence[Formula]) -> Formula:
    """The sum of cells; their decimals are the table's."""
    first, *others = shares
    node = Arithmetic(first.node, tuple(("+", share.node) for share in others))
    text = " + ".join(f"({s.text})" if " " in s.text else s.text for s in shares)
    return Formula(text, first.place, node, **{**read_by(shares), "decimals": False})
