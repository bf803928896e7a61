"""The formula language: text in, a typed and checked `Formula` out, evaluated over arrays.

Text is tokenised against a list of signs and words, then parsed by Python's `ast` module, then
translated node by node into the small tree of `detente.scenario.nodes`. Nothing is ever run
as Python. `docs/language.md` describes the language.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detente.errors import Diagnostic, Place
from detente.scenario import tokens
from detente.scenario.nodes import SOUND, ZERO, Constant, Junction, Node
from detente.scenario.scope import CALENDAR, NUMBER, Kind, Scope, Sort
from detente.scenario.slips import comma_within, number_hint
from detente.scenario.translate import Translator
from detente.scenario.value_types import spine

__all__ = ["Formula", "Kind", "NotFinite", "Scope", "Sort", "conjunction", "number", "parse"]

Tell = Callable[[int, str, str, str], None]
LONGEST_NUMBER = 40  # what is longer is no number, however it was meant
SPACES = dict.fromkeys(map(ord, "\t\r\n"), " ")


class NotFinite(ArithmeticError):  # noqa: N818 (a state of affairs, named for what it says)
    """A formula that divides by zero, or is not finite, somewhere.

    Attributes
    ----------
    mask : bool array
        Where that happens; its shape is that to which the names' arrays broadcast.
    reason : str
        `divides by zero` or `is not finite`: what happens at the first such place.
    """

    def __init__(self, mask: NDArray[np.bool_], reason: str) -> None:
        super().__init__(f"{reason} at {int(mask.sum())} of {mask.size} places")
        self.mask = mask
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked formula. `kind` is what it gives: a number, a condition or a level.

    `variables`, `parameters` and `calendar` are the names it reads; `actors` those whose true
    type it reads, directly or through a parameter that varies by type. `decimals`: a number
    with a decimal point (or an exponent) is written in it.
    """

    text: str
    place: Place
    node: Node
    kind: Kind = Kind.NUMBER
    variables: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()
    calendar: frozenset[str] = frozenset()
    decimals: bool = False

    def evaluate(self, names: Mapping[str, ArrayLike]) -> NDArray[np.float64] | NDArray[np.bool_]:
        """Evaluate over arrays that broadcast with one another.

        Parameters
        ----------
        names : mapping of str to array
            State variable: its number, or for named levels the level's index from 0. Calendar
            name: its number. Parameter: its number (by type: that of the true type). Actor:
            the index of its true type. At least the names that the formula reads.

        Returns
        -------
        array
            bool for a condition, float64 otherwise; of the shape to which the arrays of the
            names that are read broadcast.

        Raises
        ------
        NotFinite
            Where a part that counts divides by zero or is not finite.
        """
        with np.errstate(all="ignore"):
            values, faults = self.node.evaluate(names)
        if faults.any():
            shape = np.broadcast_shapes(np.shape(values), np.shape(faults))
            faults = np.broadcast_to(faults, shape)
            first = faults[faults != SOUND][0]
            reason = "divides by zero" if first == ZERO else "is not finite"
            raise NotFinite(np.asarray(faults != SOUND), reason)
        if self.kind is Kind.CONDITION:
            return np.asarray(values, np.bool_)
        return np.asarray(values, np.float64)

    def derivative(self, names: Mapping[str, ArrayLike], by: str) -> NDArray[np.float64]:
        """The derivative by one name, at places where `evaluate` finds nothing at fault.

        Parameters
        ----------
        names : mapping of str to array
            As for `evaluate`.
        by : str
            A name. Where its array has several entries, each value is differentiated by the
            entry that it is made from.

        Returns
        -------
        array
            float64, of a shape that broadcasts to that of the values; 0 for a condition, and by
            a name that is not read. A formula in pieces has the derivative of the piece that is
            evaluated, and where two meet that of the first operand: `detente.scenario.nodes`
            says more. Infinite where the slope is (`sqrt(x)` at 0).
        """
        with np.errstate(all="ignore"):
            _, slopes = self.node.dual(names, by)
        return np.asarray(slopes, np.float64)


def number(value: float, place: Place) -> Formula:
    """The formula that is a number, as if it had been written at `place`."""
    return Formula(f"{value:g}", place, Constant(float(value)))


def conjunction(parts: Sequence[Formula]) -> Formula:
    """The condition that all of these conditions hold; they stand from the first one's place on."""
    if len(parts) == 1:
        return parts[0]

    def read(names: str) -> frozenset[str]:
        return frozenset().union(*(getattr(part, names) for part in parts))

    looser = [re.search(r"\b(or|if)\b", part.text) for part in parts]
    texts = [f"({p.text})" if loose else p.text for p, loose in zip(parts, looser, strict=True)]
    return Formula(
        text=" and ".join(texts),
        place=parts[0].place,
        node=Junction(True, tuple(part.node for part in parts)),
        kind=Kind.CONDITION,
        variables=read("variables"),
        parameters=read("parameters"),
        actors=read("actors"),
        calendar=read("calendar"),
        decimals=any(part.decimals for part in parts),
    )


