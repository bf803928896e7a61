"""Words that tables, text and pictures share."""

from __future__ import annotations

import math

from detente.analysis.threshold_wording import policy as policy_name

__all__ = ["capital", "condition", "count", "percent", "policy_name", "probability"]


def percent(share: float) -> str:
    """A share of worlds or a probability, without false digits: `<1 %`, `34 %`."""
    if math.isnan(share):
        return "–"
    value = 100 * share
    if 0 < value < 0.5:
        return "<1 %"
    if 99.5 < value < 100:
        return ">99 %"
    return f"{value:.0f} %"


def probability(value: float) -> str:
    """A probability, with a decimal where it is small: `1.4 %`, `34 %`."""
    if 0.0005 <= value < 0.0995:
        return f"{100 * value:.1f} %"
    return "<0.1 %" if 0 < value < 0.0005 else percent(value)


def count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
