"""What the entities of the language are made of: fields, each of them said once.

A class of `detente.scenario.entities` (and `Scenario` itself) is the table of what may be written:
each of its fields says how it is called in a file, the shape of its value, whether it is needed,
and what it means. From these tables come the JSON Schema (`detente.scenario.schema`), the reading
of a file with all its mistakes (`build.shapes`), the checked entities (`build.entity`), and what
`detente show` says of them (`detente.scenario.ledger`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, TypeAlias, TypeVar, dataclass_transform

from detente.errors import Place
from detente.scenario.formula.types import Slot
from detente.scenario.frozen import Frozen
from detente.scenario.scalar_types import LINE, MAPPING, NAME, Scalar, formula, formula_or_table

T = TypeVar("T")
NOWHERE = Place("")

# ---- shapes of values


@dataclass(frozen=True, slots=True)
class FormulaIn:
    """A formula in a slot of the language; as text, number or truth value.

    `tables`: a table by levels and types may stand for it. `word` may stand for it too, with a
    meaning of its own. A constant lies between `least` and `most`.
    """

    slot: Slot
    tables: bool = False
    word: str = ""
    least: float | None = None
    most: float | None = None

    def check(self, value: Any) -> Any:
        """What is read of a value, whose text is read later on."""
        return formula_or_table(value) if self.tables else formula(value)


@dataclass(frozen=True, slots=True)
class AllOf:
    """A condition, or a list of conditions that are one together."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of an entry of a section."""

    section: str

    def check(self, value: Any) -> Any:
        """What is read of a value, which is looked up later on."""
        return LINE.check(value)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of at least `least` items, which differ if they are `distinct`.

    One alone may stand for a list of it if `single`.
    """

    item: Shape
    single: bool = False
    least: int = 0
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """At least `least` items by name; one alone, under the name '', if `single`.

    If `alone`, a list of names may stand for it: nothing is said of any of them. The names follow
    the pattern `names`, which is for editors: '' where any line of text is one.
    """

    item: Shape
    single: bool = False
    least: int = 0
    names: str = f"^{NAME}$"
    alone: bool = False


@dataclass(frozen=True, slots=True)
class TableOf:
    """Items by name, or such tables again: how deep, and which names, is for the entity to say."""

    item: Shape

    def check(self, value: Any) -> Any:
        """What is read of a value, whose items are read later on."""
        return MAPPING.check(value)


@dataclass(frozen=True, slots=True)
class EntityOf:
    """An entity, for the JSON Schema the definition `part`.

    A bare value of type `short` stands for one with the single key `key`.
    """

    entity: type
    short: type | None = None
    key: str = ""
    part: str = ""


Shape: TypeAlias = "Scalar | FormulaIn | AllOf | Reference | ListOf | MapOf | TableOf | EntityOf"

# ---- entities and their fields


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be said of an entity.

    shape, words
        What its value looks like, and what it means.
    key, attribute
        How it is called in a file and in Python.
    default
        What is taken where nothing is said, as it would be written; None where that is nothing.
    needed
        Whether a file has to say it.
    empty
        Whether nothing may stand behind the key, as if it had been left out.
    vital
        Whether an entity in which it is wrong is given up: without it, mistakes would be seen that
        are none.
    stand_in
        What is taken for a needed value that is wrong or missing, which is reported, so that the
        rest of the entity is checked. None where there is nothing to take.
    """

    shape: Shape
    words: str = ""
    key: str = ""
    default: Any = None
    empty: bool = False
    vital: bool = False
    stand_in: Any = None
    needed: bool = True
    attribute: str = ""


def field(
    shape: Shape, words: str = "", *, default: Any = MISSING, written: Any = None, **said: Any
) -> Any:
    """A field of an entity, of which `said` says what `Field` has room for.

    `default` is the entity's own; `written` is one as a file has it, to be read like what stands
    there.
    """
    needed = written is None and default is MISSING
    own = None if default is MISSING else default
    made = Field(shape, words, default=written or own, needed=needed, **said)
    return dataclasses.field(default=default, metadata={"field": made})


def _named(attribute: str, made: Field) -> Field:
    return dataclasses.replace(made, key=made.key or attribute, attribute=attribute)


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(field, dataclasses.field)
)
def entity(cls: type[T]) -> type[T]:
    """A frozen dataclass, whose fields can be said in a file; its first line says what it is."""
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    said = [a for a in dataclasses.fields(made) if a.metadata]  # type: ignore[arg-type]
    fields = [_named(a.name, a.metadata["field"]) for a in said]
    FIELDS[made] = Frozen({named.key: named for named in fields})
    return made


FIELDS: dict[type, Mapping[str, Field]] = {}
"""By entity, its fields by the keys that they have in a file."""


def fields_of(cls: type) -> Mapping[str, Field]:
    """The fields of an entity, by the keys that they have in a file."""
    return FIELDS[cls]


@entity
class Entry:
    """An entry of a file: its key, '' for an item of a list, and the place of that key or item."""

    key: str = ""
    place: Place = NOWHERE


def within(value: Any, kind: type[T]) -> Iterator[T]:
    """All values of a kind in an entity or a scenario, in the order of fields."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, Frozen | dict | tuple):
        for item in value if isinstance(value, tuple) else value.values():
            yield from within(item, kind)
    elif dataclasses.is_dataclass(value) and not isinstance(value, Place):
        for attribute in dataclasses.fields(value):
            yield from within(getattr(value, attribute.name), kind)
