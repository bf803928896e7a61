"""Described results for the terminal. Meaning never depends on colour.

All text goes to the terminal through here: control characters in it are shown, not obeyed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text as RichText

from detente.describe.blocks import Block, Code, Described, Heading, Points, Text
from detente.describe.charts import Pictures
from detente.describe.tables import Cell, Table
from detente.render.layout import layout
from detente.text import shown

WIDE = 110
"""Columns of output that does not go to a terminal, unless the variable COLUMNS says otherwise."""

SCALE = 42
"""Columns of a line on which a mark is drawn."""

INDENT, DEEPER = 2, 6
"""Spaces before paragraphs, and before what follows the first line of a point."""

TRAILING = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)
"""Spaces at the end of a line, and the begins and ends of styles among them."""


def console(*, stderr: bool = False) -> Console:
    """Where text for people goes."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _columns()
    return Console(file=stream, highlight=False, width=width, soft_wrap=False)


def print_described(result: Described) -> None:
    """A result, from what it is about to how good it is."""
    if result.unsolved:
        names = "; ".join(result.unsolved)
        alarm = f"NOT SOLVED: {names}. What follows cannot be relied on."
        _print(RichText(shown(alarm), style="bold red"))
    for line in filter(None, (result.title, *result.lead)):
        print_text(line)
    for section in result.sections:
        print_blocks((Heading(section.title), *section.blocks))


def print_blocks(blocks: Iterable[Block]) -> None:
    """Blocks one below the other. A heading and the caption of a table after it are one line."""
    lead = ""
    for block in blocks:
        tables = block.tables if isinstance(block, Pictures) else ()
        for table in (block,) if isinstance(block, Table) else tables:
            caption = table.caption
            if lead and caption:
                caption = f"{lead}: {caption[0].lower()}{caption[1:]}"
            if lead or caption:
                print_heading(caption or lead)
            print_table(table)
            lead = ""
        if isinstance(block, Heading | Text | Points | Code) and lead:
            print_heading(lead)
            lead = ""
        if isinstance(block, Heading):
            lead = block.text
        elif isinstance(block, Text):
            for paragraph in block.paragraphs:
                print_text(paragraph, indent=INDENT)
        elif isinstance(block, Points):
            for head, lines in block.items:
                first, *rest = lines or ("",)
                print_text(f"{head}: {first}" if first else head, indent=INDENT)
                for line in rest:
                    print_text(line, indent=DEEPER)
        elif isinstance(block, Code):
            print_text(block.text)


def print_heading(text: str) -> None:
    """A heading with an empty line before it."""
    _print("", RichText(shown(text), style="bold"))


def print_text(text: str, *, indent: int = 0) -> None:
    """A paragraph, wrapped."""
    _print(Padding(RichText(shown(text)), (0, 0, 0, indent), expand=False))


def print_table(table: Table) -> None:
    """A plain table. Where it is too wide, text is wrapped.

    Numbers that then still do not fit go into a table of their own below, beside the same names.
    """
    cells = [[shown(_text(cell)) for cell in row] for row in (table.header, *table.rows)]
    for part, (chosen, widths, gap) in enumerate(layout(cells, table.numbers, console().width)):
        if part:
            _print("")
        drawn = RichTable(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="italic")
        for k, width in zip(chosen, widths, strict=True):
            side = "right" if k in table.numbers else "left"
            drawn.add_column(RichText(cells[0][k]), justify=side, width=width)  # type: ignore[arg-type]
        for row in cells[1:]:
            drawn.add_row(*(RichText(row[k]) for k in chosen))
        _print(drawn, width=sum(widths) + gap * (len(widths) - 1))


def _text(cell: str | Cell) -> str:
    """A cell as text: a mark without text is drawn, links within the page are named."""
    if isinstance(cell, str):
        return cell
    if cell.mark is not None and not cell.text:
        line = [" "] * SCALE
        for place, sign in ((cell.level, "|"), (cell.mark, "o")):
            if place is not None:
                line[round(place * (SCALE - 1))] = sign
        return "".join(line)
    names = [link.text for link in cell.links if link.target.startswith("#")]
    return "; ".join([*names, cell.text] if cell.text else names)


def _columns() -> int:
    """The width that the environment asks for."""
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else WIDE


def _print(*parts: RenderableType, width: int = 0) -> None:
    """To stdout, without spaces at the ends of lines; at least so many columns wide."""
    out = console()
    out.width = max(width, out.width)
    if sys.stdout.isatty():  # not where colours alone are asked for
        out.print(*parts, sep="\n")
        return
    with out.capture() as kept:
        out.print(*parts, sep="\n")
    sys.stdout.write(TRAILING.sub(lambda end: end[0].replace(" ", ""), kept.get()))