def parse(
    written: str | float,
    place: Place,
    scope: Scope,
    problems: list[Diagnostic],
    *,
    text: str | None = None,
    offset: int | None = None,
) -> Formula | None:
    """Read a formula, or a number or truth value, as it stands in a file.

    Parameters
    ----------
    written : str, float, int or bool
        The value in the file.
    place : Place
        Where it stands.
    scope : Scope
        What it may use and has to give.
    problems : list of Diagnostic
        Everything wrong with it is appended.
    text : str, optional
        How a number was written (`1e-3`).
    offset : int, optional
        The columns between `place` and the first character of `written`. Where it is given,
        problems are placed at the column of the part they are about.

    Returns
    -------
    Formula or None
        None where a problem was found.
    """
    before = len(problems)
    shown = str(written) if text is None else text
    if isinstance(written, str):
        flat = written.translate(SPACES)
        shown = flat.strip(" ")
        offset = None if offset is None else offset + len(flat) - len(flat.lstrip(" "))

    def tell(position: int, code: str, message: str, hint: str = "") -> None:
        where = place
        if offset is not None:
            where = Place(place.file, place.line, place.column + offset + position)
        problems.append(Diagnostic(where, code, message, hint))

    tree = _tree(written, shown, scope.wanted == NUMBER, tell)
    if tree is None:
        return None
    translator = Translator(shown, scope, tell)
    typed = translator.whole(tree)
    if len(problems) > before:
        return None
    used = translator.used
    return Formula(
        text=shown,
        place=place,
        node=typed.node,
        kind=scope.wanted.kind,
        variables=frozenset(used & scope.variables.keys()),
        parameters=frozenset(used & scope.parameters.keys()),
        actors=frozenset(translator.actors),
        calendar=frozenset(used & CALENDAR),
        decimals=translator.decimals,
    )


def _tree(written: str | float, shown: str, numeric: bool, tell: Tell) -> ast.expr | None:
    """Python's tree of what is written, or None where it cannot be read."""
    if not isinstance(written, str):
        truth = "true" if written else "false"
        leaf = ast.Name(truth) if isinstance(written, bool) else ast.Constant(written)
        leaf.col_offset, leaf.end_col_offset = 0, len(shown)
        return leaf
    fault = tokens.fault(shown)
    if fault is not None:
        tell(*_not_read(shown, fault, numeric))
        return None
    try:
        tree = ast.parse(tokens.without_dates(shown), mode="eval").body
    except SyntaxError as error:
        tell(*_not_read(shown, _syntax(error, shown), numeric))
        return None
    except (ValueError, RecursionError, MemoryError):
        tell(0, "formula", "the formula cannot be read", "")
        return None
    if isinstance(tree, ast.Tuple) and not shown.startswith("("):
        fault = tokens.Fault(0, "a comma parts this in two", comma_within(shown))
        tell(*_not_read(shown, fault, numeric))
        return None
    if _depth(tree) > tokens.DEEPEST:
        tell(0, "formula", f"the formula is nested more than {tokens.DEEPEST} deep", "")
        return None
    return tree


def _not_read(shown: str, fault: tokens.Fault, numeric: bool) -> tuple[int, str, str, str]:
    """What is told where a formula cannot be read: of the whole, if a number is meant."""
    hint = number_hint(shown) if numeric else ""
    if hint and len(shown) <= LONGEST_NUMBER:
        return 0, "formula", f"`{shown}` is not a number", hint
    return fault.position, "formula", fault.message, fault.hint


def _syntax(error: SyntaxError, shown: str) -> tokens.Fault:
    """Python's complaint as a fault with a sentence and hint of our own."""
    position = min(max((error.offset or 1) - 1, 0), len(shown) - 1)
    hint = tokens.words_written_large(shown)
    if "'else'" in error.msg:
        hint = "a choice is written `a if condition else b`"
    elif "<>" in shown:
        hint = "write `!=`"
    rest = shown[position:]
    if len(rest) > 20:
        rest = f"{rest[:20]}..."
    return tokens.Fault(position, f"the formula cannot be read at `{rest}`", hint)


def _depth(tree: ast.expr) -> int:
    """How deep a formula is nested. A long sum or product counts as one level."""
    deepest = 0
    ahead: list[tuple[ast.AST, int]] = [(tree, 1)]
    while ahead:
        node, depth = ahead.pop()
        deepest = max(deepest, depth)
        if isinstance(node, ast.BinOp):
            first, steps = spine(node)
            ahead += [(part, depth + 1) for part in (first, *(operand for _, operand in steps))]
        else:
            ahead += [(part, depth + 1) for part in ast.iter_child_nodes(node)]
    return deepest
