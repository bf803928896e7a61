"""The default scenario: its numbers have their grounds, its rows hold.

Rows are turned at the precision of the file and on a coarse grid, and over a year where that is
enough, so that all of it takes a minute; a short run turns one in five. At half and twice the
precision, and over two years, they are turned by `python -m benchmarks --only mechanisms`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import detente
from benchmarks.mechanisms import NAME, TURNS, Plays, Turn
from benchmarks.reference import rates, record_text
from detente.library import read_text
from detente.scenario.entities import Supported
from detente.scenario.fields import within
from detente.scenario.model import Scenario

HORIZON = 12

SLOW_ROWS = ("M14", "M18")
"""What a proven missile is good for, and wars, need both of the years."""

NOT_HELD = {("M5", "tests")}
"""What the scenario's notes say does not go the way of its row, with the reason."""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return detente.load(NAME)


@pytest.fixture(scope="module")
def plays() -> Plays:
    return Plays(read_text(NAME), HORIZON)


@pytest.fixture(scope="module")
def long_plays() -> Plays:
    return Plays(read_text(NAME))


def test_every_number_has_its_grounds(scenario: Scenario) -> None:
    assert scenario.warnings == ()
    reasons: dict[str, str] = {}
    for key, parameter in scenario.parameters.items():
        assert parameter.unit, key
        assert parameter.about, key
        assert parameter.evidence or parameter.judgement, key
        assert parameter.range_reason, key
        assert parameter.range_reason not in reasons, (key, reasons[parameter.range_reason])
        reasons[parameter.range_reason] = key
        for value, limits in zip(parameter.values, parameter.ranges, strict=True):
            assert limits is not None, key
            assert limits[0] <= value <= limits[1], key
    used = {name for entry in within(scenario, Supported) for name in entry.evidence}
    assert used == set(scenario.evidence)


def test_it_is_shorter_than_the_first_and_smaller(scenario: Scenario) -> None:
    lines = {name: read_text(name).count("\n") for name in (NAME, f"{NAME}-first")}
    assert lines[NAME] < 0.75 * lines[f"{NAME}-first"]
    game = detente.compile_game(scenario)
    assert game.structure.warnings == ()
    assert max(codes.size for codes in game.structure.sets) <= 650


def test_washington_may_move_first(scenario: Scenario) -> None:
    other = scenario.with_options({"order": "washington_first"})
    assert other.warnings == ()
    assert [turn.who for turn in other.turns][:3] == [("US",), ("DPRK",), ("ROK",)]
    assert detente.compile_game(other).structure.warnings == ()


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(turn, id=f"{turn.row}: {turn.what}", marks=[pytest.mark.slow] * (n % 5 > 0))
        for n, turn in enumerate(TURNS)
    ],
)
def test_a_mechanism_moves_the_forecast_as_its_row_says(
    turn: Turn, plays: Plays, long_plays: Plays
) -> None:
    made = long_plays if turn.row in SLOW_ROWS else plays
    for what, moved in made.moved(turn, 1.0).items():
        assert moved.held is ((turn.row, what) not in NOT_HELD), f"{what}: {moved}"


def test_levels_are_near_what_has_been_seen(plays: Plays) -> None:
    base = plays.play(1.0)
    assert 0.0075 < base.happened("war") < 0.015  # half of what two years may have
    assert base.happened("deal") < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_what_it_says_survives_half_and_twice_the_precision(
    scale: float, long_plays: Plays
) -> None:
    """By as many points as docs/pyeongchang-2018.md says; the first edition moves by up to 39."""
    base, other = long_plays.play(1.0), long_plays.play(scale)
    for outcome, points in {
        **{"war": 1, "tests_resumed": 3, "missile": 4, "wedge": 5, "relief": 3, "quiet": 1},
        **{"us_talks": 12, "korean_summit": 6, "first_step": 7},
    }.items():
        moved = other.happened(outcome) - base.happened(outcome)
        assert abs(100 * moved) < points, outcome


@pytest.mark.slow
def test_the_calendar_does_not_decide(plays: Plays) -> None:
    """Two rounds of moves a month, each half as often as usual, change little."""
    base = plays.play(1.0)
    twice = Plays(two_rounds(plays.text), HORIZON).play(1.0)
    for outcome in detente.loads(plays.text).outcomes:
        assert twice.happened(outcome) == pytest.approx(base.happened(outcome), abs=0.015), outcome


def two_rounds(text: str) -> str:
    """The file with two rounds of moves a month, and half of each rate in each."""
    text, rounds = re.subn(r"(\nturns:)((?:\n  - [A-Z]+){3})", r"\1\2\2", text)
    text, waits = re.subn(
        r"( reference: 1 - )(.*)", lambda m: m[1] + m[2].replace(" -", " / 2 -") + " / 2", text
    )
    text, others = re.subn(r"( reference: )(?!1 - )(.*)", r"\1(\2) / 2", text)
    assert (rounds, waits, others) == (1, 3, 14)
    return text


def test_rates_are_counted_by_month(tmp_path: Path) -> None:
    provocations, contacts = tmp_path / "provocations.csv", tmp_path / "contacts.csv"
    provocations.write_text(
        "date,type,event\n2006-10-09,Nuclear Provocation,Nuclear Test\n"
        "2006-11-01,Missile Provocation,Short-range Missile Launch\n"
        "2007-01-05,Missile Provocation,Satellite Launch\n",
        encoding="utf-8",
    )
    contacts.write_text(
        'month,type,parties\n2007-02,Political Dialogue,"US, DPRK"\n'
        '2007-03,Political Dialogue,"ROK, DPRK"\n',
        encoding="utf-8",
    )
    counted = {what: (events, months) for what, events, months in rates(provocations, contacts)}
    # October 2006 and January 2007, and the test of November 2017 that is added.
    assert counted["tests, after a test"] == (1, 8)
    assert counted["tests, otherwise"] == (2, 137)
    assert counted["tests, after a contact"] == (0, 3)
    assert counted["contact, in all"] == (1, 145)
    assert counted["contact, after none"] == (1, 142)
    assert counted["votes for sanctions, in all"] == (10, 145)


def test_the_record_of_two_years_can_be_tracked() -> None:
    scenario = detente.loads(record_text())
    record = Path(__file__).parents[2] / "benchmarks" / "pyeongchang-2016.csv"
    read = detente.read_record(record, scenario)
    assert not read.unused
    assert max(entry.date for entry in read.entries if entry.date[0].isdigit()) == "2018-02-12"
