"""What a search for thresholds finds."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detente.scenario.model import Scenario
from detente.scenario.notebook import InNotebook


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


@dataclass(frozen=True, eq=False)
class Threshold(InNotebook):
    """What it would take for a number to cross a level.

    scenario, parameter, unit
        Whose parameter; its unit.
    about, kind, short
        The number in words; 'probability', 'payoff' or 'difference' (of two policies); in short.
    at
        The level.
    prefer, actor
        The two policies and whose preference, where that was asked; else None.
    present
        The parameter's value in the scenario; None where it differs between types.
    low, high, spacing
        Where it was looked, and the largest distance between neighbouring values there.
    structural, whole
        Whether the parameter decides which states there are, and takes whole numbers only.
    curve
        `value, number, error, derivative, solved`: the number at every value that was computed,
        its difference from the coarser belief grid (nan where that was not solved), its exact
        derivative (nan where it was not computed), and whether the solve is as it should be.
    crossings
        In order of the parameter.
    moves
        `crossing, parameter, value, derivative, swing`: by how much each crossing moves when
        another parameter grows by one, and when it crosses its own range, ranked by |swing|.
    verdict
        The answer in words.
    complete
        False where the search was interrupted.
    """

    scenario: Scenario
    parameter: str
    unit: str
    about: str
    kind: str
    short: str
    at: float
    prefer: tuple[str, str] | None
    actor: str | None
    present: float | None
    low: float
    high: float
    spacing: float
    structural: bool
    whole: bool
    curve: pd.DataFrame
    crossings: tuple[Crossing, ...]
    moves: pd.DataFrame
    verdict: str
    complete: bool = True

    def __repr__(self) -> str:
        return f"<Threshold: {self.verdict}>"

    def _main_table(self) -> pd.DataFrame:
        return self.curve


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a search; `found` has the curve so far, and no crossings."""

    def __init__(self, found: Threshold) -> None:
        super().__init__()
        self.found = found
