"""`detente explore`: what survives the draws of an ensemble, and what decides it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from detente.arguments import MOST_PERIODS
from detente.cli.groups import with_groups
from detente.cli.inputs import MOST_ROWS, check_packages, given_type
from detente.cli.results import ResultOptions

NEEDED = {
    "scipy": "SciPy",
    "duckdb": "duckdb",
    "filelock": "filelock",
    "sklearn": "scikit-learn",
}
"""Packages by the name under which they are imported."""


@dataclass(frozen=True)
class AskedOptions:
    """What is asked of the draws."""

    within: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_PERIODS,
            help="Periods within which outcomes come about; all by default.",
        ),
    ] = None
    given: Annotated[
        str | None, typer.Option(metavar="ACTOR=TYPE", help="Condition on a true type.")
    ] = None
    whose: Annotated[
        str | None,
        typer.Option("--for", metavar="ACTOR=TYPE", help="Whose preference is explained."),
    ] = None
    requirement: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What is required: 'deal >= 30 % and war <= 2 %'."),
    ] = None
    fails_for: Annotated[
        str | None,
        typer.Option(
            "--fails-for", metavar="ACTOR=TYPE", help="Tell where the policy is not its best one."
        ),
    ] = None
    question: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The outcome, or payoff:ACTOR=TYPE, to be explained."),
    ] = None
    policy: Annotated[
        str | None, typer.Option(help="The policy that is looked at; '' for no terms.")
    ] = None
    against: Annotated[
        str | None, typer.Option(metavar="POLICY", help="The policy to compare with.")
    ] = None
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn.")] = 0


@with_groups
def explore(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="The folder that `detente ensemble` wrote.")
    ],
    *,
    asked: AskedOptions,
    top: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Assumptions to print.")] = 8,
    output: ResultOptions,
) -> None:
    """Explore an ensemble: what survives its draws, where it fails, what decides it."""
    check_packages("detente explore", "exploring needs", NEEDED, "ensemble")
    types = None if asked.given is None else dict([given_type(asked.given)])
    output.check([results])
    from detente.describe.exploration import describe_exploration
    from detente.ensembles.explore.explore import explore as ask
    from detente.ensembles.results import open_ensemble

    exploration = ask(
        open_ensemble(results),
        within=asked.within,
        given=types,
        whose=asked.whose,
        fails_for=asked.fails_for,
        requirement=asked.requirement,
        question=asked.question,
        policy=asked.policy,
        against=asked.against,
        seed=asked.seed,
    )
    by = exploration.manifest.scenario().calendar.label(asked.within) if asked.within else ""
    output.show(describe_exploration(exploration, top, by), [results])
