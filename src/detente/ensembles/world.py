"""One world: the scenario at drawn values, solved under each policy, as rows of numbers.

A world's numbers depend on the record and on the draw alone, bit for bit: what a worker keeps from
one world for the next, enumerations, is made from the scenario's present values, and never from
another draw.

A row's status is that of its solve (`SOLVED`, `STAGE_FAILED`, …), or

- `INVALID`: the scenario is not well formed at these values (a `ScenarioError`);
- `REFUSED`: it could not be solved within limits (a `SolveError`);
- `FAULT`: anything else that was raised;
- `CRASHED`: the process that worked on it died (told by who started it).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from detente.ensembles.columns import input_column, outcome_column, payoff_column
from detente.ensembles.draws import Draw
from detente.ensembles.manifest import RunRecord
from detente.errors import ScenarioError, SolveError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, with_values
from detente.scenario.model import Scenario
from detente.simulation.forecast import ANY, conditions
from detente.simulation.forward import forward
from detente.solver.options import SolveOptions
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve
from detente.solver.workers import open_workers

Row = dict[str, object]

AUDITED = 5_000
"""Turn-state-belief points of a solve that the certificate recomputes: a sample of the sample that
a single solve has, as a run has many solves, and each takes its points anew."""

GAMES = 32
"""Enumerations that a worker keeps; of a large game each takes some 25 MiB."""


@dataclass(frozen=True, slots=True)
class _Base:
    """What a game was enumerated for: options, policy, and values that decide the states."""

    options: tuple[tuple[str, str], ...]
    policy: str
    structural: tuple[tuple[str, float], ...]


class Worker:
    """Solves the worlds of one run, one after the other, on one thread."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self._scenario = record.scenario()
        self._games: OrderedDict[_Base, CompiledGame] = OrderedDict()
        self._deciding: dict[tuple[tuple[tuple[str, str], ...], str], frozenset[str]] = {}
        # Only the options chosen decide a scenario; few of them fit together.
        self._with_options = lru_cache(maxsize=GAMES)(self._chosen)

    def solve(self, draw: Draw, beliefs: int) -> list[Row]:
        """The rows of a world, one for each policy; one that fails says so and why."""
        return [self._row(draw, policy, beliefs) for policy in self.record.policies]

    def _row(self, draw: Draw, policy: str, beliefs: int) -> Row:
        row = begin_row(draw, policy, beliefs)
        begin = time.perf_counter()
        try:
            row |= self._results(draw, policy, beliefs)
        except ScenarioError as error:
            row |= failed("INVALID", "; ".join(d.message for d in error.diagnostics))
        except SolveError as error:
            row |= failed("REFUSED", str(error).partition("\n")[0])
        except MemoryError:
            raise  # the process is not to be trusted any more: a fresh one tries again
        except Exception as error:
            row |= failed("FAULT", f"{type(error).__name__}: {error}")
        return row | {"seconds": time.perf_counter() - begin}

    def _results(self, draw: Draw, policy: str, beliefs: int) -> Row:
        game = self._game(draw, policy)
        options = SolveOptions(beliefs=beliefs or None, threads=1)
        solution = solve(game, options, regret=False, coarse=False, checked=AUDITED)
        told = {"status": solution.status.name, "residual": solution.certificate.residual}
        if solution.status is not Status.SOLVED:
            return failed(solution.status.name, solution.status.value) | told
        found = results(solution, self.record.periods, self.record.times)
        lost = [name for name, value in found.items() if not math.isfinite(value)]
        if lost:
            return failed("FAULT", f"not a finite number: {', '.join(lost[:3])}")
        return {**told, **found}

    def _chosen(self, options: tuple[tuple[str, str], ...]) -> Scenario:
        return self._scenario.with_options(dict(options)) if options else self._scenario

    def _game(self, draw: Draw, policy: str) -> CompiledGame:
        """The compiled game of a world."""
        # An option that is the file as it stands needs no scenario of its own.
        options = tuple(
            (name, option)
            for name, option in draw.options.items()
            if self._scenario.variants[name].options[option].changes
        )
        structural = self._structural(options, policy)
        deciding = tuple(
            (name, value)
            for name, value in draw.values.items()
            if name.partition(".")[0] in structural
        )
        base = self._enumerated(_Base(options, policy, deciding))
        others = {name: v for name, v in draw.values.items() if (name, v) not in deciding}
        return with_values(base, others)

    def _structural(self, options: tuple[tuple[str, str], ...], policy: str) -> frozenset[str]:
        """The parameters whose values decide which states there are."""
        key = options, policy
        if key not in self._deciding:
            plain = self._enumerated(_Base(options, policy, ()))
            self._deciding[key] = plain.structure.structural
        return self._deciding[key]

    def _enumerated(self, base: _Base) -> CompiledGame:
        """An enumeration, made at the present values but for those that decide its states.

        It is a game without its numbers, which would take as much memory again: `with_values`
        fills them in.
        """
        if base in self._games:
            self._games.move_to_end(base)
            return self._games[base]
        scenario = self._with_options(base.options)
        if base.structural:
            scenario = scenario.with_values(dict(base.structural))
        game = replace(compile_game(scenario, policy=base.policy), layers=(), flow=())
        self._games[base] = game
        if len(self._games) > GAMES:
            self._games.popitem(last=False)
        return game


def begin_row(draw: Draw, policy: str, beliefs: int) -> Row:
    """What is known of a row before it is worked on."""
    drawn: dict[str, float | str] = {**draw.values, **draw.options}
    inputs = {input_column(name): value for name, value in drawn.items()}
    return {"draw": draw.number, "policy": policy, "beliefs": beliefs, **failed("", ""), **inputs}


def failed(status: str, reason: str) -> Row:
    """The columns that tell that a row has no results, and why."""
    return {"status": status, "reason": reason, "seconds": None, "residual": None}


def results(solution: Solution, periods: int, times: Sequence[int]) -> dict[str, float]:
    """Probabilities of outcomes, overall and by the type of one actor, and payoffs."""
    game = solution.game
    with open_workers(1) as workers:
        run = forward(solution, workers, periods=None if game.loop is None else periods)
    found: dict[str, float] = {}
    for labels, weights in conditions(game):
        known = [(actor, kind) for actor, kind in labels.items() if kind != ANY]
        if len(known) > 1:
            continue
        for key in game.holds:
            happened = run.happened[key] @ weights
            for t in times:
                name = outcome_column(key, t, known[0] if known else None)
                # Where the number of periods is drawn, what has come about by the end stays so.
                found[name] = float(np.clip(happened[min(t, len(happened) - 1)], 0.0, 1.0))
    for (actor, kind), value in solution.payoffs.items():
        found[payoff_column(actor, kind)] = float(value)
    return found
