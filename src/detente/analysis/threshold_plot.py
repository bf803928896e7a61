"""Pictures of thresholds, by matplotlib, which the extra `report` brings.

Colours are from the palette of Okabe and Ito, and cividis, which can be told apart with every kind
of colour vision; lines and points are named where they stand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from detente.analysis import threshold_wording as wording
from detente.analysis.picture import write_figure
from detente.analysis.threshold_result import Threshold, ThresholdMap

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#555555"
BOX = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
SIZE = (7.2, 4.4)
"""Inches; wide enough for a page and a slide."""

APART = 2e-3
"""Share of the range by which values lie apart through which a curve is drawn."""

ROOM = 0.12
"""Share of the curve's height that is left above and below it."""


def save(found: Threshold | ThresholdMap, file: Path, **rules: Any) -> None:
    """Draw into a file in .svg, .png or .pdf; `rules` are those of `files.write`."""
    # Text stays text, and the same picture is the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "detente"}):
        write_figure(draw(found), file, dpi=150, **rules)


def draw(found: Threshold | ThresholdMap) -> Figure:
    """The picture: a curve with its crossings, or a map with its lines."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    if isinstance(found, Threshold):
        _curve(axes, found)
    else:
        _map(figure, axes, found)
    title = found.about[0].upper() + found.about[1:]
    axes.set_title(f"{found.scenario.title}\n{title}", loc="left", fontsize=9)
    return figure


def _curve(axes: Axes, found: Threshold) -> None:
    table = found.curve
    x, y = table["value"].to_numpy(), table["number"].to_numpy()
    error = table["error"].to_numpy()
    jumps = any(one.jump for one in found.crossings)
    # Values that a search left side by side would send a spline astray.
    apart = np.diff(x, prepend=-np.inf) > APART * (found.high - found.low)
    if found.structural or found.whole or jumps or apart.sum() < 4:
        axes.plot(x, y, color=BLUE, linewidth=0.8, linestyle=":")
    else:
        slopes = table["derivative"].to_numpy()[apart]
        x, y, error = x[apart], y[apart], error[apart]
        exact = not np.isnan(slopes).any()
        smooth = CubicHermiteSpline(x, y, slopes) if exact else CubicSpline(x, y)
        at = np.linspace(x[0], x[-1], 400)
        known = ~np.isnan(error)
        band = np.interp(at, x[known], error[known])
        axes.fill_between(at, smooth(at) - band, smooth(at) + band, color=BLUE, alpha=0.25, lw=0)
        axes.plot(at, smooth(at), color=BLUE)
    axes.plot(x, y, "o", color=BLUE, markersize=3.5, clip_on=False)
    lowest, highest = min(y.min(), found.at), max(y.max(), found.at)
    room = ROOM * (highest - lowest or 1.0)
    axes.set_ylim(lowest - room, highest + room)
    axes.set_xlim(found.low, found.high)
    axes.axhline(found.at, color=GREY, linewidth=0.9, linestyle="--")
    level = wording.crossed(found)
    spot: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8}
    axes.annotate(level, (found.low, found.at), xytext=(3, 3), color=GREY, **spot)
    for k, one in enumerate(found.crossings):
        axes.axvspan(one.low, one.high, color=VERMILION, alpha=0.25, lw=0)
        text = f"at {wording.known(one.value, one.error)}"
        if found.whole:
            text = f"between {one.low:g} and {one.high:g}"
        elif wording.is_wide(found, one):
            text = f"between {one.low:.2g} and {one.high:.2g}"
        else:
            axes.axvline(one.value, color=VERMILION, linewidth=0.9)
        late = one.value > (found.low + found.high) / 2
        axes.annotate(
            f"{'jumps' if one.jump and not found.whole else one.direction} {text}",
            (one.value, 0.02 + 0.05 * (k % 4)),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if late else 4, 0),
            ha="right" if late else "left",
            color=VERMILION,
            **spot,
        )
    now = table[table["value"] == found.present]
    if len(now):
        at_present = now[["value", "number"]].to_numpy()[0]
        axes.plot(*at_present, "o", markersize=9, markerfacecolor="none", markeredgecolor="black")
        axes.annotate("now", tuple(at_present), xytext=(0, 8), ha="center", **spot)
    axes.set_xlabel(_axis(found.parameter, found.unit))
    axes.set_ylabel(wording.label(found))
    if found.kind == "probability":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.spines[["top", "right"]].set_visible(False)


def _map(figure: Figure, axes: Axes, found: ThresholdMap) -> None:
    x, y, numbers = found.grid()
    mesh = axes.pcolormesh(x, y, numbers, shading="nearest", cmap="cividis")
    percent = PercentFormatter(1.0) if found.kind == "probability" else None
    figure.colorbar(mesh, ax=axes, format=percent, label=wording.label(found))
    level = wording.crossed(found)
    spot: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8}
    for line in found.contours:
        # White under vermilion: seen on the dark and on the light end of the colours.
        axes.plot(*line.T, color="white", linewidth=3.5)
        axes.plot(*line.T, color=VERMILION, linewidth=1.6)
        middle = tuple(line[len(line) // 2])
        axes.annotate(level, middle, xytext=(0, 0), ha="center", va="center", bbox=BOX, **spot)
    if found.present is not None:
        axes.plot(
            *found.present, "o", markersize=9, markerfacecolor="white", markeredgecolor="black"
        )
        axes.annotate("now", found.present, xytext=(9, 0), va="center", bbox=BOX, **spot)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    axes.set_xlabel(_axis(found.parameters[0], found.units[0]))
    axes.set_ylabel(_axis(found.parameters[1], found.units[1]))


def _axis(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name
