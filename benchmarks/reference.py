"""What has been usual, and how far incentives tilt it: numbers of the default case, made anew.

    python -m benchmarks.reference rates PROVOCATIONS.csv CONTACTS.csv
    python -m benchmarks.reference record -o record.yaml
    detente fit record.yaml benchmarks/pyeongchang-2016.csv --free precision --beliefs 5

`rates` counts months from January 2006 to January 2018 in two chronologies that anybody can have
from CSIS Beyond Parallel: North Korean provocations (columns `date`, `type`, `event`) and contacts
(`month`, `type`, `parties`). `record` writes the scenario as it stood in January 2016, for the
record of the two years that follow. It is without the chance that knows types: no halt was made in
those years that could have been inspected.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from benchmarks.mechanisms import NAME
from detente.library import read_text

FIRST, LAST = "2006-01", "2018-01"
"""The months that are counted, both included."""

WINDOW = 3
"""Months after a test that count as tense, and after a contact that count as talks."""

LARGE = ("Nuclear Test", "Inter-Continental", "Intercontinental", "Satellite")
"""Words of the events that count as tests."""

TESTS_ADDED = ("2017-11",)
"""A month with a test that the chronology, which ends in September 2017, does not have."""

VOTES = (
    *("2006-10", "2009-06", "2013-01", "2013-03", "2016-03", "2016-11"),
    *("2017-06", "2017-08", "2017-09", "2017-12"),
)
"""Months in which the Security Council voted for sanctions."""

SEASON = "(month == 8 or t == truce_months + 1 or month == 3 and t > 12)"


def month(text: str) -> int:
    """The number of a month that a date begins with."""
    year, number = text.split("-")[:2]
    return 12 * int(year) + int(number) - 1


def rates(provocations: Path, contacts: Path) -> list[tuple[str, int, int]]:
    """What was counted, in how many of how many months."""
    with provocations.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tests = {month(row["date"]) for row in rows if any(word in row["event"] for word in LARGE)}
    tests |= {month(date) for date in TESTS_ADDED}
    with contacts.open(encoding="utf-8", newline="") as file:
        talks = {month(row["month"]) for row in csv.DictReader(file) if "US" in row["parties"]}
    votes = {month(date) for date in VOTES}
    months = range(month(FIRST), month(LAST) + 1)

    def after(events: Collection[int], m: int) -> bool:
        return any(m - k in events for k in range(1, WINDOW + 1))

    def count(events: Collection[int], where: Callable[[int], bool]) -> tuple[int, int]:
        at_risk = [m for m in months if where(m)]
        return sum(m in events for m in at_risk), len(at_risk)

    return [
        ("tests, after a test", *count(tests, lambda m: after(tests, m))),
        ("tests, otherwise", *count(tests, lambda m: not after(tests, m))),
        ("tests, after a contact", *count(tests, lambda m: after(talks, m))),
        ("contact, after none", *count(talks, lambda m: not after(talks, m))),
        ("contact, in all", *count(talks, lambda m: True)),
        (
            "votes for sanctions, with a test or after it",
            *count(votes, lambda m: after(tests, m + 1)),
        ),
        ("votes for sanctions, in all", *count(votes, lambda m: True)),
    ]


def record_text() -> str:
    """The text of the scenario as it stood in January 2016."""
    text = read_text(NAME)
    for old, new in (
        (
            "start: 2018-02, period: month, horizon: 24",
            "start: 2016-01, period: month, horizon: 30",
        ),
        ("start: present", "start: eased"),
        ("truce_months: {value: 2,", "truce_months: {value: 0,"),
        ("visit_help: {value: 0.3,", "visit_help: {value: 0,"),
    ):
        text = _replaced(text, old, new)
    turns = r"  - {chance: \[reports\]}\n  - {chance: \[will\].*}\n"
    text, found = re.subn(turns, "", text)
    text, events = re.subn(r"  reports:\n(?:    .*\n)+  will:\n(?:    .*\n)+", "", text)
    text, variants = re.subn(r"variants:\n(?:  .*\n)+", "", text)
    if (found, events, variants) != (1, 1, 1):
        raise ValueError("the file has other turns, events or variants than are known here")
    return text.replace(SEASON, "month in (3, 8)")


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"the file does not have this once: {old}")
    return text.replace(old, new)


def main(words: Sequence[str] | None = None) -> None:
    """Count, or write the scenario of the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reference")
    commands = parser.add_subparsers(dest="command", required=True)
    counting = commands.add_parser("rates", help="count in two chronologies")
    counting.add_argument("provocations", type=Path)
    counting.add_argument("contacts", type=Path)
    writing = commands.add_parser("record", help="write the scenario of January 2016")
    writing.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args(words)
    if chosen.command == "rates":
        for what, events, months in rates(chosen.provocations, chosen.contacts):
            print(f"{what:46} {events:3} in {months:3} months: {events / months:.3f} a month")
    else:
        chosen.output.write_text(record_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
