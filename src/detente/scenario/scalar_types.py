"""The values at the leaves of a scenario file: each says in the words of the language what it is.

A check gives what is read of a value, or raises `Wrong` with what the value should be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from detente.scenario.dates import date_hint
from detente.scenario.slips import number_hint, numbers_meant
from detente.text import hidden_in

NAME = "[A-Za-z][A-Za-z0-9_]*"
INTEGER_RANGE = re.compile(r"(-?[0-9]{1,9})\s*\.\.\s*(-?[0-9]{1,9})")
MOST_LEVELS = 10_000
MOST_LASTING = 100
"""Periods on end that are counted: for each of them probability is kept apart."""
DRAWS = ("uniform", "triangular", "log-uniform", "whole")
"""How a number may be drawn from its range; the first is taken where nothing is said."""


class Wrong(ValueError):  # noqa: N818 (a value is wrong, not the program)
    """A value that is not as it should be: what it should be, and what to write."""

    def __init__(self, sentence: str, hint: str = "", code: str = "wrong-type") -> None:
        super().__init__(sentence)
        self.sentence, self.hint, self.code = sentence, hint, code


def out_of_range(sentence: str) -> Wrong:
    """The same for a value of the right kind that lies too far out."""
    return Wrong(sentence, code="out-of-range")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A kind of value that has no parts of its own: its check, and its JSON Schema."""

    check: Callable[[Any], Any]
    schema: Mapping[str, Any]


class Levels(NamedTuple):
    """The levels of a variable: `size` numbers from `low`, or the `names`."""

    size: int
    low: int = 0
    names: tuple[str, ...] = ()

    def label(self, level: int) -> str:
        """What level `level`, counted from 0, is called."""
        return self.names[level] if self.names else str(self.low + level)


def formula(value: Any) -> Any:
    """A formula as text, number or truth value; its text is read later on."""
    if isinstance(value, str | bool | int | float):
        return value
    raise Wrong("should be a formula, a number or a name", number_hint(value))


def is_table(value: Any) -> bool:
    """Whether a value is a table by levels and types, and no mapping by name."""
    keys = isinstance(value, dict) and value.keys() == {"by", "values"}
    return keys and isinstance(value["values"], dict)


def formula_or_table(value: Any) -> Any:
    """The same where a table by levels and types may stand."""
    if not isinstance(value, dict):
        return formula(value)
    by = value.get("by")
    by = [by] if isinstance(by, str) else by
    named = isinstance(by, list) and by and all(isinstance(name, str) for name in by)
    if is_table(value) and named:
        return {"by": by, "values": value["values"]}
    raise Wrong("should be a formula, or a table `{by: [names], values: {level: value, ...}}`")


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, bool | int | float):
        raise Wrong("should be text; put it in quotes")
    raise Wrong("should be text")


def _line(value: Any) -> str:
    text = _text(value)
    if "\n" in text:
        raise Wrong("should be one line")
    hidden = hidden_in(text)
    if hidden:
        sentence = f"holds the character {hidden}, which nobody would see; leave it out"
        raise Wrong(sentence, code="control-character")
    return text


