"""What breaking each term is worth where a forecast goes, and how often soft terms are broken.

Read from a solution of the game in which hard terms can be broken (`detente.analysis.deviation`):
gains from its strategies, weighed by the mass of the forward pass before each turn; breaches from
the joint actions taken; "never broken" from a pass in which those actions lead nowhere.

Where types change, gains are by the type that an actor has when it moves, and what has been broken
by the type that it had at the start, as in a forecast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detente.analysis.deviation import Available, Commitment, available, breaking, without
from detente.dtypes import Bools, Floats
from detente.simulation.channels import Channels
from detente.simulation.conditions import ANY
from detente.simulation.forward import Forward, ForwardPass, forward, schedule
from detente.solver.layout import kinds
from detente.solver.solution import Solution
from detente.solver.workers import Workers

REACHED = 1e-6
"""Probability, given the type, from which a turn, state and belief counts as reached: what play
comes to less often has no part in the largest gain."""


@dataclass(slots=True)
class GainTally:
    """What one actor's type meets of a hard term, float64 [t]: `largest` is -inf for nothing.

    Numbers are given that it has this type at the turn.
    """

    binds: Floats
    gain: Floats
    tempted: Floats
    largest: Floats


class DeviationGains:
    """What one solution says of all commitments.

    tallies
        By commitment and type of its actor, of hard terms.
    soft
        The commitments of each soft term.
    breaches, broken
        By soft term and actor ('any' for all whom it binds), float64 [t, p]: expected number by the
        end of t, and the probability that there has been one.
    """

    def __init__(
        self,
        solution: Solution,
        commitments: tuple[Commitment, ...],
        workers: Workers,
        periods: int | None,
    ) -> None:
        self.solution, self.game = solution, solution.game
        self.commitments = commitments
        moves = schedule(self.game, periods)
        self.periods = moves[-1][0]
        self.actors = list(self.game.scenario.actors)
        self.tallies: dict[tuple[Commitment, int], GainTally] = {}
        for commitment in commitments:
            for theta in range(self.game.priors[self.actors.index(commitment.actor)].size):
                binds, gain, tempted = np.zeros((3, self.periods + 1))
                never = np.full(self.periods + 1, -np.inf)
                self.tallies[commitment, theta] = GainTally(binds, gain, tempted, never)
        self.choices = [available(self.game, n) for n in range(len(self.game.layers))]
        nothing = tuple(np.zeros(len(layer.action), bool) for layer in self.game.layers)
        self._play = partial(forward, workers=workers, periods=periods)
        unbroken = self._losing(nothing)
        if self.game.changing:
            self._visit_all(unbroken, moves, workers)
        run = self._play(unbroken, visit=None if self.game.changing else self._visit)
        self.soft = {
            term: [commitment for commitment in commitments if commitment.term == term]
            for term in dict.fromkeys(c.term for c in commitments if not c.hard)
        }
        self.breaches: dict[tuple[str, str], Floats] = {}
        self.broken: dict[tuple[str, str], Floats] = {}
        for term, bound in self.soft.items():
            for commitment in bound:
                broken = breaking(self.game, {commitment.actor: term})
                self.breaches[term, commitment.actor] = self._count(run, broken)
                self.broken[term, commitment.actor] = self._ever(broken)
            actors = [commitment.actor for commitment in bound]
            self.breaches[term, ANY] = np.sum([self.breaches[term, who] for who in actors], axis=0)
            self.broken[term, ANY] = self.broken[term, actors[0]]
            if len(actors) > 1:
                anybody = breaking(self.game, dict.fromkeys(actors, term))
                self.broken[term, ANY] = self._ever(anybody)

    def weights(self, actor: str, theta: int) -> Floats:
        """Probability of each type profile given the type of an actor, float64 [p]."""
        i = self.actors.index(actor)
        return np.asarray(self.game.profile_prior(but=[i]) * (self.game.profiles[:, i] == theta))

    def _given(self, actor: str, theta: int, mass: Floats) -> Floats:
        """By what mass [x, p, b] is that given the type of an actor at the time, float64 [p]."""
        if not self.game.changing:
            return self.weights(actor, theta)
        own = (self.game.profiles[:, self.actors.index(actor)] == theta).astype(np.float64)
        share = float(mass.sum(axis=(0, 2)) @ own)
        return own / share if share > 0 else np.zeros_like(own)

    def kinds(self, actor: str) -> tuple[str, ...]:
        """The names of an actor's types; '' where nothing is private."""
        return self.game.scenario.actors[actor].types or ("",)

    def _losing(self, broken: tuple[Bools, ...]) -> Solution:
        """The solution played in the game in which these joint actions lead nowhere."""
        return replace(self.solution, game=without(self.game, broken))

    def _ever(self, broken: tuple[Bools, ...]) -> Floats:
        """Probability that one of these joint actions has been taken, float64 [t, p]."""
        states = self._play(self._losing(broken)).states
        kept = np.stack([mass.sum(axis=0) for mass in states])
        return np.maximum(1.0 - kept, 0.0)  # where nothing is broken rounding may be

    def _count(self, run: Forward, broken: tuple[Bools, ...]) -> Floats:
        """Expected number of these joint actions by the end of each period, float64 [t, p]."""
        count = np.zeros((self.periods + 1, len(self.game.profiles)))
        for (t, n), acted in zip(run.moves, run.acted, strict=True):
            count[t] += acted[broken[n]].sum(axis=0)
        return np.asarray(count.cumsum(axis=0))

    def _visit_all(
        self, solution: Solution, moves: tuple[tuple[int, int], ...], workers: Workers
    ) -> None:
        """Visit all layers in one pass, whose mass is that of types as they are then."""
        if not any(commitment.hard for commitment in self.commitments):
            return
        at_start, nowhere = self.game.profile_prior(), Channels(solution.game)
        pass_ = ForwardPass(solution, nowhere, workers, at_start=at_start)
        for t, n in moves:
            pass_.enter(t, n)
            self._visit(t, n, pass_)
            pass_.leave(t, n, pass_.push(n))

    def _visit(self, t: int, n: int, play: ForwardPass) -> None:
        """Weigh the gains at layer n by the mass before it."""
        for m, own in enumerate(self.choices[n]):
            actor = self.actors[self.game.layers[n].movers[m]]
            commitments = [
                b for b in self.commitments if b.hard and b.actor == actor and b.key in own.breaks
            ]
            if not commitments:
                continue
            mass = play.histories
            weights = [self._given(actor, theta, mass) for theta in range(len(self.kinds(actor)))]
            times = np.zeros(own.actions.shape, dtype=np.int64)
            for commitment in commitments:
                times += own.breaks[commitment.key]
            for commitment in commitments:
                alone = own.breaks[commitment.key] & (times == 1)
                for rows, gain in self._gains(n, m, own, times == 0, alone, commitment.cost):
                    for theta in range(gain.shape[2]):
                        weight = np.einsum("xpb,p->xb", mass[rows], weights[theta])
                        self._add(self.tallies[commitment, theta], t, weight, gain[:, :, theta])

    def _gains(
        self, n: int, m: int, own: Available, allowed: Bools, alone: Bools, cost: float
    ) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """The states at which a term binds, and what breaking it gains there: float64 [x, b, θ].

        In parts of equally many actions.
        """
        solution, layer = self.solution, self.game.layers[n]
        size, each = solution.grid.size, kinds(self.game, layer)
        ptr = solution.pointers[n][:-1]
        first = layer.choices[:, :m] @ np.array(each[:m], dtype=np.int64)
        binds = alone.any(axis=1)
        for count in np.unique(layer.choices[binds, m]):
            rows = np.flatnonzero(binds & (layer.choices[:, m] == count))
            begin = size * (ptr[rows] + first[rows])[:, None] + np.arange(size)
            at = begin[:, :, None] + size * np.arange(each[m] * count)
            log = np.log(solution.strategies[n][at]).reshape(rows.size, size, each[m], count)
            # What is taken more often because it is more usual is not worth more.
            step = np.prod(layer.choices[rows, m + 1 :], axis=1, dtype=np.int64)[:, None]
            edges = layer.action_ptr[rows][:, None] + step * np.arange(count)
            log -= np.log(layer.reference[edges, m])[:, None, None, :]
            best = [
                np.where(table[rows][own.actions[rows]].reshape(-1, 1, 1, count), log, -np.inf).max(
                    axis=3
                )
                for table in (alone, allowed)
            ]
            lam = self.game.precision[layer.movers[m]]
            yield rows, cost + (best[0] - best[1]) / lam

    def _add(self, tally: GainTally, t: int, weight: Floats, gain: Floats) -> None:
        tally.binds[t] += weight.sum()
        tally.gain[t] += (weight * gain).sum()
        tally.tempted[t] += weight[gain > 0].sum()
        reached = gain[weight > REACHED]
        tally.largest[t] = max(tally.largest[t], reached.max(initial=-np.inf))

    def hard(self) -> Iterator[tuple[Commitment, str, GainTally]]:
        """Hard commitments by type of the actor, with what was met."""
        for (commitment, theta), tally in self.tallies.items():
            if commitment.hard:
                yield commitment, self.kinds(commitment.actor)[theta], tally
