"""What the formulas of a game give at named states, by the actor's own type: no equilibrium.

Payoffs are expected over the types of the others, at their priors. Where several choose at the
same time, the others leave everything as it is, if they can.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from detente.dtypes import Bools, Floats, Ints
from detente.game.arrays import CompiledGame
from detente.game.compile import payoffs
from detente.game.evaluate import Evaluator, evaluator_of
from detente.game.structure import Side, decode, encode
from detente.scenario.entities import Variable
from detente.scenario.formula.expression import Formula
from detente.scenario.rules import Event, Joint, Term


class Chance(NamedTuple):
    """A turn at which an actor has a choice: the layer, its position among the movers, the row."""

    layer: int
    mover: int
    row: int


class Charge(NamedTuple):
    """What a move costs somebody: the action or the soft term it breaks, who makes it, who pays.

    `costs` is float64 [x, k], at the states `codes` in the order of play, by the payer's type.
    Where moves cost something together, `mover` is -1 and `together` has them by actor's key:
    those on which it depends.
    """

    charged: Event | Term
    mover: int
    payer: int
    period: int
    codes: Ints
    costs: Floats
    together: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Static:
    """A compiled game, looked at state by state."""

    game: CompiledGame

    @cached_property
    def at(self) -> Evaluator:
        """Evaluates formulas of the game's scenario."""
        return evaluator_of(self.game.scenario, self.game.structure)

    @cached_property
    def start(self) -> int:
        """The code of the state at which play begins."""
        return int(self.game.structure.sets[0][self.game.start])

    def elsewhere(self, variable: str, level: int) -> Ints:
        """The code of the start with one variable at another level, int64 [1]."""
        levels = self.game.structure.levels(np.array([self.start]))
        return encode(self.game.structure.variables, levels | {variable: np.array([level])})

    def at_level(self, variable: str, label: str) -> Ints:
        """The same, of a level by its name."""
        levels = self.game.scenario.variables[variable]
        return self.elsewhere(variable, list(map(levels.label, range(levels.size))).index(label))

    def ended(self, codes: Ints, t: int) -> Bools:
        """Where an outcome has ended play, bool [x]."""
        ended = np.zeros(codes.size, bool)
        for outcome in self.game.scenario.outcomes.values():
            if outcome.ends:
                ended |= self.at.holds(outcome.when, codes, t)
        return ended

    @cached_property
    def weights(self) -> tuple[Floats, ...]:
        """For each actor float64 [p, k]: the chance of a profile, given its own type k."""
        return tuple(
            self.game.profile_prior(but=(i,))[:, None]
            * (self.game.profiles[:, i][:, None] == np.arange(prior.size))
            for i, prior in enumerate(self.game.priors)
        )

    def payoff(self, kind: str, i: int, codes: Ints, t: int) -> Floats:
        """`flow` or `terminal` payoff of actor i, float64 [x, k], as if it fell in period t."""
        parts = (
            self.at.profiled(formula, codes, t)
            for who, formula in payoffs(self.game.scenario, kind)
            if who == i
        )
        table = sum(parts, start=np.zeros((codes.size, len(self.game.profiles))))
        return np.asarray(table @ self.weights[i])

    def flow(self, i: int, codes: Ints, t: int = 1) -> Floats:
        """The flow of a period that ends there, float64 [x, k]."""
        return self.payoff("flow", i, codes, t)

    def terminal(self, i: int, codes: Ints) -> Floats:
        """The terminal payoff of play that ends there, float64 [x, k]."""
        return self.payoff("terminal", i, codes, self.game.periods + 1)

    def kept(self, i: int, codes: Ints, t: int) -> Floats:
        """What period t and all after it are worth if the state stays as it is, float64 [x, k]."""
        discount = float(self.game.discount[i])
        if self.game.loop is not None:
            return self.flow(i, codes) / (1.0 - discount)
        last = self.game.periods
        total = self.terminal(i, codes) * discount ** (last - t + 1)
        for ahead in range(last - t + 1):
            total = total + self.flow(i, codes, t + ahead) * discount**ahead
        return total

    def turns(self) -> Iterator[tuple[int, int, Side]]:
        """The turns of actors in the order of play: layer, and the side of each mover."""
        structure = self.game.structure
        for n, layer in enumerate(self.game.layers):
            for m in range(len(layer.movers)):
                yield n, m, structure.skeletons[structure.kept[n]].sides[m]

    def charges(self) -> Iterator[Charge]:
        """What every move costs whom, wherever it can be made."""
        actors = list(self.game.scenario.actors)
        for n, _, side in self.turns():
            layer = self.game.layers[n]
            for number, action in enumerate(side.actions):
                rows = side.state[side.action == number]
                paid: list[tuple[Event | Term, int, Formula, Ints]] = [
                    (action, actors.index(payer), formula, rows)
                    for payer, formula in action.costs.items()
                ]
                for term, force in side.breaks.get(number, ()):
                    assert term.cost is not None  # only soft terms are noted in `breaks`
                    paid.append((term, side.mover, term.cost, rows[force[rows]]))
                for charged, payer, formula, where in paid:
                    if where.size:
                        codes, t = layer.states[where], layer.period
                        costs = self.at.profiled(formula, codes, t) @ self.weights[payer]
                        yield Charge(charged, side.mover, payer, t, codes, costs)

    def joint_sides(self) -> Iterator[tuple[int, Side]]:
        """What the moves of a turn do together: layer and side."""
        for n, layer in enumerate(self.game.layers):
            sides = self.game.structure.skeletons[self.game.structure.kept[n]].sides
            if layer.movers and len(sides) > len(layer.movers):
                yield n, sides[-1]

    def joint_charges(self) -> Iterator[Charge]:
        """What the moves of a turn cost whom together, one after the other."""
        actors = list(self.game.scenario.actors)
        for n, side in self.joint_sides():
            layer, (joint,) = self.game.layers[n], side.actions
            rows = np.flatnonzero(side.action == 0)
            at, codes = self.at.beside(side, layer.states)
            states = side.state[rows]
            assert isinstance(joint, Joint)
            assert side.chosen is not None
            made = decode(side.moves, side.chosen[rows])
            for key, parts in joint.parts.items():
                payer = actors.index(key)
                costs = np.asarray(
                    sum(
                        at.profiled(formula, codes[rows], layer.period)
                        for formula in parts.values()
                    )
                    @ self.weights[payer]
                )
                for together, own in _apart(side.moves, made, states, costs):
                    moves = tuple(
                        (actors[who], name)
                        for who, name in zip(layer.movers, together, strict=True)
                        if name
                    )
                    where = layer.states[states[own]]
                    yield Charge(joint, -1, payer, layer.period, where, costs[own], moves)

    def chances(self, i: int) -> list[Chance]:
        """The turns and states at which actor i has two actions or more, in the order of play."""
        return [
            Chance(n, m, row)
            for n, layer in enumerate(self.game.layers)
            for m, who in enumerate(layer.movers)
            if who == i
            for row in np.flatnonzero(layer.choices[:, m] > 1).tolist()
        ]

    def code(self, chance: Chance) -> int:
        """The state of a choice."""
        return int(self.game.layers[chance.layer].states[chance.row])

    def first(self, chances: list[Chance]) -> Chance | None:
        """The first choice at the state of the start; where there is none, the first at all."""
        at_start = (chance for chance in chances if self.code(chance) == self.start)
        return next(at_start, chances[0] if chances else None)

    def worst(self, i: int, chances: list[Chance]) -> Chance | None:
        """The choice at the state where the actor's flow is lowest, over its types at the prior."""
        if not chances:
            return None
        layers = {n: self.game.layers[n] for n in dict.fromkeys(c.layer for c in chances)}
        flows = {
            n: self.flow(i, layer.states, layer.period) @ self.game.priors[i]
            for n, layer in layers.items()
        }
        lowest = [flows[chance.layer][chance.row] for chance in chances]
        return chances[int(np.argmin(np.round(lowest, 12)))]  # the first of several

    def options(self, i: int, chance: Chance) -> Options:
        """What actor i can do there, and what each action gives at once and if all stood still."""
        layer, n = self.game.layers[chance.layer], chance.layer
        edges = np.arange(layer.action_ptr[chance.row], layer.action_ptr[chance.row + 1])
        own = layer.action[edges, chance.mover]
        mine = layer.reference[edges, chance.mover]
        others = self._others(chance, edges)
        wide = len(self.game.profiles)
        cost = -layer.reward[edges, i * wide : (i + 1) * wide] @ self.weights[i]
        ptr = layer.trans_ptr
        leads = [np.arange(ptr[e], ptr[e + 1]) for e in edges]
        after = self.game.structure.sets[n + 1]
        month, kept = (
            np.array([layer.prob[k] @ value(i, after[layer.succ[k]], layer.period) for k in leads])
            for value in (self.flow, self.kept)
        )
        stay = self.kept(i, layer.states[[chance.row]], layer.period)
        if layer.hidden is not None:  # what follows is of the type that an action leads to
            month, kept = (
                np.einsum("ef,ekf->ek", table, layer.hidden.change[edges])
                for table in (month, kept)
            )
        numbers = np.unique(own)

        def averaged(table: Floats) -> Floats:
            rows = ((own == a) for a in numbers)
            return np.array([np.average(table[r], axis=0, weights=others[r]) for r in rows])

        usual = np.array([mine[own == a][0] for a in numbers])
        actions = list(self.game.scenario.actions[self.game.actors[i].key])
        return Options(
            actions=tuple(actions[a] for a in numbers.tolist()),
            reference=usual / usual.sum(),
            cost=averaged(cost),
            flow=averaged(month),
            lasting=averaged(kept - cost) - stay,
        )

    def _others(self, chance: Chance, edges: Ints) -> Floats:
        """How often those who choose at the same time do their part of joint actions, [e].

        One who can leave everything as it is does that; else it is reference behaviour. Of moves
        that change nothing by themselves, those do so that change least with the others' moves.
        """
        layer = self.game.layers[chance.layer]
        weight = np.ones(edges.size)
        joint = any(n == chance.layer for n, _ in self.joint_sides())
        for m, who in enumerate(layer.movers):
            if m == chance.mover:
                continue
            actions = list(self.game.scenario.actions[self.game.actors[who].key].values())
            own = layer.action[edges, m]
            idle = np.array(
                [n >= 0 and not any(a.changes for a in actions[n].alternatives)
                 for n in own.tolist()]
            )  # fmt: skip
            if joint and idle.any():
                moved = np.bincount(np.maximum(own, 0), self._moved(chance, edges))[own]
                idle &= moved <= moved[idle].min() + 1e-12
            weight *= layer.reference[edges, m] * (idle if idle.any() else 1.0)
        return weight

    def _moved(self, chance: Chance, edges: Ints) -> Floats:
        """How likely joint actions are to lead to another state, float64 [e]."""
        layer = self.game.layers[chance.layer]
        after = self.game.structure.sets[chance.layer + 1]
        leads = (slice(layer.trans_ptr[e], layer.trans_ptr[e + 1]) for e in edges)
        here = layer.states[chance.row]
        return np.array([layer.prob[k] @ (after[layer.succ[k]] != here) for k in leads])

    def where(self, chance: Chance) -> str:
        """The state and the period of a choice, in words: `in 2018-02, at pressure 2, …`."""
        return self.at.where(self.code(chance), self.game.layers[chance.layer].period)


