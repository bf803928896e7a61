"""The command line: `detente COMMAND`. Data goes to stdout, everything else to stderr.

Exit codes: 0 well, 1 a game that could not be solved, 2 a user's mistake, 130 interrupted (by
Ctrl-C, which Typer handles).
Commands import what they need when they run: `--help` and `check` stay quick.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detente import __version__
from detente.cli import console
from detente.cli.announce import announce
from detente.cli.compare import compare
from detente.cli.credibility import credibility
from detente.cli.ensemble import ensemble
from detente.cli.explore import explore
from detente.cli.inputs import (
    Beliefs,
    Horizon,
    Json,
    Memory,
    Periods,
    Policy,
    Seed,
    Set,
    Source,
    Threads,
    announce_kernels,
    check_options,
    compile_scenario,
    load_scenario,
    memory_limit,
    refuse,
    solve_game,
)
from detente.cli.report import report
from detente.cli.threshold import threshold
from detente.cli.track import track
from detente.errors import ScenarioError, SolveError

if TYPE_CHECKING:
    from detente.game.forms import Size

COLLECT_EVERY = 100_000
"""New objects after which Python looks for garbage: most commands are over before, and what they
import is none, through which it would walk time and again."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The computation of coercive diplomacy: a stand-off in, an equilibrium forecast out.\n\n"
    "Begin with: detente run pyeongchang-2018",
)


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

    scenario = load_scenario(source, values, horizon)
    if as_json:
        _print_json(explain.as_data(scenario))
    else:
        explain.print_scenario(scenario)


@app.command()
def check(source: Source, as_json: Json = False) -> None:
    """Tell every mistake of a scenario, with its place.

    The states are enumerated under all policies, and with each option of the variants.
    """
    from detente.game.forms import compile_forms
    from detente.scenario.loader import load

    forms: dict[str, dict[str, Size]] = {}
    try:
        scenario = load(source)
    except ScenarioError as error:
        found = list(error.diagnostics)
    else:
        forms, met = compile_forms(scenario)
        found = [*scenario.warnings, *met]
    errors = sum(d.severity == "error" for d in found)
    if as_json:
        _print_json({"errors": errors, "diagnostics": [console.diagnostic_data(d) for d in found]})
    else:
        console.print_diagnostics(found)
        for form, sizes in forms.items():
            for policy, size in sizes.items():
                terms = f"policy {policy}" if policy else "no terms"
                where = f"{terms}, {form}" if form else terms
                print(f"{where}: up to {size.states:,} states at a turn, {size.turns} turns")
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
    accuracy: Annotated[
        float | None,
        typer.Option(help="Refine the belief grid until reported numbers change by less."),
    ] = None,
    search: Annotated[
        int, typer.Option(min=0, metavar="N", help="Look for other equilibria from N starts.")
    ] = 0,
    seed: Seed = 0,
    periods: Periods = None,
    memory: Memory = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Solve a scenario and print the forecast, then how good the answer is."""
    game = compile_scenario(source, values, horizon, policy)
    check_options(game, beliefs, accuracy, periods)
    announce_kernels()
    limit = memory_limit(memory)
    from detente.cli import results

    note = ""
    if accuracy is None:
        solution = solve_game(game, beliefs, threads, memory=memory)
        from detente.simulation.forecast import forecast

        with console.progress("Playing it forward") as report:
            result = forecast(solution, periods=periods, threads=threads, progress=report)
    else:
        from detente.analysis.accuracy import forecast_within

        with console.progress("Refining the belief grid") as report:
            refined = forecast_within(
                game,
                accuracy,
                periods=periods,
                threads=threads,
                memory_limit=limit,
                progress=report,
            )
        result, note = refined.forecast, refined.note
    found = None
    if search:
        import numpy as np

        from detente.analysis.search import search as look
        from detente.cli import answers

        with console.progress("Looking for other equilibria") as report:
            found = look(
                result,
                starts=search,
                rng=np.random.default_rng(seed),
                threads=threads,
                memory_limit=limit,
                progress=report,
            )
    if as_json:
        data = results.as_data(result)
        if note:
            data["accuracy"] = {"asked": accuracy, "note": note}
        if found is not None:
            data["search"] = answers.search_data(found)
        _print_json(data)
    else:
        results.print_forecast(result)
        if note:
            console.print_text(note, indent=2)
        if found is not None:
            answers.print_search(found)
    if result.solution.status.name != "SOLVED":
        raise typer.Exit(1)


@app.command()
def sensitivity(
    source: Source,
    outcome: Annotated[
        str | None, typer.Option(help="The outcome whose probability is asked about.")
    ] = None,
    payoff: Annotated[str | None, typer.Option(help="Or the actor whose payoff is.")] = None,
    within: Annotated[
        int | None, typer.Option(min=1, help="Periods within which it comes about; all by default.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Parameters to print.")] = 15,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    memory: Memory = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Rank the assumptions that a probability or a payoff hangs on, by exact derivatives."""
    game = compile_scenario(source, values, horizon, policy)
    check_options(game, beliefs, None, None)
    if (outcome is None) == (payoff is None):
        message = "say what to explain: an outcome or an actor's payoff"
        refuse("--outcome", "missing", message, f"it has outcomes {', '.join(game.holds)}")
    if outcome is not None and outcome not in game.holds:
        known = ", ".join(game.holds) or "none"
        refuse("--outcome", "unknown-name", f"there is no outcome {outcome!r}", f"it has: {known}")
    if payoff is not None and payoff not in game.scenario.actors:
        known = ", ".join(game.scenario.actors)
        refuse("--payoff", "unknown-name", f"there is no actor {payoff!r}", f"it has: {known}")
    if within is not None and game.loop is None and within > game.periods:
        message = f"the scenario has {game.periods} periods, not {within}"
        refuse("--within", "out-of-range", message)
    announce_kernels()
    solution = solve_game(game, beliefs, threads, coarse=False, regret=False, memory=memory)
    from detente.analysis.sensitivity import sensitivity as differentiate
    from detente.cli import answers

    with console.progress("Differentiating") as report:
        found = differentiate(
            solution,
            outcome=outcome,
            payoff=payoff,
            period=within,
            threads=threads,
            progress=report,
        )
    if as_json:
        _print_json(answers.sensitivity_data(found))
    else:
        answers.print_sensitivity(found, top)
    if solution.status.name != "SOLVED":
        raise typer.Exit(1)