def _day(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise Wrong("should be a date", date_hint(str(value)))


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        # An integer can be too large to become a float.
        number = float(value) if abs(value) < 1e308 else math.inf
        if math.isfinite(number):
            return number
        raise Wrong("should be a finite number")
    raise Wrong("should be a number; formulas are not allowed here", number_hint(value))


def _range(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise Wrong("should be a range `[low, high]`", _range_hint(value))
    if any(isinstance(end, str) for end in value):
        raise Wrong("should have two numbers; formulas are not allowed here", _range_hint(value))
    low, high = _number(value[0]), _number(value[1])
    if low > high:
        raise out_of_range("should have its lower end first")
    return low, high


def _range_hint(value: Any) -> str:
    """What to write for a range as text, of texts, or that decimal commas part into four."""
    if isinstance(value, list) and len(value) == 4 and all(type(end) is int for end in value):
        return f"write `[{value[0]}.{value[1]}, {value[2]}.{value[3]}]`: decimals have a point"
    if isinstance(value, str):
        value = re.split(r"\s+to\s+|\s*(?:-|\.\.|–)\s*", value)
        if value[-1].endswith("%"):  # `10-20%` says it once for both
            value = [f"{end.removesuffix('%')}%" for end in value]
    ends = [str(end) for end in value] if isinstance(value, list) else []
    meant = [numbers_meant(end) for end in ends]
    if len(meant) == 2 and all(meant):
        return f"write `[{meant[0][0]}, {meant[1][0]}]`"
    return ""


def _levels(value: Any) -> Levels:
    if isinstance(value, list):
        if not value or not all(isinstance(name, str) for name in value):
            raise Wrong("should be `LOW..HIGH` or a list of names")
        return Levels(len(value), names=tuple(value))
    match = INTEGER_RANGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Wrong("should be `LOW..HIGH` (whole numbers) or a list of names")
    low, high = int(match[1]), int(match[2])
    if low > high:
        raise out_of_range("should have the lowest level first")
    if high - low >= MOST_LEVELS:
        raise out_of_range(f"should be at most {MOST_LEVELS:,} levels")
    return Levels(high - low + 1, low)


def _is(*kinds: type, sentence: str) -> Callable[[Any], Any]:
    """The check of values that are just these kinds of Python."""

    def check(value: Any) -> Any:
        if type(value) in kinds:
            return value
        raise Wrong(sentence)

    return check


def _count(value: Any) -> int:
    if type(value) is not int:
        hint = number_hint(value) if isinstance(value, str) else ""
        raise Wrong("should be a whole number", hint)
    if not 1 <= value <= MOST_LASTING:
        raise out_of_range(f"should be from 1 to {MOST_LASTING:,}")
    return value


def _between(low: float, high: float, sentence: str) -> Callable[[Any], float]:
    """The check of numbers that lie between two, without these."""

    def check(value: Any) -> float:
        if low < (number := _number(value)) < high:
            return number
        raise out_of_range(sentence)

    return check


def _one_of(words: tuple[str, ...], listed: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        raise Wrong(f"should be one of {listed}")

    return check


def one_of(*words: str) -> Scalar:
    """One of several words."""
    *others, last = (f"`{word}`" for word in words)
    listed = f"{', '.join(others)} or {last}"
    return Scalar(_one_of(words, listed), {"enum": list(words), "type": "string"})


A_LEVEL = "should be the number or the name of a level"
A_MOMENT = "should be a date, the number of a period, or a condition on the state"
A_FLAG = "should be `true` or `false`"
A_MAPPING = "should be a mapping (`key: value`)"
A_LIST = "should be a list (`[...]`)"
IN_RANK = "should lie between -1 and 1, without these two"

NAMES_OR_RANGE = [
    {"pattern": r"^-?[0-9]+\s*\.\.\s*-?[0-9]+$", "type": "string"},
    {"items": {"pattern": f"^{NAME}$", "type": "string"}, "type": "array"},
]
NUMBERS = {"items": {"type": "number"}, "maxItems": 2, "minItems": 2, "type": "array"}
OPEN = {"exclusiveMaximum": 1, "exclusiveMinimum": -1, "type": "number"}
ABOVE_0 = {"exclusiveMinimum": 0, "type": "number"}
WORD_OR_NUMBER = {"type": ["integer", "string"]}

TEXT = Scalar(_text, {"type": "string"})
LINE = Scalar(_line, {"type": "string"})
DAY = Scalar(_day, {"type": "string"})
FLAG = Scalar(_is(bool, sentence=A_FLAG), {"type": "boolean"})
NUMBER = Scalar(_number, {"type": "number"})
COUNT = Scalar(_count, {"maximum": MOST_LASTING, "minimum": 1, "type": "integer"})
POSITIVE = Scalar(_between(0, math.inf, "should be above 0"), ABOVE_0)
RANK = Scalar(_between(-1, 1, IN_RANK), OPEN)
DRAW = Scalar(_one_of(DRAWS, ", ".join(f"`{word}`" for word in DRAWS)), {"enum": list(DRAWS)})
RANGE = Scalar(_range, NUMBERS)
LEVEL = Scalar(_is(str, int, sentence=A_LEVEL), WORD_OR_NUMBER)
LEVELS = Scalar(_levels, {"anyOf": NAMES_OR_RANGE})
MOMENT = Scalar(_is(str, int, sentence=A_MOMENT), WORD_OR_NUMBER)
MAPPING = Scalar(_is(dict, sentence=A_MAPPING), {"type": "object"})
LIST = Scalar(_is(list, sentence=A_LIST), {"type": "array"})
