"""The tree of a formula, evaluated over arrays together with its derivative by one name.

Evaluation carries three arrays, which broadcast with one another: the values; their slopes, which
are the derivatives by one name (forward differentiation with dual numbers); and where the values
are at fault. A fault in the branch of a choice that is not taken, or to the right of an `and` or
`or` that is decided already, is dropped; that is why faults are carried along as codes (`SOUND`,
`ZERO`, `INFINITE`) instead of being left to inf and nan.

A formula in pieces has the slope of the piece that is evaluated, and where two pieces meet that of
the first operand: of `x` in `min(x, y)`, `max(x, y)` and `clip(x, low, high)`, of +x in `abs(x)`.
Conditions, `floor` and `//` have slope 0. At values that are at fault, slopes may be anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[Any]
Faults = NDArray[np.uint8]
Names = Mapping[str, ArrayLike]
Dual = tuple[Values, Values]
"""Values and their slopes."""

SOUND, ZERO, INFINITE = 0, 1, 2
NO_FAULT: Faults = np.zeros((), np.uint8)
FLAT: Values = np.zeros(())  # the slope of what does not depend on the name: this very array


class Evaluated(NamedTuple):
    """What a part gives: values (float64 or bool), their slopes, and their faults."""

    values: Values
    slopes: Values = FLAT
    faults: Faults = NO_FAULT


class Node(Protocol):
    """A part of a formula."""

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        """The part at these names, with the slopes by the name `by`; '' for none."""


def _first(left: Faults, right: Faults) -> Faults:
    """The faults of the left side, and where it has none those of the right."""
    if not left.any():
        return right
    return np.where(left != SOUND, left, right) if right.any() else left


def _only(where: Values, faults: Faults) -> Faults:
    """The faults that count: those where `where` holds."""
    return np.where(where, faults, np.uint8(SOUND)) if faults.any() else faults


def _mark(where: Values, fault: int) -> Faults:
    return np.where(where, np.uint8(fault), np.uint8(SOUND)) if np.any(where) else NO_FAULT


def _finite(values: Values) -> tuple[Values, Faults]:
    """Replace what is not finite by 0, and mark it."""
    wrong = ~np.isfinite(values)
    faults = _mark(wrong, INFINITE)
    return (np.where(wrong, 0.0, values), faults) if faults.any() else (values, faults)


def _number(node: Node, names: Names, by: str) -> Evaluated:
    """A part as a number: a condition counts 1 or 0."""
    values, slopes, faults = node.evaluate(names, by)
    return Evaluated(np.asarray(values, np.float64), slopes, faults)


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a truth value, or the index of a level or type that was written by name."""

    value: float | bool

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        return Evaluated(np.asarray(self.value))


@dataclass(frozen=True, slots=True)
class Name:
    """A state variable, a parameter, an actor's true type, or a name of the calendar."""

    key: str

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        values, faults = _finite(np.asarray(names[self.key], np.float64))
        return Evaluated(values, np.ones(()) if self.key == by else FLAT, faults)


