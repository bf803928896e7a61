"""Numbers as people write them, and how they are written here.

Nothing is taken for what was probably meant: a value that is not a number is refused, and what is
numbers here goes into the hint. It is text that can be put into the file as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

UNITS = "days?|weeks?|months?|quarters?|years?|rounds?|periods?"
NUMBER = r"[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+"
PLAIN = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*:\s+")
PERCENT = re.compile(rf"([-+]?(?:{NUMBER}))\s*(?:%|per ?cent)", re.IGNORECASE)
GROUPS = re.compile(r"([-+]?[1-9][0-9]{0,2}(?:([ ,.'_])[0-9]{3})(?:\2[0-9]{3})*)")
COMMA = re.compile(r"([-+]?[0-9]*),([0-9]+)")
UNIT = re.compile(rf"(.*[0-9.,])\s*(?:{UNITS})", re.IGNORECASE)
INNER_COMMA = re.compile(r"(?<![0-9.,A-Za-z_])[0-9]+,[0-9]+(?![0-9.]|,[0-9])")
# A percent sign with nothing behind it that could be divided by; a sign there is one of a sum
# where the percent sign sticks to its number.
INNER_PERCENT = re.compile(
    r"(?<![A-Za-z0-9_.])([0-9]+\.?[0-9]*|\.[0-9]+)"
    r"(\s*%(?=\s*(?:$|[)*/<>=!,%]|(?:and|or|if|else)\b))|%(?=\s*[-+]))"
)


def number_hint(value: object) -> str:
    """What to write for a value that is not a number, or ''."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"write `{value}`, without brackets"
    if not isinstance(value, str):
        return ""
    if re.fullmatch(PLAIN, value.strip()) and value.strip()[:1] != "+":
        return f"write `{value.strip()}`, without quotes"
    meant = numbers_meant(value)
    return f"write {' or '.join(f'`{number}`' for number in meant)}" if meant else ""


def numbers_meant(text: str) -> list[str]:
    """The numbers that a text may stand for: none, one, or two where a comma has two readings."""
    text = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").strip()
    text = text.replace("\N{FRACTION SLASH}", "/")
    if label := LABEL.match(text):
        text = text[label.end() :]
    if unit := UNIT.fullmatch(text):
        text = unit[1].strip()
    if PLAIN.fullmatch(text):
        return [text.removeprefix("+")]
    if percent := PERCENT.fullmatch(text):
        return [_plain(Decimal(percent[1].replace(",", ".")) / 100)]
    numbers = []
    if groups := GROUPS.fullmatch(text):
        numbers.append(re.sub(r"[^-0-9]", "", groups[1]))
    if comma := COMMA.fullmatch(text):
        numbers.append(f"{comma[1].removeprefix('+') or '0'}.{comma[2]}")
    if parts := re.fullmatch(r"([0-9]{1,6})\s*/\s*([1-9][0-9]{0,5})", text):
        numbers.append(f"{int(parts[1]) / int(parts[2]):.6g}")
    return numbers


def _plain(value: Decimal) -> str:
    """A number without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def slip_within(text: str) -> tuple[int, str, str] | None:
    """The first percentage in a formula: position, what is written, and what to write."""
    percent = INNER_PERCENT.search(text)
    if percent is None:
        return None
    return percent.start(), percent[0], numbers_meant(percent[0])[0]


def comma_within(text: str) -> str:
    """The hint at a comma that stands between the digits of a number in a formula, or ''."""
    comma = INNER_COMMA.search(text)
    return f"write `{comma[0].replace(',', '.')}`: decimals have a point" if comma else ""
