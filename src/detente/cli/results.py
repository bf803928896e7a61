"""A forecast for people, and the same for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import groupby, product
from operator import itemgetter
from typing import Any

import numpy as np

from detente import __version__
from detente.cli.console import print_changed, print_heading, print_table, print_text
from detente.scenario.entities import FOREVER
from detente.simulation.first_moves import first_moves
from detente.simulation.forecast import ANY, Forecast, overall
from detente.simulation.table import Table
from detente.simulation.wording import (
    mark_labels,
    marks,
    outcome_error,
    percent,
    quality,
    span,
)


def print_forecast(result: Forecast) -> None:
    """What happens first, then how good the answer is."""
    game = result.solution.game
    scenario = game.scenario
    print_text(scenario.title)
    policy = f"policy: {game.policy}" if game.policy else "no terms announced"
    print_text(f"{span(result)}; {policy}")
    print_changed(scenario.changed)
    _print_outcomes(result)
    _print_first_moves(result)
    _print_beliefs(result)
    _print_state(result)
    _print_payoffs(result)
    _print_quality(result)


def as_data(result: Forecast) -> dict[str, Any]:
    """Everything that `print_forecast` tells and the whole tables, ready for JSON."""
    solution = result.solution
    game = solution.game
    certificate = solution.certificate
    tables = {name: _records(table) for name, table in result.tables.items()}
    return {
        "scenario": {
            "name": game.scenario.name,
            "title": game.scenario.title,
            "sha256": game.scenario.sha256,
            "overrides": dict(game.scenario.overrides),
            "options": dict(game.scenario.options),
            "policy": game.policy,
            "periods": FOREVER if game.loop is not None else game.periods,
        },
        "run": {
            "detente": __version__,
            "periods": result.periods,
            "beliefs": [simplex.steps + 1 for simplex in solution.grid.about],
            "nodes": list(solution.grid.shape),
            "threads": solution.threads,
            "seconds": round(solution.seconds, 3),
        },
        "status": {
            "code": solution.status.name,
            "message": solution.status.value,
            "notes": list(solution.notes),
        },
        "certificate": {
            "residual": certificate.residual,
            "value_error": certificate.value_error,
            "checked": certificate.checked,
            "nodes": certificate.nodes,
            "regret_beliefs": list(certificate.regret_points),
            "change": certificate.change,
            "forward_error": result.forward_error,
            "discretisation": {
                "payoffs": _number(solution.discretisation_error),
                "outcomes": _number(outcome_error(result)),
            },
            "branches": asdict(solution.branches),
        },
        **tables,
    }


def _print_outcomes(result: Forecast) -> None:
    game = result.solution.game
    if not game.holds:
        return
    times = marks(result)
    print_heading("What happens: probability that it has come about within")
    table = overall(game, result.tables["outcomes"])
    rows = []
    for key, outcome in game.scenario.outcomes.items():
        mine = table.where(outcome=key)
        at = mine[np.searchsorted(mine["t"], times)]
        error = float(np.max(at["error"]))  # not known where one is not
        cells = [percent(happened, error) for happened in at["happened"]]
        rows.append([key, *cells, outcome.about])
    print_table(["outcome", *mark_labels(game, times), ""], rows, numbers=1, text=len(times) + 1)


def _print_first_moves(result: Forecast) -> None:
    game = result.solution.game
    moves = first_moves(result)
    if not len(moves):
        return
    print_heading("Who does what first")
    error = outcome_error(result)
    rows = []
    for (when, key, kind), given in groupby(moves.rows(), itemgetter("period", "actor", "type")):
        shares = sorted((r for r in given if r["share"] > 0), key=lambda r: -r["share"])
        told = [f"{r['action']} {percent(r['share'], error)}" for r in shares]
        rows.append([when, game.scenario.actors[key].name, kind, ", ".join(told)])
    print_table(["when", "actor", "type", "actions"], rows)


def _print_beliefs(result: Forecast) -> None:
    game = result.solution.game
    if not game.informed:
        return
    times = marks(result)
    actors = list(game.scenario.actors.values())
    print_heading("How beliefs move: mean over histories (one history in ten below – above)")
    rows = []
    for i in game.informed:
        actor = actors[i]
        # Of two types the belief about one says all.
        told = actor.types[:1] if len(actor.types) == 2 else actor.types
        for believed, truth in product(told, actor.types):
            true = {actors[j].key: truth if j == i else ANY for j in game.informed}
            given = result.tables["beliefs"].where(about=actor.key, type=believed).where(**true)
            start, *later = given[np.searchsorted(given["t"], [0, *times])].rows()
            cells = [percent(start["mean"])]
            for r in later:
                cells.append(f"{r['mean']:.0%} ({r['low']:.0%} – {r['high']:.0%})")
            rows.append([f"{actor.name} is {believed}", f"it is {truth}", *cells])
    header = ["belief that", "when in truth", "start", *mark_labels(game, times)]
    print_table(header, rows, numbers=2)


def _print_state(result: Forecast) -> None:
    game = result.solution.game
    if not game.structure.variables:
        return
    times = [0, *marks(result)]
    print_heading("Where things stand: most likely level at the end")
    table = overall(game, result.tables["states"])
    rows = []
    for variable in game.structure.variables:
        cells = []
        for t in times:
            at = table.where(variable=variable.key, t=t)
            top = int(np.argmax(at["probability"]))
            label = str(at["label"][top])
            cells.append(f"{label} ({at['probability'][top]:.0%})" if t else label)
        rows.append([variable.key, *cells])
    print_table(["variable", "start", *mark_labels(game, times[1:])], rows, numbers=1)


def _print_payoffs(result: Forecast) -> None:
    print_heading("What it is worth: expected payoff, and what a best response would add")
    actors = result.solution.game.scenario.actors
    rows = []
    for r in result.tables["payoffs"].rows():
        error = 0.0 if math.isnan(r["error"]) else r["error"]
        digits = 3 if error < 5e-4 else 2 if error < 5e-3 else 1
        regret = "" if math.isnan(r["regret"]) else f"{r['regret']:.{digits}f}"
        rows.append([actors[r["actor"]].name, r["type"], f"{r['payoff']:.{digits}f}", regret])
    print_table(["actor", "type", "payoff", "regret"], rows, numbers=2)


def _records(table: Table) -> list[dict[str, Any]]:
    """The rows of a table; what is missing is None."""
    return [{k: None if v != v else v for k, v in row.items()} for row in table.rows()]


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _print_quality(result: Forecast) -> None:
    print_heading("How good the answer is")
    *lines, last = quality(result)
    solution = result.solution
    last = f"{last[:-1]}; {solution.seconds:.1f} s on {solution.threads} threads."
    for line in (*lines, last):
        print_text(line, indent=2)
