"""Scratch of `two_type_layer`, made once for a turn."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detente.solver.kernels.turn import BeliefLayout
from detente.solver.kernels.two_type_newton import LINES, SUMS


class Lines(NamedTuple):
    """Scratch for the states of a layer.

    own, ratio
        float64 [a, θ, y], [a, y]: what the mover expects, over the others' types; ℓ.
    play, inside, share
        float64 [θ, a, y], int64 [a, y], float64 [a, y]: strategies; cell g of the posterior, and
        the share of the way through it.
    left
        int64 [y]: SOLVED, or how a node is left for `trace_nodes`.
    payoff, log_ratio, last, lines, cell, sums, rho, line
        For a run of lines, from its first node on; see `two_type_newton`.
    second
        float64 [c]: 1 where the mover is of the second type in the component's profile.
    point
        float64 [θ a]: strategies at one node.
    """

    own: np.ndarray
    ratio: np.ndarray
    play: np.ndarray
    inside: np.ndarray
    share: np.ndarray
    left: np.ndarray
    payoff: np.ndarray
    log_ratio: np.ndarray
    last: np.ndarray
    lines: np.ndarray
    cell: np.ndarray
    sums: np.ndarray
    rho: np.ndarray
    line: np.ndarray
    second: np.ndarray
    point: np.ndarray


def make_lines(turn: BeliefLayout, count: int, nodes: int, width: int) -> Lines:
    """Scratch for up to `count` actions at so many nodes."""
    n_types = turn.movers.types.shape[0]
    node = np.arange(nodes)
    place = node % turn.local.shape[0]
    rho = np.full(nodes, math.inf)
    np.divide(turn.local.shape[0] - 1 - place, place, out=rho, where=place > 0)
    lined = nodes if n_types == 2 else 0
    return Lines(
        own=np.zeros((count, n_types, nodes)),
        ratio=np.zeros((count, lined)),
        play=np.zeros((n_types, count, nodes)),
        inside=np.zeros((count, nodes), np.int64),
        share=np.zeros((count, lined)),
        left=np.zeros(lined, np.int64),
        payoff=np.zeros((count, n_types, lined)),
        log_ratio=np.zeros((count, lined)),
        last=np.zeros((count, lined)),
        lines=np.zeros((LINES, count, lined)),
        cell=np.zeros((count, lined), np.int64),
        sums=np.zeros((SUMS, nodes)),
        rho=rho,
        line=node - place,
        second=np.resize(turn.profile, width).astype(np.float64),
        point=np.zeros(n_types * count),
    )
