"""What a formula gives, what its place wants of it, and which names it may use there."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from detente.scenario.calendar import Calendar
from detente.scenario.formula.evaluate import FUNCTIONS
from detente.scenario.hints import listing


class Base(Enum):
    """What kinds of values there are. The value is how messages call one."""

    NUMBER = "a number"
    CONDITION = "a condition"
    LEVEL = "a level"
    TYPE = "a type"
    DATE = "a date"
    UNKNOWN = "unknown"  # something is wrong with it, which has been reported already


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a formula gives; for levels with the variable, for types with the actor they are of."""

    base: Base
    of: str = ""


NUMBER = ValueType(Base.NUMBER)
CONDITION = ValueType(Base.CONDITION)
DATE = ValueType(Base.DATE)
UNKNOWN = ValueType(Base.UNKNOWN)

DATED_CALENDAR = ("month", "year", "date")
CALENDAR = frozenset({"t", "last", *DATED_CALENDAR})
WORDS = frozenset({"and", "or", "not", "if", "else", "in"})
TRUTH = {"true": True, "false": False}
# Names that formulas or other places of the file give a meaning; Python's own words, because
# formulas are read by Python's parser.
RESERVED = (WORDS | set(TRUTH) | CALENDAR | set(FUNCTIONS) | {"rank", "rest", "chance"}).union(
    keyword.kwlist
)
BLANK = re.compile("_{6,10}")
"""What stands for a date while Python's parser, which has none, reads the formula."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of the language that holds a formula: what is wanted there, and what it may use.

    `state` and `types` say whether it may depend on the state with the calendar, and on the private
    types of actors; `what` is how messages call the place.
    """

    what: str
    wanted: ValueType
    state: bool
    types: bool


SEEN = "what all can see"
CONSTANT = Slot("a constant", NUMBER, state=False, types=False)
PUBLIC_CONDITION = Slot(SEEN, CONDITION, state=True, types=False)
PUBLIC_NUMBER = Slot(SEEN, NUMBER, state=True, types=False)
CHANCE_NUMBER = Slot("the probability of an event", NUMBER, state=True, types=True)
PRIVATE_NUMBER = Slot("this formula", NUMBER, state=True, types=True)


def move_of(actor: str) -> str:
    """What formulas over the moves of a turn call an actor's move."""
    return f"move({actor})"


