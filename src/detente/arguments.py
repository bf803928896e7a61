"""Numbers that are given as arguments: refused with a sentence where they make no sense."""

from __future__ import annotations

import math
import operator

MOST_MISCODED = 0.5
"""Share of recorded moves that were others above which a record would tell of what was not done."""

MOST_THREADS = 1024
MOST_PERIODS = 10_000
MOST_DRAWS = 10_000_000
MOST_STARTS = 10_000
MOST_VALUES = 1001
"""Values of a parameter at which a scenario is solved."""


def whole(name: str, value: object, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number from `least` to `most`. None is what has not been given.

    Raises
    ------
    TypeError, ValueError
    """
    if value is None:
        return
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"`{name}` is a whole number, not {value!r}") from None
    if number < least or (most is not None and number > most):
        bounds = f"of at least {least:,}" if most is None else f"from {least:,} to {most:,}"
        raise ValueError(f"`{name}` is a whole number {bounds}, not {number:,}")


def finite(name: str, value: object, *, above: float | None = None) -> None:
    """Refuse what is no finite number, or not greater than `above`. None has not been given.

    Raises
    ------
    TypeError, ValueError
    """
    if value is None:
        return
    try:
        if isinstance(value, str):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"`{name}` is a number, not {value!r}") from None
    if not math.isfinite(number) or (above is not None and number <= above):
        bound = "" if above is None else f" above {above:g}"
        raise ValueError(f"`{name}` is a finite number{bound}, not {value!r}")
