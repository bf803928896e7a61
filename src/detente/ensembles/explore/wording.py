"""A condition on a quantity in words."""

from __future__ import annotations


def condition(
    name: str, low: float | None, high: float | None, options: tuple[str, ...] | None
) -> str:
    """One side of a box in words: 'step_cost above 2.1'."""
    if options is not None:
        return f"{name} is {' or '.join(options)}"
    if low is not None and high is not None:
        return f"{name} from {low:g} to {high:g}"
    if low is not None:
        return f"{name} at least {low:g}"
    return f"{name} at most {high:g}"
