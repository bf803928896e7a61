"""The chain rule from the numbers of a compiled game to the parameters of its scenario.

The game's arrays are filled from formulas over parameters (`detente.game.compile`). Let N be a
number that depends on these arrays, and g its derivatives by their entries (a `GameGradient`).
Then for every parameter θ

    dN/dθ = Σ g(entry) d entry / dθ,  over all entries of all arrays.

The walk is that which fills the game. It meets each formula at the states where it was evaluated,
with the g of its values there, and adds g times the slope for each parameter that it reads:

- what `rest` takes is 1 minus the other alternatives, so its g counts against theirs;
- the g of a product of probabilities (movers of one turn, chance events of one turn) becomes that
  of each factor by the product rule;
- a parameter that varies by type has, in profile p, the value of its actor's type in p.

A probability that rounding puts below 0 is filled in as 0, and differentiated as if it were not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame, GameGradient
from detente.game.compile import chances, charges, fill_layer, payoffs
from detente.game.effects import lotteries, own_profiles, probabilities
from detente.game.evaluate import Evaluator, Names, evaluator_of
from detente.game.fuse import fuse, paths
from detente.game.private_chance import is_private, observations, turnover
from detente.game.structure import Side, Skeleton
from detente.scenario.formula.expression import Formula

T = TypeVar("T")


def parameter_gradient(
    game: CompiledGame, gradient: GameGradient, progress: Callable[[float], None] | None = None
) -> dict[str, float]:
    """Derivatives of a number by every parameter, from those by every number of the game.

    Parameters
    ----------
    game
        At the values of the parameters at which the derivatives are wanted.
    gradient
        Derivatives of the number by the game's arrays.
    progress
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    dict of str to float
        By full name (`step_cost.sincere`, `war_risk`), for all parameters of the scenario in
        their order; 0 for those that matter nowhere.

    Notes
    -----
    The enumeration is held fixed: a parameter that decides which states, actions and transitions
    there are (`Structure.structural`) has its derivative through the numbers only.

    Formulas in pieces have the slope of the piece that is evaluated; where two meet,
    `detente.scenario.formula.evaluate` says which. An infinite slope counts where the number
    depends on the value of the formula, and only there.
    """
    by_unit = unit_gradients(game, gradient, progress)
    return {name: float(slopes_by.sum()) for name, slopes_by in by_unit.items()}


def unit_gradients(
    game: CompiledGame, gradient: GameGradient, progress: Callable[[float], None] | None = None
) -> dict[str, Floats]:
    """The same by unit of a panel (`detente.game.panel`), float64 [u]; one unit for other games.

    Of a panel's gradient the derivatives by constants are by unit too: `priors` float64 [θ, u],
    `joint` [s, u], `precision` and `discount` float64 [i, u].
    """
    scenario, structure = game.scenario, game.structure
    at = evaluator_of(scenario, structure)
    types = {actor: values[0].astype(np.int64) for actor, values in at.types.items()}
    parameters = scenario.parameters.items()
    columns = {key: types[parameter.of] for key, parameter in parameters if parameter.types}
    units = max((len(column) for column in structure.units.values()), default=1)
    totals = {key: np.zeros((len(parameter.names()), units)) for key, parameter in parameters}
    walk = _Walk(at, columns, totals)
    parts = list(zip(structure.skeletons, structure.skeleton_sets[:-1], strict=True))
    weights_by_layer = (gradient.prob, gradient.reward, gradient.log_reference)
    for n, ((a, b), prob, reward, reference) in enumerate(
        zip(pairwise(structure.kept), *weights_by_layer, strict=True)
    ):
        if n in gradient.private:
            walk.private_chance(*parts[a], gradient.private[n])
        if is_private(parts[a][0]):
            continue
        if n in gradient.hidden:
            walk.hidden_moves(*parts[a], gradient.hidden[n])
        shares = walk.unfused(parts[a:b], prob)
        for (skeleton, codes), share in zip(parts[a:b], shares, strict=True):
            walk.layer(skeleton, codes, share, reward)
            walk.references(skeleton, codes, reference)
        if progress is not None:
            progress((n + 1) / len(gradient.prob))
    ends = [structure.sets[n] for n in structure.period_sets]
    for t, (codes, weights) in enumerate(zip(ends, gradient.flow, strict=True), start=1):
        walk.payoffs("flow", codes, t, weights)
    walk.payoffs("terminal", game.final, len(ends) + 1, gradient.terminal)
    for i, actor in enumerate(scenario.actors.values()):
        for formula, weight in zip(actor.priors.values(), gradient.priors[i], strict=False):
            walk.constant(formula, weight)
        walk.constant(actor.precision, gradient.precision[i])
        walk.constant(actor.discount, gradient.discount[i])
    if scenario.joint_prior is not None and gradient.joint is not None:
        for formula, weight in zip(scenario.joint_prior.shares, gradient.joint, strict=True):
            walk.constant(formula, weight)
    return {
        name: total
        for key, parameter in parameters
        for name, total in zip(parameter.names(), totals[key], strict=True)
    }


def slopes(formula: Formula, names: Names, shape: tuple[int, ...]) -> Floats:
    """Slopes by the parameters that a formula reads, in alphabetical order: float64 [q, ...]."""
    keys = sorted(formula.parameters)
    return np.stack([np.broadcast_to(formula.derivative(names, key), shape) for key in keys])


@dataclass(frozen=True, slots=True)
class _Walk:
    """Adds up what all formulas contribute; `weights` are derivatives by what they give.

    columns
        For each parameter that varies by type, int64 [p]: the type of its actor.
    totals
        For each parameter its derivatives so far, float64 [name, u], in order of its `names`.
    """

    at: Evaluator
    columns: Mapping[str, Ints]
    totals: Mapping[str, Floats]

    def add(self, formula: Formula, codes: Ints, t: int, weights: Floats) -> None:
        """Add a formula's part; `weights` is float64 [x], or [x, p] for one that reads types."""
        if not formula.parameters or not weights.any():
            return
        evaluate = self.at.public if weights.ndim == 1 else self.at.profiled
        # Where the weight is 0 an infinite slope counts nothing.
        products = np.where(weights == 0, 0.0, evaluate(formula, codes, t, slopes)) * weights
        for key, product in zip(sorted(formula.parameters), products, strict=True):
            total = self.totals[key]
            by_unit = product.reshape(total.shape[1], -1, *product.shape[1:]).sum(axis=1)
            for u, row in enumerate(by_unit) if key in self.columns else ():
                total[:, u] += np.bincount(self.columns[key], row, len(total))
            if key not in self.columns:
                total += by_unit.reshape(len(by_unit), -1).sum(axis=1)

    def constant(self, formula: Formula, weight: Floats) -> None:
        """The same for a constant formula, over parameters that do not vary by type."""
        for key in formula.parameters if np.any(weight) else ():
            self.totals[key][:] += weight * formula.derivative(self.at.scalars, key)

    def payoffs(self, kind: str, codes: Ints, t: int, weights: Floats) -> None:
        """Add the part of `flow` or `terminal` payoffs; `weights` is float64 [x, c]."""
        table = self._by_actor(weights)
        for actor, formula in payoffs(self.at.scenario, kind):
            self.add(formula, codes, t, table[:, actor])

    def layer(self, skeleton: Skeleton, codes: Ints, prob: Floats, reward: Floats) -> None:
        """Add a layer's part, from derivatives by `prob`, float64 [k], and `reward` [e, c]."""
        t, sides = skeleton.period, skeleton.sides
        factors = [np.ones(())]
        if len(sides) > 1:
            factors = [
                _known(chances(self.at, side, codes, t))[own]
                for side, own in zip(sides, skeleton.trans_own.T, strict=True)
            ]
        for s, side in enumerate(sides):
            by_own = reduce(np.multiply, factors[:s] + factors[s + 1 :], prob)
            by_own = _gathered(by_own, skeleton.trans_own[:, s], side.own.size)
            self._chances(side, codes, t, by_own)
            if skeleton.movers:  # chance costs nothing, and `reward` has the rows of fused layers
                paid = -_gathered(reward, skeleton.edge_own[:, s], side.state.size)
                self._costs(side, codes, t, paid)

    def _chances(self, side: Side, codes: Ints, t: int, weights: Floats) -> None:
        """Add the part of a side's own probabilities; `weights` is float64 [l]."""
        walk, here = self.beside(side, codes)
        for action, rows, own, column in lotteries(side):
            table = np.zeros((len(action.alternatives), rows.size))
            table[side.alternative[own], column] = weights[own]
            formulas = [alternative.probability for alternative in action.alternatives]
            rest = table[[n for n, formula in enumerate(formulas) if formula is None]].sum(axis=0)
            for formula, share in zip(formulas, table, strict=True):
                if formula is not None:
                    walk.add(formula, here[rows], t, share - rest)

    def private_chance(self, skeleton: Skeleton, codes: Ints, weights: Floats) -> None:
        """Add the part of chance that has to do with private types; `weights` is [k, θ, θ']."""
        (side,), t = skeleton.sides, skeleton.period
        (event,) = side.actions
        (actor,) = event.concerns
        types, profiles = self.at.scenario.actors[actor].types, own_profiles(self.at, actor)
        by_own = weights[observations(skeleton).number]
        for _, rows, own, column in lotteries(side):
            here = codes[side.state[rows]]
            shares = probabilities(event, self.at, here, t)
            by_share = np.zeros((len(shares), rows.size, len(types)))
            for n, (share, alternative) in enumerate(zip(shares, event.alternatives, strict=True)):
                mine = side.alternative[own] == n
                by_change = np.zeros((rows.size, len(types), len(types)))
                by_change[column[mine]] = by_own[own[mine]]
                becomes = alternative.becomes.get(actor, {})
                turned = turnover(actor, becomes, self.at, here, t)
                by_share[n] = (by_change * turned).sum(axis=2)
                self._turnover(actor, becomes, here, t, by_change * share[:, :, None])
            formulas = [alternative.probability for alternative in event.alternatives]
            rest = sum(by_share[n] for n, formula in enumerate(formulas) if formula is None)
            for formula, by_type in zip(formulas, by_share, strict=True):
                if formula is not None:
                    by_profile = np.zeros((rows.size, self.at.profiles))
                    by_profile[:, profiles] = by_type - rest
                    self.add(formula, here, t, by_profile)

    def hidden_moves(self, skeleton: Skeleton, codes: Ints, weights: Floats) -> None:
        """Add the part of what a single mover's actions do to its type; `weights` [e, θ, θ']."""
        side = skeleton.sides[0]
        actor = list(self.at.scenario.actors)[side.mover]
        own = skeleton.edge_own[:, 0]
        for n, action in enumerate(side.actions):
            rows = np.flatnonzero(side.action[own] == n)
            if actor in action.becomes and rows.size:
                here = codes[side.state[own[rows]]]
                self._turnover(actor, action.becomes[actor], here, skeleton.period, weights[rows])

    def _turnover(
        self,
        actor: str,
        becomes: Mapping[str, Mapping[str, Formula]],
        codes: Ints,
        t: int,
        weights: Floats,
    ) -> None:
        """Add the part of types that become others, from derivatives [x, θ, θ']."""
        types = self.at.scenario.actors[actor].types
        for before, row in becomes.items():
            theta = types.index(before)
            for after, chance in row.items():
                slope = weights[:, theta, types.index(after)] - weights[:, theta, theta]
                self.add(chance, codes, t, slope)

    def _costs(self, side: Side, codes: Ints, t: int, weights: Floats) -> None:
        """Add the part of the costs of a side's own actions; `weights` is float64 [a, c]."""
        table = self._by_actor(weights)
        walk, here = self.beside(side, codes)
        for actor, formula, rows in charges(self.at.scenario, side):
            walk.add(formula, here[rows], t, table[rows, actor])

    def beside(self, side: Side, codes: Ints) -> tuple[_Walk, Ints]:
        """The walk of a side's formulas, and the states of its own actions: see `Evaluator`."""
        at, here = self.at.beside(side, codes)
        return replace(self, at=at), here

    def references(self, skeleton: Skeleton, codes: Ints, weights: Floats) -> None:
        """Add the part of reference behaviour, from derivatives by its logarithm [e, m]."""
        t = skeleton.period
        for s, side in enumerate(skeleton.sides):
            formulas = [action.reference for action in side.actions]
            if side.mover < 0 or not any(formulas):
                continue
            by_log = _gathered(weights[:, s], skeleton.edge_own[:, s], side.state.size)
            for n, formula in enumerate(formulas):
                rows = np.flatnonzero(side.action == n)
                if formula is not None and rows.size:
                    here = codes[side.state[rows]]
                    self.add(formula, here, t, by_log[rows] / self.at.public(formula, here, t))

    def _by_actor(self, table: Floats) -> Floats:
        return table.reshape(len(table), len(self.at.scenario.actors), -1)

    def unfused(self, parts: Sequence[tuple[Skeleton, Ints]], prob: Floats) -> list[Floats]:
        """Derivatives by the probabilities of each of the parts that were fused into one layer.

        From those by the layer's own, float64 [k], to float64 [k] of each part.
        """
        if len(parts) == 1:
            return [prob]
        layers = [_known(fill_layer(self.at, skeleton, codes)) for skeleton, codes in parts]
        befores = list(accumulate(layers[:-1], fuse))
        shares = []
        for first, second in zip(befores[::-1], layers[:0:-1], strict=True):
            through = paths(first, second)
            weights = prob[through.fused]
            by_second = weights * first.prob[through.first]
            shares.append(_gathered(by_second, through.second, second.prob.size))
            by_first = weights * second.prob[through.second]
            prob = _gathered(by_first, through.first, first.prob.size)
        return [prob, *shares[::-1]]


def _known(value: T | None) -> T:
    """What is None where play has to be enumerated anew: not here, as the game has been filled."""
    assert value is not None
    return value


def _gathered(weights: Floats, rows: Ints, size: int) -> Floats:
    """Weights added up by their rows: float64 [size] or [size, c] from [n] or [n, c]."""
    if weights.ndim > 1:
        return np.stack([_gathered(column, rows, size) for column in weights.T], axis=1)
    return np.bincount(rows, weights, size).astype(np.float64)
