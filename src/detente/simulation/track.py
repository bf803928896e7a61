"""`track`: what a solution makes of a record of moves, as tidy tables.

A Bayesian filter (`detente.simulation.filter`) takes the forward pass through the record.
Chance that nobody reported is summed over, and so are the moves of those whose silence may mean
anything. What is observed is scored by the probability with which it was expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from detente.arguments import MOST_MISCODED, MOST_THREADS, finite, whole
from detente.dtypes import Floats
from detente.errors import Diagnostic, ScenarioError, expect, refuse
from detente.game.arrays import CompiledGame
from detente.game.periods import check_periods
from detente.notebook import InNotebook
from detente.scenario.observations import Record, read_record
from detente.simulation import track_tables as tables
from detente.simulation.channels import Channels
from detente.simulation.filter import Filter, Step, outcomes_given, prior_of
from detente.simulation.forward import (
    Forward,
    ForwardPass,
    forever_periods,
    forward,
    schedule,
)
from detente.simulation.observed import recorded
from detente.simulation.smoothing import smoothed
from detente.solver.discretisation import error_from
from detente.solver.solution import Solution
from detente.solver.workers import Progress, Workers, open_workers


@dataclass(frozen=True, eq=False)
class Track(InNotebook):
    """A record as a solution sees it: tidy tables, one row for each number.

    `step` counts observations in the order of play: dated moves, silence that means something,
    and readings. `line` is that of the record's file. Probabilities are plain numbers.

    moves
        `step, line, date, t, period, turn, actor, move, action, kind, probability, log_score,
        surprise, uniform, prior_only, as_recorded, reason`: each observation, with the probability
        with which it was expected given those before. `kind` is 'move', 'silence', 'reading', or
        'skipped' for what the model holds impossible. `log_score` is the natural logarithm of the
        probability, `surprise` the same in bits, with a plus. `uniform` is the probability given
        by a forecaster to whom all available actions are alike, `prior_only` that of the forecast
        made at the start, which learns nothing on the way. `as_recorded` is the probability, after
        a recorded move, that it is what was done: 1 where nothing is miscoded.
    expected
        `step, t, period, actor, action, probability, after`: what was expected of the turn, before
        it; and the probability, after it, that this is what was done.
    beliefs
        `step, t, period, about, type, probability, smoothed`: belief about each type after each
        observation; step 0 is the prior. `smoothed` is what is thought of that time now, given
        the whole record.
    periods
        `t, period, about, type, probability, smoothed, public, low, high` at the end of each
        period: the same; and what the public believes of the type, on average over what may have
        happened, with 10 % and 90 % quantiles. The public of the model has seen all moves, the
        record some of them, so that the mean of the one is the other, to the accuracy of the grid.
    states
        `step, t, period, variable, level, label, probability` after each dated line; step 0 is
        the end of the period.
    outcomes
        `t, period, outcome, happened, holds, before, held_before`: probability that the outcome
        has been by the end of the period, and that it holds then, given what the record has said
        until then; after the record's last period it is the forecast from there. `before` is
        `happened` as forecast at the start, `held_before` is `holds`.
    path
        `t, period, outcome, happened`: probability that the outcome has been by the end of the
        last period reported, as forecast at the end of period t given the record until then. None
        where it was not asked for.
    last, end
        The last period that the record covers, and the last one reported.
    miscoded
        How often a recorded move was held to be another one.
    coarse
        The same on the solution's coarser belief grid, from which errors are judged; or None.
    """

    solution: Solution
    record: Record
    moves: pd.DataFrame
    expected: pd.DataFrame
    beliefs: pd.DataFrame
    periods: pd.DataFrame
    states: pd.DataFrame
    outcomes: pd.DataFrame
    path: pd.DataFrame | None
    last: int
    end: int
    miscoded: float = 0.0
    coarse: Track | None = None

    @property
    def log_likelihood(self) -> float:
        """Of all that was observed and not skipped, readings too: natural logarithm."""
        return float(self.moves.loc[self.moves["kind"] != "skipped", "log_score"].sum())

    @property
    def scores(self) -> Mapping[str, float]:
        """Log score of dated moves and silence, added up: of the filter and of its rivals."""
        rows = self.moves[self.moves["kind"].isin(["move", "silence"])]
        with np.errstate(divide="ignore"):
            rivals = {name: float(np.log(rows[name]).sum()) for name in ("uniform", "prior_only")}
        return {"filter": float(rows["log_score"].sum()), **rivals}

    @property
    def errors(self) -> Mapping[str, float]:
        """The belief grid's, of any of the probabilities: empty without a coarser grid."""
        if self.coarse is None:
            return {}
        columns = {"moves": "probability", "beliefs": "probability", "outcomes": "happened"}
        changes = {
            name: (getattr(self, name)[key] - getattr(self.coarse, name)[key]).abs().max()
            for name, key in columns.items()
            if len(getattr(self, name))
        }
        return {name: float(error_from(change)) for name, change in changes.items()}

    @property
    def skipped(self) -> pd.DataFrame:
        """The rows of `moves` that the model holds impossible, with the reason."""
        return self.moves[self.moves["kind"] == "skipped"]

    def __repr__(self) -> str:
        counts = self.moves["kind"].value_counts()
        kinds = ", ".join(f"{counts[k]} {k}" for k in ("move", "silence", "reading") if k in counts)
        skipped = f"; {len(self.skipped)} skipped" if len(self.skipped) else ""
        name = self.solution.game.scenario.name
        return (
            f"<Track of {self.record.file!r} by {name!r}: {kinds or 'nothing observed'}{skipped}; "
            f"log score {self.log_likelihood:.2f}>"
        )

    def _main_table(self) -> pd.DataFrame:
        return self.moves


