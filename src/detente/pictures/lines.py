"""Lines: probabilities over time and after events, and a number along a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from detente.describe.charts import Curve, OverTime, Series, Steps
from detente.numbers import percent
from detente.pictures.canvas import (
    DASHED,
    DASHES,
    Palette,
    anchor_ends,
    beside,
    per_cent,
    per_cent_scale,
)

ROOM = 200
"""Pixels of axes from which on a third label fits beneath them."""

FEW = 4
"""Lines whose names take a line of text of their own."""

MARKERS = ("o", "s", "^", "D", "v", "P")

APART = 2e-3
"""Share of the range by which values lie apart through which a curve is drawn."""

BAND = 0.06
"""Share of the height that the band of what was true takes."""

CLEAR = 0.12
"""Share of a curve's height that is left above and below it; and how far a step is high enough for
its mark to stand on either side."""


def over_time(chart: OverTime, axes: Axes, palette: Palette) -> None:
    last = len(chart.labels) - 1
    times = range(last + 1)
    for k, line in enumerate(chart.lines):
        colour = palette[k]
        if line.low:
            axes.fill_between(times, line.low, line.high, color=colour, alpha=0.18, lw=0)
        axes.plot(times, line.values, color=colour, lw=2, ls=DASHES[k % len(DASHES)], clip_on=False)
        axes.plot(last, line.values[-1], MARKERS[k % 6], color=colour, ms=5, clip_on=False)
    if chart.mark is not None:
        axes.axvline(chart.mark, color=palette.muted, lw=1)
    _name_ends(axes, last, chart.lines, palette)
    per_cent_scale(axes, palette)
    axes.set_xlim(0, last)
    between = {last // 2} if axes.bbox.width > ROOM else set()
    ticks = sorted({0, last} | between)
    axes.set_xticks(ticks, [chart.labels[t] for t in ticks])
    anchor_ends(axes)


def _name_ends(axes: Axes, last: int, lines: Sequence[Series], palette: Palette) -> None:
    """Each line's name and last value to the right of its end, apart where they would meet."""
    rows = 2 if len(lines) <= FEW and any(line.name for line in lines) else 1
    gap = (14 * rows + 2) / axes.bbox.height
    order = sorted(range(len(lines)), key=lambda k: (lines[k].values[-1], k))
    places = {k: lines[k].values[-1] for k in order}
    for a, b in pairwise(order):
        places[b] = max(places[b], places[a] + gap)
    if order and places[order[-1]] > 1:
        places[order[-1]] = 1.0
        for b, a in pairwise(reversed(order)):
            places[a] = min(places[a], places[b] - gap)
    look = {"va": "center", "color": palette.ink, "weight": "bold", "annotation_clip": False}
    for k, line in enumerate(lines):
        text = f"{line.name}{chr(10) if rows == 2 else ' '}{percent(line.values[-1])}".strip()
        beside(axes, text, (last, places[k]), (8, 0), **look)


def steps(chart: Steps, axes: Axes, palette: Palette) -> None:
    values, last = chart.values, len(chart.values) - 1
    if chart.true:
        ends = [min(k + 1, last) for k in range(last + 1)]
        for k, true in enumerate(chart.true):
            low = 1 - BAND if true else 0.0
            axes.fill_between((k, ends[k]), low, low + BAND, color=palette.muted, alpha=0.35, lw=0)
    axes.step(range(last + 1), values, where="post", color=palette[0], lw=2)
    above = True
    for k, mark in enumerate(chart.marks):
        if not mark:
            continue
        axes.plot(k, values[k], "o", color=palette[0], ms=6, clip_on=False)
        near = k and abs(values[k] - values[k - 1]) < CLEAR
        above = not above if near else values[k] < 0.85
        look = {"ha": "center", "va": "bottom" if above else "top", "color": palette.ink}
        beside(axes, mark, (k, values[k]), (0, 8 if above else -8), **look)
    per_cent_scale(axes, palette)
    axes.set_xlim(0, max(1, last))
    ticks = list(range(0, last + 1, max(1, -(-(last + 1) // 3))))
    axes.set_xticks(ticks, [chart.labels[t] for t in ticks])
    anchor_ends(axes)


def curve(chart: Curve, axes: Axes, palette: Palette) -> None:
    x, y, error = np.array(chart.at), np.array(chart.values), np.array(chart.errors)
    low, high = float(x.min()), float(x.max())
    # Values that a search left side by side would send a spline astray.
    apart = np.diff(x, prepend=-np.inf) > APART * (high - low)
    if not chart.smooth or apart.sum() < 4:
        axes.plot(x, y, color=palette[0], lw=0.8, ls=":")
    else:
        xs, ys = x[apart], y[apart]
        exact = bool(chart.slopes)
        smooth = CubicSpline(xs, ys)
        if exact:
            smooth = CubicHermiteSpline(xs, ys, np.array(chart.slopes)[apart])
        at = np.linspace(xs[0], xs[-1], 400)
        known = ~np.isnan(error)
        band = np.interp(at, x[known], error[known]) if known.any() else np.zeros(at.size)
        axes.fill_between(
            at, smooth(at) - band, smooth(at) + band, color=palette[0], alpha=0.25, lw=0
        )
        axes.plot(at, smooth(at), color=palette[0], lw=2)
    axes.plot(x, y, "o", color=palette[0], ms=4, clip_on=False)
    bottom, top = min(y.min(), chart.level), max(y.max(), chart.level)
    room = CLEAR * (top - bottom or 1.0)
    axes.set_ylim(bottom - room, top + room)
    axes.set_xlim(low, high)
    axes.axhline(chart.level, color=palette.muted, lw=1, ls=DASHED)
    for k, (begin, end, text) in enumerate(chart.crossings):
        middle = (begin + end) / 2
        axes.axvspan(begin, end, color=palette[1], alpha=0.25, lw=0)
        axes.axvline(middle, color=palette[1], lw=1.2)
        late = middle > (low + high) / 2
        place = (middle, 0.03 + 0.09 * (k % 4))
        side = {"ha": "right"} if late else {"ha": "left"}
        look = {"xycoords": ("data", "axes fraction"), "color": palette.ink, **side}
        beside(axes, text, place, (-4 if late else 4, 0), **look)
    if chart.now is not None and low <= chart.now <= high:
        now = chart.now, float(np.interp(chart.now, x, y))
        axes.plot(*now, "o", ms=9, mfc="none", mec=palette.ink, clip_on=False)
        beside(axes, "now", now, (0, 8), ha="center", color=palette.muted)
    axes.set_xlabel(chart.parameter, color=palette.muted)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if chart.probability:
        digits = 0 if top - bottom > 0.05 else 1
        axes.yaxis.set_major_formatter(per_cent(digits))
    axes.grid(axis="y", color=palette.grid, lw=1)
    axes.spines["left"].set_visible(False)
