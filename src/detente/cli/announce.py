"""`detente announce`: the announcement of a policy as a move."""

from __future__ import annotations

from typing import Annotated

import typer

from detente.cli import complete, console
from detente.cli.groups import with_groups
from detente.cli.inputs import Source
from detente.cli.options import ForecastOptions, ScenarioOptions
from detente.cli.results import ResultOptions


@with_groups
def announce(
    source: Source,
    *,
    who: Annotated[
        str | None, typer.Option(metavar="ACTOR", help="Who announces; as the file says, else.")
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policies",
            metavar="POLICY",
            help="A policy to choose from (may be repeated).",
            autocompletion=complete.policy,
        ),
    ] = None,
    changes: ScenarioOptions,
    solving: ForecastOptions,
    output: ResultOptions,
) -> None:
    """Let an actor announce a policy before the first period: who would, and what it tells."""
    output.check([source])
    scenario = changes.load(source)
    solving.prepare(scenario)
    from detente.analysis.announce import announce as solve_all
    from detente.describe.terms import describe_announcement

    with console.progress("Solving each policy") as report:
        options, periods = solving.options(report), solving.periods
        announcement = solve_all(scenario, policies, options, who=who, periods=periods)
    output.show(describe_announcement(announcement), [source])
