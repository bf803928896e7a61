"""The charts of an ensemble: how numbers lie over its worlds, whose policy is best, what decides.

As in `charts`, each function draws one panel and says in words what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import FuncFormatter

from detente.report.charts import DASHES, anchor_ends, panel
from detente.report.numbers import share
from detente.report.svg import Colour, settings, to_svg

SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of an axis: of a rare outcome the whole scale would show nothing."""

ROW = 24
"""Pixels of a row of a strip chart."""

ROOM = 0.09
"""Share of a bar from which on a part has room for its letter, ROOM_FOR_SHARE for its number."""

ROOM_FOR_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Strip:
    """How a number lies over the worlds: `name` stands before it, `told` behind it."""

    name: str
    p05: float
    p25: float
    p50: float
    p75: float
    p95: float
    present: float
    told: str

    @property
    def ends(self) -> tuple[float, ...]:
        return (self.p05, self.p95, self.present)


@dataclass(frozen=True, slots=True)
class Shares:
    """Who is looked at, the share of worlds of each policy, and of those too close to call."""

    name: str
    shares: tuple[float, ...]
    close: float


def spread(key: str, strips: Sequence[Strip], *, title: str) -> str:
    """A probability under each policy, over the worlds."""
    end = _end(strips)
    description = "; ".join(
        f"{s.name}: {share(s.p50)} in the middle, {share(s.p05)} to {share(s.p95)} in nine worlds "
        f"of ten, {share(s.present)} at the present values"
        for s in strips
    )
    digits = 1 if end < 0.1 else 0
    with settings():
        return _strips(
            key,
            strips,
            (0.0, end),
            lambda x: f"{100 * x:.{digits}f} %",
            right=56,
            title=title,
            description=f"{description}.",
        )


def changes(key: str, strips: Sequence[Strip], *, title: str) -> str:
    """By how much each policy changes a probability in the same world, in percentage points."""
    end = _end(strips)
    description = "; ".join(
        f"{s.name}: {100 * s.p50:+.1f} points in the middle, {100 * s.p05:+.1f} to "
        f"{100 * s.p95:+.1f} in nine worlds of ten; {s.told}"
        for s in strips
    )
    with settings():
        return _strips(
            key,
            strips,
            (-end, end),
            lambda x: f"{100 * x:+g}" if x else "0",
            right=104,
            title=title,
            description=f"{description}.",
        )


def preferred(key: str, letters: Sequence[str], rows: Sequence[Shares], *, title: str) -> str:
    """For each actor and type, a bar of the shares of worlds in which each policy is best."""
    with settings():
        figure, axes = panel(32 + 46 * len(rows), left=4, right=4)
        for k, row in enumerate(rows):
            axes.text(0, k - 0.24, row.name, va="bottom", ha="left", color=Colour.INK)
            left = 0.0
            for j, part in enumerate((*row.shares, row.close)):
                if not part > 0:
                    continue
                close = j == len(row.shares)
                axes.barh(
                    k,
                    part,
                    left=left,
                    height=0.44,
                    color=Colour.PAPER if close else Colour.SERIES[j % len(Colour.SERIES)],
                    alpha=None if close else 0.45,
                    edgecolor=Colour.MUTED if close else Colour.PAPER,
                    lw=1,
                )
                name = "≈" if close else letters[j]
                if part >= ROOM_FOR_SHARE:
                    name = f"{name}  {share(part)}"
                if part >= ROOM:
                    axes.text(left + part / 2, k, name, ha="center", va="center", color=Colour.INK)
                left += part
        axes.set_xlim(0, 1)
        axes.set_ylim(len(rows) - 0.6, -0.8)
        axes.set_yticks([])
        axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        axes.spines["left"].set_visible(False)
        anchor_ends(axes)
    told = []
    for row in rows:
        parts = [f"{n} {share(s)}" for n, s in zip(letters, row.shares, strict=True) if s > 0]
        parts += [f"too close to call {share(row.close)}"] if row.close > 0 else []
        told.append(f"{row.name}: {', '.join(parts)}")
    return to_svg(figure, key, title=title, description=f"{'; '.join(told)}.")


