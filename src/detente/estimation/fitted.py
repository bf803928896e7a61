"""The scenario's file with the estimates in it: comments and order stay as they are."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from detente.errors import Diagnostic, Place, ScenarioError
from detente.estimation.result import Fit
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from detente.scenario.source import Source, Trail, read_text

DIGITS = 4
"""Digits of a number beyond the first that its standard error reaches."""

Edit = tuple[Place, int, str]
"""Where, how many characters are taken away, and what comes in their place."""


def fitted_text(fit: Fit) -> str:
    """The text of the scenario's file with its free parameters at their estimates.

    Each of them says from what it was estimated and when, which the ledger then reports. What is
    not identified stays as it was. Numbers have the digits that their standard errors leave, and
    two more.

    Raises
    ------
    ScenarioError
        Where the file writes numbers in a way that cannot be changed in place.
    """
    scenario = fit.scenario
    source = read_text(scenario.text, scenario.file)
    read = ", ".join(fit.files)
    words = f"from {read} on {fit.date.isoformat()}"
    written = {
        row.parameter: _number(row.estimate, row.se)
        for row in fit.table.itertuples()
        if row.estimate == row.estimate
    }
    text = _edited(
        scenario.text, [*_numbers(source, scenario, written), *_notes(source, written, words)]
    )
    again = loads(text, file=scenario.file)
    for name, number in written.items():
        key = name.partition(".")[0]
        parameter = again.parameters[key]
        if parameter.values[parameter.names().index(name)] != float(number):
            message = f"the estimate of `{name}` cannot be written into the file in place"
            raise ScenarioError(
                [Diagnostic(scenario.parameters[key].place, "cannot-write", message)]
            )
    return text


def _number(value: float, error: float) -> str:
    """A number with two digits more than its error leaves."""
    if not error > 0 or not math.isfinite(error):
        return f"{value:.6g}"
    digits = max(DIGITS - math.floor(math.log10(error)), 0)
    return f"{round(value, digits):.{min(digits, 15)}f}"


def _numbers(source: Source, scenario: Scenario, written: Mapping[str, str]) -> Iterator[Edit]:
    """The numbers in place of those that stand there."""
    for name, number in written.items():
        key, _, kind = name.partition(".")
        trail: Trail = ("parameters", key, "value", *([kind] if kind else []))
        old = source.written.get(trail)
        if old is not None and old.offset is not None:
            yield _moved(source.place(trail), old.offset), len(old.text), number


def _notes(source: Source, written: Mapping[str, str], words: str) -> Iterator[Edit]:
    """From what each parameter was estimated, before its value."""
    for key in dict.fromkeys(name.partition(".")[0] for name in written):
        trail: Trail = ("parameters", key)
        old = source.written.get((*trail, "estimated"))
        if old is not None and old.offset is not None:
            yield _moved(source.place((*trail, "estimated")), old.offset), len(old.text), words
            continue
        place = source.place(trail)
        line = source.text.splitlines()[place.line - 1]
        here = source.key((*trail, "value"))
        between = ", " if line[place.column - 1] == "{" else "\n" + " " * (here.column - 1)
        yield here, 0, f"estimated: {json.dumps(words)}{between}"


def _moved(place: Place, columns: int) -> Place:
    return replace(place, column=place.column + columns)


def _edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits, which do not overlap."""
    lines = text.splitlines(keepends=True)
    for place, length, new in sorted(edits, reverse=True):
        line, at = lines[place.line - 1], place.column - 1
        lines[place.line - 1] = line[:at] + new + line[at + length :]
    return "".join(lines)
