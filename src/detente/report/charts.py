"""The charts of a page. Each function draws one panel and says in words what it shows.

Panels are small, so that two or three stand side by side on a screen and one fills a telephone.
Nothing depends on colour alone: lines differ in their dashes and are named where they end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from detente.report.numbers import points_of, share
from detente.report.svg import Colour, new_figure, settings, to_svg

WIDTH = 328
"""Pixels: a telephone's 360 less the margins of the page."""

DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), "-.")
ROOM = 200
"""Pixels of a plot from which on a third label fits beneath it."""

FEW = 4
"""Lines whose names take a line of text of their own."""

MARKERS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart with its band; `name` stands at its end."""

    name: str
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def over_time(
    key: str, labels: Sequence[str], lines: Sequence[Line], *, title: str, mark: int | None = None
) -> str:
    """Probabilities by period: lines with bands, on the whole scale from 0 to 100 per cent.

    An upright line stands at period `mark`.
    """
    with settings():
        longest = max(len(line.name) + (5 if len(lines) > FEW else 0) for line in lines)
        right = 16 + 7.4 * max(5, longest)
        figure, axes = panel(150 if len(lines) == 1 else 190, right=min(right, 150))
        times = range(len(labels))
        for k, line in enumerate(lines):
            colour = Colour.SERIES[k % len(Colour.SERIES)]
            if line.low:
                axes.fill_between(times, line.low, line.high, color=colour, alpha=0.18, lw=0)
            axes.plot(
                times, line.values, color=colour, lw=2, ls=DASHES[k % len(DASHES)], clip_on=False
            )
            axes.plot(times[-1], line.values[-1], MARKERS[k % 6], color=colour, ms=5, clip_on=False)
        if mark is not None:
            axes.axvline(mark, color=Colour.MUTED, lw=1)
        _name_ends(axes, times[-1], lines)
        _per_cent(axes)
        axes.set_xlim(0, times[-1])
        between = {times[-1] // 2} if axes.bbox.width > ROOM else set()
        ticks = sorted({0, times[-1]} | between)
        axes.set_xticks(ticks, [labels[t] for t in ticks])
        anchor_ends(axes)
    told = "; ".join(
        f"{line.name + ': ' if line.name else ''}{share(line.values[0])} at the start, "
        f"{share(line.values[-1])} in the end"
        for line in lines
    )
    description = f"From {labels[0]} to {labels[-1]}. {told}."
    return to_svg(figure, key, title=title, description=description)


def compared(
    key: str, names: Sequence[str], values: Sequence[float], errors: Sequence[float], *, title: str
) -> str:
    """One outcome under each policy, as dots on a line from the first policy's; error bars."""
    with settings():
        figure, axes = panel(34 + 19 * len(names), left=24, right=56)
        base = values[0]
        axes.axvline(base, color=Colour.MUTED, lw=1, ls=DASHES[2])
        for k, (value, error) in enumerate(zip(values, errors, strict=True)):
            colour = Colour.SERIES[0] if k == 0 else Colour.SERIES[1]
            axes.plot([base, value], [k, k], color=colour, lw=2.5)
            axes.errorbar(
                value, k, xerr=error, color=colour, fmt=MARKERS[min(k, 1)], ms=6, clip_on=False
            )
            axes.annotate(
                share(value),
                (1, k),
                xytext=(50, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                color=Colour.INK,
            )
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.0f} %"))
        axes.set_xticks([0, 0.5, 1])
        axes.grid(axis="x", color=Colour.GRID, lw=1)
        axes.spines["left"].set_visible(False)
        anchor_ends(axes)
    description = ", ".join(f"{n}: {share(v)}" for n, v in zip(names, values, strict=True)) + "."
    return to_svg(figure, key, title=title, description=description)


def ranked(key: str, names: Sequence[str], swings: Sequence[float], *, title: str) -> str:
    """What the ranges of assumptions are worth, largest first: bars from zero, named above."""
    with settings():
        figure, axes = panel(34 + 32 * len(names), left=8)
        widest = min(max((abs(s) for s in swings), default=0.0) or 1.0, 1.0)
        for k, (name, swing) in enumerate(zip(names, swings, strict=True)):
            colour = Colour.SERIES[0] if swing >= 0 else Colour.SERIES[1]
            axes.barh(k, max(-1.0, min(1.0, swing)), height=0.36, color=colour)
            axes.text(-1.3 * widest, k - 0.26, name, va="bottom", ha="left", color=Colour.INK)
            axes.text(
                1.3 * widest,
                k - 0.26,
                points_of(swing),
                va="bottom",
                ha="right",
                color=Colour.INK,
            )
        axes.axvline(0, color=Colour.MUTED, lw=1)
        axes.set_xlim(-1.3 * widest, 1.3 * widest)
        axes.set_ylim(len(names) - 0.6, -0.95)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(3, symmetric=True))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda x, _: f"{100 * x:+g}" if abs(x) > 1e-12 else "0")
        )
    told = ", ".join(f"{n} {points_of(s)}" for n, s in zip(names, swings, strict=True))
    return to_svg(figure, key, title=title, description=f"Largest first: {told}.")