def usable(names: Iterable[str]) -> list[str]:
    """Those of the names of a file that may be names: what is refused is no suggestion."""
    return [
        name
        for name in names
        if name.isascii() and name.isidentifier() and name[0] != "_" and name not in RESERVED
    ]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of a scenario that formulas may use.

    `variables` gives the level names of each state variable (none where levels are numbers),
    `actors` the types of each actor; None stands for an entry that could not be read.
    `parameters` gives the actor with whose type the parameter varies, or ''. `covariates` are
    names of numbers. Where `partial`, there may be names that are not listed, so that unknown
    ones pass without a message. Where play goes on `forever`, the calendar is not for formulas.
    `calendar` gives dates their periods; None where it cannot be read, which has been reported.
    """

    variables: Mapping[str, tuple[str, ...] | None]
    actors: Mapping[str, tuple[str, ...] | None]
    parameters: Mapping[str, str]
    dated: bool = False
    calendar: Calendar | None = None
    forever: bool = False
    partial: bool = False
    covariates: Collection[str] = ()

    def level(self, variable: str) -> ValueType:
        """The type of a state variable."""
        names = self.variables[variable]
        if names is None:
            return UNKNOWN
        return ValueType(Base.LEVEL, variable) if names else NUMBER

    def members(self, wanted: ValueType | None) -> tuple[str, ...]:
        """The names that stand for values of a type: level names, or type names."""
        if wanted is None:
            return ()
        table = {Base.LEVEL: self.variables, Base.TYPE: self.actors}.get(wanted.base, {})
        return table.get(wanted.of) or ()

    def owners(self, name: str) -> list[ValueType]:
        """The variables and actors that have a level or type called `name`."""
        return [
            ValueType(base, key)
            for base, table in ((Base.LEVEL, self.variables), (Base.TYPE, self.actors))
            for key, names in table.items()
            if name in (names or ())
        ]


OPERATORS: dict[type[ast.operator | ast.cmpop], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
# Functions whose arguments may be levels of one variable, and then give such a level.
ALIKE = ("min", "max", "clip")
AFFIRMATIVE = ("yes", "on")  # names of levels that are what a condition would ask for
MOST_RANKS = 5  # levels of which a hint says the rank


def spine(tree: ast.BinOp) -> tuple[ast.expr, list[tuple[str, ast.expr]]]:
    """Operations that are done one after the other: `a - b * c + d` is a, (-, b * c), (+, d)."""
    steps = []
    node: ast.expr = tree
    while isinstance(node, ast.BinOp):
        steps.append((OPERATORS[type(node.op)], node.right))
        node = node.left
    return node, steps[::-1]


def plain_type(tree: ast.expr, scope: Scope) -> ValueType | None:
    """The type that a part has by itself, where that is one of levels, types or dates; or None."""
    match tree:
        case ast.Name(id=key) if key == "date" or BLANK.fullmatch(key):
            return DATE
        case ast.Name(id=key) if key in scope.variables:
            level = scope.level(key)
            return None if level == NUMBER else level
        case ast.Name(id=key) if key in scope.actors:
            return UNKNOWN if scope.actors[key] is None else ValueType(Base.TYPE, key)
        case ast.BinOp():
            first, steps = spine(tree)
            return plain_type(first, scope) if {sign for sign, _ in steps} <= {"+", "-"} else None
        case ast.IfExp():
            return plain_type(tree.body, scope) or plain_type(tree.orelse, scope)
        case ast.Call(func=ast.Name(id="move"), args=[ast.Name(id=actor)]):
            return scope.level(move_of(actor)) if move_of(actor) in scope.variables else UNKNOWN
        case ast.Call(func=ast.Name(id=function)) if function in ALIKE:
            return next(filter(None, (plain_type(part, scope) for part in tree.args)), None)
    return None


def misfit(text: str, given: ValueType, wanted: ValueType, scope: Scope) -> tuple[str, str]:
    """The sentence and the hint for something of one type where another is wanted."""
    owner = f" of {wanted.of}" if wanted.of else ""
    if given.base is wanted.base:
        return f"`{text}` is {given.base.value} of {given.of}, not of {wanted.of}", ""
    message = f"`{text}` is {given.base.value}, not {wanted.base.value}{owner}"
    if wanted == DATE:
        return message, "compare `date` with a date, as in date >= 2018-02"
    if given == DATE:
        return message, "`date` is only compared with dates, as in date >= 2018-02; `t` is a number"
    if wanted.base is Base.LEVEL:
        hint = f"rank({wanted.of}) is a number; the levels are {listing(scope.members(wanted))}"
        return message, hint
    if wanted.base is Base.TYPE:
        return message, f"the types are {listing(scope.members(wanted))}"
    members = scope.members(given)
    if given.base is Base.LEVEL and wanted == NUMBER:
        return message, _as_number(text, members)
    subject = given.of if given.base is Base.TYPE else text
    example = f"{subject} == {members[0]}" if members else f"{text} >= 1"
    return message, f"compare it, as in {example}"


def _as_number(text: str, members: tuple[str, ...]) -> str:
    """The two ways in which a level counts, and what the levels are by each of them."""
    if not members:
        return f"write rank({text})"
    chosen = next((name for name in members if name in AFFIRMATIVE), members[-1])
    ranks = [f"{rank} for {name}" for rank, name in enumerate(members[:MOST_RANKS])]
    if len(members) > MOST_RANKS:
        ranks.append(f"… {len(members) - 1} for {members[-1]}")
    return (
        f"write `({text} == {chosen})`, which is 1 for {chosen} and 0 otherwise, "
        f"or `rank({text})`, which is {', '.join(ranks)}"
    )
