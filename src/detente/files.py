"""Files that are written: whole or not at all, and over nothing that would be missed.

A file is written beside its place under another name, flushed to disk, and renamed. Whatever
comes between, an interruption or a full disk, the old file is still there, and nothing else.

An output never takes the place of an input. It takes that of another file only if that is empty,
or says of itself that it was written here (`OWN`), or if asked to by `force`.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from detente.errors import Diagnostic, Place, ScenarioError

STDOUT = "-"

IN_THE_WAY = "give another name, or `force=True` to replace it"
"""What to do about a file that is there already."""

CREATOR = "detente"
"""What pictures and pages say of who made them."""

OWN = (
    (b"<!doctype html>", f'<meta name="generator" content="{CREATOR}">'.encode()),
    (b"<?xml", b"<dc:title>%s</dc:title>" % CREATOR.encode()),
    (b"\x89PNG\r\n\x1a\n", b"tEXtSoftware\0%s" % CREATOR.encode()),
    (b"%PDF-", b"/Creator (%s)" % CREATOR.encode()),
    (b"EFG 2 R", b"; written by Detente"),
)
"""How files of ours begin, and what stands in them: pages, pictures in three forms, and trees."""


OPENED = (Path("/dev/stdout"), Path("/dev/stderr"))
"""These lead to whatever the shell has opened: it may be a file, which is not to be replaced."""

HEAD = 2000
"""Bytes within which a page says who made it: texts of the scenario come after them."""


def write(
    path: Path,
    content: str | bytes,
    *,
    inputs: Sequence[str | Path] = (),
    force: bool = False,
) -> None:
    """Write a file; `-` is standard output. A device or a pipe is written to as it is.

    inputs
        What was read for it: files, or folders of results.
    force
        Replace a file that was not written by this program, too; never an input.

    Raises
    ------
    ScenarioError
        If it must not be written, or cannot be.
    """
    data = content.encode() if isinstance(content, str) else content
    check(path, inputs=inputs, force=force)
    try:
        if str(path) == STDOUT:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        elif _is_stream(path):
            with path.open("wb") as stream:
                stream.write(data)
        else:
            _replace(path.resolve(), data, force)
    except BrokenPipeError:  # a reader that goes away is no mistake
        raise
    except OSError as error:
        raise _refused(path, "cannot-write", f"cannot be written: {error.strerror}") from error


def check(
    path: Path,
    *,
    inputs: Sequence[str | Path] = (),
    force: bool = False,
) -> None:
    """Refuse early what `write` would refuse, before all the work. Raises `ScenarioError`."""
    if str(path) == STDOUT or _is_stream(path):
        return
    try:
        place = path.resolve()  # a link stays, and what it leads to is written
        folder = place.parent
        if place.is_dir():
            raise _refused(path, "cannot-write", "it is a folder", "give the name of a file")
        if not folder.is_dir():
            raise _refused(
                path, "cannot-write", f"there is no folder {path.parent}", "make it first"
            )
        if any(_is_of(place, Path(one)) for one in inputs):
            message = "it is read for this, and would be lost"
            raise _refused(path, "exists", message, "give another name")
        if not os.access(folder, os.W_OK):
            message = f"the folder {path.parent} cannot be written to"
            raise _refused(path, "cannot-write", message)
        if place.exists() and not os.access(place, os.W_OK):
            raise _refused(path, "cannot-write", "it may not be written to", "give another name")
        if place.exists() and not force and not is_own(place):
            message = "the file exists already, and was not written by Detente"
            raise _refused(path, "exists", message, IN_THE_WAY)
    except (OSError, ValueError, RuntimeError) as error:  # a name that no file can have, a loop
        reason = getattr(error, "strerror", None) or error
        raise _refused(path, "cannot-write", f"cannot be written: {reason}") from error


def is_own(path: Path) -> bool:
    """Whether a file holds nothing, or says that it was written here. Raises `OSError`."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        for begin, mark in OWN:
            if head.lower().startswith(begin.lower()):
                return mark in (head if b"html" in begin else head + file.read())
    return not head


def _is_of(place: Path, given: Path) -> bool:
    """Whether a file is an input, by whatever name, or in a folder that is one."""
    try:
        if not place.exists() or not given.exists():
            return False
    except (OSError, ValueError):  # a name that no file can have: it will be told
        return False
    if given.is_dir():
        return given.resolve() in place.parents and not is_own(place)
    return place.samefile(given)


def _is_stream(path: Path) -> bool:
    """Whether it is a device or a pipe, which has nothing that could be lost."""
    whole = path.absolute()
    if os.name == "posix" and (
        whole in OPENED or whole.parts[1:3] in (("dev", "fd"), ("proc", "self"))
    ):
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _replace(place: Path, data: bytes, force: bool) -> None:
    """Raises `OSError`."""
    fresh = not place.exists()
    descriptor, name = tempfile.mkstemp(
        dir=place.parent, prefix=f".{place.name[:40]}.", suffix=".part"
    )
    hidden = Path(name)
    with scratch(hidden):
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        hidden.chmod(_mode(place))
        if fresh and not force:
            try:
                sync(hidden)
                os.link(hidden, place)
            except FileExistsError as error:  # somebody has made it since
                message = "the file exists already"
                raise _refused(place, "exists", message, IN_THE_WAY) from error
            except OSError:  # not all file systems have links
                settle(hidden, place)
                return
            hidden.unlink()
            sync(place.parent)
            return
        settle(hidden, place)


def _mode(place: Path) -> int:
    """That of the old file, or of any new one: temporary files are private, others are not."""
    with contextlib.suppress(OSError):
        return stat.S_IMODE(place.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _refused(path: Path, code: str, message: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Diagnostic(Place(str(path)), code, message, hint)])


# ---- the steps


@contextlib.contextmanager
def scratch(hidden: Path) -> Iterator[None]:
    """While a file has a name that is not its own: it is gone if something comes between."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise


def settle(hidden: Path, path: Path) -> None:
    """Give a file that has been written its name. Raises `OSError`; then the old one stays."""
    sync(hidden)
    hidden.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    if path.is_dir() and os.name != "posix":  # elsewhere folders cannot be opened
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # or Windows refuses
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
