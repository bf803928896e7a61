"""Numbers as the page writes them."""

from __future__ import annotations

import math

import pandas as pd


def share(value: float) -> str:
    """A probability in whole per cent; what is nearly 0 or 1 does not become it."""
    if 0 < value < 0.005:
        return "<1 %"
    if 0.995 <= value < 1 - 1e-9:
        return ">99 %"
    return f"{100 * value:.0f} %"


def points_of(value: float) -> str:
    """A change of a probability, in percentage points with its sign.

    A change of more than 1 is that of a derivative which does not hold so far.
    """
    if abs(value) > 1:
        return f"beyond {'+' if value > 0 else '-'}100 points"
    number = f"{abs(100 * value):.0f}"
    if number == "0":
        return "less than 1 point"
    return f"{'+' if value > 0 else '-'}{number} point{'' if number == '1' else 's'}"


def more_or_less(value: float) -> str:
    """The same in words."""
    sized = points_of(value).lstrip("+-")
    return f"{sized} {'more' if value > 0 else 'less'} likely"


def within(error: float) -> str:
    """A bound on an error of probabilities, in percentage points, rounded up."""
    if math.isnan(error):
        return "not known"
    if error < 5e-10:
        return "none"
    digits = 2 if error < 0.001 else 1
    bound = math.ceil(100 * error * 10**digits - 1e-9) / 10**digits
    return f"±{bound:.{digits}f}"


def decimals(error: float | pd.Series) -> int:
    """How many decimals of a payoff its error leaves."""
    worst = float(pd.Series(error).fillna(0.0).max())
    return 3 if worst < 5e-4 else 2 if worst < 5e-3 else 1
