"""How many periods are reported, and by the end of which: what a scenario allows."""

from __future__ import annotations

from detente.arguments import MOST_PERIODS, whole
from detente.errors import refuse
from detente.game.arrays import CompiledGame
from detente.scenario.model import Scenario


def check_periods(scenario: Scenario, periods: int | None) -> None:
    """Refuse a number of periods to be reported: it is for play without end.

    Raises
    ------
    ScenarioError
        If play ends by itself, or the calendar before so many periods.
    ValueError, TypeError
        For what is no number of periods.
    """
    if periods is None:
        return
    whole("periods", periods, 1, MOST_PERIODS)
    if not scenario.forever:
        message = "the scenario ends by itself, and all its periods are reported"
        refuse("periods", "not-here", message, "set the horizon to shorten or lengthen it")
    _check_date(scenario, periods, "periods")


def check_within(game: CompiledGame, within: int | None) -> None:
    """Refuse a period by the end of which something is asked: 0, the start, to the last.

    Raises
    ------
    ScenarioError
        If play or the calendar ends before.
    ValueError, TypeError
        For what is no number of a period.
    """
    if within is None:
        return
    whole("within", within, 0, MOST_PERIODS)
    if game.loop is None and within > game.periods:
        message = f"the scenario has {game.periods} periods, not {within}"
        refuse("within", "out-of-range", message)
    _check_date(game.scenario, within, "within")


def _check_date(scenario: Scenario, periods: int, argument: str) -> None:
    try:
        scenario.calendar.date(periods + 1)
    except (OverflowError, ValueError):
        refuse(argument, "out-of-range", "the calendar ends after the year 9999", "give fewer")
