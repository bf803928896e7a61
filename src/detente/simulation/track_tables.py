"""The tables of a track, from what its filter kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from detente.dtypes import Floats
from detente.game.arrays import CompiledGame
from detente.simulation.filter import Step, counts_of
from detente.simulation.forward import ForwardPass
from detente.simulation.names import action_names
from detente.simulation.node_beliefs import quantiles


def table(columns: str, rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """Rows as a table that has its columns, written with spaces, also where there are no rows."""
    return pd.DataFrame(rows, columns=columns.split())


def moves_table(
    game: CompiledGame, steps: Sequence[Step], prior_only: Callable[[Step], float]
) -> pd.DataFrame:
    """`Track.moves`."""
    rows: list[tuple[object, ...]] = []
    for number, step in enumerate(steps, start=1):
        entry, dated = step.entry, bool(step.entry.t)
        with np.errstate(divide="ignore"):
            log = float(np.log(step.probability))
        when = number, entry.place.line, entry.date if dated else "", step.t, game.label(step.t)
        actor = game.actors[step.actor].key if step.actor >= 0 else entry.event
        what = step.turn + 1, actor, entry.move if dated else "", entry.label, step.kind
        scores = step.probability, log, -log / np.log(2.0), step.uniform, prior_only(step)
        rows.append((*when, *what, *scores, _as_recorded(game, step), step.reason))
    return table(
        "step line date t period turn actor move action kind probability log_score surprise "
        "uniform prior_only as_recorded reason",
        rows,
    )


def _as_recorded(game: CompiledGame, step: Step) -> float:
    """The probability, after a recorded move, that this is what was done; else not a number."""
    if step.kind != "move":
        return np.nan
    names = list(game.scenario.actions[game.actors[step.actor].key])
    return float(step.after[[names.index(action) for action in step.actions]].sum())


def expected_table(game: CompiledGame, steps: Sequence[Step]) -> pd.DataFrame:
    """`Track.expected`."""
    rows = []
    for number, step in enumerate(steps, start=1):
        if step.actor >= 0:
            actor, period = game.actors[step.actor].key, game.label(step.t)
            names, kind, part = action_names(game, actor)
            chances = zip(names, step.expected[kind] * part, step.after[kind] * part, strict=True)
            for action, p, after in chances:
                rows.append((number, step.t, period, actor, action, float(p), float(after)))
    return table("step t period actor action probability after", rows)


def beliefs_table(
    game: CompiledGame, prior: Floats, steps: Sequence[Step], late: Sequence[Floats]
) -> pd.DataFrame:
    """`Track.beliefs`: of the prior, and after each step; `late` are the same by now, each [p]."""
    believed = [(0, 0, prior), *((k, s.t, s.profiles) for k, s in enumerate(steps, start=1))]
    rows = [
        (number, t, game.label(t), game.actors[i].key, kind, p, by_now)
        for (number, t, profiles), known in zip(believed, late, strict=True)
        for (i, kind, p), (_, _, by_now) in zip(
            _beliefs(game, profiles), _beliefs(game, known), strict=True
        )
    ]
    return table("step t period about type probability smoothed", rows)


def _beliefs(game: CompiledGame, profiles: Floats) -> Iterator[tuple[int, str, float]]:
    """Belief about each type of each informed actor, from that in type profiles [p]."""
    for i in game.informed:
        share = counts_of(game.profiles[:, i], profiles, game.priors[i].size)
        for kind, p in zip(game.actors[i].types, share.tolist(), strict=True):
            yield i, kind, p


def periods_table(pass_: ForwardPass, prior: Floats, late: Sequence[Floats]) -> pd.DataFrame:
    """`Track.periods`: what is believed, and what the public believes, at the end of periods.

    `late`, each [p], is what is thought of them by now; of those that it lacks that is the same.
    """
    game, grid = pass_.solution.game, pass_.solution.grid
    rows = []
    for t, mass in enumerate(pass_.by_belief):
        profiles, nodes = mass.sum(axis=0) * prior, mass @ prior
        profiles, nodes = profiles / profiles.sum(), nodes / nodes.sum()
        by_now = _beliefs(game, late[t] if t < len(late) else profiles)
        for (i, kind, p), (_, _, known) in zip(_beliefs(game, profiles), by_now, strict=True):
            value = grid.told(i)[:, game.actors[i].types.index(kind)]
            about = nodes  # at all nodes, or at those of the belief about i
            if game.lift is None:
                about = counts_of(grid.position(i), nodes, value.size)
            # What the public believes is p on average, from which nodes drift (`belief_table`).
            value = np.clip(value + (p - value @ about), 0.0, 1.0)
            spread = quantiles(value, about, (0.1, 0.9)).tolist()
            rows.append((t, game.label(t), game.actors[i].key, kind, p, known, p, *spread))
    return table("t period about type probability smoothed public low high", rows)


def states_table(game: CompiledGame, steps: Sequence[Step], held: Sequence[Floats]) -> pd.DataFrame:
    """`Track.states`: of dated lines, then of the ends of periods, in the order of time."""
    ends = (0, *game.structure.period_sets)
    known = [
        (step.t, number, step.layer + 1, step.states)
        for number, step in enumerate(steps, start=1)
        if step.states is not None and step.entry.t
    ]
    known += [(t, 0, ends[min(t, len(ends) - 1)], states) for t, states in enumerate(held)]
    known.sort(key=lambda entry: (entry[0], entry[1] == 0, entry[1]))
    rows = []
    for t, number, n, states in known:
        levels = game.structure.levels(game.structure.sets[n])
        for v in game.structure.variables:
            for level, p in enumerate(counts_of(levels[v.key], states, v.size).tolist()):
                rows.append((number, t, game.label(t), v.key, level, v.label(level), p))
    return table("step t period variable level label probability", rows)
