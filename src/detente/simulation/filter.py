"""The forward pass given what was observed: a Bayesian filter over states, beliefs and types.

It is the pass of `detente.simulation.forward` with mass taken out where it contradicts a record:
of a turn, the transitions of all joint actions but those that may have been played; at the end
of a period, the states at which a reading does not hold. What is left, weighted by the prior of
each type profile and brought to 1, is the distribution given the record, and its share of what
was there is the probability with which the observation was expected. Beliefs need no rule of
their own: they move with the mass, by the strategies' own posteriors.

Where a recorded move may be another one, nothing is taken out: the transitions of a joint action
are weighed by the probability with which it would have been recorded so. The actors saw what was
done, so that mass goes on with the posterior of what was done, whatever was recorded. In this way
each move that may have been is a branch with beliefs of its own; where branches come to the same
nodes of the belief grid they are one, and what this makes wrong is part of the grid's error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Bools, Floats
from detente.game.arrays import CompiledGame, Layer
from detente.game.evaluate import evaluator_of
from detente.scenario.observations import Observation, Record
from detente.simulation.forward import ForwardPass
from detente.simulation.impossible import why_no_event, why_no_move, why_no_reading
from detente.simulation.observed import (
    moves_observed,
    never_read,
    readings_after,
    readings_at,
    recorded,
)

Ints = NDArray[np.integer[Any]]

SMALL = 1e-100
"""Mass is brought back to 1 where less than this is left: clear of what the kernel leaves out."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One observation, and what was expected and believed.

    kind
        `move`, `silence` or `reading`; `skipped` where the model holds it impossible and it was
        passed over.
    probability
        With which it was expected.
    reason
        Why it is impossible; '' where it is not.
    turn
        Position in `Scenario.turns`; -1 for a reading.
    actor
        Position of who moved (or was silent); -1 for a reading.
    actions
        What was done, or may have been done.
    uniform
        The probability given by a forecaster to whom all actions that are available at the
        filter's states are alike; nan for a reading.
    expected, after
        float64 [a]: the filter's probability of each action of the actor, before what was recorded
        of the turn and after it.
    profiles
        float64 [p]: probability of each type profile after it; where types change, of that time.
    states
        float64 [x] after it, over the states after layer `layer`; None for silence.
    """

    entry: Observation
    kind: str
    t: int
    layer: int
    probability: float
    reason: str
    turn: int = -1
    actor: int = -1
    actions: tuple[str, ...] = ()
    uniform: float = np.nan
    expected: Floats = field(default_factory=lambda: np.zeros(0))
    after: Floats = field(default_factory=lambda: np.zeros(0))
    profiles: Floats = field(default_factory=lambda: np.zeros(0))
    states: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a record says of layer n in period t.

    moves
        For each mover of whom anything is known, float64 [e]: the probability with which that was
        recorded where a joint action was taken.
    held
        Where the state was read after it, bool [x]: where the reading holds.
    """

    t: int
    n: int
    moves: tuple[Floats, ...]
    held: list[Bools] = field(default_factory=list)


