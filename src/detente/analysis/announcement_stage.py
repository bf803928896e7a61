"""The choice between games as a turn of its own: one state, whose actions are the games.

`detente.analysis.announce` says what is computed. Here the turn is solved, by the kernel and the
auditor of all other turns, from the values with which the games begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame, Layer
from detente.simulation.histories import cell
from detente.solver.backward import Backward
from detente.solver.certificate import Auditor
from detente.solver.solution import BranchCount, Solution, Status, status_of
from detente.solver.workers import open_workers


@dataclass(frozen=True, slots=True, eq=False)
class AnnouncementStage:
    """The announcement, solved, at the priors. k numbers policies.

    play
        float64 [θ, k]: σ(k | θ) of announcer i.
    rough
        The same choice on the coarser grid, or None.
    weights
        float64 [k, b]: on nodes of the belief grid, around the posterior after k.
    after, before
        float64 [k, i, p] and [i, p]: values given each announcement, and before it.
    """

    game: CompiledGame
    who: int
    play: Floats
    rough: AnnouncementStage | None
    weights: Floats
    after: Floats
    before: Floats
    residual: float
    value_error: float
    status: Status

    @property
    def prior(self) -> Floats:
        """float64 [θ]."""
        return self.game.priors[self.who]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The announcer's types; '' where nothing is private."""
        return self.game.actors[self.who].types or ("",)

    @property
    def posterior(self) -> Floats:
        """Beliefs about the announcer after each announcement, float64 [k, θ]."""
        return posteriors(self.prior, self.play)

    @property
    def share(self) -> Floats:
        """Probability of each announcement, float64 [k]."""
        return np.asarray(self.prior @ self.play)

    @property
    def bits(self) -> float:
        """What an announcement says about the type: H(k) - H(k | θ)."""
        rest = [p * entropy(row) for p, row in zip(self.prior, self.play, strict=True)]
        return max(0.0, entropy(self.share) - float(np.sum(rest)))


def solve_stage(solutions: Sequence[Solution], who: int) -> AnnouncementStage:
    """Solve the choice between games that are solved on the same grid."""
    first, count = solutions[0], len(solutions)
    layer = Layer(
        period=1,
        turn=0,
        event="",
        movers=(who,),
        states=np.zeros(1, dtype=np.int64),
        action_ptr=np.array([0, count]),
        choices=np.array([[count]]),
        action=np.arange(count, dtype=np.int32)[:, None],
        trans_ptr=np.arange(count + 1),
        succ=np.arange(count, dtype=np.int32),
        prob=np.ones(count),
        reward=np.zeros((count, first.game.profiles.size)),
        reference=np.ones((count, 1)),
    )
    # A precision of `limit` was followed in each game as far as it went: here, as far as in all.
    precision = np.min([solution.game.precision for solution in solutions], axis=0)
    game = replace(first.game, layers=(layer,), loop=None, start=0, precision=precision)
    following = np.stack([np.ascontiguousarray(s.start_values.T) for s in solutions])
    grid, kinds = first.grid, game.priors[who].size
    with open_workers(1) as workers:
        engine = Backward(game, grid, workers, regret=False)
        values, sigma = engine.layer(0, following)
    auditor = Auditor(game, grid)
    auditor.visit(layer, following, values, sigma)
    play = sigma.reshape(kinds, count, grid.size)[:, :, grid.start].copy()
    weights = np.stack([_around(first, who, b) for b in posteriors(game.priors[who], play)])
    shape = len(game.priors), len(game.profiles)
    coarse = [solution.coarse for solution in solutions if solution.coarse]
    return AnnouncementStage(
        game=game,
        who=who,
        play=play,
        rough=solve_stage(coarse, who) if len(coarse) == count else None,
        weights=weights,
        after=np.einsum("kb,kcb->kc", weights, following).reshape(count, *shape),
        before=values[0, :, grid.start].reshape(shape).copy(),
        residual=auditor.residual,
        value_error=auditor.value_error,
        status=status_of(BranchCount.of(engine.counts), auditor.residual, auditor.value_error),
    )


def posteriors(prior: Floats, play: Floats) -> Floats:
    """Beliefs after each announcement, float64 [k, θ]; the prior after one that nobody makes."""
    joint = (prior[:, None] * play).T
    total = joint.sum(axis=1, keepdims=True)
    return np.where(total > 0, joint, prior) / np.where(total > 0, total, 1.0)


def _around(solution: Solution, who: int, belief: Floats) -> Floats:
    """Weights of the grid's nodes, float64 [b], that make up a belief about one actor."""
    grid = solution.grid
    nodes, shares = cell(grid.about[who], solution.game.priors[who], belief)
    weights = np.zeros(grid.size)
    at_zero = grid.start - grid.about[who].start * grid.stride(who)
    weights[at_zero + nodes * grid.stride(who)] = shares
    return weights


def entropy(shares: Floats) -> float:
    """-Σ p log2 p."""
    some = shares[shares > 0]
    return max(0.0, float(-(some * np.log2(some)).sum()))
