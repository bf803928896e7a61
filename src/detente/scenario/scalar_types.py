"""The values that stand at the leaves of a scenario file, and their shorthands.

Each is a type for `detente.scenario.schema` that checks the value in a file, and says in the
words of the language what it should be.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from detente.scenario.slips import date_hint, number_hint, numbers_meant
from detente.text import hidden_in

NAME = "[A-Za-z][A-Za-z0-9_]*"
INTEGER_RANGE = re.compile(r"(-?[0-9]{1,9})\s*\.\.\s*(-?[0-9]{1,9})")
MOST_LEVELS = 10_000
DRAWS = ("uniform", "triangular", "log-uniform", "whole")
"""How a number may be drawn from its range; the first is taken where nothing is said."""


class Levels(NamedTuple):
    """The levels of a variable: `size` numbers from `low`, or the `names`."""

    size: int
    low: int = 0
    names: tuple[str, ...] = ()


def wrong(message: str, hint: str = "") -> PydanticCustomError:
    """The error that a value of the wrong kind raises: what it should be, and what to write."""
    return PydanticCustomError("wrong-type", "{message}", {"message": message, "hint": hint})


def _formula(value: Any) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    raise wrong("should be a formula, a number or a name", number_hint(value))


def _formula_or_table(value: Any) -> Any:
    if not isinstance(value, dict):
        return _formula(value)
    by, values = value.get("by"), value.get("values")
    by = [by] if isinstance(by, str) else by
    named = isinstance(by, list) and by and all(isinstance(name, str) for name in by)
    if value.keys() == {"by", "values"} and named and isinstance(values, dict):
        return {"by": by, "values": values}
    raise wrong("should be a formula, or a table `{by: [names], values: {level: value, ...}}`")


def _each(value: Any) -> Any:
    return value if value is None or isinstance(value, list) else [_formula(value)]


def _moment(value: Any) -> int | str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise wrong("should be a date, the number of a period, or a condition on the state")


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, bool | int | float):
        raise wrong("should be text; put it in quotes")
    raise wrong("should be text")


def _line(value: Any) -> str:
    text = _text(value)
    if "\n" in text:
        raise wrong("should be one line")
    hidden = hidden_in(text)
    if hidden:
        message = f"holds the character {hidden}, which nobody would see; leave it out"
        raise PydanticCustomError("control-character", "{message}", {"message": message})
    return text


def _day(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise wrong("should be a date", date_hint(str(value)))


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        # An integer can be too large to become a float.
        number = float(value) if abs(value) < 1e308 else math.inf
        if math.isfinite(number):
            return number
        raise wrong("should be a finite number")
    raise wrong("should be a number; formulas are not allowed here", number_hint(value))


def _positive(value: Any) -> float:
    number = _number(value)
    if number > 0:
        return number
    raise PydanticCustomError("out-of-range", "should be above 0")


def _rank(value: Any) -> float:
    number = _number(value)
    if -1 < number < 1:
        return number
    raise PydanticCustomError("out-of-range", "should lie between -1 and 1, without these two")


def _draw(value: Any) -> str:
    if isinstance(value, str) and value in DRAWS:
        return value
    raise wrong(f"should be one of {', '.join(f'`{word}`' for word in DRAWS)}")


def _range(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise wrong("should be a range `[low, high]`", _range_hint(value))
    if any(isinstance(end, str) for end in value):
        raise wrong("should have two numbers; formulas are not allowed here", _range_hint(value))
    low, high = _number(value[0]), _number(value[1])
    if low > high:
        raise PydanticCustomError("out-of-range", "should have its lower end first")
    return low, high


def _range_hint(value: Any) -> str:
    """What to write for a range as text, of texts, or that decimal commas part into four."""
    if isinstance(value, list) and len(value) == 4 and all(type(one) is int for one in value):
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
            raise wrong("should be `LOW..HIGH` or a list of names")
        return Levels(len(value), names=tuple(value))
    match = INTEGER_RANGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong("should be `LOW..HIGH` (whole numbers) or a list of names")
    low, high = int(match[1]), int(match[2])
    if low > high:
        raise PydanticCustomError("out-of-range", "should have the lowest level first")
    if high - low >= MOST_LEVELS:
        raise PydanticCustomError("out-of-range", f"should be at most {MOST_LEVELS:,} levels")
    return Levels(high - low + 1, low)


def _level(value: Any) -> int | str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise wrong("should be the number or the name of a level")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong("should be `true` or `false`")


def listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _by_name(value: Any) -> Any:
    """A single value as a mapping of one entry that has no name."""
    if not isinstance(value, dict):
        return {"": value}
    if "" in value or not value:
        raise wrong("should have a name for each value")
    return value


def _by_name_or_table(value: Any) -> Any:
    """The same where a value may be a table, which is a mapping as well."""
    table = isinstance(value, dict) and value.keys() == {"by", "values"}
    return {"": value} if table and isinstance(value["values"], dict) else _by_name(value)


# What a file may hold at the leaves. The mapping types take one value for a mapping with the
# single key ''.
Formula = Annotated[
    Any,
    PlainValidator(_formula),
    WithJsonSchema({"type": ["string", "number", "boolean"], "description": "A formula."}),
]
Several = Annotated[list[Formula], Field(min_length=1)]
Conditions = Annotated[Several, BeforeValidator(_each, json_schema_input_type=Formula | Several)]
Moment = Annotated[Any, PlainValidator(_moment), WithJsonSchema({"type": ["integer", "string"]})]
Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string"})]
Day = Annotated[str, PlainValidator(_day), WithJsonSchema({"type": "string"})]
Line = Annotated[str, PlainValidator(_line), WithJsonSchema({"type": "string"})]
Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]
Number = Annotated[float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Positive = Annotated[
    float,
    PlainValidator(_positive),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
Rank = Annotated[
    float,
    PlainValidator(_rank),
    WithJsonSchema({"type": "number", "exclusiveMinimum": -1, "exclusiveMaximum": 1}),
]
Draw = Annotated[str, PlainValidator(_draw), WithJsonSchema({"enum": list(DRAWS)})]
Range = Annotated[
    tuple[float, float],
    PlainValidator(_range),
    WithJsonSchema(
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    ),
]
Level = Annotated[
    int | str, PlainValidator(_level), WithJsonSchema({"type": ["integer", "string"]})
]
LevelsOf = Annotated[
    Levels,
    PlainValidator(_levels),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^-?[0-9]+\s*\.\.\s*-?[0-9]+$"},
                {"type": "array", "items": {"type": "string", "pattern": f"^{NAME}$"}},
            ]
        }
    ),
]
Key = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})]
Names = Annotated[list[Line], BeforeValidator(listed, json_schema_input_type=Text | list[Text])]
Formulas = dict[Key, Formula]
Table = Annotated[
    Any,
    PlainValidator(_formula_or_table),
    WithJsonSchema(
        {
            "description": "A formula, or a table by levels and types.",
            "type": ["string", "number", "boolean", "object"],
            "properties": {
                "by": {"type": ["string", "array"], "items": {"type": "string"}},
                "values": {"type": "object"},
            },
            "required": ["by", "values"],
            "additionalProperties": False,
        }
    ),
]
Tables = dict[Key, Table]
OneOrFormulas = Annotated[
    Tables, BeforeValidator(_by_name_or_table, json_schema_input_type=Table | Tables)
]
Numbers = Annotated[
    dict[Key, Number], BeforeValidator(_by_name, json_schema_input_type=Number | dict[Key, Number])
]
Ranges = Annotated[
    dict[Key, Range], BeforeValidator(_by_name, json_schema_input_type=Range | dict[Key, Range])
]
Draws = Annotated[
    dict[Key, Draw], BeforeValidator(_by_name, json_schema_input_type=Draw | dict[Key, Draw])
]
NamesByActor = Annotated[
    dict[Key, Names], BeforeValidator(_by_name, json_schema_input_type=Names | dict[Key, Names])
]
