"""Compiles kernels with Numba, once for each version of their sources.

Numba's disk cache looks at the file of a function, not at the files of the functions that it
calls, so it would keep a stale kernel after an edit elsewhere. The cache folder is therefore
named by a hash of all kernel sources: edited kernels have a cache of their own. What else is asked
of the cache stands in `cache`.

Two traps. A number that stands in a call as it is (`f(8)`) has a type of its own, and so has a view
that is not contiguous: the function is compiled once more for it. And of a signed position Numba
asks whether it counts from the end, unless it comes from `range`: what is computed is made unsigned
(`row[np.uint64(k)]`), or the loop does not become vector code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.core.codegen import JITCodeLibrary, get_host_cpu_features
from numba.core.compiler import Compiler

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

if (
    SETTINGS.CPU_NAME is None
    and SETTINGS.CPU_FEATURES is None
    and llvm.get_host_cpu_name().startswith("znver")
):
    # These processors load numbers one by one faster than they gather them; LLVM does not know it.
    SETTINGS.CPU_FEATURES = f"{get_host_cpu_features()},+prefer-no-gather"

LARGE = 150  # instructions of a function that is not written out where it is called

if llvm.llvm_version_info >= (17,):
    # Whether rows overlap is asked before an inner loop. Asked before the loops around it, as is
    # the default, they do: all rows of all actions together, and nothing becomes vector code.
    llvm.set_option("detente", "--hoist-runtime-checks=false")
llvm.set_option("detente", "--runtime-memory-check-threshold=128")


def kernel(function: Kernel) -> Kernel:
    """Compile a function of arrays and numbers: no Python objects, no GIL, kept on disk."""
    before = SETTINGS.CACHE_DIR
    SETTINGS.CACHE_DIR = str(CACHE)  # read when the cache is made; restored right after
    try:
        compiled = _compile(function, {"no_cfunc_wrapper": True, "pipeline_class": _Whole})
        compiled._cache = SealedCache(function)  # type: ignore[attr-defined]
    finally:
        SETTINGS.CACHE_DIR = before
    return compiled


def is_kept(compiled: Kernel, kind: str = "") -> bool:
    """Whether a kernel has been compiled on this machine before, for some arguments; for such as
    have one of this kind, if it is told."""
    cache: SealedCache = compiled._cache  # type: ignore[attr-defined]
    return cache.is_kept_for(kind) if kind else cache.is_kept()


def device(function: Kernel) -> Kernel:
    """The same for a function that only kernels call, and that makes no arrays.

    It takes half as long to compile, and does not count references: arrays are given in tuples of
    many, whose counts would take longer than the work at a node does. It is kept on disk with each
    kernel that calls it, and not by itself.
    """
    return _compile(function, DEVICE)


def inline(function: Kernel) -> Kernel:
    """`device` for a small function that gives back a view: written out where it is called."""
    return _compile(function, {**DEVICE, "inline": "always"})


class _Unlinked(JITCodeLibrary):
    """The code of a function that only kernels call, as it is before it is optimised.

    Numba would optimise it, and make machine code of it, by itself, and again in each function that
    calls it, and in those that call these. Here that is done once, in the kernel.
    """

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0  # there is none: Python cannot call it

    @property
    def codegen(self) -> _Unlinked:
        return self

    def set_env(self, name: str, env: object) -> None:
        """What Python would need to call it."""


class _Linked(JITCodeLibrary):
    """The code of a kernel with all that it calls, which nothing else can call.

    So what such a function does not look at need not be given to it: of tuples of a hundred arrays,
    which would be written down anew at every call, that is most. Large ones stay functions: written
    out in one another they would take longer to compile, and run no faster.
    """

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if function.linkage == llvm.Linkage.linkonce_odr:
                function.linkage = "internal"
                if sum(1 for block in function.blocks for _ in block.instructions) > LARGE:
                    function.add_function_attribute("noinline")
        super()._optimize_final_module()


class _Whole(Compiler):
    """Numba's compiler for a kernel."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.state.library = _Linked(self.state.targetctx.codegen(), "kernel")
        self.state.library.enable_object_caching()


class _Part(Compiler):
    """Numba's compiler for such a function; what it writes to overlaps with no other array."""

    def __init__(self, *args: Any) -> None:
        *_, flags, _ = args
        flags.noalias = True
        super().__init__(*args)
        self.state.library = _Unlinked(self.state.targetctx.codegen(), "part of a kernel")


CONTRACT = "contract"  # a product and a sum may be one instruction, which rounds once

DEVICE = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
    "fastmath": {CONTRACT},
    "pipeline_class": _Part,
}


def _compile(function: Kernel, options: dict[str, Any]) -> Kernel:
    compiled: Kernel = numba.njit(nogil=True, error_model="numpy", **options)(function)
    return compiled
