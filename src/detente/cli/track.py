"""`detente track`: a record of observed moves beside what a scenario expected of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from detente.cli import console
from detente.cli.code import CodingOptions
from detente.cli.groups import with_groups
from detente.cli.inputs import Miscoded, Source, prepare_kernels, refuse
from detente.cli.options import ForecastOptions, PolicyOptions
from detente.cli.results import ResultOptions
from detente.errors import ScenarioError

if TYPE_CHECKING:
    from detente.game.arrays import CompiledGame
    from detente.scenario.model import Scenario
    from detente.scenario.observations import Record
    from detente.simulation.track import Track


@dataclass(frozen=True)
class OtherAccount:
    """What the record is held beside as well."""

    compare: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="Another account of the record, for a Bayes factor."),
    ] = None
    compare_policy: Annotated[
        str | None, typer.Option(help="The other account's policy; alone: the same scenario's.")
    ] = None


@dataclass(frozen=True)
class Doubts:
    """How far the record is believed."""

    skip_impossible: Annotated[
        bool, typer.Option("--skip-impossible", help="Pass over what the model holds impossible.")
    ] = False
    miscoded: Miscoded = 0.0


@with_groups
def track(
    source: Source,
    *,
    moves: Annotated[
        str | None,
        typer.Argument(
            metavar="[MOVES.CSV]",
            help="The record: a file, or one of the library; else that of the scenario's name.",
        ),
    ] = None,
    doubts: Doubts,
    coding: CodingOptions,
    other: OtherAccount,
    path: Annotated[
        bool, typer.Option("--path", help="Tell period by period what was forecast for the end.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Print the library's record, to begin from, and stop.")
    ] = False,
    setting: PolicyOptions,
    solving: ForecastOptions,
    output: ResultOptions,
) -> None:
    """Follow a record of moves: how surprising each was, what to believe, what comes next."""
    if record:
        sys.stdout.write(_text_of_record(source))
        return
    read = [file for file in (source, moves, other.compare, *coding.read) if file is not None]
    coding.check()
    output.check(read)
    game = setting.compile(source)
    solving.check(game)
    name = moves if moves is not None else _own_record(source)
    games = [game]
    if other.compare is not None or other.compare_policy is not None:
        values = setting.values if other.compare is None else None
        changed = replace(setting, values=values, policy=other.compare_policy)
        games.append(changed.compile(source if other.compare is None else other.compare))
    tracks = _tracks(games, name, solving, coding, doubts, path=path)
    from detente.analysis.bayes_factor import bayes_factor
    from detente.describe.track import describe_track

    factor = bayes_factor(*tracks) if len(tracks) == 2 else None
    output.show(describe_track(factor, *tracks), read)


def _tracks(
    games: list[CompiledGame],
    name: str,
    solving: ForecastOptions,
    coding: CodingOptions,
    doubts: Doubts,
    *,
    path: bool,
) -> list[Track]:
    """The record through each of the games; it is read for all before any is solved."""
    records = []
    for k, game in enumerate(games):
        with _account(k):
            records.append(_record(name, coding, game.scenario))
    console.print_diagnostics(records[0].warnings)
    prepare_kernels(games[0])
    from detente.simulation.track import track as follow

    found = []
    for k, (game, record) in enumerate(zip(games, records, strict=True)):
        solution = solving.solve(game, regret=False)
        with _account(k), console.progress("Following the record") as report:
            found.append(
                follow(
                    solution,
                    record,
                    skip_impossible=doubts.skip_impossible,
                    miscoded=doubts.miscoded,
                    path=path and k == 0,
                    periods=solving.periods,
                    threads=solving.threads,
                    progress=report,
                )
            )
    return found


def _record(name: str, coding: CodingOptions, scenario: Scenario) -> Record:
    """The record of a file: as it stands, or as a codebook makes it of a chronology."""
    from detente.scenario.observations import read_record

    if coding.codebook is None:
        return read_record(name, scenario)
    records = coding.records(name, scenario)
    if len(records) > 1:
        hint = "one record can be followed; `detente fit` takes all"
        refuse(name, "too-many", f"the chronology is of {len(records)} units", hint)
    return next(iter(records.values()))


@contextmanager
def _account(k: int) -> Iterator[None]:
    """Mistakes that are met in the second account say so."""
    try:
        yield
    except ScenarioError as error:
        if k == 0:
            raise
        told = [
            replace(d, message=f"for the other account: {d.message}") for d in error.diagnostics
        ]
        raise ScenarioError(told) from error


def _own_record(source: str) -> str:
    """The library's record for a scenario."""
    from detente import library

    if source not in library.record_names():
        known = ", ".join(library.record_names())
        hint = f"name a file after the scenario; the library has records for {known}"
        refuse(source, "missing", f"the library has no record of moves for `{source}`", hint)
    return source


def _text_of_record(source: str) -> str:
    """The text of that record."""
    from detente import library

    return library.record_text(_own_record(source))
