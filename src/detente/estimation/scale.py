"""A precision and the scale of payoffs cannot both be estimated: only their product matters.

Logit responses depend on λ U. Where all that an actor wants is in proportion to free parameters,
and its precision is free as well, twice the payoffs with half the precision are the same model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from detente.dtypes import Floats
from detente.errors import Problems
from detente.estimation.free import Free
from detente.game.arrays import CompiledGame
from detente.game.compile import with_values
from detente.scenario.fields import within
from detente.scenario.hints import listing
from detente.scenario.rules import Event

FACTOR = 1.5


def refuse_scale(game: CompiledGame, free: Sequence[Free]) -> None:
    """Refuse a free precision with all the payoffs that it multiplies. Raises `ScenarioError`."""
    problems = Problems()
    moved = {one.name: one.start for one in free}
    keys = {one.name.partition(".")[0] for one in free}
    precisions = {actor.key: actor.precision.parameters & keys for actor in game.actors}
    for name in sorted({name for names in precisions.values() for name in names}):
        own = [i for i, actor in enumerate(game.actors) if name in precisions[actor.key]]
        values = {
            full: FACTOR * value
            for full, value in moved.items()
            if full.partition(".")[0] not in frozenset().union(*precisions.values())
            and full.partition(".")[0] in _in_payoffs(game)
        }
        if not values:
            continue
        scaled = with_values(game, values)
        if _scaled(game, scaled, own):
            actors = listing(game.actors[i].key for i in own)
            message = (
                f"`{name}` is the precision of {actors}, all of whose payoffs are in proportion to "
                f"{listing(values)}: only their product can be known"
            )
            hint = f"leave one of them fixed, as the unit of payoffs: `{name}` or a payoff"
            problems.add("free", "not-identified", message, hint)
    problems.refuse()


def _in_payoffs(game: CompiledGame) -> frozenset[str]:
    """The parameters that payoffs and costs read."""
    scenario = game.scenario
    costs = [
        formula
        for event in within((scenario.actions, scenario.turns), Event)
        for _, formula in event.charged
    ]
    paid = [
        f for p in scenario.payoffs.values() for part in (p.flow, p.terminal) for f in part.values()
    ]
    soft = [term.cost for term in scenario.terms.values() if term.cost is not None]
    return frozenset().union(*(formula.parameters for formula in (*costs, *paid, *soft)))


def _scaled(game: CompiledGame, other: CompiledGame, own: Sequence[int]) -> bool:
    """Whether the other game is this one with the payoffs of these actors scaled, and no more."""
    pairs = list(_payoffs(game, other))
    factor = np.ones(len(game.actors))
    factor[list(own)] = FACTOR
    rows = np.repeat(factor, len(game.profiles))
    same = all(np.allclose(a.prob, b.prob) for a, b in zip(game.layers, other.layers, strict=True))
    return same and all(np.allclose(first * rows, second) for first, second in pairs)


def _payoffs(game: CompiledGame, other: CompiledGame) -> Iterator[tuple[Floats, Floats]]:
    for first, second in zip(game.layers, other.layers, strict=True):
        yield first.reward, second.reward
    yield from zip(game.flow, other.flow, strict=True)
    yield game.terminal, other.terminal
