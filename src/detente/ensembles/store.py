"""The folder of a run: what has been solved is in it, whatever happens next.

::

    RESULTS/run.json              what is solved (`Manifest`), and a copy in run.copy.json
    RESULTS/rows/part-….parquet   rows of some hundred draws each
    RESULTS/.lock                 held by the process that writes

Every few seconds the last part is written anew with the rows that have come since, until it has its
size: under another name, flushed to disk, and renamed. Only then is the old file removed.
So a process that is killed, or a power cut, costs the rows of the last seconds, and a full disk
nothing. Nothing else can be left behind but files whose names begin with a dot, which readers do
not look at, and parts that have been written anew; the next writer removes both.

Disks lose bits. All files carry a digest; readers refuse what is not what was written, by name, and
the next writer throws it away, so that its draws are solved again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn, Self

from filelock import FileLock, Timeout

from detente.ensembles.manifest import Manifest
from detente.ensembles.parts import (
    Batch,
    Parts,
    find_parts,
    part_number,
    tasks_in,
    write_part,
)
from detente.ensembles.rows import CRASHED, SOLVED, Key, Row, key_of
from detente.errors import Diagnostic, Place, ScenarioError, Severity
from detente.files import scratch, settle

MANIFEST, COPY, PARTS, LOCK = "run.json", "run.copy.json", "rows", ".lock"

PART = 500
"""Tasks in a part: some megabytes of memory while they wait, and some hundred files in the end."""

EVERY = 5.0
"""Seconds after which the last part is written anew: what a power cut can cost."""

COST = 20.0
"""Times as long as it took to write the last part, until it is written anew if that is longer."""


class Store:
    """A run's folder, open for writing. Used in a `with` block; see `create` and `resume`.

    manifest
        What is solved.
    done, failed
        The tasks whose rows are there, and those of them that have a row that failed.
    """

    def __init__(self, folder: Path, manifest: Manifest, lock: FileLock) -> None:
        self.folder, self.manifest, self._lock = folder, manifest, lock
        parts = _sweep(folder)
        tasks = tasks_in(parts)
        self._number = 1 + max((part_number(part)[0] for part in parts), default=-1)
        self._crashed = {key for key, (died, _) in tasks.items() if died}
        self.done = tasks.keys() - self._crashed
        self.failed = {key for key, (_, failed) in tasks.items() if failed}
        self._begin()

    def _begin(self) -> None:
        """Begin a new part."""
        self._batch = Batch(self.manifest.columns())
        self._last: Path | None = None
        self._times, self._written = 0, set[Key]()
        self._due = time.monotonic() + EVERY

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def kept(self) -> set[Key]:
        """The tasks that are on the disk."""
        return self.done - (self._batch.keys - self._written)

    def append(self, rows: Sequence[Row]) -> bool:
        """Keep the rows of a task; False if they are there already. Raises `OSError`."""
        key = key_of(rows)
        if key in self.done:
            return False
        self.done.add(key)
        if any(row["status"] != SOLVED for row in rows):
            self.failed.add(key)
        # Of what has crashed again the rows are there.
        if not (key in self._crashed and rows[0]["status"] == CRASHED):
            self._batch.append(rows)
        self.tick()
        return True

    def tick(self) -> None:
        """Write what has come, if it is time. Raises `OSError`."""
        if len(self._batch.keys) >= PART or time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write what has come. Raises `OSError`; then all stays as it was."""
        begin = time.monotonic()
        if len(self._batch.keys) > len(self._written):
            part = write_part(self._batch, self.folder / PARTS, self._number, self._times)
            if self._last is not None:
                self._last.unlink(missing_ok=True)
            self._last, self._times = part, self._times + 1
            self._written = set(self._batch.keys)
        now = time.monotonic()
        self._due = now + max(EVERY, COST * (now - begin))
        if len(self._written) >= PART:
            self._number += 1
            self._begin()

    def extend(self, manifest: Manifest) -> None:
        """Resume with another manifest: the same run with more draws."""
        write_manifest(self.folder, manifest)
        self.manifest = manifest

    def close(self) -> None:
        """Keep what has come, if that can be, and let others write."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self.flush()
            self._lock.release()


def create(folder: Path, manifest: Manifest) -> Store:
    """Begin a run in a folder that is empty or not there yet.

    Raises
    ------
    ScenarioError
        If it holds something, or cannot be written.
    """
    check_empty(folder)
    with _refusing(folder, *WRITING):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder) as lock:
            check_empty(folder)  # another run may have begun since
            (folder / PARTS).mkdir(exist_ok=True)
            write_manifest(folder, manifest)
            return Store(folder, manifest, lock)


def resume(folder: Path) -> Store:
    """Resume the run in a folder.

    Draws whose process died are solved again: that may have been the machine's fault, and is the
    only result that does not follow from the draw alone. What is damaged is thrown away.

    Raises
    ------
    ScenarioError
        If there is none, or it cannot be written, or another process writes it.
    """
    read_manifest(folder, copy=True)
    with _refusing(folder, *WRITING), _locked(folder) as lock:
        (folder / PARTS).mkdir(exist_ok=True)
        manifest = read_manifest(folder, copy=True)
        write_manifest(folder, manifest)
        for part in find_parts(folder / PARTS).damaged:
            part.unlink()
        return Store(folder, manifest, lock)


def _sweep(folder: Path) -> Sequence[Path]:
    """Remove what a writer left behind that was killed; the parts that are there."""
    parts = sound_parts(folder)
    for path in (*folder.glob(".*.json"), *(folder / PARTS).glob(".*"), *parts.old):
        path.unlink(missing_ok=True)
    return parts.whole


def check_empty(folder: Path) -> None:
    """Refuse a folder in which no run can begin."""
    with _refusing(folder, *WRITING):
        if not folder.exists():
            return
        if not folder.is_dir():
            _refuse(folder, "cannot-write", "it is a file", "give the name of a folder")
        if (folder / MANIFEST).exists():
            message = "there is a run in this folder already"
            _refuse(folder, "exists", message, "resume it with `resume=True`")
        others = sorted(path.name for path in folder.iterdir() if not _ours(path))
        if others:
            message = f"the folder holds something else: {', '.join(others[:3])}"
            _refuse(folder, "exists", message, "name a new folder")


def _ours(path: Path) -> bool:
    """Whether a file is of a run that was killed before it had begun."""
    if path.name == PARTS:
        return path.is_dir() and not any(path.iterdir())
    return path.name in (LOCK, f".{MANIFEST}")


# ---- the manifest and its copy


def read_manifest(folder: Path, *, copy: bool = False) -> Manifest:
    """The manifest of the run in a folder; with `copy` its copy will do where it is damaged.

    Raises `ScenarioError` if there is none.
    """
    try:
        return Manifest.from_json((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        message = "there is no run in this folder" if folder.is_dir() else "there is no such folder"
        _refuse(folder, "no-run", message, "`ensemble` begins one")
    except OSError as error:
        _refuse(folder, "cannot-read", f"{MANIFEST} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = Manifest.from_json((folder / COPY).read_text("utf-8"))
            if copy:
                return kept
            _refuse_damaged(folder, [MANIFEST])
        message = f"{MANIFEST} is not the manifest of a run, or of another version, or damaged"
        _refuse(folder, "no-run", message, "name another folder for a new run")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest and its copy, where they are not there."""
    data = f"{manifest.to_json()}\n".encode()
    for path in (folder / MANIFEST, folder / COPY):
        if not path.exists() or path.read_bytes() != data:
            hidden = path.with_name(f".{path.name}")
            with scratch(hidden):
                hidden.write_bytes(data)
                settle(hidden, path)


