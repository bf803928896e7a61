"""`credibility`: which announced terms would be kept, and what the others need to hold them.

A hard term is kept by assumption. What its actor would gain by breaking it, once, is

    max Q(a | θ) over what the term alone forbids  -  max Q(a | θ) over what all hard terms allow

at a state, a belief and a type, with everybody's play after it as in the equilibrium, in which all
terms are in force again. With logit responses σ(a | θ) ∝ exp(λ Q(a | θ)), and with the term made
soft at the cost K (`detente.analysis.deviation`), this is

    K + [max log σ(forbidden | θ) - max log σ(allowed | θ)] / λ,

whatever K is, as K only shifts log σ. Soft terms that an action breaks are paid for as announced.
What the public believes after a breach is what logit trembles make it believe: that it was rather
the type that would gain more by it, by as much more often as that type would try.

The gains are weighed by where the forecast goes. A term binds where it is in force and an action is
available that it alone forbids; what other hard terms forbid as well is not held by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd

from detente.analysis.deviation import PROHIBITIVE_LOG_ODDS, Commitment, announced_terms, breakable
from detente.analysis.deviation_gains import DeviationGains, GainTally
from detente.dtypes import Floats
from detente.errors import expect
from detente.game.compile import compile_game
from detente.game.periods import check_periods
from detente.notebook import InNotebook
from detente.scenario.frozen import Frozen
from detente.scenario.model import Scenario
from detente.simulation.conditions import ANY
from detente.solver.discretisation import error_from, grid_error
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve
from detente.solver.workers import open_workers

DRIFT = 1e-6
"""Difference of payoffs from those of the hard terms beyond which the equilibria are not the same:
solves are good to 1e-9 a turn."""


HARD = "term actor type binds gain gain_error largest largest_error tempted first worst verdict"
HARD_OVER_TIME = "term actor type t period binds gain largest tempted"
SOFT = "term actor type t period broken breaches error"
"""Columns of the tables, also of empty ones."""


class Verdict(Enum):
    """What holds a hard term, from the least to gain by breaking it to the most; in sentences."""

    IDLE = "never binds: nothing is forbidden by it alone where play goes"
    KEPT = "kept out of interest: breaking it would gain nothing, wherever play goes"
    MOSTLY = "kept out of interest as a rule; at times something has to hold it"
    HELD = "needs something to hold it: on average breaking it would gain"


@dataclass(frozen=True, eq=False)
class Credibility(InNotebook):
    """What terms are worth to those whom they bind, as tidy tables.

    Every table has a row for each term, bound actor and type ('' where nothing is private); numbers
    are given that type.

    hard
        `term, actor, type, binds, gain, gain_error, largest, largest_error, tempted, first, worst,
        verdict`: at how many turns the term is expected to bind; what breaking it would gain there,
        on average, and at most where play is `REACHED`; the share of those turns at which it would
        gain; the first period with such a turn, and the period of the largest gain ('' where there
        is none). Errors are those of the grid, of any of the actor's types.
    hard_over_time
        `term, actor, type, t, period, binds, gain, largest, tempted`: the same by period.
    soft
        `term, actor, type, t, period, broken, breaches, error`: the probability that the term has
        been broken by the end of the period, and the expected number of breaches; `error` is that
        of `broken`. With rows for any actor and type, 'any'.
    verdicts
        By hard term: that of the actor and type with most to gain.
    solution
        That of the game in which hard terms can be broken, without its strategies.
    status
        Of the game with the hard terms as they are.
    drift
        Largest difference of payoffs at the start between these two.
    notes
        What is to be kept in mind about these numbers, in sentences.
    """

    scenario: Scenario
    policy: str
    solution: Solution
    status: Status
    periods: int
    hard: pd.DataFrame
    hard_over_time: pd.DataFrame
    soft: pd.DataFrame
    verdicts: Mapping[str, Verdict]
    drift: float
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        rows = [f"{term} {verdict.name}" for term, verdict in self.verdicts.items()]
        soft = self.soft[(self.soft["actor"] == ANY) & (self.soft["t"] == self.periods)]
        rows += [f"{r.term} broken {r.broken:.0%}" for r in soft.itertuples()]
        return f"<Credibility of {self.policy!r} in {self.scenario.name!r}: {', '.join(rows)}>"

    def _main_table(self) -> pd.DataFrame:
        return self.hard if len(self.hard) else self.soft


def credibility(
    scenario: Scenario,
    policy: str | None = None,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    periods: int | None = None,
) -> Credibility:
    """What breaking each term of a policy would gain, or how often it is broken.

    Parameters
    ----------
    scenario
        As loaded.
    policy
        A policy with terms; None for the one that the scenario names.
    options
        As in `solve`.
    periods
        As that of `forecast`, for play without end.

    Raises
    ------
    ScenarioError
        For an unknown policy or one without terms; for an actor under hard terms whose precision is
        0 or `limit`; for mistakes of the file at states that only a breach leads to.
    SolveError
        If a solve would need more memory than allowed.
    """
    expect(scenario, Scenario, "credibility")
    check_periods(scenario, periods)
    key, _ = announced_terms(scenario, policy)
    game, commitments = breakable(scenario, key)
    solution = solve(game, options.step(0.0, 0.4), regret=False)
    with open_workers(options.threads) as workers:
        fine = DeviationGains(solution, commitments, workers, periods)
        options.report(0.6)
        rough = fine
        if solution.coarse is not None:
            rough = DeviationGains(solution.coarse, commitments, workers, periods)
    options.report(0.7)
    hard = _hard(fine, rough)
    drift, status = 0.0, solution.status
    if any(commitment.hard for commitment in commitments):
        announced = compile_game(scenario, policy=key)
        known = solve(announced, options.step(0.7, 1.0), regret=False, coarse=False)
        drift = max(abs(known.payoffs[who] - value) for who, value in solution.payoffs.items())
        status = known.status
    options.report(1.0)
    return Credibility(
        scenario=scenario,
        policy=key,
        solution=solution.light(),
        status=status,
        periods=fine.periods,
        hard=hard,
        hard_over_time=_hard_over_time(fine),
        soft=_soft(fine, rough),
        verdicts=Frozen(_verdicts(hard)),
        drift=drift,
        notes=tuple(_notes(hard, commitments, drift, solution)),
    )


def _hard(fine: DeviationGains, rough: DeviationGains) -> pd.DataFrame:
    errors: dict[Commitment, Floats] = {}
    pairs = zip(fine.hard(), rough.hard(), strict=True)
    for (commitment, _, tally), (_, _, other) in pairs:
        own = np.array(_summary(tally))
        error = error_from(own - _summary(other), np.abs(own))
        errors[commitment] = np.fmax(errors.get(commitment, error), error)
    rows: list[tuple[object, ...]] = []
    for commitment, kind, tally in fine.hard():
        gain, largest = _summary(tally)
        gain_error, largest_error = map(float, errors[commitment])
        binds = float(tally.binds.sum())
        tempted = np.flatnonzero(tally.largest > 0)
        numbers = binds, gain, gain_error, largest, largest_error
        first = fine.game.label(int(tempted[0])) if tempted.size else ""
        worst = fine.game.label(int(tally.largest.argmax())) if np.isfinite(largest) else ""
        when = _ratio(tally.tempted.sum(), binds), first, worst
        verdict = _verdict(gain, largest, largest_error).name
        rows.append((commitment.term, commitment.actor, kind, *numbers, *when, verdict))
    return pd.DataFrame(rows, columns=HARD.split())


def _summary(tally: GainTally) -> tuple[float, float]:
    """The mean gain and the largest; not numbers where the term never binds."""
    return _ratio(tally.gain.sum(), tally.binds.sum()), _known(tally.largest.max())


def _known(largest: float) -> float:
    return float(largest) if largest > -np.inf else np.nan


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else np.nan


def _verdict(gain: float, largest: float, error: float) -> Verdict:
    if np.isnan(largest):
        return Verdict.IDLE
    if largest <= (0.0 if np.isnan(error) else error):
        return Verdict.KEPT
    return Verdict.MOSTLY if gain <= 0 else Verdict.HELD


def _verdicts(hard: pd.DataFrame) -> dict[str, Verdict]:
    """By term, that of those who would gain most by breaking it."""
    verdicts = hard.groupby("term", sort=False)["verdict"]
    return {
        str(term): max((Verdict[name] for name in names), key=list(Verdict).index)
        for term, names in verdicts
    }


def _hard_over_time(fine: DeviationGains) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for commitment, kind, tally in fine.hard():
        for t in range(1, fine.periods + 1):
            binds = float(tally.binds[t])
            gains = _ratio(tally.gain[t], binds), _known(tally.largest[t])
            when = t, fine.game.label(t), binds, *gains, _ratio(tally.tempted[t], binds)
            rows.append((commitment.term, commitment.actor, kind, *when))
    return pd.DataFrame(rows, columns=HARD_OVER_TIME.split())


def _soft(fine: DeviationGains, rough: DeviationGains) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for term, bound in fine.soft.items():
        cases = [(ANY, ANY, fine.game.profile_prior())]
        cases += [
            (commitment.actor, kind, fine.weights(commitment.actor, theta))
            for commitment in bound
            for theta, kind in enumerate(fine.kinds(commitment.actor))
        ]
        change = [(fine.broken[term, who] - rough.broken[term, who]) @ w for who, _, w in cases]
        error = grid_error(np.max(np.abs(change), axis=0))
        for actor, kind, weights in cases:
            broken = fine.broken[term, actor] @ weights
            breaches = fine.breaches[term, actor] @ weights
            rows += [
                (term, actor, kind, t, fine.game.label(t), broken[t], breaches[t], error[t])
                for t in range(fine.periods + 1)
            ]
    return pd.DataFrame(rows, columns=SOFT.split())


def _notes(
    hard: pd.DataFrame, commitments: tuple[Commitment, ...], drift: float, solution: Solution
) -> Iterator[str]:
    """What to keep in mind."""
    if solution.status is not Status.SOLVED and any(commitment.hard for commitment in commitments):
        failed, nodes = solution.branches.failed, solution.certificate.nodes
        where = f"at {failed:,} of {nodes:,} turn-state-belief points, " if failed else ""
        yield (
            f"With costs in place of the hard terms the game is {where}{solution.status.value}. "
            f"Where play goes this changes payoffs by up to {drift:.1g}."
        )
    cost = {
        (commitment.term, commitment.actor): commitment.cost
        for commitment in commitments
        if commitment.hard
    }
    for r in hard.itertuples():
        if r.largest > cost[r.term, r.actor] / 2:
            yield (
                f"Breaking {r.term} would gain {r.actor} as much as {r.largest:.3g}, more than "
                f"half of the cost ({PROHIBITIVE_LOG_ODDS:g} / precision) that stands for its "
                "being kept: a lower precision would make this exact."
            )
    if drift > DRIFT:
        yield (
            f"With costs in place of the hard terms payoffs differ by up to {drift:.1g}: the "
            "principal branch leads to another of several equilibria, whose gains these are."
        )
