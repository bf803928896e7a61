"""How the strategies of a solve are kept: in memory, in a temporary file, or not all of them."""

from __future__ import annotations

import math
from enum import Enum


class Keep(Enum):
    """How strategies are kept.

    Where they are not, values at some layers are, and strategies between two of them are solved
    anew when they are read (see `replay`): both in memory, or in a file. What is said of it where
    memory is short is the member's value.
    """

    MEMORY = ""
    FILE = "Memory was short: strategies were kept in a temporary file."
    ANEW = "Memory was short: strategies are not kept but solved anew where they are read."
    FILE_ANEW = (
        "Memory was short: strategies are not kept but solved anew where they are read, from "
        "values in a temporary file."
    )

    @property
    def in_file(self) -> bool:
        """Whether a file is used."""
        return self in (Keep.FILE, Keep.FILE_ANEW)

    @property
    def anew(self) -> bool:
        """Whether strategies are solved anew."""
        return self in (Keep.ANEW, Keep.FILE_ANEW)

    def stretch_ends(self, layers: int) -> tuple[int, ...]:
        """Where stretches begin of which all strategies are kept at a time, and the last ends."""
        each = max(1, math.isqrt(layers)) if self.anew else max(1, layers)
        return (*range(0, layers, each), layers)
