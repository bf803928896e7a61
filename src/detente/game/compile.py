"""`compile_game`: a scenario under a policy becomes arrays; new values fill them in again."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from itertools import accumulate, pairwise

import numpy as np

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic, Problems, ScenarioError, expect
from detente.game.arrays import CompiledGame, Layer, joint_cells
from detente.game.effects import ZERO, lotteries, probabilities
from detente.game.enumerate import enumerate_game
from detente.game.evaluate import Evaluator, evaluator_of
from detente.game.fuse import fuse
from detente.game.hidden_moves import hidden_moves
from detente.game.private_chance import is_private, private_layer
from detente.game.structure import Side, Skeleton, Structure
from detente.game.term_status import variables
from detente.scenario.fields import within
from detente.scenario.formula.expression import Formula
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policy
from detente.scenario.rules import Event, Term

MAX_CODE = 2**62
"""States are numbered by 64-bit integers, whether they can be reached or not."""

MAX_PROFILES = 1024
"""Type profiles: payoffs are kept for each of them, at each state."""


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
    expect(scenario, Scenario, "compile_game")
    policy = _checked(scenario, policy)
    structure = enumerate_game(scenario, policy)
    game = fill_game(scenario, policy, structure)
    if game is None:  # cannot happen: the structure was made for these very values
        raise AssertionError("the enumeration left out a transition that has probability")
    return game


def compile_policies(
    scenario: Scenario,
) -> tuple[dict[str, CompiledGame], tuple[Diagnostic, ...]]:
    """The game under each policy (under no terms, where there are none), and all that is found.

    Mistakes under one policy do not hide those under another. That an outcome never holds is
    reported where it is so under every policy, and that a term never binds where it is so under
    every policy that announces it.
    """
    games: dict[str, CompiledGame] = {}
    diagnostics: list[Diagnostic] = []
    for policy in scenario.policies or ("",):
        try:
            games[policy] = compile_game(scenario, policy=policy)
        except ScenarioError as error:
            diagnostics += error.diagnostics
    announced = {
        place: sum(key in scenario.policies[policy].terms for policy in games if policy)
        for key, term in scenario.terms.items()
        for place in (term.place, *(event.place for event in term.events()))
    }
    counts = Counter(warning for game in games.values() for warning in game.warnings)
    diagnostics += [w for w, times in counts.items() if times == announced.get(w.place, len(games))]
    return games, tuple(sorted(dict.fromkeys(diagnostics), key=lambda d: d.place))


def with_values(game: CompiledGame, values: Mapping[str, float]) -> CompiledGame:
    """The game with other parameter values (`{"step_cost.sincere": 0.4}`).

    The enumeration is kept unless a changed parameter decides which states there are, and with it
    the layers and payoffs of which no formula reads a changed one.

    Raises
    ------
    ScenarioError
        For unknown parameters and for values with which the scenario is not well formed.
    """
    expect(game, CompiledGame, "with_values")
    scenario = game.scenario.with_values(values)
    changed = frozenset(name.partition(".")[0] for name in values)
    if not changed & game.structure.structural:
        former = game if game.layers else None
        filled = fill_game(scenario, game.policy, game.structure, former, changed)
        if filled is not None:
            return filled
    return compile_game(scenario, policy=game.policy)


def fill_game(
    scenario: Scenario,
    policy: str,
    structure: Structure,
    former: CompiledGame | None = None,
    changed: frozenset[str] = frozenset(),
) -> CompiledGame | None:
    """The compiled game of a structure at the scenario's values.

    None where a transition that the enumeration left out has become possible. What reads none of
    the `changed` parameters is taken from a `former` game of this structure, where there is one.
    """
    at = evaluator_of(scenario, structure)
    rules = {id(r): r for skeleton in structure.skeletons for r in _rules(skeleton)}
    stale = {key for key, rule in rules.items() if former is None or _reads(rule, changed)}
    dated = {key for key, rule in rules.items() if _is_dated(rule)}
    made: dict[tuple[int, ...], Layer] = {}  # by skeletons, which periods share
    layers = []
    for n, (a, b) in enumerate(pairwise(structure.kept)):
        skeletons = structure.skeletons[a:b]
        if former is not None and not any(id(r) in stale for s in skeletons for r in _rules(s)):
            layers.append(former.layers[n])
            continue
        shared = tuple(id(skeleton.succ) for skeleton in skeletons)
        if shared in made:
            layers.append(replace(made[shared], period=skeletons[0].period))
            continue
        parts = []
        for skeleton, codes in zip(skeletons, structure.skeleton_sets[a:b], strict=True):
            part = fill_layer(at, skeleton, codes)
            if part is None:
                return None
            parts.append(part)
        layers.append(reduce(fuse, parts))
        if not any(id(rule) in dated for skeleton in skeletons for rule in _rules(skeleton)):
            made[shared] = layers[-1]
    if former is not None and not _reads(scenario.payoffs, changed):
        flow, terminal = former.flow, former.terminal
    else:
        ends = [structure.sets[n] for n in structure.period_sets]
        flow = tuple(_flows(at, ends))
        terminal = _payoffs(at, structure.sets[-1], len(ends) + 1, "terminal")
    at.findings.refuse()
    actors = scenario.actors.values()
    priors = tuple(
        np.array([scenario.constant(prior) for prior in actor.priors.values()] or [1.0])
        for actor in actors
    )
    return CompiledGame(
        scenario=scenario,
        policy=policy,
        structure=structure,
        layers=tuple(layers),
        flow=flow,
        terminal=terminal,
        priors=priors,
        lift=_lift(scenario, structure, priors),
        precision=np.array([scenario.constant(actor.precision) for actor in actors]),
        discount=np.array([scenario.constant(actor.discount) for actor in actors]),
        loop=structure.loop,
        start=structure.start,
    )


def _lift(scenario: Scenario, structure: Structure, priors: tuple[Floats, ...]) -> Floats | None:
    """`CompiledGame.lift`."""
    if scenario.joint_prior is None:
        return None
    together = np.array([scenario.constant(share) for share in scenario.joint_prior.shares])
    alone = np.ones(1)
    for key in scenario.joint_prior.by:
        alone = np.outer(alone, priors[list(scenario.actors).index(key)]).reshape(-1)
    return np.asarray(together / alone)[joint_cells(scenario, structure.profiles)]


def _reads(rules: object, names: frozenset[str]) -> bool:
    """Whether a formula in these entities reads one of the parameters or covariates."""
    formulas = within(rules, Formula)
    return any(not names.isdisjoint(f.parameters | f.covariates) for f in formulas)


def _is_dated(rules: object) -> bool:
    """Whether a formula in these entities reads the calendar."""
    return any(formula.calendar for formula in within(rules, Formula))


def _rules(skeleton: Skeleton) -> Iterator[Event | Term]:
    """What the numbers of a skeleton come from: its events, and the terms that these break."""
    for side in skeleton.sides:
        yield from side.actions
        yield from (term for broken in side.breaks.values() for term, _ in broken)


def fill_layer(at: Evaluator, skeleton: Skeleton, codes: Ints) -> Layer | None:
    """A skeleton with its numbers.

    None where a transition that the enumeration left out has become possible.
    """
    t, movers = skeleton.period, skeleton.movers
    if is_private(skeleton):
        return private_layer(at, skeleton, codes)
    prob = np.ones(skeleton.succ.size)
    reward = np.zeros((len(skeleton.edge_own), at.profiles * len(at.scenario.actors)))
    rows = zip(skeleton.sides, skeleton.edge_own.T, skeleton.trans_own.T, strict=True)
    for side, edge_own, trans_own in rows:
        chance = chances(at, side, codes, t)
        if chance is None:
            return None
        prob *= chance[trans_own]
        reward -= _paid(at, side, codes, t)[edge_own]
    reference = [
        references(at, side, codes, t)[own]
        for side, own in zip(skeleton.sides, skeleton.edge_own.T, strict=True)
    ]
    action = [
        side.action[own] for side, own in zip(skeleton.sides, skeleton.edge_own.T, strict=True)
    ]
    choices = [np.bincount(side.state, minlength=codes.size) for side in skeleton.sides]
    # Sides beyond the movers are what these do together. Arrays are in one piece: for others the
    # kernels would be compiled a second time.
    layer = Layer(
        period=t,
        turn=skeleton.turn,
        event=skeleton.event,
        movers=movers,
        states=codes,
        action_ptr=skeleton.action_ptr,
        choices=np.ascontiguousarray(np.stack(choices, axis=1)[:, : len(movers)]),
        action=np.stack(action, axis=1)[:, : len(movers)].astype(np.int32),
        trans_ptr=skeleton.trans_ptr,
        succ=skeleton.succ,
        prob=prob,
        reward=reward,
        reference=np.ascontiguousarray(np.stack(reference, axis=1)[:, : len(movers)]),
    )
    return replace(layer, hidden=hidden_moves(at, layer))


def references(at: Evaluator, side: Side, codes: Ints, t: int) -> Floats:
    """Reference behaviour, as shares of the most usual of a side's own actions: float64 [a]."""
    weight = np.ones(side.state.size)
    for n, action in enumerate(side.actions):
        formula = action.reference
        rows = np.flatnonzero(side.action == n)
        if formula is None or not rows.size:
            continue
        here = codes[side.state[rows]]
        weight[rows] = at.public(formula, here, t)
        low = np.flatnonzero(~(weight[rows] > 0.0))
        if low.size:
            where = at.where(int(here[low[0]]), t)
            message = f"the reference of `{action.key}` is {weight[rows[low[0]]]:.4g} {where}"
            hint = "a reference is above 0: what is never done is left out by a `when`"
            at.findings.add(Diagnostic(formula.place, "out-of-range", message, hint))
            weight[rows[low]] = 1.0
    most = np.zeros(codes.size)
    np.maximum.at(most, side.state, weight)
    return np.asarray(weight / most[side.state])


