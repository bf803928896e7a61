"""Sorts of the parts of a formula: what a part is by itself, and why it will not do."""

from __future__ import annotations

import ast

from detente.scenario.hints import listing
from detente.scenario.scope import DATE, NUMBER, UNKNOWN, Kind, Scope, Sort
from detente.scenario.tokens import BLANK

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
# Functions whose arguments may be levels of one variable, and then give such a level.
SAME_SORT = ("min", "max", "clip")
AFFIRMATIVE = ("yes", "on")  # names of levels that are what a condition would ask for
MOST_RANKS = 5  # levels of which a hint says the rank


def sort_of(tree: ast.expr, scope: Scope) -> Sort | None:
    """The sort of levels, types or dates that a part has by itself, or None."""
    match tree:
        case ast.Name(id=key) if key == "date" or BLANK.fullmatch(key):
            return DATE
        case ast.Name(id=key) if key in scope.variables:
            sort = scope.level(key)
            return None if sort == NUMBER else sort
        case ast.Name(id=key) if key in scope.actors:
            return UNKNOWN if scope.actors[key] is None else Sort(Kind.TYPE, key)
        case ast.BinOp():
            first, steps = spine(tree)
            return sort_of(first, scope) if {sign for sign, _ in steps} <= {"+", "-"} else None
        case ast.IfExp():
            return sort_of(tree.body, scope) or sort_of(tree.orelse, scope)
        case ast.Call(func=ast.Name(id=function)) if function in SAME_SORT:
            return next(filter(None, (sort_of(part, scope) for part in tree.args)), None)
    return None


def misfit(text: str, sort: Sort, wanted: Sort, scope: Scope) -> tuple[str, str]:
    """The sentence and the hint for something of one sort where another is wanted."""
    given, needed = sort.kind, wanted.kind
    owner = f" of {wanted.of}" if wanted.of else ""
    if given is needed:
        return f"`{text}` is {given.value} of {sort.of}, not of {wanted.of}", ""
    message = f"`{text}` is {given.value}, not {needed.value}{owner}"
    if needed is Kind.DATE:
        return message, "compare `date` with a date, as in date >= 2018-02"
    if given is Kind.DATE:
        return message, "`date` is only compared with dates, as in date >= 2018-02; `t` is a number"
    if needed in (Kind.LEVEL, Kind.TYPE):
        rank = f"rank({wanted.of}) is a number; " if needed is Kind.LEVEL else ""
        what = "levels" if needed is Kind.LEVEL else "types"
        return message, f"{rank}the {what} are {listing(scope.members(wanted))}"
    members = scope.members(sort)
    if given is Kind.LEVEL and needed is Kind.NUMBER:
        return message, _as_number(text, members)
    subject = sort.of if given is Kind.TYPE else text
    example = f"{subject} == {members[0]}" if members else f"{text} >= 1"
    return message, f"compare it, as in {example}"


def _as_number(text: str, members: tuple[str, ...]) -> str:
    """The two ways in which a level counts, and what the levels are by each of them."""
    if not members:
        return f"write rank({text})"
    chosen = next((name for name in members if name in AFFIRMATIVE), members[-1])
    ranks = [f"{at} for {name}" for at, name in enumerate(members[:MOST_RANKS])]
    if len(members) > MOST_RANKS:
        ranks.append(f"… {len(members) - 1} for {members[-1]}")
    shown = ", ".join(ranks)
    return (
        f"write `({text} == {chosen})`, which is 1 for {chosen} and 0 otherwise, "
        f"or `rank({text})`, which is {shown}"
    )


def spine(tree: ast.BinOp) -> tuple[ast.expr, list[tuple[str, ast.expr]]]:
    """Operations that are done one after the other: `a - b * c + d` is a, (-, b * c), (+, d)."""
    steps = []
    node: ast.expr = tree
    while isinstance(node, ast.BinOp):
        steps.append((OPERATORS[type(node.op)], node.right))
        node = node.left
    return node, steps[::-1]
