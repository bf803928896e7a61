"""`detente compare`: policies side by side, for people and for programs."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detente.cli import console
from detente.cli.credibility import as_data as credibility_data
from detente.cli.groups import with_groups
from detente.cli.inputs import Against, Json, Policies, Source
from detente.cli.options import ForecastOptions, ScenarioOptions
from detente.cli.unsolved import tell_unsolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detente.analysis.compare import Comparison
    from detente.analysis.credibility import Credibility

NO_TERMS = "no terms"
"""What the policy '' is called."""

SAME = "≈"
"""Beside a number that cannot be told from the base's."""


@with_groups
def compare(
    source: Source,
    *,
    policies: Policies = None,
    against: Against = None,
    credible: Annotated[
        bool, typer.Option("--credibility", help="Tell also which terms would be kept.")
    ] = False,
    changes: ScenarioOptions,
    solving: ForecastOptions,
    as_json: Json = False,
) -> None:
    """Compare policies: outcomes, payoffs, first moves, and who prefers which."""
    scenario = changes.load(source)
    solving.prepare(scenario)
    from detente.analysis.compare import compare as solve_all

    with console.progress("Solving each policy") as report:
        options, periods = solving.options(report), solving.periods
        found = solve_all(scenario, policies, options, against=against, periods=periods)
    judged: dict[str, Credibility] = {}
    if credible:
        from detente.analysis.credibility import credibility

        announced = [p for p in found.forecasts if p and scenario.policies[p].terms]
        for policy in announced:
            with console.progress(f"Weighing the terms of {policy}") as report:
                options = solving.options(report)
                judged[policy] = credibility(scenario, policy, options, periods=periods)
    statuses = {policy or NO_TERMS: f.solution.status for policy, f in found.forecasts.items()}
    statuses |= {f"the terms of {policy}": one.status for policy, one in judged.items()}
    unsolved = tell_unsolved(statuses, text=not as_json)
    if as_json:
        data = as_data(found)
        if judged:
            data["credibility"] = {p: credibility_data(one) for p, one in judged.items()}
        console.print_json(data)
    else:
        print_comparison(found, judged)
    if unsolved:
        raise typer.Exit(1)


def print_comparison(found: Comparison, judged: Mapping[str, Credibility]) -> None:
    """What happens under each policy, what it is worth, who begins how, who prefers which.

    `judged` has what holds the terms of policies, where that was asked for.
    """
    console.print_text(found.scenario.title)
    letters = _letters(found)
    rows = []
    for policy, letter in letters.items():
        about = found.scenario.policies[policy].about if policy else ""
        base = " (base)" if policy == found.base else ""
        rows.append([letter, f"{policy or NO_TERMS}{base}", about])
    console.print_table(["", "policy", ""], rows)
    _print_outcomes(found, letters)
    _print_payoffs(found, letters)
    _print_first_moves(found, letters)
    _print_preferences(found, letters)
    if judged:
        _print_credibility(judged, letters)
    _print_quality(found, letters)


def as_data(found: Comparison) -> dict[str, Any]:
    """The same and the whole tables, ready for JSON."""
    scenario = found.scenario
    tables = ("outcomes", "payoffs", "first_moves", "preferences")
    return {
        "scenario": {
            "name": scenario.name,
            "title": scenario.title,
            "sha256": scenario.sha256,
            "overrides": dict(scenario.overrides),
            "options": dict(scenario.options),
        },
        "base": found.base,
        "policies": {
            policy: {
                "status": told.solution.status.name,
                "message": told.solution.status.value,
                "beliefs": list(told.solution.grid.points),
            }
            for policy, told in found.forecasts.items()
        },
        "efficient": list(found.efficient),
        **{name: console.records(getattr(found, name)) for name in tables},
    }


def _letters(found: Comparison) -> dict[str, str]:
    """A short name for each policy."""
    many = len(found.forecasts) > len(ascii_uppercase)
    names = [str(n + 1) if many else ascii_uppercase[n % 26] for n in range(len(found.forecasts))]
    return dict(zip(found.forecasts, names, strict=True))


def _print_outcomes(found: Comparison, letters: dict[str, str]) -> None:
    from detente.simulation.wording import mark_labels, marks, percent

    told = found.forecasts[found.base]
    times = marks(told)
    for t, label in zip(times, mark_labels(told.solution.game, times), strict=True):
        at = found.outcomes[found.outcomes["t"] == t]
        if at.empty:
            return
        console.print_heading(f"What happens: probability that it has come about within {label}")
        known = at[at["policy"] == found.base].set_index("outcome")["error"]
        cells = {}
        for r in at.itertuples():
            digits = 1 if max(r.error, known[r.outcome]) < 0.0005 else 0
            change = _change(r, found.base, 100 * r.difference, digits)
            cells[r.outcome, r.policy] = f"{percent(r.happened, r.error)}{change}"
        rows = [
            [key, *(cells[key, policy] for policy in letters)] for key in found.scenario.outcomes
        ]
        console.print_table(["outcome", *letters.values()], rows, numbers=1)


