"""A track as one picture: beliefs over time, surprise move by move, the forecast from here.

Colours are those of Okabe and Ito (2008), which most people can tell apart; every line and mark
is also told by a label or a shape. Needs matplotlib, which the extra `report` brings.
"""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from detente.analysis.picture import write_figure
from detente.simulation.track import Track
from detente.text import on_one_line

BLACK, BLUE, ORANGE, GREY = "#000000", "#0072B2", "#D55E00", "#8A8A8A"
LINES = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", "-.", ":")
TEXT = 9
LONGEST = 44
"""Characters of an observation that stand beside its bar."""


def save(track: Track, path: Path, **rules: Any) -> None:
    """Draw a track into a file in .svg, .png or .pdf; `rules` are those of `files.write`."""
    with rc_context({"svg.hashsalt": "detente"}):
        write_figure(draw(track), path, **rules)


def draw(track: Track) -> Figure:
    """The picture of a track, as a figure of matplotlib."""
    dated = track.moves[track.moves["date"] != ""]
    outcomes = len(track.solution.game.holds)
    rows = max(len(dated), outcomes, 3)
    informed = bool(track.solution.game.informed)
    heights = [2.6 if informed else 0.01, 0.6 + 0.23 * rows]
    figure = Figure(figsize=(11, sum(heights) + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, height_ratios=heights, width_ratios=[1.15, 1])
    scenario = track.solution.game.scenario
    figure.suptitle(scenario.title, x=0.01, ha="left", fontsize=11)
    if informed:
        _beliefs(figure.add_subplot(grid[0, :]), track)
    _surprise(figure.add_subplot(grid[1, 0]), dated)
    _outcomes(figure.add_subplot(grid[1, 1]), track)
    return figure


def _beliefs(axes: Axes, track: Track) -> None:
    """Belief about types at the end of each period, and the public's range."""
    game = track.solution.game
    actors = list(game.scenario.actors.values())
    looks = zip(cycle(LINES), cycle(STYLES), strict=False)
    told = track.periods[track.periods["t"] <= max(track.last, 1)]
    ends: list[tuple[float, str, str]] = []
    for i in game.informed:
        kinds = actors[i].types
        for kind in kinds[:1] if len(kinds) == 2 else kinds:
            mine = told[(told["about"] == actors[i].key) & (told["type"] == kind)]
            colour, style = next(looks)
            axes.fill_between(mine["t"], mine["low"], mine["high"], color=colour, alpha=0.12, lw=0)
            axes.plot(mine["t"], mine["probability"], color=colour, ls=style, lw=2)
            ends.append((float(mine["probability"].iloc[-1]), f"{actors[i].name}: {kind}", colour))
    last = float(told["t"].max())
    for (_, text, colour), at in zip(sorted(ends), _apart(sorted(ends)), strict=True):
        axes.annotate(
            text,
            (last, at),
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=TEXT,
            annotation_clip=False,
        )
    labels = told.drop_duplicates("t")[["t", "period"]]
    step = max(1, round(len(labels) / 12))
    axes.set_xticks(labels["t"][::step], labels["period"][::step], fontsize=TEXT - 1)
    axes.set_ylim(0, 1)
    axes.set_xlim(0, last)
    axes.set_yticks(
        [0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"], fontsize=TEXT
    )
    axes.set_title(
        "Belief at the end of each period (shaded: what the public may believe, 10 – 90 %)",
        loc="left",
        fontsize=TEXT + 1,
    )
    _plain(axes)


def _apart(ends: list[tuple[float, str, str]], gap: float = 0.09) -> list[float]:
    """Heights for labels of lines that end at these, low to high, which do not overlap."""
    heights: list[float] = []
    for value, *_ in ends:
        heights.append(max(value, heights[-1] + gap) if heights else value)
    over = max(0.0, heights[-1] - 1.0) if heights else 0.0
    return [height - over for height in heights]


def _surprise(axes: Axes, dated: pd.DataFrame) -> None:
    """Bits of surprise of each dated observation, with those of the two rivals."""
    places = np.arange(len(dated))
    bits = dated["surprise"].where(dated["kind"] != "skipped", 0.0).abs()
    axes.barh(places, bits, height=0.6, color=BLUE, label="this model")
    with np.errstate(divide="ignore"):
        rivals = {name: -np.log2(dated[name].to_numpy(float)) for name in ("prior_only", "uniform")}
    for (name, values), (mark, words) in zip(
        rivals.items(), (("D", "its forecast at the start"), ("|", "uniform")), strict=True
    ):
        shown = np.isfinite(values)
        colour = ORANGE if name == "prior_only" else BLACK
        axes.plot(values[shown], places[shown], mark, color=colour, ms=6, mew=1.5, label=words)
    for place, kind in zip(places, dated["kind"], strict=True):
        if kind == "skipped":
            axes.text(
                0.1, float(place), "held impossible", va="center", fontsize=TEXT - 1, color=ORANGE
            )
    texts = [_short(f"{r.date}  {r.actor or 'state'}: {r.action}") for r in dated.itertuples()]
    axes.set_yticks(places, texts, fontsize=TEXT - 1)
    axes.set_ylim(len(dated) - 0.4 if len(dated) else 1, -0.6)
    axes.set_xlim(left=0)
    axes.tick_params(axis="x", labelsize=TEXT - 1)
    axes.set_title(
        "Surprise in bits: 1 for a chance of 1/2, 2 for 1/4", loc="left", fontsize=TEXT + 1
    )
    if len(dated):
        axes.legend(
            fontsize=TEXT - 1,
            frameon=False,
            loc="upper center",
            ncols=3,
            bbox_to_anchor=(0.4, -0.06),
            handletextpad=0.4,
            columnspacing=1.2,
        )
    _plain(axes)


def _short(text: str) -> str:
    text = on_one_line(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _outcomes(axes: Axes, track: Track) -> None:
    """Each outcome by the end: as forecast at the start, and from here."""
    game = track.solution.game
    calendar = game.scenario.calendar
    at = track.outcomes[track.outcomes["t"] == track.end]
    places = np.arange(len(at))
    axes.hlines(places, at["before"], at["happened"], color=GREY, lw=1.5, zorder=1)
    axes.plot(at["before"], places, "o", mfc="white", mec=BLACK, ms=7, label="at the start")
    axes.plot(at["happened"], places, "o", color=BLUE, ms=7, label="from here")
    axes.set_yticks(places, at["outcome"], fontsize=TEXT - 1)
    axes.set_ylim(len(at) - 0.4 if len(at) else 1, -0.6)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xticks(
        [0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"], fontsize=TEXT - 1
    )
    axes.set_title(f"Has come about by {calendar.label(track.end)}", loc="left", fontsize=TEXT + 1)
    if len(at):
        axes.legend(
            fontsize=TEXT - 1,
            frameon=False,
            loc="upper center",
            ncols=2,
            bbox_to_anchor=(0.5, -0.06),
            handletextpad=0.4,
        )
    _plain(axes)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(visible=True, axis="both", color="#DDDDDD", lw=0.6)
    axes.set_axisbelow(True)
