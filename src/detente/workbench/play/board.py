"""What is played: a solved game, read at one state and at one public belief at a time.

What an action gives up is read from the solution itself. Choices are quantal responses, σ(a) ∝
w(a) exp(λ Q(a)), so that of two actions Q(a) - Q(a') = (log σ(a)/w(a) - log σ(a')/w(a')) / λ: the
payoff expected by the type who moves, at the public belief, where all others play the solution
from there on, and it does so itself. That holds of what is done unseen, too.

What others learn of a turn is one matrix for each actor whom it tells of (`Board.told`): how likely
what all see of it is, by the type before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np

from detente.analysis.deviation import Available, available
from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame, marginals
from detente.game.automaton import Automaton, automaton
from detente.scenario.entities import Actor
from detente.simulation.forecast import Forecast
from detente.simulation.forward import schedule
from detente.simulation.histories import interpolated_strategy
from detente.solver.kernels.lottery import LEAST
from detente.solver.solution import Solution

Beliefs = tuple[tuple[float, ...], ...]
"""For each actor the public belief about its types by itself, adding up to 1: see
`Board.public`."""


class Position(NamedTuple):
    """Where a table stands: before layer n of period t, at row x of its states."""

    t: int
    n: int
    x: int
    beliefs: Beliefs


class Lead(NamedTuple):
    """What an own action may lead to: a state code after the turn, with its probability."""

    probability: float
    code: int


@dataclass(frozen=True, eq=False)
class Board:
    """A solved game with its forecast."""

    forecast: Forecast

    @property
    def solution(self) -> Solution:
        return self.forecast.solution

    @property
    def game(self) -> CompiledGame:
        return self.solution.game

    @cached_property
    def moves(self) -> tuple[tuple[int, int], ...]:
        """The layers in the order of play: (period, n)."""
        game = self.game
        return schedule(game, None if game.loop is None else self.forecast.periods)

    @cached_property
    def automata(self) -> Mapping[str, Automaton]:
        """What of a history counts for each outcome."""
        outcomes = self.game.scenario.outcomes
        return {key: automaton(outcomes, key) for key in self.game.holds}

    @cached_property
    def informed(self) -> tuple[tuple[int, Actor], ...]:
        """The actors with private types."""
        return tuple((i, self.game.actors[i]) for i in self.game.informed)

    @cached_property
    def start(self) -> tuple[int, Beliefs, tuple[int, ...]]:
        """The first row of states, the priors, and the states of the automata after the start."""
        game = self.game
        priors = tuple(tuple(map(float, prior)) for prior in game.priors)
        blank = (0,) * len(self.automata)
        return game.start, priors, self.remember(blank, 0, game.start, end=False)

    def remember(self, memory: tuple[int, ...], n: int, x: int, *, end: bool) -> tuple[int, ...]:
        """The states of the automata after the test before layer n, at row x."""
        return tuple(
            int(machine.step[state, machine.letters(self.game.holds, n, end=end)[x]])
            for state, machine in zip(memory, self.automata.values(), strict=True)
        )

    def been(self, memory: tuple[int, ...]) -> dict[str, bool]:
        """Which outcomes have come about."""
        pairs = zip(memory, self.automata.items(), strict=True)
        return {key: bool(machine.been[state]) for state, (key, machine) in pairs}

    @cached_property
    def changing(self) -> frozenset[int]:
        """The actors whose types may change."""
        layers = [layer for layer in self.game.layers if layer.changes]
        by_chance = {layer.private.actor for layer in layers if layer.private is not None}
        return frozenset(by_chance.union(*(layer.movers for layer in layers)))

    @cached_property
    def hides(self) -> bool:
        """Whether somebody can do what looks like something else."""
        actions = self.game.scenario.actions.values()
        return any(action.seen_as for own in actions for action in own.values())

    def profile(self, types: tuple[int, ...]) -> int:
        """The row of these types, one for each actor, among the game's profiles."""
        return int(np.ravel_multi_index(types, tuple(prior.size for prior in self.game.priors)))

    def actions(self, at: Position, m: int) -> Ints:
        """The actions that the m-th mover has, as positions in the actor's; [-1] for nobody."""
        layer = self.game.layers[at.n]
        choices = layer.choices[at.x]
        apart = prod(choices[m + 1 :].tolist())
        edges = layer.action_ptr[at.x] + apart * np.arange(choices[m])
        return np.asarray(layer.action[edges, m], dtype=np.int64)

    def names(self, at: Position, m: int) -> tuple[str, ...]:
        """The keys of the actions that the m-th mover has; none where nobody moves."""
        actor = self.game.actors[self.game.layers[at.n].movers[m]].key
        keys = tuple(self.game.scenario.actions[actor])
        return tuple(keys[k] for k in self.actions(at, m) if k >= 0)

    def choosers(self, at: Position) -> tuple[int, ...]:
        """The movers who have a choice: positions in the layer's movers."""
        choices = self.game.layers[at.n].choices[at.x]
        return tuple(int(m) for m in np.flatnonzero(choices > 1))

    def joint(self, at: Position, own: tuple[int, ...]) -> int:
        """The joint action e of own ones, each counted from 0 among those that are there."""
        layer = self.game.layers[at.n]
        joint = 0
        for count, chosen in zip(layer.choices[at.x].tolist(), own, strict=True):
            joint = joint * count + chosen
        return int(layer.action_ptr[at.x]) + joint

    def strategy(self, at: Position, m: int) -> Floats:
        """What the solution does as the m-th mover, float64 [θ, a]."""
        if (at, m) not in self._strategies:
            beliefs = [np.array(belief) for belief in at.beliefs]
            sigma = interpolated_strategy(self.solution, at.n, at.x, beliefs, m)
            self._strategies[at, m] = sigma
        return self._strategies[at, m]

    def given_up(self, at: Position, m: int, theta: int) -> Floats:
        """What each action gives up against the best, float64 [a]; nan where nobody can tell."""
        layer = self.game.layers[at.n]
        precision = self.game.precision[layer.movers[m]]
        sigma = self.strategy(at, m)[theta]
        if not (0 < precision < np.inf):
            return np.full(sigma.size, np.nan)
        apart = prod(layer.choices[at.x, m + 1 :].tolist())
        edges = layer.action_ptr[at.x] + apart * np.arange(sigma.size)
        with np.errstate(divide="ignore"):
            log = np.log(sigma) - np.log(layer.reference[edges, m])
        return np.asarray((log.max() - log) / precision)

    def alike(self, at: Position, own: int) -> Ints:
        """The own actions of a turn's single mover that look like this one, itself too."""
        hidden = self.game.layers[at.n].hidden
        if hidden is None:
            return np.array([own])
        looks = hidden.alike[self._edges(at)]
        return np.flatnonzero(looks == looks[own])

    def _edges(self, at: Position) -> slice:
        """The joint actions of a state."""
        pointers = self.game.layers[at.n].action_ptr
        return slice(int(pointers[at.x]), int(pointers[at.x + 1]))

    def unseen(self, at: Position, own: int) -> Floats | None:
        """What an own action of a turn's single mover does to its type: float64 [θ, θ']."""
        hidden = self.game.layers[at.n].hidden
        return None if hidden is None else hidden.change[self._edges(at)][own]

    def transition(self, at: Position, own: tuple[int, ...], after: int) -> int:
        """The transition k that leads from own actions to the state in this row."""
        layer, e = self.game.layers[at.n], self.joint(at, own)
        begin, end = layer.trans_ptr[e], layer.trans_ptr[e + 1]
        return int(begin + np.flatnonzero(layer.succ[begin:end] == after)[0])

    def told(self, at: Position, own: tuple[int, ...], after: int) -> dict[int, Floats]:
        """What all learn of a turn: for each actor whom it tells of, how likely what they see of it
        is, by the type before and after, float64 [θ, θ']."""
        layer = self.game.layers[at.n]
        if layer.private is not None:
            return {layer.private.actor: layer.private.change[self.transition(at, own, after)]}
        if layer.hidden is not None:
            seen = self.alike(at, own[0])
            change = layer.hidden.change[self._edges(at)][seen]
            sigma = self.strategy(at, 0)[:, seen]
            return {layer.movers[0]: np.einsum("ta,atf->tf", sigma, change)}
        told = {}
        for m in self.choosers(at):
            i = layer.movers[m]
            does = self.strategy(at, m)[:, own[m]]
            # What no type does says nothing.
            if does.size > 1 and np.array(at.beliefs[i]) @ does > 0:
                told[i] = np.diag(does)
        return told

    def posterior(self, at: Position, own: tuple[int, ...], after: int) -> Beliefs:
        """What the public believes after these own actions and the state that followed, by the
        strategies of the solution."""
        beliefs = list(at.beliefs)
        for i, told in self.told(at, own, after).items():
            before = np.array(beliefs[i])
            joint = before @ told
            if not joint.any():  # what was ruled out counts where nothing else can have been
                joint = np.maximum(before, LEAST) @ told
            beliefs[i] = tuple((joint / joint.sum()).tolist())
        return tuple(beliefs)

    def public(self, beliefs: Beliefs) -> Beliefs:
        """What the public believes of each actor; `beliefs` are what is told of each by itself,
        which is another thing where the prior is a joint one."""
        game = self.game
        if game.lift is None:
            return beliefs
        told = marginals(game.lift, game.profiles, [np.array([belief]) for belief in beliefs])
        return tuple(tuple(each[0].tolist()) for each in told)

    def profile_weights(self, at: Position, known: Mapping[int, int]) -> Floats:
        """Public probability of each type profile, float64 [p], given the types of some actors."""
        weights = np.ones(len(self.game.profiles))
        for i, belief in enumerate(at.beliefs):
            types = self.game.profiles[:, i]
            weights *= (types == known[i]) if i in known else np.array(belief)[types]
        return weights if self.game.lift is None else weights * self.game.lift

    def leads(self, at: Position, m: int, chosen: int, theta: int) -> list[Lead]:
        """What an own action may lead to, the likeliest first.

        Of others who choose at the same time the solution's choices are expected, by what a mover
        of this type believes of theirs.
        """
        layer = self.game.layers[at.n]
        weights = self._expected(at, m, chosen, at.beliefs)
        if self.game.lift is not None:
            held = self.profile_weights(at, {layer.movers[m]: theta})
            types = self.game.profiles[held > 0]
            each = (
                tuple(
                    tuple(np.eye(prior.size)[k])
                    for prior, k in zip(self.game.priors, row, strict=True)
                )
                for row in types
            )
            shares = held[held > 0] / held.sum()
            weights = sum(
                (
                    share * self._expected(at, m, chosen, sure)
                    for share, sure in zip(shares, each, strict=True)
                ),
                start=np.zeros_like(weights),
            )
        totals: dict[int, float] = {}
        first = int(layer.action_ptr[at.x])
        for e in np.flatnonzero(weights > 0) + first:
            for k in range(int(layer.trans_ptr[e]), int(layer.trans_ptr[e + 1])):
                code = int(self.game.structure.sets[at.n + 1][layer.succ[k]])
                probability = float(weights[e - first] * layer.prob[k])
                totals[code] = totals.get(code, 0.0) + probability
        leads = [Lead(probability, code) for code, probability in totals.items() if probability]
        return sorted(leads, reverse=True)

    def _expected(self, at: Position, m: int, chosen: int, beliefs: Beliefs) -> Floats:
        """Probability of each joint action in which the m-th mover makes this choice, where of the
        others this is believed."""
        layer = self.game.layers[at.n]
        weights = np.ones(1)
        for k, count in enumerate(layer.choices[at.x].tolist()):
            share = np.ones(1)
            if count > 1:
                belief = np.array(beliefs[layer.movers[k]])
                share = np.eye(count)[chosen] if k == m else belief @ self.strategy(at, k)
            weights = np.outer(weights, share).ravel()
        return weights

    def cost(self, at: Position, m: int, chosen: int, theta: int) -> float:
        """What the m-th mover expects to pay at once for an own action; others do their first."""
        layer = self.game.layers[at.n]
        i = layer.movers[m]
        own = tuple(chosen if k == m else 0 for k in range(len(layer.movers)))
        paid = layer.reward[self.joint(at, own)].reshape(len(self.game.priors), -1)[i]
        weights = self.profile_weights(at, {i: theta})
        return -float(paid @ weights / weights.sum())

    def broken(self, at: Position, m: int, position: int) -> tuple[str, ...]:
        """The terms that an action breaks."""
        breaks = self._available(at.n)[m].breaks
        return tuple(key for key, table in breaks.items() if table[at.x, position])

    def _available(self, n: int) -> tuple[Available, ...]:
        if n not in self._choices:
            self._choices[n] = available(self.game, n)
        return self._choices[n]

    @cached_property
    def _choices(self) -> dict[int, tuple[Available, ...]]:
        return {}

    @cached_property
    def _strategies(self) -> dict[tuple[Position, int], Floats]:
        """Those that were asked for: pages ask again and again."""
        return {}
