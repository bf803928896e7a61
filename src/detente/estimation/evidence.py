"""What records say of the moves of a game, as weights of what may have happened.

The weight of a joint action is the probability with which it would have been recorded so: 1 or 0,
or something between where a recorded move may have been another one. Of a turn at which something
was observed, the joint actions are sorted by what the records make of them: those that no record
tells apart are one *class*. Classes are a handful where transitions may be many, and the values
after a turn are kept once for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detente.dtypes import Bools, Floats, Ints
from detente.game.arrays import CompiledGame, Layer
from detente.game.evaluate import evaluator_of
from detente.scenario.observations import Record
from detente.simulation.forward import schedule
from detente.simulation.observed import (
    moves_observed,
    never_read,
    readings_after,
    readings_at,
    recorded,
)

Cells = Sequence[Sequence[Record]]
"""For each unit of a panel its records, as many of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of each move k (a turn of a period, in order), for unit u and its record r.

    classes, allowed
        By move, where anything was observed: int64 [e] the class g of each joint action, and
        float64 [g, u, r]: the probability with which it would have been recorded so.
    held
        By move before which the state was read: float64 [x, r], 1 where
        all readings hold. x counts the states of all units.
    periods
        The last period of any record.
    """

    classes: Mapping[int, Ints]
    allowed: Mapping[int, Floats]
    held: Mapping[int, Floats]
    records: int
    periods: int

    def only(self, columns: slice) -> Evidence:
        """The same of some of the records."""
        return Evidence(
            self.classes,
            {n: may[:, :, columns] for n, may in self.allowed.items()},
            {n: holds[:, columns] for n, holds in self.held.items()},
            len(range(self.records)[columns]),
            self.periods,
        )


def evidence(game: CompiledGame, cells: Cells, miscoded: float = 0.0) -> Evidence:
    """What the records say of a panel; all units have as many records. `miscoded` is how often a
    recorded move is another one."""
    units, records = len(cells), len(cells[0])
    classes, allowed, held = {}, {}, {}
    periods = max(record.last for cell in cells for record in cell)
    for k, (t, n) in enumerate(schedule(game, max(periods, 1))):
        layer = game.layers[n]
        own = _first_unit(layer, units)
        table = np.ones((units, records, len(own.action)))
        for u, cell in enumerate(cells):
            for r, record in enumerate(cell):
                for m, entry in moves_observed(game, record, t, layer).items():
                    table[u, r] *= recorded(game, own, m, entry, miscoded)
        if not (table == 1).all():
            kinds, which = np.unique(
                table.reshape(units * records, -1).T, axis=0, return_inverse=True
            )
            classes[k] = np.tile(which.reshape(-1), units)
            allowed[k] = kinds.reshape(-1, units, records)
        holds = _readings(game, cells, n, t)
        if not holds.all():
            held[k + 1] = holds.astype(np.float64)
    return Evidence(classes, allowed, held, records, periods)


def _first_unit(layer: Layer, units: int) -> Layer:
    """The layer's joint actions of one unit; those of the others are alike."""
    return replace(layer, action=layer.action[: len(layer.action) // units])


def _readings(game: CompiledGame, cells: Cells, n: int, t: int) -> Bools:
    """Where what was read after layer n of period t holds, bool [x, r]."""
    codes = game.structure.sets[n + 1]
    holds = np.ones((len(cells), codes.size // len(cells), len(cells[0])), dtype=bool)
    at = evaluator_of(game.scenario, game.structure)
    for u, cell in enumerate(cells):
        own = codes.reshape(len(cells), -1)[u]
        for r, record in enumerate(cell):
            readings = readings_after(game, record, t, n)
            if game.ends_period[n]:
                readings += readings_at(record, t)
                holds[u, :, r] &= not never_read(game, record, t)
            for entry in readings:
                assert entry.condition is not None
                holds[u, :, r] &= at.holds(entry.condition, own, t)
    at.findings.refuse()
    return holds.reshape(codes.size, -1)
