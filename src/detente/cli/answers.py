"""Answers beyond the forecast, for people and for programs: other equilibria, sensitivity."""

from __future__ import annotations

import math
from typing import Any

from detente.analysis.other_equilibria import Search
from detente.analysis.sensitivity import Sensitivity
from detente.cli.console import print_heading, print_table, print_text, records


def print_search(found: Search) -> None:
    """How far outcomes differ between the equilibria found."""
    print_heading(f"Other equilibria, looked for from {found.starts} starts")
    others = len(found.equilibria) - 1
    if not others:
        text = "None was found: every start led to the forecast above"
    else:
        text = f"{others} found besides the one above (the principal branch)"
    lost = f"; {found.failed} starts led to none" if found.failed else ""
    print_text(f"{text}{lost}. That there are no more is not shown.", indent=2)
    if others:
        rows = [
            [r.outcome, _probability(r.principal), _probability(r.low), _probability(r.high)]
            for r in found.spread.itertuples()
        ]
        print_table(["outcome", "above", "lowest", "highest"], rows, numbers=1)


def search_data(found: Search) -> dict[str, Any]:
    """The same and the whole tables, ready for JSON."""
    return {
        "starts": found.starts,
        "failed": found.failed,
        "equilibria": records(found.equilibria),
        "outcomes": records(found.outcomes),
        "payoffs": records(found.payoffs),
        "spread": records(found.spread),
    }


def print_sensitivity(found: Sensitivity, top: int) -> None:
    """The assumptions in order of what their ranges are worth."""
    scenario = found.solution.game.scenario
    print_text(scenario.title)
    print_text(f"What decides {found.about} ({found.value:.4g} at the present values)")
    print_heading("Assumptions by what their range is worth")
    about = {
        name: parameter.about
        for parameter in scenario.parameters.values()
        for name in parameter.names()
    }
    rows = []
    for r in found.table.head(top).itertuples():
        known = not math.isnan(r.low)
        rows.append(
            [
                r.parameter,
                f"{r.value:g}",
                f"{r.low:g} to {r.high:g}" if known else "",
                f"{r.derivative:+.3g}",
                "" if math.isnan(r.elasticity) else f"{r.elasticity:+.2f}",
                f"{r.swing:+.3g}" if known else "",
                about[r.parameter] + (f" ({r.note})" if r.note else ""),
            ]
        )
    header = ["parameter", "value", "range", "derivative", "elasticity", "x range", ""]
    print_table(header, rows, numbers=1, text=6)
    left = len(found.table) - len(rows)
    if left > 0:
        print_text(f"and {left} more (--top {len(found.table)}, or --json).", indent=2)
    print_heading("How to read it")
    print_text(
        "Derivatives are exact for the model as solved, at the present values of all assumptions: "
        "everybody's play answers to the change. Elasticity: per cent for one per cent of the "
        "parameter. x range: the derivative times the width of the range, what the assumption is "
        "worth if the answer went on as it does here; far from here it need not.",
        indent=2,
    )
    print_text(
        f"{found.solution.status.value[0].upper()}{found.solution.status.value[1:]}.", indent=2
    )


def sensitivity_data(found: Sensitivity) -> dict[str, Any]:
    """The same, ready for JSON."""
    return {
        "scenario": found.solution.game.scenario.name,
        "about": found.about,
        "value": found.value,
        "status": found.solution.status.name,
        "parameters": records(found.table),
    }


def _probability(value: float) -> str:
    return f"{100 * value:.1f} %"
