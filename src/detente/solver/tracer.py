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

import numpy as np

from detente.solver.kernels.homotopy import HOW
from detente.solver.kernels.jit import is_kept
from detente.solver.kernels.stage import make_stage
from detente.solver.kernels.turn import BeliefLayout, Movers
from detente.solver.kernels.two_type_layer import trace_nodes
from detente.solver.kernels.two_type_scratch import make_lines

_running: list[subprocess.Popen[bytes]] = []
"""The other process, as long as it has neither been waited for nor stopped."""


def begin() -> None:
    """Let another process compile the tracer, unless that has been done or is being done."""
    if is_kept(trace_nodes) or _running:
        return
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", "detente.solver.tracer"]
    _running.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))
    atexit.register(stop)


def wait() -> None:
    """Until the other process is done. Where it failed, Numba compiles the tracer here."""
    for process in list(_running):  # of several threads each waits
        process.wait()
    _running.clear()


def stop() -> None:
    """End the other process, where nobody has waited for it: what it compiles is not needed."""
    while _running:
        process = _running.pop()
        process.terminate()
        process.wait()


def compile_tracer() -> None:
    """Call the tracer where there is nothing to trace, with arrays of the kinds that it gets."""
    whole, two = np.int64, np.arange(2, dtype=np.int64)
    movers = Movers(
        lam=np.ones(1),
        n_types=np.full(1, 2, whole),
        steps=np.ones(1, whole),
        node=np.zeros((1, 2, 2), whole),
        belief=np.zeros((1, 2, 2)),
        rank=np.zeros((1, 2, 2), whole),
        stride=np.ones(1, whole),
        size=np.full(1, 2, whole),
        types=two.reshape(2, 1),
    )
    turn = BeliefLayout(
        movers=movers,
        best=0,
        actor=np.zeros(1, whole),
        base=np.zeros(1, whole),
        local=two,
        outside=np.ones((1, 2)),
        profile=two,
        members=two.reshape(2, 1),
    )
    stage, lines = make_stage(movers, 1, 1, 2), make_lines(turn, 1, 2, 2)
    mine, counts = np.zeros((1, 2, 1, 2)), np.zeros(HOW, whole)
    trace_nodes(1, turn, np.zeros(0), stage, lines, mine, counts)


if __name__ == "__main__":
    gc.disable()  # a compiler makes much and drops little: looking through it takes a tenth
    compile_tracer()
