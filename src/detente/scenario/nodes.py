"""The tree of a formula, its evaluation over arrays, and its derivatives.

Evaluation carries two arrays: the values, and where they are at fault. A fault in the branch of
a choice that is not taken, or to the right of an `and` or `or` that is decided already, is
dropped; that is why faults are carried along instead of being left to inf and nan. Faults are
codes (`SOUND`, `ZERO`, `INFINITE`) in an array that broadcasts with the values.

Differentiation (`Node.dual`) carries two arrays as well: the values, and their slopes, which are
the derivatives by one name. It is forward differentiation with dual numbers. A formula in pieces
has the slope of the piece that is evaluated, and where two pieces meet that of the first operand:
of `x` in `min(x, y)`, `max(x, y)` and `clip(x, low, high)`, of +x in `abs(x)`. Conditions, `floor`
and `//` have slope 0. What `evaluate` finds at fault may be anything here; a choice drops it
where it is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[Any]
Faults = NDArray[np.uint8]
Names = Mapping[str, ArrayLike]
Dual = tuple[Values, Values]

SOUND, ZERO, INFINITE = 0, 1, 2
NO_FAULT: Faults = np.zeros((), np.uint8)
FLAT: Values = np.zeros(())  # the slope of what does not depend on the name: this very array


class Node(Protocol):
    """A part of a formula."""

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        """The values (float64 or bool) and their faults."""

    def dual(self, names: Names, by: str) -> Dual:
        """The values and their slopes: derivatives by the name `by`, which broadcast with them."""


class _Flat:
    """A part that has slope 0 wherever it has one: a constant or a condition."""

    __slots__ = ()

    def dual(self: Node, names: Names, by: str) -> Dual:
        return self.evaluate(names)[0], FLAT


def _first(one: Faults, other: Faults) -> Faults:
    """The faults of `one`, and where it has none those of `other`."""
    if not one.any():
        return other
    return np.where(one != SOUND, one, other) if other.any() else one


def _mark(where: Values, fault: int) -> Faults:
    return np.where(where, np.uint8(fault), np.uint8(SOUND)) if np.any(where) else NO_FAULT


def _finite(values: Values) -> tuple[Values, Faults]:
    """Replace what is not finite by 0, and mark it."""
    wrong = ~np.isfinite(values)
    faults = _mark(wrong, INFINITE)
    return (np.where(wrong, 0.0, values), faults) if faults.any() else (values, faults)


def _number(node: Node, names: Names) -> tuple[Values, Faults]:
    """A node's values as numbers: a condition counts 1 or 0."""
    values, faults = node.evaluate(names)
    return np.asarray(values, np.float64), faults


def _dual(node: Node, names: Names, by: str) -> Dual:
    """The same for a node's values with their slopes."""
    values, slopes = node.dual(names, by)
    return np.asarray(values, np.float64), slopes


@dataclass(frozen=True, slots=True)
class Constant(_Flat):
    """A number, a truth value, or the index of a level or type that was written by name."""

    value: float | bool

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        return np.asarray(self.value), NO_FAULT


