"""Arrays put aside in a temporary file, where memory is short.

The file has no name, or loses it as it is made: it goes with whoever holds it, also when the
process is killed. It stands where the user's cache is, as a folder for temporary files may be in
memory itself.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, overload

import numpy as np
import platformdirs

from detente.dtypes import Floats
from detente.errors import SolveError
from detente.solver.kernels.cache import VARIABLE

Shelf = MutableMapping[int, Floats]
"""Arrays by number: a dictionary, or a `FileShelf`. What is taken from it is not to be changed."""


def shelf_folder() -> Path:
    """Where files are made: the user's cache, or where temporary files are if there is none."""
    base = Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("detente"))
    return base if os.access(base, os.W_OK) else Path(tempfile.gettempdir())


def free_on_disk() -> int:
    """Bytes that are free there; 0 where that cannot be known."""
    try:
        return shutil.disk_usage(shelf_folder()).free
    except OSError:
        return 0


class FileShelf(MutableMapping[int, Floats]):
    """Arrays by number in a file, each read anew whenever it is asked for.

    The room of what was taken away is given back when nothing is left.

    Raises
    ------
    SolveError
        When the file cannot be written, as when the disk is full.
    """

    def __init__(self) -> None:
        folder = shelf_folder()
        try:
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        except OSError as error:
            raise _unwritten(folder, error) from None
        weakref.finalize(self, self._file.close)
        self._places: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._end = 0
        self._lock = Lock()

    def __setitem__(self, number: int, array: Floats) -> None:
        """Write an array, which may then be changed."""
        left = _bytes(np.ascontiguousarray(array))
        with self._lock:
            self._places[number] = self._end, array.shape
            self._file.seek(self._end)
            self._end += len(left)
            try:
                while left:
                    left = left[self._file.write(left) :]
            except OSError as error:
                raise _unwritten(shelf_folder(), error) from None

    def __getitem__(self, number: int) -> Floats:
        begin, shape = self._places[number]
        array = np.empty(shape)
        left = _bytes(array)
        with self._lock:
            self._file.seek(begin)
            while left:
                left = left[self._file.readinto(left) :]
        return array

    def __delitem__(self, number: int) -> None:
        with self._lock:
            del self._places[number]
            if not self._places:
                self._file.truncate(0)
                self._end = 0

    def clear(self) -> None:
        """Take all away, unread."""
        for number in tuple(self._places):
            del self[number]

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is in memory: the file is for this process alone."""
        return dict, (dict(self),)

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class Row(Sequence[Floats]):
    """Arrays one after the other, on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def append(self, array: Floats) -> None:
        """Add one, which is not to be changed any more."""
        self._shelf[len(self._shelf)] = array

    def __len__(self) -> int:
        return len(self._shelf)

    @overload
    def __getitem__(self, k: int) -> Floats: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[Floats]: ...
    def __getitem__(self, k: int | slice) -> Floats | Sequence[Floats]:
        numbers = range(len(self))[k]
        if isinstance(numbers, int):
            return self._shelf[numbers]
        return [self._shelf[number] for number in numbers]


def _unwritten(folder: Path, error: OSError) -> SolveError:
    return SolveError(
        f"a temporary file in {folder} could not be written: {error.strerror}."
        "\nhint: make room there, use fewer belief points or allow more memory"
    )


def _bytes(array: Floats) -> memoryview:
    """An array in one piece as bytes."""
    return array.reshape(-1).view(np.uint8).data
