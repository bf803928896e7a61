"""Dates as people and spreadsheets write them: none is guessed, but each is told how to be written.

A record takes dates of ISO 8601 alone (`2024-02-10`), as `10.02.` and `02/10/` mean different
days to different readers.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re

EPOCH = dt.date(1899, 12, 30)
"""Day 0 of spreadsheets, for days after February 1900."""

SERIAL = range(20_000, 80_000)
"""Numbers that spreadsheets write for days, of 1954 to 2119."""

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
NUMBERS = {str(k): k for k in range(1, 100)} | {f"{k:02}": k for k in range(100)}
NUMBERS |= {name.casefold(): k for k, name in enumerate(MONTHS, start=1)}
NUMBERS |= {name[:3].casefold(): k for k, name in enumerate(MONTHS, start=1)} | {"sept": 9}
"""Days and months by how they are written."""

_TIME = "(?:[T ][0-9]{1,2}:.*)?"
FORMS = (
    ("ymd", re.compile(f"([0-9]{{4}})[-/. ]([0-9]{{1,2}})[-/. ]([0-9]{{1,2}}){_TIME}")),
    ("ymd", re.compile("([0-9]{4})([0-9]{2})([0-9]{2})")),
    ("ym", re.compile("([0-9]{4})[-/.]([0-9]{1,2})")),
    ("my", re.compile("([0-9]{1,2})[-/.]([0-9]{4})")),
    ("dmy", re.compile(f"([0-9]{{1,2}})\\. ?([0-9]{{1,2}})\\. ?([0-9]{{4}}|[0-9]{{2}}){_TIME}")),
    ("dmy mdy", re.compile(f"([0-9]{{1,2}})[-/]([0-9]{{1,2}})[-/]([0-9]{{4}}|[0-9]{{2}}){_TIME}")),
    ("dmy", re.compile("([0-9]{1,2})[-. ]* ?([A-Za-z]+)[-., ]+([0-9]{4}|[0-9]{2})")),
    ("mdy", re.compile("([A-Za-z]+)[-. ]+([0-9]{1,2}),? +([0-9]{4})")),
    ("my", re.compile("([A-Za-z]+)[-., ]+([0-9]{4})")),
)
"""What the parts of a date are, in order (or in two orders, if it is read so), and a form."""


def parse_date(text: str, *, monthly: bool) -> dt.date:
    """A day, or with `monthly` a month as its first day. Raises `ValueError` for anything else."""
    if monthly and re.fullmatch("[0-9]{4}-[0-9]{2}", text):
        return dt.date.fromisoformat(f"{text}-01")
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return dt.date.fromisoformat(text)
    raise ValueError(text)


def explain(text: str, *, monthly: bool, otherwise: str) -> tuple[str, str]:
    """What is wrong about a date that `parse_date` refuses, and what to write instead.

    `otherwise` is the hint for what is no date in any form that is known.
    """
    if re.fullmatch("[0-9]{5}", text) and int(text) in SERIAL:
        day = EPOCH + dt.timedelta(days=int(text))
        return f"`{text}` is a spreadsheet's number of a day", f"that day is written {day}"
    readings = _readings(text)
    if not readings:
        return f"`{text}` is not a date", otherwise
    written = [date for date in map(_written, readings) if date]
    if not written:
        year, month, _ = readings[0]
        if not 1 <= month <= 12:
            return f"`{text}` is not a date", f"there is no month {month}; {otherwise}"
        days = calendar.monthrange(year, month)[1]
        return f"`{text}` is not a date", f"{MONTHS[month - 1]} {year} has {days} days"
    if len(written) > 1:
        return f"`{text}` can be two days", f"write {' or '.join(written)}"
    if readings[0][2] or monthly:
        return f"`{text}` is not how a record writes a date", f"write {written[0]}"
    return f"`{text}` is not a day", f"write the day too, as in {written[0]}-01"


def _readings(text: str) -> list[tuple[int, int, int]]:
    """Years, months and days (0 for none) that a text may stand for, whether or not they exist."""
    for orders, form in FORMS:
        found = form.fullmatch(text)
        if not found:
            continue
        read = []
        for order in orders.split():
            part = dict(zip(order, found.groups(), strict=True))
            month, day = (NUMBERS.get(part.get(k, "00").casefold(), -1) for k in "md")
            year = int(part["y"]) + (2000 if len(part["y"]) == 2 else 0)
            if min(month, day) >= 0 and year:
                read.append((year, month, day))
        return list(dict.fromkeys(read))
    return []


def _written(reading: tuple[int, int, int]) -> str:
    """The form of a record, or '' for a day that there is not."""
    year, month, day = reading
    try:
        date = dt.date(year, month, day or 1)
    except ValueError:
        return ""
    return str(date) if day else f"{date:%Y-%m}"
