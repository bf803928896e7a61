"""What a forecast may be conditional on: true types, and outcomes that have come about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from detente.dtypes import Floats
from detente.errors import Problems
from detente.game.arrays import CompiledGame
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean

ANY = "any"
"""In the columns of private types: whatever the type is, weighted by the prior."""


def check_conditions(
    game: CompiledGame, types: Mapping[str, str], given: Sequence[str], *, argument: str = "types"
) -> None:
    """Refuse actors, types and outcomes that are not there. Raises `ScenarioError`.

    `argument` is what gave the types.
    """
    problems = Problems()
    actors, outcomes = game.scenario.actors, game.scenario.outcomes

    def known(argument: str, kind: str, name: str, names: Sequence[str]) -> None:
        if name not in names:
            message = f"there is no {kind} `{name}`"
            problems.add(argument, "unknown-name", message, did_you_mean(name, names))

    for key, kind in types.items():
        known(argument, "actor", key, tuple(actors))
        if key in actors:
            known(argument, f"type of {key}", kind, actors[key].types)
    for outcome in given:
        known("given", "outcome", outcome, tuple(outcomes))
    problems.refuse()


def conditions(
    game: CompiledGame, types: Mapping[str, str] = Frozen()
) -> Iterator[tuple[dict[str, str], Floats]]:
    """Each condition on true types ('any' or one type for each informed actor), with its weights.

    The weights, float64 [p], give the expectation over profiles under the condition; a type is a
    condition also where its prior is 0. An actor among `types` has no other type, 'any' or not.
    """
    known = {
        i: game.actors[i].types.index(types[game.actors[i].key])
        for i in game.informed
        if game.actors[i].key in types
    }
    options = [(known[i],) if i in known else range(game.priors[i].size) for i in game.informed]
    for chosen in product(*((None, *each) for each in options)):
        told = dict(zip(game.informed, chosen, strict=True))
        given = known | {i: theta for i, theta in told.items() if theta is not None}
        weights = game.profile_prior(but=given)
        for i, theta in given.items():
            weights *= game.profiles[:, i] == theta
        yield {game.actors[i].key: _label(game, i, theta) for i, theta in told.items()}, weights


def _label(game: CompiledGame, i: int, theta: int | None) -> str:
    return ANY if theta is None else game.actors[i].types[theta]


def shares(numbers: Floats, total: Floats | float | None) -> Floats:
    """Probabilities of this and of what is conditioned on, as shares of `total`, its own.

    Missing where it cannot be; as they are where nothing is conditioned on.
    """
    if total is None:
        return numbers
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(total) > 0, numbers / total, np.nan)
