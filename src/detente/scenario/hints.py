"""Did-you-mean: the hint that goes with a name nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

MOST_LISTED = 12
MOST_COMPARED = 300  # more would take long in a file with thousands of mistakes


def closest(name: str, candidates: Collection[str]) -> list[str]:
    """The names that could have been meant by `name`: two at most, the likeliest first."""
    if len(candidates) > MOST_COMPARED:
        return []
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    return [by_lower[word] for word in difflib.get_close_matches(name.lower(), by_lower, n=2)]


def did_you_mean(name: str, candidates: Collection[str]) -> str:
    """The hint `did you mean ...?`, or a list of what there is where that is short, or ''."""
    close = closest(name, candidates)
    if close:
        return f"did you mean {' or '.join(f'`{word}`' for word in close)}?"
    known = list(dict.fromkeys(candidates)) if len(candidates) <= MOST_LISTED else []
    if known:
        return f"there {'is' if len(known) == 1 else 'are'} {listing(known)}"
    return ""


def listing(names: Iterable[str]) -> str:
    """The names quoted, with commas and a last `and`."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def alias(name: str) -> str:
    """What is looked at of a name that people say: not its capitals, nor how it is spaced."""
    return " ".join(name.casefold().split())
