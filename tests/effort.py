"""How much is tried: all of it with `--full`, and otherwise what tells most in little time.

`tests/conftest.py` sets both names before any module of tests is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

FULL = False
"""All tests, with all their examples."""

STRICT = False
"""What a test needs must be there: with `--full`, and in CI."""


def examples(full: int) -> int:
    """On how many examples a property is tried: `full`, or a fifth of it in a short run."""
    return full if FULL else max(1, full // 5)


def cases(values: Iterable[Any], *, slow: Iterable[Any]) -> list[Any]:
    """Parameters of a test, those of `slow` marked as such."""
    heavy = list(slow)
    mark = pytest.mark.slow
    return [pytest.param(value, marks=mark) if value in heavy else value for value in values]
