"""How wide the columns of a table are, so that no word and no number is broken."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.cells import cell_len

GAPS = (4, 2)
"""Spaces between columns: as many as there should be, and where it is narrow."""

NARROWEST = 1
"""The same for text that cannot be had otherwise. Numbers go below each other before that."""

Layout = tuple[list[int], list[int], int]
"""A table: its columns by position, their widths, and the spaces between them."""


def layout(cells: Sequence[Sequence[str]], numbers: Collection[int], room: int) -> list[Layout]:
    """One table, or several below each other that have the names before the numbers in common.

    Parameters
    ----------
    cells
        All rows, that of the header too.
    numbers
        The columns that have numbers; the others have text, which can be wrapped.
    room
        Columns of the page. What cannot be had within it is wider: words are never broken.
    """
    count = len(cells[0])
    # A share with its interval in parentheses, 40 % (20 – 60), is one number.
    wide = [max(1, *(cell_len(row[k]) for row in cells)) for k in range(count)]
    least = [
        wide[k] if k in numbers else max(1, *(_longest_word(row[k]) for row in cells))
        for k in range(count)
    ]
    everything = list(range(count))
    for gap in GAPS if numbers else (*GAPS, NARROWEST):
        if sum(least) + gap * (count - 1) <= room:
            return [(everything, _shrunk(wide, least, room - gap * (count - 1)), gap)]
    gap = GAPS[-1] if numbers else NARROWEST
    names = everything[: min(numbers, default=count)]
    if sum(wide[k] + gap for k in names) <= room // 2:  # names are as well not wrapped, then
        least[: len(names)] = wide[: len(names)]
    used = sum(least[k] + gap for k in names)
    parts: list[list[int]] = [[]]
    for k in everything[len(names) :]:
        taken = used + sum(least[j] + gap for j in parts[-1])
        if parts[-1] and taken + least[k] > room:
            parts.append([])
        parts[-1].append(k)
    layouts = []
    for part in parts:
        chosen = [*names, *part]
        inside = room - gap * (len(chosen) - 1)
        widths = _shrunk([wide[k] for k in chosen], [least[k] for k in chosen], inside)
        layouts.append((chosen, widths, gap))
    return layouts


def _shrunk(wide: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit where they can: the widest that can give way does so, a column at a time."""
    widths = list(wide)
    while sum(widths) > room:
        loose = [k for k, width in enumerate(widths) if width > least[k]]
        if not loose:
            break
        widths[max(loose, key=widths.__getitem__)] -= 1
    return widths


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)
