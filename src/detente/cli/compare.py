"""`detente compare`: policies side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import Against, Policies, Source
from detente.cli.options import ForecastOptions, ScenarioOptions
from detente.cli.results import ResultOptions


@with_groups
def compare(
    source: Source,
    *,
    policies: Policies = None,
    against: Against = None,
    credible: Annotated[
        bool, typer.Option("--credibility", help="Tell also which terms would be kept.")
    ] = False,
    defended: Annotated[
        bool,
        typer.Option(
            "--audit/--no-audit", help="Say which differences hold at half and twice the precision."
        ),
    ] = True,
    changes: ScenarioOptions,
    solving: ForecastOptions,
    output: ResultOptions,
) -> None:
    """Compare policies: outcomes, payoffs, first moves, and who prefers which."""
    output.check([source])
    scenario = changes.load(source)
    solving.prepare(scenario)
    from detente.analysis.compare import compare as solve_all
    from detente.analysis.credibility import credibility
    from detente.describe.comparison import describe_comparison

    with console.progress("Solving each policy") as report:
        options, periods = solving.options(report), solving.periods
        comparison = solve_all(scenario, policies, options, against=against, periods=periods)
    audited = None
    if defended and len(comparison.forecasts) > 1:
        from detente.analysis.comparison_audit import audit_comparison

        with console.progress("Solving each at other precisions") as report:
            audited = audit_comparison(comparison, solving.options(report))
    judged = {}
    for policy in comparison.forecasts if credible else ():
        if policy and scenario.policies[policy].terms:
            with console.progress(f"Weighing the terms of {policy}") as report:
                options = solving.options(report)
                judged[policy] = credibility(scenario, policy, options, periods=periods)
    output.show(describe_comparison(comparison, judged, audited), [source])