def chances(at: Evaluator, side: Side, codes: Ints, t: int) -> Floats | None:
    """Probabilities of a side's own transitions, float64 [l].

    None where a transition that the enumeration left out has become possible.
    """
    prob = np.ones(side.own.size)
    at, here = at.beside(side, codes)
    for action, rows, own, column in lotteries(side):
        table = np.array(probabilities(action, at, here[rows], t))
        prob[own] = np.maximum(table[side.alternative[own], column], 0.0)
        lost = 1.0 - np.bincount(column, prob[own], minlength=rows.size)
        if np.any(np.abs(lost) > 1e-9) or np.any(table < -ZERO):
            return None
    return prob


def _paid(at: Evaluator, side: Side, codes: Ints, t: int) -> Floats:
    """Costs of a side's own actions, float64 [a, c]."""
    table = np.zeros((side.state.size, len(at.scenario.actors), at.profiles))
    at, here = at.beside(side, codes)
    for actor, formula, rows in charges(at.scenario, side):
        table[rows, actor] += at.profiled(formula, here[rows], t)
    return table.reshape(side.state.size, -1)


def _payoffs(at: Evaluator, codes: Ints, t: int, kind: str) -> Floats:
    """Flow or terminal payoffs, float64 [x, c]."""
    table = np.zeros((codes.size, len(at.scenario.actors), at.profiles))
    for actor, formula in payoffs(at.scenario, kind):
        table[:, actor] += at.profiled(formula, codes, t)
    return table.reshape(codes.size, -1)


