"""Dates: read in the one form of ISO 8601, and explained in that form where people write another.

None is guessed: `10.02.` and `02/10/` mean different days to different readers.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re

HOW = "write it as 2018-02 or 2018-02-15"
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
        text = f"{text}-01"
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return dt.date.fromisoformat(text)
    raise ValueError(text)


def day(text: str) -> dt.date | None:
    """The day that `2018-02` (its first) or `2018-02-15` stands for."""
    try:
        return parse_date(text, monthly=True)
    except ValueError:
        return None


def date_hint(text: str) -> str:
    """What to write in a scenario for a text that is not a date."""
    text = text.strip()
    if re.fullmatch("[0-9]{4}", text) and int(text):
        return f"write `{text}-01`, or the month that is meant"
    readings = _readings(text)
    # A day that there is not is left out: its month may be right.
    written = [_written(reading) or _written((*reading[:2], 0)) for reading in readings]
    meant = [f"`{date}`" for date in written if date]
    if meant:
        return f"write {' or '.join(meant)}"
    if readings and re.match("[0-9]{4}", text):
        return f"months go from {readings[0][0]}-01 to {readings[0][0]}-12"
    return HOW


def explain(text: str, *, monthly: bool, otherwise: str) -> tuple[str, str]:
    """What is wrong about a date of a record that `parse_date` refuses, and what to write instead.

    `otherwise` is the hint for what is no date in any form that is known.
    """
    if re.fullmatch("[0-9]{5}", text) and int(text) in SERIAL:
        serial = EPOCH + dt.timedelta(days=int(text))
        return f"`{text}` is a spreadsheet's number of a day", f"that day is written {serial}"
    readings = _readings(text)
    written = [date for date in map(_written, readings) if date]
    if not readings or (not written and not 1 <= readings[0][1] <= 12):
        wrong = f"there is no month {readings[0][1]}; " if readings else ""
        return f"`{text}` is not a date", f"{wrong}{otherwise}"
    if not written:
        year, month, _ = readings[0]
        days = calendar.monthrange(year, month)[1]
        return f"`{text}` is not a date", f"{MONTHS[month - 1]} {year} has {days} days"
    if len(written) > 1:
        return f"`{text}` can be two days", f"write {' or '.join(written)}"
    if readings[0][2] or monthly:
        return f"`{text}` is not how a record writes a date", f"write {written[0]}"
    return f"`{text}` is not a day", f"write the day too, as in {written[0]}-01"


def one_reading(text: str) -> str:
    """A date, however written, as `2018-02` or `2018-02-15`; '' where it could mean two, or none.

    A year has four digits: of two, nobody says in which century.
    """
    if not re.search("[0-9]{4}", text):
        return ""
    written = {date for date in map(_written, _readings(text.strip())) if date}
    return written.pop() if len(written) == 1 else ""


def _readings(text: str) -> list[tuple[int, int, int]]:
    """Years, months and days (0 for none) that a text may stand for, whether or not they exist."""
    matches = ((orders, form.fullmatch(text)) for orders, form in FORMS)
    orders, match = next(((orders, match) for orders, match in matches if match), ("", None))
    readings = []
    for order in orders.split():
        part = dict(zip(order, match.groups() if match else (), strict=True))
        month, number = (NUMBERS.get(part.get(k, "00").casefold(), -1) for k in "md")
        year = int(part["y"]) + (2000 if len(part["y"]) == 2 else 0)
        if min(month, number) >= 0 and year:
            readings.append((year, month, number))
    return list(dict.fromkeys(readings))


def _written(reading: tuple[int, int, int]) -> str:
    """A day or month in the one form, or '' where there is no such day."""
    year, month, number = reading
    try:
        date = dt.date(year, month, number or 1)
    except ValueError:
        return ""
    return str(date) if number else f"{date:%Y-%m}"