# ---- what is in a folder, whether or not it is being written


def sound_parts(folder: Path) -> Parts:
    """The parts, all of which are whole. Raises `ScenarioError`."""
    with _refusing(folder, *READING):
        parts = find_parts(folder / PARTS)
    if parts.strange:
        message = f"a part cannot be read: {PARTS}/{parts.strange[0].name} is none of this version"
        _refuse(folder, "cannot-read", message, "move it out of the folder")
    if parts.damaged:
        _refuse_damaged(folder, [f"{PARTS}/{part.name}" for part in parts.damaged])
    return parts


def damage(folder: Path) -> list[Diagnostic]:
    """What is damaged in a folder and can be done without. Raises `ScenarioError`."""
    lost = []
    read_manifest(folder, copy=True)
    try:
        read_manifest(folder)
    except ScenarioError:
        lost.append(f"{MANIFEST} is not what was written: its copy is taken")
    with _refusing(folder, *READING):
        lost += [
            f"{PARTS}/{part.name} is not what was written: its draws are solved again"
            for part in find_parts(folder / PARTS).damaged
        ]
    place = Place(str(folder))
    return [Diagnostic(place, "damaged", text, severity=Severity.WARNING) for text in lost]


# ---- what the system refuses


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[FileLock]:
    """The folder's lock, which stays unless the block fails."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = "another process is writing this run"
        _refuse(folder, "in-use", message, "wait for it, or end it; what it has done is kept")
    try:
        yield lock
    except BaseException:
        lock.release()
        raise


READING = "cannot-read", "a part cannot be read"
WRITING = "cannot-write", "cannot be written"


@contextlib.contextmanager
def _refusing(folder: Path, code: str, what: str) -> Iterator[None]:
    """Say of a folder what the system refuses."""
    try:
        yield
    except OSError as error:
        _refuse(folder, code, f"{what}: {error.strerror}")


def _refuse_damaged(folder: Path, names: Sequence[str]) -> NoReturn:
    verb = "is" if len(names) == 1 else "are"
    message = f"{', '.join(names)} {verb} damaged: not what was written"
    hint = "resume the run with `resume=True`: what is lost is solved again"
    _refuse(folder, "damaged", message, hint)


def _refuse(folder: Path, code: str, message: str, hint: str = "") -> NoReturn:
    raise ScenarioError([Diagnostic(Place(str(folder)), code, message, hint)])
