"""Options that several commands share, and mistakes in arguments in the words of the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from detente.cli.flags import RUNNING, in_flags
from detente.cli.groups import with_groups
from detente.errors import Diagnostic, Place


@dataclass(frozen=True)
class Ends:
    """Where something begins and ends."""

    low: Annotated[float, typer.Option("--from", help="Where it begins.")] = 0.0
    high: Annotated[float | None, typer.Option("--to")] = None


TOLD: list[Any] = []


@with_groups
def stretch(
    name: Annotated[str, typer.Argument()],
    *,
    ends: Ends,
    skip_impossible: Annotated[bool, typer.Option("--skip-impossible")] = False,
) -> None:
    """Stretch it."""
    TOLD.append((name, ends, skip_impossible))


@pytest.fixture
def command() -> typer.Typer:
    commands = typer.Typer()
    commands.command()(stretch)
    return commands


def test_a_group_is_handed_over_as_one_value(command: typer.Typer) -> None:
    runner = CliRunner()
    assert runner.invoke(command, ["rope", "--to", "2.5"]).exit_code == 0
    assert TOLD.pop() == ("rope", Ends(0.0, 2.5), False)
    assert runner.invoke(command, ["--from", "1", "rope", "--skip-impossible"]).exit_code == 0
    assert TOLD.pop() == ("rope", Ends(1.0, None), True)


def test_help_shows_the_options_of_a_group(command: typer.Typer) -> None:
    shown = CliRunner().invoke(command, ["--help"], env={"TERM": "dumb", "COLUMNS": "100"})
    assert shown.exit_code == 0
    assert "Stretch it." in shown.output
    for words in ("--from", "Where it begins.", "--to", "--skip-impossible"):
        assert words in shown.output


def test_mistakes_in_arguments_name_options(command: typer.Typer) -> None:
    token = RUNNING.set(typer.main.get_command(command))
    try:
        hint = "give `low=` and `high=2`, skip it (`skip_impossible=True`), or `types=x`"
        said = in_flags(Diagnostic(Place(argument="low"), "missing", "there is no end", hint))
        file = in_flags(Diagnostic(Place("a.yaml", 3), "missing", "`low` is missing"))
    finally:
        RUNNING.reset(token)
    assert str(said) == (
        "--from: error[missing]: there is no end\n"
        "  hint: give --from and --to 2, skip it (--skip-impossible), or `types=x`"
    )
    assert str(file) == "a.yaml:3: error[missing]: `low` is missing"


def test_outside_of_commands_arguments_stay_arguments() -> None:
    told = Diagnostic(Place(argument="low"), "missing", "there is no end", "give `low=`")
    assert in_flags(told) == told
    assert str(told).startswith("argument `low`: error[missing]: ")
