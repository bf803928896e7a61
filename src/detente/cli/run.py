"""`detente run`: a scenario solved, its forecast, and how good the answer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from detente.arguments import MOST_STARTS
from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import Posterior, Seed, Source, finite, given_type, refuse
from detente.cli.options import ForecastOptions, PolicyOptions
from detente.cli.results import ResultOptions


@dataclass(frozen=True)
class BesideOptions:
    """What is looked at beside the forecast."""

    search: Annotated[
        int,
        typer.Option(
            min=0, max=MOST_STARTS, metavar="N", help="Look for other equilibria from N starts."
        ),
    ] = 0
    seed: Seed = 0
    start: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Look for the equilibrium near the choices in a CSV file, too."
        ),
    ] = None
    posterior: Posterior = None


@with_groups
def run(
    source: Source,
    *,
    setting: PolicyOptions,
    accuracy: Annotated[
        float | None,
        typer.Option(
            callback=finite, help="Refine the belief grid until reported numbers change by less."
        ),
    ] = None,
    defended: Annotated[
        bool,
        typer.Option("--audit/--no-audit", help="Say how far the forecast can be defended."),
    ] = True,
    given: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACTOR=TYPE|OUTCOME",
            help="Condition on a true type, or on an outcome that has come about (repeatable).",
        ),
    ] = None,
    beside: BesideOptions,
    solving: ForecastOptions,
    output: ResultOptions,
) -> None:
    """Solve a scenario and print the forecast, then how good the answer is."""
    pairs = [given_type(text) for text in given or () if "=" in text]
    types = dict(pairs)
    if len(types) < len(pairs):
        message = "an actor has one true type, and more than one is given"
        refuse("--given", "duplicate-name", message, "give each actor once")
    been = [text for text in given or () if "=" not in text]
    start, posterior = beside.start, beside.posterior
    alone = {
        "--accuracy": accuracy,
        "--search": beside.search,
        "--start": start,
        "--posterior": posterior,
    }
    for flag, value in alone.items():
        if given and value:
            refuse(flag, "not-together", "it is for a forecast without --given", "leave one out")
    if accuracy is not None and not accuracy > 0:
        refuse("--accuracy", "out-of-range", f"the accuracy is a positive number, not {accuracy}")
    if accuracy is not None and solving.beliefs is not None:
        message = "the accuracy chooses the belief points itself"
        refuse("--beliefs", "not-together", message, "give one of --beliefs and --accuracy")
    inputs = [source, *([start] if start else []), *([str(posterior)] if posterior else [])]
    output.check(inputs)
    game = setting.compile(source)
    draws = None
    if posterior is not None:
        from detente.estimation.draws import read_draws

        draws = read_draws(posterior, game.scenario)
    begin = None
    if start:
        from detente.solver.start import read_start

        begin = read_start(start, game)
        begin.check(game)
    solving.prepare(game)
    if given:
        from detente.simulation.conditions import check_conditions

        check_conditions(game, types, been, argument="given")
    from detente.describe.forecast import accuracy_reached, describe_forecast

    refined, periods, threads = None, solving.periods, solving.threads
    if accuracy is None:
        solution = solving.solve(game)
        from detente.simulation.forecast import forecast

        with console.progress("Playing it forward") as report:
            result = forecast(
                solution,
                types=types,
                given=been,
                periods=periods,
                threads=threads,
                progress=report,
            )
    else:
        from detente.analysis.grid_refinement import forecast_within

        with console.progress("Refining the belief grid") as report:
            refined = forecast_within(game, accuracy, solving.options(report), periods=periods)
        result = refined.forecast
    described = describe_forecast(result)
    if defended and not given:
        from detente.analysis.audit import audit as examine
        from detente.describe.audit import audit_data, summary

        with console.progress("Auditing the forecast") as report:
            audited = examine(result, solving.options(report), brief=True)
        described = describe_forecast(result, summary(audited)).plus(audit=audit_data(audited))
    if refined is not None:
        reached = {"asked": accuracy, "note": refined.note}
        described = described.plus(accuracy_reached(refined.note), accuracy=reached)
    if beside.search:
        import numpy as np

        from detente.analysis.other_equilibria import search as look
        from detente.describe.sensitivity import other_equilibria, search_data

        with console.progress("Looking for other equilibria") as report:
            rng = np.random.default_rng(beside.seed)
            others = look(result, solving.options(report), starts=beside.search, rng=rng)
        described = described.plus(other_equilibria(others), search=search_data(others))
    if draws is not None:
        from detente.describe.left_open import left_open_section
        from detente.estimation.left_open import left_open

        with console.progress("Solving draws") as report:
            left = left_open(game, draws, solving.options(report), periods=solving.periods)
        described = described.plus(left_open_section(left, result), left_open=left.table)
    if begin is not None:
        from detente.analysis.near_start import beside_principal
        from detente.describe.near_start import with_near

        with console.progress("Looking near the choices given") as report:
            near = beside_principal(result, begin, solving.options(report))
        described = with_near(described, near, begin.file)
    output.show(described, inputs)
