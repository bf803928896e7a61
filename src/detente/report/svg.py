"""From a Matplotlib figure to SVG that can stand in a page with others, in either theme.

Figures are drawn in the colours of `Colour`, which nobody sees: each stands for a variable of the
page's style sheet, so that one drawing serves light, dark and print. Text stays text, in the font
of the page; Matplotlib lays it out in its own DejaVu Sans, which is wider than what browsers use,
so nothing is cut. One unit of a drawing is one pixel. Names inside a drawing are prefixed by the
key of the drawing, so that drawings do not clash; those that nothing refers to are left out.
"""

from __future__ import annotations

import io
import re
from contextlib import AbstractContextManager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

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
"""What every drawing is made with. At 72 dots per inch a point, Matplotlib's unit, is a pixel."""


class Colour:
    """Stand-ins for the colours of the style sheet."""

    INK = "#000001"
    MUTED = "#000002"
    GRID = "#000003"
    PAPER = "#000004"
    SERIES = ("#000011", "#000012", "#000013", "#000014", "#000015", "#000016")


_VARIABLES = {
    Colour.INK: "--ink",
    Colour.MUTED: "--muted",
    Colour.GRID: "--grid",
    Colour.PAPER: "--paper",
    **{colour: f"--c{k}" for k, colour in enumerate(Colour.SERIES, start=1)},
}


def settings() -> AbstractContextManager[None]:
    """While it lasts, Matplotlib draws as the page wants it."""
    return mpl.rc_context(SETTINGS)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this many pixels, without a background."""
    with settings():
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        figure.patch.set_visible(False)
    return figure


def to_svg(figure: Figure, key: str, *, title: str, description: str) -> str:
    """The figure as an SVG element, the same for the same figure, key and version of Matplotlib.

    Parameters
    ----------
    figure
        Drawn in the colours of `Colour`.
    key
        Unique in the page.
    title, description
        The text alternative: what it is, and what it shows.
    """
    with settings(), io.StringIO() as out:
        figure.savefig(
            out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True
        )
        text = out.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.S)
    opening = re.search(r'<svg[^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>', text)
    assert opening is not None
    body = text[opening.end() : text.rindex("</svg>")]
    body = _own_names(body.replace("xlink:href", "href"), key)
    body = re.sub(r" ?font-family: [^;\"]*;?", "", body)
    body = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", body)
    body = re.sub(r"#0000[01]\d", lambda m: f"var({_VARIABLES[m.group()]})", body)
    body = re.sub(r"(\d\.\d\d)\d+", r"\1", body)  # a hundredth of a pixel
    body = re.sub(r"\s*\n\s*", " ", body).replace("> <", "><").strip()
    return element(
        key, float(opening[1]), float(opening[2]), body, title=title, description=description
    )


def element(
    key: str, width: float, height: float, body: str, *, title: str, description: str
) -> str:
    """An SVG element around a drawing, with its text alternative; `key` is unique in the page."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-labelledby="{key}-t {key}-d"><title id="{key}-t">{escape(title)}</title>'
        f'<desc id="{key}-d">{escape(description)}</desc>{body}</svg>'
    )


def _own_names(body: str, key: str) -> str:
    """Names with the key before them, numbered in their order; no names that nothing uses."""
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    names = {name: f"{key}-{k}" for k, name in enumerate(used)}
    body = re.sub(r'(href="#|url\(#)([^")]+)', lambda m: m[1] + names[m[2]], body)
    return re.sub(r' id="([^"]+)"', lambda m: f' id="{names[m[1]]}"' if m[1] in names else "", body)
