"""Bars: numbers in their order, shares of a whole, levels; and dots that are compared."""

from __future__ import annotations

import textwrap

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from detente.describe.charts import Bars, Compared, Ladder, Stacks
from detente.numbers import percent
from detente.pictures.canvas import (
    DOTTED,
    Look,
    Palette,
    anchor_ends,
    beside,
    per_cent,
    row_scale,
)

SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of an axis of shares: of a rare outcome the whole scale would show nothing."""

FOR_LETTER, FOR_SHARE = 0.09, 0.2
"""Share of a bar from which on a part has room for its letter, and for its number."""

LONGEST = 42
"""Characters of a name that stand above its bar."""

MARKERS = ("D", "|")


def compared(chart: Compared, axes: Axes, palette: Palette) -> None:
    base = chart.values[0]
    axes.axvline(base, color=palette.muted, lw=1, ls=DOTTED)
    for k, (value, error) in enumerate(zip(chart.values, chart.errors, strict=True)):
        colour, shape = (palette[0], "o") if k == 0 else (palette[1], "s")
        axes.plot([base, value], [k, k], color=colour, lw=2.5)
        axes.errorbar(value, k, xerr=error, color=colour, fmt=shape, ms=6, clip_on=False)
        look = {"ha": "right", "va": "center", "color": palette.ink}
        beside(axes, percent(value), (1, k), (50, 0), **look)
    row_scale(axes, len(chart.names))
    axes.set_ylim(len(chart.names) - 0.4, -0.6)
    axes.set_yticks(range(len(chart.names)), chart.names)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(per_cent())
    axes.set_xticks([0, 0.5, 1])
    axes.grid(axis="x", color=palette.grid, lw=1)
    anchor_ends(axes)


def bars(chart: Bars, axes: Axes, palette: Palette) -> None:
    halves = chart.halves or (0.0,) * len(chart.names)
    others = [number for _, numbers in chart.marks for number in numbers if number == number]
    signed = not (chart.halves or chart.marks)
    reach = max((abs(v) + half for v, half in zip(chart.values, halves, strict=True)), default=0.0)
    end = max([reach, *others]) or 1.0
    if signed:
        end = 1.3 * (min(end, 1.0) if chart.share else end)
    elif chart.share:
        end = scale_end(end, least=0.1)
    else:
        end *= 1.05
    begin = -end if signed else 0.0
    for k, (name, value) in enumerate(zip(chart.names, chart.values, strict=True)):
        colour = palette[0] if value >= 0 else palette[1]
        axes.barh(k, min(max(value, begin), end), height=0.36, color=colour)
        if chart.halves:
            ends = [max(value - halves[k], 0.0), min(value + halves[k], end)]
            axes.plot(ends, [k, k], color=palette.ink, lw=1.2, solid_capstyle="butt")
        look: Look = {"va": "bottom", "color": palette.ink}
        axes.text(
            begin, k - 0.26, textwrap.shorten(name, LONGEST, placeholder="…"), ha="left", **look
        )
        axes.text(end, k - 0.26, chart.texts[k], ha="right", **look)
    for (_, numbers), shape, colour in zip(
        chart.marks, MARKERS, (palette[1], palette.ink), strict=False
    ):
        axes.plot(numbers, range(len(numbers)), shape, color=colour, ms=7, mew=1.6)
    if 0 < chart.floor < end:
        axes.axvline(chart.floor, color=palette.muted, lw=1, ls=DOTTED)
    row_scale(axes, len(chart.names), above=0.95)
    axes.set_xlim(begin, end)
    if signed:
        axes.axvline(0, color=palette.muted, lw=1)
        axes.xaxis.set_major_locator(MaxNLocator(3, symmetric=True))
        if chart.share:
            axes.xaxis.set_major_formatter(per_cent(sign=True))
    elif chart.share:
        axes.set_xticks([0, end / 2, end], [f"{100 * x:g} %" for x in (0, end / 2, end)])
        anchor_ends(axes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))


def scale_end(reach: float, least: float = 0.0) -> float:
    """The end of an axis of shares: the first round number beyond all of them."""
    return next((end for end in SCALES if end >= least and reach <= end), 1.0)


def stacks(chart: Stacks, axes: Axes, palette: Palette) -> None:
    for k, row in enumerate(chart.rows):
        axes.text(0, k - 0.24, row.name, va="bottom", ha="left", color=palette.ink)
        left = 0.0
        for j, part in enumerate((*row.shares, row.rest)):
            if not part > 0:
                continue
            rest = j == len(row.shares)
            look: Look = {"color": palette[j], "alpha": 0.45, "edgecolor": palette.paper}
            if rest:
                look = {"color": palette.paper, "edgecolor": palette.muted}
            axes.barh(k, part, left=left, height=0.44, lw=1, **look)
            name = "≈" if rest else chart.parts[j]
            if part >= FOR_SHARE:
                name = f"{name}  {percent(part)}"
            if part >= FOR_LETTER:
                axes.text(left + part / 2, k, name, ha="center", va="center", color=palette.ink)
            left += part
    row_scale(axes, len(chart.rows), above=0.8)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    anchor_ends(axes)


def ladder(chart: Ladder, axes: Axes, palette: Palette) -> None:
    for k, share in enumerate(chart.shares):
        if share > 0:
            axes.barh(k, share, height=0.66, color=palette[0])
            look = {"va": "center", "color": palette.muted, "annotation_clip": False}
            beside(axes, percent(share), (share, k), (5, 0), **look)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_ylim(len(chart.levels) - 0.5, -0.5)
    names = [f"▸ {n}" if k == chart.start else n for k, n in enumerate(chart.levels)]
    axes.set_yticks(range(len(names)), names)
    for k, label in enumerate(axes.get_yticklabels()):
        label.set_color(palette.ink)
        label.set_fontweight("bold" if k == chart.start else "normal")
