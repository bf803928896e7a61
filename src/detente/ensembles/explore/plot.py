"""An exploration as one picture: outcomes over the worlds, who prefers what, what decides.

Colours are those of Okabe and Ito (2008), which most people can tell apart; every policy also has
a place of its own, and is named beside it. Needs matplotlib, which the extra `ensemble` brings.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from detente.analysis.picture import write_figure
from detente.ensembles.explore.explore import Exploration
from detente.ensembles.explore.influence import Influence
from detente.ensembles.explore.metrics import PROBABILITY
from detente.ensembles.explore.wording import count

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY, LIGHT, BLACK = "#8A8A8A", "#DDDDDD", "#000000"
TEXT = 9
WIDTH = 10.0
ROW = 0.22
"""Inches for each bar."""

MOST = 8
"""Assumptions that are drawn."""


def save(found: Exploration, file: Path, **rules: Any) -> None:
    """Draw into a file in .svg, .png or .pdf; `rules` are those of `files.write`."""
    with rc_context({"svg.hashsalt": "detente"}):
        write_figure(draw(found), file, dpi=150, **rules)


def draw(found: Exploration) -> Figure:
    """The picture of an exploration, as a figure of matplotlib."""
    policies = list(found.manifest.policies)
    chances = found.distributions[found.distributions["kind"] == PROBABILITY]
    outcomes = chances["metric"].nunique()
    whose = len(found.preferences[["actor", "type"]].drop_duplicates())
    asked = [one for one in found.influences if not one.note and one.table["counts"].any()]
    panels = [("outcomes", outcomes * (len(policies) + 0.8))] if outcomes else []
    panels += [("preferences", whose * 1.6)] if whose else []
    if asked:
        bars = max(min(MOST, int(one.table["counts"].sum())) for one in asked)
        panels.append(("influences", 1.5 + max(bars, 3)))
    heights = [0.75 + ROW * rows for _, rows in panels] or [1.0]
    figure = Figure(figsize=(WIDTH, sum(heights) + 1.0), layout="constrained")
    FigureCanvasAgg(figure)
    title = f"{found.manifest.scenario().title}\n{count(found.done, 'world')}, each solved anew"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    if found.empty or not panels:
        return figure
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    for k, (name, _) in enumerate(panels):
        if name == "outcomes":
            _outcomes(figure.add_subplot(grid[k]), chances, policies)
        elif name == "preferences":
            _preferences(figure.add_subplot(grid[k]), found, policies)
        else:
            inner = grid[k].subgridspec(1, len(asked))
            for j, one in enumerate(asked):
                _influence(figure.add_subplot(inner[j]), one)
    if len(policies) > 1:
        _name_policies(figure, policies, found)
    return figure


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _outcomes(axes: Axes, table: pd.DataFrame, policies: list[str]) -> None:
    """A strip for each outcome and policy: 5 to 95 %, 25 to 75 %, the middle, the present."""
    names = list(dict.fromkeys(table["metric"]))
    step = len(policies) + 0.8
    for j, name in enumerate(names):
        mine = table[table["metric"] == name].set_index("policy")
        for k, policy in enumerate(policies):
            at, r = j * step + k, mine.loc[policy]
            axes.plot([r["p05"], r["p95"]], [at, at], color=_colour(k), lw=1.5)
            axes.plot([r["p25"], r["p75"]], [at, at], color=_colour(k), lw=6, solid_capstyle="butt")
            axes.plot(r["p50"], at, "|", color="white", ms=7, mew=2)
            axes.plot(r["present"], at, "o", mfc="white", mec=BLACK, ms=4.5, zorder=3)
        if j:
            axes.axhline(j * step - 0.9, color=LIGHT, lw=0.6)
    middles = [j * step + (len(policies) - 1) / 2 for j in range(len(names))]
    axes.set_yticks(middles, names, fontsize=TEXT)
    axes.set_ylim(len(names) * step - 0.7, -0.9)
    axes.set_xlim(-0.01, max(0.05, 1.04 * float(np.nanmax(table[["p95", "present"]].to_numpy()))))
    axes.set_title(
        "Probability over the worlds: line 5 – 95 %, bar 25 – 75 %, gap the middle, ring the "
        "present values",
        loc="left",
        fontsize=TEXT + 1,
    )
    _shares(axes)


def _preferences(axes: Axes, found: Exploration, policies: list[str]) -> None:
    """A bar for each actor and type: the share of worlds in which each policy is the best."""
    actors = found.manifest.scenario().actors
    labels = []
    groups = found.preferences.groupby(["actor", "type"], sort=False)
    for j, ((actor, kind), mine) in enumerate(groups):
        name = actors[actor].name if actor in actors else actor
        labels.append(f"{name}: {kind}" if kind else name)
        left = 0.0
        shares = [*mine.set_index("policy")["share"].reindex(policies), mine["close"].iloc[0]]
        for k, share in enumerate(shares):
            if not share > 0:
                continue
            close = k == len(policies)
            axes.barh(
                j,
                share,
                left=left,
                height=0.62,
                color="white" if close else _colour(k),
                edgecolor=GREY if close else "white",
                hatch="////" if close else None,
                lw=0.6,
            )
            if share >= 0.06 and not close:
                axes.text(
                    left + share / 2,
                    j,
                    f"{100 * share:.0f} %",
                    ha="center",
                    va="center",
                    color="white",
                    fontsize=TEXT - 1,
                    weight="bold",
                )
            left += share
    axes.set_yticks(range(len(labels)), labels, fontsize=TEXT)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_title(
        "Share of worlds in which each policy is the best (hatched: too close to call)",
        loc="left",
        fontsize=TEXT + 1,
    )
    _shares(axes)


def _influence(axes: Axes, one: Influence) -> None:
    """Shares of variance of the assumptions that count, with their intervals."""
    kept = one.table[one.table["counts"]].head(MOST)
    places = np.arange(len(kept))
    explained = kept["s1"].clip(lower=0)
    axes.barh(places, explained, height=0.6, color=GREY)
    axes.errorbar(explained, places, xerr=kept["s1_conf"], fmt="none", ecolor=BLACK, elinewidth=1)
    axes.axvline(max(one.s1_floor, 0.0), color=BLACK, lw=0.9, ls=":")
    axes.set_yticks(places, list(kept["quantity"]), fontsize=TEXT - 1)
    axes.set_ylim(max(len(kept), 3) - 0.4, -0.6)
    axes.set_xlim(0, min(1.0, 1.15 * float((explained + kept["s1_conf"]).max())))
    axes.set_title(_wrapped(one.question.about), loc="left", fontsize=TEXT)
    axes.set_xlabel("explains by itself (dotted: noise)", fontsize=TEXT - 1)
    _shares(axes)


def _wrapped(text: str) -> str:
    return fill(f"What decides {text}", 52)


def _name_policies(figure: Figure, policies: list[str], found: Exploration) -> None:
    handles = [
        Patch(
            color=_colour(k),
            label=f"{p or 'no terms'}{' (base)' if p == found.against else ''}",
        )
        for k, p in enumerate(policies)
    ]
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=min(len(policies), 4),
        frameon=False,
        fontsize=TEXT,
    )


def _shares(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.tick_params(axis="x", labelsize=TEXT - 1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(visible=True, axis="x", color=LIGHT, lw=0.6)
    axes.set_axisbelow(True)
