"""The command line: `detente COMMAND`. Data goes to stdout, everything else to stderr.

Exit codes: 0 well, 1 a game that could not be solved, 2 a user's mistake, 130 interrupted (by
Ctrl-C, which Typer handles).
Commands import what they need when they run: `--help` and `check` stay quick.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from detente import __version__, files
from detente.arguments import MOST_VALUES
from detente.cli import console
from detente.cli.announce import announce
from detente.cli.audit import audit
from detente.cli.check import check
from detente.cli.code import code
from detente.cli.compare import compare
from detente.cli.credibility import credibility
from detente.cli.diff import diff
from detente.cli.ensemble import ensemble
from detente.cli.explore import explore
from detente.cli.fit import fit
from detente.cli.fits import fits
from detente.cli.flags import RUNNING, with_flags
from detente.cli.groups import with_groups
from detente.cli.implies import implies
from detente.cli.inputs import (
    MOST_ROWS,
    Force,
    Json,
    Outcome,
    Payoff,
    Source,
    Within,
)
from detente.cli.options import PolicyOptions, ScenarioOptions, SolvingOptions
from detente.cli.report import report
from detente.cli.results import ResultOptions, TableOptions
from detente.cli.run import run
from detente.cli.sample import sample
from detente.cli.serve import serve
from detente.cli.threshold import threshold
from detente.cli.track import track
from detente.cli.value import value
from detente.errors import ScenarioError, SolveError
from detente.text import shown


class _Commands(TyperGroup):
    """The commands; what was typed is shown in messages, not obeyed by the terminal."""

    def resolve_command(self, *words: Any) -> Any:
        name, command, rest = super().resolve_command(*words)
        RUNNING.set(command)
        return name, command, rest

    def make_context(self, *words: Any, **more: Any) -> Any:
        with _shown():
            return super().make_context(*words, **more)

    def invoke(self, ctx: Any) -> Any:
        with _shown():
            return super().invoke(ctx)


@contextmanager
def _shown() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = shown(message)  # type: ignore[attr-defined]
        raise


COLLECT_EVERY = 100_000
"""New objects after which Python looks for garbage: most commands are over before, and what they
import is none, through which it would walk time and again."""

app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The computation of coercive diplomacy: a stand-off in, an equilibrium forecast out.\n\n"
    "Begin with: detente run pyeongchang-2018",
)


def _version(wanted: bool) -> None:
    if wanted:
        console.say(f"detente {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # handled by its callback


@app.command("list")
def list_scenarios(as_json: Json = False) -> None:
    """List the scenarios of the library."""
    from detente import library
    from detente.scenario.loader import load

    scenarios = {name: load(name) for name in library.names()}
    if as_json:
        console.print_json({name: scenario.title for name, scenario in scenarios.items()})
        return
    from detente.describe.tables import Table
    from detente.render.terminal import print_table

    rows = tuple((name, scenario.title) for name, scenario in scenarios.items())
    print_table(Table(("scenario", "title"), rows))


@app.command()
@with_groups
def show(source: Source, *, changes: ScenarioOptions, output: TableOptions) -> None:
    """Explain a scenario in words, with its ledger of assumptions."""
    from detente.describe.scenario import describe_scenario

    output.check([source])
    output.show(describe_scenario(changes.load(source)), [source])


app.command()(check)
app.command()(implies)


app.command()(run)


@app.command()
@with_groups
def sensitivity(
    source: Source,
    *,
    outcome: Outcome = None,
    payoff: Payoff = None,
    within: Within = None,
    top: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Parameters to print.")] = 15,
    ends: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST_VALUES,
            metavar="N",
            help="Solve anew at both ends of the ranges of the first N.",
        ),
    ] = 0,
    setting: PolicyOptions,
    solving: SolvingOptions,
    output: ResultOptions,
) -> None:
    """Rank the assumptions that a probability or a payoff hangs on, by exact derivatives."""
    output.check([source])
    game = setting.compile(source)
    solving.prepare(game)
    from detente.analysis.query import Query, check_query, target_for
    from detente.analysis.sensitivity import sensitivity as differentiate
    from detente.describe.sensitivity import describe_sensitivity
    from detente.solver.gradient_room import check_room

    query = Query(outcome=outcome, payoff=payoff, within=within)
    check_query(game, query)  # before it takes time
    options = solving.options()
    check_room(game, target_for(game, query)[0], options)
    solution = solving.solve(game, coarse=False, regret=False)
    with console.progress("Differentiating") as report:
        ranking = differentiate(
            solution,
            query,
            threads=solving.threads,
            progress=report,
            memory_limit=options.memory_limit,
        )
    if ends:
        from detente.analysis.range_ends import solve_ends

        with console.progress("Solving at the ends") as report:
            ranking = solve_ends(ranking, query, solving.options(report), most=ends)
    output.show(describe_sensitivity(ranking, top), [source])


app.command()(compare)
app.command()(diff)
app.command()(announce)
app.command()(audit)
app.command()(credibility)
app.command()(value)
app.command()(ensemble)
app.command()(explore)
app.command()(track)
app.command()(code)
app.command()(fit)
app.command()(fits)
app.command()(sample)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("standoff.yaml"),
    force: Force = False,
) -> None:
    """Write a commented starter file that passes `detente check`."""
    from detente.library import starter

    files.write(file, starter(), force=force)
    if str(file) != files.STDOUT:
        console.say(f"Wrote {file}. Next: detente check {file}, then detente run {file}")


@app.command()
@with_groups
def export(
    source: Source,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; - is stdout.")
    ] = None,
    force: Force = False,
    max_nodes: Annotated[
        int, typer.Option(min=1, max=20_000_000, help="Largest tree to write.")
    ] = 200_000,
    setting: PolicyOptions,
) -> None:
    """Write a small scenario as an extensive form for Gambit (.efg)."""
    target = Path(files.STDOUT) if output is None else output
    files.check(target, inputs=[source], force=force)
    from detente.game.export import to_efg

    text = to_efg(setting.compile(source), max_nodes=max_nodes)
    files.write(target, text, inputs=[source], force=force)
    if str(target) != files.STDOUT:
        console.say(f"Wrote {target}.", error=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from detente.scenario.schema import json_schema

    console.print_json(json_schema())


app.command()(report)
app.command()(serve)
app.command()(threshold)


def _asked_for(names: list[str]) -> typer.Typer:
    """The app with the command of this name alone, if there is one.

    Typer makes up the options of all its commands before it runs one.
    """
    asked = [
        c
        for c in app.registered_commands
        if c.callback and (c.name or c.callback.__name__) in names
    ]
    if not asked:
        return app
    alone = copy(app)
    alone.registered_commands = asked
    return alone


def main() -> None:
    """Run the command line; report errors without a traceback."""
    gc.set_threshold(COLLECT_EVERY)
    atexit.register(gc.freeze)  # or what ends with the process is searched for cycles before
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # or all packages are searched
    try:
        _asked_for(sys.argv[1:2])(prog_name="detente")
    except ScenarioError as error:
        console.print_diagnostics(error.diagnostics)
        sys.exit(2)
    except SolveError as error:
        console.say(f"error: {with_flags(str(error))}", error=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
