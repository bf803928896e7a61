"""Payoffs by cells: a table by levels and types becomes the tree of one formula.

The table is a tree of choices between halves, so that its depth grows as the logarithm of the
number of levels, and what is in a cell that does not apply is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detente.scenario.build.draft import Spot
from detente.scenario.formula.evaluate import Compare, Conditional, Constant, Name, Node
from detente.scenario.formula.expression import Formula, read_by
from detente.scenario.formula.types import PRIVATE_NUMBER
from detente.scenario.hints import did_you_mean, listing

LISTED = 60
"""Characters up to which the cells of a table are listed."""


def formula(written: dict[str, Any], spot: Spot) -> Formula | None:
    """The formula of the table at the spot; None after reporting what is wrong."""
    by, before = written["by"], len(spot.draft.errors)
    (spot / "by").repeated(by)
    axes = [_axis(spot / "by" / k, name) for k, name in enumerate(by)]
    sound = [axis for axis in axes if axis]
    if len(sound) < len(axes) or len(spot.draft.errors) > before:
        return None
    cells: list[Formula] = []
    node = _node(spot / "values", written["values"], sound, 0, cells)
    if len(spot.draft.errors) > before:
        return None
    text = f"table by {' and '.join(by)}"
    listed = ", ".join(cell.text for cell in cells)
    text += f": {listed}" if len(listed) <= LISTED else f", {len(cells)} cells"
    return Formula(text, spot.place, node, **read_by([*(a.formula for a in sound), *cells]))


@dataclass(frozen=True, slots=True)
class _Axis:
    """What a table goes by: its name, the keys in their order, the value of the first of them."""

    name: str
    kind: str
    keys: tuple[str, ...]
    low: int
    formula: Formula


def _axis(spot: Spot, name: str) -> _Axis | None:
    scope = spot.draft.scope
    variable, types = spot.draft.raw["state"].get(name), scope.actors.get(name, ())
    if variable:
        levels = variable["levels"]
        keys = tuple(levels.label(k) for k in range(levels.size))
        reads = Formula(name, spot.place, Name(name), variables=frozenset((name,)))
        return _Axis(name, "level", keys, levels.low, reads)
    if types:
        reads = Formula(name, spot.place, Name(name), actors=frozenset((name,)))
        return _Axis(name, "type", types, 0, reads)
    if name in scope.variables or scope.partial or types is None:
        # Its entry cannot be read, which is reported: the file is refused in any case.
        return None
    known = [*scope.variables, *(key for key, own in scope.actors.items() if own)]
    message = f"`{name}` is neither a variable of `state` nor an actor with types"
    spot.error("unknown-name", message, did_you_mean(name, known))
    return None


def _node(spot: Spot, values: Any, axes: list[_Axis], depth: int, cells: list[Formula]) -> Node:
    """The choice among the rows at the spot, by the axis of this depth; or a cell."""
    broken = Constant(0.0)
    if depth == len(axes):
        if isinstance(values, dict | list) or values is None:
            message = f"a cell is a formula; the table goes by {listing(a.name for a in axes)}"
            spot.error("table", message, "name in `by` what the cells differ by")
            return broken
        cell = spot.formula(values, PRIVATE_NUMBER)
        if cell:
            cells.append(cell)
        return cell.node if cell else broken
    axis = axes[depth]
    if not isinstance(values, dict):
        message = f"here the table goes on by `{axis.name}`, and there is a single value"
        spot.error("table", message, f"give a value for each of {listing(axis.keys)}")
        return broken
    for key in values:
        if key not in axis.keys:
            message = f"`{key}` is not a {axis.kind} of {axis.name}"
            (spot / key).key_error(axis.kind, message, did_you_mean(key, axis.keys))
    missing = [key for key in axis.keys if key not in values]
    if missing:
        message = f"the table has nothing for {axis.name} at {listing(missing)}"
        spot.key_error(
            "table", message, "every level needs a value; write 0 where there is nothing to get"
        )
        return broken
    rows = [_node(spot / key, values[key], axes, depth + 1, cells) for key in axis.keys]
    return _pick(axis, rows, axis.low)


def _pick(axis: _Axis, rows: list[Node], first: int) -> Node:
    """The row of the axis's value, where the first of them is that of the value `first`."""
    if len(rows) == 1:
        return rows[0]
    half = len(rows) // 2
    below = Compare(axis.formula.node, (("<", Constant(float(first + half))),))
    then, otherwise = _pick(axis, rows[:half], first), _pick(axis, rows[half:], first + half)
    return Conditional(below, then, otherwise)
