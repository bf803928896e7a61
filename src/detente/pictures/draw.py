"""Charts drawn: alone as SVG for a page, or side by side on a sheet for a file."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detente import files
from detente.describe import charts
from detente.describe.charts import Picture, Pictures
from detente.pictures import bars, lines, ranges
from detente.pictures.canvas import (
    LIGHT,
    STAND_IN,
    WIDTH,
    Frame,
    Look,
    Palette,
    plain_axes,
    settings,
)

DRAWN: dict[type, Callable[[Any, Axes, Palette], None]] = {
    charts.OverTime: lines.over_time,
    charts.Steps: lines.steps,
    charts.Curve: lines.curve,
    charts.Compared: bars.compared,
    charts.Bars: bars.bars,
    charts.Stacks: bars.stacks,
    charts.Ladder: bars.ladder,
    charts.Strips: ranges.strips,
    charts.Intervals: ranges.intervals,
    charts.Map: ranges.surface,
}
"""What draws each chart."""


def frame_of(chart: charts.Chart) -> Frame:
    """How large a chart is, and how much room is around its axes."""
    match chart:
        case charts.OverTime(lines=series):
            longest = max(len(line.name) for line in series) + 5 * (len(series) > lines.FEW)
            right = min(16 + 7.4 * max(5, longest), 150)
            return Frame(150 if len(series) == 1 else 190, right=right)
        case charts.Steps():
            return Frame(190)
        case charts.Curve():
            return Frame(200, left=52, below=46)
        case charts.Compared(names=names):
            return Frame(34 + 19 * len(names), left=24, right=56)
        case charts.Bars(names=names):
            return Frame(34 + 33 * len(names), left=8)
        case charts.Stacks(rows=rows):
            return Frame(32 + 46 * len(rows), left=4, right=4)
        case charts.Ladder(levels=levels):
            left = min(20 + 7.4 * max(map(len, levels)), 124)
            return Frame(18 + 19 * len(levels), left=left, right=46, below=4, width=200)
        case charts.Strips(strips=strips, changes=changes):
            return Frame(36 + 24 * len(strips), left=34, right=104 if changes else 56)
        case charts.Intervals(rows=rows):
            return Frame(34 + ranges.tall(chart) * len(rows), left=4, right=88)
        case charts.Map():
            return Frame(250, left=52, right=64, below=46)


VARIABLES = {
    STAND_IN.ink: "--ink",
    STAND_IN.muted: "--muted",
    STAND_IN.grid: "--grid",
    STAND_IN.paper: "--paper",
    **{colour: f"--c{k}" for k, colour in enumerate(STAND_IN.series, start=1)},
}

SAYING: dict[str, dict[str, str | None]] = {
    "svg": {"Title": files.CREATOR, "Creator": files.CREATOR, "Date": None},
    "pdf": {"Creator": files.CREATOR, "CreationDate": None},
    "png": {"Software": files.CREATOR},
}
"""By the form of a file: what it tells of itself, which is never when it was made."""

COLUMNS, GAP, LINE, MARGIN = 3, 28, 16, 18
"""Of a sheet: frames side by side, and pixels between them, of a line of text and around all."""

ALONE = 2.0
"""How much wider and higher a frame is that has a sheet for itself."""


def to_svg(chart: charts.Chart, key: str) -> str:
    """A chart as an SVG element with its text alternative, to stand in a page with others.

    It is drawn in the variables of the page's style sheet, so that one drawing serves light, dark
    and print, and in the page's font. Names inside begin with `key`, which is unique in the page;
    those that nothing refers to are left out. The same chart, key and version of Matplotlib give
    the same text.
    """
    frame = frame_of(chart)
    with settings(), io.StringIO() as out:
        figure = Figure(figsize=(frame.width / 72, frame.height / 72))
        DRAWN[type(chart)](chart, plain_axes(figure, frame, STAND_IN), STAND_IN)
        metadata = {"Date": None, "Creator": None}
        figure.savefig(out, format="svg", metadata=metadata, transparent=True)
        text = out.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.S)
    opening = re.search(r"<svg[^>]*>", text)
    assert opening is not None
    body = text[opening.end() : text.rindex("</svg>")]
    body = _own_names(body.replace("xlink:href", "href"), key)
    body = re.sub(r" ?font-family: [^;\"]*;?", "", body)
    body = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", body)
    body = re.sub(r"#0000[01]\d", lambda m: f"var({VARIABLES[m.group()]})", body)
    body = re.sub(r"(\d\.\d\d)\d+", r"\1", body)  # a hundredth of a pixel
    body = re.sub(r"\s*\n\s*", " ", body).replace("> <", "><").strip()
    width, height = f"{frame.width:g}", f"{frame.height:g}"
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{key}-t {key}-d"><title id="{key}-t">{escape(chart.title)}</title>'
        f'<desc id="{key}-d">{escape(chart.description)}</desc>{body}</svg>'
    )


def _own_names(body: str, key: str) -> str:
    """Names with the key before them, numbered in their order; no names that nothing uses."""
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    names = {name: f"{key}-{k}" for k, name in enumerate(used)}
    body = re.sub(r'(href="#|url\(#)([^")]+)', lambda m: m[1] + names[m[2]], body)
    return re.sub(r' id="([^"]+)"', lambda m: f' id="{names[m[1]]}"' if m[1] in names else "", body)


def to_file(title: str, groups: Sequence[Pictures], form: str) -> bytes:
    """Charts under their headings on one sheet of light paper, as `svg`, `png` or `pdf`."""
    alone = sum(len(group.items) for group in groups) == 1
    columns = 1 if alone else COLUMNS
    wide = WIDTH * (ALONE if alone else 1.0)
    width = 2 * MARGIN + columns * (wide + GAP) - GAP
    placed: list[tuple[Picture, Frame, float, float]] = []
    texts: list[tuple[float, float, str, Look]] = []
    top = MARGIN + 2.0 * LINE
    for group in groups:
        for row in batched(group.items, columns):
            heads = [textwrap.fill(p.heading or p.chart.title, int(wide / 7)) for p in row]
            frames = [frame_of(p.chart) for p in row]
            if alone:
                frames = [replace(f, height=ALONE * f.height, width=wide) for f in frames]
            below = top + LINE * (1 + max(head.count("\n") for head in heads))
            for k, (picture, frame, head) in enumerate(zip(row, frames, heads, strict=True)):
                left = MARGIN + k * (wide + GAP)
                texts.append((left, top, head, {"color": LIGHT.ink}))
                placed.append((picture, frame, left, below))
            top = below + max(frame.height for frame in frames) + GAP / 2
        caption = textwrap.fill(group.caption, int(width / 7))
        texts.append((MARGIN, top, caption, {"color": LIGHT.muted, "size": "small"}))
        top += LINE * (1 + caption.count("\n")) + GAP
    with settings(), io.BytesIO() as out:
        figure = Figure(figsize=(width / 72, top / 72), facecolor=LIGHT.paper)
        figure.text(MARGIN / width, 1 - MARGIN / top, title, va="top", weight="bold")
        for x, y, words, look in texts:
            figure.text(x / width, 1 - y / top, words, va="top", **look)
        for picture, frame, left, below in placed:
            axes = plain_axes(figure, frame, LIGHT, left=left, top=below)
            DRAWN[type(picture.chart)](picture.chart, axes, LIGHT)
        figure.savefig(out, format=form, dpi=144, metadata=SAYING[form])
        return out.getvalue()


def batched(items: Sequence[Picture], most: int) -> Iterator[Sequence[Picture]]:
    """Items in rows of so many."""
    return (items[k : k + most] for k in range(0, len(items), most))
