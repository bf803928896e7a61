"""Enumerates the states that play can reach, turn by turn, with actions and transitions.

Forward from the start: at each turn every available action of every state is tried, and the
sorted set of all states that it may lead to is the next turn's set. An alternative whose
probability is zero leads nowhere, unless another value of a parameter would make it positive:
then it is kept, with probability zero, so that changing the parameter changes numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from detente.errors import Diagnostic, Place, ScenarioError, Severity
from detente.game.effects import ZERO, apply, check_probabilities, probabilities
from detente.game.evaluate import Evaluator, Findings, evaluator
from detente.game.structure import Bools, Ints, Skeleton, Structure, encode
from detente.scenario.expression import Formula
from detente.scenario.hints import listing
from detente.scenario.model import Action, Scenario, Term, Turn
from detente.scenario.values import constant

MAX_STATES = 1_000_000
"""States of one turn: beyond this a solve would take more than any laptop's memory."""

MAX_BYTES = 2 * 2**30
"""Memory for the compiled game: a solve of it would take several times as much."""


@dataclass(slots=True)
class Reach:
    """What the enumeration has met on the way: terms that bind, and the bytes it has filled."""

    binding: set[str] = field(default_factory=set)
    bytes: int = 0


def enumerate_game(scenario: Scenario, policy: str) -> Structure:
    """The structure of a scenario under a policy ('' for no terms).

    Raises
    ------
    ScenarioError
        With every mistake that shows at a reachable state.
    """
    findings = Findings()
    last = round(constant(scenario.horizon, scenario))
    counts = [range(max(1, len(actor.types))) for actor in scenario.actors.values()]
    profiles = np.array(list(product(*counts)), dtype=np.int64)
    at = evaluator(scenario, profiles, last, findings)
    generic = evaluator(_generic(scenario), profiles, last, Findings())
    chosen = scenario.policies[policy].terms if policy else ()
    terms = tuple(scenario.terms[key] for key in chosen)
    build = _Builder(scenario, at, generic, terms, Reach())

    variables = at.variables
    start = encode(variables, {v.key: np.array([v.start]) for v in variables})
    skeletons: list[Skeleton] = []
    sets, period_sets = [start], []
    stops = [build.ended(start, 1)]
    for t in range(1, last + 1):
        steps = list(build.steps())
        kept = len(skeletons)
        for number, (turn, event) in enumerate(steps):
            must = number == len(steps) - 1 and len(skeletons) == kept
            step = build.layer(sets[-1], stops[-1], t, turn, event, must)
            if step is not None:
                skeletons.append(step[0])
                stops.append(build.still_ended(sets[-1][stops[-1]], step[1], t))
                sets.append(step[1])
        if findings.found:
            build.look_at_payoffs(skeletons, sets, t)
            _refuse(findings)  # with what is wrong at all turns of the period
        period_sets.append(len(sets) - 1)
    firsts = _layers(skeletons)
    # An outcome is looked at after each turn, with the calendar of that turn.
    times = [1, *(skeletons[k - 1].period for k in firsts[1:])]
    holds = {
        key: tuple(
            at.public(outcome.when, sets[k], t).astype(bool)
            for k, t in zip(firsts, times, strict=True)
        )
        for key, outcome in scenario.outcomes.items()
    }
    # Between the events of one turn an outcome may hold for a moment: that does not count, but
    # it is not the mistake that the warning is about.
    moments = [1, *(skeleton.period for skeleton in skeletons)]
    never = [
        key
        for key, where in holds.items()
        if not any(w.any() for w in where)
        and not any(
            at.public(scenario.outcomes[key].when, codes, t).any()
            for codes, t in zip(sets, moments, strict=True)
        )
    ]
    _refuse(findings)
    return Structure(
        variables=variables,
        profiles=profiles,
        skeletons=tuple(skeletons),
        skeleton_sets=tuple(sets),
        kept=firsts,
        sets=tuple(sets[k] for k in firsts),
        period_sets=tuple(firsts.index(k) for k in period_sets),
        holds=holds,
        structural=_structural(scenario),
        warnings=_warnings(scenario, terms, build.reach, never),
    )


