"""`detente explore`: what survives the worlds of an ensemble, and what decides it."""

from __future__ import annotations

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
    "SALib": "SALib",
    "sklearn": "scikit-learn",
    "prim": "prim",
}
"""Packages by the name under which they are imported."""


@with_groups
def explore(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="The folder that `detente ensemble` wrote.")
    ],
    *,
    within: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_PERIODS,
            help="Periods within which outcomes come about; all by default.",
        ),
    ] = None,
    given: Annotated[
        str | None, typer.Option(metavar="ACTOR=TYPE", help="Condition on a true type.")
    ] = None,
    whose: Annotated[
        str | None,
        typer.Option("--for", metavar="ACTOR=TYPE", help="Whose preference is explained."),
    ] = None,
    wish: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What is wished for: 'deal >= 30 % and war <= 2 %'; tell where."
        ),
    ] = None,
    fails_for: Annotated[
        str | None,
        typer.Option(
            "--fails-for", metavar="ACTOR=TYPE", help="Tell where the policy is not its best one."
        ),
    ] = None,
    question: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The outcome, or payoff:ACTOR=TYPE, to be explained."),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="The policy that is looked at; '' for no terms.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="POLICY", help="The policy to compare with.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Assumptions to print.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn.")] = 0,
    output: ResultOptions,
) -> None:
    """Explore an ensemble: what survives its worlds, where it fails, what decides it."""
    check_packages("detente explore", "exploring needs", NEEDED, "ensemble")
    types = None if given is None else dict([given_type(given)])
    output.check([results])
    from detente.describe.exploration import describe_exploration
    from detente.ensembles.explore.explore import explore as ask
    from detente.ensembles.results import open_ensemble

    exploration = ask(
        open_ensemble(results),
        within=within,
        given=types,
        whose=whose,
        fails_for=fails_for,
        wish=wish,
        question=question,
        policy=policy,
        against=against,
        seed=seed,
    )
    by = exploration.record.scenario().calendar.label(within) if within else ""
    output.show(describe_exploration(exploration, top, by), [results])
