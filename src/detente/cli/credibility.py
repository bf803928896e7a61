"""`detente credibility`: what holds the terms of a policy, for people and for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import Json, Policy, Source, check_packages, finite, refuse
from detente.cli.options import ForecastOptions, ScenarioOptions
from detente.cli.unsolved import tell_unsolved

if TYPE_CHECKING:
    from detente.analysis.credibility import Credibility
    from detente.analysis.enforcement_cost import HoldCost


@with_groups
def credibility(
    source: Source,
    *,
    policy: Policy = None,
    term: Annotated[
        str | None,
        typer.Option(
            "--hold", metavar="TERM", help="Find the smallest cost at which this term holds."
        ),
    ] = None,
    probability: Annotated[
        float | None,
        typer.Option(callback=finite, help="With which it is to hold; 0.9 by default."),
    ] = None,
    changes: ScenarioOptions,
    solving: ForecastOptions,
    as_json: Json = False,
) -> None:
    """Tell which terms would be kept, what breaking them would gain, what would hold them."""
    scenario = changes.load(source)
    if probability is not None and term is None:
        message = "it goes with a term that is to hold"
        refuse("--probability", "missing", message, "name the term: --hold TERM")
    if probability is not None and not 0 < probability < 1:
        message = f"a probability is between 0 and 1, not {probability:g}"
        refuse("--probability", "out-of-range", message)
    if term is not None:
        check_packages("--hold", "finding the cost needs", {"scipy": "SciPy"}, "analysis")
    solving.prepare(scenario)
    from detente.analysis.credibility import credibility as judge

    held: HoldCost | None = None
    periods = solving.periods
    if term is not None:
        from detente.analysis.enforcement_cost import PROBABILITY, hold_cost

        with console.progress("Looking for the cost") as report:
            least = PROBABILITY if probability is None else probability
            options = solving.options(report)
            held = hold_cost(scenario, term, least, options, policy=policy, periods=periods)
    with console.progress("Weighing the terms") as report:
        found = judge(scenario, policy, solving.options(report), periods=periods)
    statuses = {"": found.status}
    if held is not None:
        statuses[f"what would hold {held.term}"] = held.status
    unsolved = tell_unsolved(statuses, text=not as_json)
    if as_json:
        data = as_data(found)
        if held is not None:
            data["hold"] = hold_data(held)
        console.print_json(data)
    else:
        print_credibility(found)
        if held is not None:
            print_hold(held)
    if unsolved:
        raise typer.Exit(1)


def print_credibility(found: Credibility) -> None:
    """What breaking hard terms would gain, how often soft ones are broken, how to read it."""
    console.print_text(found.scenario.title)
    console.print_text(f"policy: {found.policy}")
    _print_hard(found)
    _print_soft(found)
    _print_reading(found)


def print_hold(held: HoldCost) -> None:
    """The cost at which a term holds."""
    from detente.analysis.enforcement_cost import Hold

    console.print_heading(f"What would hold {held.term} with a probability of {held.probability:g}")
    if held.found is Hold.FOUND:
        digits = _digits(held.error)
        text = (
            f"A cost of {held.cost:.{digits}f} ± {max(held.error, 10.0**-digits):.{digits}f}, "
            "instead of what stands in the file"
        )
    elif held.found is Hold.NOT_NEEDED:
        text = "No cost is needed"
    else:
        text = f"No cost suffices: at any, it is never broken with a probability of {held.kept:.2g}"
    console.print_text(
        f"{text}. Without any it is never broken with a probability of {held.kept_free:.2g}.",
        indent=2,
    )


def as_data(found: Credibility) -> dict[str, Any]:
    """The same and the whole tables, ready for JSON."""
    scenario, solution = found.scenario, found.solution
    return {
        "scenario": {
            "name": scenario.name,
            "title": scenario.title,
            "sha256": scenario.sha256,
            "overrides": dict(scenario.overrides),
            "options": dict(scenario.options),
            "policy": found.policy,
            "periods": found.periods,
        },
        "status": {"code": found.status.name, "message": found.status.value},
        "beliefs": list(solution.grid.points),
        "drift": found.drift,
        "notes": list(found.notes),
        "verdicts": {
            term: {"code": verdict.name, "message": verdict.value}
            for term, verdict in found.verdicts.items()
        },
        "hard": console.records(found.hard),
        "hard_over_time": console.records(found.hard_over_time),
        "soft": console.records(found.soft),
    }


def hold_data(held: HoldCost) -> dict[str, Any]:
    """The cost at which a term holds, ready for JSON."""
    known = {key: None if math.isnan(x) else x for key, x in _numbers(held).items()}
    return {
        "term": held.term,
        "policy": held.policy,
        "probability": held.probability,
        "found": {"code": held.found.name, "message": held.found.value},
        **known,
        "status": held.status.name,
        "solves": held.solves,
    }


def _numbers(held: HoldCost) -> dict[str, float]:
    return {
        "cost": held.cost,
        "error": held.error,
        "kept": held.kept,
        "kept_free": held.kept_free,
    }


def _print_hard(found: Credibility) -> None:
    from detente.simulation.wording import percent

    if found.hard.empty:
        return
    console.print_heading("Hard terms: what breaking them once would gain")
    actors = found.scenario.actors
    rows = []
    for r in found.hard.itertuples():
        never = math.isnan(r.gain)
        rows.append(
            [
                r.term,
                actors[r.actor].name,
                r.type,
                f"{r.binds:.1f}",
                "" if never else f"{r.gain:+.{_digits(r.gain_error)}f}",
                "" if math.isnan(r.largest) else f"{r.largest:+.{_digits(r.largest_error)}f}",
                r.worst,
                "" if never else percent(r.tempted, 1.0),
            ]
        )
    header = ["term", "actor", "type", "turns", "mean", "most", "when", "tempted"]
    console.print_table(header, rows, numbers=3)
    for term, verdict in found.verdicts.items():
        rows = found.hard[(found.hard["term"] == term) & (found.hard["first"] != "")]
        since = "" if rows.empty else f", for the first time in {rows['first'].min()}"
        console.print_text(f"{term}: {verdict.value}{since}.", indent=2)


def _print_soft(found: Credibility) -> None:
    from detente.simulation.forecast import ANY
    from detente.simulation.wording import mark_labels, marks_within, percent

    if found.soft.empty:
        return
    times = marks_within(found.periods, found.scenario.calendar.unit)
    labels = mark_labels(found.solution.game, times)
    console.print_heading("Soft terms: probability that they have been broken within")
    actors = found.scenario.actors
    rows = []
    for (term, actor, kind), mine in found.soft.groupby(["term", "actor", "type"], sort=False):
        bound = {who for who, _ in found.scenario.terms[term].forbids}
        if actor == ANY and len(bound) == 1 and not actors[next(iter(bound))].types:
            continue  # the row of the one who is bound says the same
        at = mine.set_index("t")
        cells = [percent(at.loc[t, "broken"], at.loc[t, "error"]) for t in times]
        name = "any" if actor == ANY else actors[actor].name
        row = [term, name, "" if kind == ANY else kind, *cells]
        rows.append([*row, f"{at.loc[found.periods, 'breaches']:.2f}"])
    console.print_table(["term", "actor", "type", *labels, "breaches"], rows, numbers=3)


def _print_reading(found: Credibility) -> None:
    from detente.analysis.deviation_gains import REACHED

    console.print_heading("How to read it, and how good it is")
    lines = []
    if not found.hard.empty:
        lines += [
            "Turns: at how many the term is expected to bind, in that something is forbidden by it "
            "alone. Mean, most: what the best breach would gain there against the best of what is "
            "allowed, in the actor's payoff from then on, with all terms in force again; most: "
            f"wherever play goes with a probability above {REACHED:g}, in the period named. "
            "Tempted: the share of these turns at which it would gain.",
            "After a breach the public believes what a tremble makes it believe: that it was "
            "rather the type that would gain more by it.",
            f"Payoffs differ by {found.drift:.1g} at most from those with terms that cannot be "
            "broken.",
        ]
    if not found.soft.empty:
        lines.append("Breaches: how many are expected over all of the periods told.")
    lines += [f"{found.status.value[0].upper()}{found.status.value[1:]}.", *found.notes]
    for line in lines:
        console.print_text(line, indent=2)


def _digits(error: float) -> int:
    """Decimals that an error leaves."""
    return 3 if error < 5e-4 else 2
