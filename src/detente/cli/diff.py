"""`detente diff`: what differs between two scenarios, and what it does to the forecast."""

from __future__ import annotations

from typing import Annotated

import typer

from detente.cli import complete, console
from detente.cli.groups import with_groups
from detente.cli.inputs import Policy, load_scenario
from detente.cli.options import ForecastOptions
from detente.cli.results import TableOptions

SCENARIO = "A file, a scenario of the library, or - for stdin."
First = Annotated[
    str, typer.Argument(metavar="FIRST", help=SCENARIO, autocompletion=complete.scenario)
]
Second = Annotated[
    str, typer.Argument(metavar="SECOND", help=SCENARIO, autocompletion=complete.scenario)
]


@with_groups
def diff(
    first: First,
    second: Second,
    *,
    words: Annotated[
        bool, typer.Option("--words", help="Say what differs, and solve nothing.")
    ] = False,
    policy: Policy = None,
    solving: ForecastOptions,
    output: TableOptions,
) -> None:
    """Say what differs between two scenarios, and what that does to the forecast, one by one."""
    output.check([first, second])
    one, other = (load_scenario(source, None, None) for source in (first, second))
    if not words:
        for scenario in (one, other):
            solving.prepare(scenario)
    from detente.analysis.diff import diff as solve_all
    from detente.describe.diff import describe_diff

    with console.progress("Solving with each difference") as report:
        options, periods = solving.options(report), solving.periods
        result = solve_all(one, other, options, policy=policy, periods=periods, words=words)
    output.show(describe_diff(result), [first, second])
