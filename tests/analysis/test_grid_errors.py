"""Numbers of finer grids lie within the stated errors: of all but the forecast's.

Those of the forecast are judged in `tests/simulation/test_errors.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import detente
from detente.analysis.query import Query
from detente.solver.solution import RESIDUAL_LIMIT, Status
from tests import effort
from tests.generate import Shape, random_scenario

FAMILY = {
    "short": (Shape(periods=3), 17, 33),
    "wide": (Shape(periods=2, actions=3, levels=4), 17, 33),
    "two informed": (Shape(periods=2, informed=2), 9, 17),
    "three types": (Shape(periods=2, types=3), 13, 25),
    "together": (Shape(periods=2, informed=2, together=2), 9, 17),
}
"""Kinds of scenarios, the belief points on which their error is judged, and of a finer grid."""

SEED = 20_180_209
POLICIES = """\
terms:
  held: {binds: A0, forbids: [a1]}
  priced: {binds: A1, forbids: [a0], cost: 0.5}
policies: {strict: [held], mild: [priced], open: []}
policy: open
"""

Numbers = Iterator[tuple[str, float, float]]
"""A kind of number, the number and its error."""


def announcements(scenario: detente.Scenario, options: detente.SolveOptions) -> Numbers:
    result = detente.announce(scenario, ["strict", "mild", "open"], options, who="A0")
    if result.status is not Status.SOLVED:
        return
    for table, column in (
        (result.choices, "probability"),
        (result.beliefs, "posterior"),
        (result.outcomes, "announced"),
    ):
        for row in table.to_dict("records"):
            yield column, row[column], row["error"]


def gains(scenario: detente.Scenario, options: detente.SolveOptions) -> Numbers:
    for policy in ("strict", "mild"):
        result = detente.credibility(scenario, policy, options)
        if result.solution.status is not Status.SOLVED:
            continue
        for row in result.hard.to_dict("records"):
            yield "gain", row["gain"], row["gain_error"]
            yield "largest", row["largest"], row["largest_error"]
        for row in result.soft.to_dict("records"):
            yield "broken", row["broken"], row["error"]


def crossings(scenario: detente.Scenario, options: detente.SolveOptions) -> Numbers:
    """The numbers along a parameter: of an outcome, a payoff and a preference."""
    for name, query, level in (
        ("outcome", Query(outcome="top"), 1.0),
        ("payoff", Query(payoff="A0"), 1e6),
        ("preference", Query(prefer=("mild", "open"), actor="A1"), 1e6),
    ):
        result = detente.threshold(
            scenario, "end_0", query, options, at=level, low=-1.0, high=1.0, points=4
        )
        for row in result.curve.to_dict("records"):
            if row["solved"]:
                yield name, row["number"], row["error"]


def within(
    text: str, points: int, fine_points: int, kind: Callable[..., Numbers]
) -> dict[str, list[bool]]:
    """By kind of number, of each whether the finer one lies within its error."""
    scenario = detente.loads(text + POLICIES)
    own = list(kind(scenario, detente.SolveOptions(points)))
    finer = list(kind(scenario, detente.SolveOptions(fine_points)))
    lies: dict[str, list[bool]] = {}
    if len(own) != len(finer):
        return lies
    for (name, number, error), (_, fine, _) in zip(own, finer, strict=True):
        if not (np.isnan(number) and np.isnan(fine)):
            lies.setdefault(name, []).append(abs(number - fine) <= error + RESIDUAL_LIMIT)
    return lies


@pytest.mark.slow
@pytest.mark.parametrize("kind", [announcements, gains, crossings])
def test_finer_numbers_lie_within_the_error(kind: Callable[..., Numbers]) -> None:
    judged: dict[str, list[list[bool]]] = {}
    for k, (shape, points, fine_points) in enumerate(FAMILY.values()):
        for seed in range(effort.examples(1 if kind is announcements else 2)):
            rng = np.random.default_rng([SEED, k, seed])
            precision = float(rng.choice([0.5, 1.0, 2.0, 4.0, 8.0]))
            lies = within(random_scenario(rng, shape, precision), points, fine_points, kind)
            for name, some in lies.items():
                judged.setdefault(name, []).append(some)
    assert judged
    for name, scenarios in judged.items():
        assert np.mean([lies for some in scenarios for lies in some]) >= 0.95, name
        assert np.mean([all(some) for some in scenarios]) >= 0.95, name
