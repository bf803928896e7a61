"""A worker: solves draws of a scenario under each policy, and makes rows of numbers of them.

A draw's numbers depend on the manifest and the draw alone, bit for bit: what a worker keeps from
one draw for the next, enumerations, is made from the scenario's present values, and never from
another draw.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from detente.ensembles.design import Draw, unranged
from detente.ensembles.manifest import Manifest
from detente.ensembles.rows import Row, Task, outcome_column, payoff_column
from detente.errors import ScenarioError, SolveError
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, with_values
from detente.scenario.ledger import PRECISION_FACTOR
from detente.scenario.model import Scenario
from detente.simulation.conditions import ANY, conditions
from detente.simulation.forward import forward
from detente.solver.certificate import CHECKED_OF_MANY
from detente.solver.options import SolveOptions
from detente.solver.solution import Solution, Status
from detente.solver.solve import solve
from detente.solver.workers import open_workers

GAMES = 32
"""Enumerations that a worker keeps; of a large game each takes some 25 MiB."""

Options = tuple[tuple[str, str], ...]
"""Variants and their options, as a key."""


class Worker:
    """Solves the draws of one run, one after the other, on one thread."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._scenario = manifest.scenario()
        self._unranged = frozenset(unranged(self._scenario))
        # Only the options chosen decide a scenario; few of them fit together.
        self._chosen = lru_cache(maxsize=GAMES)(self._with_options)
        self._enumerated = lru_cache(maxsize=GAMES)(self._enumerate)
        self._structural = lru_cache(maxsize=None)(self._deciding)

    def solve(self, task: Task) -> list[Row]:
        """The rows of a draw, one for each policy; one that fails says so and why."""
        return [self._row(task, policy) for policy in self.manifest.policies]

    def _row(self, task: Task, policy: str) -> Row:
        begin = time.perf_counter()
        try:
            row = task.row(policy) | self._results(task, policy)
        except ScenarioError as error:
            row = task.row(policy, "INVALID", "; ".join(d.message for d in error.diagnostics))
        except SolveError as error:
            row = task.row(policy, "REFUSED", str(error).partition("\n")[0])
        except MemoryError:
            raise  # the process is not to be trusted any more: a fresh one tries again
        except Exception as error:
            row = task.row(policy, "FAULT", f"{type(error).__name__}: {error}")
        return row | {"seconds": time.perf_counter() - begin}

    def _results(self, task: Task, policy: str) -> Row:
        manifest = self.manifest
        options = SolveOptions(task.beliefs or None, 1, manifest.memory_limit)
        game = self._game(task.draw, policy)
        solution = solve(game, options, regret=False, coarse=False, checked=CHECKED_OF_MANY)
        status = solution.status
        row: Row = {"status": status.name, "residual": solution.certificate.residual}
        if status is not Status.SOLVED:
            return {**row, "reason": status.value}
        numbers = results(solution, manifest.periods, manifest.times)
        lost = [name for name, value in numbers.items() if not math.isfinite(value)]
        if lost:
            return {"status": "FAULT", "reason": f"not a finite number: {', '.join(lost[:3])}"}
        return row | numbers

    def _game(self, draw: Draw, policy: str) -> CompiledGame:
        """The compiled game of a draw."""
        # An option that is the file as it stands needs no scenario of its own.
        options = tuple(
            (name, option)
            for name, option in draw.options.items()
            if self._scenario.variants[name].options[option].changes
        )
        structural = self._structural(options, policy)
        deciding = {k: v for k, v in draw.values.items() if k.partition(".")[0] in structural}
        others = {k: v for k, v in draw.values.items() if k not in deciding}
        factor = others.pop(PRECISION_FACTOR, 1.0)
        game = with_values(self._enumerated(options, policy, tuple(deciding.items())), others)
        actors = [actor.key in self._unranged for actor in game.actors]
        return replace(game, precision=np.where(actors, factor, 1.0) * game.precision)

    def _deciding(self, options: Options, policy: str) -> frozenset[str]:
        """The parameters whose values decide which states there are."""
        return self._enumerated(options, policy, ()).structure.structural

    def _enumerate(
        self, options: Options, policy: str, deciding: tuple[tuple[str, float], ...]
    ) -> CompiledGame:
        """An enumeration, made at the present values but for those that decide its states.

        It is a game without its numbers, which would take as much memory again: `with_values`
        fills them in.
        """
        scenario = self._chosen(options)
        if deciding:
            scenario = scenario.with_values(dict(deciding))
        return replace(compile_game(scenario, policy=policy), layers=(), flow=())

    def _with_options(self, options: Options) -> Scenario:
        return self._scenario.with_options(dict(options)) if options else self._scenario


def results(solution: Solution, periods: int, times: Sequence[int]) -> dict[str, float]:
    """Probabilities of outcomes, overall and by the type of one actor, and payoffs."""
    game = solution.game
    with open_workers(1) as workers:
        run = forward(solution, workers, periods=None if game.loop is None else periods)
    numbers: dict[str, float] = {}
    for labels, weights in conditions(game):
        known = [(actor, kind) for actor, kind in labels.items() if kind != ANY]
        if len(known) > 1:
            continue
        for key in game.holds:
            happened = run.happened[key] @ weights
            for t in times:
                name = outcome_column(key, t, known[0] if known else None)
                # Where the number of periods is drawn, what has come about by the end stays so.
                happened_by = happened[min(t, len(happened) - 1)]
                numbers[name] = float(np.clip(happened_by, 0.0, 1.0))
    for (actor, kind), value in solution.payoffs.items():
        numbers[payoff_column(actor, kind)] = float(value)
    return numbers
