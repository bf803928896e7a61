"""The JSON Schema for editors: not stale, and of one mind with the loader about shapes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from detente import library
from detente.scenario.schema import json_schema
from detente.scenario.source import read_bytes
from tests.scenario.texts import FULL, PLAIN

EXPORTED = Path(__file__).parents[2] / "docs" / "scenario.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def valid(text: str) -> bool:
    return VALIDATOR.is_valid(read_bytes(text.encode(), "f").value)


def test_the_exported_file_is_not_stale() -> None:
    hint = "run `detente schema > docs/scenario.schema.json`"
    assert json.loads(EXPORTED.read_text(encoding="utf-8")) == json_schema(), hint


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert "$id" not in json_schema()


@pytest.mark.parametrize("name", library.names())
def test_the_library_is_valid(name: str) -> None:
    assert valid(library.read_text(name))


def test_long_and_short_forms_are_valid() -> None:
    assert valid(PLAIN)
    assert valid(FULL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: A plain scenario\n", ""),
        ("precision: 3", "precison: 3"),
        ("levels: 0..3", "levels: 3"),
        ("levels: 0..3", "levels: {}"),
        ("period: month", "period: moon"),
        ("turns: [DPRK, US, chance]", "turns: DPRK"),
        ("turns: [DPRK, US, chance]", "turns: []"),
        ("range: [0.1, 2]", "range: [0.1]"),
        ("    wait: {}", "    wait: 3"),
        ("ends: true", "ends: 1"),
        ("  deal:", "  the deal:"),
        ("[patience]", "patience"),
        ("range: [0.1, 2]", "range: [0.1, 2], draw: normal"),
        ("range: [0.1, 2]", "range: [0.1, 2], draw: {sincere: 1}"),
        ("precision: 3", "precision: 3, concentration: 0"),
        ("outcomes:", "correlations: {between: [a, b], rank: 0.5}\noutcomes:"),
        ("outcomes:", "correlations: [{between: [a, b], rank: 1}]\noutcomes:"),
        ("outcomes:", "variants: {v: {}}\noutcomes:"),
        ("outcomes:", "variants: {v: {options: {a: {weight: 0}}}}\noutcomes:"),
        ("outcomes:", "variants: {v: {options: {a: {change: {actors: {}}}}}}\noutcomes:"),
    ],
)
def test_wrong_shapes_are_not_valid(old: str, new: str) -> None:
    assert old in PLAIN
    assert not valid(PLAIN.replace(old, new, 1))
