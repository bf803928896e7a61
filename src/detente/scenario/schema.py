"""The parts of a scenario file as they are written: their keys, shapes and shorthands.

One pydantic model for each part serves two ends: the shape of every entry is checked by it
(`detente.scenario.validate`), and the JSON Schema for editors is made from it. Shorthands (a turn
as text, a policy as a list) become the long form here. What the entries mean is not known here:
formulas are still text, and names are not looked up.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from detente.scenario.scalar_types import (
    Conditions,
    Day,
    Draws,
    Flag,
    Formula,
    Formulas,
    Key,
    Level,
    LevelsOf,
    Line,
    Moment,
    Names,
    NamesByActor,
    Numbers,
    OneOrFormulas,
    Positive,
    Ranges,
    Rank,
    Text,
    listed,
    wrong,
)


class Part(BaseModel):
    """A part of a file: no keys but those listed.

    Its validator is built when a file has such a part: few files have all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Supported(Part):
    """An entry that can say what it is and what stands behind it."""

    about: Text = Field("", description="What this is, in a sentence or two.")
    evidence: list[Text] = Field([], description="Names of entries of `evidence`.")
    judgement: Text = Field("", description="The reason, where this is a judgement.")


Doubt = Literal[
    "duplicate-action", "low-discount", "negative-cost", "never-allowed", "never-happens"
]
Doubts = Annotated[list[Doubt], BeforeValidator(listed, json_schema_input_type=Doubt | list[Doubt])]
ACCEPT = "Warnings about this entry that are meant: they are not told."


class CalendarPart(Part):
    """When play starts, what a period is, and how many periods there are."""

    start: Day = Field("", description="`2018-02` or `2018-02-15`; not for rounds.")
    period: Literal["day", "week", "month", "quarter", "year", "round"]
    horizon: Formula = Field(description="The number of periods, or `forever`.")


class ActorPart(Supported):
    """One who chooses."""

    name: Line = Field("", description="For people; the key by default.")
    types: Formulas = Field({}, description="The prior probability of each private type.")
    precision: Formula = Field(description="λ ≥ 0: how sharply play follows payoffs; or `limit`.")
    discount: Formula = Field(1, description="δ in [0, 1]; below 1 where play goes on forever.")
    concentration: Positive | None = Field(
        None, description="How sure the prior is: in ensembles it is drawn around its values."
    )
    accept: Doubts = Field([], description=ACCEPT)


class VariablePart(Supported):
    """A public state variable."""

    levels: LevelsOf = Field(description="`LOW..HIGH`, or a list of names in their order.")
    start: Level = Field(description="The level at the start.")
    edge: Literal["error", "cut"] = Field(
        "error", description="What happens to an effect that would leave the levels."
    )


class ParameterPart(Supported):
    """A named number, or one for each type of an actor."""

    value: Numbers = Field(description="One number, or one for each type.")
    range: Ranges = Field({}, description="`[low, high]`, or one for each type.")
    range_reason: Text = Field("", description="Why the range is as wide as it is.")
    draw: Draws = Field({}, description="How ensembles draw it, or one for each type.")
    unit: Line = Field("", description="The unit.")
    of: Text = Field("", description="The actor, where types' names do not tell.")


class CorrelationPart(Supported):
    """Numbers that go together where they are drawn."""

    between: Names = Field(description="Full names of parameters, as `step_cost.sincere`.")
    rank: Rank = Field(description="The rank correlation of each two of them.")


class TurnPart(Part):
    """A turn: who chooses, or which events happen by chance."""

    who: Names = Field(
        [],
        description="Who moves, or all who choose at the same time; or `chance` for all events.",
    )
    chance: Names = Field([], description="The events that happen, in their order.")
    when: Formula = Field(None, description="The turn is played where this holds.")

    @model_validator(mode="after")
    def _one_of_two(self) -> TurnPart:
        if bool(self.who) == bool(self.chance):
            raise wrong("should say either `who` moves or which events of `chance` happen")
        return self


class AlternativePart(Part):
    """One of the effects that an action or event can have."""

    p: Formula = Field(description="Its probability, or `rest`.")
    set: Formulas = Field({}, description="New levels; with a leading + or - changes of levels.")


class EventPart(Supported):
    """Something that happens by chance."""

    when: Formula = Field(None, description="It can happen where this holds.")
    effects: list[AlternativePart] | None = Field(
        None, description="Alternatives, of which one happens.", min_length=1
    )
    set: Formulas = Field({}, description="The effect, where there is a single sure one.")
    accept: Doubts = Field([], description=ACCEPT)

    @model_validator(mode="after")
    def _effects_or_set(self) -> EventPart:
        if self.effects is not None and self.set:
            raise wrong("should have `effects` or `set`, not both")
        return self


class ActionPart(EventPart):
    """Something an actor can do."""

    cost: OneOrFormulas = Field({}, description="Paid by who acts, or formulas by actor.")
    costs: Formulas = Field({}, description="Paid by others: formulas by actor.")
    also: Names = Field([], description="Names that records of moves call it by.")


class PayoffPart(Supported):
    """What an actor gets."""

    flow: OneOrFormulas = Field({}, description="At the end of each period.")
    terminal: OneOrFormulas = Field({}, description="Once, after the last period.")


