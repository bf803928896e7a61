"""Payoffs by cells: a table by levels and types becomes the tree of one formula.

The table is a tree of choices between halves, so that its depth grows as the logarithm of the
number of levels, and what is in a cell that does not apply is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detente.scenario.context import Context
from detente.scenario.formula.evaluate import Compare, Conditional, Constant, Name, Node
from detente.scenario.formula.expression import Formula, read_by
from detente.scenario.formula.types import PRIVATE_NUMBER
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.source import Trail

LISTED = 60
"""Characters up to which the cells of a table are listed."""


def value(context: Context, trail: Trail, written: Any) -> Formula | None:
    """The formula at `trail`, or that of the table there; None after telling what is wrong."""
    if not isinstance(written, dict):
        return context.formula(trail, written, PRIVATE_NUMBER)
    trail = tuple(step for step in trail if step != "")
    by, values = written["by"], written["values"]
    before = len(context.diagnostics.errors)
    context.repeated((*trail, "by"), by)
    axes = [_axis(context, (*trail, "by", at), name) for at, name in enumerate(by)]
    sound = [axis for axis in axes if axis]
    if len(sound) < len(axes) or len(context.diagnostics.errors) > before:
        return None
    table = _Table(context, sound, [])
    node = table.node((*trail, "values"), values, 0)
    read = [axis.formula for axis in sound] + table.cells
    if len(context.diagnostics.errors) > before:
        return None
    return Formula(
        text=_text(by, table.cells),
        place=context.diagnostics.source.place(trail),
        node=node,
        **read_by(read),
    )


def _text(by: list[str], cells: list[Formula]) -> str:
    """What a table is called, with its cells row by row where they are few."""
    name = f"table by {' and '.join(by)}"
    listed = ", ".join(cell.text for cell in cells)
    return f"{name}: {listed}" if len(listed) <= LISTED else f"{name}, {len(cells)} cells"


@dataclass(frozen=True, slots=True)
class _Axis:
    """What a table goes by: its name, the keys in their order, the value of the first of them."""

    name: str
    keys: tuple[str, ...]
    low: int
    formula: Formula


def _axis(context: Context, trail: Trail, name: str) -> _Axis | None:
    variable, scope = context.parts.state.get(name), context.scope
    low, keys = 0, scope.actors.get(name) or ()
    if variable:
        levels = variable.levels
        low = levels.low
        keys = levels.names or tuple(str(low + at) for at in range(levels.size))
    place = context.diagnostics.source.place(trail)
    if keys:
        reads = frozenset((name,))
        if variable:
            return _Axis(name, keys, low, Formula(name, place, Name(name), variables=reads))
        return _Axis(name, keys, 0, Formula(name, place, Name(name), actors=reads))
    if name in scope.variables or scope.partial or scope.actors.get(name, ()) is None:
        # Its entry cannot be read, which is told: the file is refused in any case.
        return None
    known = [*scope.variables, *(key for key, types in scope.actors.items() if types)]
    message = f"`{name}` is neither a variable of `state` nor an actor with types"
    context.diagnostics.error(trail, "unknown-name", message, did_you_mean(name, known))
    return None


@dataclass(frozen=True, slots=True)
class _Table:
    context: Context
    axes: list[_Axis]
    cells: list[Formula]

    def node(self, trail: Trail, values: Any, depth: int) -> Node:
        """The choice among the rows at `trail`, by the axis of this depth; or a cell."""
        if depth == len(self.axes):
            return self.cell(trail, values)
        axis, diagnostics = self.axes[depth], self.context.diagnostics
        if not isinstance(values, dict):
            message = f"here the table goes on by `{axis.name}`, and there is a single value"
            diagnostics.error(
                trail, "table", message, f"give a value for each of {listing(axis.keys)}"
            )
            return Constant(0.0)
        for key in values:
            if key not in axis.keys:
                kind = "type" if axis.formula.actors else "level"
                message = f"`{key}` is not a {kind} of {axis.name}"
                diagnostics.key_error((*trail, key), kind, message, did_you_mean(key, axis.keys))
        missing = [key for key in axis.keys if key not in values]
        if missing:
            message = f"the table has nothing for {axis.name} at {listing(missing)}"
            hint = "every level needs a value; write 0 where there is nothing to get"
            diagnostics.key_error(trail, "table", message, hint)
            return Constant(0.0)
        rows = [self.node((*trail, key), values[key], depth + 1) for key in axis.keys]
        return _pick(axis, rows, axis.low)

    def cell(self, trail: Trail, written: Any) -> Node:
        if isinstance(written, dict | list) or written is None:
            message = f"a cell is a formula; the table goes by {listing(a.name for a in self.axes)}"
            hint = "name in `by` what the cells differ by"
            self.context.diagnostics.error(trail, "table", message, hint)
            return Constant(0.0)
        formula = self.context.formula(trail, written, PRIVATE_NUMBER)
        if formula is None:
            return Constant(0.0)
        self.cells.append(formula)
        return formula.node


def _pick(axis: _Axis, rows: list[Node], first: int) -> Node:
    """The row of the axis's value, where the first of them is that of the value `first`."""
    if len(rows) == 1:
        return rows[0]
    half = len(rows) // 2
    below = Compare(axis.formula.node, (("<", Constant(float(first + half))),))
    return Conditional(
        below, _pick(axis, rows[:half], first), _pick(axis, rows[half:], first + half)
    )
