"""`compile_game`: a scenario under a policy becomes arrays; new values fill them in again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from itertools import pairwise

import numpy as np

from detente.errors import Diagnostic, Place, ScenarioError
from detente.game.arrays import CompiledGame, Floats, Layer
from detente.game.effects import ZERO, probabilities
from detente.game.enumerate import enumerate_game
from detente.game.evaluate import Evaluator, Findings, evaluator
from detente.game.structure import Ints, Skeleton, Structure
from detente.scenario.model import Scenario
from detente.scenario.values import constant

MAX_CODE = 2**62
"""States are numbered by 64-bit integers, whether they can be reached or not."""

MAX_INFORMED = 10
"""Actors with private types: each of them doubles the type profiles."""


def compile_game(scenario: Scenario, *, policy: str | None = None) -> CompiledGame:
    """Enumerate the reachable states of a scenario under a policy and fill in its numbers.

    Parameters
    ----------
    scenario
        As loaded.
    policy
        A policy of the scenario; None for the one that the scenario names, '' for no terms.

    Raises
    ------
    ScenarioError
        For an unknown policy, and with every mistake that shows at a reachable state: an effect
        that leaves the levels, an actor without an action, a value that is not finite,
        probabilities that do not add up, too many states.
    """
    policy = scenario.policy if policy is None else policy
    _check_supported(scenario, policy)
    structure = enumerate_game(scenario, policy)
    game = _fill(scenario, policy, structure)
    if game is None:  # cannot happen: the structure was made for these very values
        raise AssertionError("the enumeration left out a transition that has probability")
    return game


def compile_policies(
    scenario: Scenario,
) -> tuple[dict[str, CompiledGame], tuple[Diagnostic, ...]]:
    """The game under each policy (under no terms, where there are none), and all that is found.

    Mistakes under one policy do not hide those under another. That an outcome never holds is
    told where it is so under every policy, and that a term never binds where it is so under
    every policy that announces it.
    """
    games: dict[str, CompiledGame] = {}
    found: list[Diagnostic] = []
    for policy in scenario.policies or ("",):
        try:
            games[policy] = compile_game(scenario, policy=policy)
        except ScenarioError as error:
            found += error.diagnostics
    announced = {
        term.place: sum(key in scenario.policies[policy].terms for policy in games if policy)
        for key, term in scenario.terms.items()
    }
    told = Counter(warning for game in games.values() for warning in game.warnings)
    found += [w for w, times in told.items() if times == announced.get(w.place, len(games))]
    return games, tuple(sorted(dict.fromkeys(found), key=lambda d: d.place))


def with_values(game: CompiledGame, values: Mapping[str, float]) -> CompiledGame:
    """The game with other parameter values (`{"step_cost.sincere": 0.4}`).

    The enumeration is kept unless a changed parameter decides which states there are.

    Raises
    ------
    ScenarioError
        For unknown parameters and for values with which the scenario is not well formed.
    """
    scenario = game.scenario.with_values(values)
    changed = {name.partition(".")[0] for name in values}
    if not changed & game.structure.structural:
        filled = _fill(scenario, game.policy, game.structure)
        if filled is not None:
            return filled
    return compile_game(scenario, policy=game.policy)


def _fill(scenario: Scenario, policy: str, structure: Structure) -> CompiledGame | None:
    """The compiled game of a structure at the scenario's values.

    None where a transition that the enumeration left out has become possible.
    """
    findings = Findings()
    at = evaluator(scenario, structure.profiles, len(structure.period_sets), findings)
    parts = []
    for skeleton, codes in zip(structure.skeletons, structure.skeleton_sets[:-1], strict=True):
        part = _layer(at, skeleton, codes)
        if part is None:
            return None
        parts.append(part)
    layers = [reduce(_fuse, parts[a:b]) for a, b in pairwise(structure.kept)]
    ends = [structure.sets[n] for n in structure.period_sets]
    flow = tuple(_payoffs(at, codes, t, "flow") for t, codes in enumerate(ends, start=1))
    terminal = _payoffs(at, structure.sets[-1], len(ends) + 1, "terminal")
    if findings.found:
        raise ScenarioError(sorted(findings.found.values(), key=lambda d: d.place))
    actors = scenario.actors.values()
    return CompiledGame(
        scenario=scenario,
        policy=policy,
        structure=structure,
        layers=tuple(layers),
        flow=flow,
        terminal=terminal,
        priors=tuple(
            np.array([constant(f, scenario) for f in actor.priors] or [1.0]) for actor in actors
        ),
        precision=np.array([constant(actor.precision, scenario) for actor in actors]),
        discount=np.array([constant(actor.discount, scenario) for actor in actors]),
    )


def _layer(at: Evaluator, skeleton: Skeleton, codes: Ints) -> Layer | None:
    nobody = len(skeleton.actions)
    t = skeleton.period
    prob = np.ones(skeleton.succ.size)
    reward = np.zeros((skeleton.edge_state.size, at.profiles * len(at.scenario.actors)))
    for n, action in enumerate(skeleton.actions):
        edges = np.flatnonzero(skeleton.edge_action == n)
        rows = skeleton.edge_state[edges]
        here = codes[rows]
        if not here.size:
            continue
        mine = np.flatnonzero(skeleton.trans_action == n)
        table = np.array(probabilities(action, at, here, t))
        column = np.searchsorted(rows, skeleton.trans_state[mine])
        prob[mine] = np.maximum(table[skeleton.trans_alternative[mine], column], 0.0)
        lost = 1.0 - np.bincount(column, prob[mine], minlength=rows.size)
        if np.any(np.abs(lost) > 1e-9) or np.any(table < -ZERO):
            return None
        costs = dict.fromkeys(at.scenario.actors, np.zeros((here.size, at.profiles)))
        for actor, formula in action.costs.items():
            costs[actor] = costs[actor] + at.profiled(formula, here, t)
        if skeleton.mover >= 0:
            mover = list(at.scenario.actors)[skeleton.mover]
            for term, force in skeleton.breaks.get(n, ()):
                assert term.cost is not None  # only soft terms are noted in `breaks`
                broken = force[rows]
                charge = np.zeros((here.size, at.profiles))
                charge[broken] = at.profiled(term.cost, here[broken], t)
                costs[mover] = costs[mover] + charge
        reward[edges] = -np.concatenate(list(costs.values()), axis=1)
    counts = np.bincount(skeleton.edge_state, minlength=codes.size)
    width = nobody + 1
    key = skeleton.trans_state * width + skeleton.trans_action
    edge_key = skeleton.edge_state * width + skeleton.edge_action
    own = np.where(skeleton.edge_action == nobody, -1, skeleton.edge_action).astype(np.int32)
    return Layer(
        period=t,
        turn=skeleton.turn,
        event=skeleton.event,
        movers=(skeleton.mover,) if skeleton.mover >= 0 else (),
        states=codes,
        action_ptr=np.concatenate([[0], np.cumsum(counts)]),
        action=own[:, None] if skeleton.mover >= 0 else np.empty((own.size, 0), dtype=np.int32),
        trans_ptr=np.append(np.searchsorted(key, edge_key), key.size),
        succ=skeleton.succ,
        prob=prob,
        reward=reward,
    )


def _fuse(first: Layer, second: Layer) -> Layer:
    """Two chance events, one right after the other, as one layer: the product of transitions."""
    count = np.diff(second.trans_ptr)[first.succ]
    path = np.repeat(np.arange(count.size), count)
    start = np.cumsum(count) - count
    then = np.arange(path.size) + (second.trans_ptr[first.succ] - start)[path]
    state = np.repeat(np.arange(first.states.size), np.diff(first.trans_ptr))[path]
    width = int(second.succ.max()) + 1
    pairs, which = np.unique(state * width + second.succ[then], return_inverse=True)
    return replace(
        first,
        event=f"{first.event}, {second.event}",
        trans_ptr=np.searchsorted(pairs // width, np.arange(first.states.size + 1)),
        succ=(pairs % width).astype(np.int32),
        prob=np.bincount(which, first.prob[path] * second.prob[then]).astype(np.float64),
    )


def _payoffs(at: Evaluator, codes: Ints, t: int, kind: str) -> Floats:
    """Flow or terminal payoffs, float64 [x, c]."""
    table = np.zeros((codes.size, len(at.scenario.actors), at.profiles))
    for i, key in enumerate(at.scenario.actors):
        payoff = at.scenario.payoffs.get(key)
        if payoff is not None:
            parts = payoff.flow if kind == "flow" else payoff.terminal
            for formula in parts.values():
                table[:, i] += at.profiled(formula, codes, t)
    return table.reshape(codes.size, -1)


def _check_supported(scenario: Scenario, policy: str) -> None:
    """Refuse what the language can say and this version cannot compute."""
    found = []
    if policy and policy not in scenario.policies:
        known = ", ".join(repr(key) for key in scenario.policies) or "none"
        message = f"the scenario has no policy {policy!r}"
        found.append(Diagnostic(Place("--policy"), "unknown-name", message, f"it has: {known}"))
    for turn in scenario.turns:
        if len(turn.who) > 1:
            who = ", ".join(turn.who)
            message = f"{who} choose at the same time; this version solves one mover at a turn"
            hint = "give them turns of their own, one after the other"
            found.append(Diagnostic(turn.place, "unsupported", message, hint))
    for actor in scenario.actors.values():
        if len(actor.types) > 2:
            message = f"{actor.key} has {len(actor.types)} types; this version solves up to two"
            found.append(Diagnostic(actor.priors[0].place, "unsupported", message))
    levels = math.prod(v.size for v in scenario.variables.values())
    if levels > MAX_CODE:
        place = max(scenario.variables.values(), key=lambda v: v.size).place
        message = "all levels together make more than 2^62 states, too many to number"
        found.append(Diagnostic(place, "too-large", message, "use fewer variables or levels"))
    informed = [actor for actor in scenario.actors.values() if len(actor.types) > 1]
    if len(informed) > MAX_INFORMED:
        message = f"{len(informed)} actors have private types; at most {MAX_INFORMED} are taken"
        place = informed[MAX_INFORMED].priors[0].place
        found.append(Diagnostic(place, "too-large", message))
    if found:
        raise ScenarioError(sorted(found, key=lambda d: d.place))