@dataclass(frozen=True, slots=True)
class Name:
    """A state variable, a parameter, an actor's true type, or a name of the calendar."""

    key: str

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        return _finite(np.asarray(names[self.key], np.float64))

    def dual(self, names: Names, by: str) -> Dual:
        return np.asarray(names[self.key], np.float64), np.ones(()) if self.key == by else FLAT


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`first`, then one operation after the other on the result so far: `a - b * c` is two.

    A long sum is one node with many steps, so that its depth is 1.
    """

    first: Node
    steps: tuple[tuple[str, Node], ...]

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        left, faults = _number(self.first, names)
        for operator, node in self.steps:
            right, more = _number(node, names)
            left, fault = _operate(operator, left, right)
            faults = _first(_first(faults, more), fault)
        return left, faults

    def dual(self, names: Names, by: str) -> Dual:
        left, slopes = _dual(self.first, names, by)
        for operator, node in self.steps:
            right, more = _dual(node, names, by)
            values = OPERATIONS[operator](left, right)
            if slopes is not FLAT or more is not FLAT:
                slopes = SLOPES[operator](left, right, values, slopes, more)
            left = values
        return left, slopes


OPERATIONS: dict[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "//": np.floor_divide,
    "%": np.mod,
    "**": np.power,
}


def _operate(operator: str, left: Values, right: Values) -> tuple[Values, Faults]:
    faults = NO_FAULT
    if operator in ("/", "//", "%"):
        zero = right == 0
        faults = _mark(zero, ZERO)
        right = np.where(zero, 1.0, right)
    elif operator == "**":
        zero = (left == 0) & (right < 0)
        faults = _mark(zero, ZERO)
        left = np.where(zero, 1.0, left)
    values, overflow = _finite(OPERATIONS[operator](left, right))
    return values, _first(faults, overflow)


def _times(slopes: Values, factor: Values) -> Values:
    """The product, in which 0 wins against inf and nan: what does not move has slope 0."""
    if slopes is FLAT:
        return FLAT
    product: Values = np.multiply(slopes, factor)
    if np.isnan(product).any():
        product = np.where((slopes == 0) | (factor == 0), 0.0, product)
    return product


def _power(left: Values, right: Values, values: Values, one: Values, other: Values) -> Values:
    by_base = _times(one, _times(right, left ** (right - 1.0)))
    return by_base + _times(other, _times(values, np.log(left)))


# The slopes of `left operator right`, from both, the values of the operation, and both slopes.
SLOPES: dict[str, Callable[[Values, Values, Values, Values, Values], Values]] = {
    "+": lambda left, right, values, one, other: one + other,
    "-": lambda left, right, values, one, other: one - other,
    "*": lambda left, right, values, one, other: _times(one, right) + _times(other, left),
    "/": lambda left, right, values, one, other: (one - _times(other, values)) / right,
    "//": lambda left, right, values, one, other: FLAT,
    "%": lambda left, right, values, one, other: one - _times(other, left // right),
    "**": _power,
}


@dataclass(frozen=True, slots=True)
class Negative:
    """`-operand`."""

    operand: Node

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        values, faults = _number(self.operand, names)
        return -values, faults

    def dual(self, names: Names, by: str) -> Dual:
        return _minus(_dual(self.operand, names, by))


def _minus(one: Dual) -> Dual:
    values, slopes = one
    return -values, FLAT if slopes is FLAT else -slopes


COMPARISONS: dict[str, Callable[[Values, Values], Values]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True, slots=True)
class Comparison(_Flat):
    """`first < second < third`: each operand is evaluated once, and only while all hold."""

    first: Node
    steps: tuple[tuple[str, Node], ...]

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        left, faults = self.first.evaluate(names)
        holds: Values = np.asarray(True)
        for operator, node in self.steps:
            right, more = node.evaluate(names)
            faults = _first(faults, _only(holds, more))
            holds = holds & COMPARISONS[operator](left, right)
            left = right
        return holds, faults


@dataclass(frozen=True, slots=True)
class Membership(_Flat):
    """`item in (a, b)`."""

    item: Node
    members: tuple[Node, ...]

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        item, faults = self.item.evaluate(names)
        found: Values = np.asarray(False)
        for node in self.members:
            member, more = node.evaluate(names)
            faults = _first(faults, _only(~found, more))
            found = found | (item == member)
        return found, faults


@dataclass(frozen=True, slots=True)
class Not(_Flat):
    """`not operand`."""

    operand: Node

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        values, faults = self.operand.evaluate(names)
        return np.logical_not(values), faults


@dataclass(frozen=True, slots=True)
class Junction(_Flat):
    """`a and b and c` (where `every`), or `a or b or c`."""

    every: bool
    operands: tuple[Node, ...]

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        values, faults = self.operands[0].evaluate(names)
        for node in self.operands[1:]:
            right, more = node.evaluate(names)
            open_ = values if self.every else ~values
            faults = _first(faults, _only(open_, more))
            values = values & right if self.every else values | right
        return values, faults


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        holds, faults = self.condition.evaluate(names)
        yes, yes_faults = self.then.evaluate(names)
        no, no_faults = self.otherwise.evaluate(names)
        if yes_faults.any() or no_faults.any():
            faults = _first(faults, np.where(holds, yes_faults, no_faults))
        return np.where(holds, yes, no), faults

    def dual(self, names: Names, by: str) -> Dual:
        holds, _ = self.condition.evaluate(names)
        return _pick(holds, self.then.dual(names, by), self.otherwise.dual(names, by))


def _pick(where: Values, one: Dual, other: Dual) -> Dual:
    """`one` where `where` holds, elsewhere the other: its values with its slopes."""
    values = np.where(where, one[0], other[0])
    if one[1] is FLAT and other[1] is FLAT:
        return values, FLAT
    return values, np.where(where, one[1], other[1])


def _only(where: Values, faults: Faults) -> Faults:
    """The faults that count: those where `where` holds."""
    return np.where(where, faults, np.uint8(SOUND)) if faults.any() else faults


def _clip(x: Values, low: Values, high: Values) -> Values:
    return np.minimum(np.maximum(x, low), high)


# Each function with the least and the largest number of its arguments (None: any number).
FUNCTIONS: dict[str, tuple[Callable[..., Values], int, int | None]] = {
    "min": (lambda *values: _reduce(np.minimum, values), 2, None),
    "max": (lambda *values: _reduce(np.maximum, values), 2, None),
    "clip": (_clip, 3, 3),
    "abs": (np.abs, 1, 1),
    "exp": (np.exp, 1, 1),
    "log": (np.log, 1, 1),
    "sqrt": (np.sqrt, 1, 1),
    "floor": (np.floor, 1, 1),
}


def _reduce(function: np.ufunc, values: tuple[Values, ...]) -> Values:
    result = values[0]
    for value in values[1:]:
        result = function(result, value)
    return result


def _smaller(one: Dual, other: Dual) -> Dual:
    return _pick(one[0] <= other[0], one, other)


def _larger(one: Dual, other: Dual) -> Dual:
    return _pick(one[0] >= other[0], one, other)


# The functions on values with slopes.
DUALS: dict[str, Callable[..., Dual]] = {
    "min": lambda *parts: reduce(_smaller, parts),
    "max": lambda *parts: reduce(_larger, parts),
    "clip": lambda x, low, high: _smaller(_larger(x, low), high),
    "abs": lambda x: _larger(x, _minus(x)),
    "exp": lambda x: (np.exp(x[0]), _times(x[1], np.exp(x[0]))),
    "log": lambda x: (np.log(x[0]), _times(x[1], 1.0 / x[0])),
    "sqrt": lambda x: (np.sqrt(x[0]), _times(x[1], 0.5 / np.sqrt(x[0]))),
    "floor": lambda x: (np.floor(x[0]), FLAT),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One of `FUNCTIONS` with its arguments."""

    function: str
    arguments: tuple[Node, ...]

    def evaluate(self, names: Names) -> tuple[Values, Faults]:
        faults = NO_FAULT
        arguments = []
        for node in self.arguments:
            values, more = _number(node, names)
            arguments.append(values)
            faults = _first(faults, more)
        values, wrong = _finite(FUNCTIONS[self.function][0](*arguments))
        return values, _first(faults, wrong)

    def dual(self, names: Names, by: str) -> Dual:
        return DUALS[self.function](*(_dual(node, names, by) for node in self.arguments))
