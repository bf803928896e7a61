"""A field is said once: what CONTRIBUTING says of a new one, checked on a copy of the table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from detente.errors import Diagnostic, ScenarioError
from detente.game.enumerate import enumerate_game
from detente.scenario.fields import FIELDS, EntityOf, MapOf, entity, field, fields_of
from detente.scenario.formula.expression import Formula
from detente.scenario.ledger import entity_data, used_parameters
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from detente.scenario.rules import CONDITION, Outcome
from detente.scenario.scalar_types import POSITIVE
from detente.scenario.schema import json_schema
from tests.scenario.texts import PLAIN

SAID = "  deal: {counts: steps >= enough, dear: 2, "
TEXT = PLAIN.replace("  deal: {", SAID).replace(
    "parameters:\n",
    "parameters:\n  enough: {value: 1, range: [0, 2], judgement: a test, about: a test}\n",
)


@entity
class Weighed(Outcome):
    """An outcome with two more fields."""

    counts: Formula | None = field(CONDITION, "It counts where this holds.", default=None)
    dear: float = field(POSITIVE, "How dear it is.", default=1)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = dict(fields_of(Scenario))
    shape = MapOf(EntityOf(Weighed))
    sections["outcomes"] = dataclasses.replace(sections["outcomes"], shape=shape)
    monkeypatch.setitem(FIELDS, Scenario, sections)


def scenario(text: str = TEXT) -> Scenario:
    return loads(text, file="weighed.yaml")


def mistakes(text: str) -> Iterator[Diagnostic]:
    with pytest.raises(ScenarioError) as caught:
        scenario(text)
    yield from caught.value.diagnostics


def test_the_schema_knows_it() -> None:
    part = json_schema()["$defs"]["WeighedPart"]["properties"]
    assert part["counts"] == {
        "description": "It counts where this holds.",
        "type": ["string", "number", "boolean"],
    }
    assert part["dear"]["default"] == 1


def test_it_is_read_and_built() -> None:
    deal = scenario().outcomes["deal"]
    assert isinstance(deal, Weighed)
    assert deal.counts is not None
    assert (deal.counts.text, deal.counts.parameters, deal.dear) == (
        "steps >= enough",
        {"enough"},
        2,
    )
    other = scenario(TEXT.replace(SAID, "  deal: {")).outcomes["deal"]
    assert isinstance(other, Weighed)
    assert (other.counts, other.dear) == (None, 1)


def test_mistakes_are_told_at_their_places_with_hints() -> None:
    wrong = "  deal: {counts: stepps >= enough, dear: -2, deer: 1, "
    line = TEXT.partition(SAID)[0].count("\n") + 1
    told = list(mistakes(TEXT.replace(SAID, wrong)))
    assert [(one.code, one.place.line) for one in told] == [
        ("unknown-name", line),
        ("out-of-range", line),
        ("unknown-key", line),
    ]
    assert [one.place.column for one in told] == [
        wrong.index(x) + 1 for x in ("stepps", "-2", "deer")
    ]
    assert [one.hint for one in told] == [
        "did you mean `steps` or `step_cost`?",
        "",
        "did you mean `dear`?",
    ]


def test_its_parameters_are_used_and_decide_what_states_there_are() -> None:
    assert "enough" in used_parameters(scenario())
    assert "enough" in enumerate_game(scenario(), "").structural


def test_programs_are_told() -> None:
    data = entity_data(scenario().outcomes["deal"], scenario())
    assert (data["counts"], data["dear"]) == ("steps >= enough", 2)
