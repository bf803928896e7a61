"""Panels drawn from a scenario: as many units as there are, each observed as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd

from detente.errors import Diagnostic, Place, ScenarioError, SolveError
from detente.estimation.units import Panel, Unit
from detente.game.compile import compile_game
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.parse import parse
from detente.scenario.model import Scenario
from detente.scenario.observations import READING, Observation, Record, scope_of
from detente.simulation.forward import forever_periods
from detente.simulation.sample import sample
from detente.solver.options import SolveOptions
from detente.solver.solution import Status
from detente.solver.solve import solve

FILE = "simulated"
"""What messages call the file of records that were drawn."""


def blank_panel(scenario: Scenario, units: int) -> Panel:
    """So many units of which every move would be observed, and nothing is known.

    Where play goes on forever, over as many periods as a forecast tells.
    """
    actors = {
        actor: _observation(t=0, actor=actor, actions=tuple(own))
        for actor, own in scenario.actions.items()
    }
    last = scenario.periods or forever_periods(compile_game(scenario))
    record = Record(FILE, (), actors, (), last)
    return Panel(tuple(Unit(str(k + 1), record) for k in range(units)), (FILE,))


@dataclass(frozen=True)
class Simulator:
    """Draws panels like one that was observed.

    Of each unit moves are observed up to the last period of its record, of those actors of whom
    the panel says what they did. Where a record reads the state at the end of a period, so is that
    of the history drawn, as far as the variables go that are read. With `miscoded` so often what
    is recorded of a move is another one, as `track` has it.
    """

    panel: Panel
    policy: str | None
    solving: SolveOptions
    miscoded: float = 0.0

    def __call__(self, scenario: Scenario, rng: np.random.Generator) -> Panel:
        """A panel of histories drawn from a scenario. Raises `SolveError` or `ScenarioError`."""
        groups: dict[tuple[float, ...], list[int]] = {}
        for k, unit in enumerate(self.panel.units):
            groups.setdefault(tuple(unit.covariates.values()), []).append(k)
        units = list(self.panel.units)
        for positions in groups.values():
            own = scenario.with_values(units[positions[0]].covariates)
            game = compile_game(own, policy=self.policy)
            solution = solve(game, self.solving, regret=False, coarse=False)
            if solution.status is not Status.SOLVED:
                raise SolveError(solution.status.value)
            periods = None
            if scenario.forever:
                periods = max(units[k].record.last for k in positions)
            table = sample(solution, draws=len(positions), rng=rng, periods=periods)
            for k, (_, rows) in zip(positions, table.groupby("draw"), strict=True):
                units[k] = replace(units[k], record=self._record(own, units[k].record, rows, rng))
        return replace(self.panel, units=tuple(units), files=(FILE,), warnings=())

    def _record(
        self, scenario: Scenario, model: Record, rows: pd.DataFrame, rng: np.random.Generator
    ) -> Record:
        """What would have been observed of a history, given by the rows of a sample."""
        entries = sorted(
            (*self._moves(scenario, model, rows, rng), *_readings(scenario, model, rows)),
            key=lambda entry: (entry.t, entry.turn < 0),
        )
        return Record(FILE, tuple(entries), {}, (), model.last)

    def _moves(
        self, scenario: Scenario, model: Record, rows: pd.DataFrame, rng: np.random.Generator
    ) -> Iterator[Observation]:
        # Observed is what all saw: any of the actions that look alike.
        alike = {
            (actor, name): tuple(key for key, other in own.items() if other.seen == action.seen)
            for actor, own in scenario.actions.items()
            for key, action in own.items()
            for name in (key, *action.members)
        }
        moves = rows[(rows["t"] > 0) & (rows["t"] <= model.last)]
        for t, turn, actor, name in moves[["t", "turn", "actor", "action"]].itertuples(index=False):
            if actor in self._observed:
                seen = alike[actor, name]
                others = sorted({looks for (who, _), looks in alike.items() if who == actor})
                others.remove(seen)
                if self.miscoded and others and rng.random() < self.miscoded:
                    seen = others[rng.integers(len(others))]
                yield _observation(t, actor, seen, turn - 1)

    @cached_property
    def _observed(self) -> frozenset[str]:
        """The actors of whom anything is known."""
        records = [unit.record for unit in self.panel.units]
        moves = (entry.actor for record in records for entry in record.entries if entry.actions)
        return frozenset(moves).union(*(record.silence for record in records))


def _observation(
    t: int,
    actor: str,
    actions: tuple[str, ...],
    turn: int = -1,
    condition: Formula | None = None,
    event: str = "",
) -> Observation:
    said = Place(FILE), str(t), t, turn, actor, "", actions, condition, "", ""
    return Observation(*said, silent=t == 0, event=event)


def _readings(scenario: Scenario, model: Record, rows: pd.DataFrame) -> Iterator[Observation]:
    """The state where it is read, in the variables that are read: at the ends of periods, and
    right after events."""
    read: dict[tuple[int, str, int], set[str]] = {}
    for t, entry in product(range(1, model.last + 1), model.standing):
        for k in range(max(len(_turns_of(scenario, entry.event)), 1)):
            read.setdefault((t, entry.event, k), set()).update(_variables(entry))
    lines: Counter[tuple[int, str]] = Counter()
    for entry in model.entries:
        if entry.condition is not None:
            several = len(_turns_of(scenario, entry.event)) > 1
            k = lines[entry.t, entry.event] if several else 0
            lines[entry.t, entry.event] += 1
            read.setdefault((entry.t, entry.event, k), set()).update(_variables(entry))
    for (t, event, k), names in read.items():
        before = rows["t"] <= t
        if event:
            turn, among = _turns_of(scenario, event)[k]
            later = list(scenario.turns[turn].events[among + 1 :])
            at = rows["turn"] == turn + 1
            now = (rows["turn"] <= turn + 1) & ~(at & rows["action"].isin(later))
            before = (rows["t"] < t) | ((rows["t"] == t) & now)
        row = rows[before].iloc[-1]
        text = " and ".join(f"{name} == {row[name]}" for name in sorted(names))
        problems: list[Diagnostic] = []
        condition = parse(text, Place(FILE), scope_of(scenario), READING, problems)
        if problems:
            raise ScenarioError(problems)
        yield _observation(t, "", (), condition=condition, event=event)


def _turns_of(scenario: Scenario, event: str) -> list[tuple[int, int]]:
    """The turns at which an event happens, and its place among the events of each."""
    return [
        (k, turn.events.index(event))
        for k, turn in enumerate(scenario.turns)
        if event in turn.events
    ]


def _variables(entry: Observation) -> frozenset[str]:
    return entry.condition.variables if entry.condition is not None else frozenset()
