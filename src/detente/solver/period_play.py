"""Play of one period of a game without end in which nothing is private, and its derivatives.

Let v[g] be what an actor expects of its own action g at a state, before its cost of control and
after everything else; who does not choose there has one action. With σ its logit and W what it
expects of the state,

    σ[g] ∝ w[g] exp(λ v[g]),    W[x, i] = λ⁻¹ log Σ w exp(λ v)  or  Σ σ v,

for shocks and for mistakes, an equilibrium is v = Φ(v):

    Φ[g]    = Σ_e 1{e has g} Π_{j≠i} σ[e_j] q[e, i],
    q[e, i] = paid[e, i] + δ Σ_x' prob(x' | e) W[x', i].

What others do enters Φ at their own state alone, and all the rest through W. So the linear
equations of a step of Newton's method fall apart into small ones at each state, and those for W
where a period begins: as many as there are states and actors. What changes with the precision λ
has the same equations with another right-hand side.

Index letters as in `period`, and h, another own action at the same state.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from detente.dtypes import Floats
from detente.solver.period import Block, PeriodArrays

SELDOM = 0.05
"""Probability of an action below which a change of its log odds does not count for less."""

BLUNT = 1e-3
"""λ times the range of values below which W of shocks is told by its first terms."""


class BlockPlay:
    """Play at the states of a block, where own actions are worth `values` [x, g].

    rate
        λ, float64 [g].
    sigma
        float64 [x, g].
    mean, worth
        Σ σ v and W, float64 [x, i].
    """

    def __init__(self, block: Block, values: Floats, precision: Floats, shocks: bool) -> None:
        owner = block.owner
        self.block, self.values, self.precision = block, values, precision
        self.rate, self.shocks = precision[owner], shocks
        odds = block.log_reference + self.rate * values
        top = np.maximum.reduceat(odds, block.starts, axis=1)
        share = np.exp(odds - top[:, owner])
        total = block.sums(share)
        self.sigma = share / total[:, owner]
        self.mean = self.worth = block.sums(self.sigma * values)
        if shocks:
            sharp = precision > 0
            logs = (np.log(total) + top) / np.where(sharp, precision, 1.0)
            self.worth = np.where(sharp, logs, self.mean)

    def look_ahead(self, following: Floats) -> Floats:
        """Φ, float64 [x, g], where the next states are worth so much [x', i]."""
        block = self.block
        self.returns: Floats = block.paid + block.prob @ following
        self.each = self.sigma[:, block.act]
        others = np.stack([self.others(i) for i in range(len(block.counts))], axis=1)
        self.weight = block.has * others[:, block.owner]
        own = self.returns[:, :, block.owner]
        self.implied = np.asarray(np.einsum("xge,xeg->xg", self.weight, own))
        return self.implied

    def others(self, *but: int) -> Floats:
        """The probability of what all others do in a joint action, float64 [x, e]."""
        chance = np.ones(self.each.shape[:2])
        for i in self.block.choosers:
            if i not in but:
                chance = chance * self.each[:, :, i]
        return chance

    @cached_property
    def crossed(self) -> Floats:
        """Φ[g] by λ v[h] of the others at the state, float64 [x, g, h]."""
        block, own = self.block, self.block.own
        slopes = np.zeros((*self.sigma.shape, self.sigma.shape[1]))
        for j in block.choosers:
            for i in range(len(own)):
                if i != j:
                    met = block.has[own[i]] * (self.others(i, j) * self.returns[:, :, i])[:, None]
                    slopes[:, own[i], own[j]] = met @ block.has[own[j]].T
                    slopes[:, own[i], own[j]] -= self.implied[:, own[i], None]
            slopes[:, :, own[j]] *= self.sigma[:, None, own[j]]
        return slopes

    @cached_property
    def apart(self) -> Floats:
        """v less its mean over the actor's own actions, float64 [x, g]."""
        return self.values - self.mean[:, self.block.owner]

    @cached_property
    def gain(self) -> Floats:
        """W by v, float64 [x, g]."""
        return self.sigma if self.shocks else self.sigma * (1.0 + self.rate * self.apart)

    @cached_property
    def inverse(self) -> Floats:
        """(I - Φ')⁻¹ at each state, while what follows stays as it is: float64 [x, g, h]."""
        unit = np.eye(self.rate.size)
        return np.asarray(np.linalg.inv(unit - self.crossed * self.rate))

    @cached_property
    def passed_on(self) -> Floats:
        """W by Φ while what follows stays as it is, float64 [x, i, h]."""
        return np.asarray((self.block.mine * self.gain[:, None]) @ self.inverse)

    @cached_property
    def ahead(self) -> Floats:
        """Φ by what follows, float64 [x, g, x']."""
        return np.asarray(self.weight @ self.block.prob)

    @cached_property
    def paid(self) -> Floats:
        """What own actions pay at once, float64 [x, g]."""
        block = self.block
        return np.asarray(np.einsum("xge,xeg->xg", self.weight, block.paid[:, :, block.owner]))

    def by_following(self) -> Floats:
        """W by what follows, float64 [x, i, j, x']."""
        count, actors, actions = self.passed_on.shape
        by_actor = self.passed_on[:, :, None] * self.block.mine
        slopes = by_actor.reshape(count, actors * actors, actions) @ self.ahead
        return np.asarray(slopes.reshape(count, actors, actors, -1))

    def rights(self, full: Floats, share: float) -> tuple[Floats, Floats]:
        """Right-hand sides for v, float64 [x, g, 2], and what W adds, [x, i, 2]: of a step of
        Newton's method, and by the share of the `full` precision [i]."""
        rate = full[self.block.owner]
        turned = self.crossed @ (rate * self.values)[:, :, None]
        right = np.stack([self.implied - self.values, turned[:, :, 0]], axis=2)
        more = np.zeros((*self.mean.shape, 2))
        spread = self.block.sums(self.sigma * self.apart**2)
        more[:, :, 1] = full * spread
        if self.shocks:
            reach = np.maximum.reduceat(np.abs(self.apart), self.block.starts, axis=1)
            blunt = self.precision * reach < BLUNT
            by_share = (self.mean - self.worth) / max(share, 1e-300)
            more[:, :, 1] = np.where(blunt, more[:, :, 1] / 2, by_share)
        return right, self.passed_on @ right + more


class Play:
    """Play of a whole period, where own actions are worth v, float64 [D], at a share of the
    precision.

    gap
        Φ - v, float64 [D].
    worth
        W where a period begins, float64 [x, i].
    """

    def __init__(self, period: PeriodArrays, values: Floats, share: float) -> None:
        game = period.game
        self.period, self.values, self.share = period, values, share
        self.layers: list[list[BlockPlay]] = []
        worths = []
        for blocks, states in zip(period.blocks, period.states, strict=True):
            worth, made = np.empty((states, game.discount.size)), []
            for block in blocks:
                one = BlockPlay(block, block.of(values), share * game.precision, game.shocks)
                worth[block.rows] = one.worth
                made.append(one)
            self.layers.append(made)
            worths.append(worth)
        self.worth = worths[0]
        self.gap = -values
        for made, following in zip(
            self.layers, [*worths[1:], self.worth * game.discount], strict=True
        ):
            for one in made:
                one.block.of(self.gap)[:] += one.look_ahead(following)

    def moved(self, step: Floats, by: float) -> float:
        """How far a step in v [D] and one in the share move choices: the largest change of log
        odds, of actions that are seldom chosen in part."""
        full, worst = by * self.period.game.precision, 0.0
        for one in self._all():
            block, change = one.block, one.block.of(step)
            odds = one.rate * (change - block.sums(one.sigma * change)[:, block.owner])
            odds += full[block.owner] * one.apart
            worst = max(worst, float((np.abs(odds) * np.maximum(one.sigma, SELDOM)).max()))
        return worst

    def at_stake(self) -> float:
        """The largest |λ (v - mean)| at the full precision."""
        full = self.period.game.precision
        return max(float(np.abs(full[one.block.owner] * one.apart).max()) for one in self._all())

    def slopes(self) -> Floats:
        """The step of Newton's method, and how the solution changes with the share: [D, 2].

        Raises
        ------
        LinAlgError
            Where the equations have no solution.
        """
        game, states = self.period.game, self.period.states
        ends = [*states[1:], states[0]]
        right, matrix = np.zeros((0, 2)), np.zeros((0, 0))
        known: list[tuple[Floats, Floats]] = []
        local = {id(one): one.rights(game.precision, self.share) for one in self._all()}
        for n in reversed(range(len(states))):
            more = np.empty((game.discount.size, states[n], 2))
            through = np.empty((game.discount.size, states[n], game.discount.size, ends[n]))
            for one in self.layers[n]:
                more[:, one.block.rows] = local[id(one)][1].swapaxes(0, 1)
                through[:, one.block.rows] = one.by_following().swapaxes(0, 1)
            if not known:
                through *= game.discount[:, None]
            rows = game.discount.size * states[n]
            now, then = more.reshape(rows, 2), through.reshape(rows, -1)
            right, matrix = (now + then @ right, then @ matrix) if known else (now, then)
            known.append((right, matrix))
        self._linear = np.eye(len(matrix)) - matrix
        first = np.linalg.solve(self._linear, right)
        steps = np.empty((self.values.size, 2))
        following = first.reshape(game.discount.size, -1, 2) * game.discount[:, None, None]
        for made, (right, matrix) in zip(reversed(self.layers), known, strict=True):
            for one in made:
                rights = local[id(one)][0]
                for i, own in enumerate(one.block.own):
                    rights[:, own] += one.ahead[:, own] @ following[i]
                steps[one.block.place] = (one.inverse @ rights).reshape(-1, 2)
            following = (right + matrix @ first).reshape(game.discount.size, -1, 2)
        return steps

    def sign(self) -> float:
        """The sign of det(I - Φ'), after `slopes`."""
        sign = float(np.linalg.slogdet(self._linear)[0])
        for one in self._all():
            sign *= float(np.linalg.slogdet(one.inverse)[0].prod())
        return sign

    def strategies(self) -> list[Floats]:
        """σ of each layer, flat as the kernels have it at one node: of each state that of its
        movers, one after the other."""
        flat = []
        for layer, made in zip(self.period.game.layers, self.layers, strict=True):
            widths = layer.choices.sum(axis=1)
            begin = np.cumsum(widths) - widths
            play = np.ones(int(widths.sum()))
            for one in made:
                chances = [one.sigma[:, one.block.own[i]] for i in layer.movers]
                if chances:
                    chance = np.concatenate(chances, axis=1)
                    at = begin[one.block.rows][:, None] + np.arange(chance.shape[1])
                    play[at] = chance
            flat.append(play)
        return flat

    def _all(self) -> list[BlockPlay]:
        return [one for made in self.layers for one in made]
