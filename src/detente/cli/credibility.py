"""`detente credibility`: what holds the terms of a policy."""

from __future__ import annotations

from typing import Annotated

import typer

from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import Policy, Source, check_packages, finite, refuse
from detente.cli.options import ForecastOptions, ScenarioOptions
from detente.cli.results import ResultOptions


@with_groups
def credibility(
    source: Source,
    *,
    policy: Policy = None,
    term: Annotated[
        str | None,
        typer.Option(
            "--hold", metavar="TERM", help="Find the smallest cost at which this term holds."
        ),
    ] = None,
    probability: Annotated[
        float | None,
        typer.Option(callback=finite, help="With which it is to hold; 0.9 by default."),
    ] = None,
    changes: ScenarioOptions,
    solving: ForecastOptions,
    output: ResultOptions,
) -> None:
    """Tell which terms would be kept, what breaking them would gain, what would hold them."""
    output.check([source])
    scenario = changes.load(source)
    if probability is not None and term is None:
        message = "it goes with a term that is to hold"
        refuse("--probability", "missing", message, "name the term: --hold TERM")
    if probability is not None and not 0 < probability < 1:
        message = f"a probability is between 0 and 1, not {probability:g}"
        refuse("--probability", "out-of-range", message)
    if term is not None:
        check_packages("--hold", "finding the cost needs", {"scipy": "SciPy"}, "analysis")
    solving.prepare(scenario)
    from detente.analysis.credibility import credibility as judge
    from detente.analysis.enforcement_cost import PROBABILITY, hold_cost
    from detente.describe.terms import describe_credibility

    held, periods = None, solving.periods
    if term is not None:
        with console.progress("Looking for the cost") as report:
            least = PROBABILITY if probability is None else probability
            options = solving.options(report)
            held = hold_cost(scenario, term, least, options, policy=policy, periods=periods)
    with console.progress("Weighing the terms") as report:
        verdicts = judge(scenario, policy, solving.options(report), periods=periods)
    output.show(describe_credibility(verdicts, held), [source])