def _flows(at: Evaluator, ends: list[Ints]) -> Iterator[Floats]:
    """Flow payoffs of each period, float64 [x, c]; those that are the same are one array."""
    dated = any(_is_dated(formula) for _, formula in payoffs(at.scenario, "flow"))
    made: dict[bytes, Floats] = {}
    for t, codes in enumerate(ends, start=1):
        states = codes.tobytes()
        if dated or states not in made:
            made[states] = _payoffs(at, codes, t, "flow")
        yield made[states]


# --- which formula is evaluated where; `detente.game.gradient` goes the same way back ---


def charges(scenario: Scenario, side: Side) -> Iterator[tuple[int, Formula, Ints]]:
    """What a side's own actions cost: the actor who pays, a formula, and the rows a it is paid at.

    What several formulas make the same actor pay at a row adds up.
    """
    actors = list(scenario.actors)
    for n, action in enumerate(side.actions):
        rows = np.flatnonzero(side.action == n)
        charged = [(actors.index(key), formula, rows) for key, formula in action.charged]
        for term, force in side.breaks.get(n, ()):
            assert term.cost is not None  # only soft terms are noted in `breaks`
            charged.append((side.mover, term.cost, rows[force[side.state[rows]]]))
        yield from (charge for charge in charged if charge[2].size)


def payoffs(scenario: Scenario, kind: str) -> Iterator[tuple[int, Formula]]:
    """The `flow` or `terminal` payoffs: actor and formula. Those of one actor add up."""
    for i, key in enumerate(scenario.actors):
        payoff = scenario.payoffs.get(key)
        if payoff is not None:
            parts = payoff.flow if kind == "flow" else payoff.terminal
            yield from ((i, formula) for formula in parts.values())


def _checked(scenario: Scenario, policy: str | None) -> str:
    """The policy's name; refuses an unknown one, and what is too large to be numbered."""
    problems, key = Problems(), ""
    with problems.gather():
        key = find_policy(scenario, policy).key
    state = variables(scenario, key)
    if math.prod(v.size for v in state) > MAX_CODE:
        place = max(state, key=lambda v: v.size).place
        message = "all levels together make more than 2^62 states, too many to number"
        hint = "use fewer variables or levels"
        problems.found.append(Diagnostic(place, "too-large", message, hint))
    informed = [actor for actor in scenario.actors.values() if len(actor.types) > 1]
    counts = list(accumulate((len(actor.types) for actor in informed), operator.mul))
    if counts and counts[-1] > MAX_PROFILES:
        place = next(
            next(iter(actor.priors.values())).place
            for actor, count in zip(informed, counts, strict=True)
            if count > MAX_PROFILES
        )
        message = (
            f"the actors' types make {counts[-1]:,} type profiles; at most {MAX_PROFILES:,} are "
            "taken"
        )
        hint = "give fewer types, or fewer actors private ones"
        problems.found.append(Diagnostic(place, "too-large", message, hint))
    problems.refuse()
    return key