app.command()(compare)
app.command()(announce)
app.command()(credibility)
app.command()(ensemble)
app.command()(explore)
app.command()(track)


@app.command()
def sample(
    source: Source,
    draws: Annotated[int, typer.Option(min=1, help="Number of histories.")] = 10,
    seed: Seed = 0,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    periods: Periods = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Draw histories from the forecast, as a table in CSV."""
    game = compile_scenario(source, values, horizon, policy)
    check_options(game, beliefs, None, periods)
    announce_kernels()
    solution = solve_game(game, beliefs, threads, coarse=False)
    import numpy as np

    from detente.simulation.sample import sample as draw

    table = draw(solution, draws=draws, rng=np.random.default_rng(seed), periods=periods)
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
        refuse(str(file), "exists", "the file exists already", "give another name")
    except OSError as error:
        refuse(str(file), "cannot-write", f"cannot be written: {error.strerror}")
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

    text = to_efg(compile_scenario(source, values, horizon, policy), max_nodes=max_nodes)
    if output is None or str(output) == "-":
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        refuse(str(output), "cannot-write", f"cannot be written: {error.strerror}")
    print(f"Wrote {output}.", file=sys.stderr)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from detente.scenario.schema import json_schema

    _print_json(json_schema())


app.command()(report)
app.command()(threshold)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print_json(data: object) -> None:
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    print()


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
    """Run the command line; tell errors without a traceback."""
    gc.set_threshold(COLLECT_EVERY)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # or all packages are searched
    try:
        _asked_for(sys.argv[1:2])(prog_name="detente")
    except ScenarioError as error:
        console.print_diagnostics(error.diagnostics)
        sys.exit(2)
    except SolveError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