def track(
    solution: Solution,
    record: Record | str | Path,
    *,
    skip_impossible: bool = False,
    miscoded: float = 0.0,
    path: bool = False,
    periods: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Track:
    """Filter a record of moves through a solution.

    Parameters
    ----------
    solution
        As solved; where it has a coarser solution, the record is tracked by that as well.
    record
        As read, or what `read_record` takes: the path of a CSV file, or the name of a record of
        the library.
    skip_impossible
        Pass over what the model holds impossible, as if it were not known what was done then;
        otherwise it is an error.
    miscoded
        How often a recorded move is not what was done: then it is any other move that its actor
        has, as others see them, each as often. From 0 to `MOST_MISCODED`. Silence and what is
        read of the state are never mistaken.
    path
        Tell month by month what was forecast for the end: one pass more for each period covered.
    periods
        How many periods of a game without end to report.
    threads
        Threads to work with; all processors by default. Results do not depend on it.
    progress
        Called with the share of the work that is done, from 0 to 1.

    Raises
    ------
    ScenarioError
        For mistakes in the file, for every observation that the model holds impossible, and for
        `periods` below the record's last, or given for a game that ends.
    ValueError
        For `miscoded` that is no such share.
    """
    expect(solution, Solution, "track")
    game = solution.game
    check_periods(game.scenario, periods)
    whole("threads", threads, 1, MOST_THREADS)
    finite("miscoded", miscoded)
    if not 0 <= miscoded <= MOST_MISCODED:
        raise ValueError(f"`miscoded` is from 0 to {MOST_MISCODED:g}, not {miscoded}")
    if not isinstance(record, Record):
        record = read_record(record, game.scenario)
    end = periods
    if game.loop is not None:
        end = max(forever_periods(game), record.last) if periods is None else periods
        if end < record.last:
            message = f"the record goes to period {record.last}, beyond the {end} to be reported"
            refuse("periods", "out-of-range", message, f"give `periods={record.last}` or more")
    report = progress or (lambda _: None)
    with open_workers(threads) as workers:
        share = 0.1 if path else 0.5
        before = forward(solution, workers, periods=end, progress=lambda done: report(share * done))
        tracker = _Tracker(solution, record, workers, before, miscoded, path=path)
        ahead = 0.8 if game.changing else 1.0  # the rest looks back
        tracker.run(lambda done: report(share + (ahead - share) * done))
        tracker.look_back(lambda done: report(ahead + (1 - ahead) * done))
    impossible = [step for step in tracker.filter.steps if step.kind == "skipped"]
    if impossible and not skip_impossible:
        raise ScenarioError([_impossible(game, step) for step in impossible])
    coarse = None
    if solution.coarse is not None:
        coarse = track(
            solution.coarse,
            record,
            skip_impossible=True,
            miscoded=miscoded,
            periods=periods,
            threads=threads,
        )
    return replace(tracker.result(), coarse=coarse)


class _Tracker:
    """The pass given the record, and what is kept of it."""

    def __init__(
        self,
        solution: Solution,
        record: Record,
        workers: Workers,
        before: Forward,
        miscoded: float,
        *,
        path: bool,
    ) -> None:
        self.solution, self.record, self.before, self.path = solution, record, before, path
        self.workers, self.game = workers, solution.game
        self.channels = Channels(self.game)
        self.prior = prior_of(self.game)
        self.end = len(before.states) - 1
        # Where types change, mass is that of types as they are then, and has their probability.
        at_start = self.prior if self.game.changing else None
        self.weights = np.ones_like(self.prior) if self.game.changing else self.prior
        pass_ = ForwardPass(solution, self.channels, workers, at_start=at_start)
        self.filter = Filter(pass_, record, self.weights, miscoded)
        self.late: Floats | None = None
        self.given = [outcomes_given(pass_, self.weights, 0)]
        self.held: list[Floats] = [self.filter.by_state()]
        self.ahead: list[Mapping[str, tuple[float, float]]] = []

    def run(self, progress: Progress) -> None:
        """All periods; those that the record covers first."""
        moves = schedule(self.game, None if self.game.loop is None else self.end)
        blocks = [list(turns) for _, turns in groupby(moves, key=lambda move: move[0])]
        todo = self.end + (sum(self.end - t for t in range(1, self.record.last)) * self.path)
        done = 0
        for t, turns in enumerate(blocks, start=1):
            for _, n in turns:
                self.filter.play(t, n)
            n = turns[-1][1] + 1
            self.filter.close(t, n)
            self._record(n)
            done += 1
            progress(done / todo)
            if self.path and t <= self.record.last:
                self.ahead.append(self._look_ahead(blocks[t:]))
                done += len(blocks) - t
                progress(min(done / todo, 1.0))

    def look_back(self, progress: Progress) -> None:
        """What is thought, by the end of the record, of types that may have changed since."""
        if not self.game.changing:
            return
        told = [known for known in self.filter.told if known.t <= self.record.last]
        self.late = smoothed(self.solution, told, self.prior, self.workers, progress)

    def _late(self) -> tuple[list[Floats], list[Floats]]:
        """The types given the whole record, [p]: at the start and each step, and after periods."""
        steps, told = self.filter.steps, self.filter.told
        if self.late is None:  # what types are at the end they have been all along
            by_now = steps[-1].profiles if steps else self.prior
            return [by_now] * (len(steps) + 1), [by_now] * (self.end + 1)
        rows = {(known.t, known.n): k for k, known in enumerate(told, start=1)}
        by_step = [self.late[rows[step.t, step.layer]] for step in steps]
        closing = {known.t: k for k, known in enumerate(told, start=1)}
        by_period = [self.late[closing[t]] for t in range(1, self.record.last + 1)]
        return [self.late[0], *by_step], [self.late[0], *by_period]

    def _record(self, n: int) -> None:
        pass_ = self.filter.pass_
        pass_.record(n)
        self.given.append(outcomes_given(pass_, self.weights, n))
        held = pass_.by_state[-1][:, :, 0] @ self.weights
        self.held.append(held / held.sum())

    def _look_ahead(self, blocks: list[list[tuple[int, int]]]) -> Mapping[str, tuple[float, float]]:
        """Outcomes by the end, as the present mass has it, with nothing more observed."""
        if not blocks:
            return self.given[-1]
        pass_ = ForwardPass(self.solution, self.channels, self.workers)
        pass_.go_on_from(self.filter.pass_.mass)
        for turns in blocks:
            for t, n in turns:
                pass_.play(t, n)
        last = len(self.game.layers)
        pass_.record(last)
        return outcomes_given(pass_, self.weights, last)

    def result(self) -> Track:
        """Everything as tables."""
        game, steps = self.game, self.filter.steps
        before = {
            key: (self.before.happened[key] @ self.prior, self.before.holding[key] @ self.prior)
            for key in game.holds
        }
        outcomes = [
            (t, game.label(t), key, been, now, *(float(numbers[t]) for numbers in before[key]))
            for t, given in enumerate(self.given)
            for key, (been, now) in given.items()
        ]
        by_step, by_period = self._late()
        return Track(
            solution=self.solution,
            record=self.record,
            moves=tables.moves_table(game, steps, self._prior_only),
            expected=tables.expected_table(game, steps),
            beliefs=tables.beliefs_table(game, self.prior, steps, by_step),
            periods=tables.periods_table(self.filter.pass_, self.weights, by_period),
            states=tables.states_table(game, steps, self.held),
            outcomes=tables.table("t period outcome happened holds before held_before", outcomes),
            path=self._path() if self.path else None,
            last=self.record.last,
            end=self.end,
            miscoded=self.filter.miscoded,
        )

    def _prior_only(self, step: Step) -> float:
        """What the forecast made at the start expected of an observation."""
        if step.actor < 0:
            holds = self.filter.holds(step.entry, step.layer + 1, step.t)
            before = self._before_after(step) @ self.prior
            return float(before[holds].sum() / before.sum())
        k = self.before.moves.index((step.t, step.layer))
        weight = self.before.acted[k] @ self.prior
        layer = self.game.layers[step.layer]
        m = layer.movers.index(step.actor)
        own = recorded(self.game, layer, m, step.entry, self.filter.miscoded)
        return float(weight @ own / weight.sum())

    def _before_after(self, step: Step) -> Floats:
        """Where the forecast made at the start had the state after a layer, float64 [x, p]."""
        following = step.t, step.layer + 1
        if following not in self.before.moves:  # it is the period's last
            return self.before.states[step.t]
        acted = self.before.acted[self.before.moves.index(following)]
        begin = self.game.layers[step.layer + 1].action_ptr[:-1]
        return np.asarray(np.add.reduceat(acted, begin, axis=0))

    def _path(self) -> pd.DataFrame:
        start = {key: float(been[-1] @ self.prior) for key, been in self.before.happened.items()}
        forecasts = [start, *({key: been for key, (been, _) in a.items()} for a in self.ahead)]
        rows = [
            (t, self.game.label(t), key, been)
            for t, forecast in enumerate(forecasts)
            for key, been in forecast.items()
        ]
        return tables.table("t period outcome happened", rows)


def _impossible(game: CompiledGame, step: Step) -> Diagnostic:
    """An observation that the model holds impossible, as a mistake in the record."""
    hint = "skip it (`skip_impossible=True`), or give the line another meaning"
    return Diagnostic(step.entry.place, "impossible", why_impossible(game, step), hint)


def why_impossible(game: CompiledGame, step: Step) -> str:
    """What was impossible, when, and why, in a sentence."""
    entry, period = step.entry, game.label(step.t)
    if step.actor < 0:
        when = f"after {entry.event} in" if entry.event else "the end of"
        return f"{when} {period}: `{entry.label}` is impossible: {step.reason}"
    what = f"silence ({entry.label})" if entry.t == 0 else f"`{entry.label}`"
    return f"{game.actors[step.actor].key} in {period}: {what} is impossible: {step.reason}"
