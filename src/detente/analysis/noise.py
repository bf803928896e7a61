"""The audit of noise: how much of a forecast rests on moves that were not their mover's best.

A quantal response makes every move with some probability, also moves that cost much. A forecast may
therefore owe an outcome to the precision of the responses and to nobody's interest. What an action
gives up against the best one of its mover is read from the strategies themselves: as
σ(a | θ) ∝ w(a) exp(λ Q(a, θ)), λ Q(a, θ) is log[σ(a | θ) / w(a)] up to a constant. Where choices
come from shocks to payoffs, such a move is one whose shock was larger by as much.

Histories are drawn as `sample` draws them, with exact posteriors. In each, an outcome comes about
first at some turn: by chance, by a move that was its mover's best, or by one that was not (of at
least one of the movers). A second set of histories has everybody make a best move at every turn,
against the same strategies and at the same beliefs as the moves of the equilibrium would leave
behind: what the incentives alone bring about. The two sets use the same random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detente.arguments import MOST_DRAWS, whole
from detente.dtypes import Floats
from detente.errors import expect
from detente.game.arrays import CompiledGame
from detente.scenario.frozen import Frozen
from detente.simulation.columns import Columns
from detente.simulation.histories import Histories, Step, own_row
from detente.solver.solution import Solution

DRAWS = 4096
"""Histories of each set: a share is then known to about a point and a half, 19 times in 20."""

AT_ONCE = DRAWS
"""Histories played side by side: nothing of them is shown on the way."""

TIED = 1e-6
"""λ times what a move gives up, up to which it counts as a best one: strategies are known to about
1e-9, and lie between the nodes of the belief grid."""

AT_START, BY_CHANCE, BY_BEST, BY_OTHER = range(4)
"""How an outcome first came about in a history; -1 where it did not."""


@dataclass(frozen=True, eq=False)
class NoiseAudit:
    """What a forecast owes to moves that were not their mover's best.

    outcomes
        `outcome, happened, at_start, by_chance, by_best, by_other, given_up, best_play, error`,
        a row for each outcome. `happened` is its probability in the histories drawn, which is the
        sum of the next four: it held at the start, came about by chance, by a best move, by another
        move. `given_up` is the mean payoff that the other moves gave up, in their movers' units
        (missing where there was none). `best_play` is its probability where everybody makes a best
        move at every turn. `error` is the standard error of `by_other`.
    moves
        `actor, moves, other, given_up`, a row for each actor: how often it moves in a history on
        average, how many of these moves are not its best, and the mean payoff that each of those
        gives up.
    draws
        Histories of each set.
    """

    solution: Solution
    draws: int
    tables: Frozen[Columns]


def audit_noise(
    solution: Solution,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    periods: int | None = None,
) -> NoiseAudit:
    """Audit a solution by sampled histories.

    Parameters
    ----------
    rng
        Explicit source of randomness.
    draws
        Histories of each of the two sets.
    periods
        How many periods of a game without end are looked at; by default what `forecast` covers.

    Raises
    ------
    ValueError, TypeError
        For numbers that make no sense.
    """
    expect(solution, Solution, "audit_noise")
    whole("draws", draws, 1, MOST_DRAWS)
    played, best = _Counts(solution.game), _Counts(solution.game)
    for first in range(0, draws, AT_ONCE):
        streams = rng.spawn(min(AT_ONCE, draws - first))
        states = [stream.bit_generator.state for stream in streams]
        played.add(Histories(solution, streams, periods))
        for stream, state in zip(streams, states, strict=True):
            stream.bit_generator.state = state  # the same numbers again
        best.add(Histories(solution, streams, periods, _best_only))
    return NoiseAudit(
        solution,
        draws,
        Frozen({"outcomes": _outcomes(played, best, draws), "moves": _moves(played, draws)}),
    )


def _best_only(odds: Floats) -> Floats:
    """Equal weights on the best actions, float64 [a, h]."""
    return (_log_gap(odds) <= TIED).astype(float)


def _log_gap(odds: Floats) -> Floats:
    """λ times what each action gives up, float64 [a, h]; inf where there is no such action."""
    with np.errstate(divide="ignore"):
        logs = np.log(odds)
    return np.asarray(logs.max(axis=0) - logs)


class _Counts:
    """What happened in a set of histories.

    how
        For each outcome, by how it first came about: the number of histories, int64 [4].
    given_up, others
        For each outcome that came about by moves that were not best: the payoff given up, summed,
        and the number of these moves.
    moves, other_moves, lost
        By actor, over all histories: moves, those that were not best, the payoff they gave up.
    """

    def __init__(self, game: CompiledGame) -> None:
        self.game = game
        actors = len(game.priors)
        self.how = {key: np.zeros(4, dtype=np.int64) for key in game.holds}
        self.given_up = dict.fromkeys(game.holds, 0.0)
        self.others = dict.fromkeys(game.holds, 0)
        self.moves = np.zeros(actors, dtype=np.int64)
        self.other_moves = np.zeros(actors, dtype=np.int64)
        self.lost = np.zeros(actors)

    def add(self, histories: Histories) -> None:
        """Play some histories to their end and count them."""
        count = histories.x.size
        first = {key: np.full(count, -1) for key in self.how}
        for key in self.how:
            first[key][histories.been(key)] = AT_START
        for step in histories.play():
            gaps = self._gaps(step, count)
            other = np.any(gaps > 0, axis=1)
            moved = len(self.game.layers[step.n].movers) > 0
            for key in self.how:
                new = (first[key] < 0) & histories.been(key)
                if not new.any():
                    continue
                first[key][new] = np.where(other[new], BY_OTHER, BY_BEST) if moved else BY_CHANCE
                self.given_up[key] += float(gaps[new].sum())
                self.others[key] += int((gaps[new] > 0).sum())
        for key, kinds in first.items():
            self.how[key] += np.bincount(kinds[kinds >= 0], minlength=4)

    def _gaps(self, step: Step, count: int) -> Floats:
        """Payoff that each mover's move gave up, float64 [h, m]; 0 for a best move."""
        layer = self.game.layers[step.n]
        gaps = np.zeros((count, len(layer.movers)))
        for m, (i, move) in enumerate(zip(layer.movers, step.moves, strict=True)):
            log_gap = own_row(_log_gap(move.odds), move.own)
            gaps[:, m] = np.where(log_gap > TIED, log_gap / self.game.precision[i], 0.0)
            self.moves[i] += int((layer.choices[step.before, m] > 1).sum())
            self.other_moves[i] += int((gaps[:, m] > 0).sum())
            self.lost[i] += float(gaps[:, m].sum())
        return gaps


def _outcomes(played: _Counts, best: _Counts, draws: int) -> Columns:
    rows = []
    for key, how in played.how.items():
        start, chance, by_best, by_other = how / draws
        rows.append(
            {
                "outcome": key,
                "happened": how.sum() / draws,
                "at_start": start,
                "by_chance": chance,
                "by_best": by_best,
                "by_other": by_other,
                "given_up": (
                    played.given_up[key] / played.others[key] if played.others[key] else np.nan
                ),
                "best_play": best.how[key].sum() / draws,
                "error": np.sqrt(by_other * (1.0 - by_other) / draws),
            }
        )
    order = ("outcome", "happened", "at_start", "by_chance", "by_best", "by_other")
    return Columns.of((*order, "given_up", "best_play", "error"), rows)


def _moves(played: _Counts, draws: int) -> Columns:
    rows = []
    for i, key in enumerate(played.game.scenario.actors):
        other = played.other_moves[i]
        rows.append(
            {
                "actor": key,
                "moves": played.moves[i] / draws,
                "other": other / draws,
                "given_up": played.lost[i] / other if other else np.nan,
            }
        )
    return Columns.of(("actor", "moves", "other", "given_up"), rows)
