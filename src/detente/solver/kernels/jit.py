"""Compiles kernels with Numba, once for each version of their sources.

Numba's disk cache looks at the file of a function, not at the files of the functions that it
calls, so it would keep a stale kernel after an edit elsewhere. The cache folder is therefore
named by a hash of all kernel sources: edited kernels have a cache of their own. What else is asked
of the cache stands in `cache`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from detente.solver.kernels.cache import SealedCache, cache_folder

Kernel = Callable[..., Any]


def _version() -> str:
    """The name of the folder for this version of the sources."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return f"kernels-{digest.hexdigest()[:16]}"


CACHE, REMARK = cache_folder(_version())
"""Where compiled kernels are kept, and what is to be said of it, if anything."""

SETTINGS: Any = numba.config

DEVICE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}


def kernel(function: Kernel) -> Kernel:
    """Compile a function of arrays and numbers: no Python objects, no GIL, kept on disk."""
    before = SETTINGS.CACHE_DIR
    SETTINGS.CACHE_DIR = str(CACHE)  # read when the cache is made; restored right after
    try:
        compiled = _compile(function, {"no_cfunc_wrapper": True})
        compiled._cache = SealedCache(function)  # type: ignore[attr-defined]
    finally:
        SETTINGS.CACHE_DIR = before
    return compiled


def is_kept(compiled: Kernel) -> bool:
    """Whether a kernel has been compiled on this machine before, for some arguments."""
    kept: bool = compiled._cache.is_kept()  # type: ignore[attr-defined]
    return kept


def device(function: Kernel) -> Kernel:
    """The same for a function that only kernels call, and that neither makes nor gives back arrays.

    It takes half as long to compile, and does not count references: arrays are given in tuples of
    many, whose counts would take longer than the work at a node does. It is kept on disk with each
    kernel that calls it, and not by itself.
    """
    return _compile(function, DEVICE)


def reassoc(function: Kernel) -> Kernel:
    """`device` where the order of sums is the compiler's: they become vector code."""
    return _compile(function, {**DEVICE, "fastmath": {"reassoc"}})


def inlined(function: Kernel) -> Kernel:
    """`device` for a small function: to call it would take longer than its work, see `device`."""
    return _compile(function, {**DEVICE, "forceinline": True})


def inline(function: Kernel) -> Kernel:
    """`device` for a function called at one place, where it is written out before compiling."""
    return _compile(function, {**DEVICE, "inline": "always"})


def _compile(function: Kernel, options: dict[str, Any]) -> Kernel:
    compiled: Kernel = numba.njit(nogil=True, error_model="numpy", **options)(function)
    return compiled
