"""A figure of matplotlib as a file that says who made it; the same figure gives the same file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from detente import files

SAYING: dict[str, dict[str, str | None]] = {
    ".svg": {"Creator": files.CREATOR, "Date": None},
    ".pdf": {"Creator": files.CREATOR, "CreationDate": None},
    ".png": {"Software": files.CREATOR},
}
"""By the ending of a file: what it tells of itself, which is never when it was made."""


def write_figure(figure: Figure, path: Path, *, dpi: float | None = None, **rules: Any) -> None:
    """Draw into a file in .svg, .png or .pdf; `rules` are those of `files.write`."""
    ending = path.suffix.lower()
    drawn = io.BytesIO()
    figure.savefig(
        drawn, format=ending.removeprefix("."), dpi=dpi or "figure", metadata=SAYING.get(ending)
    )
    files.write(path, drawn.getvalue(), **rules)
