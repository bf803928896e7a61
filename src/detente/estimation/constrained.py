"""Parameters and equilibria together: the likelihood maximised subject to v = Φ(v; θ).

Where units have several equilibria, or lose theirs as θ moves, v is no function of θ. Then both are
moved at once (Su and Judd 2012), by an augmented Lagrangian (Nocedal and Wright 2006, chapter 17)

    A(θ, v) = -ℓ(v) + μᵀF + ρ/2 |F|² - log prior(θ),    F = v - Φ(v; θ),

each of which is minimised by Newton's method with exact second derivatives and the damping of
Levenberg and Marquardt, in proportion to the Hessian's diagonal. Units meet in θ alone: each unit's
v is eliminated by a small solve of its own, and only the Schur complement in θ is dense. The set of
solutions is so followed through folds. A small ρ searches, a large one keeps to the basin it is in.

At a maximum with v = Φ(v; θ) let J = I - dΦ/dv, X = dv/dθ = J⁻¹ dΦ/dθ, and m the multipliers, for
which Jᵀm = dℓ/dv. Then dℓ/dθ = Xᵀ dℓ/dv, and the Hessian of -ℓ by θ, bordered by the equilibrium,
is Xᵀ L X + Xᵀ M + Mᵀ X with L, M the second derivatives of -ℓ - mᵀΦ by v, v and by v, θ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detente.dtypes import Floats
from detente.estimation.first_values import begin
from detente.estimation.many_games import Games, Play
from detente.estimation.prior import NormalPrior

NEAR, CLOSE = 1e-3, 1e-6
"""|v - Φ(v)| from which Newton's method is tried, and standard errors from the maximum at which it
has arrived."""

EXACT = 1e-9
"""|v - Φ(v)| of an equilibrium."""

TRIPLED, LARGEST = 3.0, 1e6
"""By what ρ is multiplied after each round, and the largest."""

ENOUGH = 0.25
"""Share of the last round's residual below which ρ stays as it is."""

MOST_ROUNDS, MOST_STEPS, MOST_POLISHES = 40, 60, 30

ROUNDED = 1e-7
"""Relative fall of A, per step, at which a round ends: the next one changes A by more."""

FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-2, 1e-9, 1e10


@dataclass(frozen=True, eq=False)
class Search:
    """Where the augmented Lagrangian starts and how it goes.

    rho
        The first penalty of |v - Φ|².
    prior
        Of the parameters.
    weight
        Observations for which the pooled frequencies count in a unit's first values.
    """

    prior: NormalPrior
    rho: float = 1.0
    weight: float = 2.0


@dataclass(frozen=True, eq=False)
class Optimum:
    """A point: parameters, float64 [Q], action values, float64 [u, g], and how good it is.

    residual
        Largest |v - Φ(v)|.
    distance
        Of the maximum, in standard errors, as the curvature has it.
    steps
        Newton steps it took.
    """

    theta: Floats
    values: Floats
    log_likelihood: float
    residual: float
    distance: float
    steps: int

    @property
    def found(self) -> bool:
        """Whether every unit is in an equilibrium."""
        return self.residual < EXACT and bool(np.isfinite(self.log_likelihood))

    @property
    def arrived(self) -> bool:
        """Whether it is a maximum as well."""
        return self.found and self.distance < CLOSE

    def height(self, prior: NormalPrior) -> float:
        """What is to be as large as can be: the log-likelihood with the prior's logarithm."""
        return self.log_likelihood + prior.log_density(self.theta)


def search(
    games: Games,
    theta: Floats,
    values: Floats | None,
    how: Search,
) -> Optimum:
    """The optimum to which an augmented Lagrangian leads from a point, or from the frequencies."""
    values = begin(games, theta, how.weight) if values is None else values
    multipliers, rho, steps = np.zeros_like(values), how.rho, 0
    before = np.inf
    found: Optimum | None = None
    for _ in range(MOST_ROUNDS):
        lagrangian = Lagrangian(games, multipliers, rho, how.prior)
        theta, values, more = lagrangian.minimise(theta, values)
        play = games.at(theta, values)
        gap = values - play.implied
        worst, steps = float(np.abs(gap).max()), steps + more
        if worst < NEAR:
            found = polish(games, theta, values, how.prior)
            steps += found.steps
            if found.arrived:
                break
        multipliers = multipliers + rho * gap
        if worst > ENOUGH * before:
            rho = min(TRIPLED * rho, LARGEST)
        before = worst
    return replace(found or polish(games, theta, values, how.prior), steps=steps)


