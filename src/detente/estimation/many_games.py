"""Many small games without end in one call: their action values, exactly differentiated twice.

In a game without end or private types let v[g] be what the actor of *cell* (x, i) expects of its
own action g at state x, before its cost of control and after everything else. With σ its logit,

    σ[g] ∝ w[g] exp(λ v[g]),    W[x, i] = λ⁻¹ log Σ w exp(λ v)  or  Σ σ v,

for shocks and for mistakes, an equilibrium is v = Φ(v; θ):

    Φ[g]    = Σ_e 1{e has g} Π_{j≠i} σ[e_j] q[e, i],
    q[e, i] = r[e, i] + δ Σ_x' prob(x' | e) W[x', i].

All turns of a period are states of one such game, discounted at its end; who does not move has one
action. Φ is a polynomial in (σ, W, r), so that its derivatives by v, and those of any weighted sum
of it, are short. Payoffs are linear in θ: r = r0 + R θ, with the few columns of R that a unit has.

Index letters: u unit, e joint action at a state (all states in turn), g own action, n state,
c cell (n, i), q the columns of a unit; units share all but the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from detente.dtypes import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Games:
    """U games of equal structure.

    act
        int64 [e, i]: the own action of each actor in a joint action; own actions are numbered by
        cell, and cells by state and actor.
    cell
        int64 [g].
    prob
        float64 [u, e, n].
    fixed, design
        float64 [u, e, i] and [u, e, i, q]: payoffs at θ = 0, and their slopes.
    columns
        int64 [u, q]: the parameters of the slopes, Q (one beyond the last) for none.
    discount
        float64 [e, i]: of what follows.
    precision
        float64 [i].
    log_reference
        float64 [u, g]: of shares that add up to 1 in each cell.
    counts
        float64 [u, g]: how often each own action was observed.
    shocks
        Whether choices come from shocks.
    parameters
        Their number Q.
    """

    act: Ints
    cell: Ints
    prob: Floats
    fixed: Floats
    design: Floats
    columns: Ints
    discount: Floats
    precision: Floats
    log_reference: Floats
    counts: Floats
    shocks: bool
    parameters: int

    @cached_property
    def starts(self) -> Ints:
        """Where cells begin among the own actions, int64 [c]."""
        return np.flatnonzero(np.diff(self.cell, prepend=-1))

    @cached_property
    def rate(self) -> Floats:
        """The precision of each own action's actor, float64 [g]."""
        return np.asarray(self.precision[self.cell % self.act.shape[1]])

    @cached_property
    def together(self) -> Bools:
        """Which own actions are of one cell, bool [g, g]."""
        return np.asarray(self.cell[:, None] == self.cell)

    @cached_property
    def _gathering(self) -> tuple[tuple[Ints, Ints, Ints], ...]:
        """For each actor its own actions, and the joint ones sorted by them with their starts."""
        made = []
        for own in self.act.T:
            order = np.argsort(own, kind="stable")
            made.append((np.unique(own), order, np.flatnonzero(np.diff(own[order], prepend=-1))))
        return tuple(made)

    def of(self, i: int) -> Ints:
        """The own actions of actor i."""
        return self._gathering[i][0]

    def gathered(self, i: int, values: Floats) -> Floats:
        """Sums over the joint actions of each own action of actor i: [u, g_i, …] of [u, e, …]."""
        _, order, starts = self._gathering[i]
        return np.asarray(np.add.reduceat(values[:, order], starts, axis=1))

    def by_cell(self, values: Floats) -> Floats:
        """Sums over the own actions of each cell, float64 [u, c]."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1))

    def only(self, units: Ints) -> Games:
        """The games of some units."""
        return replace(
            self,
            prob=self.prob[units],
            fixed=self.fixed[units],
            design=self.design[units],
            columns=self.columns[units],
            log_reference=self.log_reference[units],
            counts=self.counts[units],
        )

    def theta_of(self, theta: Floats) -> Floats:
        """Each unit's own parameters, float64 [u, q]."""
        return np.asarray(np.append(theta, 0.0)[self.columns])

    def added(self, by_unit: Floats) -> Floats:
        """Sums by parameter of what is by unit: float64 [Q] of [u, q], [Q, Q] of [u, q, q]."""
        size, columns = self.parameters + 1, self.columns
        if by_unit.ndim == 2:
            return np.bincount(columns.ravel(), by_unit.ravel(), size)[:-1].astype(np.float64)
        rows = columns[:, :, None] * size + columns[:, None, :]
        flat = np.bincount(rows.ravel(), by_unit.ravel(), size * size)
        return np.asarray(flat.reshape(size, size)[:-1, :-1])

    def at(self, theta: Floats, v: Floats) -> Play:
        """What is played where actions are worth v, float64 [u, g]."""
        top = np.maximum.reduceat(self.log_reference + self.rate * v, self.starts, axis=1)
        share = np.exp(self.log_reference + self.rate * v - top[:, self.position])
        total = self.by_cell(share)
        sigma = share / total[:, self.position]
        worth = self.by_cell(sigma * v)
        if self.shocks:
            worth = (np.log(total) + top) / self.rate[self.starts]
        states = self.prob.shape[2]
        ahead = self.prob @ worth.reshape(len(v), states, -1)
        paid = self.fixed + (self.design @ self.theta_of(theta)[:, None, :, None])[..., 0]
        return Play(self, v, sigma, worth, paid + self.discount * ahead)

    @cached_property
    def position(self) -> Ints:
        """The cell of each own action, counted among those there are, int64 [g]."""
        return np.cumsum(np.diff(self.cell, prepend=-1) > 0) - 1


