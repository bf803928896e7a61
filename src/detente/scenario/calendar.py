"""Dates of periods: what `month`, `year` and the labels of tables are made from."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Literal

from detente.scenario.dates import day

Unit = Literal["day", "week", "month", "quarter", "year", "round"]

MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAYS = {"day": 1, "week": 7}
MARKS = {"day": (30, 90, 180), "week": (13, 26, 52), "month": (6, 12, 24), "quarter": (2, 4, 8)}
"""Usual lengths of time, after which dated play is reported."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods of one unit from `start` on, numbered from 1. `start` is None for rounds."""

    unit: Unit
    start: dt.date | None

    def date(self, t: int) -> dt.date | None:
        """The day on which period `t` starts, or None where play is not dated."""
        if self.start is None:
            return None
        if self.unit in DAYS:
            return self.start + dt.timedelta(days=DAYS[self.unit] * (t - 1))
        months = self.start.year * 12 + self.start.month - 1 + MONTHS[self.unit] * (t - 1)
        return dt.date(months // 12, months % 12 + 1, 1)

    def period(self, date: dt.date) -> int:
        """The number of the period that a day falls in; below 1 where it is before the start.

        Raises `ValueError` where play is not dated.
        """
        if self.start is None:
            raise ValueError("play is not dated")
        if self.unit in DAYS:
            return (date - self.start).days // DAYS[self.unit] + 1
        months = (date.year - self.start.year) * 12 + date.month - self.start.month
        return months // MONTHS[self.unit] + 1

    def number(self, text: str) -> int | None:
        """The period that a date as written, or the number of a round, stands for; else None."""
        if self.start is None:
            return int(text) if text.isdecimal() else None
        # A year is the period that tables call so: the one that begins in it.
        if self.unit == "year" and re.fullmatch("[0-9]{4}", text):
            return self.period(dt.date(int(text), 12, 31)) if int(text) else None
        date = day(text)
        return self.period(date) if date else None

    def label(self, t: int) -> str:
        """What to call period `t` in a table: `2018-02`, `2018-02-15`, `2018` or `round 3`."""
        date = self.date(t)
        if date is None:
            return f"{self.unit} {t}"
        form = {"year": "%Y", "month": "%Y-%m", "quarter": "%Y-%m"}.get(self.unit, "%Y-%m-%d")
        return date.strftime(form)

    def marks(self, last: int) -> list[int]:
        """The periods to report of the first `last`: usual lengths, or quarters of the way."""
        usual = MARKS.get(self.unit)
        if usual is None:
            return sorted({math.ceil(last / 4), math.ceil(last / 2), last})
        return [*(t for t in usual if t < last), last]

    def mark_labels(self, times: list[int]) -> list[str]:
        """What to call the periods of `marks`: how long they are from the start."""
        if self.unit == "quarter":
            return [f"{3 * t} months" for t in times]
        return [f"{t} {self.unit}{'s' if t > 1 else ''}" for t in times]
