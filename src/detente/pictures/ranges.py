"""Ranges: how a number is distributed over draws, and how it lies over two parameters."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from detente.describe.charts import Intervals, Map, Strips
from detente.pictures.bars import scale_end
from detente.pictures.canvas import DOTTED, Palette, anchor_ends, beside, per_cent, row_scale
from detente.text import shown

BROAD, LINES = 50, 2
"""Characters in a line of a name above its interval, and lines."""


def heads(chart: Intervals) -> list[str]:
    """The names in lines."""
    return [
        textwrap.fill(shown(row.name), BROAD, max_lines=LINES, placeholder=" …")
        for row in chart.rows
    ]


def tall(chart: Intervals) -> float:
    """Pixels for each row."""
    return 33 + 14 * max((head.count("\n") for head in heads(chart)), default=0)


def intervals(chart: Intervals, axes: Axes, palette: Palette) -> None:
    """A row for each: a line over its interval, a dot where it is, a ring for the other number."""
    axes.axvline(chart.level, color=palette.muted, lw=1, ls=DOTTED)
    for k, (row, head) in enumerate(zip(chart.rows, heads(chart), strict=True)):
        ends = [row.begin, row.end]
        axes.plot(ends, [k, k], lw=5, color=palette[0], alpha=0.4, solid_capstyle="butt")
        if chart.directed and row.begin != row.end:
            shape = ">" if row.end > row.begin else "<"
            axes.plot([row.end], [k], shape, color=palette[0], ms=8, clip_on=False)
        axes.plot([row.value], [k], "o", color=palette[0], ms=7, clip_on=False, zorder=5)
        ring: dict[str, Any] = {"mfc": palette.paper, "mec": palette[1], "ms": 7, "mew": 1.8}
        axes.plot([row.other], [k], "o", clip_on=False, zorder=4, **ring)
        above = {"ha": "left", "va": "bottom", "color": palette.ink}
        beside(axes, head, (0, k), (0, 7), annotation_clip=False, **above)
        look = {"ha": "right", "va": "center", "color": palette.ink}
        beside(axes, row.text, (1, k), (82, 0), annotation_clip=False, **look)
    row_scale(axes, len(chart.rows), above=0.95)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(per_cent())
    axes.set_xticks([0, 0.5, 1])
    axes.grid(axis="x", color=palette.grid, lw=1)
    anchor_ends(axes)


def strips(chart: Strips, axes: Axes, palette: Palette) -> None:
    """A row for each: thin 5 to 95 %, thick 25 to 75 %, a cut at the middle, a ring at present."""
    ends = [abs(x) for s in chart.strips for x in (s.p05, s.p95, s.present) if x == x]
    high = scale_end(max(ends, default=0.0))
    low = -high if chart.changes else 0.0
    axes.grid(axis="x", color=palette.grid, lw=1)
    if chart.changes:
        axes.axvline(0, color=palette.muted, lw=1)
    plain: dict[str, Any] = {"color": palette[0], "solid_capstyle": "butt", "clip_on": False}
    for k, s in enumerate(chart.strips):
        axes.plot([s.p05, s.p95], [k, k], lw=1.6, **plain)
        axes.plot([s.p25, s.p75], [k, k], lw=8, **plain)
        axes.plot([s.p50], [k], "|", color=palette.paper, ms=9, mew=2, clip_on=False)
        axes.plot([s.p50], [k], "|", color=palette.ink, ms=12, mew=1.4, clip_on=False)
        ring = {"mfc": palette.paper, "mec": palette[1], "ms": 6, "mew": 1.6}
        axes.plot([s.present], [k], "o", clip_on=False, zorder=5, **ring)  # type: ignore[arg-type]
        look = {"ha": "right", "va": "center", "color": palette.ink, "annotation_clip": False}
        end = ("axes fraction", "data")
        beside(axes, s.text, (1, k), (98 if chart.changes else 50, 0), xycoords=end, **look)
    row_scale(axes, len(chart.strips))
    axes.set_ylim(len(chart.strips) - 0.4, -0.6)
    axes.set_yticks(range(len(chart.strips)), [s.name for s in chart.strips])
    axes.tick_params(axis="y", pad=14)  # clear of a ring at nothing
    axes.set_xlim(low, high)
    axes.xaxis.set_major_formatter(per_cent(1 if high < 0.1 else 0, sign=chart.changes))
    axes.set_xticks([low, (low + high) / 2, high])
    anchor_ends(axes)


def surface(chart: Map, axes: Axes, palette: Palette) -> None:
    """Colours of cividis, which can be told apart with every kind of colour vision."""
    numbers = np.array(chart.numbers)
    mesh = axes.pcolormesh(chart.first, chart.second, numbers, shading="nearest", cmap="cividis")
    scale = axes.inset_axes((1.04, 0.0, 0.05, 1.0))
    bar = axes.figure.colorbar(mesh, cax=scale)
    bar.outline.set_visible(False)
    scale.tick_params(colors=palette.muted, labelcolor=palette.muted, length=0)
    scale.yaxis.set_major_locator(MaxNLocator(5))
    if chart.probability:
        scale.yaxis.set_major_formatter(per_cent())
    look: dict[str, Any] = {"va": "center", "color": palette.ink}
    look["bbox"] = {"boxstyle": "round,pad=0.15", "fc": palette.paper, "ec": "none"}
    for line in chart.contours:
        # Paper under the line: it is seen on the dark and on the light end of the colours.
        axes.plot(*zip(*line, strict=True), color=palette.paper, lw=3.5)
        axes.plot(*zip(*line, strict=True), color=palette[1], lw=1.6)
        beside(axes, chart.level, line[len(line) // 2], (0, 0), ha="center", **look)
    if chart.now is not None:
        axes.plot(*chart.now, "o", ms=9, mfc=palette.paper, mec=palette.ink)
        beside(axes, "now", chart.now, (9, 0), **look)
    axes.set_xlim(chart.first[0], chart.first[-1])
    axes.set_ylim(chart.second[0], chart.second[-1])
    for axis, name in zip((axes.xaxis, axes.yaxis), chart.parameters, strict=True):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_label_text(name, color=palette.muted)
