"""One layer after the other: from a set of states to its actions, transitions and next states.

Each mover of a turn, or chance, is a side of it: its own available actions and, for each of
them, its own lottery over alternatives. Joint actions are the product of the sides' actions,
transitions that of their alternatives.

An alternative whose probability is zero leads nowhere, unless another value of a parameter would
make it positive: then it is kept, with probability zero, so that changing the parameter changes
numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from detente.dtypes import Bools, Ints
from detente.errors import Diagnostic, Place, ScenarioError
from detente.game.effects import ZERO, check_probabilities, probabilities, targets
from detente.game.evaluate import Evaluator
from detente.game.private_chance import check_turnover
from detente.game.structure import Side, Skeleton, decode, encode, pointers, product
from detente.game.term_status import Standing, in_force
from detente.scenario.entities import Variable
from detente.scenario.fields import within
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.types import move_of
from detente.scenario.hints import listing
from detente.scenario.model import Scenario
from detente.scenario.rules import Event, Joint, Term, Turn
from detente.scenario.scalar_types import Levels

MAX_STATES = 1_000_000
"""States of one turn: beyond this a solve would take more than any laptop's memory."""

MAX_BYTES = 2 * 2**30
"""Memory for the compiled game: a solve of it would take several times as much."""


@dataclass(slots=True)
class Reach:
    """What the enumeration has met on the way, and the bytes it has filled.

    `binding` has the terms that bind somewhere, `events` the places of the events that come about.
    """

    binding: set[str] = field(default_factory=set)
    events: set[Place] = field(default_factory=set)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Repertoire:
    """What a side may do at the states of a layer: `allowed` is bool [x] for each action."""

    mover: int
    actions: tuple[Event, ...]
    allowed: list[Bools]
    breaks: dict[int, tuple[tuple[Term, Bools], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Step:
    """A layer, the states after it, and where play has ended there."""

    skeleton: Skeleton
    following: Ints
    ended: Bools


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds layers of one scenario: formulas at present values (`at`) and at `generic` ones."""

    scenario: Scenario
    at: Evaluator
    generic: Evaluator
    terms: tuple[Term, ...]
    standings: Mapping[str, Standing]
    reach: Reach
    made: dict[tuple[object, ...], _Step | None] = field(default_factory=dict)
    """Steps that do not read the calendar, by turn, event, states and where play has ended, and by
    which terms are within their dates."""

    def period(
        self, codes: Ints, ended: Bools, t: int
    ) -> tuple[list[Skeleton], list[Ints], list[Bools]]:
        """The layers of period t from the states `codes`, where play has `ended` at some.

        With the states after each layer, and where play has ended there. A mistake is
        reported together with all others that the period has.
        """
        skeletons: list[Skeleton] = []
        sets, stops = [codes], [ended]
        steps = list(self._steps())
        for number, (turn, event) in enumerate(steps):
            last = number == len(steps) - 1
            closes = last or steps[number + 1][0] != turn
            # The events of terms are looked at after the last event of a turn of chance, which
            # is therefore kept where an earlier one is.
            begun = bool(self.standings) and any(past.turn == turn for past in skeletons)
            must = (last and not skeletons) or (closes and begun)
            step = self._known_step(sets[-1], stops[-1], t, turn, event, must, closes)
            if step is not None:
                skeletons.append(replace(step.skeleton, period=t))
                sets.append(step.following)
                stops.append(step.ended)
        if self.at.findings.found:
            self._look_at_payoffs(skeletons, sets, t)
            self.at.findings.refuse()
        return skeletons, sets[1:], stops[1:]

    def _known_step(
        self, codes: Ints, ended: Bools, t: int, turn: int, event: str, must: bool, closes: bool
    ) -> _Step | None:
        """A step, made once for all periods that the calendar does not tell apart."""
        dates = [term.dates for term in self.terms]
        in_time = tuple((a is None or a <= t) and (b is None or t < b) for a, b in dates)
        key = turn, event, must, closes, in_time, codes.tobytes(), ended.tobytes()
        if key in self.made:
            return self.made[key]
        step = self._step(codes, ended, t, turn, event, must, closes)
        if not self._dated(turn, event):
            self.made[key] = step
        return step

    def _dated(self, turn: int, event: str) -> bool:
        """Whether the calendar decides what can be done at a turn, or where it leads."""
        told, actions = self.scenario.turns[turn], self.scenario.actions
        acts = [self.scenario.events[event]] if event else []
        acts += [action for who in told.who for action in actions[who].values()]
        acts += [told.joint] if told.joint else []
        terms = [(term.since, term.until, term.when, term.unless) for term in self.terms]
        ends = [outcome.when for outcome in self.scenario.outcomes.values() if outcome.ends]
        leads = [(act.when, act.effects, act.changes, act.becomes) for act in acts]  # not costs
        rules = (told.when, *leads, *terms, *ends)
        return any(formula.calendar for formula in within(rules, Formula))

    def _step(
        self, codes: Ints, ended: Bools, t: int, turn: int, event: str, must: bool, closes: bool
    ) -> _Step | None:
        """One layer, with the events of terms that come about after it."""
        layer = self._layer(codes, ended, t, turn, event, must)
        if layer is None:
            return None
        skeleton, following = layer
        stopped = codes[ended]
        if closes and self.standings:
            following, again = np.unique(self.remember(following, t), return_inverse=True)
            skeleton = replace(skeleton, succ=again[skeleton.succ].astype(np.int32))
            stopped = self.remember(stopped, t)
        return _Step(skeleton, following, self._still_ended(stopped, following, t))

    def remember(self, codes: Ints, t: int) -> Ints:
        """The states, int64 [x], after the events of terms that have come about at `codes`."""
        if not self.standings:
            return codes
        levels = decode(self.at.variables, codes)

        def holds(event: Formula) -> Bools:
            here = self.at.holds(event, codes, t)
            if here.any():
                self.reach.events.add(event.place)
            return here

        for standing in self.standings.values():
            key = standing.variable.key
            levels[key] = standing.advance(levels[key], holds)
        return encode(self.at.variables, levels)

    def ended(self, codes: Ints, t: int) -> Bools:
        """Where play has ended, bool [x]."""
        ended = np.zeros(codes.size, dtype=bool)
        for outcome in self.scenario.outcomes.values():
            if outcome.ends:
                ended |= self.at.public(outcome.when, codes, t).astype(bool)
        return ended

    def _steps(self) -> Iterator[tuple[int, str]]:
        """The layers of a period: (turn, '') where actors move, (turn, event) for chance."""
        for number, turn in enumerate(self.scenario.turns):
            yield from ((number, event) for event in turn.events or ("",))

    def _still_ended(self, stopped: Ints, codes: Ints, t: int) -> Bools:
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

    def _layer(
        self, codes: Ints, ended: Bools, t: int, number: int, event: str, must: bool
    ) -> tuple[Skeleton, Ints] | None:
        """One layer from the states `codes`, and the states it leads to.

        None for a chance event that can happen nowhere, unless the layer `must` be kept.
        """
        turn = self.scenario.turns[number]
        active = ~ended & self.at.holds(turn.when, codes, t)
        if event:
            action = self.scenario.events[event]
            options = [_Repertoire(-1, (action,), [active & self.at.holds(action.when, codes, t)])]
        else:
            options = [self._options(turn, who, codes, active, t) for who in turn.who]
        for side in options:
            active = active & np.any(side.allowed, axis=0)
        if event and not active.any() and not must:
            return None
        # What each side may do, bool [x, 1 + actions]: first 'nobody moves', then its actions.
        masks = [np.array([~active, *(a & active for a in side.allowed)]).T for side in options]
        self._room(masks, options, t)
        sides = [
            self._side(side, mask, codes, t) for side, mask in zip(options, masks, strict=True)
        ]
        choices = [np.count_nonzero(mask, axis=1) for mask in masks]
        action_ptr, edge_own = product([pointers(count)[:-1] for count in choices], choices)
        if turn.joint:
            sides.append(self._joint(turn.joint, sides, edge_own, codes, t))
            edge_own = np.column_stack([edge_own, np.arange(len(edge_own))])
        lots = [np.bincount(side.own, minlength=side.state.size) for side in sides]
        trans_ptr, trans_own = product(
            [pointers(lot)[own] for lot, own in zip(lots, edge_own.T, strict=True)],
            [lot[own] for lot, own in zip(lots, edge_own.T, strict=True)],
        )
        target = targets(self.at, sides, codes, trans_own, t)
        following, succ = np.unique(target, return_inverse=True)
        self._limit(following.size, t)
        skeleton = Skeleton(
            period=t,
            turn=number,
            event=event,
            sides=tuple(sides),
            action_ptr=action_ptr,
            edge_own=edge_own,
            trans_ptr=trans_ptr,
            trans_own=trans_own,
            succ=succ.astype(np.int32),
        )
        return skeleton, following

    def _look_at_payoffs(self, skeletons: list[Skeleton], sets: list[Ints], t: int) -> None:
        """Note bad costs and flows of period t as well, where its turns have mistakes already."""
        for skeleton, codes in zip(skeletons, sets[:-1], strict=True):
            for side in skeleton.sides:
                at, states = self.at.beside(side, codes)
                for n, action in enumerate(side.actions):
                    for _, formula in action.charged:
                        at.profiled(formula, states[side.action == n], t)
        for payoff in self.scenario.payoffs.values():
            for formula in payoff.flow.values():
                self.at.profiled(formula, sets[-1], t)

    def _options(self, turn: Turn, mover: str, codes: Ints, active: Bools, t: int) -> _Repertoire:
        """A mover's available actions; noted where it has none though the turn is played."""
        actions = tuple(self.scenario.actions[mover].values())
        moves = [active & self.at.holds(action.when, codes, t) for action in actions]
        position = list(self.scenario.actors).index(mover)
        options = _Repertoire(position, actions, list(moves))
        self._apply_terms(options, mover, codes, t)
        stuck = active & ~np.any(options.allowed, axis=0)
        if stuck.any():
            by_terms = bool(np.any(moves, axis=0)[stuck][0])
            self._tell_stuck(turn, mover, codes[stuck][:1], t, by_terms)
        return options

    def _apply_terms(self, options: _Repertoire, mover: str, codes: Ints, t: int) -> None:
        """Take away what hard terms forbid; soft ones are noted in `breaks`."""
        moves = list(options.allowed)
        for term in self.terms:
            force = in_force(self.at, term, self.standings, codes, t)
            for n, action in enumerate(options.actions):
                if (mover, action.key) not in term.forbids:
                    continue
                if (force & moves[n]).any():
                    self.reach.binding.add(term.key)
                if term.cost is None:
                    options.allowed[n] = options.allowed[n] & ~force
                else:
                    options.breaks[n] = (*options.breaks.get(n, ()), (term, force))

    def _side(self, options: _Repertoire, mask: Bools, codes: Ints, t: int) -> Side:
        """A side with the alternatives of its actions that have probability."""
        state, position = np.nonzero(mask)
        side = Side(options.mover, options.actions, state, position - 1, breaks=options.breaks)
        return self._with_alternatives(side, codes, t)

    def _joint(self, joint: Joint, sides: list[Side], edge_own: Ints, codes: Ints, t: int) -> Side:
        """What moves do together, as a side whose own actions are the joint ones."""
        actors = list(self.scenario.actors)
        moves = tuple(
            Variable(
                key=move_of(actors[side.mover]),
                levels=Levels(len(side.actions), names=tuple(a.key for a in side.actions)),
                start=0,
            )
            for side in sides
        )
        played = [side.action[own] for side, own in zip(sides, edge_own.T, strict=True)]
        state, nobody = sides[0].state[edge_own[:, 0]], played[0] < 0
        made = {move.key: np.maximum(own, 0) for move, own in zip(moves, played, strict=True)}
        side = Side(
            -1, (joint,), state, -nobody.astype(np.int64), moves=moves, chosen=encode(moves, made)
        )
        at, here = self.at.beside(side, codes)
        happens = ~nobody & at.holds(joint.when, here, t)
        return self._with_alternatives(replace(side, action=happens.astype(np.int64) - 1), codes, t)

    def _with_alternatives(self, side: Side, codes: Ints, t: int) -> Side:
        """The side with the alternatives of its own actions that have probability."""
        (at, states), (generic, _) = (e.beside(side, codes) for e in (self.at, self.generic))
        nobody = np.flatnonzero(side.action < 0)
        own, alternatives = [nobody], [np.zeros_like(nobody)]
        for n, chosen in enumerate(side.actions):
            rows = np.flatnonzero(side.action == n)
            here = states[rows]
            present = probabilities(chosen, at, here, t)
            check_probabilities(chosen, at, present, here, t)
            check_turnover(chosen, at, here, t)
            other = probabilities(chosen, generic, here, t)
            for number in range(len(chosen.alternatives)):
                possible = (present[number] > ZERO) | (np.abs(other[number]) > ZERO)
                live = rows[possible if possible.ndim == 1 else possible.any(axis=1)]
                own.append(live)
                alternatives.append(np.full_like(live, number))
        row, alternative = np.concatenate(own), np.concatenate(alternatives)
        order = np.lexsort((alternative, row))
        return replace(side, own=row[order], alternative=alternative[order])

    def _tell_stuck(self, turn: Turn, mover: str, code: Ints, t: int, by_terms: bool) -> None:
        """Note a state, int64 [1], at which the mover has no action."""
        where = self.at.where(int(code[0]), t)
        always = f"give {mover} an action that is always available (`wait: {{}}`)"
        message, place = f"{mover} has to move but has no action {where}", turn.place
        hint = f"{always}, or the turn a `when`"
        if by_terms:
            hard = [term for term in self.terms if term.cost is None]
            there = [
                x
                for x in hard
                if in_force(self.at, x, self.standings, code, t)[0] and mover in dict(x.forbids)
            ]
            names, place = listing([term.key for term in there]), there[0].place
            message = f"{mover} has to move but its terms ({names}) leave it no action {where}"
            hint = f"{always}, or the term an `unless`"
        self.at.findings.add(Diagnostic(place, "no-action", message, hint), mover)

    def _room(self, masks: list[Bools], options: list[_Repertoire], t: int) -> None:
        """Refuse a game that would not fit into memory, before the next layer is made.

        Counted in floating point: many movers with many actions go beyond all integers.
        """
        edges, transitions = np.ones(len(masks[0])), np.ones(len(masks[0]))
        for mask, side in zip(masks, options, strict=True):
            edges *= np.count_nonzero(mask, axis=1)
            transitions *= mask @ np.array([1, *(len(a.alternatives) for a in side.actions)])
        count, movers = float(transitions.sum()), len(options)
        width = 8 * self.at.profiles * len(self.scenario.actors)
        # What the arrays of a layer take for good, and in passing.
        filled = self.reach.bytes + edges.sum() * (24 + 12 * movers + width)
        filled += count * (28 + 8 * movers)
        needed = filled + count * (80 + 40 * movers)
        if needed > MAX_BYTES:
            periods = "one period needs"
            if not self.scenario.forever:
                periods = f"{t} of the {self.at.last} periods need"
            message = (
                f"the game is too large: {periods} {needed / 2**30:.1f} GiB of memory; "
                f"at most {MAX_BYTES / 2**30:.1f} GiB are taken for all"
            )
            raise too_large(self.scenario.horizon.place, message)
        self.reach.bytes = int(filled)

    def _limit(self, states: int, t: int) -> None:
        """Refuse a turn with too many states."""
        if states > MAX_STATES:
            total = math.prod(v.size for v in self.at.variables)
            when = "" if self.scenario.forever else f" in {self.scenario.calendar.label(t)}"
            message = (
                f"{states:,} states can be reached{when}, at one "
                f"turn; at most {MAX_STATES:,} are taken (all levels together make {total:,})"
            )
            raise too_large(max(self.at.variables, key=lambda v: v.size).place, message)


def too_large(place: Place, message: str) -> ScenarioError:
    """That a game is too large for any computer."""
    hint = "use fewer variables, levels or periods, or end play by outcomes with `ends: true`"
    return ScenarioError([Diagnostic(place, "too-large", message, hint)])
