"""The JSON Schema of a scenario file, for editors: made from the tables of fields."""

from __future__ import annotations

from typing import Any

from detente.scenario import fields
from detente.scenario.model import Scenario
from detente.scenario.rules import CONDITION
from detente.scenario.scalar_types import MAPPING, TEXT

CLOSED = "additionalProperties"
FORMULA = {"description": "A formula.", "type": ["string", "number", "boolean"]}
TABLE = {
    CLOSED: False,
    "description": "A formula, or a table by levels and types.",
    "properties": {
        "by": {"items": {"type": "string"}, "type": ["string", "array"]},
        "values": {"type": "object"},
    },
    "required": ["by", "values"],
    "type": ["string", "number", "boolean", "object"],
}


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario file, for editors."""
    parts: dict[str, Any] = {}
    whole = _record(Scenario, parts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Detente scenario",
        "$defs": dict(sorted(parts.items())),
        **whole,
    }


def _record(cls: type, parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of an entity; those of the entities within it are noted in `parts`."""
    known = fields.fields_of(cls)
    needed = [key for key, field in known.items() if field.needed]
    return {
        CLOSED: False,
        "description": (cls.__doc__ or "").partition("\n")[0],
        "properties": {key: _field(field, parts) for key, field in known.items()},
        **({"required": needed} if needed else {}),
        "type": "object",
    }


def _field(field: fields.Field, parts: dict[str, Any]) -> dict[str, Any]:
    schema = _shape(field.shape, parts)
    if field.empty:
        schema = {"anyOf": [schema, {"type": "null"}]}
    if field.default:
        schema = {**schema, "default": field.default}
    return _ordered({**schema, "description": field.words} if field.words else schema)


def _shape(shape: fields.Shape, parts: dict[str, Any]) -> dict[str, Any]:
    match shape:
        case fields.FormulaIn():
            return TABLE if shape.tables else FORMULA
        case fields.AllOf():
            several = _shape(fields.ListOf(CONDITION, least=1), parts)
            return {"anyOf": [FORMULA, several]}
        case fields.Reference():
            return dict(TEXT.schema)
        case fields.ListOf():
            item = _shape(shape.item, parts)
            least = {"minItems": shape.least} if shape.least else {}
            several = {"items": item, **least, "type": "array"}
            return {"anyOf": [item, several]} if shape.single else several
        case fields.MapOf():
            item = _shape(shape.item, parts)
            named = {CLOSED: item}
            if shape.names:
                named = {"patternProperties": {shape.names: item}}
            least = {"minProperties": shape.least} if shape.least else {}
            by_name = _ordered({**named, **least, "type": "object"})
            if shape.alone:
                return {
                    "anyOf": [
                        by_name,
                        {"items": {"pattern": shape.names, "type": "string"}, "type": "array"},
                    ]
                }
            alone = item.get("anyOf", [item])
            return {"anyOf": [*alone, by_name]} if shape.single else by_name
        case fields.TableOf():
            return dict(MAPPING.schema)
        case fields.EntityOf():
            name = shape.part or f"{shape.entity.__name__.removesuffix('Part')}Part"
            if name not in parts:
                parts[name] = _record(shape.entity, parts)
            whole = {"$ref": f"#/$defs/{name}"}
            if shape.short is str:
                return {"anyOf": [{"type": "string"}, whole]}
            if shape.short is list:
                return {"anyOf": [{"items": {"type": "string"}, "type": "array"}, whole]}
            return whole
    return dict(shape.schema)


def _ordered(schema: dict[str, Any]) -> dict[str, Any]:
    """The words of the schema language by letter; what follows from patterns comes last."""
    patterns = "patternProperties" in schema
    words = sorted(word for word in schema if not (patterns and word == CLOSED))
    return {word: schema[word] for word in words} | ({CLOSED: False} if patterns else {})
