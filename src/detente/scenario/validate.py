"""The parts of a file as checked entries: every entry by itself, so that all mistakes show.

An entry whose shape is wrong is told and stands as None: its name is known all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from detente.scenario import scalar_types, schema
from detente.scenario.diagnostics import Diagnostics
from detente.scenario.hints import closest, did_you_mean
from detente.scenario.source import Trail

PARTS: dict[str, type[schema.Part]] = {
    "calendar": schema.CalendarPart,
    "actors": schema.ActorPart,
    "state": schema.VariablePart,
    "parameters": schema.ParameterPart,
    "turns": schema.TurnPart,
    "actions": schema.ActionPart,
    "chance": schema.EventPart,
    "payoffs": schema.PayoffPart,
    "terms": schema.TermPart,
    "policies": schema.PolicyPart,
    "announcement": schema.AnnouncementPart,
    "outcomes": schema.OutcomePart,
    "correlations": schema.CorrelationPart,
    "variants": schema.VariantPart,
    "evidence": schema.EvidencePart,
}
ADAPTERS: dict[str, TypeAdapter[Any]] = {
    **{key: TypeAdapter(part) for key, part in PARTS.items()},
    "title": TypeAdapter(scalar_types.Line),
    **dict.fromkeys(("about", "source", "policy"), TypeAdapter(scalar_types.Text)),
    "notes": TypeAdapter(list[scalar_types.Text]),
    "turns": TypeAdapter(schema.Turn),
    "policies": TypeAdapter(schema.Policy),
}
# Sections whose entries are looked at further without the keys that are wrong, and the keys
# whose absence would then be taken for something else than a mistake told already.
LOOSE: dict[str, set[str]] = {
    "actors": {"types"},
    "state": set(),
    "parameters": set(),
    "actions": set(),
    "chance": set(),
    "payoffs": set(),
    "terms": {"binds"},
    "outcomes": set(),
    "correlations": set(),
    "variants": set(),
    "calendar": set(),
}
STAND_INS: dict[str, dict[str, Any]] = {
    "actors": {"precision": 1},
    "correlations": {"rank": 0},
    "calendar": {"period": "month", "horizon": 1},
}
"""For needed keys that are wrong or missing, which is told: the rest of the entry is checked."""
SINGLE = ("title", "about", "source", "notes", "calendar", "policy", "announcement")
COMMA = "inside `{ }`, text that holds a comma needs quotes"
SENTENCES = {
    "dict_type": "should be a mapping (`key: value`)",
    "model_type": "should be a mapping (`key: value`)",
    "list_type": "should be a list (`[...]`)",
    "too_short": "should not be empty",
}


@dataclass(frozen=True, slots=True)
class RawScenario:
    """A file's sections: entries by name, None for those that are not as they should be."""

    single: dict[str, Any]
    actors: dict[str, schema.ActorPart | None]
    state: dict[str, schema.VariablePart | None]
    parameters: dict[str, schema.ParameterPart | None]
    turns: list[schema.TurnPart | None]
    actions: dict[str, dict[str, schema.ActionPart | None]]
    chance: dict[str, schema.EventPart | None]
    payoffs: dict[str, schema.PayoffPart | None]
    terms: dict[str, schema.TermPart | None]
    policies: dict[str, schema.PolicyPart | None]
    outcomes: dict[str, schema.OutcomePart | None]
    correlations: list[schema.CorrelationPart | None]
    variants: dict[str, schema.VariantPart | None]
    evidence: dict[str, schema.EvidencePart | None]
    lost: frozenset[str]
    """Sections that are missing or no mappings, so that their names are not known."""


def read_parts(diagnostics: Diagnostics) -> RawScenario:
    """Check the shape of everything in a file."""
    content = diagnostics.source.value
    if not isinstance(content, dict):
        message = "the file is empty" if content is None else "the file should be a mapping"
        diagnostics.error(
            (), "wrong-type", message, "it starts with `title:`, `calendar:`, `actors:`"
        )
        content = {}
        diagnostics.refuse()
    return _Reader(content, diagnostics).parts()


