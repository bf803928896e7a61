"""`detente fits`: several fits side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detente import files
from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.results import TableOptions


@with_groups
def fits(
    fitted: Annotated[
        list[Path],
        typer.Argument(metavar="FIT.JSON...", help="What `detente fit --json` has printed."),
    ],
    *,
    tex: Annotated[
        Path | None, typer.Option("--latex", metavar="FILE", help="Write the table as LaTeX.")
    ] = None,
    tables: TableOptions,
) -> None:
    """Set fits side by side, with likelihood-ratio and Vuong tests where they apply."""
    tables.check(fitted)
    if tex is not None:
        files.check(tex, inputs=fitted, force=tables.force)
    from detente.describe.side_by_side import describe_fits, latex
    from detente.estimation.side_by_side import read_summary

    summaries = [read_summary(path) for path in fitted]
    tables.show(describe_fits(summaries), fitted)
    if tex is not None:
        files.write(tex, latex(summaries), inputs=fitted, force=tables.force)
        console.say(f"Wrote {tex}.", error=True)
