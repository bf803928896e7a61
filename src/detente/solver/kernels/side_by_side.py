"""Arithmetic of a few numbers that stand side by side, as one instruction each.

LLVM makes such of loops over many numbers that follow one another; where two or four do, and the
next ones stand elsewhere, it has to be told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from detente.solver.kernels.jit import CONTRACT, SETTINGS

Code = Callable[..., Any]


def products(count: int) -> tuple[Code, Code]:
    """Set, and add to, `count` numbers of float64 arrays, from so many positions on."""

    def set_product(out: Any, i: Any, one: Any, j: Any, other: Any, k: Any) -> None:
        for n in range(count):
            out[i + n] = one[j + n] * other[k + n]

    def add_product(out: Any, i: Any, one: Any, j: Any, other: Any, k: Any) -> None:
        for n in range(count):
            out[i + n] += one[j + n] * other[k + n]

    def at_once(*, added: bool) -> Code:
        def typed(_: Any, out: Any, i: Any, one: Any, j: Any, other: Any, k: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, args: Any) -> None:
                target, first, second = (
                    _place(context, builder, signature, args, n, count) for n in (0, 2, 4)
                )
                first, second = (builder.load(place, align=8) for place in (first, second))
                result = builder.fmul(first, second, flags=(CONTRACT,))
                if added:
                    result = builder.fadd(builder.load(target, align=8), result, flags=(CONTRACT,))
                builder.store(result, target, align=8)

            return types.void(out, i, one, j, other, k), code

        return intrinsic(typed)

    if SETTINGS.DISABLE_JIT:  # as plain Python
        return set_product, add_product
    return at_once(added=False), at_once(added=True)


def picked(count: int) -> Code:
    """Set so many numbers from one of `rows` each, of which they begin at begin[w] …, at b in the
    row, times a factor."""

    def pick(out: Any, i: Any, rows: Any, begin: Any, w: Any, b: Any, factor: Any) -> None:
        for n in range(count):
            out[i + n] = factor * rows[begin[w + n] + b]

    def typed(_: Any, out: Any, i: Any, rows: Any, begin: Any, w: Any, b: Any, factor: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> None:
            source, starts = (
                make_array(signature.args[n])(context, builder, args[n]).data for n in (2, 3)
            )
            vector, factors = (ir.Constant(_vector(count), ir.Undefined) for _ in range(2))
            for n in range(count):
                lane = ir.Constant(ir.IntType(32), n)
                w_n = builder.add(args[4], ir.Constant(ir.IntType(64), n))
                at = builder.add(builder.load(builder.gep(starts, [w_n])), args[5])
                number = builder.load(builder.gep(source, [at]))
                vector = builder.insert_element(vector, number, lane)
                factors = builder.insert_element(factors, args[6], lane)
            target = _place(context, builder, signature, args, 0, count)
            builder.store(builder.fmul(vector, factors, flags=(CONTRACT,)), target, align=8)

        return types.void(out, i, rows, begin, w, b, factor), code

    return pick if SETTINGS.DISABLE_JIT else intrinsic(typed)


def _vector(count: int) -> ir.VectorType:
    return ir.VectorType(ir.DoubleType(), count)


def _place(context: Any, builder: Any, signature: Any, args: Any, n: int, count: int) -> Any:
    """Where an array, the n-th argument, has the numbers from the position that follows it on."""
    data = make_array(signature.args[n])(context, builder, args[n]).data
    return builder.bitcast(builder.gep(data, [args[n + 1]]), _vector(count).as_pointer())