class _Reader:
    def __init__(self, content: dict[str, Any], diagnostics: Diagnostics) -> None:
        self.content = content
        self.diagnostics = diagnostics
        self.lost: set[str] = set()

    def parts(self) -> RawScenario:
        self.top()
        return RawScenario(
            single=self.single(),
            actors=self.entries("actors"),
            state=self.entries("state"),
            parameters=self.entries("parameters"),
            turns=self.listed("turns"),
            actions=self.actions(),
            chance=self.entries("chance"),
            payoffs=self.entries("payoffs"),
            terms=self.entries("terms"),
            policies=self.entries("policies"),
            outcomes=self.entries("outcomes"),
            correlations=self.listed("correlations"),
            variants=self.entries("variants"),
            evidence=self.entries("evidence"),
            lost=frozenset(self.lost),
        )

    def top(self) -> None:
        """Unknown and missing keys of the file itself."""
        for key in self.content:
            if key not in ADAPTERS:
                self.unknown((key,), key, list(ADAPTERS))
                absent = [section for section in ADAPTERS if section not in self.content]
                self.lost.update(closest(key, absent))  # one of them may be meant
        for key, info in schema.File.model_fields.items():
            if info.is_required() and key not in self.content:
                self.lost.add(key)
                self.diagnostics.error((), "missing-key", f"`{key}` is missing")

    def unknown(self, trail: Trail, key: str, known: list[str]) -> None:
        hint = did_you_mean(key, known)
        written = self.diagnostics.source.written.get(trail)
        if written is not None and not written.text:
            hint = COMMA
        self.diagnostics.key_error(trail, "unknown-key", f"the key `{key}` is not known here", hint)

    def section(self, key: str, kind: type) -> Any:
        """A section of the right kind; empty where it is not."""
        value = self.content.get(key, kind())
        needed = schema.File.model_fields[key].is_required() and key != "state"
        if isinstance(value, kind) and (value or not needed or key in self.lost):
            return value
        self.lost.add(key)
        if value is None or value == kind():
            self.diagnostics.empty((key,), f"`{key}` is empty")
        else:
            what = "a mapping (`key: value`)" if kind is dict else "a list (`[...]`)"
            self.diagnostics.error((key,), "wrong-type", f"`{key}` should be {what}")
        return kind()

    def entries(self, section: str) -> dict[str, Any]:
        values = self.section(section, dict)
        return {key: self.read(section, (section, key), value) for key, value in values.items()}

    def single(self) -> dict[str, Any]:
        """What is not a section of entries; None for what is not as it should be."""
        content = self.content
        return {key: self.read(key, (key,), content[key]) for key in SINGLE if key in content}

    def listed(self, section: str) -> list[Any]:
        values = self.section(section, list)
        return [self.read(section, (section, at), value) for at, value in enumerate(values)]

    def actions(self) -> dict[str, dict[str, schema.ActionPart | None]]:
        actions: dict[str, dict[str, schema.ActionPart | None]] = {}
        for actor, values in self.section("actions", dict).items():
            trail: Trail = ("actions", actor)
            actions[actor] = {}
            if not isinstance(values, dict):
                message = f"`{actor}` should be a mapping of actions (`name: {{...}}`)"
                self.diagnostics.error(trail, "wrong-type", message)
                self.lost.add(f"actions of {actor}")
                continue
            for key, value in values.items():
                actions[actor][key] = self.read("actions", (*trail, key), value)
        return actions

    def read(self, section: str, trail: Trail, value: Any) -> Any:
        """The entry at `trail`, or None after telling everything that is wrong with its shape."""
        try:
            return ADAPTERS[section].validate_python(value)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        for details in problems:
            self.tell(section, trail, details)
        return _remainder(section, value, {details["loc"][:1] for details in problems})

    def tell(self, section: str, trail: Trail, details: ErrorDetails) -> None:
        """One of pydantic's errors as a diagnostic."""
        kind, location = details["type"], details["loc"]
        whole: Trail = (*trail, *location)
        key = _called(whole)
        if kind == "extra_forbidden":
            self.unknown(whole, str(whole[-1]), _keys(section, location))
        elif kind == "missing":
            message = f"{key} is missing in {_called(whole[:-1])}"
            self.diagnostics.key_error(whole[:-1], "missing-key", message)
        elif details["input"] is None:
            self.diagnostics.empty(whole, f"{key} is empty")
        else:
            code = kind if "-" in kind else "wrong-type"
            sentence = SENTENCES.get(kind, details["msg"])
            if kind == "literal_error":
                sentence = f"should be one of {details['ctx']['expected']}".replace("'", "`")
            hint = details.get("ctx", {}).get("hint", "")
            self.diagnostics.error(whole, code, f"{key} {sentence}", hint)


def _remainder(section: str, value: Any, wrong: set[tuple[int | str, ...]]) -> Any:
    """An entry without the keys that are wrong, so that its other mistakes show; or None."""
    if not isinstance(value, dict) or section not in LOOSE:
        return None
    kept = {key: item for key, item in value.items() if (key,) not in wrong}
    rest = STAND_INS.get(section, {}) | kept
    if section == "calendar" and "period" not in kept and "start" not in value:
        rest["period"] = "round"  # what has no start may well be meant to have none
    if LOOSE[section] - rest.keys():
        return None
    try:
        return ADAPTERS[section].validate_python(rest)
    except ValidationError:
        return None


def _called(trail: Trail) -> str:
    """What to call the value at `trail` in a sentence."""
    named = tuple(step for step in trail if step != "")
    if isinstance(named[-1], int):
        return f"item {named[-1] + 1} of `{named[-2]}`"
    return f"`{named[-1]}`"


def _keys(section: str, location: Sequence[int | str]) -> list[str]:
    """The keys known where an unknown one was found, at `location` within an entry."""
    part = schema.AlternativePart if "effects" in location[:-1] else PARTS[section]
    if section == "variants" and len(location) > 2:  # `options`, a name, and what is below it
        part = schema.OptionPart if len(location) == 3 else schema.ChangePart
    return [info.alias or key for key, info in part.model_fields.items()]
