"""`--plot`: where a picture goes, and what it takes to draw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from detente.cli import console, outputs
from detente.cli.inputs import check_packages, refuse

FORMATS = (".svg", ".png", ".pdf")

Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw it: a file in .svg, .png or .pdf (needs matplotlib)."
    ),
]


def check_plot(
    plot: Path | None,
    extra: str = "report",
    *,
    inputs: Sequence[str | Path] = (),
    force: bool = False,
) -> None:
    """Refuse early what could not be drawn after all the work."""
    if plot is None:
        return
    if plot.suffix.lower() not in FORMATS:
        message = f"`{plot.name}` does not say in which format"
        refuse("--plot", "wrong-type", message, f"let it end with {', '.join(FORMATS)}")
    if not plot.parent.is_dir():
        refuse("--plot", "cannot-write", f"there is no folder `{plot.parent}`")
    outputs.check(plot, inputs=inputs, force=force)
    check_packages("--plot", "drawing needs", {"matplotlib": "matplotlib"}, extra)


def draw(
    save: Callable[..., None],
    found: object,
    plot: Path,
    *,
    inputs: Sequence[str | Path] = (),
    force: bool = False,
) -> None:
    """Draw it, and say where."""
    save(found, plot, inputs=inputs, force=force, way_out=outputs.WAY_OUT)
    console.say(f"Wrote {plot}.", error=True)
