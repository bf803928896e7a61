"""How much is tried: all of it with `--full`, and otherwise what tells most in little time.

`tests/conftest.py` sets both names before any module of tests is read.
"""

from __future__ import annotations

FULL = False
"""All tests, with all their examples."""

STRICT = False
"""What a test needs must be there: with `--full`, and in CI."""


def examples(full: int) -> int:
    """On how many examples a property is tried: `full`, or a fifth of it in a short run."""
    return full if FULL else max(1, full // 5)
