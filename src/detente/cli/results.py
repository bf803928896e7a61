"""A forecast for people, and the same for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np

from detente import __version__
from detente.analysis.compare import first_moves
from detente.cli.console import print_changed, print_heading, print_table, print_text, records
from detente.scenario.values import FOREVER
from detente.simulation.forecast import ANY, Forecast, overall
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
    tables = {
        name: records(getattr(result, name))
        for name in ("outcomes", "states", "actions", "payoffs", "beliefs")
    }
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
    table = overall(game, result.outcomes).set_index(["outcome", "t"])
    rows = []
    for key, outcome in game.scenario.outcomes.items():
        at = [table.loc[(key, t)] for t in times]
        error = float(np.max([row["error"] for row in at]))  # not known where one is not
        cells = [percent(row["happened"], error) for row in at]
        rows.append([key, *cells, outcome.about])
    print_table(["outcome", *mark_labels(game, times), ""], rows, numbers=1, text=len(times) + 1)


def _print_first_moves(result: Forecast) -> None:
    game = result.solution.game
    moves = first_moves(result)
    if moves.empty:
        return
    print_heading("Who does what first")
    error = outcome_error(result)
    rows = []
    for (t, _, key, kind), given in moves.groupby(["t", "turn", "actor", "type"], sort=False):
        shares = given[given["share"] > 0].sort_values("share", ascending=False, kind="stable")
        told = [f"{r.action} {percent(r.share, error)}" for r in shares.itertuples()]
        when = game.scenario.calendar.label(int(t))
        rows.append([when, game.scenario.actors[key].name, kind, ", ".join(told)])
    print_table(["when", "actor", "type", "actions"], rows)


def _print_beliefs(result: Forecast) -> None:
    game = result.solution.game
    if not game.informed:
        return
    times = marks(result)
    print_heading("How beliefs move: mean over histories (one history in ten below – above)")
    rows = []
    for i in game.informed:
        actor = list(game.scenario.actors.values())[i]
        # Of two types the belief about one says all.
        told = actor.types[:1] if len(actor.types) == 2 else actor.types
        for believed, truth in product(told, actor.types):
            given = result.beliefs
            given = given[(given["about"] == actor.key) & (given["type"] == believed)]
            for j in game.informed:
                other = list(game.scenario.actors)[j]
                given = given[given[other] == (truth if j == i else ANY)]
            given = given.set_index("t")
            cells = [percent(given.loc[0, "mean"])]
            for t in times:
                r = given.loc[t]
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
    table = overall(game, result.states)
    rows = []
    for variable in game.structure.variables:
        mine = table[table["variable"] == variable.key]
        cells = []
        for t in times:
            at = mine[mine["t"] == t]
            top = at.loc[at["probability"].idxmax()]
            cells.append(f"{top['label']} ({top['probability']:.0%})" if t else str(top["label"]))
        rows.append([variable.key, *cells])
    print_table(["variable", "start", *mark_labels(game, times[1:])], rows, numbers=1)


def _print_payoffs(result: Forecast) -> None:
    print_heading("What it is worth: expected payoff, and what a best response would add")
    actors = result.solution.game.scenario.actors
    rows = []
    for r in result.payoffs.itertuples():
        error = 0.0 if np.isnan(r.error) else r.error
        digits = 3 if error < 5e-4 else 2 if error < 5e-3 else 1
        regret = "" if np.isnan(r.regret) else f"{r.regret:.{digits}f}"
        rows.append([actors[r.actor].name, r.type, f"{r.payoff:.{digits}f}", regret])
    print_table(["actor", "type", "payoff", "regret"], rows, numbers=2)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _print_quality(result: Forecast) -> None:
    print_heading("How good the answer is")
    *lines, last = quality(result)
    solution = result.solution
    last = f"{last[:-1]}; {solution.seconds:.1f} s on {solution.threads} threads."
    for line in (*lines, last):
        print_text(line, indent=2)
