"""From Python's syntax tree of a formula to our own, with names resolved and types checked.

Names of levels and types mean something only beside the variable or actor they belong to:
`talks >= contact`. So the type that is wanted is handed down the tree, and where two operands
meet, the one whose type is plain (`plain_type`) tells what the other's names mean.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from detente.scenario.formula import evaluate as nodes
from detente.scenario.formula import tokens, types
from detente.scenario.formula.types import (
    CONDITION,
    DATE,
    NUMBER,
    UNKNOWN,
    Base,
    Scope,
    Slot,
    ValueType,
)
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.slips import comma_within

LONGEST_SHOWN = 40
INSTEAD = {
    "if": "a choice is written `a if condition else b`",
    "and": "write `a and b`",
    "or": "write `a or b`",
    "not": "write `not a`",
}
"""How what spreadsheets have functions for is written here."""
LEVELS = (Base.LEVEL, Base.UNKNOWN)
BY_ROUND = "compare `t` with the number of a round, as in t >= 3"


@dataclass(frozen=True, slots=True)
class Typed:
    """A translated part with its type."""

    node: nodes.Node
    type: ValueType


BROKEN = Typed(nodes.Constant(0.0), UNKNOWN)


@dataclass(slots=True)
class Translator:
    """Translates one formula. `report` takes (position, code, message, hint)."""

    text: str
    scope: Scope
    slot: Slot
    report: Callable[[int, str, str, str], None]
    used: set[str] = field(default_factory=set)
    actors: set[str] = field(default_factory=set)
    decimals: bool = False

    def whole(self, tree: ast.expr) -> Typed:
        """The formula itself, checked against the type its place wants."""
        return self.fit(self.part(tree, self.slot.wanted), tree, self.slot.wanted)

    def part(self, tree: ast.expr, wanted: ValueType | None = None) -> Typed:
        """Any part of a formula; `wanted` says what bare names of levels and types mean."""
        match tree:
            case ast.Name(id=key) if types.BLANK.fullmatch(key):
                return self.date(tree)
            case ast.Constant() if wanted == DATE:
                return self.date(tree)
            case ast.Constant():
                return self.constant(tree)
            case ast.Name():
                return self.name(tree, wanted)
            case ast.BinOp():
                return self.arithmetic(tree, wanted)
            case ast.UnaryOp():
                return self.unary(tree)
            case ast.BoolOp():
                parts = tuple(self.condition(value) for value in tree.values)
                return Typed(nodes.Junction(isinstance(tree.op, ast.And), parts), CONDITION)
            case ast.Compare():
                return self.comparison(tree)
            case ast.IfExp():
                return self.choice(tree, wanted)
            case ast.Call():
                return self.call(tree, wanted)
            case ast.Tuple():
                message = "a list in parentheses can stand only after `in`"
                return self.wrong(tree, "formula", message, comma_within(self.source(tree)))
        return self.wrong(tree, "formula", "this has no meaning in a formula")

    def wrong(self, tree: ast.expr, code: str, message: str, hint: str = "") -> Typed:
        """Report a mistake, and give a part about which nothing more is reported."""
        self.report(tree.col_offset, code, message, hint)
        return BROKEN

    def source(self, tree: ast.expr) -> str:
        """The text of a part, cut where it is long."""
        text = self.text[tree.col_offset : tree.end_col_offset]
        return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."

    # ---- leaves

    def constant(self, tree: ast.Constant) -> Typed:
        self.decimals |= isinstance(tree.value, float)
        try:
            value = float(tree.value)  # type: ignore[arg-type]
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            return self.wrong(tree, "not-finite", f"`{self.source(tree)}` is not a finite number")
        return Typed(nodes.Constant(value), NUMBER)

    def name(self, tree: ast.Name, wanted: ValueType | None) -> Typed:
        key = tree.id
        members = self.scope.members(wanted)
        if key in members:
            return Typed(nodes.Constant(float(members.index(key))), wanted or UNKNOWN)
        if key in types.TRUTH:
            return Typed(nodes.Constant(types.TRUTH[key]), CONDITION)
        if key in types.CALENDAR:
            return self.calendar(tree)
        if key in self.scope.variables:
            return self.variable(tree)
        if key in self.scope.parameters:
            return self.parameter(tree)
        if key in self.scope.covariates:
            self.used.add(key)
            return Typed(nodes.Name(key), NUMBER)
        if key in self.scope.actors:
            return self.actor(tree)
        return self.unknown(tree, wanted)

    def calendar(self, tree: ast.Name) -> Typed:
        if not self.slot.state:
            return self.wrong(tree, "scope", f"{self.slot.what} may not depend on `{tree.id}`")
        if tree.id in types.DATED_CALENDAR and not self.scope.dated:
            dates = "give `calendar` a `start` and a `period` other than `round`"
            hint = BY_ROUND if tree.id == "date" else dates
            return self.wrong(tree, "scope", f"`{tree.id}` needs a dated calendar", hint)
        self.used.add(tree.id)
        return Typed(nodes.Name(tree.id), DATE if tree.id == "date" else NUMBER)

    def date(self, tree: ast.expr) -> Typed:
        """A date as written: the number of the period in which it lies."""
        text, calendar = self.source(tree), self.scope.calendar
        if calendar is None:
            return BROKEN  # the calendar cannot be read, and that is reported
        if calendar.start is None:
            if tokens.reads_date(self.text):
                return BROKEN  # reported at `date`
            return self.wrong(tree, "scope", f"`{text}` is a date; rounds have none", BY_ROUND)
        period = calendar.number(text)
        if period is not None:
            return Typed(nodes.Constant(float(period)), DATE)
        hint = f"write it as {'2018, ' * (calendar.unit == 'year')}2018-02 or 2018-02-15"
        return self.wrong(tree, "calendar", f"`{text}` is not a date", hint)

    def variable(self, tree: ast.Name) -> Typed:
        if not self.slot.state:
            message = f"{self.slot.what} may not depend on the state, as `{tree.id}` does"
            return self.wrong(tree, "scope", message, "it may use parameters")
        self.used.add(tree.id)
        return Typed(nodes.Name(tree.id), self.scope.level(tree.id))

    def parameter(self, tree: ast.Name) -> Typed:
        owner = self.scope.parameters[tree.id]
        self.used.add(tree.id)
        if owner and not self.slot.types:
            message = f"`{tree.id}` varies by the private type of {owner}"
            return self.private(tree, message)
        if owner:
            self.actors.add(owner)
        return Typed(nodes.Name(tree.id), NUMBER)

    def actor(self, tree: ast.Name) -> Typed:
        if not self.slot.types:
            return self.private(tree, f"`{tree.id}` stands for the actor's private type")
        own = self.scope.actors[tree.id]
        if own is None:
            return BROKEN
        if not own:
            return self.wrong(tree, "wrong-type", f"`{tree.id}` has no private types")
        self.actors.add(tree.id)
        return Typed(nodes.Name(tree.id), ValueType(Base.TYPE, tree.id))

    def private(self, tree: ast.Name, message: str) -> Typed:
        reason = f"{message}, and {self.slot.what} may not depend on it"
        if not self.slot.state:
            return self.wrong(tree, "type-dependence", reason, "use a parameter with one value")
        if self.slot.what != types.SEEN:
            return self.wrong(tree, "type-dependence", reason)
        own = self.scope.actors.get(tree.id)
        cost = f"1 if {tree.id} == {own[0]} else 0" if own else tree.id
        hint = (
            f"a type shows only in what its actor chooses: let that depend on it by `cost: {cost}` "
            "or by payoffs, or let an action set a variable that stands here"
        )
        return self.wrong(tree, "type-dependence", reason, hint)

    def unknown(self, tree: ast.Name, wanted: ValueType | None) -> Typed:
        if self.scope.partial or wanted == UNKNOWN:
            return BROKEN
        key = tree.id
        if key in nodes.FUNCTIONS or key == "rank":
            return self.wrong(tree, "wrong-type", f"`{key}` is a function", f"write {key}(...)")
        if key.lower() in types.TRUTH:
            hint = f"write `{key.lower()}`"
            return self.wrong(tree, "unknown-name", f"`{key}` is not known", hint)
        members = self.scope.members(wanted)
        if members and wanted:
            message = f"`{key}` is not {wanted.base.value} of {wanted.of}"
            return self.wrong(tree, wanted.base.name.lower(), message, did_you_mean(key, members))
        for owner in self.scope.owners(key)[:1]:
            hint = f"compare it, as in {owner.of} == {key}"
            message = f"`{key}` alone is no number: it is {owner.base.value} of {owner.of}"
            return self.wrong(tree, owner.base.name.lower(), message, hint)
        return self.wrong(tree, "unknown-name", f"`{key}` is not known", self.near(key))

    def near(self, key: str) -> str:
        """A hint at the names that could have been meant here."""
        scope, slot = self.scope, self.slot
        known = types.usable([*scope.parameters, *scope.covariates])
        if slot.state:
            known += types.usable(scope.variables)
        if slot.state and not scope.forever:
            known += ["t", "last", *(types.DATED_CALENDAR if scope.dated else ())]
        if slot.types:
            known += types.usable(scope.actors)
        return did_you_mean(key, known)

    # ---- operators

    def arithmetic(self, tree: ast.BinOp, wanted: ValueType | None) -> Typed:
        first, steps = types.spine(tree)
        common = (
            wanted if wanted and wanted.base is Base.LEVEL else types.plain_type(tree, self.scope)
        )
        left = self.part(first, common)
        done: list[tuple[str, nodes.Node]] = []
        for operator, operand in steps:
            right = self.part(operand)
            if left.type.base is not Base.LEVEL or operator not in ("+", "-"):
                left = self.fit(left, first, NUMBER)
            elif isinstance(right.node, nodes.Constant) and right.node.value % 1:
                right = self.wrong(operand, "level", "a level moves by whole numbers only")
            right = self.fit(right, operand, NUMBER)
            left = Typed(left.node, UNKNOWN if right.type == UNKNOWN else left.type)
            done.append((operator, right.node))
        return Typed(nodes.Arithmetic(left.node, tuple(done)), left.type)

    def unary(self, tree: ast.UnaryOp) -> Typed:
        if isinstance(tree.op, ast.Not):
            return Typed(nodes.Not(self.condition(tree.operand)), CONDITION)
        operand = self.fit(self.part(tree.operand), tree.operand, NUMBER)
        if isinstance(tree.op, ast.UAdd):
            return operand
        return Typed(nodes.Negative(operand.node), operand.type)

    def comparison(self, tree: ast.Compare) -> Typed:
        if any(isinstance(op, ast.In | ast.NotIn) for op in tree.ops):
            return self.membership(tree)
        parts = self.alike([tree.left, *tree.comparators])
        steps = []
        for op, part in zip(tree.ops, parts[1:], strict=True):
            sign = types.OPERATORS[type(op)]
            if part.type.base is Base.TYPE and sign not in ("==", "!="):
                self.wrong(tree, "wrong-type", "types have no order; use `==` or `!=`")
            steps.append((sign, part.node))
        return Typed(nodes.Compare(parts[0].node, tuple(steps)), CONDITION)

    def membership(self, tree: ast.Compare) -> Typed:
        members = tree.comparators[0]
        if len(tree.ops) > 1:
            return self.wrong(tree, "formula", "`in` cannot be chained with other comparisons")
        if not isinstance(members, ast.Tuple) or not members.elts:
            hint = "as in month in (3, 8); for a single one write =="
            return self.wrong(members, "formula", "after `in` comes a list in parentheses", hint)
        item, *others = self.alike([tree.left, *members.elts])
        inside = nodes.Membership(item.node, tuple(other.node for other in others))
        outside = isinstance(tree.ops[0], ast.NotIn)
        return Typed(nodes.Not(inside) if outside else inside, CONDITION)

    def choice(self, tree: ast.IfExp, wanted: ValueType | None) -> Typed:
        then, otherwise = self.alike([tree.body, tree.orelse], wanted)
        condition = self.condition(tree.test)
        return Typed(nodes.Conditional(condition, then.node, otherwise.node), then.type)

    # ---- functions

    def call(self, tree: ast.Call, wanted: ValueType | None) -> Typed:
        function = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if function == "rank" and not tree.keywords:
            return self.rank(tree)
        if function == "move" and not tree.keywords:
            return self.move(tree)
        if function not in nodes.FUNCTIONS:
            message = f"`{self.source(tree.func)}` is not a function"
            if function.lower() in INSTEAD:
                return self.wrong(tree, "unknown-name", message, INSTEAD[function.lower()])
            hint = did_you_mean(function, [*nodes.FUNCTIONS, "rank"])
            return self.wrong(tree, "unknown-name", message, hint)
        _, _, least, most = nodes.FUNCTIONS[function]
        count = len(tree.args)
        if tree.keywords or count < least or (most is not None and count > most):
            numbers = f"{least} or more arguments" if most is None else _arguments(least)
            hint = comma_within(self.source(tree))
            return self.wrong(tree, "formula", f"`{function}` takes {numbers}", hint)
        # Numbers, or where the function can take them levels of one variable.
        alike = function in types.ALIKE
        parts = self.alike(tree.args, wanted) if alike else [self.part(x) for x in tree.args]
        if not alike or any(part.type.base not in LEVELS for part in parts):
            parts = [self.fit(p, x, NUMBER) for p, x in zip(parts, tree.args, strict=True)]
        given = UNKNOWN if any(part.type == UNKNOWN for part in parts) else parts[0].type
        return Typed(nodes.Call(function, tuple(part.node for part in parts)), given)

    def rank(self, tree: ast.Call) -> Typed:
        if len(tree.args) != 1:
            return self.wrong(tree, "formula", f"`rank` takes {_arguments(1)}")
        argument = tree.args[0]
        part = self.part(argument)
        if part.type.base not in LEVELS:
            text = self.source(argument)
            message = f"`rank` takes a variable with named levels; `{text}` is not one"
            return self.wrong(tree, "wrong-type", message)
        return Typed(part.node, NUMBER)

    def move(self, tree: ast.Call) -> Typed:
        """What an actor does in the turn: a level, whose names are those of its actions."""
        match tree.args:
            case [ast.Name(id=actor)] if types.move_of(actor) in self.scope.variables:
                self.used.add(types.move_of(actor))
                key = types.move_of(actor)
                return Typed(nodes.Name(key), self.scope.level(key))
        if self.scope.partial:
            return BROKEN
        moves = [key for key in self.scope.variables if key.startswith("move(")]
        message = f"`{self.source(tree)}` is no move of this turn"
        if not moves:
            hint = "say what moves do together under `joint` of a turn in which several choose"
            message = f"{self.slot.what} may not depend on what is done in the turn"
            return self.wrong(tree, "scope", message, hint)
        return self.wrong(tree, "unknown-name", message, f"there is {listing(moves)}")

    # ---- types

    def alike(self, trees: Sequence[ast.expr], wanted: ValueType | None = None) -> list[Typed]:
        """Parts that must be of one type: all numbers, or all levels or types of one owner."""
        common = wanted if wanted and wanted.base in (Base.LEVEL, Base.TYPE) else None
        plain = (types.plain_type(tree, self.scope) for tree in trees)
        common = common or next(filter(None, plain), None)
        parts = [self.part(tree, common) for tree in trees]
        if common is None:
            common = NUMBER if any(part.type != CONDITION for part in parts) else CONDITION
        return [self.fit(part, tree, common) for part, tree in zip(parts, trees, strict=True)]

    def condition(self, tree: ast.expr) -> nodes.Node:
        return self.fit(self.part(tree), tree, CONDITION).node

    def fit(self, part: Typed, tree: ast.expr, wanted: ValueType) -> Typed:
        """`part` as `wanted`; a mistake is reported where it is something else."""
        if wanted in (part.type, UNKNOWN) or part.type == UNKNOWN:
            return part
        if (wanted, part.type) == (NUMBER, CONDITION):
            return Typed(part.node, NUMBER)
        reason = types.misfit(self.source(tree), part.type, wanted, self.scope)
        return self.wrong(tree, "wrong-type", *reason)


def _arguments(count: int) -> str:
    return "one argument" if count == 1 else f"{count} arguments"
