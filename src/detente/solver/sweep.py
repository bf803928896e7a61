"""The backward sweep: one layer's strategies and values from the next layer's values.

Values have components c = (i, p), what actor i gets when the true types are p; with regret, C
more: what i would get by its best response (Bellman 1957) while all others play σ. See
`kernels.backward` for the kernels of each kind of turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detente.solver import tracer
from detente.solver.kernels.backward import (
    Sweep,
    sweep_plain,
    sweep_several,
    sweep_simplex,
    sweep_two_types,
    trace_lines,
    trace_nodes,
)
from detente.solver.kernels.general import make_stage
from detente.solver.kernels.lottery import BeliefLayout
from detente.solver.kernels.simplex import make_simplex
from detente.solver.kernels.stage import LayerArrays
from detente.solver.kernels.two_type import make_lines
from detente.solver.layout import make_scratch


def swept_by(layout: BeliefLayout) -> Callable[..., Any]:
    """The kernel for a turn."""
    kernel: Callable[..., Any] = sweep_plain
    if layout.actor.size > 1:
        kernel = sweep_several
    elif layout.actor.size == 1 and layout.steps[0] > 0:
        kernel = sweep_two_types if layout.n_types[0] == 2 else sweep_simplex
    return kernel


def sweep(first: int, last: int, part: LayerArrays, layout: BeliefLayout, task: Sweep) -> None:
    """Solve the states first … last - 1 of a layer."""
    kernel = swept_by(layout)
    work = make_scratch(layout, part, task.values.shape[1])
    most, joint = work.lottery.vertex.shape[1], len(work.own)
    if kernel is sweep_plain:
        sweep_plain(first, last, part, layout, task, work)
        return
    if kernel is sweep_several:
        stage = make_stage(layout, most, joint)
        sweep_several(first, last, part, layout, task, work, stage)
        return
    given, trace = (part, layout, task, work), trace_lines
    lines: Any = None
    if kernel is sweep_two_types:
        scratch: tuple[Any, ...] = (lines := make_lines(layout, most),)
    else:
        lines, trace = make_simplex(layout, most), trace_nodes
        scratch = lines, make_stage(layout, most, joint)
    x = kernel(first, last, False, *given, *scratch)
    if x == last:
        return
    tracer.wait()
    stage = make_stage(layout, most, joint)
    while x < last:
        trace(x, *given, lines, stage)
        x = kernel(x, last, True, *given, *scratch)
