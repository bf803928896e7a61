"""`detente fit`: the parameters of a scenario from records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from detente import files
from detente.arguments import MOST_DRAWS, MOST_STARTS
from detente.cli import console
from detente.cli.code import CodingOptions
from detente.cli.groups import with_groups
from detente.cli.inputs import Miscoded, Seed, Source, refuse
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
        typer.Option(metavar="BRANCH", help="Of counts: near-data, or principal."),
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
    miscoded: Miscoded = 0.0
    parameter: Annotated[
        str,
        typer.Option("--profile", metavar="NAME", help="Refit the others along this parameter."),
    ] = ""
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the best point here, and go on from it."),
    ] = None
    posterior: Annotated[
        Path | None,
        typer.Option(metavar="DRAWS.CSV", help="Write draws from the posterior (with --prior)."),
    ] = None
    draws: Annotated[
        int, typer.Option(min=10, max=MOST_DRAWS, help="How many draws from the posterior.")
    ] = 400
    recover: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=2, max=MOST_DRAWS, help="Draw records N times, and fit to them again."
        ),
    ] = None
    simulated: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_DRAWS,
            help="Units that --recover draws, where there are no records.",
        ),
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
        typer.Argument(metavar="[RECORD...]", help="Records: files, or one of the library."),
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
    names, records = asked.names(), records or []
    if not (records or asked.counts or asked.recover):
        message = "there is nothing to estimate from"
        refuse("RECORD", "missing", message, "give a record, or --counts")
    if asked.counts is not None and (asked.parameter or asked.recover or asked.posterior):
        message = "it is not there for counts"
        flag = "--profile" if asked.parameter else "--recover" if asked.recover else "--posterior"
        hint = {
            "--profile": "fit the others at values of it: --set NAME=VALUE",
            "--recover": "in Python: draw counts from the choices of a fit, and fit these",
            "--posterior": "--prior ranges alone gives its highest density, with standard errors",
        }[flag]
        refuse(flag, "not-together", message, hint)
    if asked.recover and bool(records) == (asked.simulated is not None):
        message = "records say how many units are drawn" if records else "how many is not said"
        refuse("--simulated", "not-together", message, "give records or --simulated N")
    tables = [str(path) for path in (asked.counts, asked.units, asked.near) if path]
    read = [source, *records, *tables, *coding.read]
    coding.check()
    output.check(read)
    if fitted is not None:
        files.check(fitted, inputs=read, force=output.force)
    if asked.posterior is not None:
        files.check(asked.posterior, inputs=read, force=output.force)
        if not asked.prior:
            refuse("--posterior", "missing", "a posterior needs a prior", "add --prior ranges")
    if asked.checkpoint is not None:
        files.check(asked.checkpoint, inputs=read, force=True)
    scenario = setting.load(source)
    if asked.counts is None:
        solving.prepare(scenario)
    data = [coding.records(file, scenario) if coding.codebook else file for file in records]
    from detente.describe.fit import describe_fit
    from detente.describe.profile_likelihood import describe_profile
    from detente.describe.recovery import describe_recovery, recovery_section
    from detente.estimation.climb import Status
    from detente.estimation.draws import draws_text
    from detente.estimation.fit import FitOptions
    from detente.estimation.fit import fit as estimate
    from detente.estimation.fitted import fitted_text
    from detente.estimation.profile_likelihood import profile_likelihood
    from detente.estimation.recovery import recover

    options = FitOptions(
        free=names,
        prior=asked.prior,
        starts=asked.starts,
        seed=asked.seed,
        cluster=asked.cluster,
        draws=asked.draws if asked.posterior else 0,
        branch=asked.branch,
        near=asked.near,
        miscoded=asked.miscoded,
        policy=setting.policy,
        checkpoint=asked.checkpoint,
    )
    if asked.simulated is not None and asked.recover is not None:
        with console.progress("Recovering") as report:
            own = replace(options, solving=solving.options(report))
            recovery = recover(scenario, asked.simulated, own, repetitions=asked.recover)
        output.show(describe_recovery(recovery), read)
        raise typer.Exit(0 if recovery.done == recovery.asked else 130)
    with console.progress("Estimating") as report:
        own = replace(options, solving=solving.options(report))
        along = None
        if asked.parameter:
            along = profile_likelihood(scenario, data, asked.parameter, own, units=asked.units)
        result = (
            along.fit
            if along
            else estimate(scenario, data, own, units=asked.units, counts=asked.counts)
        )
    for sentence in result.warnings:
        console.say(f"warning: {sentence}", error=True)
    if fitted is not None:
        files.write(fitted, fitted_text(result), inputs=read, force=output.force)
        console.say(f"Wrote {fitted}.", error=True)
    if asked.posterior is not None and result.posterior is not None:
        text = draws_text(result.posterior, asked.seed)
        files.write(asked.posterior, text, inputs=read, force=output.force)
        console.say(f"Wrote {asked.posterior}.", error=True)
    elif asked.posterior is not None:
        message = "no posterior is written: a parameter is at a bound or not identified"
        console.say(f"warning: {message}", error=True)
    described = describe_profile(along) if along else describe_fit(result)
    if asked.recover is not None and result.status is not Status.INTERRUPTED:
        with console.progress("Recovering") as report:
            own = replace(options, solving=solving.options(report))
            recovery = recover(
                result.scenario, data, own, repetitions=asked.recover, units=asked.units
            )
        section, numbers = recovery_section(recovery)
        described = described.plus(section, recovery=numbers)
    output.show(described, read)
    if result.status is Status.INTERRUPTED:
        raise typer.Exit(130)
