"""Tables as frozen values: cells as they are written, and what is drawn within them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Link(NamedTuple):
    """A place in the page (`#name`), or the address of a piece of evidence."""

    text: str
    target: str


class Cell(NamedTuple):
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


class Table(NamedTuple):
    """A table. The columns `numbers` are set right; the first column heads its row.

    A narrow page shows the cells of a `stacked` table's row one below the other.
    """

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    numbers: Collection[int] = ()
    caption: str = ""
    stacked: bool = False