class TermPart(Supported):
    """An announced commitment."""

    binds: Names = Field([], description="The actors who are bound.")
    forbids: NamesByActor = Field(description="Actions, or actions by actor.")
    since: Moment = Field(
        None, alias="from", description="The date or the event from which it is in force."
    )
    until: Moment = Field(
        None, description="The date or the event from which it is no longer in force."
    )
    when: Conditions = Field([], description="In force where this, or all of these, hold.")
    unless: Conditions = Field([], description="Not in force where this, or all of these, hold.")
    cost: Formula = Field(None, description="Paid by who breaks it; without it, nobody can.")
    accept: Doubts = Field([], description=ACCEPT)


class PolicyPart(Supported):
    """A named set of terms."""

    terms: list[Text] = Field(description="Names of entries of `terms`.")


class AnnouncementPart(Supported):
    """A move before the first period: who announces one of several policies."""

    who: Text = Field(description="The actor who announces; one with private types.")
    among: Names = Field([], description="Policies to choose from; all, if left out.")


class OutcomePart(Supported):
    """A named condition whose probability is wanted."""

    when: Formula = Field(description="The condition.")
    ends: Flag = Field(False, description="Play stops where it holds.")


Laid = Annotated[Any, WithJsonSchema({"type": "object"})]


class ChangePart(Part):
    """What an option changes: the sections that it is laid over."""

    state: Laid = Field(None, description="Variables, as in the file.")
    turns: Annotated[Any, WithJsonSchema({"type": "array"})] = Field(
        None, description="All turns, in their order."
    )
    actions: Laid = Field(None, description="Actions by actor, as in the file.")
    chance: Laid = Field(None, description="Events, as in the file.")
    payoffs: Laid = Field(None, description="Payoffs, as in the file.")
    terms: Laid = Field(None, description="Terms, as in the file.")


class OptionPart(Part):
    """One of the ways in which the model could be right."""

    about: Text = Field("", description="What this is, in a sentence or two.")
    weight: Positive = Field(1, description="How likely it is, beside the weights of the others.")
    change: ChangePart | None = Field(
        None, description="What is laid over the file; the first option has none."
    )


class VariantPart(Supported):
    """A question on which the model itself is in doubt."""

    options: dict[Key, OptionPart] = Field(
        description="The answers; the first is the file as it stands."
    )


class EvidencePart(Part):
    """Who reported what and where."""

    source: Text = Field(description="The report: who, when, title.")
    where: Text = Field("", description="The place in it.")
    says: Text = Field("", description="What it says, in your own words.")
    url: Text = Field("", description="Where it can be read.")


def _turn(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        hint = f"actors who choose at the same time: `{{who: [{', '.join(value)}]}}`"
        raise wrong("should be an actor or a mapping, not a list", hint)
    return {"who": value} if isinstance(value, str) else value


def _policy(value: Any) -> Any:
    return {"terms": value} if isinstance(value, list) else value


Turn = Annotated[TurnPart, BeforeValidator(_turn, json_schema_input_type=Text | TurnPart)]
Policy = Annotated[
    PolicyPart, BeforeValidator(_policy, json_schema_input_type=list[Text] | PolicyPart)
]


class File(Part):
    """A scenario file."""

    title: Line = Field(description="One line.")
    about: Text = Field("", description="What the stand-off is.")
    source: Text = Field("", description="Where the model as a whole comes from.")
    notes: list[Text] = Field([], description="Remarks.")
    calendar: CalendarPart
    actors: dict[Key, ActorPart] = Field(description="Who chooses.", min_length=1)
    state: dict[Key, VariablePart] = Field(description="The public state.")
    parameters: dict[Key, ParameterPart] = Field({}, description="Named numbers.")
    turns: list[Turn] = Field(description="The order of play in a period.", min_length=1)
    actions: dict[Key, dict[Key, ActionPart]] = Field(description="What each actor can do.")
    chance: dict[Key, EventPart] = Field({}, description="What happens by itself.")
    payoffs: dict[Key, PayoffPart] = Field(description="What each actor gets.")
    terms: dict[Key, TermPart] = Field({}, description="Announced commitments.")
    policies: dict[str, Policy] = Field({}, description="Named sets of terms.")
    policy: Text = Field("", description="The policy in force unless another is asked for.")
    announcement: AnnouncementPart | None = Field(
        None, description="Who announces one of the policies."
    )
    outcomes: dict[Key, OutcomePart] = Field({}, description="Conditions of interest.")
    correlations: list[CorrelationPart] = Field(
        [], description="Numbers that go together where they are drawn."
    )
    variants: dict[Key, VariantPart] = Field({}, description="Other forms of the model.")
    evidence: dict[
        Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"})],
        EvidencePart,
    ] = Field({}, description="Who reported what and where.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario file, for editors."""
    schema = _tidy(File.model_json_schema(mode="validation"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Detente scenario",
        **schema,
    }


def _tidy(value: Any) -> Any:
    """Drop the titles that pydantic makes of the keys, and refuse keys that are not names."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    tidy = {
        key: _tidy(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str)) and not (key == "default" and not item)
    }
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    return tidy
