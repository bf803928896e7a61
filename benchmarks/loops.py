"""Compiled loops that are timed: the least that a stage problem takes."""

from __future__ import annotations

from detente.solver.kernels.elementary import exp, log
from detente.solver.kernels.jit import kernel


@kernel
def exponentials(source, target, times):
    """`times` times the exponentials of an array [r, y], each time of slightly other numbers."""
    for t in range(times):
        shift = t * 1e-9
        for r in range(source.shape[0]):
            numbers, out = source[r], target[r]
            for y in range(numbers.shape[0]):
                out[y] = exp(numbers[y] + shift)


@kernel
def logarithms(source, target, times):
    """The same with logarithms."""
    for t in range(times):
        shift = t * 1e-9
        for r in range(source.shape[0]):
            numbers, out = source[r], target[r]
            for y in range(numbers.shape[0]):
                out[y] = log(numbers[y] + shift)


@kernel
def copy(source, target):
    """Reads and writes memory."""
    for k in range(source.shape[0]):
        target[k] = source[k]
