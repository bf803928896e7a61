"""The folder of a run as the system sees it: its lock, and what is said of what cannot be done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from detente.errors import Diagnostic, Place, ScenarioError

LOCK = ".lock"


def locked(folder: Path) -> FileLock:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = "another process is writing this run"
        refuse(folder, "in-use", message, "wait for it, or end it; what it has done is kept")
    return lock


@contextlib.contextmanager
def telling(
    folder: Path, code: str = "cannot-write", what: str = "cannot be written"
) -> Iterator[None]:
    """Tell what the system refuses as a mistake in the folder's name."""
    try:
        yield
    except OSError as error:
        refuse(folder, code, f"{what}: {error.strerror}")


def reading(folder: Path) -> contextlib.AbstractContextManager[None]:
    """The same of a part that cannot be read."""
    return telling(folder, "cannot-read", "a part cannot be read")


def refuse_damaged(folder: Path, names: Sequence[str]) -> None:
    verb = "is" if len(names) == 1 else "are"
    message = f"{', '.join(names)} {verb} damaged: not what was written"
    hint = "resume the run with --resume: what is lost is solved again"
    refuse(folder, "damaged", message, hint)


def refuse(folder: Path, code: str, message: str, hint: str = "") -> None:
    raise ScenarioError([Diagnostic(Place(str(folder)), code, message, hint)])