def _print_payoffs(found: Comparison, letters: dict[str, str]) -> None:
    console.print_heading("What it is worth: expected payoff")
    cells: dict[tuple[str, str], list[str]] = {}
    known = found.payoffs[found.payoffs["policy"] == found.base]
    errors = known.set_index(["actor", "type"])["error"]
    for r in found.payoffs.itertuples():
        digits = 3 if r.error < 5e-4 else 2
        both = 3 if max(r.error, errors[r.actor, r.type]) < 5e-4 else 2
        change = _change(r, found.base, r.difference, both)
        cells.setdefault((r.actor, r.type), []).append(f"{r.payoff:.{digits}f}{change}")
    actors = found.scenario.actors
    rows = [[actors[actor].name, kind, *row] for (actor, kind), row in cells.items()]
    console.print_table(["actor", "type", *letters.values()], rows, numbers=2)


def _change(row: Any, base: str, difference: float, digits: int) -> str:
    """The difference from the base in parentheses; that it cannot be told from it, by a sign."""
    if row.policy == base:
        return ""
    if not row.distinguishable:
        return f" ({SAME})"
    least = 10.0**-digits
    if abs(difference) < 0.5 * least:  # it is distinguishable: no zero
        return f" ({'-' if difference < 0 else '+'}<{least:g})"
    return f" ({difference:+.{digits}f})"


def _print_first_moves(found: Comparison, letters: dict[str, str]) -> None:
    from detente.simulation.wording import percent

    if found.first_moves.empty:
        return
    console.print_heading("Who does what first")
    actors = found.scenario.actors
    cells: dict[tuple[str, str, str], dict[str, float]] = {}
    for r in found.first_moves.itertuples():
        cells.setdefault((r.actor, r.type, r.action), {})[r.policy] = r.share
    rows = []
    for (actor, kind, action), shares in cells.items():
        if any(share > 0 for share in shares.values()):
            told = [percent(shares[p], 1.0) if shares.get(p, 0) > 0 else "–" for p in letters]
            rows.append([actors[actor].name, kind, action, *told])
    console.print_table(["actor", "type", "action", *letters.values()], rows, numbers=3)


def _print_preferences(found: Comparison, letters: dict[str, str]) -> None:
    if len(letters) < 2:
        return
    console.print_heading("Who prefers which policy")
    actors = found.scenario.actors
    rows = []
    for (actor, kind), mine in found.preferences.groupby(["actor", "type"], sort=False):
        best = [letters[r.policy] for r in mine.itertuples() if r.tied]
        rest = [letters[r.policy] for r in mine.itertuples() if not r.tied]
        rows.append([actors[actor].name, kind, f" {SAME} ".join(best), ", ".join(rest)])
    console.print_table(["actor", "type", "best", "then, in this order"], rows)
    listed = ", ".join(letters[policy] for policy in found.efficient)
    console.print_text(
        f"Efficient: {listed}. No other policy gives some actor's type more than these do and none "
        "less.",
        indent=2,
    )


def _print_credibility(judged: Mapping[str, Credibility], letters: dict[str, str]) -> None:
    from detente.simulation.forecast import ANY
    from detente.simulation.wording import percent

    console.print_heading("Which terms would be kept")
    rows = []
    for policy, one in judged.items():
        for term, verdict in one.verdicts.items():
            rows.append([letters[policy], term, verdict.value])
        last = one.soft[(one.soft["actor"] == ANY) & (one.soft["t"] == one.periods)]
        for r in last.itertuples():
            told = f"soft: broken with a probability of {percent(r.broken, r.error)}"
            rows.append([letters[policy], r.term, told])
    console.print_table(["", "term", ""], rows)


def _print_quality(found: Comparison, letters: dict[str, str]) -> None:
    console.print_heading("How to read it, and how good it is")
    outcome, payoff = (
        float(table["error"].max(skipna=False)) if len(table) else 0.0
        for table in (found.outcomes, found.payoffs)
    )
    lines = [
        f"In parentheses: the difference from {letters[found.base]}, of probabilities in points "
        f"of 100; {SAME} where it is not distinguishable, being smaller than the errors of both "
        "solves together.",
        f"A belief grid half as fine changes outcome probabilities by up to {outcome:.1g}, payoffs "
        f"by up to {payoff:.1g}.",
        "Payoffs compare policies for one actor's type, never actors with each other. Terms "
        "without a cost are kept by assumption: `detente credibility` tells which would be kept "
        "without it.",
    ]
    statuses = {p: told.solution.status for p, told in found.forecasts.items()}
    if found.solved:
        lines.insert(0, f"All {next(iter(statuses.values())).value}.")
    else:
        unsolved = {p: s for p, s in statuses.items() if s.name != "SOLVED"}
        lines[:0] = [f"{letters[p]} is {status.value}." for p, status in unsolved.items()]
    for line in lines:
        console.print_text(line, indent=2)