def curve(
    key: str,
    at: Sequence[float],
    values: Sequence[float],
    *,
    now: float | None,
    crossings: Sequence[float],
    title: str,
    level: float | None = None,
) -> str:
    """A probability along the range of an assumption; its present value and crossings marked."""
    with settings():
        figure, axes = panel(170)
        axes.plot(at, values, color=Colour.SERIES[0], lw=2, marker="o", ms=4, clip_on=False)
        if now is not None:
            axes.axvline(now, color=Colour.MUTED, lw=1, ls=DASHES[1])
            axes.annotate(
                "now",
                (now, 1),
                xytext=(4, -2),
                textcoords="offset points",
                va="top",
                color=Colour.MUTED,
            )
        if level is not None:
            axes.axhline(level, color=Colour.MUTED, lw=1, ls=DASHES[2])
        for crossing in crossings:
            axes.axvline(crossing, color=Colour.SERIES[1], lw=1.5)
            axes.annotate(
                f"{crossing:.3g}",
                (crossing, 0),
                xytext=(4, 4),
                textcoords="offset points",
                color=Colour.INK,
            )
        _per_cent(axes)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlim(min(at), max(at))
    points = ", ".join(f"{share(v)} at {x:.3g}" for x, v in zip(at, values, strict=True))
    told = ", ".join(f"{c:.3g}" for c in crossings) or "nowhere in the range"
    present = "" if now is None else f"Now {now:.3g}; "
    description = f"{points}. {present}the answer turns at: {told}."
    return to_svg(figure, key, title=title, description=description)


def path(
    key: str, labels: Sequence[str], values: Sequence[float], marks: Sequence[str], *, title: str
) -> str:
    """A belief after each observed move: steps, with the numbers of the moves on them."""
    with settings():
        figure, axes = panel(190)
        times = range(len(values))
        axes.step(times, values, where="post", color=Colour.SERIES[0], lw=2)
        above = True
        for k, mark in enumerate(marks):
            if not mark:
                continue
            axes.plot(times[k], values[k], "o", color=Colour.SERIES[0], ms=6, clip_on=False)
            near = k and abs(values[k] - values[k - 1]) < 0.12
            above = not above if near else values[k] < 0.85
            axes.annotate(
                mark,
                (times[k], values[k]),
                xytext=(0, 8 if above else -8),
                textcoords="offset points",
                ha="center",
                va="bottom" if above else "top",
                color=Colour.INK,
            )
        _per_cent(axes)
        axes.set_xlim(0, max(1, times[-1]))
        step = max(1, -(-len(labels) // 3))
        ticks = list(range(0, len(labels), step))
        axes.set_xticks(ticks, [labels[t] for t in ticks])
        anchor_ends(axes)
    told = ", ".join(
        f"{share(v)} after {m or 'the start'}" for m, v in zip(marks, values, strict=True)
    )
    return to_svg(figure, key, title=title, description=f"{told}.")


def panel(
    height: float, *, width: float = WIDTH, left: float = 38, right: float = 12, bottom: float = 28
) -> tuple[Figure, Axes]:
    """A figure with one plain pair of axes; margins in pixels."""
    figure = new_figure(width, height)
    top = 8
    box = (
        left / width,
        bottom / height,
        (width - left - right) / width,
        (height - bottom - top) / height,
    )
    axes = figure.add_axes(box)
    axes.set_facecolor("none")
    for side in ("left", "bottom"):
        axes.spines[side].set_color(Colour.GRID)
    axes.tick_params(colors=Colour.MUTED, labelcolor=Colour.MUTED, length=0, pad=5)
    axes.tick_params(axis="x", pad=9)  # clear of the lowest label of the other axis
    return figure, axes


def _per_cent(axes: Axes) -> None:
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.grid(axis="y", color=Colour.GRID, lw=1)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def anchor_ends(axes: Axes) -> None:
    """The first and last label of the x axis within the figure, not half beyond it."""
    labels = axes.get_xticklabels()
    if len(labels) > 1:
        labels[-1].set_horizontalalignment("right")
        labels[0].set_horizontalalignment("left")


def _name_ends(axes: Axes, last: int, lines: Sequence[Line]) -> None:
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
    for k, line in enumerate(lines):
        axes.annotate(
            f"{line.name}{chr(10) if rows == 2 else ' '}{share(line.values[-1])}".strip(),
            (last, places[k]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=Colour.INK,
            weight="bold",
            annotation_clip=False,
        )
