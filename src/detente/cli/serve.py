"""`detente serve`: the workbench in the browser."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import SCENARIO, STDIN, check_packages, refuse
from detente.cli.options import SolvingOptions
from detente.cli.report import NEEDED as NEEDED_TO_REPORT

NEEDED = NEEDED_TO_REPORT | {"starlette": "starlette", "uvicorn": "uvicorn"}
"""Packages of the extra `serve`."""

LEAST = 5
"""Belief points of the coarsest grid: of a file that is watched nothing else is known for good."""

DEFAULT_PORT = 8418
"""Always the same, so that a link works again tomorrow."""


DEFAULT_ROOMS = Path("detente-rooms.sqlite")
"""In the folder in which the command runs."""


@with_groups
def serve(
    sources: Annotated[list[str], SCENARIO],
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this machine; 0 for any that is free.")
    ] = DEFAULT_PORT,
    network: Annotated[
        bool,
        typer.Option("--network", help="Let players come in from the network; nobody else can."),
    ] = False,
    rooms: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where rooms are kept; made when one is opened."),
    ] = DEFAULT_ROOMS,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    solving: SolvingOptions,
) -> None:
    """Open a page in the browser on which assumptions are moved and the forecast follows; or on
    which a class plays the stand-off."""
    check_packages("detente serve", "the workbench needs", NEEDED, "serve")
    if STDIN in sources:
        refuse(STDIN, "wrong-type", "the workbench watches files, and stdin is none")
    options = solving.options()
    if options.beliefs is not None and (options.beliefs < LEAST or options.beliefs % 2 == 0):
        message = f"belief points are an odd number of at least {LEAST}, not {options.beliefs}"
        refuse("--beliefs", "out-of-range", message, "17, 33 and 65 are usual")
    from detente.workbench.jobs import Means
    from detente.workbench.server import serve as run

    def opened(address: str, players: str) -> None:
        console.say(f"The workbench is at {address}")
        sys.stdout.flush()  # whoever reads it from a pipe waits for it
        console.say("It answers this machine alone. Ctrl-C ends it.", error=True)
        if network:
            console.say(f"Players come in at {players} from the network.", error=True)
        if browser:
            webbrowser.open(address)

    means = Means(options.beliefs, options.threads, options.memory_limit, options.time_limit)
    run(sources, port=port, means=means, opened=opened, rooms=rooms, network=network)
