"""The kernel that traces nodes with no certain solution, compiled by a process of its own.

It takes as long to compile as all others that a game of one mover at a time needs, and may turn
out not to be needed. Numba compiles one function at a time in a process, whatever its threads; so
another process compiles it while this one goes on, and is waited for only where a node is to be
traced.
"""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
import time

import numpy as np

from detente.solver import clock
from detente.solver.kernels.backward import Sweep, trace_lines
from detente.solver.kernels.general import make_stage
from detente.solver.kernels.jit import is_kept
from detente.solver.kernels.lottery import BeliefLayout
from detente.solver.kernels.stage import HOW, LayerArrays, make_work
from detente.solver.kernels.two_type import make_lines

_running: list[subprocess.Popen[bytes]] = []
"""The other process, as long as it has neither been waited for nor stopped."""


def begin() -> None:
    """Let another process compile the tracer, unless that has been done or is being done."""
    if is_kept(trace_lines) or _running:
        return
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", "detente.solver.tracer"]
    _running.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))
    atexit.register(stop)


def wait() -> None:
    """Until the other process is done. Where it failed, Numba compiles the tracer here."""
    begin, waiting = time.monotonic(), list(_running)
    for process in waiting:  # of several threads each waits
        process.wait()
    if waiting:
        clock.leave_out(time.monotonic() - begin)
    _running.clear()


def stop() -> None:
    """End the other process, where nobody has waited for it: what it compiles is not needed."""
    while _running:
        process = _running.pop()
        process.terminate()
        process.wait()


def compile_tracer() -> None:
    """Call the tracer where there is nothing to trace, with arrays of the kinds that it gets."""
    whole, nodes = np.int64, np.zeros((1, 2, 2))
    layout = BeliefLayout(
        lam=np.ones(1),
        shock=np.zeros(1),
        n_types=np.full(1, 2, whole),
        steps=np.ones(1, whole),
        actor=np.zeros(1, whole),
        rank=np.zeros((1, 2, 2), whole),
        jump=np.ones(1, whole),
        place=np.zeros((1, 2), whole),
        node=nodes,
        believed=nodes,
        base=np.zeros(1, whole),
        local=np.arange(2, dtype=whole),
        outside=np.ones((2, 2)),
        types=np.arange(2, dtype=whole).reshape(2, 1),
        profile=np.arange(2, dtype=whole),
        lift=np.zeros((0, 0, 0)),
        star=None,
        best=0,
    )
    zero, values = np.zeros(2, whole), np.zeros((1, 2, 2))
    part = LayerArrays(
        np.arange(2, dtype=whole),
        np.ones((1, 1), whole),
        np.arange(2, dtype=whole),
        np.zeros(1, np.int32),
        np.ones(1),
        np.zeros((1, 2)),
        np.ones((1, 1)),
        zero,
    )
    sweep = Sweep(values, np.zeros((1, 0)), values, np.zeros(0), np.zeros(HOW, whole), False)
    work, stage = make_work(layout, 1, 2, 2), make_stage(layout, 1, 1)
    trace_lines(0, part, layout, sweep, work, make_lines(layout, 1), stage)


if __name__ == "__main__":
    gc.disable()  # a compiler makes much and drops little: looking through it takes a tenth
    compile_tracer()
