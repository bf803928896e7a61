"""`detente track`: a record of observed moves beside what a scenario expected of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detente.cli import console, track_text
from detente.cli.inputs import (
    Beliefs,
    Horizon,
    Json,
    Memory,
    Periods,
    Policy,
    Set,
    Source,
    Threads,
    announce_kernels,
    check_options,
    compile_scenario,
    refuse,
    solve_game,
)

if TYPE_CHECKING:
    from detente.game.arrays import CompiledGame
    from detente.simulation.track import Track
    from detente.solver.solution import Solution

PLOTS = ("svg", "png", "pdf")
INSTALL = "python3 -m pip install 'detente[report]'"


def track(
    source: Source,
    moves: Annotated[
        str | None,
        typer.Argument(
            metavar="[MOVES.CSV]",
            help="The record: a file, or one of the library; else that of the scenario's name.",
        ),
    ] = None,
    skip_impossible: Annotated[
        bool, typer.Option("--skip-impossible", help="Pass over what the model holds impossible.")
    ] = False,
    compare: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="Another account of the record, for a Bayes factor."),
    ] = None,
    compare_policy: Annotated[
        str | None, typer.Option(help="The other account's policy; alone: the same scenario's.")
    ] = None,
    path: Annotated[
        bool, typer.Option("--path", help="Tell period by period what was forecast for the end.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Print the library's record, to begin from, and stop.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it: a file in .svg, .png or .pdf.")
    ] = None,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    periods: Periods = None,
    memory: Memory = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Follow a record of moves: how surprising each was, what to believe, what comes next."""
    if record:
        sys.stdout.write(_text_of_record(source))
        return
    if plot is not None:
        _check_plot(plot)
    game = compile_scenario(source, values, horizon, policy)
    check_options(game, beliefs, None, periods)
    name = moves if moves is not None else _own_record(source)
    games = [game]
    if compare is not None or compare_policy is not None:
        other = source if compare is None else compare
        shared = values if compare is None else None
        games.append(compile_scenario(other, shared, horizon, compare_policy))
    tracks = _tracks(
        games,
        name,
        skip=skip_impossible,
        path=path,
        beliefs=beliefs,
        periods=periods,
        memory=memory,
        threads=threads,
    )
    factor = None
    if len(tracks) == 2:
        from detente.analysis.accounts import bayes_factor

        factor = bayes_factor(*tracks)
    if plot is not None:
        from detente.analysis.track_plot import save

        try:
            save(tracks[0], plot)
        except OSError as error:
            refuse(str(plot), "cannot-write", f"cannot be written: {error.strerror}")
    if as_json:
        console.print_json(track_text.as_data(tracks[0], factor))
    else:
        track_text.print_track(tracks[0])
        if factor is not None:
            track_text.print_factor(factor, *tracks)
        if plot is not None:
            console.print_heading(f"Drawn in {plot}")
    if any(one.solution.status.name != "SOLVED" for one in tracks):
        raise typer.Exit(1)


def _tracks(
    games: list[CompiledGame],
    name: str,
    *,
    skip: bool,
    path: bool,
    beliefs: int | None,
    periods: int | None,
    memory: float | None,
    threads: int | None,
) -> list[Track]:
    """The record through each of the games; it is read for all before any is solved."""
    from detente.scenario.record import read_record

    records = [read_record(name, game.scenario) for game in games]
    console.print_diagnostics(records[0].warnings)
    announce_kernels()
    from detente.simulation.track import track as follow

    found = []
    for k, (game, record) in enumerate(zip(games, records, strict=True)):
        solution: Solution = solve_game(
            game, beliefs, threads, coarse=True, regret=False, memory=memory
        )
        with console.progress("Following the record") as report:
            found.append(
                follow(
                    solution,
                    record,
                    skip_impossible=skip,
                    path=path and k == 0,
                    periods=periods,
                    threads=threads,
                    progress=report,
                )
            )
    return found


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


def _check_plot(plot: Path) -> None:
    """Refuse a picture that cannot be drawn, before anything is solved."""
    if plot.suffix.lower().lstrip(".") not in PLOTS:
        hint = f"let its name end in {', '.join(f'.{kind}' for kind in PLOTS)}"
        refuse(str(plot), "unknown-name", f"`{plot.suffix}` is no kind of picture", hint)
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        message = "pictures are drawn with matplotlib, which is not installed"
        refuse("--plot", "not-installed", message, f"install it: {INSTALL}")
