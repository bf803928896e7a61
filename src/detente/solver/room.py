"""Memory for large arrays: for what two layers have at their states, and for one that goes soon."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from math import prod

import numpy as np

from detente.dtypes import Floats

SMALL = 2**14
"""Numbers below which an array may stay in the heap."""


def apart(shape: tuple[int, ...]) -> Floats:
    """An array whose memory the system gets back as soon as nobody holds it.

    What is given back to the heap may stay there: of arrays that come and go, in several sizes, as
    much again as they take. A small one is not worth the system's time.
    """
    count = prod(shape)
    if count < SMALL:
        return np.empty(shape)
    return np.frombuffer(_pages(8 * count), np.float64).reshape(shape)


def _pages(size: int) -> mmap.mmap:
    """Memory of its own. Large pages, where there are such: in small ones, rows that are read and
    written in no order are looked up again and again, and are not fetched beforehand."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return mmap.mmap(-1, size)
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel that was built without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def in_blocks(count: int, most: int) -> tuple[int, int]:
    """How many blocks of equally many, at most so many, so many things make; and how many each."""
    each = -(-count // min(count, most))
    return -(-count // each), each


def most_of_two(sizes: Sequence[int]) -> int:
    """The most that two have together of which one comes after the other; the first after the last,
    too, as a game without end begins again."""
    return max(a + b for a, b in pairwise([*sizes, sizes[0]]))


class Room:
    """Arrays of layers with so many states, in turn at either end of one piece of memory.

    It is made once: fresh memory for every layer would cost more than the work.
    """

    def __init__(self, sizes: Sequence[int], shape: tuple[int, ...]) -> None:
        self._all = apart((most_of_two(sizes), *shape))
        self._at_end = False

    def next(self, states: int) -> Floats:
        """An array for so many states, where the last one does not stand."""
        self._at_end = not self._at_end
        return self._all[len(self._all) - states :] if self._at_end else self._all[:states]
