"""The likelihood of records under a solved game, with its derivatives by all of the game's numbers.

Given the true types p, the rest of a record has the probability W(x, p, b) at a state and belief.
With 1[e] for whether joint action e may have been played (or, where a recorded move may have been
another, the probability with which e would have been recorded so), and 1[x'] for whether x' is as
it was read, it obeys the same recursion as a payoff without costs,

    W(x, p, b) = Σ_e 1[e] σ(e | p; x, b) Σ_x' prob(x' | x, e) 1[x'] W(x', p, b'),

and is 1 at the end. It is an observer, so that the adjoint of a solve (`detente.solver.gradient`)
carries it beside the payoffs; log Σ_p prior(p) W(start, p) is the log-likelihood. What was not
played is cut off by sending it to a copy of the next values in which W is 0, and what is in doubt
to one in which W is weighed down: kernels need not know of records. W is brought to 1 at every
layer and its logarithm kept, so that no record is too long.

Where play goes on forever W is followed as far as records go; what the values there owe to all that
comes after is then followed without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detente.dtypes import Floats, Ints
from detente.estimation.evidence import Evidence
from detente.game.arrays import CompiledGame, GameGradient
from detente.simulation.forward import schedule
from detente.solver.gradient import AdjointPass
from detente.solver.kernels.stage import LayerArrays
from detente.solver.prior_gradient import by_priors
from detente.solver.solution import Solution
from detente.solver.value_tape import Target, ValueTape
from detente.solver.workers import Workers


def _everybody(game: CompiledGame) -> Target:
    """All type profiles count, by their priors."""
    return Target(np.ones(len(game.profiles)), np.ones(len(game.priors), dtype=bool))


NOTHING = Evidence({}, {}, {}, 0, 0)
"""What is known after the last record."""


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Logarithms, float64 [u, r], -inf for a record that is impossible, and then no gradient;
    there is none either where none was asked for."""

    logs: Floats
    gradient: GameGradient | None


class RecordTape(ValueTape):
    """Values of payoffs and, for each record, of what is still to be observed.

    `log_scale` is float64 [u, r] for each move: by which logarithm W was divided before it.
    """

    def __init__(self, solution: Solution, seen: Evidence, units: int, workers: Workers) -> None:
        game = solution.game
        super().__init__(solution, _everybody(game), workers, seen.records)
        if game.loop is not None and seen.records:
            self.moves = list(schedule(game, max(seen.periods, 1)))
        self.seen, self.units = seen, units
        self.log_scale = np.zeros((len(self.moves), units, seen.records))
        self.masked: dict[int, LayerArrays] = {}
        for k, classes in seen.classes.items():
            n = self.moves[k][1]
            layer = solution.game.layers[n]
            states = len(solution.game.structure.sets[n + 1])
            copy = np.repeat(classes, np.diff(layer.trans_ptr)) * states
            self.masked[k] = self.parts[n]._replace(succ=(layer.succ + copy).astype(np.int32))

    def observed(self, values: Floats) -> Floats:
        """The records' part of values [x, c, b], as a view [u, x, r, p, b]."""
        profiles = len(self.solution.game.profiles)
        shape = (
            self.units,
            len(values) // self.units,
            self.seen.records,
            profiles,
            values.shape[2],
        )
        return values[:, self.width :].reshape(shape)

    def last(self) -> Floats:
        """Values after the last move: nothing is left to be observed."""
        values = super().last()
        values[:, self.width :] = 1.0
        self.read(values, len(self.moves))
        return values

    def observe(self, values: Floats, k: int, n: int) -> None:
        """W is known at the end alone."""

    def read(self, values: Floats, k: int) -> None:
        """Take out of the records' part before move k what was read otherwise, in place."""
        held = self.seen.held.get(k)
        if held is not None:
            shape = (self.units, -1, self.seen.records, 1, 1)
            self.observed(values)[:] *= held.reshape(shape)

    def following(self, values: Floats, k: int) -> tuple[Floats, LayerArrays]:
        """What the transitions of move k lead to: a copy for each class of joint actions."""
        closed = self.closed(values, k)
        if k not in self.masked:
            return closed, self.parts[self.moves[k][1]]
        allowed = self.seen.allowed[k]
        copies = np.repeat(closed[None], len(allowed), axis=0)
        for copy, may in zip(copies, allowed, strict=True):
            self.observed(copy)[:] *= may[:, None, :, None, None]
        return copies.reshape(-1, *closed.shape[1:]), self.masked[k]

    def before(self, values: Floats, k: int) -> Floats:
        """Values before move k from those after it."""
        result = super().before(values, k)
        self.read(result, k)
        part = self.observed(result)
        scale = part.max(axis=(1, 3, 4))
        scale[scale <= 0] = 1.0
        part /= scale[:, None, :, None, None]
        self.log_scale[k] = np.log(scale)
        return result


