"""Breaches: a game in which hard terms can be broken at a price nobody would pay, and by what.

A hard term takes actions away, so that nothing can be read about them from a solution. Here each
hard term of a policy is made soft, at the cost K = `PROHIBITIVE_LOG_ODDS` / λ for its actor. A
forbidden action is then taken with a probability near exp(-`PROHIBITIVE_LOG_ODDS`): too rare to
have any weight in anybody's payoff, and yet a number, in which what the action is worth is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from detente.dtypes import Bools
from detente.errors import Diagnostic, ScenarioError, refuse
from detente.game.arrays import CompiledGame, Layer
from detente.game.compile import compile_game
from detente.scenario.formula.expression import number
from detente.scenario.frozen import Frozen
from detente.scenario.hints import listing
from detente.scenario.model import SHOCKS, Scenario
from detente.scenario.policies import find_policy, terms_of
from detente.scenario.rules import Term

PROHIBITIVE_LOG_ODDS = 200.0
"""Log odds against a forbidden action, in place of its being shut out: far below what rounding
sees, and far above the smallest number that the solver keeps apart from 0 (1e-200)."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A term as it binds one actor. `key` is the term's in the game in which it can be broken;
    `cost` is that of breaking it there, 0 for a term that was soft before."""

    term: str
    actor: str
    hard: bool
    key: str
    cost: float


class Available(NamedTuple):
    """What a mover may do at the states of a layer: bool [x, a] over all actions of the actor.

    `breaks` has, for each term by its key, the actions among them that break it.
    """

    actions: Bools
    breaks: Mapping[str, Bools]


def announced_terms(scenario: Scenario, policy: str | None) -> tuple[str, tuple[Term, ...]]:
    """A policy's name and its terms; None stands for the scenario's own. Raises `ScenarioError`."""
    key = find_policy(scenario, policy).key
    terms = terms_of(scenario, key)
    if not terms:
        message = f"the policy {key!r} announces no terms" if key else "no terms are announced"
        known = listing(p for p, announced in scenario.policies.items() if announced.terms)
        hint = f"those with terms are {known}" if known else "announce some: see `terms`"
        refuse("policy", "no-terms", message, hint)
    return key, terms


def precision(scenario: Scenario, actor: str) -> float:
    """An actor's precision, where a breach can be read from it. Raises `ScenarioError`."""
    formula = scenario.actors[actor].precision
    value = scenario.constant(formula)
    if 0 < value < np.inf:
        return value
    message = (
        f"the precision of {actor} is {formula.text}: what breaking a term is worth is read from "
        "how rarely it is broken, at a precision above 0 and without limit"
    )
    raise ScenarioError(
        [Diagnostic(formula.place, "precision", message, "give a number, such as 5")]
    )


def breakable(scenario: Scenario, policy: str) -> tuple[CompiledGame, tuple[Commitment, ...]]:
    """The game under a policy with its hard terms made soft, at prohibitive costs.

    A term that binds several actors becomes one for each, as their precisions may differ.

    Raises
    ------
    ScenarioError
        Where the policy has hard terms and choices come from shocks: an action that nobody takes
        still counts among those whose shocks are drawn.
        Where a breach leads to a state at which the file makes a mistake, or at which the terms
        leave somebody no action.
    """
    commitments: list[Commitment] = []
    terms: dict[str, Term] = {}
    for name in scenario.policies[policy].terms:
        term = scenario.terms[name]
        actors = list(dict.fromkeys(actor for actor, _ in term.forbids))
        if term.cost is not None:
            terms[name] = term
            commitments += [Commitment(name, actor, False, name, 0.0) for actor in actors]
            continue
        if scenario.responses == SHOCKS:
            message = (
                f"what breaking the hard term `{name}` is worth cannot be read where choices come "
                "from shocks"
            )
            refuse(
                "policy", "responses", message, "leave out `responses: shocks`, or give a `cost`"
            )
        for actor in actors:
            commitment = Commitment(
                name,
                actor,
                True,
                f"{name} {actor}",
                PROHIBITIVE_LOG_ODDS / precision(scenario, actor),
            )
            own = tuple(pair for pair in term.forbids if pair[0] == actor)
            cost = number(commitment.cost, term.place)
            terms[commitment.key] = replace(term, key=commitment.key, forbids=own, cost=cost)
            commitments.append(commitment)
    announced = replace(scenario.policies[policy], terms=tuple(terms))
    softened = replace(
        scenario,
        terms=Frozen({**scenario.terms, **terms}),
        policies=Frozen({**scenario.policies, policy: announced}),
    )
    try:
        game = compile_game(softened, policy=policy)
    except ScenarioError as error:
        compile_game(scenario, policy=policy)  # its mistakes come first, if it has any
        raise ScenarioError(
            replace(met, message=f"once a hard term has been broken, {met.message}")
            for met in error.diagnostics
        ) from error
    _check_ways_out(game, commitments)
    return game, tuple(commitments)


