"""`detente explore`: what survives the worlds of an ensemble, and what decides it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detente.cli import console
from detente.cli.inputs import Json, refuse

if TYPE_CHECKING:
    from detente.worlds.explore.explore import Exploration

NEEDED = {
    "duckdb": "duckdb",
    "filelock": "filelock",
    "SALib": "SALib",
    "sklearn": "scikit-learn",
    "prim": "prim",
}
"""Packages by the name under which they are imported."""

FORMATS = (".svg", ".png", ".pdf")


def explore(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="The folder that `detente ensemble` wrote.")
    ],
    within: Annotated[
        int | None,
        typer.Option(min=1, help="Periods within which outcomes come about; all by default."),
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
    top: Annotated[int, typer.Option(min=1, help="Assumptions to print.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn.")] = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it into FILE.svg, .png or .pdf (needs matplotlib).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Explore an ensemble: what survives its worlds, where it fails, what decides it."""
    _check_packages()
    types = _given(given)
    _check_plot(plot)
    from detente.cli.explore_text import as_data, print_exploration
    from detente.worlds.explore.explore import explore as ask
    from detente.worlds.results import open_ensemble

    found = ask(
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
    if as_json:
        console.print_json(as_data(found))
    else:
        print_exploration(found, top)
    if plot is not None:
        _draw(found, plot)


def _draw(found: Exploration, plot: Path) -> None:
    from detente.worlds.explore.plot import save

    try:
        save(found, plot)
    except OSError as error:
        refuse(str(plot), "cannot-write", f"cannot be written: {error.strerror}")
    print(f"Wrote {plot}.", file=sys.stderr)


def _check_packages() -> None:
    """Refuse with all that is missing, and how to get it."""
    missing = [name for module, name in NEEDED.items() if find_spec(module) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        message = f"exploring needs {' and '.join(missing)}, which {verb} not installed"
        hint = "python3 -m pip install 'detente[ensemble]'"
        refuse("detente explore", "not-installed", message, hint)


def _given(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    actor, equals, kind = text.partition("=")
    if not equals:
        message = f"`{text}` does not give a type to an actor"
        refuse("--given", "wrong-type", message, "write it as --given DPRK=sincere")
    return {actor.strip(): kind.strip()}


def _check_plot(plot: Path | None) -> None:
    """Refuse early what could not be drawn after all the work."""
    if plot is None:
        return
    if plot.suffix not in FORMATS:
        message = f"`{plot.name}` does not say in which format"
        refuse("--plot", "wrong-type", message, f"let it end with {', '.join(FORMATS)}")
    if not plot.parent.is_dir():
        refuse("--plot", "cannot-write", f"there is no folder `{plot.parent}`")
    if find_spec("matplotlib") is None:
        message = "drawing needs matplotlib, which is not installed"
        refuse("--plot", "not-installed", message, "python3 -m pip install 'detente[ensemble]'")
