"""The tables of a track, from what its filter kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detente.game.arrays import CompiledGame
from detente.simulation.filter import Step, counts_of
from detente.simulation.forecast import period_label, quantiles
from detente.simulation.forward import ForwardPass
from detente.solver.solution import Solution

Floats = NDArray[np.float64]


def table(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a table that has its columns also where there are no rows."""
    return pd.DataFrame(list(rows), columns=list(columns))


def move_rows(
    game: CompiledGame, steps: Sequence[Step], prior_only: Callable[[Step], float]
) -> pd.DataFrame:
    """`Track.moves`."""
    actors = list(game.scenario.actors)
    rows = []
    for number, step in enumerate(steps, start=1):
        entry = step.entry
        with np.errstate(divide="ignore"):
            log = float(np.log(step.probability))
        rows.append(
            {
                "step": number,
                "line": entry.place.line,
                "date": entry.date if entry.t else "",
                "t": step.t,
                "period": period_label(game, step.t),
                "turn": step.turn + 1,
                "actor": actors[step.actor] if step.actor >= 0 else "",
                "move": entry.move if entry.t else "",
                "action": entry.label,
                "kind": step.kind,
                "probability": step.probability,
                "log_score": log,
                "surprise": -log / np.log(2.0),
                "uniform": step.uniform,
                "prior_only": prior_only(step),
                "reason": step.reason,
            }
        )
    columns = "step line date t period turn actor move action kind probability log_score surprise"
    return table(rows, [*columns.split(), "uniform", "prior_only", "reason"])


def expected_rows(game: CompiledGame, steps: Sequence[Step]) -> pd.DataFrame:
    """`Track.expected`."""
    actors = list(game.scenario.actors)
    rows = [
        {
            "step": number,
            "t": step.t,
            "period": period_label(game, step.t),
            "actor": actors[step.actor],
            "action": action,
            "probability": float(p),
        }
        for number, step in enumerate(steps, start=1)
        if step.actor >= 0
        for action, p in zip(game.scenario.actions[actors[step.actor]], step.expected, strict=True)
    ]
    return table(rows, ("step", "t", "period", "actor", "action", "probability"))


def belief_rows(game: CompiledGame, profiles: Floats) -> Iterator[dict[str, Any]]:
    """Belief about each type of each informed actor, from that in type profiles [p]."""
    actors = list(game.scenario.actors.items())
    for i in game.informed:
        key, actor = actors[i]
        share = np.bincount(game.profiles[:, i], profiles, minlength=len(actor.types))
        for kind, p in zip(actor.types, share, strict=True):
            yield {"about": key, "type": kind, "probability": float(p)}


def period_rows(solution: Solution, pass_: ForwardPass, prior: Floats) -> pd.DataFrame:
    """`Track.periods`: what is believed, and what the public believes, at the end of periods."""
    game, grid = solution.game, solution.grid
    actors = list(game.scenario.actors.items())
    rows = []
    for t, mass in enumerate(pass_.by_belief):
        profiles = mass.sum(axis=0) * prior
        profiles /= profiles.sum()
        nodes = mass @ prior
        nodes /= nodes.sum()
        believed = list(belief_rows(game, profiles))
        for i in game.informed:
            key, actor = actors[i]
            about = counts_of(grid.position(i), nodes, grid.about[i].size)
            for theta, kind in enumerate(actor.types):
                value = grid.about[i].belief[:, theta]
                low, high = quantiles(value, about, (0.1, 0.9))
                own = next(r for r in believed if (r["about"], r["type"]) == (key, kind))
                rows.append(
                    {
                        "t": t,
                        "period": period_label(game, t),
                        **own,
                        "public": float(value @ about),
                        "low": low,
                        "high": high,
                    }
                )
    columns = "t period about type probability public low high"
    return table(rows, columns.split())


def state_rows(game: CompiledGame, steps: Sequence[Step], held: Sequence[Floats]) -> pd.DataFrame:
    """`Track.states`: of dated lines, then of the ends of periods, in the order of time."""
    sets = game.structure.sets
    ends = (0, *game.structure.period_sets)
    found = [
        (step.t, number, step.layer + 1, step.states)
        for number, step in enumerate(steps, start=1)
        if step.states is not None and step.entry.t
    ]
    found += [(t, 0, ends[min(t, len(ends) - 1)], states) for t, states in enumerate(held)]
    found.sort(key=lambda one: (one[0], one[1] == 0, one[1]))
    rows = []
    for t, number, n, states in found:
        levels, period = game.structure.levels(sets[n]), period_label(game, t)
        for variable in game.structure.variables:
            share = counts_of(levels[variable.key], states, variable.size)
            rows += [
                {
                    "step": number,
                    "t": t,
                    "period": period,
                    "variable": variable.key,
                    "level": level,
                    "label": variable.label(level),
                    "probability": float(p),
                }
                for level, p in enumerate(share)
            ]
    return table(rows, ("step", "t", "period", "variable", "level", "label", "probability"))
