"""`hold_cost`: the smallest audience cost at which a term holds with a given probability.

The term's cost is replaced by a constant c. The probability P(c) that the term is not broken within
the horizon is exact: the equilibrium at c, played forward while the actions that break the term
lead nowhere. Many turns may each break it by themselves, so that -log P is about the sum of their
probabilities, which fall like exp(-λ c). What is solved, by Brent's method (Brent, Algorithms for
Minimization without Derivatives, 1973, chapter 4), is therefore

    log(-log P(c)) = log(-log p),

which is nearly a straight line in c: few equilibria have to be computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from scipy.optimize import brentq

from detente.analysis.deviation import (
    PROHIBITIVE_LOG_ODDS,
    announced_terms,
    breaking,
    precision,
    without,
)
from detente.arguments import finite
from detente.dtypes import Bools
from detente.errors import expect, refuse
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game
from detente.game.periods import check_periods
from detente.scenario.formula.expression import number
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Scenario
from detente.simulation.forward import forward
from detente.solver.discretisation import error_from
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve
from detente.solver.workers import Workers, open_workers

PROBABILITY = 0.9
"""With which a term has to hold unless another is asked for."""

CLOSE = 1e-4
"""Of 1 / λ: how closely the cost is found. It changes log odds by this much, less than what the
belief grid leaves open."""

FAR = 700.0
"""-log of a probability that is 0: beyond it, it is."""


class Hold(Enum):
    """What was found; the value is the sentence to print."""

    FOUND = "the smallest cost at which it holds with this probability"
    NOT_NEEDED = "no cost is needed: it holds with this probability at a cost of 0"
    NOT_ENOUGH = "no cost suffices: it is broken too often at any"


@dataclass(frozen=True, slots=True)
class HoldCost:
    """The cost at which a term holds.

    term, policy, probability
        What was asked.
    found
        What came of it.
    cost, error
        The cost, in the unit of payoffs, and how far the belief grid and the search leave it open;
        0 where none is needed, not a number where none suffices.
    kept
        The probability that the term is never broken, at this cost; at a prohibitive one where
        none suffices.
    kept_free
        The same at a cost of 0.
    status
        Of the solve at this cost.
    solves
        How many equilibria were computed.
    """

    term: str
    policy: str
    probability: float
    found: Hold
    cost: float
    error: float
    kept: float
    kept_free: float
    status: Status
    solves: int


def hold_cost(
    scenario: Scenario,
    term: str,
    probability: float = PROBABILITY,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    policy: str | None = None,
    periods: int | None = None,
) -> HoldCost:
    """The smallest constant cost of breaking a term at which it holds with a given probability.

    Parameters
    ----------
    scenario
        As loaded.
    term
        A term of the policy, soft or hard; its own cost, if it has one, is replaced. It holds
        where none of those whom it binds breaks it within the horizon.
    probability
        Between 0 and 1, without these.
    options
        As in `solve`. How many solves it takes is not known before: progress is an estimate.
    policy
        None for the one that the scenario names. Its other terms stay as they are.
    periods
        As that of `forecast`: within which the term is to hold, of a game without end.

    Notes
    -----
    The probability rises with the cost as a rule. It need not, as all play answers to the cost:
    then a smaller one may do as well. The one returned does, and one smaller by `error` does not.

    Raises
    ------
    ScenarioError
        For an unknown policy or term, and for a bound actor whose precision is 0 or `limit`.
    ValueError
        For a probability that is not between 0 and 1.
    """
    expect(scenario, Scenario, "hold_cost")
    check_periods(scenario, periods)
    finite("probability", probability)
    if not 0 < probability < 1:
        raise ValueError(f"the probability is between 0 and 1, not {probability}")
    key, terms = announced_terms(scenario, policy)
    keys = [announced.key for announced in terms]
    if term not in keys:
        message = f"the policy {key!r} has no term {term!r}"
        hint = did_you_mean(term, keys)
        refuse("term", "unknown-name", message, hint)
    asked = scenario.terms[term]
    actors = tuple(dict.fromkeys(actor for actor, _ in asked.forbids))
    sharpness = min(precision(scenario, actor) for actor in actors)
    free = replace(asked, cost=number(0.0, asked.place))
    game = compile_game(replace(scenario, terms=Frozen({**scenario.terms, term: free})), policy=key)
    quiet = replace(options, progress=None)
    solves = 0

    def solved(cost: float, *, coarse: bool = False) -> Solution:
        nonlocal solves
        solves += 1
        options.report(1.0 - 1.0 / (1.0 + solves / 8))
        return solve(_costing(game, term, actors, cost), quiet, regret=False, coarse=coarse)

    with open_workers(options.threads) as workers:
        broken = breaking(game, dict.fromkeys(actors, term))

        def ever(solution: Solution) -> float:
            return _ever_broken(solution, broken, workers, periods)

        hazard = _Hazard(lambda cost: ever(solved(cost)), probability)
        cost = hazard.root(sharpness)
        final = solved(PROHIBITIVE_LOG_ODDS / sharpness if cost is None else cost, coarse=True)
        kept, error = 1.0 - ever(final), 0.0
        if cost:
            rough = ever(final.coarse) if final.coarse else 1.0 - kept
            apart = error_from(hazard.scale(rough) - hazard.scale(1.0 - kept))
            error = float(apart) / hazard.slope(cost, sharpness) + CLOSE / sharpness
    options.report(1.0)
    outcome = Hold.NOT_ENOUGH if cost is None else Hold.FOUND if cost else Hold.NOT_NEEDED
    return HoldCost(
        term=term,
        policy=key,
        probability=probability,
        found=outcome,
        cost=math.nan if cost is None else cost,
        error=math.nan if cost is None else error,
        kept=kept,
        kept_free=1.0 - hazard.broken[0.0],
        status=final.status,
        solves=solves,
    )


class _Hazard:
    """How often the term is broken at each cost tried, as log(-log P) less what is aimed at."""

    def __init__(self, broken_at: Callable[[float], float], probability: float) -> None:
        self.broken_at, self.goal = broken_at, math.log(-math.log(probability))
        self.broken: dict[float, float] = {}

    def scale(self, broken: float) -> float:
        """log(-log P) of a probability of being broken, less that aimed at."""
        hazard = FAR if broken >= 1.0 else -math.log1p(-broken)
        return math.log(min(max(hazard, math.exp(-FAR)), FAR)) - self.goal

    def __call__(self, cost: float) -> float:
        if cost not in self.broken:
            self.broken[cost] = self.broken_at(cost)
        return self.scale(self.broken[cost])

    def root(self, sharpness: float) -> float | None:
        """The smallest cost tried at which the term holds; None where there is none."""
        most = PROHIBITIVE_LOG_ODDS / sharpness
        low, above = 0.0, self(0.0)
        if above <= 0:
            return 0.0
        high = min((above + 1.0) / sharpness, most)
        while self(high) > 0:
            if high == most:
                return None
            low, high = high, min(2 * high, most)
        brentq(self, low, high, xtol=CLOSE / sharpness)
        return min(cost for cost in self.broken if cost > low and self(cost) <= 0)

    def slope(self, cost: float, sharpness: float) -> float:
        """How fast the scale falls with the cost, from the nearest cost well apart."""
        apart = [c for c in self.broken if abs(c - cost) > CLOSE / sharpness]
        nearest = min(apart, key=lambda c: abs(c - cost))
        return max(abs((self(nearest) - self(cost)) / (nearest - cost)), 1e-9)


def _costing(game: CompiledGame, term: str, actors: tuple[str, ...], cost: float) -> CompiledGame:
    """The game in which each of these actors pays so much for breaking the term."""
    layers = list(game.layers)
    profiles = len(game.profiles)
    for actor in actors:
        first = list(game.scenario.actors).index(actor) * profiles
        for n, broken in enumerate(breaking(game, {actor: term})):
            if broken.any():
                reward = layers[n].reward.copy()
                reward[broken, first : first + profiles] -= cost
                layers[n] = replace(layers[n], reward=reward)
    return replace(game, layers=tuple(layers))


def _ever_broken(
    solution: Solution, broken: tuple[Bools, ...], workers: Workers, periods: int | None
) -> float:
    """The probability that one of these joint actions is taken."""
    kept = replace(solution, game=without(solution.game, broken))
    last = forward(kept, workers, periods=periods).states[-1].sum(axis=0)
    return max(float(1.0 - last @ solution.game.profile_prior()), 0.0)
