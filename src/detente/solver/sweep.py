"""The backward sweep: one layer's strategies and values from the next layer's values.

Values have components c = (i, p), what actor i gets when the true types are p; with regret, C
more: what i would get by its best response (Bellman 1957) while all others play σ. See
`kernels.backward` for the kernels of each kind of turn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from detente.solver.kernels.backward import (
    Sweep,
    follow_lines,
    sweep_hidden,
    sweep_plain,
    sweep_several,
    sweep_simplex,
    sweep_two_types,
    trace_lines,
    trace_nodes,
)
from detente.solver.kernels.general import Stage, make_stage
from detente.solver.kernels.hidden_moves import HiddenTurn
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


class Scratch:
    """What the kernels of a layer work in: made once for all layers that look alike to them."""

    def __init__(
        self, layout: BeliefLayout, part: LayerArrays, width: int, *, hidden: bool = False
    ) -> None:
        self.layout, self.hidden = layout, hidden
        self.work = make_scratch(layout, part, width, hidden=hidden)
        self.most, self.joint = self.work.lottery.vertex.shape[1], len(self.work.own)
        kernel = swept_by(layout)
        self.lines: Any = None
        if hidden:
            return
        if kernel is sweep_two_types:
            self.lines = make_lines(layout, self.most)
        elif kernel is sweep_simplex:
            self.lines = make_simplex(layout, self.most)

    @cached_property
    def stage(self) -> Stage:
        """For the general stage problem, which a layer may not need."""
        return make_stage(self.layout, self.most, self.joint, hidden=self.hidden)


def sweep(
    first: int,
    last: int,
    part: LayerArrays,
    layout: BeliefLayout,
    task: Sweep,
    scratch: Scratch | None = None,
    hidden: HiddenTurn | None = None,
) -> None:
    """Solve the states first … last - 1 of a layer, `hidden` where moves are."""
    kernel = swept_by(layout)
    if scratch is None:
        scratch = Scratch(layout, part, task.values.shape[1], hidden=hidden is not None)
    given = part, layout, task, scratch.work
    if hidden is not None:
        sweep_hidden(first, last, *given, scratch.stage, hidden)
        return
    if kernel is sweep_plain:
        sweep_plain(first, last, *given)
        return
    if kernel is sweep_several:
        sweep_several(first, last, *given, scratch.stage)
        return
    if kernel is sweep_simplex:
        _sweep_simplex(first, last, given, scratch)
        return
    lines, x = scratch.lines, first
    x = sweep_two_types(x, last, False, *given, lines)
    while x < last:
        if task.starts.shape[1] > 0 or follow_lines(x, *given, lines) > 0:
            trace_lines(x, *given, lines, scratch.stage)
        x = sweep_two_types(x, last, True, *given, lines)


def _sweep_simplex(first: int, last: int, given: tuple[Any, ...], scratch: Scratch) -> None:
    """`sweep` at a turn of one mover with more than two types."""
    lines, stage = scratch.lines, scratch.stage
    x = sweep_simplex(first, last, False, *given, lines, stage)
    if x == last:
        return
    while x < last:
        trace_nodes(x, *given, lines, stage)
        x = sweep_simplex(x, last, True, *given, lines, stage)
