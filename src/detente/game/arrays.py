"""The compiled game: the written contract between the scenario and everything that computes.

Index letters, used in every docstring of the project:

====  ============================================================================
i     actor, in the order of the scenario; I of them
p     type profile (one type for each actor), row of `profiles`; P of them
c     component (i, p) of a payoff: c = i * P + p; C = I * P of them
n     layer: a turn that is played in a period, by actors or by chance; N of them
x     state: row of `states` of a layer (or of the set after the last layer)
m     mover of a layer: position in `movers`
e     joint action at a state of a layer; those of x are action_ptr[x] : action_ptr[x + 1]
k     transition of a joint action; those of e are trans_ptr[e] : trans_ptr[e + 1]
b     node of the belief grid (belongs to a solution, not to the game)
====  ============================================================================

Payoffs are in the scenario's unit, per period, undiscounted; probabilities are plain numbers.
The joint actions of a state are the product of its movers' own actions, in row-major order.
A layer without movers is chance: one joint action a state. Where nobody moves (play has
ended, or the turn's condition does not hold) a state has one joint action, -1 for every mover,
which stays in place.

A game without end has the layers of one period, over a closed set of states: `loop` leads from
the states after its last layer back to those before its first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic
from detente.game.structure import Structure
from detente.scenario.entities import Actor
from detente.scenario.model import SHOCKS, Scenario


@dataclass(frozen=True, slots=True, eq=False)
class PrivateChance:
    """Chance that has to do with the private type of an actor, at a layer of its own.

    What all see of it is the state that follows, and what follows for beliefs is Bayes' rule:
    b'(θ') is in proportion to Σ b(θ) change[k, θ, θ']. Where the type stays as it is (`change` is
    diagonal) it is a signal of the type; where k is alone it is a change that nobody sees.

    actor
        Whose type it is.
    change
        float64 [k, θ, θ']: probability that transition k happens and the type is θ' from then on,
        where it is θ. Adds up to 1 over θ' and the transitions of a state, of which no two have
        the same successor.
    """

    actor: int
    change: Floats

    @property
    def moves(self) -> bool:
        """Whether it may change a type."""
        kinds = self.change.shape[1]
        return bool(self.change[:, ~np.eye(kinds, dtype=bool)].any())


@dataclass(frozen=True, slots=True, eq=False)
class HiddenMoves:
    """What the others do not see of what a single mover does, at a layer of its own.

    They see which of the looks it has, and what follows for beliefs is Bayes' rule:
    b'(θ') is in proportion to Σ b(θ) Σ σ(e | θ) change[e, θ, θ'] over all e that look alike.

    alike
        int64 [e]: the first joint action of its state that looks the same, which leads to the same
        states with the same probabilities.
    change
        float64 [e, θ, θ']: probability that the mover's type is θ' from then on, where it is θ.
    """

    alike: Ints
    change: Floats

    @property
    def moves(self) -> bool:
        """Whether it may change a type."""
        kinds = self.change.shape[1]
        return bool(self.change[:, ~np.eye(kinds, dtype=bool)].any())


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One turn of one period. Shapes: see the module's index letters.

    period
        t, from 1.
    turn
        Position in `Scenario.turns`.
    event
        The chance events that can happen, in their order; '' where actors move.
    movers
        Actors who choose at the same time, in the order of the turn, or () for chance.
    states
        int64 [x], sorted codes; `Structure.levels` decodes them.
    action_ptr, trans_ptr
        int64 [x + 1], int64 [e + 1].
    choices
        int64 [x, m]: how many own actions each mover has at a state (1 where nobody moves).
    action
        int32 [e, m]: each mover's own action, as its position in the actor's actions; -1: none.
    succ
        int32 [k]: row of the next layer's states.
    prob
        float64 [k]: adds up to 1 over the transitions of e; nan where chance is `private`, which
        has them by type.
    reward
        float64 [e, c]: minus the costs paid by actor i when the types are p.
    reference
        float64 [e, m]: reference behaviour: how often mover m takes its own action in e where
        nothing is at stake, as a share of the action that it takes most often there.
    private
        What chance has to do with an actor's type; None where it has nothing to do with types.
    hidden
        What others do not see of what is done; None where they see all of it.
    """

    period: int
    turn: int
    event: str
    movers: tuple[int, ...]
    states: Ints
    action_ptr: Ints
    choices: Ints
    action: NDArray[np.int32]
    trans_ptr: Ints
    succ: NDArray[np.int32]
    prob: Floats
    reward: Floats
    reference: Floats
    private: PrivateChance | None = None
    hidden: HiddenMoves | None = None

    @property
    def changes(self) -> bool:
        """Whether a type may change at it."""
        return any(part is not None and part.moves for part in (self.private, self.hidden))


@dataclass(frozen=True, eq=False)
class CompiledGame:
    """A scenario under one policy, as arrays. Made by `compile_game`; never changed.

    layers
        In order of play.
    flow
        One for each period t = 1 … T (position t - 1): float64 [x, c] over the states in which
        the period ends (those of the next layer, or `final`). A game without end has one.
    final
        int64 [x], codes of the states after the last layer.
    terminal
        float64 [x, c] over `final`.
    profiles
        int64 [p, i]: type of each actor in each profile.
    priors
        One float64 array over types for each actor; [1.0] where nothing is private.
    lift
        float64 [p]: how much likelier a profile is under the joint prior than with each actor's
        type drawn by itself, above 0. None where types are independent.
    precision, discount
        float64 [i]; a precision of inf asks for the limit, see `detente.solver.limit`.
    loop
        int64 [x] over `final`: the row of the first layer's states at which the next period
        begins. None where the game ends after T periods.
    start
        Row of the first layer's states at which play begins; 0 where the game ends, as its first
        layer has one state.
    holds
        For each outcome, N + 1 bool arrays [x]: where it holds, before each layer and at the end.
    """

    scenario: Scenario
    policy: str
    structure: Structure
    layers: tuple[Layer, ...]
    flow: tuple[Floats, ...]
    terminal: Floats
    priors: tuple[Floats, ...]
    precision: Floats
    discount: Floats
    loop: Ints | None = None
    start: int = 0
    lift: Floats | None = None

    @property
    def profiles(self) -> Ints:
        """int64 [p, i]."""
        return self.structure.profiles

    @property
    def shocks(self) -> bool:
        """Whether choices come from shocks to payoffs; otherwise they are mistakes."""
        return self.scenario.responses == SHOCKS

    @property
    def final(self) -> Ints:
        """int64 [x]."""
        return self.structure.sets[-1]

    @property
    def holds(self) -> Mapping[str, tuple[NDArray[np.bool_], ...]]:
        """By outcome, bool [x] before each layer and at the end."""
        return self.structure.holds

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What the enumeration found that does not refuse the file."""
        return self.structure.warnings

    @property
    def periods(self) -> int:
        """T; 1 for a game without end."""
        return len(self.flow)

    @cached_property
    def ends_period(self) -> tuple[bool, ...]:
        """For each layer, whether a period ends right after it."""
        following = [layer.period for layer in self.layers[1:]] + [self.periods + 1]
        return tuple(a.period < b for a, b in zip(self.layers, following, strict=True))

    @cached_property
    def plays(self) -> tuple[int, ...]:
        """For each layer, how many numbers its strategies are at a node of a belief grid."""
        types = [[self.priors[m].size for m in layer.movers] for layer in self.layers]
        pairs = zip(self.layers, types, strict=True)
        return tuple(sum((layer.choices.sum(axis=0) * k).tolist()) for layer, k in pairs)

    @cached_property
    def most_joint(self) -> tuple[int, ...]:
        """For each layer, the most joint actions that a state has."""
        return tuple(int(np.diff(layer.action_ptr).max(initial=1)) for layer in self.layers)

    @cached_property
    def actors(self) -> tuple[Actor, ...]:
        """The actors, by their number i."""
        return tuple(self.scenario.actors.values())

    @property
    def informed(self) -> tuple[int, ...]:
        """Actors with more than one type, in order: those about whom there are beliefs."""
        return tuple(i for i, prior in enumerate(self.priors) if prior.size > 1)

    @cached_property
    def changing(self) -> bool:
        """Whether types may change: then profiles p are those of the time that is looked at."""
        return any(layer.changes for layer in self.layers)

    def profile_prior(self, but: Collection[int] = ()) -> Floats:
        """float64 [p]: probability of each type profile at the start, `but` for these actors' part.

        Where 1 for a type of such an actor and else 0, it is the expectation given that type.
        """
        weights = np.ones(len(self.profiles))
        for i, prior in enumerate(self.priors):
            if i not in but:
                weights *= prior[self.profiles[:, i]]
        if self.lift is None:
            return weights
        weights *= self.lift
        given = self.profiles[:, [i for i in range(len(self.priors)) if i in but]]
        rows = np.unique(given, axis=0, return_inverse=True)[1].reshape(-1)
        return np.asarray(weights / np.bincount(rows, weights)[rows])

    def label(self, t: int) -> str:
        """What tables call period t; 0 is the start."""
        return self.scenario.calendar.label(t) if t else "start"

    @property
    def sizes(self) -> str:
        """Which game it is and how large, in words."""
        sizes = [layer.states.size for layer in self.layers] or [1]
        policy = f", policy {self.policy!r}" if self.policy else ""
        turns = f"{self.periods} periods, {len(self.layers)} turns"
        if self.loop is not None:
            turns = f"without end, {len(self.layers)} turns a period"
        return (
            f"{self.scenario.name!r}{policy}: {turns}, "
            f"up to {max(sizes):,} states, {len(self.profiles)} type profiles"
        )

    def __repr__(self) -> str:
        return f"<CompiledGame {self.sizes}>"


def joint_cells(scenario: Scenario, profiles: Ints) -> Ints:
    """For each profile [p, i] the cell of the scenario's joint prior that its types are in."""
    cell = np.zeros(len(profiles), dtype=np.int64)
    for key in scenario.joint_prior.by if scenario.joint_prior else ():
        i = list(scenario.actors).index(key)
        cell = cell * len(scenario.actors[key].types) + profiles[:, i]
    return cell


def marginals(lift: Floats, profiles: Ints, about: Sequence[Floats]) -> list[Floats]:
    """What is believed of each actor, float64 [h, θ], where profiles [p, i] are likelier than with
    each actor by itself by their `lift` [p], and `about` has what is told of each so [h, θ]."""
    weights = np.broadcast_to(lift, (len(about[0]), lift.size)).copy()
    for i, told in enumerate(about):
        weights *= told[:, profiles[:, i]]
    weights /= weights.sum(axis=1, keepdims=True)
    return [
        weights @ (profiles[:, i, None] == np.arange(told.shape[1])) for i, told in enumerate(about)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class GameGradient:
    """Derivatives of one number by every number of a compiled game, each in the other's shape.

    prob, reward
        For each layer: float64 [k] and [e, c].
    log_reference
        For each layer float64 [e, m]: by the logarithm of reference behaviour. They add up to 0
        over a mover's actions at a state, and what several joint actions share may stand at one.
    flow
        For each period: float64 [x, c].
    terminal
        float64 [x, c].
    priors
        For each actor: float64 over types, each moved by itself; 0 where they are of the joint
        prior.
    joint
        By the probabilities of the joint prior, as `JointPrior.shares` has them: float64 [s].
    precision, discount
        float64 [i].
    private
        By layer with such chance: float64 [k, θ, θ'].
    hidden
        By layer with hidden moves: float64 [e, θ, θ'], by what they do to types.
    """

    prob: Sequence[Floats]
    reward: Sequence[Floats]
    log_reference: Sequence[Floats]
    flow: tuple[Floats, ...]
    terminal: Floats
    priors: tuple[Floats, ...]
    precision: Floats
    discount: Floats
    private: Mapping[int, Floats] = field(default_factory=dict)
    hidden: Mapping[int, Floats] = field(default_factory=dict)
    joint: Floats | None = None
