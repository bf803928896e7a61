"""The folder of a run: what has been computed is in it, whatever happens next.

::

    RESULTS/run.json                  what was asked, once (`RunRecord`)
    RESULTS/worlds/part-00000.parquet rows of some hundred worlds each
    RESULTS/journal.jsonl             rows since the last part: one line of JSON for each world
    RESULTS/.lock                     held by the process that writes

Each world is appended to the journal when it comes. From time to time the journal becomes a part:
it is written under another name, brought to the disk, renamed, and only then is the journal begun
anew. A process that is killed in between leaves rows that stand in both, which readers count once.
A torn line at the end of the journal is a world that has not been solved. Nothing else can be left
behind but files whose names begin with a dot, which readers do not look at and the next writer
removes.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from detente.errors import Diagnostic, Place, ScenarioError
from detente.worlds.batch import (
    Batch,
    Row,
    World,
    from_line,
    has_crashed,
    has_failed,
    to_line,
    world_of,
)
from detente.worlds.parts import any_crashed, copy_without_crashed, worlds_in, write_part
from detente.worlds.record import RunRecord

RECORD = "run.json"
JOURNAL = "journal.jsonl"
PARTS = "worlds"
LOCK = ".lock"

PART = 500
"""Worlds in a part: some megabytes of memory while they wait, and some hundred files in the end."""

SYNC = 1.0
"""Seconds after which the journal is brought to the disk: what a power cut can cost."""


class Store:
    """A run's folder, open for writing. Used in a `with` block; see `create` and `resume`.

    record
        What was asked.
    done, failed
        The worlds that are in the folder, and how many of them have a row that failed.
    """

    def __init__(self, folder: Path, record: RunRecord, lock: FileLock) -> None:
        self.folder = folder
        self.record = record
        self._lock = lock
        _sweep(folder)
        found = contents(folder, record)
        self._parts = 1 + max((_number(part) for part in found.parts), default=-1)
        self._batch = found.rows
        self.done = found.worlds
        self.failed = found.failed
        self._journal = self._begin_journal()
        self._length = os.fstat(self._journal).st_size
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, rows: Sequence[Row]) -> bool:
        """Keep the rows of one world; False if it is there already. Raises `OSError`."""
        if world_of(rows) in self.done:
            return False
        line = f"{to_line(rows)}\n".encode()
        try:
            _write_all(self._journal, line)
        except OSError:
            # Half a line is no harm, but its room may be needed.
            with contextlib.suppress(OSError):
                os.ftruncate(self._journal, self._length)
            raise
        self._length += len(line)
        self.done.add(world_of(rows))
        self.failed += has_failed(rows)
        self._batch.append(rows)
        if time.monotonic() - self._synced > SYNC:
            os.fsync(self._journal)
            self._synced = time.monotonic()
        if len(self._batch.worlds) >= PART:
            self.compact()
        return True

    def compact(self) -> None:
        """Make the journal a part and begin it anew. Raises `OSError`; then all stays as it was."""
        if not self._batch.worlds:
            return
        with _whole(self.folder / PARTS / f"part-{self._parts:05d}.parquet") as hidden:
            write_part(self._batch, hidden)
        self._parts += 1
        os.ftruncate(self._journal, 0)
        os.fsync(self._journal)
        self._length = 0
        self._batch = Batch(self._batch.types)

    def draw_on(self, record: RunRecord) -> None:
        """Go on with another record: the same run with more draws."""
        write_record(self.folder, record)
        self.record = record

    def close(self) -> None:
        """Bring the journal to the disk and let others write."""
        if self._journal < 0:
            return
        with contextlib.suppress(OSError):
            os.fsync(self._journal)
        os.close(self._journal)
        self._journal = -1
        self._lock.release()

    def _begin_journal(self) -> int:
        """The journal, open at its end, with the rows at hand and nothing else in it."""
        path = self.folder / JOURNAL
        lines = [line for line in _lines(path) if world_of(from_line(line)) in self._batch.worlds]
        size = path.stat().st_size if path.exists() else 0
        if sum(map(len, lines)) != size:  # torn, or in a part already
            _write_whole(path, b"".join(lines))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)


def create(folder: Path, record: RunRecord) -> Store:
    """Begin a run in a folder that is empty or not there yet.

    Raises
    ------
    ScenarioError
        If it holds something, or cannot be written.
    """
    check_empty(folder)
    with _telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder)
        try:
            check_empty(folder)  # another run may have begun since
            (folder / PARTS).mkdir(exist_ok=True)
            write_record(folder, record)
            return Store(folder, record, lock)
        except BaseException:
            lock.release()
            raise


def resume(folder: Path) -> Store:
    """Go on with the run in a folder.

    Worlds whose process died are taken out, to be tried again: that may have been the machine's
    fault, and is the only result that does not follow from the world alone.

    Raises
    ------
    ScenarioError
        If there is none, or it cannot be written, or another process writes it.
    """
    read_record(folder)
    with _telling(folder):
        lock = _locked(folder)
        try:
            (folder / PARTS).mkdir(exist_ok=True)
            record = read_record(folder)
            _take_out_crashed(folder)
            return Store(folder, record, lock)
        except BaseException:
            lock.release()
            raise


def _take_out_crashed(folder: Path) -> None:
    lines = list(_lines(folder / JOURNAL))
    others = [line for line in lines if not has_crashed(from_line(line))]
    if len(others) < len(lines):
        _write_whole(folder / JOURNAL, b"".join(others))
    with _reading(folder):
        crashed = [part for part in _parts(folder) if any_crashed(part)]
    for part in crashed:
        with _whole(part) as hidden:
            copy_without_crashed(part, hidden)


def check_empty(folder: Path) -> None:
    """Refuse a folder in which no run can begin."""
    with _telling(folder):
        if not folder.exists():
            return
        if not folder.is_dir():
            _refuse(folder, "cannot-write", "it is a file", "give the name of a folder")
        if (folder / RECORD).exists():
            message = "there is a run in this folder already"
            _refuse(folder, "exists", message, "go on with it by --resume, or name another folder")
        others = sorted(path.name for path in folder.iterdir() if not _ours(path))
        if others:
            message = f"the folder holds something else: {', '.join(others[:3])}"
            _refuse(folder, "exists", message, "name a new folder")


def read_record(folder: Path) -> RunRecord:
    """The record of the run in a folder. Raises `ScenarioError` if there is none."""
    path = folder / RECORD
    try:
        return RunRecord.from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        message = "there is no run in this folder" if folder.is_dir() else "there is no such folder"
        _refuse(folder, "no-run", message, "detente ensemble SCENARIO -o RESULTS begins one")
    except OSError as error:
        _refuse(folder, "cannot-read", f"{RECORD} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        message = f"{RECORD} is not the record of a run, or of another version"
        _refuse(folder, "no-run", message)
    raise AssertionError  # not reached


def write_record(folder: Path, record: RunRecord) -> None:
    _write_whole(folder / RECORD, f"{record.to_json()}\n".encode())


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a run's folder: parts, rows that are in none of them, the worlds of both, and how
    many of these have a row that failed."""

    parts: tuple[Path, ...]
    rows: Batch
    worlds: set[World]
    failed: int


