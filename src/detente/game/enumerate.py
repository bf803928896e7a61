"""Enumerates the states that play can reach, turn by turn, with actions and transitions.

Forward from the start: at each turn every available action of every state is tried, and the
sorted set of all states that it may lead to is the next turn's set. A game without end is played
from the start, and from all states in which a period may end, until no new ones come.

So is a game whose sets grow from period to period for so long that they would not fit into memory
one by one: from some period on all begin with the same states, those that may ever come, and share
one enumeration. That some of them cannot be reached yet changes no number of those that can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np

from detente.dtypes import Bools, Ints
from detente.errors import Diagnostic, ScenarioError, warning
from detente.game import turns
from detente.game.evaluate import Evaluator, evaluator
from detente.game.structure import Skeleton, Structure, encode
from detente.game.term_status import standings, variables
from detente.game.turns import Builder, Reach
from detente.scenario.fields import within
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.types import CONDITION
from detente.scenario.model import Scenario
from detente.scenario.policies import terms_of
from detente.scenario.rules import LevelChange, Term


def enumerate_game(scenario: Scenario, policy: str) -> Structure:
    """The structure of a scenario under a policy ('' for no terms).

    Raises
    ------
    ScenarioError
        With every mistake that shows at a reachable state.
    """
    last = scenario.periods or 1
    counts = [range(max(1, len(actor.types))) for actor in scenario.actors.values()]
    profiles = np.array(list(product(*counts)), dtype=np.int64)
    state = variables(scenario, policy)
    at = evaluator(scenario, state, profiles, last)
    moved = evaluator(generic(scenario), state, profiles, last)
    terms = terms_of(scenario, policy)
    build = Builder(scenario, at, moved, terms, standings(scenario, policy), Reach())

    start = build.remember(encode(state, {v.key: np.array([v.start]) for v in state}), 1)
    first = _closure(build, start, 1) if scenario.forever else start
    skeletons: list[Skeleton] = []
    sets, period_sets = [first], []
    stops = [build.ended(first, 1)]
    filled, alike_from = 0, _alike_from(scenario, terms)
    for t in range(1, last + 1):
        if t >= alike_from and _too_large(build.reach.bytes, filled, last + 1 - t):
            every, alike_from = _ever(build, sets[-1], t), last + 1  # tried once
            skeletons[-1] = _into(skeletons[-1], sets[-1], every)
            sets[-1], stops[-1] = every, build.ended(every, t)
        filled = build.reach.bytes
        layers, following, ended = build.period(sets[-1], stops[-1], t)
        skeletons += layers
        sets += following
        stops += ended
        period_sets.append(len(sets) - 1)
    firsts = _layers(skeletons)
    holds, never = _outcomes(at, skeletons, sets, firsts)
    at.findings.refuse()
    return Structure(
        variables=at.variables,
        profiles=profiles,
        skeletons=tuple(skeletons),
        skeleton_sets=tuple(sets),
        kept=firsts,
        sets=tuple(sets[k] for k in firsts),
        period_sets=tuple(firsts.index(k) for k in period_sets),
        holds=holds,
        structural=_structural(scenario),
        warnings=_warnings(scenario, terms, build.reach, never, _over(at, start)),
        loop=np.searchsorted(first, sets[-1]) if scenario.forever else None,
        start=int(np.searchsorted(first, start[0])),
    )


def _alike_from(scenario: Scenario, terms: tuple[Term, ...]) -> int:
    """The first period that the calendar does not tell apart from all those after it."""
    ends = tuple(outcome.when for outcome in scenario.outcomes.values() if outcome.ends)
    rules = scenario.actions, scenario.events, scenario.turns, terms, ends
    if any(formula.calendar for formula in within(rules, Formula)):
        return (scenario.periods or 1) + 1
    return max((date for term in terms for date in term.dates if date is not None), default=1)


def _too_large(now: int, before: int, periods: int) -> bool:
    """Whether so many periods more would not fit, if each fills twice as much as the last one: from
    bytes `before` it to those of `now`. Not where there is little yet."""
    most = turns.MAX_BYTES
    return now > most // 4 and now + 2 * periods * (now - before) > most


def _ever(build: Builder, codes: Ints, t: int) -> Ints:
    """The states at which period t, and those after it, may begin, int64 [x]; only `codes` where
    those that may ever come are too many, or mistakes are met among them."""
    filled = Reach(bytes=build.reach.bytes)
    try:
        return _closure(build, codes, t, lambda: filled)
    except ScenarioError:
        build.at.findings.found.clear()
        return codes


def _into(skeleton: Skeleton, codes: Ints, every: Ints) -> Skeleton:
    """A skeleton that leads to these states as one that leads to more."""
    return replace(skeleton, succ=np.searchsorted(every, codes)[skeleton.succ].astype(np.int32))


def _closure(build: Builder, start: Ints, t: int, reach: Callable[[], Reach] = Reach) -> Ints:
    """The states at which a period may begin that is like period t, int64 [x].

    What these periods fill is not kept, or counted in what `reach` gives.
    """
    known = new = start
    while new.size:
        once = replace(build, reach=reach(), made={})
        _, following, _ = once.period(new, once.ended(new, t), t)
        new = np.setdiff1d(following[-1], known, assume_unique=True)
        known = np.union1d(known, new)
    return known


def _outcomes(
    at: Evaluator, skeletons: list[Skeleton], sets: list[Ints], firsts: tuple[int, ...]
) -> tuple[dict[str, tuple[Bools, ...]], list[str]]:
    """Where outcomes hold, before each layer and at the end, and those that never do."""
    # An outcome is looked at after each turn, with the calendar of that turn.
    times = [1, *(skeletons[k - 1].period for k in firsts[1:])]
    # Between the events of one turn an outcome may hold for a moment: that does not count, but
    # it is not the mistake that the warning is about.
    moments = [1, *(skeleton.period for skeleton in skeletons)]
    holds = {}
    never = []
    for key, outcome in at.scenario.outcomes.items():
        known: dict[tuple[int, int], Bools] = {}
        for k, t in zip(firsts, times, strict=True):
            same = id(sets[k]), t if outcome.when.calendar else 0
            if same not in known:
                known[same] = at.public(outcome.when, sets[k], t).astype(bool)
        holds[key] = tuple(
            known[id(sets[k]), t if outcome.when.calendar else 0]
            for k, t in zip(firsts, times, strict=True)
        )
        if not any(where.any() for where in holds[key]) and not any(
            at.public(outcome.when, codes, t).any() for codes, t in zip(sets, moments, strict=True)
        ):
            never.append(key)
    return holds, never


def _over(at: Evaluator, start: Ints) -> list[str]:
    """The outcomes that end play before anybody has moved."""
    outcomes = at.scenario.outcomes.items()
    return [
        key for key, outcome in outcomes if outcome.ends and at.public(outcome.when, start, 1).any()
    ]


def _layers(skeletons: list[Skeleton]) -> tuple[int, ...]:
    """Where layers begin, and the end: the events of one turn of chance are one layer."""
    turns = [(s.period, s.turn) for s in skeletons]
    starts = [k for k in range(len(turns)) if k == 0 or turns[k] != turns[k - 1]]
    return (*starts, len(turns))


def generic(scenario: Scenario) -> Scenario:
    """The scenario with every number moved a little, so that no zero is an accident."""
    rng = np.random.default_rng(20180212)

    def moved(value: float, limits: tuple[float, float] | None) -> float:
        low, high = limits or (value, value + 0.1)
        share = rng.uniform(0.3, 0.7)
        return value + 0.01 * share * (low + share * (high - low) - value) + 1e-7 * share

    parameters = {
        key: replace(p, values=tuple(map(moved, p.values, p.ranges)))
        for key, p in scenario.parameters.items()
    }
    covariates = {
        key: replace(covariate, value=moved(covariate.value, None))
        for key, covariate in scenario.covariates.items()
    }
    return replace(scenario, parameters=parameters, covariates=covariates)


def _structural(scenario: Scenario) -> frozenset[str]:
    """Parameters and covariates whose values decide which states and actions there are."""
    conditions = [one for one in within(scenario, Formula) if one.gives == CONDITION]
    changes = [change.formula for change in within(scenario, LevelChange)]
    constants = [scenario.horizon.formula] if scenario.horizon.formula else []
    formulas = conditions + changes + constants
    return frozenset().union(*(f.parameters | f.covariates for f in formulas))


def _warnings(
    scenario: Scenario,
    terms: tuple[Term, ...],
    reach: Reach,
    never: list[str],
    over: list[str],
) -> tuple[Diagnostic, ...]:
    """Outcomes that never hold or are `over` at once, and terms that never begin or bind."""
    warnings = []
    leads = "check the levels in its condition, and whether any action leads there"
    for key in over:
        message = f"outcome {key} holds at the start and ends play: nobody ever moves"
        hint = "check its condition and where the variables start, or drop `ends: true`"
        warnings.append(warning(scenario.outcomes[key].when.place, "ends-at-start", message, hint))
    for key in never:
        formula = scenario.outcomes[key].when
        message = f"outcome {key} can never hold: `{formula.text}`"
        warnings.append(warning(formula.place, "never-holds", message, leads))
    for key, outcome in scenario.outcomes.items():
        if scenario.periods is not None and outcome.lasting > scenario.periods:
            message = f"outcome {key} can never hold for {outcome.lasting} periods on end"
            hint = f"there are {scenario.periods}"
            warnings.append(warning(outcome.place, "never-holds", message, hint))
    for term in terms:
        idle = [event for event in term.events() if event.place not in reach.events]
        for event in idle:
            does = "lapses" if term.until and term.until.event is event else "begins"
            message = f"the event at which term {term.key} {does} can never be: `{event.text}`"
            warnings.append(warning(event.place, "never-holds", message, leads))
        begins = not (term.since and term.since.event in idle)  # or it has been reported why
        if begins and term.key not in reach.binding:
            message = f"term {term.key} never forbids anything that could be done"
            hint = "check when it is in force, and the availability of what it forbids"
            warnings.append(warning(term.place, "never-binds", message, hint))
    return tuple(sorted(warnings, key=lambda diagnostic: diagnostic.place))
