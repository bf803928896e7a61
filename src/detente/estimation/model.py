"""A scenario with a panel as a statistical model: its log-likelihood and exact gradient.

Units that differ only in covariates which neither the enumeration nor constants depend on are
solved together (`detente.game.panel`); records that say the same are counted once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detente.dtypes import Floats, Ints
from detente.errors import Diagnostic, Place, ScenarioError
from detente.estimation.evidence import Evidence, evidence
from detente.estimation.likelihood import Likelihood, log_likelihood
from detente.estimation.units import Panel, Unit
from detente.game.arrays import CompiledGame
from detente.game.compile import compile_game, fill_game
from detente.game.gradient import unit_gradients
from detente.game.panel import common_covariates, stack
from detente.game.structure import Structure
from detente.scenario.model import Scenario
from detente.scenario.observations import Record
from detente.solver.beliefs import BeliefGrid, belief_grid
from detente.solver.options import SolveOptions
from detente.solver.solution import Status
from detente.solver.solve import solve
from detente.solver.workers import Workers

ROOM = 2**24
"""Numbers of values that the units which are solved together may take at a layer."""

MOST_RECORDS = 64
"""Records of one game whose likelihoods are carried at a time."""


class Wall(Exception):  # noqa: N818 - no mistake: the optimiser turns back
    """Parameters at which there is no likelihood: the reason, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A log-likelihood, its gradient by the free parameters, float64 [q], and scores of units.

    `scores` is float64 [unit, q], where they were asked for; units are in the panel's order.
    """

    log_likelihood: float
    gradient: Floats
    scores: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Units that are solved in one call.

    scenario
        With the covariates that all of them share.
    game
        The compiled game of one of them, whose structure all share.
    names, columns
        What the units are called, and their covariates, float64 [u]; no columns for one unit.
    cells
        For each unit its distinct records, as many for each.
    weights
        float64 [u, r]: how often each is in the panel; 0 for those that fill up a unit's.
    members
        For each unit and record the positions in the panel.
    grid
        Of beliefs, of one kind all along.
    structure, seen
        The enumeration of all its units, and what the records say of it.
    miscoded
        How often a recorded move is another one.
    """

    scenario: Scenario
    game: CompiledGame
    names: tuple[str, ...]
    columns: Mapping[str, Floats]
    cells: tuple[tuple[Record, ...], ...]
    weights: Floats
    members: tuple[tuple[Ints, ...], ...]
    grid: BeliefGrid

    structure: Structure
    seen: Evidence
    miscoded: float = 0.0

    def compiled(self, values: Mapping[str, float]) -> tuple[CompiledGame, Evidence]:
        """The game of all its units at other values, and what the records say of it.

        Raises
        ------
        Wall
            Where there is none.
        """
        try:
            scenario = self.scenario.with_values(values)
            game = fill_game(scenario, self.game.policy, self.structure)
            if game is not None:
                return game, self.seen
            again = compile_game(scenario, policy=self.game.policy)
            structure = _of_all(again.structure, self.names, self.columns)
            game = fill_game(scenario, again.policy, structure)
        except ScenarioError as error:
            raise Wall(error.diagnostics[0].message) from error
        if game is None:
            raise Wall("a transition is possible in some units and not in others")
        return game, evidence(game, self.cells, self.miscoded)


def _of_all(structure: Structure, names: Sequence[str], columns: Mapping[str, Floats]) -> Structure:
    """The enumeration of all units of a batch."""
    return stack(structure, names, columns) if columns else structure


class Model:
    """A panel's log-likelihood as a function of the free parameters.

    `miscoded` is how often a recorded move is another one, as `track` has it.
    """

    def __init__(
        self,
        scenario: Scenario,
        panel: Panel,
        free: Sequence[str],
        options: SolveOptions,
        *,
        policy: str | None = None,
        miscoded: float = 0.0,
    ) -> None:
        self.scenario, self.panel, self.free = scenario, panel, tuple(free)
        self.options = replace(options, progress=None)
        self.batches = tuple(_batches(scenario, panel, policy, options, miscoded))

    def at(self, values: Mapping[str, float], workers: Workers, *, scores: bool = False) -> Point:
        """The log-likelihood at values of parameters, and its gradient by the free ones.

        Raises
        ------
        Wall
            Where the scenario refuses the values, a unit is not solved, or a record is impossible.
        """
        total, gradient = 0.0, np.zeros(len(self.free))
        by_unit = np.zeros((len(self.panel.units), len(self.free)))
        for batch, game, columns, result in self._likelihoods(values, workers, by_unit=scores):
            assert result.gradient is not None
            total += float((batch.weights[:, columns] * result.logs).sum())
            slopes = unit_gradients(game, result.gradient)
            table = np.stack([slopes[name] for name in self.free], axis=1)
            gradient += table.sum(axis=0)
            for own, row in zip(batch.members, table, strict=False) if scores else ():
                if columns.start < len(own):
                    members = own[columns.start]
                    by_unit[members] = row / len(members)
        return Point(total, gradient, by_unit if scores else None)

    def logs(self, values: Mapping[str, float], workers: Workers) -> Floats:
        """The log-likelihood of each unit, float64 [unit]; 0 for those of which nothing is known.

        Raises
        ------
        Wall
            As `at`.
        """
        logs = np.zeros(len(self.panel.units))
        for batch, _, columns, result in self._likelihoods(values, workers, slopes=False):
            for own, row in zip(batch.members, result.logs, strict=True):
                for members, value in zip(own[columns], row, strict=False):
                    logs[members] = value
        return logs

    def _likelihoods(
        self,
        values: Mapping[str, float],
        workers: Workers,
        *,
        by_unit: bool = False,
        slopes: bool = True,
    ) -> Iterator[tuple[Batch, CompiledGame, slice, Likelihood]]:
        """Of each batch its game and, for some of its records at a time, what they say."""
        for batch in self.batches:
            game, seen = batch.compiled(values)
            solution = solve(
                game, self.options, regret=False, coarse=False, checked=1, like=batch.grid
            )
            if solution.status is not Status.SOLVED:
                raise Wall(f"{solution.status.value} ({_units(batch)})")
            for part, columns in _portions(seen, by_unit):
                weights = batch.weights[:, columns]
                result = log_likelihood(
                    solution, part, weights, workers, by_unit=by_unit, slopes=slopes
                )
                if not np.isfinite(result.logs).all():
                    raise Wall(f"a record is impossible ({_units(batch)})")
                yield batch, game, columns, result


