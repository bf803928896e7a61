"""Numbers as they are written: probabilities, changes, payoffs, errors, counts.

There are no more digits than the error leaves. What is nearly nothing or nearly all is not said to
be it, nothing has no sign, and what is not known is a dash.
"""

from __future__ import annotations

import math

MISSING = "–"

EXACT = 5e-10
"""An error below which a number is exact: less is rounding."""

MOST_DIGITS = 6
"""Significant digits beyond which a number is not written, however well it is known."""


def percent(value: float, error: float = 1.0) -> str:
    """A probability or a share, `34 %`; with a decimal where its error leaves one, `33.8 %`."""
    if math.isnan(value):
        return MISSING
    digits = 1 if error < 5e-4 else 0  # an error that is not known leaves none
    least, number = 10.0**-digits, 100 * value
    if 0 < number < 0.5 * least:
        return f"<{least:g} %"
    if 100 - 0.5 * least <= number < 100 - 1e-7:
        return f">{100 - least:g} %"
    return f"{number:.{digits}f} %"


def fine_percent(value: float) -> str:
    """A probability that is known exactly, with a decimal where it is small: `1.4 %`, `34 %`."""
    return percent(value, 0.0 if value < 0.0995 else 1.0)


def interval(low: float, high: float) -> str:
    """The ends of an interval of shares, in per cent: `8 – 40`; `<1` where neither is more."""
    if math.isnan(low):
        return MISSING
    first, last = (percent(end).removesuffix(" %") for end in (low, high))
    return first if first == last and not first.isdigit() else f"{first} – {last}"


def with_interval(value: float, low: float, high: float) -> str:
    """A share and where it lies: `20 % (8 – 40)`."""
    return f"{percent(value)} ({interval(low, high)})"


def points(value: float) -> str:
    """A change of a probability, in percentage points with its sign.

    A change of more than 1 is that of a derivative which does not hold so far.
    """
    if abs(value) > 1:
        return f"beyond {'+' if value > 0 else '-'}100 points"
    number = f"{abs(100 * value):.0f}"
    if number == "0":
        return "less than 1 point"
    return f"{'+' if value > 0 else '-'}{count(int(number), 'point')}"


def size(value: float) -> str:
    """The same without its sign: `3 points`."""
    return points(value).lstrip("+-")


def more_likely(value: float) -> str:
    """The same in words: `3 points more likely`."""
    return f"{size(value)} {'more' if value > 0 else 'less'} likely"


def within(error: float) -> str:
    """A bound on an error of probabilities, in percentage points, rounded up."""
    if math.isnan(error):
        return "not known"
    if error < EXACT:
        return "none"
    digits = 2 if error < 0.001 else 1
    bound = math.ceil(100 * error * 10**digits - 1e-9) / 10**digits
    return f"±{bound:.{digits}f}"


def decimals(error: float) -> int:
    """How many decimals of a payoff its error leaves; two where it is not known."""
    return 3 if error < 5e-4 else 1 if error >= 5e-3 else 2


def payoff(value: float, error: float = 0.0) -> str:
    """A payoff with the decimals that its error leaves."""
    return MISSING if math.isnan(value) else f"{value:.{decimals(error)}f}"


def signed(value: float, digits: int) -> str:
    """A change with its sign."""
    if math.isnan(value):
        return MISSING
    text = f"{value:+.{digits}f}"
    return text if text.strip("+-0.") else text[1:]


def slope(value: float) -> str:
    """A derivative; nothing where there is none."""
    return "" if math.isnan(value) else f"{value:+.3g}"


def known(value: float, error: float) -> str:
    """A number with its error, `0.42 ± 0.01`: one digit of the error, rounded up."""
    if not error > 0 or not math.isfinite(error):
        return f"{value:.{MOST_DIGITS}g}"
    place = math.floor(math.log10(error))
    rounded = math.ceil(round(error / 10.0**place, 6)) * 10.0**place
    place = math.floor(math.log10(rounded) + 1e-9)
    if value and math.floor(math.log10(abs(value))) - place >= MOST_DIGITS:
        return f"{value:.{MOST_DIGITS}g}"
    digits = max(-place, 0)
    return f"{round(value, -place):.{digits}f} ± {rounded:.{digits}f}"


def explains(part: float, half: float) -> str:
    """A share of variance with half the width of its interval: `34 ± 5 %`."""
    return f"{100 * max(part, 0.0):.0f} ± {math.ceil(100 * half - 1e-9)} %"


def count(number: int, what: str, plural: str = "") -> str:
    """A number of things: `1 draw`, `1,000 draws`."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def duration(seconds: float) -> str:
    """A time in words: `48 s`, `12 min`, `3 h 20 min`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