def settled(games: Games, theta: Floats, values: Floats, how: Search) -> Optimum:
    """The optimum near a point: by Newton's method alone where that arrives, else by `search`."""
    play = games.at(theta, values)
    if float(np.abs(play.implied - values).max()) < NEAR:
        found = polish(games, theta, values, how.prior)
        if found.arrived:
            return found
    return search(games, theta, values, how)


@dataclass(frozen=True, eq=False)
class Lagrangian:
    """An augmented Lagrangian with multipliers [u, g], a penalty, and a prior."""

    games: Games
    multipliers: Floats
    rho: float
    prior: NormalPrior

    def value(self, play: Play, theta: Floats) -> float:
        """A."""
        gap = play.values - play.implied
        total = (self.multipliers * gap).sum() + self.rho / 2 * (gap**2).sum()
        known = self.prior.log_density(theta) + play.log_likelihoods.sum()
        return float(total - known)

    def minimise(self, theta: Floats, values: Floats) -> tuple[Floats, Floats, int]:
        """The minimum near a point, and the steps it took."""
        damping, steps = FIRST_DAMPING, 0
        play = self.games.at(theta, values)
        here = self.value(play, theta)
        while steps < MOST_STEPS:
            steps += 1
            parts = self._parts(play, theta)
            while True:
                move = self._step(parts, damping)
                if move is not None:
                    new_theta, new_values = theta + move[0], values + move[1]
                    new_play = self.games.at(new_theta, new_values)
                    new = self.value(new_play, new_theta)
                    if new < here:
                        break
                damping *= 4
                if damping > MOST_DAMPING:
                    return theta, values, steps
            fall, here = here - new, new
            theta, values, play = new_theta, new_values, new_play
            damping = max(damping / 5, LEAST_DAMPING)
            if fall < ROUNDED * max(1.0, abs(here)) * 1e-2:
                break
        return theta, values, steps

    def _parts(self, play: Play, theta: Floats) -> tuple[Floats, ...]:
        """Gradients by v and θ, and second derivatives: by v, v; v, θ; θ, θ."""
        rho, games = self.rho, self.games
        jacobian = np.eye(play.values.shape[1]) - play.by_values
        weight = self.multipliers + rho * (play.values - play.implied)
        slopes = play.by_parameters
        second, mixed = play.second(weight)
        turned = jacobian.transpose(0, 2, 1)
        by_values = (turned @ weight[:, :, None])[..., 0] - play.score
        by_theta = -self.prior.slopes(theta)
        by_theta = by_theta - games.added((weight[:, None, :] @ slopes)[:, 0])
        hessian = play.information - second + rho * (turned @ jacobian)
        cross = -rho * (turned @ slopes) - mixed
        own = rho * games.added(slopes.transpose(0, 2, 1) @ slopes)
        own = own + np.diag(self.prior.curvature(theta))
        return by_values, by_theta, hessian, cross, own

    def _step(self, parts: tuple[Floats, ...], damping: float) -> tuple[Floats, Floats] | None:
        """The damped Newton step in θ and v, by the Schur complement in θ; None where none is."""
        by_values, by_theta, hessian, cross, own = parts
        games, size = self.games, hessian.shape[1]
        rows = np.arange(size)
        damped = hessian.copy()
        damped[:, rows, rows] += damping * (np.abs(hessian[:, rows, rows]) + 1e-8)
        try:
            both = np.concatenate([cross, by_values[:, :, None]], axis=2)
            solved = np.linalg.solve(damped, both)
            across = cross.transpose(0, 2, 1) @ solved
            schur = own + np.diag(damping * (np.abs(np.diag(own)) + 1e-8))
            schur = schur - games.added(np.ascontiguousarray(across[:, :, :-1]))
            right = by_theta - games.added(np.ascontiguousarray(across[:, :, -1]))
            theta: Floats = -np.linalg.solve(schur, right).astype(np.float64)
        except np.linalg.LinAlgError:
            return None
        own_theta = games.theta_of(theta)[:, :, None]
        values = -(solved[:, :, -1:] + solved[:, :, :-1] @ own_theta)[..., 0]
        if not (np.isfinite(theta).all() and np.isfinite(values).all()):
            return None
        return theta, values


