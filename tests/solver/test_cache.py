"""The cache of compiled kernels: it is attacked, and the run goes on."""

from __future__ import annotations

import os
import random
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from detente.solver.kernels import cache

PROGRAM = """
import sys
import numba
from detente.solver.kernels import cache
numba.config.CACHE_DIR = sys.argv[1]
def half(x):
    return x / 2
half = numba.njit(half)
half._cache = cache.SealedCache(half.py_func)
assert half(3.0) == 1.5
print(sum(half.stats.cache_hits.values()), sum(half.stats.cache_misses.values()))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "halves.py"
    file.write_text(PROGRAM)
    return file


def hits(program: Path, folder: Path) -> list[int]:
    """In a process of its own: loads from the cache, and compilations."""
    done = subprocess.run(
        [sys.executable, str(program), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [int(word) for word in done.stdout.split()]


def files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    assert [path.suffix for path in found] == [".nbc", ".nbi"]
    return found


@pytest.mark.slow
def test_torn_and_garbled_files_are_compiled_anew(program: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    assert hits(program, folder) == [0, 1]
    assert hits(program, folder) == [1, 0]
    whole = {path: path.read_bytes() for path in files(folder)}
    rng = random.Random(1)
    for path, content in whole.items():
        attacks = [content[: round(0.3 * len(content))]]
        garbled = bytearray(content)
        garbled[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        attacks.append(bytes(garbled))
        for attack in attacks:
            path.write_bytes(attack)
            assert hits(program, folder) == [0, 1]
    assert hits(program, folder) == [1, 0]  # and all has been mended


def test_every_flipped_bit_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = bytes(range(256))
    path.write_bytes(content + cache._digest(content))
    assert cache._is_whole(path)
    for at in range(8 * path.stat().st_size):
        garbled = bytearray(path.read_bytes())
        garbled[at // 8] ^= 1 << at % 8
        path.with_name("other").write_bytes(garbled)
        assert not cache._is_whole(path.with_name("other"))


def test_files_of_other_versions_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" + cache._digest(b"x"))
    monkeypatch.setattr("llvmlite.__version__", "0.0.1")
    assert not cache._is_whole(path)


def test_a_cache_that_cannot_be_read_or_written_costs_time_only(
    program: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    hits(program, folder)
    for path in files(folder):
        path.unlink()
        path.mkdir()  # neither can be done, also by root
    assert hits(program, folder) == [0, 1]


# --- whose folder it is ---

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes")


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the variable names, in a world of its own."""
    (tmp_path / "shared").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "shared"))
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "mine"))
    return tmp_path / "mine"


@posix
def test_the_folder_is_private(base: Path) -> None:
    folder, remark = cache.cache_folder("kernels-1")
    assert (folder, remark) == (base / "kernels-1", "")
    for path in (folder, base):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert cache.cache_folder("kernels-1") == (folder, "")


def plant_file_of_others(base: Path) -> None:
    (base / "kernels-1" / "sub").mkdir(parents=True)
    (base / "kernels-1" / "sub" / "evil.nbc").write_bytes(b"")
    (base / "kernels-1" / "sub" / "evil.nbc").chmod(0o666)


def plant_link(base: Path) -> None:
    base.mkdir(mode=0o700)
    (base.parent / "elsewhere").mkdir(mode=0o700)
    (base / "kernels-1").symlink_to(base.parent / "elsewhere")


@posix
@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
@pytest.mark.parametrize("inner", [False, True])
def test_a_folder_that_others_can_write_is_not_read(base: Path, mode: int, inner: bool) -> None:
    (base / "kernels-1").mkdir(parents=True)
    (base / "kernels-1" if inner else base).chmod(mode)
    folder, remark = cache.cache_folder("kernels-1")
    assert folder == base.parent / "shared" / f"detente-{os.getuid()}" / "kernels-1"
    assert remark == (
        f"others can write to {base}, or it is not yours: compiled kernels are kept in "
        f"{folder.parent}"
    )
    for path in (folder, folder.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@posix
@pytest.mark.parametrize("plant", [plant_file_of_others, plant_link])
def test_what_others_may_have_planted_is_not_read(base: Path, plant: object) -> None:
    plant(base)  # type: ignore[operator]
    folder, remark = cache.cache_folder("kernels-1")
    assert base not in folder.parents
    assert "others can write" in remark


@posix
@pytest.mark.parametrize("taken", ["of another", "open", "link", "file"])
def test_a_name_that_another_has_taken_in_the_temporary_folder(
    base: Path, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.write_text("a file: no folder can be made here")
    own = base.parent / "shared" / f"detente-{os.getuid()}"
    if taken == "file":
        own.write_text("")
    elif taken == "link":
        (base.parent / "elsewhere").mkdir(mode=0o777)
        (base.parent / "elsewhere").chmod(0o777)
        own.symlink_to(base.parent / "elsewhere")
    else:
        own.mkdir(mode=0o700)
        (own / "kernels-1").mkdir(mode=0o700)
    if taken == "open":
        (own / "kernels-1").chmod(0o777)
    if taken == "of another":
        uid = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: uid + 1)
        own.rename(own.with_name(f"detente-{uid + 1}"))
    folder, remark = cache.cache_folder("kernels-1")
    assert remark == f"{base} is not writable: kernels are compiled every time"
    assert folder.parent.parent == base.parent / "shared"
    assert folder.parent not in (own, own.with_name(f"detente-{os.getuid()}"))
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert os.environ[cache.VARIABLE] == str(folder.parent)  # for the processes of this one


@posix
def test_what_a_lax_umask_leaves_in_a_folder_that_none_can_enter_is_read(base: Path) -> None:
    before = os.umask(0o002)
    try:
        folder, _ = cache.cache_folder("kernels-1")
        (folder / "sub").mkdir()
        (folder / "sub" / "one.nbc").write_bytes(b"")
    finally:
        os.umask(before)
    assert cache.cache_folder("kernels-1") == (folder, "")


def test_the_kernels_are_kept_in_such_a_cache() -> None:
    from detente.solver.kernels import backward, forward, jit

    for compiled in (
        backward.sweep_two_types,
        backward.trace_lines,
        backward.sweep_several,
        forward.push,
    ):
        assert isinstance(compiled._cache, cache.SealedCache)
        assert jit.CACHE in Path(compiled._cache.cache_path).parents
