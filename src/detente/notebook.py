"""How results look in a notebook: what their repr says, and the main table below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

MOST = 20
"""Rows of a table that are shown."""


class InNotebook:
    """What a notebook shows of a result. Names from files are text in it, never markup."""

    __slots__ = ()

    def _main_table(self) -> Any:
        """The DataFrame to be shown, or None."""
        return None

    def _repr_html_(self) -> str:
        table = self._main_table()
        text = f"<p>{escape(repr(self))}</p>"
        if table is None or not len(table):
            return text
        rows = table.head(MOST).itertuples(index=False, name=None)
        left = len(table) - MOST
        more = f"<p>… and {left} more rows</p>" if left > 0 else ""
        return f"{text}{html_table([str(name) for name in table.columns], rows)}{more}"


def html_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in HTML, all of whose cells are text."""
    lines = [_row("th", header), *(_row("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _row(tag: str, cells: Iterable[object]) -> str:
    shown = (f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells)
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in shown)}</tr>"
