"""Many games of equal structure beside one another, as one compiled game.

The units of a panel differ in their covariates only, so that they share one enumeration: the
panel is its copies, one after the other in every array, with the unit as one more public variable
that nothing changes. Formulas read a covariate as the column of that variable's level. What
compiles, solves and differentiates one game then does so for all of them in one call. Covariates
that decide the enumeration, or that constants read (priors, precisions, discounts), are the same
in all units of a panel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detente.dtypes import Floats, Ints
from detente.game.arrays import CompiledGame
from detente.game.compile import fill_game
from detente.game.structure import Side, Skeleton, Structure, pointers
from detente.scenario.entities import Variable
from detente.scenario.fields import within
from detente.scenario.formula.expression import Formula
from detente.scenario.frozen import Frozen
from detente.scenario.scalar_types import Levels

UNIT = "unit of the panel"
"""The variable that tells the units apart: no name of a scenario has spaces."""


def common_covariates(game: CompiledGame) -> frozenset[str]:
    """The covariates that are the same in all units of a panel."""
    actors = within(game.scenario.actors, Formula)
    constant = {name for formula in actors for name in formula.covariates}
    return game.structure.structural & game.scenario.covariates.keys() | constant


def compile_panel(
    game: CompiledGame, units: Sequence[str], covariates: Mapping[str, Floats]
) -> CompiledGame | None:
    """The units' copies of a game as one.

    Parameters
    ----------
    game
        One game, at the values of its scenario.
    units
        What messages call them.
    covariates
        For each of at least one covariate its value in each unit, float64 [u].

    Returns
    -------
    CompiledGame
        Or None where a transition that the enumeration left out is possible in some unit.
    """
    structure = stack(game.structure, units, covariates)
    return fill_game(game.scenario, game.policy, structure)


def stack(
    structure: Structure, units: Sequence[str], covariates: Mapping[str, Floats]
) -> Structure:
    """The enumeration of the panel from that of one unit."""
    count = len(units)
    size = prod(variable.size for variable in structure.variables)

    def codes(own: Ints) -> Ints:
        return (np.arange(count)[:, None] * size + own).reshape(-1)

    sets, skeleton_sets = map(codes, structure.sets), tuple(map(codes, structure.skeleton_sets))
    widths = [len(own) for own in structure.skeleton_sets[1:]]
    unit = Variable(key=UNIT, levels=Levels(count, names=tuple(units)), start=0)
    return replace(
        structure,
        variables=(unit, *structure.variables),
        skeletons=tuple(
            _stack(skeleton, count, states, width)
            for skeleton, states, width in zip(
                structure.skeletons, map(len, structure.skeleton_sets), widths, strict=False
            )
        ),
        skeleton_sets=skeleton_sets,
        sets=tuple(sets),
        holds=Frozen(
            {key: tuple(np.tile(h, count) for h in held) for key, held in structure.holds.items()}
        ),
        units=Frozen(dict(covariates)),
    )


def _shifted(rows: NDArray[np.integer[Any]], count: int, width: int) -> Ints:
    """Rows of an array with `width` of them a unit, for each unit in turn."""
    return (np.arange(count)[:, None] * width + rows).reshape(-1)


def _pointers(own: Ints, count: int) -> Ints:
    return pointers(np.tile(np.diff(own), count))


def _stack(skeleton: Skeleton, count: int, states: int, width: int) -> Skeleton:
    """A layer of `states` for each unit, which leads to `width` states of its own."""
    rows = np.array([side.state.size for side in skeleton.sides])
    ways = np.array([side.own.size for side in skeleton.sides])
    return replace(
        skeleton,
        sides=tuple(_stack_side(side, count, states) for side in skeleton.sides),
        action_ptr=_pointers(skeleton.action_ptr, count),
        edge_own=_by_side(skeleton.edge_own, count, rows),
        trans_ptr=_pointers(skeleton.trans_ptr, count),
        trans_own=_by_side(skeleton.trans_own, count, ways),
        succ=_shifted(skeleton.succ, count, width).astype(np.int32),
    )


def _by_side(own: Ints, count: int, sizes: Ints) -> Ints:
    """Rows of each side, int64 [n, S], for each unit in turn."""
    shift = np.arange(count)[:, None, None] * sizes
    return (own + shift).reshape(-1, own.shape[1])


def _stack_side(side: Side, count: int, states: int) -> Side:
    return replace(
        side,
        state=_shifted(side.state, count, states),
        action=np.tile(side.action, count),
        own=_shifted(side.own, count, side.state.size),
        alternative=np.tile(side.alternative, count),
        breaks={
            n: tuple((term, np.tile(force, count)) for term, force in broken)
            for n, broken in side.breaks.items()
        },
        chosen=None if side.chosen is None else np.tile(side.chosen, count),
    )