class RecordAdjoint(AdjointPass):
    """The adjoint of weighted log-likelihoods; with `by_unit` constants have theirs by unit."""

    tape: RecordTape

    def __init__(self, tape: RecordTape, weights: Floats, *, by_unit: bool) -> None:
        super().__init__(tape, lambda _: None)
        self.weights, self.by_unit = weights, by_unit
        self.each = tape.units if by_unit else 1
        actors, most = self.ratio.shape
        self.unit_precision = np.zeros((self.each, actors))
        self.unit_discount = np.zeros((self.each, actors))
        self.unit_ratio = np.zeros((self.each, actors, most))
        self.unit_joint = np.zeros((self.each, self.joint.size))

    def differentiate(self, *, slopes: bool) -> Likelihood:
        """The log-likelihoods, and with `slopes` the derivatives of their weighted sum."""
        tape, game = self.tape, self.tape.solution.game
        after = self._values()
        first = next(after)
        start = tape.observed(first)[:, game.start, :, :, tape.solution.grid.start]
        prior = tape.target.weights(game)
        chance = start @ prior
        with np.errstate(divide="ignore"):
            logs = np.log(chance) + tape.log_scale.sum(axis=0)
        if not slopes or not (chance > 0).all():
            return Likelihood(logs, None)
        gain = np.zeros_like(first)
        share = self.weights / chance
        begin = tape.observed(gain)[:, game.start, :, :, tape.solution.grid.start]
        begin[:] = share[:, :, None] * prior
        for k, values in enumerate(after):
            gain = self._move(k, values, gain)
        if game.loop is not None:
            self._go_on(gain, game.loop)
        return Likelihood(logs, self._gradient(gain, np.einsum("ur,urp->up", share, start)))

    def _go_on(self, gain: Floats, loop: Ints) -> None:
        """Add what follows the records, from derivatives by the values after their last move."""
        tape = self.tape
        self.tape = RecordTape(tape.solution, NOTHING, tape.units, tape.workers)
        after = self._values()
        onward = np.zeros_like(next(after))
        onward[loop] = gain[:, : tape.width]
        for k, values in enumerate(after):
            onward = self._move(k, values, onward)
        self.tape = tape

    def _gradient(self, gain: Floats, worth: Floats) -> GameGradient:
        """All derivatives; `worth` is float64 [u, p], those by the probability of a profile."""
        tape, game = self.tape, self.tape.solution.game
        worth = worth if self.by_unit else worth.sum(axis=0, keepdims=True)
        each = [
            by_priors(game, tape.target, *numbers)
            for numbers in zip(self.unit_ratio, self.unit_joint, worth, strict=True)
        ]
        priors = zip(*(own for own, _ in each), strict=True)
        joint = [shares for _, shares in each if shares is not None]
        return GameGradient(
            prob=tuple(self.prob),
            reward=tuple(self.reward),
            log_reference=tuple(self.reference),
            flow=tuple(self.flow),
            terminal=(
                gain[:, : tape.width].sum(axis=2)
                if game.loop is None
                else np.zeros_like(game.terminal)
            ),
            priors=tuple(np.stack(own, axis=1) for own in priors),
            joint=np.stack(joint, axis=1) if joint else None,
            precision=self.unit_precision.T,
            discount=self.unit_discount.T,
            private=self.private,
            hidden=self.hidden,
        )

    def _move(self, k: int, values: Floats, gain: Floats) -> Floats:
        part = self.tape.observed(gain)
        part *= np.exp(-self.tape.log_scale[k])[:, None, :, None, None]
        return super()._move(k, values, gain)

    def shared(self, states: int, most: int) -> tuple[int, int]:
        """A part for each unit, where constants have derivatives by unit."""
        if not self.by_unit:
            return super().shared(states, most)
        size = states // self.tape.units
        return size, max(1, most // size)

    def by_itself(self, states: int) -> Sequence[int]:
        """A part for each unit, where constants have derivatives by unit."""
        return range(0, states + 1, states // self.each)

    def constants(
        self, movers: tuple[int, ...], precision: Floats, ratio: Floats, joint: Floats
    ) -> None:
        """Add derivatives by constants, from those of a layer's parts: [part, m], [part, i, θ] and
        [part, p]."""
        shape = self.each, len(precision) // self.each
        self.unit_precision[:, list(movers)] += precision.reshape(*shape, len(movers)).sum(axis=1)
        self.unit_ratio += ratio.reshape(*shape, *self.ratio.shape).sum(axis=1)
        self.unit_joint += joint.reshape(*shape, self.joint.size).sum(axis=1)

    def discounted(self, worth: Floats) -> None:
        """Add a period's derivatives by the discounts, from what is discounted, float64 [x, c]."""
        actors = self.unit_discount.shape[1]
        by_actor = worth.reshape(self.each, -1, actors, worth.shape[1] // actors)
        self.unit_discount += by_actor.sum(axis=(1, 3))

    def gathered(self, gain: Floats, k: int) -> Floats:
        """Derivatives by the values after move k, from those by the copies for its classes."""
        tape = self.tape
        if k in tape.masked:
            allowed = tape.seen.allowed[k]
            copies = gain.reshape(len(allowed), -1, *gain.shape[1:])
            for copy, may in zip(copies, allowed, strict=True):
                tape.observed(copy)[:] *= may[:, None, :, None, None]
            gain = copies.sum(axis=0)
        tape.read(gain, k + 1)
        return gain


def log_likelihood(
    solution: Solution,
    seen: Evidence,
    weights: Floats,
    workers: Workers,
    *,
    by_unit: bool = False,
    slopes: bool = True,
) -> Likelihood:
    """The log-likelihood of each record of each unit, and the gradient of their weighted sum.

    Parameters
    ----------
    solution
        Of a game, or of a panel of games that end.
    seen
        What the records say of it.
    weights
        float64 [u, r]: how often each record counts.
    by_unit
        Derivatives by constants (priors, precisions, discounts) for each unit by itself; all others
        are by unit as they are, since units have states of their own.
    slopes
        Whether there are to be any derivatives: they take most of the time.
    """
    tape = RecordTape(solution, seen, len(weights), workers)
    return RecordAdjoint(tape, weights, by_unit=by_unit).differentiate(slopes=slopes)
