"""A formula that has been read and checked: what it reads, its values and its derivatives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detente.errors import Place
from detente.scenario.formula.evaluate import SOUND, ZERO, Constant, Junction, Node
from detente.scenario.formula.types import CONDITION, NUMBER, ValueType


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
    """A checked formula, which `gives` a number, a condition or a level.

    `variables`, `parameters`, `covariates` and `calendar` are the names it reads; `actors` those
    whose true type it reads, directly or through a parameter that varies by type. `decimals`: a
    number with a decimal point (or an exponent) is written in it.
    """

    text: str
    place: Place
    node: Node
    gives: ValueType = NUMBER
    variables: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()
    calendar: frozenset[str] = frozenset()
    covariates: frozenset[str] = frozenset()
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
            values, _, faults = self.node.evaluate(names)
        if faults.any():
            faults = np.broadcast_to(faults, np.broadcast_shapes(values.shape, faults.shape))
            first = faults[faults != SOUND][0]
            reason = "divides by zero" if first == ZERO else "is not finite"
            raise NotFinite(np.asarray(faults != SOUND), reason)
        if self.gives == CONDITION:
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
            evaluated, and where two meet that of the first operand: see
            `detente.scenario.formula.evaluate`. Infinite where the slope is (`sqrt(x)` at 0).
        """
        with np.errstate(all="ignore"):
            return np.asarray(self.node.evaluate(names, by).slopes, np.float64)


def number(value: float, place: Place, text: str = "") -> Formula:
    """The formula that is a number, as if it had been written at `place`."""
    return Formula(text or f"{value:g}", place, Constant(float(value)))


def read_by(formulas: Sequence[Formula]) -> dict[str, Any]:
    """What several formulas read, and whether they have decimals: as one formula of them has it."""

    def union(names: str) -> frozenset[str]:
        return frozenset().union(*(getattr(formula, names) for formula in formulas))

    kinds = ("variables", "parameters", "actors", "calendar", "covariates")
    read = {names: union(names) for names in kinds}
    return {**read, "decimals": any(formula.decimals for formula in formulas)}


def conjunction(parts: Sequence[Formula]) -> Formula:
    """The condition that all of these conditions hold; they stand from the first one's place on."""
    if len(parts) == 1:
        return parts[0]
    looser = [re.search(r"\b(or|if)\b", part.text) for part in parts]
    texts = [f"({p.text})" if loose else p.text for p, loose in zip(parts, looser, strict=True)]
    node = Junction(True, tuple(part.node for part in parts))
    return Formula(" and ".join(texts), parts[0].place, node, CONDITION, **read_by(parts))