def _apart(
    moves: tuple[Variable, ...], made: Mapping[str, Ints], states: Ints, costs: Floats
) -> Iterator[tuple[tuple[str, ...], Ints]]:
    """Moves made together as far as costs depend on them ('' for a mover on whom they do not), and
    for each the rows at which they are made, one for each state."""
    columns = [made[move.key] for move in moves]
    kept = list(columns)
    for m in range(len(moves)):
        others = np.stack([states, *kept[:m], np.zeros_like(states), *kept[m + 1 :]])
        _, group = np.unique(others, axis=1, return_inverse=True)
        group = group.reshape(-1)
        first = np.zeros(group.max(initial=0) + 1, dtype=np.int64)
        first[group] = np.arange(group.size)
        if np.abs(costs - costs[first[group]]).max(initial=0.0) < 1e-12:
            kept[m] = np.full_like(columns[m], -1)
    combinations, which = np.unique(np.stack(kept), axis=1, return_inverse=True)
    for c, together in enumerate(combinations.T.tolist()):
        rows = np.flatnonzero(which.reshape(-1) == c)
        _, once = np.unique(states[rows], return_index=True)
        names = (move.label(k) if k >= 0 else "" for move, k in zip(moves, together, strict=True))
        yield tuple(names), rows[once]


@dataclass(frozen=True)
class Options:
    """What an actor can do at a state, a actions, and what of it counts, by its type k.

    reference
        float64 [a], adds up to 1.
    cost, flow
        float64 [a, k]: what it costs at once; the flow of a period that ends after it.
    lasting
        float64 [a, k]: the value of the move if after it nothing happened until the end, less
        that of the state as it stands.
    """

    actions: tuple[str, ...]
    reference: Floats
    cost: Floats
    flow: Floats
    lasting: Floats

    def shares(self, precision: float, payoff: Floats) -> Floats:
        """How often each is done where this counts and nothing else: float64 [a, k]."""
        gap = payoff - payoff.max(axis=0)
        tilt = np.where(gap == 0.0, 0.0, -math.inf) if math.isinf(precision) else precision * gap
        weights = self.reference[:, None] * np.exp(tilt)
        return np.asarray(weights / weights.sum(axis=0))

    def slack(self, precision: float, share: float) -> Floats:
        """By how much each may be worse than all others, which are alike, and still be done so
        often: float64 [a]; below 0 where it is done less often even as good as they are."""
        usual = np.log(self.reference) - np.log1p(-self.reference)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((math.log((1 - share) / share) + usual) / precision)
