"""What a formula may use at the place where it stands, and what it has to give."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from detente.scenario.calendar import Calendar
from detente.scenario.nodes import FUNCTIONS


class Kind(Enum):
    """What a formula gives. The value is how messages call it."""

    NUMBER = "a number"
    CONDITION = "a condition"
    LEVEL = "a level"
    TYPE = "a type"
    DATE = "a date"
    UNKNOWN = "unknown"  # something is wrong with it, which has been told already


@dataclass(frozen=True, slots=True)
class Sort:
    """A kind; for levels with the variable, for types with the actor, that they are of."""

    kind: Kind
    of: str = ""


NUMBER = Sort(Kind.NUMBER)
CONDITION = Sort(Kind.CONDITION)
DATE = Sort(Kind.DATE)
UNKNOWN = Sort(Kind.UNKNOWN)

PLAIN_CALENDAR = frozenset({"t", "last"})
DATED_CALENDAR = frozenset({"month", "year", "date"})
CALENDAR = PLAIN_CALENDAR | DATED_CALENDAR

SEEN = "what all can see"  # what messages call a place that may not depend on types

WORDS = frozenset({"and", "or", "not", "if", "else", "in"})
TRUTH = {"true": True, "false": False}
# Names that formulas or other places of the file give a meaning; Python's own words, because
# formulas are read by Python's parser.
RESERVED = (WORDS | set(TRUTH) | CALENDAR | set(FUNCTIONS) | {"rank", "rest", "chance"}).union(
    keyword.kwlist
)


def usable(names: Iterable[str]) -> list[str]:
    """Those of the names of a file that may be names: what is refused is no suggestion."""
    return [
        name
        for name in names
        if name.isascii() and name.isidentifier() and name[0] != "_" and name not in RESERVED
    ]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of a scenario, and which of them a place may use.

    `variables` gives the level names of each state variable (none where levels are numbers),
    `actors` the types of each actor; None stands for an entry that could not be read.
    `parameters` gives the actor with whose type the parameter varies, or ''. Where `partial`,
    there may be names that are not listed, so that unknown ones pass without a message. Where
    play goes on `forever`, the calendar is not for formulas.
    `calendar` gives dates their periods; None where it cannot be read, which has been told.
    `what` names the place in messages.
    """

    variables: Mapping[str, tuple[str, ...] | None]
    actors: Mapping[str, tuple[str, ...] | None]
    parameters: Mapping[str, str]
    dated: bool = False
    calendar: Calendar | None = None
    forever: bool = False
    partial: bool = False
    wanted: Sort = NUMBER
    state: bool = True
    types: bool = True
    what: str = "this formula"

    def at(self, what: str, wanted: Sort, *, state: bool, types: bool) -> Scope:
        """The same names, seen from another place."""
        return replace(self, what=what, wanted=wanted, state=state, types=types)

    def level(self, variable: str) -> Sort:
        """The sort of a state variable."""
        names = self.variables[variable]
        if names is None:
            return UNKNOWN
        return Sort(Kind.LEVEL, variable) if names else NUMBER

    def members(self, sort: Sort) -> tuple[str, ...]:
        """The names that stand for values of `sort`: level names, or type names."""
        table = {Kind.LEVEL: self.variables, Kind.TYPE: self.actors}.get(sort.kind, {})
        return table.get(sort.of) or ()

    def owners(self, name: str) -> list[Sort]:
        """The variables and actors that have a level or type called `name`."""
        levels = [
            Sort(Kind.LEVEL, key) for key, names in self.variables.items() if name in (names or ())
        ]
        types = [
            Sort(Kind.TYPE, key) for key, names in self.actors.items() if name in (names or ())
        ]
        return levels + types
