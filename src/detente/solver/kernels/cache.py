"""Where compiled kernels are kept, and how they come back: whole, and from nobody else.

What Numba loads from its cache is unpickled and linked, so it runs as code. Hence two rules. The
folder is this user's alone: where others could have written to it, nothing is read from it. And
each file ends with a digest of what it holds and of the versions that wrote it: one that is torn
or garbled, which could crash the process when it is linked, is thrown away and compiled anew.
(Numba reads a file up to the end of what was pickled, so that the digest is not in its way.)
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import platformdirs
from numba.core.caching import FunctionCache, IndexDataCacheFile

VARIABLE = "DETENTE_CACHE_DIR"
OTHERS = stat.S_IWGRP | stat.S_IWOTH
ENTERED = stat.S_IXGRP | stat.S_IXOTH
DIGEST = hashlib.sha256().digest_size


def cache_folder(name: str) -> tuple[Path, str]:
    """The folder for the kernels of this version, and a remark where it is not the usual one.

    Where that is not private or cannot be written, the temporary folder has one that is this
    user's, and where somebody else has taken its name, one for this process and those it starts.
    """
    base = Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("detente"))
    folder = base / name
    usual = _made(base) and _made(folder)
    if usual and is_private(base, deep=False) and is_private(folder):
        return folder, ""
    why = f"others can write to {base}, or it is not yours" if usual else f"{base} is not writable"
    own = Path(tempfile.gettempdir()) / f"detente-{_user()}"
    folder = own / name
    if _made(own) and is_private(own) and _made(folder) and is_private(folder):
        return folder, f"{why}: compiled kernels are kept in {own}"
    fresh = Path(tempfile.mkdtemp(prefix="detente-"))
    atexit.register(shutil.rmtree, fresh, ignore_errors=True)
    os.environ[VARIABLE] = str(fresh)  # processes that this one starts need not compile again
    (fresh / name).mkdir(mode=0o700)
    return fresh / name, f"{why}: kernels are compiled every time"


def is_private(folder: Path, *, deep: bool = True) -> bool:
    """Whether only this user can have written a folder, and with `deep` all that is in it.

    The folder that names are looked up in may be reached by a link; what is in it may not. What is
    in a folder that others cannot enter is out of their reach, whatever the umask made of it.
    """
    if os.name != "posix":  # where a user's folders are the user's
        return True
    try:
        looks = [folder.lstat() if deep else folder.stat()]
        if deep and looks[0].st_mode & ENTERED:
            looks += [path.lstat() for path in folder.rglob("*")]
    except OSError:
        return False
    return stat.S_ISDIR(looks[0].st_mode) and all(
        look.st_uid == os.getuid() and not look.st_mode & OTHERS and not stat.S_ISLNK(look.st_mode)
        for look in looks
    )


def _made(folder: Path) -> bool:
    """Whether the folder is there and can be written; if it was not there it is private."""
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _user() -> str:
    return str(os.getuid()) if os.name == "posix" else "kernels"


class SealedFile(IndexDataCacheFile):
    """Numba's files of one function, each with a digest at its end."""

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        data = content.getvalue()
        with super()._open_for_write(filepath) as file:
            file.write(data + _digest(data))

    def _load_index(self) -> dict[Any, Any]:
        return super()._load_index() if _is_whole(Path(self._index_path)) else {}

    def _load_data(self, name: str) -> Any:
        if not _is_whole(Path(self._data_path(name))):
            raise FileNotFoundError(name)  # which Numba takes for: compile it
        return super()._load_data(name)


def _is_whole(path: Path) -> bool:
    """Whether a file is there as it was written. Raises `OSError` where it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return content[-DIGEST:] == _digest(content[:-DIGEST])


def _digest(data: bytes) -> bytes:
    versions = f"{numba.__version__} {llvmlite.__version__} ".encode()
    return hashlib.sha256(versions + data).digest()


class SealedCache(FunctionCache):
    """Numba's cache of one function over `SealedFile`; what fails costs time and nothing else."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        plain = self._cache_file
        self._cache_file = SealedFile(
            self._cache_path, self._impl.filename_base, plain._source_stamp
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except OSError:
            return None

    def is_kept(self) -> bool:
        """Whether something has been saved, whole or not."""
        return Path(self._cache_file._index_path).exists()

    def is_kept_for(self, kind: str) -> bool:
        """Whether it has been saved for arguments among which one is of this kind."""
        try:
            return any(kind in str(signature) for signature, *_ in self._cache_file._load_index())
        except OSError:
            return False

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # a full disk
            super().save_overload(sig, data)