def available(game: CompiledGame, n: int) -> tuple[Available, ...]:
    """What each mover of layer n may do, and which terms it would break."""
    movers = []
    states = game.layers[n].states.size
    for side in game.structure.skeletons[game.structure.kept[n]].sides:
        if side.mover < 0:
            continue
        actions = np.zeros((states, len(side.actions)), dtype=bool)
        real = side.action >= 0
        actions[side.state[real], side.action[real]] = True
        breaks: dict[str, Bools] = {}
        for action, terms in side.breaks.items():
            for term, force in terms:
                table = breaks.setdefault(term.key, np.zeros_like(actions))
                table[:, action] = force & actions[:, action]
        movers.append(Available(actions, breaks))
    return tuple(movers)


def joint(layer: Layer, m: int, table: Bools) -> Bools:
    """Where the m-th mover's part of a joint action is in `table`, bool [x, a]: bool [e]."""
    state = np.repeat(np.arange(layer.states.size), np.diff(layer.action_ptr))
    own = layer.action[:, m]
    return np.asarray((own >= 0) & table[state, own])


def breaking(game: CompiledGame, keys: Mapping[str, str]) -> tuple[Bools, ...]:
    """For each layer, the joint actions in which an actor breaks its term, by actor: bool [e]."""
    layers = []
    for n, layer in enumerate(game.layers):
        broken = np.zeros(len(layer.action), dtype=bool)
        for m, (mover, own) in enumerate(zip(layer.movers, available(game, n), strict=True)):
            key = keys.get(game.actors[mover].key, "")
            if key in own.breaks:
                broken |= joint(layer, m, own.breaks[key])
        layers.append(broken)
    return tuple(layers)


def without(game: CompiledGame, broken: tuple[Bools, ...]) -> CompiledGame:
    """The game in which these joint actions lead nowhere, and no outcome is followed.

    Played forward with the strategies of the game, it keeps the mass of the histories in which
    none of them has been taken.
    """
    layers = []
    for layer, mask in zip(game.layers, broken, strict=True):
        lost = np.repeat(mask, np.diff(layer.trans_ptr))
        layers.append(replace(layer, prob=np.where(lost, 0.0, layer.prob)))
    structure = replace(game.structure, holds=Frozen())
    return replace(game, layers=tuple(layers), structure=structure)


def _check_ways_out(game: CompiledGame, commitments: list[Commitment]) -> None:
    """Refuse a game in which, after a breach, hard terms leave a mover no action."""
    hard = {commitment.key: commitment for commitment in commitments if commitment.hard}
    problems: dict[str, Diagnostic] = {}
    for n, layer in enumerate(game.layers):
        for mover, own in zip(layer.movers, available(game, n), strict=True):
            shut = np.zeros_like(own.actions)
            for key in hard.keys() & own.breaks.keys():
                shut |= own.breaks[key]
            stuck = own.actions.any(axis=1) & ~(own.actions & ~shut).any(axis=1)
            if not stuck.any():
                continue
            x, actor = int(np.flatnonzero(stuck)[0]), game.actors[mover].key
            here = [key for key in hard if key in own.breaks and own.breaks[key][x].any()]
            where = game.structure.describe(int(layer.states[x]))
            period = game.label(layer.period)
            message = (
                f"once a hard term has been broken, {actor} has to move but its terms "
                f"leave it no action in {period}, at {where}"
            )
            place = game.scenario.terms[here[0]].place
            hint = "give the term an `unless`, so that it can be met after a breach"
            problems.setdefault(actor, Diagnostic(place, "no-action", message, hint))
    if problems:
        raise ScenarioError(problems.values())