@dataclass(slots=True)
class Filter:
    """Takes a pass through the layers and what is observed at each.

    `steps` collects the observations. The mass of the pass, weighted by `prior` [p], is in
    proportion to the distribution given all of them. `miscoded` is how often a recorded move is
    another one. `told` is what was made of each layer played: see `Told`.
    """

    pass_: ForwardPass
    record: Record
    prior: Floats
    miscoded: float = 0.0
    steps: list[Step] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def game(self) -> CompiledGame:
        return self.pass_.solution.game

    def play(self, t: int, n: int) -> None:
        """Layer n in period t, with what the record says of it."""
        pass_, layer = self.pass_, self.game.layers[n]
        entries = moves_observed(self.game, self.record, t, layer)
        pass_.enter(t, n)
        known = [
            recorded(self.game, layer, m, entry, self.miscoded) for m, entry in entries.items()
        ]
        acted = pass_.push(n, weighed(layer, known))
        weight = acted @ self.prior
        weight /= weight.sum()
        kept: list[Floats] = []
        steps: list[Step] = []
        for (m, entry), own in zip(entries.items(), known, strict=True):
            steps.append(self._judge(t, n, m, entry, own, kept, weight))
            if steps[-1].kind != "skipped":
                kept.append(own)
        if len(kept) < len(known):
            pass_.push(n, weighed(layer, kept))
        pass_.leave(t, n, acted)
        self.told.append(Told(t, n, tuple(kept)))
        self._read(t, n + 1, readings_after(self.game, self.record, t, n))
        if not steps:
            return
        chance = _together(kept, len(acted))
        by_profile = chance @ acted
        if layer.hidden is not None:  # what was done may have changed a type
            by_profile = self._share().sum(axis=0)
        posterior = self._scale(by_profile)
        silent = all(step.kind == "silence" for step in steps)
        states = None if silent else self.by_state()
        after = weight * chance
        self.steps += [
            replace(
                step,
                after=self._by_action(layer, m, after / after.sum()),
                profiles=posterior,
                states=None if step.kind == "silence" else states,
            )
            for m, step in zip(entries, steps, strict=True)
        ]

    def close(self, t: int, n: int) -> None:
        """The end of period t, after which layer n would come, with what is read of the state."""
        self._read(t, n, readings_at(self.record, t))
        states = self.by_state()
        for entry in never_read(self.game, self.record, t):
            step = Step(entry, "skipped", t, n - 1, 0.0, why_no_event(self.game, entry, t))
            profiles = self._scale(self._share().sum(axis=0))
            self.steps.append(replace(step, profiles=profiles, states=states))

    def _read(self, t: int, n: int, readings: Sequence[Observation]) -> None:
        """Readings of the state before layer n of period t, where its last one is behind."""
        for entry in readings:
            assert entry.condition is not None
            holds = self.holds(entry, n, t)
            share = self._share()
            states = share @ self.prior
            states /= states.sum()
            probability = min(float(states[holds].sum()), 1.0)
            kind, reason = "reading", ""
            if probability > 0:
                self.told[-1].held.append(holds)
                self.pass_.mass[~holds] = 0.0
                share[~holds] = 0.0
                states = np.where(holds, states, 0.0) / probability
            else:
                kind, reason = "skipped", why_no_reading(self.game, n, entry.condition, states)
            step = Step(entry, kind, t, n - 1, probability, reason)
            posterior = self._scale(share.sum(axis=0))
            self.steps.append(replace(step, profiles=posterior, states=states))

    def by_state(self) -> Floats:
        """The distribution over the present states, float64 [x]."""
        share = self._share() @ self.prior
        return np.asarray(share / share.sum())

    def _share(self) -> Floats:
        """Mass by state and type profile, float64 [x, p]."""
        return self.pass_.by_profile

    def _judge(
        self,
        t: int,
        n: int,
        m: int,
        entry: Observation,
        own: Floats,
        others: Sequence[Floats],
        weight: Floats,
    ) -> Step:
        """The observation of one mover, given those of others who moved at the same time."""
        game, layer = self.game, self.game.layers[n]
        given = weight * _together(others, weight.size)
        given /= given.sum()
        probability = min(float(given @ own), 1.0)
        actor = layer.movers[m]
        by_state = np.add.reduceat(weight, layer.action_ptr[:-1])
        counts = np.diff(layer.action_ptr)
        share = np.add.reduceat(own, layer.action_ptr[:-1]) / counts
        kind, reason = ("silence" if entry.t == 0 else "move"), ""
        if not probability > 0:
            kind = "skipped"
            reason = why_no_move(game, n, t, m, entry.actions, by_state)
        return Step(
            entry=entry,
            kind=kind,
            t=t,
            layer=n,
            turn=layer.turn,
            actor=actor,
            actions=entry.actions,
            probability=probability,
            reason=reason,
            uniform=float(by_state @ share),
            expected=self._by_action(layer, m, given),
        )

    def _by_action(self, layer: Layer, m: int, weight: Floats) -> Floats:
        """Weights of joint actions by the m-th mover's own, float64 [a]."""
        names = self.game.scenario.actions[self.game.actors[layer.movers[m]].key]
        moves = layer.action[:, m]
        return counts_of(moves[moves >= 0], weight[moves >= 0], len(names))

    def _scale(self, by_profile: Floats) -> Floats:
        """Mass by profile as probabilities; where little mass is left it is brought back to 1."""
        share = by_profile * self.prior
        total = float(share.sum())
        if total < SMALL:
            self.pass_.scale(1.0 / total)
        return np.asarray(share / total)

    def holds(self, entry: Observation, n: int, t: int) -> Bools:
        """Where a reading holds before layer n, bool [x]."""
        assert entry.condition is not None
        at = evaluator_of(self.game.scenario, self.game.structure)
        holds = at.holds(entry.condition, self.game.structure.sets[n], t)
        at.findings.refuse()
        return holds


def _together(chances: Sequence[Floats], size: int) -> Floats:
    """The product of what is known of several movers, float64 [e]."""
    return np.asarray(np.prod([np.ones(size), *chances], axis=0))


def weighed(layer: Layer, chances: Sequence[Floats]) -> Layer | None:
    """The layer with the transitions of joint actions weighed by these factors, each [e]."""
    if not chances:
        return None
    by_action = _together(chances, len(layer.action))
    return replace(layer, prob=layer.prob * np.repeat(by_action, np.diff(layer.trans_ptr)))


def counts_of(position: Ints, weight: Floats, size: int) -> Floats:
    """Weights added up by position, float64 [size]."""
    return np.asarray(np.bincount(position, weight, minlength=size), np.float64)


def prior_of(game: CompiledGame) -> Floats:
    """The prior of the type profiles, float64 [p], with sum 1."""
    prior = game.profile_prior()
    return np.asarray(prior / prior.sum())


def outcomes_given(pass_: ForwardPass, prior: Floats, n: int) -> Mapping[str, tuple[float, float]]:
    """By outcome: the probability that it has been by now, and that it holds, before layer n.

    The mass was recorded by the pass last.
    """
    mass = pass_.by_state[-1]
    total = float((mass[:, :, 0] @ prior).sum())
    known = pass_.memory.probabilities(mass, n)
    return {
        key: (float(been @ prior) / total, float(now @ prior) / total)
        for key, (been, now) in known.items()
    }
