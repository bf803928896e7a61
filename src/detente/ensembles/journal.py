"""The journal of a run as it is found: whole lines, a torn end, and what a disk has garbled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detente.ensembles.batch import from_line


@dataclass(frozen=True, slots=True)
class Journal:
    """What a journal holds: all, its whole lines, and whether there are others that are damaged."""

    content: bytes
    lines: tuple[bytes, ...]
    damaged: bool


def read_journal(path: Path) -> Journal:
    """Raises `OSError`.

    A last line without an end was being written when the process or the machine died.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    *ended, torn = content.split(b"\n")
    lines = [line + b"\n" for line in ended if _is_line(line)]
    damaged = len(lines) < len(ended)
    if _is_line(torn[:-1]):  # it was the end that changed
        lines.append(torn[:-1] + b"\n")
    return Journal(content, tuple(lines), damaged)


def _is_line(line: bytes) -> bool:
    try:
        from_line(line)
    except ValueError:
        return False
    return True