def _layers(skeletons: list[Skeleton]) -> tuple[int, ...]:
    """Where layers begin, and the end: the events of one turn of chance are one layer."""
    turns = [(s.period, s.turn) for s in skeletons]
    starts = [k for k in range(len(turns)) if k == 0 or turns[k] != turns[k - 1]]
    return (*starts, len(turns))


@dataclass(frozen=True, slots=True)
class _Builder:
    """Builds layers of one scenario: formulas at present values (`at`) and at `generic` ones."""

    scenario: Scenario
    at: Evaluator
    generic: Evaluator
    terms: tuple[Term, ...]
    reach: Reach

    def steps(self) -> Iterator[tuple[int, str]]:
        """The layers of a period: (turn, '') where actors move, (turn, event) for chance."""
        for number, turn in enumerate(self.scenario.turns):
            yield from ((number, event) for event in turn.events or ("",))

    def ended(self, codes: Ints, t: int) -> Bools:
        """Where play has ended, bool [x]."""
        ended = np.zeros(codes.size, dtype=bool)
        for outcome in self.scenario.outcomes.values():
            if outcome.ends:
                ended |= self.at.public(outcome.when, codes, t).astype(bool)
        return ended

    def still_ended(self, stopped: Ints, codes: Ints, t: int) -> Bools:
        """Where play has ended, bool [x], which the states `stopped` should be among."""
        ended = self.ended(codes, t)
        again = stopped[~ended[np.searchsorted(codes, stopped)]]
        for outcome in self.scenario.outcomes.values():
            if again.size and outcome.ends and outcome.when.calendar:
                where = self.at.where(int(again[0]), t)
                message = f"outcome {outcome.key} ends play, but no longer holds {where}"
                hint = "play does not start again: let the condition hold on, or drop `ends: true`"
                place = outcome.when.place
                self.at.findings.add(Diagnostic(place, "ends", message, hint))
                break
        return ended

    def layer(
        self, codes: Ints, ended: Bools, t: int, number: int, event: str, must: bool
    ) -> tuple[Skeleton, Ints] | None:
        """One layer from the states `codes`, and the states it leads to.

        None for a chance event that can happen nowhere, unless the layer `must` be kept.
        """
        turn = self.scenario.turns[number]
        mover = "" if event else turn.who[0]
        own = (self.scenario.events[event],) if event else ()
        actions = own or tuple(self.scenario.actions[mover].values())
        passive = ended | ~self._condition(turn.when, codes, t)
        moves = [~passive & self._condition(action.when, codes, t) for action in actions]
        breaks: dict[int, tuple[tuple[Term, Bools], ...]] = {}
        if event:
            passive = ~moves[0]
            if passive.all() and not must:
                return None
        else:
            allowed = self._apply_terms(actions, mover, moves, codes, t, breaks)
            stuck = ~passive & ~np.any(allowed, axis=0)
            if stuck.any():
                by_terms = bool(np.any(moves, axis=0)[stuck][0])
                self._tell_stuck(turn, mover, codes[stuck][:1], t, by_terms)
                passive = passive | stuck
            moves = allowed
        available = np.array([*moves, passive])
        self._room(available.sum(axis=1), actions, t)
        edge_state, edge_action = np.nonzero(available.T)
        parts = [
            self._transitions(action, n, codes, available[n], t) for n, action in enumerate(actions)
        ]
        rows = np.flatnonzero(passive)
        parts.append((rows, np.full_like(rows, len(actions)), np.zeros_like(rows), codes[rows]))
        state, action, alternative, target = (np.concatenate(c) for c in zip(*parts, strict=True))
        order = np.lexsort((alternative, action, state))
        following = np.unique(target)
        self._limit(following.size, t)
        position = {key: i for i, key in enumerate(self.scenario.actors)}
        skeleton = Skeleton(
            period=t,
            turn=number,
            event=event,
            mover=position[mover] if mover else -1,
            actions=actions,
            edge_state=edge_state,
            edge_action=edge_action,
            trans_state=state[order],
            trans_action=action[order],
            trans_alternative=alternative[order],
            succ=np.searchsorted(following, target[order]).astype(np.int32),
            breaks=breaks,
        )
        return skeleton, following

    def look_at_payoffs(self, skeletons: list[Skeleton], sets: list[Ints], t: int) -> None:
        """Note bad costs and flows of period t as well, where its turns have mistakes already."""
        for skeleton, codes in zip(skeletons, sets[:-1], strict=True):
            for n, action in enumerate(skeleton.actions if skeleton.period == t else ()):
                here = codes[skeleton.edge_state[skeleton.edge_action == n]]
                for formula in action.costs.values():
                    self.at.profiled(formula, here, t)
        for payoff in self.scenario.payoffs.values():
            for formula in payoff.flow.values():
                self.at.profiled(formula, sets[-1], t)

    def _condition(self, formula: Formula | None, codes: Ints, t: int) -> Bools:
        if formula is None:
            return np.ones(codes.size, dtype=bool)
        return self.at.public(formula, codes, t).astype(bool)

    def _apply_terms(
        self,
        actions: tuple[Action, ...],
        mover: str,
        moves: list[Bools],
        codes: Ints,
        t: int,
        breaks: dict[int, tuple[tuple[Term, Bools], ...]],
    ) -> list[Bools]:
        """Availability after hard terms; soft ones are noted in `breaks`."""
        allowed = list(moves)
        for term in self.terms:
            force = self._in_force(term, codes, t)
            for n, action in enumerate(actions):
                if (mover, action.key) not in term.forbids:
                    continue
                if (force & moves[n]).any():
                    self.reach.binding.add(term.key)
                if term.cost is None:
                    allowed[n] = allowed[n] & ~force
                else:
                    breaks[n] = (*breaks.get(n, ()), (term, force))
        return allowed

    def _in_force(self, term: Term, codes: Ints, t: int) -> Bools:
        force = self._condition(term.when, codes, t)
        return force if term.unless is None else force & ~self._condition(term.unless, codes, t)

    def _transitions(
        self, action: Action, n: int, codes: Ints, available: Bools, t: int
    ) -> tuple[Ints, Ints, Ints, Ints]:
        """(state row, action, alternative, target code) of each transition of an action."""
        rows = np.flatnonzero(available)
        here = codes[rows]
        present = probabilities(action, self.at, here, t)
        check_probabilities(action, self.at, present, here, t)
        other = probabilities(action, self.generic, here, t)
        parts = []
        for number, alternative in enumerate(action.alternatives):
            live = (present[number] > ZERO) | (np.abs(other[number]) > ZERO)
            target = apply(alternative.changes, self.at, here[live], t)
            row = rows[live]
            parts.append((row, np.full_like(row, n), np.full_like(row, number), target))
        state, act, alternative_number, target = (
            np.concatenate(c) for c in zip(*parts, strict=True)
        )
        return state, act, alternative_number, target

    def _tell_stuck(self, turn: Turn, mover: str, code: Ints, t: int, by_terms: bool) -> None:
        """Note a state, int64 [1], at which the mover has no action."""
        where = self.at.where(int(code[0]), t)
        always = f"give {mover} an action that is always available (`wait: {{}}`)"
        message, place = f"{mover} has to move but has no action {where}", turn.place
        hint = f"{always}, or the turn a `when`"
        if by_terms:
            hard = [term for term in self.terms if term.cost is None]
            there = [x for x in hard if self._in_force(x, code, t)[0] and mover in dict(x.forbids)]
            names, place = listing([term.key for term in there]), there[0].place
            message = f"{mover} has to move but its terms ({names}) leave it no action {where}"
            hint = f"{always}, or the term an `unless`"
        self.at.findings.add(Diagnostic(place, "no-action", message, hint))

    def _room(self, edges: Ints, actions: tuple[Action, ...], t: int) -> None:
        """Refuse a game that would not fit into memory, before the next layer is made."""
        width = 8 * self.at.profiles * len(self.scenario.actors)
        transitions = sum(
            int(n) * len(a.alternatives) for n, a in zip(edges, actions, strict=False)
        )
        # What the arrays of a layer take for good, and in passing.
        self.reach.bytes += int(edges.sum()) * (28 + width) + transitions * 40
        needed = self.reach.bytes + transitions * 120
        if needed > MAX_BYTES:
            periods = f"{t} of the {self.at.last} periods"
            message = (
                f"the game is too large: {periods} need {needed / 2**30:.1f} GiB of memory; "
                f"at most {MAX_BYTES / 2**30:.1f} GiB are taken for all"
            )
            self._too_large(self.scenario.horizon.place, message)

    def _limit(self, states: int, t: int) -> None:
        """Refuse a turn with too many states."""
        if states > MAX_STATES:
            total = math.prod(v.size for v in self.at.variables)
            message = (
                f"{states:,} states can be reached in {self.scenario.calendar.label(t)}, at one "
                f"turn; at most {MAX_STATES:,} are taken (all levels together make {total:,})"
            )
            self._too_large(max(self.at.variables, key=lambda v: v.size).place, message)

    def _too_large(self, place: Place, message: str) -> None:
        hint = "use fewer variables, levels or periods, or end play by outcomes with `ends: true`"
        raise ScenarioError([Diagnostic(place, "too-large", message, hint)])


