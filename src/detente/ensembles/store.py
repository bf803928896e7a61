"""The folder of a run: what has been computed is in it, whatever happens next.

::

    RESULTS/run.json             what was asked, once (`Manifest`), and a copy in run.copy.json
    RESULTS/worlds/part-….parquet rows of some hundred worlds each
    RESULTS/journal.jsonl        rows since the last part: a check sum and JSON for each world
    RESULTS/.lock                held by the process that writes

Each world is appended to the journal when it comes. From time to time the journal becomes a part:
it is written under another name, flushed to disk, renamed, and only then is the journal begun
anew. A process that is killed in between leaves rows that stand in both, which readers count once.
A torn line at the end of the journal is a world that has not been solved. Nothing else can be left
behind but files whose names begin with a dot, which readers do not look at and the next writer
removes.

Disks lose bits. All files carry a digest; readers refuse what is not what was written, by name, and
the next writer throws it away, so that its worlds are solved again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock

from detente.ensembles.batch import (
    Batch,
    Row,
    World,
    from_line,
    has_crashed,
    has_failed,
    to_line,
    world_of,
)
from detente.ensembles.folder import LOCK, locked, reading, refuse, refuse_damaged, telling
from detente.ensembles.journal import read_journal
from detente.ensembles.manifest import Manifest
from detente.ensembles.row_files import (
    any_crashed,
    copy_without_crashed,
    digest,
    find_parts,
    part_name,
    part_number,
    worlds_in,
    write_part,
)
from detente.errors import Diagnostic, Place, ScenarioError, Severity
from detente.files import scratch, settle

RECORD = "run.json"
COPY = "run.copy.json"
JOURNAL = "journal.jsonl"
PARTS = "worlds"

PART = 500
"""Worlds in a part: some megabytes of memory while they wait, and some hundred files in the end."""

SYNC = 1.0
"""Seconds after which the journal is flushed to disk: what a power cut can cost."""


class Store:
    """A run's folder, open for writing. Used in a `with` block; see `create` and `resume`.

    manifest
        What was asked.
    done, failed
        The worlds that are in the folder, and how many of them have a row that failed.
    """

    def __init__(self, folder: Path, manifest: Manifest, lock: FileLock) -> None:
        self.folder = folder
        self.manifest = manifest
        self._lock = lock
        _sweep(folder)
        found = contents(folder, manifest)
        self._parts = 1 + max((part_number(part)[0] for part in found.parts), default=-1)
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
        _write_part(self.folder, self._parts, 0, partial(write_part, self._batch))
        self._parts += 1
        os.ftruncate(self._journal, 0)
        os.fsync(self._journal)
        self._length = 0
        self._batch = Batch(self._batch.types)

    def draw_on(self, manifest: Manifest) -> None:
        """Resume with another manifest: the same run with more draws."""
        write_manifest(self.folder, manifest)
        self.manifest = manifest

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
        journal = read_journal(path)
        lines = [x for x in journal.lines if world_of(from_line(x)) in self._batch.worlds]
        if b"".join(lines) != journal.content:  # torn, or in a part already
            _write_whole(path, b"".join(lines))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)


def create(folder: Path, manifest: Manifest) -> Store:
    """Begin a run in a folder that is empty or not there yet.

    Raises
    ------
    ScenarioError
        If it holds something, or cannot be written.
    """
    check_empty(folder)
    with telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = locked(folder)
        try:
            check_empty(folder)  # another run may have begun since
            (folder / PARTS).mkdir(exist_ok=True)
            write_manifest(folder, manifest)
            return Store(folder, manifest, lock)
        except BaseException:
            lock.release()
            raise


def resume(folder: Path) -> Store:
    """Resume the run in a folder.

    Worlds whose process died are taken out, to be tried again: that may have been the machine's
    fault, and is the only result that does not follow from the world alone. What is damaged is
    thrown away.

    Raises
    ------
    ScenarioError
        If there is none, or it cannot be written, or another process writes it.
    """
    read_manifest(folder, copy=True)
    with telling(folder):
        lock = locked(folder)
        try:
            (folder / PARTS).mkdir(exist_ok=True)
            manifest = read_manifest(folder, copy=True)
            write_manifest(folder, manifest)
            _throw_away(folder)
            _take_out_crashed(folder)
            return Store(folder, manifest, lock)
        except BaseException:
            lock.release()
            raise


def damage(folder: Path) -> list[Diagnostic]:
    """What is damaged in a folder and can be done without. Raises `ScenarioError`."""
    found = []
    read_manifest(folder, copy=True)
    try:
        read_manifest(folder)
    except ScenarioError:
        found.append((RECORD, "its copy is taken"))
    again = "its worlds are solved again"
    with reading(folder):
        if read_journal(folder / JOURNAL).damaged:
            found.append((JOURNAL, "those of its worlds that cannot be read are solved again"))
        found += [(f"{PARTS}/{part.name}", again) for part in find_parts(folder / PARTS).damaged]
    return [
        Diagnostic(
            Place(str(folder)),
            "damaged",
            f"{name} is not what was written: {what}",
            severity=Severity.WARNING,
        )
        for name, what in found
    ]


def _throw_away(folder: Path) -> None:
    """Remove what is damaged, and files of parts that have been written anew."""
    journal = read_journal(folder / JOURNAL)
    if journal.damaged:
        _write_whole(folder / JOURNAL, b"".join(journal.lines))
    found = find_parts(folder / PARTS)
    for part in (*found.damaged, *found.old):
        part.unlink()


def _take_out_crashed(folder: Path) -> None:
    lines = read_journal(folder / JOURNAL).lines
    others = [line for line in lines if not has_crashed(from_line(line))]
    if len(others) < len(lines):
        _write_whole(folder / JOURNAL, b"".join(others))
    with reading(folder):
        crashed = [part for part in _parts(folder) if any_crashed(part)]
    for part in crashed:
        number, times = part_number(part)
        _write_part(folder, number, times + 1, partial(copy_without_crashed, part))
        part.unlink()


def check_empty(folder: Path) -> None:
    """Refuse a folder in which no run can begin."""
    with telling(folder):
        if not folder.exists():
            return
        if not folder.is_dir():
            refuse(folder, "cannot-write", "it is a file", "give the name of a folder")
        if (folder / RECORD).exists():
            message = "there is a run in this folder already"
            refuse(folder, "exists", message, "resume it with --resume, or name another folder")
        others = sorted(path.name for path in folder.iterdir() if not _ours(path))
        if others:
            message = f"the folder holds something else: {', '.join(others[:3])}"
            refuse(folder, "exists", message, "name a new folder")


def read_manifest(folder: Path, *, copy: bool = False) -> Manifest:
    """The manifest of the run in a folder; with `copy` its copy will do where it is damaged.

    Raises `ScenarioError` if there is none.
    """
    path = folder / RECORD
    try:
        return Manifest.from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        message = "there is no run in this folder" if folder.is_dir() else "there is no such folder"
        refuse(folder, "no-run", message, "detente ensemble SCENARIO -o RESULTS begins one")
    except OSError as error:
        refuse(folder, "cannot-read", f"{RECORD} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        kept = _copy_of_record(folder)
        if kept is not None and copy:
            return kept
        if kept is not None:
            refuse_damaged(folder, [RECORD])
        message = f"{RECORD} is not the manifest of a run, or of another version, or damaged"
        refuse(folder, "no-run", message, "name another folder for a new run")
    raise AssertionError  # not reached


def _copy_of_record(folder: Path) -> Manifest | None:
    try:
        return Manifest.from_json((folder / COPY).read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest and its copy, where they are not there."""
    data = f"{manifest.to_json()}\n".encode()
    for path in (folder / RECORD, folder / COPY):
        if not path.exists() or path.read_bytes() != data:
            _write_whole(path, data)


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a run's folder: parts, rows that are in none of them, the worlds of both, and how
    many of these have a row that failed."""

    parts: tuple[Path, ...]
    rows: Batch
    worlds: set[World]
    failed: int


def contents(folder: Path, manifest: Manifest) -> Contents:
    """What is in the folder, whether or not it is being written. Raises `ScenarioError`."""
    # The journal first: what becomes a part meanwhile is then seen in both, not in neither.
    with reading(folder):
        journal = read_journal(folder / JOURNAL)
    if journal.damaged:
        refuse_damaged(folder, [JOURNAL])
    parts = _parts(folder)
    with reading(folder):
        found = worlds_in(parts)
    batch = Batch(manifest.columns())
    for line in journal.lines:
        rows = from_line(line)
        if world_of(rows) not in found:
            batch.append(rows)
            found[world_of(rows)] = has_failed(rows)
    return Contents(parts, batch, set(found), sum(found.values()))


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _write_whole(path: Path, data: bytes) -> None:
    hidden = path.with_name(f".{path.name}")
    with scratch(hidden):
        hidden.write_bytes(data)
        settle(hidden, path)


def _write_part(folder: Path, number: int, times: int, write: Callable[[Path], None]) -> None:
    """Write a part, whose name says what is in it. Raises `OSError`; then nothing is left of it."""
    hidden = folder / PARTS / f".part-{number:05d}.parquet"
    with scratch(hidden):
        write(hidden)
        settle(hidden, hidden.with_name(part_name(number, times, digest(hidden))))


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
    """The parts, all of which are whole. Raises `ScenarioError`."""
    with reading(folder):
        found = find_parts(folder / PARTS)
    if found.strange:
        message = f"a part cannot be read: {PARTS}/{found.strange[0].name} is none of this version"
        refuse(folder, "cannot-read", message, "move it out of the folder")
    if found.damaged:
        refuse_damaged(folder, [f"{PARTS}/{part.name}" for part in found.damaged])
    return found.whole
