"""From an optimum to better ones: units to other equilibria, parameters to other basins.

Where units have several equilibria, so has the likelihood many maxima. From one of them each unit
is moved to whichever of its equilibria fits it best, and all are fitted again, until nothing
improves (`alternated`). What is then left are other values of the parameters altogether: some are
moved by many of their standard errors, units follow to the equilibria there that fit them best, and
with a penalty that keeps near this all are fitted again (`disturbed`). To do both in turns, and
to go on from the best, is iterated local search (Lourenço, Martin and Stützle 2003, in Glover and
Kochenberger, Handbook of Metaheuristics).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from detente.dtypes import Bools, Floats
from detente.estimation.constrained import EXACT, MOST_POLISHES, Optimum, Reduced, Search, search
from detente.estimation.first_values import begin
from detente.estimation.many_games import Games
from detente.estimation.prior import NormalPrior

WEIGHTS, OTHERS, ASIDE = (0.5, 2.0, 10.0), 10, 0.1
"""Where other equilibria of units are looked for: from frequencies, shrunk by so many observations;
from the values of other units, so many times, with a disturbance of this part of their spread."""

LONGEST = 5.0
"""The longest step of Newton's method in the search for equilibria."""

REFITS, LAST_REFITS = (1e2, 10.0), (1e3, 1e4)
"""Penalties with which all are fitted again, of which the best is kept; and those where none of
them is better."""

BETTER = 1e-4
"""The log-likelihood that counts as better."""

FAR, FARTHEST, SOME, LOOSE = (
    (3.0, 10.0, 30.0),
    (3.0, 10.0, 30.0),
    (0.1, 0.3, 1.0),
    (10.0, 30.0, 1e2),
)
"""How parameters are disturbed, each drawn anew: by so many standard errors given the others, but
by no more than so many of the units in which they are moved; this share of them; and the penalty
with which all are fitted again."""

HOPELESS = 60.0
"""Log-likelihood below the best from which it is not gone on from a disturbance: what alternation
gains from there is less."""


def alternated(
    games: Games, optimum: Optimum, prior: NormalPrior, rng: np.random.Generator
) -> Iterator[Optimum]:
    """From an optimum on: each unit to the equilibrium that fits it best, then all together again.

    Gives each improvement as it is found, until there is none.
    """
    while True:
        values, gain = _fitting(games, optimum.theta, optimum.values, rng, OTHERS)
        if not gain > BETTER:
            return
        better = _best(games, optimum, values, prior, REFITS)
        if better is None:
            better = _best(games, optimum, values, prior, LAST_REFITS)
        if better is None:
            return
        optimum = better
        yield optimum


def _best(
    games: Games, optimum: Optimum, values: Floats, prior: NormalPrior, penalties: Iterable[float]
) -> Optimum | None:
    """The best of the fits from new values that is better than before, if there is one."""
    best, height = None, optimum.height(prior) + BETTER
    for rho in penalties:
        again = search(games, optimum.theta, values, Search(prior, rho))
        if again.found and again.height(prior) > height:
            best, height = replace(again, steps=optimum.steps + again.steps), again.height(prior)
    return best


def disturbed(
    games: Games,
    optimum: Optimum,
    prior: NormalPrior,
    size: Floats,
    rng: np.random.Generator,
) -> Iterator[Optimum]:
    """From an optimum to others: gives the one near a disturbance of it, and its improvements.

    `size` is float64 [q], the units in which parameters are moved.
    """
    play = games.at(optimum.theta, optimum.values)
    known = np.diag(Reduced.of(play).given_states) + prior.curvature(optimum.theta)
    error = 1 / np.sqrt(np.maximum(known, 1e-300))
    step = np.minimum(rng.choice(FAR) * error, rng.choice(FARTHEST) * size)
    moved = rng.random(step.size) < rng.choice(SOME)
    theta = optimum.theta + np.where(moved, step * rng.standard_normal(step.size), 0.0)
    values, arrived = _equilibria(games, theta, optimum.values)
    values = np.where(arrived[:, None], values, optimum.values)
    values, _ = _fitting(games, theta, values, rng, 3)
    new = search(games, theta, values, Search(prior, float(rng.choice(LOOSE))))
    if new.found:
        yield new
        if new.height(prior) > optimum.height(prior) - HOPELESS:
            yield from alternated(games, new, prior, rng)


def _fitting(
    games: Games, theta: Floats, values: Floats, rng: np.random.Generator, others: int
) -> tuple[Floats, float]:
    """Values of the equilibria that fit units best, or those given, and the gain.

    Equilibria are looked for by Newton's method from the units' frequencies and from the values of
    other units.
    """
    before = games.at(theta, values).log_likelihoods
    best, logs = values.copy(), before.copy()
    begun = [begin(games, theta, weight) for weight in WEIGHTS]
    for _ in range(others):
        other = values[rng.permutation(len(values))]
        begun.append(other + rng.normal(scale=ASIDE * values.std(), size=other.shape))
    for start in begun:
        found, arrived = _equilibria(games, theta, start)
        new = games.at(theta, found).log_likelihoods
        better = arrived & (new > logs + BETTER)
        best[better], logs[better] = found[better], new[better]
    return best, float((logs - before).sum())


def _equilibria(games: Games, theta: Floats, values: Floats) -> tuple[Floats, Bools]:
    """Where Newton's method leads each unit, and whether it arrives there."""
    values, arrived = values.copy(), np.zeros(len(values), dtype=bool)
    left, unit = np.arange(len(values)), np.eye(values.shape[1])
    for _ in range(MOST_POLISHES):
        play = games.only(left).at(theta, values[left])
        gap = play.implied - values[left]
        worst = np.abs(gap).max(axis=1)
        arrived[left[worst < EXACT / 10]] = True
        going = (worst >= EXACT / 10) & np.isfinite(worst)
        if not going.any():
            break
        try:
            step = np.linalg.solve((unit - play.by_values)[going], gap[going][:, :, None])[..., 0]
        except np.linalg.LinAlgError:
            break
        left = left[going]
        largest = np.abs(step).max(axis=1, keepdims=True)
        values[left] += step * np.minimum(1.0, LONGEST / np.maximum(largest, 1e-300))
    return values, arrived