# ---- arithmetic


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`first`, then one operation after the other on the result so far: `a - b * c` is two.

    A long sum is one node with many steps, so that its depth is 1.
    """

    first: Node
    steps: tuple[tuple[str, Node], ...]

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        left, slopes, faults = _number(self.first, names, by)
        for sign, node in self.steps:
            right, more, right_faults = _number(node, names, by)
            faults = _first(faults, right_faults)
            if sign in ("/", "//", "%", "**"):
                zero = (left == 0) & (right < 0) if sign == "**" else right == 0
                faults = _first(faults, _mark(zero, ZERO))
                left, right = np.where(zero, 1.0, left), np.where(zero, 1.0, right)
            values, overflow = _finite(OPERATIONS[sign].apply(left, right))
            if slopes is not FLAT or more is not FLAT:
                slopes = OPERATIONS[sign].slopes(left, right, values, slopes, more)
            left, faults = values, _first(faults, overflow)
        return Evaluated(left, slopes, faults)


def _times(slopes: Values, factor: Values) -> Values:
    """The product, in which 0 wins against inf and nan: what does not move has slope 0."""
    if slopes is FLAT:
        return FLAT
    product: Values = np.multiply(slopes, factor)
    if np.isnan(product).any():
        product = np.where((slopes == 0) | (factor == 0), 0.0, product)
    return product


def _power(left: Values, right: Values, values: Values, dleft: Values, dright: Values) -> Values:
    by_base = _times(dleft, _times(right, left ** (right - 1.0)))
    return by_base + _times(dright, _times(values, np.log(left)))


class Operation(NamedTuple):
    """An operation, and its slopes from both sides, the values, and the slopes of both sides."""

    apply: Callable[[Values, Values], Values]
    slopes: Callable[[Values, Values, Values, Values, Values], Values]


OPERATIONS = {
    "+": Operation(np.add, lambda left, right, values, dleft, dright: dleft + dright),
    "-": Operation(np.subtract, lambda left, right, values, dleft, dright: dleft - dright),
    "*": Operation(
        np.multiply,
        lambda left, right, values, dleft, dright: _times(dleft, right) + _times(dright, left),
    ),
    "/": Operation(
        np.true_divide,
        lambda left, right, values, dleft, dright: (dleft - _times(dright, values)) / right,
    ),
    "//": Operation(np.floor_divide, lambda left, right, values, dleft, dright: FLAT),
    "%": Operation(
        np.mod, lambda left, right, values, dleft, dright: dleft - _times(dright, left // right)
    ),
    "**": Operation(np.power, _power),
}


@dataclass(frozen=True, slots=True)
class Negative:
    """`-operand`."""

    operand: Node

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        values, slopes, faults = _number(self.operand, names, by)
        return Evaluated(*_minus((values, slopes)), faults)


def _minus(one: Dual) -> Dual:
    values, slopes = one
    return -values, FLAT if slopes is FLAT else -slopes


# ---- conditions, whose slope is 0


COMPARISONS: dict[str, Callable[[Values, Values], Values]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True, slots=True)
class Compare:
    """`first < second < third`: each operand is evaluated once, and only while all hold."""

    first: Node
    steps: tuple[tuple[str, Node], ...]

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        left, _, faults = self.first.evaluate(names)
        holds: Values = np.asarray(True)
        for sign, node in self.steps:
            right, _, more = node.evaluate(names)
            faults = _first(faults, _only(holds, more))
            holds = holds & COMPARISONS[sign](left, right)
            left = right
        return Evaluated(holds, FLAT, faults)


@dataclass(frozen=True, slots=True)
class Membership:
    """`item in (a, b)`."""

    item: Node
    members: tuple[Node, ...]

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        item, _, faults = self.item.evaluate(names)
        inside: Values = np.asarray(False)
        for node in self.members:
            member, _, more = node.evaluate(names)
            faults = _first(faults, _only(~inside, more))
            inside = inside | (item == member)
        return Evaluated(inside, FLAT, faults)


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: Node

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        values, _, faults = self.operand.evaluate(names)
        return Evaluated(np.logical_not(values), FLAT, faults)


@dataclass(frozen=True, slots=True)
class Junction:
    """`a and b and c` (where `every`), or `a or b or c`."""

    every: bool
    operands: tuple[Node, ...]

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        values, _, faults = self.operands[0].evaluate(names)
        for node in self.operands[1:]:
            right, _, more = node.evaluate(names)
            undecided = values if self.every else ~values
            faults = _first(faults, _only(undecided, more))
            values = values & right if self.every else values | right
        return Evaluated(values, FLAT, faults)


@dataclass(frozen=True, slots=True)
class Conditional:
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        holds, _, faults = self.condition.evaluate(names)
        yes, no = self.then.evaluate(names, by), self.otherwise.evaluate(names, by)
        if yes.faults.any() or no.faults.any():
            faults = _first(faults, np.where(holds, yes.faults, no.faults))
        return Evaluated(*_pick(holds, yes[:2], no[:2]), faults)


def _pick(where: Values, one: Dual, other: Dual) -> Dual:
    """`one` where `where` holds, elsewhere the other: its values with its slopes."""
    values = np.where(where, one[0], other[0])
    if one[1] is FLAT and other[1] is FLAT:
        return values, FLAT
    return values, np.where(where, one[1], other[1])


@dataclass(frozen=True, slots=True)
class Given:
    """`node`, where a name of its own has a value."""

    key: str
    value: float
    node: Node

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        return self.node.evaluate({**names, self.key: self.value}, by)


# ---- functions


def _smallest(*values: Values) -> Values:
    return reduce(np.minimum, values)


def _largest(*values: Values) -> Values:
    return reduce(np.maximum, values)


def _clip(x: Values, low: Values, high: Values) -> Values:
    return np.minimum(np.maximum(x, low), high)


def _smaller(one: Dual, other: Dual) -> Dual:
    return _pick(one[0] <= other[0], one, other)


def _larger(one: Dual, other: Dual) -> Dual:
    return _pick(one[0] >= other[0], one, other)


ERFC = np.vectorize(math.erfc, otypes=[np.float64])


def _normal_cdf(x: Values) -> Values:
    return np.asarray(ERFC(-x / math.sqrt(2.0)) / 2.0)


def _normal_density(x: Values) -> Values:
    return np.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi)


class Function(NamedTuple):
    """A function on values and on duals, and the least and largest number of its arguments."""

    apply: Callable[..., Values]
    dual: Callable[..., Dual]
    least: int = 1
    most: int | None = 1


FUNCTIONS = {
    "min": Function(_smallest, lambda *parts: reduce(_smaller, parts), 2, None),
    "max": Function(_largest, lambda *parts: reduce(_larger, parts), 2, None),
    "clip": Function(_clip, lambda x, low, high: _smaller(_larger(x, low), high), 3, 3),
    "abs": Function(np.abs, lambda x: _larger(x, _minus(x))),
    "exp": Function(np.exp, lambda x: (x[0], _times(x[1], np.exp(x[0])))),
    "log": Function(np.log, lambda x: (x[0], _times(x[1], 1.0 / x[0]))),
    "sqrt": Function(np.sqrt, lambda x: (x[0], _times(x[1], 0.5 / np.sqrt(x[0])))),
    "floor": Function(np.floor, lambda x: (x[0], FLAT)),
    "normal_cdf": Function(
        _normal_cdf, lambda x: (_normal_cdf(x[0]), _times(x[1], _normal_density(x[0])))
    ),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One of `FUNCTIONS` with its arguments."""

    function: str
    arguments: tuple[Node, ...]

    def evaluate(self, names: Names, by: str = "") -> Evaluated:
        parts = [_number(node, names, by) for node in self.arguments]
        function = FUNCTIONS[self.function]
        values, wrong = _finite(function.apply(*(part.values for part in parts)))
        slopes = FLAT
        if any(part.slopes is not FLAT for part in parts):
            _, slopes = function.dual(*(part[:2] for part in parts))
        return Evaluated(values, slopes, reduce(_first, [*(p.faults for p in parts), wrong]))
