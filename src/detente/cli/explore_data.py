"""An exploration for programs."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from detente.cli import console
from detente.ensembles.explore.decision_boundary import DecisionBoundary
from detente.ensembles.explore.discovery import Discovery
from detente.ensembles.explore.explore import Exploration
from detente.ensembles.explore.influence import Influence


def as_data(found: Exploration) -> dict[str, Any]:
    """What is printed for people and the whole tables, ready for JSON."""
    tables = ("distributions", "preferences", "regrets", "differences", "satisficing", "left_out")
    record, boundary = found.manifest, found.decision_boundary
    return {
        "scenario": record.name,
        "policies": list(record.policies),
        "against": found.against,
        "draws": found.done,
        "complete": found.complete,
        "seed": record.seed,
        "requirement": found.requirement or None,
        "for": None if found.whose is None else found.whose.whose,
        **{name: console.records(getattr(found, name)) for name in tables},
        "influences": [_influence_data(one) for one in found.influences],
        "discoveries": [_discovery_data(one) for one in found.discoveries],
        "decision_boundary": None if boundary is None else _boundary_data(boundary),
        "notes": list(found.notes),
    }


def _influence_data(one: Influence) -> dict[str, Any]:
    table = one.table.assign(shares_with=one.table["shares_with"].map(list))
    return {
        "about": one.question.about,
        "metric": one.question.metric.name,
        "policy": one.question.policy,
        "against": one.question.against,
        "draws": one.draws,
        "left_out": one.left_out,
        "s1_floor": _plain(one.s1_floor),
        "pawn_floor": _plain(one.pawn_floor),
        "note": one.note,
        "quantities": [_without_nan(row) for row in table.to_dict(orient="records")],
    }


def _discovery_data(one: Discovery) -> dict[str, Any]:
    return {
        "about": one.about,
        "policy": one.policy,
        "draws": one.draws,
        "left_out": one.left_out,
        "fail": _plain(one.base),
        "boxes_of": one.rarer,
        "counted": one.counted,
        "boxes": console.records(one.table),
        "note": one.note,
    }


def _boundary_data(one: DecisionBoundary) -> dict[str, Any]:
    return {
        "about": one.about,
        "unit": one.unit,
        "lower_side": _plain(one.turned),
        "draws": console.records(one.table),
    }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _without_nan(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(k): None if isinstance(v, float) and pd.isna(v) else v for k, v in row.items()}
