"""The formula language: text in, a typed and checked `Formula` out.

Text is tokenised against a list of signs and words, then parsed by Python's `ast` module, then
translated node by node into the small tree of `detente.scenario.formula.evaluate`. Nothing is ever
run as Python. `docs/language.md` describes the language.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from detente.errors import Diagnostic, Place
from detente.scenario.formula import tokens
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.translate import Translator
from detente.scenario.formula.types import CALENDAR, NUMBER, Scope, Slot, spine
from detente.scenario.slips import comma_within, number_hint

Tell = Callable[[int, str, str, str], None]
LONGEST_NUMBER = 40  # what is longer is no number, however it was meant
SPACES = dict.fromkeys(map(ord, "\t\r\n"), " ")


def parse(
    written: str | float,
    place: Place,
    scope: Scope,
    slot: Slot,
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
        The names there are.
    slot : Slot
        What it has to give, and which of the names it may use.
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

    tree = _tree(written, shown, slot.wanted == NUMBER, tell)
    if tree is None:
        return None
    translator = Translator(shown, scope, slot, tell)
    typed = translator.whole(tree)
    if len(problems) > before:
        return None
    used = translator.used
    return Formula(
        text=shown,
        place=place,
        node=typed.node,
        gives=slot.wanted,
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
