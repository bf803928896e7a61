"""`detente report`: one self-contained page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detente import files
from detente.cli import complete, console, outputs
from detente.cli.explore import NEEDED as NEEDED_TO_EXPLORE
from detente.cli.inputs import (
    STDIN,
    Beliefs,
    Force,
    Horizon,
    Memory,
    Periods,
    Policy,
    Set,
    Source,
    Threads,
    check_options,
    check_packages,
    compile_scenario,
    memory_limit,
    prepare_kernels,
    refuse,
)
from detente.cli.unsolved import tell_unsolved

NEEDED = {"jinja2": "jinja2", "matplotlib": "matplotlib", "scipy": "SciPy"}
"""Packages that only the report needs: the extra `report` of the project."""


def report(
    source: Source,
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
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policies",
            metavar="POLICY",
            help="Compare with this one (may be repeated; all).",
            autocompletion=complete.policy,
        ),
    ] = None,
    ensemble: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULTS", help="Tell what survives the worlds that `detente ensemble` wrote."
        ),
    ] = None,
    wish: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What is wished for in them: 'deal >= 30 % and war <= 2 %'."
        ),
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="The outcome to explain; by default the most open one.")
    ] = None,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    periods: Periods = None,
    memory: Memory = None,
    threads: Threads = None,
) -> None:
    """Write a forecast, a comparison of policies and what they rest on as one web page."""
    needed, extra = NEEDED, "report"
    if ensemble is not None:
        needed, extra = NEEDED | NEEDED_TO_EXPLORE, "ensemble"
    check_packages("detente report", "the report needs", needed, extra)
    if source == STDIN and output is None:
        message = "a scenario from stdin gives no name to the page"
        refuse("--output", "missing", message, "name the page: --output standoff.html")
    game = compile_scenario(source, values, horizon, policy)
    check_options(game, beliefs, None, periods)
    target = Path(f"{game.scenario.name}.html") if output is None else output
    inputs = [one for one in (source, moves, ensemble) if one is not None]
    outputs.check(target, inputs=inputs, force=force)
    record = None
    if moves is not None:
        from detente.scenario.observations import read_record

        record = read_record(moves, game.scenario)
        console.print_diagnostics(record.warnings)
    found = None
    if ensemble is not None:
        from detente.ensembles.results import open_ensemble

        found = open_ensemble(ensemble)
    prepare_kernels(game)
    from detente.report.data import build
    from detente.report.page import render

    given = {
        "--policy": policy,
        "--outcome": outcome,
        "--moves": moves,
        "--ensemble": ensemble,
        "--wish": wish,
        "--horizon": horizon,
        "--beliefs": beliefs,
        "--periods": periods,
    }
    options = {name: str(value) for name, value in given.items() if value is not None}
    with console.progress("Writing the report") as tell:
        data = build(
            game.scenario,
            policy=policy,
            policies=policies,
            question=outcome,
            moves=record,
            skip_impossible=skip_impossible,
            ensemble=found,
            wish=wish,
            beliefs=beliefs,
            periods=periods,
            threads=threads,
            memory_limit=memory_limit(memory),
            options=options,
            progress=lambda share: tell(0.95 * share),
        )
        page = render(data)
    unsolved = tell_unsolved({"": data.forecast.solution.status}, text=False)
    outputs.write(target, page, inputs=inputs, force=force)
    if str(target) != files.STDOUT:
        console.say(str(target))
    if unsolved:
        raise typer.Exit(1)
