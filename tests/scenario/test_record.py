"""Records of moves: what lines mean, and wrong files beside the diagnostics they must give."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import detente
from detente import library
from detente.errors import ScenarioError
from detente.scenario.calendar import Calendar, Unit
from detente.scenario.dates import explain, parse_date
from detente.scenario.model import Scenario

FOLDER = Path(__file__).parent.parent / "wrong_records"
FILES = sorted(path.stem for path in FOLDER.glob("*.csv"))
HEADER = "date,actor,move,action,note,source\n"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return detente.load("pyeongchang-2018")


@pytest.mark.parametrize("name", FILES)
def test_tells_what_is_wrong(
    name: str, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ScenarioError) as caught:
        detente.read_record(f"{name}.csv", scenario)
    expected = Path(f"{name}.expected").read_text(encoding="utf-8")
    assert "".join(f"{diagnostic}\n" for diagnostic in caught.value.diagnostics) == expected


def test_none_is_left_over() -> None:
    assert len(FILES) >= 7
    assert {path.stem for path in FOLDER.glob("*.expected")} == set(FILES)


def test_a_file_that_is_not_there(scenario: Scenario, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean `pyeongchang-2018`"):
        detente.read_record("pyeongchang-2108", scenario)
    with pytest.raises(ScenarioError, match=r"error\[cannot-read\]"):
        detente.read_record(tmp_path, scenario)


def test_lines_get_their_meaning(scenario: Scenario) -> None:
    text = HEADER + (
        "always,us,nothing said,hold or Tighten,,\n"
        'always,STATE,no war,war == no,,"a, b"\n'
        "2018-02-09,north korea,sends a delegation,charm,the sister,reports\n"
        "\n"
        "# a comment\n"
        "2018-02-10,DPRK,speaks,(context),,\n"
        "2018-03-05,South  Korea,ENGAGE,,,\n"
        "2018-03-08,US,(unknown),,,\n"
        "2018-04-30,state,talks == summit,,,\n"
    )
    record = detente.parse_record(text, scenario, file="moves.csv")
    assert record.silence["US"].actions == ("hold", "tighten")
    assert [entry.label for entry in record.standing] == ["war == no"]
    charm, spoken, engage, anything, summit = record.entries
    assert (charm.actor, charm.actions, charm.t, charm.turn) == ("DPRK", ("charm",), 1, 0)
    assert (charm.move, charm.note, charm.source) == ("sends a delegation", "the sister", "reports")
    assert not spoken.used
    assert (engage.actor, engage.actions, engage.place.line) == ("ROK", ("engage",), 8)
    assert anything.actions == tuple(scenario.actions["US"])
    assert summit.condition is not None
    assert (summit.condition.text, summit.t) == ("talks == summit", 3)
    assert record.last == 3
    assert repr(record) == "<Record 'moves.csv': 5 lines, 4 of them observations>"


def test_aliases_of_the_scenario_are_known() -> None:
    text = library.read_text("bargaining-rounds")
    text = text.replace("    hold: {about", "    hold: {also: [sit tight, wait or see], about", 1)
    scenario = detente.loads(text)
    record = detente.parse_record("date,actor,move\n1,sender,Wait or  SEE\n", scenario)
    assert record.entries[0].actions == ("hold",)
    with pytest.raises(ScenarioError, match="did you mean `sit tight`"):
        detente.parse_record("date,actor,move\n1,sender,sit tigth\n", scenario)


def test_lines_outside_the_horizon_are_told(scenario: Scenario) -> None:
    text = HEADER + (
        "2018-01-31,US,hold,,,\n2018-02-01,US,hold,,,\n2018-03-01,US,hold,,,\n2018-03-02,US,hold,,,\n"
    )
    record = detente.parse_record(text, scenario.with_horizon(1), file="moves.csv")
    assert [entry.date for entry in record.entries] == ["2018-02-01"]
    assert len(record.unused) == 3
    assert [str(warning) for warning in record.warnings] == [
        "moves.csv:2: warning[out-of-range]: 2018-01-31 is before the scenario begins, so that the "
        "line is not used\n  hint: the scenario begins with 2018-02 and ends with 2018-02",
        "moves.csv:4: warning[out-of-range]: 2 lines, 2018-03-01 to 2018-03-02, are after it ends "
        "and not used\n  hint: the scenario begins with 2018-02 and ends with 2018-02",
    ]


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
def test_a_day_is_in_the_period_that_contains_it(unit: Unit) -> None:
    calendar = Calendar(unit, dt.date(2018, 2, 1))
    for t in range(-3, 6):
        first, following = calendar.date(t), calendar.date(t + 1)
        assert first is not None
        assert following is not None
        assert calendar.period(first) == t
        assert calendar.period(following - dt.timedelta(days=1)) == t


def test_rounds_have_no_days() -> None:
    with pytest.raises(ValueError, match="not dated"):
        Calendar("round", None).period(dt.date(2018, 2, 1))


def test_the_records_of_the_library_can_be_read() -> None:
    assert set(library.record_names()) <= set(library.names())
    for name in library.record_names():
        record = detente.read_record(name, detente.load(name))
        assert not record.warnings
        assert not record.unused
        assert all(entry.source for entry in record.entries)
        assert all(entry.note for entry in record.entries)
    with pytest.raises(KeyError):
        library.record_text("nothing")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("begin", ["", "\ufeff", "sep=SEPARATOR\r\n", "# a comment, with; all\r\n"])
def test_spreadsheets_write_commas_semicolons_or_tabs(
    separator: str, begin: str, scenario: Scenario, tmp_path: Path
) -> None:
    text = 'date,actor,move,note\r\n2018-02-09,DPRK,charm,"a{0} b"\r\n'.replace(",", separator)
    file = tmp_path / "moves.csv"
    file.write_bytes((begin.replace("SEPARATOR", separator) + text).format(separator).encode())
    (entry,) = detente.read_record(file, scenario).entries
    assert (entry.date, entry.actor, entry.actions) == ("2018-02-09", "DPRK", ("charm",))
    assert entry.note in (f"a{separator} b", "a b")


def test_no_header_is_told_as_the_name_of_a_column(scenario: Scenario) -> None:
    for header in (
        "datum;akteur;zug;x",
        "date|actor|move",
        "date actor move",
        "Datum\tAkteur\tZug",
    ):
        with pytest.raises(ScenarioError) as caught:
            detente.parse_record(f"{header}\n", scenario)
        assert f"`{header}`" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10.02.2024", "write 2024-02-10"),
        ("10. 2. 24", "write 2024-02-10"),
        ("02/10/2024", "write 2024-10-02 or 2024-02-10"),
        ("2-10-2024", "write 2024-10-02 or 2024-02-10"),
        ("5/5/2024", "write 2024-05-05"),
        ("13/02/2024", "write 2024-02-13"),
        ("02/13/2024", "write 2024-02-13"),
        ("2024/2/10", "write 2024-02-10"),
        ("20240210", "write 2024-02-10"),
        ("2024-02-10 00:00:00", "write 2024-02-10"),
        ("10 February 2024", "write 2024-02-10"),
        ("10-Feb-24", "write 2024-02-10"),
        ("Feb. 10, 2024", "write 2024-02-10"),
        ("Sept 2024", "write 2024-09"),
        ("2/2024", "write 2024-02"),
        ("45332", "that day is written 2024-02-10"),
        ("30.02.2024", "February 2024 has 29 days"),
        ("2024-13-01", "there is no month 13; as usual"),
        ("Foo 2024", "as usual"),
        ("0000-01-01", "as usual"),
    ],
)
def test_a_date_is_told_how_to_be_written(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_date(text, monthly=True)
    message, found = explain(text, monthly=True, otherwise="as usual")
    assert (f"`{text}`" in message, found) == (True, hint)
    assert ("can be two days" in message) == (" or " in hint)
    if found.startswith("write ") and " or " not in found:
        parse_date(found.removeprefix("write "), monthly=True)


def test_a_month_is_no_day() -> None:
    assert (
        explain("2024-02", monthly=False, otherwise="")[1] == "write the day too, as in 2024-02-01"
    )