def contents(folder: Path, record: RunRecord) -> Contents:
    """What is in the folder, whether or not it is being written. Raises `ScenarioError`."""
    # The journal first: what becomes a part meanwhile is then seen in both, not in neither.
    lines = list(_lines(folder / JOURNAL))
    parts = _parts(folder)
    with _reading(folder):
        found = worlds_in(parts)
    batch = Batch(record.columns())
    for line in lines:
        rows = from_line(line)
        if world_of(rows) not in found:
            batch.append(rows)
            found[world_of(rows)] = has_failed(rows)
    return Contents(parts, batch, set(found), sum(found.values()))


def _lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a journal. After one that is none, as a power cut may leave it, no other
    is read: its worlds are solved again."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                from_line(line)
            except ValueError:
                return
            if not line.endswith(b"\n"):
                return
            yield line


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _write_whole(path: Path, data: bytes) -> None:
    with _whole(path) as hidden:
        hidden.write_bytes(data)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name under which to write a file, so that it stands there whole or the old one stays: it is
    brought to the disk, then renamed."""
    hidden = path.with_name(f".{path.name}")
    try:
        yield hidden
        _sync(hidden)
        hidden.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    if path.is_dir() and os.name != "posix":  # elsewhere folders cannot be opened
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # or Windows refuses
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what a writer left behind that was killed."""
    for path in [*folder.glob(".*.jsonl"), *folder.glob(".*.json"), *(folder / PARTS).glob(".*")]:
        path.unlink(missing_ok=True)


def _ours(path: Path) -> bool:
    """Whether a file is of a run that was killed before it had begun."""
    if path.name == PARTS:
        return path.is_dir() and not any(path.iterdir())
    return path.name in (LOCK, f".{RECORD}")


def _parts(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted((folder / PARTS).glob("part-*.parquet")))


def _number(part: Path) -> int:
    return int(part.stem.removeprefix("part-"))


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = "another process is writing this run"
        _refuse(folder, "in-use", message, "wait for it, or end it; what it has done is kept")
    return lock


@contextlib.contextmanager
def _telling(
    folder: Path, code: str = "cannot-write", what: str = "cannot be written"
) -> Iterator[None]:
    """Tell what the system refuses as a mistake in the folder's name."""
    try:
        yield
    except OSError as error:
        _refuse(folder, code, f"{what}: {error.strerror}")


def _reading(folder: Path) -> contextlib.AbstractContextManager[None]:
    """The same of a part that cannot be read."""
    return _telling(folder, "cannot-read", "a part cannot be read")


def _refuse(folder: Path, code: str, message: str, hint: str = "") -> None:
    raise ScenarioError([Diagnostic(Place(str(folder)), code, message, hint)])
