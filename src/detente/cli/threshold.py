"""`detente threshold`: what it would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from detente.arguments import MOST_PERIODS, MOST_VALUES
from detente.cli import complete, console
from detente.cli.inputs import (
    Beliefs,
    Force,
    Horizon,
    Json,
    Memory,
    Policy,
    Set,
    Source,
    Threads,
    check_date,
    check_packages,
    finite,
    given_type,
    load_scenario,
    memory_limit,
    prepare_kernels,
    refuse,
)
from detente.cli.pictures import Plot, check_plot, draw
from detente.cli.unsolved import tell
from detente.errors import Diagnostic, Place, Severity

if TYPE_CHECKING:
    from detente.analysis.threshold_map import ThresholdMap
    from detente.analysis.threshold_result import Threshold
    from detente.scenario.model import Scenario

NEEDED = {"scipy": "SciPy", "contourpy": "contourpy"}
"""Packages by the name under which they are imported: those of the extra `analysis`."""


def threshold(
    source: Source,
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter", "-p", help="The parameter that changes; give it twice for a map of two."
        ),
    ],
    outcome: Annotated[
        str | None,
        typer.Option(
            help="The outcome whose probability is asked about.", autocompletion=complete.outcome
        ),
    ] = None,
    payoff: Annotated[str | None, typer.Option(help="Or the actor whose payoff is.")] = None,
    prefer: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="POLICY POLICY", help="Or two policies: which is preferred?"),
    ] = None,
    actor: Annotated[
        str | None, typer.Option("--for", metavar="ACTOR", help="Whose preference.")
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(
            callback=finite, help="The level to be crossed: 0.5 for 50 %; 0 with --prefer."
        ),
    ] = None,
    within: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_PERIODS, help="Periods within which it comes about; all by default."
        ),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="ACTOR=TYPE", help="Condition on a true type (may be repeated)."),
    ] = None,
    low: Annotated[
        list[float] | None,
        typer.Option(
            "--from",
            callback=finite,
            help="Where to begin, instead of the range's end; one for each.",
        ),
    ] = None,
    high: Annotated[
        list[float] | None, typer.Option("--to", callback=finite, help="Where to end.")
    ] = None,
    points: Annotated[
        int, typer.Option(min=1, max=MOST_VALUES, help="Values of each parameter, evenly spaced.")
    ] = 9,
    tolerance: Annotated[
        float | None, typer.Option(callback=finite, help="Width to which a jump is narrowed.")
    ] = None,
    slopes: Annotated[
        bool, typer.Option("--slopes", help="Use exact derivatives at all values, too.")
    ] = False,
    plot: Plot = None,
    force: Force = False,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    memory: Memory = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Find what it takes: where a probability is crossed, or a preference flips."""
    if len(parameter) > 2:
        refuse("--parameter", "too-many", "a curve has one parameter, a map two, not more")
    starts, ends = _ends("--from", low, parameter), _ends("--to", high, parameter)
    types = dict(given_type(text) for text in given or ())
    check_plot(plot, inputs=[source], force=force)
    check_packages("detente threshold", "finding a threshold needs", NEEDED, "analysis")
    if tolerance is not None and not tolerance > 0:
        refuse("--tolerance", "out-of-range", f"the tolerance is positive, not {tolerance:g}")
    scenario = load_scenario(source, values, horizon)
    check_date(scenario, "--within", within)
    _warn_of_ranges(scenario, parameter, [starts, ends])
    prepare_kernels(scenario)
    from detente.analysis import threshold as one
    from detente.analysis import threshold_map as two
    from detente.analysis.threshold_result import Interrupted
    from detente.cli.threshold_text import print_curve, print_map, threshold_data

    question: dict[str, Any] = {
        "outcome": outcome,
        "payoff": payoff,
        "prefer": prefer,
        "actor": actor,
        "at": at,
        "within": within,
        "types": types,
        "policy": policy,
        "points": points,
        "beliefs": beliefs,
        "threads": threads,
        "memory_limit": memory_limit(memory),
    }
    found: Threshold | ThresholdMap
    try:
        with console.progress("Solving at one value after the other") as report:
            if len(parameter) == 2:
                found = two.threshold_map(
                    scenario,
                    (parameter[0], parameter[1]),
                    low=(starts[0], starts[1]),
                    high=(ends[0], ends[1]),
                    progress=report,
                    **question,
                )
            else:
                found = one.threshold(
                    scenario,
                    parameter[0],
                    low=starts[0],
                    high=ends[0],
                    tolerance=tolerance,
                    slopes=slopes,
                    progress=report,
                    **question,
                )
    except (Interrupted, two.MapInterrupted) as stopped:
        found = stopped.found
    table = found.map if isinstance(found, two.ThresholdMap) else found.curve
    failed = int((~table["solved"].astype(bool)).sum())
    lost = [f"at {failed} of {len(table)} values"] if failed else []
    unsolved = tell(lost, text=not as_json)
    if as_json:
        console.print_json(threshold_data(found))
    elif isinstance(found, two.ThresholdMap):
        print_map(found)
    else:
        print_curve(found)
    if not found.complete:
        raise typer.Exit(130)
    if plot is not None:
        from detente.analysis.threshold_plot import save

        draw(save, found, plot, inputs=[source], force=force)
    if unsolved:
        raise typer.Exit(1)


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
