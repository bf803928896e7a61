"""What a page is made of: sections of blocks, as frozen values. The template knows these only.

Texts are plain; the template escapes them. Only a `Picture` holds markup, made by `svg` and
`diagram`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the page (`#name`), or the address of a piece of evidence."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    bar
        Share of the cell's width, 0 to 1, that a bar fills behind the text.
    mark
        Where in a range a value lies, 0 to 1, drawn as a dot on a line beneath the text.
    key
        Name by which links of the page find the cell.
    """

    text: str = ""
    links: tuple[Link, ...] = ()
    bar: float | None = None
    mark: float | None = None
    key: str = ""
    code: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `numbers` are the columns that are set right; the first one heads its row.

    A narrow page shows the cells of a `stacked` table's row one below the other.
    """

    kind: ClassVar[str] = "table"
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    numbers: frozenset[int] = frozenset()
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its heading; `svg` is markup that carries its own title and description."""

    heading: str
    svg: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Drawings side by side, what to look for, and their numbers as a table."""

    kind: ClassVar[str] = "pictures"
    items: tuple[Picture, ...]
    caption: str = ""
    table: Table | None = None
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs."""

    kind: ClassVar[str] = "text"
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """Short statements of a few sentences each, with the words that lead them in."""

    kind: ClassVar[str] = "points"
    items: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be read as they stand."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that are folded away until they are asked for, or printed."""

    kind: ClassVar[str] = "details"
    summary: str
    blocks: tuple[Block, ...]


Block = Table | Pictures | Text | Points | Heading | Code | Details


@dataclass(frozen=True, slots=True)
class Section:
    """A section; `key` is the name by which links find it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page. `answer` stands before the table of contents, `foot` after all sections."""

    title: str
    about: str
    question: str
    answer: Points
    sections: tuple[Section, ...]
    foot: tuple[str, ...] = field(default=())
