"""What commands take: their common options, and what is made of them.

Imports that take their time are made when a command needs them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO, TypeVar, cast

import typer

from detente.arguments import MOST_MISCODED, MOST_PERIODS
from detente.cli import complete, console
from detente.errors import Diagnostic, Place, ScenarioError

if TYPE_CHECKING:
    from detente.game.arrays import CompiledGame
    from detente.scenario.model import Scenario

MOST_ROWS = 10_000
"""Rows of a table that may be asked for."""

Numbers = TypeVar("Numbers", float | None, list[float] | None)


def finite(value: Numbers) -> Numbers:
    """For options that are numbers: refuse `nan` and `inf`, which Python takes for such."""
    for number in value if isinstance(value, list) else [value]:
        if number is not None and not math.isfinite(number):
            raise typer.BadParameter(f"it is a finite number, not {number}.")
    return value


STDIN, IN_WORDS = "-", "<stdin>"
"""The scenario that stands for what is read from stdin, and what messages call it."""

SCENARIO = typer.Argument(
    metavar="SCENARIO",
    help="A file, a scenario of the library, or - for stdin.",
    autocompletion=complete.scenario,
)
Source = Annotated[str, SCENARIO]
Sources = Annotated[list[str], SCENARIO]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that Detente did not write.")]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policies",
        metavar="POLICY",
        help="A policy to solve and compare (may be repeated); all else.",
        autocompletion=complete.policy,
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        metavar="POLICY",
        help="The policy to compare with; the scenario's own else.",
        autocompletion=complete.policy,
    ),
]
Outcome = Annotated[
    str | None,
    typer.Option(
        help="The outcome whose probability is asked about.", autocompletion=complete.outcome
    ),
]
Payoff = Annotated[str | None, typer.Option(help="Or the actor whose payoff is.")]
Within = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST_PERIODS, help="Periods within which it comes about; all by default."
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        help="A policy of the scenario; '' for no terms at all.", autocompletion=complete.policy
    ),
]
Beliefs = Annotated[
    int | None,
    typer.Option(min=1, help="Belief points for each informed actor (odd, from 5)."),
]
Periods = Annotated[
    int | None,
    typer.Option(min=1, max=MOST_PERIODS, help="Periods to report of a game without end."),
]
Posterior = Annotated[
    Path | None,
    typer.Option(
        "--posterior", metavar="DRAWS.CSV", help="Draws of parameters, as `fit` writes them."
    ),
]
Miscoded = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=MOST_MISCODED,
        metavar="P",
        help="How often a recorded move was another one, such as 0.05.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of what is drawn.")]


def read_scenario(source: str) -> Scenario:
    """A file, a scenario of the library, or what comes from stdin."""
    from detente.scenario.loader import load, loads

    return loads(_all_of(sys.stdin), file=IN_WORDS) if source == STDIN else load(source)


@lru_cache(maxsize=1)
def _all_of(stream: TextIO) -> bytes:
    """What comes from a stream, which can be read once, however often it is asked for."""
    return stream.buffer.read()


def load_scenario(source: str, values: list[str] | None, horizon: int | None) -> Scenario:
    """A scenario with the changes asked for; its warnings are printed."""
    scenario = read_scenario(source)
    options: dict[str, str] = {}
    numbers: dict[str, float] = {}
    for text in values or ():
        name, value = _assignment(text, scenario)
        if isinstance(value, str):
            options[name] = value
        else:
            numbers[name] = value
    scenario = scenario.with_options(options).with_values(numbers)
    if horizon is not None:
        scenario = scenario.with_horizon(horizon)
    console.print_diagnostics(scenario.warnings)
    return scenario


def prepare_kernels(about: CompiledGame | Scenario) -> None:
    """Compile the kernels that a game needs and this machine lacks, and say so."""
    import_numba()
    from detente.game.arrays import CompiledGame
    from detente.game.compile import compile_game
    from detente.solver import ready
    from detente.solver.kernels.jit import REMARK

    if REMARK:
        console.say(f"{REMARK[0].upper()}{REMARK[1:]}.", error=True)
    game = about if isinstance(about, CompiledGame) else compile_game(about, policy="")
    if not ready.missing(game):
        ready.prepare(game, lambda _: None)
        return
    console.say("Compiling the numerical kernels (once on this machine) ...", error=True)
    with console.progress("Compiling") as report:
        ready.prepare(game, report)


def import_numba() -> None:
    """Import Numba without what it asks SciPy for, if that is installed.

    Numba looks for linear algebra, which no kernel uses, when the first kernel is taken from its
    cache; to import that takes a fifth as long as all of Numba and NumPy do.
    """
    if "scipy" in sys.modules:
        return
    modules = cast(dict[str, object], sys.modules)
    modules["scipy"] = None  # what is None here cannot be imported
    try:
        import_module("numba.np.arraymath")
    finally:
        del modules["scipy"]


def given_type(text: str) -> tuple[str, str]:
    """The actor and the type of `--given ACTOR=TYPE`."""
    actor, equals, kind = text.partition("=")
    if not equals:
        message = f"`{text}` does not give a type to an actor"
        refuse("--given", "wrong-type", message, "write it as --given DPRK=sincere")
    return actor.strip(), kind.strip()


def check_packages(place: str, what: str, needed: Mapping[str, str], extra: str) -> None:
    """Refuse with all that is missing, and how to get it.

    `what`, as in `the report needs`; packages by the names under which they are imported; the
    project's extra that brings them.
    """
    missing = [name for module, name in needed.items() if find_spec(module) is None]
    if missing:
        from detente.extras import how_to_install

        verb = "is" if len(missing) == 1 else "are"
        message = f"{what} {' and '.join(missing)}, which {verb} not installed"
        refuse(place, "not-installed", message, how_to_install(extra, missing))


def _assignment(text: str, scenario: Scenario) -> tuple[str, float | str]:
    """A parameter with its number, or a variant with its option."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if equals and name in scenario.variants:
        return name, value
    try:
        return name, float(value)
    except ValueError:
        message = f"`{text}` does not give a number to a name" if equals else f"`{text}` has no `=`"
        hint = "write it as --set step_cost.sincere=0.4"
        for key, variant in list(scenario.variants.items())[:1]:
            hint = f"{hint} or --set {key}={list(variant.options)[-1]}"
        refuse("--set", "wrong-type", message, hint)
        raise  # not reached


def refuse(place: str, code: str, message: str, hint: str = "") -> None:
    raise ScenarioError([Diagnostic(Place(place), code, message, hint)])
