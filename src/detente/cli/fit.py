"""`detente fit`: the parameters of a scenario from records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from detente import files
from detente.arguments import MOST_STARTS
from detente.cli import console
from detente.cli.code import CodingOptions
from detente.cli.groups import with_groups
from detente.cli.inputs import Seed, Source, refuse
from detente.cli.options import PolicyOptions, SolvingOptions
from detente.cli.results import ResultOptions


@dataclass(frozen=True)
class EstimationOptions:
    """What is estimated, and how."""

    units: Annotated[
        Path | None,
        typer.Option("--units", metavar="UNITS.CSV", help="The units' covariates, a row for each."),
    ] = None
    counts: Annotated[
        Path | None,
        typer.Option(
            "--counts", metavar="COUNTS.CSV", help="Counts by unit and state, of play without end."
        ),
    ] = None
    branch: Annotated[
        str,
        typer.Option(metavar="BRANCH", help="Of play without end: near-data, or principal."),
    ] = ""
    near: Annotated[
        Path | None,
        typer.Option(
            "--near", metavar="CHOICES.CSV", help="Begin with these choices, and stay near them."
        ),
    ] = None
    free: Annotated[
        str | None,
        typer.Option("--free", metavar="NAME,NAME", help="The parameters to be estimated."),
    ] = None
    every: Annotated[
        bool, typer.Option("--all", help="Estimate all that have a range and can be.")
    ] = False
    prior: Annotated[
        str, typer.Option("--prior", metavar="ranges", help="Take the ranges as priors.")
    ] = ""
    starts: Annotated[
        int, typer.Option(min=1, max=MOST_STARTS, help="Climbs, from the ranges.")
    ] = 1
    seed: Seed = 0
    cluster: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="Cluster standard errors by a column, or by unit."),
    ] = ""
    parameter: Annotated[
        str,
        typer.Option("--profile", metavar="NAME", help="Refit the others along this parameter."),
    ] = ""
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the best point here, and go on from it."),
    ] = None

    def names(self) -> tuple[str, ...] | None:
        """The parameters that were named; None for all."""
        if self.free is None and not self.every:
            refuse("--free", "missing", "no parameter is free", "name them, or say --all")
        if self.free is not None and self.every:
            refuse("--all", "too-many", "--free names parameters already", "leave out one of them")
        if self.free is None:
            return None
        return tuple(name.strip() for name in self.free.split(",") if name.strip())


@with_groups
def fit(
    source: Source,
    records: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECORD...", help="Records: files, or one of the library."),
    ] = None,
    *,
    asked: EstimationOptions,
    coding: CodingOptions,
    fitted: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FITTED.YAML", help="Write the fitted scenario."),
    ] = None,
    setting: PolicyOptions,
    solving: SolvingOptions,
    output: ResultOptions,
) -> None:
    """Estimate parameters from one record or from many, with standard errors."""
    names = asked.names()
    records = records or []
    if not records and asked.counts is None:
        message = "there is nothing to estimate from"
        refuse("RECORD", "missing", message, "give a record, or --counts")
    if asked.parameter and asked.counts is not None:
        refuse("--profile", "forever", "there is no profile of a scenario that goes on forever")
    tables = [str(path) for path in (asked.counts, asked.units, asked.near) if path]
    read = [source, *records, *tables, *coding.read]
    coding.check()
    output.check(read)
    if fitted is not None:
        files.check(fitted, inputs=read, force=output.force)
    if asked.checkpoint is not None:
        files.check(asked.checkpoint, inputs=read, force=True)
    scenario = setting.load(source)
    if asked.counts is None:
        solving.prepare(scenario)
    data = [coding.records(file, scenario) if coding.codebook else file for file in records]
    from detente.describe.fit import describe_fit
    from detente.describe.profile_likelihood import describe_profile
    from detente.estimation.climb import Status
    from detente.estimation.fit import FitOptions
    from detente.estimation.fit import fit as estimate
    from detente.estimation.fitted import fitted_text
    from detente.estimation.profile_likelihood import profile_likelihood

    with console.progress("Estimating") as report:
        options = FitOptions(
            free=names,
            prior=asked.prior,
            starts=asked.starts,
            seed=asked.seed,
            cluster=asked.cluster,
            branch=asked.branch,
            near=asked.near,
            policy=setting.policy,
            solving=solving.options(report),
            checkpoint=asked.checkpoint,
        )
        along = None
        if asked.parameter:
            along = profile_likelihood(scenario, data, asked.parameter, options, units=asked.units)
        result = (
            along.fit
            if along
            else estimate(scenario, data, options, units=asked.units, counts=asked.counts)
        )
    for sentence in result.warnings:
        console.say(f"warning: {sentence}", error=True)
    if fitted is not None:
        files.write(fitted, fitted_text(result), inputs=read, force=output.force)
        console.say(f"Wrote {fitted}.", error=True)
    output.show(describe_profile(along) if along else describe_fit(result), read)
    if result.status is Status.INTERRUPTED:
        raise typer.Exit(130)
