"""Chance events, one right after the other, as one layer: the product of transitions."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from detente.dtypes import Ints
from detente.game.arrays import Layer
from detente.game.structure import told_apart


class Paths(NamedTuple):
    """How the transitions of two layers, one right after the other, make those of one.

    first, second
        int64 [r]: the two transitions of each path through both.
    fused
        int64 [r]: the transition that the path is a part of.
    state, succ
        int64 [k]: state row and successor of each of these transitions.
    """

    first: Ints
    second: Ints
    fused: Ints
    state: Ints
    succ: Ints


def paths(first: Layer, second: Layer) -> Paths:
    """The paths through two layers."""
    count = np.diff(second.trans_ptr)[first.succ]
    path = np.repeat(np.arange(count.size), count)
    start = np.cumsum(count) - count
    then = np.arange(path.size) + (second.trans_ptr[first.succ] - start)[path]
    state = np.repeat(np.arange(first.states.size), np.diff(first.trans_ptr))[path]
    return Paths(path, then, *told_apart(state, second.succ[then]))


def fuse(first: Layer, second: Layer) -> Layer:
    """Two chance events, one right after the other, as one layer."""
    through = paths(first, second)
    prob = first.prob[through.first] * second.prob[through.second]
    return replace(
        first,
        event=f"{first.event}, {second.event}",
        trans_ptr=np.searchsorted(through.state, np.arange(first.states.size + 1)),
        succ=through.succ.astype(np.int32),
        prob=np.bincount(through.fused, prob).astype(np.float64),
    )
