"""What a described result is made of: sections of blocks, as frozen values.

Renderers know these only. Texts are plain: each renderer makes them harmless for its medium.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from detente.describe.charts import Chart


@dataclass(frozen=True)
class Link:
    """A place in the page (`#name`), or the address of a piece of evidence."""

    text: str
    target: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table, where it is more than text.

    bar
        Share of the cell's width, 0 to 1, that a bar fills behind the text.
    mark, level
        Where in a range a value lies, 0 to 1, drawn as a dot on a line; and a line across it.
    key
        Name by which links of the page find the cell.
    code
        Whether the text is a name or a formula of the scenario.
    """

    text: str = ""
    links: tuple[Link, ...] = ()
    bar: float | None = None
    mark: float | None = None
    level: float | None = None
    key: str = ""
    code: bool = False

    def __str__(self) -> str:
        return self.text


Row = tuple[str | Cell, ...]


def code(text: str) -> Cell:
    """A name or a formula of the scenario."""
    return Cell(text, code=True)


@dataclass(frozen=True)
class Table:
    """A table. The columns `numbers` are set right; the first column heads its row.

    A narrow page shows the cells of a `stacked` table's row one below the other.
    """

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    numbers: Collection[int] = ()
    caption: str = ""
    stacked: bool = False


@dataclass(frozen=True)
class Picture:
    """A chart with its heading."""

    chart: Chart
    heading: str = ""
    note: str = ""


@dataclass(frozen=True)
class Pictures:
    """Charts side by side, what to look for, and their numbers as tables."""

    items: tuple[Picture, ...]
    caption: str = ""
    tables: tuple[Table, ...] = ()
    narrow: bool = False


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    paragraphs: tuple[str, ...]


def text(*paragraphs: str) -> Text:
    """Paragraphs, of which empty ones are left out."""
    return Text(tuple(filter(None, paragraphs)))


@dataclass(frozen=True)
class Points:
    """Short statements of a few sentences each, with the words that lead them in."""

    items: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines to be read as they stand."""

    text: str


@dataclass(frozen=True)
class Details:
    """Blocks that a page folds away until they are asked for, or printed; a terminal has none."""

    summary: str
    blocks: tuple[Block, ...]


Block = Table | Pictures | Text | Points | Heading | Code | Details


@dataclass(frozen=True)
class Section:
    """A section; `key` is the name by which links find it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Described:
    """A result as people read it, and as programs take it.

    title, lead
        What it is about, and what of that was computed.
    sections
        In the order in which they are read.
    data
        Everything for programs, by name: plain values, and tables with a row for each number.
    unsolved
        What of it was not solved, in words: nothing of that can be relied on.
    """

    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    data: Mapping[str, Any]
    unsolved: tuple[str, ...] = field(default=())

    def plus(self, *sections: Section, **data: object) -> Described:
        """The same with more sections at its end, and with more data."""
        all_sections = (*self.sections, *sections)
        return replace(self, sections=all_sections, data={**self.data, **data})

    def pictures(self) -> list[Pictures]:
        """All of its pictures."""
        blocks = (block for section in self.sections for block in section.blocks)
        return [block for block in blocks if isinstance(block, Pictures) and block.items]


@dataclass(frozen=True)
class Page:
    """A whole page. `answer` stands before the table of contents, `foot` after all sections."""

    title: str
    about: str
    question: str
    answer: Points
    sections: tuple[Section, ...]
    foot: tuple[str, ...] = field(default=())
