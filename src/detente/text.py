"""Text from files, paths and records on its way to people and to spreadsheets.

A terminal obeys control characters, and shows text with marks of direction in another order than
it has. So both are shown as they are written in Python, `\\x1b`. A spreadsheet computes a cell
that looks like a formula; an apostrophe before it says that it is text.
"""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f"  # control characters but for tabs and ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions
    "\u2028\u2029"  # ends of lines that not everything takes for them
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"  # what is no text, or cannot be seen
)
FORMULA = re.compile(r"[=+\-@\t\r]")


def shown(text: str) -> str:
    """Text of several lines with what would not be seen written out."""
    return HIDDEN.sub(lambda found: _escaped(found[0]), text)


def capital(text: str) -> str:
    """With a capital letter."""
    return f"{text[:1].upper()}{text[1:]}"


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{capital(text)}{'' if text.endswith(('.', '?')) else '.'}"


def on_one_line(text: str) -> str:
    """The same of what is to be one line."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")


def hidden_in(text: str) -> str:
    """The first character of a line that would not be seen, as `U+001B`; '' if there is none."""
    found = HIDDEN.search(text) or re.search(r"[\n\t]", text)
    return f"U+{ord(found[0]):04X}" if found else ""


def escaped_json(text: str) -> str:
    """JSON in which the same characters are escaped: they can stand in strings alone."""
    return HIDDEN.sub(lambda found: _utf16(found[0]), text)


def as_cell(value: object) -> object:
    """A cell of a table for spreadsheets: text that would be computed has an apostrophe."""
    if not isinstance(value, str) or not FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[k : k + 4]}" for k in range(0, len(units), 4))