def _generic(scenario: Scenario) -> Scenario:
    """The scenario with every parameter moved a little, so that no zero is an accident."""
    rng = np.random.default_rng(20180212)

    def moved(value: float, limits: tuple[float, float] | None) -> float:
        low, high = limits or (value, value + 0.1)
        share = rng.uniform(0.3, 0.7)
        return value + 0.01 * share * (low + share * (high - low) - value) + 1e-7 * share

    parameters = {
        key: replace(p, values=tuple(map(moved, p.values, p.ranges)))
        for key, p in scenario.parameters.items()
    }
    return replace(scenario, parameters=parameters)


def _structural(scenario: Scenario) -> frozenset[str]:
    """Parameters whose values decide which states and actions there are."""
    actions = [a for own in scenario.actions.values() for a in own.values()]
    actions += scenario.events.values()
    formulas = [scenario.horizon, *(turn.when for turn in scenario.turns)]
    formulas += [a.when for a in actions] + [o.when for o in scenario.outcomes.values()]
    formulas += [f for term in scenario.terms.values() for f in (term.when, term.unless)]
    formulas += [c.formula for a in actions for alt in a.alternatives for c in alt.changes]
    return frozenset().union(*(f.parameters for f in formulas if f is not None))


def _warnings(
    scenario: Scenario,
    terms: tuple[Term, ...],
    reach: Reach,
    never: list[str],
) -> tuple[Diagnostic, ...]:
    """Outcomes that never hold and terms that never bind."""
    found = []
    for key in never:
        formula = scenario.outcomes[key].when
        message = f"outcome {key} can never hold: `{formula.text}`"
        hint = "check the levels in its condition, and whether any action leads there"
        found.append(Diagnostic(formula.place, "never-holds", message, hint, Severity.WARNING))
    for term in terms:
        if term.key not in reach.binding:
            message = f"term {term.key} never forbids anything that could be done"
            hint = "check its `when` and `unless`, and the availability of what it forbids"
            found.append(Diagnostic(term.place, "never-binds", message, hint, Severity.WARNING))
    return tuple(sorted(found, key=lambda d: d.place))


def _refuse(findings: Findings) -> None:
    if findings.found:
        raise ScenarioError(sorted(findings.found.values(), key=lambda d: d.place))