@dataclass(frozen=True, eq=False)
class Play:
    """Play of all games at given action values.

    values, sigma
        float64 [u, g].
    worth
        W, float64 [u, c].
    returns
        q, float64 [u, e, i].
    """

    games: Games
    values: Floats
    sigma: Floats
    worth: Floats
    returns: Floats

    @cached_property
    def each(self) -> Floats:
        """Each actor's part in the probability of a joint action, float64 [u, e, i]."""
        return np.asarray(self.sigma[:, self.games.act])

    def others(self, *but: int) -> Floats:
        """The probability of what all others do in a joint action, float64 [u, e]."""
        kept = [i for i in range(self.each.shape[2]) if i not in but]
        return np.asarray(self.each[:, :, kept].prod(axis=2))

    @cached_property
    def implied(self) -> Floats:
        """Φ, float64 [u, g]."""
        phi = np.empty_like(self.values)
        for i in self.actors:
            phi[:, self.games.of(i)] = self.games.gathered(
                i, self.others(i) * self.returns[:, :, i]
            )
        return phi

    @property
    def actors(self) -> range:
        """The actors, by position."""
        return range(self.games.act.shape[1])

    @cached_property
    def log_likelihoods(self) -> Floats:
        """Of each unit's counts, float64 [u]."""
        counts = self.games.counts
        with np.errstate(divide="ignore"):
            logs = np.where(counts > 0, np.log(self.sigma), 0.0)
        return np.asarray((counts * logs).sum(axis=1))

    # ---- derivatives of play by v

    @cached_property
    def spread(self) -> Floats:
        """dσ/dv, float64 [u, g, g]."""
        rate, sigma = self.games.rate, self.sigma
        between = np.where(self.games.together, -sigma[:, :, None] * sigma[:, None, :], 0.0)
        diagonal = np.arange(sigma.shape[1])
        between[:, diagonal, diagonal] += sigma
        return np.asarray(between * rate)

    def _turned(self, table: Floats) -> Floats:
        """table dσ/dv, float64 [u, a, g] of [u, a, g], cell by cell."""
        mean = self.games.by_cell(table * self.sigma[:, None, :])[:, :, self.games.position]
        return np.asarray((table - mean) * (self.games.rate * self.sigma)[:, None, :])

    @cached_property
    def gain(self) -> Floats:
        """dW/dv of the own cell, float64 [u, g]."""
        if self.games.shocks:
            return self.sigma
        apart = self.values - self.worth[:, self.games.position]
        return np.asarray(self.sigma * (1 + self.games.rate * apart))

    def _state(self, i: int) -> Ints:
        """The state of each own action of actor i."""
        return np.asarray(self.games.cell[self.games.of(i)] // len(self.actors))

    @cached_property
    def by_worth(self) -> tuple[Floats, ...]:
        """For each actor dΦ/dW, float64 [u, g_i, n]."""
        games = self.games
        return tuple(
            games.gathered(i, (self.others(i) * games.discount[:, i])[:, :, None] * games.prob)
            for i in self.actors
        )

    @cached_property
    def by_sigma(self) -> Floats:
        """dΦ/dσ, float64 [u, g, g]."""
        return sum(
            (
                self._crossed(i, j, self.others(i, j) * self.returns[:, :, i])
                for i, j in self._pairs()
            ),
            start=np.zeros((*self.sigma.shape, self.sigma.shape[1])),
        )

    def _crossed(self, i: int, j: int, values: Floats) -> Floats:
        """Values of joint actions, float64 [u, e], by the own actions of two actors [u, g, g]."""
        act, size = self.games.act, self.sigma.shape[1]
        table = np.zeros((size * size, len(values)))
        np.add.at(table, act[:, i] * size + act[:, j], values.T)
        return np.ascontiguousarray(table.T).reshape(-1, size, size)

    def _pairs(self) -> Iterator[tuple[int, int]]:
        return ((i, j) for i in self.actors for j in self.actors if i != j)

    @cached_property
    def by_values(self) -> Floats:
        """dΦ/dv, float64 [u, g, g]."""
        slopes = self._turned(self.by_sigma)
        for i in self.actors:
            own = self.games.of(i)
            through = self.by_worth[i][:, :, self._state(i)] * self.gain[:, None, own]
            slopes[:, own[:, None], own] += through
        return np.asarray(slopes)

    @cached_property
    def by_parameters(self) -> Floats:
        """dΦ/dθ by the unit's own columns, float64 [u, g, q]."""
        design = self.games.design
        slopes = np.empty((*self.sigma.shape, design.shape[3]))
        for i in self.actors:
            weighted = self.others(i)[:, :, None] * design[:, :, i]
            slopes[:, self.games.of(i)] = self.games.gathered(i, weighted)
        return slopes

    @cached_property
    def score(self) -> Floats:
        """The log-likelihood by v, float64 [u, g]."""
        games = self.games
        total = games.by_cell(games.counts)[:, games.position]
        return np.asarray(games.rate * (games.counts - total * self.sigma))

    @cached_property
    def information(self) -> Floats:
        """Minus its second derivatives, float64 [u, g, g]: also what is expected given states."""
        games = self.games
        total = games.by_cell(games.counts)[:, games.position]
        return np.asarray(self.spread * (games.rate * total)[:, :, None])

    def scores(self) -> Floats:
        """The log-likelihood along the equilibria by the unit's own columns, float64 [u, q]."""
        jacobian = np.eye(self.values.shape[1]) - self.by_values
        weights = np.linalg.solve(jacobian.transpose(0, 2, 1), self.score[:, :, None])[..., 0]
        return np.asarray((weights[:, None] @ self.by_parameters)[:, 0])

    def second(self, weights: Floats) -> tuple[Floats, Floats]:
        """Second derivatives of Σ weights[g] Φ[g], by v and v [u, g, g], by v and θ [u, g, q]."""
        games, act = self.games, self.games.act
        mine = weights[:, act]
        by_sigma = (weights[:, None, :] @ self.by_sigma)[:, 0]
        size = self.sigma.shape[1]
        by_worth = np.empty_like(self.worth).reshape(len(weights), -1, len(self.actors))
        through = np.zeros((len(weights), size, size))
        by_theta = np.zeros((len(weights), size, games.design.shape[3]))
        for i in self.actors:
            own, state = games.of(i), self._state(i)
            by_worth[:, :, i] = (weights[:, None, own] @ self.by_worth[i])[:, 0]
            for j in self.actors:
                if i == j:
                    continue
                theirs = games.of(j)
                part = (mine[:, :, i] * self.others(i, j))[:, :, None]
                follow = games.gathered(j, part * games.discount[:, i, None] * games.prob)
                through[:, theirs[:, None], own] += follow[:, :, state] * self.gain[:, None, own]
                by_theta[:, theirs] += games.gathered(j, part * games.design[:, :, i])
                for k in self.actors:
                    if k not in (i, j):  # half of it, as the sum is made symmetric below
                        both = mine[:, :, i] * self.others(i, j, k) * self.returns[:, :, i] / 2
                        through += self._turned(self._crossed(j, k, both))
        mixed = self._turned(through.transpose(0, 2, 1))
        by_values = mixed + mixed.transpose(0, 2, 1)
        by_values += self._curved(by_sigma, by_worth.reshape(len(weights), -1))
        return by_values, self._turned(by_theta.transpose(0, 2, 1)).transpose(0, 2, 1)

    def _curved(self, by_sigma: Floats, by_worth: Floats) -> Floats:
        """Σ by_sigma σ'' + Σ by_worth W'', float64 [u, g, g]."""
        games, sigma, position = self.games, self.sigma, self.games.position
        mean = games.by_cell(sigma * by_sigma)[:, position]
        apart = games.rate * (by_sigma - mean)
        own = by_worth[:, position]
        slopes = own * (
            1.0 if games.shocks else 1 + games.rate * (self.values - self.worth[:, position])
        )
        curved = (apart + slopes)[:, :, None] * self.spread
        curved -= (
            sigma[:, :, None] * games.rate * sigma[:, None, :] * apart[:, None, :]
        ) * games.together
        if not games.shocks:
            step = np.eye(sigma.shape[1]) - games.together * self.gain[:, None, :]
            curved += (own * sigma * games.rate)[:, :, None] * step
        return np.asarray(curved)
