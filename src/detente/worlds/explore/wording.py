"""Words that tables, text and pictures share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from detente.analysis.threshold_wording import policy as policy_name

__all__ = ["capital", "condition", "count", "percent", "policy_name", "quantity_label"]


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


def count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def quantity_label(quantities: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """What a quantity is about, with its name: 'what a step costs (step_cost.sincere)'."""
    about = str(quantities.get(name, {}).get("about") or "")
    return f"{about} ({name})" if about else name


def condition(
    name: str, low: float | None, high: float | None, options: tuple[str, ...] | None
) -> str:
    """One side of a box in words: 'step_cost above 2.1'."""
    if options is not None:
        return f"{name} {' or '.join(options)}"
    if low is not None and high is not None:
        return f"{name} from {low:g} to {high:g}"
    if low is not None:
        return f"{name} at least {low:g}"
    return f"{name} at most {high:g}"
