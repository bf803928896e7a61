"""`--plot`: where a picture goes, and what it takes to draw it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from detente.cli.inputs import check_packages, refuse

FORMATS = (".svg", ".png", ".pdf")

Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw it: a file in .svg, .png or .pdf (needs matplotlib)."
    ),
]


def check_plot(plot: Path | None, extra: str = "report") -> None:
    """Refuse early what could not be drawn after all the work."""
    if plot is None:
        return
    if plot.suffix.lower() not in FORMATS:
        message = f"`{plot.name}` does not say in which format"
        refuse("--plot", "wrong-type", message, f"let it end with {', '.join(FORMATS)}")
    if not plot.parent.is_dir():
        refuse("--plot", "cannot-write", f"there is no folder `{plot.parent}`")
    check_packages("--plot", "drawing needs", {"matplotlib": "matplotlib"}, extra)


def draw(save: Callable[[Any, Path], object], found: object, plot: Path) -> None:
    """Draw it, and say where."""
    try:
        save(found, plot)
    except OSError as error:
        refuse(str(plot), "cannot-write", f"cannot be written: {error.strerror}")
    print(f"Wrote {plot}.", file=sys.stderr)
