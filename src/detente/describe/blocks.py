"""What a described result is made of: sections of blocks, as frozen values.

Renderers know these only. Texts are plain: each renderer makes them harmless for its medium. They
are named tuples, which take a tenth of the time of dataclasses to define: a run waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from detente.describe.charts import Pictures
from detente.describe.tables import Table


class Text(NamedTuple):
    """Paragraphs."""

    paragraphs: tuple[str, ...]


def text(*paragraphs: str) -> Text:
    """Paragraphs, of which empty ones are left out."""
    return Text(tuple(filter(None, paragraphs)))


class Points(NamedTuple):
    """Short statements of a few sentences each, with the words that lead them in."""

    items: tuple[tuple[str, tuple[str, ...]], ...]


class Heading(NamedTuple):
    """A heading within a section."""

    text: str


class Code(NamedTuple):
    """Lines to be read as they stand."""

    text: str


class Details(NamedTuple):
    """Blocks that a page folds away until they are asked for, or printed; a terminal has none."""

    summary: str
    blocks: tuple[Block, ...]


Block = Table | Pictures | Text | Points | Heading | Code | Details


class Section(NamedTuple):
    """A section; `key` is the name by which links find it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


class Described(NamedTuple):
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
    unsolved: tuple[str, ...] = ()

    def plus(self, *sections: Section, **data: object) -> Described:
        """The same with more sections at its end, and with more data."""
        all_sections = (*self.sections, *sections)
        return self._replace(sections=all_sections, data={**self.data, **data})

    def pictures(self) -> list[Pictures]:
        """All of its pictures."""
        blocks = (block for section in self.sections for block in section.blocks)
        return [block for block in blocks if isinstance(block, Pictures) and block.items]


class Page(NamedTuple):
    """A whole page: on its first two sides the answer and what is to be seen of it, and then the
    sections, folded.

    about, sources
        The situation, and where the scenario has it from.
    links
        By the words that lead in a statement of the answer, the section behind it.
    """

    title: str
    about: str
    question: str
    answer: Points
    glance: Pictures
    sections: tuple[Section, ...]
    links: Mapping[str, str]
    sources: tuple[str, ...] = ()
