"""What charts are drawn with: colours, frames and axes.

One unit of a drawing is one pixel. Matplotlib lays text out in its own DejaVu Sans, which is wider
than what browsers use, so nothing is cut. Frames are small, so that two or three stand side by side
on a screen and one fills a telephone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

WIDTH = 328
"""Pixels of a frame: a telephone's 360 less the margins of the page."""

TOP = 8
"""Pixels above the axes."""

Look = dict[str, Any]
"""How Matplotlib is to draw something."""

DASHED, DOTTED = (0, (5.0, 2.0)), (0, (1.5, 1.5))
DASHES: tuple[Any, ...] = ("-", DASHED, DOTTED, "-.")

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "detente",
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "figure.dpi": 72,
    "path.simplify": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
"""What every drawing is made with. At 72 dots per inch a point, Matplotlib's unit, is a pixel. Text
stays text, and the same drawing is the same file."""


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for."""

    ink: str
    muted: str
    grid: str
    paper: str
    series: tuple[str, ...]

    def __getitem__(self, k: int) -> str:
        """That of a series; there are as many as there have to be."""
        return self.series[k % len(self.series)]


STAND_IN = Palette(
    "#000001", "#000002", "#000003", "#000004", tuple(f"#00001{k}" for k in range(1, 7))
)
"""Colours that nobody sees: each stands for a variable of the page's style sheet."""

LIGHT = Palette(
    *("#1c2126", "#5a646e", "#d9dee3", "#ffffff"),
    ("#0072b2", "#c75000", "#00815e", "#a34f7d", "#8a6d00", "#2f7ea8"),
)
"""Those of the page on light paper: of Okabe and Ito (2008), which people who are colour-blind can
tell apart, a little darker."""


@dataclass(frozen=True)
class Frame:
    """The pixels of a drawing, and of the margins left and right of its axes and below them."""

    height: float
    left: float = 38
    right: float = 12
    below: float = 28
    width: float = WIDTH


def settings() -> AbstractContextManager[None]:
    """While it lasts, Matplotlib draws as pages and files want it."""
    return mpl.rc_context(SETTINGS)


def plain_axes(
    figure: Figure, frame: Frame, palette: Palette, *, left: float = 0.0, top: float = 0.0
) -> Axes:
    """Plain axes for a frame whose corner lies so many pixels from that of the figure."""
    width, height = (72 * inches for inches in figure.get_size_inches())
    below = height - top - frame.height + frame.below
    box = (
        (left + frame.left) / width,
        below / height,
        (frame.width - frame.left - frame.right) / width,
        (frame.height - frame.below - TOP) / height,
    )
    axes = figure.add_axes(box)
    axes.set_facecolor("none")
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.grid)
    axes.tick_params(colors=palette.muted, labelcolor=palette.muted, length=0, pad=5)
    axes.tick_params(axis="x", pad=9)  # clear of the lowest label of the other axis
    axes.set_axisbelow(True)
    return axes


def per_cent_scale(axes: Axes, palette: Palette) -> None:
    """The whole scale from 0 to 100 per cent, upwards."""
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.grid(axis="y", color=palette.grid, lw=1)
    axes.spines["left"].set_visible(False)


def row_scale(axes: Axes, rows: int, above: float = 0.6) -> None:
    """Rows from the top down, with so much room above the first and without ticks."""
    axes.set_ylim(rows - 0.6, -above)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def per_cent(digits: int = 0, *, sign: bool = False) -> FuncFormatter:
    """Ticks of shares; with a sign those of changes, in points."""
    if sign:
        return FuncFormatter(lambda x, _: f"{100 * x:+g}" if abs(x) > 1e-12 else "0")
    return FuncFormatter(lambda x, _: f"{100 * x:.{digits}f} %")


def anchor_ends(axes: Axes) -> None:
    """The first and last label of the x axis within the drawing, not half beyond it."""
    labels = axes.get_xticklabels()
    if len(labels) > 1:
        labels[-1].set_horizontalalignment("right")
        labels[0].set_horizontalalignment("left")


def beside(
    axes: Axes, text: str, xy: tuple[float, float], shift: tuple[float, float], **look: Any
) -> None:
    """A text so many pixels from a place."""
    axes.annotate(text, xy, xytext=shift, textcoords="offset points", **look)
