"""`detente threshold`: what it would take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from detente.arguments import MOST_VALUES
from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import (
    Outcome,
    Payoff,
    Source,
    Within,
    check_packages,
    finite,
    given_type,
    refuse,
)
from detente.cli.options import PolicyOptions, SolvingOptions
from detente.cli.results import ResultOptions
from detente.errors import Diagnostic, Place, Severity

if TYPE_CHECKING:
    from detente.analysis.query import Query
    from detente.analysis.threshold_result import Threshold, ThresholdMap
    from detente.scenario.model import Scenario

NEEDED = {"scipy": "SciPy", "contourpy": "contourpy"}
"""Packages by the name under which they are imported: those of the extra `analysis`."""


@dataclass(frozen=True)
class QueryOptions:
    """Which number is asked about."""

    outcome: Outcome = None
    payoff: Payoff = None
    prefer: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="POLICY POLICY", help="Or two policies: which is preferred?"),
    ] = None
    actor: Annotated[
        str | None, typer.Option("--for", metavar="ACTOR", help="Whose preference.")
    ] = None
    at: Annotated[
        float | None,
        typer.Option(
            callback=finite, help="The level to be crossed: 0.5 for 50 %; 0 with --prefer."
        ),
    ] = None
    within: Within = None
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--given", metavar="ACTOR=TYPE", help="Condition on a true type (may be repeated)."
        ),
    ] = None

    def query(self, policy: str | None) -> Query:
        """As the library takes it."""
        from detente.analysis.query import Query

        types = dict(given_type(text) for text in self.types or ())
        return Query(self.outcome, self.payoff, self.prefer, self.actor, self.within, types, policy)


@dataclass(frozen=True)
class SearchOptions:
    """Where a crossing is looked for, and how closely."""

    low: Annotated[
        list[float] | None,
        typer.Option(
            "--from",
            callback=finite,
            help="Where to begin, instead of the range's end; one for each.",
        ),
    ] = None
    high: Annotated[
        list[float] | None, typer.Option("--to", callback=finite, help="Where to end.")
    ] = None
    points: Annotated[
        int, typer.Option(min=1, max=MOST_VALUES, help="Values of each parameter, evenly spaced.")
    ] = 9
    tolerance: Annotated[
        float | None, typer.Option(callback=finite, help="Width to which a jump is narrowed.")
    ] = None
    slopes: Annotated[
        bool, typer.Option("--slopes", help="Use exact derivatives at all values, too.")
    ] = False


@with_groups
def threshold(
    source: Source,
    *,
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter", "-p", help="The parameter that changes; give it twice for a map of two."
        ),
    ],
    asked: QueryOptions,
    search: SearchOptions,
    setting: PolicyOptions,
    solving: SolvingOptions,
    output: ResultOptions,
) -> None:
    """Find what it takes: where a probability is crossed, or a preference flips."""
    if len(parameter) > 2:
        refuse("--parameter", "too-many", "a curve has one parameter, a map two, not more")
    starts, ends = _ends("--from", search.low, parameter), _ends("--to", search.high, parameter)
    output.check([source])
    check_packages("detente threshold", "finding a threshold needs", NEEDED, "analysis")
    tolerance = search.tolerance
    if tolerance is not None and not tolerance > 0:
        refuse("--tolerance", "out-of-range", f"the tolerance is positive, not {tolerance:g}")
    scenario = setting.load(source)
    _warn_of_ranges(scenario, parameter, [starts, ends])
    solving.prepare(scenario)
    from detente.analysis import threshold as one
    from detente.analysis import threshold_map as two
    from detente.analysis.threshold_result import Interrupted
    from detente.describe.threshold import describe_threshold

    query = asked.query(setting.policy)
    found: Threshold | ThresholdMap
    try:
        with console.progress("Solving at one value after the other") as report:
            if len(parameter) == 2:
                found = two.threshold_map(
                    scenario,
                    (parameter[0], parameter[1]),
                    query,
                    solving.options(report),
                    at=asked.at,
                    low=(starts[0], starts[1]),
                    high=(ends[0], ends[1]),
                    points=search.points,
                )
            else:
                found = one.threshold(
                    scenario,
                    parameter[0],
                    query,
                    solving.options(report),
                    at=asked.at,
                    low=starts[0],
                    high=ends[0],
                    points=search.points,
                    tolerance=tolerance,
                    slopes=search.slopes,
                )
    except Interrupted as stopped:
        found = stopped.found
    if not found.complete:
        replace(output, plot=None).show(describe_threshold(found), [source])
        raise typer.Exit(130)
    output.show(describe_threshold(found), [source])


# ---- what is asked


def _ends(place: str, given: list[float] | None, parameters: list[str]) -> list[float | None]:
    """One end for each parameter; none given is that of its range."""
    if not given:
        return [None] * len(parameters)
    if len(given) != len(parameters):
        message = f"{len(given)} given for {len(parameters)} parameters"
        refuse(place, "wrong-number", message, "give one for each --parameter, in the same order")
    return [*given]


def _warn_of_ranges(
    scenario: Scenario, parameters: list[str], ends: list[list[float | None]]
) -> None:
    """Tell where it is looked beyond the range that the scenario gives."""
    ranges = {
        name: limits
        for one in scenario.parameters.values()
        for name, limits in zip(one.names(), one.ranges, strict=True)
    }
    found = []
    for name, *asked in zip(parameters, *ends, strict=True):
        limits = ranges.get(name)
        if limits and any(v is not None and not limits[0] <= v <= limits[1] for v in asked):
            message = f"`{name}` is looked at beyond its range [{limits[0]:g}, {limits[1]:g}]"
            place = Place("--from")
            found.append(Diagnostic(place, "out-of-range", message, severity=Severity.WARNING))
    console.print_diagnostics(found)
