"""The words and signs of a formula, checked before Python's parser sees any of it.

What passes here holds plain numbers, names and the listed operators in balanced parentheses of
limited depth: no strings, attributes, subscripts, lambdas or assignments.
"""

from __future__ import annotations

import keyword
import re

from detente.scenario.formula.types import WORDS
from detente.scenario.slips import slip_within

LONGEST = 1000
DEEPEST = 50

TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|//|[<>=!]=|[-+*/%<>(),])"
)
A_DATE = re.compile(r"(?<![\w.])[0-9]{4}-[0-9]{1,2}(-[0-9]{1,2})?(?![\w.])")
INSTEAD = {
    "=": "`==` compares",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    "≠": "write `!=`",
    "^": "a power is written `**`",
    "≥": "write `>=`",
    "≤": "write `<=`",
    "−": "write the minus sign `-`",  # noqa: RUF001
    "×": "write `*`",
    ".": "names have no dots",
    "[": "use parentheses `( )`",
    "{": "use parentheses `( )`",
    '"': "names stand without quotes",
    "'": "names stand without quotes",
}
COMMA = "inside `{ }` and `[ ]`, text that holds a comma needs quotes"
SPLIT = (
    "say a payoff or a cost in several named formulas, which add up, or as a table by levels; "
    "let a variable of `state` keep what a long condition asks"
)
FOREIGN = {"True": "write `true`", "False": "write `false`", "is": "`==` compares"}


class Fault(Exception):  # noqa: N818 (of a formula, not of the program)
    """What is wrong at a position of the text, counted from 0."""

    def __init__(self, position: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.position, self.message, self.hint = position, message, hint


def check_tokens(text: str) -> None:
    """Raise the first `Fault` that is a reason not to read `text` as a formula."""
    if len(text) > LONGEST:
        message = f"the formula is {len(text):,} characters long; {LONGEST:,} is the most"
        raise Fault(0, message, SPLIT)
    slip = slip_within(text)
    if slip is not None:
        position, written, number = slip
        raise Fault(position, f"`{written}` is not a number in a formula", f"write `{number}`")
    depth = position = 0
    previous = None
    while position < len(text):
        if text[position] in " \t\r\n":
            position, previous = position + 1, None
            continue
        match = TOKEN.match(text, position)
        if match is None:
            raise _foreign(text, position)
        _check_word(match, previous)
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth < 0:
            raise Fault(position, "this `)` closes nothing")
        if depth > DEEPEST:
            raise Fault(position, f"parentheses are nested more than {DEEPEST} deep")
        position, previous = match.end(), match.lastgroup
    if not text.strip():
        raise Fault(0, "the formula is empty")
    if depth:
        raise Fault(len(text) - 1, "a `(` is never closed", COMMA)


def _check_word(match: re.Match[str], previous: str | None) -> None:
    """Raise what is wrong with a token as such; `previous` is the kind of the one it touches."""
    word, position = match.group(), match.start()
    if match.lastgroup in ("name", "number") and previous == "number":
        hint = "a product is written with `*`" if match.lastgroup == "name" else ""
        raise Fault(position, f"`{word}` follows a number directly", hint)
    if keyword.iskeyword(word) and word not in WORDS:
        raise Fault(position, f"`{word}` has no meaning in a formula", FOREIGN.get(word, ""))


def _foreign(text: str, position: int) -> Fault:
    """What is wrong with a sign that begins no token; a word may have letters names have not."""
    sign = text[position]
    if not sign.isalpha():
        return Fault(position, f"`{sign}` has no meaning in a formula", INSTEAD.get(sign, ""))
    word = next(word for word in re.finditer(r"\w+", text) if word.end() > position)
    hint = "names have the letters a to z and A to Z, digits and `_`"
    return Fault(word.start(), f"`{word[0]}` cannot be a name", hint)


def words_written_large(text: str) -> str:
    """The hint at `AND`, `Or` and the like, where a formula cannot be read; or ''."""
    words = dict.fromkeys(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))
    large = [word for word in words if word not in WORDS and word.lower() in WORDS]
    return "; ".join(f"`{word.lower()}` is written small" for word in large)


def reads_date(text: str) -> bool:
    """Whether `date` stands in a formula."""
    return re.search(r"\bdate\b", text) is not None


def without_dates(text: str) -> str:
    """`text` with a blank of the same length for each date.

    `2024-10` is a difference in a formula that does not read `date`, as long as it can be one:
    no number starts with 0.
    """
    dated = reads_date(text)

    def blank(match: re.Match[str]) -> str:
        written = match.group()
        return "_" * len(written) if dated or "-0" in written else written

    return A_DATE.sub(blank, text)
