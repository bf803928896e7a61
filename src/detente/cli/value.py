"""`detente value`: what an observation is worth, to whom."""

from __future__ import annotations

from typing import Annotated

import typer

from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import Source
from detente.cli.options import ForecastOptions, PolicyOptions
from detente.cli.results import ResultOptions


@with_groups
def value(
    source: Source,
    *,
    signal: Annotated[
        str,
        typer.Option(metavar="EVENT", help="An event of chance that tells of a private type."),
    ],
    setting: PolicyOptions,
    solving: ForecastOptions,
    output: ResultOptions,
) -> None:
    """Tell what an observation is worth to whom, by solving with it and without what it says."""
    output.check([source])
    game = setting.compile(source)
    from detente.analysis.signal_value import check_signal, signal_value
    from detente.describe.signal_value import describe_signal_value

    check_signal(game, signal)  # before it takes time
    solving.prepare(game)
    with console.progress("Solving with it and without it") as report:
        options, periods = solving.options(report), solving.periods
        result = signal_value(game, signal, options, periods=periods)
    output.show(describe_signal_value(result), [source])