@dataclass(frozen=True, eq=False)
class Reduced:
    """The likelihood along the equilibria: all by θ.

    scores
        float64 [u, Q].
    hessian
        float64 [Q, Q]: minus the exact second derivatives, bordered by the equilibria.
    given_states
        float64 [Q, Q]: the information expected given the states that were visited.
    path, step
        dv/dθ, float64 [u, g, q], and -J⁻¹ F, float64 [u, g].
    correction
        float64 [Q]: of the score, for the step to v = Φ.
    """

    scores: Floats
    hessian: Floats
    given_states: Floats
    path: Floats
    step: Floats
    correction: Floats

    @classmethod
    def of(cls, play: Play) -> Reduced:
        """At a point that is near v = Φ(v)."""
        games = play.games
        jacobian = np.eye(play.values.shape[1]) - play.by_values
        gap = (play.implied - play.values)[:, :, None]
        solved = np.linalg.solve(jacobian, np.concatenate([play.by_parameters, gap], axis=2))
        path, step = solved[:, :, :-1], solved[:, :, -1]
        turned = jacobian.transpose(0, 2, 1)
        multipliers: Floats = np.linalg.solve(turned, play.score[:, :, None])[..., 0].astype(float)
        second, mixed = play.second(multipliers)
        back = path.transpose(0, 2, 1)
        curved = play.information - second
        through = back @ mixed
        hessian = back @ curved @ path - through - through.transpose(0, 2, 1)
        own = (back @ play.score[:, :, None])[..., 0]
        scores = np.zeros((len(own), games.parameters + 1))
        np.add.at(scores, (np.arange(len(own))[:, None], games.columns), own)
        bent = (back @ curved - mixed.transpose(0, 2, 1)) @ step[:, :, None]
        return cls(
            scores=scores[:, :-1],
            hessian=games.added(hessian),
            given_states=games.added(back @ play.information @ path),
            path=path,
            step=step,
            correction=games.added(bent[..., 0]),
        )


def polish(games: Games, theta: Floats, values: Floats, prior: NormalPrior) -> Optimum:
    """Newton's method for likelihood and prior subject to v = Φ(v), from a point near a maximum.

    It ends where a step brings it no nearer.
    """
    best: Optimum | None = None
    for steps in range(MOST_POLISHES):
        play = games.at(theta, values)
        reduced = Reduced.of(play)
        score = reduced.scores.sum(axis=0) + prior.slopes(theta)
        residual = float(np.abs(play.values - play.implied).max())
        try:
            hessian = reduced.hessian + np.diag(prior.curvature(theta))
            np.linalg.cholesky(hessian)  # at a saddle there is no maximum to go to
            ahead, move = np.linalg.solve(
                hessian, np.stack([score, score - reduced.correction], 1)
            ).T
        except np.linalg.LinAlgError:
            break
        distance = abs(float(score @ ahead)) ** 0.5
        here = Optimum(theta, values, float(play.log_likelihoods.sum()), residual, distance, steps)
        if best is not None and not residual + distance < best.residual + best.distance:
            break
        best, theta = here, theta + move
        step = reduced.step + (reduced.path @ games.theta_of(move)[:, :, None])[..., 0]
        values = values + step
    return best or Optimum(theta, values, -np.inf, np.inf, np.inf, 0)
