"""Charts as frozen values: what is to be drawn, by `detente.pictures`, and said in its place.

A chart has a title, and a description that says in words what it shows. Nothing in one depends on
colour alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from detente.describe.tables import Table
from detente.numbers import percent, points

Numbers = tuple[float, ...]


class Series(NamedTuple):
    """A line of a chart with its band; `name` stands at its end."""

    name: str
    values: Numbers
    low: Numbers = ()
    high: Numbers = ()


class OverTime(NamedTuple):
    """Probabilities by period, on the whole scale; an upright line stands at period `mark`."""

    title: str
    labels: tuple[str, ...]
    lines: tuple[Series, ...]
    mark: int | None = None

    @property
    def description(self) -> str:
        parts = (
            f"{line.name + ': ' if line.name else ''}{percent(line.values[0])} at the start, "
            f"{percent(line.values[-1])} in the end"
            for line in self.lines
        )
        return f"From {self.labels[0]} to {self.labels[-1]}. {'; '.join(parts)}."


class Steps(NamedTuple):
    """A probability after each of several events; `marks` are their names, '' for no mark.

    true
        Whether it was so then, where that changed from one event to another; else nothing.
    """

    title: str
    labels: tuple[str, ...]
    values: Numbers
    marks: tuple[str, ...]
    true: tuple[bool, ...] = ()

    @property
    def description(self) -> str:
        was = [f" ({'so' if true else 'not so'} in truth)" for true in self.true]
        rows = zip(self.marks, self.values, was or [""] * len(self.values), strict=True)
        return ", ".join(f"{percent(v)} after {m or 'the start'}{so}" for m, v, so in rows) + "."


class Curve(NamedTuple):
    """A number along the range of a parameter, where it crosses a level, and where it is now.

    slopes
        Its derivatives, where all are known: the curve is then drawn with them.
    errors
        Half the width of the band around it.
    smooth
        Whether a curve runs through the values; else dots are joined by a dotted line.
    crossings
        The ends of the stretch in which each lies, and what is written there.
    """

    title: str
    parameter: str
    at: Numbers
    values: Numbers
    errors: Numbers
    slopes: Numbers
    smooth: bool
    probability: bool
    level: float
    now: float | None
    crossings: tuple[tuple[float, float, str], ...]

    @property
    def description(self) -> str:
        write = percent if self.probability else "{:.3g}".format
        pairs = zip(self.at, self.values, strict=True)
        values = ", ".join(f"{write(v)} at {x:.3g}" for x, v in pairs)
        present = "" if self.now is None else f"Now {self.now:.3g}; "
        places = ", ".join(text for _, _, text in self.crossings) or "nowhere in the range"
        return f"{values}. {present}{write(self.level)} is crossed: {places}."


class Map(NamedTuple):
    """A number over the ranges of two parameters, with the lines along which it has a level.

    `numbers` has a row for each value of the second parameter, nan where there is none.
    """

    title: str
    parameters: tuple[str, str]
    first: Numbers
    second: Numbers
    numbers: tuple[Numbers, ...]
    contours: tuple[tuple[tuple[float, float], ...], ...]
    probability: bool
    level: str
    now: tuple[float, float] | None

    @property
    def description(self) -> str:
        write = percent if self.probability else "{:.3g}".format
        known = [v for row in self.numbers for v in row if not math.isnan(v)]
        span = f"{write(min(known))} to {write(max(known))}" if known else "not known"
        lines = len(self.contours)
        return f"From {span}; {lines or 'no'} line{'' if lines == 1 else 's'} at {self.level}."


class Compared(NamedTuple):
    """A probability under each policy, with its error, as it differs from the first."""

    title: str
    names: tuple[str, ...]
    values: Numbers
    errors: Numbers

    @property
    def description(self) -> str:
        pairs = zip(self.names, self.values, strict=True)
        return ", ".join(f"{name}: {percent(value)}" for name, value in pairs) + "."


class Bars(NamedTuple):
    """Numbers in their order, as bars with a name before and a text behind each.

    halves
        Half the width of the interval around each.
    floor
        What noise alone reaches.
    marks
        Other numbers for the same rows, by their name.
    share
        Whether they are shares or changes of a share, written in per cent.
    """

    title: str
    names: tuple[str, ...]
    values: Numbers
    texts: tuple[str, ...]
    halves: Numbers = ()
    floor: float = 0.0
    marks: tuple[tuple[str, Numbers], ...] = ()
    share: bool = True

    @property
    def description(self) -> str:
        pairs = zip(self.names, self.texts, strict=True)
        noise = f" Noise alone reaches {percent(self.floor)}." if self.floor > 0 else ""
        return ", ".join(f"{name} {text}" for name, text in pairs) + f".{noise}"


class Stack(NamedTuple):
    """A whole in shares, one for each part, and what belongs to none of them."""

    name: str
    shares: Numbers
    rest: float


class Stacks(NamedTuple):
    """Wholes in shares of the same parts."""

    title: str
    parts: tuple[str, ...]
    rows: tuple[Stack, ...]

    @property
    def description(self) -> str:
        rows = []
        for row in self.rows:
            pairs = zip(self.parts, row.shares, strict=True)
            parts = [f"{name} {percent(share)}" for name, share in pairs if share > 0]
            parts += [f"too close to call {percent(row.rest)}"] if row.rest > 0 else []
            rows.append(f"{row.name}: {', '.join(parts)}")
        return "; ".join(rows) + "."


class Strip(NamedTuple):
    """How a number is distributed: its quantiles, and its value at present, which may be nan."""

    name: str
    p05: float
    p25: float
    p50: float
    p75: float
    p95: float
    present: float
    text: str


class Strips(NamedTuple):
    """Distributions of probabilities, or of their changes."""

    title: str
    strips: tuple[Strip, ...]
    changes: bool = False

    @property
    def description(self) -> str:
        write = points if self.changes else percent
        parts = []
        for s in self.strips:
            middle, low, high = write(s.p50), write(s.p05), write(s.p95)
            text = f"{s.name}: {middle} in the middle, {low} to {high} in nine of ten"
            if self.changes:
                text += f"; {s.text}"
            elif not math.isnan(s.present):
                text += f", {write(s.present)} at the present values"
            parts.append(text)
        return "; ".join(parts) + "."


class Interval(NamedTuple):
    """A probability between two others: `begin` and `end` may be nan, and so may `other`."""

    name: str
    value: float
    begin: float
    end: float
    text: str
    other: float = math.nan


class Intervals(NamedTuple):
    """Probabilities as dots on their intervals, each with its name above and a text behind it.

    other
        What the ring in a row is, '' where there are none.
    directed
        Whether an interval runs from its begin to its end, which then has an arrow.
    level
        What all are compared with: an upright dotted line; nan for nothing.
    """

    title: str
    rows: tuple[Interval, ...]
    other: str = ""
    directed: bool = False
    level: float = math.nan

    @property
    def description(self) -> str:
        parts = []
        for row in self.rows:
            text = f"{row.name}: {percent(row.value)}"
            if not math.isnan(row.begin):
                text += f", from {percent(row.begin)} to {percent(row.end)}"
            if not math.isnan(row.other):
                text += f", {self.other} {percent(row.other)}"
            parts.append(text)
        return "; ".join(parts) + "."


class Ladder(NamedTuple):
    """Levels from the highest to the lowest, how likely each is, and which is that of the start."""

    title: str
    levels: tuple[str, ...]
    shares: Numbers
    start: int

    @property
    def description(self) -> str:
        pairs = zip(self.levels, self.shares, strict=True)
        shares = ", ".join(f"{level} {percent(share)}" for level, share in pairs)
        start = self.levels[self.start] if self.start >= 0 else "a level between these"
        return f"Starts at {start}. In the end: {shares}."


Chart = OverTime | Steps | Curve | Map | Compared | Bars | Stacks | Strips | Intervals | Ladder


class Picture(NamedTuple):
    """A chart with its heading."""

    chart: Chart
    heading: str = ""
    note: str = ""


class Pictures(NamedTuple):
    """Charts side by side, what to look for, and their numbers as tables."""

    items: tuple[Picture, ...]
    caption: str = ""
    tables: tuple[Table, ...] = ()
    narrow: bool = False
