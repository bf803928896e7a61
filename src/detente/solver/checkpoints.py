"""What is made backward in time, read forward in time, from checkpoints.

Of N values that are each made from the next one, about √N are kept, and what lies between two of
them is made once more (Griewank and Walther, Evaluating Derivatives, 2008, chapter 12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isqrt

from detente.dtypes import Floats
from detente.solver.shelf import Shelf


def in_order(
    count: int,
    last: Floats,
    before: Callable[[Floats, int], Floats],
    progress: Callable[[float], None] = lambda _: None,
    shelf: Callable[[], Shelf] = dict,
) -> Iterator[Floats]:
    """Values before move 0, then after each of `count` moves in turn.

    Parameters
    ----------
    count
        How many moves there are.
    last
        The values after the last of them.
    before
        Gives the values before move k from those after it; they are not changed later.
    progress
        Called with the share of the moves that the way back has come by.
    shelf
        Makes what values are put aside in: in memory by default.
    """
    step = max(isqrt(count), 1)
    kept, stretch = shelf(), shelf()
    kept[count] = last
    held = [last]  # by nobody else while those before them are made: on a shelf they need not be
    del last
    for k in reversed(range(count)):
        held.append(before(held.pop(), k))
        if k and k % step == 0:
            kept[k] = held[0]
        progress((count - k) / count)
    yield held.pop()
    for begin in range(0, count, step):
        end = min(begin + step, count)
        held = [kept[end]]
        for k in reversed(range(begin + 1, end)):
            held.append(before(held.pop(), k))
            stretch[k] = held[0]
        held.clear()
        for k in range(begin + 1, end):
            yield stretch.pop(k)
        yield kept.pop(end)
