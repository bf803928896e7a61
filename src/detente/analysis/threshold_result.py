"""What a search for thresholds finds: along one parameter, and over two."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detente.dtypes import Floats
from detente.notebook import InNotebook
from detente.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class Crossing:
    """One crossing of the level, by a parameter that grows.

    value, error
        Where it is, and how far that may be off: the discretisation error over the slope.
    low, high
        The stretch in which it lies: value ± error; of a jump, between which values it happens.
    direction
        'rising' or 'falling'.
    jump
        Whether the number jumps over the level, rather than passing through it.
    below, above
        The number right before and after: at the level for a crossing that is no jump.
    slope
        Derivative of the number by the parameter there; nan for a jump.
    """

    value: float
    error: float
    low: float
    high: float
    direction: str
    jump: bool
    below: float
    above: float
    slope: float


@dataclass(frozen=True, eq=False, kw_only=True)
class LevelAnswer(InNotebook):
    """Where a number is at a level: what `Threshold` and `ThresholdMap` have in common.

    about, kind, short
        The number in words; 'probability', 'payoff' or 'difference' (of two policies); in short.
    at
        The level.
    prefer, actor
        The two policies and whose preference, where that was asked; else None.
    verdict
        The answer in words.
    complete
        False where the search was interrupted.
    """

    scenario: Scenario
    about: str
    kind: str
    short: str
    at: float
    prefer: tuple[str, str] | None
    actor: str | None
    verdict: str = ""
    complete: bool = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.verdict}>"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Threshold(LevelAnswer):
    """What it would take for a number to cross a level.

    parameter, unit
        Of the scenario.
    present
        The parameter's value in the scenario; None where it differs between types.
    low, high, spacing
        Where it was looked, and the largest distance between neighbouring values there.
    structural, whole
        Whether the parameter decides which states there are, and takes whole numbers only.
    curve
        `value, number, error, derivative, solved`: the number at every value that was computed,
        the belief grid's error, the largest of its own and of those next to it (nan where it was
        solved on one grid only), its exact derivative (nan where it was not computed), and whether
        the solve is as it should be.
    crossings
        In order of the parameter.
    moves
        `crossing, parameter, value, derivative, swing`: by how much each crossing moves when
        another parameter grows by one, and when it crosses its own range, ranked by |swing|.
    """

    parameter: str
    unit: str
    present: float | None
    low: float
    high: float
    spacing: float
    structural: bool
    whole: bool
    curve: pd.DataFrame
    crossings: tuple[Crossing, ...]
    moves: pd.DataFrame

    def _main_table(self) -> pd.DataFrame:
        return self.curve


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ThresholdMap(LevelAnswer):
    """A number over two parameters, and the lines on which it is at a level.

    parameters, units
        Of the scenario: the first along the map, the second up.
    present
        The parameters' values in the scenario; None where one differs between types.
    map
        `first, second, number, error, solved`: the number at each node, and its difference from
        the coarser belief grid.
    contours
        Each line as float64 [n, 2]: points (first, second) on which the number is at the level;
        none where the search was interrupted.
    off
        How far the interpolation through every second node misses the others, at most: an upper
        estimate of what it misses between the nodes. nan where there are too few to tell.
    beliefs
        Belief points of each solve.
    """

    parameters: tuple[str, str]
    units: tuple[str, str]
    present: tuple[float, float] | None
    map: pd.DataFrame
    contours: tuple[Floats, ...]
    off: float
    beliefs: int

    def _main_table(self) -> pd.DataFrame:
        return self.map

    def grid(self) -> tuple[Floats, Floats, Floats]:
        """The values of both parameters, [x] and [y], and the numbers [y, x]; nan: not computed."""
        table = self.map.pivot(index="second", columns="first", values="number")
        return table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a search; `found` has what was computed, and no crossings."""

    def __init__(self, found: Threshold | ThresholdMap) -> None:
        super().__init__()
        self.found = found