def explained(
    key: str,
    names: Sequence[str],
    shares: Sequence[float],
    halves: Sequence[float],
    told: Sequence[str],
    floor: float,
    *,
    title: str,
) -> str:
    """What assumptions explain of the variance: bars with their interval of 95 %, and the noise."""
    with settings():
        figure, axes = panel(34 + 34 * len(names), left=8)
        end = max((s + half for s, half in zip(shares, halves, strict=True)), default=0.0)
        end = next((scale for scale in SCALES[3:] if end <= scale), 1.0)
        for k, (name, value, half) in enumerate(zip(names, shares, halves, strict=True)):
            low, high = max(value - half, 0.0), min(value + half, end)
            axes.barh(k, max(value, 0.0), height=0.34, color=Colour.SERIES[0], alpha=0.6)
            axes.plot([low, high], [k, k], color=Colour.INK, lw=1.2, solid_capstyle="butt")
            axes.text(0, k - 0.24, name, va="bottom", ha="left", color=Colour.INK)
            axes.text(end, k - 0.24, told[k], va="bottom", ha="right", color=Colour.INK)
        if 0 < floor < end:
            axes.axvline(floor, color=Colour.MUTED, lw=1, ls=DASHES[2])
        axes.set_xlim(0, end)
        axes.set_ylim(len(names) - 0.6, -0.95)
        axes.set_yticks([])
        axes.set_xticks([0, end / 2, end])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:g} %"))
        axes.spines["left"].set_visible(False)
        anchor_ends(axes)
    listed = ", ".join(f"{n} {t}" for n, t in zip(names, told, strict=True))
    noise = f" What means nothing explains up to {share(max(floor, 0.0))}."
    return to_svg(figure, key, title=title, description=f"Largest first: {listed}.{noise}")


def _strips(
    key: str,
    strips: Sequence[Strip],
    ends: tuple[float, float],
    tick: Callable[[float], str],
    *,
    right: float,
    title: str,
    description: str,
) -> str:
    """A row for each strip: thin 5 to 95 %, thick 25 to 75 %, a cut at the middle, a ring."""
    low, high = ends
    figure, axes = panel(36 + ROW * len(strips), left=34, right=right)
    axes.grid(axis="x", color=Colour.GRID, lw=1)
    axes.set_axisbelow(True)
    if low < 0:
        axes.axvline(0, color=Colour.MUTED, lw=1)
    for k, s in enumerate(strips):
        colour = Colour.SERIES[0]
        plain: dict[str, Any] = {"color": colour, "solid_capstyle": "butt", "clip_on": False}
        axes.plot([s.p05, s.p95], [k, k], lw=1.6, **plain)
        axes.plot([s.p25, s.p75], [k, k], lw=8, **plain)
        axes.plot([s.p50], [k], "|", color=Colour.PAPER, ms=9, mew=2, clip_on=False)
        axes.plot([s.p50], [k], "|", color=Colour.INK, ms=12, mew=1.4, clip_on=False)
        if s.present == s.present:  # it may be missing
            axes.plot(
                [s.present],
                [k],
                "o",
                mfc=Colour.PAPER,
                mec=Colour.SERIES[1],
                ms=6,
                mew=1.6,
                clip_on=False,
                zorder=5,
            )
        axes.annotate(
            s.told,
            (1, k),
            xycoords=("axes fraction", "data"),
            xytext=(right - 6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=Colour.INK,
            annotation_clip=False,
        )
    axes.set_ylim(len(strips) - 0.4, -0.6)
    axes.set_yticks(range(len(strips)), [s.name for s in strips])
    axes.tick_params(axis="y", pad=14)  # clear of a ring at nothing
    axes.set_xlim(low, high)
    places = [low, (low + high) / 2, high]
    axes.set_xticks(places, [tick(x) for x in places])
    axes.spines["left"].set_visible(False)
    anchor_ends(axes)
    return to_svg(figure, key, title=title, description=description)


def _end(strips: Sequence[Strip]) -> float:
    """The end of the axis: the first round number beyond all of them."""
    far = max((abs(x) for s in strips for x in s.ends if x == x), default=0.0)
    return next((end for end in SCALES if far <= end), 1.0)
