"""The command line: `detente COMMAND`. Data goes to stdout, everything else to stderr.

Exit codes: 0 well, 1 a game that could not be solved, 2 a user's mistake, 130 interrupted (by
Ctrl-C, which Typer handles).
Commands import what they need when they run: `--help` and `check` stay quick.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detente import __version__
from detente.cli import console
from detente.errors import Diagnostic, Place, ScenarioError, SolveError

if TYPE_CHECKING:
    from detente.game.arrays import CompiledGame
    from detente.scenario.model import Scenario
    from detente.solver.solution import Solution

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The computation of coercive diplomacy: a stand-off in, an equilibrium forecast out.\n\n"
    "Begin with: detente run pyeongchang-2018",
)

Source = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A file, or a scenario of the library.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter (may be repeated)."),
]
Horizon = Annotated[
    int | None, typer.Option(min=1, help="Number of periods, instead of the scenario's.")
]
Policy = Annotated[
    str | None, typer.Option(help="A policy of the scenario; '' for no terms at all.")
]
Beliefs = Annotated[
    int | None, typer.Option(help="Belief points for each informed actor (odd, from 5).")
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads; all processors by default.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"detente {__version__}")
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
        _print_json({name: scenario.title for name, scenario in scenarios.items()})
        return
    console.print_table(["scenario", "title"], [[n, s.title] for n, s in scenarios.items()])


@app.command()
def show(
    source: Source, values: Set = None, horizon: Horizon = None, as_json: Json = False
) -> None:
    """Explain a scenario in words, with its ledger of assumptions."""
    from detente.cli import explain

    scenario = _load(source, values, horizon)
    if as_json:
        _print_json(explain.as_data(scenario))
    else:
        explain.print_scenario(scenario)


@app.command()
def check(source: Source, as_json: Json = False) -> None:
    """Tell every mistake of a scenario, with its place; enumerate the states of all policies."""
    from detente.game.compile import compile_policies
    from detente.scenario.loader import load

    games: dict[str, CompiledGame] = {}
    try:
        scenario = load(source)
    except ScenarioError as error:
        found = list(error.diagnostics)
    else:
        games, met = compile_policies(scenario)
        found = [*scenario.warnings, *met]
    errors = sum(d.severity == "error" for d in found)
    if as_json:
        _print_json({"errors": errors, "diagnostics": [console.diagnostic_data(d) for d in found]})
    else:
        console.print_diagnostics(found)
        for policy, game in games.items():
            most = max(layer.states.size for layer in game.layers)
            terms = f"policy {policy}" if policy else "no terms"
            print(f"{terms}: up to {most:,} states at a turn, {len(game.layers)} turns")
        warnings = len(found) - errors
        print(f"{source}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    if errors:
        raise typer.Exit(2)


@app.command()
def run(
    source: Source,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Solve a scenario and print the forecast, then how good the answer is."""
    solution = _solve(_compile(source, values, horizon, policy), beliefs, threads)
    from detente.cli import results
    from detente.simulation.forecast import forecast

    with console.progress("Playing it forward") as report:
        result = forecast(solution, threads=threads, progress=report)
    if as_json:
        _print_json(results.as_data(result))
    else:
        results.print_forecast(result)
    if solution.status.name != "SOLVED":
        raise typer.Exit(1)


@app.command()
def sample(
    source: Source,
    draws: Annotated[int, typer.Option(min=1, help="Number of histories.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Draw histories from the forecast, as a table in CSV."""
    game = _compile(source, values, horizon, policy)
    solution = _solve(game, beliefs, threads, coarse=False)
    import numpy as np

    from detente.simulation.sample import sample as draw

    table = draw(solution, draws=draws, rng=np.random.default_rng(seed))
    if as_json:
        _print_json(table.to_dict(orient="records"))
    else:
        sys.stdout.write(table.to_csv(index=False))


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("standoff.yaml"),
) -> None:
    """Write a commented starter file that passes `detente check`."""
    from detente.library import starter

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(starter())
    except FileExistsError:
        _refuse(str(file), "exists", "the file exists already", "give another name")
    except OSError as error:
        _refuse(str(file), "cannot-write", f"cannot be written: {error.strerror}")
    print(f"Wrote {file}. Next: detente check {file}, then detente run {file}")


@app.command()
def export(
    source: Source,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; - is stdout.")
    ] = None,
    max_nodes: Annotated[int, typer.Option(help="Largest tree to write.")] = 200_000,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
) -> None:
    """Write a small scenario as an extensive form for Gambit (.efg)."""
    from detente.game.export import to_efg

    text = to_efg(_compile(source, values, horizon, policy), max_nodes=max_nodes)
    if output is None or str(output) == "-":
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        _refuse(str(output), "cannot-write", f"cannot be written: {error.strerror}")
    print(f"Wrote {output}.", file=sys.stderr)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from detente.scenario.schema import json_schema

    _print_json(json_schema())


def _load(source: str, values: list[str] | None, horizon: int | None) -> Scenario:
    """A scenario with the changes asked for; its warnings are told."""
    from detente.scenario.loader import load

    scenario = load(source)
    if values:
        scenario = scenario.with_values(dict(_assignment(text) for text in values))
    if horizon is not None:
        scenario = scenario.with_horizon(horizon)
    console.print_diagnostics(scenario.warnings)
    return scenario


def _compile(
    source: str, values: list[str] | None, horizon: int | None, policy: str | None
) -> CompiledGame:
    from detente.game.compile import compile_game

    game = compile_game(_load(source, values, horizon), policy=policy)
    if horizon is None:  # what cannot happen in a shortened run is no mistake
        console.print_diagnostics(game.warnings)
    return game


def _solve(
    game: CompiledGame, beliefs: int | None, threads: int | None, *, coarse: bool = True
) -> Solution:
    """Solve with a progress display; the user is told once why the first time takes longer."""
    if beliefs is not None and (beliefs < 5 or beliefs % 2 == 0):
        message = f"belief points are an odd number of at least 5, not {beliefs}"
        _refuse("--beliefs", "out-of-range", message, "17, 33 and 65 are usual")
    from detente.solver.kernels.jit import is_compiled
    from detente.solver.solve import solve

    if not is_compiled():
        note = "Compiling the numerical kernels (once on this machine; some ten seconds) ..."
        print(note, file=sys.stderr, flush=True)
    with console.progress("Solving") as report:
        return solve(game, beliefs=beliefs, threads=threads, coarse=coarse, progress=report)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _assignment(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        message = f"`{text}` does not give a number to a name" if equals else f"`{text}` has no `=`"
        _refuse("--set", "wrong-type", message, "write it as --set step_cost.sincere=0.4")
        raise  # not reached


def _refuse(place: str, code: str, message: str, hint: str = "") -> None:
    raise ScenarioError([Diagnostic(Place(place), code, message, hint)])


def _print_json(data: object) -> None:
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    print()


def main() -> None:
    """Run the command line; tell errors without a traceback."""
    try:
        app(prog_name="detente")
    except ScenarioError as error:
        console.print_diagnostics(error.diagnostics)
        sys.exit(2)
    except SolveError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
