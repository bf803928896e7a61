"""The formula language: text in, a typed and checked `Formula` out.

Text is tokenised against a list of signs and words, then parsed by Python's `ast` module, then
translated node by node into the small tree of `detente.scenario.formula.evaluate`. Nothing is ever
run as Python. `docs/language.md` describes the language.
"""

from __future__ import annotations

import ast

from detente.errors import Diagnostic, Place
from detente.scenario.formula import tokens
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.tokens import Fault
from detente.scenario.formula.translate import Translator
from detente.scenario.formula.types import CALENDAR, NUMBER, Scope, Slot, spine
from detente.scenario.slips import comma_within, number_hint

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

    def report(position: int, code: str, message: str, hint: str = "") -> None:
        where = place
        if offset is not None:
            where = Place(place.file, place.line, place.column + offset + position)
        problems.append(Diagnostic(where, code, message, hint))

    try:
        tree = _tree(shown) if isinstance(written, str) else _leaf(written, shown)
    except Fault as fault:
        # Where a number is meant, the whole is wrong.
        meant = number_hint(shown) if slot.wanted == NUMBER else ""
        if meant and len(shown) <= LONGEST_NUMBER:
            report(0, "formula", f"`{shown}` is not a number", meant)
        else:
            report(fault.position, "formula", fault.message, fault.hint)
        return None
    translator = Translator(shown, scope, slot, report)
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
        covariates=frozenset(used.intersection(scope.covariates)),
        actors=frozenset(translator.actors),
        calendar=frozenset(used & CALENDAR),
        decimals=translator.decimals,
    )


def _leaf(written: float, shown: str) -> ast.expr:
    """The tree of a number or truth value."""
    truth = "true" if written else "false"
    leaf = ast.Name(truth) if isinstance(written, bool) else ast.Constant(written)
    leaf.col_offset, leaf.end_col_offset = 0, len(shown)
    return leaf


def _tree(shown: str) -> ast.expr:
    """Python's tree of a text. Raises `Fault` where it cannot be read."""
    tokens.check_tokens(shown)
    try:
        tree = ast.parse(tokens.without_dates(shown), mode="eval").body
    except SyntaxError as error:
        raise _syntax(error, shown) from None
    except (ValueError, RecursionError, MemoryError):
        raise Fault(0, "the formula cannot be read") from None
    if isinstance(tree, ast.Tuple) and not shown.startswith("("):
        raise Fault(0, "a comma parts this in two", comma_within(shown))
    if _depth(tree) > tokens.DEEPEST:
        raise Fault(0, f"the formula is nested more than {tokens.DEEPEST} deep")
    return tree


def _syntax(error: SyntaxError, shown: str) -> Fault:
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
    return Fault(position, f"the formula cannot be read at `{rest}`", hint)


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
