"""`detente report`: one self-contained page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from detente import files
from detente.cli import console
from detente.cli.explore import NEEDED as NEEDED_TO_EXPLORE
from detente.cli.groups import with_groups
from detente.cli.inputs import (
    STDIN,
    Force,
    Policies,
    Posterior,
    Source,
    check_packages,
    refuse,
)
from detente.cli.options import ForecastOptions, PolicyOptions

NEEDED = {"jinja2": "jinja2", "matplotlib": "matplotlib", "scipy": "SciPy"}
"""Packages that only the report needs: the extra `report` of the project."""


@dataclass(frozen=True)
class DrawsOptions:
    """Draws of parameters that the page tells of, and what is required of those of an ensemble."""

    ensemble: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULTS", help="Show what survives the draws that `detente ensemble` wrote."
        ),
    ] = None
    requirement: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What is required: 'deal >= 30 % and war <= 2 %'."),
    ] = None
    posterior: Posterior = None


@with_groups
def report(
    source: Source,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The page; by default SCENARIO.html here."),
    ] = None,
    force: Force = False,
    moves: Annotated[
        str | None,
        typer.Option(
            metavar="MOVES.CSV", help="Observed moves: a file, or a record of the library."
        ),
    ] = None,
    skip_impossible: Annotated[
        bool, typer.Option("--skip-impossible", help="Pass over what the model holds impossible.")
    ] = False,
    policies: Policies = None,
    draws: DrawsOptions,
    outcome: Annotated[
        str | None, typer.Option(help="The outcome to explain; by default the most open one.")
    ] = None,
    setting: PolicyOptions,
    solving: ForecastOptions,
) -> None:
    """Write a forecast, a comparison of policies and what they rest on as one web page."""
    needed, extra = NEEDED, "report"
    if draws.ensemble is not None:
        needed, extra = NEEDED | NEEDED_TO_EXPLORE, "ensemble"
    check_packages("detente report", "the report needs", needed, extra)
    if source == STDIN and output is None:
        message = "a scenario from stdin gives no name to the page"
        refuse("--output", "missing", message, "name the page: --output standoff.html")
    game = setting.compile(source)
    target = Path(f"{game.scenario.name}.html") if output is None else output
    inputs = [one for one in (source, moves, draws.ensemble, draws.posterior) if one is not None]
    files.check(target, inputs=inputs, force=force)
    record = None
    if moves is not None:
        from detente.scenario.observations import read_record

        record = read_record(moves, game.scenario)
        console.print_diagnostics(record.warnings)
    rows = None
    if draws.posterior is not None:
        from detente.estimation.draws import read_draws

        rows = read_draws(draws.posterior, game.scenario)
    found = None
    if draws.ensemble is not None:
        from detente.ensembles.results import open_ensemble

        found = open_ensemble(draws.ensemble)
    solving.prepare(game)
    from detente.describe.report import describe_report
    from detente.describe.words import unsolved
    from detente.render.page import to_html
    from detente.report.data import build, with_posterior

    given = {
        "--set": setting.values,
        "--horizon": [setting.horizon],
        "--policy": [setting.policy],
        "--policies": policies,
        "--outcome": [outcome],
        "--moves": [moves],
        "--ensemble": [draws.ensemble],
        "--requirement": [draws.requirement],
        "--posterior": [draws.posterior],
        "--beliefs": [solving.beliefs],
        "--periods": [solving.periods],
    }
    command = ["detente", "report", source]
    for name, values in given.items():
        command += [word for v in values or () if v is not None for word in (name, str(v))]
    command += ["--skip-impossible"] * skip_impossible
    part = 0.95 if rows is None else 0.65
    with console.progress("Writing the report") as tell:
        data = build(
            game.scenario,
            solving.options(lambda share: tell(part * share)),
            policy=setting.policy,
            policies=policies,
            outcome=outcome,
            moves=record,
            skip_impossible=skip_impossible,
            ensemble=found,
            requirement=draws.requirement,
            periods=solving.periods,
        )
        if rows is not None:
            rest = solving.options(lambda share: tell(part + (0.95 - part) * share))
            data = with_posterior(data, rows, rest, periods=solving.periods)
        page = to_html(describe_report(replace(data, command=tuple(command))))
    lost = console.say_unsolved(unsolved({"": data.forecast.solution.status}))
    files.write(target, page, inputs=inputs, force=force)
    if str(target) != files.STDOUT:
        console.say(str(target))
    if lost:
        raise typer.Exit(1)