def _units(batch: Batch) -> str:
    more = f" and {len(batch.names) - 1} more" if len(batch.names) > 1 else ""
    return f"unit {batch.names[0]}{more}"


def _portions(seen: Evidence, single: bool) -> Iterator[tuple[Evidence, slice]]:
    """The evidence of some records at a time, or of each one by itself."""
    step = 1 if single else MOST_RECORDS
    for first in range(0, seen.records, step):
        columns = slice(first, min(first + step, seen.records))
        yield seen.only(columns), columns


def content(record: Record) -> tuple[object, ...]:
    """What a record says to the model: records that say the same are as likely."""
    moves = [(e.t, e.turn, e.actor, e.actions) for e in record.entries if e.actions]
    reads = [(e.t, e.event, e.condition.text) for e in record.entries if e.condition is not None]
    silence = [(actor, entry.actions) for actor, entry in record.silence.items()]
    standing = [(e.event, e.condition.text) for e in record.standing if e.condition is not None]
    return tuple(moves), tuple(reads), tuple(silence), tuple(standing), record.last


Where = tuple[float, ...]
"""The covariates of a unit."""

Cell = dict[tuple[object, ...], list[int]]
"""By content of a record the positions in the panel of the units of which it is."""


def _batches(
    scenario: Scenario,
    panel: Panel,
    policy: str | None,
    options: SolveOptions,
    miscoded: float,
) -> Iterator[Batch]:
    """The panel as batches."""
    base = compile_game(scenario, policy=policy)
    shared = sorted(common_covariates(base))
    varied = [key for key in scenario.covariates if key not in shared]
    groups: dict[Where, list[int]] = {}
    for k, unit in enumerate(panel.units):
        key = tuple(_covariates(scenario, unit)[name] for name in shared)
        groups.setdefault(key, []).append(k)
    for key, positions in groups.items():
        own = scenario.with_values(dict(zip(shared, key, strict=True))) if shared else scenario
        game = compile_game(own, policy=policy) if shared else base
        cells: dict[Where, Cell] = {}
        for k in positions:
            unit = panel.units[k]
            if unit.record.last or unit.record.standing:
                where = tuple(_covariates(scenario, unit)[name] for name in varied)
                cells.setdefault(where, {}).setdefault(content(unit.record), []).append(k)
        grid = belief_grid(game, options.points(game))
        places = sorted(cells, key=lambda at: len(cells[at]))
        for portion in _portioned(game, grid, [(at, len(cells[at])) for at in places]):
            own_cells = {at: cells[at] for at in portion}
            yield _batch(game, panel, varied, own_cells, grid, miscoded)


def _portioned(
    game: CompiledGame, grid: BeliefGrid, cells: Sequence[tuple[Where, int]]
) -> Iterator[list[Where]]:
    """Units to be solved together; cells come by their number of records, the fewest first."""
    widest = max(codes.size for codes in game.structure.sets) * grid.size
    portion: list[Where] = []
    for at, records in cells:
        columns = game.profiles.size + min(records, MOST_RECORDS) * len(game.profiles)
        # Without end each unit's branch is followed by itself.
        alone = game.loop is not None
        if portion and (alone or (len(portion) + 1) * widest * columns > ROOM):
            yield portion
            portion = []
        portion.append(at)
    yield from [portion] if portion else []


def _batch(
    game: CompiledGame,
    panel: Panel,
    varied: Sequence[str],
    cells: Mapping[Where, Cell],
    grid: BeliefGrid,
    miscoded: float,
) -> Batch:
    members = [[np.array(own) for own in records.values()] for records in cells.values()]
    names = tuple(panel.units[own[0][0]].name for own in members)
    columns = {name: np.array([at[k] for at in cells]) for k, name in enumerate(varied)}
    structure = _of_all(game.structure, names, columns)
    most = max(map(len, members))
    padded = [[*own, *[own[0]] * (most - len(own))] for own in members]
    records = tuple(tuple(panel.units[m[0]].record for m in own) for own in padded)
    weights = [[float(len(m)) for m in own] + [0.0] * (most - len(own)) for own in members]
    filled = fill_game(game.scenario, game.policy, structure)
    if filled is None:
        message = "a transition is possible in some units and not in others"
        raise ScenarioError([Diagnostic(Place(panel.files[-1]), "structure", message)])
    return Batch(
        scenario=game.scenario,
        game=game,
        names=names,
        columns=columns,
        cells=records,
        weights=np.array(weights),
        members=tuple(map(tuple, members)),
        grid=grid,
        structure=structure,
        seen=evidence(filled, records, miscoded),
        miscoded=miscoded,
    )


def _covariates(scenario: Scenario, unit: Unit) -> dict[str, float]:
    """A unit's covariates; those of the scenario where no table gives any."""
    return {key: unit.covariates.get(key, c.value) for key, c in scenario.covariates.items()}
