"""`detente announce`: the announcement of a policy as a move, for people and for programs."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detente.cli import complete, console
from detente.cli.groups import with_groups
from detente.cli.inputs import Json, Source
from detente.cli.options import ForecastOptions, ScenarioOptions
from detente.cli.unsolved import tell_unsolved

if TYPE_CHECKING:
    import pandas as pd

    from detente.analysis.announce import Announcement


@with_groups
def announce(
    source: Source,
    *,
    who: Annotated[
        str | None, typer.Option(metavar="ACTOR", help="Who announces; as the file says, else.")
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policies",
            metavar="POLICY",
            help="A policy to choose from (may be repeated).",
            autocompletion=complete.policy,
        ),
    ] = None,
    changes: ScenarioOptions,
    solving: ForecastOptions,
    as_json: Json = False,
) -> None:
    """Let an actor announce a policy before the first period: who would, and what it tells."""
    scenario = changes.load(source)
    solving.prepare(scenario)
    from detente.analysis.announce import announce as solve_all

    with console.progress("Solving each policy") as report:
        options, periods = solving.options(report), solving.periods
        found = solve_all(scenario, policies, options, who=who, periods=periods)
    unsolved = tell_unsolved({"": found.status}, text=not as_json)
    if as_json:
        console.print_json(as_data(found))
    else:
        print_announcement(found)
    if unsolved:
        raise typer.Exit(1)


def print_announcement(found: Announcement) -> None:
    """Who announces what, what it says, what it is worth, what follows, how good the answer is."""
    scenario = found.scenario
    name = scenario.actors[found.who].name
    letters = dict(zip(found.policies, _letters(len(found.policies)), strict=True))
    console.print_text(scenario.title)
    since = scenario.calendar.label(1)
    console.print_text(f"Before {since}, {name} announces one of {len(letters)} policies:")
    about = {policy: scenario.policies[policy].about if policy else "" for policy in letters}
    rows = [[letter, policy or "no terms", about[policy]] for policy, letter in letters.items()]
    console.print_table(["", "policy", ""], rows)
    _print_choices(found, letters, name)
    _print_beliefs(found, letters, name)
    _print_worth(found, letters)
    _print_outcomes(found, letters)
    console.print_heading("How good the answer is")
    for line in _quality(found):
        console.print_text(line, indent=2)


def as_data(found: Announcement) -> dict[str, Any]:
    """The whole tables, ready for JSON."""
    return {
        "scenario": found.scenario.name,
        "sha256": found.scenario.sha256,
        "overrides": dict(found.scenario.overrides),
        "options": dict(found.scenario.options),
        "who": found.who,
        "policies": list(found.policies),
        "bits": found.bits,
        "most_bits": found.most_bits,
        **{
            key: console.records(getattr(found, key))
            for key in ("choices", "beliefs", "worth", "payoffs", "outcomes")
        },
        "status": {"code": found.status.name, "message": found.status.value},
        "certificate": {
            "residual": found.residual,
            "value_error": found.value_error,
            "forward_error": found.forward_error,
        },
    }


def _letters(count: int) -> list[str]:
    """Short names for policies: A … Z, then numbers."""
    if count <= len(ascii_uppercase):
        return list(ascii_uppercase[:count])
    return [str(number) for number in range(1, count + 1)]


def _wide(table: pd.DataFrame, value: str, *by: str) -> dict[tuple[str, ...], list[float]]:
    """The numbers of each row, by policy in their order."""
    found: dict[tuple[str, ...], list[float]] = {}
    for row in table.to_dict(orient="records"):
        found.setdefault(tuple(str(row[key]) for key in by), []).append(float(row[value]))
    return found


def _print_choices(found: Announcement, letters: dict[str, str], name: str) -> None:
    from detente.simulation.wording import percent

    console.print_heading(f"What {name} announces")
    error = float(found.choices["error"].max(skipna=False))
    # The table goes by type first; within a type by policy.
    rows = [
        ["whatever the type" if kind == "any" else f"it is {kind}"]
        + [percent(share, error) for share in shares]
        for (kind,), shares in _wide(found.choices, "probability", "type").items()
    ]
    console.print_table(["", *letters.values()], rows, numbers=1)


def _print_beliefs(found: Announcement, letters: dict[str, str], name: str) -> None:
    from detente.simulation.wording import percent

    kinds = found.scenario.actors[found.who].types
    if len(kinds) < 2:
        return
    console.print_heading("What it says: belief after the announcement")
    error = float(found.beliefs["error"].max(skipna=False))
    told = kinds[:1] if len(kinds) == 2 else kinds  # of two types the belief about one says all
    priors = _wide(found.beliefs, "prior", "type")
    after = _wide(found.beliefs, "posterior", "type")
    rows = [
        [f"{name} is {kind}", percent(priors[kind,][0], error)]
        + [percent(belief, error) for belief in after[kind,]]
        for kind in told
    ]
    console.print_table(["belief that", "before", *letters.values()], rows, numbers=1)
    text = f"The announcement tells {found.bits:.2g} of the {found.most_bits:.2g} bits to be told."
    console.print_text(text, indent=2)


def _print_worth(found: Announcement, letters: dict[str, str]) -> None:
    console.print_heading("What it is worth: announced, and if it were merely in force (imposed)")
    announced = _wide(found.worth, "announced", "actor", "type")
    imposed = _wide(found.worth, "imposed", "actor", "type")
    rows = []
    for (actor, kind), values in announced.items():
        name = found.scenario.actors[actor].name
        rows.append([name, kind, "announced", *(f"{value:.3f}" for value in values)])
        given = imposed[actor, kind]
        rows.append(["", "", "imposed", *(f"{value:.3f}" for value in given)])
    console.print_table(["actor", "type", "", *letters.values()], rows, numbers=3)


def _print_outcomes(found: Announcement, letters: dict[str, str]) -> None:
    if found.outcomes.empty:
        return
    from detente.simulation.wording import percent

    last = found.outcomes[found.outcomes["t"] == found.outcomes["t"].max()]
    last = last[last["type"] == "any"]
    error = float(last["error"].max(skipna=False))
    when = last["period"].iloc[0]
    console.print_heading(f"What follows: probability that it has come about by the end of {when}")
    announced, imposed = (_wide(last, key, "outcome") for key in ("announced", "imposed"))
    rows = []
    for (key,), values in announced.items():
        rows.append([key, "announced", *(percent(value, error) for value in values)])
        rows.append(["", "imposed", *(percent(value, error) for value in imposed[key,])])
    console.print_table(["outcome", "", *letters.values()], rows, numbers=2)


def _quality(found: Announcement) -> list[str]:
    status = found.status.value
    lines = [
        f"{status[0].upper()}{status[1:]}.",
        "The announcement's turn, recomputed by separate code at all beliefs: residual "
        f"{found.residual:.1e}, values to {found.value_error:.1e}.",
    ]
    if not found.outcomes.empty:
        lines.append(
            f"Expected payoffs counted forward equal the values to {found.forward_error:.1e}."
        )
    error = float(found.choices["error"].max(skipna=False))
    if error > 0:
        changes = f"the probabilities of announcements by up to {error:.1g}"
        if not found.outcomes.empty:
            changes += f", those of outcomes by up to {found.outcomes['error'].max():.1g}"
        lines.append(f"A belief grid half as fine changes {changes}.")
    return lines
