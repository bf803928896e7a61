"""Sample histories from a solution: one row for each move, belief by belief.

Histories are drawn side by side, in batches (see `histories`): neither the number of draws nor that
of a batch changes a history.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from detente.arguments import MOST_DRAWS, whole
from detente.dtypes import Ints
from detente.errors import expect
from detente.game.periods import check_periods
from detente.simulation.histories import BATCH, Histories, Step
from detente.simulation.names import action_names
from detente.solver.solution import Solution


def sample(
    solution: Solution, *, draws: int, rng: np.random.Generator, periods: int | None = None
) -> pd.DataFrame:
    """Histories drawn from a solution.

    The beliefs of a history are exact posteriors, not grid nodes: strategies are interpolated
    between nodes, linearly, so that frequencies agree with the forecast up to the
    discretisation error.

    Parameters
    ----------
    draws
        Number of histories. Draw i has its own random stream, spawned from `rng`: it is the same
        whatever the number of draws.
    rng
        Explicit source of randomness.
    periods
        How many periods of a game without end to draw; by default as many as `forecast` reports.

    Returns
    -------
    DataFrame
        `draw, t, period, turn, actor, action` (chance has no actor, and its events as action), a
        column for each state variable (its label after the turn), the true type of each informed
        actor then, `belief ACTOR TYPE`, the public belief about it after the turn, and for each
        outcome `happened OUTCOME`, whether it has come about by then. Where several actors choose
        at the same time each has a row, all with the same state and beliefs. The first row of a
        draw (t = 0) is the start. Where nobody moves, and chance changes nothing that is seen or
        believed, there is no row.

    Raises
    ------
    ScenarioError
        If `periods` is given for a game that ends.
    ValueError, TypeError
        If `draws` is no whole number from 1 to ten million, or `periods` no number of periods.
    """
    expect(solution, Solution, "sample")
    batches = sample_batches(solution, draws=draws, rng=rng, periods=periods)
    return pd.concat(batches, ignore_index=True)


def sample_batches(
    solution: Solution, *, draws: int, rng: np.random.Generator, periods: int | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of `sample`, table by table of some whole histories, as they are drawn.

    What has been drawn is not kept: any number of histories takes the same memory.
    """
    expect(solution, Solution, "sample_batches")
    whole("draws", draws, 1, MOST_DRAWS)
    check_periods(solution.game.scenario, periods)
    return (
        _Batch(Histories(solution, rng.spawn(min(BATCH, draws - first)), periods), first).table()
        for first in range(0, draws, BATCH)
    )


class _Batch:
    """The rows of histories that are drawn side by side, for many histories at a time.

    rows
        The history of each row, and its cells.
    """

    def __init__(self, histories: Histories, first: int) -> None:
        self.histories, self.game, self.first = histories, histories.game, first
        self.rows: list[tuple[Ints, dict[str, object]]] = []
        self.believed = list(histories.public)

    def table(self) -> pd.DataFrame:
        """Play them to the end; their rows, one history after the other."""
        self._add(np.arange(self.histories.x.size), 0, 0, "", "")
        for step in self.histories.play():
            self._add_step(step)
        numbers = np.concatenate([h for h, _ in self.rows])
        order = np.argsort(numbers, kind="stable")
        columns: dict[str, list[object]] = {"draw": (self.first + numbers[order]).tolist()}
        for name in self.rows[0][1]:
            parts = [np.broadcast_to(np.asarray(cells[name]), h.shape) for h, cells in self.rows]
            columns[name] = np.concatenate(parts)[order].tolist()
        return pd.DataFrame(columns)

    def _add_step(self, step: Step) -> None:
        """The rows of one layer."""
        n, layer = step.n, self.game.layers[step.n]
        before, self.believed = self.believed, list(self.histories.public)
        for m, i in enumerate(layer.movers):
            own = layer.action[step.e, m]
            actor = self.game.actors[i].key
            names, position, share = action_names(self.game, actor)
            first = np.searchsorted(position, own)
            name = first + (step.moves[m].within / share[first]).astype(np.int64)
            actions = np.array(names, dtype=object)
            self._add(np.flatnonzero(own >= 0), step.t, n + 1, actor, actions[name])
        if not layer.movers:
            after = self.game.structure.sets[n + 1][step.after]
            changed = after != layer.states[step.before]
            if layer.private is not None:
                i = layer.private.actor
                changed |= np.any(self.believed[i] != before[i], axis=0)
            self._add(np.flatnonzero(changed), step.t, n + 1, "", layer.event)

    def _add(self, h: Ints, t: int, n: int, who: str, what: object) -> None:
        """Rows for some of the histories after n layers of a period; `what` is for all, or [h]."""
        game = self.game
        actors = list(game.scenario.actors.values())
        levels = game.structure.levels(game.structure.sets[n][self.histories.x[h]])
        cells: dict[str, object] = {
            "t": t,
            "period": game.scenario.calendar.label(t) if n else "start",
            "turn": game.layers[n - 1].turn + 1 if n else 0,
            "actor": who,
            "action": what[h] if isinstance(what, np.ndarray) else what,
        }
        for v in game.structure.variables:
            labels = [v.label(level) for level in range(v.size)]
            cells[v.key] = np.array(labels, dtype=object)[levels[v.key]]
        for i in game.informed:
            kind = np.array(actors[i].types, dtype=object)
            cells[actors[i].key] = kind[game.profiles[self.histories.p[h], i]]
        for i in game.informed:
            for theta, name in enumerate(actors[i].types):
                cells[f"belief {actors[i].key} {name}"] = self.believed[i][theta, h]
        for key in game.holds:
            cells[f"happened {key}"] = self.histories.been(key)[h]
        self.rows.append((h, cells))
